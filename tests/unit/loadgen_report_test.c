/* SPDX-License-Identifier: MIT */
/* What the figures of a run mean: a run filled in by hand, every part with a value of its own, and
 * its JSON. A pass: each key holds what was put there for it, by arithmetic done here by hand. */
#include "loadgen/loadgen_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATH "loadgen_report_test.json"
#define SECOND UINT64_C(1000000000)
#define US UINT64_C(1000)

typedef struct report_bed {
    rs_load_settings settings;
    rs_load_run run;
    char reason[512];
    char json[16384];
} report_bed;

static void bed_stats(const rs_backend *backend, rs_backend_stats *out) {
    (void)backend;
    memset(out, 0, sizeof *out);
    out->provider = "by-hand";
}

static const rs_backend_api bed_api = {.name = "none", .stats = bed_stats};

static rs_backend_stats bed_calls(uint64_t recv, uint64_t send, uint64_t wakes) {
    return (rs_backend_stats){
        .count = 3,
        .stat = {{"recv", recv, true}, {"send", send, true}, {"wake-ups", wakes, false}}};
}

/* 1,000 replies in 2 s, and latencies of 1 to 1,000 us, each 100 times; before and after the
 * measurement all counters go on. */
static report_bed *bed_new(void) {
    report_bed *bed = calloc(1, sizeof *bed);
    rs_load *load;
    assert_non_null(bed);
    bed->settings = (rs_load_settings){.threads = 1,
                                       .connections = 4,
                                       .depth = 1,
                                       .size_text = "32",
                                       .size = rs_sizes_one(32),
                                       .seconds = 2,
                                       .rate_min_percent = 98,
                                       .pin = -1,
                                       .json_path = PATH};
    bed->run.settings = &bed->settings;
    bed->run.api = &bed_api;
    bed->run.measure_ns = 5 * SECOND;
    bed->run.end_ns = 7 * SECOND;
    bed->run.before.usage = (rs_os_usage){.known = RS_USE_CPU, .user_ns = 100, .kernel_ns = 1000};
    bed->run.after.usage =
        (rs_os_usage){.known = RS_USE_CPU, .user_ns = 3000100, .kernel_ns = 5001000};
    bed->run.before.stats = bed_calls(10, 20, 7);
    bed->run.after.stats = bed_calls(2010, 1020, 4007);
    load = &bed->run.load;
    load->settings = &bed->settings;
    load->columns.ok = load->columns.received = load->columns.sent = 1200;
    load->ends.connected = 4;
    load->measured = 1000;
    load->measured_sent_bytes = 32000;
    load->measured_received_bytes = 64000;
    rs_histogram_init(&load->uncorrected);
    rs_histogram_init(&load->corrected);
    rs_histogram_init(&load->pacing);
    rs_histogram_init(&load->first_reply);
    for (uint64_t i = 1; i <= 1000; i++) {
        rs_histogram_record_n(&load->uncorrected, i * US, 100);
    }
    return bed;
}

/* An open loop of rate a second; what was corrected lies 10 ms higher than the rest. */
static report_bed *bed_open_loop(uint32_t rate) {
    report_bed *bed = bed_new();
    bed->settings.rate = rate;
    for (uint64_t i = 1; i <= 1000; i++) {
        rs_histogram_record_n(&bed->run.load.corrected, 10000 * US + i * US, 100);
    }
    return bed;
}

static void bed_write(report_bed *bed) {
    FILE *file;
    size_t bytes;
    rs_report_void(&bed->run, bed->reason, sizeof bed->reason);
    assert_int_equal(rs_report_write_json(&bed->run, bed->reason, NULL), RS_OK);
    file = fopen(PATH, "rb");
    assert_non_null(file);
    bytes = fread(bed->json, 1, sizeof bed->json - 1u, file);
    bed->json[bytes] = '\0';
    assert_int_equal(fclose(file), 0);
    (void)remove(PATH);
}

/* The text behind "key": ; the first one behind `from`. */
static const char *bed_value(const report_bed *bed, const char *from, const char *key) {
    char name[64];
    const char *at = from[0] != '\0' ? strstr(bed->json, from) : bed->json;
    (void)snprintf(name, sizeof name, "\"%s\":", key);
    assert_non_null(at);
    at = strstr(at, name);
    if (at == NULL) {
        fail_msg("no %s behind '%s'", key, from);
        return "";
    }
    return at + strlen(name);
}

