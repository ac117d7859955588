/* SPDX-License-Identifier: MIT */
/* The cells of --map: connections x requests in flight on each x size of a message, without those
 * that a rule leaves out; large ones with small send blocks of the server and with large ones; and
 * "writers". A cell is a scenario like any other, under the name "64x4x512" or "64x4x16384-64k".
 *
 * Pure. Any thread. */
#ifndef RS_COMPARE_MAP_H
#define RS_COMPARE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/scenario.h"
#include "compare/stats.h"

#define RS_MAP_CONNECTIONS 5u
#define RS_MAP_DEPTHS 4u
#define RS_MAP_SIZES 4u
#define RS_MAP_BLOCKS 2u /* sizes of send blocks, from RS_MAP_LARGE on */
#define RS_MAP_LARGE 16384u
#define RS_MAP_GRIDS (RS_MAP_SIZES * RS_MAP_BLOCKS) /* connections x in flight each; some empty */
#define RS_MAP_CELLS_MAX 96u
#define RS_MAP_NAME_BYTES 20u
#define RS_MAP_BYTES_MAX (16u << 20) /* in flight one way: what the rule allows; ours */
#define RS_MAP_SLOW_S 0.8            /* the least time of a run where rs_map_is_slow */
#define RS_MAP_WIN 1.05              /* who is faster by more than this wins a cell: ours */

/* The shape in which RIO loses most in public: so many writers share one connection, each with one
 * small request. */
#define RS_MAP_WRITERS "writers"
#define RS_MAP_WRITERS_COUNT 50u

_Static_assert(RS_MAP_CELLS_MAX <= RS_SCENARIOS_MAX, "every cell is a scenario");

extern const uint32_t rs_map_connections[RS_MAP_CONNECTIONS];
extern const uint32_t rs_map_depths[RS_MAP_DEPTHS];
extern const uint32_t rs_map_sizes[RS_MAP_SIZES]; /* bytes of a message */

/* rs_map_grid: size and send block, 0 = the server's default, of grid `index` < RS_MAP_GRIDS
 * (asserted). False: there is none. */
bool rs_map_grid(uint32_t index, uint32_t *size, uint32_t *block);

/* The rule's own words. */
extern const char rs_map_rule[];

/* rs_map_holds: the rule lets the cell in. */
bool rs_map_holds(uint32_t connections, uint32_t depth, uint32_t size);

/* rs_map_is_slow: its runs have RS_MAP_SLOW_S at least; rs_map_slow_rule says why. */
bool rs_map_is_slow(uint32_t connections, uint32_t depth, uint32_t size);
extern const char rs_map_slow_rule[];

/* rs_map_in_quick: part of the few cells of --quick. */
bool rs_map_in_quick(const rs_scenario *cell);

/* rs_map_name: "64x4x512"; with a block "64x4x16384-64k". */
void rs_map_name(char out[RS_MAP_NAME_BYTES], uint32_t connections, uint32_t depth, uint32_t size,
                 uint32_t block);

/* rs_map_sends: what else there is to a cell: "blocks of 65,536", "one a request" or "". */
#define RS_MAP_SENDS_BYTES 24u
void rs_map_sends(char out[RS_MAP_SENDS_BYTES], const rs_scenario *cell);

typedef struct rs_map_cell {
    rs_scenario scenario; /* name and about point into this cell */
    char name[RS_MAP_NAME_BYTES];
    char about[112];
} rs_map_cell;

typedef struct rs_map {
    rs_map_cell cell[RS_MAP_CELLS_MAX];
    uint32_t cells;
} rs_map;

/* rs_map_make: every cell that the rule lets in: sizes outermost, then blocks, connections,
 * requests in flight; "writers" last. *map stays where it is: the cells point into it. */
void rs_map_make(rs_map *map);

/* rs_map_find: the cell of that name; NULL: none, or left out by the rule. */
const rs_scenario *rs_map_find(const rs_map *map, const char *name);

/* Who is faster by more than RS_MAP_WIN, of a server and what it is set against. */
typedef enum rs_map_winner {
    RS_MAP_TOO_FEW,       /* pairs, or none */
    RS_MAP_NOT_SEPARABLE, /* the interval holds 1 and is wider than "the same" */
    RS_MAP_WITHIN,        /* a difference of RS_MAP_WIN at most, or the same */
    RS_MAP_BASE,
    RS_MAP_SERVER
} rs_map_winner;

/* rs_map_judge: of the ratio of a rate, server over base. */
rs_map_winner rs_map_judge(const rs_interval *rate);

#endif
