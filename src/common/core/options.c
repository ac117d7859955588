/* One pass over argv with a table: find the option, find its value, set by kind.
 *
 * The error text is built in one place from option, value and allowed range, so that no kind can
 * leave one of the three out. Values are a person's or a script's bytes: they are shown with
 * everything unprintable replaced, and shortened, to keep the message one line. */
#include "core/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define OPTIONS_SHOWN_CHARS 48u /* of a value in an error; the allowed range must fit behind it */
#define OPTIONS_HELP_COLUMN 30
#define OPTIONS_KEY_BYTES 64u     /* of a name in the record */
#define OPTIONS_TEXT_BYTES 64u    /* of a choice or an address there */
#define OPTIONS_DOUBLE_DIGITS 15u /* < 2^53: the value is the nearest double to the digits */

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
    va_start(args, format);
    const int count =
        vsnprintf(at < text->bytes ? text->out + at : NULL, text->bytes - at, format, args);
    va_end(args);
    RS_ASSERT(count >= 0);
    text->needed += (size_t)count;
}

/* What a kind's value looks like in the help text. */
static const char *option_placeholder(const rs_option *option) {
    switch (option->kind) {
    case RS_OPT_U32:
    case RS_OPT_I32:
        return "N";
    case RS_OPT_DOUBLE:
        return "X";
    case RS_OPT_BOOL:
        return "on|off";
    case RS_OPT_CHOICE:
        return option->choices;
    case RS_OPT_STRING:
        return "TEXT";
    case RS_OPT_ADDR:
        return "A.B.C.D";
    }
    RS_ASSERT(option->kind <= RS_OPT_ADDR); /* not reached: an unknown kind */
    return "";
}

/* What is allowed, in words: the end of every error and part of the help. */
static void text_add_allowed(options_text *text, const rs_option *option) {
    switch (option->kind) {
    case RS_OPT_U32:
    case RS_OPT_I32:
    case RS_OPT_DOUBLE:
        text_add(text, "%lld to %lld%s%s", (long long)option->min, (long long)option->max,
                 option->unit[0] != '\0' ? " " : "", option->unit);
        break;
    case RS_OPT_BOOL:
        text_add(text, "on or off");
        break;
    case RS_OPT_CHOICE:
        text_add(text, "one of %s", option->choices);
        break;
    case RS_OPT_STRING:
        text_add(text, "a text that is not empty");
        break;
    case RS_OPT_ADDR:
        text_add(text, "a numeric IPv4 address such as 127.0.0.1");
        break;
    }
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

/* One command line on its way through. */
typedef struct options_parse {
    const rs_option *options;
    size_t count;
    int argc;
    const char *const *argv;
    int next; /* argument to look at next */
    options_text error;
    bool seen[RS_OPTIONS_MAX];
} options_parse;

/* "--name: 'value' <what is wrong>; allowed: <range>"; value NULL = there is none. */
static rs_options_result parse_refuse(options_parse *parse, const rs_option *option,
                                      const char *value, const char *wrong) {
    text_add(&parse->error, "--%s: ", option->name);
    if (value != NULL) {
        text_add(&parse->error, "'");
        text_add_shown(&parse->error, value, strlen(value));
        text_add(&parse->error, "' ");
    }
    text_add(&parse->error, "%s; allowed: ", wrong);
    text_add_allowed(&parse->error, option);
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

/* A sign where negative values exist; then the digits. Leaves room checks to the caller: whatever
 * is beyond 63 bits is beyond every range. */
static bool parse_integer(const rs_option *option, const char *text, int64_t *out) {
    const bool negative = text[0] == '-' && option->min < 0;
    uint64_t size;
    if (!parse_digits(text + (negative ? 1 : 0), &size) || size > INT64_MAX) {
        return false;
    }
    *out = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool is_all_digits(const char *text) {
    while (is_digit(*text)) {
        text++;
    }
    return *text == '\0';
}

static rs_options_result parse_refuse_integer(options_parse *parse, const rs_option *option,
                                              const char *value) {
    const char *digits = value[0] == '-' ? value + 1 : value;
    const bool whole = *digits != '\0' && is_all_digits(digits);
    return parse_refuse(parse, option, value, whole ? "is out of range" : "is not a whole number");
}

static rs_options_result parse_set_integer(options_parse *parse, const rs_option *option,
                                           const char *value) {
    int64_t number;
    RS_ASSERT(option->min <= option->max);
    if (!parse_integer(option, value, &number) || number < option->min || number > option->max) {
        return parse_refuse_integer(parse, option, value);
    }
    if (option->kind == RS_OPT_U32) {
        RS_ASSERT(option->min >= 0 && option->max <= UINT32_MAX);
        *(uint32_t *)option->target = (uint32_t)number;
    } else {
        RS_ASSERT(option->min >= INT32_MIN && option->max <= INT32_MAX);
        *(int32_t *)option->target = (int32_t)number;
    }
    return RS_OPTIONS_RUN;
}

/* "12", "12.5", ".5", "12.": digits with at most one point. No exponent, no locale. */
static bool parse_decimal(const char *text, double *out) {
    uint64_t digits = 0;
    uint32_t significant = 0, count = 0;
    double scale = 1.0;
    bool point = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*text)) {
            return false;
        }
        digits = digits * 10u + (uint64_t)(*text - '0');
        scale = point ? scale * 10.0 : scale;
        significant += digits != 0;
        count++;
        if (significant > OPTIONS_DOUBLE_DIGITS || count > 2u * OPTIONS_DOUBLE_DIGITS) {
            return false;
        }
    }
    *out = (double)digits / scale;
    return count > 0;
}

