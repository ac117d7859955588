/* SPDX-License-Identifier: MIT */
/* The map: which cells the rule lets in, who wins one, what every report shows of made-up results
 * of three servers, and a cell's file written and read again. A pass is the expected text, the same
 * figures, or a refusal that names the reason. */
#include "compare/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/map_cell.h"
#include "compare/report.h"
#include "compare/report_charts.h"
#include "compare/report_map.h"
#include "compare/settings.h"
#include "compare/svg.h"

#define REPEATS 6u
#define CELLS 3u
#define SERVERS 3u
#define NODES 4096u
#define MADE "machine: a; commit: 1; runs: 6"

static char *out;
static rs_compare_text text;
static rs_table *table;
static rs_compare_settings settings;
static rs_results results;
static rs_compare_run run[CELLS * SERVERS * REPEATS];
static rs_cell cell[CELLS * SERVERS];
static rs_recorded recorded[CELLS * SERVERS];
static rs_map map;
static rs_json_node node[NODES];

static void has(const char *words) {
    if (strstr(out, words) == NULL) {
        fail_msg("missing: %s", words);
    }
}

static void has_not(const char *words) {
    if (strstr(out, words) != NULL) {
        fail_msg("must not be there: %s", words);
    }
}

/* Rates over the floor's: of IOCP half; of RIO double in cell 0, the same in 1, anything in 2. */
static double made_rate(uint32_t scenario, uint32_t subject, uint32_t repeat) {
    const double rio[CELLS] = {2000, 1000 + repeat, repeat % 2 == 0 ? 1500 : 700};
    return subject == 0 ? 1000 : subject == 1 ? 500 + repeat : rio[scenario];
}

static void make_results(rs_platform platform) {
    static const char *const names[SERVERS] = {"epoll_server", "iocp_server", "rio_server"};
    static const char *const cells[CELLS] = {"1x1x32", "64x16x32", "1024x1x16384-64k"};
    memset(&results, 0, sizeof results);
    memset(recorded, 0, sizeof recorded);
    rs_map_make(&map);
    results.platform = platform;
    results.kind = RS_COMPARE_MAP;
    results.unfit_percent = 25;
    results.subjects = SERVERS;
    results.scenarios = CELLS;
    results.repeats = REPEATS;
    results.run = run;
    results.cell = cell;
    results.recorded = recorded;
    for (uint32_t i = 0; i < CELLS * SERVERS * REPEATS; i++) {
        const uint32_t subject = i / REPEATS % SERVERS;
        run[i] = (rs_compare_run){.state = RS_RUN_OK, .calls = 1};
        (void)snprintf(run[i].call[0].name, sizeof run[i].call[0].name, "<recv>");
        run[i].call[0].per_message = 0.5;
        for (uint32_t k = 0; k < RS_METRICS; k++) {
            run[i].value[k] = k == RS_METRIC_POOL ? (double)NAN : 1.25 + k;
        }
        run[i].value[RS_METRIC_RATE] = made_rate(i / (SERVERS * REPEATS), subject, i % REPEATS);
        run[i].value[RS_METRIC_CPU_SUM] = subject == 2 ? 5 : 10;
    }
    for (uint32_t i = 0; i < SERVERS; i++) {
        (void)snprintf(results.subject[i].name, RS_NAME_BYTES, "%s", names[i]);
        results.subject[i].wine = platform == RS_PLATFORM_WINE && i > 0;
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        results.scenario[i] = rs_map_find(&map, cells[i]);
        assert_non_null(results.scenario[i]);
    }
    for (uint32_t i = 0; i < CELLS * SERVERS; i++) {
        rs_settings_add(&recorded[i].server, "app", "echo");
        rs_settings_add(&recorded[i].server, "backlog", "9");
        rs_settings_add(&recorded[i].load, "size", "32");
    }
    rs_results_summarise(&results);
}

static int setup(void **state) {
    (void)state;
    rs_compare_text_init(&text, out, RS_REPORT_BYTES);
    make_results(RS_PLATFORM_WINE);
    return 0;
}

