/* SPDX-License-Identifier: MIT */
/* process.h for Windows: every child belongs to one job object that ends it with this program. */
#include "compare/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "win/win.h"
#include "win/win_cpu.h"

#define PROCESS_KILL_WAIT_MS 5000u
#define PROCESS_CALIBRATE_MS 50u
#define PROCESS_ATTRIBUTES_BYTES 256u /* of a list of two attributes */
#define PROCESS_GROUPS_MAX 32u        /* Windows has up to 20 */
#define PROCESS_CORES_BYTES 65536u    /* 1,024 cores at 48 bytes */

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

/* How a process is started; the attributes point into it. */
typedef struct process_startup {
    STARTUPINFOEXA info;
    GROUP_AFFINITY where; /* Mask 0: wherever the system likes */
    HANDLE file[3];
    union {
        uint8_t bytes[PROCESS_ATTRIBUTES_BYTES];
        uint64_t align;
    } attributes;
} process_startup;

/* The child gets its three files and no other handle: whatever else is open here and can be
 * inherited, such as every file of the C run-time, would live on in it. A process starts in a group
 * of the system's choice; only an attribute of its creation moves it to another. Where there is one
 * group nothing needs to. */
static bool process_set_attributes(process_startup *startup) {
    SIZE_T bytes = sizeof startup->attributes;
    LPPROC_THREAD_ATTRIBUTE_LIST list = (LPPROC_THREAD_ATTRIBUTE_LIST)startup->attributes.bytes;
    const bool group = startup->where.Mask != 0 && GetActiveProcessorGroupCount() > 1;
    startup->file[0] = startup->info.StartupInfo.hStdInput;
    startup->file[1] = startup->info.StartupInfo.hStdOutput;
    startup->file[2] = startup->info.StartupInfo.hStdError;
    if (!InitializeProcThreadAttributeList(list, group ? 2 : 1, 0, &bytes)) {
        return false;
    }
    startup->info.lpAttributeList = list;
    return UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, startup->file,
                                     sizeof startup->file, NULL, NULL) &&
           (!group ||
            UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_GROUP_AFFINITY,
                                      &startup->where, sizeof startup->where, NULL, NULL));
}

static BOOL process_create(const rs_process_spec *spec, process_startup *startup,
                           PROCESS_INFORMATION *made, DWORD *os_error) {
    static char line[RS_ARGS_QUOTED_BYTES]; /* the main thread's; CreateProcess may write to it */
    STARTUPINFOA *info = &startup->info.StartupInfo;
    if (!rs_args_quote(spec->args, line, sizeof line)) {
        *os_error = ERROR_FILENAME_EXCED_RANGE;
        return FALSE;
    }
    process_need_console();
    info->cb = sizeof startup->info;
    process_open_files(info, spec);
    const BOOL ok =
        process_set_attributes(startup) &&
        CreateProcessA(spec->args->text[0], line, NULL, NULL, TRUE,
                       CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP | EXTENDED_STARTUPINFO_PRESENT,
                       NULL, NULL, info, made);
    *os_error = ok ? 0 : GetLastError();
    process_close_files(info);
    if (startup->info.lpAttributeList != NULL) {
        DeleteProcThreadAttributeList(startup->info.lpAttributeList);
    }
    return ok;
}

/* The mask holds within the process's group, so that has to be the one it was to start in. */
static bool process_bind(HANDLE process, const GROUP_AFFINITY *where) {
    USHORT group[PROCESS_GROUPS_MAX];
    USHORT count = PROCESS_GROUPS_MAX;
    if (where->Mask == 0) {
        return true;
    }
    if (GetActiveProcessorGroupCount() > 1 && (!GetProcessGroupAffinity(process, &count, group) ||
                                               count == 0 || group[0] != where->Group)) {
        return false;
    }
    return SetProcessAffinityMask(process, (DWORD_PTR)where->Mask);
}

