/* SPDX-License-Identifier: MIT */
/* os.h for Linux: clock, threads, pages, stopping, what the process cost.
 *
 * Owns the stop signals once rs_os_on_stop was called. Only that and thread start allocate. Any
 * thread. */
#include "seam/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/limits.h"
#include "net/net_address.h"

#define OS_HUGE_PAGE_BYTES ((size_t)2 * 1024 * 1024)
#define OS_NS_PER_S 1000000000u

/* ---- time */

uint64_t rs_os_now_ns(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        RS_FATAL("clock_gettime", errno, "no monotonic clock");
    }
    return (uint64_t)now.tv_sec * OS_NS_PER_S + (uint64_t)now.tv_nsec + 1u; /* + 1: never 0 */
}

void rs_os_sleep_ms(uint32_t ms) {
    struct timespec left = {.tv_sec = (time_t)(ms / 1000u),
                            .tv_nsec = (long)(ms % 1000u) * 1000000L};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
        /* interrupted by a signal; `left` is the rest */
    }
}

/* ---- threads */

struct rs_os_thread {
    pthread_t id;
    rs_os_thread_fn fn;
    void *arg;
};

static void *os_thread_main(void *opaque) {
    rs_os_thread *thread = opaque;
    thread->fn(thread->arg);
    return NULL;
}

rs_status rs_os_thread_start(rs_os_thread **out, rs_os_thread_fn fn, void *arg, rs_error *error) {
    rs_os_thread *thread = calloc(1, sizeof *thread);
    int failed;
    RS_ASSERT(out != NULL);
    RS_ASSERT(fn != NULL);
    *out = NULL;
    if (thread == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for a thread");
    }
    thread->fn = fn;
    thread->arg = arg;
    failed = pthread_create(&thread->id, NULL, os_thread_main, thread);
    if (failed != 0) {
        free(thread);
        return rs_error_set(error, RS_E_OS, "pthread_create", (uint32_t)failed,
                            "cannot start a thread: %s", strerror(failed));
    }
    *out = thread;
    return RS_OK;
}

void rs_os_thread_join(rs_os_thread *thread) {
    if (thread == NULL) {
        return;
    }
    int failed = pthread_join(thread->id, NULL);
    RS_ASSERT(failed == 0);
    free(thread);
}

rs_status rs_os_pin_self(uint32_t cpu) {
    cpu_set_t set;
    if (cpu >= CPU_SETSIZE) {
        return RS_E_INVALID;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) {
        return RS_OK;
    }
    return errno == EINVAL ? RS_E_INVALID : RS_E_OS;
}

uint32_t rs_os_cpu_count(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1u;
}

void rs_os_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- events */

struct rs_os_event {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    bool is_set;
};

static int os_event_init(rs_os_event *event) {
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    if (failed != 0) {
        return failed;
    }
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (failed == 0) {
        failed = pthread_cond_init(&event->changed, &attributes);
    }
    (void)pthread_condattr_destroy(&attributes); /* ours, and initialised */
    if (failed != 0) {
        return failed;
    }
    failed = pthread_mutex_init(&event->lock, NULL);
    if (failed != 0) {
        (void)pthread_cond_destroy(&event->changed); /* nobody waits on it */
    }
    return failed;
}

rs_status rs_os_event_open(rs_os_event **out, rs_error *error) {
    rs_os_event *event = calloc(1, sizeof *event);
    int failed;
    RS_ASSERT(out != NULL);
    *out = NULL;
    if (event == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for an event");
    }
    failed = os_event_init(event);
    if (failed != 0) {
        free(event);
        return rs_error_set(error, RS_E_OS, "pthread_cond_init", (uint32_t)failed,
                            "cannot create an event: %s", strerror(failed));
    }
    *out = event;
    return RS_OK;
}

void rs_os_event_close(rs_os_event *event) {
    if (event == NULL) {
        return;
    }
    int failed = pthread_cond_destroy(&event->changed);
    failed |= pthread_mutex_destroy(&event->lock);
    RS_ASSERT(failed == 0);
    free(event);
}

static void os_event_lock(rs_os_event *event) {
    int failed = pthread_mutex_lock(&event->lock);
    RS_ASSERT(failed == 0);
}

static void os_event_unlock(rs_os_event *event) {
    int failed = pthread_mutex_unlock(&event->lock);
    RS_ASSERT(failed == 0);
}

void rs_os_event_set(rs_os_event *event) {
    RS_ASSERT(event != NULL);
    os_event_lock(event);
    event->is_set = true;
    int failed = pthread_cond_signal(&event->changed);
    RS_ASSERT(failed == 0);
    os_event_unlock(event);
}

