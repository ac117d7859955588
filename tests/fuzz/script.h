/* SPDX-License-Identifier: MIT */
/* A fuzzed input read as a script: a byte at a time, zeros behind its end. */
#ifndef RS_FUZZ_SCRIPT_H
#define RS_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

typedef struct script {
    const uint8_t *data;
    size_t size, at;
} script;

static uint8_t script_byte(script *s) {
    return s->at < s->size ? s->data[s->at++] : 0;
}

#endif
