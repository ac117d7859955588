/* Posts and commits: where the engine's decisions become RIO calls. */
#include "rio/rio_instance.h"

#include "core/assert.h"
#include "win/win_error.h"

/* What went wrong with the call just made; never RS_OK. */
static rs_status rio_failure(void) {
    rs_status status = rs_win_error_status((uint32_t)WSAGetLastError());

    return status == RS_OK || status == RS_E_AGAIN ? RS_E_OS : status;
}

/* ---- descriptors */

bool rs_rio_op_fits(const rs_backend *backend, const rs_op *op) {
    const rs_rio_region *region;
    uintptr_t offset;

    if (op->region >= RS_REGIONS_MAX) {
        return false;
    }
    region = &backend->regions[op->region];
    offset = (uintptr_t)op->u.data - (uintptr_t)region->base;
    return region->base != NULL && offset <= region->bytes && op->bytes <= region->bytes - offset;
}

/* An id that no other request uses meanwhile. */
static rs_status slot_own_id(rs_backend *backend, rs_rio_slot *slot, const rs_rio_req *req) {
    rs_rio_reg_take take = rs_rio_regs_take(&backend->regs, req->region, req->data, req->bytes);
    const rs_rio_reg *node = &backend->reg_nodes[take.node];

    if (take.deregister) {
        backend->api.fn.RIODeregisterBuffer(backend->reg_ids[take.node]);
    }
    if (take.register_it) {
        backend->counters.registrations++;
        backend->reg_ids[take.node] =
            backend->api.fn.RIORegisterBuffer((PCHAR)node->first, node->bytes);
        if (backend->reg_ids[take.node] == RIO_INVALID_BUFFERID) {
            rs_status status = rio_failure();

            rs_rio_regs_fail(&backend->regs, take.node);
            return status;
        }
    }
    slot->reg = take.node;
    slot->buf = (RIO_BUF){
        .BufferId = backend->reg_ids[take.node],
        .Offset = (ULONG)((uintptr_t)req->data - node->first),
        .Length = req->bytes,
    };
    return RS_OK;
}

static rs_status slot_fill(rs_backend *backend, uint32_t at) {
    const rs_rio_req *req = &backend->reqs[at];
    const rs_rio_region *region = &backend->regions[req->region];
    rs_rio_slot *slot = &backend->slots[at];

    RS_ASSERT(region->base != NULL);
    RS_ASSERT(slot->reg == RS_RIO_REG_NONE);
    if (backend->tuning.rio_registration == RS_RIO_REG_SESSION) {
        return slot_own_id(backend, slot, req);
    }
    slot->buf = (RIO_BUF){
        .BufferId = region->id,
        .Offset = (ULONG)(req->data - region->base),
        .Length = req->bytes,
    };
    return RS_OK;
}

void rs_rio_request_over(rs_backend *backend, uint32_t req) {
    rs_rio_slot *slot = &backend->slots[req];

    if (slot->reg != RS_RIO_REG_NONE) {
        rs_rio_regs_give(&backend->regs, slot->reg);
        slot->reg = RS_RIO_REG_NONE;
    }
}

void rs_rio_region_end(rs_backend *backend, uint16_t index) {
    rs_rio_region *region = &backend->regions[index];
    uint32_t cursor = 0, node;

    if (region->id != RIO_INVALID_BUFFERID) {
        backend->api.fn.RIODeregisterBuffer(region->id);
    }
    if (backend->reg_nodes != NULL) {
        while ((node = rs_rio_regs_drop(&backend->regs, index, &cursor)) != RS_RIO_REG_NONE) {
            backend->api.fn.RIODeregisterBuffer(backend->reg_ids[node]);
        }
    }
    *region = (rs_rio_region){.id = RIO_INVALID_BUFFERID};
}

/* ---- posts */

static void rio_post(rs_backend *backend, uint32_t conn, uint32_t req, bool is_recv) {
    RIO_RQ rq = backend->sockets[conn].rq;
    DWORD flags = backend->tuning.rio_defer ? RIO_MSG_DEFER : 0;
    PVOID context = (PVOID)(uintptr_t)rs_rio_engine_request_context(&backend->engine, req);
    rs_status status = slot_fill(backend, req);
    BOOL accepted;

    RS_ASSERT(rq != RIO_INVALID_RQ);
    if (status == RS_OK) {
        PRIO_BUF buf = &backend->slots[req].buf;

        if (is_recv) {
            backend->counters.receives++;
            accepted = backend->api.fn.RIOReceive(rq, buf, 1, flags, context);
        } else {
            backend->counters.sends++;
            accepted = backend->api.fn.RIOSend(rq, buf, 1, flags, context);
        }
        if (!accepted) {
            status = rio_failure();
            rs_rio_request_over(backend, req);
        }
    }
    rs_rio_engine_posted(&backend->engine, conn, req, status);
}

void rs_rio_run(rs_backend *backend, uint32_t conn) {
    uint32_t req;

    for (;;) { /* ends: every turn takes something off the connection's list */
        switch (rs_rio_engine_next(&backend->engine, conn, &req)) {
        case RS_RIO_DO_POST_RECV:
            rio_post(backend, conn, req, true);
            break;
        case RS_RIO_DO_POST_SEND:
            rio_post(backend, conn, req, false);
            break;
        case RS_RIO_DO_SHUTDOWN:
            rs_rio_socket_shutdown(backend, conn);
            break;
        case RS_RIO_DO_CLOSE:
            rs_rio_socket_end(backend, conn, false);
            break;
        case RS_RIO_DO_ABORT:
            rs_rio_socket_end(backend, conn, true);
            break;
        case RS_RIO_DO_NONE:
        default:
            return;
        }
    }
}

/* ---- commits */

static bool rio_commit_one(rs_backend *backend, RIO_RQ rq, uint32_t dir) {
    if (dir == RS_RIO_DIR_RECV) {
        backend->counters.recv_commits++;
        return backend->api.fn.RIOReceive(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
    }
    backend->counters.send_commits++;
    return backend->api.fn.RIOSend(rq, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
}

/* Sends first: what the peer waits for leaves before we ask for more. A commit that fails leaves
 * requests that may never start; only the end of the socket gets them back. */
void rs_rio_commit(rs_backend *backend, uint32_t conn, uint32_t dirs) {
    static const uint32_t order[] = {RS_RIO_DIR_SEND, RS_RIO_DIR_RECV};
    RIO_RQ rq = backend->sockets[conn].rq;

    for (uint32_t i = 0; i < 2; i++) {
        if ((dirs & order[i]) == 0) {
            continue;
        }
        RS_ASSERT(rq != RIO_INVALID_RQ);
        if (!rio_commit_one(backend, rq, order[i])) {
            rs_rio_engine_broken(&backend->engine, conn, rio_failure());
        }
    }
}

void rs_rio_commit_all(rs_backend *backend) {
    uint32_t dirs, conn;

    while ((conn = rs_rio_engine_touched(&backend->engine, &dirs)) != RS_RIO_NONE) {
        rs_rio_commit(backend, conn, dirs);
        rs_rio_run(backend, conn);
    }
}
