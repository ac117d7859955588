/* SPDX-License-Identifier: MIT */
/* One pass over argv with the tables: find the row, find its value, set by kind.
 *
 * A number of any kind is a double on its way: it holds all 32-bit ones exactly. The error text is
 * built in one place from option, value and allowed range, so that no kind can leave one of the
 * three out. Values are a person's or a script's bytes: they are shown with everything unprintable
 * replaced, and shortened, to keep the message one line. */
#include "core/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#ifndef RS_VERSION
#define RS_VERSION "unknown"
#endif

#define OPTIONS_SHOWN_CHARS 48u /* of a value in an error; the allowed range must fit behind it */
#define OPTIONS_HELP_COLUMN 30
#define OPTIONS_HELP_BYTES 16384u
#define OPTIONS_KEY_BYTES 64u     /* of a name in the record */
#define OPTIONS_TEXT_BYTES 64u    /* of a choice or an address there */
#define OPTIONS_ITEM_BYTES 256u   /* of a part of a list there */
#define OPTIONS_DOUBLE_DIGITS 15u /* < 2^53: the value is the nearest double to the digits */
#define OPTIONS_NAME_CHARS 40u    /* longer ones resemble no option */
#define OPTIONS_TYPOS_MAX 2u      /* between a name and the option that was meant */

/* A text that grows to the end of its buffer and counts on. */
typedef struct options_text {
    char *out;
    size_t bytes, needed;
} options_text;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
text_add(options_text *text, const char *format, ...) {
    const size_t at = text->needed < text->bytes ? text->needed : text->bytes;
    va_list args;
    RS_ASSERT(text->out != NULL || text->bytes == 0);
    va_start(args, format);
    const int count =
        vsnprintf(at < text->bytes ? text->out + at : NULL, text->bytes - at, format, args);
    va_end(args);
    RS_ASSERT(count >= 0);
    text->needed += (size_t)count;
}

/* Bytes of a person's, made fit for one line. */
static void text_add_shown(options_text *text, const char *value, size_t chars) {
    char shown[OPTIONS_SHOWN_CHARS + 1u];
    size_t count = 0;
    while (count < chars && count < OPTIONS_SHOWN_CHARS) {
        const char c = value[count];
        shown[count++] = c >= ' ' && c <= '~' ? c : '?';
    }
    shown[count] = '\0';
    text_add(text, "%s%s", shown, count < chars ? "..." : "");
}

/* ---- rows and where they land */

/* The start of word number index and its length; false past the last. */
static bool word_at(const char *words, int index, const char **start, size_t *chars) {
    RS_ASSERT(words != NULL);
    RS_ASSERT(index >= 0);
    for (; index > 0; index--) {
        words = strchr(words, '|');
        if (words == NULL) {
            return false;
        }
        words++;
    }
    *start = words;
    *chars = strcspn(words, "|");
    return true;
}

static const char *row_words(const rs_option *row) {
    RS_ASSERT(row->kind == RS_OPT_BOOL || row->kind == RS_OPT_CHOICE);
    return row->kind == RS_OPT_BOOL ? "off|on" : row->words;
}

static bool row_is_number(const rs_option *row) {
    return row->kind != RS_OPT_STRING && row->kind != RS_OPT_LIST;
}

static bool row_takes(const rs_option *row, double number) {
    const char *start;
    size_t chars;
    RS_ASSERT(row_is_number(row));
    if (row->kind == RS_OPT_BOOL || row->kind == RS_OPT_CHOICE) {
        return number >= 0 && number < (double)RS_OPTIONS_MAX &&
               word_at(row_words(row), (int)number, &start, &chars);
    }
    return number >= (double)row->min && number <= (double)row->max;
}

/* What a kind's value looks like in the help text, and the members it may land in. */
static const struct {
    const char *placeholder; /* NULL: its words */
    size_t bytes, or_bytes;
} kinds[] = {
    [RS_OPT_UINT] = {"N", sizeof(uint32_t), sizeof(uint16_t)},
    [RS_OPT_INT] = {"N", sizeof(int32_t), sizeof(int32_t)},
    [RS_OPT_DOUBLE] = {"X", sizeof(double), sizeof(double)},
    [RS_OPT_BOOL] = {"on|off", sizeof(bool), sizeof(bool)},
    [RS_OPT_CHOICE] = {NULL, sizeof(int), sizeof(bool)},
    [RS_OPT_STRING] = {"TEXT", sizeof(const char *), sizeof(const char *)},
    [RS_OPT_ADDR] = {"A.B.C.D", sizeof(uint32_t), sizeof(uint32_t)},
    [RS_OPT_LIST] = {"A,B,...", sizeof(rs_option_list), sizeof(rs_option_list)},
};

