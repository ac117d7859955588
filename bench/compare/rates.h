/* SPDX-License-Identifier: MIT */
/* The rates that open loops are asked for: from the results of the base scenario, or from those of
 * an earlier comparison. Pure. */
#ifndef RS_COMPARE_RATES_H
#define RS_COMPARE_RATES_H

#include <stdbool.h>

#include "compare/json_read.h"
#include "compare/result.h"
#include "compare/schedule.h"

/* rs_rates_past: results->fixed_rate as the earlier comparison asked for. NULL, or the first
 * scenario that it asked for no rate in. */
const rs_scenario *rs_rates_past(rs_results *results, const rs_json_doc *past);

/* rs_rates_turn: messages a second to ask for in this turn; 0: a closed loop, NAN: nothing sound to
 * take it from. FIXED: a share of the slowest server's rate, the same for all, which it sets in
 * results->fixed_rate; given: as rs_rates_past has set it. CAPACITY: where the search starts, half
 * the server's own. BOTS: the number of bots that it starts with. */
double rs_rates_turn(rs_results *results, const rs_turn *turn, bool given);

#endif
