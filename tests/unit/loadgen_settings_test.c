/* SPDX-License-Identifier: MIT */
/* What a command line of loadgen comes to, where one option decides about another. A pass: the
 * settings are the expected ones; what makes no sense ends in the exit code of a bad command line.
 */
#include "loadgen/loadgen_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX 16

/* words: the arguments, separated by blanks. Returns what rs_load_settings_read does. */
static int read_line(rs_load_settings *settings, const char *words) {
    static char copy[256];
    const char *argv[ARGS_MAX] = {"loadgen"};
    int argc = 1;
    assert_true(strlen(words) < sizeof copy);
    (void)strcpy(copy, words);
    for (char *at = strtok(copy, " "); at != NULL; at = strtok(NULL, " ")) {
        assert_true(argc < ARGS_MAX);
        argv[argc++] = at;
    }
    return rs_load_settings_read(settings, argc, argv);
}

static void test_settings_churn_on_loopback_comes_from_many_addresses(void **state) {
    static const struct {
        const char *words;
        uint32_t source_ip, sources;
    } rows[] = {
        {"", 0, 0},
        {"--churn", 0x7F000002u, 250},
        {"--churn --host 127.3.2.1", 0x7F000002u, 250},
        {"--churn --host 10.0.0.1", 0, 0},
        {"--churn --sources 0", 0, 0},
        {"--churn --sources 3", 0x7F000002u, 3},
        {"--sources 9", 0x7F000002u, 9},
        {"--source 127.0.0.7", 0x7F000007u, 1},
        {"--churn --source 127.0.0.7", 0x7F000007u, 1},
        {"--host 10.0.0.1 --source 10.0.0.2 --sources 4", 0x0A000002u, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rs_load_settings settings;

        assert_int_equal(read_line(&settings, rows[i].words), -1);
        assert_int_equal(settings.sources, rows[i].sources);
        assert_int_equal(settings.source.ip, rows[i].source_ip);
    }
}

static void test_settings_source_has_the_servers_family(void **state) {
    static const char *const refused[] = {"--host ::1 --source 127.0.0.2",
                                          "--source ::1",
                                          "--host ::1 --sources 2",
                                          "--host ::1 --source ::ffff:ffff --sources 2",
                                          "--source 255.255.255.255 --sources 2",
                                          "--source 127.0.0",
                                          "--source here",
                                          "--target 127.0.0.1:1,[::1]:1 --source ::1"};
    rs_load_settings settings;
    rs_addr addr;
    (void)state;
    assert_int_equal(read_line(&settings, "--host ::1 --source ::1"), -1);
    assert_int_equal(settings.sources, 1);
    assert_true(rs_addr_parse("::1", &addr));
    assert_memory_equal(settings.route[0][1].ip6, addr.ip6, sizeof addr.ip6);
    assert_int_equal(settings.route[0][0].family, RS_ADDR_V6);
    assert_int_equal(read_line(&settings,
                               "--target [::1]:1,[::1]:2 --connections 2 --source fe80::1%1 "
                               "--sources 9"),
                     -1);
    assert_int_equal(settings.route[1][0].port, 2);
    assert_int_equal(settings.route[1][1].scope, 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_line(&settings, refused[i]) != 2) {
            fail_msg("%s is taken", refused[i]);
        }
    }
}

static void test_settings_board_sends_moves(void **state) {
    static const char *const refused[] = {
        "--size 33",    "--size 3",          "--size 4..32",           "--reply-size 32", "--churn",
        "--verify off", "--reset-percent 1", "--half-close-percent 1", "--slow-percent 1"};
    rs_load_settings settings;
    (void)state;
    assert_int_equal(read_line(&settings, "--app board"), -1);
    assert_int_equal(settings.size.max, 4);
    assert_int_equal(read_line(&settings, "--app board --size 32"), -1);
    assert_int_equal(settings.size.max, 32);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "--app board %s", refused[i]);
        assert_int_equal(read_line(&settings, line), 2);
    }
}

