/* SPDX-License-Identifier: MIT */
/* Hints for the optimiser, empty where a compiler has none. They change no meaning. */
#ifndef RS_CORE_COMPILER_H
#define RS_CORE_COMPILER_H

/* RS_COLD: rarely called; kept out of line so that hot callers stay small. */
#if defined(__GNUC__)
#define RS_COLD __attribute__((cold, noinline))
#elif defined(_MSC_VER)
#define RS_COLD __declspec(noinline)
#else
#define RS_COLD
#endif

/* RS_LIKELY: nearly always true; what then follows is laid out next. */
#if defined(__GNUC__)
#define RS_LIKELY(cond) __builtin_expect(!!(cond), 1)
#else
#define RS_LIKELY(cond) (cond)
#endif

#endif