/* A row that lands on a member of another type is a mistake of the table. */
static bool row_fits(const rs_option *row) {
    RS_ASSERT((size_t)row->kind < sizeof kinds / sizeof kinds[0]);
    return row->bytes == kinds[row->kind].bytes || row->bytes == kinds[row->kind].or_bytes;
}

static const void *row_member(const rs_option *row, const void *values) {
    RS_ASSERT(values != NULL);
    RS_ASSERT(row_fits(row));
    return (const unsigned char *)values + row->at;
}

static void *row_target(const rs_option *row, void *values) {
    RS_ASSERT(values != NULL);
    RS_ASSERT(row_fits(row));
    return (unsigned char *)values + row->at;
}

static void row_store(const rs_option *row, void *values, double number) {
    void *at = row_target(row, values);
    const uint32_t bits = number < 0 ? (uint32_t)(int32_t)number : (uint32_t)number;
    RS_ASSERT(row_takes(row, number));
    if (row->kind == RS_OPT_DOUBLE) {
        memcpy(at, &number, sizeof number);
    } else if (row->bytes == sizeof(bool)) {
        *(bool *)at = number > 0;
    } else if (row->bytes == sizeof(uint16_t)) {
        *(uint16_t *)at = (uint16_t)bits;
    } else {
        memcpy(at, &bits, sizeof bits); /* uint32_t, int32_t or an enum */
    }
}

static double row_load(const rs_option *row, const void *values) {
    const void *at = row_member(row, values);
    double number;
    uint32_t bits;
    RS_ASSERT(row_is_number(row));
    if (row->kind == RS_OPT_DOUBLE) {
        memcpy(&number, at, sizeof number);
        return number;
    }
    if (row->bytes == sizeof(bool)) {
        return *(const bool *)at ? 1.0 : 0.0;
    }
    if (row->bytes == sizeof(uint16_t)) {
        return *(const uint16_t *)at;
    }
    memcpy(&bits, at, sizeof bits);
    return row->kind == RS_OPT_INT ? (double)(int32_t)bits : (double)bits;
}

/* A number as a person writes it. */
static void text_add_number(options_text *text, const rs_option *row, double number) {
    const uint32_t ip = row->kind == RS_OPT_ADDR ? (uint32_t)number : 0;
    const char *start = "?";
    size_t chars = 1;
    RS_ASSERT(row_is_number(row));
    switch (row->kind) {
    case RS_OPT_UINT:
    case RS_OPT_INT:
        text_add(text, "%lld", (long long)number);
        break;
    case RS_OPT_DOUBLE:
        text_add(text, "%g", number);
        break;
    case RS_OPT_ADDR:
        text_add(text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xFFu, ip >> 8 & 0xFFu, ip & 0xFFu);
        break;
    default:
        (void)word_at(row_words(row), (int)number, &start, &chars);
        text_add(text, "%.*s", (int)chars, start);
        break;
    }
}

/* What is allowed, in words: the end of every error and part of the help. */
static void text_add_allowed(options_text *text, const rs_option *row) {
    switch (row->kind) {
    case RS_OPT_UINT:
    case RS_OPT_INT:
    case RS_OPT_DOUBLE:
        text_add(text, "%lld to %lld%s%s", (long long)row->min, (long long)row->max,
                 row->unit[0] != '\0' ? " " : "", row->unit);
        break;
    case RS_OPT_BOOL:
        text_add(text, "on or off");
        break;
    case RS_OPT_CHOICE:
        text_add(text, "one of %s", row->words);
        break;
    case RS_OPT_STRING:
        text_add(text, "non-empty text");
        break;
    case RS_OPT_ADDR:
        text_add(text, "a numeric IPv4 address such as 127.0.0.1");
        break;
    case RS_OPT_LIST:
        text_add(text, "at most %u texts, separated by commas", RS_OPTION_ITEMS_MAX);
        break;
    }
}

static void text_add_default(options_text *text, const rs_option *row) {
    if (row_is_number(row)) {
        text_add_number(text, row, row->preset);
    } else {
        text_add(text, "%s", row->words != NULL && row->words[0] != '\0' ? row->words : "none");
    }
}

