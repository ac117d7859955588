/* SPDX-License-Identifier: MIT */
/* A server behind a handicap: `--handicap cpu=PERCENT` uses that much more of the processor than
 * the worker's thread does by itself, kernel included; `--handicap latency=US` busies it for so
 * long for each message that arrives. It wraps the back end's poll, so nothing of the server is
 * changed. One worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include HANDICAP_BACKEND
#include "handicap/handicap_clock.h"
#include "iocp/iocp_settings.h"
#include "rio/rio_settings.h"
#include "seam/os.h"
#include "server/server_main.h"

#define HANDICAP_POLLS 16u /* between two looks at the clock, which costs a system call */

static struct {
    uint32_t cpu_percent, latency_us;
    uint32_t polls;
    uint64_t used; /* by the thread, when the last look ended; 0: no look yet */
} handicap;

/* With 0 % too: then the looks alone, which both servers of a pair have. */
static void handicap_cpu(void) {
    const uint64_t used = handicap_used();
    const uint64_t own = handicap.used != 0 ? used - handicap.used : 0;
    const uint64_t until = used + own * handicap.cpu_percent / 100u;
    handicap.used = used;
    while (handicap.used < until) {
        handicap.used = handicap_used();
    }
}

static void handicap_latency(uint32_t messages) {
    const uint64_t until_ns = rs_os_now_ns() + (uint64_t)messages * handicap.latency_us * 1000u;
    while (messages > 0 && rs_os_now_ns() < until_ns) {
    }
}

static uint32_t handicap_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                              int64_t timeout_ns) {
    const uint32_t count = HANDICAP_API.poll(backend, out, cap, timeout_ns);
    uint32_t messages = 0;
    for (uint32_t i = 0; i < count; i++) {
        messages += out[i].kind == RS_OP_RECV ? 1 : 0;
    }
    if (handicap.latency_us > 0) {
        handicap_latency(messages);
    }
    handicap.polls += count > 0 ? 1 : 0;
    if (handicap.polls >= HANDICAP_POLLS) {
        handicap.polls = 0;
        handicap_cpu();
    }
    return count;
}

static bool handicap_number(const char *text, const char *name, uint32_t *out) {
    const size_t bytes = strlen(name);
    char *end;
    if (strncmp(text, name, bytes) != 0) {
        return false;
    }
    const unsigned long value = strtoul(text + bytes, &end, 10);
    *out = (uint32_t)value;
    return end != text + bytes && *end == '\0' && value <= 10000;
}

static bool handicap_read(const char *text) {
    return text != NULL && (handicap_number(text, "cpu=", &handicap.cpu_percent) ||
                            handicap_number(text, "latency=", &handicap.latency_us));
}

/* Takes our option out of the line; the rest is the server's. */
static bool handicap_take(int *argc, char **argv) {
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--handicap") != 0) {
            argv[kept++] = argv[i];
        } else if (!handicap_read(argv[++i])) { /* argv ends with NULL */
            return false;
        }
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

int main(int argc, char **argv) {
    static const rs_option_table *const others[] = {NULL};
    static rs_backend_api api;
#ifdef HANDICAP_SETTINGS
    static HANDICAP_SETTINGS settings;
    void *const own = &settings;
#else
    void *const own = NULL;
#endif
    if (!handicap_take(&argc, argv)) {
        (void)fprintf(stderr, HANDICAP_NAME ": --handicap: want cpu=PERCENT or latency=US, at most "
                                            "10000\n");
        return 2;
    }
    if (handicap_used() == 0) {
        (void)fprintf(stderr,
                      HANDICAP_NAME ": this system cannot tell a thread's processor time\n");
        return 1;
    }
    api = HANDICAP_API;
    api.poll = handicap_poll;
    return rs_server_main(HANDICAP_NAME, &api, own, others, argc, (const char *const *)argv);
}
