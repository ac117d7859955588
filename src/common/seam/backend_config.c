/* See backend_config.h. */
#include "seam/backend_config.h"

#define BACKLOG_MAX 65535u

static bool config_is_within(uint32_t value, uint32_t max) {
    return value >= 1 && value <= max;
}

rs_status rs_backend_config_check(const rs_backend_config *cfg, rs_error *error) {
    const rs_tuning *tuning = &cfg->tuning;

    if (!config_is_within(cfg->conns_max, RS_SESSIONS_MAX) ||
        !config_is_within(cfg->sends_per_conn, RS_SENDS_IN_FLIGHT_MAX) ||
        !config_is_within(cfg->poll_max, RS_COMPLETIONS_PER_POLL_MAX)) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "%u connections, %u sends each, %u completions a poll: at most %u, %u, "
                            "%u, and none of them 0",
                            cfg->conns_max, cfg->sends_per_conn, cfg->poll_max, RS_SESSIONS_MAX,
                            RS_SENDS_IN_FLIGHT_MAX, RS_COMPLETIONS_PER_POLL_MAX);
    }
    if (!config_is_within(tuning->dequeue_batch, RS_COMPLETIONS_PER_POLL_MAX) ||
        !config_is_within(tuning->accepts, RS_ACCEPTS_MAX) ||
        !config_is_within(tuning->backlog, BACKLOG_MAX)) {
        return rs_error_set(error, RS_E_INVALID, "open", 0,
                            "dequeue batch %u, accepts %u, backlog %u: at most %u, %u, %u, and "
                            "none of them 0",
                            tuning->dequeue_batch, tuning->accepts, tuning->backlog,
                            RS_COMPLETIONS_PER_POLL_MAX, RS_ACCEPTS_MAX, BACKLOG_MAX);
    }
    return RS_OK;
}
