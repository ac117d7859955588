/* SPDX-License-Identifier: MIT */
/* One table with an option of each kind. Good command lines are compared with the variables they
 * set; each bad one must give one printable line that names the option, the value and what is
 * allowed; the help text must show name, range, default and unit of each option. */
#include "core/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

typedef enum app { APP_ECHO, APP_RAW, APP_BOARD } app;

typedef struct values {
    uint16_t port;
    bool stats, nodelay, heap;
    uint32_t idle;
    int32_t sndbuf;
    double rate;
    app app;
    const char *json;
    uint32_t host;
    rs_option_list names;
} values;

static values v;
static char error[RS_OPTIONS_ERROR_BYTES];
static rs_options options;

static const rs_option rows[] = {
    RS_ROW_UINT(values, port, "port", 0, 65535, 4000, "", "TCP port"),
    RS_ROW_UINT(values, idle, "idle-timeout", 1, UINT32_MAX, 60000, "ms", "silence"),
    RS_ROW_INT(values, sndbuf, "sndbuf", -1, 1048576, -1, "bytes", "SO_SNDBUF"),
    RS_ROW_DOUBLE(values, rate, "rate", -10, 1000000, 0.5, "messages/s", "open loop"),
    RS_ROW_BOOL(values, stats, "stats", false, "a line a second"),
    RS_ROW_BOOL(values, nodelay, "nodelay", true, "TCP_NODELAY"),
    RS_ROW_CHOICE(values, app, "app", "echo|raw|board", APP_ECHO, "application"),
    RS_ROW_CHOICE(values, heap, "buffers", "slab|heap", false, "memory"),
    RS_ROW_STRING(values, json, "json", NULL, "result file"),
    RS_ROW_ADDR(values, host, "host", 0x7F000001, "address"),
    RS_ROW_LIST(values, names, "names", "some names"),
};
#define ROW_COUNT RS_ROWS(rows)
static const rs_option_table table = {rows, ROW_COUNT, NULL};

/* Those of another back end, and two shared ones of which this one honours the second. */
typedef struct others {
    uint32_t spin, accepts, backlog;
} others;

static others shared;

static const rs_option spin_rows[] = {
    RS_ROW_UINT(others, spin, "spin-us", 0, 100, 20, "us", "spin"),
};
static const rs_option_table spin_table = {spin_rows, 1, "only rio_server has it"};
static const rs_option shared_rows[] = {
    RS_ROW_UINT(others, accepts, "accepts", 1, 9, 5, "", "outstanding"),
    RS_ROW_UINT(others, backlog, "backlog", 1, 9, 5, "", "of listen()"),
};
static const rs_option_table shared_table = {shared_rows, 2, "this one cannot"};

/* Every value at its default, whatever was there. */
static void begin(void) {
    memset(&v, 0x5A, sizeof v);
    memset(&shared, 0x5A, sizeof shared);
    memset(error, 0x5A, sizeof error);
    options = (rs_options){.program = "iocp_server", .summary = "serves"};
    rs_options_add(&options, &table, &v, NULL);
    rs_options_add(&options, &spin_table, NULL, NULL);
    rs_options_add(&options, &shared_table, &shared, "nodelay backlog");
}

/* Splits at spaces ("_" stands for an empty argument) and parses; targets start at defaults. */
static rs_options_result parse(const char *line) {
    static char copy[1024];
    const char *argv[96] = {"program"};
    int argc = 1;
    begin();
    (void)strncpy(copy, line, sizeof copy - 1);
    for (char *at = copy; *at != '\0' && argc < 96;) {
        char *end = at + strcspn(at, " ");
        const bool last = *end == '\0';
        *end = '\0';
        argv[argc++] = strcmp(at, "_") == 0 ? "" : at;
        at = last ? end : end + 1;
    }
    return rs_options_parse(&options, argc, argv, error, sizeof error);
}

static void check_good(const char *line) {
    const rs_options_result result = parse(line);
    if (result != RS_OPTIONS_RUN) {
        print_error("%s: %s\n", line, error);
    }
    assert_int_equal(result, RS_OPTIONS_RUN);
    assert_string_equal(error, "");
}

