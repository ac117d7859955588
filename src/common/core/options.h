/* Command-line options from one table per program: parsing, ranges, help text, refusals.
 *
 * Pure: reads argv, writes the caller's variables and the caller's text buffer. --name VALUE and
 * --name=VALUE are the same; --help is known to every table. Numbers are decimal; a wrong one is
 * refused whole (no trailing characters, no sign where none is allowed, no overflow). */
#ifndef RS_CORE_OPTIONS_H
#define RS_CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "core/json.h"
#include "core/status.h"

#define RS_OPTIONS_MAX 128u         /* in one table; what a person can still read as help */
#define RS_OPTIONS_ERROR_BYTES 320u /* holds any error whole, for a table with short choices */

typedef enum rs_option_kind {
    RS_OPT_U32,    /* uint32_t *target, [min, max]; 0 <= min <= max <= UINT32_MAX */
    RS_OPT_I32,    /* int32_t *target, [min, max] */
    RS_OPT_DOUBLE, /* double *target, [min, max] (range given as integers); 15 digits at most */
    RS_OPT_BOOL,   /* bool *target; on|off, or alone = on */
    RS_OPT_CHOICE, /* int *target (an enum as int); choices "a|b|c" -> 0, 1, 2 */
    RS_OPT_STRING, /* const char **target; not empty; points into argv */
    RS_OPT_ADDR    /* uint32_t *target: numeric IPv4, host byte order */
} rs_option_kind;

typedef struct rs_option {
    const char *name; /* without the dashes: "max-sessions" */
    rs_option_kind kind;
    void *target; /* holds the default when parsing starts; help prints it */
    int64_t min, max;
    const char *choices; /* CHOICE only */
    const char *unit;    /* "bytes", "ms", ... for help; "" = none */
    const char *help;    /* one line */
    const char *refusal; /* non-NULL: this program cannot honour it; the text says which can */
    bool *was_set;       /* nullable: true when the command line gave it */
} rs_option;

typedef enum rs_options_result {
    RS_OPTIONS_RUN,
    RS_OPTIONS_HELP,
    RS_OPTIONS_ERROR
} rs_options_result;

/* rs_options_parse: sets targets from argv[1..argc).
 *
 * A value may begin with a single dash (a negative number), never with two: "--host --port" lacks a
 * value. BOOL takes the next argument as its value unless that begins with a dash. A repeated
 * option is an error, and so are positional arguments. --help counts where it is met: an error
 * before it wins.
 *
 * Params   options: [count], count <= RS_OPTIONS_MAX (asserted), names distinct; argv: argc strings
 *          of any bytes; error: error_bytes >= 1, RS_OPTIONS_ERROR_BYTES is enough.
 * Returns  RS_OPTIONS_RUN; RS_OPTIONS_HELP; RS_OPTIONS_ERROR: error holds one line of printable
 *          characters that names the option, the value and what is allowed (the caller exits 2).
 *          Targets set before the error keep their new values. error is "" unless an error.
 * Owner    strings set point into argv.
 * Bounds   O(argc * count). */
rs_options_result rs_options_parse(const rs_option *options, size_t count, int argc,
                                   const char *const *argv, char *error, size_t error_bytes);

/* rs_options_help: writes the help text (range, default, unit of each) into out. The defaults are
 * what the targets hold now: call it with untouched ones.
 *
 * Params   out: out_bytes bytes, NULL only with out_bytes 0.
 * Returns  the bytes it needs without the terminator (like snprintf); what fits is written, always
 *          terminated. */
size_t rs_options_help(const char *program, const char *summary, const rs_option *options,
                       size_t count, char *out, size_t out_bytes);

/* rs_options_json: writes what the targets hold now as the object `key`, one member an option: the
 * one record of a run's settings, so that none can be left out. "max-frame" stands there as
 * max_frame; a choice, a text and an address as text, a text that nobody gave as null. Options that
 * this program refuses are not in it, nor is the one named `except` (nullable): a file for the
 * results is no setting of the run. */
void rs_options_json(rs_json *json, const char *key, const rs_option *options, size_t count,
                     const char *except);

/* rs_parse_ipv4: "127.0.0.1" -> 0x7F000001. Strict dotted quad: four decimal numbers, [0, 255],
 * no leading zeros (some systems read those as octal). False: *out is unchanged. */
bool rs_parse_ipv4(const char *text, uint32_t *out);

#endif
