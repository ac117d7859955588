/* SPDX-License-Identifier: MIT */
/* Cases about ends: half-close, reset, close, abort, and what happens to requests in flight.
 *
 * Set up: a connected pair, some requests in flight. A pass is decided by the status of each
 * request, the bytes the other end still got, and the ledger (CLOSE last, each request once). */
#include "harness.h"

#define CLOSE_SMALL_BUFFER 16384

/* A pair whose server end has sends in flight that cannot move: the client does not read. */
static conf_pair close_next_blocked_pair(conf_run *run, conf_sender *sender, uint32_t number) {
    conf_pair pair = conf_pair_open(run, number + 1u, number + 2u);
    *sender = conf_sender_make(&run->server, pair.server, CONF_UNLIMITED);
    conf_block(run, sender);
    return pair;
}

static conf_pair close_blocked_pair(conf_run *run, conf_sender *sender) {
    conf_open_listening(run, &(conf_setup){.buffer_bytes = CLOSE_SMALL_BUFFER});
    return close_next_blocked_pair(run, sender, 0);
}

/* from sends a tail and ends its stream; to gets it all, then the end, and answers. */
static void close_half(conf_run *run, conf_side *from, uint32_t from_slot, conf_side *to,
                       uint32_t to_slot) {
    conf_sender sender = conf_sender_make(from, from_slot, 300000);
    conf_receiver receiver = conf_receiver_make(to, to_slot);
    uint32_t shutdown = CONF_NOTHING;
    CONF_WAIT(run, conf_sender_step(&sender));
    shutdown = conf_shutdown(from, from_slot);
    conf_receive_end(run, &receiver, sender.total);
    CONF_WAIT(run, conf_done(from, shutdown) && conf_sender_done(&sender));
    CONF_STATUS(run, conf_result(from, shutdown)->status, RS_OK);

    conf_sender answer = conf_sender_make(to, to_slot, 300000);
    conf_receiver answer_end = conf_receiver_make(from, from_slot);
    conf_transfer(run, &answer, &answer_end);
}

void conf_case_half_close_by_client_delivers_tail(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    close_half(run, &run->client, pair.client, &run->server, pair.server);
}

void conf_case_half_close_by_server_delivers_tail(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    close_half(run, &run->server, pair.server, &run->client, pair.client);
}

void conf_case_zero_bytes_means_end_and_sending_stays_usable(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->server, pair.server);
    uint32_t answer = conf_recv(&run->client, pair.client);

    (void)conf_shutdown(&run->client, pair.client);
    CONF_WAIT(run, conf_done(&run->server, recv));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_OK);
    CONF_CHECK(run, conf_result(&run->server, recv)->bytes == 0);
    (void)conf_send(&run->server, pair.server, "still here", 10);
    CONF_WAIT(run, conf_done(&run->client, answer));
    CONF_STATUS(run, conf_result(&run->client, answer)->status, RS_OK);
    CONF_CHECK(run, conf_result(&run->client, answer)->bytes == 10u);
}

void conf_case_end_of_stream_repeats(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);

    (void)conf_shutdown(&run->client, pair.client);
    for (uint32_t i = 0; i < 3u; i++) {
        uint32_t recv = conf_recv(&run->server, pair.server);

        CONF_WAIT(run, conf_done(&run->server, recv));
        CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_OK);
        CONF_CHECK(run, conf_result(&run->server, recv)->bytes == 0);
    }
}

void conf_case_data_and_end_at_once_arrive_in_order(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_receiver receiver = conf_receiver_make(&run->server, pair.server);
    uint8_t data[100];

    conf_fill(data, sizeof data, 0);
    (void)conf_send(&run->client, pair.client, data, sizeof data);
    uint32_t closed = conf_close(&run->client, pair.client, 0);
    CONF_WAIT(run, conf_done(&run->client, closed));
    conf_settle(run); /* both have arrived before the first receive is asked for */
    conf_receive_end(run, &receiver, sizeof data);
}

