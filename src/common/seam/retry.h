/* SPDX-License-Identifier: MIT */
/* When to retry after running out of resources: after a wait that grows with each failure up to a
 * bound, and is reset by a success. Without it, running out becomes a busy loop.
 *
 * Pure arithmetic over the caller's clock. One thread. */
#ifndef RS_SEAM_RETRY_H
#define RS_SEAM_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RS_RETRY_FIRST_MS 10u
#define RS_RETRY_MAX_MS 500u /* handles are freed when sessions end, at an unknown time */

typedef struct rs_retry {
    uint32_t wait_ms; /* the current or last wait; 0 = the last try succeeded */
    uint64_t due_ns;
} rs_retry;

/* rs_retry_failed: one more failure at now_ns. Returns the wait that begins, in milliseconds. */
static inline uint32_t rs_retry_failed(rs_retry *retry, uint64_t now_ns) {
    uint32_t wait_ms = retry->wait_ms == 0 ? RS_RETRY_FIRST_MS : retry->wait_ms * 2u;
    retry->wait_ms = wait_ms < RS_RETRY_MAX_MS ? wait_ms : RS_RETRY_MAX_MS;
    retry->due_ns = now_ns + (uint64_t)retry->wait_ms * 1000000u;
    return retry->wait_ms;
}

static inline void rs_retry_succeeded(rs_retry *retry) {
    retry->wait_ms = 0;
}

/* rs_retry_is_due: is the wait over? Asked after a failure. */
static inline bool rs_retry_is_due(const rs_retry *retry, uint64_t now_ns) {
    return now_ns >= retry->due_ns;
}

#endif