void rs_options_defaults(const rs_option_table *table, void *values) {
    RS_ASSERT(values != NULL);
    for (size_t i = 0; i < table->count; i++) {
        const rs_option *row = &table->rows[i];
        if (row->kind == RS_OPT_LIST) {
            memset(row_target(row, values), 0, row->bytes);
        } else if (row->kind == RS_OPT_STRING) {
            memcpy(row_target(row, values), &row->words, sizeof row->words);
        } else {
            RS_ASSERT(row_takes(row, row->preset));
            row_store(row, values, row->preset);
        }
    }
}

rs_status rs_options_check(const rs_option_table *table, const void *values, rs_error *error) {
    RS_ASSERT(values != NULL);
    for (size_t i = 0; i < table->count; i++) {
        const rs_option *row = &table->rows[i];
        char words[OPTIONS_TEXT_BYTES], allowed[OPTIONS_TEXT_BYTES];
        options_text text = {.out = words, .bytes = sizeof words};
        if (row_is_number(row) && !row_takes(row, row_load(row, values))) {
            text_add_number(&text, row, row_load(row, values));
            (void)rs_option_allowed(row, allowed, sizeof allowed);
            return rs_error_set(error, RS_E_INVALID, NULL, 0,
                                "--%s: '%s' is out of range; allowed: %s", row->name, words,
                                allowed);
        }
    }
    return RS_OK;
}

size_t rs_option_allowed(const rs_option *option, char *out, size_t out_bytes) {
    options_text text = {.out = out, .bytes = out_bytes};
    RS_ASSERT(out != NULL || out_bytes == 0);
    text_add_allowed(&text, option);
    return text.needed;
}

size_t rs_option_default(const rs_option *option, char *out, size_t out_bytes) {
    options_text text = {.out = out, .bytes = out_bytes};
    RS_ASSERT(out != NULL || out_bytes == 0);
    text_add_default(&text, option);
    return text.needed;
}

/* ---- the tables of a program */

typedef struct options_at {
    size_t group, in_group, index; /* index: over all groups */
    const rs_option *row;
    void *values;
    const char *refusal; /* NULL: it is honoured */
} options_at;

/* The next row from {.row = NULL} on; false past the last. */
static bool options_next(const rs_options *options, options_at *at) {
    RS_ASSERT(options->groups <= RS_OPTION_GROUPS_MAX);
    RS_ASSERT(at->group <= options->groups);
    if (at->row != NULL) {
        at->in_group++;
        at->index++;
    }
    while (at->group < options->groups && at->in_group == options->group[at->group].table->count) {
        at->group++;
        at->in_group = 0;
    }
    if (at->group == options->groups) {
        return false;
    }
    const rs_option_group *group = &options->group[at->group];
    at->row = &group->table->rows[at->in_group];
    at->values = group->values;
    at->refusal = group->values == NULL || (group->honoured != NULL &&
                                            !rs_option_named(group->honoured, at->row->name))
                      ? group->table->refusal
                      : NULL;
    return true;
}

static bool options_find(const rs_options *options, const char *name, size_t chars,
                         options_at *at) {
    *at = (options_at){.row = NULL};
    while (options_next(options, at)) {
        if (strlen(at->row->name) == chars && memcmp(at->row->name, name, chars) == 0) {
            return true;
        }
    }
    return false;
}

bool rs_option_named(const char *names, const char *name) {
    const size_t chars = strlen(name);
    RS_ASSERT(names != NULL);
    RS_ASSERT(name != NULL);
    while (*names != '\0') {
        const size_t here = strcspn(names, " ");
        if (here == chars && memcmp(names, name, chars) == 0) {
            return true;
        }
        names += here;
        names += strspn(names, " ");
    }
    return false;
}

void rs_options_add(rs_options *options, const rs_option_table *table, void *values,
                    const char *honoured) {
    options_at at = {.row = NULL};
    RS_ASSERT(options->groups < RS_OPTION_GROUPS_MAX);
    options->group[options->groups++] = (rs_option_group){table, values, honoured};
    while (options_next(options, &at)) {
        RS_ASSERT(at.index < RS_OPTIONS_MAX);
        RS_ASSERT(at.refusal != NULL || at.values != NULL);
    }
    if (values != NULL) {
        rs_options_defaults(table, values);
    }
}

