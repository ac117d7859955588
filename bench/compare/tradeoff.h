/* SPDX-License-Identifier: MIT */
/* The settings that --tradeoffs varies, one at a time, and the loads that show what each is worth.
 * Pure: a table. */
#ifndef RS_COMPARE_TRADEOFF_H
#define RS_COMPARE_TRADEOFF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rs_tradeoff {
    const char *option, *value;      /* without the dashes */
    const char *about;               /* what it tries; NULL: as the row before */
    bool iocp, rio;                  /* servers that it applies to */
    const char *scenario, *also;     /* where it can show; also: NULL for one scenario */
    const char *needs, *needs_value; /* an option without which it cannot run; NULL: none */
    const char *third;               /* one more scenario; NULL: none */
} rs_tradeoff;

uint32_t rs_tradeoff_count(void);
const rs_tradeoff *rs_tradeoff_at(uint32_t index); /* index < rs_tradeoff_count() (asserted) */

/* The handicaps of --calibrate: "handicap" with "cpu=0", of the server that the others are set
 * against, and so on. */
#define RS_HANDICAPS 4u
extern const rs_tradeoff rs_handicaps[RS_HANDICAPS];
extern const uint32_t rs_handicap_percent[RS_HANDICAPS];

/* rs_tradeoff_applies: to the server of that name. */
bool rs_tradeoff_applies(const rs_tradeoff *tradeoff, const char *server);

/* rs_tradeoff_shows_in: the scenario is one of its own. */
bool rs_tradeoff_shows_in(const rs_tradeoff *tradeoff, const char *scenario);

/* rs_tradeoffs_use: some row has this scenario among its own. */
bool rs_tradeoffs_use(const char *scenario);

#endif
