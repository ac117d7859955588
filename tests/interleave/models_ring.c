/* SPDX-License-Identifier: MIT */
/* The mailbox and the ring of records, at sizes at which they fill, wrap and pass 2^32. */
#include <string.h>

#include "models.h"
#include "seam/mailbox.h"
#include "server/spsc.h"

#define MAIL_PAYLOAD 8u
#define MAIL_SLOTS 2u
#define MAIL_SLOT_BYTES 128u

static uint64_t memory[64];
static uint32_t posted[2], taken[2]; /* by writer */
static uint32_t writers_ended;

/* ---- mailbox: two writers, two slots, one reader */

static rs_mailbox box;

/* Begins three posts before positions run over, as after 2^32 - 3 messages. */
static void mailbox_begin(void) {
    const uint32_t start = UINT32_MAX - 1;
    rs_mailbox_init(&box, (uint8_t *)memory, MAIL_SLOTS, MAIL_PAYLOAD);
    box.read_position = start;
    rs_atomic_store_u32(&box.write_position, start);
    for (uint32_t at = start; at != start + MAIL_SLOTS; at++) {
        void *slot = (uint8_t *)memory + (at % MAIL_SLOTS) * box.slot_bytes;
        rs_atomic_store_u32(&((rs_message *)slot)->turn, at);
    }
    memset(posted, 0, sizeof posted);
    memset(taken, 0, sizeof taken);
    writers_ended = 0;
}

static bool mailbox_post(uint32_t writer) {
    uint64_t number = posted[writer] + 1u;
    uint64_t payload = number * 1000u + writer;
    if (rs_mailbox_post(&box, writer, number, NULL, &payload, sizeof payload) != RS_OK) {
        return false;
    }
    posted[writer]++;
    return true;
}

static void mailbox_write_two(uint32_t writer) {
    for (uint32_t i = 0; i < 2; i++) {
        if (!mailbox_post(writer)) {
            xp_relax(); /* full: the reader must move first */
            i--;
        }
    }
}

static void mailbox_writer_0(void) {
    mailbox_write_two(0);
}

static void mailbox_writer_1(void) {
    if (!mailbox_post(1)) {
        xp_relax();
        mailbox_writer_1();
    }
}

static void mailbox_take(const rs_message *message) {
    uint64_t payload;
    memcpy(&payload, message->payload, sizeof payload);
    if (message->kind > 1 || message->bytes != sizeof payload ||
        payload != message->value * 1000u + message->kind) {
        xp_fail("a message is torn");
    }
    if (message->value != ++taken[message->kind]) {
        xp_fail("a message is lost, doubled or out of order");
    }
}

static void mailbox_reader(void) {
    for (uint32_t count = 0; count < 3;) {
        const rs_message *message = rs_mailbox_peek(&box);
        if (message == NULL) {
            xp_relax();
            continue;
        }
        mailbox_take(message);
        rs_mailbox_done(&box);
        count++;
    }
}

static void mailbox_end(void) {
    if (taken[0] != 2 || taken[1] != 1 || rs_mailbox_peek(&box) != NULL) {
        xp_fail("not every message arrived once");
    }
}

const xp_model xp_model_mailbox = {.name = "mailbox",
                                   .begin = mailbox_begin,
                                   .thread = {mailbox_writer_0, mailbox_writer_1, mailbox_reader},
                                   .end = mailbox_end,
                                   .runs_max = 2000000};

/* Nobody reads: of three messages two are taken and one is refused, whoever comes last. */
static void full_writer_0(void) {
    (void)mailbox_post(0);
    (void)mailbox_post(0);
}

static void full_writer_1(void) {
    (void)mailbox_post(1);
}

static void full_end(void) {
    const rs_message *message;
    if (posted[0] + posted[1] != MAIL_SLOTS) {
        xp_fail("a full mailbox took more, or one with room took less");
    }
    while ((message = rs_mailbox_peek(&box)) != NULL) {
        mailbox_take(message);
        rs_mailbox_done(&box);
    }
    if (taken[0] != posted[0] || taken[1] != posted[1]) {
        xp_fail("what was taken is not what was posted");
    }
}

const xp_model xp_model_mailbox_full = {.name = "mailbox, full",
                                        .begin = mailbox_begin,
                                        .thread = {full_writer_0, full_writer_1},
                                        .end = full_end,
                                        .runs_max = 100000};

/* ---- ring of records: 64 bytes hold two of the three records, the third one wraps */

#define RING_RECORDS 4u

static rs_spsc ring;
static const uint32_t ring_bytes[RING_RECORDS] = {0, 16, 1, 12};

static void spsc_begin(void) {
    rs_spsc_init(&ring, (uint8_t *)memory, 64);
    ring.write_at = ring.read_at = ring.read_seen = ring.written_seen = UINT32_MAX - 15u;
    rs_atomic_store_u32(&ring.written, ring.write_at);
    rs_atomic_store_u32(&ring.read, ring.read_at);
}

static void spsc_writer(void) {
    uint8_t payload[16];
    for (uint32_t i = 0; i < RING_RECORDS; i++) {
        memset(payload, (int)(i + 1u), sizeof payload);
        while (rs_spsc_push(&ring, i + 1u, i * 3u, payload, ring_bytes[i]) != RS_OK) {
            xp_relax();
        }
    }
}

static void spsc_take(const rs_spsc_record *record, uint32_t number) {
    if (record->kind != number + 1u || record->value != number * 3u ||
        record->bytes != ring_bytes[number]) {
        xp_fail("a record is lost, doubled, out of order or torn");
    }
    for (uint32_t i = 0; i < record->bytes; i++) {
        if (rs_spsc_payload(record)[i] != number + 1u) {
            xp_fail("a payload is torn");
        }
    }
}

static void spsc_reader(void) {
    for (uint32_t i = 0; i < RING_RECORDS;) {
        const rs_spsc_record *record = rs_spsc_peek(&ring);
        if (record == NULL) {
            xp_relax();
            continue;
        }
        spsc_take(record, i);
        rs_spsc_done(&ring);
        i++;
    }
}

static void spsc_end(void) {
    if (rs_spsc_peek(&ring) != NULL || rs_spsc_pending(&ring) != 0) {
        xp_fail("something is left");
    }
}

const xp_model xp_model_spsc = {.name = "ring of records",
                                .begin = spsc_begin,
                                .thread = {spsc_writer, spsc_reader},
                                .end = spsc_end,
                                .runs_max = 1000000};
