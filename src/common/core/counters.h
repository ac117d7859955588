/* SPDX-License-Identifier: MIT */
/* Counters of one shard: plain integers, written by its thread alone.
 *
 * Another thread reads them through rs_server_stats, which copies the snapshot that the shard
 * publishes; it never reads these. */
#ifndef RS_CORE_COUNTERS_H
#define RS_CORE_COUNTERS_H

#include <stdint.h>

#include "core/app.h"

/* X(member, meaning): every counter, printed under its member's name. */
#define RS_COUNTER_TABLE(X)                                                                        \
    X(accepted, "connections accepted")                                                            \
    X(refused, "connections closed on arrival: no free session")                                   \
    X(refused_address, "connections closed on arrival: their address has --max-per-address")       \
    X(refused_off, "connections closed on arrival: rs_server_accept is off")                       \
    X(accept_failed, "connections that failed before they were accepted")                          \
    X(connected, "connections opened (rs_server_connect)")                                         \
    X(connect_failed, "attempts to open one that failed")                                          \
    X(messages_in, "whole frames received (raw: chunks)")                                          \
    X(messages_out, "sends requested by the application")                                          \
    X(shared_sends, "... of frames for many (rs_shared_send)")                                     \
    X(shared_copied_bytes, "bytes of these that were copied for one session")                      \
    X(bytes_in, "bytes received")                                                                  \
    X(bytes_out, "bytes sent, completed")                                                          \
    X(recv_ops, "receive completions")                                                             \
    X(send_ops, "send completions")                                                                \
    X(stale_completions, "completions of an older generation, dropped")                            \
    X(refused_ops, "operations that a back end refused")                                           \
    X(moved_bytes, "bytes of partial frames moved to the front")                                   \
    X(escalated_closes, "closes that had to be forced")                                            \
    X(quarantined, "closes that never completed: slot and buffers stay reserved")                  \
    X(held_ends, "orderly closes deferred because a reply was owed")                               \
    X(expired_holds, "closes deferred for the whole drain timeout")                                \
    X(refused_releases, "releases of a hold or a shared block that was not held")                  \
    X(pauses, "times a session stopped reading until its send queue drained")                      \
    X(mailbox_messages, "messages from other threads")                                             \
    X(steps, "turns of the loop")                                                                  \
    X(logic_wakes, "times a shard woke the logic thread")                                          \
    X(shard_wakes, "times the logic thread woke a shard")                                          \
    X(logic_fulls, "waits because a ring to or from the logic thread was full")

typedef struct rs_counters {
#define X(member, meaning) uint64_t member;
    RS_COUNTER_TABLE(X)
#undef X
    uint64_t closed[RS_CLOSE_REASONS];
} rs_counters;

/* rs_counters_add: member-wise sum into *into. */
void rs_counters_add(rs_counters *into, const rs_counters *from);

#endif
