/* SPDX-License-Identifier: MIT */
/* Settings: rows that say what each setting is and where it lands, and all that is made of them:
 * defaults, command line, help, refusals, range checks, the record of a run.
 *
 * A module exports a const table of rows over a struct of its own, and reads its settings from that
 * struct. A program lists the tables (rs_options_add) and names no setting. A new setting is one
 * row, the member it lands in, and its use.
 *
 * Pure, but for rs_options_read, which prints. --name VALUE and --name=VALUE are the same; --help,
 * -h, -? and --version are known to every program. Numbers are decimal; a wrong one is refused
 * whole (no trailing characters, no sign where none is allowed, no overflow).
 *
 * A number may have a unit behind it. Where the row's unit is a time: ns, us, ms, s, m, h. Else k
 * (or K), M, G: times 1024 each where the row's unit is "bytes", times 1000 elsewhere. The row's
 * own unit may be written too ("98%"). */
#ifndef RS_CORE_OPTIONS_H
#define RS_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"

#define RS_OPTIONS_MAX 128u         /* of one program; what a person can still read as help */
#define RS_OPTION_GROUPS_MAX 8u     /* tables of one program */
#define RS_OPTION_ITEMS_MAX 64u     /* of one list */
#define RS_OPTIONS_ERROR_BYTES 320u /* holds any error whole, for a table with short choices */

typedef enum rs_option_kind {
    RS_OPT_UINT,   /* uint32_t or uint16_t, [min, max] */
    RS_OPT_INT,    /* int32_t, [min, max] */
    RS_OPT_DOUBLE, /* double, [min, max]; 15 digits at most */
    RS_OPT_BOOL,   /* bool; on|off, or alone = on */
    RS_OPT_CHOICE, /* an enum, or a bool: words "a|b|c" -> 0, 1, 2 */
    RS_OPT_STRING, /* const char *; not empty; points into argv */
    RS_OPT_ADDR,   /* uint32_t: numeric IPv4, host byte order */
    RS_OPT_LIST    /* rs_option_list: parts between commas; may be given several times */
} rs_option_kind;

/* The parts of a list, in order. They point into argv and have no terminator. */
typedef struct rs_option_list {
    uint32_t count;
    struct {
        const char *text;
        uint32_t bytes; /* at least 1 */
    } item[RS_OPTION_ITEMS_MAX];
} rs_option_list;

typedef struct rs_option {
    const char *name; /* without the dashes: "max-sessions" */
    rs_option_kind kind;
    size_t at, bytes; /* the member it lands in */
    int64_t min, max;
    double preset;     /* the default as a number; CHOICE: its place; BOOL: 0 or 1 */
    const char *words; /* CHOICE: the words; STRING: the default, NULL = none */
    const char *unit;  /* "bytes", "ms", ... for help; "" = none */
    const char *help;  /* one line */
} rs_option;

/* Rows: RS_ROW_KIND(struct, member, name, ...). */
#define RS_ROW_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define RS_ROW_UINT(type, member, name, min, max, preset, unit, help)                              \
    { name, RS_OPT_UINT, RS_ROW_AT(type, member), min, max, preset, NULL, unit, help }
#define RS_ROW_INT(type, member, name, min, max, preset, unit, help)                               \
    { name, RS_OPT_INT, RS_ROW_AT(type, member), min, max, preset, NULL, unit, help }
#define RS_ROW_DOUBLE(type, member, name, min, max, preset, unit, help)                            \
    { name, RS_OPT_DOUBLE, RS_ROW_AT(type, member), min, max, preset, NULL, unit, help }
#define RS_ROW_BOOL(type, member, name, preset, help)                                              \
    { name, RS_OPT_BOOL, RS_ROW_AT(type, member), 0, 1, preset, NULL, "", help }
#define RS_ROW_CHOICE(type, member, name, words, preset, help)                                     \
    { name, RS_OPT_CHOICE, RS_ROW_AT(type, member), 0, 0, preset, words, "", help }
#define RS_ROW_STRING(type, member, name, preset, help)                                            \
    { name, RS_OPT_STRING, RS_ROW_AT(type, member), 0, 0, 0, preset, "", help }
#define RS_ROW_ADDR(type, member, name, preset, help)                                              \
    { name, RS_OPT_ADDR, RS_ROW_AT(type, member), 0, UINT32_MAX, preset, NULL, "", help }
#define RS_ROW_LIST(type, member, name, help)                                                      \
    { name, RS_OPT_LIST, RS_ROW_AT(type, member), 0, 0, 0, NULL, "", help }

#define RS_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What a module exports. */
typedef struct rs_option_table {
    const rs_option *rows; /* [count], names distinct in a program */
    size_t count;          /* RS_ROWS(rows) */
    const char
        *refusal; /* what a program says that cannot honour one: "only iocp_server supports it" */
} rs_option_table;