static void test_options_none_keeps_every_default(void **state) {
    (void)state;
    check_good("");
    assert_int_equal(v.port, 4000);
    assert_true(v.rate == 0.5);
    assert_false(rs_options_given(&options, "port"));
    assert_false(rs_options_given(&options, "stats"));
}

static void test_options_every_kind_is_set_in_both_spellings(void **state) {
    (void)state;
    static const char *const lines[] = {
        "--port 80 --idle-timeout 5 --sndbuf 0 --rate 12.5 --stats on --nodelay off --app raw "
        "--json out.json --host 10.1.2.3",
        "--port=80 --idle-timeout=5 --sndbuf=0 --rate=12.5 --stats=on --nodelay=off --app=raw "
        "--json=out.json --host=10.1.2.3",
    };
    for (size_t i = 0; i < 2; i++) {
        check_good(lines[i]);
        assert_int_equal(v.port, 80);
        assert_int_equal(v.idle, 5);
        assert_int_equal(v.sndbuf, 0);
        assert_true(v.rate == 12.5);
        assert_true(v.stats);
        assert_false(v.nodelay);
        assert_int_equal(v.app, 1);
        assert_string_equal(v.json, "out.json");
        assert_int_equal(v.host, 0x0A010203u);
        assert_true(rs_options_given(&options, "port"));
        assert_true(rs_options_given(&options, "stats"));
    }
}

static void test_options_ends_of_every_range_are_taken(void **state) {
    (void)state;
    check_good("--port 0 --idle-timeout 4294967295 --sndbuf -1 --rate -10");
    assert_int_equal(v.port, 0);
    assert_true(v.idle == UINT32_MAX);
    assert_int_equal(v.sndbuf, -1);
    assert_true(v.rate == -10.0);
    check_good("--port 65535 --idle-timeout 1 --sndbuf 1048576 --rate 1000000");
    assert_int_equal(v.port, 65535);
    assert_int_equal(v.sndbuf, 1048576);
    assert_true(v.rate == 1000000.0);
}

static void test_options_doubles_are_the_nearest(void **state) {
    (void)state;
    check_good("--rate 0.1");
    assert_true(v.rate == 0.1);
    check_good("--rate .25");
    assert_true(v.rate == 0.25);
    check_good("--rate 3.");
    assert_true(v.rate == 3.0);
    check_good("--rate 123456.789012345");
    assert_true(v.rate == 123456.789012345);
    check_good("--rate 000000000001.5");
    assert_true(v.rate == 1.5);
}

static void test_options_numbers_may_have_units(void **state) {
    (void)state;
    check_good("--port 1k --idle-timeout 2m --sndbuf 64k --rate 1.5k");
    assert_int_equal(v.port, 1000);
    assert_int_equal(v.idle, 120000);
    assert_int_equal(v.sndbuf, 65536);
    assert_true(v.rate == 1500.0);
    check_good("--port 1.5K --idle-timeout 500000us --sndbuf 1M --rate 0.1k");
    assert_int_equal(v.port, 1500);
    assert_int_equal(v.idle, 500);
    assert_int_equal(v.sndbuf, 1048576);
    assert_true(v.rate == 100.0);
    check_good("--idle-timeout 0.25s --sndbuf 0.5k --rate 7messages/s");
    assert_int_equal(v.idle, 250);
    assert_int_equal(v.sndbuf, 512);
    assert_true(v.rate == 7.0);
    check_good("--idle-timeout 1.5h");
    assert_int_equal(v.idle, 5400000);
    check_good("--idle-timeout 7ms --sndbuf 12bytes --rate -0.001k");
    assert_int_equal(v.idle, 7);
    assert_int_equal(v.sndbuf, 12);
    assert_true(v.rate == -1.0);
}

/* Nothing of the kind is suggested: a name far from all, or one that this program refuses. */
static void test_options_only_what_is_near_and_honoured_is_suggested(void **state) {
    static const char *const lines[] = {"--nonsense", "--spin", "--accept 5", "--s",
                                        "-",          "--",     "file",       "--=5"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i]), RS_OPTIONS_ERROR);
        if (strstr(error, "did you mean") != NULL) {
            print_error("%s: %s\n", lines[i], error);
            fail();
        }
    }
}

