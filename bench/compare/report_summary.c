/* SPDX-License-Identifier: MIT */
/* Trade-offs in words: what is worth changing here. */
#include "compare/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUMMARY_GAINS 1u
#define SUMMARY_LOSSES 2u

typedef struct summary_text {
    char *out;
    size_t bytes, used;
} summary_text;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
summary_add(summary_text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (text->used < text->bytes) {
        const int bytes = vsnprintf(text->out + text->used, text->bytes - text->used, format, list);
        text->used += bytes > 0 ? (size_t)bytes : 0;
    }
    va_end(list);
}

/* The figures of one setting in one scenario that differ; appended to text unless that is NULL.
 * Returns SUMMARY_*. */
static uint32_t summary_cell(const rs_cell *cell, const char *scenario, summary_text *text) {
    const struct {
        const char *name;
        const rs_interval *ratio;
        bool more_is_better;
    } figures[] = {
        {"rate", &cell->rate, true}, {"CPU time", &cell->cpu, false}, {"p99", &cell->p99, false}};
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        const rs_interval *ratio = figures[i].ratio;
        if (rs_stats_is_difference(ratio)) {
            if (text != NULL) {
                summary_add(text, "%s%s %.2f", found == 0 ? scenario : "", found == 0 ? "" : ",",
                            ratio->middle);
                summary_add(text, " %s", figures[i].name);
            }
            found |=
                (ratio->middle > 1) == figures[i].more_is_better ? SUMMARY_GAINS : SUMMARY_LOSSES;
        }
    }
    return found;
}

/* All scenarios of one setting. */
static uint32_t summary_setting(const rs_results *results, uint32_t subject, summary_text *text) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (rs_results_wants(results, i, subject)) {
            const rs_cell *cell = rs_results_cell(results, i, subject);
            const uint32_t here = summary_cell(cell, results->scenario[i]->name, NULL);
            if (here != 0 && text != NULL) {
                summary_add(text, "%s", found != 0 ? "; " : "");
                (void)summary_cell(cell, results->scenario[i]->name, text);
            }
            found |= here;
        }
    }
    return found;
}

/* Those settings of a server whose differences are of this kind. */
static void summary_kind(const rs_results *results, uint32_t of, uint32_t kind, const char *title,
                         summary_text *text) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < results->subjects; k++) {
        const rs_subject *subject = &results->subject[k];
        if (subject->changed == NULL || subject->of != of ||
            summary_setting(results, k, NULL) != kind) {
            continue;
        }
        summary_add(text, "%s%s=%s (", count++ == 0 ? title : ", ", subject->changed->option,
                    subject->changed->value);
        (void)summary_setting(results, k, text);
        summary_add(text, ")");
    }
    summary_add(text, "%s", count > 0 ? "." : "");
}

bool rs_report_summary(const rs_results *results, uint32_t subject, char *out, size_t bytes) {
    summary_text text = {.out = out, .bytes = bytes};
    out[0] = '\0';
    if (results->kind != RS_COMPARE_TRADEOFFS || results->subject[subject].changed != NULL ||
        results->subject[subject].control) {
        return false;
    }
    summary_kind(results, subject, SUMMARY_GAINS, "Worth changing here: ", &text);
    summary_add(&text, "%s", text.used == 0 ? "Nothing is worth changing here." : "");
    summary_kind(results, subject, SUMMARY_GAINS | SUMMARY_LOSSES,
                 " Gains one thing for another: ", &text);
    summary_kind(results, subject, SUMMARY_LOSSES, " Worse than the default: ", &text);
    return true;
}

void rs_report_discoveries(const rs_results *results, char *out, size_t bytes) {
    (void)snprintf(
        out, bytes,
        "Of %u ratios %u differ from 1, each at the level of its own interval; %u remain "
        "when no more than %.0f %% of those that remain are false (Benjamini and "
        "Hochberg). The others are marked as possible chance.",
        results->ratios, results->differences, results->discoveries,
        RS_STATS_FALSE_DISCOVERIES * 100);
}
