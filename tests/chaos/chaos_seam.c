/* SPDX-License-Identifier: MIT */
/* Between a back end and who uses it: the contract of seam/backend.h on every op and completion,
 * and that each failure a driver is told of shows as one, with its status, where it belongs. */
#include "chaos.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/session.h"
#include "iocp/iocp_backend.h"
#include "rio/rio_backend.h"
#include "win/win_error.h"

#define INSTANCES_MAX 5u /* the first stands for none */
#define CONNS_MAX 128u
#define OP_KINDS (RS_OP_CLOSE + 1u)

typedef struct seam_conn {
    uint32_t generation;
    bool bound, closing, aborting;
    SOCKET socket; /* INVALID_SOCKET: none, or closed */
    uint32_t in_flight[OP_KINDS];
    uint32_t recv_bytes[RS_RECVS_IN_FLIGHT_MAX], send_bytes[RS_SENDS_IN_FLIGHT_MAX]; /* asked for */
    uint32_t recv_first, send_first;
    uint32_t told[CHAOS_DIR_NONE], failed[CHAOS_DIR_NONE];
    uint32_t statuses; /* those told, as bits */
    bool told_short;
    uint32_t polled; /* the poll that brought its latest completion */
    /* the session's */
    bool app_open;
    bool fails; /* its first completion of this turn is a failure: it has to end, and so: */
    rs_close_reason reason;
} seam_conn;

typedef struct seam_instance {
    rs_backend *backend;
    chaos_side side;
    DWORD thread;
    uint32_t connecting; /* the slot of the CONNECT that is being submitted; CONNS_MAX = none */
    uint32_t polls;
    bool listening, stopping;
    seam_conn conns[CONNS_MAX];
} seam_instance;

static struct {
    const rs_backend_api *real;
    rs_backend_api api;
    seam_instance instances[INSTANCES_MAX];
    chaos_sums sums;
} seam;

void chaos_seam_begin(void) {
    memset(&seam.sums, 0, sizeof seam.sums);
    for (uint32_t i = 0; i < INSTANCES_MAX; i++) {
        memset(&seam.instances[i], 0, sizeof seam.instances[i]);
        seam.instances[i].connecting = CONNS_MAX;
        for (uint32_t conn = 0; conn < CONNS_MAX; conn++) {
            seam.instances[i].conns[conn].socket = INVALID_SOCKET;
        }
    }
}

const chaos_sums *chaos_seam_sums(void) {
    return &seam.sums;
}

/* ---- who is meant */

static seam_instance *instance_of(const rs_backend *backend) {
    for (uint32_t i = 1; i < INSTANCES_MAX; i++) {
        if (seam.instances[i].backend == backend) {
            return &seam.instances[i];
        }
    }
    return NULL;
}

static seam_instance *instance_here(void) {
    const DWORD thread = GetCurrentThreadId();
    for (uint32_t i = 1; i < INSTANCES_MAX; i++) {
        if (seam.instances[i].thread == thread) {
            return &seam.instances[i];
        }
    }
    return NULL;
}

chaos_ref chaos_ref_of(SOCKET socket) {
    chaos_ref ref = {0};
    chaos_lock();
    for (uint32_t i = 1; i < INSTANCES_MAX && ref.instance == 0; i++) {
        for (uint32_t conn = 0; conn < CONNS_MAX; conn++) {
            const seam_conn *one = &seam.instances[i].conns[conn];
            if (one->socket == socket) {
                ref = (chaos_ref){.instance = i, .conn = conn, .generation = one->generation};
                break;
            }
        }
    }
    chaos_unlock();
    return ref;
}

void chaos_socket_made(SOCKET socket) {
    seam_instance *instance = instance_here();
    if (instance != NULL && instance->connecting < CONNS_MAX) {
        chaos_lock();
        instance->conns[instance->connecting].socket = socket;
        chaos_unlock();
    }
}

