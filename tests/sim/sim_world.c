/* SPDX-License-Identifier: MIT */
/* The world of the simulated back end: clock, events, random numbers, faults. */
#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define SIM_START_NS 1000000000u

/* ---- memory: a test without any has failed */

void *sim_alloc(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    RS_ASSERT(memory != NULL);
    return memory;
}

void *sim_grow(void *old, size_t count, size_t bytes) {
    void *memory = realloc(old, count * bytes);
    RS_ASSERT(memory != NULL);
    return memory;
}

/* ---- chance */

/* A counter put through a mixer (splitmix64): any seed is a good one. */
uint64_t sim_random(rs_sim_world *world) {
    uint64_t z = (world->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t sim_below(rs_sim_world *world, uint64_t limit) {
    RS_ASSERT(limit > 0);
    return sim_random(world) % limit;
}

bool sim_roll(rs_backend *backend, rs_sim_fault fault) {
    uint32_t chance = backend->faults.chance[fault];
    if (chance == 0 || sim_below(backend->world, RS_SIM_CERTAIN) >= chance) {
        return false;
    }
    backend->world->fault_count[fault]++;
    return true;
}

/* A quarter of everything happens at once, the rest within the latency. */
uint64_t sim_latency(rs_sim_world *world) {
    uint64_t r = sim_random(world);
    return (r & 3u) == 0 ? 0 : (r >> 2) % (world->cfg.latency_ns_max + 1);
}

bool sim_sabotage_now(rs_backend *backend, rs_sim_sabotage kind) {
    if (backend->sabotage != kind || --backend->sabotage_in != 0) {
        return false;
    }
    backend->sabotage = RS_SIM_SABOTAGE_NONE;
    return true;
}

/* ---- checks */

void sim_violation(rs_sim_world *world, const char *what) {
    world->violations++;
    if (world->cfg.on_violation == NULL) {
        rs_assert_failed("simulated back end", 0, what);
    }
    world->cfg.on_violation(world->cfg.violation_ctx, what);
}

/* Eight bytes at a time; any change of any byte changes the sum. */
uint64_t sim_sum(const uint8_t *data, uint32_t bytes) {
    uint64_t sum = bytes + 1u;
    uint64_t word;
    for (; bytes >= sizeof word; bytes -= (uint32_t)sizeof word, data += sizeof word) {
        memcpy(&word, data, sizeof word);
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
    }
    for (; bytes > 0; bytes--, data++) {
        sum = (sum ^ *data) * 0x9E3779B97F4A7C15u;
    }
    return sum ^ (sum >> 32);
}

/* ---- events */

static bool event_before(const sim_event *a, const sim_event *b) {
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void events_sift_up(rs_sim_world *world, uint32_t at) {
    sim_event event = world->events[at];
    while (at > 0 && event_before(&event, &world->events[(at - 1) / 2])) {
        world->events[at] = world->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->events[at] = event;
}

static void events_sift_down(rs_sim_world *world, uint32_t at) {
    sim_event event = world->events[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= world->event_count) {
            break;
        }
        if (child + 1 < world->event_count &&
            event_before(&world->events[child + 1], &world->events[child])) {
            child++;
        }
        if (!event_before(&world->events[child], &event)) {
            break;
        }
        world->events[at] = world->events[child];
        at = child;
    }
    world->events[at] = event;
}

void sim_schedule(rs_sim_world *world, const sim_event *event) {
    if (world->event_count == world->event_capacity) {
        world->event_capacity = world->event_capacity == 0 ? 256 : world->event_capacity * 2;
        world->events = sim_grow(world->events, world->event_capacity, sizeof *world->events);
    }
    world->events[world->event_count] = *event;
    world->events[world->event_count].order = world->order++;
    events_sift_up(world, world->event_count++);
}

static sim_event events_pop(rs_sim_world *world) {
    sim_event event = world->events[0];
    world->events[0] = world->events[--world->event_count];
    if (world->event_count > 0) {
        events_sift_down(world, 0);
    }
    return event;
}

/* Stale completions may still be scheduled when their instance closes. */
void sim_purge_events(rs_sim_world *world, const rs_backend *backend) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->event_count; i++) {
        if (world->events[i].backend != backend) {
            world->events[kept++] = world->events[i];
        }
    }
    world->event_count = kept;
    for (uint32_t i = kept / 2; i-- > 0;) {
        events_sift_down(world, i);
    }
}

static void ready_grow(rs_backend *backend) {
    uint32_t capacity = backend->ready_capacity == 0 ? 64 : backend->ready_capacity * 2;
    sim_ready *ring = sim_alloc(capacity, sizeof *ring);
    for (uint32_t i = 0; i < backend->ready_count; i++) {
        ring[i] = backend->ready[(backend->ready_head + i) % backend->ready_capacity];
    }
    free(backend->ready);
    backend->ready = ring;
    backend->ready_head = 0;
    backend->ready_capacity = capacity;
}

void sim_push_ready(rs_backend *backend, const sim_ready *ready) {
    if (backend->ready_count == backend->ready_capacity) {
        ready_grow(backend);
    }
    backend->ready[(backend->ready_head + backend->ready_count) % backend->ready_capacity] = *ready;
    backend->ready_count++;
}

static void event_happens(rs_sim_world *world, const sim_event *event) {
    switch ((sim_event_kind)event->kind) {
    case SIM_EV_START:
        if (event->op->serial == event->serial && event->op->state == SIM_OP_WAITING) {
            sim_start(event->backend, event->op);
        }
        break;
    case SIM_EV_DELIVER:
        RS_ASSERT(event->op->serial == event->serial && event->op->state == SIM_OP_DONE);
        sim_push_ready(event->backend, &(sim_ready){.op = event->op});
        break;
    case SIM_EV_RECORD:
        sim_push_ready(event->backend,
                       &(sim_ready){.link = event->link, .completion = event->completion});
        break;
    case SIM_EV_GHOST:
        if (event->link->used && event->link->serial == event->serial) {
            sim_ghost_ends(world, event->link);
        }
        break;
    }
}

void sim_run_until(rs_sim_world *world, uint64_t ns) {
    while (world->event_count > 0 && world->events[0].due_ns <= ns) {
        sim_event event = events_pop(world);
        if (event.due_ns > world->now_ns) {
            world->now_ns = event.due_ns;
        }
        event_happens(world, &event);
    }
    if (ns > world->now_ns) {
        world->now_ns = ns;
    }
}

/* ---- the world */

rs_sim_config rs_sim_config_default(uint64_t seed) {
    return (rs_sim_config){
        .seed = seed,
        .pipe_bytes = 65536,
        .latency_ns_max = 50000,
        .slow_ns_max = 50000000,
        .clock_jump_ns_max = 2000000000,
        .burst_max = 8,
    };
}

rs_sim_world *rs_sim_world_open(const rs_sim_config *cfg) {
    rs_sim_world *world = sim_alloc(1, sizeof *world);
    RS_ASSERT(cfg->pipe_bytes > 0 && cfg->burst_max > 0);
    world->cfg = *cfg;
    world->now_ns = SIM_START_NS;
    world->random = cfg->seed;
    world->trace = cfg->seed;
    world->next_port = 40000;
    return world;
}

void rs_sim_world_close(rs_sim_world *world) {
    if (world == NULL) {
        return;
    }
    if (world->backends != NULL) {
        sim_violation(world, "the world ended with an instance open");
    }
    for (uint32_t i = 0; i < world->link_count; i++) {
        free(world->links[i]->pipe[0].data);
        free(world->links[i]->pipe[1].data);
        free(world->links[i]);
    }
    free(world->links);
    free(world->events);
    free(world);
}

uint64_t rs_sim_now_ns(const rs_sim_world *world) {
    return world->now_ns;
}

void rs_sim_advance(rs_sim_world *world, uint64_t ns) {
    sim_run_until(world, world->now_ns + ns);
}

uint64_t rs_sim_next_ns(const rs_sim_world *world) {
    return world->event_count > 0 ? world->events[0].due_ns : UINT64_MAX;
}

void rs_sim_set_faults(rs_sim_world *world, const rs_sim_faults *faults) {
    world->cfg.faults = *faults;
}

void rs_sim_set_instance_faults(rs_backend *backend, const rs_sim_faults *faults) {
    backend->faults = *faults;
}

uint64_t rs_sim_fault_count(const rs_sim_world *world, rs_sim_fault fault) {
    RS_ASSERT(fault < RS_SIM_FAULTS);
    return world->fault_count[fault];
}

const char *rs_sim_fault_name(rs_sim_fault fault) {
    static const char *const names[RS_SIM_FAULTS] = {
#define X(name, text) #name,
        RS_SIM_FAULT_TABLE(X)
#undef X
    };
    RS_ASSERT(fault < RS_SIM_FAULTS);
    return names[fault];
}

uint64_t rs_sim_violations(const rs_sim_world *world) {
    return world->violations;
}

uint64_t rs_sim_trace(const rs_sim_world *world) {
    return world->trace;
}

rs_backend *rs_sim_instance(const rs_sim_world *world, uint32_t number) {
    rs_backend *at = world->backends;
    while (at != NULL && at->number != number) {
        at = at->next;
    }
    return at;
}

uint32_t rs_sim_in_flight(const rs_backend *backend) {
    return backend->in_flight;
}

uint32_t rs_sim_in_flight_of(const rs_backend *backend, uint32_t conn, rs_op_kind kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim_ops_per_conn(backend); i++) {
        const sim_op *op = sim_op_at(backend, conn, i);
        count += op->state != SIM_OP_IDLE && op->op.kind == kind;
    }
    return count;
}

uint32_t rs_sim_links(const rs_sim_world *world) {
    return world->links_used;
}

void rs_sim_sabotage_arm(rs_backend *backend, rs_sim_sabotage kind, uint32_t nth) {
    RS_ASSERT(nth > 0);
    backend->sabotage = kind;
    backend->sabotage_in = nth;
}
