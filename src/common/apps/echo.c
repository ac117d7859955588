/* SPDX-License-Identifier: MIT */
/* Echo: the message goes back as it came. */
#include "apps/echo.h"

static void echo_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    (void)ctx;
    (void)rs_session_send(session, data, bytes); /* a failure has closed the session */
}

const rs_app rs_app_echo = {.on_message = echo_on_message};
const rs_app rs_app_raw = {.raw = true, .on_message = echo_on_message};