static struct timespec os_deadline(uint32_t timeout_ms) {
    uint64_t at_ns = rs_os_now_ns() + (uint64_t)timeout_ms * 1000000u;
    return (struct timespec){.tv_sec = (time_t)(at_ns / OS_NS_PER_S),
                             .tv_nsec = (long)(at_ns % OS_NS_PER_S)};
}

bool rs_os_event_wait(rs_os_event *event, uint32_t timeout_ms) {
    struct timespec deadline = os_deadline(timeout_ms);
    int failed = 0;
    bool was_set;
    RS_ASSERT(event != NULL);
    os_event_lock(event);
    while (!event->is_set && failed == 0) {
        failed = timeout_ms == UINT32_MAX
                     ? pthread_cond_wait(&event->changed, &event->lock)
                     : pthread_cond_timedwait(&event->changed, &event->lock, &deadline);
    }
    RS_ASSERT(failed == 0 || failed == ETIMEDOUT);
    was_set = event->is_set;
    event->is_set = false;
    os_event_unlock(event);
    return was_set;
}

/* ---- memory */

static size_t os_round_up(size_t bytes, size_t unit) {
    RS_ASSERT(bytes > 0);
    RS_ASSERT(unit > 0);
    return (bytes + unit - 1u) / unit * unit;
}

