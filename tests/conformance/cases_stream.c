/* SPDX-License-Identifier: MIT */
/* Cases about bytes: they arrive, whole, in order, once, and only where they were sent to.
 *
 * Set up: one or two connected pairs. A pass is decided by comparing every received byte with what
 * was sent (a numbered pattern for the long ones) and by the ledger. */
#include "harness.h"

#include <string.h>

#include "core/assert.h"

#define STREAM_LARGE_BYTES (UINT64_C(8) * 1024 * 1024)
#define STREAM_SMALL_BUFFER 16384

void conf_case_accept_and_echo(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 3, 5);

    for (uint32_t i = 0; i < 10u; i++) {
        conf_echo_once(run, pair, "the quick brown fox", 19);
    }
    conf_pair_close(run, pair);
}

void conf_case_one_byte_trickle(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    for (uint32_t i = 0; i < 200u; i++) {
        const uint8_t byte = conf_pattern(i);

        conf_echo_once(run, pair, &byte, 1);
    }
}

void conf_case_maximum_frame_both_ways(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 1, 2);
    conf_sender there = conf_sender_make(&run->client, pair.client, RS_FRAME_BYTES_MAX);
    conf_receiver there_end = conf_receiver_make(&run->server, pair.server);
    conf_sender back = conf_sender_make(&run->server, pair.server, RS_FRAME_BYTES_MAX);
    conf_receiver back_end = conf_receiver_make(&run->client, pair.client);

    conf_transfer(run, &there, &there_end);
    conf_transfer(run, &back, &back_end);
}

static bool stream_both_done(conf_sender *up, conf_receiver *up_end, conf_sender *down,
                             conf_receiver *down_end) {
    (void)conf_sender_step(up);
    (void)conf_sender_step(down);
    (void)conf_receiver_step(up_end);
    (void)conf_receiver_step(down_end);
    return conf_sender_done(up) && conf_sender_done(down) && up_end->offset >= up->total &&
           down_end->offset >= down->total;
}

void conf_case_large_transfer_8MiB_both_ways_is_verified(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 4});
    conf_pair pair = conf_pair_open(run, 0, 1);
    conf_sender up = conf_sender_make(&run->client, pair.client, STREAM_LARGE_BYTES);
    conf_sender down = conf_sender_make(&run->server, pair.server, STREAM_LARGE_BYTES);
    conf_receiver up_end = conf_receiver_make(&run->server, pair.server);
    conf_receiver down_end = conf_receiver_make(&run->client, pair.client);

    CONF_WAIT(run, stream_both_done(&up, &up_end, &down, &down_end));
    CONF_CHECK(run, up_end.offset == STREAM_LARGE_BYTES && !up_end.ended);
    CONF_CHECK(run, down_end.offset == STREAM_LARGE_BYTES && !down_end.ended);
}

static bool stream_has(conf_receiver *receiver, uint64_t bytes) {
    (void)conf_receiver_step(receiver);
    return receiver->offset == bytes;
}

void conf_case_sends_complete_in_order(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = RS_SENDS_IN_FLIGHT_MAX});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_receiver receiver = conf_receiver_make(&run->server, pair.server);
    uint32_t last = 0;

    for (uint32_t i = 0; i < RS_SENDS_IN_FLIGHT_MAX; i++) {
        uint8_t part[32];

        conf_fill(part, sizeof part, i * sizeof part);
        last = conf_send(&run->client, pair.client, part, sizeof part);
    }
    /* The ledger checks the order of completion, the receiver that of the bytes. */
    CONF_WAIT(run,
              stream_has(&receiver, RS_SENDS_IN_FLIGHT_MAX * 32u) && conf_done(&run->client, last));
}

void conf_case_gathered_sends_each_complete(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 8});
    conf_pair pair = conf_pair_open(run, 2, 2);
    conf_receiver receiver = conf_receiver_make(&run->server, pair.server);
    conf_side *client = &run->client;
    uint8_t *data = conf_tx(client, pair.client);
    uint32_t first, at = 0;
    rs_op ops[8];
    rs_status why;

    conf_fill(data, 360, 0);
    for (uint32_t i = 0; i < 8u; i++) { /* of 10, 20, ... 80 bytes */
        ops[i] = conf_op_send(client, pair.client, data + at, (i + 1u) * 10u);
        at += (i + 1u) * 10u;
    }
    CONF_CHECK(run, conf_submit(client, ops, 8, &why, &first) == 8u);
    CONF_WAIT(run, stream_has(&receiver, 360) && conf_done(client, first + 7u));
    for (uint32_t i = 0; i < 8u; i++) {
        CONF_STATUS(run, conf_result(client, first + i)->status, RS_OK);
        CONF_CHECK(run, conf_result(client, first + i)->bytes == (i + 1u) * 10u);
    }
}

void conf_case_sends_of_two_connections_do_not_mix(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 4});
    conf_side *client = &run->client, *server = &run->server;
    conf_pair pairs[2] = {conf_pair_open(run, 0, 0), conf_pair_open(run, 1, 1)};
    uint32_t got[2] = {0, 0}, recv[2], first;
    rs_op ops[8];
    rs_status why;

    for (uint32_t i = 0; i < 8u; i++) { /* a a b a b b a b: runs and changes */
        uint32_t to = (0xB4u >> i) & 1u;
        uint8_t *data = conf_tx(client, to) + (size_t)i * 16u;

        memset(data, 'a' + (int)to, 16);
        ops[i] = conf_op_send(client, pairs[to].client, data, 16);
    }
    CONF_CHECK(run, conf_submit(client, ops, 8, &why, &first) == 8u);
    for (uint32_t i = 0; i < 2u; i++) {
        while (got[i] < 64u) {
            recv[i] = conf_recv(server, pairs[i].server);
            CONF_WAIT(run, conf_done(server, recv[i]));
            CONF_CHECK(run, conf_result(server, recv[i])->bytes > 0);
            for (uint32_t k = 0; k < conf_result(server, recv[i])->bytes; k++) {
                CONF_CHECK(run, conf_rx(server, pairs[i].server)[k] == 'a' + (int)i);
            }
            got[i] += conf_result(server, recv[i])->bytes;
        }
        CONF_CHECK(run, got[i] == 64u);
    }
}

