/* SPDX-License-Identifier: MIT */
/* compare's child processes on Windows. The program starts itself: the child either looks at a
 * handle of its parent's or ends by an exception, and the parent looks at how it ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/process.h"
#include "win/win.h"

#define CHILD_S 30u

static const char *self;

static void run_child(const char *what, uintptr_t handle, rs_process *process) {
    static rs_args args;
    static char out[RS_ARG_BYTES], err[RS_ARG_BYTES];
    rs_error error;
    (void)snprintf(out, sizeof out, "%s.out", self);
    (void)snprintf(err, sizeof err, "%s.err", self);
    rs_args_init(&args);
    rs_args_add(&args, "%s", self);
    rs_args_add(&args, "%s", what);
    rs_args_add(&args, "%llu", (unsigned long long)handle);
    const rs_process_spec spec = {
        .args = &args, .out_path = out, .err_path = err, .cpu = RS_CPU_ANY};
    assert_int_equal(rs_process_start(process, &spec, &error), RS_OK);
    for (uint32_t i = 0; i < CHILD_S * 100u && !rs_process_has_ended(process); i++) {
        Sleep(10);
    }
    assert_false(process->running);
}

static void test_process_inherits_its_files_and_no_other(void **state) {
    static char path[RS_ARG_BYTES], said[64];
    rs_process process;
    (void)state;
    (void)snprintf(path, sizeof path, "%s.open", self);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    const intptr_t handle = _get_osfhandle(_fileno(file));
    DWORD flags = 0;
    assert_true(GetHandleInformation((HANDLE)handle, &flags));
    assert_int_not_equal(flags & HANDLE_FLAG_INHERIT, 0); /* the run-time's way: so it could be */
    run_child("handle", (uintptr_t)handle, &process);
    (void)fclose(file);
    (void)remove(path);
    assert_string_equal(process.ending, "exit code 7");
    (void)snprintf(path, sizeof path, "%s.out", self);
    file = fopen(path, "r");
    assert_non_null(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(said, "not here");
}

static void test_process_that_ends_by_an_exception_names_it(void **state) {
    rs_process process;
    (void)state;
    run_child("fault", 0, &process);
    assert_int_equal(process.exit_code, -1);
    assert_string_equal(process.ending, "0xC0000005 (access violation)");
}

static int child_main(const char *what, const char *number) {
    const uintptr_t handle = (uintptr_t)strtoull(number, NULL, 10);
    if (strcmp(what, "fault") == 0) {
        (void)SetErrorMode(SEM_NOGPFAULTERRORBOX);
        RaiseException((DWORD)EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
    }
    (void)fputs(GetFileType((HANDLE)handle) == FILE_TYPE_DISK ? "inherited" : "not here", stdout);
    return 7;
}

int main(int argc, char **argv) {
    if (argc == 3) {
        return child_main(argv[1], argv[2]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_inherits_its_files_and_no_other),
        cmocka_unit_test(test_process_that_ends_by_an_exception_names_it),
    };
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
