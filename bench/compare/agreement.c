/* SPDX-License-Identifier: MIT */
/* Intervals of medians are made here from the single runs; those of ratios stand in the
 * file, since their pairs are known only there. */
#include "compare/agreement.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/stats.h"
#include "core/assert.h"

#define AGREEMENT_NAME_BYTES 64u
#define AGREEMENT_SAME_RATE 0.01 /* of it: two rates asked for count as one */

/* A median's interval is that of its ratio to 1. */
static rs_interval agreement_median(const rs_json_doc *doc, const rs_json_node *cell,
                                    const char *key) {
    double value[RS_STATS_SAMPLES_MAX], one[RS_STATS_SAMPLES_MAX];
    uint32_t count = 0;
    const rs_json_node *run = rs_json_read_child(doc, rs_json_read_get(doc, cell, "runs"));
    for (; run != NULL && count < RS_STATS_SAMPLES_MAX; run = rs_json_read_next(doc, run)) {
        value[count] = rs_json_read_number(doc, run, key); /* a void run has none */
        one[count++] = 1;
    }
    return rs_stats_ratio(value, one, count);
}

static rs_interval agreement_ratio(const rs_json_doc *doc, const rs_json_node *cell,
                                   const char *key) {
    const rs_json_node *from = rs_json_read_get(doc, cell, key);
    rs_interval out = {.middle = NAN, .low = NAN, .high = NAN};
    if (from != NULL) {
        const double pairs = rs_json_read_number(doc, from, "pairs");
        out.middle = rs_json_read_number(doc, from, "median");
        out.low = rs_json_read_number(doc, from, "low");
        out.high = rs_json_read_number(doc, from, "high");
        out.count = pairs > 0 && pairs < 1e6 ? (uint32_t)pairs : 0;
    }
    return out;
}

static bool agreement_usable(const rs_interval *interval) {
    return interval->count >= RS_STATS_PAIRS_MIN && rs_is_known(interval->low) &&
           rs_is_known(interval->high);
}

static const rs_json_node *agreement_find(const rs_json_doc *doc, const char *scenario,
                                          const char *server) {
    const rs_json_node *cell = rs_json_read_child(doc, rs_json_read_get(doc, NULL, "cells"));
    for (; cell != NULL; cell = rs_json_read_next(doc, cell)) {
        char name[AGREEMENT_NAME_BYTES], of[AGREEMENT_NAME_BYTES];
        rs_json_read_text(doc, rs_json_read_get(doc, cell, "scenario"), name, sizeof name);
        rs_json_read_text(doc, rs_json_read_get(doc, cell, "server"), of, sizeof of);
        if (strcmp(name, scenario) == 0 && strcmp(of, server) == 0) {
            return cell;
        }
    }
    return NULL;
}

static void agreement_interval(char cell[RS_TABLE_CELL_BYTES], const rs_interval *interval) {
    char middle[RS_TABLE_CELL_BYTES], low[RS_TABLE_CELL_BYTES], high[RS_TABLE_CELL_BYTES];
    if (!agreement_usable(interval)) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "-");
        return;
    }
    rs_table_number(middle, interval->middle);
    rs_table_number(low, interval->low);
    rs_table_number(high, interval->high);
    (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.18s (%.18s to %.18s)", middle, low, high);
}

/* Both are usable (the caller saw to it). True: they have a point in common. */
static bool agreement_row(rs_table *out, const char *scenario, const char *server,
                          const char *figure, const rs_interval *a, const rs_interval *b) {
    const bool agree = a->low <= b->high && b->low <= a->high;
    char(*cell)[RS_TABLE_CELL_BYTES] = rs_table_row(out);
    if (cell != NULL) {
        (void)snprintf(cell[0], RS_TABLE_CELL_BYTES, "%s", scenario);
        (void)snprintf(cell[1], RS_TABLE_CELL_BYTES, "%s", server);
        (void)snprintf(cell[2], RS_TABLE_CELL_BYTES, "%s", figure);
        agreement_interval(cell[3], a);
        agreement_interval(cell[4], b);
        (void)snprintf(cell[5], RS_TABLE_CELL_BYTES, "%s", agree ? "yes" : "NO");
    }
    return agree;
}

enum { AGREEMENT_CLOSED = 1, AGREEMENT_FIXED = 2 };

static const struct {
    const char *key, *name;
    bool ratio;
    int where;
} agreement_figures[] = {{"rate", "rate/s", false, AGREEMENT_CLOSED},
                         {"cpu_sum_us", "CPU us/msg", false, AGREEMENT_CLOSED | AGREEMENT_FIXED},
                         {"rate_ratio", "rate / baseline", true, AGREEMENT_CLOSED},
                         {"cpu_ratio", "CPU / baseline", true, AGREEMENT_CLOSED | AGREEMENT_FIXED},
                         {"p99_ratio", "p99 / baseline", true, AGREEMENT_FIXED}};

/* AGREEMENT_*; 0: at fixed rates that differ. */
static int agreement_where(const rs_json_doc *first, const rs_json_node *a,
                           const rs_json_doc *second, const rs_json_node *b) {
    const double x = rs_json_read_number(first, a, "rate_asked");
    const double y = rs_json_read_number(second, b, "rate_asked");
    if (!(x > 0) && !(y > 0)) {
        return AGREEMENT_CLOSED;
    }
    return fabs(x - y) <= AGREEMENT_SAME_RATE * x ? AGREEMENT_FIXED : 0; /* false for a NAN */
}

