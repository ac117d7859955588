/* SPDX-License-Identifier: MIT */
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

static void settings_share(rs_setting_list *common, const rs_setting_list *list) {
    if (common->count == 0) {
        *common = *list;
    } else {
        rs_recorded_keep(common, list);
    }
}

/* What is a cell's own, under "WHAT in SCENARIO". */
static void settings_rest(const rs_results *results, uint32_t scenario, const char *what,
                          const rs_setting_list *list, const rs_setting_list *common,
                          rs_compare_text *text, rs_report_settings_fn fn) {
    char title[2u * RS_NAME_BYTES], words[SETTINGS_WORDS_BYTES];
    rs_setting_list rest;
    rs_recorded_rest(&rest, list, common);
    if (rest.count > 0) {
        (void)snprintf(title, sizeof title, "%s in %s", what, results->scenario[scenario]->name);
        rs_settings_text(&rest, words, sizeof words);
        fn(text, title, words);
    }
}

static void settings_server(const rs_results *results, uint32_t index, rs_compare_text *text,
                            rs_report_settings_fn fn) {
    const rs_subject *subject = &results->subject[index];
    rs_setting_list common = {.count = 0};
    char words[SETTINGS_WORDS_BYTES];
    for (uint32_t i = 0; i < results->scenarios; i++) {
        settings_share(&common, &settings_of(results, i, index)->server);
    }
    if (results->recorded == NULL) {
        common = subject->settings; /* without a record of cells, those of the newest run */
    }
    const int head =
        snprintf(words, sizeof words, "%s; provider %s; ", subject->platform, subject->provider);
    rs_settings_text(&common, words + head, sizeof words - (size_t)head);
    fn(text, subject->name, words);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        settings_rest(results, i, subject->name, &settings_of(results, i, index)->server, &common,
                      text, fn);
    }
}

/* Of all servers' runs of one scenario: a port and a rate vary. */
static rs_setting_list settings_load_in(const rs_results *results, uint32_t scenario) {
    rs_setting_list out = {.count = 0};
    for (uint32_t k = 0; k < results->subjects; k++) {
        rs_recorded_merge(&out, &settings_of(results, scenario, k)->load);
    }
    return out;
}

static void settings_load(const rs_results *results, rs_compare_text *text,
                          rs_report_settings_fn fn) {
    rs_setting_list common = {.count = 0};
    char words[SETTINGS_WORDS_BYTES];
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const rs_setting_list list = settings_load_in(results, i);
        settings_share(&common, &list);
    }
    if (common.count == 0) {
        return;
    }
    rs_settings_text(&common, words, sizeof words);
    fn(text, "loadgen", words);
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const rs_setting_list list = settings_load_in(results, i);
        settings_rest(results, i, "loadgen", &list, &common, text, fn);
    }
}

void rs_report_settings(const rs_results *results, rs_compare_text *text,
                        rs_report_settings_fn fn) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        settings_server(results, i, text, fn);
    }
    settings_load(results, text, fn);
}
