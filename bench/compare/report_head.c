/* SPDX-License-Identifier: MIT */
/* What stands above every figure: whether they are to be relied on at all. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

static rs_report_line *head_add(rs_report_head *head, const char *what) {
    RS_ASSERT(head->lines < RS_REPORT_HEAD_MAX);
    rs_report_line *line = &head->line[head->lines++];
    *line = (rs_report_line){.what = what};
    return line;
}

static void head_control(const rs_results *results, uint32_t subject, rs_report_head *head) {
    const uint32_t scenario = rs_results_control_scenario(results);
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    const char *name = results->subject[results->subject[subject].of].name;
    char rate[RS_TABLE_CELL_BYTES], cpu[RS_TABLE_CELL_BYTES];
    rs_report_line *line = head_add(head, "control");
    line->is_warning = rs_verdict_control(&cell->rate) == RS_CLAUSE_WORSE ||
                       rs_verdict_control(&cell->cpu) == RS_CLAUSE_WORSE;
    rs_table_ratio(rate, &cell->rate);
    rs_table_ratio(cpu, &cell->cpu);
    (void)snprintf(line->words, sizeof line->words,
                   "%s%s against itself in %s, undisturbed pairs: rate %s, CPU time %s",
                   line->is_warning ? "A DIFFERENCE WHERE THERE IS NONE: " : "", name,
                   results->scenario[scenario]->name, rate, cpu);
}

static void head_controls(const rs_results *results, rs_report_head *head, bool warnings) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (results->subject[i].control) {
            head_control(results, i, head);
            head->lines -= head->line[head->lines - 1].is_warning == warnings ? 0 : 1;
        }
    }
}

static void head_no_control(const rs_results *results, rs_report_head *head) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (results->subject[i].control) {
            return;
        }
    }
    (void)snprintf(head_add(head, "control")->words, sizeof head->line[0].words, "%s",
                   results->kind == RS_COMPARE_CALIBRATE ? "the handicap of +0 %, in the table"
                                                         : "not measured");
}

static void head_runs(const rs_results *results, rs_report_head *head) {
    const uint32_t made = rs_results_made(results), voided = rs_results_voided(results);
    const uint32_t disturbed = rs_results_disturbed(results);
    rs_report_line *line = head_add(head, "runs");
    line->is_warning = rs_verdict_is_unfit(made, disturbed + voided, results->unfit_percent);
    (void)snprintf(line->words, sizeof line->words, "%u, of which %u disturbed and %u void%s", made,
                   disturbed, voided,
                   line->is_warning ? ": UNFIT, no figure here is to be relied on" : "");
}

static void head_instruments(const rs_results *results, rs_report_head *head) {
    static const char *const kinds[] = {"server", "machine", "loadgen"}; /* rs_clock_kind */
    rs_report_line *line = head_add(head, "instruments");
    size_t used = 0;
    if (!results->clocks_tested) {
        line->is_warning = true;
        (void)snprintf(line->words, sizeof line->words, "not tested");
        return;
    }
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        char words[64] = "none is right";
        for (uint32_t i = 0; i < results->clocks; i++) {
            const rs_clock *clock = &results->clock[i];
            if (clock->kind == (rs_clock_kind)kind && clock->is_used) {
                (void)snprintf(words, sizeof words, "%.40s, error %.1f %%", clock->name,
                               clock->result.error * 100);
            }
        }
        used += (size_t)snprintf(line->words + used, sizeof line->words - used, "%sCPU of %s: %s",
                                 used > 0 ? "; " : "", kinds[kind], words);
        RS_ASSERT(used < sizeof line->words);
    }
}

void rs_report_head_make(const rs_results *results, rs_report_head *head) {
    head->lines = 0;
    head_controls(results, head, true);
    head_runs(results, head);
    head_controls(results, head, false);
    head_no_control(results, head);
    head_instruments(results, head);
}
