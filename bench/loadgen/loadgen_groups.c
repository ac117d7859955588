/* SPDX-License-Identifier: MIT */
/* See loadgen_groups.h. */
#include "loadgen/loadgen_groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define GROUPS_NS_PER_US 1e3
#define GROUPS_MIB 1048576.0
#define GROUPS_ROW_BYTES 2048u /* more than a row has */

/* The connections to one target; the caller frees it. NULL: no memory. */
static rs_load_group *groups_of_target(const rs_load_run *run, uint32_t target) {
    rs_load_group *sum = calloc(1, sizeof *sum);
    if (sum == NULL) {
        return NULL;
    }
    sum->target = target;
    rs_histogram_init(&sum->latency);
    for (uint32_t i = 0; i < run->groups; i++) {
        if (run->load.groups[i].target == target) {
            rs_load_group_add(sum, &run->load.groups[i]);
        }
    }
    return sum;
}

static uint64_t groups_ended(const rs_load_books *books) {
    const rs_load_ends *ends = &books->ends;
    return ends->refused + ends->reset + ends->closed + ends->timed_out + ends->failed;
}

static uint64_t groups_faults(const rs_load_books *books) {
    const rs_track_columns *columns = &books->columns;
    return columns->lost + columns->wrong + columns->reordered + columns->duplicated +
           groups_ended(books);
}

/* Of the measured time; negative: not known. */
static double groups_rate(const rs_load_run *run, uint64_t count) {
    const double rate = rs_load_run_rate(run);
    return rate > 0 ? rate * (double)count / (double)run->load.measured : -1.0;
}

/* Negative: too few values. */
static double groups_percentile_us(const rs_histogram *latency, uint32_t percent_x1000) {
    return rs_histogram_enough(latency->count, percent_x1000)
               ? (double)rs_histogram_percentile(latency, percent_x1000) / GROUPS_NS_PER_US
               : -1.0;
}

static void print_cell(rs_printer *out, double value) {
    if (value >= 0) {
        rs_printer_say(out, " %10.1f", value);
    } else {
        rs_printer_say(out, " %10s", "-");
    }
}

void rs_groups_print(const rs_load_run *run) {
    const rs_load_settings *s = run->settings;
    rs_printer *out = run->out;
    if (s->targets < 2) {
        return;
    }
    rs_printer_say(out, "%-22s %10s %10s %10s %10s %10s %10s\n", "target", "connected", "faults",
                   "rate/s", "p50 us", "p99 us", "max us");
    for (uint32_t i = 0; i < s->targets; i++) {
        rs_load_group *sum = groups_of_target(run, i);
        char text[RS_LOAD_TARGET_BYTES];

        if (sum == NULL) {
            return; /* the JSON says it, or cannot either */
        }
        rs_printer_say(out, "%-22s %10" PRIu64 " %10" PRIu64, rs_load_target_text(s, i, text),
                       sum->books.ends.connected, groups_faults(&sum->books));
        print_cell(out, groups_rate(run, sum->books.measured));
        print_cell(out, groups_percentile_us(&sum->latency, 50000));
        print_cell(out, groups_percentile_us(&sum->latency, 99000));
        print_cell(out, sum->latency.count > 0 ? (double)sum->latency.max / GROUPS_NS_PER_US : -1);
        rs_printer_say(out, "\n");
        free(sum);
    }
}

static void json_cell(rs_json *json, const char *key, double value) {
    if (value >= 0) {
        rs_json_double(json, key, value);
    } else {
        rs_json_null(json, key);
    }
}

static void json_group_members(rs_json *json, const rs_load_run *run, const rs_load_group *group) {
    const rs_load_books *books = &group->books;
    char text[RS_LOAD_TARGET_BYTES];
    rs_json_string(json, "target", rs_load_target_text(run->settings, group->target, text));
    rs_json_u64(json, "connected", books->ends.connected);
    rs_json_u64(json, "sent", books->columns.sent);
    rs_json_u64(json, "received", books->columns.received);
    rs_json_u64(json, "faults", groups_faults(books));
    rs_json_u64(json, "measured_messages", books->measured);
    json_cell(json, "rate_per_s", groups_rate(run, books->measured));
    json_cell(json, "sent_mib_per_s", groups_rate(run, books->sent_bytes) / GROUPS_MIB);
    json_cell(json, "received_mib_per_s", groups_rate(run, books->received_bytes) / GROUPS_MIB);
    rs_histogram_json(json, "latency_ns", &group->latency);
}

void rs_groups_json(rs_json *json, const rs_load_run *run) {
    const uint32_t targets = run->settings->targets;
    if (targets < 2) {
        rs_json_null(json, "targets");
        return;
    }
    rs_json_array(json, "targets");
    for (uint32_t i = 0; i < targets; i++) {
        rs_load_group *sum = groups_of_target(run, i);

        if (sum == NULL) {
            rs_json_null(json, NULL);
        } else {
            rs_json_object(json, NULL);
            json_group_members(json, run, sum);
            rs_json_end(json);
        }
        free(sum);
    }
    rs_json_end(json);
}

