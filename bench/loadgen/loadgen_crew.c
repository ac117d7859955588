/* SPDX-License-Identifier: MIT */
/* See loadgen_crew.h. */
#include "loadgen/loadgen_crew.h"

#include <stdlib.h>

#include "core/assert.h"

/* One thread's part. */
typedef struct crew_part {
    rs_load_settings settings;
    rs_load_run *run;
    rs_os_thread *thread; /* NULL: not started */
    uint32_t first;       /* number of its first connection */
} crew_part;

static void crew_go(void *arg) {
    crew_part *part = arg;
    if (part->settings.pin >= 0) {
        (void)rs_os_pin_self((uint32_t)part->settings.pin); /* the first one's was tried before */
    }
    rs_load_run_go(part->run);
}

static rs_status crew_open(crew_part *part, const rs_load_settings *settings, uint32_t count,
                           const rs_backend_api *api, rs_load_crew *crew, rs_error *error) {
    rs_status status = RS_OK;
    for (uint32_t i = 0; i < count && status == RS_OK; i++) {
        rs_load_settings_part(settings, i, &part[i].settings, &part[i].first);
        part[i].run->crew = crew;
        status = rs_load_run_open(part[i].run, &part[i].settings, api, error);
    }
    return status;
}

static void crew_join(crew_part *part, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (part[i].thread != NULL) {
            rs_os_thread_join(part[i].thread);
        }
    }
}

/* A thread that cannot be started keeps the others at the start: they are stopped there. */
static rs_status crew_run(crew_part *part, uint32_t count, rs_error *error) {
    rs_status status = RS_OK;
    for (uint32_t i = 1; i < count && status == RS_OK; i++) {
        status = rs_os_thread_start(&part[i].thread, crew_go, &part[i], error);
    }
    if (status != RS_OK) {
        rs_load_run_stop(part[0].run);
    }
    rs_load_run_go(part[0].run);
    crew_join(part, count);
    return status;
}

static void crew_merge(crew_part *part, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        rs_load_run_merge(part[0].run, part[i].run, part[i].first);
    }
}

/* All but the first. What the kernel may still hold of one with stuck connections stays allocated
 * (rs_load_run_close); the run itself is no part of that. */
static void crew_close(crew_part *part, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (part[i].run->api != NULL) {
            rs_load_run_close(part[i].run);
        }
    }
}

static rs_status crew_load(crew_part *part, const rs_load_settings *settings,
                           const rs_backend_api *api, rs_error *error) {
    const uint32_t count = settings->threads;
    rs_load_crew crew = {.threads = count, .stop = &part[0].run->stop};
    rs_status status = crew_open(part, settings, count, api, count > 1 ? &crew : NULL, error);
    if (status == RS_OK) {
        status = crew_run(part, count, error);
    }
    if (status == RS_OK) {
        crew_merge(part, count);
    }
    part[0].run->settings = settings;
    part[0].run->load.settings = settings;
    part[0].run->crew = NULL;
    return status;
}

rs_status rs_crew_load(rs_load_run *run, const rs_load_settings *settings,
                       const rs_backend_api *api, rs_error *error) {
    const uint32_t count = settings->threads;
    crew_part *part = calloc(count, sizeof *part);
    rs_load_run *more = calloc(count, sizeof *more); /* the first of them stays unused */
    rs_status status;
    RS_ASSERT(count > 0);
    if (part == NULL || more == NULL) {
        free(part);
        free(more);
        run->api = api;
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for the threads");
    }
    for (uint32_t i = 0; i < count; i++) {
        part[i].run = i > 0 ? &more[i] : run;
    }
    status = crew_load(part, settings, api, error);
    crew_close(part, count);
    free(more);
    free(part);
    return status;
}
