/* SPDX-License-Identifier: MIT */
/* Children of the comparison, and the machine they run on: the same test for both systems. The
 * program starts itself again; the child tells where it may run, or ends at once. */
#include "compare/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "compare/stats.h"
#include "seam/os.h"

#if defined(_WIN32)
#include "win/win.h"
#else
#include <sched.h>
#include <unistd.h>
#endif

#define OUT_FILE "process_test.out"
#define ERR_FILE "process_test.err"
#define BURN_NS UINT64_C(200000000)
#define BURN_MOST_NS UINT64_C(20000000000)
#define SLACK_NS 60000000.0 /* of ticks of 15.6 ms, before and after */
#define WAIT_MS 10000u

static const char *self;

/* The processors that a process may use, one a line. */
static void tell_processors(void) {
#if defined(_WIN32)
    DWORD_PTR own = 0, all = 0;
    (void)GetProcessAffinityMask(GetCurrentProcess(), &own, &all);
    for (uint32_t i = 0; i < 8 * sizeof own; i++) {
        if ((own >> i & 1u) != 0) {
            (void)printf("%u\n", i);
        }
    }
#else
    cpu_set_t set;
    (void)sched_getaffinity(0, sizeof set, &set);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((unsigned)i, &set)) {
            (void)printf("%d\n", i);
        }
    }
#endif
}

static void read_file(const char *path, char *text, size_t bytes) {
    FILE *file = fopen(path, "r");
    text[0] = '\0';
    if (file != NULL) {
        text[fread(text, 1, bytes - 1, file)] = '\0';
        (void)fclose(file);
        (void)remove(path);
    }
}

/* Runs this program with one argument and returns what it printed. */
static void run_child(const char *argument, int32_t cpu, rs_process *process, char *text,
                      size_t bytes) {
    static rs_args args;
    rs_error error = {.text = ""};
    rs_process_spec spec = {.args = &args, .out_path = OUT_FILE, .err_path = ERR_FILE, .cpu = cpu};
    rs_args_init(&args);
    rs_args_add(&args, "%s", self);
    rs_args_add(&args, "%s", argument);
    if (rs_process_start(process, &spec, &error) != RS_OK) {
        fail_msg("%s", error.text);
    }
    for (uint32_t i = 0; i < WAIT_MS / 10 && !rs_process_has_ended(process); i++) {
        rs_os_sleep_ms(10);
    }
    assert_true(rs_process_has_ended(process));
    read_file(OUT_FILE, text, bytes);
    (void)remove(ERR_FILE);
}

static void test_process_child_runs_where_it_is_put(void **state) {
    static rs_cpu cpu[RS_CPUS_MAX];
    rs_process process;
    char text[256], expected[32];
    (void)state;
    const uint32_t cpus = rs_machine_cpus(cpu);
    assert_true(cpus >= 1 && cpus <= rs_os_cpu_count());
    for (uint32_t i = 0; i < cpus; i++) {
        assert_true(i == 0 || cpu[i].index > cpu[i - 1].index);
    }
    (void)snprintf(expected, sizeof expected, "%d\n", (int)cpu[cpus - 1].index);
    run_child("processors", cpu[cpus - 1].index, &process, text, sizeof text);
    assert_int_equal(process.exit_code, 0);
    rs_process_close(&process);
    assert_string_equal(text, expected);
}

static void test_process_child_on_no_processor_is_refused(void **state) {
    static rs_args args;
    rs_process process;
    rs_error error = {.text = ""};
    rs_process_spec spec = {.args = &args, .out_path = OUT_FILE, .err_path = ERR_FILE, .cpu = 1000};
    (void)state;
    rs_args_init(&args);
    rs_args_add(&args, "%s", self);
    rs_args_add(&args, "exit");
    if (rs_process_start(&process, &spec, &error) == RS_OK) { /* POSIX: the child finds out */
        for (uint32_t i = 0; i < WAIT_MS / 10 && !rs_process_has_ended(&process); i++) {
            rs_os_sleep_ms(10);
        }
        assert_true(rs_process_has_ended(&process));
        assert_int_not_equal(process.exit_code, 7);
        rs_process_close(&process);
    }
    (void)remove(OUT_FILE);
    (void)remove(ERR_FILE);
}

static void test_process_child_leaves_its_exit_code(void **state) {
    rs_process process;
    char text[32];
    (void)state;
    run_child("exit", RS_CPU_ANY, &process, text, sizeof text);
    assert_int_equal(process.exit_code, 7);
    rs_process_close(&process);
}

/* Reading a file is work of the kernel, in this process. False: too busy a machine. */
static bool burn_in_the_kernel(rs_os_usage *before, rs_os_usage *after) {
    static char bytes[65536];
    const uint64_t start = rs_os_now_ns();
    FILE *file = fopen(self, "rb");
    assert_non_null(file);
    (void)setvbuf(file, NULL, _IONBF, 0);
    rs_os_usage_read(before);
    do {
        (void)fread(bytes, 1, sizeof bytes, file);
        rewind(file);
        rs_os_usage_read(after);
    } while (after->kernel_ns - before->kernel_ns < BURN_NS &&
             rs_os_now_ns() - start < BURN_MOST_NS);
    (void)fclose(file);
    return after->kernel_ns - before->kernel_ns >= BURN_NS;
}

/* A server spends most of its time in the kernel: a counter of the user's part alone would pass
 * every test that only computes. */
static void test_process_usage_counts_the_kernels_part(void **state) {
    rs_process process;
    rs_process_usage before, after;
    rs_machine_usage machine_before, machine_after;
    rs_os_usage own_before, own_after;
    (void)state;
    rs_process_self(&process);
    rs_process_usage_read(&process, &before);
    rs_machine_usage_read(&machine_before);
    const double cost_ns = rs_machine_cost_ns(1);
    if (!burn_in_the_kernel(&own_before, &own_after)) {
        skip();
    }
    rs_process_usage_read(&process, &after);
    rs_machine_usage_read(&machine_after);
    const double used_ns = (double)(own_after.user_ns + own_after.kernel_ns - own_before.user_ns -
                                    own_before.kernel_ns);
    for (uint32_t i = 0; i < RS_COUNTERS; i++) {
        if (rs_is_known(after.cpu_ns[i])) { /* Wine has the second alone */
            assert_true(after.cpu_ns[i] - before.cpu_ns[i] > used_ns - SLACK_NS);
        }
    }
    assert_true(rs_is_known(after.cpu_ns[1]));
    assert_true(after.user_share < 0.9);
    assert_true(after.memory_bytes > 0);
    assert_true(machine_after.busy_ns - machine_before.busy_ns > used_ns / 2);
    assert_true(rs_machine_cost_ns(1) - cost_ns > used_ns / 2);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_child_leaves_its_exit_code),
        cmocka_unit_test(test_process_child_runs_where_it_is_put),
        cmocka_unit_test(test_process_child_on_no_processor_is_refused),
        cmocka_unit_test(test_process_usage_counts_the_kernels_part),
    };
    self = argv[0];
    if (argc == 2 && strcmp(argv[1], "processors") == 0) {
        tell_processors();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "exit") == 0) {
        return 7;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
