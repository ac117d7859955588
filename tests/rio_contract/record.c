/* SPDX-License-Identifier: MIT */
/* See record.h. */
#include "record.h"

#include <stdlib.h>

#include "core/json.h"
#include "seam/files.h"
#include "seam/os.h"

#define RC_ANSWERS_MAX 1024u
#define RC_ANSWER_BYTES 240u
#define RC_JSON_BYTES (1u << 20)
#define RC_CHILD_MS 60000u
#define RC_CHILD_OUT_BYTES 65536u
#define RC_OPEN_MARK "[   OPEN   ] "
#define RC_EXIT_SKIPPED 77u

typedef struct rc_record {
    struct CMUnitTest test; /* as the group lists it */
    const char *outcome;
    bool in_child;
    DWORD exit_code; /* of the child */
} rc_record;

char rc_in_child;

static struct {
    rc_record records[RC_CASES_MAX];
    size_t count;
    bool is_child; /* this process is one */
    rc_record *current;
    struct {
        const rc_record *of;
        char text[RC_ANSWER_BYTES];
    } answers[RC_ANSWERS_MAX];
    size_t answer_count;
} harvest;

void rc_record_answer(const char *text) {
    if (harvest.answer_count < RC_ANSWERS_MAX) {
        harvest.answers[harvest.answer_count].of = harvest.current;
        (void)snprintf(harvest.answers[harvest.answer_count].text, RC_ANSWER_BYTES, "%s", text);
        harvest.answer_count++;
    }
}

/* ---- a child */

/* A file that ends with its handle, for the child's output: a pipe would have to be read beside the
 * wait. */
static HANDLE child_output(void) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    WCHAR folder[MAX_PATH], path[MAX_PATH];
    if (GetTempPathW(MAX_PATH, folder) == 0 || GetTempFileNameW(folder, L"rio", 0, path) == 0) {
        return INVALID_HANDLE_VALUE;
    }
    return CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       &inherited, CREATE_ALWAYS,
                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
}

static bool child_start(const char *name, HANDLE output, HANDLE *process) {
    static WCHAR program[MAX_PATH * 4], command[MAX_PATH * 5];
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION info;
    if (GetModuleFileNameW(NULL, program, MAX_PATH * 4) == 0 ||
        _snwprintf(command, MAX_PATH * 5, L"\"%ls\" --child %hs", program, name) < 0) {
        return false;
    }
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = start.hStdError = output;
    if (!CreateProcessW(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &info)) {
        return false;
    }
    (void)CloseHandle(info.hThread);
    *process = info.hProcess;
    return true;
}

/* The child's open questions become ours; the rest of its output is only shown. */
static void child_report(HANDLE output) {
    static char text[RC_CHILD_OUT_BYTES];
    DWORD got = 0;
    (void)SetFilePointer(output, 0, NULL, FILE_BEGIN);
    (void)ReadFile(output, text, sizeof text - 1, &got, NULL);
    text[got] = '\0';
    for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        if (strncmp(line, RC_OPEN_MARK, sizeof RC_OPEN_MARK - 1) == 0) {
            rc_open_question("%s", line + sizeof RC_OPEN_MARK - 1);
        } else {
            printf("    child: %s\n", line);
        }
    }
}

/* Waits for the child, at most RC_CHILD_MS. */
static const char *child_outcome(rc_record *record, HANDLE process) {
    if (WaitForSingleObject(process, RC_CHILD_MS) != WAIT_OBJECT_0) {
        (void)TerminateProcess(process, 1);
        (void)WaitForSingleObject(process, RC_CHILD_MS);
        return "timed out";
    }
    (void)GetExitCodeProcess(process, &record->exit_code);
    if (record->exit_code == 0) {
        return "passed";
    }
    return record->exit_code == RC_EXIT_SKIPPED ? "no RIO in a child"
           : record->exit_code >= 0x80000000u   ? "crashed"
                                                : "failed";
}