bool rs_options_given(const rs_options *options, const char *name) {
    options_at at;
    const bool found = options_find(options, name, strlen(name), &at);
    RS_ASSERT(found);
    return options->given[at.index];
}

/* ---- the command line */

/* One command line on its way through. */
typedef struct options_parse {
    rs_options *options;
    int argc;
    const char *const *argv;
    int next; /* argument to look at next */
    options_text error;
} options_parse;

/* "--name: 'value' <what is wrong>; allowed: <range>"; value NULL = there is none. */
static rs_options_result parse_refuse(options_parse *parse, const rs_option *row, const char *value,
                                      const char *wrong) {
    RS_ASSERT(wrong != NULL);
    text_add(&parse->error, "--%s: ", row->name);
    if (value != NULL) {
        text_add(&parse->error, "'");
        text_add_shown(&parse->error, value, strlen(value));
        text_add(&parse->error, "' ");
    }
    text_add(&parse->error, "%s; allowed: ", wrong);
    text_add_allowed(&parse->error, row);
    return RS_OPTIONS_ERROR;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits only, to the end; false also on overflow of 64 bits. */
static bool parse_digits(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        const uint32_t digit = (uint32_t)(*text - '0');
        if (!is_digit(*text) || value > (UINT64_MAX - digit) / 10u) {
            return false;
        }
        value = value * 10u + digit;
    }
    *out = value;
    return true;
}

/* A sign where negative values exist; then the digits. Whatever is beyond 63 bits is beyond
 * every range; what a double rounds is too. */
static bool parse_integer(const rs_option *option, const char *text, double *out) {
    const bool negative = text[0] == '-' && option->min < 0;
    uint64_t size;
    RS_ASSERT(option->kind == RS_OPT_UINT || option->kind == RS_OPT_INT);
    if (!parse_digits(text + (negative ? 1 : 0), &size) || size > INT64_MAX) {
        return false;
    }
    *out = negative ? -(double)size : (double)size;
    return true;
}

static bool is_all_digits(const char *text) {
    while (is_digit(*text)) {
        text++;
    }
    return *text == '\0';
}

/* A unit behind a number, as a fraction of the row's: times / parts. */
typedef struct options_unit {
    double times, parts;
} options_unit;

static const struct {
    const char *name;
    double ns;
} options_times[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

/* 0: not a unit of time. */
static double time_ns(const char *name) {
    for (size_t i = 0; i < sizeof options_times / sizeof options_times[0]; i++) {
        if (strcmp(options_times[i].name, name) == 0) {
            return options_times[i].ns;
        }
    }
    return 0;
}

/* The unit of a row's value: none, that of the row, another time, or k, M, G. */
static bool parse_unit(const rs_option *row, const char *text, options_unit *out) {
    const double own_ns = time_ns(row->unit), ns = time_ns(text);
    const double k = strcmp(row->unit, "bytes") == 0 ? 1024.0 : 1000.0;
    RS_ASSERT(row->unit != NULL);
    *out = (options_unit){1.0, 1.0};
    if (text[0] == '\0' || (strcmp(text, row->unit) == 0 && own_ns == 0)) {
        return true;
    }
    if (own_ns > 0) {
        out->times = ns >= own_ns ? ns / own_ns : 1.0;
        out->parts = ns >= own_ns ? 1.0 : own_ns / (ns > 0 ? ns : 1.0);
        return ns > 0;
    }
    out->times = text[0] == 'k' || text[0] == 'K' ? k
                 : text[0] == 'M'                 ? k * k
                 : text[0] == 'G'                 ? k * k * k
                                                  : 0.0;
    return out->times > 0 && text[1] == '\0';
}

/* "12", "12.5", ".5", "12.", "12k": digits with at most one point. No exponent, no locale. */
static bool parse_decimal(const rs_option *row, const char *text, double *out) {
    uint64_t digits = 0;
    uint32_t significant = 0, count = 0;
    double scale = 1.0;
    bool point = false;
    options_unit unit;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*text)) {
            break;
        }
        digits = digits * 10u + (uint64_t)(*text - '0');
        scale = point ? scale * 10.0 : scale;
        significant += digits != 0;
        count++;
        if (significant > OPTIONS_DOUBLE_DIGITS || count > 2u * OPTIONS_DOUBLE_DIGITS) {
            return false;
        }
    }
    if (!parse_unit(row, text, &unit)) {
        return false;
    }
    *out = (double)digits * unit.times / (scale * unit.parts);
    return count > 0;
}

