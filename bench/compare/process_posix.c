/* SPDX-License-Identifier: MIT */
/* process.h for Linux: fork and exec, /proc for what processes used.
 *
 * Each child leads a process group of its own, so that Ctrl+C reaches this program alone, which
 * then ends the children in order. */
#include "compare/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compare/stats.h"
#include "core/assert.h"

#define PROCESS_ENVIRONMENT_MAX 1024u
#define PROCESS_KILL_TURNS 500u /* of 10 ms: a killed process is gone long before */
#define PROCESS_FILES_MAX 4096u /* entries of /proc looked at */

extern char **environ;

/* ---- start and end */

typedef struct process_image {
    char *argv[RS_ARGS_MAX + 1];
    char *envp[PROCESS_ENVIRONMENT_MAX + 2];
    char extra[PATH_MAX + 64];
    cpu_set_t cpus;
} process_image;

/* exec takes pointers to char that it never writes to. */
static char *process_unconst(const char *text) {
    union {
        const char *from;
        char *to;
    } pun = {.from = text};
    return pun.to;
}

static bool process_has_name(const char *entry, const char *name) {
    const size_t bytes = strlen(name);
    return strncmp(entry, name, bytes) == 0 && entry[bytes] == '=';
}

/* Everything the child needs, built before fork: after it only async-signal-safe calls are safe. */
static void process_prepare(process_image *image, const rs_process_spec *spec) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < spec->args->count; i++) {
        image->argv[i] = process_unconst(spec->args->text[i]);
    }
    image->argv[spec->args->count] = NULL;
    for (uint32_t i = 0; environ[i] != NULL && used < PROCESS_ENVIRONMENT_MAX; i++) {
        if (spec->env_name == NULL || !process_has_name(environ[i], spec->env_name)) {
            image->envp[used++] = environ[i];
        }
    }
    if (spec->env_name != NULL) {
        (void)snprintf(image->extra, sizeof image->extra, "%s=%s", spec->env_name, spec->env_value);
        image->envp[used++] = image->extra;
    }
    image->envp[used] = NULL;
    CPU_ZERO(&image->cpus);
    if (spec->cpu >= 0) {
        CPU_SET((unsigned)spec->cpu, &image->cpus);
    }
}

static void process_child_files(const rs_process_spec *spec) {
    const int in = open("/dev/null", O_RDONLY);
    const int out = open(spec->out_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int err = open(spec->err_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
        _exit(126);
    }
}

static void process_child_limits(void) {
    struct rlimit files;
    /* Two thousand connections do not fit the usual soft limit of 1,024. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* without it the program says what it lacks */
    }
    (void)signal(SIGINT, SIG_DFL); /* a background job of a shell inherits "ignored" */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
}

static void process_child(const process_image *image, const rs_process_spec *spec, pid_t parent) {
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(125); /* the parent died before the line above */
    }
    process_child_files(spec);
    process_child_limits();
    if (spec->cpu >= 0 && sched_setaffinity(0, sizeof image->cpus, &image->cpus) != 0) {
        _exit(124);
    }
    (void)execve(image->argv[0], image->argv, image->envp);
    _exit(127);
}

rs_status rs_process_start(rs_process *process, const rs_process_spec *spec, rs_error *error) {
    static process_image image; /* too big for the stack; the main thread's */
    const pid_t parent = getpid();
    RS_ASSERT(spec->args->count > 0 && !spec->args->overflow);
    memset(process, 0, sizeof *process);
    if (access(spec->args->text[0], X_OK) != 0) {
        const int os_error = errno;
        return rs_error_set(error, RS_E_OS, "access", (uint32_t)os_error, "%.120s: %s",
                            spec->args->text[0], strerror(os_error));
    }
    process_prepare(&image, spec);
    const pid_t child = fork();
    if (child == 0) {
        process_child(&image, spec, parent);
    }
    if (child < 0) {
        const int os_error = errno;
        return rs_error_set(error, RS_E_OS, "fork", (uint32_t)os_error, "no new process: %s",
                            strerror(os_error));
    }
    process->id = child;
    process->running = true;
    return RS_OK;
}

static void process_reaped(rs_process *process, int status, const struct rusage *used) {
    process->running = false;
    if (WIFEXITED(status)) {
        process->exit_code = WEXITSTATUS(status);
        rs_ending_code((uint32_t)process->exit_code, process->ending, sizeof process->ending);
    } else {
        process->exit_code = -1;
        rs_ending_signal(WTERMSIG(status), process->ending, sizeof process->ending);
    }
    process->used_ns =
        (uint64_t)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) * UINT64_C(1000000000) +
        (uint64_t)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * UINT64_C(1000);
}

