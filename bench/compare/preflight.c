/* SPDX-License-Identifier: MIT */
/* See preflight.h. */
#include "compare/preflight.h"

#include <stdio.h>

#include "seam/os.h"

#define PREFLIGHT_NS UINT64_C(60000000000) /* a new Wine prefix takes ten seconds */
#define PREFLIGHT_TICK_MS 5u
#define PREFLIGHT_EXIT_USAGE 2

static void preflight_args(const rs_runner *runner, const rs_target *target, rs_args *args) {
    rs_args_init(args);
    if (target->wine) {
        rs_args_add(args, "%s", runner->wine_script);
    }
    rs_args_add(args, "%s", target->program);
    for (uint32_t i = 0; i < target->extra.count; i++) {
        rs_args_add(args, "%s", target->extra.text[i]);
    }
    rs_args_add(args, "--help");
}

bool rs_preflight(const rs_runner *runner, const rs_target *target, char *why, size_t bytes) {
    char out[RS_ARG_BYTES * 2], err[RS_ARG_BYTES * 2];
    rs_process process = {.running = false};
    rs_error error = {.text = ""};
    rs_args args;
    rs_process_spec spec = {.args = &args, .out_path = out, .err_path = err, .cpu = RS_CPU_ANY};
    const uint64_t start_ns = rs_os_now_ns();
    bool refused;
    preflight_args(runner, target, &args);
    (void)snprintf(out, sizeof out, "%s/%s.options.out", runner->out, target->name);
    (void)snprintf(err, sizeof err, "%s/%s.options.err", runner->out, target->name);
    if (target->wine) {
        spec.env_name = "WINEPREFIX";
        spec.env_value = target->prefix;
    }
    if (args.overflow || rs_process_start(&process, &spec, &error) != RS_OK) {
        return true; /* the first run says it */
    }
    while (!rs_process_has_ended(&process) && rs_os_now_ns() - start_ns < PREFLIGHT_NS) {
        rs_os_sleep_ms(PREFLIGHT_TICK_MS);
    }
    rs_process_kill(&process);
    refused = process.exit_code == PREFLIGHT_EXIT_USAGE;
    rs_process_close(&process);
    rs_runner_first_line(err, why, bytes);
    return !refused;
}