void conf_case_shutdown_waits_for_earlier_sends(conf_run *run) {
    conf_sender sender;
    conf_pair pair = close_blocked_pair(run, &sender);
    conf_receiver receiver = conf_receiver_make(&run->client, pair.client);
    uint32_t shutdown = conf_shutdown(&run->server, pair.server);
    conf_receive_end(run, &receiver, sender.offset);
    CONF_WAIT(run, conf_done(&run->server, shutdown) && conf_sender_done(&sender));
    CONF_STATUS(run, conf_result(&run->server, shutdown)->status, RS_OK);
}

void conf_case_reset_with_recv_in_flight(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->server, pair.server);

    conf_settle(run);
    (void)conf_close(&run->client, pair.client, RS_OPF_ABORT);
    CONF_WAIT(run, conf_done(&run->server, recv));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_RESET);
}

/* Four receives, where the back end takes them. Returns how many. */
static uint32_t close_many_recvs(conf_run *run, conf_pair *pair, uint32_t *recv) {
    conf_open_listening(run, &(conf_setup){.recvs = 4});
    *pair = conf_pair_open(run, 0, 0);
    for (uint32_t i = 0; i < run->config.tuning.recvs; i++) {
        recv[i] = conf_must(
            &run->server, conf_op_recv(&run->server, pair->server,
                                       conf_rx(&run->server, pair->server) + (size_t)i * 16u, 16));
    }
    conf_settle(run);
    return run->config.tuning.recvs;
}

void conf_case_reset_ends_every_receive(conf_run *run) {
    uint32_t recv[RS_RECVS_IN_FLIGHT_MAX];
    conf_pair pair;
    const uint32_t recvs = close_many_recvs(run, &pair, recv);
    (void)conf_close(&run->client, pair.client, RS_OPF_ABORT);
    CONF_WAIT(run, conf_done(&run->server, recv[recvs - 1u]));
    for (uint32_t i = 0; i < recvs; i++) {
        CONF_STATUS(run, conf_result(&run->server, recv[i])->status, RS_E_RESET);
    }
}

void conf_case_close_aborts_every_receive(conf_run *run) {
    uint32_t recv[RS_RECVS_IN_FLIGHT_MAX], ended;
    conf_pair pair;
    const uint32_t recvs = close_many_recvs(run, &pair, recv);
    const uint32_t closed = conf_close(&run->server, pair.server, 0);
    CONF_WAIT(run, conf_done(&run->server, closed));
    for (uint32_t i = 0; i < recvs; i++) {
        CONF_STATUS(run, conf_result(&run->server, recv[i])->status, RS_E_ABORTED);
    }
    ended = conf_recv(&run->client, pair.client);
    CONF_WAIT(run, conf_done(&run->client, ended)); /* an orderly end: no reset */
    CONF_STATUS(run, conf_result(&run->client, ended)->status, RS_OK);
    CONF_CHECK(run, conf_result(&run->client, ended)->bytes == 0);
}

void conf_case_reset_with_send_in_flight(conf_run *run) {
    conf_sender sender;
    conf_pair pair = close_blocked_pair(run, &sender);
    uint32_t last = sender.ops[(sender.next + 1u) % run->config.sends_per_conn];
    (void)conf_close(&run->client, pair.client, RS_OPF_ABORT);
    CONF_WAIT(run, conf_sender_done(&sender));
    CONF_STATUS(run, conf_result(&run->server, last)->status, RS_E_RESET);
}

void conf_case_reset_without_request_is_told_later(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t closed = conf_close(&run->client, pair.client, RS_OPF_ABORT);

    CONF_WAIT(run, conf_done(&run->client, closed));
    conf_settle(run);
    uint32_t recv = conf_recv(&run->server, pair.server);
    CONF_WAIT(run, conf_done(&run->server, recv));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_RESET);
    uint32_t sent = conf_send(&run->server, pair.server, "late", 4);
    CONF_WAIT(run, conf_done(&run->server, sent));
    CONF_STATUS(run, conf_result(&run->server, sent)->status, RS_E_RESET);
}