static void test_settings_replies_have_sizes_of_their_own(void **state) {
    static const char *const refused[] = {"--size 2",
                                          "--size 64k",
                                          "--app raw --size 257k",
                                          "--app raw --size 14,64k",
                                          "--size 32..16",
                                          "--size 32:0",
                                          "--size 1.5",
                                          "--size ,",
                                          "--size 32,",
                                          "--size ..",
                                          "--reply-size 10",
                                          "--size 16 --reply-size 32",
                                          "--size x",
                                          "--size 32:",
                                          "--size 3..2",
                                          "--reply-size 64k",
                                          "--app raw --reply-size 32",
                                          "--size -5",
                                          "--size 32b:",
                                          "--size 32::2",
                                          "--reply-size 0..9",
                                          "--reply-size 0:1",
                                          "--reply-size 0 --size 16",
                                          "--reply-size 0 --find-rate p99=1ms",
                                          "--reply-size 0 --app board",
                                          "--app board --reply-size 32"};
    rs_load_settings settings;
    (void)state;
    assert_int_equal(read_line(&settings, ""), -1);
    assert_int_equal(settings.size.min, 32);
    assert_int_equal(settings.size.max, 32);
    assert_int_equal(settings.reply.count, 0);
    assert_int_equal(read_line(&settings, "--size 17..1k --reply-size 11:3,60k"), -1);
    assert_int_equal(settings.size.max, 1024);
    assert_int_equal(settings.reply.min, 11);
    assert_int_equal(settings.reply.max, 60 * 1024);
    assert_false(rs_load_pushes(&settings));
    assert_int_equal(read_line(&settings, "--app raw --size 15,256k"), -1);
    assert_int_equal(settings.size.max, 262144);
    assert_true(rs_load_streams(&settings));
    assert_int_equal(read_line(&settings, "--app raw --size 65535"), -1);
    assert_false(rs_load_streams(&settings));
    assert_int_equal(read_line(&settings, "--reply-size 0"), -1);
    assert_true(rs_load_pushes(&settings));
    assert_false(rs_load_sinks(&settings));
    assert_int_equal(read_line(&settings, "--reply-size 0 --app raw --rate 1k --size 3"), -1);
    assert_true(rs_load_pushes(&settings) && rs_load_sinks(&settings));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_line(&settings, refused[i]) != 2) {
            fail_msg("%s is taken", refused[i]);
        }
    }
}

static void test_settings_sources_elsewhere_need_an_address(void **state) {
    rs_load_settings settings;
    (void)state;
    assert_int_equal(read_line(&settings, "--host 10.0.0.1 --sources 4"), 2);
    assert_int_equal(read_line(&settings, "--source 255.255.255.250 --sources 9"), 2);
}

/* What is recorded is what held. */
static void test_settings_seconds_are_those_that_hold(void **state) {
    static const struct {
        const char *words;
        double seconds, warmup_s;
        bool ramp_only;
    } rows[] = {
        {"", 10, 1, false},
        {"--seconds 3 --warmup 2", 3, 2, false},
        {"--messages 5", 0, 0, false},
        {"--messages 5 --seconds 3", 3, 0, false},
        {"--ramp", 0, 0, true},
        {"--ramp --seconds 3", 3, 0, false},
        {"--churn", 10, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rs_load_settings settings;

        assert_int_equal(read_line(&settings, rows[i].words), -1);
        assert_true(settings.seconds == rows[i].seconds);
        assert_true(settings.warmup_s == rows[i].warmup_s);
        assert_int_equal(settings.ramp_only, rows[i].ramp_only);
    }
}

static void test_settings_find_rate_is_a_percentile_and_a_bound(void **state) {
    static const struct {
        const char *words;
        uint32_t x1000;
        uint64_t ns;
    } rows[] = {{"--find-rate p99=2ms", 99000, 2000000},
                {"--find-rate p99.9=500us", 99900, 500000},
                {"--find-rate=p50=1.5s", 50000, 1500000000},
                {"--find-rate p99.99=10ms --seconds 4", 99990, 10000000}};
    static const char *const bad[] = {
        "p99",     "p99=",     "p99=2",    "p99=2kb",     "p=2ms",
        "q99=2ms", "p100=2ms", "p0=2ms",   "99=2ms",      "p99=-1ms",
        "p99=0ms", "p99=2h",   "p1e1=2ms", "p99.9.9=2ms", "p99999999999999999999=2ms"};
    static const char *const conflicts[] = {"--rate 5", "--messages 5", "--ramp", "--churn",
                                            "--seconds 0"};
    rs_load_settings settings;
    char words[96];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(read_line(&settings, rows[i].words), -1);
        assert_int_equal(settings.find_x1000, rows[i].x1000);
        assert_true(settings.find_ns == rows[i].ns);
        assert_true(settings.seconds == (i < 3 ? 2.0 : 4.0));
        assert_true(settings.warmup_s == 0.5);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(words, sizeof words, "--find-rate %s", bad[i]);
        if (read_line(&settings, words) != 2) {
            fail_msg("%s is taken", words);
        }
    }
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++) {
        (void)snprintf(words, sizeof words, "--find-rate p99=2ms %s", conflicts[i]);
        assert_int_equal(read_line(&settings, words), 2);
    }
    assert_int_equal(read_line(&settings, "--arrivals poisson"), 2);
    assert_int_equal(read_line(&settings, "--arrivals poisson --rate 1k"), -1);
    assert_int_equal(read_line(&settings, "--json - --series -"), 2);
}

