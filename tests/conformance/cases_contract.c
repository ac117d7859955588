/* SPDX-License-Identifier: MIT */
/* Cases about refusals, generations and capacity: what submit takes, and what it says if not.
 *
 * Set up: connected pairs. A pass is decided by submit's count and status, and by the ledger:
 * nothing refused ever completes, everything accepted does once. */
#include "harness.h"

#include <string.h>

#define CONTRACT_CONNS 32u

void conf_case_second_close_is_refused(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *server = &run->server;
    const rs_op again = conf_op_plain(server, pair.server, RS_OP_CLOSE, 0);
    uint32_t closed = conf_close(server, pair.server, 0);

    conf_must_refuse(server, again, RS_E_CLOSED);
    CONF_WAIT(run, conf_done(server, closed));
    conf_must_refuse(server, again, RS_E_CLOSED);
    conf_settle(run);
}

void conf_case_op_after_close_is_refused(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *server = &run->server;
    uint32_t slot = pair.server;
    uint32_t closed = conf_close(server, slot, RS_OPF_ABORT);

    for (uint32_t round = 0; round < 2u; round++) { /* before its completion and after */
        conf_must_refuse(server, conf_op_recv(server, slot, conf_rx(server, slot), 16),
                         RS_E_CLOSED);
        conf_must_refuse(server, conf_op_send(server, slot, conf_tx(server, slot), 16),
                         RS_E_CLOSED);
        conf_must_refuse(server, conf_op_plain(server, slot, RS_OP_SHUTDOWN, 0), RS_E_CLOSED);
        CONF_WAIT(run, conf_done(server, closed));
    }
}

void conf_case_stale_generation_is_refused(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *server = &run->server;
    uint32_t slot = pair.server;
    rs_op ops[4] = {
        conf_op_recv(server, slot, conf_rx(server, slot), 16),
        conf_op_send(server, slot, conf_tx(server, slot), 16),
        conf_op_plain(server, slot, RS_OP_SHUTDOWN, 0),
        conf_op_plain(server, slot, RS_OP_CLOSE, 0),
    };

    for (uint32_t i = 0; i < 4u; i++) {
        ops[i].generation--;
        conf_must_refuse(server, ops[i], RS_E_STALE);
        ops[i].generation += 2u;
        conf_must_refuse(server, ops[i], RS_E_STALE);
    }
    conf_echo_once(run, pair, "unharmed", 8);
}

void conf_case_slot_reuse_gets_new_generation(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_side *server = &run->server;

    for (uint32_t i = 0; i < 5u; i++) {
        conf_pair pair = conf_pair_open(run, 4, 4);
        rs_op old = conf_op_recv(server, 4, conf_rx(server, 4), 16);

        conf_echo_once(run, pair, "anew", 4);
        conf_pair_close(run, pair);
        pair = conf_pair_open(run, 4, 4);
        CONF_CHECK(run, old.generation != server->slots[4].generation);
        conf_must_refuse(server, old, RS_E_STALE);
        conf_echo_once(run, pair, "again", 5);
        conf_pair_close(run, pair);
    }
}

void conf_case_completion_carries_tag_and_generation(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 4});
    conf_side *server = &run->server;

    /* The ledger compares tag, slot and generation of every completion; here with all kinds, on
     * slots and generations that differ. */
    for (uint32_t i = 0; i < 8u; i++) {
        conf_pair pair = conf_pair_open(run, i, 15u - i);
        uint32_t recv = conf_recv(server, pair.server);

        (void)conf_send(&run->client, pair.client, "tagged", 6);
        (void)conf_shutdown(&run->client, pair.client);
        CONF_WAIT(run, conf_done(server, recv));
        CONF_CHECK(run, conf_result(server, recv)->bytes == 6u);
        if (i % 2u == 0) {
            conf_pair_close(run, pair);
        }
    }
}

void conf_case_submit_stops_at_first_refusal(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *client = &run->client;
    uint32_t recv = conf_recv(&run->server, pair.server);
    uint32_t first;
    rs_status why;
    rs_op ops[3];

    for (uint32_t i = 0; i < 3u; i++) {
        conf_tx(client, pair.client)[i] = (uint8_t)('a' + (int)i);
        ops[i] = conf_op_send(client, pair.client, conf_tx(client, pair.client) + i, 1);
    }
    ops[1].generation++;
    CONF_CHECK(run, conf_submit(client, ops, 3, &why, &first) == 1u);
    CONF_STATUS(run, why, RS_E_STALE);
    CONF_WAIT(run, conf_done(client, first) && conf_done(&run->server, recv));
    CONF_CHECK(run, conf_result(&run->server, recv)->bytes == 1u);
    recv = conf_recv(&run->server, pair.server);
    conf_settle(run);
    CONF_CHECK(run, !conf_done(&run->server, recv)); /* nothing behind the refused one went out */
}

