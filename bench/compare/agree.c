/* SPDX-License-Identifier: MIT */
#include "compare/agree.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare/agreement.h"
#include "compare/past.h"
#include "compare/report.h"

static void agree_print_counts(const rs_agreement *count) {
    (void)printf("\nratios to the baseline: %u of %u agree; figures by themselves: %u of %u agree; "
                 "cells missing in one: %u\n",
                 count->ratios_agreed, count->ratios, count->agreed, count->figures,
                 count->missing);
    if (count->other_rate > 0) {
        (void)printf("not compared, because the two asked for different rates: %u cells (measure "
                     "the second with --rates-of the first)\n",
                     count->other_rate);
    }
}

static int agree_print(const rs_past *first, const rs_past *second) {
    static rs_table table; /* large */
    rs_agreement count;
    rs_compare_text text;
    char note[256], warning[256];
    char *out = malloc(RS_REPORT_BYTES);
    const rs_json_node *said = rs_json_read_get(&first->doc, NULL, "warning");
    if (out == NULL) {
        return EXIT_FAILURE;
    }
    const bool agree = rs_agreement_of(&first->doc, &second->doc, &table, &count);
    rs_agreement_note(&first->doc, &second->doc, note, sizeof note);
    rs_json_read_text(&first->doc, said, warning, sizeof warning);
    rs_compare_text_init(&text, out, RS_REPORT_BYTES);
    rs_table_write_plain(&table, &text);
    (void)fputs(out, stdout);
    free(out);
    if (said != NULL && said->kind == RS_JSON_IS_STRING) { /* null: on Windows */
        (void)printf("\n%s\n", warning);
    }
    agree_print_counts(&count);
    if (note[0] != '\0') {
        (void)printf("not the same setting: %s\n", note);
    }
    (void)printf("%s\n", agree ? "The two comparisons agree: every ratio's 95 % intervals overlap."
                               : "The two comparisons do not agree.");
    return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}

int rs_agree(const char *first_folder, const char *second_folder) {
    rs_past first = {0}, second = {0};
    const bool ok = rs_past_read(&first, "--agree", first_folder) &&
                    rs_past_read(&second, "--agree", second_folder);
    const int exit_code = ok ? agree_print(&first, &second) : 2;
    rs_past_free(&second);
    rs_past_free(&first);
    return exit_code;
}
