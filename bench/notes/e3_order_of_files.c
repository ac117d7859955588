/* SPDX-License-Identifier: MIT */
/* e3: overlapped file requests may complete in any order, socket requests of one direction do not.
 *
 * Experiment: 64 reads of 4 KiB at random places of a file of 16 MiB, without the cache, and 64
 * sends of 4 KiB on one socket; each through a port. How often does one complete that was not the
 * next? Documented: the order of overlapped file requests is not defined (I/O, "Synchronous and
 * Asynchronous I/O"); sends of a stream are in order (Winsock, WSASend). Refuted by: sends out of
 * order; that reads stay in order proves nothing. */
#include "notes/note_file.h"
#include "notes/note_kernel.h"

#define REQUESTS 64u
#define BLOCKS 4096u /* of a page: 16 MiB */
#define ROUNDS 5u

enum { FILE_SWAPS, SOCKET_SWAPS, COMPLETED };
static const note_figure figures[] = {
    [FILE_SWAPS] = {"file reads out of order, of 320", "", NOTE_SUM},
    [SOCKET_SWAPS] = {"sends out of order, of 320", "", NOTE_SUM},
    [COMPLETED] = {"requests completed", "", NOTE_SUM},
};

static note_verdict judge(const note_seen *seen) {
    const double file = seen[FILE_SWAPS].value, sends = seen[SOCKET_SWAPS].value;
    return note_say(sends > 0  ? NOTE_DOES_NOT_HOLD
                    : file > 0 ? NOTE_HOLDS
                               : NOTE_CANNOT_TELL,
                    "out of order: %.0f reads of a file and %.0f sends, of %.0f requests", file,
                    sends, seen[COMPLETED].value);
}

#ifdef _WIN32

/* Takes all, which are overlapped[i]; counts those that were not the next. */
static void take(note *self, HANDLE port, const OVERLAPPED *overlapped, uint32_t figure) {
    uint32_t swaps = 0, completed = 0;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    while (completed < REQUESTS) {
        const OVERLAPPED *done = note_take(port, 2000, &bytes, &key);
        if (done == NULL) {
            break;
        }
        swaps += done != &overlapped[completed];
        completed++;
    }
    note_add(self, figure, swaps);
    note_add(self, COMPLETED, completed);
}

static void reads(note *self, HANDLE file, HANDLE port, char *pages, uint64_t *random) {
    OVERLAPPED *overlapped = note_memory(self, REQUESTS * sizeof *overlapped);
    NOTE_NEED(self, overlapped != NULL, "memory");
    for (uint32_t i = 0; i < REQUESTS; i++) {
        overlapped[i].Offset = note_random(random) % BLOCKS * NOTE_PAGE;
        if (!ReadFile(file, pages + (size_t)i * NOTE_PAGE, NOTE_PAGE, NULL, &overlapped[i])) {
            NOTE_NEED(self, GetLastError() == ERROR_IO_PENDING, "ReadFile");
        }
    }
    take(self, port, overlapped, FILE_SWAPS);
}

static void sends(note *self, char *pages) {
    OVERLAPPED *overlapped = note_memory(self, REQUESTS * sizeof *overlapped);
    const HANDLE port = note_port(self, 1);
    note_reader reader = {.slow = true};
    note_socket pair[2];
    DWORD moved = 0;
    NOTE_NEED(self, overlapped != NULL && note_pair_sized(self, pair, 16384, 16384), "a pair");
    NOTE_NEED(self, note_attach(self, port, pair[1], 0), "a port");
    NOTE_NEED(self, note_reader_start(self, &reader, pair[0]), "a reader");
    for (uint32_t i = 0; i < REQUESTS; i++) {
        const int rc = note_post_send(pair[1], pages + (size_t)i * NOTE_PAGE, NOTE_PAGE,
                                      &overlapped[i], &moved);
        if (rc != 0 && rc != WSA_IO_PENDING) {
            note_failed(self, "WSASend");
            break;
        }
    }
    take(self, port, overlapped, SOCKET_SWAPS);
    note_close(self, pair[1]);
    note_reader_join(&reader);
}

static void run(note *self) {
    uint64_t random = 88172645463325252u;
    char *pages = note_pages(self, BLOCKS);
    const HANDLE file = note_file(self, FILE_FLAG_NO_BUFFERING), port = note_port(self, 1);
    NOTE_NEED(self, pages != NULL && file != NULL, "a file");
    NOTE_NEED(self, note_file_fill(self, file, pages, BLOCKS * NOTE_PAGE), "WriteFile");
    NOTE_NEED(self, CreateIoCompletionPort(file, port, 0, 0) == port, "a port");
    for (uint32_t i = 0; i < ROUNDS; i++) {
        reads(self, file, port, pages, &random);
        sends(self, pages);
    }
    rs_os_pages_free(pages, (size_t)BLOCKS * NOTE_PAGE);
}

#endif

const note_entry note_e3 = {
    .file = NOTE_FILE("e3_order_of_files"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
