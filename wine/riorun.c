/* SPDX-License-Identifier: MIT */
/* riorun.exe [--verify[=on|off|strict]] PROGRAM ARGS: starts a Windows program under Wine with
 * Registered I/O.
 *
 * The program is created suspended, ringside_rio.dll (from riorun's own folder) is loaded into it,
 * which replaces its Winsock functions, and it runs. Its exit code is riorun's. It lives in a job
 * that ends with riorun, however that ends; what it starts itself is no part of the job.
 *
 * --verify puts the checker of --rio-verify over the program's calls (verify.h). What breaks a rule
 * of RIO's documentation is a line on stderr, and riorun's exit code is then RUN_EXIT_VIOLATIONS.
 * strict: more than the documents say, see docs/rio-provider.md. */
#include <stdio.h>
#include <string.h>

#include "core/options.h"
#include "hook.h"
#include "settings.h"
#include "verify.h"

#define RUN_EXIT_USAGE 2
#define RUN_EXIT_FAILED 1
#define RUN_EXIT_VIOLATIONS 99
#define RUN_INJECT_MS 20000
#define RUN_OPTIONS_MAX 8
#define RUN_OPTION_BYTES 160u

static HANDLE run_interrupt;          /* passes Ctrl+C on to the program */
static volatile LONG *run_violations; /* --verify: counted by the program's DLL */

/* The command line after riorun's own name: passed on unchanged, quotes included. */
static wchar_t *run_rest(void) {
    wchar_t *at = GetCommandLineW();
    wchar_t end = *at == L'"' ? L'"' : L' ';
    at += *at == L'"';
    while (*at && *at != end && !(end == L' ' && *at == L'\t')) {
        at++;
    }
    at += *at == L'"';
    while (*at == L' ' || *at == L'\t') {
        at++;
    }
    return at;
}

static int run_fail(const char *what) {
    fprintf(stderr, "riorun: %s failed: error %lu\n", what, GetLastError());
    return RUN_EXIT_FAILED;
}

static bool run_dll_path(wchar_t *path, size_t chars) {
    static const wchar_t name[] = L"ringside_rio.dll";
    DWORD length = GetModuleFileNameW(NULL, path, (DWORD)chars);
    wchar_t *end = wcsrchr(path, L'\\');
    if (length == 0 || length >= chars || end == NULL ||
        (size_t)(end + 1 - path) + sizeof name / sizeof name[0] > chars) {
        return false;
    }
    memcpy(end + 1, name, sizeof name);
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* LoadLibraryW on a thread of the new process; kernel32 has one address in all processes. */
static bool run_inject(HANDLE process, const wchar_t *path) {
    size_t bytes = (wcslen(path) + 1) * sizeof *path;
    void *remote = VirtualAllocEx(process, NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    FARPROC load = GetProcAddress(GetModuleHandleA("kernel32.dll"), "LoadLibraryW");
    LPTHREAD_START_ROUTINE start;
    HANDLE thread;
    DWORD loaded = 0;
    if (remote == NULL || !WriteProcessMemory(process, remote, path, bytes, NULL)) {
        return false;
    }
    memcpy(&start, &load, sizeof start);
    thread = CreateRemoteThread(process, NULL, 0, start, remote, 0, NULL);
    if (thread == NULL) {
        return false;
    }
    if (WaitForSingleObject(thread, RUN_INJECT_MS) == WAIT_OBJECT_0) {
        (void)GetExitCodeThread(thread, &loaded); /* 0, not loaded, on failure */
    }
    CloseHandle(thread);
    return loaded != 0;
}

/* kill -INT of riorun reaches riorun alone; Ctrl+C in a terminal reaches the program as well, which
 * tells the two apart. */
static BOOL WINAPI run_on_event(DWORD event) {
    return event == CTRL_C_EVENT && SetEvent(run_interrupt); /* its exit ends riorun */
}

/* A job that ends the program when riorun's handle of it goes. */
static HANDLE run_job(HANDLE process) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    memset(&limit, 0, sizeof limit);
    limit.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    if (job != NULL &&
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit, sizeof limit) &&
        AssignProcessToJobObject(job, process)) {
        return job; /* kept to riorun's end */
    }
    return NULL;
}

/* A handle of ours that the program inherits, told to it by an environment variable. */
static void run_tell(const char *variable, HANDLE handle, const char *more) {
    char text[RS_HOOK_VALUE_CHARS];
    (void)snprintf(text, sizeof text, "%llu%s", (unsigned long long)(uintptr_t)handle, more);
    (void)SetEnvironmentVariableA(variable, text);
}

