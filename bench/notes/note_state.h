/* SPDX-License-Identifier: MIT */
/* One entry under way. The harness's: statements use note.h and note_net.h. */
#ifndef RS_NOTES_NOTE_STATE_H
#define RS_NOTES_NOTE_STATE_H

#include "notes/note.h"
#include "notes/note_net.h"

#define NOTE_SOCKETS_MAX 70000u
#define NOTE_HANDLES_MAX 128u

typedef struct note_samples {
    double value[NOTE_SAMPLES_MAX];
    uint32_t count;
} note_samples;

struct note {
    const note_entry *entry;
    note_samples figure[NOTE_FIGURES_MAX];
    char failed[NOTE_WORDS_BYTES]; /* "": nothing has */
    bool inner;                    /* in a child: note_add prints for the parent as well */
    note_socket socket[NOTE_SOCKETS_MAX];
    uint32_t sockets;
#ifdef _WIN32
    HANDLE handle[NOTE_HANDLES_MAX]; /* ports, events */
    uint32_t handles;
#endif
};

/* note_init: nothing seen yet. */
void note_init(note *self, const note_entry *entry);

/* note_merge_all: seen: [entry->figures]. */
void note_merge_all(const note *self, note_seen *seen);

/* note_judged: the verdict over what was seen: a failure first, then the entry's rule. */
note_verdict note_judged(const note *self, const note_seen *seen);

#endif