static void test_options_help_and_version_have_short_names(void **state) {
    char text[128];
    (void)state;
    assert_int_equal(parse("-h"), RS_OPTIONS_HELP);
    assert_int_equal(parse("--port 5 -?"), RS_OPTIONS_HELP);
    assert_int_equal(parse("--version"), RS_OPTIONS_VERSION);
    assert_string_equal(error, "");
    const size_t need = rs_options_version(&options, text, sizeof text);
    assert_int_equal(need, strlen(text));
    assert_int_equal(strncmp(text, "iocp_server (Ringside) ", 23), 0);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_options_switch_alone_is_on(void **state) {
    (void)state;
    check_good("--stats");
    assert_true(v.stats);
    check_good("--stats --port 1");
    assert_true(v.stats);
    assert_int_equal(v.port, 1);
}

static void test_options_values_may_hold_equals_signs_and_one_dash(void **state) {
    (void)state;
    check_good("--json=a=b");
    assert_string_equal(v.json, "a=b");
    check_good("--json -");
    assert_string_equal(v.json, "-");
    check_good("--json=--odd");
    assert_string_equal(v.json, "--odd");
}

static void test_options_help_is_told_where_it_is_met(void **state) {
    (void)state;
    assert_int_equal(parse("--help"), RS_OPTIONS_HELP);
    assert_int_equal(parse("--port 5 --help --nonsense"), RS_OPTIONS_HELP);
    assert_int_equal(v.port, 5);
    assert_int_equal(parse("--nonsense --help"), RS_OPTIONS_ERROR);
}

typedef struct bad {
    const char *line, *option, *value, *allowed;
} bad;

static const bad bad_lines[] = {
    {"--port 65536", "--port", "'65536'", "0 to 65535"},
    {"--port -1", "--port", "'-1'", "0 to 65535"},
    {"--port +1", "--port", "'+1'", "0 to 65535"},
    {"--port 80x", "--port", "'80x'", "0 to 65535"},
    {"--port 0x50", "--port", "'0x50'", "0 to 65535"},
    {"--port 8.0", "--port", "'8.0'", "0 to 65535"},
    {"--port 1e3", "--port", "'1e3'", "0 to 65535"},
    {"--port _", "--port", "''", "0 to 65535"},
    {"--port=", "--port", "''", "0 to 65535"},
    {"--port 99999999999999999999999", "--port", "'99999999999999999999999'", "0 to 65535"},
    {"--port 18446744073709551616", "--port", "'18446744073709551616'", "0 to 65535"},
    {"--port 4294967376", "--port", "'4294967376'", "0 to 65535"},
    {"--port", "--port", "needs a value", "0 to 65535"},
    {"--port --stats", "--port", "needs a value", "0 to 65535"},
    {"--port 1 --port 2", "--port", "'2'", "once"},
    {"--stats --stats", "--stats", "'on'", "once"},
    {"--idle-timeout 0", "--idle-timeout", "'0'", "1 to 4294967295 ms"},
    {"--idle-timeout 4294967296", "--idle-timeout", "'4294967296'", "1 to 4294967295 ms"},
    {"--sndbuf -2", "--sndbuf", "'-2'", "-1 to 1048576 bytes"},
    {"--sndbuf -", "--sndbuf", "'-'", "-1 to 1048576 bytes"},
    {"--sndbuf=--1", "--sndbuf", "'--1'", "-1 to 1048576 bytes"},
    {"--sndbuf 1048577", "--sndbuf", "'1048577'", "-1 to 1048576 bytes"},
    {"--sndbuf 18446744073709551615", "--sndbuf", "'18446744073709551615'", "-1 to 1048576"},
    {"--sndbuf -18446744073709551615", "--sndbuf", "'-18446744073709551615'", "-1 to 1048576"},
    {"--sndbuf -9223372036854775809", "--sndbuf", "'-9223372036854775809'", "-1 to 1048576"},
    {"--rate 1000000.1", "--rate", "'1000000.1'", "-10 to 1000000 messages/s"},
    {"--rate -10.5", "--rate", "'-10.5'", "-10 to 1000000 messages/s"},
    {"--rate nan", "--rate", "'nan'", "-10 to 1000000"},
    {"--rate inf", "--rate", "'inf'", "-10 to 1000000"},
    {"--rate 1,5", "--rate", "'1,5'", "-10 to 1000000"},
    {"--rate 1.2.3", "--rate", "'1.2.3'", "-10 to 1000000"},
    {"--rate .", "--rate", "'.'", "-10 to 1000000"},
    {"--rate _", "--rate", "''", "-10 to 1000000"},
    {"--rate 1e5", "--rate", "'1e5'", "-10 to 1000000"},
    {"--rate 0.1234567890123456", "--rate", "'0.1234567890123456'", "at most 15 digits"},
    {"--stats yes", "--stats", "'yes'", "on or off"},
    {"--stats=", "--stats", "''", "on or off"},
    {"--stats=ON", "--stats", "'ON'", "on or off"},
    {"--app chat", "--app", "'chat'", "echo|raw|board"},
    {"--app ech", "--app", "'ech'", "echo|raw|board"},
    {"--app echo|raw", "--app", "'echo|raw'", "echo|raw|board"},
    {"--app _", "--app", "''", "echo|raw|board"},
    {"--json _", "--json", "''", "non-empty text"},
    {"--json", "--json", "needs a value", "non-empty text"},
    {"--host localhost", "--host", "'localhost'", "numeric IPv4"},
    {"--host 1.2.3", "--host", "'1.2.3'", "numeric IPv4"},
    {"--spin-us 5", "--spin-us", "'5'", "only rio_server has it"},
    {"--spin-us", "--spin-us", "", "only rio_server has it"},
    {"--accepts 5", "--accepts", "'5'", "this one cannot"},
    {"--buffers pool", "--buffers", "'pool'", "slab|heap"},
    {"--names", "--names", "needs a value", "commas"},
    {"--names _", "--names", "''", "empty"},
    {"--names a,,b", "--names", "'a,,b'", "empty part"},
    {"--names a,", "--names", "'a,'", "empty part"},
    {"--names a --names ,", "--names", "','", "empty part"},
    {"--nonsense", "--nonsense", "unknown option", "--help"},
    {"--nonsense=5", "--nonsense", "unknown option", "--help"},
    {"--por 5", "--por", "unknown option", "--help"},
    {"--portx 5", "--portx", "unknown option", "--help"},
    {"-port 5", "'-port'", "unexpected argument", "--help"},
    {"file", "'file'", "unexpected argument", "--help"},
    {"--", "'--'", "unexpected argument", "--help"},
    {"_", "''", "unexpected argument", "--help"},
    {"--por 5", "--por;", "did you mean --port?", "--help"},
    {"--prot=5", "--prot;", "did you mean --port?", "--help"},
    {"--idle 5", "--idle;", "did you mean --idle-timeout?", "--help"},
    {"--ngdelay", "--ngdelay;", "did you mean --nodelay?", "--help"},
    {"-rate 5", "'-rate';", "did you mean --rate?", "--help"},
    {"--help=5", "--help", "'5'", "allowed: none"},
    {"--version=", "--version", "''", "allowed: none"},
    {"--port 1kk", "--port", "'1kk'", "0 to 65535"},
    {"--port 66k", "--port", "'66k' is out of range", "0 to 65535"},
    {"--port 1ms", "--port", "'1ms'", "0 to 65535"},
    {"--port k", "--port", "'k'", "0 to 65535"},
    {"--port 1.0005k", "--port", "'1.0005k' is not a whole number", "0 to 65535"},
    {"--idle-timeout 1500us", "--idle-timeout", "'1500us' is not a whole number", "ms"},
    {"--idle-timeout 1k", "--idle-timeout", "'1k'", "1 to 4294967295 ms"},
    {"--idle-timeout 5000h", "--idle-timeout", "'5000h' is out of range", "4294967295 ms"},
    {"--idle-timeout ms", "--idle-timeout", "'ms'", "1 to 4294967295 ms"},
    {"--sndbuf 1.1k", "--sndbuf", "'1.1k' is not a whole number", "bytes"},
    {"--sndbuf -1k", "--sndbuf", "'-1k' is out of range", "bytes"},
    {"--rate 1.2M", "--rate", "'1.2M' is out of range", "-10 to 1000000"},
};

static void check_one_line(void) {
    const size_t length = strlen(error);
    assert_true(length > 0 && length < sizeof error);
    for (size_t i = 0; i < length; i++) {
        assert_true(error[i] >= ' ' && error[i] <= '~');
    }
}

static void test_options_bad_input_names_option_value_and_allowed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
        const bad *b = &bad_lines[i];
        const rs_options_result result = parse(b->line);
        if (result != RS_OPTIONS_ERROR || strstr(error, b->option) == NULL ||
            strstr(error, b->value) == NULL || strstr(error, b->allowed) == NULL) {
            print_error("%s: result %d, text '%s'\n", b->line, (int)result, error);
            fail();
        }
        check_one_line();
    }
}

