/* SPDX-License-Identifier: MIT */
/* The file of one cell of a map: every run of every server in it, as --resume reads it again.
 * Pure. */
#ifndef RS_COMPARE_MAP_CELL_H
#define RS_COMPARE_MAP_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/json_read.h"
#include "compare/result.h"

#define RS_MAP_MADE_BYTES 4096u /* how a cell was measured, in words */

/* rs_map_cell_json: the runs of one scenario. made: how they were measured: whoever resumes must
 * measure the others in the same way. False: it did not fit. */
bool rs_map_cell_json(const rs_results *results, uint32_t scenario, const char *made, char *out,
                      size_t bytes, size_t *length);

typedef enum rs_map_cell_state {
    RS_MAP_CELL_KEPT,  /* the runs and the settings are in the results */
    RS_MAP_CELL_AGAIN, /* not whole, or a run of it is void: nothing was changed */
    RS_MAP_CELL_OTHER  /* measured in another way */
} rs_map_cell_state;

/* rs_map_cell_read: the reverse. other: of OTHER, what differs, then and now, [other_bytes]. */
rs_map_cell_state rs_map_cell_read(rs_results *results, uint32_t scenario, const char *made,
                                   const rs_json_doc *doc, char *other, size_t other_bytes);

#endif
