#include "compare/agree.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/agreement.h"
#include "compare/args.h"
#include "compare/report.h"

#define AGREE_NODES (1u << 17) /* a full comparison has about a tenth of it */

typedef struct agree_file {
    char path[RS_ARG_BYTES * 2];
    char *text;
    rs_json_node *node;
    rs_json_doc doc;
} agree_file;

static bool agree_fail(const agree_file *file, const char *why) {
    (void)fprintf(stderr, "compare: --agree: %s: %s\n", file->path, why);
    return false;
}

static bool agree_read(agree_file *file, const char *folder, size_t folder_bytes) {
    size_t got = 0;
    char program[16];
    (void)snprintf(file->path, sizeof file->path, "%.*s/results.json", (int)folder_bytes, folder);
    file->text = malloc(RS_REPORT_BYTES);
    file->node = malloc(AGREE_NODES * sizeof *file->node);
    if (file->text == NULL || file->node == NULL) {
        return agree_fail(file, "out of memory");
    }
    FILE *from = fopen(file->path, "rb");
    if (from == NULL) {
        return agree_fail(file, "cannot be read; give two folders of results, with a comma");
    }
    got = fread(file->text, 1, RS_REPORT_BYTES, from);
    (void)fclose(from); /* read only: nothing can be lost */
    if (!rs_json_read_parse(&file->doc, file->text, got, file->node, AGREE_NODES)) {
        return agree_fail(file, file->doc.error);
    }
    rs_json_read_text(&file->doc, rs_json_read_get(&file->doc, NULL, "program"), program,
                      sizeof program);
    return strcmp(program, "compare") == 0 ? true : agree_fail(file, "not written by compare");
}

static int agree_print(const agree_file *first, const agree_file *second) {
    static rs_table table; /* large */
    rs_agreement count;
    rs_text text;
    char note[256], warning[256];
    char *out = malloc(RS_REPORT_BYTES);
    if (out == NULL) {
        return EXIT_FAILURE;
    }
    const bool agree = rs_agreement_of(&first->doc, &second->doc, &table, &count);
    rs_agreement_note(&first->doc, &second->doc, note, sizeof note);
    rs_json_read_text(&first->doc, rs_json_read_get(&first->doc, NULL, "warning"), warning,
                      sizeof warning);
    rs_text_init(&text, out, RS_REPORT_BYTES);
    rs_table_write_plain(&table, &text);
    (void)fputs(out, stdout);
    free(out);
    if (warning[0] != '\0' && strcmp(warning, "null") != 0) {
        (void)printf("\n%s\n", warning);
    }
    (void)printf("\nratios to the baseline: %u of %u agree; figures by themselves: %u of %u agree; "
                 "cells missing in one: %u\n",
                 count.ratios_agreed, count.ratios, count.agreed, count.figures, count.missing);
    if (note[0] != '\0') {
        (void)printf("not the same setting: %s\n", note);
    }
    (void)printf("%s\n", agree ? "The two comparisons agree: every ratio's 95 % intervals overlap."
                               : "The two comparisons do not agree.");
    return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}

int rs_agree(const char *folders) {
    static agree_file file[2];
    const size_t bytes = strcspn(folders, ",");
    const char *second = folders[bytes] == ',' ? folders + bytes + 1 : "";
    const bool ok =
        agree_read(&file[0], folders, bytes) && agree_read(&file[1], second, strlen(second));
    const int exit_code = ok ? agree_print(&file[0], &file[1]) : 2;
    for (size_t i = 0; i < 2; i++) {
        free(file[i].node);
        free(file[i].text);
    }
    return exit_code;
}