static double bed_number(const report_bed *bed, const char *from, const char *key) {
    return strtod(bed_value(bed, from, key), NULL);
}

static void check_near(double value, double expected, double part) {
    if (value < expected * (1 - part) || value > expected * (1 + part)) {
        fail_msg("%g, expected %g", value, expected);
    }
}

static bool bed_says(const report_bed *bed, const char *key, const char *words) {
    return strncmp(bed_value(bed, "", key), words, strlen(words)) == 0;
}

static void test_report_rate_and_megabytes_are_of_the_measured_time(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    assert_string_equal(bed->reason, "");
    check_near(bed_number(bed, "", "measured_s"), 2, 1e-9);
    check_near(bed_number(bed, "", "rate_per_s"), 500, 1e-9);
    check_near(bed_number(bed, "", "mb_per_s"), 500 * 32 / 1e6, 1e-6);
    check_near(bed_number(bed, "", "sent_mib_per_s"), 16000 / 1048576.0, 1e-4);
    check_near(bed_number(bed, "", "received_mib_per_s"), 32000 / 1048576.0, 1e-4);
    assert_int_equal(bed_number(bed, "", "measured_messages"), 1000);
    assert_true(bed_says(bed, "lives_per_s", "null"));
    assert_true(bed_says(bed, "rate_asked_per_s", "null"));
    assert_true(bed_says(bed, "pacing_ns", "null"));
    assert_true(bed_says(bed, "latency_corrected_ns", "null"));
    free(bed);
}

static void test_report_cpu_is_user_and_kernel_time_of_the_measurement(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    assert_int_equal(bed_number(bed, "\"cpu\"", "user_ns"), 3000000);
    assert_int_equal(bed_number(bed, "\"cpu\"", "kernel_ns"), 5000000);
    check_near(bed_number(bed, "\"cpu\"", "user_ns_per_message"), 3000, 1e-9);
    check_near(bed_number(bed, "\"cpu\"", "kernel_ns_per_message"), 5000, 1e-9);
    check_near(bed_number(bed, "\"cpu\"", "ns_per_message"), 8000, 1e-9);
    bed->run.after.usage.known = 0;
    bed_write(bed);
    assert_true(bed_says(bed, "cpu", "null"));
    free(bed);
}

/* 8 ms of CPU time in 2 s at first. */
static void test_report_own_limit_is_a_processor_in_full_use(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    check_near(bed_number(bed, "\"cpu\"", "share"), 0.004, 1e-9);
    assert_int_equal(strncmp(bed_value(bed, "\"cpu\"", "own_limit"), "false", 5), 0);
    bed->run.after.usage.user_ns = 100 + 1890000000;
    bed_write(bed); /* 1.895 s of 2 */
    assert_int_equal(strncmp(bed_value(bed, "\"cpu\"", "own_limit"), "false", 5), 0);
    bed->run.after.usage.user_ns = 100 + 1910000000;
    bed_write(bed);
    assert_int_equal(strncmp(bed_value(bed, "\"cpu\"", "own_limit"), "true", 4), 0);
    free(bed);
    bed = bed_open_loop(500); /* it polls between its sends */
    bed->run.after.usage.user_ns = 100 + 1910000000;
    assert_false(rs_report_own_limit(&bed->run));
    bed->settings.rate = 2000;
    assert_true(rs_report_own_limit(&bed->run));
    free(bed);
}

static void test_report_connect_rate_is_that_of_a_ramp(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    assert_true(bed_says(bed, "connects_per_s", "null"));
    bed->settings.ramp = true;
    bed->run.ramp_ns = SECOND / 100; /* four of them */
    bed_write(bed);
    check_near(bed_number(bed, "", "connects_per_s"), 400, 1e-9);
    free(bed);
}

/* Two runs of one load: what is counted adds up, histograms are as if recorded in one, times are
 * the outermost. */
