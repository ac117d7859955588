/* SPDX-License-Identifier: MIT */
/* The lines of the log, and when they are due. */
#include "server/shard_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define LOG_LINE_BYTES 960u /* all reasons at once are shorter */
#define LOG_FIELDS_MAX (RS_CLOSE_REASONS + 3u)

void rs_shard_log_say(const rs_shard_log *log, rs_log_level level, const char *event,
                      const char *text, const rs_log_field *fields, uint32_t field_count) {
    rs_log_field all[LOG_FIELDS_MAX] = {{.name = "worker", .number = log->shard}};
    const rs_log_line line = {.level = level,
                              .event = event,
                              .text = text,
                              .fields = all,
                              .field_count = field_count + 1u};
    RS_ASSERT(field_count < LOG_FIELDS_MAX);
    if (log->fn == NULL) {
        return;
    }
    for (uint32_t i = 0; i < field_count; i++) {
        all[i + 1] = fields[i];
    }
    log->fn(log->ctx, &line);
}

void rs_shard_log_provider(const rs_shard_log *log, const char *provider) {
    const rs_log_field field = {.name = "provider", .text = provider};
    char text[LOG_LINE_BYTES];
    RS_ASSERT(log != NULL);
    if (provider == NULL || strstr(provider, "(layered)") == NULL) {
        return;
    }
    (void)snprintf(text, sizeof text,
                   "provider %.64s: a program of another vendor stands between Winsock and TCP",
                   provider);
    rs_shard_log_say(log, RS_LOG_WARNING, "provider", text, &field, 1);
}

/* ---- cuts */

/* Ends that a client may not have meant, and what decides about each; NULL: not our doing. */
static const char *cut_advice(rs_close_reason reason) {
    switch (reason) {
    case RS_CLOSE_PROTOCOL:
        return "malformed frame or PROXY header, or a frame above --max-frame";
    case RS_CLOSE_IDLE:
        return "no whole frame for --idle-timeout";
    case RS_CLOSE_HANDSHAKE:
        return "no first frame within --handshake-timeout";
    case RS_CLOSE_RATE:
        return "more frames in a second than --max-rate";
    case RS_CLOSE_SLOW_CONSUMER:
        return "it did not read its replies, up to --max-queued";
    case RS_CLOSE_NO_BUFFERS:
        return "no send block left (--send-blocks), or the system is out of memory";
    case RS_CLOSE_TRUNCATED_SEND:
        return "the system sent less than requested";
    case RS_CLOSE_ERROR:
        return "the system reported an error";
    default:
        return NULL;
    }
}

/* One line in the making: its words and its fields. */
typedef struct cut_line {
    char text[LOG_LINE_BYTES];
    size_t bytes;
    rs_log_field fields[LOG_FIELDS_MAX - 1u];
    uint32_t count;
} cut_line;

static void cut_add(cut_line *line, const char *name, const char *words, uint64_t count) {
    RS_ASSERT(line->count < LOG_FIELDS_MAX - 1u);
    if (count == 0) {
        return;
    }
    line->fields[line->count] = (rs_log_field){.name = name, .number = count};
    line->bytes +=
        (size_t)snprintf(line->text + line->bytes, sizeof line->text - line->bytes,
                         "%s%" PRIu64 " %s", line->count == 0 ? "cut off: " : ", ", count, words);
    line->count++;
    RS_ASSERT(line->bytes < sizeof line->text);
}

static void cut_collect(cut_line *line, const rs_counters *now, const rs_counters *before) {
    line->bytes = line->count = 0;
    for (unsigned i = 0; i < RS_CLOSE_REASONS; i++) {
        const rs_close_reason reason = (rs_close_reason)i;
        const char *name = rs_close_reason_text(reason);
        char words[128];
        if (cut_advice(reason) != NULL) {
            RS_ASSERT(now->closed[i] >= before->closed[i]);
            (void)snprintf(words, sizeof words, "%s (%s)", name, cut_advice(reason));
            cut_add(line, name, words, now->closed[i] - before->closed[i]);
        }
    }
    cut_add(line, "refused", "refused (--max-sessions are open)", now->refused - before->refused);
    cut_add(line, "refused_address", "refused (their address has --max-per-address)",
            now->refused_address - before->refused_address);
}

/* False: there was nothing to say. */
static bool log_say_cuts(rs_shard_log *log, const rs_counters *counters) {
    cut_line line;
    RS_ASSERT(log->fn != NULL);
    cut_collect(&line, counters, &log->said);
    log->said = *counters;
    log->unsaid = false;
    if (line.count == 0) {
        return false;
    }
    rs_shard_log_say(log, RS_LOG_WARNING, "cut", line.text, line.fields, line.count);
    return true;
}

void rs_shard_log_cuts(rs_shard_log *log, const rs_counters *counters, uint32_t seen,
                       uint64_t now_ns) {
    RS_ASSERT(log->fn != NULL);
    if (seen == log->seen && !log->unsaid) {
        return;
    }
    log->seen = seen;
    log->unsaid = now_ns < log->next_ns;
    if (!log->unsaid && log_say_cuts(log, counters)) {
        log->next_ns = now_ns + RS_LOG_EVERY_NS;
    }
}

uint64_t rs_shard_log_wait_ms(const rs_shard_log *log, uint64_t next_ms, uint64_t now_ns) {
    const uint64_t left_ns = log->next_ns > now_ns ? log->next_ns - now_ns : 0;
    const uint64_t left_ms = (left_ns + 999999u) / 1000000u;
    RS_ASSERT(log->unsaid);
    return left_ms < next_ms ? left_ms : next_ms;
}

void rs_shard_log_end(rs_shard_log *log, const rs_counters *counters) {
    const rs_log_field fields[] = {{.name = "sessions", .number = counters->accepted},
                                   {.name = "messages", .number = counters->messages_in}};
    char text[LOG_LINE_BYTES];
    if (log->fn == NULL) {
        return;
    }
    (void)log_say_cuts(log, counters);
    (void)snprintf(text, sizeof text, "worker %u has ended: sessions %" PRIu64 " messages %" PRIu64,
                   log->shard, counters->accepted, counters->messages_in);
    rs_shard_log_say(log, RS_LOG_INFO, "ended", text, fields, 2);
}
