/* SPDX-License-Identifier: MIT */
/* c12: only key, OVERLAPPED and byte count come back, so the record is found from them.
 *
 * Experiment: 1,000 records complete through a port in any order; each is found from its
 * OVERLAPPED, by CONTAINING_RECORD, and by an index in the key. Is it the right one, and what does
 * a look-up cost? Documented: these three values are what a packet holds (I/O,
 * GetQueuedCompletionStatus). Refuted by: a record that is not found. */
#include "notes/note_net.h"

#define RECORDS 1000u
#define PASSES 200u

enum { WRONG, BY_ADDRESS_NS, BY_INDEX_NS };
static const note_figure figures[] = {
    [WRONG] = {"records not found, of 1,000", "", NOTE_SUM},
    [BY_ADDRESS_NS] = {"a look-up by CONTAINING_RECORD", "ns", NOTE_MEDIAN},
    [BY_INDEX_NS] = {"by index in a table", "ns", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    return note_say(seen[WRONG].value > 0 ? NOTE_DOES_NOT_HOLD : NOTE_HOLDS,
                    "%.0f records were not found; by address %.1f ns, by index %.1f ns a look-up",
                    seen[WRONG].value, seen[BY_ADDRESS_NS].value, seen[BY_INDEX_NS].value);
}

#ifdef _WIN32

typedef struct record {
    uint32_t number;
    char used[100]; /* of a real one; and the OVERLAPPED is not first */
    OVERLAPPED overlapped;
} record;

typedef struct packet {
    OVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD bytes;
} packet;

static void take_all(note *self, record *records, packet *packets) {
    const HANDLE port = note_port(self, 1);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const uint32_t number = i * 7u % RECORDS; /* each once, not in order */
        records[number].number = number;
        NOTE_NEED(self,
                  PostQueuedCompletionStatus(port, number, number, &records[number].overlapped),
                  "PostQueuedCompletionStatus");
    }
    for (uint32_t i = 0; i < RECORDS; i++) {
        packet *p = &packets[i];
        p->overlapped = note_take(port, 1000, &p->bytes, &p->key);
        NOTE_NEED(self, p->overlapped != NULL, "GetQueuedCompletionStatus");
        wrong += CONTAINING_RECORD(p->overlapped, record, overlapped)->number != p->bytes ||
                 p->key >= RECORDS || records[p->key].number != p->bytes;
    }
    note_add(self, WRONG, wrong);
}

static void run(note *self) {
    record *records = note_memory(self, RECORDS * sizeof *records);
    packet *packets = note_memory(self, RECORDS * sizeof *packets);
    volatile uint32_t sum = 0; /* so that the look-ups happen */
    NOTE_NEED(self, records != NULL && packets != NULL, "memory");
    take_all(self, records, packets);
    NOTE_NEED(self, packets[RECORDS - 1].overlapped != NULL, "all packets");
    uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < PASSES * RECORDS; i++) {
        sum += CONTAINING_RECORD(packets[i % RECORDS].overlapped, record, overlapped)->number;
    }
    note_add(self, BY_ADDRESS_NS, (double)(rs_os_now_ns() - start_ns) / (PASSES * RECORDS));
    start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < PASSES * RECORDS; i++) {
        sum += records[packets[i % RECORDS].key].number;
    }
    note_add(self, BY_INDEX_NS, (double)(rs_os_now_ns() - start_ns) / (PASSES * RECORDS));
}

#endif

const note_entry note_c12 = {
    .file = NOTE_FILE("c12_record_of_a_completion"),
    .where = NOTE_WINDOWS,
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD),
    .judge = judge,
    .run = NOTE_ON_WINDOWS(run),
};