static void test_report_of_two_threads_is_that_of_both(void **state) {
    report_bed *bed = bed_new(), *other = bed_new();
    rs_load *load = &other->run.load;
    (void)state;
    rs_histogram_init(&load->uncorrected);
    rs_histogram_record_n(&load->uncorrected, 7 * SECOND, 1000);
    load->columns = (rs_track_columns){1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    load->ends = (rs_load_ends){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    load->wrong = (rs_load_wrong){.seen = true, .asked = true, .connection = 2};
    load->measured = 500;
    load->first_replies = 3;
    other->run.measure_ns = 4 * SECOND;
    other->run.end_ns = 6 * SECOND;
    other->run.setup_ns = 77;
    other->run.stuck = 2;
    other->run.before.stats = bed_calls(1, 2, 3);
    other->run.after.stats = bed_calls(101, 202, 303);
    bed->settings.threads = 2;
    rs_load_run_merge(&bed->run, &other->run, 4);
    bed_write(bed);
    check_near(bed_number(bed, "", "measured_s"), 3, 1e-9);
    check_near(bed_number(bed, "", "rate_per_s"), 500, 1e-9);
    assert_int_equal(bed_number(bed, "", "measured_messages"), 1500);
    assert_int_equal(bed_number(bed, "\"counts\"", "sent"), 1201);
    assert_int_equal(bed_number(bed, "\"counts\"", "lost"), 4);
    assert_int_equal(bed_number(bed, "\"counts\"", "wrong"), 5);
    assert_int_equal(bed_number(bed, "\"counts\"", "refused"), 1);
    assert_int_equal(bed_number(bed, "\"counts\"", "half_closes_made"), 12);
    assert_int_equal(bed_number(bed, "\"counts\"", "connected"), 12);
    assert_int_equal(bed_number(bed, "\"counts\"", "stuck"), 2);
    assert_int_equal(bed_number(bed, "first_wrong", "connection"), 6);
    assert_int_equal(bed_number(bed, "\"latency_ns\"", "count"), 101000);
    check_near(bed_number(bed, "\"latency_ns\"", "max"), 7e9, 1e-9);
    assert_int_equal(bed_number(bed, "\"kernel_calls\"", "recv"), 2100);
    assert_int_equal(bed_number(bed, "\"kernel_calls\"", "send"), 1200);
    assert_int_equal(bed_number(bed, "", "setup_ns"), 77);
    check_near(bed_number(bed, "\"cpu\"", "share"), 0.008 / 3 / 2, 1e-3);
    assert_int_equal(bed->run.load.first_replies, 3);
    free(other);
    free(bed);
}

static void test_report_kernel_calls_are_calls_of_the_measurement(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    assert_int_equal(bed_number(bed, "\"kernel_calls\"", "recv"), 2000);
    assert_int_equal(bed_number(bed, "\"kernel_calls\"", "send"), 1000);
    assert_null(strstr(bed->json, "wake-ups"));
    check_near(bed_number(bed, "", "kernel_calls_per_message"), 3, 1e-9);
    free(bed);
}

static void check_percentiles(const report_bed *bed, const char *key, double add_us) {
    static const struct {
        const char *name;
        double us;
    } points[] = {{"min", 1},     {"p50", 500},     {"p90", 900}, {"p99", 990},
                  {"p99_9", 999}, {"p99_99", 1000}, {"max", 1000}};

    assert_int_equal(bed_number(bed, key, "count"), 100000);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        check_near(bed_number(bed, key, points[i].name), (points[i].us + add_us) * 1000, 1.0 / 64);
    }
    check_near(bed_number(bed, key, "mean"), (500.5 + add_us) * 1000, 1.0 / 64);
}

static void test_report_percentiles_are_in_nanoseconds(void **state) {
    report_bed *bed = bed_open_loop(500);
    (void)state;
    bed_write(bed);
    check_percentiles(bed, "\"latency_ns\"", 0);
    check_percentiles(bed, "\"latency_corrected_ns\"", 10000);
    free(bed);
}

/* Each count is a number that no other one has; each fault's makes the run void, the others' not.
 */
static void test_report_counts_stand_under_their_names(void **state) {
    static const char *const names[] = {
        "lost",   "wrong",       "reordered",        "duplicated",   "unknown",   "stale",
        "lost",   "wrong",       "reordered",        "duplicated",   "refused",   "reset",
        "closed", "timed_out",   "failed",           "stuck",        "abandoned", "connected",
        "lives",  "resets_made", "half_closes_made", "slow_dropped", "port_waits"};
    report_bed *bed = bed_new();
    rs_track_columns *columns = &bed->run.load.columns;
    rs_load_ends *ends = &bed->run.load.ends;
    rs_bots_columns *bots = &bed->run.bots.columns;
    uint64_t *const places[] = {&bots->lost,
                                &bots->wrong,
                                &bots->reordered,
                                &bots->duplicated,
                                &bots->unknown,
                                &bots->stale,
                                &columns->lost,
                                &columns->wrong,
                                &columns->reordered,
                                &columns->duplicated,
                                &ends->refused,
                                &ends->reset,
                                &ends->closed,
                                &ends->timed_out,
                                &ends->failed,
                                NULL,
                                &columns->abandoned,
                                &ends->connected,
                                &ends->lives,
                                &ends->resets_made,
                                &ends->half_closes_made,
                                &ends->slow_dropped,
                                &ends->port_waits};
    const size_t faults = 16;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char expected[64];

        if (places[i] != NULL) {
            *places[i] = 31 + i;
        } else {
            bed->run.stuck = (uint32_t)(31 + i);
        }
        bed_write(bed);
        assert_int_equal(bed_number(bed, "\"counts\"", names[i]), 31 + i);
        (void)snprintf(expected, sizeof expected, "%s %u", names[i], (unsigned)(31 + i));
        if (i < faults) {
            assert_string_equal(bed->reason, expected);
            assert_true(bed_says(bed, "valid", "false"));
        } else {
            assert_string_equal(bed->reason, "");
        }
        if (places[i] != NULL) {
            *places[i] = 0;
        } else {
            bed->run.stuck = 0;
        }
    }
    free(bed);
}

