/* SPDX-License-Identifier: MIT */
/* What a run of the load generator was asked for. Filled by the option table, read by the rest. */
#ifndef RS_LOADGEN_SETTINGS_H
#define RS_LOADGEN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/op.h"
#include "core/options.h"
#include "loadgen/loadgen_sizes.h"

typedef enum rs_load_app { RS_LOAD_ECHO, RS_LOAD_RAW, RS_LOAD_BOARD } rs_load_app;
typedef enum rs_load_arrivals { RS_ARRIVALS_FIXED, RS_ARRIVALS_POISSON } rs_load_arrivals;
typedef enum rs_load_progress {
    RS_PROGRESS_AUTO,
    RS_PROGRESS_ON,
    RS_PROGRESS_OFF
} rs_load_progress;

#define RS_LOAD_THREADS_MAX 64u
#define RS_LOAD_DEPTH_MAX 65536u
#define RS_LOAD_BOARD_RECV_BYTES 8192u               /* --app board: what a bot receives at once */
#define RS_LOAD_MEMORY_BYTES_MAX (UINT64_C(8) << 30) /* for buffers; more is refused at start */

typedef struct rs_load_settings {
    const char *host; /* with port the only target, unless a list was given */
    uint16_t port;
    rs_option_list target_list; /* --target; which are, or that: */
    rs_addr target[RS_OPTION_ITEMS_MAX];
    uint32_t targets;
    uint32_t first, connections_all; /* a part's: its first connection, of how many */
    const char *source_text;
    rs_addr source;   /* local addresses in turn: this one and the following, ... */
    uint32_t sources; /* ... so many; 0 = the system's choice */
    rs_addr route[RS_OPTION_ITEMS_MAX][2]; /* each target, and the source */
    uint32_t threads;                      /* at most connections */
    uint32_t connections, idle, depth;
    const char *size_text, *reply_text; /* as given; reply NULL: as the request. Which are: */
    rs_sizes size;                      /* of a request; board: of a move, one size */
    rs_sizes reply;                     /* count 0: the request comes back; max 0: nothing does */
    double seconds, warmup_s;           /* seconds 0: until messages or churn_total are done */
    uint32_t messages;                  /* 0 = no limit */
    double think_s;          /* closed loop: between a reply and the next message; 0 = none */
    bool think_exponential;  /* at random, think_s on average */
    uint32_t connect_rate;   /* connections a second, at most; 0 = no limit */
    uint32_t rate;           /* 0 = closed loop */
    double rate_min_percent; /* of it that must be reached; 0 = none */
    rs_load_arrivals arrivals;
    const char *find_rate; /* NULL: no search; else pN=TIME, which is: */
    uint32_t find_x1000;   /* its percentile in thousandths of a percent */
    uint64_t find_ns;      /* the most it may be */
    bool ramp, churn;
    bool ramp_only;                       /* nothing after the ramp */
    uint32_t churn_messages, churn_total; /* churn_total 0 = no limit */
    rs_load_app app;
    bool coalesce; /* requests that may be sent at once go out in one send */
    uint32_t seed;
    uint32_t reset_percent, half_close_percent, slow_percent;
    bool verify;
    double connect_timeout_s, timeout_s;
    uint32_t sends_in_flight, dequeue_batch;
    int32_t sndbuf_bytes, rcvbuf_bytes; /* -1: the system's default */
    bool nodelay;
    rs_load_progress progress;
    const char *json_path, *hdr_path, *series_path,
        *per_connection_path; /* NULL: none; "-": standard output */
    int32_t pin;              /* -1: wherever the system likes */
    rs_options options;
} rs_load_settings;

extern const rs_option_table rs_load_options;

/* rs_load_settings_read: from the command line. -1: *settings is complete and consistent, and stays
 * where it is. Else the help text or the error line has been printed, and this is the exit code. */
int rs_load_settings_read(rs_load_settings *settings, int argc, const char *const *argv);

/* rs_load_pushes: messages have no reply (--reply-size 0). rs_load_sinks: ... nor a receipt, since
 * the server knows no frames: what its kernel and ours take is all there is to see. */
bool rs_load_pushes(const rs_load_settings *settings);
bool rs_load_sinks(const rs_load_settings *settings);

/* rs_load_streams: messages are longer than a frame can be: replies are checked piece by piece. */
bool rs_load_streams(const rs_load_settings *settings);

/* rs_load_target_of: the target of connection `index` of these settings; they take turns, counted
 * over all threads. */
uint32_t rs_load_target_of(const rs_load_settings *settings, uint32_t index);

/* rs_load_target_text: "HOST:PORT" as it was given, to out: RS_LOAD_TARGET_BYTES. Returns out. */
#define RS_LOAD_TARGET_BYTES 300u
const char *rs_load_target_text(const rs_load_settings *settings, uint32_t target, char *out);

/* rs_load_settings_part: what thread `index` of settings->threads does: its share of connections,
 * rate and counts, which add up to the whole exactly, with a seed of its own. first: the number of
 * its first connection among all. */
void rs_load_settings_part(const rs_load_settings *settings, uint32_t index, rs_load_settings *out,
                           uint32_t *first);

#endif