static rs_options_result parse_set_double(options_parse *parse, const rs_option *option,
                                          const char *value) {
    const bool negative = value[0] == '-' && option->min < 0;
    double number;
    if (!parse_decimal(value + (negative ? 1 : 0), &number)) {
        return parse_refuse(parse, option, value,
                            "is not a decimal number of at most 15 digits in range");
    }
    number = negative ? -number : number;
    if (number < (double)option->min || number > (double)option->max) {
        return parse_refuse(parse, option, value, "is out of range");
    }
    *(double *)option->target = number;
    return RS_OPTIONS_RUN;
}

static rs_options_result parse_set_bool(options_parse *parse, const rs_option *option,
                                        const char *value) {
    const bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0) {
        return parse_refuse(parse, option, value, "is no switch position");
    }
    *(bool *)option->target = on;
    return RS_OPTIONS_RUN;
}

/* The start of choice number index and its length; false past the last. */
static bool choice_at(const char *choices, int index, const char **start, size_t *chars) {
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (choices == NULL) {
            return false;
        }
        choices++;
    }
    *start = choices;
    *chars = strcspn(choices, "|");
    return true;
}

static rs_options_result parse_set_choice(options_parse *parse, const rs_option *option,
                                          const char *value) {
    const char *start;
    size_t chars;
    for (int i = 0; choice_at(option->choices, i, &start, &chars); i++) {
        if (strlen(value) == chars && memcmp(value, start, chars) == 0) {
            *(int *)option->target = i;
            return RS_OPTIONS_RUN;
        }
    }
    return parse_refuse(parse, option, value, "is no choice");
}

static rs_options_result parse_set_string(options_parse *parse, const rs_option *option,
                                          const char *value) {
    if (value[0] == '\0') {
        return parse_refuse(parse, option, value, "is empty");
    }
    *(const char **)option->target = value;
    return RS_OPTIONS_RUN;
}

static rs_options_result parse_set_addr(options_parse *parse, const rs_option *option,
                                        const char *value) {
    if (!rs_parse_ipv4(value, option->target)) {
        return parse_refuse(parse, option, value, "is no address");
    }
    return RS_OPTIONS_RUN;
}

static rs_options_result parse_set(options_parse *parse, const rs_option *option,
                                   const char *value) {
    switch (option->kind) {
    case RS_OPT_U32:
    case RS_OPT_I32:
        return parse_set_integer(parse, option, value);
    case RS_OPT_DOUBLE:
        return parse_set_double(parse, option, value);
    case RS_OPT_BOOL:
        return parse_set_bool(parse, option, value);
    case RS_OPT_CHOICE:
        return parse_set_choice(parse, option, value);
    case RS_OPT_STRING:
        return parse_set_string(parse, option, value);
    case RS_OPT_ADDR:
        return parse_set_addr(parse, option, value);
    }
    RS_ASSERT(option->kind <= RS_OPT_ADDR); /* not reached: an unknown kind */
    return RS_OPTIONS_ERROR;
}

