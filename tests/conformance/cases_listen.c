/* SPDX-License-Identifier: MIT */
/* Cases about connecting and listening: refusals, bursts, the last completion, slots coming free.
 *
 * Set up: a listener on a free loopback port. A pass is decided by the status of each CONNECT and
 * ACCEPT, by counting both, and by the ledger. */
#include "harness.h"

#include "core/assert.h"
#include "core/options.h"

#define LISTEN_SHORT_NS INT64_C(10000000)
#define LISTEN_BURST 200u
#define LISTEN_PORT_NOBODY 1u /* tcpmux: below the ports that a system gives out */
#define LISTEN_CYCLES_DEFAULT 2000u

static void listen_end(conf_run *run) {
    run->api->unlisten(run->server.backend);
    CONF_WAIT(run, run->server.listener_ended);
    run->server.listening = false;
}

/* A CONNECT to a port that no listener on, with a listener come and gone. */
static uint32_t listen_connect_in_vain(conf_run *run) {
    conf_open_listening(run, NULL);
    listen_end(run);
    rs_addr nobody = conf_server_addr(run);
    nobody.port = LISTEN_PORT_NOBODY;
    uint32_t connect = conf_connect(&run->client, 1, nobody);
    CONF_WAIT(run, conf_done(&run->client, connect));
    return connect;
}

void conf_case_connect_refused(conf_run *run) {
    uint32_t connect = listen_connect_in_vain(run);
    CONF_STATUS(run, conf_result(&run->client, connect)->status, RS_E_REFUSED);
}

void conf_case_failed_connect_leaves_slot_bound(conf_run *run) {
    (void)listen_connect_in_vain(run);
    rs_op again = conf_op_plain(&run->client, 1, RS_OP_CONNECT, 0);
    rs_addr addr = conf_server_addr(run);
    rs_status why;

    again.u.addr = &addr;
    CONF_CHECK(run, conf_submit(&run->client, &again, 1, &why, NULL) == 0);
    CONF_STATUS(run, why, RS_E_INVALID);
    run->client.slots[1].generation--; /* the harness had counted on */
    uint32_t closed = conf_close(&run->client, 1, 0);
    CONF_WAIT(run, conf_done(&run->client, closed));
    conf_listen(run);
    conf_pair pair = conf_pair_open(run, 1, 1);
    conf_echo_once(run, pair, "free again", 10);
}

void conf_case_close_while_connecting(conf_run *run) {
    conf_open_listening(run, NULL);

    for (uint32_t i = 0; i < 20u; i++) {
        uint32_t connect = conf_connect(&run->client, 0, conf_server_addr(run));
        uint32_t closed = conf_close(&run->client, 0, i % 2u == 0 ? RS_OPF_ABORT : 0);

        CONF_WAIT(run, conf_done(&run->client, closed));
        rs_status status = conf_result(&run->client, connect)->status;
        CONF_CHECK(run, status == RS_OK || status == RS_E_ABORTED);
    }
}

void conf_case_port_in_use(conf_run *run) {
    conf_open_listening(run, NULL);
    const rs_addr taken = conf_server_addr(run);
    rs_error error = {0};
    uint16_t port = 0;

    CONF_STATUS(run, run->api->listen(run->client.backend, &taken, &port, &error),
                RS_E_ADDRESS_IN_USE);
    CONF_CHECK(run, error.text[0] != '\0');
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_echo_once(run, pair, "unharmed", 8);
}

void conf_case_unlisten_completes_last_and_stops_accepting(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    /* The ledger refuses any ACCEPT behind the last one. */
    listen_end(run);
    run->api->unlisten(run->server.backend); /* without a listener: nothing happens */
    uint32_t connect = conf_connect(&run->client, 1, conf_server_addr(run));
    CONF_WAIT(run, conf_done(&run->client, connect));
    CONF_CHECK(run, conf_result(&run->client, connect)->status != RS_OK);
    conf_echo_once(run, pair, "still served", 12);
    conf_settle(run);
    CONF_CHECK(run, run->server.accepted_count == 1u);
}

void conf_case_listen_again_after_unlisten(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 3u; i++) {
        conf_pair pair = conf_pair_open(run, i, i);

        conf_echo_once(run, pair, "once more", 9);
        listen_end(run);
        conf_listen(run);
    }
}

/* One listener of each family, both ports free ones: connections come by either, each tells the end
 * that it came by, and each listener has a last completion. */