void chaos_socket_closed(SOCKET socket) {
    const chaos_ref ref = chaos_ref_of(socket);
    if (ref.instance != 0) {
        chaos_lock();
        seam.instances[ref.instance].conns[ref.conn].socket = INVALID_SOCKET;
        chaos_unlock();
    }
}

void chaos_socket_not_made(uint32_t code) {
    seam_instance *instance = instance_here();
    if (instance != NULL && instance->connecting < CONNS_MAX) {
        instance->conns[instance->connecting].statuses |= 1u << rs_win_error_status(code);
    }
}

static seam_conn *conn_of(chaos_ref ref) {
    seam_conn *conn = &seam.instances[ref.instance].conns[ref.conn];
    return ref.instance != 0 && conn->generation == ref.generation ? conn : NULL;
}

void chaos_told(chaos_ref ref, chaos_dir dir, uint32_t code) {
    seam_conn *conn = conn_of(ref);
    if (conn != NULL) {
        conn->statuses |= 1u << rs_win_error_status(code);
        if (dir != CHAOS_DIR_NONE) {
            conn->told[dir]++;
        }
    }
}

void chaos_told_all(uint32_t code) {
    seam_instance *instance = instance_here();
    for (uint32_t i = 0; instance != NULL && i < CONNS_MAX; i++) {
        instance->conns[i].statuses |= 1u << rs_win_error_status(code);
    }
}

void chaos_told_short(chaos_ref ref) {
    seam_conn *conn = conn_of(ref);
    if (conn != NULL) {
        conn->told_short = true;
    }
}

/* What ends because the listener does is nobody's failure. */
void chaos_told_accept(uint32_t code) {
    const seam_instance *instance = instance_here(); /* NULL: the accept thread */
    const bool ends =
        instance != NULL && instance->stopping && rs_win_error_status(code) == RS_E_ABORTED;
    chaos_lock();
    seam.sums.accepts_told += !ends;
    chaos_unlock();
}

void chaos_told_queue(void) {
    chaos_lock();
    seam.sums.queues_refused += chaos_here() == CHAOS_SERVER;
    chaos_unlock();
}

/* ---- sessions */

static seam_conn *conn_of_session(const rs_session *session) {
    seam_instance *instance = instance_here();
    RS_ASSERT(instance != NULL);
    return &instance->conns[rs_session_id_index(rs_session_id_of(session))];
}

/* With a logic thread these come later than the completion, when the slot may be another's: they
 * are only counted. */
void chaos_session_opened(rs_session *session) {
    if (!chaos.logic_thread) {
        seam_conn *conn = conn_of_session(session);
        if (conn->app_open) {
            chaos_fail("on_open of a session that is open");
        }
        conn->app_open = true;
    }
    chaos_lock();
    seam.sums.opened++;
    chaos_unlock();
}

static void session_ends(rs_session *session, rs_close_reason reason) {
    seam_conn *conn = conn_of_session(session);
    if (!conn->app_open) {
        chaos_fail("on_close of a session that is not open");
    }
    if (conn->fails && reason != conn->reason && reason != RS_CLOSE_SLOW_CONSUMER) {
        chaos_fail("a session ends as %s and should as %s", rs_close_reason_text(reason),
                   rs_close_reason_text(conn->reason));
    }
    conn->app_open = false;
    conn->fails = false;
}

void chaos_session_closed(rs_session *session, rs_close_reason reason) {
    if (!chaos.logic_thread) {
        session_ends(session, reason);
    }
    chaos_lock();
    seam.sums.closed++;
    seam.sums.closed_for[reason]++;
    chaos_unlock();
}

static rs_close_reason reason_for(rs_status status) {
    switch (status) {
    case RS_E_RESET:
    case RS_E_ABORTED:
    case RS_E_TIMED_OUT:
        return RS_CLOSE_RESET;
    case RS_E_NO_BUFFERS:
    case RS_E_NO_MEMORY:
        return RS_CLOSE_NO_BUFFERS;
    default:
        return RS_CLOSE_ERROR;
    }
}

/* ---- the table */

