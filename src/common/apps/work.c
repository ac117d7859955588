/* SPDX-License-Identifier: MIT */
/* See work.h. */
#include "apps/work.h"

#include "core/assert.h"
#include "seam/os.h"

#define WORK_PROBE 200000u /* iterations; some hundred microseconds */
#define WORK_PROBES 7u     /* the fastest counts: the others were interrupted */

/* Set before the first thread of the server. */
static rs_app work_inner;
static uint64_t work_iterations; /* of each message */

static void work_do(uint64_t iterations) {
    volatile uint64_t sink = 0; /* or the compiler leaves the loop out */
    uint64_t x = iterations;
    for (uint64_t i = 0; i < iterations; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u; /* each waits for the one before */
    }
    sink = x;
    (void)sink;
}

static void work_on_message(void *ctx, rs_session *session, const uint8_t *data, uint32_t bytes) {
    RS_DEBUG_ASSERT(work_inner.on_message != NULL);
    work_do(work_iterations);
    work_inner.on_message(ctx, session, data, bytes);
}

rs_app rs_work_app(const rs_app *inner, uint32_t work_us) {
    rs_app app = *inner;
    uint64_t best_ns = UINT64_MAX;
    RS_ASSERT(inner->on_message != NULL && inner->on_message != work_on_message);
    for (uint32_t i = 0; i < WORK_PROBES; i++) {
        const uint64_t start_ns = rs_os_now_ns();
        work_do(WORK_PROBE);
        const uint64_t took_ns = rs_os_now_ns() - start_ns;
        best_ns = took_ns > 0 && took_ns < best_ns ? took_ns : best_ns;
    }
    work_inner = *inner;
    work_iterations = (uint64_t)work_us * 1000u * WORK_PROBE / best_ns;
    app.on_message = work_on_message;
    return app;
}