/* A number with a unit behind it; one alone is parse_integer's. */
static bool parse_with_unit(const rs_option *row, const char *text, double *out) {
    const bool negative = text[0] == '-' && row->min < 0;
    RS_ASSERT(row->kind == RS_OPT_UINT || row->kind == RS_OPT_INT);
    text += negative ? 1 : 0;
    if (text[strspn(text, "0123456789.")] == '\0' || !parse_decimal(row, text, out)) {
        return false;
    }
    *out = negative ? -*out : *out;
    return true;
}

static const char *parse_integer_row(const rs_option *row, const char *value, double *out) {
    const char *first = value[0] == '-' ? value + 1 : value;
    const bool with_unit = parse_with_unit(row, value, out);
    if ((with_unit || parse_integer(row, value, out)) && row_takes(row, *out)) {
        return *out == (double)(int64_t)*out ? NULL : "is not a whole number";
    }
    if (with_unit) {
        return "is out of range";
    }
    return *first != '\0' && is_all_digits(first) ? "is out of range" : "is not a whole number";
}

static const char *parse_double_row(const rs_option *row, const char *value, double *out) {
    const bool negative = value[0] == '-' && row->min < 0;
    RS_ASSERT(row->kind == RS_OPT_DOUBLE);
    if (!parse_decimal(row, value + (negative ? 1 : 0), out)) {
        return "is not a decimal number of at most 15 digits in range";
    }
    *out = negative ? -*out : *out;
    return row_takes(row, *out) ? NULL : "is out of range";
}

const char *rs_option_number(const rs_option *option, const char *text, double *out) {
    RS_ASSERT(option->kind == RS_OPT_DOUBLE);
    return parse_double_row(option, text, out);
}

static const char *parse_word(const rs_option *row, const char *value, double *out) {
    const char *start;
    size_t chars;
    RS_ASSERT(row->kind == RS_OPT_BOOL || row->kind == RS_OPT_CHOICE);
    for (int i = 0; word_at(row_words(row), i, &start, &chars); i++) {
        if (strlen(value) == chars && memcmp(value, start, chars) == 0) {
            *out = i;
            return NULL;
        }
    }
    return row->kind == RS_OPT_BOOL ? "is not a switch value" : "is not a valid choice";
}

static const char *parse_addr(const char *value, double *out) {
    uint32_t ip;
    if (!rs_parse_ipv4(value, &ip)) {
        return "is not a valid address";
    }
    *out = ip;
    return NULL;
}

static const char *parse_list(rs_option_list *list, const char *value) {
    RS_ASSERT(list->count <= RS_OPTION_ITEMS_MAX);
    for (;; value++) {
        const size_t bytes = strcspn(value, ",");
        if (bytes == 0) {
            return "is empty, or has an empty part";
        }
        if (list->count == RS_OPTION_ITEMS_MAX || bytes > UINT32_MAX) {
            return "is too long a list";
        }
        list->item[list->count].text = value;
        list->item[list->count++].bytes = (uint32_t)bytes;
        value += bytes;
        if (*value == '\0') {
            return NULL;
        }
    }
}

/* NULL, or what is wrong with the value. */
static const char *parse_set(const options_at *at, const char *value) {
    const rs_option *row = at->row;
    const char *wrong = NULL;
    double number = 0;
    RS_ASSERT(at->values != NULL);
    RS_ASSERT(at->refusal == NULL);
    switch (row->kind) {
    case RS_OPT_UINT:
    case RS_OPT_INT:
        wrong = parse_integer_row(row, value, &number);
        break;
    case RS_OPT_DOUBLE:
        wrong = parse_double_row(row, value, &number);
        break;
    case RS_OPT_BOOL:
    case RS_OPT_CHOICE:
        wrong = parse_word(row, value, &number);
        break;
    case RS_OPT_ADDR:
        wrong = parse_addr(value, &number);
        break;
    case RS_OPT_LIST:
        return parse_list(row_target(row, at->values), value);
    case RS_OPT_STRING:
        if (value[0] == '\0') {
            return "is empty";
        }
        memcpy(row_target(row, at->values), &value, sizeof value);
        return NULL;
    }
    if (wrong == NULL) {
        row_store(row, at->values, number);
    }
    return wrong;
}

