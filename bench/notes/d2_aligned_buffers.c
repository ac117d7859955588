/* SPDX-License-Identifier: MIT */
/* d2: aligned buffers lock fewer pages.
 *
 * Experiment: buffers of 4,096 bytes, a page: at offset 0 and 33 of one; 1,000 of them cut from an
 * aligned slab, and from the heap, each with 16 bytes before it. How many pages do they touch? On
 * Windows a WSARecv is posted to the first two: how many pages are locked?
 * Documented: memory is locked by the page; "buffers ... aligned to page boundaries" are advised
 * ("High-performance Windows Sockets applications"). Refuted by: as many pages without alignment.
 */
#include "notes/note_kernel.h"

#define PAGE_BYTES 4096u
#define BUFFERS 1000u
#define OFFSET 33u

enum { TOUCHED_0, TOUCHED_33, SLAB, HEAP, LOCKED_0, LOCKED_33 };
static const note_figure figures[] = {
    [TOUCHED_0] = {"pages of 4,096 bytes at offset 0", "", NOTE_MOST},
    [TOUCHED_33] = {"at offset 33", "", NOTE_LEAST},
    [SLAB] = {"pages to lock for 1,000, of a slab", "", NOTE_MOST},
    [HEAP] = {"of the heap", "", NOTE_LEAST},
    [LOCKED_0] = {"locked while a receive is pending, offset 0", "", NOTE_MEDIAN},
    [LOCKED_33] = {"offset 33", "", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    const bool fewer =
        seen[TOUCHED_0].value < seen[TOUCHED_33].value && seen[SLAB].value < seen[HEAP].value;
    const bool asked = seen[LOCKED_0].count > 0 && seen[LOCKED_33].count > 0;
    if (!fewer || (asked && seen[LOCKED_0].value >= seen[LOCKED_33].value)) {
        return note_say(NOTE_DOES_NOT_HOLD, "no fewer pages: %.0f against %.0f, locked %.0f, %.0f",
                        seen[SLAB].value, seen[HEAP].value, seen[LOCKED_0].value,
                        seen[LOCKED_33].value);
    }
    return note_say(
        asked ? NOTE_HOLDS : NOTE_IN_PART,
        "a buffer of a page touches %.0f page when aligned and %.0f at offset 33; 1,000 "
        "of them %.0f and %.0f%s",
        seen[TOUCHED_0].value, seen[TOUCHED_33].value, seen[SLAB].value, seen[HEAP].value,
        asked ? ", and so many are locked"
              : "; that is arithmetic: whether they are locked, Windows alone can tell");
}

static double pages_touched(uintptr_t address, size_t bytes) {
    const size_t pages = (address + bytes - 1) / PAGE_BYTES - address / PAGE_BYTES + 1;
    return (double)pages;
}

#ifdef _WIN32

static void locked(note *self, size_t offset, uint32_t figure) {
    OVERLAPPED *overlapped = note_memory(self, sizeof *overlapped);
    char *pages = note_pages(self, 2);
    note_socket pair[2];
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && pages != NULL && note_pair(self, pair), "a pair");
    overlapped->hEvent = note_event(self);
    const int rc = note_post_recv(pair[0], pages + offset, PAGE_BYTES, overlapped, &moved);
    NOTE_NEED(self, rc == WSA_IO_PENDING, "WSARecv");
    note_add(self, figure, note_locked(pages, 2));
    NOTE_NEED(self, note_send(pair[1], "x", 1) == 1, "send");
    NOTE_NEED(self, note_await(pair[0], overlapped, 1000, &moved) == 0, "the end of WSARecv");
}

#endif

static void run(note *self) {
    char *slab = rs_os_pages_alloc((size_t)BUFFERS * PAGE_BYTES, NULL);
    double of_slab = 0, of_heap = 0;
    NOTE_NEED(self, slab != NULL, "memory");
    note_add(self, TOUCHED_0, pages_touched((uintptr_t)slab, PAGE_BYTES));
    note_add(self, TOUCHED_33, pages_touched((uintptr_t)slab + OFFSET, PAGE_BYTES));
    for (uint32_t i = 0; i < BUFFERS; i++) {
        const char *heap = note_memory(self, PAGE_BYTES);
        of_slab += pages_touched((uintptr_t)slab + (size_t)i * PAGE_BYTES, PAGE_BYTES);
        of_heap += pages_touched((uintptr_t)heap, PAGE_BYTES);
    }
    rs_os_pages_free(slab, (size_t)BUFFERS * PAGE_BYTES);
    note_add(self, SLAB, of_slab);
    note_add(self, HEAP, of_heap);
#ifdef _WIN32
    if (!rs_os_is_wine()) {
        locked(self, 0, LOCKED_0);
        locked(self, OFFSET, LOCKED_33);
    }
#endif
}

const note_entry note_d2 = {
    .file = NOTE_FILE("d2_aligned_buffers"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART),
    .judge = judge,
    .run = run,
};