bool rs_process_has_ended(rs_process *process) {
    int status;
    struct rusage used;
    if (process->running && wait4((pid_t)process->id, &status, WNOHANG, &used) == process->id) {
        process_reaped(process, status, &used);
    }
    return !process->running;
}

void rs_process_interrupt(const rs_process *process) {
    if (process->running) {
        (void)kill((pid_t)process->id, SIGINT); /* not reaped, so the id is still ours */
    }
}

void rs_process_kill(rs_process *process) {
    int status;
    struct rusage used;
    pid_t got;
    if (!process->running) {
        return;
    }
    (void)kill(-(pid_t)process->id, SIGKILL); /* its group: what it started dies with it */
    (void)kill((pid_t)process->id, SIGKILL);  /* before it had time to lead one */
    do {
        got = wait4((pid_t)process->id, &status, 0, &used);
    } while (got < 0 && errno == EINTR);
    if (got == process->id) {
        process_reaped(process, status, &used);
    }
    process->running = false;
}

void rs_process_close(rs_process *process) {
    RS_ASSERT(!process->running);
    memset(process, 0, sizeof *process);
}

/* ---- /proc */

static bool process_read_text(const char *path, char *text, size_t bytes) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;
    if (fd >= 0) {
        got = read(fd, text, bytes - 1);
        (void)close(fd); /* read only: nothing can be lost */
    }
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* Nanoseconds on a processor and turns there, of all threads that still live. */
static bool process_schedstat(int64_t id, double *cpu_ns, double *turns) {
    char path[64], text[128];
    bool any = false;
    *cpu_ns = 0;
    *turns = 0;
    (void)snprintf(path, sizeof path, "/proc/%lld/task", (long long)id);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < PROCESS_FILES_MAX; i++) {
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            break;
        }
        (void)snprintf(path, sizeof path, "/proc/%lld/task/%.20s/schedstat", (long long)id,
                       entry->d_name);
        double thread_ns, thread_turns;
        if (entry->d_name[0] != '.' && process_read_text(path, text, sizeof text) &&
            sscanf(text, "%lf %*f %lf", &thread_ns, &thread_turns) == 2) {
            *cpu_ns += thread_ns;
            *turns += thread_turns;
            any = true;
        }
    }
    (void)closedir(folder);
    return any;
}

static double process_tick_ns(void) {
    return 1e9 / (double)sysconf(_SC_CLK_TCK);
}

typedef struct process_stat {
    double user_ns, kernel_ns, faults;
} process_stat;

/* Fields 10, 12, 14 and 15 of /proc/PID/stat, behind the name in parentheses: page faults without
 * and with reading from disk, ticks in user and kernel. */
static bool process_stat_read(int64_t id, process_stat *out) {
    char path[64], text[1024];
    unsigned long long minor, major, in_user, in_kernel;
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)id);
    if (!process_read_text(path, text, sizeof text)) {
        return false;
    }
    const char *at = strrchr(text, ')');
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu %*u %llu %llu",
                             &minor, &major, &in_user, &in_kernel) != 4) {
        return false;
    }
    out->user_ns = (double)in_user * process_tick_ns();
    out->kernel_ns = (double)in_kernel * process_tick_ns();
    out->faults = (double)minor + (double)major;
    return true;
}

const char *const rs_process_counters[RS_COUNTERS] = {"schedstat", "ticks of /proc/PID/stat"};

/* schedstat counts in nanoseconds, but forgets a thread that has ended (a thread per connection);
 * the ticks keep it. They are rounded down, user and kernel each, so the larger of the two is
 * right. */
static void process_add_ended(rs_process_usage *out) {
    if (out->cpu_ns[1] <= out->cpu_ns[0]) { /* false for a NAN */
        return;
    }
    if (out->cpu_ns[1] > out->cpu_ns[0] + 2 * process_tick_ns()) {
        out->switches = NAN; /* those of the ended are not to be had */
    }
    out->cpu_ns[0] = out->cpu_ns[1];
}

