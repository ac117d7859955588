/* SPDX-License-Identifier: MIT */
/* d9: send records from new and delete cost; a pool is better.
 *
 * Experiment: a record of 600 bytes for each message of 64, taken from malloc or from a list of
 * free ones, filled, sent, and given back 32 messages later, as if its completion came then. Time a
 * message, the ways taking turns; and the same without the send.
 * Documented: nothing; it is a matter of measuring. Refuted by: messages with malloc that cost no
 * more. */
#include "notes/note_net.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES 512u
#define IN_FLIGHT 32u
#define BYTES 64u
#define ROUNDS 7u

enum { HEAP_NS, POOL_NS, RATIO, HEAP_ALONE_NS, POOL_ALONE_NS };
static const note_figure figures[] = {
    [HEAP_NS] = {"a message, record from malloc", "ns", NOTE_MEDIAN},
    [POOL_NS] = {"from a pool", "ns", NOTE_MEDIAN},
    [RATIO] = {"malloc to pool, with the send", "", NOTE_MEDIAN},
    [HEAP_ALONE_NS] = {"a record of malloc without a send", "ns", NOTE_MEDIAN},
    [POOL_ALONE_NS] = {"of a pool without a send", "ns", NOTE_MEDIAN},
};

static note_verdict judge(const note_seen *seen) {
    note_verdict verdict = note_by_ratio(&seen[RATIO], "a message with malloc to one with a pool");
    if (verdict.kind == NOTE_DOES_NOT_HOLD &&
        seen[HEAP_ALONE_NS].value > 2 * seen[POOL_ALONE_NS].value) {
        return note_say(NOTE_IN_PART,
                        "a record costs %.0f ns from malloc and %.0f from a pool, but beside a "
                        "send that is no difference: %.2f (%.2f to %.2f)",
                        seen[HEAP_ALONE_NS].value, seen[POOL_ALONE_NS].value, seen[RATIO].value,
                        seen[RATIO].low, seen[RATIO].high);
    }
    return verdict;
}

typedef struct record {
    struct record *next;
    char state[528], bytes[BYTES]; /* an OVERLAPPED, buffers, an owner */
} record;

static record *pool_free; /* of the thread of run */

static record *take(bool pool) {
    record *r = pool_free;
    if (!pool) {
        return malloc(sizeof *r);
    }
    pool_free = r->next;
    return r;
}

static void give(record *r, bool pool) {
    if (!pool) {
        free(r);
        return;
    }
    r->next = pool_free;
    pool_free = r;
}

/* Nanoseconds a message; 0: a call failed. pair: NULL sends nothing. */
static double play(note_socket *pair, bool pool) {
    record *flying[IN_FLIGHT] = {NULL};
    char read[BYTES * IN_FLIGHT];
    bool good = true;
    const uint64_t start_ns = rs_os_now_ns();
    for (uint32_t i = 0; i < MESSAGES && good; i++) {
        record **slot = &flying[i % IN_FLIGHT];
        if (*slot != NULL) {
            give(*slot, pool);
        }
        *slot = take(pool);
        if (*slot == NULL) {
            good = false;
            break;
        }
        memset((*slot)->bytes, (int)i, BYTES);
        good = (pair == NULL || note_send(pair[1], (*slot)->bytes, BYTES) == BYTES) && good;
        if (pair != NULL && (i + 1) % IN_FLIGHT == 0) {
            good = note_recv_all(pair[0], read, sizeof read) == sizeof read && good;
        }
    }
    for (uint32_t i = 0; i < IN_FLIGHT; i++) {
        if (flying[i] != NULL) {
            give(flying[i], pool);
        }
    }
    return good ? (double)(rs_os_now_ns() - start_ns) / MESSAGES : 0;
}

static void run(note *self) {
    record *all = note_memory(self, (IN_FLIGHT + 1) * sizeof *all);
    note_socket pair[2];
    NOTE_NEED(self, all != NULL && note_pair(self, pair), "a pair");
    note_timeout(pair[0], 2000);
    pool_free = NULL;
    for (uint32_t i = 0; i <= IN_FLIGHT; i++) {
        give(&all[i], true);
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        const bool pool_first = i % 2 == 0;
        const double a = play(pair, pool_first), b = play(pair, !pool_first);
        NOTE_NEED(self, a > 0 && b > 0, "a send");
        note_add(self, HEAP_NS, pool_first ? b : a);
        note_add(self, POOL_NS, pool_first ? a : b);
        note_add(self, RATIO, pool_first ? b / a : a / b);
        note_add(self, HEAP_ALONE_NS, play(NULL, false));
        note_add(self, POOL_ALONE_NS, play(NULL, true));
    }
}

const note_entry note_d9 = {
    .file = NOTE_FILE("d9_pool_of_send_records"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
};
