/* SPDX-License-Identifier: MIT */
/* The loop of one shard. Order within a turn: completions, messages, timers, then one batch of ops,
 * so that everything a batch caused leaves together. */
#include "server/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "seam/os.h"
#include "server/connects.h"
#include "server/shard_log.h"
#include "server/timer_memory.h"

#define SHARD_OPS 1024u
#define NS_PER_MS 1000000u

_Static_assert(SHARD_OPS >= RS_SESSION_OPS_MAX, "one session's ops always fit a batch");
_Static_assert(SHARD_OPS <= RS_OPS_PER_SUBMIT_MAX, "a batch is one submit");

/* Accepted sockets for which there is no room yet, oldest first. */
typedef struct shard_waiters {
    struct {
        rs_arrival arrival;
        uint64_t until_ns;
    } at[RS_ROOM_WAITERS];
    uint32_t head, count;
} shard_waiters;

/* A deadline has passed: what had come in by then is taken first. */
typedef struct shard_settling {
    bool on;
    uint64_t mark_ns;    /* the time before the first poll since */
    uint32_t turns, dry; /* polls since, and those at the end that found nothing */
    uint32_t dry_max;
    uint32_t turns_max; /* by when all that waited has come, whatever comes in behind it */
} shard_settling;

#define SHARD_DRY_POLLS 4u /* one poll that finds nothing may have been cut short by a signal */
#define SHARD_SETTLE_TURNS_MIN 16u

/* Timers of the application, if its callbacks run here. */
typedef struct shard_timers {
    rs_timer_table table;
    rs_timer_wheel wheel;
    rs_timer_memory memory;
} shard_timers;

typedef enum shard_phase { SHARD_RUNNING, SHARD_DRAINING, SHARD_STOPPED } shard_phase;

struct rs_shard {
    const rs_backend_api *api;
    rs_backend *backend;
    rs_shard_config cfg;
    rs_sessions sessions;
    rs_slab blocks;
    rs_mailbox mailbox;
    rs_logic_channel *logic; /* NULL: callbacks run here */
    shard_phase phase;
    uint32_t listening; /* listeners whose last completion has not come */
    bool large_pages;
    bool leaving; /* nobody comes any more; those who are here may stay until ... */
    uint64_t leave_deadline_ns;
    uint32_t drain_timeout_ms;
    uint64_t drain_deadline_ns;
    uint64_t give_up_ns; /* 0 until everything left was reset */
    uint32_t poll_max;
    uint64_t messages_dropped;
    uint64_t stragglers_said;
    bool turn_wanted;                /* the application has something left to tell */
    bool runs;                       /* on_shard_end is due here */
    uint32_t assigned;               /* sockets to be attached here, so far */
    const rs_timer_wheel *app_wheel; /* NULL: the application has no timers */
    shard_timers *timers;
    shard_waiters waiters;
    shard_waiters callers; /* ... and those whose address has as many as it may */
    shard_settling settling;
    rs_connects connects;
    rs_shard_log log;
    rs_histogram batch;
    rs_backend_stats final_backend; /* taken when the back end closed */
    /* memory, all of it from open */
    uint8_t *arena; /* receive slices, then send blocks */
    size_t arena_bytes;
    bool arena_is_heap;
    rs_region_id region;
    bool region_registered;
    uint8_t **scattered;
    uint8_t *mailbox_memory;
    size_t mailbox_memory_bytes;
    rs_sessions_memory memory;
    rs_slab_entry *slab_entries;
    rs_completion *completions;
    rs_op ops[SHARD_OPS];
    /* crossed by other threads */
    rs_atomic_u32 stop_asked;
    rs_atomic_u32 drain_asked, drain_ms; /* the latter is written first */
    rs_atomic_u32 accept_off;
    rs_atomic_u32 message_pending;
    rs_atomic_u32 room_wanted; /* somebody waits for room in the mailbox; `room` is set for it */
    rs_os_event *room;
    rs_atomic_u32 room_sought[RS_ROOM_SEEKERS]; /* ... and these are told */
    rs_atomic_u32 room_told;                    /* on_room is due here */
    rs_atomic_u32 gate_closed;
    rs_atomic_u32 posters;
    rs_atomic_u32 ended, freed, refused; /* see rs_shard_ended; written by this shard */
};

/* ---- memory */