/* The value of an option without "=": the next argument, if it can be one. */
static const char *parse_take_value(options_parse *parse, const rs_option *row) {
    const char *none = row->kind == RS_OPT_BOOL ? "on" : NULL;
    const char *dashes = row->kind == RS_OPT_BOOL ? "-" : "--";
    RS_ASSERT(parse->next <= parse->argc);
    if (parse->next >= parse->argc ||
        strncmp(parse->argv[parse->next], dashes, strlen(dashes)) == 0) {
        return none;
    }
    return parse->argv[parse->next++];
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Letters to be inserted, left out, replaced or swapped with their neighbour to make b of a. */
static uint32_t typos(const char *a, size_t a_chars, const char *b) {
    uint32_t row[3][OPTIONS_NAME_CHARS + 1u]; /* of the matrix: this one and the two before */
    const size_t b_chars = strlen(b);
    if (a_chars > OPTIONS_NAME_CHARS || b_chars > OPTIONS_NAME_CHARS) {
        return OPTIONS_NAME_CHARS;
    }
    for (uint32_t j = 0; j <= b_chars; j++) {
        row[0][j] = j;
    }
    for (uint32_t i = 1; i <= a_chars; i++) {
        uint32_t *now = row[i % 3u];
        const uint32_t *above = row[(i - 1u) % 3u];

        now[0] = i;
        for (uint32_t j = 1; j <= b_chars; j++) {
            const uint32_t replaced = above[j - 1u] + (a[i - 1u] != b[j - 1u]);
            now[j] = least(replaced, least(above[j], now[j - 1u]) + 1u);
            if (i > 1 && j > 1 && a[i - 1u] == b[j - 2u] && a[i - 2u] == b[j - 1u]) {
                now[j] = least(now[j], row[(i - 2u) % 3u][j - 2u] + 1u);
            }
        }
    }
    return row[a_chars % 3u][b_chars];
}

/* The option that was probably meant; NULL: none is near. The start of a name is one typo. */
static const char *options_nearest(const rs_options *options, const char *name, size_t chars) {
    options_at at = {.row = NULL};
    const char *nearest = NULL;
    uint32_t best = chars > 3 ? OPTIONS_TYPOS_MAX + 1u : 2u;
    while (options_next(options, &at)) {
        uint32_t count = typos(name, chars, at.row->name);
        count = chars > 1 && strncmp(at.row->name, name, chars) == 0 ? least(count, 1) : count;
        if (at.refusal == NULL && count < best) {
            best = count;
            nearest = at.row->name;
        }
    }
    return nearest;
}

static rs_options_result parse_stray(options_parse *parse, const char *argument) {
    const bool dashed = strncmp(argument, "--", 2) == 0 && argument[2] != '\0';
    const size_t chars = dashed ? strcspn(argument, "=") : strlen(argument);
    const size_t dashes = strspn(argument, "-");
    const char *nearest =
        dashes > 0 && dashes < chars
            ? options_nearest(parse->options, argument + dashes, strcspn(argument + dashes, "="))
            : NULL;
    text_add(&parse->error, dashed ? "unknown option " : "unexpected argument '");
    text_add_shown(&parse->error, argument, chars);
    text_add(&parse->error, "%s; ", dashed ? "" : "'");
    if (nearest != NULL) {
        text_add(&parse->error, "did you mean --%s? ", nearest);
    }
    text_add(&parse->error, "--help lists the options");
    return RS_OPTIONS_ERROR;
}

/* --help and --version, which every program has. False: it is neither. */
static bool parse_common(options_parse *parse, const char *argument, rs_options_result *result) {
    static const struct {
        const char *name;
        rs_options_result result;
    } common[] = {{"-h", RS_OPTIONS_HELP},
                  {"-?", RS_OPTIONS_HELP},
                  {"--help", RS_OPTIONS_HELP},
                  {"--version", RS_OPTIONS_VERSION}};
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        const size_t chars = strlen(common[i].name);

        if (strncmp(argument, common[i].name, chars) != 0 ||
            (argument[chars] != '\0' && argument[chars] != '=')) {
            continue;
        }
        *result = common[i].result;
        if (argument[chars] == '=') {
            text_add(&parse->error, "%s: '", common[i].name);
            text_add_shown(&parse->error, argument + chars + 1, strlen(argument + chars + 1));
            text_add(&parse->error, "' is one value too many; allowed: none");
            *result = RS_OPTIONS_ERROR;
        }
        return true;
    }
    return false;
}

