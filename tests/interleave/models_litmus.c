/* SPDX-License-Identifier: MIT */
/* Programs whose orders are known, to test the explorer. */
#include "models.h"
#include "seam/atomics.h"

static rs_atomic_u32 word[4];
static uint32_t event, seen[2];

static void begin(void) {
    for (uint32_t i = 0; i < 4; i++) {
        rs_atomic_store_u32(&word[i], 0);
    }
    event = 0;
    seen[0] = seen[1] = 0;
}

static void add_three_0(void) {
    for (uint32_t i = 0; i < 3; i++) {
        (void)rs_atomic_add_u32(&word[0], 1);
    }
}

static void add_three_1(void) {
    for (uint32_t i = 0; i < 3; i++) {
        (void)rs_atomic_add_u32(&word[1], 1);
    }
}

static void same_end(void) {
    if (rs_atomic_load_u32(&word[0]) != 6) {
        xp_fail("an addition is lost");
    }
}

const xp_model xp_model_same_word = {.name = "same word",
                                     .begin = begin,
                                     .thread = {add_three_0, add_three_0},
                                     .end = same_end,
                                     .runs_max = 100};

const xp_model xp_model_other_words = {
    .name = "other words", .begin = begin, .thread = {add_three_0, add_three_1}, .runs_max = 100};

/* Each says that it is there, then looks for the other: with plain stores both may look too early.
 */
static void say_0(void) {
    rs_atomic_store_u32(&word[0], 1);
    seen[0] = rs_atomic_load_u32(&word[1]);
}

static void say_1(void) {
    rs_atomic_store_u32(&word[1], 1);
    seen[1] = rs_atomic_load_u32(&word[0]);
}

static void exchange_0(void) {
    (void)rs_atomic_exchange_u32(&word[0], 1);
    seen[0] = rs_atomic_load_u32(&word[1]);
}

static void exchange_1(void) {
    (void)rs_atomic_exchange_u32(&word[1], 1);
    seen[1] = rs_atomic_load_u32(&word[0]);
}

static void one_saw(void) {
    if (seen[0] == 0 && seen[1] == 0) {
        xp_fail("neither saw the other");
    }
}

const xp_model xp_model_store_buffering = {.name = "store buffering",
                                           .begin = begin,
                                           .thread = {say_0, say_1},
                                           .end = one_saw,
                                           .runs_max = 100};

const xp_model xp_model_store_buffering_fenced = {.name = "store buffering, fenced",
                                                  .begin = begin,
                                                  .thread = {exchange_0, exchange_1},
                                                  .end = one_saw,
                                                  .runs_max = 100};

static void wait_for_nobody(void) {
    xp_await(&event);
}

const xp_model xp_model_deadlock = {
    .name = "deadlock", .begin = begin, .thread = {wait_for_nobody, add_three_0}, .runs_max = 100};