static rs_status seam_open(rs_backend **out, const rs_backend_config *cfg, rs_error *error) {
    const rs_status status = seam.real->open(out, cfg, error);
    RS_ASSERT(cfg->conns_max <= CONNS_MAX);
    if (status == RS_OK) {
        chaos_lock();
        seam_instance *instance = instance_of(NULL);
        RS_ASSERT(instance != NULL);
        instance->backend = *out;
        instance->side = chaos_here();
        instance->thread = GetCurrentThreadId();
        chaos_unlock();
    } else if (*out != NULL || error->text[0] == '\0') {
        chaos_fail("open failed (%s) without a word", rs_status_name(status));
    }
    return status;
}

static void seam_close(rs_backend *backend) {
    seam_instance *instance = instance_of(backend);
    seam.real->close(backend);
    if (backend == NULL) {
        return;
    }
    chaos_lock();
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        RS_ASSERT(!instance->conns[i].bound);
        instance->conns[i].socket = INVALID_SOCKET;
    }
    instance->backend = NULL;
    instance->thread = 0;
    instance->listening = instance->stopping = false;
    chaos_unlock();
}

static rs_status seam_listen(rs_backend *backend, const rs_addr *addr, uint16_t *port_out,
                             rs_error *error) {
    const rs_status status = seam.real->listen(backend, addr, port_out, error);
    instance_of(backend)->listening = status == RS_OK;
    return status;
}

static void seam_unlisten(rs_backend *backend) {
    instance_of(backend)->stopping = true;
    seam.real->unlisten(backend);
}

static void conn_bind(seam_instance *instance, uint32_t index, uint32_t generation, SOCKET socket) {
    seam_conn *conn = &instance->conns[index];
    if (conn->bound) {
        chaos_fail("connection %u is bound twice", index);
    }
    chaos_lock();
    *conn = (seam_conn){.generation = generation, .bound = true, .socket = socket};
    chaos_unlock();
}

static rs_status seam_attach(rs_backend *backend, uint32_t conn, uint32_t generation,
                             uintptr_t socket) {
    seam_instance *instance = instance_of(backend);
    rs_status status;
    conn_bind(instance, conn, generation, (SOCKET)socket);
    status = seam.real->attach(backend, conn, generation, socket);
    if (status != RS_OK) {
        chaos_lock();
        seam.sums.attach_failed++;
        chaos_unlock();
        instance->conns[conn].bound = false;
        if (status != RS_E_NO_BUFFERS && status != RS_E_OS) {
            chaos_fail("attach says %s", rs_status_name(status));
        }
        if (instance->conns[conn].socket != INVALID_SOCKET) {
            chaos_fail("attach failed and left the socket");
        }
    }
    return status;
}

static void seam_discard(rs_backend *backend, uintptr_t socket) {
    chaos_lock();
    seam.sums.discarded++;
    chaos_unlock();
    seam.real->discard(backend, socket);
}

static void conn_submitted(seam_conn *conn, const rs_op *op) {
    if (op->kind == RS_OP_CLOSE && conn->closing) {
        if (conn->aborting || (op->flags & RS_OPF_ABORT) == 0) {
            chaos_fail("a second CLOSE was taken");
        }
        conn->aborting = true; /* has no completion of its own */
        return;
    }
    if (op->kind == RS_OP_CLOSE) {
        conn->closing = true;
        conn->aborting = (op->flags & RS_OPF_ABORT) != 0;
    } else if (op->kind == RS_OP_RECV) {
        conn->recv_bytes[(conn->recv_first + conn->in_flight[RS_OP_RECV]) %
                         RS_RECVS_IN_FLIGHT_MAX] = op->bytes;
    } else if (op->kind == RS_OP_SEND) {
        conn->send_bytes[(conn->send_first + conn->in_flight[RS_OP_SEND]) %
                         RS_SENDS_IN_FLIGHT_MAX] = op->bytes;
    }
    conn->in_flight[op->kind]++;
}

