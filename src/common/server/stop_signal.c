/* SPDX-License-Identifier: MIT */
/* The stop signal and sleep of the public header, over what the platform has. */
#include "core/assert.h"
#include "ringside/ringside.h"
#include "seam/atomics.h"
#include "seam/os.h"

static rs_os_event *stop_event; /* NULL until the handler is installed */
static rs_atomic_u32 stop_asked;

static void stop_on_signal(void *arg) {
    RS_ASSERT(arg == NULL);
    rs_atomic_store_u32(&stop_asked, 1);
    rs_os_event_set(stop_event);
}

rs_status rs_stop_signal_wait(uint32_t timeout_ms) {
    if (stop_event == NULL) {
        rs_status status = rs_os_event_open(&stop_event, NULL);
        if (status == RS_OK) {
            status = rs_os_on_stop(stop_on_signal, NULL);
        }
        if (status != RS_OK) {
            rs_os_event_close(stop_event);
            stop_event = NULL;
            return status;
        }
    }
    if (rs_atomic_load_u32(&stop_asked) == 0) {
        (void)rs_os_event_wait(stop_event, timeout_ms);
    }
    return rs_atomic_load_u32(&stop_asked) != 0 ? RS_OK : RS_E_TIMED_OUT;
}

void rs_sleep_ms(uint32_t ms) {
    rs_os_sleep_ms(ms);
}
