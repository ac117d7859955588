/* SPDX-License-Identifier: MIT */
/* d8: zero-byte receives keep idle connections from locking pages.
 *
 * Experiment: 2,000 idle connections, each with a receive of a page pending, then each with one of
 * 0 bytes. Pages of the buffers that are locked, pool and working set a connection.
 * Documented: a receive with a zero-length buffer pins no memory and completes when there is
 * something to read ("High-performance Windows Sockets applications"). Refuted by: as many locked
 * pages either way. */
#include "notes/note_kernel.h"

#define CONNECTIONS 2000u

enum { PAGES, PAGES_ZERO, POOL, POOL_ZERO, SET, SET_ZERO };
static const note_figure figures[] = {
    [PAGES] = {"buffer pages locked a connection", "", NOTE_MEDIAN},
    [PAGES_ZERO] = {"with zero-byte receives", "", NOTE_MEDIAN},
    [POOL] = {"pool a connection", "B", NOTE_MEDIAN},
    [POOL_ZERO] = {"with zero-byte receives", "B", NOTE_MEDIAN},
    [SET] = {"working set a connection", "B", NOTE_MEDIAN},
    [SET_ZERO] = {"with zero-byte receives", "B", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const double full = seen[PAGES].value, zero = seen[PAGES_ZERO].value;
    if (seen[PAGES].count == 0 || full < 0.5) {
        return note_say(NOTE_CANNOT_TELL, "ordinary receives locked %.1f pages: nothing to save",
                        full);
    }
    return note_say(zero < full / 10 ? NOTE_HOLDS : NOTE_DOES_NOT_HOLD,
                    "%.1f pages locked a connection, %.1f with zero-byte receives; pool %.0f and "
                    "%.0f bytes, working set %.0f and %.0f",
                    full, zero, seen[POOL].value, seen[POOL_ZERO].value, seen[SET].value,
                    seen[SET_ZERO].value);
}

#ifdef _WIN32

static double working_set(void) {
    rs_os_usage usage;
    rs_os_usage_read(&usage);
    return (double)usage.working_set_bytes;
}

static void idle(note *self, size_t bytes, uint32_t which) {
    OVERLAPPED *overlapped = note_memory(self, CONNECTIONS * sizeof *overlapped);
    note_socket(*pair)[2] = note_memory(self, CONNECTIONS * sizeof *pair);
    NOTE_NEED(self, overlapped != NULL && pair != NULL, "memory");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        NOTE_NEED(self, note_pair(self, pair[i]), "a pair");
    }
    const double pool = note_pool(), set = working_set();
    char *slab = rs_os_pages_alloc((size_t)CONNECTIONS * NOTE_PAGE, NULL); /* not touched yet */
    DWORD moved = 0;
    NOTE_NEED(self, slab != NULL, "memory");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        const int rc =
            note_post_recv(pair[i][0], slab + (size_t)i * NOTE_PAGE, bytes, &overlapped[i], &moved);
        NOTE_NEED(self, rc == WSA_IO_PENDING, "WSARecv");
    }
    note_add(self, POOL + which, (note_pool() - pool) / CONNECTIONS);
    note_add(self, SET + which, (working_set() - set) / CONNECTIONS);
    note_add(self, PAGES + which, note_locked(slab, CONNECTIONS) / CONNECTIONS);
    note_close_all(self); /* the slab stays: requests that end may still write there */
}

static void run(note *self) {
    idle(self, NOTE_PAGE, 0);
    idle(self, 0, 1);
}

#endif

const note_entry note_d8 = {
    .file = NOTE_FILE("d8_zero_byte_receives"),
    .where = NOTE_WINDOWS_KERNEL,
    .cannot = "page locks and no pool, which is what they save",
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
    .command = "compare --tradeoffs --scenario idle-crowd",
};
