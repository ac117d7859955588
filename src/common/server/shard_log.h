/* SPDX-License-Identifier: MIT */
/* What a shard says to the log of the public header. Its thread only. */
#ifndef RS_SERVER_SHARD_LOG_H
#define RS_SERVER_SHARD_LOG_H

#include "server/server_config.h"

#define RS_LOG_EVERY_NS 1000000000u /* between two lines about cuts */

typedef struct rs_shard_log {
    rs_log_fn fn; /* NULL: nobody listens, and nothing else here is looked at */
    void *ctx;
    uint32_t shard;
    rs_counters said; /* as of the last line about cuts */
    uint64_t next_ns; /* of the next one */
    uint32_t seen;    /* of the shard's ends, at the last look */
    bool unsaid;      /* a line is due at next_ns */
} rs_shard_log;

/* rs_shard_log_say: a line with these fields behind the worker; nothing if nobody listens. */
void rs_shard_log_say(const rs_shard_log *log, rs_log_level level, const char *event,
                      const char *text, const rs_log_field *fields, uint32_t field_count);

/* rs_shard_log_provider: says that the provider is not the system's own, if so. NULL: unknown. */
void rs_shard_log_provider(const rs_shard_log *log, const char *provider);

/* rs_shard_log_cuts: says whom the shard has cut or refused since the last line, unless that is
 * less than a second ago: then it is due. seen: any number that changes when somebody ends. */
void rs_shard_log_cuts(rs_shard_log *log, const rs_counters *counters, uint32_t seen,
                       uint64_t now_ns);

/* rs_shard_log_wait_ms: next_ms, or the time until the line that is due if that is sooner. */
uint64_t rs_shard_log_wait_ms(const rs_shard_log *log, uint64_t next_ms, uint64_t now_ns);

/* rs_shard_log_end: what is still to be said, and that the shard has ended. */
void rs_shard_log_end(rs_shard_log *log, const rs_counters *counters);

#endif
