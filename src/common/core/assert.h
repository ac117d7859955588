/* SPDX-License-Identifier: MIT */
/* Three tiers of assertion. Peer input is never asserted: it is parsed.
 *
 * RS_DEBUG_ASSERT  expensive, or on the way of each message: with RS_DEBUG_CHECKS (sanitizers).
 * RS_ASSERT        cheap, on in release builds: a broken invariant of our own stops the process.
 * RS_FATAL         the operating system broke a promise (corrupt queue, wake-up not armed).
 * Each tier is shown failing once in tests/unit/assert_test.c. Any thread. */
#ifndef RS_CORE_ASSERT_H
#define RS_CORE_ASSERT_H

/* Exit codes are part of the programs' contract (a corrupt completion queue ends with 3). */
#define RS_EXIT_FATAL 3

#include "core/compiler.h"

#if defined(_MSC_VER)
#define RS_NORETURN __declspec(noreturn)
#else
#define RS_NORETURN _Noreturn
#endif

/* rs_assert_failed: prints file, line and condition to stderr, then aborts. */
RS_COLD RS_NORETURN void rs_assert_failed(const char *file, int line, const char *condition);

/* rs_fatal: prints the call and the reason to stderr, exits with RS_EXIT_FATAL at once (no atexit
 * handlers: our state cannot be trusted). */
RS_COLD RS_NORETURN void rs_fatal(const char *call, unsigned long os_error, const char *why);

#define RS_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            rs_assert_failed(__FILE__, __LINE__, #cond);                                           \
        }                                                                                          \
    } while (0)

/* RS_UNREACHABLE: an unreachable branch; why says what would have happened. */
#define RS_UNREACHABLE(why) rs_assert_failed(__FILE__, __LINE__, (why))

#ifdef RS_DEBUG_CHECKS
#define RS_DEBUG_ASSERT(cond) RS_ASSERT(cond)
#else
#define RS_DEBUG_ASSERT(cond) ((void)sizeof(!(cond)))
#endif

#define RS_FATAL(call, os_error, why) rs_fatal((call), (unsigned long)(os_error), (why))

#endif