/* What others were told of is no message of ours, but a delivery. */
static void test_report_deliveries_of_the_board_are_counted_apart(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed_write(bed);
    assert_true(bed_says(bed, "board", "null"));
    bed->run.load.bots = &bed->run.bots;
    bed->run.load.measured_told = 1500;
    bed->run.bots.columns.deliveries = 3000;
    bed->run.bots.columns.arrivals = 41;
    bed->run.bots.columns.departures = 42;
    bed_write(bed);
    assert_string_equal(bed->reason, "");
    check_near(bed_number(bed, "", "rate_per_s"), 500, 1e-9);
    assert_int_equal(bed_number(bed, "\"board\"", "deliveries"), 3000);
    assert_int_equal(bed_number(bed, "\"board\"", "arrivals"), 41);
    assert_int_equal(bed_number(bed, "\"board\"", "departures"), 42);
    assert_int_equal(bed_number(bed, "\"board\"", "measured_deliveries"), 2500);
    check_near(bed_number(bed, "\"board\"", "deliveries_per_s"), 1250, 1e-9);
    check_near(bed_number(bed, "\"board\"", "deliveries_per_move"), 2.5, 1e-9);
    free(bed);
}

static void test_report_names_the_cause_where_there_is_no_doubt(void **state) {
    report_bed *bed = bed_new();
    rs_load *load = &bed->run.load;
    (void)state;
    bed->settings.target[0] = (rs_addr){.ip = 0x7F000001u, .port = 4321};
    load->columns.ok = load->columns.received = load->measured = 0;
    load->ends.connected = 0;
    load->ends.refused = 64;
    bed_write(bed);
    assert_string_equal(bed->reason, "nothing listens on 127.0.0.1:4321: refused 64");
    load->ends.refused = 0;
    load->ends.connected = 4;
    load->ends.closed = load->ends.unserved = 4;
    load->columns.lost = 4;
    bed_write(bed);
    assert_string_equal(bed->reason, "the server ended every connection after a frame of 32 bytes, "
                                     "without a reply (its --max-frame?): lost 4, closed 4");
    load->ends.connected = 64;
    load->columns.received = 60;
    bed_write(bed);
    assert_string_equal(bed->reason, "the server served 60 connections and ended 4 before their "
                                     "first reply (its --max-sessions?): lost 4, closed 4");
    assert_int_equal(bed_number(bed, "\"counts\"", "unserved"), 4);
    load->ends.unserved = 0; /* it did answer: no such simple cause */
    bed_write(bed);
    assert_string_equal(bed->reason, "lost 4, closed 4");
    free(bed);
}

