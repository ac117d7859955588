/* SPDX-License-Identifier: MIT */
/* See slow.h. */
#include "apps/slow.h"

#include "seam/atomics.h"
#include "seam/os.h"

static rs_atomic_u32 slow_messages;

static void slow_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    if (rs_atomic_add_u32(&slow_messages, 1) % RS_SLOW_EVERY == RS_SLOW_EVERY - 1u) {
        rs_os_sleep_ms(RS_SLOW_MS);
    }
    (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
}

const rs_app rs_app_slow = {.on_message = slow_on_message};
