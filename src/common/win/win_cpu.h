/* SPDX-License-Identifier: MIT */
/* Processors numbered over all processor groups: a group has at most 64, and most Windows calls
 * know only one group. */
#ifndef RS_WIN_WIN_CPU_H
#define RS_WIN_WIN_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "win/win.h"

/* rs_win_cpu_find: where processor `cpu` (0-based) is. False: there is no such processor. */
bool rs_win_cpu_find(uint32_t cpu, GROUP_AFFINITY *out);

/* rs_win_cpu_index: the other way round. */
uint32_t rs_win_cpu_index(WORD group, uint32_t number);

#endif
