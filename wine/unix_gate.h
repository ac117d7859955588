/* SPDX-License-Identifier: MIT */
/* The interface of the provider's two halves: one system call per crossing. Shared by
 * ringside_rio.dll (PE) and ringside_rio.so (ELF); both are x86-64. */
#ifndef RS_WINE_UNIX_GATE_H
#define RS_WINE_UNIX_GATE_H

#include <stdint.h>

typedef struct rs_gate_call {
    int64_t number; /* of the system call */
    int64_t argument[6];
    int64_t result; /* out: as the kernel gives it, -errno on failure */
} rs_gate_call;

#endif