/* ---- the rule */

static void test_map_holds_what_the_rule_says(void **state) {
    uint32_t quick = 0, inside = 0, slow = 0;
    (void)state;
    for (uint32_t i = 0; i < map.cells; i++) {
        const rs_scenario *at = &map.cell[i].scenario;
        const double bytes = (double)at->connections * at->depth * at->frame_bytes;
        assert_true(bytes <= RS_MAP_BYTES_MAX);
        assert_ptr_equal(rs_map_find(&map, at->name), at);
        quick += rs_map_in_quick(at) ? 1 : 0;
        slow += at->least_s > 0 ? 1 : 0;
        assert_true((at->least_s > 0) == (at->connections == 1024 || bytes > 4 * 1048576.0));
    }
    for (uint32_t c = 0; c < RS_MAP_CONNECTIONS; c++) {
        for (uint32_t i = 0; i < RS_MAP_DEPTHS * RS_MAP_SIZES; i++) {
            const uint32_t size = rs_map_sizes[i % RS_MAP_SIZES];
            inside += rs_map_holds(rs_map_connections[c], rs_map_depths[i / RS_MAP_SIZES], size)
                          ? (size < RS_MAP_LARGE ? 1 : RS_MAP_BLOCKS)
                          : 0;
        }
    }
    assert_int_equal(map.cells, inside + 1); /* "writers" */
    assert_int_equal(map.cells, 82);
    assert_int_equal(slow, 22);
    const rs_load_time few = rs_scenario_time(rs_map_find(&map, "64x1x262144-4k"), 0.4, 0.1);
    assert_true(few.seconds > 0.79 && few.warmup_s > 0.19);
    const rs_load_time full = rs_scenario_time(rs_map_find(&map, "64x1x262144-4k"), 2, 0.5);
    assert_true(full.seconds > 1.99 && full.seconds < 2.01 && full.warmup_s < 0.51);
    assert_true(rs_scenario_time(rs_map_find(&map, "1x1x32"), 0.4, 0.1).seconds < 0.41);
    assert_int_equal(quick, 14);               /* 1024x16x16384 is left out */
    assert_true(rs_map_holds(1024, 1, 16384)); /* exactly 16 MiB */
    assert_false(rs_map_holds(1024, 1, 16385));
    assert_null(rs_map_find(&map, "1024x1x262144-4k"));
    assert_null(rs_map_find(&map, "64x1x16384")); /* large, so with its block */
    assert_null(rs_map_find(&map, "64x1x512-4k"));
    assert_null(rs_map_find(&map, "2x1x32"));
}

static void test_map_large_frames_are_told_to_the_server(void **state) {
    static rs_args args;
    const rs_load_time time = {.seconds = 1, .warmup_s = 1};
    (void)state;
    rs_args_init(&args);
    rs_scenario_server_args(rs_map_find(&map, "64x4x16384-4k"), false, &args);
    assert_int_equal(args.count, 8);
    assert_string_equal(args.text[1], "79");
    assert_string_equal(args.text[2], "--max-frame");
    assert_string_equal(args.text[3], "16384");
    assert_string_equal(args.text[4], "--max-queued");
    rs_args_init(&args);
    rs_scenario_server_args(rs_map_find(&map, "64x4x512"), false, &args);
    assert_int_equal(args.count, 2);
    rs_scenario_load_args(rs_map_find(&map, "64x4x512"), &time, &args);
    assert_string_equal(args.text[3], "64");
    assert_string_equal(args.text[5], "4");
    assert_string_equal(args.text[7], "512");
}

static bool asks(const rs_args *args, const char *option, const char *value) {
    for (uint32_t i = 0; i + 1 < args->count; i++) {
        if (strcmp(args->text[i], option) == 0) {
            return strcmp(args->text[i + 1], value) == 0;
        }
    }
    return false;
}

