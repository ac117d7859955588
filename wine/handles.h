/* SPDX-License-Identifier: MIT */
/* Handles that distinguish live objects from closed or invalid ones: RIO_CQ, RIO_RQ and
 * RIO_BUFFERID values are {generation, index + 1}, never pointers, so that a stale or garbage value
 * is an error code and not a crash. Pure C. Lookup may run beside open and close of other handles;
 * open and close need the owner's lock. */
#ifndef RS_WINE_HANDLES_H
#define RS_WINE_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#define RS_HANDLE_CHUNK 1024u
#define RS_HANDLE_CHUNKS 65536u /* 67,108,864 handles of one kind: memory ends before */

typedef struct rs_handle_slot {
    void *object; /* NULL = free */
    uint32_t generation;
    uint32_t next_free; /* index + 1; 0 = none */
} rs_handle_slot;

typedef struct rs_handle_table {
    rs_handle_slot *chunk[RS_HANDLE_CHUNKS];
    uint32_t used; /* slots ever handed out */
    uint32_t first_free;
    uint32_t live;
} rs_handle_table;

/* rs_handle_open: a new handle for object (not NULL), or 0 when memory or slots ran out.
 * The upper 32 bits are never 0, so no handle equals RIO_INVALID_BUFFERID. */
uint64_t rs_handle_open(rs_handle_table *table, void *object);

/* rs_handle_find: the object, or NULL for a handle that is closed or never was. */
void *rs_handle_find(const rs_handle_table *table, uint64_t handle);

/* rs_handle_was: the handle was valid and has been closed. */
bool rs_handle_was(const rs_handle_table *table, uint64_t handle);

/* rs_handle_close: ends a live handle and returns its object; NULL if there is none. */
void *rs_handle_close(rs_handle_table *table, uint64_t handle);

/* rs_handle_at: the object of slot index (0 .. used-1), or NULL; for walking all of them. */
void *rs_handle_at(const rs_handle_table *table, uint32_t index);

#endif
