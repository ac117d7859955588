/* Each row against the server's defaults. A value that is the default shows how far "the same" may
 * scatter. */
#include "compare/tradeoff.h"

#include <string.h>

#include "core/assert.h"

static const rs_tradeoff tradeoff_table[] = {
    {"buffers", "heap", true, true},
    {"coalesce", "off", true, true},
    {"sends-in-flight", "1", true, true},
    {"sends-in-flight", "4", true, true},
    {"dequeue-batch", "1", true, true},
    {"dequeue-batch", "16", true, true},
    {"dequeue-batch", "64", true, true},
    {"sndbuf", "0", true, false},
    {"sndbuf", "1048576", true, false},
    {"rcvbuf", "1048576", true, false},
    {"accept", "thread", true, true},
    {"large-pages", "on", true, true},
    {"workers", "2", true, true},
    {"skip-on-success", "on", true, false},
    {"skip-on-success", "off", true, false},
    {"gqcs", "single", true, false},
    {"zero-byte-recv", "on", true, false},
    {"rio-wait", "poll", false, true},
    {"rio-wait", "spin", false, true},
    {"rio-wait", "notify", false, true},
    {"rio-notify-by", "event", false, true},
    {"rio-defer", "off", false, true},
    {"rio-registration", "session", false, true},
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