static void test_options_before_an_error_keep_their_values(void **state) {
    (void)state;
    assert_int_equal(parse("--port 5 --app chat"), RS_OPTIONS_ERROR);
    assert_int_equal(v.port, 5);
    assert_true(rs_options_given(&options, "port"));
    assert_int_equal(v.app, 0);
}

static void test_options_refused_value_leaves_the_target(void **state) {
    (void)state;
    assert_int_equal(parse("--port 70000"), RS_OPTIONS_ERROR);
    assert_int_equal(v.port, 4000);
    assert_false(rs_options_given(&options, "port"));
    assert_int_equal(parse("--host 1.2.3.x"), RS_OPTIONS_ERROR);
    assert_int_equal(v.host, 0x7F000001u);
}

static void test_options_unprintable_and_long_values_stay_one_line(void **state) {
    (void)state;
    char text[600] = "--app=\n\r\x1b[31m\x80";
    const size_t start = strlen(text);
    memset(text + start, 'y', sizeof text - start - 1);
    text[sizeof text - 1] = '\0';
    const char *const argv[] = {"program", text};
    begin();
    assert_int_equal(rs_options_parse(&options, 2, argv, error, sizeof error), RS_OPTIONS_ERROR);
    check_one_line();
    assert_non_null(strstr(error, "'???[31m?yyy"));
    assert_non_null(strstr(error, "..."));
    assert_non_null(strstr(error, "echo|raw|board"));
}