static void test_settings_targets_take_turns(void **state) {
    static const char *const refused[] = {"--target 127.0.0.1",
                                          "--target :5",
                                          "--target 127.0.0.1:0",
                                          "--target 127.0.0.1:",
                                          "--target 127.0.0.1:1k",
                                          "--target 127.0.0.1:65536",
                                          "--target 127.0.0:5",
                                          "--target ::1:5",
                                          "--target [::1]",
                                          "--target [::1:5",
                                          "--host 1.2.3",
                                          "--host ::x",
                                          "--host ::1 --source 127.0.0.2",
                                          "--target 1.2.3.4:5 --port 6",
                                          "--target 1.2.3.4:5 --host 1.2.3.4",
                                          "--target 1.2.3.4:5,1.2.3.4:6 --connections 1",
                                          "--per-connection - --hdr -",
                                          "--target 127.0.0.1:5,127.0.0.1:6 --app board"};
    rs_load_settings settings, part;
    char text[RS_LOAD_TARGET_BYTES];
    uint32_t first;
    (void)state;
    assert_int_equal(read_line(&settings, "--host 10.0.0.9 --port 77"), -1);
    assert_int_equal(settings.targets, 1);
    assert_string_equal(rs_load_target_text(&settings, 0, text), "10.0.0.9:77");
    assert_int_equal(read_line(&settings, "--host ::1 --port 77 --churn"), -1);
    assert_string_equal(rs_load_target_text(&settings, 0, text), "[::1]:77");
    assert_int_equal(settings.sources, 0);
    assert_int_equal(read_line(&settings, "--target [::1]:5,localhost:6"), -1);
    assert_int_equal(settings.target[0].family, RS_ADDR_V6);
    assert_int_equal(settings.target[1].ip, 0x7F000001);
    assert_int_equal(settings.target[1].port, 6);
    assert_int_equal(read_line(&settings, "--target 127.0.0.1:5,127.0.0.2:6 --target 127.0.0.3:7 "
                                          "--connections 8 --threads 3 --churn"),
                     -1);
    assert_int_equal(settings.targets, 3);
    assert_int_equal(settings.target[1].ip, 0x7F000002);
    assert_int_equal(settings.target[2].port, 7);
    assert_int_equal(settings.sources, 250);
    assert_string_equal(rs_load_target_text(&settings, 2, text), "127.0.0.3:7");
    for (uint32_t thread = 0, all = 0; thread < 3; thread++) {
        rs_load_settings_part(&settings, thread, &part, &first);
        for (uint32_t i = 0; i < part.connections; i++, all++) {
            assert_int_equal(rs_load_target_of(&part, i), all % 3u);
            assert_int_equal(rs_load_target_of(&settings, all), all % 3u);
        }
    }
    assert_int_equal(read_line(&settings, "--target 127.0.0.1:5,10.0.0.1:6 --churn"), -1);
    assert_int_equal(settings.sources, 0);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_line(&settings, refused[i]) != 2) {
            fail_msg("%s is taken", refused[i]);
        }
    }
}

