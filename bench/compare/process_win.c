/* process.h for Windows: every child belongs to one job object that ends it with this program. */
#include "compare/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "win/win.h"

#define PROCESS_KILL_WAIT_MS 5000u

static HANDLE process_job; /* one for the process; closed by its end, which is what ends children */

/* ---- start and end */

static HANDLE process_job_get(void) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    if (process_job == NULL) {
        process_job = CreateJobObjectA(NULL, NULL);
        memset(&limits, 0, sizeof limits);
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        (void)SetInformationJobObject(process_job, JobObjectExtendedLimitInformation, &limits,
                                      sizeof limits); /* children are ended one by one as well */
    }
    return process_job;
}

static HANDLE process_file(const char *path, DWORD access, DWORD how) {
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof inherit, .bInheritHandle = TRUE};
    return CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, how,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

static void process_close_files(const STARTUPINFOA *info) {
    (void)CloseHandle(info->hStdInput); /* ours alone; the child has its own */
    (void)CloseHandle(info->hStdOutput);
    (void)CloseHandle(info->hStdError);
}

static void process_open_files(STARTUPINFOA *info, const rs_process_spec *spec) {
    memset(info, 0, sizeof *info);
    info->cb = sizeof *info;
    info->dwFlags = STARTF_USESTDHANDLES;
    info->hStdInput = process_file("NUL", GENERIC_READ, OPEN_EXISTING);
    info->hStdOutput = process_file(spec->out_path, GENERIC_WRITE, CREATE_ALWAYS);
    info->hStdError = process_file(spec->err_path, GENERIC_WRITE, CREATE_ALWAYS);
}

/* Ctrl+Break reaches a child only through a console that it shares with us. */
static void process_need_console(void) {
    if (GetConsoleWindow() == NULL) {
        (void)AllocConsole(); /* fails where there is one without a window: as good */
    }
}

static BOOL process_create(const rs_process_spec *spec, PROCESS_INFORMATION *made,
                           DWORD *os_error) {
    static char line[RS_ARGS_QUOTED_BYTES]; /* the main thread's; CreateProcess may write to it */
    STARTUPINFOA info;
    if (!rs_args_quote(spec->args, line, sizeof line)) {
        *os_error = ERROR_FILENAME_EXCED_RANGE;
        return FALSE;
    }
    process_need_console();
    process_open_files(&info, spec);
    const BOOL ok =
        CreateProcessA(spec->args->text[0], line, NULL, NULL, TRUE,
                       CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP, NULL, NULL, &info, made);
    *os_error = ok ? 0 : GetLastError();
    process_close_files(&info);
    return ok;
}

rs_status rs_process_start(rs_process *process, const rs_process_spec *spec, rs_error *error) {
    PROCESS_INFORMATION made;
    DWORD os_error = 0;
    RS_ASSERT(spec->args->count > 0 && !spec->args->overflow);
    RS_ASSERT(spec->env_name == NULL); /* only Wine prefixes need one, and those are for Linux */
    memset(process, 0, sizeof *process);
    if (!process_create(spec, &made, &os_error)) {
        return rs_error_set(error, RS_E_OS, "CreateProcess", os_error,
                            "%.120s: cannot be started (error %lu)", spec->args->text[0],
                            (unsigned long)os_error);
    }
    (void)AssignProcessToJobObject(process_job_get(), made.hProcess); /* see process_job_get */
    if (spec->cpu >= 0 && spec->cpu < 64) {
        (void)SetProcessAffinityMask(made.hProcess, (DWORD_PTR)1 << spec->cpu); /* else unpinned */
    }
    (void)ResumeThread(made.hThread);
    (void)CloseHandle(made.hThread);
    process->handle = made.hProcess;
    process->id = made.dwProcessId;
    process->running = true;
    return RS_OK;
}

static uint64_t process_filetime_ns(const FILETIME *time) {
    return (((uint64_t)time->dwHighDateTime << 32) | time->dwLowDateTime) * 100u;
}

static bool process_times(const rs_process *process, uint64_t *user_ns, uint64_t *kernel_ns) {
    FILETIME created, exited, kernel, user;
    if (!GetProcessTimes(process->handle, &created, &exited, &kernel, &user)) {
        return false;
    }
    *user_ns = process_filetime_ns(&user);
    *kernel_ns = process_filetime_ns(&kernel);
    return true;
}

bool rs_process_has_ended(rs_process *process) {
    DWORD code = 0;
    uint64_t user = 0, kernel = 0;
    if (process->running && WaitForSingleObject(process->handle, 0) == WAIT_OBJECT_0) {
        process->running = false;
        process->exit_code = GetExitCodeProcess(process->handle, &code) && code <= 255
                                 ? (int)code
                                 : -1; /* an exception's number */
        (void)process_times(process, &user, &kernel);
        process->used_ns = user + kernel;
    }
    return !process->running;
}

/* By the event that our own programs listen to; others get Ctrl+Break, for which there must be a
 * console. */
void rs_process_interrupt(const rs_process *process) {
    char name[RS_OS_STOP_EVENT_BYTES];
    HANDLE event;
    if (!process->running) {
        return;
    }
    (void)snprintf(name, sizeof name, RS_OS_STOP_EVENT, (unsigned long)process->id);
    event = OpenEventA(EVENT_MODIFY_STATE, FALSE, name);
    if (event == NULL) {
        (void)GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, (DWORD)process->id);
        return;
    }
    (void)SetEvent(event); /* a server that does not end is killed in the end */
    (void)CloseHandle(event);
}