static void test_options_error_buffer_of_any_size_is_kept_within(void **state) {
    (void)state;
    const char *const argv[] = {"program", "--port", "70000"};
    for (size_t bytes = 1; bytes <= 100; bytes++) {
        begin();
        memset(error, 'g', sizeof error);
        assert_int_equal(rs_options_parse(&options, 3, argv, error, bytes), RS_OPTIONS_ERROR);
        assert_non_null(memchr(error, '\0', bytes));
        assert_int_equal(error[bytes], 'g');
    }
}

/* The part of the help that belongs to one option. */
static void check_help_entry(const char *help, const char *name, const char *const *parts) {
    char head[64], entry[512];
    (void)snprintf(head, sizeof head, "  --%s ", name);
    const char *start = strstr(help, head);
    assert_non_null(start);
    const char *end = strstr(start + 1, "\n  --");
    assert_non_null(end);
    (void)snprintf(entry, sizeof entry, "%.*s", (int)(end - start), start);
    for (; *parts != NULL; parts++) {
        if (strstr(entry, *parts) == NULL) {
            print_error("'%s' is missing in: %s\n", *parts, entry);
            fail();
        }
    }
}

static void test_options_help_shows_range_default_and_unit(void **state) {
    (void)state;
    static char help[4096];
    static const char *const parts[ROW_COUNT][4] = {
        {"TCP port", "0 to 65535", "default 4000"},
        {"silence", "1 to 4294967295 ms", "default 60000"},
        {"SO_SNDBUF", "-1 to 1048576 bytes", "default -1"},
        {"open loop", "-10 to 1000000 messages/s", "default 0.5"},
        {"a line a second", "on or off", "default off"},
        {"TCP_NODELAY", "on or off", "default on"},
        {"application", "echo|raw|board", "default echo"},
        {"memory", "slab|heap", "default slab"},
        {"result file", "default none", "TEXT"},
        {"address", "IPv4", "default 127.0.0.1"},
        {"some names", "64 texts", "default none"},
    };
    static const char *const refused[][4] = {{"spin", "refused here", "only rio_server has it"},
                                             {"outstanding", "refused here: this one cannot"}};
    /* What was parsed before --help is no default. */
    assert_int_equal(parse("--port 7 --stats --app raw --help"), RS_OPTIONS_HELP);
    const size_t need = rs_options_help(&options, help, sizeof help);
    assert_int_equal(need, strlen(help));
    assert_int_equal(strncmp(help, "iocp_server: serves\n", 20), 0);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        check_help_entry(help, rows[i].name, parts[i]);
    }
    check_help_entry(help, "spin-us", refused[0]);
    check_help_entry(help, "accepts", refused[1]);
    assert_non_null(strstr(help, "--help"));
}

