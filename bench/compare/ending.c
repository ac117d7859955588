/* SPDX-License-Identifier: MIT */
#include "compare/ending.h"

#include <signal.h>
#include <stdio.h>

#define ENDING_EXCEPTION 0x40000000u /* from here on: NTSTATUS other than success */

typedef struct ending_name {
    uint32_t code;
    const char *name;
} ending_name;

static const ending_name ending_exceptions[] = {
    {0x80000003u, "breakpoint"},
    {0xC0000005u, "access violation"},
    {0xC0000006u, "in-page error"},
    {0xC0000017u, "no memory"},
    {0xC000001Du, "illegal instruction"},
    {0xC000007Bu, "not a program for this system"},
    {0xC0000094u, "division by zero"},
    {0xC00000FDu, "stack overflow"},
    {0xC0000135u, "DLL not found"},
    {0xC0000138u, "ordinal not found in a DLL"},
    {0xC0000139u, "entry point not found in a DLL"},
    {0xC000013Au, "Ctrl+C"},
    {0xC0000142u, "a DLL failed to start"},
    {0xC0000374u, "heap corruption"},
    {0xC0000409u, "fail fast"},
    {0xC0000420u, "assertion failure"},
};

static const ending_name ending_signals[] = {
    {SIGABRT, "abort"},    {SIGFPE, "arithmetic error"},  {SIGILL, "illegal instruction"},
    {SIGINT, "interrupt"}, {SIGSEGV, "access violation"}, {SIGTERM, "terminated"},
#if !defined(_WIN32)
    {SIGBUS, "bus error"}, {SIGKILL, "killed"},
#endif
};

static const char *ending_find(const ending_name *table, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++) {
        if (table[i].code == code) {
            return table[i].name;
        }
    }
    return NULL;
}

void rs_ending_code(uint32_t code, char *out, size_t bytes) {
    const char *name = ending_find(ending_exceptions,
                                   sizeof ending_exceptions / sizeof ending_exceptions[0], code);
    if (code < ENDING_EXCEPTION) {
        (void)snprintf(out, bytes, "exit code %lu", (unsigned long)code);
    } else if (name == NULL) {
        (void)snprintf(out, bytes, "0x%08lX", (unsigned long)code);
    } else {
        (void)snprintf(out, bytes, "0x%08lX (%s)", (unsigned long)code, name);
    }
}

void rs_ending_signal(int number, char *out, size_t bytes) {
    const char *name = ending_find(ending_signals, sizeof ending_signals / sizeof ending_signals[0],
                                   (uint32_t)number);
    if (name == NULL) {
        (void)snprintf(out, bytes, "signal %d", number);
    } else {
        (void)snprintf(out, bytes, "signal %d (%s)", number, name);
    }
}