void conf_case_reset_found_by_send_is_told_to_receive(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t closed = conf_close(&run->client, pair.client, RS_OPF_ABORT);

    CONF_WAIT(run, conf_done(&run->client, closed));
    conf_settle(run);
    uint32_t sent = conf_send(&run->server, pair.server, "late", 4);
    CONF_WAIT(run, conf_done(&run->server, sent));
    CONF_STATUS(run, conf_result(&run->server, sent)->status, RS_E_RESET);
    uint32_t recv = conf_recv(&run->server, pair.server); /* no end of stream: a reset */
    CONF_WAIT(run, conf_done(&run->server, recv));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_RESET);
}

void conf_case_close_with_recv_in_flight_aborts_it(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->server, pair.server);

    conf_settle(run);
    uint32_t closed = conf_close(&run->server, pair.server, 0);
    CONF_WAIT(run, conf_done(&run->server, closed));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_ABORTED);
    recv = conf_recv(&run->client, pair.client);
    CONF_WAIT(run, conf_done(&run->client, recv)); /* an orderly end: no reset */
    CONF_STATUS(run, conf_result(&run->client, recv)->status, RS_OK);
    CONF_CHECK(run, conf_result(&run->client, recv)->bytes == 0);
}

/* The client reads to the end of the stream: all of `bytes`, and no reset before or after. */
static void close_client_gets(conf_run *run, uint32_t slot, uint64_t bytes) {
    conf_receiver receiver = conf_receiver_make(&run->client, slot);
    conf_receive_end(run, &receiver, bytes);
}

/* Orderly and abortive in turn. */
static uint8_t close_flags(uint32_t round) {
    return (uint8_t)(round % 2u == 0 ? 0u : RS_OPF_ABORT);
}

/* Lets what is on the way arrive at the server's end without asking the server for it. */
static void close_let_arrive(conf_run *run) {
    for (uint32_t i = 0; i < 30u; i++) {
        (void)conf_poll_side(&run->client, run->cap, 1000000);
        if (run->instance->idle != NULL) {
            run->instance->idle(run->world);
        }
    }
}

/* The client has not read anything when the server, which waits for more, closes. */
void conf_case_close_with_recv_in_flight_delivers_what_was_sent(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->server, pair.server, 40000);
    uint32_t recv = conf_recv(&run->server, pair.server);

    CONF_WAIT(run, conf_sender_step(&sender));
    conf_settle(run);
    uint32_t closed = conf_close(&run->server, pair.server, 0);
    CONF_WAIT(run, conf_done(&run->server, closed));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_ABORTED);
    close_client_gets(run, pair.client, sender.total);
}

/* Left unread, it would make the kernel answer the close with a reset. */
void conf_case_close_with_unread_input_delivers_what_was_sent(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_sender sender = conf_sender_make(&run->server, pair.server, 40000);
    uint8_t unread[1000] = {0};

    (void)conf_send(&run->client, pair.client, unread, sizeof unread);
    conf_settle(run);
    CONF_WAIT(run, conf_sender_step(&sender));
    uint32_t closed = conf_close(&run->server, pair.server, 0);
    CONF_WAIT(run, conf_done(&run->server, closed));
    close_client_gets(run, pair.client, sender.total);
}

/* The receive has its data, or is about to have them, when the connection is closed: it completes
 * with them or as aborted, and no other way. */
