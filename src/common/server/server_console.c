/* SPDX-License-Identifier: MIT */
/* What a server prints while it runs; nothing here waits for who reads it. */
#include <inttypes.h>
#include <stdio.h>

#include "core/assert.h"
#include "server/record.h"
#include "server/server_run.h"

#ifndef RS_COMMIT
#define RS_COMMIT "unknown"
#endif

bool rs_console_open(rs_server_run *run) {
    rs_error error = {.text = ""};
    RS_ASSERT(run->server == NULL);
    if (rs_printer_open(&run->out, RS_OS_STDOUT, &error) == RS_OK &&
        rs_printer_open(&run->err, RS_OS_STDERR, &error) == RS_OK) {
        return true;
    }
    (void)fprintf(stderr, "%s: out of memory\n", run->options.program);
    return false;
}

void rs_console_close(rs_server_run *run) {
    (void)rs_printer_close(run->out); /* what nobody reads is given up */
    (void)rs_printer_close(run->err);
}

void rs_console_banner(const rs_server_run *run, const rs_server_stats *stats) {
    char text[RS_ADDR_TEXT_BYTES];
    rs_addr addrs[RS_LISTENERS_MAX];
    const uint32_t count = rs_server_addresses(run->server, addrs, RS_LISTENERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        rs_printer_say(run->out, "listening on %s\n", rs_addr_text(&addrs[i], text));
    }
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

void rs_console_log(void *ctx, const rs_log_line *line) {
    const rs_server_run *run = ctx;
    if (line->level != RS_LOG_INFO) { /* the rest is in the first and the last line */
        rs_printer_say(run->err, "%s: %s\n", run->options.program, line->text);
    }
}

void rs_console_end(const rs_server_run *run, const rs_server_stats *stats) {
    rs_printer_say(run->out,
                   "stopped: sessions %" PRIu64 " messages %" PRIu64 " bytes in %" PRIu64
                   " out %" PRIu64 " kernel calls %" PRIu64 "\n",
                   stats->counters.accepted, stats->counters.messages_in, stats->counters.bytes_in,
                   stats->counters.bytes_out, rs_record_calls_total(&stats->backend));
}