void conf_case_receive_waits_for_data(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->server, pair.server);

    conf_settle(run);
    CONF_CHECK(run, !conf_done(&run->server, recv));
    (void)conf_send(&run->client, pair.client, "x", 1);
    CONF_WAIT(run, conf_done(&run->server, recv));
    CONF_CHECK(run, conf_result(&run->server, recv)->bytes == 1u);
    CONF_CHECK(run, conf_rx(&run->server, pair.server)[0] == 'x');
}

void conf_case_data_before_attach_is_received(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_side *server = &run->server;
    uint32_t connect = conf_connect(&run->client, 0, conf_server_addr(run));

    CONF_WAIT(run, conf_done(&run->client, connect));
    uint32_t sent = conf_send(&run->client, 0, "early", 5);
    CONF_WAIT(run, conf_done(&run->client, sent) && server->accepted_count == 1u);
    conf_settle(run);
    conf_attach(server, 9);
    uint32_t recv = conf_recv(server, 9);
    CONF_WAIT(run, conf_done(server, recv));
    CONF_CHECK(run, conf_result(server, recv)->bytes == 5u);
    CONF_CHECK(run, memcmp(conf_rx(server, 9), "early", 5) == 0);
}

void conf_case_blocked_send_resumes_when_peer_reads(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.buffer_bytes = STREAM_SMALL_BUFFER});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->server, pair.server, CONF_UNLIMITED);
    conf_receiver receiver = conf_receiver_make(&run->client, pair.client);

    conf_block(run, &sender);
    sender.total = sender.offset;
    conf_transfer(run, &sender, &receiver);
}

void conf_case_tuned_buffers_still_deliver(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 3, .buffer_bytes = 4096});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->client, pair.client, 1000000);
    conf_receiver receiver = conf_receiver_make(&run->server, pair.server);

    conf_transfer(run, &sender, &receiver);
}

/* ---- several receives, where the back end takes them */

#define STREAM_RECV_BYTES 700u

typedef struct stream_receives {
    conf_side *side;
    uint32_t slot, count, next; /* next: the oldest */
    uint32_t op[RS_RECVS_IN_FLIGHT_MAX];
    uint64_t offset; /* received and verified */
    uint32_t ends;   /* receives that told of the end of the stream */
} stream_receives;

static uint8_t *stream_slice(const stream_receives *r, uint32_t i) {
    return conf_rx(r->side, r->slot) + (size_t)i * STREAM_RECV_BYTES;
}

static void stream_post(stream_receives *r, uint32_t i) {
    r->op[i] =
        conf_must(r->side, conf_op_recv(r->side, r->slot, stream_slice(r, i), STREAM_RECV_BYTES));
}

static stream_receives stream_open(conf_side *side, uint32_t slot) {
    stream_receives r = {.side = side, .slot = slot, .count = side->run->config.tuning.recvs};
    RS_ASSERT(r.count * STREAM_RECV_BYTES <= CONF_SLICE_BYTES);
    for (uint32_t i = 0; i < r.count; i++) {
        stream_post(&r, i);
    }
    return r;
}

/* Takes the oldest receives that are done, and posts each again until the stream has ended. */
static bool stream_step(stream_receives *r) {
    conf_run *run = r->side->run;
    while (r->ends < r->count && conf_done(r->side, r->op[r->next])) {
        const conf_op *one = conf_result(r->side, r->op[r->next]);
        const uint8_t *data = stream_slice(r, r->next);
        CONF_STATUS(run, one->status, RS_OK);
        for (uint32_t i = 0; i < one->bytes; i++) {
            CONF_CHECK(run, data[i] == conf_pattern(r->offset + i));
        }
        r->offset += one->bytes;
        CONF_CHECK(run, one->bytes == 0 || r->ends == 0); /* nothing behind the end */
        if (one->bytes == 0) {
            r->ends++;
        } else {
            stream_post(r, r->next);
        }
        r->next = (r->next + 1u) % r->count;
    }
    return r->ends == r->count;
}

static bool stream_moves(stream_receives *r, conf_sender *sender) {
    (void)conf_sender_step(sender);
    (void)stream_step(r);
    return conf_sender_done(sender) && r->offset == sender->total;
}

void conf_case_receives_are_filled_in_the_order_of_the_stream(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.recvs = 4});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->client, pair.client, 300000);
    stream_receives receives = stream_open(&run->server, pair.server);

    CONF_WAIT(run, stream_moves(&receives, &sender));
    CONF_CHECK(run, receives.ends == 0);
    conf_pair_close(run, pair);
}

void conf_case_end_of_stream_ends_every_receive(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.recvs = 4});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->client, pair.client, 5000);
    stream_receives receives = stream_open(&run->server, pair.server);

    CONF_WAIT(run, stream_moves(&receives, &sender));
    (void)conf_shutdown(&run->client, pair.client);
    CONF_WAIT(run, stream_step(&receives));
    CONF_CHECK(run, receives.offset == 5000);
    conf_pair_close(run, pair);
}
