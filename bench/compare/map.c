/* SPDX-License-Identifier: MIT */
/* A grid in steps of 4, and one bound on it; "writers" beside it. */
#include "compare/map.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"

#define MAP_SESSIONS_SPARE 15u  /* beyond the connections: those of a run before that end late */
#define MAP_FRAME_DEFAULT 4096u /* of the servers: above it they are told */
#define MAP_SLOW_CONNECTIONS 1024u
#define MAP_SLOW_BYTES (4u << 20)
#define MAP_QUEUED_LARGE 1048576u /* send queue for the frames above it, as in scenario large */

const uint32_t rs_map_connections[RS_MAP_CONNECTIONS] = {1, 16, 64, 256, 1024};
const uint32_t rs_map_depths[RS_MAP_DEPTHS] = {1, 4, 16, 64};
const uint32_t rs_map_sizes[RS_MAP_SIZES] = {32, 512, 16384, 262144};
static const uint32_t map_blocks[RS_MAP_BLOCKS] = {4096, 65536};

const char rs_map_rule[] =
    "A cell is left out when connections x requests in flight x bytes of a message is above 16 "
    "MiB: there the figures are those of memory and of the sockets' buffers, not of an interface.";

const char rs_map_slow_rule[] =
    "With 1,024 connections, or with more than 4 MiB in flight, a run has at least 0.8 s: less may "
    "not hold one round of requests. CPU time per message has connecting in it, which weighs most "
    "where connections are many.";

bool rs_map_grid(uint32_t index, uint32_t *size, uint32_t *block) {
    RS_ASSERT(index < RS_MAP_GRIDS);
    *size = rs_map_sizes[index / RS_MAP_BLOCKS];
    *block = *size < RS_MAP_LARGE ? 0 : map_blocks[index % RS_MAP_BLOCKS];
    return *block != 0 || index % RS_MAP_BLOCKS == 0;
}

bool rs_map_holds(uint32_t connections, uint32_t depth, uint32_t size) {
    return (uint64_t)connections * depth * size <= RS_MAP_BYTES_MAX;
}

bool rs_map_is_slow(uint32_t connections, uint32_t depth, uint32_t size) {
    return connections >= MAP_SLOW_CONNECTIONS ||
           (uint64_t)connections * depth * size > MAP_SLOW_BYTES;
}

bool rs_map_in_quick(const rs_scenario *cell) {
    const uint32_t connections = cell->connections;
    if (cell->frame_bytes > RS_FRAME_BYTES_MAX || cell->kind == RS_SCENARIO_WRITERS) {
        return connections == 1 && (cell->depth == 1 || cell->kind == RS_SCENARIO_WRITERS);
    }
    return cell->send_block != map_blocks[0] &&
           (connections == 1 || connections == 64 || connections == 1024) &&
           (cell->depth == 1 || cell->depth == 16) &&
           (cell->frame_bytes == 32 || cell->frame_bytes == 16384);
}

void rs_map_name(char out[RS_MAP_NAME_BYTES], uint32_t connections, uint32_t depth, uint32_t size,
                 uint32_t block) {
    const int bytes = snprintf(out, RS_MAP_NAME_BYTES, block != 0 ? "%ux%ux%u-%uk" : "%ux%ux%u",
                               connections, depth, size, block / 1024u);
    RS_ASSERT(bytes > 0 && bytes < (int)RS_MAP_NAME_BYTES);
}

void rs_map_sends(char out[RS_MAP_SENDS_BYTES], const rs_scenario *cell) {
    out[0] = '\0';
    if (cell->kind == RS_SCENARIO_WRITERS) {
        (void)snprintf(out, RS_MAP_SENDS_BYTES, "one a request");
    } else if (cell->send_block != 0) {
        (void)snprintf(out, RS_MAP_SENDS_BYTES, "blocks of %u,%03u",
                       cell->send_block / 1000u % 1000u, cell->send_block % 1000u);
    }
}

static void map_add(rs_map *map, uint32_t connections, uint32_t depth, uint32_t size,
                    uint32_t block) {
    rs_map_cell *cell = &map->cell[map->cells++];
    const bool large = size > MAP_FRAME_DEFAULT;
    const bool raw = size > RS_FRAME_BYTES_MAX;
    int used;
    RS_ASSERT(map->cells <= RS_MAP_CELLS_MAX);
    rs_map_name(cell->name, connections, depth, size, block);
    used = snprintf(cell->about, sizeof cell->about,
                    "%u connection%s, %u in flight on each, %s of %u bytes", connections,
                    connections == 1 ? "" : "s", depth, raw ? "messages" : "frames", size);
    if (block != 0) {
        (void)snprintf(cell->about + used, sizeof cell->about - (size_t)used, ", send blocks of %u",
                       block);
    }
    cell->scenario =
        (rs_scenario){.name = cell->name,
                      .about = cell->about,
                      .kind = RS_SCENARIO_CLOSED,
                      .connections = connections,
                      .depth = depth,
                      .frame_bytes = size,
                      .max_sessions = connections + MAP_SESSIONS_SPARE,
                      .max_frame = large && !raw ? size : 0,
                      .max_queued = large ? MAP_QUEUED_LARGE : 0,
                      .app = raw ? "raw" : NULL,
                      .send_block = block,
                      .least_s = rs_map_is_slow(connections, depth, size) ? RS_MAP_SLOW_S : 0};
}

static void map_add_writers(rs_map *map) {
    rs_map_cell *cell = &map->cell[map->cells++];
    RS_ASSERT(map->cells <= RS_MAP_CELLS_MAX);
    (void)snprintf(cell->name, sizeof cell->name, RS_MAP_WRITERS);
    (void)snprintf(cell->about, sizeof cell->about,
                   "1 connection, %u writers with one request each, every one written by its own "
                   "call, frames of 32 bytes",
                   RS_MAP_WRITERS_COUNT);
    cell->scenario = (rs_scenario){.name = cell->name,
                                   .about = cell->about,
                                   .kind = RS_SCENARIO_WRITERS,
                                   .connections = 1,
                                   .depth = RS_MAP_WRITERS_COUNT,
                                   .frame_bytes = 32,
                                   .max_sessions = 1 + MAP_SESSIONS_SPARE};
}

static void map_add_grid(rs_map *map, uint32_t size, uint32_t block) {
    for (uint32_t i = 0; i < RS_MAP_CONNECTIONS * RS_MAP_DEPTHS; i++) {
        const uint32_t connections = rs_map_connections[i / RS_MAP_DEPTHS];
        const uint32_t depth = rs_map_depths[i % RS_MAP_DEPTHS];
        if (rs_map_holds(connections, depth, size)) {
            map_add(map, connections, depth, size, block);
        }
    }
}

void rs_map_make(rs_map *map) {
    uint32_t size, block;
    map->cells = 0;
    for (uint32_t i = 0; i < RS_MAP_GRIDS; i++) {
        if (rs_map_grid(i, &size, &block)) {
            map_add_grid(map, size, block);
        }
    }
    map_add_writers(map);
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