static uint32_t seam_submit(rs_backend *backend, const rs_op *ops, uint32_t count, rs_status *why) {
    seam_instance *instance = instance_of(backend);
    uint32_t taken;
    if (count == 1 && ops[0].kind == RS_OP_CONNECT) {
        conn_bind(instance, ops[0].conn, ops[0].generation, INVALID_SOCKET);
        instance->connecting = ops[0].conn;
    }
    taken = seam.real->submit(backend, ops, count, why);
    instance->connecting = CONNS_MAX;
    if (taken < count && *why != RS_E_CLOSED) {
        chaos_fail("an op of kind %u was refused: %s", ops[taken].kind, rs_status_name(*why));
    }
    for (uint32_t i = 0; i < taken; i++) {
        conn_submitted(&instance->conns[ops[i].conn], &ops[i]);
    }
    return taken;
}

/* ---- completions */

static void seam_accepted(seam_instance *instance, const rs_completion *record) {
    if (!instance->listening) {
        chaos_fail("an ACCEPT completion (%s) without a listener",
                   rs_status_name((rs_status)record->status));
    }
    if (record->status == RS_E_CLOSED) {
        instance->listening = instance->stopping = false;
    } else if (record->status != RS_OK) {
        chaos_lock();
        seam.sums.accept_failed++;
        chaos_unlock();
    }
}

/* A failure is one that the driver was told of, or our own close. */
static void conn_check_status(const seam_conn *conn, const rs_completion *record) {
    const uint32_t bit = 1u << record->status;
    uint32_t allowed = conn->statuses;
    if ((conn->statuses & (1u << RS_E_ABORTED)) != 0) {
        allowed |= 1u << RS_E_RESET; /* not ours: then it is the peer's */
    }
    if (conn->closing) {
        allowed |= 1u << RS_E_ABORTED;
    }
    if ((allowed & bit) == 0) {
        chaos_fail("an op of kind %u ends with %s, which nothing has said (told: %x)", record->kind,
                   rs_status_name((rs_status)record->status), conn->statuses);
    }
}

static void conn_check_bytes(seam_conn *conn, const rs_completion *record) {
    if (record->kind == RS_OP_SEND) {
        const uint32_t asked = conn->send_bytes[conn->send_first];
        conn->send_first = (conn->send_first + 1u) % RS_SENDS_IN_FLIGHT_MAX;
        if (record->bytes > asked ||
            (record->status == RS_OK && record->bytes < asked && !conn->told_short)) {
            chaos_fail("a SEND of %u bytes ends with %u", asked, record->bytes);
        }
    } else if (record->kind == RS_OP_RECV) {
        const uint32_t asked = conn->recv_bytes[conn->recv_first];
        conn->recv_first = (conn->recv_first + 1u) % RS_RECVS_IN_FLIGHT_MAX;
        if (record->bytes > asked) {
            chaos_fail("a RECV of %u bytes ends with %u", asked, record->bytes);
        }
    }
}

static void conn_closed(seam_conn *conn, uint32_t index) {
    for (uint32_t kind = 0; kind < OP_KINDS; kind++) {
        if (conn->in_flight[kind] != 0) {
            chaos_fail("connection %u: CLOSE came before %u ops of kind %u", index,
                       conn->in_flight[kind], kind);
        }
    }
    for (uint32_t dir = 0; dir < CHAOS_DIR_NONE; dir++) {
        if (conn->told[dir] > conn->failed[dir]) {
            chaos_fail("connection %u: %u %s failed, and %u completions say so", index,
                       conn->told[dir], dir == CHAOS_DIR_RECV ? "receives" : "sends",
                       conn->failed[dir]);
        }
    }
    if (conn->socket != INVALID_SOCKET) {
        chaos_fail("connection %u: CLOSE has completed and the socket is open", index);
    }
    conn->bound = false;
}

