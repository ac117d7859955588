/* SPDX-License-Identifier: MIT */
/* notes: every statement of the course notes as an experiment. From the command line to verdicts.
 *
 * 0: all that was asked for was run, whatever the verdicts. 1: an entry did not end, or a file
 * could not be written or read. 2: bad command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/options.h"
#include "notes/note_net.h"
#include "notes/notes_report.h"
#include "seam/files.h"

#define MAIN_BYTES (1u << 20) /* of a report; all entries take about a tenth */
#define MAIN_NODES (1u << 15) /* of a report that is read */
#define MAIN_FROM_MAX 4u      /* platforms of one table */

typedef struct main_settings {
    bool list, all;
    uint32_t repeat;
    const char *json, *html, *markdown;
    rs_option_list from;
} main_settings;

static const rs_option main_rows[] = {
    RS_ROW_BOOL(main_settings, list, "list", 0, "print every statement and its id"),
    RS_ROW_BOOL(main_settings, all, "all", 0, "run every statement"),
    RS_ROW_UINT(main_settings, repeat, "repeat", 1, NOTES_REPEATS_MAX, 3, "runs",
                "how often each is run"),
    RS_ROW_STRING(main_settings, json, "json", NULL, "write the results to this file"),
    RS_ROW_STRING(main_settings, html, "html", NULL, "write them as a page"),
    RS_ROW_STRING(main_settings, markdown, "markdown", NULL,
                  "run nothing: write the document's table from the files of --from"),
    RS_ROW_LIST(main_settings, from, "from", "results of --json, one a platform"),
};
static const rs_option_table main_options = {main_rows, RS_ROWS(main_rows), NULL};

static char main_text[MAIN_BYTES];

static int main_fail(const char *option, const char *why) {
    (void)fprintf(stderr, "notes: --%s: %s\n", option, why);
    return EXIT_FAILURE;
}

static int main_write(const char *option, const char *path, size_t bytes, bool whole) {
    rs_error error;
    if (!whole) {
        return main_fail(option, "it does not fit its buffer");
    }
    return rs_file_replace(path, main_text, bytes, &error) == RS_OK ? 0
                                                                    : main_fail(option, error.text);
}

/* ---- running */

/* Is this row asked for? names: ids, the words before the first option. */
static bool main_is_asked(const main_settings *settings, const note_row *row, int names,
                          const char *const *name) {
    bool asked = settings->all;
    for (int i = 0; i < names; i++) {
        asked = asked || strcmp(name[i], row->id) == 0;
    }
    return asked;
}

static int main_reports(const main_settings *settings, const notes_results *results) {
    int failed = 0;
    if (settings->json != NULL) {
        rs_json json;
        size_t bytes = 0;
        rs_json_init(&json, main_text, sizeof main_text);
        notes_report_json(results, &json);
        const bool whole = rs_json_finish(&json, &bytes);
        failed |= main_write("json", settings->json, bytes, whole);
    }
    if (settings->html != NULL) {
        rs_compare_text text;
        rs_compare_text_init(&text, main_text, sizeof main_text);
        notes_report_html(results, &text);
        failed |= main_write("html", settings->html, text.used, !text.overflow);
    }
    return failed;
}

static int main_run(const main_settings *settings, int names, const char *const *name) {
    static notes_results results;
    int failed = 0;
    results.platform = rs_os_platform();
    results.commit = RS_COMMIT;
    results.wine = rs_os_is_wine();
    results.repeats = settings->repeat;
    for (uint32_t i = 0; i < NOTE_ROWS; i++) {
        const note_row *row = &note_rows[i];
        notes_result *result = &results.result[results.count];
        rs_compare_text text;
        if (!main_is_asked(settings, row, names, name)) {
            continue;
        }
        notes_run(row, settings->repeat, result);
        results.count++;
        failed |= result->broken;
        rs_compare_text_init(&text, main_text, sizeof main_text);
        notes_report_entry(result, &text);
        (void)fputs(main_text, stdout);
        (void)fflush(stdout); /* the next one may take a while */
    }
    return main_reports(settings, &results) | failed;
}

/* ---- the document's table */

static int main_read(const rs_option_list *list, uint32_t index, rs_json_doc *doc) {
    static char texts[MAIN_FROM_MAX][MAIN_BYTES];
    static rs_json_node nodes[MAIN_FROM_MAX][MAIN_NODES];
    char path[RS_FILE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%.*s", (int)list->item[index].bytes, list->item[index].text);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return main_fail("from", "cannot be read");
    }
    const size_t bytes = fread(texts[index], 1, MAIN_BYTES, file);
    (void)fclose(file); /* read only: nothing can be lost */
    return rs_json_read_parse(doc, texts[index], bytes, nodes[index], MAIN_NODES)
               ? 0
               : main_fail("from", doc->error);
}

static int main_table(const main_settings *settings) {
    rs_json_doc from[MAIN_FROM_MAX];
    rs_compare_text text;
    if (settings->from.count < 1 || settings->from.count > MAIN_FROM_MAX) {
        return main_fail("from", "name one to four files that --json wrote");
    }
    for (uint32_t i = 0; i < settings->from.count; i++) {
        if (main_read(&settings->from, i, &from[i]) != 0) {
            return EXIT_FAILURE;
        }
    }
    rs_compare_text_init(&text, main_text, sizeof main_text);
    notes_report_markdown(from, settings->from.count, &text);
    return main_write("markdown", settings->markdown, text.used, !text.overflow);
}

static int main_list(void) {
    rs_compare_text text;
    rs_compare_text_init(&text, main_text, sizeof main_text);
    notes_report_list(&text);
    return fputs(main_text, stdout) < 0 ? EXIT_FAILURE : 0;
}

int main(int argc, char **argv) {
    static main_settings settings;
    rs_options options = {.program = "notes",
                          .summary = "the statements of the course notes as experiments: "
                                     "notes ID... [options], notes --all, notes --list"};
    int names = 0;
    rs_os_begin();
    if (argc == 3 && strcmp(argv[1], "--inner") == 0) { /* we started ourselves: notes_run.c */
        return note_begin() ? notes_run_inner(argv[2]) : EXIT_FAILURE;
    }
    while (names + 1 < argc && argv[names + 1][0] != '-') {
        if (note_find(argv[++names]) == NULL) {
            (void)fprintf(stderr, "notes: no such statement: %s; see notes --list\n", argv[names]);
            return 2;
        }
    }
    const char *const *words = (const char *const *)argv;
    rs_options_add(&options, &main_options, &settings, NULL);
    const int answer = rs_options_read(&options, argc - names, words + names);
    if (answer >= 0) {
        return answer;
    }
    if (settings.list) {
        return main_list();
    }
    if (settings.markdown != NULL) {
        return main_table(&settings);
    }
    if (names == 0 && !settings.all) {
        (void)fprintf(stderr, "notes: name statements, or --all, or --list\n");
        return 2;
    }
    if (!note_begin()) {
        (void)fprintf(stderr, "notes: the network does not start (error %d)\n", note_error());
        return EXIT_FAILURE;
    }
    const int failed = main_run(&settings, names, words + 1);
    note_end();
    return failed;
}