static void test_settings_think_is_of_a_closed_loop(void **state) {
    static const char *const refused[] = {"--think-times exponential",
                                          "--think 5ms --rate 5",
                                          "--think 5ms --find-rate p99=1ms",
                                          "--think 5ms --depth 2",
                                          "--think 5ms --ramp",
                                          "--connect-rate 5 --ramp",
                                          "--think 5b",
                                          "--think 2h",
                                          "--connect-rate 3 --threads 4"};
    rs_load_settings settings;
    (void)state;
    assert_int_equal(read_line(&settings, "--think 5ms --think-times exponential"), -1);
    assert_true(settings.think_s == 0.005 && settings.think_exponential);
    assert_int_equal(read_line(&settings, "--think 5 --ramp --seconds 1"), -1);
    assert_true(settings.think_s == 5 && !settings.think_exponential);
    assert_int_equal(read_line(&settings, "--connect-rate 2k"), -1);
    assert_int_equal(settings.connect_rate, 2000);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_line(&settings, refused[i]) != 2) {
            fail_msg("%s is taken", refused[i]);
        }
    }
}

/* Shares add up, and none is empty: an empty one would mean "no limit". */
static void test_settings_parts_add_up_to_the_whole(void **state) {
    rs_load_settings settings, part;
    (void)state;
    for (uint32_t threads = 1; threads <= 7; threads++) {
        char words[128];
        uint64_t connections = 0, idle = 0, rate = 0, messages = 0, connects = 0;
        uint32_t seeds[7];

        (void)snprintf(words, sizeof words,
                       "--connections 23 --idle 9 --rate 1001 --messages 30 --pin 2 "
                       "--connect-rate 50 --threads %u",
                       threads);
        assert_int_equal(read_line(&settings, words), -1);
        for (uint32_t i = 0; i < threads; i++) {
            uint32_t first = 99;

            rs_load_settings_part(&settings, i, &part, &first);
            assert_int_equal(first, connections);
            assert_int_equal(part.pin, 2 + i);
            assert_true(part.connections > 0 && part.rate > 0 && part.messages > 0);
            connections += part.connections;
            idle += part.idle;
            rate += part.rate;
            messages += part.messages;
            connects += part.connect_rate;
            seeds[i] = part.seed;
            for (uint32_t k = 0; k < i; k++) {
                assert_int_not_equal(seeds[k], part.seed);
            }
        }
        assert_int_equal(connections, 23);
        assert_int_equal(idle, 9);
        assert_int_equal(rate, 1001);
        assert_int_equal(messages, 30);
        assert_int_equal(connects, 50);
    }
    assert_int_equal(read_line(&settings, "--threads 5 --connections 4"), 2);
    assert_int_equal(read_line(&settings, "--threads 5 --messages 4"), 2);
    assert_int_equal(read_line(&settings, "--threads 5 --rate 4"), 2);
    assert_int_equal(read_line(&settings, "--threads 5 --churn --churn-total 4"), 2);
    assert_int_equal(read_line(&settings, "--threads 2 --series x"), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_churn_on_loopback_comes_from_many_addresses),
        cmocka_unit_test(test_settings_source_has_the_servers_family),
        cmocka_unit_test(test_settings_board_sends_moves),
        cmocka_unit_test(test_settings_think_is_of_a_closed_loop),
        cmocka_unit_test(test_settings_targets_take_turns),
        cmocka_unit_test(test_settings_replies_have_sizes_of_their_own),
        cmocka_unit_test(test_settings_sources_elsewhere_need_an_address),
        cmocka_unit_test(test_settings_find_rate_is_a_percentile_and_a_bound),
        cmocka_unit_test(test_settings_parts_add_up_to_the_whole),
        cmocka_unit_test(test_settings_seconds_are_those_that_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