void conf_case_more_receives_than_reserved_is_refused(conf_run *run) {
    uint32_t recv[RS_RECVS_IN_FLIGHT_MAX], recvs;
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *server = &run->server;
    uint8_t *data = conf_rx(server, pair.server);
    recvs = run->config.tuning.recvs;
    for (uint32_t i = 0; i < recvs; i++) {
        recv[i] = conf_must(server, conf_op_recv(server, pair.server, data + (size_t)i * 16u, 16));
    }
    conf_must_refuse(server, conf_op_recv(server, pair.server, data + 16u * (size_t)recvs, 16),
                     RS_E_FULL);
    (void)conf_send(&run->client, pair.client, "one", 3);
    CONF_WAIT(run, conf_done(server, recv[0]));
    recv[0] = conf_must(server, conf_op_recv(server, pair.server, data + 16u * (size_t)recvs, 16));
    (void)conf_send(&run->client, pair.client, "two", 3);
    CONF_WAIT(run, conf_done(server, recv[1u % recvs]));
    CONF_CHECK(run, memcmp(data + 16, "two", 3) == 0);
}

void conf_case_more_sends_than_reserved_is_refused(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 3});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *client = &run->client;
    uint32_t first;
    rs_status why;
    rs_op ops[4];

    for (uint32_t i = 0; i < 4u; i++) {
        ops[i] = conf_op_send(client, pair.client, conf_tx(client, pair.client) + i, 1);
    }
    CONF_CHECK(run, conf_submit(client, ops, 4, &why, &first) == 3u);
    CONF_STATUS(run, why, RS_E_FULL);
    CONF_WAIT(run, conf_done(client, first + 2u));
    for (uint32_t i = 0; i < 3u; i++) { /* there is room again, one by one too */
        (void)conf_must(client, ops[i]);
    }
    conf_must_refuse(client, ops[3], RS_E_FULL); /* in flight is what was not polled yet */
}

void conf_case_bad_arguments_are_refused(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *client = &run->client;
    rs_op op = conf_op_send(client, pair.client, conf_tx(client, pair.client), 0);

    conf_must_refuse(client, op, RS_E_INVALID); /* a SEND of nothing */
    op.kind = RS_OP_RECV;
    conf_must_refuse(client, op, RS_E_INVALID); /* a RECV without room */
    op.bytes = 16;
    op.kind = RS_OP_NONE;
    conf_must_refuse(client, op, RS_E_INVALID);
    op.kind = RS_OP_ACCEPT; /* completions only */
    conf_must_refuse(client, op, RS_E_INVALID);
    op.kind = RS_OP_RECV;
    op.conn = run->config.conns_max;
    conf_must_refuse(client, op, RS_E_INVALID);
    conf_echo_once(run, pair, "unharmed", 8);
}

/* Where memory is registered, an op must lie in its region: the last byte is in, the next is not.
 */
void conf_case_slices_outside_of_the_region_are_refused(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *client = &run->client;
    uint8_t *end = client->memory + client->memory_bytes;
    rs_op op = conf_op_send(client, pair.client, end - 16, 16);
    uint32_t recv = conf_recv(&run->server, pair.server);
    uint32_t sent = conf_must(client, op);

    CONF_WAIT(run, conf_done(client, sent) && conf_done(&run->server, recv));
    CONF_STATUS(run, conf_result(client, sent)->status, RS_OK);
    CONF_CHECK(run, conf_result(&run->server, recv)->bytes == 16u);
    if (strcmp(run->api->name, "rio") != 0) {
        return; /* nothing is registered: any memory will do */
    }
    for (uint32_t kind = RS_OP_RECV; kind <= RS_OP_SEND; kind++) {
        op = conf_op_send(client, pair.client, end - 16, 17);
        op.kind = (uint8_t)kind;
        conf_must_refuse(client, op, RS_E_INVALID);
        op.u.data = end;
        op.bytes = 1;
        conf_must_refuse(client, op, RS_E_INVALID);
        op.u.data = client->memory - 1;
        conf_must_refuse(client, op, RS_E_INVALID);
        op.u.data = client->memory;
        op.region = (uint16_t)(client->region.value + 1u); /* registered by nobody */
        conf_must_refuse(client, op, RS_E_INVALID);
        op.region = RS_REGIONS_MAX;
        conf_must_refuse(client, op, RS_E_INVALID);
    }
    conf_echo_once(run, pair, "unharmed", 8);
}

/* Everything that open reserved for, at once and before anything is polled. */
void conf_case_full_capacity_with_ops_in_flight(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.conns = CONTRACT_CONNS, .sends = 4});
    conf_side *server = &run->server;
    rs_status why;

    for (uint32_t i = 0; i < CONTRACT_CONNS; i++) {
        (void)conf_pair_open(run, i, CONTRACT_CONNS - 1u - i);
    }
    for (uint32_t round = 0; round < 3u; round++) {
        bool last = round == 2u;

        for (uint32_t i = 0; i < CONTRACT_CONNS; i++) {
            uint8_t *data = conf_tx(server, i);
            const rs_op ops[7] = {
                conf_op_recv(server, i, conf_rx(server, i), 64),
                conf_op_send(server, i, data, 64),
                conf_op_send(server, i, data + 64, 64),
                conf_op_send(server, i, data + 128, 64),
                conf_op_send(server, i, data + 192, 64),
                conf_op_plain(server, i, RS_OP_SHUTDOWN, 0),
                conf_op_plain(server, i, RS_OP_CLOSE, 0),
            };

            CONF_CHECK(run,
                       conf_submit(server, ops, last ? 7u : 5u, &why, NULL) == (last ? 7u : 5u));
        }
        for (uint32_t i = 0; i < CONTRACT_CONNS; i++) {
            (void)conf_send(&run->client, i, "let the receive complete", 24);
        }
        CONF_WAIT(run, server->outstanding == 0 && run->client.outstanding == 0);
    }
}