static rs_options_result parse_option(options_parse *parse, const options_at *at,
                                      const char *value) {
    bool *given = &parse->options->given[at->index];
    const char *wrong;
    RS_ASSERT(at->row != NULL);
    if (value == NULL) {
        value = parse_take_value(parse, at->row);
    }
    if (at->refusal != NULL) {
        value = value != NULL ? value : "";
        text_add(&parse->error, "--%s: '", at->row->name);
        text_add_shown(&parse->error, value, strlen(value));
        text_add(&parse->error, "' is refused: %s", at->refusal);
        return RS_OPTIONS_ERROR;
    }
    if (value == NULL) {
        return parse_refuse(parse, at->row, NULL, "needs a value");
    }
    if (*given && at->row->kind != RS_OPT_LIST) {
        return parse_refuse(parse, at->row, value, "repeats the option; give it once");
    }
    wrong = parse_set(at, value);
    if (wrong != NULL) {
        return parse_refuse(parse, at->row, value, wrong);
    }
    *given = true;
    return RS_OPTIONS_RUN;
}

static rs_options_result parse_argument(options_parse *parse) {
    const char *argument = parse->argv[parse->next++];
    RS_ASSERT(argument != NULL);
    rs_options_result common;
    options_at at;
    RS_ASSERT(parse->next <= parse->argc);
    if (parse_common(parse, argument, &common)) {
        return common;
    }
    if (strncmp(argument, "--", 2) != 0) {
        return parse_stray(parse, argument);
    }
    const char *name = argument + 2;
    const size_t chars = strcspn(name, "=");
    if (!options_find(parse->options, name, chars, &at)) {
        return parse_stray(parse, argument);
    }
    return parse_option(parse, &at, name[chars] == '=' ? name + chars + 1 : NULL);
}

rs_options_result rs_options_parse(rs_options *options, int argc, const char *const *argv,
                                   char *error, size_t error_bytes) {
    RS_ASSERT(error_bytes > 0);
    RS_ASSERT(options->groups > 0);
    options_parse parse = {
        .options = options,
        .argc = argc,
        .argv = argv,
        .next = 1,
        .error = {.out = error, .bytes = error_bytes},
    };
    rs_options_result result = RS_OPTIONS_RUN;
    error[0] = '\0';
    while (result == RS_OPTIONS_RUN && parse.next < argc) {
        result = parse_argument(&parse);
    }
    return result;
}

int rs_options_read(rs_options *options, int argc, const char *const *argv) {
    static char text[OPTIONS_HELP_BYTES]; /* the main thread's, before anything else runs */
    RS_ASSERT(options->program != NULL);
    switch (rs_options_parse(options, argc, argv, text, sizeof text)) {
    case RS_OPTIONS_HELP:
        (void)rs_options_help(options, text, sizeof text);
        (void)fputs(text, stdout);
        return 0;
    case RS_OPTIONS_VERSION:
        (void)rs_options_version(options, text, sizeof text);
        (void)fputs(text, stdout);
        return 0;
    case RS_OPTIONS_ERROR:
        (void)fprintf(stderr, "%s: %s\n", options->program, text);
        return 2;
    case RS_OPTIONS_RUN:
        break;
    }
    return -1;
}

/* ---- help */

static void help_add_option(options_text *text, const options_at *at) {
    const size_t start = text->needed;
    RS_ASSERT(at->row != NULL);
    RS_ASSERT(at->row->help != NULL);
    const char *value = kinds[at->row->kind].placeholder;
    text_add(text, "  --%s %s", at->row->name, value != NULL ? value : at->row->words);
    const size_t used = text->needed - start;
    if (used >= OPTIONS_HELP_COLUMN) {
        text_add(text, "\n%*s", OPTIONS_HELP_COLUMN, "");
    } else {
        text_add(text, "%*s", OPTIONS_HELP_COLUMN - (int)used, "");
    }
    text_add(text, "%s\n%*s", at->row->help, OPTIONS_HELP_COLUMN, "");
    if (at->refusal != NULL) {
        text_add(text, "[refused here: %s]\n", at->refusal);
        return;
    }
    text_add(text, "[");
    text_add_allowed(text, at->row);
    text_add(text, "; default ");
    text_add_default(text, at->row);
    text_add(text, "]\n");
}