static void test_map_messages_beyond_a_frame_are_raw(void **state) {
    static rs_args args;
    const rs_load_time time = {.seconds = 1, .warmup_s = 1};
    const rs_scenario *shape = rs_map_find(&map, "16x4x262144-4k");
    (void)state;
    rs_args_init(&args);
    rs_scenario_server_args(shape, false, &args);
    assert_true(asks(&args, "--app", "raw") && asks(&args, "--send-block", "4096"));
    assert_true(asks(&args, "--recv-buffer", "65536"));
    assert_false(asks(&args, "--max-frame", "262144"));
    rs_args_init(&args);
    rs_scenario_load_args(shape, &time, &args);
    assert_true(asks(&args, "--app", "raw") && asks(&args, "--size", "262144"));
    assert_false(asks(&args, "--coalesce", "off"));
    rs_args_init(&args);
    rs_scenario_server_args(rs_map_find(&map, "1x1x16384-64k"), false, &args);
    assert_true(asks(&args, "--max-frame", "16384") && asks(&args, "--send-block", "65536"));
    assert_false(asks(&args, "--app", "raw"));
}

static void test_map_writers_share_a_connection_and_write_alone(void **state) {
    static rs_args args;
    const rs_load_time time = {.seconds = 1, .warmup_s = 1};
    const rs_scenario *shape = rs_map_find(&map, RS_MAP_WRITERS);
    char sends[RS_MAP_SENDS_BYTES];
    (void)state;
    assert_non_null(shape);
    assert_true(rs_map_in_quick(shape));
    rs_args_init(&args);
    rs_scenario_load_args(shape, &time, &args);
    assert_true(asks(&args, "--connections", "1") && asks(&args, "--depth", "50"));
    assert_true(asks(&args, "--coalesce", "off") && asks(&args, "--sends-in-flight", "16"));
    rs_map_sends(sends, shape);
    assert_string_equal(sends, "one a request");
    rs_map_sends(sends, rs_map_find(&map, "1x1x16384-64k"));
    assert_string_equal(sends, "blocks of 65,536");
    rs_map_sends(sends, rs_map_find(&map, "1x1x32"));
    assert_string_equal(sends, "");
}

/* As --app raw a server counts pieces: the messages are loadgen's, and the bytes must match. */
static void test_map_raw_messages_are_those_of_the_load(void **state) {
    static const struct {
        const char *server;
        uint32_t state;
    } rows[] = {{"{\"messages\":640,\"bytes\":5242880}", RS_RUN_OK},
                {"{\"messages\":640,\"bytes\":5242879}", RS_RUN_VOID}};
    static const char load[] = "{\"valid\":true,\"counts\":{\"sent\":10},\"rate_per_s\":5,"
                               "\"latency_ns\":{\"p50\":7000}}";
    static rs_json_node loads[NODES];
    const rs_scenario *raw = rs_map_find(&map, "1x1x262144-4k");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const rs_observed observed = {.cpu_ns = 50000};
        rs_compare_run made;
        rs_json_doc server, doc;
        assert_true(
            rs_json_read_parse(&server, rows[i].server, strlen(rows[i].server), node, NODES));
        assert_true(rs_json_read_parse(&doc, load, strlen(load), loads, NODES));
        rs_result_read(&made, raw, &server, &doc, &observed);
        assert_int_equal(made.state, rows[i].state);
        assert_true(made.state == RS_RUN_VOID || fabs(made.value[RS_METRIC_CPU] - 5) < 1e-9);
    }
}

static void test_map_a_win_is_more_than_5_percent_and_settled(void **state) {
    static const struct {
        rs_interval rate;
        rs_map_winner wins;
    } cases[] = {{{1.2, 1.1, 1.3, 6, 0, false}, RS_MAP_SERVER},
                 {{0.8, 0.7, 0.9, 6, 0, false}, RS_MAP_BASE},
                 {{1.04, 1.01, 1.2, 6, 0, false}, RS_MAP_WITHIN},
                 {{0.96, 0.9, 0.99, 6, 0, false}, RS_MAP_WITHIN},
                 {{1.0, 0.98, 1.02, 6, 0, false}, RS_MAP_WITHIN},
                 {{1.2, 0.9, 1.3, 6, 0, false}, RS_MAP_NOT_SEPARABLE},
                 {{1.2, 1.1, 1.3, 2, 0, false}, RS_MAP_TOO_FEW},
                 {{NAN, NAN, NAN, 0, 0, false}, RS_MAP_TOO_FEW}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rs_map_judge(&cases[i].rate), cases[i].wins);
    }
}

