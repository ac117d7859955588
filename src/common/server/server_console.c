/* SPDX-License-Identifier: MIT */
/* What a server prints while it runs; nothing here waits for who reads it. */
#include <inttypes.h>
#include <stdio.h>

#include "server/record.h"
#include "server/server_run.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

void rs_console_banner(const rs_server_run *run, const rs_server_stats *stats) {
    char text[RS_ADDR_TEXT_BYTES];
    rs_addr addr;
    rs_server_address(run->server, &addr);
    rs_printer_say(run->out, "listening on %s\n", rs_addr_text(&addr, text));
    rs_printer_say(run->out,
                   "%s, commit %s: back end %s, provider %s, %s, %u worker%s, %u sessions, "
                   "%.1f MiB of buffers\n",
                   run->options.program, RS_COMMIT, run->cfg.backend->name, stats->backend.provider,
                   rs_os_platform(), run->cfg.workers, run->cfg.workers == 1 ? "" : "s",
                   run->cfg.sessions_max, (double)stats->registered_bytes / (1024 * 1024));
    if (rs_os_is_wine()) {
        rs_printer_say(run->out, "under Wine: the figures of this run are not about Windows\n");
    }
}

void rs_console_stats(const rs_server_run *run, const rs_server_stats *now,
                      const rs_server_stats *before, uint64_t elapsed_ns) {
    double seconds = (double)elapsed_ns / 1e9;
    uint64_t messages = now->counters.messages_in - before->counters.messages_in;
    uint64_t bytes = now->counters.bytes_in - before->counters.bytes_in + now->counters.bytes_out -
                     before->counters.bytes_out;
    uint64_t calls = rs_record_calls_total(&now->backend) - rs_record_calls_total(&before->backend);
    rs_printer_say(run->out,
                   "sessions %u accepted %" PRIu64 " refused %" PRIu64
                   " messages/s %.0f MB/s %.2f kernel-calls/message %.2f\n",
                   now->sessions_open, now->counters.accepted, now->counters.refused,
                   (double)messages / seconds, (double)bytes / seconds / 1e6,
                   messages != 0 ? (double)calls / (double)messages : 0.0);
}

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

void rs_console_cuts(const rs_server_run *run, const rs_counters *now, const rs_counters *before) {
    char line[RS_PRINTER_LINE_BYTES];
    size_t at = 0;
    for (unsigned i = 0; i < RS_CLOSE_REASONS; i++) {
        const char *advice = cut_advice((rs_close_reason)i);
        uint64_t count = now->closed[i] - before->closed[i];
        if (advice != NULL && count > 0) {
            at += (size_t)snprintf(line + at, sizeof line - at, "%s %" PRIu64 " %s (%s)",
                                   at == 0 ? "" : ",", count,
                                   rs_close_reason_text((rs_close_reason)i), advice);
        }
    }
    if (now->refused != before->refused) {
        at += (size_t)snprintf(line + at, sizeof line - at,
                               "%s %" PRIu64 " refused (--max-sessions are open)",
                               at == 0 ? "" : ",", now->refused - before->refused);
    }
    if (now->refused_address != before->refused_address) {
        at += (size_t)snprintf(line + at, sizeof line - at,
                               "%s %" PRIu64 " refused (their address has --max-per-address)",
                               at == 0 ? "" : ",", now->refused_address - before->refused_address);
    }
    if (at > 0) {
        rs_printer_say(run->err, "%s: cut off:%s\n", run->options.program, line);
    }
}

void rs_console_end(const rs_server_run *run, const rs_server_stats *stats) {
    rs_printer_say(run->out,
                   "stopped: sessions %" PRIu64 " messages %" PRIu64 " bytes in %" PRIu64
                   " out %" PRIu64 " kernel calls %" PRIu64 "\n",
                   stats->counters.accepted, stats->counters.messages_in, stats->counters.bytes_in,
                   stats->counters.bytes_out, rs_record_calls_total(&stats->backend));
}
