/* SPDX-License-Identifier: MIT */
/* Environment variables in the process's code page. */
#ifndef RS_WIN_WIN_ENV_H
#define RS_WIN_WIN_ENV_H

#include "win/win.h"

#define RS_WIN_ENV_CHARS 1024

/* rs_win_env: the value, and its length; 0 and "" where there is none, it is empty, or has
 * RS_WIN_ENV_CHARS characters or more than bytes - 1 bytes; bytes >= 1. GetEnvironmentVariableA of
 * Wine 10 cuts a value off by as many bytes as its UTF-8 has more than characters. Any thread. */
static inline DWORD rs_win_env(const wchar_t *name, char *out, DWORD bytes) {
    wchar_t wide[RS_WIN_ENV_CHARS];
    const DWORD length = GetEnvironmentVariableW(name, wide, RS_WIN_ENV_CHARS);
    int got = 0;
    if (length > 0 && length < RS_WIN_ENV_CHARS) {
        got = WideCharToMultiByte(CP_ACP, 0, wide, (int)length + 1, out, (int)bytes, NULL, NULL);
    }
    if (got <= 0) {
        out[0] = '\0';
        return 0;
    }
    return (DWORD)got - 1;
}

#endif
