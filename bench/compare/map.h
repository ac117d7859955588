/* SPDX-License-Identifier: MIT */
/* The cells of --map: connections x requests in flight on each x size of a frame, without those
 * that a rule leaves out. A cell is a scenario like any other, under the name "64x4x512".
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
#define RS_MAP_CELLS_MAX (RS_MAP_CONNECTIONS * RS_MAP_DEPTHS * RS_MAP_SIZES)
#define RS_MAP_NAME_BYTES 20u
#define RS_MAP_BYTES_MAX (16u << 20) /* in flight one way: what the rule allows; ours */
#define RS_MAP_WIN 1.05              /* who is faster by more than this wins a cell: ours */

_Static_assert(RS_MAP_CELLS_MAX <= RS_SCENARIOS_MAX, "every cell is a scenario");

extern const uint32_t rs_map_connections[RS_MAP_CONNECTIONS];
extern const uint32_t rs_map_depths[RS_MAP_DEPTHS];
extern const uint32_t rs_map_sizes[RS_MAP_SIZES]; /* bytes of a frame, header included */

/* The rule's own words. */
extern const char rs_map_rule[];

/* rs_map_holds: the rule lets the cell in. */
bool rs_map_holds(uint32_t connections, uint32_t depth, uint32_t size);

/* rs_map_in_quick: part of the few cells of --quick. */
bool rs_map_in_quick(const rs_scenario *cell);

/* rs_map_name: "64x4x512". */
void rs_map_name(char out[RS_MAP_NAME_BYTES], uint32_t connections, uint32_t depth, uint32_t size);

typedef struct rs_map_cell {
    rs_scenario scenario; /* name and about point into this cell */
    char name[RS_MAP_NAME_BYTES];
    char about[80];
} rs_map_cell;

typedef struct rs_map {
    rs_map_cell cell[RS_MAP_CELLS_MAX];
    uint32_t cells;
} rs_map;

/* rs_map_make: every cell that the rule lets in: sizes outermost, then connections, then requests
 * in flight. *map stays where it is: the cells point into it. */
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
