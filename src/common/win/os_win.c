/* SPDX-License-Identifier: MIT */
/* The platform on Windows: clock, threads, pages, stopping, what the process cost.
 *
 * Two things are per process and therefore static: the console handler and the platform name. Each
 * is written once. */
#include "seam/os.h"

#include "core/assert.h"
#include "core/limits.h"
#include "net/net_address.h"
#include "seam/atomics.h"
#include "win/win.h"
#include "win/win_cpu.h"
#include "win/win_error.h"
#include "win/win_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- time */

uint64_t rs_os_now_ns(void) {
    LARGE_INTEGER ticks;
    LARGE_INTEGER per_second;
    /* Both are documented never to fail since Windows XP. */
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    uint64_t t = (uint64_t)ticks.QuadPart;
    uint64_t f = (uint64_t)per_second.QuadPart;
    if (f == 10000000u) { /* the rate of Windows 10 and Wine: saves two divisions */
        return t * 100u + 1u;
    }
    return t / f * 1000000000u + t % f * 1000000000u / f + 1u;
}

void rs_os_sleep_ms(uint32_t ms) {
    Sleep(ms);
}

/* ---- threads */

struct rs_os_thread {
    HANDLE handle;
    rs_os_thread_fn fn;
    void *arg;
};

static unsigned __stdcall thread_main(void *arg) {
    rs_os_thread *thread = arg;
    thread->fn(thread->arg);
    return 0;
}

rs_status rs_os_thread_start(rs_os_thread **out, rs_os_thread_fn fn, void *arg, rs_error *error) {
    RS_ASSERT(fn != NULL);
    *out = NULL;
    rs_os_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a thread");
    }
    thread->fn = fn;
    thread->arg = arg;
    /* Not CreateThread: the C library keeps state per thread that it sets up here. */
    thread->handle = (HANDLE)_beginthreadex(NULL, 0, thread_main, thread, 0, NULL);
    if (thread->handle == NULL) {
        uint32_t os_error = GetLastError();
        free(thread);
        return rs_error_set(error, RS_E_OS, "_beginthreadex", os_error,
                            "cannot start a thread (error %u)", os_error);
    }
    *out = thread;
    return RS_OK;
}

void rs_os_thread_join(rs_os_thread *thread) {
    if (thread == NULL) {
        return;
    }
    DWORD rc = WaitForSingleObject(thread->handle, INFINITE);
    RS_ASSERT(rc == WAIT_OBJECT_0);
    (void)CloseHandle(thread->handle); /* our own live handle */
    free(thread);
}

uint32_t rs_os_cpu_count(void) {
    const DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    return count > 0 ? (uint32_t)count : 1u;
}

rs_status rs_os_pin_self(uint32_t cpu) {
    GROUP_AFFINITY where;
    if (!rs_win_cpu_find(cpu, &where)) {
        return RS_E_INVALID;
    }
    return SetThreadGroupAffinity(GetCurrentThread(), &where, NULL) ? RS_OK : RS_E_OS;
}

void rs_os_relax(void) {
    YieldProcessor();
}

/* ---- events */

struct rs_os_event {
    HANDLE handle;
};

rs_status rs_os_event_open(rs_os_event **out, rs_error *error) {
    rs_os_event *event = calloc(1, sizeof *event);
    *out = NULL;
    if (event == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for an event");
    }
    event->handle = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (event->handle == NULL) {
        uint32_t os_error = GetLastError();
        free(event);
        return rs_error_set(error, RS_E_OS, "CreateEvent", os_error,
                            "cannot create an event (error %u)", os_error);
    }
    *out = event;
    return RS_OK;
}

void rs_os_event_close(rs_os_event *event) {
    if (event != NULL) {
        (void)CloseHandle(event->handle); /* our own live handle */
        free(event);
    }
}

void rs_os_event_set(rs_os_event *event) {
    RS_ASSERT(event != NULL);
    if (!SetEvent(event->handle)) {
        RS_FATAL("SetEvent", GetLastError(), "cannot wake a waiting thread");
    }
}

bool rs_os_event_wait(rs_os_event *event, uint32_t timeout_ms) {
    RS_ASSERT(event != NULL);
    /* INFINITE is UINT32_MAX. */
    DWORD rc = WaitForSingleObject(event->handle, timeout_ms);
    RS_ASSERT(rc == WAIT_OBJECT_0 || rc == WAIT_TIMEOUT);
    return rc == WAIT_OBJECT_0;
}

/* ---- memory */

/* Large pages need a privilege that even an administrator's process must enable. */
static bool pages_enable_large(void) {
    HANDLE token = NULL;
    TOKEN_PRIVILEGES wanted;
    memset(&wanted, 0, sizeof wanted);
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token)) {
        return false;
    }
    wanted.PrivilegeCount = 1;
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    bool enabled =
        LookupPrivilegeValueW(NULL, L"SeLockMemoryPrivilege", &wanted.Privileges[0].Luid) != 0 &&
        AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL) != 0 &&
        GetLastError() == ERROR_SUCCESS; /* TRUE also means "not all assigned" */
    (void)CloseHandle(token);
    return enabled;
}