void conf_case_close_over_data_not_polled_yet(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 4u; i++) {
        conf_pair pair = conf_pair_open(run, i, i);
        uint32_t recv = conf_recv(&run->server, pair.server);

        conf_settle(run);
        (void)conf_send(&run->client, pair.client, "data", 4);
        close_let_arrive(run);
        uint32_t closed = conf_close(&run->server, pair.server, close_flags(i));
        CONF_WAIT(run, conf_done(&run->server, closed));
        const conf_op *told = conf_result(&run->server, recv);
        CONF_CHECK(run, told->status == RS_E_ABORTED || told->status == RS_OK);
        CONF_CHECK(run, told->status == RS_OK ? told->bytes == 4u : told->bytes == 0);
    }
}

/* Whatever the kernel calls it: we have closed. Under Wine a reset may read as an end. In the
 * simulated network the receive has reached its result before the close. */
void conf_case_close_over_a_reset_not_polled_yet_is_aborted(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 4u; i++) {
        conf_pair pair = conf_pair_open(run, i, i);
        uint32_t recv = conf_recv(&run->server, pair.server);

        conf_settle(run);
        (void)conf_close(&run->client, pair.client, RS_OPF_ABORT);
        close_let_arrive(run);
        uint32_t closed = conf_close(&run->server, pair.server, close_flags(i));
        CONF_WAIT(run, conf_done(&run->server, closed));
        const conf_op *told = conf_result(&run->server, recv);
        CONF_CHECK(run, told->bytes == 0);
        CONF_CHECK(run, told->status == RS_E_ABORTED || told->status == RS_OK ||
                            run->instance->world_open != NULL);
    }
}

/* What was deferred to the end of the batch is handed to the kernel, or given up, before the socket
 * is closed; either way each request has its completion. */
void conf_case_close_in_the_batch_of_its_requests(conf_run *run) {
    conf_open_listening(run, NULL);
    for (uint32_t i = 0; i < 8u; i++) {
        conf_pair pair = conf_pair_open(run, i, i);
        conf_side *server = &run->server;
        uint8_t flags = close_flags(i);
        uint32_t first;
        rs_status why;
        const rs_op ops[] = {
            conf_op_recv(server, i, conf_rx(server, i), 64),
            conf_op_send(server, i, conf_tx(server, i), 64),
            conf_op_plain(server, i, RS_OP_CLOSE, flags),
        };

        conf_fill(conf_tx(server, i), 64, 0);
        CONF_CHECK(run, conf_submit(server, ops, 3, &why, &first) == 3u);
        CONF_WAIT(run, conf_done(server, first + 2u));
        if (flags == 0) {
            CONF_STATUS(run, conf_result(server, first + 1u)->status, RS_OK);
            close_client_gets(run, pair.client, 64);
        }
    }
}

void conf_case_close_with_sends_in_flight_delivers_them(conf_run *run) {
    conf_sender sender;
    conf_pair pair = close_blocked_pair(run, &sender);
    conf_receiver receiver = conf_receiver_make(&run->client, pair.client);
    uint32_t closed = conf_close(&run->server, pair.server, 0);
    conf_receive_end(run, &receiver, sender.offset);
    CONF_WAIT(run, conf_done(&run->server, closed));
    for (uint32_t i = 0; i < run->config.sends_per_conn; i++) {
        CONF_STATUS(run, conf_result(&run->server, sender.ops[i])->status, RS_OK);
    }
}

void conf_case_close_is_told_last(conf_run *run) {
    conf_open_listening(run, &(conf_setup){.sends = 4});
    conf_pair pair = conf_pair_open(run, 0, 0);
    conf_side *server = &run->server;
    uint8_t *data = conf_tx(server, pair.server);
    uint32_t first;
    rs_status why;
    const rs_op ops[7] = {
        conf_op_recv(server, pair.server, conf_rx(server, pair.server), 64),
        conf_op_send(server, pair.server, data, 8),
        conf_op_send(server, pair.server, data + 8, 8),
        conf_op_send(server, pair.server, data + 16, 8),
        conf_op_send(server, pair.server, data + 24, 8),
        conf_op_plain(server, pair.server, RS_OP_SHUTDOWN, 0),
        conf_op_plain(server, pair.server, RS_OP_CLOSE, 0),
    };

    conf_fill(data, 32, 0);
    CONF_CHECK(run, conf_submit(server, ops, 7, &why, &first) == 7u);
    CONF_WAIT(run, conf_done(server, first + 6u)); /* the ledger knows that all others were told */
    conf_receiver receiver = conf_receiver_make(&run->client, pair.client);
    conf_receive_end(run, &receiver, 32u);
}

