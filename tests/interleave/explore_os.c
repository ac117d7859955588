/* SPDX-License-Identifier: MIT */
/* What the shard and the logic thread ask of the system (seam/os.h), for the explorer: events and
 * spinning are steps, time stands still. */
#include <stdlib.h>

#include "core/assert.h"
#include "explore.h"
#include "seam/os.h"

struct rs_os_event {
    uint32_t set;
};

uint64_t rs_os_now_ns(void) {
    return 1000000000u;
}

void rs_os_relax(void) {
    xp_relax();
}

rs_status rs_os_event_open(rs_os_event **out, rs_error *error) {
    (void)error;
    *out = calloc(1, sizeof **out);
    return *out != NULL ? RS_OK : RS_E_NO_MEMORY;
}

void rs_os_event_close(rs_os_event *event) {
    free(event);
}

void rs_os_event_set(rs_os_event *event) {
    xp_signal(&event->set);
}

bool rs_os_event_wait(rs_os_event *event, uint32_t timeout_ms) {
    RS_ASSERT(timeout_ms == UINT32_MAX);
    xp_await(&event->set);
    return true;
}

void *rs_os_pages_alloc(size_t bytes, bool *large) {
    if (large != NULL) {
        *large = false;
    }
    return xp_calloc(1, bytes); /* whole pages, aligned to one */
}

void rs_os_pages_free(void *pages, size_t bytes) {
    (void)bytes;
    free(pages);
}
