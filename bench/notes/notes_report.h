/* SPDX-License-Identifier: MIT */
/* What a run of the notes says: for a terminal, as JSON, as a page; and the table of the document
 * from the JSON of several platforms. Pure. */
#ifndef RS_NOTES_NOTES_REPORT_H
#define RS_NOTES_NOTES_REPORT_H

#include "compare/json_read.h"
#include "compare/text.h"
#include "core/json.h"
#include "notes/notes_run.h"

typedef struct notes_results {
    const char *platform, *commit;
    bool wine;
    uint32_t repeats, count;
    notes_result result[NOTE_ROWS];
} notes_results;

/* notes_kind_name: "holds", "does not hold", "holds in part", "cannot tell here". */
const char *notes_kind_name(note_kind kind);

/* notes_report_figure: "12.3 us (11.9 to 13), p99 15": an interval only where it says more than the
 * value. */
void notes_report_figure(const note_seen *seen, const char *unit, rs_compare_text *text);

/* notes_report_entry: an entry for a terminal: verdict, words, figures, where its code is. */
void notes_report_entry(const notes_result *result, rs_compare_text *text);
/* notes_report_list: every id and its statement. */
void notes_report_list(rs_compare_text *text);

void notes_report_json(const notes_results *results, rs_json *json);
void notes_report_html(const notes_results *results, rs_compare_text *text);

/* notes_report_markdown: a row a statement and a column a platform, then what was seen. from:
 * [count] of what notes_report_json writes; Windows' column says "not run yet" when none is its. */
void notes_report_markdown(const rs_json_doc *from, uint32_t count, rs_compare_text *text);

#endif