void rs_process_kill(rs_process *process) {
    if (process->running) {
        (void)TerminateProcess(process->handle, 1); /* fails only when it has just ended */
        (void)WaitForSingleObject(process->handle, PROCESS_KILL_WAIT_MS);
        (void)rs_process_has_ended(process);
        process->running = false;
    }
}

void rs_process_close(rs_process *process) {
    RS_ASSERT(!process->running);
    if (process->handle != NULL) {
        (void)CloseHandle(process->handle);
    }
    memset(process, 0, sizeof *process);
}

void rs_process_usage_read(const rs_process *process, rs_process_usage *out) {
    PROCESS_MEMORY_COUNTERS memory;
    uint64_t user, kernel;
    /* Switches and faults are the server's own to tell. */
    *out = (rs_process_usage){
        .cpu_ns = NAN, .user_share = NAN, .memory_bytes = NAN, .switches = NAN, .faults = NAN};
    if (process_times(process, &user, &kernel)) {
        out->cpu_ns = (double)(user + kernel);
        out->user_share = user + kernel > 0 ? (double)user / (double)(user + kernel) : NAN;
    }
    if (GetProcessMemoryInfo(process->handle, &memory, sizeof memory)) {
        out->memory_bytes = (double)memory.WorkingSetSize;
    }
}

/* ---- wineserver: no business of a Windows program, which cannot see it */

bool rs_process_find_wineserver(const char *prefix, rs_process *out) {
    (void)prefix;
    memset(out, 0, sizeof *out);
    return false;
}

void rs_process_move(const rs_process *process, int32_t cpu) {
    (void)process;
    (void)cpu;
}

void rs_process_end_wineserver(rs_process *process) {
    (void)process;
}

/* ---- the machine */

double rs_machine_busy_ns(void) {
    FILETIME idle, kernel, user;
    if (!GetSystemTimes(&idle, &kernel, &user)) {
        return NAN;
    }
    /* Kernel time includes the idle time. */
    return (double)(process_filetime_ns(&kernel) + process_filetime_ns(&user)) -
           (double)process_filetime_ns(&idle);
}

double rs_machine_pool_bytes(void) {
    PERFORMANCE_INFORMATION info;
    memset(&info, 0, sizeof info);
    if (!GetPerformanceInfo(&info, sizeof info) || info.KernelNonpaged == 0) {
        return NAN;
    }
    return (double)info.KernelNonpaged * (double)info.PageSize;
}

uint32_t rs_machine_cpus(int32_t *out, uint32_t most) {
    DWORD_PTR own = 0, all = 0;
    uint32_t count = 0;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &own, &all)) {
        return 0;
    }
    for (int32_t i = 0; i < (int32_t)(8 * sizeof own) && count < most; i++) {
        if ((own >> i & 1u) != 0) {
            out[count++] = i;
        }
    }
    return count;
}

void rs_machine_name(char *out, size_t bytes) {
    char name[128] = "unknown processor";
    DWORD size = sizeof name;
    SYSTEM_INFO info;
    (void)RegGetValueA(HKEY_LOCAL_MACHINE, "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
                       "ProcessorNameString", RRF_RT_REG_SZ, NULL, name, &size);
    GetSystemInfo(&info);
    (void)snprintf(out, bytes, "%.120s, %lu processors", name,
                   (unsigned long)info.dwNumberOfProcessors);
}

bool rs_stderr_is_terminal(void) {
    DWORD mode;
    return GetConsoleMode(GetStdHandle(STD_ERROR_HANDLE), &mode) != 0;
}

/* ---- files */

rs_status rs_files_make(const char *path, rs_error *error) {
    char part[MAX_PATH];
    if (strlen(path) >= sizeof part) {
        return rs_error_set(error, RS_E_OS, "CreateDirectory", ERROR_FILENAME_EXCED_RANGE,
                            "%.100s: too long a path", path);
    }
    (void)snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at == '\\' || *at == '/') {
            const char separator = *at;
            *at = '\0';
            (void)CreateDirectoryA(part, NULL); /* the last line tells whether it is there */
            *at = separator;
        }
    }
    const DWORD os_error = CreateDirectoryA(part, NULL) ? ERROR_SUCCESS : GetLastError();
    const DWORD kind = GetFileAttributesA(path);
    return kind != INVALID_FILE_ATTRIBUTES && (kind & FILE_ATTRIBUTE_DIRECTORY) != 0
               ? RS_OK
               : rs_error_set(error, RS_E_OS, "CreateDirectory", os_error,
                              "%.100s: the folder cannot be made (error %lu)", path,
                              (unsigned long)os_error);
}

bool rs_files_exist(const char *path) {
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

bool rs_files_absolute(const char *path, char *out, size_t bytes) {
    const DWORD got = GetFullPathNameA(path, (DWORD)bytes, out, NULL);
    return got > 0 && got < bytes && rs_files_exist(out);
}

bool rs_files_own_folder(char *out, size_t bytes) {
    const DWORD got = GetModuleFileNameA(NULL, out, (DWORD)bytes);
    char *last = strrchr(out, '\\');
    if (got == 0 || got >= bytes || last == NULL) {
        return false;
    }
    *last = '\0';
    return true;
}
