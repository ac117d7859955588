/* SPDX-License-Identifier: MIT */
/* The page of a run: a card for each statement. See notes_report.h. */
#include "notes/notes_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/page.h"
#include "compare/stats.h"
#include "compare/svg.h"

/* Bars for the first figures in a row that have one unit and are medians: what compares. */
static void page_chart(const notes_result *result, rs_compare_text *text) {
    const note_entry *entry = result->row->entry;
    rs_bar bar[NOTE_FIGURES_MAX];
    uint32_t first = 0, bars = 0;
    while (first + 1 < entry->figures &&
           (entry->figure[first].unit[0] == '\0' || entry->figure[first].merge != NOTE_MEDIAN ||
            strcmp(entry->figure[first].unit, entry->figure[first + 1].unit) != 0)) {
        first++;
    }
    for (uint32_t i = first; i < entry->figures && entry->figure[i].merge == NOTE_MEDIAN &&
                             strcmp(entry->figure[i].unit, entry->figure[first].unit) == 0;
         i++) {
        const note_seen *seen = &result->seen[i];
        const bool interval = seen->count >= RS_STATS_PAIRS_MIN;
        bar[bars++] = (rs_bar){.label = entry->figure[i].name,
                               .part = {seen->value},
                               .parts = 1,
                               .low = interval ? seen->low : NAN,
                               .high = interval ? seen->high : NAN};
    }
    if (bars >= 2) {
        rs_svg_bars(text, "", entry->figure[first].unit, bar, bars, NULL);
    }
}

static void page_table(const notes_result *result, rs_compare_text *text) {
    const note_entry *entry = result->row->entry;
    rs_compare_text_raw(text, "<table style=\"white-space:normal\">");
    for (uint32_t i = 0; i < entry->figures; i++) {
        if (result->seen[i].count > 0) {
            rs_compare_text_raw(text, "<tr><td class=\"left\">");
            rs_compare_text_html(text, entry->figure[i].name);
            rs_compare_text_raw(text, "</td><td>");
            notes_report_figure(&result->seen[i], entry->figure[i].unit, text);
            rs_compare_text_raw(text, "</td></tr>");
        }
    }
    rs_compare_text_raw(text, "</table>\n");
}

static void page_card(const notes_result *result, rs_compare_text *text) {
    static const uint32_t colours[NOTE_KINDS] = {
        [NOTE_HOLDS] = 2, [NOTE_DOES_NOT_HOLD] = 1, [NOTE_IN_PART] = 4, [NOTE_CANNOT_TELL] = 11};
    const note_entry *entry = result->row->entry;
    rs_compare_text_format(text, "<div class=\"card\" id=\"%s\"><p><b>%s</b> ", result->row->id,
                           result->row->id);
    rs_compare_text_html(text, result->row->statement);
    rs_compare_text_format(
        text, "</p>\n<p class=\"key\"><span><i class=\"c%u\"></i><b>%s</b></span></p><p>",
        colours[result->verdict.kind], notes_kind_name(result->verdict.kind));
    rs_compare_text_html(text, result->verdict.words);
    rs_compare_text_raw(text, "</p>\n");
    if (result->ran) {
        page_chart(result, text);
        page_table(result, text);
    }
    rs_compare_text_raw(text, "<p class=\"dim\" style=\"overflow-wrap:anywhere\">");
    rs_compare_text_html(text, entry->file);
    if (entry->command != NULL) {
        rs_compare_text_raw(text, "; at length: ");
        rs_compare_text_html(text, entry->command);
    }
    rs_compare_text_raw(text, "</p></div>\n");
}

void notes_report_html(const notes_results *results, rs_compare_text *text) {
    rs_page_begin(text, "The course notes as experiments");
    rs_compare_text_raw(text, "<h1>The course notes as experiments</h1>\n<dl><dt>system</dt><dd>");
    rs_compare_text_html(text, results->platform);
    rs_compare_text_raw(text, "</dd><dt>commit</dt><dd>");
    rs_compare_text_html(text, results->commit);
    rs_compare_text_format(text, "</dd><dt>repeats</dt><dd>%u</dd></dl>\n", results->repeats);
    if (results->wine) {
        rs_compare_text_raw(
            text, "<p class=\"warn\">Under Wine: what is seen here is Wine's Winsock over "
                  "Linux's TCP, not Windows.</p>\n");
    }
    rs_compare_text_raw(text, "<div class=\"grid\">\n");
    for (uint32_t i = 0; i < results->count; i++) {
        page_card(&results->result[i], text);
    }
    rs_compare_text_raw(text, "</div>\n");
    rs_page_end(text);
}