void conf_case_abort_close_resets_peer(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->client, pair.client);

    conf_settle(run);
    uint32_t closed = conf_close(&run->server, pair.server, RS_OPF_ABORT);
    CONF_WAIT(run, conf_done(&run->server, closed) && conf_done(&run->client, recv));
    CONF_STATUS(run, conf_result(&run->client, recv)->status, RS_E_RESET);
}

void conf_case_abort_close_cancels_sends(conf_run *run) {
    conf_sender sender;
    conf_pair pair = close_blocked_pair(run, &sender);
    uint32_t last = sender.ops[(sender.next + 1u) % run->config.sends_per_conn];
    uint32_t closed = conf_close(&run->server, pair.server, RS_OPF_ABORT);
    CONF_WAIT(run, conf_done(&run->server, closed));
    CONF_STATUS(run, conf_result(&run->server, last)->status, RS_E_ABORTED);
}

void conf_case_plain_close_escalates_to_abort_once(conf_run *run) {
    conf_sender sender;
    conf_pair pair = close_blocked_pair(run, &sender);
    conf_side *server = &run->server;
    uint32_t closed = conf_close(server, pair.server, 0);
    conf_settle(run);
    /* The peer does not read, so it waits; but the kernel may find room for the rest, late. */
    for (uint32_t number = 1; conf_done(server, closed); number++) {
        CONF_CHECK(run, number <= 4u);
        pair = close_next_blocked_pair(run, &sender, number);
        closed = conf_close(server, pair.server, 0);
        conf_settle(run);
    }
    uint32_t last = sender.ops[(sender.next + 1u) % run->config.sends_per_conn];
    (void)conf_close(server, pair.server, RS_OPF_ABORT);
    conf_must_refuse(server, conf_op_plain(server, pair.server, RS_OP_CLOSE, RS_OPF_ABORT),
                     RS_E_CLOSED);
    CONF_WAIT(run, conf_done(server, closed)); /* the first one's; the second has none */
    CONF_STATUS(run, conf_result(server, last)->status, RS_E_ABORTED);
    conf_settle(run);
}

void conf_case_escalation_of_a_close_not_polled_yet_is_taken(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t closed = conf_close(&run->server, pair.server, 0);

    (void)conf_close(&run->server, pair.server, RS_OPF_ABORT); /* the caller cannot know better */
    conf_must_refuse(&run->server,
                     conf_op_plain(&run->server, pair.server, RS_OP_CLOSE, RS_OPF_ABORT),
                     RS_E_CLOSED);
    CONF_WAIT(run, conf_done(&run->server, closed));
    conf_settle(run); /* the ledger would not know a second completion */
}

/* A back end may have to take the receive back before it can close: the abort does not wait. */
void conf_case_escalation_of_a_close_with_recv_in_flight_is_taken(conf_run *run) {
    conf_open_listening(run, NULL);
    conf_pair pair = conf_pair_open(run, 0, 0);
    uint32_t recv = conf_recv(&run->server, pair.server);

    conf_settle(run);
    uint32_t closed = conf_close(&run->server, pair.server, 0);
    (void)conf_close(&run->server, pair.server, RS_OPF_ABORT);
    CONF_WAIT(run, conf_done(&run->server, closed));
    CONF_STATUS(run, conf_result(&run->server, recv)->status, RS_E_ABORTED);
    conf_settle(run);
}
