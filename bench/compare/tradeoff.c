/* SPDX-License-Identifier: MIT */
/* Each row against the server's defaults, under a load in which the setting has something to do. A
 * value that is the default stays in: it shows how far "the same" may scatter. */
#include "compare/tradeoff.h"

#include <string.h>

#include "core/assert.h"

static const rs_tradeoff tradeoff_table[] = {
    /* memory: what a receive locks, and what it costs to reach it */
    {"buffers", "heap",
     "memory of malloc, not aligned to pages: a receive touches, and locks, one page more", true,
     true, "many-small", "wide", NULL, NULL, NULL},
    {"large-pages", "on",
     "fewer address translations; needs a privilege on Windows, and does not exist under Wine",
     true, true, "wide", NULL, NULL, NULL, NULL},
    {"rio-registration", "session",
     "a registration for each session's buffers instead of one for the slab", false, true,
     "many-small", NULL, NULL, NULL, NULL},
    {"zero-byte-recv", "on",
     "no page is locked while a connection is idle, for one more call a message", true, false,
     "many-small", "idle-crowd", NULL, NULL, NULL},
    /* how requests are handed over */
    /* Each message then takes a send block of its own, up to 64 on each of 64 connections. */
    {"coalesce", "off", "every message a send of its own, with as many send blocks as that takes",
     true, true, "pipelined", NULL, "send-blocks", "8192", NULL},
    {"sends-in-flight", "1", "sends that a session may have with the kernel", true, true,
     "pipelined", NULL, NULL, NULL, NULL},
    {"sends-in-flight", "2", NULL, true, true, "pipelined", NULL, NULL, NULL, NULL},
    {"sends-in-flight", "4", NULL, true, true, "pipelined", NULL, NULL, NULL, NULL},
    {"recvs", "4", "receives that a session has posted, each into a slice of its own", true, true,
     "wide", "large", NULL, NULL, "pipelined"},
    {"rio-defer", "off", "every request started by its own call instead of one commit a batch",
     false, true, "pipelined", NULL, NULL, NULL, NULL},
    {"sndbuf", "0", "no send buffer, or a large one (of a RIO socket: question 8)", true, false,
     "ping-pong", "large", NULL, NULL, NULL},
    {"sndbuf", "1048576", NULL, true, false, "large", NULL, NULL, NULL, NULL},
    {"rcvbuf", "1048576", "a large receive buffer (likewise)", true, false, "large", NULL, NULL,
     NULL, NULL},
    /* how completions come back */
    {"dequeue-batch", "1", "completions taken in one call", true, true, "wide", NULL, NULL, NULL,
     NULL},
    {"dequeue-batch", "16", NULL, true, true, "wide", NULL, NULL, NULL, NULL},
    {"dequeue-batch", "64", NULL, true, true, "wide", NULL, NULL, NULL, NULL},
    {"dequeue-batch", "256", NULL, true, true, "wide", NULL, NULL, NULL, NULL},
    {"gqcs", "single", "GetQueuedCompletionStatus instead of GetQueuedCompletionStatusEx", true,
     false, "wide", NULL, NULL, NULL, NULL},
    {"skip-on-success", "on", "completions inside the call, without a packet; or with one", true,
     false, "many-small", NULL, NULL, NULL, NULL},
    {"skip-on-success", "off", NULL, true, false, "many-small", NULL, NULL, NULL, NULL},
    {"rio-wait", "poll", "how a worker waits", false, true, "ping-pong", "many-small", NULL, NULL,
     NULL},
    {"rio-wait", "spin", NULL, false, true, "ping-pong", "many-small", NULL, NULL, NULL},
    {"rio-wait", "notify", NULL, false, true, "ping-pong", "many-small", NULL, NULL, NULL},
    {"rio-notify-by", "event", "RIONotify by an event instead of the port", false, true,
     "many-small", NULL, NULL, NULL, NULL},
    /* threads */
    {"accept", "thread", "a thread in accept() instead of AcceptEx", true, true, "ramp", NULL, NULL,
     NULL, NULL},
    {"logic", "thread", "the application on a thread of its own, behind two rings", true, true,
     "many-small", "busy-work", NULL, NULL, "slow-work"},
    {"workers", "1",
     "shards; pinned, all share one processor; in scaling they have what the machine has", true,
     true, "many-small", "busy-work", NULL, NULL, "scaling"},
    {"workers", "2", NULL, true, true, "many-small", "busy-work", NULL, NULL, "scaling"},
    {"workers", "4", NULL, true, true, "many-small", "busy-work", NULL, NULL, "scaling"},
};

const rs_tradeoff rs_handicaps[RS_HANDICAPS] = {
    {"handicap", "cpu=0", "processor time", true, true, "many-small", NULL, NULL, NULL, NULL},
    {"handicap", "cpu=2", NULL, true, true, "many-small", NULL, NULL, NULL, NULL},
    {"handicap", "cpu=5", NULL, true, true, "many-small", NULL, NULL, NULL, NULL},
    {"handicap", "cpu=10", NULL, true, true, "many-small", NULL, NULL, NULL, NULL},
};
const uint32_t rs_handicap_percent[RS_HANDICAPS] = {0, 2, 5, 10};

uint32_t rs_tradeoff_count(void) {
    return (uint32_t)(sizeof tradeoff_table / sizeof tradeoff_table[0]);
}

const rs_tradeoff *rs_tradeoff_at(uint32_t index) {
    RS_ASSERT(index < rs_tradeoff_count());
    return &tradeoff_table[index];
}

bool rs_tradeoff_applies(const rs_tradeoff *tradeoff, const char *server) {
    return (tradeoff->iocp && strcmp(server, "iocp_server") == 0) ||
           (tradeoff->rio && strcmp(server, "rio_server") == 0);
}

bool rs_tradeoff_shows_in(const rs_tradeoff *tradeoff, const char *scenario) {
    return strcmp(tradeoff->scenario, scenario) == 0 ||
           (tradeoff->also != NULL && strcmp(tradeoff->also, scenario) == 0) ||
           (tradeoff->third != NULL && strcmp(tradeoff->third, scenario) == 0);
}

bool rs_tradeoffs_use(const char *scenario) {
    for (uint32_t i = 0; i < rs_tradeoff_count(); i++) {
        if (rs_tradeoff_shows_in(&tradeoff_table[i], scenario)) {
            return true;
        }
    }
    return false;
}
