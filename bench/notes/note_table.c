/* SPDX-License-Identifier: MIT */
/* See note_table.h. */
#include "notes/note_table.h"

#include <string.h>

const note_row note_rows[NOTE_ROWS] = {
#define X(id, statement) {#id, statement, &note_##id},
    NOTE_TABLE(X)
#undef X
};

const note_row *note_find(const char *id) {
    for (uint32_t i = 0; i < NOTE_ROWS; i++) {
        if (strcmp(note_rows[i].id, id) == 0) {
            return &note_rows[i];
        }
    }
    return NULL;
}