/* ---- reports */

static void test_map_table_has_a_row_for_each_cell_and_server(void **state) {
    (void)state;
    rs_report_table(&results, table);
    assert_int_equal(table->rows, CELLS * SERVERS);
    assert_string_equal(table->cell[2][0], "1");
    assert_string_equal(table->cell[2][2], "32");
    assert_string_equal(table->cell[2][3], "");
    assert_string_equal(table->cell[8][3], "blocks of 65,536");
    assert_string_equal(table->cell[2][4], "rio_server");
    assert_string_equal(table->header[5], "wins by more than 5 %");
    assert_string_equal(table->cell[0][5], "-");
    assert_string_equal(table->cell[1][5], "epoll_server"); /* the floor wins over IOCP */
    assert_string_equal(table->cell[2][5], "rio_server");
    assert_string_equal(table->cell[5][5], "within 5 %");
    assert_string_equal(table->cell[8][5], "not separable");
    assert_string_equal(table->header[6], "rate / floor");
    assert_string_equal(table->cell[2][6], "2.00 (2.00 to 2.00)");
    assert_string_equal(table->cell[2][7], "0.50 (0.50 to 0.50)");
    assert_string_equal(table->header[16], "completions/dequeue");
    assert_string_equal(table->cell[2][17], "Wine");
    assert_string_equal(table->cell[8][0], "1,024");
}

typedef void (*report_fn)(const rs_results *, rs_table *, rs_compare_text *);

static void test_map_reports_count_the_cells_and_name_the_rule(void **state) {
    static const report_fn reports[] = {rs_report_console, rs_report_markdown, rs_report_html};
    (void)state;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        const char *name = reports[i] == rs_report_markdown ? "rio\\_server" : "rio_server";
        char words[160];
        rs_compare_text_init(&text, out, RS_REPORT_BYTES);
        reports[i](&results, table, &text);
        (void)snprintf(words, sizeof words, "%s against epoll", name);
        has(words);
        has("more by over 5 % in 1 of 3 cells, less in 0, within 5 % in 1, not separable in 1");
        has("is above 16 MiB");
        has(" 1024x1x262144");
        has_not(" 1024x1x16384 1024x4x16384");
        has("about Wine and not Windows");
        has("Wine cannot decide");
        assert_false(text.overflow);
    }
}

static void test_map_page_has_heat_maps_against_the_floor_alone(void **state) {
    (void)state;
    rs_report_html(&results, table, &text);
    has("Each server over the floor");
    has("rio_server: rate, 32 bytes");
    has("rio_server: CPU, 16,384 bytes, 64k blocks");
    has_not("16,384 bytes, 4k blocks"); /* no cell of it was measured */
    has("iocp_server: rate, 32 bytes");
    has_not("epoll_server: rate");
    has_not("rate, 512 bytes"); /* no cell of it was measured */
    has_not("RIO over IOCP");
    has_not("Kernel calls per message");
    has(">2.00</text>");
    has("class=\"h6\"");
    rs_compare_text_init(&text, out, RS_REPORT_BYTES);
    results.subject[0].wine = true; /* no floor */
    rs_results_summarise(&results);
    rs_report_html(&results, table, &text);
    has("no ratios");
    has_not("<g class=\"h");
}

