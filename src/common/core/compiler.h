/* SPDX-License-Identifier: MIT */
/* What compilers spell differently: a storage class, and hints for the optimiser, which change no
 * meaning and are empty where a compiler has none. */
#ifndef RS_CORE_COMPILER_H
#define RS_CORE_COMPILER_H

/* RS_THREAD_LOCAL: one variable a thread. Visual Studio knows C11's word since 17.8 only. */
#if defined(_MSC_VER) && !defined(__clang__)
#define RS_THREAD_LOCAL __declspec(thread)
#else
#define RS_THREAD_LOCAL _Thread_local
#endif

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
