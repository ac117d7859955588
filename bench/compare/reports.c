/* SPDX-License-Identifier: MIT */
#include "compare/reports.h"

#include <stdlib.h>
#include <string.h>

#include "compare/map_cell.h"
#include "compare/process.h"
#include "seam/files.h"

#define REPORTS_LINE_BYTES 8192u
#define REPORTS_ROOM_BYTES 262144u /* for the reports: a quick comparison's have half of it */

bool rs_reports_fail(const rs_reports *self, const char *what, const char *why) {
    rs_printer_say(self->err, "compare: %s: %s\n", what, why);
    return false;
}

static bool reports_cannot_write(const rs_reports *self, const rs_error *error) {
    rs_printer_say(self->err, "compare: %s\n", error->text);
    return false;
}

bool rs_reports_ended(const rs_reports *self) {
    return self->runner->unwritable.text[0] != '\0';
}

void rs_reports_say_why(const rs_reports *self) {
    (void)reports_cannot_write(self, &self->runner->unwritable);
}

static void reports_path(const rs_reports *self, const char *name, char out[RS_ARG_BYTES * 2]) {
    (void)snprintf(out, RS_ARG_BYTES * 2, "%s/%s", self->folder, name);
}

/* ---- folders and room */

bool rs_reports_make_folder(const rs_reports *self, const char *path, char out[RS_ARG_BYTES]) {
    rs_error error;
    if (rs_files_make(path, &error) != RS_OK) {
        return reports_cannot_write(self, &error);
    }
    return rs_files_absolute(path, out, RS_ARG_BYTES) ||
           rs_reports_fail(self, path, "too long a path");
}

static bool reports_have_room(const rs_reports *self) {
    static const char *const names[] = {"results.json", "results.csv", "runs.csv", "report.md",
                                        "report.html"};
    char path[RS_ARG_BYTES * 2];
    rs_error error;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        reports_path(self, names[i], path);
        if (rs_file_check(path, i == 0 ? REPORTS_ROOM_BYTES : 1, &error) != RS_OK) {
            return reports_cannot_write(self, &error);
        }
    }
    return rs_runner_can_write(self->runner) ||
           reports_cannot_write(self, &self->runner->unwritable);
}

bool rs_reports_open(rs_reports *self, const char *path) {
    char runs[RS_ARG_BYTES * 2];
    self->text = malloc(RS_REPORT_BYTES);
    if (self->text == NULL) {
        return rs_reports_fail(self, "compare", "out of memory");
    }
    if (!rs_reports_make_folder(self, path, self->folder)) {
        return false;
    }
    reports_path(self, "runs", runs);
    return rs_reports_make_folder(self, runs, self->runner->out) && reports_have_room(self);
}

/* ---- files */

static bool reports_file(const rs_reports *self, const char *name, size_t bytes) {
    char path[RS_ARG_BYTES * 2];
    if (rs_reports_ended(self)) {
        return false;
    }
    reports_path(self, name, path);
    return rs_file_replace(path, self->text, bytes, &self->runner->unwritable) == RS_OK ||
           reports_cannot_write(self, &self->runner->unwritable);
}

bool rs_reports_begin(rs_reports *self) {
    char path[RS_ARG_BYTES * 2];
    rs_compare_text text;
    rs_compare_text_init(&text, self->text, REPORTS_LINE_BYTES);
    rs_report_runs_csv_head(&text);
    if (!reports_file(self, "runs.csv", text.used)) {
        return false;
    }
    reports_path(self, "runs.csv", path);
    self->runs = fopen(path, "ab");
    return self->runs != NULL || rs_reports_fail(self, path, "cannot be opened");
}

void rs_reports_keep(rs_reports *self, const rs_results *results, const rs_turn *turn) {
    rs_compare_text text;
    if (rs_reports_ended(self)) {
        return;
    }
    rs_compare_text_init(&text, self->text, REPORTS_LINE_BYTES);
    rs_report_runs_csv_line(results, turn->scenario, turn->server, turn->repeat, &text);
    if (fputs(self->text, self->runs) < 0 || fflush(self->runs) != 0) {
        (void)rs_error_set(&self->runner->unwritable, RS_E_OS, "fflush", 0,
                           "%.100s/runs.csv: it cannot be written", self->folder);
        (void)rs_runner_can_write(self->runner); /* knows why */
    }
}

void rs_reports_keep_cell(rs_reports *self, const rs_results *results, uint32_t scenario,
                          const char *made) {
    char name[64];
    size_t length = 0;
    (void)snprintf(name, sizeof name, "cells/%.40s.json", results->scenario[scenario]->name);
    if (rs_map_cell_json(results, scenario, made, self->text, RS_REPORT_BYTES, &length)) {
        (void)reports_file(self, name, length);
    } else {
        (void)rs_reports_fail(self, name, "longer than 4 MiB, not kept");
    }
}

bool rs_reports_close(rs_reports *self) {
    return fclose(self->runs) == 0;
}

/* ---- all of them */

typedef void (*reports_fn)(const rs_results *, rs_table *, rs_compare_text *);

static bool reports_one(rs_reports *self, const rs_results *results, const char *name,
                        reports_fn fn) {
    rs_compare_text text;
    rs_compare_text_init(&text, self->text, RS_REPORT_BYTES);
    fn(results, &self->table, &text);
    if (text.overflow) {
        (void)rs_reports_fail(self, name, "longer than 4 MiB, cut");
    }
    return reports_file(self, name, text.used) && !text.overflow;
}

static void reports_csv(const rs_results *results, rs_table *scratch, rs_compare_text *text) {
    (void)scratch;
    rs_report_csv(results, text);
}

static bool reports_flush(const rs_reports *self) {
    while (!rs_printer_flush(self->print)) {
        if (rs_atomic_load_u32(self->runner->stop) != 0) {
            return false;
        }
    }
    return true;
}

/* In pieces, no more at once than the printer's queue has room for. */
static bool reports_print(const rs_reports *self, const char *text) {
    const size_t piece = RS_PRINTER_LINE_BYTES - 1;
    size_t left = strlen(text);
    while (left > 0) {
        for (uint32_t i = 0; i < RS_PRINTER_LINES && left > 0; i++) {
            const size_t bytes = left < piece ? left : piece;
            rs_printer_say(self->print, "%.*s", (int)bytes, text);
            text += bytes;
            left -= bytes;
        }
        if (!reports_flush(self)) {
            return false;
        }
    }
    return !rs_printer_has_failed(self->print) ||
           rs_reports_fail(self, "standard output", "it cannot be written");
}

bool rs_reports_write(rs_reports *self, const rs_results *results) {
    rs_compare_text text;
    size_t length = 0;
    bool ok = reports_one(self, results, "report.html", rs_report_html);
    ok = reports_one(self, results, "report.md", rs_report_markdown) && ok;
    ok = reports_one(self, results, "results.csv", reports_csv) && ok;
    const bool fits = rs_report_json(results, self->text, RS_REPORT_BYTES, &length);
    ok = fits && reports_file(self, "results.json", length) && ok;
    rs_compare_text_init(&text, self->text, RS_REPORT_BYTES);
    rs_report_console(results, &self->table, &text);
    if (ok) {
        rs_compare_text_raw(&text, "\nreport: ");
        rs_compare_text_raw(&text, self->folder);
        rs_compare_text_raw(&text,
                            "/report.html (and .md, results.csv, results.json, runs.csv, runs/)\n");
    }
    (void)rs_printer_flush(self->err); /* both may go to one terminal */
    return reports_print(self, self->text) && ok;
}