static void agreement_cell(const rs_json_doc *first, const rs_json_node *a,
                           const rs_json_doc *second, const rs_json_node *b, rs_table *out,
                           rs_agreement *count) {
    char scenario[AGREEMENT_NAME_BYTES], server[AGREEMENT_NAME_BYTES];
    const int where = agreement_where(first, a, second, b);
    uint32_t found = 0;
    if (where == 0) {
        count->other_rate++;
        return;
    }
    rs_json_read_text(first, rs_json_read_get(first, a, "scenario"), scenario, sizeof scenario);
    rs_json_read_text(first, rs_json_read_get(first, a, "server"), server, sizeof server);
    for (size_t i = 0; i < sizeof agreement_figures / sizeof agreement_figures[0]; i++) {
        const char *key = agreement_figures[i].key;
        if ((agreement_figures[i].where & where) == 0) {
            continue;
        }
        const bool ratio = agreement_figures[i].ratio;
        const rs_interval x =
            ratio ? agreement_ratio(first, a, key) : agreement_median(first, a, key);
        const rs_interval y =
            ratio ? agreement_ratio(second, b, key) : agreement_median(second, b, key);
        if (!agreement_usable(&x) || !agreement_usable(&y)) {
            continue;
        }
        const bool agree = agreement_row(out, scenario, server, agreement_figures[i].name, &x, &y);
        found++;
        if (ratio) {
            count->ratios++;
            count->ratios_agreed += agree;
        } else {
            count->figures++;
            count->agreed += agree;
        }
    }
    count->missing += found == 0;
}

static void agreement_all(const rs_json_doc *first, const rs_json_doc *second, rs_table *out,
                          rs_agreement *count) {
    const rs_json_node *cell = rs_json_read_child(first, rs_json_read_get(first, NULL, "cells"));
    for (; cell != NULL; cell = rs_json_read_next(first, cell)) {
        char scenario[AGREEMENT_NAME_BYTES], server[AGREEMENT_NAME_BYTES];
        rs_json_read_text(first, rs_json_read_get(first, cell, "scenario"), scenario,
                          sizeof scenario);
        rs_json_read_text(first, rs_json_read_get(first, cell, "server"), server, sizeof server);
        const rs_json_node *other = agreement_find(second, scenario, server);
        if (other == NULL) {
            count->missing++;
        } else {
            agreement_cell(first, cell, second, other, out, count);
        }
    }
}

/* Those of the second that the first has not. */
static uint32_t agreement_extra(const rs_json_doc *first, const rs_json_doc *second) {
    const rs_json_node *cell = rs_json_read_child(second, rs_json_read_get(second, NULL, "cells"));
    uint32_t extra = 0;
    for (; cell != NULL; cell = rs_json_read_next(second, cell)) {
        char scenario[AGREEMENT_NAME_BYTES], server[AGREEMENT_NAME_BYTES];
        rs_json_read_text(second, rs_json_read_get(second, cell, "scenario"), scenario,
                          sizeof scenario);
        rs_json_read_text(second, rs_json_read_get(second, cell, "server"), server, sizeof server);
        extra += agreement_find(first, scenario, server) == NULL;
    }
    return extra;
}

bool rs_agreement_of(const rs_json_doc *first, const rs_json_doc *second, rs_table *out,
                     rs_agreement *count) {
    static const char *const headers[] = {"scenario", "server", "figure",
                                          "first",    "second", "agree"};
    memset(count, 0, sizeof *count);
    rs_table_init(out);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        rs_table_column(out, headers[i], i < 3);
    }
    agreement_all(first, second, out, count);
    count->missing += agreement_extra(first, second);
    return count->figures > 0 && count->ratios_agreed == count->ratios && count->missing == 0;
}

double rs_agreement_rate_asked(const rs_json_doc *doc, const char *scenario) {
    const rs_json_node *cell = rs_json_read_child(doc, rs_json_read_get(doc, NULL, "cells"));
    for (; cell != NULL; cell = rs_json_read_next(doc, cell)) {
        char name[AGREEMENT_NAME_BYTES];
        const double rate = rs_json_read_number(doc, cell, "rate_asked");
        rs_json_read_text(doc, rs_json_read_get(doc, cell, "scenario"), name, sizeof name);
        if (strcmp(name, scenario) == 0 && rate > 0) {
            return rate;
        }
    }
    return NAN;
}

void rs_agreement_note(const rs_json_doc *first, const rs_json_doc *second, char *out,
                       size_t bytes) {
    static const char *const keys[] = {"banner.machine", "banner.system", "banner.placement",
                                       "banner.one run"};
    RS_ASSERT(bytes > 0);
    out[0] = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char a[256], b[256];
        rs_json_read_text(first, rs_json_read_get(first, NULL, keys[i]), a, sizeof a);
        rs_json_read_text(second, rs_json_read_get(second, NULL, keys[i]), b, sizeof b);
        if (strcmp(a, b) != 0) {
            (void)snprintf(out, bytes, "%s differs: '%.80s', '%.80s'", keys[i], a, b);
            return;
        }
    }
}