/* Whether a program posts and dequeues on one thread is not known, so its completions interrupt. */
static void run_choose_ring(void) {
    if (GetEnvironmentVariableA(RS_RING_VARIABLE, NULL, 0) == 0) {
        (void)SetEnvironmentVariableA(RS_RING_VARIABLE, "irq");
    }
}

static bool run_open_interrupt(void) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    run_interrupt = CreateEventW(&inherited, FALSE, FALSE, NULL);
    if (run_interrupt == NULL) {
        return false;
    }
    run_tell(RS_HOOK_VARIABLE, run_interrupt, "");
    return true;
}

static bool run_open_verify(bool strict) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0,
                                        RS_VERIFY_BYTES, NULL);
    run_violations =
        mapping != NULL ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, RS_VERIFY_BYTES) : NULL;
    if (run_violations == NULL) {
        return false;
    }
    run_tell(RS_VERIFY_VARIABLE, mapping, strict ? " strict" : "");
    return true;
}

/* The program's exit code, unless there were violations. */
static int run_verdict(DWORD code) {
    if (run_violations == NULL || *run_violations == 0) {
        return (int)code;
    }
    fprintf(stderr, "riorun: verify: %ld violations; the program's exit code was %lu\n",
            *run_violations, code);
    return RUN_EXIT_VIOLATIONS;
}

static int run_process(const PROCESS_INFORMATION *process, const wchar_t *dll) {
    DWORD code = RUN_EXIT_FAILED;
    if (run_job(process->hProcess) == NULL) {
        (void)TerminateProcess(process->hProcess, RUN_EXIT_FAILED); /* it never ran */
        return run_fail("creating a job object for the program");
    }
    if (!run_inject(process->hProcess, dll)) {
        (void)TerminateProcess(process->hProcess, RUN_EXIT_FAILED); /* it never ran */
        return run_fail("loading ringside_rio.dll into the program");
    }
    (void)SetConsoleCtrlHandler(run_on_event, TRUE); /* without it Ctrl+C ends riorun early */
    (void)ResumeThread(process->hThread);
    (void)WaitForSingleObject(process->hProcess, INFINITE);
    (void)GetExitCodeProcess(process->hProcess, &code);
    return run_verdict(code);
}

/* The program's file: the first word of its command line, with and without .exe. */
static HANDLE run_open_image(const wchar_t *command) {
    wchar_t name[MAX_PATH], path[MAX_PATH];
    wchar_t end = *command == L'"' ? L'"' : L' ';
    size_t length = 0;
    command += *command == L'"';
    while (command[length] && command[length] != end && length + 1 < MAX_PATH) {
        length++;
    }
    memcpy(name, command, length * sizeof *name);
    name[length] = L'\0';
    if (SearchPathW(NULL, name, L".exe", MAX_PATH, path, NULL) == 0) {
        return INVALID_HANDLE_VALUE;
    }
    return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
}

/* The machine type of an image; 0 = not an image, or cannot be read. */
static WORD run_machine(const wchar_t *command) {
    HANDLE file = run_open_image(command);
    IMAGE_DOS_HEADER dos = {0};
    IMAGE_NT_HEADERS nt = {0};
    DWORD bytes;
    if (file == INVALID_HANDLE_VALUE) {
        return 0;
    }
    if (ReadFile(file, &dos, sizeof dos, &bytes, NULL) && dos.e_magic == IMAGE_DOS_SIGNATURE &&
        SetFilePointer(file, dos.e_lfanew, NULL, FILE_BEGIN) != INVALID_SET_FILE_POINTER) {
        (void)ReadFile(file, &nt, sizeof nt, &bytes, NULL); /* short: the machine is 0 */
    }
    CloseHandle(file);
    return nt.Signature == IMAGE_NT_SIGNATURE ? nt.FileHeader.Machine : 0;
}

/* The program as it was named: the first word of its command line. */
static int run_cannot_start(const wchar_t *command) {
    const DWORD error = GetLastError();
    const wchar_t *start = command + (*command == L'"');
    const size_t chars = *command == L'"' ? wcscspn(start, L"\"") : wcscspn(start, L" \t");
    const char *why = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND
                          ? "no such program here or in PATH"
                      : error == ERROR_BAD_EXE_FORMAT ? "not a Windows program"
                      : error == ERROR_ACCESS_DENIED  ? "access is denied"
                                                      : "it cannot be started";
    fprintf(stderr, "riorun: '%.*ls': %s (error %lu)\n", (int)chars, start, why, error);
    return RUN_EXIT_FAILED;
}

