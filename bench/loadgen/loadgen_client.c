/* SPDX-License-Identifier: MIT */
/* The life of a connection: unused, connecting, open, (finishing,) closing, and again or done.
 *
 * client_room alone decides what may be sent, client_end_life how a life ends; all failures pass
 * through client_fail, which counts the connection in one column and its unanswered requests in the
 * track's. */
#include "loadgen/loadgen_client.h"

#include <string.h>

#include "core/assert.h"
#include "core/frame.h"

#define CLIENT_SLOW_PAUSE_NS UINT64_C(10000000)
#define CLIENT_SLOW_READS 16u /* in which a slow reader takes a whole window */
#define CLIENT_SLOW_BYTES_MIN 64u
#define CLIENT_RETRY_NS UINT64_C(100000000)

void rs_client_init(rs_client *client, const rs_load *load, uint32_t index, uint64_t *sent_ns,
                    uint8_t *send_base, uint8_t *recv_base, uint32_t recv_bytes) {
    const rs_load_settings *s = load->settings;
    *client = (rs_client){
        .index = index,
        .send_base = send_base,
        .recv_base = recv_base,
        .recv_bytes = recv_bytes,
        .role = RS_ROLE_NORMAL,
        .state = RS_CLIENT_UNUSED,
    };
    if (send_base != NULL) {
        rs_track_init(&client->track, sent_ns, rs_track_ring(s->depth));
        client->role = (uint8_t)rs_plan_role_of(index, s->connections, s->reset_percent,
                                                s->half_close_percent, s->slow_percent);
    }
}

static uint32_t client_min(uint64_t a, uint64_t b) {
    return (uint32_t)(a < b ? a : b);
}

/* ---- ends */

static void client_set_done(rs_client *client, rs_load *load) {
    RS_ASSERT(client->state == RS_CLIENT_UNUSED);
    RS_ASSERT(load->not_done > 0);
    client->state = RS_CLIENT_DONE;
    load->not_done--;
    load->senders_left -= client->send_base != NULL;
}

static void client_break(rs_client *client, rs_load *load, bool we_broke_it) {
    RS_ASSERT(client->state != RS_CLIENT_UNUSED && client->state < RS_CLIENT_BREAKING);
    if (client->state == RS_CLIENT_CONNECTING) {
        load->connecting--;
    }
    if (client->track.outstanding > 0) {
        rs_track_end(&client->track, we_broke_it, &load->columns);
    }
    if (load->bots != NULL && client->send_base != NULL) {
        rs_bots_leave(load->bots, client->index);
    }
    client->state = RS_CLIENT_BREAKING;
    client->want_fin = false;
}

/* The only way for a connection to fail: counts it in its column and starts no further life. */
static void client_fail(rs_client *client, rs_load *load, uint64_t *column) {
    (*column)++;
    client->dead = true;
    client_break(client, load, false);
}

/* The server ended or reset it. Servers may and should disconnect slow readers. One that was never
 * answered was not slow yet, and a run must not reconnect it forever. */
static void client_ended(rs_client *client, rs_load *load, uint64_t *column) {
    load->ends.unserved += client->send_base != NULL && !client->answered && !client->last;
    if (client->role == RS_ROLE_SLOW && client->answered && !client->last) {
        load->ends.slow_dropped++;
        client_break(client, load, true);
        return;
    }
    client_fail(client, load, column);
}

static uint64_t *client_error_column(rs_load *load, rs_status status) {
    switch (status) {
    case RS_E_REFUSED:
        return &load->ends.refused;
    case RS_E_RESET:
    case RS_E_ABORTED:
        return &load->ends.reset;
    case RS_E_TIMED_OUT:
        return &load->ends.timed_out;
    default:
        return &load->ends.failed;
    }
}

/* ---- connecting */

static void client_start_life(rs_client *client, rs_load *load) {
    const rs_load_settings *s = load->settings;
    client->state = RS_CLIENT_OPEN;
    client->life++;
    client->recv_used = client->reply_at = 0;
    client->spoilt = false;
    client->broke_off = client->want_fin = client->last = client->answered = false;
    client->wait_until_ns = 0;
    client->quota_left = UINT32_MAX;
    if (client->send_base == NULL) {
        return;
    }
    if (load->push != NULL) {
        load->push[client->index] = (rs_push){.count = 0}; /* as the server begins */
    }
    if (client->role == RS_ROLE_RESET || client->role == RS_ROLE_HALF_CLOSE) {
        client->quota_left = rs_plan_quota(s->seed, client->index, client->life, s->churn_messages);
    } else if (s->churn) {
        client->quota_left = s->churn_messages;
    }
}