static void *pages_alloc_large(size_t bytes) {
    size_t unit = GetLargePageMinimum();
    if (unit == 0 || bytes > SIZE_MAX - unit || !pages_enable_large()) {
        return NULL;
    }
    size_t rounded = (bytes + unit - 1) / unit * unit;
    return VirtualAlloc(NULL, rounded, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, PAGE_READWRITE);
}

void *rs_os_pages_alloc(size_t bytes, bool *large) {
    RS_ASSERT(bytes > 0);
    RS_ASSERT(bytes % RS_PAGE_BYTES == 0);
    void *pages = large != NULL && *large ? pages_alloc_large(bytes) : NULL;
    if (large != NULL) {
        *large = pages != NULL;
    }
    if (pages == NULL) {
        pages = VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    }
    return pages;
}

void rs_os_pages_free(void *pages, size_t bytes) {
    (void)bytes; /* Windows remembers it */
    if (pages != NULL) {
        BOOL freed = VirtualFree(pages, 0, MEM_RELEASE);
        RS_ASSERT(freed);
    }
}

/* ---- printing */

void rs_os_begin(void) {
    /* A missing handle stays missing: sockets never get its value. */
}

bool rs_os_print(rs_os_stream stream, const char *text, size_t bytes) {
    HANDLE handle = GetStdHandle(stream == RS_OS_STDOUT ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    while (bytes > 0) {
        DWORD wrote = 0;
        DWORD part = bytes < 32768u ? (DWORD)bytes : 32768u;
        if (handle == NULL || handle == INVALID_HANDLE_VALUE ||
            !WriteFile(handle, text, part, &wrote, NULL) || wrote == 0) {
            return false;
        }
        text += wrote;
        bytes -= wrote;
    }
    return true;
}

/* ---- stopping */

typedef struct os_stop {
    rs_atomic_u32 armed;
    rs_atomic_u64 first_ns; /* when it was asked for; 0 = not yet */
    void (*fn)(void *arg);
    void *arg;
} os_stop;

static os_stop os_stop_once;

/* True for the first stop request only. */
static bool stop_ask(void) {
    if (rs_atomic_exchange_u32(&os_stop_once.armed, 0) == 0) {
        return false;
    }
    rs_atomic_store_u64(&os_stop_once.first_ns, rs_os_now_ns());
    os_stop_once.fn(os_stop_once.arg);
    return true;
}

/* A later repeat gets the default: the process ends. */
static bool stop_is_repeat(void) {
    uint64_t first_ns = rs_atomic_load_u64(&os_stop_once.first_ns);
    return first_ns == 0 || /* the other one is just asking */
           rs_os_now_ns() - first_ns < (uint64_t)RS_OS_STOP_REPEAT_MS * 1000000u;
}

static BOOL WINAPI stop_handler(DWORD event) {
    bool handled = stop_ask() || stop_is_repeat();
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        /* Console close, logoff, shutdown: the process is ended as soon as this returns, so it
         * stays until main has ended; Windows bounds the wait itself (5 s). */
        Sleep(INFINITE);
    }
    return handled;
}

static void CALLBACK stop_on_event(void *unused, BOOLEAN timed_out) {
    (void)unused;
    (void)timed_out; /* waits for ever: it never does */
    (void)stop_ask();
}

/* A program without a console (a service, a CI job, Wine without a terminal) gets no Ctrl+C. If the
 * event cannot be created, there is no other way to stop it. The handles live as long as the
 * process. */
static void stop_listen_to_event(void) {
    char name[RS_OS_STOP_EVENT_BYTES];
    HANDLE wait = NULL, event;
    (void)snprintf(name, sizeof name, RS_OS_STOP_EVENT, (unsigned long)GetCurrentProcessId());
    event = CreateEventA(NULL, TRUE, FALSE, name);
    if (event != NULL) {
        (void)RegisterWaitForSingleObject(&wait, event, stop_on_event, NULL, INFINITE,
                                          WT_EXECUTEONLYONCE);
    }
}

rs_status rs_os_on_stop(void (*fn)(void *arg), void *arg) {
    RS_ASSERT(fn != NULL);
    RS_ASSERT(os_stop_once.fn == NULL); /* once per process */
    os_stop_once.fn = fn;
    os_stop_once.arg = arg;
    rs_atomic_store_u32(&os_stop_once.armed, 1);
    /* Inherited from a parent that started us with Ctrl+C ignored (a shell's background job). */
    (void)SetConsoleCtrlHandler(NULL, FALSE);
    stop_listen_to_event();
    return SetConsoleCtrlHandler(stop_handler, TRUE) ? RS_OK : RS_E_OS;
}

/* ---- what this process cost */

static uint64_t usage_filetime_ns(const FILETIME *time) {
    return (((uint64_t)time->dwHighDateTime << 32) | time->dwLowDateTime) * 100u;
}

