/* SPDX-License-Identifier: MIT */
/* See backend_config.h. */
#include "seam/backend_config.h"

#include <string.h>

#include "core/assert.h"

static const rs_option socket_rows[] = {
    RS_ROW_INT(rs_tuning, sndbuf_bytes, "sndbuf", -1, 1 << 30, -1, "bytes",
               "SO_SNDBUF; 0 = no buffering on Windows and the minimum on Linux; -1 = the system's "
               "default"),
    RS_ROW_INT(rs_tuning, rcvbuf_bytes, "rcvbuf", -1, 1 << 30, -1, "bytes",
               "SO_RCVBUF; -1 = the system's default"),
    RS_ROW_BOOL(rs_tuning, nodelay, "nodelay", true, "TCP_NODELAY"),
    RS_ROW_UINT(rs_tuning, dequeue_batch, "dequeue-batch", 1, RS_COMPLETIONS_PER_POLL_MAX,
                RS_COMPLETIONS_PER_POLL_DEFAULT, "completions",
                "maximum completions taken per call"),
};
const rs_option_table rs_socket_options = {socket_rows, RS_ROWS(socket_rows),
                                           "this server's sockets have no such buffer"};

static const rs_option receive_rows[] = {
    RS_ROW_UINT(rs_tuning, recvs, "recvs", 1, RS_RECVS_IN_FLIGHT_MAX, 1, "receives",
                "receives in flight per session, each into a slice of its own (--recv-buffer); not "
                "with --zero-byte-recv"),
};
const rs_option_table rs_receive_options = {receive_rows, RS_ROWS(receive_rows),
                                            "only the Windows servers support it"};

static const rs_option accept_rows[] = {
    RS_ROW_CHOICE(rs_tuning, accept_mode, "accept", "overlapped|thread", RS_ACCEPT_OVERLAPPED,
                  "AcceptEx on the port, or a thread that calls accept()"),
    RS_ROW_UINT(rs_tuning, accepts, "accepts", 1, RS_ACCEPTS_MAX, RS_ACCEPTS_DEFAULT, "accepts",
                "AcceptEx calls outstanding"),
    RS_ROW_UINT(rs_tuning, backlog, "backlog", 1, 65535, RS_BACKLOG_DEFAULT, "connections",
                "listen() backlog"),
    RS_ROW_BOOL(rs_tuning, backlog_hint, "backlog-hint", true,
                "pass the backlog as SOMAXCONN_HINT"),
};
const rs_option_table rs_accept_options = {accept_rows, RS_ROWS(accept_rows),
                                           "only the Windows servers support it"};

rs_tuning rs_tuning_default(void) {
    rs_tuning tuning;
    rs_options_defaults(&rs_socket_options, &tuning);
    rs_options_defaults(&rs_receive_options, &tuning);
    rs_options_defaults(&rs_accept_options, &tuning);
    return tuning;
}

void rs_backend_options_add(rs_options *options, const rs_backend_api *api, rs_tuning *tuning,
                            void *own, const rs_option_table *const *others) {
    RS_ASSERT((own != NULL) == (api->options != NULL));
    rs_options_add(options, &rs_socket_options, tuning, api->tuning);
    rs_options_add(options, &rs_receive_options, tuning, api->tuning);
    rs_options_add(options, &rs_accept_options, tuning, api->tuning);
    if (own != NULL) {
        rs_options_add(options, api->options, own, NULL);
    }
    for (; *others != NULL; others++) {
        rs_options_add(options, *others, NULL, NULL);
    }
}

static bool config_is_within(uint32_t value, uint32_t max) {
    return value >= 1 && value <= max;
}

rs_status rs_backend_config_read(const rs_backend_config *cfg, const rs_option_table *table,
                                 void *own, size_t own_bytes, rs_error *error) {
    rs_status status;
    if (!config_is_within(cfg->conns_max, RS_SESSIONS_MAX) ||
        !config_is_within(cfg->sends_per_conn, RS_SENDS_IN_FLIGHT_MAX) ||
        !config_is_within(cfg->poll_max, RS_COMPLETIONS_PER_POLL_MAX)) {
        return rs_error_set(
            error, RS_E_INVALID, "open", 0,
            "%u connections, %u sends each, %u completions per poll: at most %u, %u, "
            "%u, and none of them 0",
            cfg->conns_max, cfg->sends_per_conn, cfg->poll_max, RS_SESSIONS_MAX,
            RS_SENDS_IN_FLIGHT_MAX, RS_COMPLETIONS_PER_POLL_MAX);
    }
    status = rs_options_check(&rs_socket_options, &cfg->tuning, error);
    if (status == RS_OK) {
        status = rs_options_check(&rs_receive_options, &cfg->tuning, error);
    }
    if (status == RS_OK) {
        status = rs_options_check(&rs_accept_options, &cfg->tuning, error);
    }
    if (status != RS_OK || table == NULL) {
        return status;
    }
    if (cfg->own != NULL) {
        memcpy(own, cfg->own, own_bytes);
    } else {
        rs_options_defaults(table, own);
    }
    return rs_options_check(table, own, error);
}
