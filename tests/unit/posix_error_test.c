/* SPDX-License-Identifier: MIT */
/* The whole range of errno values goes through the table; the ones the back end meets are
 * compared with what it must make of them, all others must be RS_E_OS. */
#include "posix/posix_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

typedef struct expectation {
    int os_error;
    rs_status status;
} expectation;

static const expectation known[] = {
    {0, RS_OK},
    {EAGAIN, RS_E_AGAIN},
    {EINPROGRESS, RS_E_AGAIN},
    {EINVAL, RS_E_INVALID},
    {ENOMEM, RS_E_NO_BUFFERS},
    {ENOBUFS, RS_E_NO_BUFFERS},
    {ENOSPC, RS_E_NO_BUFFERS},
    {EMFILE, RS_E_NO_BUFFERS},
    {ENFILE, RS_E_NO_BUFFERS},
    {ECONNRESET, RS_E_RESET},
    {ECONNABORTED, RS_E_RESET},
    {EPIPE, RS_E_RESET},
    {ENOTCONN, RS_E_RESET},
    {ECANCELED, RS_E_ABORTED},
    {ECONNREFUSED, RS_E_REFUSED},
    {ETIMEDOUT, RS_E_TIMED_OUT},
    {EHOSTUNREACH, RS_E_UNREACHABLE},
    {ENETUNREACH, RS_E_UNREACHABLE},
    {ENETDOWN, RS_E_UNREACHABLE},
    {EADDRINUSE, RS_E_ADDRESS_IN_USE},
    {EADDRNOTAVAIL, RS_E_ADDRESS},
    {EACCES, RS_E_ACCESS},
    {EPERM, RS_E_ACCESS},
    {ENOSYS, RS_E_UNSUPPORTED},
    {EOPNOTSUPP, RS_E_UNSUPPORTED},
};

static void test_posix_error_every_number_has_its_status(void **state) {
    (void)state;
    for (int os_error = 0; os_error < 4096; os_error++) {
        rs_status expected = RS_E_OS;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (known[i].os_error == os_error) {
                expected = known[i].status;
            }
        }
        assert_int_equal(rs_posix_status(os_error), expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posix_error_every_number_has_its_status),
    };
    return cmocka_run_group_tests_name("posix_error", tests, NULL, NULL);
}