/* If Wine returns 0 for a figure, it does not keep it. */
static void usage_set(rs_os_usage *out, uint32_t bit, uint64_t *field, uint64_t value) {
    if (value > 0) {
        *field = value;
        out->known |= bit;
    }
}

static void usage_read_times(rs_os_usage *out) {
    FILETIME created, exited, kernel, user;
    ULONG64 cycles = 0;
    if (GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &user)) {
        out->kernel_ns = usage_filetime_ns(&kernel);
        out->user_ns = usage_filetime_ns(&user);
        out->known |= RS_USE_CPU;
    }
    if (QueryProcessCycleTime(GetCurrentProcess(), &cycles)) {
        usage_set(out, RS_USE_CYCLES, &out->cycles, cycles);
    }
}

static void usage_read_memory(rs_os_usage *out) {
    PROCESS_MEMORY_COUNTERS memory;
    memset(&memory, 0, sizeof memory);
    memory.cb = (DWORD)sizeof memory;
    if (!GetProcessMemoryInfo(GetCurrentProcess(), &memory, memory.cb)) {
        return;
    }
    usage_set(out, RS_USE_WORKING_SET, &out->working_set_bytes, memory.WorkingSetSize);
    out->working_set_peak_bytes = memory.PeakWorkingSetSize;
    usage_set(out, RS_USE_FAULTS, &out->page_faults, memory.PageFaultCount);
    usage_set(out, RS_USE_NONPAGED, &out->nonpaged_pool_bytes, memory.QuotaNonPagedPoolUsage);
}

static void usage_read_machine(rs_os_usage *out) {
    PERFORMANCE_INFORMATION machine;
    memset(&machine, 0, sizeof machine);
    machine.cb = (DWORD)sizeof machine;
    /* Wine has no kernel pool: its value is invented. */
    if (!rs_os_is_wine() && GetPerformanceInfo(&machine, machine.cb)) {
        usage_set(out, RS_USE_NONPAGED_MACHINE, &out->nonpaged_pool_machine_bytes,
                  (uint64_t)machine.KernelNonpaged * machine.PageSize);
    }
}

/* Context switches and locked bytes stay unknown: Windows has the first only in fields documented
 * as reserved, and the second not at all per process. */
void rs_os_usage_read(rs_os_usage *out) {
    RS_ASSERT(out != NULL);
    memset(out, 0, sizeof *out);
    usage_read_times(out);
    usage_read_memory(out);
    usage_read_machine(out);
}

/* ---- which platform */

typedef struct os_platform {
    INIT_ONCE once;
    bool is_wine;
    char text[96];
} os_platform;

static os_platform os_platform_once = {.once = INIT_ONCE_STATIC_INIT};

typedef LONG(WINAPI *os_get_version_fn)(OSVERSIONINFOW *);
typedef const char *(__cdecl *os_wine_version_fn)(void);

static FARPROC platform_find(const char *name) {
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    return ntdll != NULL ? GetProcAddress(ntdll, name) : NULL;
}

/* RtlGetVersion, because GetVersionEx depends on the program's manifest. */
static BOOL CALLBACK platform_init(PINIT_ONCE once, PVOID arg, PVOID *context) {
    os_platform *platform = arg;
    char system[48] = "Windows";
    FARPROC found = platform_find("RtlGetVersion");
    OSVERSIONINFOW version;
    memset(&version, 0, sizeof version);
    version.dwOSVersionInfoSize = (DWORD)sizeof version;
    (void)once;
    (void)context;
    if (found != NULL && ((os_get_version_fn)(void (*)(void))found)(&version) == 0) {
        (void)snprintf(system, sizeof system, "Windows %lu.%lu.%lu", version.dwMajorVersion,
                       version.dwMinorVersion, version.dwBuildNumber);
    }
    found = platform_find("wine_get_version");
    platform->is_wine = found != NULL;
    if (found != NULL) {
        (void)snprintf(platform->text, sizeof platform->text, "Wine %.24s (reports %s)",
                       ((os_wine_version_fn)(void (*)(void))found)(), system);
    } else {
        (void)snprintf(platform->text, sizeof platform->text, "%s", system);
    }
    return TRUE;
}

static const os_platform *platform_get(void) {
    BOOL done = InitOnceExecuteOnce(&os_platform_once.once, platform_init, &os_platform_once, NULL);
    RS_ASSERT(done);
    return &os_platform_once;
}

const char *rs_os_platform(void) {
    return platform_get()->text;
}

bool rs_os_is_wine(void) {
    return platform_get()->is_wine;
}

rs_status rs_os_resolve(const char *host, rs_addr *out, rs_error *error) {
    rs_status status;
    if (rs_addr_parse(host, out)) {
        return RS_OK;
    }
    status = rs_win_socket_start(error);
    if (status == RS_OK) {
        status = rs_sockaddr_resolve(host, out, error);
        rs_win_socket_stop();
    }
    return status;
}
