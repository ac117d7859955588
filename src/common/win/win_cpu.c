/* SPDX-License-Identifier: MIT */
#include "win/win_cpu.h"

#include <string.h>

bool rs_win_cpu_find(uint32_t cpu, GROUP_AFFINITY *out) {
    const WORD groups = GetActiveProcessorGroupCount();
    memset(out, 0, sizeof *out);
    for (WORD group = 0; group < groups; group++) {
        const uint32_t count = GetActiveProcessorCount(group);
        if (cpu < count) {
            out->Group = group;
            out->Mask = (KAFFINITY)1 << cpu;
            return true;
        }
        cpu -= count;
    }
    return false;
}

uint32_t rs_win_cpu_index(WORD group, uint32_t number) {
    uint32_t index = number;
    for (WORD i = 0; i < group; i++) {
        index += GetActiveProcessorCount(i);
    }
    return index;
}