static void test_options_help_buffer_of_any_size_is_kept_within(void **state) {
    (void)state;
    static char whole[4096], part[4096];
    (void)parse("");
    const size_t need = rs_options_help(&options, whole, sizeof whole);
    assert_int_equal(rs_options_help(&options, NULL, 0), need);
    for (size_t bytes = 1; bytes <= need + 2; bytes++) {
        memset(part, 'g', sizeof part);
        assert_int_equal(rs_options_help(&options, part, bytes), need);
        const size_t length = strlen(part);
        assert_int_equal(length, bytes <= need ? bytes - 1 : need);
        assert_int_equal(memcmp(part, whole, length), 0);
        assert_int_equal(part[bytes], 'g');
    }
}

static void test_options_ipv4_is_a_strict_dotted_quad(void **state) {
    (void)state;
    static const char *const refused[] = {
        "",          "1",         "1.2.3",    "1.2.3.",     "1.2.3.4.",  "1.2.3.4.5", ".1.2.3",
        "256.1.1.1", "1.1.1.256", "01.2.3.4", "1.2.3.04",   "1..2.3",    " 1.2.3.4",  "1.2.3.4 ",
        "1.2.3.x",   "-1.2.3.4",  "+1.2.3.4", "1000.1.1.1", "0x1.2.3.4", "1.2.3.4x",  "00.0.0.0"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint32_t ip = 77;
        assert_false(rs_parse_ipv4(refused[i], &ip));
        assert_int_equal(ip, 77);
    }
    for (uint32_t part = 0; part <= 255; part++) {
        char text[32];
        uint32_t ip = 77;
        (void)snprintf(text, sizeof text, "%u.%u.%u.%u", part, 255 - part, part / 2, part);
        assert_true(rs_parse_ipv4(text, &ip));
        assert_int_equal(ip, part << 24 | (255 - part) << 16 | (part / 2) << 8 | part);
    }
}

static void check_record(const char *line, const char *expected) {
    char out[512];
    size_t length = 0;
    rs_json json;
    check_good(line);
    rs_json_init(&json, out, sizeof out);
    rs_json_object(&json, NULL);
    rs_options_json(&json, "settings", &options, "port");
    rs_json_end(&json);
    assert_true(rs_json_finish(&json, &length));
    assert_string_equal(out, expected);
}

static void test_options_record_holds_every_option_but_the_refused_and_the_excepted(void **state) {
    (void)state;
    check_record("", "{\"settings\":{\"idle_timeout\":60000,\"sndbuf\":-1,\"rate\":0.5,"
                     "\"stats\":false,\"nodelay\":true,\"app\":\"echo\",\"buffers\":\"slab\","
                     "\"json\":null,\"host\":\"127.0.0.1\",\"names\":[],\"backlog\":5}}");
    check_record("--idle-timeout 7 --sndbuf 0 --rate -2.25 --stats --nodelay off --app board "
                 "--json a\"b --host 10.0.0.255 --buffers heap --names a,b --names c=d --backlog 9",
                 "{\"settings\":{\"idle_timeout\":7,\"sndbuf\":0,\"rate\":-2.25,"
                 "\"stats\":true,\"nodelay\":false,\"app\":\"board\",\"buffers\":\"heap\","
                 "\"json\":\"a\\\"b\",\"host\":\"10.0.0.255\",\"names\":[\"a\",\"b\",\"c=d\"],"
                 "\"backlog\":9}}");
}