static void *os_map(size_t bytes, int extra_flags) {
    void *pages =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0);
    RS_ASSERT(bytes > 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void *rs_os_pages_alloc(size_t bytes, bool *large) {
    void *pages = NULL;
    RS_ASSERT(bytes > 0);
    RS_ASSERT(bytes % RS_PAGE_BYTES == 0);
    if (large != NULL && *large) {
        pages = os_map(os_round_up(bytes, OS_HUGE_PAGE_BYTES), MAP_HUGETLB);
        *large = pages != NULL;
    }
    return pages != NULL ? pages : os_map(bytes, 0);
}

void rs_os_pages_free(void *pages, size_t bytes) {
    if (pages == NULL) {
        return;
    }
    RS_ASSERT(bytes % RS_PAGE_BYTES == 0);
    if (munmap(pages, bytes) == 0) {
        return;
    }
    /* Huge pages are unmapped by whole huge pages only: mmap(2), EINVAL. */
    int failed = munmap(pages, os_round_up(bytes, OS_HUGE_PAGE_BYTES));
    RS_ASSERT(failed == 0);
}

/* ---- printing */

void rs_os_begin(void) {
    int fd;
    do { /* the lowest free number each time */
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* A non-blocking descriptor fails with EAGAIN instead of waiting. */
static bool os_print_again(int fd) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    return errno == EINTR || (errno == EAGAIN && (poll(&wait, 1, -1) >= 0 || errno == EINTR));
}

bool rs_os_print(rs_os_stream stream, const char *text, size_t bytes) {
    int fd = stream == RS_OS_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
    while (bytes > 0) {
        ssize_t wrote = write(fd, text, bytes);

        if (wrote < 0 && !os_print_again(fd)) {
            return false;
        }
        text += wrote > 0 ? wrote : 0;
        bytes -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

/* ---- stopping
 *
 * A signal handler takes no argument and may do next to nothing: it writes what came, and when, to
 * a pipe; a thread on the other end decides. Unlike sigwait this asks nothing of the signal masks
 * of threads that already run. */

typedef struct os_stop {
    int pipe_read, pipe_write;
    void (*fn)(void *arg);
    void *arg;
} os_stop;

static os_stop os_stop_state; /* static: signal handlers have no context */

typedef struct os_stop_signal {
    uint64_t at_ns; /* time of the signal, not of the thread that handles it */
    int number;
} os_stop_signal;

static void os_stop_handler(int signal_number) {
    int saved_errno = errno;
    os_stop_signal came = {.at_ns = rs_os_now_ns(), .number = signal_number};
    if (write(os_stop_state.pipe_write, &came, sizeof came) != (ssize_t)sizeof came) {
        /* the pipe is full: a stop is in progress */
    }
    errno = saved_errno;
}

/* If a drain takes too long: the process ends as if it had no handler. */
static void os_stop_end(int signal_number) {
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void *os_stop_main(void *unused) {
    os_stop_signal came;
    uint64_t first_ns = 0;
    ssize_t got;
    (void)unused;
    for (;;) {
        do {
            got = read(os_stop_state.pipe_read, &came, sizeof came);
        } while (got < 0 && errno == EINTR);
        if (got != (ssize_t)sizeof came) {
            return NULL; /* cannot be: the pipe stays open, and such writes are atomic */
        }
        if (first_ns == 0) {
            first_ns = came.at_ns;
            os_stop_state.fn(os_stop_state.arg);
        } else if (came.at_ns - first_ns >= (uint64_t)RS_OS_STOP_REPEAT_MS * 1000000u) {
            os_stop_end(came.number);
        }
    }
}

/* A terminal that closes stops the program like Ctrl+C, except under nohup, which ignores the
 * signal. */
static bool os_stop_install(void) {
    struct sigaction action = {.sa_handler = os_stop_handler, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction hangup = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0 || sigaction(SIGHUP, NULL, &hangup) != 0) {
        return false;
    }
    return hangup.sa_handler == SIG_IGN || sigaction(SIGHUP, &action, NULL) == 0;
}

rs_status rs_os_on_stop(void (*fn)(void *arg), void *arg) {
    pthread_t thread;
    int ends[2];
    RS_ASSERT(fn != NULL);
    RS_ASSERT(os_stop_state.fn == NULL); /* once per process */
    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        return RS_E_OS;
    }
    os_stop_state.pipe_read = ends[0];
    os_stop_state.pipe_write = ends[1];
    os_stop_state.fn = fn;
    os_stop_state.arg = arg;
    if (pthread_create(&thread, NULL, os_stop_main, NULL) != 0) {
        return RS_E_OS;
    }
    (void)pthread_detach(thread); /* it lives until the end of the process */
    return os_stop_install() ? RS_OK : RS_E_OS;
}

/* ---- what this process cost */

static uint64_t os_timeval_ns(struct timeval t) {
    return (uint64_t)t.tv_sec * OS_NS_PER_S + (uint64_t)t.tv_usec * 1000u;
}

/* Reads a small file of /proc without allocating; "" when it cannot. */
static void os_read_text(const char *path, char *text, size_t text_bytes) {
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    RS_ASSERT(text_bytes > 1);
    if (fd >= 0) {
        got = read(fd, text, text_bytes - 1u);
        (void)close(fd); /* read-only: nothing can be lost */
    }
    text[got > 0 ? (size_t)got : 0u] = '\0';
}

/* The number behind `name` in /proc/self/status, whose unit is kB. */
static bool os_status_bytes(const char *text, const char *name, uint64_t *bytes) {
    const char *at = strstr(text, name);
    RS_ASSERT(name[0] != '\0');
    if (at == NULL) {
        return false;
    }
    *bytes = strtoull(at + strlen(name), NULL, 10) * 1024u;
    return true;
}

void rs_os_usage_read(rs_os_usage *out) {
    struct rusage used;
    char text[4096];
    RS_ASSERT(out != NULL);
    memset(out, 0, sizeof *out);
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        out->known |= RS_USE_CPU | RS_USE_SWITCHES | RS_USE_FAULTS;
        out->user_ns = os_timeval_ns(used.ru_utime);
        out->kernel_ns = os_timeval_ns(used.ru_stime);
        out->context_switches = (uint64_t)used.ru_nvcsw + (uint64_t)used.ru_nivcsw;
        out->page_faults = (uint64_t)used.ru_minflt + (uint64_t)used.ru_majflt;
    }
    os_read_text("/proc/self/status", text, sizeof text);
    if (os_status_bytes(text, "VmRSS:", &out->working_set_bytes) &&
        os_status_bytes(text, "VmHWM:", &out->working_set_peak_bytes)) {
        out->known |= RS_USE_WORKING_SET;
    }
    if (os_status_bytes(text, "VmLck:", &out->locked_bytes)) {
        out->known |= RS_USE_LOCKED;
    }
}

static char os_platform_text[160]; /* written once, below */
static pthread_once_t os_platform_once = PTHREAD_ONCE_INIT;

static void os_platform_fill(void) {
    struct utsname name;
    if (uname(&name) != 0) {
        (void)snprintf(os_platform_text, sizeof os_platform_text, "Linux (version unknown)");
        return;
    }
    (void)snprintf(os_platform_text, sizeof os_platform_text, "%.60s %.80s", name.sysname,
                   name.release);
}

const char *rs_os_platform(void) {
    (void)pthread_once(&os_platform_once, os_platform_fill); /* fails for a bad argument only */
    return os_platform_text;
}

bool rs_os_is_wine(void) {
    return false;
}

rs_status rs_os_resolve(const char *host, rs_addr *out, rs_error *error) {
    return rs_addr_parse(host, out) ? RS_OK : rs_sockaddr_resolve(host, out, error);
}
