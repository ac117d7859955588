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
    bool port_set;
} values;

#define TABLE_COUNT 8

typedef struct command_line {
    char *text; /* a block of exactly its size, cut into arguments */
    const char *argv[ARGUMENTS_MAX];
    int argc;
    size_t error_bytes;
} command_line;

static void table_fill(rs_option table[TABLE_COUNT], values *v) {
    const rs_option filled[TABLE_COUNT] = {
        {"port", RS_OPT_U32, &v->port, 1, 65535, NULL, "", "port", NULL, &v->port_set},
        {"sndbuf", RS_OPT_I32, &v->sndbuf, -1, 4096, NULL, "bytes", "buffer", NULL, NULL},
        {"rate", RS_OPT_DOUBLE, &v->rate, -5, 1000, NULL, "1/s", "rate", NULL, NULL},
        {"stats", RS_OPT_BOOL, &v->stats, 0, 0, NULL, "", "stats", NULL, NULL},
        {"app", RS_OPT_CHOICE, &v->app, 0, 0, "echo|raw|board", "", "app", NULL, NULL},
        {"json", RS_OPT_STRING, &v->json, 0, 0, NULL, "", "file", NULL, NULL},
        {"host", RS_OPT_ADDR, &v->host, 0, 0, NULL, "", "address", NULL, NULL},
        {"no", RS_OPT_U32, &v->refused, 0, 9, NULL, "", "none", "not here", NULL},
    };
    memset(v, 0, sizeof *v);
    v->port = 4000;
    memcpy(table, filled, sizeof filled);
}

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

static void check_values(const values *v, const command_line *line) {
    RS_ASSERT(v->port >= 1 && v->port <= 65535u);
    RS_ASSERT(v->sndbuf >= -1 && v->sndbuf <= 4096);
    RS_ASSERT(v->rate >= -5 && v->rate <= 1000);
    RS_ASSERT(v->app >= 0 && v->app <= 2);
    RS_ASSERT(v->refused == 0);
    RS_ASSERT(v->port_set || v->port == 4000);
    RS_ASSERT(v->json == NULL || v->json[0] != '\0');
    RS_ASSERT(v->json == NULL || v->json >= line->text);
}

static void check_error(rs_options_result result, const char *error, size_t bytes) {
    const char *end = memchr(error, '\0', bytes);
    RS_ASSERT(end != NULL);
    RS_ASSERT((result == RS_OPTIONS_ERROR && bytes > 1) == (end != error));
    for (; error < end; error++) {
        RS_ASSERT(*error >= ' ' && *error <= '~');
    }
}

static void check_help(const rs_option *table, size_t bytes) {
    char *help = malloc(bytes);
    RS_ASSERT(help != NULL);
    const size_t need = rs_options_help("program", "summary", table, TABLE_COUNT, help, bytes);
    RS_ASSERT(strlen(help) == (need < bytes ? need : bytes - 1));
    free(help);
}

static rs_options_result run(const command_line *line, values *v) {
    rs_option table[TABLE_COUNT];
    char *error = malloc(line->error_bytes);
    RS_ASSERT(error != NULL);
    table_fill(table, v);
    const rs_options_result result =
        rs_options_parse(table, TABLE_COUNT, line->argc, line->argv, error, line->error_bytes);
    check_values(v, line);
    check_error(result, error, line->error_bytes);
    check_help(table, line->error_bytes * 8);
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
