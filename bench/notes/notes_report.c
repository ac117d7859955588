/* SPDX-License-Identifier: MIT */
/* See notes_report.h. */
#include "notes/notes_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/stats.h"
#include "core/assert.h"

const char *notes_kind_name(note_kind kind) {
    static const char *const names[NOTE_KINDS] = {
        [NOTE_HOLDS] = "holds",
        [NOTE_DOES_NOT_HOLD] = "does not hold",
        [NOTE_IN_PART] = "holds in part",
        [NOTE_CANNOT_TELL] = "cannot tell here",
    };
    RS_ASSERT((uint32_t)kind < NOTE_KINDS);
    return names[kind];
}

/* Counts as they are, other figures with three digits. */
static void report_number(char cell[RS_TABLE_CELL_BYTES], double value) {
    if ((value == floor(value) || fabs(value) >= 1000) && fabs(value) < 1e15) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.0f", value);
    } else {
        rs_table_number(cell, value);
    }
}

/* A time has its p99 beside it. */
static bool report_is_time(const char *unit) {
    return strcmp(unit, "ns") == 0 || strcmp(unit, "us") == 0 || strcmp(unit, "ms") == 0;
}

void notes_report_figure(const note_seen *seen, const char *unit, rs_compare_text *text) {
    char number[RS_TABLE_CELL_BYTES];
    report_number(number, seen->value);
    rs_compare_text_format(text, "%s%s%s", number, unit[0] != '\0' ? " " : "", unit);
    if (seen->count < RS_STATS_PAIRS_MIN || seen->low == seen->high) {
        return;
    }
    report_number(number, seen->low);
    rs_compare_text_format(text, " (%s to ", number);
    report_number(number, seen->high);
    rs_compare_text_format(text, "%s)", number);
    if (report_is_time(unit)) {
        report_number(number, seen->p99);
        rs_compare_text_format(text, ", p99 %s", number);
    }
}

void notes_report_entry(const notes_result *result, rs_compare_text *text) {
    const note_entry *entry = result->row->entry;
    rs_compare_text_format(text, "%-4s %s\n     %s: %s\n", result->row->id, result->row->statement,
                           notes_kind_name(result->verdict.kind), result->verdict.words);
    for (uint32_t i = 0; result->ran && i < entry->figures; i++) {
        if (result->seen[i].count > 0) {
            rs_compare_text_format(text, "       %-42s ", entry->figure[i].name);
            notes_report_figure(&result->seen[i], entry->figure[i].unit, text);
            rs_compare_text_raw(text, "\n");
        }
    }
    if (entry->command != NULL) {
        rs_compare_text_format(text, "     at length: %s\n", entry->command);
    }
    rs_compare_text_format(text, "     %s\n\n", entry->file);
}

void notes_report_list(rs_compare_text *text) {
    for (uint32_t i = 0; i < NOTE_ROWS; i++) {
        rs_compare_text_format(text, "%-4s %s\n", note_rows[i].id, note_rows[i].statement);
    }
}

/* ---- JSON */

static void json_figures(const notes_result *result, rs_json *json) {
    rs_json_array(json, "figures");
    for (uint32_t i = 0; result->ran && i < result->row->entry->figures; i++) {
        const note_seen *seen = &result->seen[i];
        if (seen->count > 0) {
            rs_json_object(json, NULL);
            rs_json_string(json, "name", result->row->entry->figure[i].name);
            rs_json_string(json, "unit", result->row->entry->figure[i].unit);
            rs_json_double(json, "value", seen->value);
            rs_json_double(json, "low", seen->low);
            rs_json_double(json, "high", seen->high);
            rs_json_double(json, "p99", seen->p99);
            rs_json_u64(json, "samples", seen->count);
            rs_json_end(json);
        }
    }
    rs_json_end(json);
}

void notes_report_json(const notes_results *results, rs_json *json) {
    rs_json_object(json, NULL);
    rs_json_string(json, "program", "notes");
    rs_json_string(json, "commit", results->commit);
    rs_json_string(json, "platform", results->platform);
    rs_json_bool(json, "wine", results->wine);
    rs_json_u64(json, "repeats", results->repeats);
    rs_json_array(json, "notes");
    for (uint32_t i = 0; i < results->count; i++) {
        const notes_result *result = &results->result[i];
        rs_json_object(json, NULL);
        rs_json_string(json, "id", result->row->id);
        rs_json_string(json, "statement", result->row->statement);
        rs_json_string(json, "verdict", notes_kind_name(result->verdict.kind));
        rs_json_string(json, "words", result->verdict.words);
        rs_json_bool(json, "broken", result->broken);
        rs_json_double(json, "ms", result->ms);
        rs_json_string(json, "file", result->row->entry->file);
        json_figures(result, json);
        rs_json_end(json);
    }
    rs_json_end(json);
    rs_json_end(json);
}

