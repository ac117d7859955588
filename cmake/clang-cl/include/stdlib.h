/* SPDX-License-Identifier: MIT */
/* Wine 8's <stdlib.h> lacks this function of the universal run-time. */
#ifndef RS_CLANG_CL_STDLIB_H
#define RS_CLANG_CL_STDLIB_H

#include_next <stdlib.h>

_ACRTIMP unsigned int __cdecl _set_abort_behavior(unsigned int flags, unsigned int mask);

#endif