/* If the port range is exhausted, Windows returns WSAENOBUFS, Linux EADDRNOTAVAIL. */
static bool client_is_port_shortage(rs_status status) {
    return status == RS_E_ADDRESS || status == RS_E_ADDRESS_IN_USE || status == RS_E_NO_BUFFERS;
}

static void client_connected(rs_client *client, rs_load *load, rs_status status, uint64_t now_ns) {
    if (client->state != RS_CLIENT_CONNECTING) {
        return; /* given up meanwhile */
    }
    if (status == RS_OK) {
        load->connecting--;
        load->ends.connected++;
        client_start_life(client, load);
    } else if (client_is_port_shortage(status) &&
               now_ns - client->since_ns < load->connect_timeout_ns) {
        load->ends.port_waits++;
        client->retry = true;
        client->wait_until_ns = now_ns + CLIENT_RETRY_NS;
        client_break(client, load, true);
    } else {
        client_fail(client, load, client_error_column(load, status));
    }
}

/* The slot is free: another life, or none. */
static void client_closed(rs_client *client, rs_load *load) {
    const bool mortal =
        client->send_base != NULL && (load->settings->churn || client->role != RS_ROLE_NORMAL);
    RS_ASSERT(client->state == RS_CLIENT_CLOSING);
    RS_ASSERT(client->track.outstanding == 0);
    client->state = RS_CLIENT_UNUSED;
    client->sends_in_flight = 0;
    client->send_slot = 0;
    client->recv_in_flight = false;
    if (!client->dead && !client->retry) {
        load->ends.lives++;
    }
    if (client->retry && !load->ending) {
        return; /* the tick reconnects it; it still counts as connecting */
    }
    if (client->dead || load->ending || !mortal) {
        client_set_done(client, load);
        return;
    }
    client->again = true;
}

/* ---- replies */

static void client_batch_flush(rs_load *load) {
    rs_histogram_record_n(&load->uncorrected, load->batch_ns, load->batch_n);
    load->batch_n = 0;
}