static void test_report_shows_the_first_wrong_reply(void **state) {
    report_bed *bed = bed_new();
    rs_load_wrong *wrong = &bed->run.load.wrong;
    (void)state;
    bed_write(bed);
    assert_true(bed_says(bed, "first_wrong", "null"));
    *wrong = (rs_load_wrong){.seen = true,
                             .asked = true,
                             .connection = 3,
                             .sequence = 17,
                             .offset = 30,
                             .got_bytes = 32,
                             .expected = {0xAB, 0x01},
                             .got = {0xAB, 0x00},
                             .expected_shown = 2,
                             .got_shown = 2};
    bed->run.load.columns.wrong = 1;
    bed_write(bed);
    assert_string_equal(bed->reason, "connection 3, reply 17, offset 30: expected ab 01, got ab 00:"
                                     " wrong 1");
    assert_int_equal(bed_number(bed, "first_wrong", "connection"), 3);
    assert_int_equal(bed_number(bed, "first_wrong", "reply"), 17);
    assert_int_equal(bed_number(bed, "first_wrong", "offset"), 30);
    assert_int_equal(bed_number(bed, "first_wrong", "bytes"), 32);
    assert_int_equal(strncmp(bed_value(bed, "first_wrong", "expected"), "\"ab 01\"", 7), 0);
    assert_int_equal(strncmp(bed_value(bed, "first_wrong", "got"), "\"ab 00\"", 7), 0);
    wrong->got_shown = 0;
    bed_write(bed);
    assert_non_null(strstr(bed->reason, "got the end"));
    wrong->asked = false;
    wrong->got_shown = 1;
    bed_write(bed);
    assert_string_equal(bed->reason,
                        "connection 3: 32 bytes that no request was for, got ab: wrong 1");
    free(bed);
}

/* Ten values must lie beyond a percentile. */
static void test_report_percentiles_want_enough_values(void **state) {
    static const struct {
        const char *name;
        uint32_t percent_x1000;
        uint64_t least;
    } points[] = {{"p50", 50000, 20},
                  {"p90", 90000, 100},
                  {"p99", 99000, 1000},
                  {"p99_9", 99900, 10000},
                  {"p99_99", 99990, 100000}};
    report_bed *bed = bed_new();
    rs_histogram *latency = &bed->run.load.uncorrected;
    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        for (uint64_t less = 0; less < 2; less++) {
            rs_histogram_init(latency);
            rs_histogram_record_n(latency, 5 * US, points[i].least - less);
            bed_write(bed);
            assert_int_equal(rs_histogram_enough(latency->count, points[i].percent_x1000), !less);
            assert_int_equal(
                strncmp(bed_value(bed, "\"latency_ns\"", points[i].name), "null", 4) == 0, less);
        }
    }
    free(bed);
}

static void test_report_without_a_reply_in_the_measurement_is_void(void **state) {
    report_bed *bed = bed_new();
    (void)state;
    bed->run.load.measured = 0;
    bed_write(bed);
    assert_non_null(strstr(bed->reason, "nothing was measured"));
    assert_true(bed_says(bed, "rate_per_s", "null"));
    bed->settings.ramp = true; /* a ramp alone: its first replies are the measurement */
    bed->settings.seconds = 0;
    bed_write(bed);
    assert_non_null(strstr(bed->reason, "nothing was measured"));
    bed->run.ramp_ns = 1;
    bed_write(bed);
    assert_string_equal(bed->reason, "");
    bed->run.load.columns.ok = 0;
    bed_write(bed);
    assert_string_equal(bed->reason, "no reply was verified");
    free(bed);
}

/* 500 a second are reached. 510 asked for are 98.04 % of it; the shortest latency, 10 ms, and one
 * message are the edges of the measured time. */
