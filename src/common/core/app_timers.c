/* SPDX-License-Identifier: MIT */
/* See app_timers.h. Handles have the layout of session ids: shard, index, generation. */
#include "core/app_timers.h"

#include "core/assert.h"
#include "core/limits.h"

#define NS_PER_MS 1000000u

_Static_assert(RS_TIMERS_MAX <= RS_SESSIONS_MAX, "a handle has the bits of a session's id");

/* ---- the table */

void rs_timer_table_init(rs_timer_table *table, rs_timer_entry *entries, uint32_t count,
                         uint32_t *first, uint32_t owners, uint32_t shard) {
    RS_ASSERT(count > 0);
    RS_ASSERT(count <= RS_TIMERS_MAX);
    *table = (rs_timer_table){
        .entries = entries, .first = first, .count = count, .owners = owners, .shard = shard};
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (rs_timer_entry){.generation = 1,
                                      .owner = RS_TIMER_NO_OWNER,
                                      .next = i + 1 < count ? i + 1 : RS_TIMER_NONE,
                                      .prev = RS_TIMER_NONE};
    }
    for (uint32_t i = 0; i < owners; i++) {
        first[i] = RS_TIMER_NONE;
    }
}

static rs_timer entry_handle(const rs_timer_table *table, uint32_t index) {
    return rs_session_id_make(table->shard, index, table->entries[index].generation);
}

rs_timer rs_timer_table_set(rs_timer_table *table, uint32_t owner, rs_timer_call call) {
    uint32_t index = table->free_head;
    rs_timer_entry *entry;
    RS_ASSERT(owner < table->owners || owner == RS_TIMER_NO_OWNER);
    if (index == RS_TIMER_NONE) {
        return 0;
    }
    RS_ASSERT(index < table->count);
    entry = &table->entries[index];
    RS_ASSERT(!entry->set);
    table->free_head = entry->next;
    entry->set = true;
    entry->call = call;
    entry->owner = owner;
    entry->next = entry->prev = RS_TIMER_NONE;
    if (owner != RS_TIMER_NO_OWNER) {
        entry->next = table->first[owner];
        if (entry->next != RS_TIMER_NONE) {
            table->entries[entry->next].prev = index;
        }
        table->first[owner] = index;
    }
    return entry_handle(table, index);
}

static void entry_unlist(rs_timer_table *table, uint32_t index) {
    const rs_timer_entry *entry = &table->entries[index];
    if (entry->owner == RS_TIMER_NO_OWNER) {
        return;
    }
    if (entry->prev != RS_TIMER_NONE) {
        table->entries[entry->prev].next = entry->next;
    } else {
        RS_ASSERT(table->first[entry->owner] == index);
        table->first[entry->owner] = entry->next;
    }
    if (entry->next != RS_TIMER_NONE) {
        table->entries[entry->next].prev = entry->prev;
    }
}

bool rs_timer_table_take(rs_timer_table *table, rs_timer timer, uint32_t *owner,
                         rs_timer_call *call) {
    uint32_t index = rs_session_id_index(timer);
    rs_timer_entry *entry = table->entries + (index < table->count ? index : 0);
    if (rs_session_id_shard(timer) != table->shard || index >= table->count || !entry->set ||
        entry->generation != rs_session_id_generation(timer)) {
        return false;
    }
    if (owner != NULL) {
        *owner = entry->owner;
    }
    if (call != NULL) {
        *call = entry->call;
    }
    entry_unlist(table, index);
    entry->set = false;
    entry->generation = entry->generation == UINT32_MAX ? 1 : entry->generation + 1;
    entry->next = table->free_head;
    table->free_head = index;
    return true;
}

rs_timer rs_timer_table_first(const rs_timer_table *table, uint32_t owner) {
    RS_ASSERT(owner < table->owners);
    return table->first[owner] == RS_TIMER_NONE ? 0 : entry_handle(table, table->first[owner]);
}

/* ---- the wheel */

void rs_timer_wheel_init(rs_timer_wheel *wheel, rs_timer_node *nodes, uint32_t *generations,
                         uint32_t count, uint32_t shard, uint64_t (*now_ns)(void *ctx), void *ctx) {
    RS_ASSERT(count > 0);
    RS_ASSERT(count <= RS_TIMERS_MAX);
    wheel->generations = generations;
    wheel->shard = shard;
    wheel->now_ns = now_ns;
    wheel->ctx = ctx;
    for (uint32_t i = 0; i < count; i++) {
        generations[i] = 0;
    }
    rs_timers_init(&wheel->timers, nodes, count, now_ns(ctx) / NS_PER_MS);
}

void rs_timer_wheel_arm(rs_timer_wheel *wheel, rs_timer timer, uint32_t ms) {
    uint32_t index = rs_session_id_index(timer);
    uint64_t due_ns = wheel->now_ns(wheel->ctx) + (uint64_t)ms * NS_PER_MS;
    RS_ASSERT(index < wheel->timers.count);
    wheel->generations[index] = rs_session_id_generation(timer);
    rs_timers_arm(&wheel->timers, index, (due_ns + NS_PER_MS - 1u) / NS_PER_MS);
}

void rs_timer_wheel_cancel(rs_timer_wheel *wheel, rs_timer timer) {
    uint32_t index = rs_session_id_index(timer);
    RS_ASSERT(index < wheel->timers.count);
    if (wheel->generations[index] == rs_session_id_generation(timer)) {
        rs_timers_cancel(&wheel->timers, index);
    }
}

rs_timer rs_timer_wheel_take(rs_timer_wheel *wheel, uint64_t now_ms) {
    uint32_t index = rs_timers_take_expired(&wheel->timers, now_ms);
    return index == RS_TIMER_NONE
               ? 0
               : rs_session_id_make(wheel->shard, index, wheel->generations[index]);
}
