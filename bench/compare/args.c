/* SPDX-License-Identifier: MIT */
/* Quoting follows the run-time's rule: backslashes count only before a quote. */
#include "compare/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

typedef struct args_line {
    char *out;
    size_t bytes, used;
} args_line;

void rs_args_init(rs_args *args) {
    args->count = 0;
    args->overflow = false;
}

void rs_args_add(rs_args *args, const char *format, ...) {
    va_list list;
    if (args->count == RS_ARGS_MAX) {
        args->overflow = true;
        return;
    }
    va_start(list, format);
    const int bytes = vsnprintf(args->text[args->count], RS_ARG_BYTES, format, list);
    va_end(list);
    RS_ASSERT(bytes >= 0);
    args->overflow = args->overflow || (uint32_t)bytes >= RS_ARG_BYTES;
    args->count++;
}

void rs_args_u32(rs_args *args, const char *option, uint32_t value) {
    rs_args_add(args, "%s", option);
    rs_args_add(args, "%u", value);
}

void rs_args_double(rs_args *args, const char *option, double value) {
    rs_args_add(args, "%s", option);
    rs_args_add(args, "%.3f", value);
}

/* used == bytes from the first character on that does not fit. */
static void line_put(args_line *line, char c, size_t times) {
    for (; times > 0 && line->used < line->bytes; times--) {
        line->out[line->used++] = c;
    }
}

static void line_quote(args_line *line, const char *text) {
    size_t slashes = 0;
    line_put(line, '"', 1);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            line_put(line, '\\', slashes + 1); /* those before it once more, and one for it */
        }
        slashes = *text == '\\' ? slashes + 1 : 0;
        line_put(line, *text, 1);
    }
    line_put(line, '\\', slashes);
    line_put(line, '"', 1);
}

bool rs_args_quote(const rs_args *args, char *out, size_t bytes) {
    args_line line = {.out = out, .bytes = bytes};
    RS_ASSERT(bytes > 0);
    for (uint32_t i = 0; i < args->count; i++) {
        line_put(&line, ' ', i > 0 ? 1 : 0);
        line_quote(&line, args->text[i]);
    }
    if (line.used == bytes) {
        out[0] = '\0';
        return false;
    }
    out[line.used] = '\0';
    return true;
}
