/* SPDX-License-Identifier: MIT */
/* See rio_ledger.h. */
#include "rio/rio_ledger.h"

#include "core/assert.h"

#define LEDGER_LISTED 0x80u /* of dirs: in the list of touched connections */

uint32_t rs_rio_cq_entries(uint32_t conns_max, uint32_t recvs_per_conn, uint32_t sends_per_conn) {
    RS_ASSERT(conns_max > 0);
    RS_ASSERT(conns_max <= RS_SESSIONS_MAX);
    RS_ASSERT(recvs_per_conn > 0);
    RS_ASSERT(recvs_per_conn <= RS_RECVS_IN_FLIGHT_MAX);
    RS_ASSERT(sends_per_conn > 0);
    RS_ASSERT(sends_per_conn <= RS_SENDS_IN_FLIGHT_MAX);
    return rs_engine_reqs(conns_max + RS_RIO_CLOSING_SLACK(conns_max), recvs_per_conn,
                          sends_per_conn);
}

void rs_rio_ledger_init(rs_rio_ledger *ledger, const rs_engine *engine, uint32_t *stamps,
                        uint32_t *touched, uint8_t *dirs) {
    RS_ASSERT(stamps != NULL);
    RS_ASSERT(touched != NULL);
    RS_ASSERT(dirs != NULL);
    *ledger = (rs_rio_ledger){
        .engine = engine,
        .stamps = stamps,
        .touched = touched,
        .dirs = dirs,
    };
}

/* ---- contexts */

uint64_t rs_rio_ledger_socket_context(const rs_rio_ledger *ledger, uint32_t conn) {
    RS_ASSERT(ledger->engine->conns[conn].phase != RS_CONN_FREE);
    return (uint64_t)ledger->engine->conns[conn].generation << 32 | conn;
}

uint64_t rs_rio_ledger_stamp(rs_rio_ledger *ledger, uint32_t at) {
    RS_ASSERT(ledger->engine->reqs[at].state == RS_REQ_HELD);
    ledger->stamps[at] = ++ledger->stamp;
    return (uint64_t)ledger->stamp << 32 | at;
}

static bool ledger_is_in_flight(const rs_rio_ledger *ledger, const rs_rio_result *result) {
    const rs_engine *engine = ledger->engine;
    uint32_t index = (uint32_t)result->socket_context;
    uint32_t at = (uint32_t)result->request_context;
    return index < engine->cfg.conns_max && at / engine->reqs_per_conn == index &&
           engine->conns[index].generation == (uint32_t)(result->socket_context >> 32) &&
           engine->reqs[at].state == RS_REQ_POSTED &&
           ledger->stamps[at] == (uint32_t)(result->request_context >> 32) &&
           result->bytes <= engine->reqs[at].op.bytes;
}

rs_status rs_rio_ledger_find(rs_rio_ledger *ledger, const rs_rio_result *result, uint32_t *conn,
                             uint32_t *at) {
    if (!ledger_is_in_flight(ledger, result)) {
        ledger->corrupt_context = result->request_context;
        return RS_E_CORRUPT;
    }
    *conn = (uint32_t)result->socket_context;
    *at = (uint32_t)result->request_context;
    return RS_OK;
}

/* ---- commits */

void rs_rio_ledger_touch(rs_rio_ledger *ledger, uint32_t conn, uint32_t dir) {
    bool listed = (ledger->dirs[conn] & LEDGER_LISTED) != 0;
    RS_ASSERT(dir == RS_ENGINE_RECV || dir == RS_ENGINE_SEND);
    ledger->dirs[conn] |= (uint8_t)(dir | LEDGER_LISTED);
    if (!listed) {
        RS_ASSERT(ledger->touched_count < ledger->engine->cfg.conns_max);
        ledger->touched[ledger->touched_count++] = conn;
    }
}

uint32_t rs_rio_ledger_take_touched(rs_rio_ledger *ledger, uint32_t conn) {
    uint32_t dirs = ledger->dirs[conn] & RS_ENGINE_BOTH;
    ledger->dirs[conn] &= (uint8_t)~RS_ENGINE_BOTH;
    return dirs;
}

uint32_t rs_rio_ledger_touched(rs_rio_ledger *ledger, uint32_t *dirs) {
    while (ledger->touched_count > 0) {
        uint32_t conn = ledger->touched[--ledger->touched_count];

        RS_ASSERT((ledger->dirs[conn] & LEDGER_LISTED) != 0);
        *dirs = rs_rio_ledger_take_touched(ledger, conn);
        ledger->dirs[conn] = 0;
        if (*dirs != 0) {
            return conn;
        }
    }
    *dirs = 0;
    return RS_ENGINE_NONE;
}
