/* SPDX-License-Identifier: MIT */
#include "compare/map_cell.h"

#include <stdio.h>
#include <string.h>

#include "compare/report.h"
#include "core/assert.h"
#include "core/json.h"

static rs_recorded *cell_recorded(const rs_results *results, uint32_t scenario, uint32_t subject) {
    return &results->recorded[scenario * results->subjects + subject];
}

/* ---- writing */

bool rs_map_cell_json(const rs_results *results, uint32_t scenario, const char *made, char *out,
                      size_t bytes, size_t *length) {
    rs_json json;
    rs_json_init(&json, out, bytes);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "program", "compare");
    rs_json_string(&json, "made", made);
    rs_json_string(&json, "scenario", results->scenario[scenario]->name);
    rs_json_array(&json, "servers");
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (rs_results_wants(results, scenario, i)) {
            rs_json_object(&json, NULL);
            rs_json_string(&json, "server", results->subject[i].name);
            rs_json_string(&json, "platform", rs_results_platform(results, i));
            rs_report_json_settings(&json, results, scenario, i);
            rs_report_json_runs(&json, results, scenario, i, true);
            rs_json_end(&json);
        }
    }
    rs_json_end(&json);
    rs_json_end(&json);
    return rs_json_finish(&json, length);
}

/* ---- reading */

static bool cell_flag(const rs_json_doc *doc, const rs_json_node *from, const char *key) {
    const rs_json_node *node = rs_json_read_get(doc, from, key);
    return node != NULL && node->kind == RS_JSON_IS_BOOL && node->number > 0;
}

static void cell_calls(const rs_json_doc *doc, const rs_json_node *from, rs_compare_run *run) {
    const rs_json_node *node =
        rs_json_read_child(doc, rs_json_read_get(doc, from, "kernel_calls_by_name"));
    for (; node != NULL && run->calls < RS_CALLS_MAX; node = rs_json_read_next(doc, node)) {
        rs_compare_call *call = &run->call[run->calls];
        if (node->kind == RS_JSON_IS_NUMBER) {
            rs_json_read_key(doc, node, call->name, sizeof call->name);
            rs_result_clean(call->name);
            call->per_message = node->number;
            run->calls++;
        }
    }
}

/* False: void, or no run at all. */
static bool cell_run(const rs_json_doc *doc, const rs_json_node *from, rs_compare_run *run) {
    const rs_json_node *beyond = rs_json_read_get(doc, from, "beyond");
    memset(run, 0, sizeof *run);
    if (beyond != NULL) {
        char why[RS_WHY_BYTES];
        rs_json_read_text(doc, beyond, why, sizeof why);
        rs_result_beyond(run, "%s", why);
        return true;
    }
    run->state = RS_RUN_OK;
    run->disturbed = cell_flag(doc, from, "disturbed");
    run->paced_late = cell_flag(doc, from, "paced_late");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        run->value[i] = rs_json_read_number(doc, from, rs_metric_infos[i].key);
    }
    cell_calls(doc, from, run);
    return !cell_flag(doc, from, "void") && run->value[RS_METRIC_RATE] > 0;
}

static const rs_json_node *cell_server(const rs_json_doc *doc, const char *name) {
    const rs_json_node *node = rs_json_read_child(doc, rs_json_read_get(doc, NULL, "servers"));
    char server[RS_NAME_BYTES];
    for (; node != NULL; node = rs_json_read_next(doc, node)) {
        rs_json_read_text(doc, rs_json_read_get(doc, node, "server"), server, sizeof server);
        if (strcmp(server, name) == 0) {
            return node;
        }
    }
    return NULL;
}

/* Every run of one server; keep: false: only whether they are there. */
static bool cell_runs(const rs_results *results, uint32_t scenario, uint32_t subject,
                      const rs_json_doc *doc, bool keep) {
    const rs_json_node *server = cell_server(doc, results->subject[subject].name);
    uint32_t count = 0;
    if (server == NULL) {
        return false;
    }
    const rs_json_node *node = rs_json_read_child(doc, rs_json_read_get(doc, server, "runs"));
    for (; node != NULL; node = rs_json_read_next(doc, node)) {
        rs_compare_run run;
        if (count == results->repeats || !cell_run(doc, node, &run)) {
            return false;
        }
        if (keep) {
            *rs_results_run(results, scenario, subject, count) = run;
        }
        count++;
    }
    return count == results->repeats;
}

/* "name=value, name=value", as rs_settings_text writes it. */
static void cell_settings(const rs_json_doc *doc, const rs_json_node *from, const char *key,
                          rs_setting_list *out) {
    char words[RS_SETTINGS_BYTES];
    char *at = words;
    rs_json_read_text(doc, rs_json_read_get(doc, from, key), words, sizeof words);
    out->count = 0;
    while (*at != '\0') {
        char *end = strstr(at, ", ");
        char *value = strchr(at, '=');
        char *next = end != NULL ? end + 2 : at + strlen(at);
        if (end != NULL) {
            *end = '\0';
        }
        if (value != NULL && value < next) {
            *value = '\0';
            rs_settings_add(out, at, value + 1);
        }
        at = next;
    }
}

/* The first of the parts, "name: text; ", in which the two differ. */
static void cell_differ(const char *then, const char *now, char *out, size_t bytes) {
    size_t from = 0;
    for (size_t i = 0; then[i] != '\0' && then[i] == now[i]; i++) {
        from = then[i] == ';' ? i + 2 : from;
    }
    (void)snprintf(out, bytes, "'%.*s', now '%.*s'", (int)strcspn(then + from, ";"), then + from,
                   (int)strcspn(now + from, ";"), now + from);
    rs_result_clean(out);
}

rs_map_cell_state rs_map_cell_read(rs_results *results, uint32_t scenario, const char *made,
                                   const rs_json_doc *doc, char *other, size_t other_bytes) {
    char then[RS_MAP_MADE_BYTES];
    rs_json_read_text(doc, rs_json_read_get(doc, NULL, "made"), then, sizeof then);
    if (strcmp(then, made) != 0) {
        cell_differ(then, made, other, other_bytes);
        return RS_MAP_CELL_OTHER;
    }
    for (uint32_t pass = 0; pass < 2; pass++) { /* all or nothing */
        for (uint32_t i = 0; i < results->subjects; i++) {
            if (rs_results_wants(results, scenario, i) &&
                !cell_runs(results, scenario, i, doc, pass == 1)) {
                RS_ASSERT(pass == 0);
                return RS_MAP_CELL_AGAIN;
            }
        }
    }
    for (uint32_t i = 0; results->recorded != NULL && i < results->subjects; i++) {
        if (rs_results_wants(results, scenario, i)) {
            const rs_json_node *server = cell_server(doc, results->subject[i].name);
            rs_recorded *recorded = cell_recorded(results, scenario, i);
            cell_settings(doc, server, "settings", &recorded->server);
            cell_settings(doc, server, "load_settings", &recorded->load);
        }
    }
    return RS_MAP_CELL_KEPT;
}