/* ---- Markdown, from the JSON of one run a platform */

/* The result of an id in one document; NULL: it was not run there. */
static const rs_json_node *markdown_find(const rs_json_doc *doc, const char *id) {
    const rs_json_node *list = rs_json_read_get(doc, NULL, "notes");
    char text[16];
    for (const rs_json_node *at = list == NULL ? NULL : rs_json_read_child(doc, list); at != NULL;
         at = rs_json_read_next(doc, at)) {
        rs_json_read_text(doc, rs_json_read_get(doc, at, "id"), text, sizeof text);
        if (strcmp(text, id) == 0) {
            return at;
        }
    }
    return NULL;
}

/* "Wine 8.0" of "Wine 8.0 (reports Windows 10.0.19043)", "Linux 6.1.0" of "Linux 6.1.0-40-amd64".
 */
static void markdown_platform(const rs_json_doc *doc, char *out, size_t bytes) {
    rs_json_read_text(doc, rs_json_read_get(doc, NULL, "platform"), out, bytes);
    char *detail = strpbrk(out, "(-");
    if (detail != NULL) {
        detail[*detail == '(' && detail > out ? -1 : 0] = '\0';
    }
}

static void markdown_words(const rs_json_doc *doc, const char *id, const char *key,
                           char words[NOTE_WORDS_BYTES]) {
    const rs_json_node *result = markdown_find(doc, id);
    rs_json_read_text(doc, result == NULL ? NULL : rs_json_read_get(doc, result, key), words,
                      NOTE_WORDS_BYTES);
}

static void markdown_seen(const rs_json_doc *from, uint32_t count, const note_row *row,
                          rs_compare_text *text) {
    char platform[64], words[NOTE_WORDS_BYTES];
    rs_compare_text_format(text, "- **%s**, `%s`:", row->id, row->entry->file);
    for (uint32_t i = 0; i < count; i++) {
        markdown_words(&from[i], row->id, "words", words);
        if (words[0] != '\0' && strcmp(words, NOTES_WINDOWS_ALONE) != 0) {
            markdown_platform(&from[i], platform, sizeof platform);
            rs_compare_text_format(text, " *%s*: ", platform);
            rs_compare_text_markdown(text, words);
            rs_compare_text_raw(text, ".");
        }
    }
    rs_compare_text_raw(text, "\n");
}

void notes_report_markdown(const rs_json_doc *from, uint32_t count, rs_compare_text *text) {
    char platform[64], words[NOTE_WORDS_BYTES];
    bool windows = false;
    rs_compare_text_raw(
        text, "# Verdicts\n\nGenerated by `notes --markdown FILE --from JSON,...` from the JSON of "
              "`notes --all --repeat 5`\non each system; do not edit. [notes.md](notes.md) "
              "explains it.\n\n| id | statement |");
    for (uint32_t i = 0; i < count; i++) {
        markdown_platform(&from[i], platform, sizeof platform);
        windows = windows || strncmp(platform, "Windows", 7) == 0;
        rs_compare_text_format(text, " %s |", platform);
    }
    rs_compare_text_raw(text, windows ? "\n|---|---|" : " Windows |\n|---|---|---|");
    for (uint32_t i = 0; i < count; i++) {
        rs_compare_text_raw(text, "---|");
    }
    for (uint32_t r = 0; r < NOTE_ROWS; r++) {
        rs_compare_text_format(text, "\n| %s | ", note_rows[r].id);
        rs_compare_text_markdown(text, note_rows[r].statement);
        for (uint32_t i = 0; i < count; i++) {
            rs_compare_text_raw(text, " | ");
            markdown_words(&from[i], note_rows[r].id, "verdict", words);
            rs_compare_text_markdown(text, words[0] != '\0' ? words : "not run yet");
        }
        rs_compare_text_raw(text, windows ? " |" : " | not run yet |");
    }
    rs_compare_text_raw(text, "\n\n");
    for (uint32_t r = 0; r < NOTE_ROWS; r++) {
        markdown_seen(from, count, &note_rows[r], text);
    }
}