/* The value of an option without "=": the next argument, if it can be one. */
static const char *parse_take_value(options_parse *parse, const rs_option *option) {
    if (parse->next >= parse->argc) {
        return option->kind == RS_OPT_BOOL ? "on" : NULL;
    }
    const char *next = parse->argv[parse->next];
    const char *dashes = option->kind == RS_OPT_BOOL ? "-" : "--";
    if (strncmp(next, dashes, strlen(dashes)) == 0) {
        return option->kind == RS_OPT_BOOL ? "on" : NULL;
    }
    parse->next++;
    return next;
}

static const rs_option *parse_find(const options_parse *parse, const char *name, size_t chars) {
    for (size_t i = 0; i < parse->count; i++) {
        const char *candidate = parse->options[i].name;
        if (strlen(candidate) == chars && memcmp(candidate, name, chars) == 0) {
            return &parse->options[i];
        }
    }
    return NULL;
}

static rs_options_result parse_stray(options_parse *parse, const char *argument) {
    const bool dashed = strncmp(argument, "--", 2) == 0 && argument[2] != '\0';
    text_add(&parse->error, dashed ? "unknown option " : "unexpected argument '");
    text_add_shown(&parse->error, argument, dashed ? strcspn(argument, "=") : strlen(argument));
    text_add(&parse->error, "%s; allowed: the options that --help lists", dashed ? "" : "'");
    return RS_OPTIONS_ERROR;
}

static rs_options_result parse_option(options_parse *parse, const rs_option *option,
                                      const char *value) {
    bool *seen = &parse->seen[option - parse->options];
    if (value == NULL) {
        value = parse_take_value(parse, option);
    }
    if (option->refusal != NULL) {
        value = value != NULL ? value : "";
        text_add(&parse->error, "--%s: '", option->name);
        text_add_shown(&parse->error, value, strlen(value));
        text_add(&parse->error, "' is refused: %s", option->refusal);
        return RS_OPTIONS_ERROR;
    }
    if (value == NULL) {
        return parse_refuse(parse, option, NULL, "needs a value");
    }
    if (*seen) {
        return parse_refuse(parse, option, value, "is a second value, give the option once");
    }
    *seen = true;
    const rs_options_result result = parse_set(parse, option, value);
    if (result == RS_OPTIONS_RUN && option->was_set != NULL) {
        *option->was_set = true;
    }
    return result;
}

static rs_options_result parse_argument(options_parse *parse) {
    const char *argument = parse->argv[parse->next++];
    if (strcmp(argument, "--help") == 0) {
        return RS_OPTIONS_HELP;
    }
    if (strncmp(argument, "--", 2) != 0) {
        return parse_stray(parse, argument);
    }
    const char *name = argument + 2;
    const size_t chars = strcspn(name, "=");
    const rs_option *option = parse_find(parse, name, chars);
    if (option == NULL) {
        return parse_stray(parse, argument);
    }
    return parse_option(parse, option, name[chars] == '=' ? name + chars + 1 : NULL);
}