static void process_read_cpu(int64_t id, rs_process_usage *out) {
    process_stat stat;
    *out = (rs_process_usage){.cpu_ns = {NAN, NAN},
                              .user_share = NAN,
                              .memory_bytes = NAN,
                              .switches = NAN,
                              .faults = NAN};
    /* First the ticks: what they tell is never ahead of what schedstat tells after them, and the
     * kernel brings the thread that asks up to date. */
    const bool ticks = process_stat_read(id, &stat);
    const bool exact = process_schedstat(id, &out->cpu_ns[0], &out->switches);
    if (ticks) {
        out->cpu_ns[1] = stat.user_ns + stat.kernel_ns;
        out->user_share = out->cpu_ns[1] > 0 ? stat.user_ns / out->cpu_ns[1] : NAN;
        out->faults = stat.faults;
    }
    if (exact) {
        process_add_ended(out);
    } else {
        out->cpu_ns[0] = NAN;
        out->switches = NAN;
    }
}

double rs_process_cpu_ns(const rs_process *process, uint32_t counter) {
    rs_process_usage usage;
    RS_ASSERT(counter < RS_COUNTERS);
    process_read_cpu(process->id, &usage);
    return usage.cpu_ns[counter];
}

void rs_process_self(rs_process *out) {
    memset(out, 0, sizeof *out);
    out->id = getpid();
}

void rs_process_usage_read(const rs_process *process, rs_process_usage *out) {
    char path[64], text[256];
    unsigned long long pages;
    process_read_cpu(process->id, out);
    (void)snprintf(path, sizeof path, "/proc/%lld/statm", (long long)process->id);
    if (process_read_text(path, text, sizeof text) && sscanf(text, "%*u %llu", &pages) == 1) {
        out->memory_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
    }
}

/* ---- wineserver */

static bool process_is_wineserver(const char *pid, const char *folder) {
    char path[64], target[PATH_MAX];
    (void)snprintf(path, sizeof path, "/proc/%.20s/cwd", pid);
    const ssize_t bytes = readlink(path, target, sizeof target - 1);
    if (bytes <= 0) {
        return false;
    }
    target[bytes] = '\0';
    const char *last = strrchr(target, '/');
    return last != NULL && strcmp(last + 1, folder) == 0;
}

bool rs_process_find_wineserver(const char *prefix, rs_process *out) {
    struct stat info;
    char folder[64];
    memset(out, 0, sizeof *out);
    if (stat(prefix, &info) != 0) {
        return false;
    }
    /* Its working folder is named after the prefix's device and inode (Wine 8 and 10). */
    (void)snprintf(folder, sizeof folder, "server-%llx-%llx", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino);
    DIR *all = opendir("/proc");
    const struct dirent *entry = NULL;
    for (uint32_t i = 0; all != NULL && i < PROCESS_FILES_MAX && out->id == 0; i++) {
        entry = readdir(all);
        if (entry == NULL) {
            break;
        }
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            process_is_wineserver(entry->d_name, folder)) {
            out->id = strtoll(entry->d_name, NULL, 10);
        }
    }
    if (all != NULL) {
        (void)closedir(all);
    }
    return out->id != 0;
}

void rs_process_move(const rs_process *process, int32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0) {
        CPU_SET((unsigned)cpu, &set);
    } else {
        (void)sched_getaffinity(0, sizeof set, &set);
    }
    /* wineserver has one thread; gone in the meantime is as good as moved. */
    (void)sched_setaffinity((pid_t)process->id, sizeof set, &set);
}

/* wineserver ends its clients and itself on SIGINT, as `wineserver -k` asks it to. */
void rs_process_end_wineserver(rs_process *process) {
    const struct timespec pause = {.tv_nsec = 10000000};
    if (process->id <= 0 || kill((pid_t)process->id, SIGINT) != 0) {
        return;
    }
    for (uint32_t i = 0; i < PROCESS_KILL_TURNS; i++) {
        if (kill((pid_t)process->id, 0) != 0) {
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    process->id = 0;
}

/* ---- the machine */

const char *const rs_machine_counters[RS_COUNTERS] = {"/proc/schedstat", "ticks of /proc/stat"};

typedef struct machine_stat {
    double processes_ns, stack_ns, stolen_ns;
} machine_stat;

static bool machine_stat_read(machine_stat *out) {
    char text[512];
    unsigned long long user, nice_, kernel, hard, soft, steal;
    if (!process_read_text("/proc/stat", text, sizeof text) ||
        sscanf(text, "cpu %llu %llu %llu %*u %*u %llu %llu %llu", &user, &nice_, &kernel, &hard,
               &soft, &steal) != 6) {
        return false;
    }
    out->processes_ns = (double)(user + nice_ + kernel) * process_tick_ns();
    out->stack_ns = (double)(hard + soft) * process_tick_ns();
    out->stolen_ns = (double)steal * process_tick_ns();
    return true;
}

void rs_machine_usage_read(rs_machine_usage *out) {
    machine_stat stat;
    *out = (rs_machine_usage){.busy_ns = NAN, .stack_ns = NAN};
    if (machine_stat_read(&stat)) {
        out->busy_ns = stat.processes_ns + stat.stolen_ns; /* which is a neighbour */
        out->stack_ns = stat.stack_ns;
    }
}

/* The seventh number of each processor's line: nanoseconds that tasks were on it. */
static double machine_schedstat_ns(void) {
    char line[512];
    unsigned long long ns;
    double sum = NAN;
    FILE *file = fopen("/proc/schedstat", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "cpu%*u %*u %*u %*u %*u %*u %*u %llu", &ns) == 1) {
            sum = (double)ns + (sum > 0 ? sum : 0); /* a NAN gives way */
        }
    }
    if (file != NULL) {
        (void)fclose(file); /* read only: nothing can be lost */
    }
    return sum;
}

