/* SPDX-License-Identifier: MIT */
/* Command lines from bytes: the first byte sizes the error buffer, the rest is cut into arguments
 * at line ends. A table with an option of each kind.
 *
 * Checked: every target stays within its range whatever was said; an error is one printable line;
 * a run without error leaves no text; the same command line gives the same answer; the help text
 * keeps within its buffer after any of it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/options.h"

#define ARGUMENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct values {
    uint32_t port, host, refused;
    int32_t sndbuf;
    double rate;
    bool stats;
    int app;
    const char *json;
    rs_option_list names;
} values;

static const rs_option rows[] = {
    RS_ROW_UINT(values, port, "port", 1, 65535, 4000, "", "port"),
    RS_ROW_INT(values, sndbuf, "sndbuf", -1, 4096, 0, "bytes", "buffer"),
    RS_ROW_DOUBLE(values, rate, "rate", -5, 1000, 0, "1/s", "rate"),
    RS_ROW_BOOL(values, stats, "stats", false, "stats"),
    RS_ROW_CHOICE(values, app, "app", "echo|raw|board", 0, "app"),
    RS_ROW_STRING(values, json, "json", NULL, "file"),
    RS_ROW_ADDR(values, host, "host", 0, "address"),
    RS_ROW_UINT(values, refused, "no", 0, 9, 0, "", "none"),
    RS_ROW_LIST(values, names, "names", "a list"),
};
static const rs_option_table table = {rows, RS_ROWS(rows), "not here"};

typedef struct command_line {
    char *text; /* a block of exactly its size, cut into arguments */
    const char *argv[ARGUMENTS_MAX];
    int argc;
    size_t error_bytes;
} command_line;

static command_line command_line_make(const uint8_t *data, size_t size) {
    command_line line = {.text = malloc(size), .argv = {"program"}, .argc = 1};
    RS_ASSERT(line.text != NULL);
    line.error_bytes = 1u + data[0];
    memcpy(line.text, data + 1, size - 1);
    line.text[size - 1] = '\0';
    for (char *at = line.text; line.argc < ARGUMENTS_MAX;) {
        char *end = strchr(at, '\n');
        line.argv[line.argc++] = at;
        if (end == NULL) {
            break;
        }
        *end = '\0';
        at = end + 1;
    }
    return line;
}

static void check_values(const values *v, const rs_options *options, const command_line *line) {
    RS_ASSERT(v->port >= 1 && v->port <= 65535u);
    RS_ASSERT(v->sndbuf >= -1 && v->sndbuf <= 4096);
    RS_ASSERT(v->rate >= -5 && v->rate <= 1000);
    RS_ASSERT(v->app >= 0 && v->app <= 2);
    RS_ASSERT(v->refused == 0);
    RS_ASSERT(rs_options_given(options, "port") || v->port == 4000);
    RS_ASSERT(v->json == NULL || v->json[0] != '\0');
    RS_ASSERT(v->json == NULL || v->json >= line->text);
    for (uint32_t i = 0; i < v->names.count; i++) {
        RS_ASSERT(v->names.item[i].bytes > 0 && v->names.item[i].text >= line->text);
        RS_ASSERT(memchr(v->names.item[i].text, ',', v->names.item[i].bytes) == NULL);
    }
}

static void check_error(rs_options_result result, const char *error, size_t bytes) {
    const char *end = memchr(error, '\0', bytes);
    RS_ASSERT(end != NULL);
    RS_ASSERT((result == RS_OPTIONS_ERROR && bytes > 1) == (end != error));
    for (; error < end; error++) {
        RS_ASSERT(*error >= ' ' && *error <= '~');
    }
}

static void check_help(const rs_options *options, size_t bytes) {
    char *help = malloc(bytes);
    RS_ASSERT(help != NULL);
    const size_t need = rs_options_help(options, help, bytes);
    RS_ASSERT(strlen(help) == (need < bytes ? need : bytes - 1));
    free(help);
}

static rs_options_result run(const command_line *line, values *v) {
    rs_options options = {.program = "program", .summary = "summary"};
    char *error = malloc(line->error_bytes);
    RS_ASSERT(error != NULL);
    memset(v, 0, sizeof *v);
    rs_options_add(&options, &table, v, "port sndbuf rate stats app json host names");
    const rs_options_result result =
        rs_options_parse(&options, line->argc, line->argv, error, line->error_bytes);
    check_values(v, &options, line);
    check_error(result, error, line->error_bytes);
    check_help(&options, line->error_bytes * 8);
    free(error);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    values first, second;
    if (size < 1) {
        return 0;
    }
    command_line line = command_line_make(data, size);
    const rs_options_result result = run(&line, &first);
    RS_ASSERT(run(&line, &second) == result);
    RS_ASSERT(memcmp(&first, &second, sizeof first) == 0);
    free(line.text);
    return 0;
}
