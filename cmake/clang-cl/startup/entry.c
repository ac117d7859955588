/* SPDX-License-Identifier: MIT */
/* The entry point of a console program, as Visual Studio's msvcrt.lib has it: the universal
 * run-time is told to read the arguments and the environment, then main runs. */
#include <corecrt_startup.h>
#include <stdint.h>
#include <stdlib.h>
#include <windows.h>

extern int main(int argc, char **argv);
extern uintptr_t __security_cookie;
void mainCRTStartup(void);

void mainCRTStartup(void) {
    LARGE_INTEGER ticks;
    (void)QueryPerformanceCounter(&ticks);
    __security_cookie ^= (uintptr_t)ticks.QuadPart ^ ((uintptr_t)GetCurrentProcessId() << 16);
    __security_cookie &= 0x0000FFFFFFFFFFFFu; /* no byte of a string reaches the upper ones */
    _set_app_type(_crt_console_app);
    (void)_configure_narrow_argv(_crt_argv_unexpanded_arguments);
    (void)_initialize_narrow_environment();
    exit(main(*__p___argc(), *__p___argv()));
}
