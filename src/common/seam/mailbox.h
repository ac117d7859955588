/* SPDX-License-Identifier: MIT */
/* Messages from any thread to one shard: a bounded ring, many writers, one reader, no lock.
 *
 * Each slot has a sequence number that says whose turn it is (writer of this round, reader, writer
 * of the next), so a slow writer delays only itself. A message has a fixed
 * header and up to payload_max bytes, copied in and read in place. */
#ifndef RS_SEAM_MAILBOX_H
#define RS_SEAM_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "seam/atomics.h"

typedef enum rs_message_kind {
    RS_MESSAGE_ATTACH = 1, /* payload = rs_arrival */
    RS_MESSAGE_CONNECT,    /* payload = rs_connect */
    RS_MESSAGE_SEND,       /* value = session id, payload = bytes */
    RS_MESSAGE_CLOSE,      /* value = session id */
    RS_MESSAGE_RELEASE,    /* value = session id */
    RS_MESSAGE_BROADCAST,  /* value = ids, at the beginning of the payload, or RS_MESSAGE_TO_ALL;
                              behind them the bytes */
    RS_MESSAGE_NOTHING,    /* claimed in vain */
    RS_MESSAGE_STATS,      /* pointer = struct to fill */
    RS_MESSAGE_POST,       /* pointer = its argument, payload = an rs_shard_fn */
    RS_MESSAGE_PEER        /* value = the shard that tells, payload = what it tells */
} rs_message_kind;

#define RS_MESSAGE_TO_ALL UINT64_MAX

typedef struct rs_message {
    rs_atomic_u32 turn; /* the ring's own */
    uint32_t kind;
    uint64_t value;
    void *pointer;
    uint8_t *payload; /* behind all headers; set once, by rs_mailbox_init */
    uint32_t bytes;   /* of payload */
} rs_message;

typedef struct rs_mailbox {
    uint8_t *slots;
    size_t slot_bytes;   /* of a header */
    uint32_t slot_count; /* a power of two */
    uint32_t payload_max;
    rs_atomic_u32 write_position;
    uint32_t read_position; /* the reader's alone */
} rs_mailbox;

/* rs_mailbox_slot_bytes: memory for one slot with this payload. */
size_t rs_mailbox_slot_bytes(uint32_t payload_max);

/* rs_mailbox_init: slots = slot_count * rs_mailbox_slot_bytes(payload_max) bytes, 64-byte aligned,
 * the caller's. */
void rs_mailbox_init(rs_mailbox *box, uint8_t *slots, uint32_t slot_count, uint32_t payload_max);

/* rs_mailbox_post: any thread. RS_E_FULL: nothing was posted; RS_E_INVALID: bytes > payload_max. */
rs_status rs_mailbox_post(rs_mailbox *box, uint32_t kind, uint64_t value, void *pointer,
                          const void *payload, uint32_t bytes);

/* rs_mailbox_claim: any thread. A message to be filled in, its payload up to payload_max; the
 * reader does not go past it before rs_mailbox_publish. NULL: the mailbox is full. */
rs_message *rs_mailbox_claim(rs_mailbox *box);

/* rs_mailbox_publish: a claimed message is the reader's. */
void rs_mailbox_publish(rs_message *message);

/* rs_mailbox_is_full: just now. Any thread. */
bool rs_mailbox_is_full(const rs_mailbox *box);

/* rs_mailbox_peek: the reader's next message, NULL when there is none; valid until
 * rs_mailbox_done. */
const rs_message *rs_mailbox_peek(const rs_mailbox *box);

/* rs_mailbox_done: returns the slot of the peeked message to the writers. */
void rs_mailbox_done(rs_mailbox *box);

#endif
