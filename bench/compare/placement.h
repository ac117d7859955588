/* SPDX-License-Identifier: MIT */
/* Which processors a comparison takes: one for the server and one for the load generator, unless
 * one for both is asked for.
 *
 * Pure. The first two logical processors of a machine are usually two threads of one core, and the
 * first core is where a system likes to put its interrupts. */
#ifndef RS_COMPARE_PLACEMENT_H
#define RS_COMPARE_PLACEMENT_H

#include <stddef.h>
#include <stdint.h>

#define RS_CPUS_MAX 1024u
#define RS_CPU_ANY (-1)

/* A logical processor that this program may use. */
typedef struct rs_cpu {
    int32_t index;  /* as --pin counts: over all processor groups */
    uint32_t core;  /* the same for the threads of one core */
    uint32_t group; /* package (Linux) or processor group (Windows): caches are shared within */
    uint32_t speed; /* the higher, the faster; the same for all where cores are alike */
} rs_cpu;

typedef enum rs_placement_kind {
    RS_PLACEMENT_FREE,     /* nothing is known, or nothing is wanted */
    RS_PLACEMENT_ONE,      /* one processor for both: there is no other, or it is wanted */
    RS_PLACEMENT_ONE_CORE, /* two threads of the one core there is */
    RS_PLACEMENT_TWO_CORES
} rs_placement_kind;

/* As --placement names them. */
typedef enum rs_placement_wish {
    RS_PLACE_APART,
    RS_PLACE_TOGETHER,
    RS_PLACE_FREE
} rs_placement_wish;

typedef struct rs_placement {
    rs_placement_kind kind;
    int32_t server, load; /* RS_CPU_ANY: wherever the system likes */
} rs_placement;

/* rs_placement_choose: two different cores; not that of processor 0 where there are more than two;
 * of the fastest kind and of one group as far as there are two such. Together: the first of them
 * for both. cpu: ascending by index; count 0: nothing is known. */
rs_placement rs_placement_choose(const rs_cpu *cpu, uint32_t count, rs_placement_wish wish);

/* rs_placement_text: "server on processor 2, loadgen on processor 4 (two cores)". server: what the
 * first is called. */
void rs_placement_text(const rs_placement *placement, const char *server, char *out, size_t bytes);

#endif