rs_status rs_process_start(rs_process *process, const rs_process_spec *spec, rs_error *error) {
    process_startup startup;
    PROCESS_INFORMATION made;
    DWORD os_error = 0;
    RS_ASSERT(spec->args->count > 0 && !spec->args->overflow);
    RS_ASSERT(spec->env_name == NULL); /* only Wine prefixes need one, and those are for Linux */
    memset(process, 0, sizeof *process);
    memset(&startup, 0, sizeof startup);
    if (spec->cpu >= 0 && !rs_win_cpu_find((uint32_t)spec->cpu, &startup.where)) {
        return rs_error_set(error, RS_E_OS, "GetActiveProcessorCount", 0, "no processor %d",
                            (int)spec->cpu);
    }
    if (!process_create(spec, &startup, &made, &os_error)) {
        return rs_error_set(error, RS_E_OS, "CreateProcess", os_error,
                            "%.120s: cannot be started (error %lu)", spec->args->text[0],
                            (unsigned long)os_error);
    }
    (void)AssignProcessToJobObject(process_job_get(), made.hProcess); /* see process_job_get */
    process->handle = made.hProcess;
    process->id = made.dwProcessId;
    process->running = true;
    const bool bound = process_bind(made.hProcess, &startup.where);
    os_error = bound ? 0 : GetLastError();
    (void)ResumeThread(made.hThread);
    (void)CloseHandle(made.hThread);
    if (!bound) {
        rs_process_kill(process);
        return rs_error_set(error, RS_E_OS, "SetProcessAffinityMask", os_error,
                            "%.120s: cannot be bound to processor %d (error %lu)",
                            spec->args->text[0], (int)spec->cpu, (unsigned long)os_error);
    }
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
        rs_ending_code(code, process->ending, sizeof process->ending);
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

/* ---- cycles: of the time-stamp counter, which runs at one rate on all processors */

const char *const rs_process_counters[RS_COUNTERS] = {"cycles of the process", "process times"};

static double process_ns_per_cycle(void) {
    static double ratio; /* found once, so that two readings have the same; the main thread's */
    if (!(ratio > 0)) {
        const uint64_t start_ns = rs_os_now_ns();
        const uint64_t start = ReadTimeStampCounter();
        Sleep(PROCESS_CALIBRATE_MS);
        const uint64_t cycles = ReadTimeStampCounter() - start;
        ratio = cycles > 0 ? (double)(rs_os_now_ns() - start_ns) / (double)cycles : NAN;
    }
    return ratio;
}

/* A system that keeps no cycles (Wine) answers with 0. */
static double process_cycles_ns(const rs_process *process) {
    ULONG64 cycles = 0;
    return QueryProcessCycleTime(process->handle, &cycles) && cycles > 0
               ? (double)cycles * process_ns_per_cycle()
               : NAN;
}

static double process_times_ns(const rs_process *process, double *user_share) {
    uint64_t user, kernel;
    *user_share = NAN;
    if (!process_times(process, &user, &kernel)) {
        return NAN;
    }
    *user_share = user + kernel > 0 ? (double)user / (double)(user + kernel) : NAN;
    return (double)(user + kernel);
}

double rs_process_cpu_ns(const rs_process *process, uint32_t counter) {
    double user_share;
    RS_ASSERT(counter < RS_COUNTERS);
    return counter == 0 ? process_cycles_ns(process) : process_times_ns(process, &user_share);
}

void rs_process_self(rs_process *out) {
    memset(out, 0, sizeof *out);
    out->handle = GetCurrentProcess();
    out->id = GetCurrentProcessId();
}

void rs_process_usage_read(const rs_process *process, rs_process_usage *out) {
    PROCESS_MEMORY_COUNTERS memory;
    /* Switches and faults are the server's own to tell. */
    *out = (rs_process_usage){.cpu_ns = {process_cycles_ns(process), NAN},
                              .memory_bytes = NAN,
                              .switches = NAN,
                              .faults = NAN};
    out->cpu_ns[1] = process_times_ns(process, &out->user_share);
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

const char *const rs_machine_counters[RS_COUNTERS] = {"idle cycles", "system times"};

/* SystemProcessorPerformanceInformation, one for each processor of a group: 100 ns; kernel holds
 * idle, dpc and interrupt. GetSystemTimes has no DPCs and knows one group. */
typedef struct machine_processor {
    LARGE_INTEGER idle, kernel, user, dpc, interrupt;
    ULONG interrupts;
} machine_processor;

#define MACHINE_PERFORMANCE 8
#define MACHINE_GROUP_PROCESSORS 64u

typedef LONG(WINAPI *machine_query_fn)(int, void *, ULONG, ULONG *);
typedef LONG(WINAPI *machine_query_group_fn)(int, void *, ULONG, void *, ULONG, ULONG *);
typedef BOOL(WINAPI *machine_idle_fn)(USHORT, ULONG *, ULONG64 *);

static FARPROC machine_find(const WCHAR *module, const char *name) {
    const HMODULE found = GetModuleHandleW(module);
    return found != NULL ? GetProcAddress(found, name) : NULL;
}

/* How many processors of the group were filled in; 0: not told. */
static uint32_t machine_query_group(USHORT group, machine_processor *out) {
    const FARPROC of_group = machine_find(L"ntdll.dll", "NtQuerySystemInformationEx");
    const FARPROC of_first = machine_find(L"ntdll.dll", "NtQuerySystemInformation");
    const ULONG bytes = MACHINE_GROUP_PROCESSORS * (ULONG)sizeof *out;
    ULONG got = 0;
    if (of_group != NULL && ((machine_query_group_fn)(void (*)(void))of_group)(
                                MACHINE_PERFORMANCE, &group, sizeof group, out, bytes, &got) >= 0) {
        return got / (ULONG)sizeof *out;
    }
    if (GetActiveProcessorGroupCount() == 1 && of_first != NULL &&
        ((machine_query_fn)(void (*)(void))of_first)(MACHINE_PERFORMANCE, out, bytes, &got) >= 0) {
        return got / (ULONG)sizeof *out;
    }
    return 0;
}

/* Sums over all groups, in nanoseconds. False: a group did not tell. */
static bool machine_times(double *cost_ns, double *stack_ns) {
    static machine_processor processor[MACHINE_GROUP_PROCESSORS]; /* the main thread's */
    const WORD groups = GetActiveProcessorGroupCount();
    *cost_ns = 0;
    *stack_ns = 0;
    for (WORD group = 0; group < groups; group++) {
        const uint32_t count = machine_query_group(group, processor);
        for (uint32_t i = 0; i < count; i++) {
            const machine_processor *of = &processor[i];
            *cost_ns += 100 * (double)(of->kernel.QuadPart + of->user.QuadPart - of->idle.QuadPart);
            *stack_ns += 100 * (double)(of->dpc.QuadPart + of->interrupt.QuadPart);
        }
        if (count == 0) {
            return false;
        }
    }
    return groups > 0;
}

void rs_machine_usage_read(rs_machine_usage *out) {
    double cost_ns, stack_ns;
    *out = (rs_machine_usage){.busy_ns = NAN, .stack_ns = NAN};
    if (machine_times(&cost_ns, &stack_ns)) {
        out->busy_ns = cost_ns - stack_ns;
        out->stack_ns = stack_ns > 0 ? stack_ns : NAN; /* Wine keeps none */
    }
}

/* All cycles of all processors less those of their idle threads: DPCs, interrupts and the system's
 * own threads are in it, and in no process's time. */
static double machine_cycles_ns(void) {
    const FARPROC found = machine_find(L"kernel32.dll", "QueryIdleProcessorCycleTimeEx");
    ULONG64 idle[MACHINE_GROUP_PROCESSORS];
    double cycles = 0;
    ULONG64 any = 0;
    const WORD groups = found != NULL ? GetActiveProcessorGroupCount() : 0;
    for (WORD group = 0; group < groups; group++) {
        ULONG bytes = sizeof idle;
        memset(idle, 0, sizeof idle);
        if (!((machine_idle_fn)(void (*)(void))found)(group, &bytes, idle)) {
            return NAN;
        }
        for (uint32_t i = 0; i < bytes / sizeof idle[0]; i++) {
            cycles += (double)ReadTimeStampCounter() - (double)idle[i];
            any |= idle[i];
        }
    }
    return any != 0 ? cycles * process_ns_per_cycle() : NAN;
}

double rs_machine_cost_ns(uint32_t counter) {
    double cost_ns, stack_ns;
    RS_ASSERT(counter < RS_COUNTERS);
    if (counter == 0) {
        return machine_cycles_ns();
    }
    return machine_times(&cost_ns, &stack_ns) ? cost_ns : NAN;
}

double rs_machine_pool_bytes(void) {
    PERFORMANCE_INFORMATION info;
    memset(&info, 0, sizeof info);
    if (!GetPerformanceInfo(&info, sizeof info) || info.KernelNonpaged == 0) {
        return NAN;
    }
    return (double)info.KernelNonpaged * (double)info.PageSize;
}

/* What this process may use of a group. One in several groups has no mask: all of each is its. */
static KAFFINITY machine_own_mask(WORD group) {
    USHORT groups[PROCESS_GROUPS_MAX];
    USHORT count = PROCESS_GROUPS_MAX;
    DWORD_PTR own = 0, all = 0;
    bool is_in = false;
    if (!GetProcessGroupAffinity(GetCurrentProcess(), &count, groups)) {
        count = 0; /* not told: the first group, as in older versions */
        is_in = group == 0;
    }
    for (USHORT i = 0; i < count; i++) {
        is_in = is_in || groups[i] == group;
    }
    if (!is_in) {
        return 0;
    }
    (void)GetProcessAffinityMask(GetCurrentProcess(), &own, &all); /* else 0 */
    return own != 0 && count < 2 ? own : ~(KAFFINITY)0;
}

/* One core: its processors in one group, as far as this process may use them. */
static uint32_t machine_add_core(const PROCESSOR_RELATIONSHIP *core, uint32_t number, rs_cpu *out,
                                 uint32_t most) {
    const GROUP_AFFINITY *where = &core->GroupMask[0]; /* a core lies in one group */
    const KAFFINITY mask = where->Mask & machine_own_mask(where->Group);
    uint32_t count = 0;
    for (uint32_t i = 0; i < 8 * sizeof mask && count < most; i++) {
        if ((mask >> i & 1u) != 0) {
            /* EfficiencyClass, a name that not every header has: higher is faster. */
            out[count++] = (rs_cpu){.index = (int32_t)rs_win_cpu_index(where->Group, i),
                                    .core = number,
                                    .group = where->Group,
                                    .speed = ((const uint8_t *)core)[1]};
        }
    }
    return count;
}

static void machine_sort(rs_cpu *cpu, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        const rs_cpu one = cpu[i];
        uint32_t at = i;
        for (; at > 0 && cpu[at - 1].index > one.index; at--) {
            cpu[at] = cpu[at - 1];
        }
        cpu[at] = one;
    }
}

uint32_t rs_machine_cpus(rs_cpu out[RS_CPUS_MAX]) {
    static union {
        uint8_t bytes[PROCESS_CORES_BYTES];
        SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX first;
    } cores; /* the main thread's */
    DWORD bytes = sizeof cores;
    uint32_t count = 0, core = 0;
    if (!GetLogicalProcessorInformationEx(RelationProcessorCore, &cores.first, &bytes)) {
        return 0;
    }
    for (DWORD at = 0; at < bytes; core++) {
        const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *one =
            (const void *)(cores.bytes + at); /* records are multiples of 8 bytes */
        if (one->Size == 0) {
            break;
        }
        count += machine_add_core(&one->Processor, core, out + count, RS_CPUS_MAX - count);
        at += one->Size;
    }
    machine_sort(out, count);
    return count;
}

void rs_machine_name(char *out, size_t bytes) {
    char name[128] = "unknown processor";
    DWORD size = sizeof name;
    (void)RegGetValueA(HKEY_LOCAL_MACHINE, "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
                       "ProcessorNameString", RRF_RT_REG_SZ, NULL, name, &size);
    (void)snprintf(out, bytes, "%.120s, %u processors", name, rs_os_cpu_count());
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
