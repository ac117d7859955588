/* SPDX-License-Identifier: MIT */
/* A target that must crash: proves that the set-up finds a bug behind four comparisons, which it
 * can only do when coverage guides it, and that a crash makes the run fail. */
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int canary_is_alive = 1;
    if (size >= 4 && data[0] == 'b') {
        if (data[1] == 'i' && data[2] == 'r') {
            canary_is_alive = data[3] != 'd';
        }
    }
    RS_ASSERT(canary_is_alive);
    return 0;
}
