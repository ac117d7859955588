/* SPDX-License-Identifier: MIT */
/* The window of unanswered requests. In order it is [expected, next) and nothing else; the ring is
 * twice as long, so that overtaken requests can be recognised for a while after. */
#include "loadgen/loadgen_track.h"

#include <stddef.h>

#include "core/assert.h"

#define TRACK_RING_MIN 64u

uint32_t rs_track_ring(uint32_t depth) {
    uint32_t ring = TRACK_RING_MIN;
    RS_ASSERT(depth > 0 && depth <= UINT32_MAX / 4u);
    while (ring < 2u * depth) {
        ring *= 2u;
    }
    return ring;
}

void rs_track_init(rs_track *track, uint64_t *sent_ns, uint32_t ring) {
    RS_ASSERT(ring >= TRACK_RING_MIN && (ring & (ring - 1u)) == 0);
    RS_ASSERT(sent_ns != NULL);
    *track = (rs_track){.sent_ns = sent_ns, .mask = ring - 1u};
}

/* One request has an answer, or will never have one. */
static void track_settle(rs_track *track, uint64_t sequence, rs_track_columns *columns) {
    RS_ASSERT(track->outstanding > 0 && columns->outstanding > 0);
    track->sent_ns[sequence & track->mask] = 0;
    track->outstanding--;
    columns->outstanding--;
    if (sequence < track->expected) {
        RS_ASSERT(track->skipped > 0);
        track->skipped--;
    }
}

void rs_track_send(rs_track *track, uint64_t now_ns, rs_track_columns *columns) {
    uint64_t *slot = &track->sent_ns[track->next & track->mask];
    RS_ASSERT(now_ns != 0);
    RS_ASSERT(track->next - track->expected <= track->mask / 2u);
    if (*slot != 0) {
        track_settle(track, track->next - track->mask - 1u, columns);
        columns->lost++;
    }
    *slot = now_ns;
    track->next++;
    track->outstanding++;
    columns->outstanding++;
    columns->sent++;
}

/* A right reply with a number of its own: in order, early, late or a second time. */
static uint64_t track_known(rs_track *track, uint64_t sequence, rs_track_columns *columns) {
    uint64_t sent_ns = 0;
    if (track->next - sequence <= track->mask + 1u) {
        sent_ns = track->sent_ns[sequence & track->mask];
    }
    if (sent_ns == 0) {
        columns->duplicated++;
        return 0;
    }
    if (sequence < track->expected) {
        columns->reordered++;
        track_settle(track, sequence, columns);
        return sent_ns;
    }
    track_settle(track, sequence, columns);
    track->skipped += (uint32_t)(sequence - track->expected);
    track->expected = sequence + 1u;
    columns->ok++;
    return sent_ns;
}

/* A wrong reply stands for the one that was due, so that one damaged byte is one wrong reply. */
static void track_wrong(rs_track *track, rs_track_columns *columns) {
    columns->wrong++;
    if (track->expected == track->next) {
        return; /* nothing was due */
    }
    track_settle(track, track->expected, columns);
    track->expected++;
    columns->taken_wrong++;
}

uint64_t rs_track_reply(rs_track *track, rs_payload_verdict verdict, uint64_t *sequence,
                        rs_track_columns *columns) {
    columns->received++;
    RS_ASSERT(track->outstanding >= track->skipped);
    if (verdict == RS_PAYLOAD_WRONG || *sequence >= track->next) {
        track_wrong(track, columns);
        return 0;
    }
    return track_known(track, *sequence, columns);
}

void rs_track_receipt(rs_track *track, uint32_t frames, uint32_t lost, bool is_right,
                      rs_track_columns *columns) {
    RS_ASSERT(lost <= frames && frames <= track->outstanding);
    RS_ASSERT(track->skipped == 0);
    for (uint32_t i = 0; i < frames; i++) {
        track_settle(track, track->expected, columns);
        track->expected++;
    }
    columns->received += frames - lost;
    columns->lost += lost;
    columns->wrong += !is_right && lost == 0;
    *(is_right ? &columns->ok : &columns->taken_wrong) += frames - lost;
}

/* The skipped requests lie in the ring's other half; they are few, and this runs on a tick. */
static void track_expire_skipped(rs_track *track, uint64_t now_ns, uint64_t timeout_ns,
                                 rs_track_columns *columns) {
    uint64_t span = track->mask + 1u < track->next ? track->mask + 1u : track->next;
    for (uint64_t i = track->next - span; i < track->expected && track->skipped > 0; i++) {
        uint64_t sent_ns = track->sent_ns[i & track->mask];

        if (sent_ns != 0 && now_ns - sent_ns >= timeout_ns) {
            track_settle(track, i, columns);
            columns->lost++;
        }
    }
}

bool rs_track_expire(rs_track *track, uint64_t now_ns, uint64_t timeout_ns,
                     rs_track_columns *columns) {
    uint64_t due_ns;
    if (track->skipped > 0) {
        track_expire_skipped(track, now_ns, timeout_ns, columns);
    }
    if (track->expected == track->next) {
        return false;
    }
    due_ns = track->sent_ns[track->expected & track->mask];
    RS_ASSERT(due_ns != 0);
    return now_ns > due_ns && now_ns - due_ns >= timeout_ns;
}

void rs_track_end(rs_track *track, bool we_broke_it, rs_track_columns *columns) {
    uint64_t span = track->mask + 1u < track->next ? track->mask + 1u : track->next;
    if (we_broke_it) {
        columns->abandoned += track->outstanding;
    } else {
        columns->lost += track->outstanding;
    }
    for (uint64_t i = track->next - span; i < track->next && track->outstanding > 0; i++) {
        if (track->sent_ns[i & track->mask] != 0) {
            track_settle(track, i, columns);
        }
    }
    RS_ASSERT(track->outstanding == 0 && track->skipped == 0);
    track->expected = track->next;
}
