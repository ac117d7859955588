/* SPDX-License-Identifier: MIT */
/* A grid in steps of 4, and one bound on it. */
#include "compare/map.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define MAP_SESSIONS_SPARE 15u    /* beyond the connections: those of a run before that end late */
#define MAP_FRAME_DEFAULT 4096u   /* of the servers: above it they are told */
#define MAP_QUEUED_LARGE 1048576u /* send queue for the frames above it, as in scenario large */

const uint32_t rs_map_connections[RS_MAP_CONNECTIONS] = {1, 16, 64, 256, 1024};
const uint32_t rs_map_depths[RS_MAP_DEPTHS] = {1, 4, 16, 64};
const uint32_t rs_map_sizes[RS_MAP_SIZES] = {32, 512, 16384, 65535};

const char rs_map_rule[] =
    "A cell is left out when connections x requests in flight x bytes of a frame is above 16 MiB: "
    "there the figures are those of memory and of the sockets' buffers, not of an interface.";

bool rs_map_holds(uint32_t connections, uint32_t depth, uint32_t size) {
    return (uint64_t)connections * depth * size <= RS_MAP_BYTES_MAX;
}

bool rs_map_in_quick(const rs_scenario *cell) {
    const uint32_t connections = cell->connections;
    return (connections == 1 || connections == 64 || connections == 1024) &&
           (cell->depth == 1 || cell->depth == 16) &&
           (cell->frame_bytes == 32 || cell->frame_bytes == 16384);
}

void rs_map_name(char out[RS_MAP_NAME_BYTES], uint32_t connections, uint32_t depth, uint32_t size) {
    RS_ASSERT(connections <= 99999 && depth <= 99999 && size <= 99999);
    (void)snprintf(out, RS_MAP_NAME_BYTES, "%ux%ux%u", connections % 100000, depth % 100000,
                   size % 100000); /* the compiler sees that it fits */
}

static void map_add(rs_map *map, uint32_t connections, uint32_t depth, uint32_t size) {
    rs_map_cell *cell = &map->cell[map->cells++];
    const bool large = size > MAP_FRAME_DEFAULT;
    rs_map_name(cell->name, connections, depth, size);
    (void)snprintf(cell->about, sizeof cell->about,
                   "%u connection%s, %u in flight on each, frames of %u bytes", connections,
                   connections == 1 ? "" : "s", depth, size);
    cell->scenario = (rs_scenario){.name = cell->name,
                                   .about = cell->about,
                                   .kind = RS_SCENARIO_CLOSED,
                                   .connections = connections,
                                   .depth = depth,
                                   .frame_bytes = size,
                                   .max_sessions = connections + MAP_SESSIONS_SPARE,
                                   .max_frame = large ? size : 0,
                                   .max_queued = large ? MAP_QUEUED_LARGE : 0};
}

void rs_map_make(rs_map *map) {
    map->cells = 0;
    for (uint32_t i = 0; i < RS_MAP_CELLS_MAX; i++) {
        const uint32_t size = rs_map_sizes[i / (RS_MAP_CONNECTIONS * RS_MAP_DEPTHS)];
        const uint32_t connections = rs_map_connections[i / RS_MAP_DEPTHS % RS_MAP_CONNECTIONS];
        const uint32_t depth = rs_map_depths[i % RS_MAP_DEPTHS];
        if (rs_map_holds(connections, depth, size)) {
            map_add(map, connections, depth, size);
        }
    }
}

const rs_scenario *rs_map_find(const rs_map *map, const char *name) {
    for (uint32_t i = 0; i < map->cells; i++) {
        if (strcmp(map->cell[i].name, name) == 0) {
            return &map->cell[i].scenario;
        }
    }
    return NULL;
}

rs_map_winner rs_map_judge(const rs_interval *rate) {
    if (rate->count < RS_STATS_PAIRS_MIN) {
        return RS_MAP_TOO_FEW;
    }
    if (!rs_stats_is_difference(rate)) {
        return rs_stats_is_same(rate) ? RS_MAP_WITHIN : RS_MAP_NOT_SEPARABLE;
    }
    if (rate->middle > RS_MAP_WIN) {
        return RS_MAP_SERVER;
    }
    return rate->middle < 1 / RS_MAP_WIN ? RS_MAP_BASE : RS_MAP_WITHIN;
}