/* ---- a row a connection */

static int groups_cell(char *out, size_t bytes, double value) {
    return value >= 0 ? snprintf(out, bytes, ",%.3f", value) : snprintf(out, bytes, ",");
}

static size_t groups_row(const rs_load_run *run, uint32_t index, char *out, size_t bytes) {
    const rs_load_group *group = &run->load.groups[index];
    const rs_load_books *books = &group->books;
    const rs_track_columns *columns = &books->columns;
    const bool any = group->latency.count > 0;
    const double cells[] = {groups_rate(run, books->measured),
                            any ? (double)group->latency.min / GROUPS_NS_PER_US : -1,
                            any ? rs_histogram_mean(&group->latency) / GROUPS_NS_PER_US : -1,
                            groups_percentile_us(&group->latency, 50000),
                            groups_percentile_us(&group->latency, 99000),
                            any ? (double)group->latency.max / GROUPS_NS_PER_US : -1};
    char text[RS_LOAD_TARGET_BYTES];
    int used =
        snprintf(out, bytes,
                 "%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
                 index, rs_load_target_text(run->settings, group->target, text),
                 books->ends.connected, columns->sent, columns->received, columns->lost,
                 columns->wrong, columns->reordered, columns->duplicated, groups_ended(books),
                 books->measured, books->sent_bytes, books->received_bytes);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        RS_ASSERT(used >= 0 && (size_t)used < bytes);
        used += groups_cell(out + used, bytes - (size_t)used, cells[i]);
    }
    RS_ASSERT(used >= 0 && (size_t)used + 1u < bytes);
    out[used] = '\n';
    out[used + 1] = '\0';
    return (size_t)used + 1u;
}

/* The same as an object of an array, on a line of its own. */
static size_t groups_object(const rs_load_run *run, uint32_t index, char *out, size_t bytes) {
    const rs_load_group *group = &run->load.groups[index];
    const rs_track_columns *columns = &group->books.columns;
    const bool last = index + 1u == run->groups;
    rs_json json;
    size_t used = 0;
    bool whole;
    rs_json_init(&json, out, bytes);
    rs_json_object(&json, NULL);
    rs_json_u64(&json, "connection", index);
    json_group_members(&json, run, group);
    rs_json_u64(&json, "lost", columns->lost);
    rs_json_u64(&json, "wrong", columns->wrong);
    rs_json_u64(&json, "reordered", columns->reordered);
    rs_json_u64(&json, "duplicated", columns->duplicated);
    rs_json_u64(&json, "ended_badly", groups_ended(&group->books));
    rs_json_u64(&json, "measured_sent_bytes", group->books.sent_bytes);
    rs_json_u64(&json, "measured_received_bytes", group->books.received_bytes);
    rs_json_end(&json);
    whole = rs_json_finish(&json, &used);
    RS_ASSERT(whole && used + 3u < bytes);
    used += (size_t)snprintf(out + used, bytes - used, last ? "\n" : ",\n");
    return used;
}

typedef size_t (*groups_make)(const rs_load_run *run, uint32_t index, char *out, size_t bytes);

/* As snprintf. */
static size_t groups_text(const rs_load_run *run, const char *head, groups_make make,
                          const char *foot, char *out, size_t out_bytes) {
    char row[GROUPS_ROW_BYTES];
    size_t needed = 0;
    RS_ASSERT(out != NULL || out_bytes == 0);
    for (uint32_t i = 0; i < run->groups + 2u; i++) {
        const char *text = i == 0 ? head : i <= run->groups ? row : foot;
        const size_t bytes = text == row ? make(run, i - 1u, row, sizeof row) : strlen(text);

        if (needed < out_bytes) {
            (void)snprintf(out + needed, out_bytes - needed, "%s", text);
        }
        needed += bytes;
    }
    return needed;
}

size_t rs_groups_list(const rs_load_run *run, char *out, size_t out_bytes) {
    return groups_text(run, "[\n", groups_object, "]\n", out, out_bytes);
}

size_t rs_groups_csv(const rs_load_run *run, char *out, size_t out_bytes) {
    static const char head[] =
        "connection,target,connected,sent,received,lost,wrong,reordered,duplicated,ended_badly,"
        "measured,sent_bytes,received_bytes,rate_per_s,min_us,mean_us,p50_us,p99_us,max_us\n";
    return groups_text(run, head, groups_row, "", out, out_bytes);
}

uint32_t rs_groups_silent(const rs_load_run *run) {
    const rs_load_ends *ends = &run->load.ends;
    if (run->settings->targets < 2) {
        return ends->refused > 0 && ends->connected == 0 ? 0 : UINT32_MAX;
    }
    for (uint32_t i = 0; i < run->settings->targets; i++) {
        uint64_t refused = 0, connected = 0;

        for (uint32_t k = 0; k < run->groups; k++) {
            if (run->load.groups[k].target == i) {
                refused += run->load.groups[k].books.ends.refused;
                connected += run->load.groups[k].books.ends.connected;
            }
        }
        if (refused > 0 && connected == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}
