/* SPDX-License-Identifier: MIT */
/* The models that interleave_test.c runs. */
#ifndef RS_TESTS_INTERLEAVE_MODELS_H
#define RS_TESTS_INTERLEAVE_MODELS_H

#include "explore.h"

/* Of the explorer itself. */
extern const xp_model xp_model_same_word, xp_model_other_words, xp_model_store_buffering,
    xp_model_store_buffering_fenced, xp_model_deadlock;

extern const xp_model xp_model_mailbox, xp_model_mailbox_full, xp_model_spsc, xp_model_wake_word,
    xp_model_rio_arm, xp_model_shard_post, xp_model_shard_post_twice, xp_model_shard_ask,
    xp_model_logic;

#endif
