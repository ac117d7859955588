/* SPDX-License-Identifier: MIT */
/* See rio_settings.h. */
#include "rio/rio_settings.h"

static const rs_option rio_rows[] = {
    RS_ROW_CHOICE(rs_rio_settings, wait, "rio-wait", "poll|spin|notify", RS_RIO_WAIT_NOTIFY,
                  "how a worker waits on its completion queue"),
    RS_ROW_UINT(rs_rio_settings, spin_us, "spin-us", 0, 1000000, 20, "us",
                "time to poll before arming the notification"),
    RS_ROW_UINT(rs_rio_settings, spin_backoff, "spin-backoff", 0, 65536, 64, "sleeps",
                "most sleeps in a row without polling, after polls that found nothing: each miss "
                "doubles their number, a hit ends it; 0 = always poll"),
    RS_ROW_CHOICE(rs_rio_settings, notify_by, "rio-notify-by", "iocp|event", RS_RIO_NOTIFY_IOCP,
                  "what RIONotify signals"),
    RS_ROW_CHOICE(rs_rio_settings, registration, "rio-registration", "slab|session|request",
                  RS_RIO_REG_SLAB,
                  "one registration per worker, one per receive slice and per send "
                  "block, or one for each request"),
    RS_ROW_BOOL(rs_rio_settings, defer, "rio-defer", true,
                "defer requests and commit once per queue and direction"),
    RS_ROW_BOOL(rs_rio_settings, verify, "rio-verify", false,
                "check every use of RIO against its contract"),
    RS_ROW_STRING(rs_rio_settings, provider, "rio-provider", NULL,
                  "DLL that provides RIO where the system does not"),
};
const rs_option_table rs_rio_options = {rio_rows, RS_ROWS(rio_rows), "only rio_server supports it"};
