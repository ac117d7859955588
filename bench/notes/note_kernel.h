/* SPDX-License-Identifier: MIT */
/* What only Windows' kernel has, for the experiments: Registered I/O, locked pages, pool.
 *
 * Elsewhere the harness says "cannot tell here" for entries with NOTE_WINDOWS_KERNEL; Registered
 * I/O may be lent (`riorun notes.exe`), so those that can do without ask note_rio_open. */
#ifndef RS_NOTES_NOTE_KERNEL_H
#define RS_NOTES_NOTE_KERNEL_H

#include "notes/note_net.h"

#ifdef _WIN32

#include "rio/rio_abi.h"

#define NOTE_PAGE 4096u

/* note_pages: page-aligned, zeroed, touched, never freed. NULL: note_failed has said why. */
char *note_pages(note *self, size_t count);

/* note_locked: how many of `count` pages from `page` on are locked in memory. NAN: not told. */
double note_locked(const char *page, uint32_t count);

/* note_pool: non-paged pool charged to this process, bytes. NAN: not told. */
double note_pool(void);

/* A connection, the near end of which has a request queue on a completion queue that is polled, and
 * registered memory. */
typedef struct note_rio {
    RIO_EXTENSION_FUNCTION_TABLE fn;
    note_socket socket, peer;
    RIO_CQ queue;
    RIO_RQ requests;
    RIO_BUFFERID id;
    char *memory;
} note_rio;

/* note_rio_open: room for `depth` requests each way, `pages` pages. False: there is no Registered
 * I/O here, or a call failed; note_failed is not called, note_error is the reason. */
bool note_rio_open(note *self, note_rio *rio, ULONG depth, uint32_t pages);
void note_rio_close(note *self, note_rio *rio);

/* note_rio_send, note_rio_recv: of bytes at offset of its memory. 0, or the error. */
int note_rio_send(note_rio *rio, ULONG offset, ULONG bytes);
int note_rio_recv(note_rio *rio, ULONG offset, ULONG bytes);

/* note_rio_take: polls for one completion. False: none within ms. */
bool note_rio_take(note_rio *rio, uint32_t ms, RIORESULT *out);

#endif

#endif
