/* SPDX-License-Identifier: MIT */
/* A slot's turn is position (free for the writer of that position), position + 1 (written, the
 * reader's) and position + slot_count (free for the next round). */
#include "seam/mailbox.h"

#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

/* All headers first, each on a cache line of its own, then the payloads: memory that no message has
 * used yet is never touched. */
static size_t whole_lines(size_t bytes) {
    RS_ASSERT(bytes <= SIZE_MAX - RS_CACHE_LINE_BYTES);
    return (bytes + RS_CACHE_LINE_BYTES - 1) / RS_CACHE_LINE_BYTES * RS_CACHE_LINE_BYTES;
}

size_t rs_mailbox_slot_bytes(uint32_t payload_max) {
    RS_ASSERT(payload_max > 0);
    return whole_lines(sizeof(rs_message)) + whole_lines(payload_max);
}

static rs_message *mailbox_slot(const rs_mailbox *box, uint32_t position) {
    void *slot = box->slots + (size_t)(position & (box->slot_count - 1)) * box->slot_bytes;
    return slot;
}

void rs_mailbox_init(rs_mailbox *box, uint8_t *slots, uint32_t slot_count, uint32_t payload_max) {
    RS_ASSERT(slot_count >= 2);
    RS_ASSERT((slot_count & (slot_count - 1)) == 0);
    RS_ASSERT(slots != NULL);
    box->slots = slots;
    box->slot_count = slot_count;
    box->slot_bytes = whole_lines(sizeof(rs_message));
    box->payload_max = payload_max;
    box->read_position = 0;
    rs_atomic_store_u32(&box->write_position, 0);
    for (uint32_t i = 0; i < slot_count; i++) {
        rs_message *message = mailbox_slot(box, i);
        message->payload =
            slots + whole_lines(sizeof *message) * slot_count + whole_lines(payload_max) * i;
        rs_atomic_store_u32(&message->turn, i);
    }
}

rs_message *rs_mailbox_claim(rs_mailbox *box) {
    uint32_t position = rs_atomic_load_u32(&box->write_position);
    for (;;) {
        rs_message *message = mailbox_slot(box, position);
        uint32_t turn = rs_atomic_load_u32(&message->turn);
        if (turn == position) {
            if (rs_atomic_cas_u32(&box->write_position, position, position + 1)) {
                return message;
            }
        } else if ((int32_t)(turn - position) < 0) {
            return NULL; /* the reader still has last round's */
        }
        position = rs_atomic_load_u32(&box->write_position);
    }
}

bool rs_mailbox_is_full(const rs_mailbox *box) {
    uint32_t position = rs_atomic_load_u32(&box->write_position);
    return (int32_t)(rs_atomic_load_u32(&mailbox_slot(box, position)->turn) - position) < 0;
}

/* Nobody else writes the turn of a claimed slot: it is the position still. */
void rs_mailbox_publish(rs_message *message) {
    rs_atomic_store_u32(&message->turn, rs_atomic_load_u32(&message->turn) + 1);
}

rs_status rs_mailbox_post(rs_mailbox *box, uint32_t kind, uint64_t value, void *pointer,
                          const void *payload, uint32_t bytes) {
    rs_message *message;
    RS_ASSERT(payload != NULL || bytes == 0);
    if (bytes > box->payload_max) {
        return RS_E_INVALID;
    }
    message = rs_mailbox_claim(box);
    if (message == NULL) {
        return RS_E_FULL;
    }
    message->kind = kind;
    message->value = value;
    message->pointer = pointer;
    message->bytes = bytes;
    if (bytes > 0) {
        memcpy(message->payload, payload, bytes);
    }
    rs_mailbox_publish(message);
    return RS_OK;
}

const rs_message *rs_mailbox_peek(const rs_mailbox *box) {
    const rs_message *message = mailbox_slot(box, box->read_position);
    return rs_atomic_load_u32(&message->turn) == box->read_position + 1 ? message : NULL;
}

void rs_mailbox_done(rs_mailbox *box) {
    rs_message *message = mailbox_slot(box, box->read_position);
    RS_ASSERT(rs_atomic_load_u32(&message->turn) == box->read_position + 1);
    rs_atomic_store_u32(&message->turn, box->read_position + box->slot_count);
    box->read_position++;
}
