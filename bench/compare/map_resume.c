/* SPDX-License-Identifier: MIT */
#include "compare/map_resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/past.h"
#include "compare/process.h"

typedef struct map_resume {
    rs_results *results;
    rs_reports *reports;
    const char *made;
    bool *skip;
    char folder[RS_ARG_BYTES];
} map_resume;

void rs_map_made(const rs_results *results, const rs_compare_settings *settings,
                 char out[RS_MAP_MADE_BYTES]) {
    static const char *const kept[] = {"machine", "system", "commit", "placement"};
    rs_compare_text text;
    rs_compare_text_init(&text, out, RS_MAP_MADE_BYTES);
    for (uint32_t i = 0; i < results->banners; i++) {
        for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
            if (strcmp(results->banner[i].what, kept[k]) == 0) {
                rs_compare_text_format(&text, "%s: %s; ", kept[k], results->banner[i].text);
            }
        }
    }
    rs_compare_text_format(&text, "runs: %u of %.9g s after %.9g s; servers:", results->repeats,
                           settings->seconds, settings->warmup_s);
    for (uint32_t i = 0; i < results->subjects; i++) {
        rs_compare_text_format(&text, " %s", results->subject[i].name);
    }
    rs_compare_text_raw(&text, "; set:");
    for (uint32_t i = 0; i < settings->sets; i++) {
        const rs_compare_set *set = &settings->set[i];
        rs_compare_text_format(&text, " %s %s=%s", set->server, set->option, set->value);
    }
}

static void resume_path(const map_resume *self, const char *cell, char out[RS_ARG_BYTES * 2]) {
    (void)snprintf(out, RS_ARG_BYTES * 2, "%s/%s.json", self->folder, cell);
}

/* 0: read, or to be measured again; *kept counts. */
static int resume_cell(const map_resume *self, uint32_t scenario, uint32_t *kept) {
    const char *name = self->results->scenario[scenario]->name;
    char path[RS_ARG_BYTES * 2], other[RS_WHY_BYTES * 2];
    rs_past past = {0};
    int failed = 0;
    resume_path(self, name, path);
    if (!rs_files_exist(path)) {
        return 0;
    }
    if (!rs_past_read_file(&past, "--resume", path)) {
        failed = 2;
    } else {
        switch (
            rs_map_cell_read(self->results, scenario, self->made, &past.doc, other, sizeof other)) {
        case RS_MAP_CELL_KEPT:
            for (uint32_t i = 0; i < self->results->subjects; i++) {
                self->skip[scenario * self->results->subjects + i] = true;
            }
            ++*kept;
            break;
        case RS_MAP_CELL_AGAIN:
            break;
        case RS_MAP_CELL_OTHER:
            rs_printer_say(self->reports->err, "compare: --resume: %s was measured with %s\n", name,
                           other);
            failed = 2;
            break;
        }
    }
    rs_past_free(&past);
    return failed;
}

/* All that a map may have, not only the cells of this one. */
static void resume_remove(const map_resume *self, const rs_map *grid) {
    char path[RS_ARG_BYTES * 2];
    for (uint32_t i = 0; i < grid->cells; i++) {
        resume_path(self, grid->cell[i].name, path);
        (void)remove(path); /* there may be none */
    }
}

int rs_map_resume(rs_results *results, const rs_compare_settings *settings, rs_reports *reports,
                  const char *made, bool *skip) {
    map_resume self = {.results = results, .reports = reports, .made = made, .skip = skip};
    char folder[RS_ARG_BYTES * 2];
    uint32_t kept = 0;
    (void)snprintf(folder, sizeof folder, "%s/cells", reports->folder);
    if (!rs_reports_make_folder(reports, folder, self.folder)) {
        return EXIT_FAILURE;
    }
    if (settings->resume[0] == '\0') {
        resume_remove(&self, &settings->grid);
        return 0;
    }
    for (uint32_t i = 0; i < results->scenarios; i++) {
        const int failed = resume_cell(&self, i, &kept);
        if (failed != 0) {
            return failed;
        }
    }
    rs_printer_say(reports->err, "compare: --resume: %u of %u cells are there\n", kept,
                   results->scenarios);
    return 0;
}

void rs_map_resume_lines(const rs_results *results, rs_reports *reports) {
    const uint32_t runs = results->subjects * results->repeats;
    for (uint32_t i = 0; i < results->scenarios * runs; i++) {
        const rs_turn turn = {.scenario = i / runs,
                              .server = i / results->repeats % results->subjects,
                              .repeat = i % results->repeats};
        if (results->run[i].state != RS_RUN_NOT) {
            rs_reports_keep(reports, results, &turn);
        }
    }
}
