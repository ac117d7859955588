/* SPDX-License-Identifier: MIT */
#include "compare/placement.h"

#include <stdbool.h>
#include <stdio.h>

#include "core/assert.h"

/* The first processor of each core, in order; skip_first: not of processor 0's core. */
typedef struct placement_cores {
    rs_cpu cpu[RS_CPUS_MAX];
    uint32_t count;
} placement_cores;

static bool placement_has_core(const placement_cores *cores, uint32_t core) {
    for (uint32_t i = 0; i < cores->count; i++) {
        if (cores->cpu[i].core == core) {
            return true;
        }
    }
    return false;
}

static void placement_find_cores(placement_cores *cores, const rs_cpu *cpu, uint32_t count) {
    cores->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!placement_has_core(cores, cpu[i].core)) {
            cores->cpu[cores->count++] = cpu[i];
        }
    }
    if (cores->count > 2 && cores->cpu[0].index == 0) {
        cores->count--;
        for (uint32_t i = 0; i < cores->count; i++) {
            cores->cpu[i] = cores->cpu[i + 1];
        }
    }
}

static uint32_t placement_top_speed(const placement_cores *cores) {
    uint32_t top = 0;
    for (uint32_t i = 0; i < cores->count; i++) {
        top = cores->cpu[i].speed > top ? cores->cpu[i].speed : top;
    }
    return top;
}

/* The first two cores that are as wanted. */
static bool placement_pair(const placement_cores *cores, uint32_t least_speed, bool one_group,
                           rs_placement *out) {
    for (uint32_t i = 0; i < cores->count; i++) {
        for (uint32_t k = i + 1; k < cores->count; k++) {
            const rs_cpu *a = &cores->cpu[i], *b = &cores->cpu[k];
            if (a->speed >= least_speed && b->speed >= least_speed &&
                (!one_group || a->group == b->group)) {
                *out = (rs_placement){
                    .kind = RS_PLACEMENT_TWO_CORES, .server = a->index, .load = b->index};
                return true;
            }
        }
    }
    return false;
}

static rs_placement placement_apart(const rs_cpu *cpu, uint32_t count) {
    static placement_cores cores; /* large; the main thread's */
    rs_placement out;
    placement_find_cores(&cores, cpu, count);
    const uint32_t top = placement_top_speed(&cores);
    if (placement_pair(&cores, top, true, &out) || placement_pair(&cores, top, false, &out) ||
        placement_pair(&cores, 0, true, &out) || placement_pair(&cores, 0, false, &out)) {
        return out;
    }
    return (rs_placement){.kind = count > 1 ? RS_PLACEMENT_ONE_CORE : RS_PLACEMENT_ONE,
                          .server = cpu[0].index,
                          .load = cpu[count > 1 ? 1 : 0].index};
}

rs_placement rs_placement_choose(const rs_cpu *cpu, uint32_t count, rs_placement_wish wish) {
    RS_ASSERT(count <= RS_CPUS_MAX);
    if (count == 0 || wish == RS_PLACE_FREE) {
        return (rs_placement){.kind = RS_PLACEMENT_FREE, .server = RS_CPU_ANY, .load = RS_CPU_ANY};
    }
    rs_placement out = placement_apart(cpu, count);
    if (wish == RS_PLACE_TOGETHER) {
        out.kind = RS_PLACEMENT_ONE;
        out.load = out.server;
    }
    return out;
}

void rs_placement_text(const rs_placement *placement, const char *server, char *out, size_t bytes) {
    const char *what = "two cores";
    switch (placement->kind) {
    case RS_PLACEMENT_FREE:
        (void)snprintf(out, bytes, "free: as the system likes");
        return;
    case RS_PLACEMENT_ONE:
        what = "one for both";
        break;
    case RS_PLACEMENT_ONE_CORE:
        what = "two threads of one core, which they share";
        break;
    case RS_PLACEMENT_TWO_CORES:
        break;
    }
    (void)snprintf(out, bytes, "%s on processor %d, loadgen on processor %d (%s)", server,
                   (int)placement->server, (int)placement->load, what);
}