static void test_options_lists_are_split_and_may_be_given_again(void **state) {
    static const char *const parts[] = {"a", "bc", "d=e", "f"};
    char line[1024] = "";
    (void)state;
    check_good("--names a,bc --port 1 --names=d=e,f");
    assert_int_equal(v.names.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(v.names.item[i].bytes, strlen(parts[i]));
        assert_memory_equal(v.names.item[i].text, parts[i], v.names.item[i].bytes);
    }
    for (uint32_t i = 0; i < RS_OPTION_ITEMS_MAX; i++) {
        (void)strcat(line, i == 0 ? "--names x" : ",x");
    }
    check_good(line);
    assert_int_equal(v.names.count, RS_OPTION_ITEMS_MAX);
    (void)strcat(line, " --names y");
    assert_int_equal(parse(line), RS_OPTIONS_ERROR);
    assert_non_null(strstr(error, "too long a list"));
}

static void test_options_names_between_blanks(void **state) {
    (void)state;
    assert_true(rs_option_named("a bc d", "a"));
    assert_true(rs_option_named("a bc d", "bc"));
    assert_true(rs_option_named("a bc d", "d"));
    assert_false(rs_option_named("a bc d", "b"));
    assert_false(rs_option_named("a bc d", "c"));
    assert_false(rs_option_named("", "a"));
}

/* Values that no command line set. */
static void test_options_check_finds_what_is_out_of_range(void **state) {
    rs_error wrong = {.text = ""};
    (void)state;
    begin();
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_OK);
    v.idle = 0;
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_E_INVALID);
    assert_string_equal(wrong.text,
                        "--idle-timeout: '0' is out of range; allowed: 1 to 4294967295 ms");
    v.idle = UINT32_MAX;
    v.sndbuf = -2;
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_E_INVALID);
    assert_non_null(strstr(wrong.text, "'-2'"));
    v.sndbuf = -1;
    v.rate = 1000000.5;
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_E_INVALID);
    v.rate = -10;
    v.app = (app)3;
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_E_INVALID);
    assert_non_null(strstr(wrong.text, "--app"));
    v.app = APP_BOARD;
    assert_int_equal(rs_options_check(&table, &v, &wrong), RS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_lists_are_split_and_may_be_given_again),
        cmocka_unit_test(test_options_names_between_blanks),
        cmocka_unit_test(test_options_check_finds_what_is_out_of_range),
        cmocka_unit_test(test_options_none_keeps_every_default),
        cmocka_unit_test(test_options_every_kind_is_set_in_both_spellings),
        cmocka_unit_test(test_options_ends_of_every_range_are_taken),
        cmocka_unit_test(test_options_doubles_are_the_nearest),
        cmocka_unit_test(test_options_numbers_may_have_units),
        cmocka_unit_test(test_options_only_what_is_near_and_honoured_is_suggested),
        cmocka_unit_test(test_options_help_and_version_have_short_names),
        cmocka_unit_test(test_options_switch_alone_is_on),
        cmocka_unit_test(test_options_values_may_hold_equals_signs_and_one_dash),
        cmocka_unit_test(test_options_help_is_told_where_it_is_met),
        cmocka_unit_test(test_options_bad_input_names_option_value_and_allowed),
        cmocka_unit_test(test_options_before_an_error_keep_their_values),
        cmocka_unit_test(test_options_refused_value_leaves_the_target),
        cmocka_unit_test(test_options_unprintable_and_long_values_stay_one_line),
        cmocka_unit_test(test_options_error_buffer_of_any_size_is_kept_within),
        cmocka_unit_test(test_options_help_shows_range_default_and_unit),
        cmocka_unit_test(test_options_help_buffer_of_any_size_is_kept_within),
        cmocka_unit_test(test_options_ipv4_is_a_strict_dotted_quad),
        cmocka_unit_test(test_options_record_holds_every_option_but_the_refused_and_the_excepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
