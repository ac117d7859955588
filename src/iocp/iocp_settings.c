/* SPDX-License-Identifier: MIT */
/* See iocp_settings.h. */
#include "iocp/iocp_settings.h"

static const rs_option iocp_rows[] = {
    RS_ROW_BOOL(rs_iocp_settings, skip_on_success, "skip-on-success", true,
                "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS"),
    RS_ROW_UINT(rs_iocp_settings, inline_max, "inline-max", 1, 65536, 64, "completions",
                "inline completions in a row before the port is polled"),
    RS_ROW_BOOL(rs_iocp_settings, zero_byte_recv, "zero-byte-recv", false,
                "wait with a zero-byte WSARecv, so that an idle connection locks no page"),
    RS_ROW_CHOICE(rs_iocp_settings, gqcs_single, "gqcs", "ex|single", false,
                  "GetQueuedCompletionStatusEx, or one completion per call"),
};
const rs_option_table rs_iocp_options = {iocp_rows, RS_ROWS(iocp_rows),
                                         "only iocp_server supports it"};
