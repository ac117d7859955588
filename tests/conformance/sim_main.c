/* SPDX-License-Identifier: MIT */
/* The conformance suite over the simulated back end: no faults, virtual clock, a fresh world per
 * case. No skips. */
#include "conformance.h"
#include "sim_backend.h"

static void *world_open(void) {
    rs_sim_config cfg = rs_sim_config_default(20);
    cfg.pipe_bytes = 512u * 1024u; /* a case may count on a kernel's buffers to take its tail */
    return rs_sim_world_open(&cfg);
}

static void world_close(void *world) {
    rs_sim_world_close(world);
}

static uint64_t now_ns(void *world) {
    return rs_sim_now_ns(world);
}

static void idle(void *world) {
    rs_sim_advance(world, 1000000);
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "sim",
        .api = &rs_sim_backend,
        .world_open = world_open,
        .world_close = world_close,
        .now_ns = now_ns,
        .idle = idle,
        .cycles = 10000,
    };
    return conf_main(&instance, argc, argv);
}