/* What the session has to make of it, if nothing of the same turn came before. */
static void conn_expect(seam_conn *conn, const rs_completion *record, bool first) {
    const bool cut = record->kind == RS_OP_SEND && record->status == RS_OK &&
                     record->bytes < conn->send_bytes[conn->send_first];
    if (conn->app_open && first && (record->status != RS_OK || cut) &&
        (record->kind == RS_OP_SEND || record->kind == RS_OP_RECV)) {
        conn->fails = true;
        conn->reason = cut ? RS_CLOSE_TRUNCATED_SEND : reason_for((rs_status)record->status);
    }
}

static void seam_completed(seam_instance *instance, const rs_completion *record) {
    seam_conn *conn;
    if (record->kind == RS_OP_ACCEPT) {
        seam_accepted(instance, record);
        return;
    }
    RS_ASSERT(record->conn < CONNS_MAX && record->kind < OP_KINDS);
    conn = &instance->conns[record->conn];
    if (!conn->bound || conn->generation != record->generation ||
        conn->in_flight[record->kind] == 0) {
        chaos_fail("a completion of kind %u that nobody waits for", record->kind);
    }
    conn_expect(conn, record, conn->polled != instance->polls);
    conn->polled = instance->polls;
    conn_check_bytes(conn, record);
    conn->in_flight[record->kind]--;
    if (record->status != RS_OK) {
        conn_check_status(conn, record);
        if (record->kind == RS_OP_RECV || record->kind == RS_OP_SEND) {
            conn->failed[record->kind == RS_OP_RECV ? CHAOS_DIR_RECV : CHAOS_DIR_SEND]++;
        }
    }
    if (record->kind == RS_OP_CLOSE) {
        conn_closed(conn, record->conn);
    }
}

static uint32_t seam_poll(rs_backend *backend, rs_completion *out, uint32_t cap,
                          int64_t timeout_ns) {
    seam_instance *instance = instance_of(backend);
    uint32_t count;
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        if (instance->conns[i].fails) {
            chaos_fail("connection %u failed (%s), and its session goes on", i,
                       rs_close_reason_text(instance->conns[i].reason));
        }
    }
    count = seam.real->poll(backend, out, cap, timeout_ns);
    if (count > cap) {
        chaos_fail("poll gave %u completions, %u was the most", count, cap);
    }
    instance->polls++;
    for (uint32_t i = 0; i < count; i++) {
        seam_completed(instance, &out[i]);
    }
    return count;
}

const rs_backend_api *chaos_api(bool use_rio) {
    seam.real = use_rio ? &rs_rio_backend : &rs_iocp_backend;
    seam.api = *seam.real;
    seam.api.open = seam_open;
    seam.api.close = seam_close;
    seam.api.listen = seam_listen;
    seam.api.unlisten = seam_unlisten;
    seam.api.attach = seam_attach;
    seam.api.discard = seam_discard;
    seam.api.submit = seam_submit;
    seam.api.poll = seam_poll;
    return &seam.api;
}

void chaos_seam_dump(void) {
    for (uint32_t i = 1; i < INSTANCES_MAX; i++) {
        const seam_instance *instance = &seam.instances[i];
        if (instance->backend == NULL) {
            continue;
        }
        (void)fprintf(stderr, "chaos: %s%s%s, %u polls\n",
                      instance->side == CHAOS_SERVER ? "server" : "client",
                      instance->listening ? ", listening" : "",
                      instance->stopping ? ", stopping" : "", instance->polls);
        for (uint32_t at = 0; at < CONNS_MAX; at++) {
            const seam_conn *conn = &instance->conns[at];
            if (conn->bound) {
                (void)fprintf(
                    stderr,
                    "chaos:   connection %u: connect %u recv %u send %u shutdown %u close "
                    "%u, told %x%s\n",
                    at, conn->in_flight[RS_OP_CONNECT], conn->in_flight[RS_OP_RECV],
                    conn->in_flight[RS_OP_SEND], conn->in_flight[RS_OP_SHUTDOWN],
                    conn->in_flight[RS_OP_CLOSE], conn->statuses,
                    conn->app_open ? ", session open" : "");
            }
        }
    }
}