static uint64_t client_since(uint64_t then_ns, uint64_t now_ns) {
    return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* When a message was due by the plan: a connection's `sequence`, whose plan began with `base`. */
static uint64_t client_intended_ns(const rs_load *load, uint32_t connection, uint64_t base,
                                   uint64_t sequence) {
    RS_ASSERT(sequence >= base);
    return rs_plan_intended_ns(&load->plan,
                               rs_plan_index(&load->plan, connection, sequence - base));
}

/* A latency of what `client` received: the answer to message `sequence` of `connection`. */
static void client_record(const rs_client *client, rs_load *load, uint32_t connection,
                          uint64_t base, uint64_t sequence, uint64_t sent_ns, uint64_t now_ns) {
    uint64_t latency_ns = client_since(sent_ns, now_ns);
    if (latency_ns != load->batch_ns) {
        client_batch_flush(load);
        load->batch_ns = latency_ns;
    }
    load->batch_n++;
    if (load->settings->rate != 0) {
        if (sequence < base) {
            return;
        }
        latency_ns = client_since(client_intended_ns(load, connection, base, sequence), now_ns);
        rs_histogram_record(&load->corrected, latency_ns);
    }
    if (load->groups != NULL) {
        rs_histogram_record(&load->groups[client->group].latency, latency_ns);
    }
}

void rs_client_count_unsent(const rs_client *client, rs_load *load, uint64_t due_ns,
                            uint64_t end_ns, uint32_t steps) {
    const uint64_t due = rs_plan_due_of(&load->plan, client->index, due_ns);
    const uint64_t sent = client->track.next - client->plan_base;
    uint64_t left = due > sent ? due - sent : 0;
    left = left < load->messages_left ? left : load->messages_left;
    load->messages_left -= load->messages_left == UINT64_MAX ? 0 : left;
    load->never_sent += left;
    for (uint64_t at = client->track.next; left > 0 && !rs_load_pushes(load->settings);) {
        const uint64_t share = (left + steps - 1u) / steps;
        const uint64_t middle_ns =
            client_intended_ns(load, client->index, client->plan_base, at + share / 2u);

        rs_histogram_record_n(&load->corrected, client_since(middle_ns, end_ns), share);
        if (load->groups != NULL) {
            rs_histogram_record_n(&load->groups[client->group].latency,
                                  client_since(middle_ns, end_ns), share);
        }
        at += share;
        left -= share;
        steps -= steps > 1u;
    }
}

static void client_keep_got(rs_load_wrong *wrong, const uint8_t *data, uint32_t bytes) {
    while (wrong->got_shown < RS_LOAD_SHOWN_BYTES && wrong->offset + wrong->got_shown < bytes) {
        wrong->got[wrong->got_shown] = data[wrong->offset + wrong->got_shown];
        wrong->got_shown++;
    }
}

/* Keeps the first wrong reply, to be shown. */
static void client_keep_wrong(const rs_client *client, rs_load *load, const uint8_t *data,
                              uint32_t bytes) {
    rs_load_wrong *wrong = &load->wrong;
    const uint64_t due = client->track.expected;
    if (wrong->seen) {
        return;
    }
    *wrong = (rs_load_wrong){.seen = true,
                             .asked = client->track.outstanding > 0,
                             .connection = client->index,
                             .sequence = due,
                             .got_bytes = bytes};
    if (wrong->asked) {
        wrong->offset = rs_payload_differs(&load->payload, client->index, due, data, bytes);
        wrong->expected_shown = rs_payload_bytes(&load->payload, client->index, due, wrong->offset,
                                                 wrong->expected, RS_LOAD_SHOWN_BYTES);
    }
    client_keep_got(wrong, data, bytes);
}

/* The same of a piece of a reply, whose first wrong byte is data[at]. */
static void client_keep_part(const rs_client *client, rs_load *load, const uint8_t *data,
                             uint32_t bytes, uint32_t at) {
    rs_load_wrong *wrong = &load->wrong;
    const uint64_t due = client->track.expected;
    if (wrong->seen) {
        return;
    }
    *wrong =
        (rs_load_wrong){.seen = true,
                        .asked = true,
                        .connection = client->index,
                        .sequence = due,
                        .offset = client->reply_at + at,
                        .got_bytes = rs_payload_reply_bytes(&load->payload, client->index, due)};
    wrong->expected_shown = rs_payload_bytes(&load->payload, client->index, due, wrong->offset,
                                             wrong->expected, RS_LOAD_SHOWN_BYTES);
    wrong->got_shown = bytes - at < RS_LOAD_SHOWN_BYTES ? bytes - at : RS_LOAD_SHOWN_BYTES;
    memcpy(wrong->got, data + at, wrong->got_shown);
}

/* The same of a receipt. */
static void client_keep_receipt(const rs_client *client, rs_load *load,
                                const rs_push_receipt *receipt, const uint8_t *data,
                                uint32_t bytes) {
    rs_load_wrong *wrong = &load->wrong;
    if (wrong->seen) {
        return;
    }
    *wrong = (rs_load_wrong){.seen = true,
                             .asked = receipt->frames > 0,
                             .connection = client->index,
                             .sequence = client->track.expected,
                             .got_bytes = bytes,
                             .pushed = receipt->is_receipt ? receipt->frames : 0,
                             .pushed_lost = receipt->lost};
    if (wrong->asked) {
        while (wrong->offset < bytes && wrong->offset < RS_RECEIPT_BYTES &&
               data[wrong->offset] == receipt->expected[wrong->offset]) {
            wrong->offset++;
        }
        wrong->expected_shown = RS_RECEIPT_BYTES - wrong->offset;
        memcpy(wrong->expected, receipt->expected + wrong->offset, wrong->expected_shown);
    }
    client_keep_got(wrong, data, bytes);
}

static void client_count_measured(const rs_client *client, rs_load *load, uint64_t sequence) {
    load->measured++;
    if (load->bots == NULL) {
        load->measured_sent_bytes +=
            rs_payload_request_bytes(&load->payload, client->index, sequence);
        load->measured_received_bytes +=
            rs_payload_reply_bytes(&load->payload, client->index, sequence);
    }
}

/* A reply of any worth. */
static void client_heard(rs_client *client, rs_load *load, uint64_t now_ns) {
    load->last_reply_ns = now_ns;
    if (load->think.mean_ns != 0) {
        client->think_until_ns =
            now_ns + rs_plan_think_ns(&load->think, client->index, client->track.next);
    }
}

/* One that answers a request. */
static void client_served(rs_client *client, rs_load *load, uint64_t now_ns) {
    client->answered = true;
    if (!client->replied) {
        client->replied = true;
        load->first_replies++;
        rs_histogram_record(&load->first_reply, now_ns - load->connect_ns);
    }
}

/* Returns true if it answers a request. */
static bool client_answered(rs_client *client, rs_load *load, rs_payload_verdict verdict,
                            uint64_t sequence, uint64_t now_ns) {
    const uint64_t sent_ns = rs_track_reply(&client->track, verdict, &sequence, &load->columns);
    client_heard(client, load, now_ns);
    if (sent_ns == 0) {
        return false;
    }
    client_served(client, load, now_ns);
    if (load->recording) {
        if (!load->tail) {
            client_count_measured(client, load, sequence);
        }
        client_record(client, load, client->index, client->plan_base, sequence, sent_ns, now_ns);
    }
    return true;
}

static void client_reply(rs_client *client, rs_load *load, const uint8_t *data, uint32_t bytes,
                         uint64_t now_ns) {
    rs_payload_verdict verdict = RS_PAYLOAD_EXPECTED;
    uint64_t sequence = client->track.expected;
    if (load->settings->verify) {
        verdict = rs_payload_check(&load->payload, client->index, sequence, data, bytes, &sequence);
    } else if (bytes != rs_payload_reply_bytes(&load->payload, client->index, sequence)) {
        verdict = RS_PAYLOAD_WRONG;
    }
    if (verdict == RS_PAYLOAD_WRONG) {
        client_keep_wrong(client, load, data, bytes);
    }
    (void)client_answered(client, load, verdict, sequence, now_ns);
}

/* A receipt for what was pushed. Only what it proves is measured, and nothing has a latency. */
static void client_receipt(rs_client *client, rs_load *load, const uint8_t *data, uint32_t bytes,
                           uint64_t now_ns) {
    rs_push_receipt receipt;
    RS_ASSERT(load->push != NULL);
    rs_push_take(&load->push[client->index], data, bytes, load->settings->verify, &receipt);
    if (!receipt.is_right) {
        client_keep_receipt(client, load, &receipt, data, bytes);
    }
    rs_track_receipt(&client->track, receipt.frames, receipt.lost, receipt.is_right,
                     &load->columns);
    client_heard(client, load, now_ns);
    if (!receipt.is_right) {
        return;
    }
    client_served(client, load, now_ns);
    if (load->recording && !load->tail) {
        load->measured += receipt.frames;
        load->measured_sent_bytes += receipt.bytes;
    }
}

/* A frame of the board game: a reply, or what others did. */
static void client_told(rs_client *client, rs_load *load, const uint8_t *data, uint32_t bytes,
                        uint64_t now_ns) {
    rs_bots_event event;
    rs_bots_frame(load->bots, client->index, client->track.expected, data, bytes, &event);
    load->last_reply_ns = now_ns;
    if (event.is_refused) {
        client_fail(client, load, &load->ends.refused);
    } else if (event.is_reply) {
        const bool answers = client_answered(client, load, event.verdict, event.sequence, now_ns);

        load->bots->columns.deliveries += answers && event.sequence > 0;
    } else if (event.sent_ns != 0 && load->recording) {
        load->measured_told += !load->tail;
        client_record(client, load, event.mover, RS_BOTS_FIRST_MOVE, event.seq, event.sent_ns,
                      now_ns);
    }
}

/* The next whole reply at data: RS_OK, RS_E_AGAIN, or RS_E_PROTOCOL when no more can be found. */
static rs_status client_cut(const rs_client *client, const rs_load *load, const uint8_t *data,
                            uint32_t bytes, uint32_t *reply_bytes) {
    if (load->settings->app != RS_LOAD_RAW) {
        return rs_frame_parse(data, bytes,
                              load->bots != NULL ? RS_BOARD_FRAME_BYTES_MAX
                                                 : rs_payload_reply_max(&load->payload),
                              reply_bytes);
    }
    *reply_bytes = rs_payload_reply_bytes(&load->payload, client->index, client->track.expected);
    return bytes >= *reply_bytes ? RS_OK : RS_E_AGAIN;
}

static void client_replies(rs_client *client, rs_load *load, uint64_t now_ns) {
    uint8_t *data = client->recv_base;
    uint32_t at = 0, bytes = 0;
    rs_status status;
    while ((status = client_cut(client, load, data + at, client->recv_used - at, &bytes)) ==
               RS_OK &&
           client->state < RS_CLIENT_BREAKING) {
        if (load->bots != NULL) {
            client_told(client, load, data + at, bytes, now_ns);
        } else if (load->push != NULL) {
            client_receipt(client, load, data + at, bytes, now_ns);
        } else {
            client_reply(client, load, data + at, bytes, now_ns);
        }
        at += bytes;
    }
    client_batch_flush(load);
    RS_ASSERT(at <= client->recv_used);
    if (status == RS_E_PROTOCOL && load->push != NULL) {
        rs_push_receipt none;

        rs_push_take(&load->push[client->index], data + at, client->recv_used - at, true, &none);
        client_keep_receipt(client, load, &none, data + at, client->recv_used - at);
    } else if (status == RS_E_PROTOCOL && load->bots == NULL) {
        client_keep_wrong(client, load, data + at, client->recv_used - at);
    }
    client->recv_used -= at;
    if (client->recv_used > 0 && at > 0) {
        memmove(data, data + at, client->recv_used);
    }
    if (status == RS_E_PROTOCOL &&
        client->state < RS_CLIENT_BREAKING) { /* the stream cannot be cut any more */
        load->columns.received++;
        client_fail(client, load, &load->columns.wrong);
    }
}

/* Bytes that nobody asked for, behind which no more can be cut. */
static void client_unasked(rs_client *client, rs_load *load, const uint8_t *data, uint32_t bytes) {
    rs_load_wrong *wrong = &load->wrong;
    if (!wrong->seen) {
        *wrong = (rs_load_wrong){.seen = true, .connection = client->index, .got_bytes = bytes};
        client_keep_got(wrong, data, bytes);
    }
    load->columns.received++;
    client_fail(client, load, &load->columns.wrong);
}

/* Replies longer than what is received at once: each byte is checked as it comes. */
static void client_stream(rs_client *client, rs_load *load, uint64_t now_ns) {
    const uint8_t *data = client->recv_base;
    uint32_t left = client->recv_used;
    client->recv_used = 0;
    while (left > 0 && client->state < RS_CLIENT_BREAKING) {
        const uint64_t due = client->track.expected;
        const uint32_t whole = rs_payload_reply_bytes(&load->payload, client->index, due);
        const uint32_t part = client_min(left, whole - client->reply_at);
        uint32_t right = part;

        if (client->track.outstanding == 0) {
            client_unasked(client, load, data, left);
            break;
        }
        if (load->settings->verify && !client->spoilt) {
            right =
                rs_payload_part(&load->payload, client->index, due, client->reply_at, data, part);
        }
        if (right < part) {
            client->spoilt = true;
            client_keep_part(client, load, data, part, right);
        }
        client->reply_at += part;
        data += part;
        left -= part;
        if (client->reply_at == whole) {
            const bool spoilt = client->spoilt;

            client->reply_at = 0;
            client->spoilt = false;
            (void)client_answered(client, load, spoilt ? RS_PAYLOAD_WRONG : RS_PAYLOAD_EXPECTED,
                                  due, now_ns);
        }
    }
    client_batch_flush(load);
}

static void client_received_end(rs_client *client, rs_load *load) {
    if (client->state == RS_CLIENT_FINISHING && client->track.outstanding == 0) {
        client_break(client, load, true); /* as it should end */
    } else {
        client_ended(client, load, &load->ends.closed);
    }
}

static void client_received(rs_client *client, rs_load *load, const rs_completion *completion,
                            uint64_t now_ns) {
    RS_ASSERT(client->recv_in_flight);
    RS_ASSERT(completion->bytes <= client->recv_bytes - client->recv_used);
    client->recv_in_flight = false;
    if (client->state >= RS_CLIENT_BREAKING) {
        return;
    }
    if (completion->status != RS_OK) {
        client_ended(client, load, client_error_column(load, (rs_status)completion->status));
    } else if (completion->bytes == 0) {
        client_received_end(client, load);
    } else if (client->send_base == NULL) {
        client_fail(client, load, &load->columns.wrong); /* nothing was asked */
    } else {
        client->recv_used += completion->bytes;
        client->wait_until_ns = now_ns + CLIENT_SLOW_PAUSE_NS;
        if (rs_load_sinks(load->settings)) {
            client_unasked(client, load, client->recv_base, client->recv_used);
        } else if (rs_load_streams(load->settings)) {
            client_stream(client, load, now_ns);
        } else {
            client_replies(client, load, now_ns);
        }
    }
}

/* A sink answers nothing: its messages are done when the kernel has taken them, in their order. */
static void client_taken(rs_client *client, rs_load *load, uint32_t bytes, uint64_t now_ns) {
    uint64_t sequence = client->track.expected;
    uint32_t left = bytes, frames = 0;
    for (; left > 0; frames++) {
        const uint32_t one = rs_payload_request_bytes(&load->payload, client->index, sequence++);

        RS_ASSERT(one <= left);
        left -= one;
    }
    rs_track_receipt(&client->track, frames, 0, true, &load->columns);
    client_heard(client, load, now_ns);
    client_served(client, load, now_ns);
    if (load->recording && !load->tail) {
        load->measured += frames;
        load->measured_sent_bytes += bytes;
    }
}

static void client_sent(rs_client *client, rs_load *load, const rs_completion *completion,
                        uint64_t now_ns) {
    RS_ASSERT(client->sends_in_flight > 0);
    client->sends_in_flight--;
    if (client->state >= RS_CLIENT_BREAKING) {
        return;
    }
    if (completion->status != RS_OK) {
        client_ended(client, load, client_error_column(load, (rs_status)completion->status));
    } else if (completion->bytes != completion->tag) { /* the tag says how many were asked */
        client_fail(client, load, &load->ends.failed);
    } else if (rs_load_sinks(load->settings)) {
        client_taken(client, load, completion->bytes, now_ns);
    }
}

void rs_client_completed(rs_client *client, rs_load *load, const rs_completion *completion,
                         uint64_t now_ns) {
    if (completion->generation != client->generation) {
        return; /* of an earlier life: legal (seam, point 5) */
    }
    switch (completion->kind) {
    case RS_OP_CONNECT:
        client_connected(client, load, (rs_status)completion->status, now_ns);
        break;
    case RS_OP_RECV:
        client_received(client, load, completion, now_ns);
        break;
    case RS_OP_SEND:
        client_sent(client, load, completion, now_ns);
        break;
    case RS_OP_CLOSE:
        client_closed(client, load);
        break;
    default:
        RS_ASSERT(completion->kind == RS_OP_SHUTDOWN); /* a failed one shows in RECV too */
        break;
    }
}

/* ---- what to ask for */

static rs_op client_op(const rs_client *client, rs_op_kind kind) {
    return (rs_op){.kind = (uint8_t)kind, .conn = client->index, .generation = client->generation};
}

static rs_op client_emit_connect(rs_client *client, rs_load *load, uint64_t now_ns) {
    rs_op op;
    RS_ASSERT(client->state == RS_CLIENT_UNUSED);
    client->generation++;
    client->state = RS_CLIENT_CONNECTING;
    if (!client->retry) {
        client->since_ns = now_ns;
    }
    client->again = client->retry = false;
    load->connecting++;
    op = client_op(client, RS_OP_CONNECT);
    op.u.addr = load->settings->route[rs_load_target_of(load->settings, client->index)];
    if (load->settings->sources > 0) {
        op.flags = RS_OPF_FROM;
        op.bytes = (uint32_t)(load->connects % load->settings->sources);
    }
    load->connects++;
    return op;
}

/* How many requests may be sent now. */
static uint32_t client_room(const rs_client *client, const rs_load *load, uint64_t now_ns) {
    uint32_t room;
    if (client->send_base == NULL || client->state != RS_CLIENT_OPEN ||
        load->gate == RS_GATE_SHUT) {
        return 0;
    }
    if (load->gate == RS_GATE_FIRST) {
        return client->track.next == 0 && load->messages_left > 0 ? 1 : 0;
    }
    if (load->bots != NULL && !load->bots->bot[client->index].welcomed) {
        return 0; /* its log in was answered, and not right */
    }
    if (now_ns < client->think_until_ns) {
        return 0;
    }
    RS_ASSERT(client->track.outstanding <= load->settings->depth);
    room = load->settings->depth - client->track.outstanding;
    if (load->settings->rate != 0) {
        room = client_min(room, client->due);
    }
    room = client_min(room, client->quota_left);
    return client_min(room, load->messages_left);
}

/* How many of `room` requests may go out in one send. */
static uint32_t client_together(const rs_load *load, uint32_t room) {
    return load->settings->coalesce || room == 0 ? room : 1;
}

/* Of the next message, if it was due and only this program delayed it. */
static void client_record_pacing(const rs_client *client, rs_load *load, uint64_t now_ns) {
    if (load->settings->rate == 0 || load->gate != RS_GATE_OPEN || !load->recording ||
        client->behind) {
        return;
    }
    rs_histogram_record(
        &load->pacing,
        client_since(client_intended_ns(load, client->index, client->plan_base, client->track.next),
                     now_ns));
}

/* Of the next request; a log in is the first and alone. */
static uint32_t client_next_bytes(const rs_client *client, const rs_load *load) {
    return load->bots != NULL
               ? load->settings->size.max
               : rs_payload_request_bytes(&load->payload, client->index, client->track.next);
}

/* Writes the next request. Returns its length. */
static uint32_t client_build(const rs_client *client, rs_load *load, uint64_t now_ns,
                             uint8_t *out) {
    if (load->bots != NULL) {
        return rs_bots_request(load->bots, client->index, client->track.next,
                               load->settings->size.max, now_ns, out);
    }
    return rs_payload_build(&load->payload, client->index, client->track.next, out);
}

/* A receipt should be asked for now. */
static bool client_asks(const rs_client *client, const rs_load *load) {
    return load->push != NULL && client->send_base != NULL && client->state == RS_CLIENT_OPEN &&
           rs_push_is_due(&load->push[client->index], load->settings->depth);
}

/* Books a message that was built; false: no further one before a receipt is asked for. */
static bool client_push(const rs_client *client, rs_load *load, const uint8_t *frame,
                        uint32_t bytes) {
    rs_push *push;
    if (load->push == NULL) {
        return true;
    }
    push = &load->push[client->index];
    rs_push_add(push, frame, bytes, load->settings->verify);
    return !rs_push_is_half(push, load->settings->depth);
}

/* One SEND of up to `room` requests in one block, and of what asks for their receipt. */
static rs_op client_emit_send(rs_client *client, rs_load *load, uint32_t room, uint64_t now_ns) {
    uint8_t *block = client->send_base + (size_t)client->send_slot * load->block_bytes;
    const uint32_t block_bytes = load->block_bytes - (load->push != NULL ? RS_PUSH_ASK_BYTES : 0u);
    rs_op op = client_op(client, RS_OP_SEND);
    bool more = true;
    uint32_t count = 0;
    for (; more && count < room && op.bytes + client_next_bytes(client, load) <= block_bytes;
         count++) {
        const uint32_t bytes = client_build(client, load, now_ns, block + op.bytes);

        client_record_pacing(client, load, now_ns);
        more = client_push(client, load, block + op.bytes, bytes);
        op.bytes += bytes;
        rs_track_send(&client->track, now_ns, &load->columns);
    }
    if (client_asks(client, load)) {
        op.bytes += rs_push_ask(&load->push[client->index], client->index, client->track.next,
                                load->settings->verify, block + op.bytes);
    }
    RS_ASSERT(op.bytes > 0);
    if (load->gate == RS_GATE_OPEN) { /* a first message is not in the plan or in a quota */
        client->due -= load->settings->rate != 0 ? count : 0;
        client->quota_left -= client->quota_left == UINT32_MAX ? 0 : count;
    }
    load->messages_left -= load->messages_left == UINT64_MAX ? 0 : count;
    client->sends_in_flight++;
    client->send_slot = (uint8_t)(client->send_slot + 1u == load->settings->sends_in_flight
                                      ? 0u
                                      : client->send_slot + 1u);
    op.region = load->region;
    op.tag = op.bytes;
    op.u.data = block;
    return op;
}

static void client_end_stream(rs_client *client, uint64_t now_ns) {
    RS_ASSERT(client->state == RS_CLIENT_OPEN);
    client->state = RS_CLIENT_FINISHING;
    client->want_fin = true;
    client->since_ns = now_ns;
}

/* Ends a life whose messages are all sent, according to its role. */
static void client_end_life(rs_client *client, rs_load *load, uint64_t now_ns) {
    if (client->state != RS_CLIENT_OPEN || client->quota_left != 0) {
        return;
    }
    switch ((rs_plan_role)client->role) {
    case RS_ROLE_RESET:
        if (client->sends_in_flight == 0) { /* they are with the kernel: replies are in progress */
            load->ends.resets_made++;
            client->broke_off = true;
            client_break(client, load, true);
        }
        break;
    case RS_ROLE_HALF_CLOSE:
        if (load->push != NULL && load->push[client->index].unasked.frames > 0) {
            break; /* its last ones have no receipt asked for yet */
        }
        load->ends.half_closes_made++;
        client_end_stream(client, now_ns);
        break;
    default:
        if (client->track.outstanding == 0) {
            client_break(client, load, true);
        }
        break;
    }
}

/* false: a slow reader has had enough for now. */
static bool client_emit_recv(rs_client *client, const rs_load *load, uint64_t now_ns, rs_op *op) {
    uint32_t room = client->recv_bytes - client->recv_used;
    if (client->recv_in_flight ||
        (client->state != RS_CLIENT_OPEN && client->state != RS_CLIENT_FINISHING)) {
        return false;
    }
    if (client->role == RS_ROLE_SLOW) {
        uint64_t window = (uint64_t)load->settings->depth * rs_payload_reply_max(&load->payload);
        uint64_t part = window / CLIENT_SLOW_READS;

        if (now_ns < client->wait_until_ns) {
            return false;
        }
        room = client_min(room, part > CLIENT_SLOW_BYTES_MIN ? part : CLIENT_SLOW_BYTES_MIN);
    }
    RS_ASSERT(room > 0);
    client->recv_in_flight = true;
    *op = client_op(client, RS_OP_RECV);
    op->region = load->region;
    op->bytes = room;
    op->u.data = client->recv_base + client->recv_used;
    return true;
}

static uint32_t client_emit_unused(rs_client *client, rs_load *load, uint64_t now_ns, rs_op *ops) {
    if (!client->again) {
        return 0;
    }
    if (load->ending || load->lives_left == 0) {
        client->again = false;
        client_set_done(client, load);
        return 0;
    }
    if (load->connect_permits == 0) {
        return 0; /* the run asks again when one is due */
    }
    load->connect_permits -= load->connect_permits != UINT64_MAX ? 1u : 0u;
    load->lives_left -= client->send_base != NULL && load->lives_left != UINT64_MAX ? 1u : 0u;
    ops[0] = client_emit_connect(client, load, now_ns);
    return 1;
}

static rs_op client_emit_close(rs_client *client) {
    rs_op op = client_op(client, RS_OP_CLOSE);
    op.flags = client->broke_off || client->dead ? RS_OPF_ABORT : 0;
    client->state = RS_CLIENT_CLOSING;
    return op;
}

static uint32_t client_emit_used(rs_client *client, rs_load *load, uint64_t now_ns,
                                 rs_op ops[RS_CLIENT_OPS_MAX]) {
    uint32_t count = 0, room;
    count += client_emit_recv(client, load, now_ns, &ops[count]) ? 1u : 0u;
    while (client->sends_in_flight < load->settings->sends_in_flight &&
           ((room = client_room(client, load, now_ns)) > 0 || client_asks(client, load))) {
        ops[count++] = client_emit_send(client, load, client_together(load, room), now_ns);
    }
    client_end_life(client, load, now_ns);
    if (client->want_fin) {
        client->want_fin = false;
        ops[count++] = client_op(client, RS_OP_SHUTDOWN);
    }
    if (client->state == RS_CLIENT_BREAKING) {
        ops[count++] = client_emit_close(client);
    }
    RS_ASSERT(count <= RS_CLIENT_OPS_MAX);
    return count;
}

uint32_t rs_client_emit(rs_client *client, rs_load *load, uint64_t now_ns,
                        rs_op ops[RS_CLIENT_OPS_MAX]) {
    const uint32_t count = client->state == RS_CLIENT_UNUSED
                               ? client_emit_unused(client, load, now_ns, ops)
                               : client_emit_used(client, load, now_ns, ops);
    client->behind = client->due > 0; /* it had a turn and could not send them all */
    return count;
}

bool rs_client_awaits_first(const rs_client *client, const rs_load *load) {
    return !client->dead && client->state != RS_CLIENT_DONE &&
           (client->track.outstanding > 0 || (client->track.next == 0 && load->messages_left > 0));
}

/* ---- time */

static bool client_is_late(const rs_client *client, uint64_t now_ns, uint64_t patience_ns) {
    return now_ns > client->since_ns && now_ns - client->since_ns >= patience_ns;
}

/* The server has answered everything and should have ended its stream after ours. At the end of the
 * run that is optional; a half-closing connection tests for it. */
static void client_tick_finishing(rs_client *client, rs_load *load, uint64_t now_ns) {
    if (client->track.outstanding > 0 || !client_is_late(client, now_ns, load->timeout_ns)) {
        return;
    }
    if (client->last) {
        client_break(client, load, true);
    } else {
        client_fail(client, load, &load->ends.timed_out);
    }
}

bool rs_client_tick(rs_client *client, rs_load *load, uint64_t now_ns) {
    switch ((rs_client_state)client->state) {
    case RS_CLIENT_UNUSED:
        client->again = client->again || (client->retry && now_ns >= client->wait_until_ns);
        return client->again;
    case RS_CLIENT_CONNECTING:
        if (client_is_late(client, now_ns, load->connect_timeout_ns)) {
            client_fail(client, load, &load->ends.timed_out);
        }
        break;
    case RS_CLIENT_OPEN:
    case RS_CLIENT_FINISHING:
        if (client->send_base != NULL &&
            rs_track_expire(&client->track, now_ns, load->timeout_ns, &load->columns)) {
            client_fail(client, load, &load->ends.timed_out);
        } else if (client->state == RS_CLIENT_FINISHING) {
            client_tick_finishing(client, load, now_ns);
        }
        break;
    default:
        return false;
    }
    return client->state == RS_CLIENT_BREAKING ||
           (client->role == RS_ROLE_SLOW && !client->recv_in_flight);
}

void rs_client_finish(rs_client *client, rs_load *load, uint64_t now_ns, bool force) {
    RS_ASSERT(load->ending);
    switch ((rs_client_state)client->state) {
    case RS_CLIENT_UNUSED:
        client->again = client->retry = false;
        client_set_done(client, load);
        break;
    case RS_CLIENT_CONNECTING:
        client_break(client, load, true);
        break;
    case RS_CLIENT_OPEN:
        client->last = true;
        client_end_stream(client, now_ns);
        break;
    default:
        break;
    }
    if (force && client->state == RS_CLIENT_FINISHING) {
        client_break(client, load, true);
    }
}
