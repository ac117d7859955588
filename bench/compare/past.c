/* SPDX-License-Identifier: MIT */
#include "compare/past.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/report.h"

#define PAST_NODES (1u << 17) /* a full comparison has about a tenth of it */

static bool past_fail(const rs_past *past, const char *option, const char *why) {
    (void)fprintf(stderr, "compare: %s: %s: %s\n", option, past->path, why);
    return false;
}

bool rs_past_read(rs_past *out, const char *option, const char *folder) {
    char path[sizeof out->path];
    (void)snprintf(path, sizeof path, "%s/results.json", folder);
    return rs_past_read_file(out, option, path);
}

bool rs_past_read_file(rs_past *out, const char *option, const char *path) {
    size_t got = 0;
    char program[16];
    memset(out, 0, sizeof *out);
    (void)snprintf(out->path, sizeof out->path, "%s", path);
    out->text = malloc(RS_REPORT_BYTES);
    out->node = malloc(PAST_NODES * sizeof *out->node);
    if (out->text == NULL || out->node == NULL) {
        return past_fail(out, option, "out of memory");
    }
    FILE *from = fopen(out->path, "rb");
    if (from == NULL) {
        return past_fail(out, option, "cannot be read; give the folder of a comparison's results");
    }
    got = fread(out->text, 1, RS_REPORT_BYTES, from);
    (void)fclose(from); /* read only: nothing can be lost */
    if (!rs_json_read_parse(&out->doc, out->text, got, out->node, PAST_NODES)) {
        return past_fail(out, option, out->doc.error);
    }
    rs_json_read_text(&out->doc, rs_json_read_get(&out->doc, NULL, "program"), program,
                      sizeof program);
    return strcmp(program, "compare") == 0 ? true
                                           : past_fail(out, option, "not written by compare");
}

void rs_past_free(rs_past *past) {
    free(past->node);
    free(past->text);
    memset(past, 0, sizeof *past);
}
