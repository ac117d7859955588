/* SPDX-License-Identifier: MIT */
/* d10: ids are reused, and a late message must not reach the new owner.
 *
 * Experiment, in a process of its own since it uses sockets it has closed: 200 connections close,
 * the next ones open, and a late message is sent by the old socket's number. Then a table of 64
 * slots, whose owners change half a million times while a million messages are on their way: by
 * slot alone, and by slot and generation. Who gets them?
 * Documented: a handle is no longer valid after closesocket, and its value may be used again
 * (Winsock, closesocket). Refuted by: late messages that go wrong by generation too, or that go
 * wrong nowhere. */
#include "notes/note_net.h"

#define CONNECTIONS 200u
#define SLOTS 64u
#define MESSAGES 1000000u
#define UNDER_WAY 64u

enum { ENDING, SAME_NUMBER, TO_STRANGER, BY_SLOT, BY_GENERATION, REFUSED, IN_ERROR };
static const note_figure figures[] = {
    [ENDING] = {"exit code of the process (-1 crashed, -2 stuck)", "", NOTE_LEAST},
    [SAME_NUMBER] = {"new sockets with the old number, of 200", "", NOTE_MEDIAN},
    [TO_STRANGER] = {"late messages that reached the new owner's peer", "", NOTE_MEDIAN},
    [BY_SLOT] = {"misdelivered of a million by slot alone", "", NOTE_MEDIAN},
    [BY_GENERATION] = {"by slot and generation", "", NOTE_MOST},
    [REFUSED] = {"refused by generation", "", NOTE_MEDIAN},
    [IN_ERROR] = {"refused although the owner was the same", "", NOTE_MOST},
};

static note_verdict judge(const note_seen *seen) {
    if (seen[ENDING].value < 0 || seen[BY_SLOT].count == 0) {
        return note_say(NOTE_CANNOT_TELL, "the process did not end as it should");
    }
    const bool goes_wrong = seen[TO_STRANGER].value > 0 || seen[BY_SLOT].value > 0;
    return note_say(goes_wrong && seen[BY_GENERATION].value == 0 && seen[IN_ERROR].value == 0
                        ? NOTE_HOLDS
                        : NOTE_DOES_NOT_HOLD,
                    "%.0f of 200 sockets got an old number, and %.0f late messages went to "
                    "strangers; of a million by slot alone %.0f, by slot and generation %.0f, "
                    "refused %.0f",
                    seen[SAME_NUMBER].value, seen[TO_STRANGER].value, seen[BY_SLOT].value,
                    seen[BY_GENERATION].value, seen[REFUSED].value);
}

static void sockets(note *self) {
    uint32_t same = 0, strangers = 0;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        note_socket old[2], fresh[2];
        char byte;
        NOTE_NEED(self, note_pair(self, old), "a pair");
        const note_socket late = old[1];
        note_close(self, old[0]);
        note_close(self, old[1]);
        NOTE_NEED(self, note_pair(self, fresh), "a pair");
        const bool at_far = fresh[1] == late, at_near = fresh[0] == late;
        same += at_far || at_near;
        /* The mistake: a number that was kept. The system refuses it, or takes it for another. */
        if (note_send(late, "x", 1) == 1 && (at_far || at_near)) {
            note_timeout(fresh[0], 1000);
            note_timeout(fresh[1], 1000);
            strangers += note_recv(fresh[at_far ? 0 : 1], &byte, 1) == 1;
        }
        note_close(self, fresh[0]);
        note_close(self, fresh[1]);
    }
    note_add(self, SAME_NUMBER, same);
    note_add(self, TO_STRANGER, strangers);
}

static void run(note *self) {
    static uint32_t generation[SLOTS];
    uint64_t random = 88172645463325252u;
    uint32_t by_slot = 0, by_generation = 0, refused = 0, in_error = 0, owner[SLOTS] = {0};
    struct {
        uint32_t slot, generation, owner;
    } *late = note_memory(self, UNDER_WAY * sizeof *late);
    NOTE_NEED(self, late != NULL, "memory");
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const uint32_t slot = note_random(&random) % SLOTS, at = i % UNDER_WAY;
        if (i >= UNDER_WAY) { /* a message that was on its way arrives */
            const uint32_t to = late[at].slot;
            const bool stranger = owner[to] != late[at].owner;
            const bool accepted = generation[to] == late[at].generation;
            by_slot += stranger;
            by_generation += accepted && stranger;
            refused += !accepted;
            in_error += !accepted && !stranger;
        }
        late[at].slot = slot;
        late[at].generation = generation[slot];
        late[at].owner = owner[slot];
        if (i % 2 == 0) { /* and its owner goes */
            generation[slot]++;
            owner[slot] = i + 1;
        }
    }
    note_add(self, BY_SLOT, by_slot);
    note_add(self, BY_GENERATION, by_generation);
    note_add(self, REFUSED, refused);
    note_add(self, IN_ERROR, in_error);
    sockets(self);
}

const note_entry note_d10 = {
    .file = NOTE_FILE("d10_reused_ids"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
    .child = true,
};