static void test_report_below_rate_min_of_the_rate_asked_for_is_overloaded(void **state) {
    static const struct {
        uint32_t rate;
        double percent;
        bool overloaded;
    } rows[] = {{500, 98, false},    {505, 98, false},    {530, 98, true}, {530, 90, false},
                {2000000, 98, true}, {2000000, 0, false}, {400, 98, false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        report_bed *bed = bed_open_loop(rows[i].rate);

        bed->settings.rate_min_percent = rows[i].percent;
        bed->run.load.never_sent = 77;
        bed_write(bed);
        assert_int_equal(rs_report_overloaded(&bed->run), rows[i].overloaded);
        assert_true(bed_says(bed, "overloaded", rows[i].overloaded ? "true" : "false"));
        assert_true(bed_says(bed, "valid", rows[i].overloaded ? "false" : "true"));
        assert_int_equal(bed_number(bed, "", "rate_asked_per_s"), rows[i].rate);
        check_near(bed_number(bed, "", "rate_share"), 500.0 / rows[i].rate, 1e-2);
        assert_int_equal(bed_number(bed, "", "never_sent"), 77);
        assert_int_equal(strstr(bed->reason, "77 never sent") != NULL, rows[i].overloaded);
        free(bed);
    }
}

static void test_report_of_random_arrivals_asks_for_those_that_were_due(void **state) {
    (void)state;
    for (uint32_t due = 1000; due <= 1200; due += 200) { /* in two seconds */
        report_bed *bed = bed_open_loop(600);

        bed->settings.rate_min_percent = 98;
        bed->run.load.due = due;
        assert_true(rs_report_overloaded(&bed->run));
        bed->settings.arrivals = RS_ARRIVALS_POISSON;
        assert_int_equal(rs_report_overloaded(&bed->run), due == 1200);
        free(bed);
    }
}

/* The p50 that is reported lies at 10.5 ms: its tenth is 1.05 ms. */
static void test_report_pacing_error_above_a_tenth_of_the_p50_is_marked(void **state) {
    report_bed *bed = bed_open_loop(500);
    rs_histogram *pacing = &bed->run.load.pacing;
    (void)state;
    rs_histogram_record_n(pacing, 3 * US, 980);
    rs_histogram_record_n(pacing, 1000 * US, 20);
    bed_write(bed);
    assert_true(bed_says(bed, "paced_late", "false"));
    check_near(bed_number(bed, "\"pacing_ns\"", "p50"), 3000, 1.0 / 64);
    check_near(bed_number(bed, "\"pacing_ns\"", "p99"), 1000000, 1.0 / 64);
    rs_histogram_init(pacing);
    rs_histogram_record_n(pacing, 3 * US, 980);
    rs_histogram_record_n(pacing, 1100 * US, 20);
    bed_write(bed);
    assert_true(bed_says(bed, "paced_late", "true"));
    assert_string_equal(bed->reason, ""); /* marked, not void */
    free(bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_rate_and_megabytes_are_of_the_measured_time),
        cmocka_unit_test(test_report_cpu_is_user_and_kernel_time_of_the_measurement),
        cmocka_unit_test(test_report_own_limit_is_a_processor_in_full_use),
        cmocka_unit_test(test_report_connect_rate_is_that_of_a_ramp),
        cmocka_unit_test(test_report_of_two_threads_is_that_of_both),
        cmocka_unit_test(test_report_kernel_calls_are_calls_of_the_measurement),
        cmocka_unit_test(test_report_percentiles_are_in_nanoseconds),
        cmocka_unit_test(test_report_counts_stand_under_their_names),
        cmocka_unit_test(test_report_deliveries_of_the_board_are_counted_apart),
        cmocka_unit_test(test_report_names_the_cause_where_there_is_no_doubt),
        cmocka_unit_test(test_report_shows_the_first_wrong_reply),
        cmocka_unit_test(test_report_percentiles_want_enough_values),
        cmocka_unit_test(test_report_without_a_reply_in_the_measurement_is_void),
        cmocka_unit_test(test_report_below_rate_min_of_the_rate_asked_for_is_overloaded),
        cmocka_unit_test(test_report_of_random_arrivals_asks_for_those_that_were_due),
        cmocka_unit_test(test_report_pacing_error_above_a_tenth_of_the_p50_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
