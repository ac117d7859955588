/* SPDX-License-Identifier: MIT */
/* The printer on a pipe in place of standard error. A pass is: all lines in order while somebody
 * reads; nobody waits when nobody does, neither to say nor to close; what was dropped is told when
 * reading goes on. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "seam/os.h"
#include "seam/printer.h"

typedef struct pipe_bed {
    int saved, read_end;
    char text[1 << 20];
    size_t bytes;
} pipe_bed;

static pipe_bed *bed_open(void) {
    pipe_bed *b = calloc(1, sizeof *b);
    int ends[2];
    assert_non_null(b);
    assert_int_equal(pipe(ends), 0);
    b->saved = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
    b->read_end = ends[0];
    return b;
}

static void bed_restore(pipe_bed *b) {
    (void)dup2(b->saved, STDERR_FILENO);
    (void)close(b->saved);
}

/* False: the last writer is gone. */
static bool bed_read_some(pipe_bed *b) {
    ssize_t got = read(b->read_end, b->text + b->bytes, sizeof b->text - 1 - b->bytes);
    if (got > 0) {
        b->bytes += (size_t)got;
        b->text[b->bytes] = '\0';
    }
    return got > 0;
}

static void bed_read_all(pipe_bed *b) {
    while (bed_read_some(b)) {
    }
}

static void test_printer_prints_all_in_order(void **state) {
    pipe_bed *b = bed_open();
    rs_printer *printer;
    rs_error error;
    char *at;
    (void)state;
    assert_int_equal(rs_printer_open(&printer, RS_OS_STDERR, &error), RS_OK);
    for (unsigned i = 0; i < RS_PRINTER_LINES; i++) {
        rs_printer_say(printer, "line %u of %s\n", i, "many");
    }
    assert_true(rs_printer_close(printer));
    bed_restore(b);
    bed_read_all(b);
    at = b->text;
    for (unsigned i = 0; i < RS_PRINTER_LINES; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "line %u of many\n", i);
        assert_int_equal(strncmp(at, line, strlen(line)), 0);
        at += strlen(line);
    }
    assert_int_equal(*at, '\0');
    (void)close(b->read_end);
    free(b);
}

static void test_printer_cuts_a_line_that_is_too_long(void **state) {
    static char much[3 * RS_PRINTER_LINE_BYTES];
    pipe_bed *b = bed_open();
    rs_printer *printer;
    rs_error error;
    (void)state;
    memset(much, 'x', sizeof much - 1);
    assert_int_equal(rs_printer_open(&printer, RS_OS_STDERR, &error), RS_OK);
    rs_printer_say(printer, "%s", much);
    assert_true(rs_printer_close(printer));
    bed_restore(b);
    bed_read_all(b);
    assert_int_equal(b->bytes, RS_PRINTER_LINE_BYTES - 1);
    assert_int_equal(b->text[b->bytes - 1], '\n');
    (void)close(b->read_end);
    free(b);
}

/* Says more than the pipe and the queue hold together. */
static void say_too_much(rs_printer *printer) {
    char line[600];
    memset(line, '.', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (uint32_t round = 0; round < 4; round++) { /* the thread fills the pipe in between */
        for (uint32_t i = 0; i < RS_PRINTER_LINES * 2u; i++) {
            rs_printer_say(printer, "%s\n", line);
        }
        rs_os_sleep_ms(20);
    }
}

static void test_printer_nobody_waits_for_the_reader(void **state) {
    pipe_bed *b = bed_open();
    rs_printer *printer;
    rs_error error;
    (void)state;
    assert_int_equal(rs_printer_open(&printer, RS_OS_STDERR, &error), RS_OK);
    say_too_much(printer); /* comes back: nothing here waits */
    do {
        rs_printer_say(printer, "and on\n"); /* dropped as well while the queue is full */
        assert_true(bed_read_some(b));
    } while (strstr(b->text, "and on") == NULL);
    assert_non_null(strstr(b->text, "lines dropped: the output was not read)"));
    assert_true(rs_printer_close(printer));
    bed_restore(b);
    (void)close(b->read_end);
    free(b);
}

static void test_printer_close_gives_up_when_nobody_reads(void **state) {
    pipe_bed *b = bed_open();
    rs_printer *printer;
    rs_error error;
    (void)state;
    assert_int_equal(rs_printer_open(&printer, RS_OS_STDERR, &error), RS_OK);
    say_too_much(printer);
    assert_false(rs_printer_close(printer)); /* its thread stays in write() */
    do {                                     /* and ends when somebody reads on */
        b->bytes = 0;
        assert_true(bed_read_some(b));
    } while (!rs_printer_close(printer));
    bed_restore(b);
    (void)close(b->read_end);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printer_prints_all_in_order),
        cmocka_unit_test(test_printer_cuts_a_line_that_is_too_long),
        cmocka_unit_test(test_printer_nobody_waits_for_the_reader),
        cmocka_unit_test(test_printer_close_gives_up_when_nobody_reads),
    };
    return cmocka_run_group_tests_name("posix_printer", tests, NULL, NULL);
}
