/* What a run of the load generator was asked for. Filled by the option table, read by the rest. */
#ifndef RS_LOADGEN_SETTINGS_H
#define RS_LOADGEN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/op.h"

typedef enum rs_load_app { RS_LOAD_ECHO, RS_LOAD_RAW } rs_load_app;
typedef enum rs_load_progress {
    RS_PROGRESS_AUTO,
    RS_PROGRESS_ON,
    RS_PROGRESS_OFF
} rs_load_progress;

#define RS_LOAD_DEPTH_MAX 65536u
#define RS_LOAD_MEMORY_BYTES_MAX (UINT64_C(8) << 30) /* for buffers; more is refused at start */

typedef struct rs_load_settings {
    rs_addr addr;
    uint32_t port;
    uint32_t source_ip, sources; /* local addresses in turn: source_ip and the following; 0 = any */
    uint32_t connections, idle, depth, frame_bytes;
    double seconds, warmup_s; /* seconds 0: until messages or churn_total are done */
    uint32_t messages;        /* 0 = no limit */
    uint32_t rate;            /* 0 = closed loop */
    double rate_min_percent;  /* of it that must be reached; 0 = none */
    bool ramp, churn;
    bool ramp_only;                       /* nothing after the ramp */
    uint32_t churn_messages, churn_total; /* churn_total 0 = no limit */
    int app;                              /* rs_load_app */
    uint32_t seed;
    uint32_t reset_percent, half_close_percent, slow_percent;
    bool verify;
    double connect_timeout_s, timeout_s;
    uint32_t sends_in_flight, dequeue_batch;
    int progress; /* rs_load_progress */
    const char *json_path;
    int32_t pin; /* -1: wherever the system likes */
} rs_load_settings;

/* rs_load_settings_read: from the command line. RS_OPTIONS_RUN: *settings is complete and
 * consistent. Else the help text or the error line has been printed and the caller ends. Returns
 * the exit code, or -1 for "go on". */
int rs_load_settings_read(rs_load_settings *settings, int argc, const char *const *argv);

/* rs_load_settings_json: the object "settings": every option but --json, as the run took it. */
void rs_load_settings_json(rs_json *json, const rs_load_settings *settings);

#endif