static uint32_t whole_pages(uint32_t bytes) {
    RS_ASSERT(bytes <= UINT32_MAX - RS_PAGE_BYTES);
    RS_ASSERT(bytes > 0);
    return (bytes + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES;
}

/* The sizes of everything, as sums of their users. */
typedef struct shard_plan {
    uint32_t slots;      /* sessions + those still closing */
    uint32_t recvs;      /* receive slices per slot */
    uint32_t recv_bytes; /* ... of so much each */
    uint32_t block_bytes;
    uint32_t blocks_handed; /* send blocks for what is on its way over the logic thread */
    uint32_t shared_blocks; /* ... and for broadcasts */
    uint32_t block_count;   /* slots * reserve + those + what is read ahead */
    uint32_t mailbox_slots;
    uint32_t entry_count; /* a block each + on each session every broadcast alive */
    size_t heap_gap;      /* --buffers heap: bytes between slices that break the alignment */
    size_t arena_bytes;
} shard_plan;

static rs_sessions_config shard_sessions_config(const shard_plan *plan,
                                                const rs_shard_config *cfg) {
    RS_ASSERT(plan->slots > 0);
    RS_ASSERT(plan->shared_blocks > 0);
    return (rs_sessions_config){
        .shard = cfg->index,
        .server = cfg->instance,
        .left = cfg->addresses != NULL ? rs_address_limit_leave : NULL,
        .left_ctx = cfg->addresses,
        .sessions_max = cfg->counted ? plan->slots : cfg->sessions_max,
        .slot_count = plan->slots,
        .recvs = plan->recvs,
        .recv_bytes = plan->recv_bytes,
        .frame_bytes_max = cfg->server->frame_bytes_max,
        .sends_in_flight = cfg->server->sends_in_flight,
        .idle_timeout_ms = cfg->server->idle_timeout_ms,
        .handshake_ms = cfg->server->handshake_ms,
        .rate_max = cfg->server->rate_max,
        .proxy = cfg->server->proxy_protocol,
        .pause_slow = cfg->server->pause_slow,
        .drain_timeout_ms = cfg->server->drain_timeout_ms,
        .blocks_handed = plan->blocks_handed,
        .shared_blocks = plan->shared_blocks,
    };
}

/* The longest message, and piece of a send, that goes over the logic thread. */
static uint32_t shard_logic_payload(const shard_plan *plan, const rs_shard_config *cfg) {
    RS_ASSERT(plan->recv_bytes > 0);
    return cfg->server->app.raw ? plan->recv_bytes : cfg->server->frame_bytes_max;
}

static void shard_plan_sizes(shard_plan *plan, const rs_shard_config *cfg) {
    const rs_server_config *server = cfg->server;
    uint32_t longest = whole_pages(server->frame_bytes_max);
    RS_ASSERT(cfg->sessions_max > 0);
    RS_ASSERT(cfg->index < RS_SHARDS_MAX);
    RS_ASSERT(cfg->sessions_max <= RS_SESSIONS_MAX);
    plan->slots = cfg->sessions_max + RS_CLOSING_SLACK(cfg->sessions_max);
    if (plan->slots > RS_SESSIONS_MAX) {
        plan->slots = RS_SESSIONS_MAX;
    }
    plan->recvs = server->tuning.recvs;
    plan->recv_bytes = server->recv_bytes != 0 ? server->recv_bytes : longest;
    plan->block_bytes = server->send_block_bytes != 0 ? server->send_block_bytes : longest;
    plan->heap_gap = server->heap_buffers ? 33u : 0u;
    plan->shared_blocks = 1;
    plan->mailbox_slots = RS_MAILBOX_SLOTS_MIN;
    while (plan->mailbox_slots < server->mailbox_messages) {
        plan->mailbox_slots *= 2u;
    }
    if (cfg->logic != NULL) {
        uint32_t ring_bytes = rs_logic_ring_bytes(shard_logic_payload(plan, cfg));
        plan->blocks_handed = 2u * ring_bytes / plan->block_bytes + 1u;
    }
    RS_ASSERT(plan->slots >= cfg->sessions_max);
    RS_ASSERT(plan->recv_bytes > 0);
    RS_ASSERT(plan->block_bytes > 0);
}

static uint64_t shard_plan_least(const shard_plan *plan, const rs_shard_config *cfg) {
    rs_sessions_config sessions = shard_sessions_config(plan, cfg);
    RS_ASSERT(plan->block_bytes > 0);
    return rs_sessions_blocks(&sessions, plan->block_bytes);
}

uint64_t rs_shard_send_blocks_least(const rs_shard_config *cfg) {
    shard_plan plan = {.slots = 0};
    RS_ASSERT(cfg->server != NULL);
    shard_plan_sizes(&plan, cfg);
    return shard_plan_least(&plan, cfg);
}

/* Send blocks as the sum of their users. The size of a block cancels out: smaller ones, more. */
static rs_status shard_plan_blocks(shard_plan *plan, const rs_shard_config *cfg, rs_error *error) {
    uint32_t asked = cfg->server->send_blocks;
    uint64_t least = shard_plan_least(plan, cfg);
    uint64_t count =
        asked != 0 ? asked : least - 1u + RS_SHARED_BLOCKS + RS_AHEAD_BLOCKS(plan->slots);
    RS_ASSERT(plan->slots > 0);
    RS_ASSERT(plan->block_bytes > 0);
    if (count < least) {
        return rs_error_set(
            error, RS_E_INVALID, NULL, 0,
            "--send-blocks %u: the minimum is %llu, so that each of %u sessions per "
            "worker has its own blocks",
            asked, (unsigned long long)least, cfg->sessions_max);
    }
    plan->block_count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    plan->shared_blocks =
        count - least < RS_SHARED_BLOCKS ? (uint32_t)(count - least) + 1u : RS_SHARED_BLOCKS;
    RS_ASSERT(plan->block_count >= plan->slots);
    RS_ASSERT(plan->shared_blocks <= RS_SHARED_BLOCKS);
    return RS_OK;
}

static rs_status shard_plan_make(shard_plan *plan, const rs_shard_config *cfg, rs_error *error) {
    const rs_server_config *server = cfg->server;
    uint64_t total;
    rs_status status;
    shard_plan_sizes(plan, cfg);
    if (plan->recv_bytes < server->frame_bytes_max) {
        return rs_error_set(error, RS_E_INVALID, NULL, 0,
                            "receive slice of %u bytes is shorter than a frame of %u",
                            plan->recv_bytes, server->frame_bytes_max);
    }
    status = shard_plan_blocks(plan, cfg, error);
    if (status != RS_OK) {
        return status;
    }
    total = (uint64_t)plan->slots * plan->recvs * (plan->recv_bytes + plan->heap_gap) +
            (uint64_t)plan->block_count * (plan->block_bytes + plan->heap_gap) + plan->heap_gap;
    if (total > UINT32_MAX - RS_PAGE_BYTES) { /* regions have 32-bit lengths */
        return rs_error_set(
            error, RS_E_INVALID, NULL, 0,
            "buffers of one worker would take %llu MiB, the maximum is 4095: lower "
            "--max-sessions, --max-frame, --recv-buffer or --recvs, or raise --workers",
            (unsigned long long)(total >> 20));
    }
    plan->entry_count = plan->block_count + plan->slots * RS_SHARED_ENTRIES;
    plan->arena_bytes = (size_t)(total + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    RS_ASSERT(plan->arena_bytes >= total);
    RS_ASSERT(plan->arena_bytes <= UINT32_MAX);
    RS_ASSERT(plan->entry_count > plan->block_count);
    return RS_OK;
}

static rs_status shard_no_memory(rs_error *error, const shard_plan *plan) {
    RS_ASSERT(plan->slots > 0);
    RS_ASSERT(plan->arena_bytes > 0);
    return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0,
                        "out of memory for %u session slots (%u MiB of buffers): lower "
                        "--max-sessions or --max-frame",
                        plan->slots, (unsigned)(plan->arena_bytes >> 20));
}

/* --buffers heap: the same slices in memory of malloc, none of them aligned to anything. */
static rs_status shard_scatter(rs_shard *shard, const shard_plan *plan) {
    const size_t slices = (size_t)plan->slots * plan->recvs;
    size_t pointers = slices + plan->block_count;
    uint8_t *at = shard->arena + plan->heap_gap;
    RS_ASSERT(shard->scattered == NULL);
    RS_ASSERT(plan->heap_gap > 0);
    RS_ASSERT(plan->block_count > 0);
    shard->scattered = calloc(pointers, sizeof *shard->scattered);
    if (shard->scattered == NULL) {
        return RS_E_NO_MEMORY;
    }
    for (size_t i = 0; i < pointers; i++) {
        shard->scattered[i] = at;
        at += (i < slices ? plan->recv_bytes : plan->block_bytes) + plan->heap_gap;
    }
    RS_ASSERT(at <= shard->arena + plan->arena_bytes);
    return RS_OK;
}

static rs_status shard_alloc_arena(rs_shard *shard, const shard_plan *plan) {
    bool heap = shard->cfg.server->heap_buffers;
    RS_ASSERT(shard->arena == NULL);
    RS_ASSERT(plan->arena_bytes % RS_PAGE_BYTES == 0);
    shard->large_pages = shard->cfg.server->large_pages && !heap;
    shard->arena_is_heap = heap;
    shard->arena_bytes = plan->arena_bytes;
    shard->arena = heap ? calloc(1, plan->arena_bytes)
                        : rs_os_pages_alloc(plan->arena_bytes, &shard->large_pages);
    if (shard->arena == NULL) {
        return RS_E_NO_MEMORY;
    }
    return heap ? shard_scatter(shard, plan) : RS_OK;
}

static rs_status shard_alloc_timers(rs_shard *shard, const shard_plan *plan) {
    uint32_t count = shard->cfg.server->timers;
    shard_timers *timers;
    RS_ASSERT(shard->timers == NULL);
    RS_ASSERT(plan->slots > 0);
    if (count == 0 || shard->cfg.logic != NULL) {
        return RS_OK;
    }
    timers = shard->timers = calloc(1, sizeof *timers);
    return timers != NULL && rs_timer_memory_alloc(&timers->memory, count, plan->slots)
               ? RS_OK
               : RS_E_NO_MEMORY;
}

static void shard_free_timers(shard_timers *timers) {
    if (timers != NULL) {
        rs_timer_memory_free(&timers->memory);
        free(timers);
    }
}

static rs_status shard_alloc(rs_shard *shard, const shard_plan *plan, uint32_t message_payload) {
    rs_sessions_memory *memory = &shard->memory;
    RS_ASSERT(message_payload > 0);
    RS_ASSERT(shard->poll_max > 0);
    RS_ASSERT(plan->slots > 0);
    RS_ASSERT(plan->block_count > 0);
    RS_ASSERT(plan->entry_count > plan->block_count);
    RS_ASSERT(shard->cfg.server != NULL);
    memory->sessions = calloc(plan->slots, sizeof *memory->sessions);
    memory->cold = calloc(plan->slots, sizeof *memory->cold);
    memory->free_next = calloc(plan->slots, sizeof *memory->free_next);
    memory->open = calloc(plan->slots, sizeof *memory->open);
    memory->touched = calloc(2u * (size_t)plan->slots, sizeof *memory->touched);
    memory->timer_nodes = calloc(plan->slots, sizeof *memory->timer_nodes);
    if (shard->cfg.server->rate_max != 0) {
        memory->rates = calloc(plan->slots, sizeof *memory->rates);
        if (memory->rates == NULL) {
            return RS_E_NO_MEMORY;
        }
    }
    if (plan->recvs > 1) {
        memory->slices = calloc(plan->slots, sizeof *memory->slices);
        if (memory->slices == NULL) {
            return RS_E_NO_MEMORY;
        }
    }
    if (shard->cfg.addresses != NULL) {
        memory->tickets = calloc(plan->slots, sizeof *memory->tickets);
        if (memory->tickets == NULL) {
            return RS_E_NO_MEMORY;
        }
    }
    if (shard->cfg.server->app.on_low != NULL) {
        memory->low_marks = calloc(plan->slots, sizeof *memory->low_marks);
        if (memory->low_marks == NULL) {
            return RS_E_NO_MEMORY;
        }
    }
    if (shard->cfg.server->pause_slow) {
        memory->links = calloc(plan->slots, sizeof *memory->links);
        if (memory->links == NULL) {
            return RS_E_NO_MEMORY;
        }
    }
    memory->entries = calloc(plan->entry_count, sizeof *memory->entries);
    shard->slab_entries = calloc(plan->block_count, sizeof *shard->slab_entries);
    shard->completions = calloc(shard->poll_max, sizeof *shard->completions);
    shard->mailbox_memory_bytes = rs_mailbox_slot_bytes(message_payload) * plan->mailbox_slots;
    shard->mailbox_memory_bytes =
        (shard->mailbox_memory_bytes + RS_PAGE_BYTES - 1u) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    shard->mailbox_memory = rs_os_pages_alloc(shard->mailbox_memory_bytes, NULL);
    if (memory->sessions == NULL || memory->cold == NULL || memory->free_next == NULL ||
        memory->open == NULL || memory->touched == NULL || memory->timer_nodes == NULL ||
        memory->entries == NULL || shard->slab_entries == NULL || shard->completions == NULL ||
        shard->mailbox_memory == NULL || shard_alloc_timers(shard, plan) != RS_OK) {
        return RS_E_NO_MEMORY;
    }
    rs_mailbox_init(&shard->mailbox, shard->mailbox_memory, plan->mailbox_slots, message_payload);
    return shard_alloc_arena(shard, plan);
}

static void shard_free(rs_shard *shard) {
    RS_ASSERT(shard->backend == NULL);
    free(shard->memory.sessions);
    free(shard->memory.cold);
    free(shard->memory.free_next);
    free(shard->memory.open);
    free(shard->memory.touched);
    free(shard->memory.timer_nodes);
    free(shard->memory.low_marks);
    free(shard->memory.links);
    free(shard->memory.rates);
    free(shard->memory.slices);
    free(shard->memory.tickets);
    shard_free_timers(shard->timers);
    free(shard->memory.entries);
    free(shard->slab_entries);
    free(shard->completions);
    rs_os_event_close(shard->room);
    free(shard->scattered);
    if (shard->mailbox_memory != NULL) {
        rs_os_pages_free(shard->mailbox_memory, shard->mailbox_memory_bytes);
    }
    if (shard->arena_is_heap) {
        free(shard->arena);
    } else if (shard->arena != NULL) {
        rs_os_pages_free(shard->arena, shard->arena_bytes);
    }
    free(shard);
}

/* ---- open */

static uint64_t shard_now_ns(const rs_shard *shard) {
    return shard->cfg.clock.now_ns != NULL ? shard->cfg.clock.now_ns(shard->cfg.clock.ctx)
                                           : rs_os_now_ns();
}

static uint64_t shard_clock(void *ctx) {
    return shard_now_ns(ctx);
}

static void shard_init_timers(rs_shard *shard, const shard_plan *plan) {
    uint32_t count = shard->cfg.server->timers;
    shard_timers *timers = shard->timers;
    RS_ASSERT((timers != NULL) == (count > 0 && shard->logic == NULL));
    RS_ASSERT(shard->app_wheel == NULL);
    if (shard->logic != NULL) {
        shard->app_wheel = rs_logic_channel_wheel(shard->logic);
    }
    if (timers == NULL) {
        return;
    }
    rs_timer_table_init(&timers->table, timers->memory.entries, count, timers->memory.first,
                        plan->slots, shard->cfg.index);
    rs_timer_wheel_init(&timers->wheel, timers->memory.nodes, timers->memory.generations, count,
                        shard->cfg.index, shard_clock, shard);
    shard->sessions.app_timers = &timers->table;
    shard->sessions.app_wheel = &timers->wheel;
    shard->app_wheel = &timers->wheel;
}

static void shard_init_sessions(rs_shard *shard, const shard_plan *plan, const rs_app *app) {
    const rs_server_config *server = shard->cfg.server;
    rs_sessions_memory *memory = &shard->memory;
    const size_t slices = (size_t)plan->slots * plan->recvs;
    size_t recv_total = slices * plan->recv_bytes;
    rs_sessions_config cfg = shard_sessions_config(plan, &shard->cfg);
    bool heap = shard->arena_is_heap;
    RS_ASSERT(recv_total + (size_t)plan->block_count * plan->block_bytes <= shard->arena_bytes);
    RS_ASSERT(shard->region_registered);
    RS_ASSERT(heap == (shard->scattered != NULL));
    RS_ASSERT(plan->entry_count > plan->block_count);
    rs_slab_init(&shard->blocks, heap ? NULL : shard->arena + recv_total,
                 heap ? shard->scattered + slices : NULL, shard->slab_entries, plan->block_bytes,
                 plan->block_count);
    memory->blocks = &shard->blocks;
    memory->entry_count = plan->entry_count;
    memory->recv_base = heap ? NULL : shard->arena;
    memory->recv_scattered = heap ? shard->scattered : NULL;
    memory->region = shard->region.value;
    memory->queued_bytes_max = server->queued_bytes_max;
    memory->coalesce = server->coalesce;
    rs_sessions_init(&shard->sessions, &cfg, app, memory, shard_now_ns(shard));
    RS_ASSERT(shard->blocks.free_count == shard->blocks.count);
}

static void shard_wake(void *ctx) {
    rs_shard *shard = ctx;
    RS_ASSERT(shard->backend != NULL);
    shard->api->wake(shard->backend);
}

/* What the sessions call: the application, or the way to it. */
static rs_status shard_attach_logic(rs_shard *shard, const shard_plan *plan, rs_app *app,
                                    rs_error *error) {
    rs_logic_channel_config cfg = {
        .shard = shard->cfg.index,
        .server = shard->cfg.instance,
        .sessions = &shard->sessions,
        .slot_count = plan->slots,
        .payload_max = shard_logic_payload(plan, &shard->cfg),
        .block_bytes = plan->block_bytes,
        .timers = shard->cfg.server->timers,
        .now_ns = shard_clock,
        .now_ctx = shard,
        .wake = shard_wake,
        .wake_ctx = shard,
    };
    RS_ASSERT(shard->logic == NULL);
    RS_ASSERT(shard->cfg.server != NULL);
    RS_ASSERT(plan->block_bytes > 0);
    *app = shard->cfg.server->app;
    return shard->cfg.logic == NULL
               ? RS_OK
               : rs_logic_attach(shard->cfg.logic, &cfg, &shard->logic, app, error);
}

static rs_status shard_open_backend(rs_shard *shard, const shard_plan *plan, rs_error *error) {
    rs_backend_config cfg = {
        .conns_max = plan->slots,
        .sends_per_conn = shard->cfg.server->sends_in_flight,
        .poll_max = shard->poll_max,
        .keeps_accepted = shard->cfg.server->workers == 1,
        .tuning = shard->cfg.server->tuning,
        .own = shard->cfg.server->backend_settings,
        .world = shard->cfg.server->world,
    };
    uint32_t gap = (uint32_t)plan->heap_gap;
    const rs_region_cut cut = {.slices = plan->slots * plan->recvs,
                               .slice_bytes = plan->recv_bytes + gap,
                               .blocks = plan->block_count,
                               .block_bytes = plan->block_bytes + gap};
    rs_status status;
    RS_ASSERT(shard->backend == NULL);
    RS_ASSERT(shard->arena != NULL);
    RS_ASSERT(gap < shard->arena_bytes);
    RS_ASSERT(plan->slots > 0);
    RS_ASSERT(shard->poll_max > 0);
    RS_ASSERT(shard->cfg.server != NULL);
    status = shard->api->open(&shard->backend, &cfg, error);
    if (status != RS_OK) {
        return status;
    }
    RS_ASSERT(shard->backend != NULL);
    status = shard->api->register_memory(shard->backend, shard->arena + gap,
                                         shard->arena_bytes - gap, &cut, &shard->region, error);
    shard->region_registered = status == RS_OK;
    RS_ASSERT(!shard->region_registered || shard->backend != NULL);
    return status;
}

/* Each connection may have its receives, its sends, a shutdown and its close waiting. */
static void shard_settling_init(rs_shard *shard, const shard_plan *plan,
                                const rs_server_config *server) {
    uint64_t due = (uint64_t)plan->slots * (server->tuning.recvs + server->sends_in_flight + 2u);
    uint32_t dry = 0;
    uint32_t polls = shard->api->settle_polls != NULL
                         ? shard->api->settle_polls(shard->backend, due, &dry)
                         : (uint32_t)(due / server->tuning.dequeue_batch);
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(!shard->settling.on);
    RS_ASSERT(polls <= UINT32_MAX - SHARD_SETTLE_TURNS_MIN);
    RS_ASSERT(server->tuning.dequeue_batch > 0);
    RS_ASSERT(due > 0);
    shard->settling.dry_max = SHARD_DRY_POLLS + dry;
    shard->settling.turns_max = SHARD_SETTLE_TURNS_MIN + polls;
}

/* Where the server is not what its settings may have meant. */
static void shard_log_open(const rs_shard *shard, const rs_server_config *server) {
    rs_backend_stats stats;
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(server != NULL);
    if (server->large_pages && !shard->large_pages) {
        rs_shard_log_say(&shard->log, RS_LOG_WARNING, "pages",
                         "--large-pages: none were to be had; these buffers have ordinary ones",
                         NULL, 0);
    }
    if (shard->cfg.index == 0) { /* the same for all */
        shard->api->stats(shard->backend, &stats);
        rs_shard_log_provider(&shard->log, stats.provider);
    }
}

rs_status rs_shard_open(rs_shard **out, const rs_shard_config *cfg, rs_error *error) {
    shard_plan plan = {.slots = 0};
    rs_app app;
    rs_shard *shard;
    rs_status status;
    RS_ASSERT(cfg->server != NULL);
    RS_ASSERT(cfg->server->backend != NULL);
    RS_ASSERT(cfg->server->tuning.dequeue_batch > 0);
    status = shard_plan_make(&plan, cfg, error);
    *out = NULL;
    if (status != RS_OK) {
        return status;
    }
    shard = calloc(1, sizeof *shard);
    if (shard == NULL) {
        return shard_no_memory(error, &plan);
    }
    shard->cfg = *cfg;
    shard->cfg.peers.shard = cfg->index;
    shard->cfg.peers.bytes_max = cfg->server->frame_bytes_max;
    shard->api = cfg->server->backend;
    shard->poll_max = cfg->server->tuning.dequeue_batch;
    shard->drain_timeout_ms = cfg->server->drain_timeout_ms;
    shard->log =
        (rs_shard_log){.fn = cfg->server->log, .ctx = cfg->server->log_ctx, .shard = cfg->index};
    rs_histogram_init(&shard->batch);
    if (shard_alloc(shard, &plan,
                    RS_BROADCAST_IDS * (uint32_t)sizeof(rs_session_id) +
                        cfg->server->frame_bytes_max) != RS_OK) {
        status = shard_no_memory(error, &plan);
    } else {
        status = rs_os_event_open(&shard->room, error);
    }
    if (status == RS_OK) {
        status = shard_open_backend(shard, &plan, error);
    }
    if (status == RS_OK) {
        status = shard_attach_logic(shard, &plan, &app, error);
    }
    if (status != RS_OK) {
        rs_shard_close(shard);
        return status;
    }
    shard_init_sessions(shard, &plan, &app);
    shard_init_timers(shard, &plan);
    shard_settling_init(shard, &plan, cfg->server);
    shard->connects = (rs_connects){.sessions = &shard->sessions,
                                    .api = shard->api,
                                    .backend = shard->backend,
                                    .server = cfg->instance,
                                    .shard = cfg->index};
    shard_log_open(shard, cfg->server);
    shard->cfg.server = NULL; /* the caller's, for the time of open only */
    *out = shard;
    return RS_OK;
}

rs_status rs_shard_start(rs_shard *shard, rs_error *error) {
    const rs_app *app = &shard->sessions.app;
    rs_status status = RS_OK;
    RS_ASSERT(shard->listening == 0);
    RS_ASSERT(!shard->runs);
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    if (shard->logic != NULL) {
        status = rs_logic_channel_start(shard->logic);
    } else {
        if (app->on_shard_start != NULL) {
            status = app->on_shard_start(app->ctx, shard->cfg.instance, shard->cfg.index,
                                         &shard->sessions.ops.own);
        }
        shard->runs = status == RS_OK;
    }
    return status == RS_OK
               ? RS_OK
               : rs_error_set(error, status, NULL, 0, "the application did not start on worker %u",
                              shard->cfg.index);
}

rs_session_ops *rs_shard_ops(rs_shard *shard) {
    RS_ASSERT(shard->backend != NULL);
    return shard->logic != NULL ? rs_logic_channel_ops(shard->logic) : &shard->sessions.ops;
}

static void shard_end_app(rs_shard *shard) {
    const rs_app *app = &shard->sessions.app;
    RS_ASSERT(rs_atomic_load_u32(&shard->gate_closed) != 0);
    if (shard->logic != NULL) {
        rs_logic_channel_end(shard->logic);
    } else if (shard->runs && app->on_shard_end != NULL) {
        app->on_shard_end(app->ctx, shard->cfg.instance, shard->cfg.index, shard->sessions.ops.own);
    }
    shard->runs = false;
}

static void shard_log_listening(const rs_shard *shard, const rs_addr *addr, uint16_t port) {
    char address[RS_ADDR_TEXT_BYTES], text[128];
    rs_addr bound = *addr;
    rs_backend_stats stats;
    RS_ASSERT(shard->listening > 0);
    RS_ASSERT(shard->backend != NULL);
    bound.port = port;
    (void)rs_addr_text(&bound, address);
    shard->api->stats(shard->backend, &stats);
    const rs_log_field fields[] = {{.name = "address", .text = address},
                                   {.name = "backend", .text = shard->api->name},
                                   {.name = "provider", .text = stats.provider}};
    (void)snprintf(text, sizeof text, "listening on %s", address);
    rs_shard_log_say(&shard->log, RS_LOG_INFO, "listening", text, fields, 3);
}

rs_status rs_shard_listen(rs_shard *shard, const rs_addr *addr, uint16_t *port_out,
                          rs_error *error) {
    rs_status status;
    RS_ASSERT(shard->listening < RS_LISTENERS_MAX);
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(port_out != NULL);
    RS_ASSERT(addr != NULL);
    status = shard->api->listen(shard->backend, addr, port_out, error);
    if (status == RS_OK) {
        shard->listening++;
        shard_log_listening(shard, addr, *port_out);
    }
    return status;
}

/* ---- a turn */

/* Written only when it has changed: others read this line. */
static void publish(rs_atomic_u32 *word, uint32_t value) {
    if (rs_atomic_load_u32(word) != value) {
        rs_atomic_store_u32(word, value);
    }
}

static void shard_publish(rs_shard *shard) {
    const rs_sessions *sessions = &shard->sessions;
    RS_ASSERT(sessions->open_count <= sessions->used_count);
    RS_DEBUG_ASSERT(sessions->used_count <= sessions->cfg.slot_count);
    publish(&shard->ended, shard->assigned - sessions->open_count);
    publish(&shard->freed, shard->assigned - sessions->used_count);
    publish(&shard->refused,
            (uint32_t)(sessions->counters.refused + sessions->counters.refused_address +
                       sessions->counters.refused_off));
}

static void shard_leave_address(const rs_shard *shard, const rs_arrival *arrival) {
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    if (arrival->ticket != 0) {
        RS_ASSERT(shard->cfg.addresses != NULL);
        rs_address_limit_leave(shard->cfg.addresses, arrival->ticket);
    }
}

static void shard_discard(rs_shard *shard, const rs_arrival *arrival) {
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    shard_leave_address(shard, arrival);
    shard->sessions.counters.refused++;
    shard->api->discard(shard->backend, arrival->socket);
}

/* False: there is no room. */
static bool shard_attach(rs_shard *shard, const rs_arrival *arrival) {
    uint32_t conn, generation;
    RS_ASSERT(shard->phase != SHARD_STOPPED);
    RS_ASSERT(shard->backend != NULL);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    if (!rs_sessions_reserve(&shard->sessions, &conn, &generation)) {
        return false;
    }
    RS_ASSERT(conn < shard->sessions.cfg.slot_count);
    shard->assigned++;
    if (shard->api->attach(shard->backend, conn, generation, arrival->socket) == RS_OK) {
        if (arrival->ticket != 0) {
            rs_sessions_give_ticket(&shard->sessions, conn, arrival->ticket);
        }
        rs_sessions_open(&shard->sessions, conn, &arrival->ends);
    } else {
        shard->sessions.counters.accept_failed++;
        shard_leave_address(shard, arrival);
        rs_sessions_unreserve(&shard->sessions, conn);
    }
    RS_ASSERT(shard->sessions.used_count <= shard->sessions.cfg.slot_count);
    return true;
}

/* Given by another shard, which has counted it. */
static void shard_on_attach(rs_shard *shard, const rs_message *message) {
    rs_arrival arrival;
    RS_ASSERT(message->bytes == sizeof arrival);
    RS_ASSERT(message->kind == RS_MESSAGE_ATTACH);
    memcpy(&arrival, message->payload, sizeof arrival);
    if (shard->phase != SHARD_RUNNING || !shard_attach(shard, &arrival)) {
        shard->assigned++;
        shard_discard(shard, &arrival);
    }
}

static bool shard_place(rs_shard *shard, const rs_arrival *arrival) {
    rs_route route =
        shard->cfg.route != NULL ? shard->cfg.route(shard->cfg.route_ctx, arrival) : RS_ROUTE_HERE;
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    return route == RS_ROUTE_TAKEN || (route == RS_ROUTE_HERE && shard_attach(shard, arrival));
}

/* The last of those that wait. False: too many do. */
static bool shard_wait_behind(const rs_shard *shard, shard_waiters *waiters,
                              const rs_arrival *arrival) {
    uint32_t last = (waiters->head + waiters->count) % RS_ROOM_WAITERS;
    RS_ASSERT(waiters->count <= RS_ROOM_WAITERS);
    if (shard->phase != SHARD_RUNNING || waiters->count == RS_ROOM_WAITERS) {
        return false;
    }
    waiters->at[last].arrival = *arrival;
    waiters->at[last].until_ns = shard->sessions.now_ns + (uint64_t)RS_ROOM_WAIT_MS * NS_PER_MS;
    waiters->count++;
    RS_ASSERT(waiters->count <= RS_ROOM_WAITERS);
    return true;
}

/* No room: a session whose end has come, and is not read yet, may make some. A client that leaves
 * and comes back at once is then served and not refused. */
static void shard_seat(rs_shard *shard, const rs_arrival *arrival) {
    RS_ASSERT(shard->waiters.count <= RS_ROOM_WAITERS);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    if (shard->phase == SHARD_RUNNING && shard->waiters.count == 0 && shard_place(shard, arrival)) {
        return;
    }
    if (!shard_wait_behind(shard, &shard->waiters, arrival)) {
        shard_discard(shard, arrival);
    }
}

static void shard_refuse_address(rs_shard *shard, const rs_arrival *arrival) {
    RS_ASSERT(arrival->ticket == 0);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    RS_ASSERT(shard->cfg.addresses != NULL);
    shard->sessions.counters.refused_address++;
    shard->api->discard(shard->backend, arrival->socket);
}

/* One whose address has as many as it may waits beside the others, so that it keeps nobody else
 * from his place; for the same reason and for as long. */
static void shard_on_arrival(rs_shard *shard, rs_arrival *arrival) {
    shard_waiters *callers = &shard->callers;
    RS_ASSERT(callers->count <= RS_ROOM_WAITERS);
    RS_ASSERT(arrival->socket != RS_SOCKET_NONE);
    if (rs_atomic_load_u32(&shard->accept_off) != 0) {
        shard->sessions.counters.refused_off++;
        shard->api->discard(shard->backend, arrival->socket);
    } else if (shard->cfg.addresses == NULL) {
        shard_seat(shard, arrival);
    } else if (rs_address_limit_enter(shard->cfg.addresses, &arrival->ends.peer,
                                      &arrival->ticket)) {
        shard_seat(shard, arrival);
    } else if (!shard_wait_behind(shard, callers, arrival)) {
        shard_refuse_address(shard, arrival);
    }
}

/* The first of those that wait has been dealt with; or is to wait on: false. */
static bool shard_may_wait(const rs_shard *shard, const shard_waiters *waiters) {
    RS_ASSERT(waiters->count > 0);
    RS_ASSERT(waiters->head < RS_ROOM_WAITERS);
    return shard->phase == SHARD_RUNNING &&
           waiters->at[waiters->head].until_ns > shard->sessions.now_ns;
}

static void shard_next_waiter(shard_waiters *waiters) {
    RS_ASSERT(waiters->head < RS_ROOM_WAITERS);
    RS_ASSERT(waiters->count > 0);
    waiters->head = (waiters->head + 1) % RS_ROOM_WAITERS;
    waiters->count--;
}

/* Those for whom there is room now, and those who have waited long enough. */
static void shard_admit(rs_shard *shard) {
    shard_waiters *waiters = &shard->waiters;
    RS_ASSERT(waiters->count <= RS_ROOM_WAITERS);
    while (waiters->count > 0) {
        const rs_arrival *arrival = &waiters->at[waiters->head].arrival;
        bool placed = shard->phase == SHARD_RUNNING && shard_place(shard, arrival);
        if (!placed && shard_may_wait(shard, waiters)) {
            return;
        }
        if (!placed) {
            shard_discard(shard, arrival);
        }
        shard_next_waiter(waiters);
    }
}

/* The same for those whose address had as many as it may. */
static void shard_admit_callers(rs_shard *shard) {
    shard_waiters *callers = &shard->callers;
    RS_ASSERT(callers->count <= RS_ROOM_WAITERS);
    RS_ASSERT(shard->cfg.addresses != NULL);
    while (callers->count > 0) {
        rs_arrival arrival = callers->at[callers->head].arrival;
        bool entered =
            rs_address_limit_enter(shard->cfg.addresses, &arrival.ends.peer, &arrival.ticket);
        if (!entered && shard_may_wait(shard, callers)) {
            return;
        }
        shard_next_waiter(callers);
        if (entered) {
            shard_seat(shard, &arrival);
        } else {
            shard_refuse_address(shard, &arrival);
        }
    }
}

static void shard_on_accept(rs_shard *shard, const rs_completion *completion) {
    rs_arrival arrival = {.socket = completion->socket};
    RS_ASSERT(completion->kind == RS_OP_ACCEPT);
    switch ((rs_status)completion->status) {
    case RS_OK:
        if (completion->ends != NULL) {
            arrival.ends = *completion->ends;
        }
        shard_on_arrival(shard, &arrival);
        break;
    case RS_E_CLOSED: /* the last one of a listener, after unlisten */
        RS_ASSERT(shard->listening > 0);
        shard->listening--;
        break;
    case RS_E_LISTENER:
        RS_FATAL("accept", 0, "the listener failed: no more connections can arrive");
    default: /* that connection was gone before it was ours */
        shard->sessions.counters.accept_failed++;
        break;
    }
}

static void shard_dispatch(rs_shard *shard, uint32_t count) {
    RS_ASSERT(count <= shard->poll_max);
    if (count > 0) {
        rs_histogram_record(&shard->batch, count);
    }
    for (uint32_t at = 0; at < count; at++) {
        at += rs_sessions_complete(&shard->sessions, &shard->completions[at], count - at);
        if (at < count && shard->completions[at].kind == RS_OP_CONNECT) {
            rs_connects_complete(&shard->connects, &shard->completions[at]);
        } else if (at < count) {
            shard_on_accept(shard, &shard->completions[at]);
        }
    }
}

static void shard_on_broadcast(rs_shard *shard, const rs_message *message) {
    const bool to_all = message->value == RS_MESSAGE_TO_ALL;
    const uint32_t count = to_all ? 0 : (uint32_t)message->value;
    const uint32_t ids_bytes = count * (uint32_t)sizeof(rs_session_id);
    const void *ids = message->payload;
    RS_ASSERT(count <= RS_BROADCAST_IDS);
    RS_ASSERT(message->bytes > ids_bytes);
    RS_ASSERT(message->kind == RS_MESSAGE_BROADCAST);
    RS_ASSERT(!to_all || ids_bytes == 0);
    RS_ASSERT(to_all || count > 0);
    shard->messages_dropped +=
        rs_sessions_broadcast(&shard->sessions, to_all ? NULL : ids, count,
                              message->payload + ids_bytes, message->bytes - ids_bytes);
}

static void shard_on_post(rs_shard *shard, const rs_message *message) {
    rs_shard_fn fn;
    RS_ASSERT(message->bytes == sizeof fn);
    RS_ASSERT(message->kind == RS_MESSAGE_POST);
    memcpy(&fn, message->payload, sizeof fn);
    if (shard->logic != NULL) {
        rs_logic_channel_post(shard->logic, fn, message->pointer);
    } else {
        fn(message->pointer, shard->cfg.instance, shard->cfg.index);
    }
}

static void shard_on_connect(rs_shard *shard, const rs_message *message) {
    rs_connect to;
    RS_ASSERT(message->bytes == sizeof to);
    memcpy(&to, message->payload, sizeof to);
    rs_connects_add(&shard->connects, &to);
}

static void shard_on_mailbox(rs_shard *shard, const rs_message *message) {
    rs_slot *session;
    rs_shard_stats_request *request;
    if (shard->logic != NULL && message->kind != RS_MESSAGE_ATTACH &&
        message->kind != RS_MESSAGE_STATS) {
        /* What a callback did before it told the poster: above all the hold that it released. */
        rs_logic_channel_turn(shard->logic);
    }
    shard->sessions.counters.mailbox_messages++;
    switch (message->kind) {
    case RS_MESSAGE_ATTACH:
        shard_on_attach(shard, message);
        break;
    case RS_MESSAGE_CONNECT:
        shard_on_connect(shard, message);
        break;
    case RS_MESSAGE_SEND:
    case RS_MESSAGE_CLOSE:
    case RS_MESSAGE_RELEASE:
        session = rs_sessions_find(&shard->sessions, message->value);
        if (session == NULL) {
            shard->messages_dropped++;
        } else if (message->kind == RS_MESSAGE_SEND) {
            /* A failure closed it. */
            (void)rs_session_send(&session->handle, message->payload, message->bytes);
        } else if (message->kind == RS_MESSAGE_CLOSE) {
            rs_session_close(&session->handle);
        } else if (shard->logic != NULL) {
            rs_logic_channel_release(shard->logic, session);
        } else {
            rs_session_release(&session->handle);
        }
        break;
    case RS_MESSAGE_PEER:
        RS_ASSERT(shard->sessions.app.on_peer != NULL);
        shard->sessions.app.on_peer(shard->sessions.app.ctx, shard->cfg.index,
                                    (uint32_t)message->value, message->payload, message->bytes);
        break;
    case RS_MESSAGE_BROADCAST:
        shard_on_broadcast(shard, message);
        break;
    case RS_MESSAGE_NOTHING:
        break;
    case RS_MESSAGE_POST:
        shard_on_post(shard, message);
        break;
    case RS_MESSAGE_STATS:
        request = message->pointer;
        RS_ASSERT(request != NULL);
        RS_ASSERT(request->answered != NULL);
        rs_shard_stats_add(shard, request->into);
        rs_os_event_set(request->answered);
        break;
    default:
        RS_UNREACHABLE("a message of an unknown kind");
    }
}

/* Who waits says so, then tries again; here room is made, then asked. Both by read-modify-writes:
 * one of the two sees the other. */
static void shard_made_room(rs_shard *shard) {
    if (rs_atomic_exchange_u32(&shard->room_wanted, 0) == 0) {
        return;
    }
    RS_ASSERT(shard->room != NULL);
    rs_os_event_set(shard->room);
    for (uint32_t i = 0; i < RS_ROOM_SEEKERS; i++) {
        if (rs_atomic_exchange_u32(&shard->room_sought[i], 0) != 0 &&
            shard->cfg.tell_room != NULL) {
            shard->cfg.tell_room(shard->cfg.tell_room_ctx, i);
        }
    }
}

static void shard_on_room(rs_shard *shard) {
    RS_DEBUG_ASSERT(shard->phase != SHARD_STOPPED);
    if (rs_atomic_load_u32(&shard->room_told) == 0) {
        return;
    }
    (void)rs_atomic_exchange_u32(&shard->room_told, 0);
    if (shard->sessions.app.on_room != NULL) {
        shard->sessions.app.on_room(shard->sessions.app.ctx, shard->cfg.instance, shard->cfg.index);
    }
}

static void shard_read_mailbox(rs_shard *shard) {
    RS_DEBUG_ASSERT(shard->phase != SHARD_STOPPED);
    if (rs_atomic_load_u32(&shard->message_pending) == 0) {
        return;
    }
    (void)rs_atomic_exchange_u32(&shard->message_pending, 0);
    for (uint32_t i = 0; i < RS_MESSAGES_PER_STEP_MAX; i++) {
        const rs_message *message = rs_mailbox_peek(&shard->mailbox);
        if (message == NULL) {
            shard_made_room(shard);
            return;
        }
        shard_on_mailbox(shard, message);
        rs_mailbox_done(&shard->mailbox);
    }
    rs_atomic_store_u32(&shard->message_pending, 1); /* more is there: the next turn goes on */
    shard_made_room(shard);
}

/* Op `at` was refused. With a send go those behind it of the same connection: taking them would
 * leave a gap in the stream. Returns the first op not dealt with. */
RS_COLD static uint32_t shard_refuse(rs_shard *shard, uint32_t at, uint32_t count, rs_status why) {
    const rs_op *refused;
    RS_ASSERT(at < count);
    RS_ASSERT(count <= SHARD_OPS);
    RS_ASSERT(why != RS_OK);
    refused = &shard->ops[at];
    do {
        rs_sessions_refused(&shard->sessions, &shard->ops[at], why);
        at++;
    } while (at < count && refused->kind == RS_OP_SEND && shard->ops[at].kind == RS_OP_SEND &&
             shard->ops[at].conn == refused->conn);
    RS_ASSERT(at <= count);
    return at;
}

static void shard_submit(rs_shard *shard, uint32_t count) {
    uint32_t done = 0;
    RS_ASSERT(count > 0);
    RS_ASSERT(count <= SHARD_OPS);
    while (done < count) {
        rs_status why = RS_OK;
        done += shard->api->submit(shard->backend, shard->ops + done, count - done, &why);
        RS_ASSERT(done <= count);
        if (done < count) {
            done = shard_refuse(shard, done, count, why);
        }
    }
}

/* What has ended is published before the ops that tell the peer: its next connection finds room. */
static void shard_flush(rs_shard *shard) {
    uint32_t count;
    RS_DEBUG_ASSERT(shard->phase != SHARD_STOPPED || rs_atomic_load_u32(&shard->gate_closed) == 0);
    RS_DEBUG_ASSERT(shard->backend != NULL);
    for (;;) {
        count = rs_sessions_collect(&shard->sessions, shard->ops, SHARD_OPS);
        RS_ASSERT(count <= SHARD_OPS);
        shard_publish(shard);
        if (count == 0) {
            return;
        }
        shard_submit(shard, count);
    }
}

/* ---- the end: nobody comes any more, then the rest is flushed, then it is reset */

static void shard_begin_leave(rs_shard *shard) {
    uint32_t timeout_ms;
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    RS_ASSERT(shard->backend != NULL);
    (void)rs_atomic_exchange_u32(&shard->drain_asked, 0);
    timeout_ms = rs_atomic_load_u32(&shard->drain_ms);
    shard->leaving = true;
    shard->leave_deadline_ns = shard->sessions.now_ns + (uint64_t)timeout_ms * NS_PER_MS;
    shard->api->unlisten(shard->backend);
}

/* Whoever was accepted before the listener ended is somebody. */
static bool shard_is_empty(const rs_shard *shard) {
    RS_ASSERT(shard->leaving);
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    if (shard->listening > 0 || shard->waiters.count + shard->callers.count > 0) {
        return false;
    }
    return shard->cfg.is_empty != NULL ? shard->cfg.is_empty(shard->cfg.server_ctx)
                                       : shard->sessions.open_count == 0;
}

static void shard_go_on_leaving(rs_shard *shard) {
    RS_ASSERT(shard->leaving);
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    if (shard->sessions.now_ns < shard->leave_deadline_ns && !shard_is_empty(shard)) {
        return;
    }
    shard->leaving = false;
    if (shard->cfg.stop != NULL) {
        shard->cfg.stop(shard->cfg.server_ctx);
    } else {
        rs_shard_stop(shard);
    }
}

static void shard_begin_drain(rs_shard *shard) {
    RS_ASSERT(shard->phase == SHARD_RUNNING);
    RS_ASSERT(shard->drain_deadline_ns == 0);
    RS_ASSERT(shard->give_up_ns == 0);
    RS_ASSERT(shard->backend != NULL);
    shard->phase = SHARD_DRAINING;
    shard->drain_deadline_ns =
        shard->sessions.now_ns + (uint64_t)shard->drain_timeout_ms * NS_PER_MS;
    shard->api->unlisten(shard->backend);
    rs_connects_stop(&shard->connects);
    rs_sessions_close_all(&shard->sessions, false);
}

static uint64_t shard_drain_due_ns(const rs_shard *shard) {
    RS_ASSERT(shard->drain_deadline_ns != 0);
    RS_ASSERT(shard->phase == SHARD_DRAINING);
    RS_ASSERT(shard->give_up_ns == 0 || shard->give_up_ns >= shard->drain_deadline_ns);
    return shard->give_up_ns != 0 ? shard->give_up_ns : shard->drain_deadline_ns;
}

/* Stopping has two deadlines: at the first everything left is reset, at the second, counted from
 * then, the shard gives up on a back end that owes completions. */
static void shard_drain_expire(rs_shard *shard, uint64_t upto_ns) {
    RS_ASSERT(shard->phase == SHARD_DRAINING);
    RS_ASSERT(upto_ns <= shard->sessions.now_ns);
    RS_ASSERT(shard->backend != NULL);
    if (upto_ns < shard_drain_due_ns(shard)) {
        return;
    }
    if (shard->give_up_ns == 0) {
        shard->give_up_ns =
            shard->sessions.now_ns + 2u * (uint64_t)RS_CLOSE_STRAGGLER_MS * NS_PER_MS;
        rs_sessions_close_all(&shard->sessions, true);
    } else {
        shard->phase = SHARD_STOPPED;
    }
}

/* ---- deadlines
 *
 * A shard that was away for a while (a slow callback, a stopped process, a suspended machine) finds
 * deadlines passed and completions waiting, more than one poll takes. Nobody is cut for a silence
 * that is only ours: when a deadline has passed, the shard polls without sleeping until nothing
 * comes any more, or for as many turns as all connections together can have completions waiting;
 * then the deadlines up to the time at which it began are looked at. */

static bool shard_is_due(const rs_shard *shard, uint64_t next_ms) {
    RS_DEBUG_ASSERT(shard->phase != SHARD_STOPPED);
    return next_ms == 0 ||
           (shard->phase == SHARD_DRAINING && shard->sessions.now_ns >= shard_drain_due_ns(shard));
}

/* Said once: what follows is a count in the statistics. */
static void shard_say_stragglers(rs_shard *shard) {
    const rs_sessions *sessions = &shard->sessions;
    RS_ASSERT(shard->stragglers_said <= sessions->counters.quarantined);
    RS_ASSERT(sessions->counters.quarantined == shard->stragglers_said ||
              sessions->straggler < sessions->cfg.slot_count);
    if (sessions->counters.quarantined == shard->stragglers_said) {
        return;
    }
    if (shard->api->straggler != NULL) {
        shard->api->straggler(shard->backend, sessions->straggler);
    }
    if (shard->stragglers_said == 0) {
        const rs_log_field field = {.name = "connection", .number = sessions->straggler};
        char text[192];
        (void)snprintf(text, sizeof text,
                       "worker %u: the system does not return the requests of connection %u: its "
                       "slot and buffers stay in quarantine",
                       shard->cfg.index, sessions->straggler);
        rs_shard_log_say(&shard->log, RS_LOG_ERROR, "quarantine", text, &field, 1);
    }
    shard->stragglers_said = sessions->counters.quarantined;
}

static void shard_settle_begin(rs_shard *shard) {
    shard_settling *settling = &shard->settling;
    RS_ASSERT(settling->dry_max > 0);
    RS_ASSERT(settling->turns_max > 0);
    if (!settling->on) {
        settling->on = true;
        settling->mark_ns = shard->sessions.now_ns;
        settling->turns = settling->dry = 0;
    }
    RS_ASSERT(settling->mark_ns <= shard->sessions.now_ns);
}

/* After a turn whose poll gave `count`. */
static void shard_settle(rs_shard *shard, uint32_t count) {
    shard_settling *settling = &shard->settling;
    RS_ASSERT(settling->on);
    RS_ASSERT(settling->mark_ns <= shard->sessions.now_ns);
    RS_ASSERT(settling->dry < settling->dry_max);
    RS_ASSERT(settling->turns < settling->turns_max);
    settling->dry = count == 0 ? settling->dry + 1 : 0;
    settling->turns++;
    if (settling->dry < settling->dry_max && settling->turns < settling->turns_max) {
        return;
    }
    settling->on = false;
    rs_sessions_expire(&shard->sessions, settling->mark_ns / NS_PER_MS);
    shard_say_stragglers(shard);
    if (shard->phase == SHARD_DRAINING) {
        shard_drain_expire(shard, settling->mark_ns);
    }
}

static uint64_t shard_connects_next_ms(const rs_shard *shard, uint64_t next_ms) {
    const uint64_t now_ns = shard->sessions.now_ns;
    const uint64_t due_ns = rs_connects_next_ns(&shard->connects);
    const uint64_t due_ms = due_ns > now_ns ? (due_ns - now_ns + NS_PER_MS - 1u) / NS_PER_MS : 0;
    return due_ms < next_ms ? due_ms : next_ms;
}

static int64_t shard_wait_ns(const rs_shard *shard, uint64_t next_ms, int64_t max_wait_ns) {
    int64_t wait_ns = max_wait_ns;
    RS_ASSERT(max_wait_ns >= 0);
    if (rs_atomic_load_u32(&shard->message_pending) != 0) {
        return 0;
    }
    if ((shard->phase == SHARD_DRAINING || shard->leaving) && next_ms > RS_TIMER_TICK_MS) {
        next_ms = RS_TIMER_TICK_MS; /* what ends on another shard wakes nobody here */
    }
    if ((shard->waiters.count + shard->callers.count > 0 || shard->turn_wanted) && next_ms > 1) {
        next_ms = 1; /* another worker may have made room, which wakes nobody */
    }
    if (shard->connects.count > 0 && next_ms > RS_TIMER_TICK_MS) {
        next_ms = shard_connects_next_ms(shard, next_ms);
    }
    if (shard->log.unsaid) {
        next_ms = rs_shard_log_wait_ms(&shard->log, next_ms, shard->sessions.now_ns);
    }
    if (next_ms < (uint64_t)INT64_MAX / NS_PER_MS && (int64_t)next_ms * NS_PER_MS < wait_ns) {
        wait_ns = (int64_t)next_ms * NS_PER_MS;
    }
    RS_ASSERT(wait_ns >= 0);
    RS_ASSERT(wait_ns <= max_wait_ns);
    return wait_ns;
}

/* Poll, and with a logic thread the announcement that nobody looks at its records meanwhile. */
static uint32_t shard_poll(rs_shard *shard, int64_t wait_ns) {
    uint32_t count;
    bool announced = shard->logic != NULL && wait_ns > 0;
    RS_ASSERT(wait_ns >= 0);
    RS_ASSERT(shard->backend != NULL);
    if (announced && !rs_logic_channel_sleep(shard->logic)) {
        wait_ns = 0;
    }
    count = shard->api->poll(shard->backend, shard->completions, shard->poll_max, wait_ns);
    if (announced) {
        rs_logic_channel_awake(shard->logic);
    }
    return count;
}

/* Until the next timer of the application, or next_ms if that is sooner. */
static uint64_t shard_next_ms(const rs_shard *shard, uint64_t next_ms) {
    uint64_t timer_ms;
    RS_ASSERT(shard->phase != SHARD_STOPPED);
    if (shard->app_wheel == NULL) {
        return next_ms;
    }
    timer_ms = rs_timers_next_ms(&shard->app_wheel->timers, shard->sessions.now_ms);
    return timer_ms < next_ms ? timer_ms : next_ms;
}

static void shard_run_timers(rs_shard *shard) {
    RS_ASSERT(shard->app_wheel != NULL);
    RS_ASSERT(shard->phase != SHARD_STOPPED);
    if (shard->logic != NULL) {
        rs_logic_channel_run_timers(shard->logic, shard->sessions.now_ms);
    } else {
        rs_sessions_run_timers(&shard->sessions);
    }
}

static void shard_look_for_end(rs_shard *shard) {
    RS_DEBUG_ASSERT(shard->phase == SHARD_RUNNING);
    RS_DEBUG_ASSERT(shard->backend != NULL);
    if (rs_atomic_load_u32(&shard->drain_asked) != 0) {
        shard_begin_leave(shard);
    }
    if (shard->leaving) {
        shard_publish(shard);
        shard_go_on_leaving(shard);
    }
    if (rs_atomic_load_u32(&shard->stop_asked) != 0) {
        shard_begin_drain(shard);
    }
}

static void shard_end_turn(rs_shard *shard) {
    const rs_app *app = &shard->sessions.app;
    RS_DEBUG_ASSERT(shard->backend != NULL);
    if (shard->cfg.peers.count > 1 && app->on_turn != NULL) {
        RS_ASSERT(shard->logic == NULL);
        shard->turn_wanted = app->on_turn(app->ctx, &shard->cfg.peers);
    }
    shard_flush(shard);
    if (shard->log.fn != NULL) {
        rs_shard_log_cuts(&shard->log, &shard->sessions.counters,
                          rs_atomic_load_u32(&shard->ended) + rs_atomic_load_u32(&shard->refused),
                          shard->sessions.now_ns);
    }
}

bool rs_shard_step(rs_shard *shard, int64_t max_wait_ns) {
    uint64_t next_ms;
    uint32_t count;
    if (shard->phase == SHARD_STOPPED) {
        return false;
    }
    RS_ASSERT(shard->backend != NULL);
    next_ms = rs_sessions_next_ms(&shard->sessions);
    if (shard_is_due(shard, next_ms)) {
        shard_settle_begin(shard);
        max_wait_ns = 0;
    }
    count = shard_poll(shard, shard_wait_ns(shard, shard_next_ms(shard, next_ms), max_wait_ns));
    RS_ASSERT(count <= shard->poll_max);
    shard->sessions.counters.steps++;
    rs_sessions_set_time(&shard->sessions, shard_now_ns(shard));
    shard_dispatch(shard, count);
    if (shard->logic != NULL) {
        rs_logic_channel_turn(shard->logic);
    }
    if (shard->connects.count > 0) {
        rs_connects_expire(&shard->connects);
    }
    shard_read_mailbox(shard);
    shard_on_room(shard);
    if (shard->app_wheel != NULL) {
        shard_run_timers(shard);
    }
    if (shard->callers.count > 0) {
        shard_admit_callers(shard);
    }
    if (shard->waiters.count > 0) {
        shard_publish(shard);
        shard_admit(shard);
    }
    if (shard->phase == SHARD_RUNNING) {
        shard_look_for_end(shard);
    }
    if (shard->settling.on) {
        shard_settle(shard, count);
    }
    if (shard->phase == SHARD_DRAINING && rs_shard_outstanding(shard) == 0) {
        shard->phase = SHARD_STOPPED;
    }
    shard_end_turn(shard);
    return shard->phase != SHARD_STOPPED;
}

/* ---- from other threads */

/* Brackets every use of the back end by another thread: rs_shard_quiesce closes the gate, then
 * waits until nobody is inside, so that wake() never meets a back end that is gone. Each side
 * writes its own word and then reads the other's: both are read-modify-writes, for sequential
 * order. */
static bool shard_enter(rs_shard *shard) {
    (void)rs_atomic_add_u32(&shard->posters, 1);
    if (rs_atomic_add_u32(&shard->gate_closed, 0) == 0) {
        return true;
    }
    (void)rs_atomic_add_u32(&shard->posters, UINT32_MAX);
    return false;
}

static void shard_leave(rs_shard *shard) {
    const uint32_t inside = rs_atomic_add_u32(&shard->posters, UINT32_MAX);
    RS_ASSERT(inside > 0);
}

rs_status rs_shard_post(rs_shard *shard, uint32_t kind, uint64_t value, void *pointer,
                        const void *payload, uint32_t bytes) {
    rs_status status;
    RS_ASSERT(payload != NULL || bytes == 0);
    if (!shard_enter(shard)) {
        return RS_E_CLOSED;
    }
    status = rs_mailbox_post(&shard->mailbox, kind, value, pointer, payload, bytes);
    if (status == RS_OK && rs_atomic_exchange_u32(&shard->message_pending, 1) == 0) {
        shard->api->wake(shard->backend);
    }
    shard_leave(shard);
    return status;
}

rs_status rs_shard_claim(rs_shard *shard, rs_message **out) {
    RS_ASSERT(out != NULL);
    if (!shard_enter(shard)) {
        return RS_E_CLOSED;
    }
    *out = rs_mailbox_claim(&shard->mailbox);
    if (*out == NULL) {
        shard_leave(shard);
        return RS_E_FULL;
    }
    return RS_OK;
}

void rs_shard_publish(rs_shard *shard, rs_message *message) {
    RS_ASSERT(message != NULL);
    RS_ASSERT(rs_atomic_load_u32(&shard->posters) > 0);
    rs_mailbox_publish(message);
    if (rs_atomic_exchange_u32(&shard->message_pending, 1) == 0) {
        shard->api->wake(shard->backend);
    }
    shard_leave(shard);
}

void rs_shard_want_room(rs_shard *shard, uint32_t from) {
    RS_ASSERT(from < RS_ROOM_SEEKERS);
    rs_atomic_store_u32(&shard->room_sought[from], 1);
    (void)rs_atomic_exchange_u32(&shard->room_wanted, 1);
}

bool rs_shard_is_full(rs_shard *shard) {
    return rs_atomic_load_u32(&shard->gate_closed) == 0 && rs_mailbox_is_full(&shard->mailbox);
}

void rs_shard_tell_room(rs_shard *shard) {
    if (shard_enter(shard)) {
        if (rs_atomic_exchange_u32(&shard->room_told, 1) == 0) {
            shard->api->wake(shard->backend);
        }
        shard_leave(shard);
    }
}

bool rs_shard_is_here(const rs_shard *shard) {
    RS_ASSERT(shard->sessions.cfg.slot_count > 0);
    return shard->sessions.ops.thread == rs_thread_key();
}

rs_status rs_shard_ask_stats(rs_shard *shard, rs_shard_stats_request *request) {
    rs_status status;
    RS_ASSERT(request->into != NULL);
    RS_ASSERT(request->answered != NULL);
    while ((status = rs_shard_post(shard, RS_MESSAGE_STATS, 0, request, NULL, 0)) == RS_E_FULL) {
        if (rs_atomic_exchange_u32(&shard->room_wanted, 1) != 0) { /* said before this try */
            (void)rs_os_event_wait(shard->room, UINT32_MAX);
        }
    }
    return status;
}

void rs_shard_stop(rs_shard *shard) {
    if (shard_enter(shard)) {
        if (rs_atomic_exchange_u32(&shard->stop_asked, 1) == 0) {
            shard->api->wake(shard->backend);
        }
        shard_leave(shard);
    }
}

void rs_shard_drain(rs_shard *shard, uint32_t timeout_ms) {
    if (shard_enter(shard)) {
        rs_atomic_store_u32(&shard->drain_ms, timeout_ms);
        if (rs_atomic_exchange_u32(&shard->drain_asked, 1) == 0) {
            shard->api->wake(shard->backend);
        }
        shard_leave(shard);
    }
}

void rs_shard_accept(rs_shard *shard, bool on) {
    RS_ASSERT(shard->api != NULL);
    RS_ASSERT(shard->sessions.cfg.slot_count > 0);
    rs_atomic_store_u32(&shard->accept_off, on ? 0u : 1u);
}

/* ---- after the end */

/* Messages for sessions that are no more: sockets are closed, askers are answered, posts are run.
 */
static void shard_discard_mailbox(rs_shard *shard) {
    const rs_message *message;
    RS_ASSERT(rs_atomic_load_u32(&shard->gate_closed) != 0);
    while ((message = rs_mailbox_peek(&shard->mailbox)) != NULL) {
        if (message->kind == RS_MESSAGE_ATTACH || message->kind == RS_MESSAGE_STATS ||
            message->kind == RS_MESSAGE_POST || message->kind == RS_MESSAGE_CONNECT) {
            shard_on_mailbox(shard, message);
        } else if (message->kind != RS_MESSAGE_PEER) { /* this shard has nobody left to tell */
            shard->messages_dropped++;
        }
        rs_mailbox_done(&shard->mailbox);
    }
}

void rs_shard_quiesce(rs_shard *shard) {
    if (rs_atomic_exchange_u32(&shard->gate_closed, 1) != 0) {
        return;
    }
    while (rs_atomic_add_u32(&shard->posters, 0) != 0) {
        rs_os_relax();
    }
    shard_made_room(shard); /* the next try is refused */
    RS_ASSERT(rs_atomic_load_u32(&shard->gate_closed) != 0);
    shard->connects.stopped = true;
    if (shard->backend != NULL) {
        shard_discard_mailbox(shard);
    }
    shard_end_app(shard);
    if (shard->backend == NULL) {
        return;
    }
    rs_shard_log_end(&shard->log, &shard->sessions.counters);
    shard->api->stats(shard->backend, &shard->final_backend);
    if (shard->sessions.used_count == 0 && shard->listening == 0) {
        if (shard->region_registered) {
            shard->api->release_memory(shard->backend, shard->region);
        }
        shard->api->close(shard->backend);
        shard->backend = NULL;
    }
}

void rs_shard_close(rs_shard *shard) {
    if (shard == NULL) {
        return;
    }
    rs_shard_quiesce(shard);
    if (shard->backend == NULL) {
        shard_free(shard);
    }
}

uint32_t rs_shard_ended(const rs_shard *shard) {
    return rs_atomic_load_u32(&shard->ended);
}

uint32_t rs_shard_freed(const rs_shard *shard) {
    return rs_atomic_load_u32(&shard->freed);
}

uint32_t rs_shard_refused(const rs_shard *shard) {
    return rs_atomic_load_u32(&shard->refused);
}

uint32_t rs_shard_slots(const rs_shard *shard) {
    RS_ASSERT(shard->sessions.cfg.slot_count > 0);
    return shard->sessions.cfg.slot_count;
}

uint32_t rs_shard_outstanding(const rs_shard *shard) {
    const rs_sessions *sessions = &shard->sessions;
    RS_ASSERT(sessions->quarantined <= sessions->used_count);
    RS_ASSERT(sessions->open_count <= sessions->used_count);
    return sessions->used_count - sessions->quarantined + (shard->listening > 0 ? 1u : 0u);
}

rs_sessions *rs_shard_sessions(rs_shard *shard) {
    return &shard->sessions;
}

const rs_slab *rs_shard_blocks(const rs_shard *shard) {
    RS_ASSERT(shard->blocks.count > 0);
    return &shard->blocks;
}

/* ---- statistics */

static void stats_add_backend(rs_backend_stats *into, const rs_backend_stats *from) {
    if (into->count == 0) {
        *into = *from;
        return;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        RS_ASSERT(i < into->count);
        RS_ASSERT(into->stat[i].name == from->stat[i].name);
        into->stat[i].value += from->stat[i].value;
    }
}

void rs_shard_stats_add(rs_shard *shard, rs_server_stats *into) {
    rs_backend_stats backend = shard->final_backend;
    RS_ASSERT(shard->sessions.open_count <= shard->sessions.used_count);
    RS_ASSERT(shard->blocks.free_low <= shard->blocks.free_count);
    RS_ASSERT(into != NULL);
    if (shard->backend != NULL) {
        shard->api->stats(shard->backend, &backend);
    }
    rs_sessions_add_counters(&shard->sessions, &into->counters);
    rs_histogram_merge(&into->batch, &shard->batch);
    rs_sessions_add_send_ns(&shard->sessions, &into->send_ns);
    stats_add_backend(&into->backend, &backend);
    into->messages_dropped += shard->messages_dropped;
    if (shard->logic != NULL) {
        rs_logic_channel_stats(shard->logic, &into->counters, &into->messages_dropped);
    }
    into->registered_bytes += shard->region_registered ? shard->arena_bytes : 0;
    into->sessions_open += shard->sessions.open_count;
    into->queued_bytes += rs_sessions_queued_bytes(&shard->sessions);
    into->sessions_used += shard->sessions.used_count;
    into->large_pages = into->large_pages && shard->large_pages;
    if (shard->blocks.free_low < into->blocks_low) {
        into->blocks_low = shard->blocks.free_low;
    }
}
