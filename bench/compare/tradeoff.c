/* Each row against the server's defaults, under a load in which the setting has something to do. A
 * value that is the default stays in: it shows how far "the same" may scatter. */
#include "compare/tradeoff.h"

#include <string.h>

#include "core/assert.h"

static const rs_tradeoff tradeoff_table[] = {
    /* memory: what a receive locks, and what it costs to reach it */
    {"buffers", "heap", true, true, {"many-small", "wide"}, {NULL, NULL}},
    {"large-pages", "on", true, true, {"wide", NULL}, {NULL, NULL}},
    {"rio-registration", "session", false, true, {"many-small", NULL}, {NULL, NULL}},
    {"zero-byte-recv", "on", true, false, {"many-small", "idle-crowd"}, {NULL, NULL}},
    /* how requests are handed over */
    /* Each message then takes a send block of its own, up to 64 on each of 64 connections. */
    {"coalesce", "off", true, true, {"pipelined", NULL}, {"send-blocks", "8192"}},
    {"sends-in-flight", "1", true, true, {"pipelined", NULL}, {NULL, NULL}},
    {"sends-in-flight", "2", true, true, {"pipelined", NULL}, {NULL, NULL}},
    {"sends-in-flight", "4", true, true, {"pipelined", NULL}, {NULL, NULL}},
    {"rio-defer", "off", false, true, {"pipelined", NULL}, {NULL, NULL}},
    {"sndbuf", "0", true, false, {"ping-pong", "large"}, {NULL, NULL}},
    {"sndbuf", "1048576", true, false, {"large", NULL}, {NULL, NULL}},
    {"rcvbuf", "1048576", true, false, {"large", NULL}, {NULL, NULL}},
    /* how completions come back */
    {"dequeue-batch", "1", true, true, {"wide", NULL}, {NULL, NULL}},
    {"dequeue-batch", "16", true, true, {"wide", NULL}, {NULL, NULL}},
    {"dequeue-batch", "64", true, true, {"wide", NULL}, {NULL, NULL}},
    {"dequeue-batch", "256", true, true, {"wide", NULL}, {NULL, NULL}},
    {"gqcs", "single", true, false, {"wide", NULL}, {NULL, NULL}},
    {"skip-on-success", "on", true, false, {"many-small", NULL}, {NULL, NULL}},
    {"skip-on-success", "off", true, false, {"many-small", NULL}, {NULL, NULL}},
    {"rio-wait", "poll", false, true, {"ping-pong", "many-small"}, {NULL, NULL}},
    {"rio-wait", "spin", false, true, {"ping-pong", "many-small"}, {NULL, NULL}},
    {"rio-wait", "notify", false, true, {"ping-pong", "many-small"}, {NULL, NULL}},
    {"rio-notify-by", "event", false, true, {"many-small", NULL}, {NULL, NULL}},
    /* threads */
    {"accept", "thread", true, true, {"ramp", NULL}, {NULL, NULL}},
    {"logic", "thread", true, true, {"many-small", "pipelined"}, {NULL, NULL}},
    {"workers", "2", true, true, {"many-small", NULL}, {NULL, NULL}},
};

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
    for (uint32_t i = 0; i < RS_TRADEOFF_SCENARIOS_MAX; i++) {
        if (tradeoff->scenario[i] != NULL && strcmp(tradeoff->scenario[i], scenario) == 0) {
            return true;
        }
    }
    return false;
}

bool rs_tradeoffs_use(const char *scenario) {
    for (uint32_t i = 0; i < rs_tradeoff_count(); i++) {
        if (rs_tradeoff_shows_in(&tradeoff_table[i], scenario)) {
            return true;
        }
    }
    return false;
}
