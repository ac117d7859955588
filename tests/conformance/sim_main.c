/* The conformance suite over the simulated back end without faults: every contract point on the
 * network that the simulation tests trust. Time is virtual: it moves when both sides are idle. */
#include "conformance.h"
#include "sim_backend.h"

#define SIM_SEED 1u
#define SIM_IDLE_NS 1000000u

static void *sim_open(void) {
    const rs_sim_config cfg = rs_sim_config_default(SIM_SEED);

    return rs_sim_world_open(&cfg);
}

static void sim_close(void *world) {
    rs_sim_world_close(world);
}

static uint64_t sim_now_ns(void *world) {
    return rs_sim_now_ns(world);
}

static void sim_idle(void *world) {
    uint64_t now_ns = rs_sim_now_ns(world), next_ns = rs_sim_next_ns(world);
    bool soon = next_ns > now_ns && next_ns - now_ns < SIM_IDLE_NS;

    rs_sim_advance(world, soon ? next_ns - now_ns : SIM_IDLE_NS);
}

int main(int argc, char **argv) {
    static const conf_instance instance = {
        .name = "sim",
        .api = &rs_sim_backend,
        .world_open = sim_open,
        .world_close = sim_close,
        .now_ns = sim_now_ns,
        .idle = sim_idle,
        .cycles = 10000,
    };

    return conf_main(&instance, argc, argv);
}