size_t rs_options_help(const rs_options *options, char *out, size_t out_bytes) {
    options_text text = {.out = out, .bytes = out_bytes};
    options_at at = {.row = NULL};
    RS_ASSERT(out != NULL || out_bytes == 0);
    RS_ASSERT(options->program != NULL);
    RS_ASSERT(options->summary != NULL);
    text_add(&text, "%s: %s\n\nUsage: %s [--OPTION VALUE | --OPTION=VALUE]...\n\n",
             options->program, options->summary, options->program);
    while (options_next(options, &at)) {
        help_add_option(&text, &at);
    }
    text_add(&text, "  --help, -h, -?%*sThis text.\n", OPTIONS_HELP_COLUMN - 16, "");
    text_add(&text, "  --version%*sThe program's version.\n\n", OPTIONS_HELP_COLUMN - 11, "");
    text_add(&text, "Units: 64k, 1M, 2G (of bytes: times 1024, else 1000); 500us, 10ms, 1.5s, 2m, "
                    "1h.\n");
    return text.needed;
}

size_t rs_options_version(const rs_options *options, char *out, size_t out_bytes) {
    options_text text = {.out = out, .bytes = out_bytes};
    RS_ASSERT(out != NULL || out_bytes == 0);
    text_add(&text, "%s (Ringside) %s\n", options->program, RS_VERSION);
    return text.needed;
}

/* ---- the record of a run's settings */

static void json_add_list(rs_json *json, const char *key, const rs_option_list *list) {
    char item[OPTIONS_ITEM_BYTES];
    RS_ASSERT(list->count <= RS_OPTION_ITEMS_MAX);
    rs_json_array(json, key);
    for (uint32_t i = 0; i < list->count; i++) {
        (void)snprintf(item, sizeof item, "%.*s", (int)list->item[i].bytes, list->item[i].text);
        rs_json_string(json, NULL, item);
    }
    rs_json_end(json);
}

static void json_add_number(rs_json *json, const char *key, const rs_option *row, double number) {
    char words[OPTIONS_TEXT_BYTES];
    options_text text = {.out = words, .bytes = sizeof words};
    RS_ASSERT(row_is_number(row));
    switch (row->kind) {
    case RS_OPT_UINT:
    case RS_OPT_INT:
        rs_json_i64(json, key, (int64_t)number);
        break;
    case RS_OPT_DOUBLE:
        rs_json_double(json, key, number);
        break;
    case RS_OPT_BOOL:
        rs_json_bool(json, key, number > 0);
        break;
    default:
        text_add_number(&text, row, number);
        RS_ASSERT(text.needed < sizeof words);
        rs_json_string(json, key, words);
        break;
    }
}

static void json_add_option(rs_json *json, const rs_option *row, const void *values) {
    char key[OPTIONS_KEY_BYTES];
    size_t chars = 0;
    for (; row->name[chars] != '\0'; chars++) {
        RS_ASSERT(chars < sizeof key - 1u);
        key[chars] = row->name[chars] == '-' ? '_' : row->name[chars];
    }
    key[chars] = '\0';
    if (row->kind == RS_OPT_LIST) {
        json_add_list(json, key, row_member(row, values));
    } else if (row->kind == RS_OPT_STRING) {
        const char *text;
        memcpy(&text, row_member(row, values), sizeof text);
        rs_json_string(json, key, text);
    } else {
        json_add_number(json, key, row, row_load(row, values));
    }
}

void rs_options_json(rs_json *json, const char *key, const rs_options *options,
                     const char *except) {
    options_at at = {.row = NULL};
    RS_ASSERT(key != NULL);
    rs_json_object(json, key);
    while (options_next(options, &at)) {
        if (at.refusal == NULL && (except == NULL || strcmp(at.row->name, except) != 0)) {
            json_add_option(json, at.row, at.values);
        }
    }
    rs_json_end(json);
}

bool rs_parse_ipv4(const char *text, uint32_t *out) {
    uint32_t ip = 0;
    RS_ASSERT(text != NULL);
    RS_ASSERT(out != NULL);
    for (uint32_t part = 0; part < 4; part++) {
        uint32_t value = 0, digits = 0;
        while (is_digit(*text) && digits < 3) {
            value = value * 10u + (uint32_t)(*text++ - '0');
            digits++;
            if (value == 0 && is_digit(*text)) {
                return false; /* a leading zero */
            }
        }
        if (digits == 0 || value > 255u || *text != (part < 3 ? '.' : '\0')) {
            return false;
        }
        text += part < 3 ? 1 : 0;
        ip = ip << 8 | value;
    }
    *out = ip;
    return true;
}