rs_options_result rs_options_parse(const rs_option *options, size_t count, int argc,
                                   const char *const *argv, char *error, size_t error_bytes) {
    RS_ASSERT(count <= RS_OPTIONS_MAX);
    RS_ASSERT(error_bytes > 0);
    options_parse parse = {
        .options = options,
        .count = count,
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

/* A choice's present value, or an address, as a person writes it. */
static void option_add_words(options_text *text, const rs_option *option) {
    if (option->kind == RS_OPT_CHOICE) {
        const char *start = "none";
        size_t chars = strlen(start);
        (void)choice_at(option->choices, *(const int *)option->target, &start, &chars);
        text_add(text, "%.*s", (int)chars, start);
    } else {
        const uint32_t ip = *(const uint32_t *)option->target;
        RS_ASSERT(option->kind == RS_OPT_ADDR);
        text_add(text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xFFu, ip >> 8 & 0xFFu, ip & 0xFFu);
    }
}

static void help_add_default(options_text *text, const rs_option *option) {
    switch (option->kind) {
    case RS_OPT_U32:
        text_add(text, "%lu", (unsigned long)*(const uint32_t *)option->target);
        break;
    case RS_OPT_I32:
        text_add(text, "%ld", (long)*(const int32_t *)option->target);
        break;
    case RS_OPT_DOUBLE:
        text_add(text, "%g", *(const double *)option->target);
        break;
    case RS_OPT_BOOL:
        text_add(text, "%s", *(const bool *)option->target ? "on" : "off");
        break;
    case RS_OPT_STRING: {
        const char *value = *(const char *const *)option->target;
        text_add(text, "%s", value != NULL ? value : "none");
        break;
    }
    case RS_OPT_CHOICE:
    case RS_OPT_ADDR:
        option_add_words(text, option);
        break;
    }
}

static void help_add_option(options_text *text, const rs_option *option) {
    const size_t start = text->needed;
    text_add(text, "  --%s %s", option->name, option_placeholder(option));
    const size_t used = text->needed - start;
    if (used >= OPTIONS_HELP_COLUMN) {
        text_add(text, "\n%*s", OPTIONS_HELP_COLUMN, "");
    } else {
        text_add(text, "%*s", OPTIONS_HELP_COLUMN - (int)used, "");
    }
    text_add(text, "%s\n%*s", option->help, OPTIONS_HELP_COLUMN, "");
    if (option->refusal != NULL) {
        text_add(text, "[refused here: %s]\n", option->refusal);
        return;
    }
    text_add(text, "[");
    text_add_allowed(text, option);
    text_add(text, "; default ");
    help_add_default(text, option);
    text_add(text, "]\n");
}

size_t rs_options_help(const char *program, const char *summary, const rs_option *options,
                       size_t count, char *out, size_t out_bytes) {
    RS_ASSERT(count <= RS_OPTIONS_MAX);
    RS_ASSERT(out != NULL || out_bytes == 0);
    options_text text = {.out = out, .bytes = out_bytes};
    text_add(&text, "%s: %s\n\nUsage: %s [--OPTION VALUE | --OPTION=VALUE]...\n\n", program,
             summary, program);
    for (size_t i = 0; i < count; i++) {
        help_add_option(&text, &options[i]);
    }
    text_add(&text, "  --help%*sThis text.\n", OPTIONS_HELP_COLUMN - 8, "");
    return text.needed;
}

/* ---- the record of a run's settings */

static void json_add_option(rs_json *json, const rs_option *option) {
    char key[OPTIONS_KEY_BYTES], words[OPTIONS_TEXT_BYTES];
    options_text text = {.out = words, .bytes = sizeof words};
    size_t chars = 0;
    for (; option->name[chars] != '\0'; chars++) {
        RS_ASSERT(chars < sizeof key - 1u);
        key[chars] = option->name[chars];
        if (key[chars] == '-') {
            key[chars] = '_';
        }
    }
    key[chars] = '\0';
    switch (option->kind) {
    case RS_OPT_U32:
        rs_json_u64(json, key, *(const uint32_t *)option->target);
        break;
    case RS_OPT_I32:
        rs_json_i64(json, key, *(const int32_t *)option->target);
        break;
    case RS_OPT_DOUBLE:
        rs_json_double(json, key, *(const double *)option->target);
        break;
    case RS_OPT_BOOL:
        rs_json_bool(json, key, *(const bool *)option->target);
        break;
    case RS_OPT_STRING:
        rs_json_string(json, key, *(const char *const *)option->target);
        break;
    case RS_OPT_CHOICE:
    case RS_OPT_ADDR:
        option_add_words(&text, option);
        RS_ASSERT(text.needed < sizeof words);
        rs_json_string(json, key, words);
        break;
    }
}

void rs_options_json(rs_json *json, const char *key, const rs_option *options, size_t count,
                     const char *except) {
    RS_ASSERT(count <= RS_OPTIONS_MAX);
    rs_json_object(json, key);
    for (size_t i = 0; i < count; i++) {
        if (options[i].refusal == NULL &&
            (except == NULL || strcmp(options[i].name, except) != 0)) {
            json_add_option(json, &options[i]);
        }
    }
    rs_json_end(json);
}

bool rs_parse_ipv4(const char *text, uint32_t *out) {
    uint32_t ip = 0;
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