static int run_program(wchar_t *command, const wchar_t *dll) {
    STARTUPINFOW startup = {.cb = sizeof startup};
    WORD machine = run_machine(command);
    PROCESS_INFORMATION process;
    if (machine != 0 && machine != IMAGE_FILE_MACHINE_AMD64) {
        fprintf(stderr,
                "riorun: the program is built for machine 0x%04X%s, and ringside_rio.dll exists "
                "for x86-64 (0x8664) only: build the program for 64 bits\n",
                machine, machine == IMAGE_FILE_MACHINE_I386 ? " (32-bit x86)" : "");
        return RUN_EXIT_FAILED;
    }
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &process)) {
        return run_cannot_start(command);
    }
    return run_process(&process, dll);
}

/* ---- riorun's own options: what begins with a dash, before the program */

typedef enum run_verify { RUN_VERIFY_OFF, RUN_VERIFY_ON, RUN_VERIFY_STRICT } run_verify;

typedef struct run_settings {
    run_verify verify;
} run_settings;

static const rs_option run_rows[] = {
    RS_ROW_CHOICE(run_settings, verify, "verify", "off|on|strict", RUN_VERIFY_OFF,
                  "check the program's use of RIO (alone: on; always with =): strict is more than "
                  "the documents say"),
};
static const rs_option_table run_options = {run_rows, RS_ROWS(run_rows), NULL};

/* The next word of the command line without its quotes, cut to bytes, what is not ASCII as "?". */
static const wchar_t *run_word(const wchar_t *at, char *out, size_t bytes) {
    bool quoted = false;
    size_t used = 0;
    for (; *at && (quoted || (*at != L' ' && *at != L'\t')); at++) {
        if (*at == L'"') {
            quoted = !quoted;
        } else if (used + 1 < bytes) {
            out[used++] = *at < 128 ? (char)*at : '?';
        }
    }
    out[used] = '\0';
    while (*at == L' ' || *at == L'\t') {
        at++;
    }
    return at;
}

/* Takes our own options off the command line. -1: it goes on; else the exit code. */
static int run_read(const wchar_t **command, run_settings *settings) {
    static char words[RUN_OPTIONS_MAX][RUN_OPTION_BYTES];
    const char *argv[RUN_OPTIONS_MAX + 1] = {"riorun"};
    rs_options options = {.program = "riorun",
                          .summary = "gives Registered I/O to a Windows program under Wine; behind "
                                     "the options: PROGRAM.exe [ARGS...]"};
    int argc = 1, exit_code;
    rs_options_add(&options, &run_options, settings, NULL);
    while (argc <= RUN_OPTIONS_MAX &&
           (**command == L'-' || (**command == L'"' && (*command)[1] == L'-'))) {
        char *word = words[argc - 1];

        *command = run_word(*command, word, RUN_OPTION_BYTES);
        if (strcmp(word, "--verify") == 0 && **command != L'\0') {
            (void)snprintf(word, RUN_OPTION_BYTES, "--verify=on"); /* the program follows */
        }
        argv[argc++] = word;
    }
    exit_code = rs_options_read(&options, argc, argv);
    if (exit_code < 0 && **command == L'\0') {
        fprintf(stderr, "riorun: no program; allowed: riorun [OPTIONS] PROGRAM.exe [ARGS...]\n");
        return RUN_EXIT_USAGE;
    }
    return exit_code;
}

int main(void) {
    wchar_t dll[MAX_PATH];
    wchar_t *line = run_rest();
    const wchar_t *command = line;
    run_settings settings;
    const int exit_code = run_read(&command, &settings);
    if (exit_code >= 0) {
        return exit_code;
    }
    if (!run_dll_path(dll, MAX_PATH)) {
        fprintf(stderr, "riorun: ringside_rio.dll is not in the folder of riorun.exe\n");
        return RUN_EXIT_FAILED;
    }
    if (!run_open_interrupt() || (settings.verify != RUN_VERIFY_OFF &&
                                  !run_open_verify(settings.verify == RUN_VERIFY_STRICT))) {
        return run_fail("creating the handles that the program inherits");
    }
    run_choose_ring();
    return run_program(line + (command - line), dll);
}
