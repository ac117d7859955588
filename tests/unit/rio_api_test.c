/* SPDX-License-Identifier: MIT */
/* Finding the RIO functions. Set up: the provider that the environment names is kept aside, then
 * wrong ones are named. A pass: where the system has RIO it always serves; elsewhere each way of
 * not getting it is RS_E_RIO_UNAVAILABLE with a line that names the remedy or the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rio/rio_api.h"
#include "rio/rio_backend.h"
#include "seam/os.h"
#include "win/win_env.h"
#include "win/win_socket.h"

static char provider[1024];

static void expect_unavailable(const char *path, const char *text) {
    rs_rio_api api;
    rs_error error = {.text = ""};
    rs_status status = rs_rio_api_load(&api, path, &error);
    if (!rs_os_is_wine()) {
        assert_int_equal(status, RS_OK);
        assert_string_equal(api.provider, "windows");
        return;
    }
    assert_int_equal(status, RS_E_RIO_UNAVAILABLE);
    assert_non_null(error.call);
    assert_non_null(strstr(error.text, text));
    assert_null(strchr(error.text, '\n'));
}

static void test_rio_api_without_any_provider_names_the_remedy(void **state) {
    (void)state;
    expect_unavailable(NULL, "start this program with riorun, or set WINEDLLPATH to the folder of");
    expect_unavailable(NULL, RS_RIO_PROVIDER_VARIABLE " to that DLL");
}

static void test_rio_api_provider_that_does_not_exist_is_named(void **state) {
    (void)state;
    expect_unavailable("no-such-provider.dll", "no-such-provider.dll");
}

static void test_rio_api_dll_that_is_no_provider_is_named(void **state) {
    (void)state;
    expect_unavailable("kernel32.dll", "kernel32.dll is not a RIO provider");
}

static void test_rio_api_environment_names_the_provider(void **state) {
    (void)state;
    /* Whole, with more bytes than characters. */
    assert_true(SetEnvironmentVariableW(L"" RS_RIO_PROVIDER_VARIABLE, L"\u00fc-not-this-one.dll"));
    expect_unavailable(NULL, "-not-this-one.dll (");
    assert_true(SetEnvironmentVariableA(RS_RIO_PROVIDER_VARIABLE, NULL));
}

static void test_rio_api_provider_of_the_environment_serves_every_function(void **state) {
    rs_rio_api api;
    rs_error error = {.text = ""};
    (void)state;
    if (rs_os_is_wine() && provider[0] == '\0') {
        print_message("no provider is named: nothing to load\n");
        skip();
    }
    assert_int_equal(rs_rio_api_load(&api, provider[0] != '\0' ? provider : NULL, &error), RS_OK);
#define X(function) assert_true(api.fn.function != NULL);
    RS_RIO_FUNCTION_TABLE(X)
#undef X
    assert_true(api.close_socket != NULL);
    assert_true(strcmp(api.provider, "windows") == 0 || strcmp(api.provider, "emulated") == 0 ||
                strcmp(api.provider, "wine-io_uring") == 0);
    assert_true((api.wait == NULL) == (api.wake == NULL));
}

/* Linux's limit of locked memory is no advice on Windows. */
static void test_rio_api_memory_advice_is_the_systems_own(void **state) {
    rs_rio_api api = {.module = NULL};
    (void)state;
    assert_null(strstr(rs_rio_memory_advice(&api), "ulimit"));
    assert_non_null(strstr(rs_rio_memory_advice(&api), "physical memory"));
    api.module = GetModuleHandleW(NULL);
    assert_non_null(strstr(rs_rio_memory_advice(&api), "ulimit"));
}

static void test_rio_api_status_reaches_the_caller_of_open(void **state) {
    rs_backend_config cfg = {
        .conns_max = 1, .sends_per_conn = 1, .poll_max = 1, .tuning = rs_tuning_default()};
    rs_backend *backend;
    rs_error error = {.text = ""};
    (void)state;
    if (!rs_os_is_wine()) {
        skip();
    }
    assert_int_equal(rs_rio_backend.open(&backend, &cfg, &error), RS_E_RIO_UNAVAILABLE);
    assert_null(backend);
    assert_true(error.text[0] != '\0');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rio_api_without_any_provider_names_the_remedy),
        cmocka_unit_test(test_rio_api_provider_that_does_not_exist_is_named),
        cmocka_unit_test(test_rio_api_dll_that_is_no_provider_is_named),
        cmocka_unit_test(test_rio_api_environment_names_the_provider),
        cmocka_unit_test(test_rio_api_provider_of_the_environment_serves_every_function),
        cmocka_unit_test(test_rio_api_memory_advice_is_the_systems_own),
        cmocka_unit_test(test_rio_api_status_reaches_the_caller_of_open),
    };
    rs_error error;
    int failed;
    (void)rs_win_env(L"" RS_RIO_PROVIDER_VARIABLE, provider, (DWORD)sizeof provider);
    (void)SetEnvironmentVariableA(RS_RIO_PROVIDER_VARIABLE, NULL);
    if (rs_win_socket_start(&error) != RS_OK) {
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rs_win_socket_stop();
    return failed;
}
