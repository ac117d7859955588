/* SPDX-License-Identifier: MIT */
/* Wine 8 defines a function that clang has built in once <intrin.h> was seen. */
#define _InterlockedCompareExchange128 wine_InterlockedCompareExchange128
#include_next <winnt.h>
#undef _InterlockedCompareExchange128
