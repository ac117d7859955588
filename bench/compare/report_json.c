/* SPDX-License-Identifier: MIT */
/* Everything, for programs; what agreement.c reads again. */
#include "compare/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/map.h"
#include "compare/report_map.h"
#include "compare/report_question.h"
#include "core/json.h"

static void json_metrics(rs_json *json, const double *value) {
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        rs_json_double(json, rs_metric_infos[i].key, value[i]);
    }
}

static void json_calls(rs_json *json, const rs_compare_call *call, uint32_t calls) {
    rs_json_object(json, "kernel_calls_by_name");
    for (uint32_t i = 0; i < calls; i++) {
        rs_json_double(json, call[i].name, call[i].per_message);
    }
    rs_json_end(json);
}

static void json_settings(rs_json *json, const char *key, const rs_setting_list *list) {
    char words[RS_SETTINGS_BYTES];
    rs_settings_text(list, words, sizeof words);
    rs_json_string(json, key, words);
}

static void json_interval(rs_json *json, const char *key, const rs_interval *ratio) {
    rs_json_object(json, key);
    rs_json_double(json, "median", ratio->middle);
    rs_json_double(json, "low", ratio->low);
    rs_json_double(json, "high", ratio->high);
    rs_json_double(json, "level", rs_stats_level(ratio->count));
    rs_json_u64(json, "pairs", ratio->count);
    rs_json_end(json);
}

void rs_report_json_runs(rs_json *json, const rs_results *results, uint32_t scenario,
                         uint32_t subject, bool calls) {
    rs_json_array(json, "runs");
    for (uint32_t i = 0; i < results->repeats; i++) {
        const rs_compare_run *run = rs_results_run(results, scenario, subject, i);
        if (run->state == RS_RUN_NOT) {
            continue;
        }
        rs_json_object(json, NULL);
        rs_json_u64(json, "run", i + 1);
        rs_json_bool(json, "void", run->state == RS_RUN_VOID);
        if (run->state == RS_RUN_VOID) {
            rs_json_string(json, "why", run->why);
        } else if (run->state == RS_RUN_BEYOND) {
            rs_json_string(json, "beyond", run->why);
        } else {
            rs_json_bool(json, "disturbed", run->disturbed);
            rs_json_bool(json, "paced_late", run->paced_late);
            json_metrics(json, run->value);
            if (calls) {
                json_calls(json, run->call, run->calls);
            }
        }
        rs_json_end(json);
    }
    rs_json_end(json);
}

void rs_report_json_settings(rs_json *json, const rs_results *results, uint32_t scenario,
                             uint32_t subject) {
    if (results->recorded != NULL) {
        const rs_recorded *recorded = &results->recorded[scenario * results->subjects + subject];
        json_settings(json, "settings", &recorded->server);
        json_settings(json, "load_settings", &recorded->load);
    }
}

static void json_map(rs_json *json, const rs_results *results, uint32_t scenario,
                     uint32_t subject) {
    const rs_scenario *of = results->scenario[scenario];
    char sends[RS_MAP_SENDS_BYTES];
    rs_json_u64(json, "connections", of->connections);
    rs_json_u64(json, "in_flight", of->depth);
    rs_json_u64(json, "frame_bytes", of->frame_bytes);
    rs_map_sends(sends, of);
    rs_json_string(json, "sends", sends);
    rs_json_string(json, "wins", rs_report_map_wins(results, scenario, subject));
}

static void json_map_notes(rs_json *json, const rs_results *results) {
    char note[RS_REPORT_MAP_NOTE_BYTES];
    rs_json_array(json, "map");
    for (uint32_t i = 0; rs_report_map_note(results, i, note, sizeof note); i++) {
        rs_json_string(json, NULL, note);
    }
    rs_json_end(json);
}