void conf_case_several_listeners_accept_and_end_each(conf_run *run) {
    enum { PAIRS = 4 };
    rs_addr at[2];
    rs_error error = {0};
    uint32_t more = 0;
    conf_open_listening(run, NULL);
    at[0] = conf_server_addr(run);
    RS_ASSERT(rs_addr_parse("::1", &at[1]));
    CONF_STATUS(run, run->api->listen(run->server.backend, &at[1], &at[1].port, &error), RS_OK);
    run->server.more_listeners++;
    for (uint32_t i = 0; i < PAIRS; i++) {
        run->host = at[i % 2u];
        run->server.port = at[i % 2u].port;
        conf_pair pair = conf_pair_open(run, i, i);
        const rs_addr local = run->api->local(run->server.backend, i);
        CONF_CHECK(run, rs_addr_equal(&local, &at[i % 2u]));
        conf_echo_once(run, pair, "by either", 9);
    }
    run->host.port = 0;
    for (rs_status status = RS_OK; status == RS_OK && more < RS_LISTENERS_MAX; more++) {
        uint16_t port;
        status = run->api->listen(run->server.backend, &run->host, &port, &error);
        run->server.more_listeners += status == RS_OK ? 1u : 0u;
        CONF_CHECK(run, status == (more < RS_LISTENERS_MAX - 2u ? RS_OK : RS_E_INVALID));
    }
    CONF_CHECK(run, more == RS_LISTENERS_MAX - 1u);
    listen_end(run);
    CONF_CHECK(run, run->server.more_listeners == 0);
    for (uint32_t i = 0; i < 2u; i++) {
        uint32_t connect = conf_connect(&run->client, PAIRS + i, at[i]);
        CONF_WAIT(run, conf_done(&run->client, connect));
        CONF_CHECK(run, conf_result(&run->client, connect)->status != RS_OK);
    }
    conf_listen(run);
}

/* A shard that is slow does not pile up sockets: the listener's backlog holds them. What one poll
 * finds after a while is no more than was asked for, and then the rest comes. */
void conf_case_accepts_are_bounded_while_nobody_polls(conf_run *run) {
    enum { CLIENTS = 40, ACCEPTS = 4 };
    const bool bounded = rs_option_named(run->api->tuning, "accepts");
    conf_setup setup = {.conns = CLIENTS, .accepts = ACCEPTS};
    uint32_t first = 0;

    conf_open_listening(run, &setup);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)conf_connect(&run->client, i, conf_server_addr(run));
    }
    for (uint32_t i = 0; i < 200u && run->client.outstanding > 0; i++) {
        (void)conf_poll_side(&run->client, run->cap, LISTEN_SHORT_NS);
        if (run->instance->idle != NULL) {
            run->instance->idle(run->world);
        }
    }
    for (uint32_t i = 0; i < 20u && first == 0; i++) { /* the first that finds any */
        (void)conf_poll_side(&run->server, run->cap, LISTEN_SHORT_NS);
        first = run->server.accepted_count;
    }
    CONF_CHECK(run, first > 0 && (!bounded || first <= ACCEPTS));
    CONF_WAIT(run, run->client.outstanding == 0 && run->server.accepted_count == CLIENTS);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        conf_attach(&run->server, i);
    }
}

void conf_case_accept_burst_of_200_all_arrive(conf_run *run) {
    uint32_t connects[LISTEN_BURST];
    conf_setup setup = {.conns = LISTEN_BURST};
    conf_open_listening(run, &setup);
    for (uint32_t i = 0; i < LISTEN_BURST; i++) {
        connects[i] = conf_connect(&run->client, i, conf_server_addr(run));
    }
    CONF_WAIT(run, run->client.outstanding == 0 && run->server.accepted_count == LISTEN_BURST);
    for (uint32_t i = 0; i < LISTEN_BURST; i++) {
        CONF_STATUS(run, conf_result(&run->client, connects[i])->status, RS_OK);
        conf_attach(&run->server, i);
        (void)conf_send(&run->server, i, "welcome", 7);
        (void)conf_recv(&run->client, i);
    }
    CONF_CHECK(run, run->server.accept_failures == 0);
    CONF_WAIT(run, run->client.outstanding == 0); /* every one of them is served */
}

void conf_case_discard_closes(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_side *server = &run->server;
    uint32_t connect = conf_connect(&run->client, 0, conf_server_addr(run));

    CONF_WAIT(run, conf_done(&run->client, connect) && server->accepted_count == 1u);
    run->api->discard(server->backend, server->accepted[server->accepted_taken++]);
    uint32_t recv = conf_recv(&run->client, 0);
    CONF_WAIT(run, conf_done(&run->client, recv));
    const conf_op *told = conf_result(&run->client, recv);
    CONF_CHECK(run, (told->status == RS_OK && told->bytes == 0) || told->status == RS_E_RESET);
}

void conf_case_connect_close_cycles_leave_no_slot_bound(conf_run *run) {
    const uint32_t cycles =
        run->instance->cycles != 0 ? run->instance->cycles : LISTEN_CYCLES_DEFAULT;
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < cycles; i++) {
        conf_pair pair = conf_pair_open(run, i % 16u, (i * 7u) % 16u);
        uint32_t recv = conf_recv(&run->server, pair.server);
        uint8_t how = i % 3u == 0 ? RS_OPF_ABORT : 0; /* the port is not left in TIME_WAIT then */

        if (i % 2u == 0) {
            (void)conf_send(&run->client, pair.client, "hello", 5);
        }
        (void)conf_close(&run->client, pair.client, how);
        CONF_WAIT(run, conf_done(&run->server, recv));
        (void)conf_close(&run->server, pair.server, how);
        CONF_WAIT(run, run->client.outstanding == 0 && run->server.outstanding == 0);
    }
    for (uint32_t i = 0; i < run->config.conns_max; i++) { /* every slot can be bound at once */
        conf_pair pair = conf_pair_open(run, i, i);

        conf_echo_once(run, pair, "room", 4);
    }
}