/* "failed" is a case's own assertion, everything else an answer. */
static void child_run(rc_record *record) {
    HANDLE output = child_output();
    HANDLE process = NULL;
    if (output == INVALID_HANDLE_VALUE || !child_start(record->test.name, output, &process)) {
        fail_msg("cannot start a child process: error %lu", GetLastError());
        return;
    }
    record->outcome = child_outcome(record, process);
    (void)CloseHandle(process);
    child_report(output);
    (void)CloseHandle(output);
    if (strcmp(record->outcome, "crashed") == 0) {
        rc_open_question("%s: crashes with 0x%08lx", record->test.name, record->exit_code);
    } else if (strcmp(record->outcome, "timed out") == 0) {
        rc_open_question("%s: hangs", record->test.name);
    }
}

/* cmocka would make a failed assertion of it. */
static LONG WINAPI child_crashed(EXCEPTION_POINTERS *info) {
    (void)TerminateProcess(GetCurrentProcess(), info->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void child_begin(void) {
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX); /* no dialogue */
    (void)SetUnhandledExceptionFilter(child_crashed);
    if (getenv(RC_CHILD_CRASH) != NULL) {
        RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
    }
}

/* ---- every case */

static void record_run(void **state) {
    rc_record *record = *state;
    void *nothing = NULL;
    harvest.current = record;
    record->outcome = "failed"; /* an assertion does not come back */
    if (harvest.is_child) {
        child_begin();
    }
    if (record->in_child) {
        child_run(record);
        assert_string_not_equal(record->outcome, "failed");
        if (strcmp(record->outcome, "no RIO in a child") != 0) {
            return;
        }
        assert_int_equal(rc_setup(&nothing), 0); /* lent to this process alone: so here */
        record->test.test_func(&nothing);
        (void)rc_teardown(&nothing);
    } else {
        record->test.test_func(&nothing);
    }
    record->outcome = "passed";
}

void rc_record_wrap(struct CMUnitTest *cases, size_t count, bool in_child) {
    harvest.count = count;
    harvest.is_child = in_child;
    for (size_t i = 0; i < count; i++) {
        rc_record *record = &harvest.records[i];

        *record = (rc_record){.test = cases[i], .outcome = "not run"};
        record->in_child = !in_child && cases[i].initial_state == &rc_in_child;
        cases[i].test_func = record_run;
        cases[i].initial_state = record;
        if (record->in_child) {
            cases[i].setup_func = NULL;
            cases[i].teardown_func = NULL;
        }
    }
}

/* ---- the file */

static void record_json(rs_json *json, const rc_record *record) {
    rs_json_object(json, NULL);
    rs_json_string(json, "name", record->test.name);
    rs_json_string(json, "outcome", record->outcome);
    rs_json_bool(json, "in_child", record->in_child);
    if (record->in_child) {
        rs_json_u64(json, "exit_code", record->exit_code);
    }
    rs_json_array(json, "open");
    for (size_t i = 0; i < harvest.answer_count; i++) {
        if (harvest.answers[i].of == record) {
            rs_json_string(json, NULL, harvest.answers[i].text);
        }
    }
    rs_json_end(json);
    rs_json_end(json);
}

bool rc_record_write(const char *path, int failed) {
    char *text = malloc(RC_JSON_BYTES);
    rs_error error = {.text = "out of memory"};
    size_t length = 0;
    rs_json json;
    bool written = false;
    if (text != NULL) {
        rs_json_init(&json, text, RC_JSON_BYTES);
        rs_json_object(&json, NULL);
        rs_json_string(&json, "program", "rio_contract");
        rs_json_string(&json, "provider", rc.provider);
        rs_json_string(&json, "platform", rs_os_platform());
        rs_json_bool(&json, "wine", rs_os_is_wine());
        rs_json_u64(&json, "cases", harvest.count);
        rs_json_i64(&json, "failed", failed);
        rs_json_u64(&json, "open_questions", rc.open_questions);
        rs_json_array(&json, "results");
        for (size_t i = 0; i < harvest.count; i++) {
            record_json(&json, &harvest.records[i]);
        }
        rs_json_end(&json);
        rs_json_end(&json);
        written =
            rs_json_finish(&json, &length) && rs_file_replace(path, text, length, &error) == RS_OK;
    }
    if (!written) {
        fprintf(stderr, "rio_contract: --json: %s\n", error.text);
    }
    free(text);
    return written;
}
