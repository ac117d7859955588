/* SPDX-License-Identifier: MIT */
/* Every limit of the project, with its reason, and the relations between them.
 *
 * A pool's size is the written sum of its users; the run-time sums stand in server/shard.c, beside
 * the allocation they size. */
#ifndef RS_CORE_LIMITS_H
#define RS_CORE_LIMITS_H

#include <stdint.h>

#include "ringside/session.h" /* the wire format's */

#define RS_PAGE_BYTES 4096u /* x86-64 and ARM64 Windows; slabs are cut on it */
#define RS_CACHE_LINE_BYTES 64u

#define RS_FRAME_BYTES_DEFAULT 4096u

/* Identifiers: {shard 12, index 20, generation 32} in 64 bits. */
#define RS_SHARDS_MAX 64u        /* one thread each: the processors of one group */
#define RS_SESSIONS_MAX 1048576u /* 20 bits of index */
#define RS_SESSIONS_DEFAULT 8192u

/* Seam. */
#define RS_COMPLETIONS_PER_POLL_MAX 1024u
#define RS_COMPLETIONS_PER_POLL_DEFAULT                                                            \
    256u /* large enough to amortise a kernel entry, small                                         \
            enough that timers and messages wait < 1 ms */
#define RS_OPS_PER_SUBMIT_MAX 4096u
#define RS_SENDS_IN_FLIGHT_MAX 16u
#define RS_RECVS_IN_FLIGHT_MAX 16u
#define RS_SENDS_IN_FLIGHT_DEFAULT 2u /* one may wait for the peer's delayed ACK, one moves */
#define RS_REGIONS_MAX 64u
#define RS_GATHER_MAX 16u /* adjacent sends of one connection a back end may join */
#define RS_ACCEPTS_DEFAULT                                                                         \
    512u /* AcceptEx outstanding: a burst of 512 does not wait; the backlog holds the rest */
#define RS_ACCEPTS_MAX 4096u
#define RS_BACKLOG_DEFAULT 4096u
#define RS_ROOM_WAIT_MS                                                                            \
    200u /* a connection beyond the limit: an end that is not read yet may make                    \
            room; long enough for a worker on a busy machine to get its turn */
#define RS_ROOM_WAITERS 256u /* and at most this many; others are refused at once */

/* Sessions. */
#define RS_SEND_BLOCK_BYTES_MIN RS_PAGE_BYTES
#define RS_QUEUED_BYTES_DEFAULT (256u * 1024u)
#define RS_QUEUED_BYTES_MAX (64u * 1024u * 1024u)
#define RS_CLOSING_SLACK(sessions) ((sessions) / 8u + 16u) /* slots for sessions still closing */
#define RS_SHARED_BLOCKS 64u /* broadcast frames alive at once on one shard */
#define RS_AHEAD_BLOCKS(slots)                                                                     \
    ((slots) < 64u ? (slots) : 64u) /* sessions that gather behind full reserves: more wait */
#define RS_SHARED_ENTRIES                                                                          \
    RS_SHARED_BLOCKS /* of a session: each of those frames once; more of them are copied */
#define RS_SHARED_COPY_MAX                                                                         \
    1536u /* a broadcast up to this is copied into a block that gathers already: 97 instructions   \
             and 0.13 a byte, where an entry, its op and its completion cost 330 (callgrind) */
#define RS_STALLED_MS                                                                              \
    1000u /* no send has completed for so long: the peer does not read, so a session whose queue   \
             is full ends, and one above its reserve may be cut for one that wants to read ahead   \
           */
#define RS_STALLED_NS (RS_STALLED_MS * 1000000u)
#define RS_AWAY_MS                                                                                 \
    (RS_STALLED_MS / 2u) /* the shard had no turn for so long (a slow callback, a stopped process  \
                            or machine): not counted against any peer */
#define RS_AWAY_NS (RS_AWAY_MS * 1000000u)

#define RS_CONNECTS_MAX 256u /* of a shard, under way at once: a turn looks at each */
#define RS_CONNECT_TIMEOUT_MS_DEFAULT 10000u
#define RS_CONNECT_TIMEOUT_MS_MAX 600000u

/* Times. */
#define RS_IDLE_TIMEOUT_MS_DEFAULT 60000u
#define RS_DRAIN_TIMEOUT_MS_DEFAULT 2000u
#define RS_TIMER_TICK_MS 10u
#define RS_TIMERS_MAX 1048576u      /* of the application, on one shard: 20 bits of index */
#define RS_CLOSE_STRAGGLER_MS 5000u /* a close that has not completed by then is reported */

/* Mailbox: messages from other threads to one shard. */
#define RS_MAILBOX_SLOTS_MIN 16u
#define RS_MAILBOX_SLOTS_DEFAULT 1024u
#define RS_MAILBOX_SLOTS_MAX 65536u
#define RS_MESSAGES_PER_STEP_MAX 256u

/* Logic thread: the two rings of each shard. */
#define RS_LOGIC_RING_FRAMES 8u /* of the longest, so that one side need not wait for each */
#define RS_LOGIC_RING_BYTES_MIN                                                                    \
    (256u * 1024u) /* 4096 messages of 48 bytes: a batch of completions with several each */
#define RS_LOGIC_BATCH 256u /* records of one shard before the next one's turn, and its wake-up */

_Static_assert(RS_LOGIC_RING_FRAMES >= 2u, "a record may take half of a ring");
_Static_assert(RS_FRAME_BYTES_DEFAULT <= RS_FRAME_BYTES_MAX, "the default frame fits the format");
_Static_assert(RS_FRAME_BYTES_DEFAULT <= RS_SEND_BLOCK_BYTES_MIN,
               "a default frame fits one send block, so an echo is one slice");
_Static_assert(RS_QUEUED_BYTES_DEFAULT >= 2u * RS_FRAME_BYTES_MAX,
               "a session may queue two of the longest frames before it is called slow");
_Static_assert(RS_SESSIONS_MAX == 1u << 20, "the session id holds 20 bits of index");
_Static_assert(RS_SHARDS_MAX <= 1u << 12, "the session id holds 12 bits of shard");
_Static_assert(RS_COMPLETIONS_PER_POLL_DEFAULT <= RS_COMPLETIONS_PER_POLL_MAX, "default in range");

#endif