static void json_cell(rs_json *json, const rs_results *results, uint32_t scenario,
                      uint32_t subject) {
    const rs_cell *cell = rs_results_cell(results, scenario, subject);
    rs_json_object(json, NULL);
    rs_json_string(json, "scenario", results->scenario[scenario]->name);
    rs_json_string(json, "server", results->subject[subject].name);
    rs_json_string(json, "platform", rs_results_platform(results, subject));
    rs_json_u64(json, "void", cell->voided);
    rs_json_u64(json, "disturbed", cell->disturbed);
    rs_json_u64(json, "paced_late", cell->paced_late);
    if (results->kind == RS_COMPARE_MAP) {
        json_map(json, results, scenario, subject);
    }
    rs_report_json_settings(json, results, scenario, subject);
    rs_json_double(json, "rate_asked", results->fixed_rate[scenario]);
    rs_json_object(json, "median");
    json_metrics(json, cell->median);
    json_calls(json, cell->call, cell->calls);
    rs_json_end(json);
    rs_json_double(json, "rate_spread", cell->rate_spread);
    rs_json_double(json, "cpu_spread", cell->cpu_spread);
    if (cell->has_ratio) {
        json_interval(json, "rate_ratio", &cell->rate);
        json_interval(json, "cpu_ratio", &cell->cpu);
        json_interval(json, "p99_ratio", &cell->p99);
        json_interval(json, "machine_ratio", &cell->machine);
    }
    rs_report_json_runs(json, results, scenario, subject, false);
    rs_json_end(json);
}

static void json_clocks(rs_json *json, const rs_results *results) {
    static const char *const kinds[] = {"server", "machine", "loadgen"}; /* rs_clock_kind */
    rs_json_bool(json, "instruments_tested", results->clocks_tested);
    rs_json_array(json, "instruments");
    for (uint32_t i = 0; i < results->clocks; i++) {
        const rs_clock *clock = &results->clock[i];
        rs_json_object(json, NULL);
        rs_json_string(json, "name", clock->name);
        rs_json_string(json, "of", kinds[clock->kind]);
        rs_json_double(json, "error", clock->result.error);
        rs_json_double(json, "at_load_percent",
                       rs_is_known(clock->result.error) ? (double)clock->result.load : (double)NAN);
        rs_json_bool(json, "used", clock->is_used);
        rs_json_end(json);
    }
    rs_json_end(json);
}

static void json_head(rs_json *json, const rs_results *results) {
    const char *warning = rs_results_warning(results);
    rs_json_string(json, "program", "compare");
    rs_json_string(json, "warning", warning[0] != '\0' ? warning : NULL);
    rs_json_string(json, "verdict", results->verdict.text);
    rs_json_string(json, "rule", rs_verdict_rule);
    rs_json_bool(json, "interrupted", results->interrupted);
    if (results->options != NULL) {
        rs_options_json(json, "settings", results->options, "out");
    }
    rs_json_string(json, "baseline",
                   results->baseline >= 0 ? results->subject[results->baseline].name : NULL);
    rs_json_object(json, "banner");
    for (uint32_t i = 0; i < results->banners; i++) {
        rs_json_string(json, results->banner[i].what, results->banner[i].text);
    }
    rs_json_end(json);
    json_clocks(json, results);
    rs_report_question_json(json, results);
    if (results->kind == RS_COMPARE_MAP) {
        json_map_notes(json, results);
    }
    rs_json_array(json, "servers");
    for (uint32_t i = 0; i < results->subjects; i++) {
        const rs_subject *subject = &results->subject[i];
        rs_json_object(json, NULL);
        rs_json_string(json, "name", subject->name);
        rs_json_bool(json, "wine", subject->wine);
        rs_json_string(json, "platform", subject->platform);
        rs_json_string(json, "provider", subject->provider);
        json_settings(json, "settings", &subject->settings);
        if (subject->connections_max != 0) {
            rs_json_u64(json, "connections_max", subject->connections_max);
            rs_json_string(json, "limit", subject->limit);
        }
        rs_json_end(json);
    }
    rs_json_end(json);
}

bool rs_report_json(const rs_results *results, char *out, size_t bytes, size_t *length) {
    rs_json json;
    rs_json_init(&json, out, bytes);
    rs_json_object(&json, NULL);
    json_head(&json, results);
    rs_json_array(&json, "cells");
    for (uint32_t i = 0; i < results->scenarios; i++) {
        for (uint32_t k = 0; k < results->subjects; k++) {
            if (rs_results_wants(results, i, k)) {
                json_cell(&json, results, i, k);
            }
        }
    }
    rs_json_end(&json);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}