static uint32_t times(const char *words) {
    uint32_t count = 0;
    for (const char *at = out; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

/* A machine that cannot tell CPU time: its column is there, with a dash for each server. */
static void test_map_chart_keeps_its_columns_without_cpu(void **state) {
    (void)state;
    for (uint32_t i = 0; i < CELLS * SERVERS * REPEATS; i++) {
        run[i].value[RS_METRIC_CPU_SUM] = (double)NAN;
    }
    rs_results_summarise(&results);
    rs_chart_ratios(&results, &text);
    assert_int_equal(times("<div class=\"lb\">"), 2 + 2); /* two of the head; iocp and rio */
    assert_int_equal(times("<div class=\"v"), 2 * 2);
    assert_int_equal(times("<div class=\"v\">-</div>"), 2);
}

static void test_map_on_windows_is_against_iocp_and_decides_nothing(void **state) {
    (void)state;
    make_results(RS_PLATFORM_WINDOWS);
    rs_report_html(&results, table, &text);
    has("Each server over iocp_server");
    has("rio_server against iocp_server, messages a second: more by over 5 % in 3 of 3 cells");
    has_not("about Wine");
    assert_non_null(strstr(results.verdict.text, "--map"));
}

static void test_map_csv_and_json_have_the_coordinates(void **state) {
    size_t length = 0;
    (void)state;
    rs_report_csv(&results, &text);
    has(",connections,in_flight,frame_bytes,sends,wins\n");
    has(",64,16,32,,within 5 %\n");
    has(",1024,1,16384,\"blocks of 65,536\",not separable\n");
    assert_true(rs_report_json(&results, out, RS_REPORT_BYTES, &length));
    has("\"connections\":64,\"in_flight\":16,\"frame_bytes\":32,\"sends\":\"\",\"wins\":\"within 5 "
        "%\"");
    has("\"map\":[\"");
    results.kind = RS_COMPARE_SERVERS;
    rs_compare_text_init(&text, out, RS_REPORT_BYTES);
    rs_report_csv(&results, &text);
    has_not("in_flight");
}

static void test_heat_shows_steps_numbers_and_brackets(void **state) {
    static const uint32_t column[] = {1, 2}, row[] = {7};
    rs_heat heat = {.columns = 2,
                    .rows = 1,
                    .column = column,
                    .row = row,
                    .columns_are = "<a>",
                    .rows_are = "b",
                    .more_is_better = true,
                    .within = 1.05};
    static const struct {
        double middle;
        uint32_t step;
    } steps[] = {{2, 6}, {1.5, 5}, {1.1, 4}, {1.04, 3}, {0.97, 3}, {0.9, 2}, {0.75, 1}, {0.5, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const double middle = steps[i].middle;
        const rs_interval ratio = {middle, middle * 0.999, middle * 1.001, 6, 0, false};
        heat.more_is_better = true;
        assert_int_equal(rs_svg_heat_step(&heat, &ratio), steps[i].step);
        heat.more_is_better = false;
        assert_int_equal(rs_svg_heat_step(&heat, &ratio), 6 - steps[i].step);
    }
    heat.ratio[0][0] = (rs_interval){3, 0.5, 9, 6, 0, false};
    rs_svg_heat(&text, "<title>", &heat);
    has("&lt;title&gt;");
    has(">(3.00)</text>");
    has("<g class=\"h3\">");
    has(">-</text>");
    has("0.500 to 9.000");
}

/* ---- a cell's file */

static void parse(rs_json_doc *doc, uint32_t scenario) {
    size_t length = 0;
    assert_true(rs_map_cell_json(&results, scenario, MADE, out, RS_REPORT_BYTES, &length));
    assert_true(rs_json_read_parse(doc, out, length, node, NODES));
}

static void test_map_cell_reads_what_it_wrote(void **state) {
    static rs_compare_run before[CELLS * SERVERS * REPEATS];
    char other[256];
    rs_json_doc doc;
    (void)state;
    rs_results_run(&results, 1, 2, 3)->disturbed = true;
    memset(rs_results_run(&results, 1, 1, 5), 0, sizeof(rs_compare_run));
    rs_result_beyond(rs_results_run(&results, 1, 1, 5), "ends at %u", 63u);
    memcpy(before, run, sizeof run);
    parse(&doc, 1);
    memset(run, 0, sizeof run);
    memset(recorded, 0, sizeof recorded);
    assert_int_equal(rs_map_cell_read(&results, 1, MADE, &doc, other, sizeof other),
                     RS_MAP_CELL_KEPT);
    for (uint32_t i = 0; i < CELLS * SERVERS * REPEATS; i++) {
        const bool own = i / (SERVERS * REPEATS) == 1;
        assert_int_equal(run[i].state, own ? before[i].state : RS_RUN_NOT);
        assert_int_equal(run[i].disturbed, own && before[i].disturbed);
        assert_string_equal(run[i].why, own ? before[i].why : "");
        for (uint32_t k = 0; run[i].state == RS_RUN_OK && k < RS_METRICS; k++) {
            const double was = before[i].value[k], is = run[i].value[k];
            assert_int_equal(rs_is_known(was), rs_is_known(is));
            assert_true(!rs_is_known(was) || fabs(is - was) < 1e-6);
        }
        if (run[i].state == RS_RUN_OK) {
            assert_int_equal(run[i].calls, 1);
            assert_string_equal(run[i].call[0].name, "<recv>");
        }
    }
    assert_int_equal(recorded[1 * SERVERS].server.count, 2);
    assert_string_equal(recorded[1 * SERVERS].server.setting[1].name, "backlog");
    assert_string_equal(recorded[1 * SERVERS].server.setting[1].value, "9");
    assert_string_equal(recorded[1 * SERVERS].load.setting[0].value, "32");
    assert_int_equal(recorded[0].server.count, 0);
}

static void test_map_cell_of_another_way_is_refused(void **state) {
    char other[256];
    rs_json_doc doc;
    (void)state;
    parse(&doc, 0);
    assert_int_equal(
        rs_map_cell_read(&results, 0, "machine: a; commit: 2; runs: 6", &doc, other, sizeof other),
        RS_MAP_CELL_OTHER);
    assert_string_equal(other, "'commit: 1', now 'commit: 2'");
    assert_int_equal(rs_map_cell_read(&results, 0, "", &doc, other, sizeof other),
                     RS_MAP_CELL_OTHER);
}

static void test_map_cell_void_or_not_whole_is_measured_again(void **state) {
    static rs_compare_run before[CELLS * SERVERS * REPEATS];
    char other[256];
    rs_json_doc doc;
    (void)state;
    rs_result_void(rs_results_run(&results, 0, 2, 5), "lost");
    parse(&doc, 0);
    memcpy(before, run, sizeof run);
    before[0].disturbed = true;
    memcpy(run, before, sizeof run);
    assert_int_equal(rs_map_cell_read(&results, 0, MADE, &doc, other, sizeof other),
                     RS_MAP_CELL_AGAIN);
    assert_true(run[0].disturbed);                                        /* nothing was changed */
    memset(rs_results_run(&results, 0, 2, 5), 0, sizeof(rs_compare_run)); /* not made */
    parse(&doc, 0);
    assert_int_equal(rs_map_cell_read(&results, 0, MADE, &doc, other, sizeof other),
                     RS_MAP_CELL_AGAIN);
    setup(NULL);
    parse(&doc, 0);
    char *at = strstr(out, "\"void\":false"); /* by hand: its figures are there */
    assert_non_null(at);
    memcpy(at, "\"void\":true ", strlen("\"void\":true "));
    assert_true(rs_json_read_parse(&doc, out, strlen(out), node, NODES));
    assert_int_equal(rs_map_cell_read(&results, 0, MADE, &doc, other, sizeof other),
                     RS_MAP_CELL_AGAIN);
    parse(&doc, 0);
    (void)snprintf(results.subject[1].name, RS_NAME_BYTES, "mine"); /* a server it has not */
    assert_int_equal(rs_map_cell_read(&results, 0, MADE, &doc, other, sizeof other),
                     RS_MAP_CELL_AGAIN);
}

/* ---- the command line */

#define READ(...)                                                                                  \
    rs_compare_settings_read(                                                                      \
        &settings, (int)(sizeof((const char *const[]){"compare", __VA_ARGS__}) / sizeof(char *)),  \
        (const char *const[]){"compare", __VA_ARGS__}, out, RS_REPORT_BYTES)

static void test_map_settings(void **state) {
    static const char *const bad[][3] = {{"--map", "--cells", "1024x64x262144-4k"},
                                         {"--map", "--cells", "1x1"},
                                         {"--map", "--scenario", "wide"},
                                         {"--quick", "--cells", "1x1x32"},
                                         {"--quick", "--resume", "a"}};
    (void)state;
    assert_int_equal(READ("--map"), -1);
    assert_int_equal(settings.kind, RS_COMPARE_MAP);
    assert_int_equal(settings.scenarios, 82);
    assert_int_equal(settings.early, 82);
    assert_int_equal(settings.repeats, 6);
    assert_int_equal(READ("--map", "--quick"), -1);
    assert_int_equal(settings.scenarios, 14);
    assert_int_equal(READ("--map", "--full"), -1);
    assert_int_equal(settings.scenarios, 82);
    assert_int_equal(settings.repeats, 10);
    assert_int_equal(READ("--map", "--cells", "64x1x32,1x1x32", "--resume", "d"), -1);
    assert_int_equal(settings.scenarios, 2);
    assert_string_equal(settings.scenario[0]->name, "1x1x32");
    assert_string_equal(settings.out, "d");
    assert_int_equal(READ("--map", "--list"), 0);
    has("1x1x32           1 connection, 1 in flight on each, frames of 32 bytes (--quick)\n");
    has("16x4x262144-64k  16 connections");
    has("writers          1 connection, 50 writers");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(READ(bad[i][0], bad[i][1], bad[i][2]), 2);
        assert_non_null(strstr(out, bad[i][1]));
    }
    assert_int_equal(READ("--map", "--resume", "a", "--out", "b"), 2);
    assert_int_equal(READ("--map", "--ladder"), 2);
    assert_int_equal(READ("--map", "--quick", "--full"), 2);
}

static int group_setup(void **state) {
    (void)state;
    out = malloc(RS_REPORT_BYTES);
    table = malloc(sizeof *table);
    return out != NULL && table != NULL ? 0 : -1;
}

static int group_teardown(void **state) {
    (void)state;
    free(table);
    free(out);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_map_holds_what_the_rule_says, setup),
        cmocka_unit_test_setup(test_map_large_frames_are_told_to_the_server, setup),
        cmocka_unit_test_setup(test_map_messages_beyond_a_frame_are_raw, setup),
        cmocka_unit_test_setup(test_map_writers_share_a_connection_and_write_alone, setup),
        cmocka_unit_test_setup(test_map_raw_messages_are_those_of_the_load, setup),
        cmocka_unit_test_setup(test_map_a_win_is_more_than_5_percent_and_settled, setup),
        cmocka_unit_test_setup(test_map_table_has_a_row_for_each_cell_and_server, setup),
        cmocka_unit_test_setup(test_map_reports_count_the_cells_and_name_the_rule, setup),
        cmocka_unit_test_setup(test_map_page_has_heat_maps_against_the_floor_alone, setup),
        cmocka_unit_test_setup(test_map_chart_keeps_its_columns_without_cpu, setup),
        cmocka_unit_test_setup(test_map_on_windows_is_against_iocp_and_decides_nothing, setup),
        cmocka_unit_test_setup(test_map_csv_and_json_have_the_coordinates, setup),
        cmocka_unit_test_setup(test_heat_shows_steps_numbers_and_brackets, setup),
        cmocka_unit_test_setup(test_map_cell_reads_what_it_wrote, setup),
        cmocka_unit_test_setup(test_map_cell_of_another_way_is_refused, setup),
        cmocka_unit_test_setup(test_map_cell_void_or_not_whole_is_measured_again, setup),
        cmocka_unit_test_setup(test_map_settings, setup),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
