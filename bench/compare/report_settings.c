/* Settings, once each: what all cells of a server share, then what is a cell's own. */
#include "compare/report.h"

#include <stdio.h>
#include <string.h>

#define SETTINGS_WORDS_BYTES (RS_SETTINGS_BYTES + 256u)

static const rs_recorded *settings_of(const rs_results *results, uint32_t scenario,
                                      uint32_t subject) {
    static const rs_recorded none;
    return results->recorded != NULL ? &results->recorded[scenario * results->subjects + subject]
                                     : &none;
}

/* In all scenarios; without a record of cells, those of the newest run. */
static void settings_common(const rs_results *results, uint32_t subject,
                            char out[RS_SETTINGS_BYTES]) {
    out[0] = '\0';
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const char *list = settings_of(results, i, subject)->server;
        if (out[0] == '\0') {
            (void)snprintf(out, RS_SETTINGS_BYTES, "%s", list);
        } else {
            rs_recorded_keep(out, list);
        }
    }
    if (results->recorded == NULL) {
        (void)snprintf(out, RS_SETTINGS_BYTES, "%s", results->subject[subject].settings);
    }
}

static void settings_server(const rs_results *results, uint32_t index, rs_text *text,
                            rs_report_settings_fn fn) {
    const rs_subject *subject = &results->subject[index];
    char common[RS_SETTINGS_BYTES], rest[RS_SETTINGS_BYTES], words[SETTINGS_WORDS_BYTES];
    char what[2u * RS_NAME_BYTES];
    settings_common(results, index, common);
    (void)snprintf(words, sizeof words, "%s; provider %s; %s", subject->platform, subject->provider,
                   common);
    fn(text, subject->name, words);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        rs_recorded_rest(rest, settings_of(results, i, index)->server, common);
        if (rest[0] != '\0') {
            (void)snprintf(what, sizeof what, "%s in %s", subject->name,
                           results->scenario[i]->name);
            fn(text, what, rest);
        }
    }
}

/* Of all servers' runs of one scenario: a port and a rate vary. */
static void settings_load_in(const rs_results *results, uint32_t scenario,
                             char out[RS_SETTINGS_BYTES]) {
    out[0] = '\0';
    for (uint32_t k = 0; k < results->subjects; k++) {
        rs_recorded_merge(out, settings_of(results, scenario, k)->load);
    }
}

static void settings_load(const rs_results *results, rs_text *text, rs_report_settings_fn fn) {
    char common[RS_SETTINGS_BYTES] = "", list[RS_SETTINGS_BYTES], rest[RS_SETTINGS_BYTES];
    char what[2u * RS_NAME_BYTES];
    for (uint32_t i = 0; i < results->scenarios; i++) {
        settings_load_in(results, i, list);
        if (common[0] == '\0') {
            memcpy(common, list, sizeof common);
        } else {
            rs_recorded_keep(common, list);
        }
    }
    if (common[0] == '\0') {
        return;
    }
    fn(text, "loadgen", common);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        settings_load_in(results, i, list);
        rs_recorded_rest(rest, list, common);
        if (rest[0] != '\0') {
            (void)snprintf(what, sizeof what, "loadgen in %s", results->scenario[i]->name);
            fn(text, what, rest);
        }
    }
}

void rs_report_settings(const rs_results *results, rs_text *text, rs_report_settings_fn fn) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        settings_server(results, i, text, fn);
    }
    settings_load(results, text, fn);
}
