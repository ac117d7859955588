/* riorun.exe PROGRAM ARGS: starts a Windows program under Wine with Registered I/O lent to it.
 *
 * The program is created suspended, ringside_rio.dll (from riorun's own folder) is loaded into it,
 * which replaces its Winsock imports, and it runs. Its exit code is riorun's. */
#include <stdio.h>
#include <string.h>

#include "hook.h"

#define RUN_EXIT_USAGE 2
#define RUN_EXIT_FAILED 1
#define RUN_INJECT_MS 20000

/* The command line after riorun's own name: passed on to the letter, quotes included. */
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

    if (length == 0 || length >= chars || !end ||
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

    if (!remote || !WriteProcessMemory(process, remote, path, bytes, NULL)) {
        return false;
    }
    memcpy(&start, &load, sizeof start);
    thread = CreateRemoteThread(process, NULL, 0, start, remote, 0, NULL);
    if (!thread) {
        return false;
    }
    if (WaitForSingleObject(thread, RUN_INJECT_MS) == WAIT_OBJECT_0) {
        (void)GetExitCodeThread(thread, &loaded); /* 0, not loaded, on failure */
    }
    CloseHandle(thread);
    return loaded != 0;
}

static BOOL WINAPI run_ignore(DWORD event) {
    (void)event;
    return TRUE; /* the program got the same event; its exit ends riorun */
}

static int run_program(wchar_t *command, const wchar_t *dll) {
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = RUN_EXIT_FAILED;

    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &process)) {
        return run_fail("starting the program");
    }
    if (!run_inject(process.hProcess, dll)) {
        (void)TerminateProcess(process.hProcess, RUN_EXIT_FAILED); /* it never ran */
        return run_fail("loading ringside_rio.dll into the program");
    }
    (void)SetConsoleCtrlHandler(run_ignore, TRUE); /* without it Ctrl+C ends riorun early */
    (void)ResumeThread(process.hThread);
    (void)WaitForSingleObject(process.hProcess, INFINITE);
    (void)GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

int main(void) {
    wchar_t dll[MAX_PATH];
    wchar_t *command = run_rest();

    if (*command == L'\0') {
        fprintf(stderr, "usage: riorun PROGRAM.exe [ARGS...]\n");
        return RUN_EXIT_USAGE;
    }
    if (!run_dll_path(dll, MAX_PATH)) {
        fprintf(stderr, "riorun: ringside_rio.dll is not beside riorun.exe\n");
        return RUN_EXIT_FAILED;
    }
    (void)SetEnvironmentVariableA(RS_HOOK_VARIABLE, "1");
    return run_program(command, dll);
}