typedef struct rs_option_group {
    const rs_option_table *table;
    void *values;         /* the struct that the rows land in; NULL: all of them are refused */
    const char *honoured; /* names between blanks, the others are refused; NULL: all are honoured */
} rs_option_group;

/* The settings of one program. */
typedef struct rs_options {
    const char *program, *summary; /* for help and errors */
    rs_option_group group[RS_OPTION_GROUPS_MAX];
    size_t groups;
    bool given[RS_OPTIONS_MAX]; /* by the command line, in the order of the rows */
} rs_options;

typedef enum rs_options_result {
    RS_OPTIONS_RUN,
    RS_OPTIONS_HELP,
    RS_OPTIONS_VERSION,
    RS_OPTIONS_ERROR
} rs_options_result;

/* rs_options_defaults: sets each member that a row of the table lands in. values: the struct. */
void rs_options_defaults(const rs_option_table *table, void *values);

/* rs_options_check: is each number within the range of its row? For values that no command line
 * gave. RS_OK, or RS_E_INVALID with *error naming the option, its value and its range. */
rs_status rs_options_check(const rs_option_table *table, const void *values, rs_error *error);

/* rs_option_named: is `name` one of the names between blanks in `names`? */
bool rs_option_named(const char *names, const char *name);

/* rs_options_add: one more table for a program, at most RS_OPTION_GROUPS_MAX; its values become
 * the defaults. values, honoured: as in rs_option_group; both stay the caller's and in use. */
void rs_options_add(rs_options *options, const rs_option_table *table, void *values,
                    const char *honoured);

/* rs_options_parse: sets values from argv[1..argc).
 *
 * A value may begin with a single dash (a negative number), never with two: "--host --port" lacks a
 * value. BOOL takes the next argument as its value unless that begins with a dash. A repeated
 * option is an error, unless it is a LIST, and so are positional arguments. --help counts where it
 * (and --version) is met: an error before it wins. An unknown option is answered with the nearest.
 *
 * Params   argv: argc strings of any bytes; error: error_bytes >= 1, RS_OPTIONS_ERROR_BYTES is
 *          enough.
 * Returns  RS_OPTIONS_RUN; RS_OPTIONS_HELP; RS_OPTIONS_VERSION; RS_OPTIONS_ERROR: error holds one
 *          line of printable characters that names the option, the value and what is allowed (the
 *          caller exits 2). Values set before the error stay set. error is "" unless an error.
 * Owner    strings and lists point into argv.
 * Bounds   O(argc * rows). */
rs_options_result rs_options_parse(rs_options *options, int argc, const char *const *argv,
                                   char *error, size_t error_bytes);

/* rs_options_read: rs_options_parse for a main, which ends with what this returns unless that is
 * -1, "go on". 0: the help or version is printed; 2: the error line is printed to stderr. */
int rs_options_read(rs_options *options, int argc, const char *const *argv);

/* rs_options_given: did the command line give the option of this name? */
bool rs_options_given(const rs_options *options, const char *name);

/* rs_options_help: writes the help text (range, default, unit of each) into out.
 *
 * Params   out: out_bytes bytes, NULL only with out_bytes 0.
 * Returns  the bytes it needs without the terminator (like snprintf); what fits is written, always
 *          terminated. */
size_t rs_options_help(const rs_options *options, char *out, size_t out_bytes);

/* rs_options_version: one line with the program's name and version, as rs_options_help. */
size_t rs_options_version(const rs_options *options, char *out, size_t out_bytes);

/* rs_options_json: writes the values of now as the object `key`, one member an option: the one
 * record of a run's settings, so that none can be left out. "max-frame" stands there as max_frame;
 * a choice, a text and an address as text, a text that nobody gave as null, a list as array.
 * Options that this program refuses are not in it, nor is the one named `except` (nullable): a file
 * for the results is no setting of the run. */
void rs_options_json(rs_json *json, const char *key, const rs_options *options, const char *except);

/* rs_option_number: a number with its unit, as the value of a DOUBLE row (for parts of other
 * values). NULL, or what is wrong with it; *out is then undefined. */
const char *rs_option_number(const rs_option *option, const char *text, double *out);

/* rs_option_allowed: what the row allows, in words; rs_option_default: its default, as a person
 * writes it. Into out, like rs_options_help; for documents. */
size_t rs_option_allowed(const rs_option *option, char *out, size_t out_bytes);
size_t rs_option_default(const rs_option *option, char *out, size_t out_bytes);

/* rs_parse_ipv4: "127.0.0.1" -> 0x7F000001. Strict dotted quad: four decimal numbers, [0, 255],
 * no leading zeros (some systems read those as octal). False: *out is unchanged. */
bool rs_parse_ipv4(const char *text, uint32_t *out);

#endif
