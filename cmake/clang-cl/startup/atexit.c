/* SPDX-License-Identifier: MIT */
/* The universal run-time has atexit under another name. Wine's <stdlib.h> would declare it as
 * imported, and those who include that call it through the pointer. */
int __cdecl _crt_atexit(void(__cdecl *at_exit)(void));
int __cdecl atexit(void(__cdecl *at_exit)(void));
extern int(__cdecl *const __imp_atexit)(void(__cdecl *at_exit)(void));

int __cdecl atexit(void(__cdecl *at_exit)(void)) {
    return _crt_atexit(at_exit);
}

int(__cdecl *const __imp_atexit)(void(__cdecl *at_exit)(void)) = atexit;
