/* SPDX-License-Identifier: MIT */
/* What a port to an operating system must provide besides a back end.
 *
 * Two implementations: win/os_win.c and posix/os_posix.c. Nothing here allocates after start-up
 * except the functions that say so. */
#ifndef RS_SEAM_OS_H
#define RS_SEAM_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/status.h"

/* ---- time */

/* rs_os_now_ns: monotonic clock in nanoseconds, never 0. Any thread; no system call where the
 * platform allows (QueryPerformanceCounter, CLOCK_MONOTONIC through the vDSO). */
uint64_t rs_os_now_ns(void);

/* rs_os_sleep_ms: sleeps at least this long. */
void rs_os_sleep_ms(uint32_t ms);

/* ---- names */

/* rs_os_resolve: the address of a host: a numeric one, or a name (getaddrinfo): its first IPv4
 * address, else its first IPv6 one. Blocks while a name server is asked. out->port is 0.
 * RS_E_ADDRESS: neither, or unknown; *error names the host. Any thread. */
rs_status rs_os_resolve(const char *host, rs_addr *out, rs_error *error);

/* ---- threads */

typedef struct rs_os_thread rs_os_thread;
typedef void (*rs_os_thread_fn)(void *arg);

/* rs_os_thread_start: runs fn(arg) on a new thread; allocates. RS_E_NO_MEMORY, RS_E_OS. */
rs_status rs_os_thread_start(rs_os_thread **out, rs_os_thread_fn fn, void *arg, rs_error *error);

/* rs_os_thread_join: waits for the end and frees. NULL is accepted. */
void rs_os_thread_join(rs_os_thread *thread);

/* rs_os_pin_self: binds the calling thread to one processor, 0-based. RS_E_INVALID if there is no
 * such processor, RS_E_OS otherwise. */
rs_status rs_os_pin_self(uint32_t cpu);

uint32_t rs_os_cpu_count(void);

/* rs_os_relax: one iteration of a spin loop (PAUSE). */
void rs_os_relax(void);

/* An auto-reset event: set wakes one waiting thread, or lets the next wait pass. */
typedef struct rs_os_event rs_os_event;

/* rs_os_event_open: not set; allocates. RS_E_NO_MEMORY, RS_E_OS. */
rs_status rs_os_event_open(rs_os_event **out, rs_error *error);

/* rs_os_event_close: no thread may be waiting. NULL is accepted. */
void rs_os_event_close(rs_os_event *event);

/* rs_os_event_set: any thread; does not block. Setting it twice counts once. */
void rs_os_event_set(rs_os_event *event);

/* rs_os_event_wait: waits until it is set and resets it: true; false after timeout_ms. UINT32_MAX
 * waits forever. */
bool rs_os_event_wait(rs_os_event *event, uint32_t timeout_ms);

/* ---- memory */

/* rs_os_pages_alloc: zeroed, page-aligned memory, a multiple of RS_PAGE_BYTES. With *large set it
 * tries large pages and clears *large if it had to fall back; large may be NULL. Sources:
 * VirtualAlloc (MEM_LARGE_PAGES needs SeLockMemoryPrivilege), mmap. NULL when out of memory. */
void *rs_os_pages_alloc(size_t bytes, bool *large);
void rs_os_pages_free(void *pages, size_t bytes);

/* ---- printing */

/* rs_os_begin: to be called first in main. Opens the null device for each standard descriptor that
 * the parent has closed; otherwise (POSIX) the next socket would get its number, and printed text
 * would go to a peer. */
void rs_os_begin(void);

typedef enum rs_os_stream { RS_OS_STDOUT, RS_OS_STDERR } rs_os_stream;

/* rs_os_print: writes to standard output or error, bypassing the C library: a thread that blocks
 * here, because the output is not read, holds no lock that exit() or other threads need. False: the
 * write failed. */
bool rs_os_print(rs_os_stream stream, const char *text, size_t bytes);

/* ---- stopping */

/* rs_os_on_stop: calls fn(arg), on a thread of its own choice, on the first Ctrl+C, Ctrl+Break,
 * console close or (POSIX) SIGINT, SIGTERM, SIGHUP, or when (Windows) the event RS_OS_STOP_EVENT of
 * this process is set. A repeat within RS_OS_STOP_REPEAT_MS is ignored: timeout(1) sends every
 * signal twice. A later one ends the process at once. Once per process. fn must only set flags and
 * wake. */
#define RS_OS_STOP_REPEAT_MS 1000u
#define RS_OS_STOP_EVENT "Local\\ringside-stop-%lu" /* process id */
#define RS_OS_STOP_EVENT_BYTES 40u
rs_status rs_os_on_stop(void (*fn)(void *arg), void *arg);

/* ---- resource usage */

/* A figure that the platform does not provide has its bit clear in `known` and prints as null. */
typedef struct rs_os_usage {
    uint32_t known; /* RS_USE_* */
    uint64_t user_ns, kernel_ns;
    uint64_t cycles;
    uint64_t context_switches;
    uint64_t page_faults;
    uint64_t working_set_bytes, working_set_peak_bytes;
    uint64_t nonpaged_pool_bytes;         /* charged to this process */
    uint64_t nonpaged_pool_machine_bytes; /* of the whole machine */
    uint64_t locked_bytes;
} rs_os_usage;

#define RS_USE_CPU (1u << 0)
#define RS_USE_CYCLES (1u << 1)
#define RS_USE_SWITCHES (1u << 2)
#define RS_USE_FAULTS (1u << 3)
#define RS_USE_WORKING_SET (1u << 4)
#define RS_USE_NONPAGED (1u << 5)
#define RS_USE_NONPAGED_MACHINE (1u << 6)
#define RS_USE_LOCKED (1u << 7)

/* rs_os_usage_read: a snapshot for the whole process. */
void rs_os_usage_read(rs_os_usage *out);

/* rs_os_platform: one line with system and version, Wine named as Wine:
 * "Windows 10.0.19045", "Wine 8.0 (reports Windows 10.0.19043)", "Linux 6.1.0". Static string. */
const char *rs_os_platform(void);

/* rs_os_is_wine: figures measured there are about Wine, not Windows; every output says so. */
bool rs_os_is_wine(void);

#endif