double rs_machine_cost_ns(uint32_t counter) {
    machine_stat stat;
    RS_ASSERT(counter < RS_COUNTERS);
    if (counter == 0) {
        return machine_schedstat_ns();
    }
    return machine_stat_read(&stat) ? stat.processes_ns + stat.stack_ns : NAN;
}

double rs_machine_pool_bytes(void) {
    return NAN;
}

/* The first number in a file of a processor's folder in /sys. */
static uint32_t machine_cpu_number(int32_t cpu, const char *file, uint32_t otherwise) {
    char path[96], text[64];
    unsigned number;
    (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", (int)cpu, file);
    return process_read_text(path, text, sizeof text) && sscanf(text, "%u", &number) == 1
               ? number
               : otherwise;
}

uint32_t rs_machine_cpus(rs_cpu out[RS_CPUS_MAX]) {
    cpu_set_t set;
    uint32_t count = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 0;
    }
    for (int32_t i = 0; i < CPU_SETSIZE && count < RS_CPUS_MAX; i++) {
        if (CPU_ISSET((unsigned)i, &set)) {
            /* The list of a core's threads begins with the same number for each of them. */
            out[count++] = (rs_cpu){
                .index = i,
                .core = machine_cpu_number(i, "topology/thread_siblings_list", (uint32_t)i),
                .group = machine_cpu_number(i, "topology/physical_package_id", 0),
                .speed = machine_cpu_number(i, "cpu_capacity", 0)};
        }
    }
    return count;
}

void rs_machine_name(char *out, size_t bytes) {
    char text[4096];
    const char *name = "unknown processor";
    if (process_read_text("/proc/cpuinfo", text, sizeof text)) {
        char *at = strstr(text, "model name");
        at = at != NULL ? strchr(at, ':') : NULL;
        if (at != NULL) {
            at[strcspn(at, "\n")] = '\0';
            name = at + 2;
        }
    }
    (void)snprintf(out, bytes, "%.120s, %ld processors", name, sysconf(_SC_NPROCESSORS_ONLN));
}

bool rs_stderr_is_terminal(void) {
    return isatty(2) == 1;
}

/* ---- files */

rs_status rs_files_make(const char *path, rs_error *error) {
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) {
        return rs_error_set(error, RS_E_OS, "mkdir", ENAMETOOLONG, "%.100s: too long a path", path);
    }
    (void)snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(part, 0777); /* the last line tells whether it is there */
            *at = '/';
        }
    }
    struct stat info;
    const int failed = mkdir(part, 0777) != 0 ? errno : 0;
    const bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode) && access(path, W_OK | X_OK) == 0) {
        return RS_OK;
    }
    const int os_error = exists && !S_ISDIR(info.st_mode) ? ENOTDIR : exists ? errno : failed;
    return rs_error_set(error, RS_E_OS, "mkdir", (uint32_t)os_error, "%.100s: %s", path,
                        os_error == ENOSPC ? "the disk is full" : strerror(os_error));
}

bool rs_files_exist(const char *path) {
    return access(path, F_OK) == 0;
}

bool rs_files_absolute(const char *path, char *out, size_t bytes) {
    char full[PATH_MAX];
    if (realpath(path, full) == NULL || strlen(full) >= bytes) {
        return false;
    }
    (void)snprintf(out, bytes, "%s", full);
    return true;
}

bool rs_files_own_folder(char *out, size_t bytes) {
    const ssize_t got = readlink("/proc/self/exe", out, bytes - 1);
    if (got <= 0 || (size_t)got >= bytes - 1) {
        return false;
    }
    out[got] = '\0';
    char *last = strrchr(out, '/');
    RS_ASSERT(last != NULL);
    *last = '\0';
    return true;
}
