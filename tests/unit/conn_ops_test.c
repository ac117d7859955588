/* What a connection lets in, one op at a time: each refusal of the contract is provoked, shown to
 * change nothing and to end when its cause is retired. Random histories are held against plain
 * counting of what was accepted and not yet retired. What our own code must never do ends the
 * process (in a child). */
#include "seam/conn_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "unit/child.h"
#include "unit/random.h"

#define GEN 7u
#define SENDS 3u
#define STEPS 200000u

static const char *self;
static uint64_t seed;
static uint8_t data[1];
static const rs_addr address = {.ip = 0x7F000001u, .port = 1};

static rs_op op_of(rs_op_kind kind, uint32_t generation, uint8_t flags) {
    rs_op op = {.kind = (uint8_t)kind, .flags = flags, .generation = generation, .bytes = 1};

    if (kind == RS_OP_CONNECT) {
        op.u.addr = &address;
    } else {
        op.u.data = data;
    }
    return op;
}

/* As a back end does it: the state first, then the kind. */
static rs_status take(rs_conn_ops *ops, const rs_op *op) {
    rs_status status = rs_conn_ops_check(ops, op);

    if (status != RS_OK) {
        return status;
    }
    switch (op->kind) {
    case RS_OP_CONNECT:
        rs_conn_ops_bind(ops, op->generation, RS_CONN_CONNECTING);
        return RS_OK;
    case RS_OP_RECV:
        return rs_conn_ops_take_recv(ops, op);
    case RS_OP_SEND:
        return rs_conn_ops_take_send(ops, op, SENDS);
    case RS_OP_SHUTDOWN:
        return rs_conn_ops_take_shutdown(ops);
    default:
        (void)rs_conn_ops_take_close(ops, op);
        if (!rs_conn_ops_is_closing(ops)) {
            ops->phase = RS_CONN_CLOSING;
        }
        return RS_OK;
    }
}

static rs_status take_kind(rs_conn_ops *ops, rs_op_kind kind, uint8_t flags) {
    const rs_op op = op_of(kind, GEN, flags);

    return take(ops, &op);
}

static rs_conn_ops open_conn(void) {
    rs_conn_ops ops = {.phase = RS_CONN_FREE};

    rs_conn_ops_bind(&ops, GEN, RS_CONN_OPEN);
    return ops;
}

static void test_conn_ops_free_slot_takes_only_a_connect(void **state) {
    rs_conn_ops ops = {.phase = RS_CONN_FREE};
    rs_op connect = op_of(RS_OP_CONNECT, GEN, 0);
    rs_op stray = op_of(RS_OP_RECV, 0, 0);
    (void)state;
    assert_int_equal(take(&ops, &stray), RS_E_CLOSED); /* the generation it was born with */
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, 0), RS_E_STALE);
    connect.u.addr = NULL;
    assert_int_equal(take(&ops, &connect), RS_E_INVALID);
    connect.u.addr = &address;
    assert_int_equal(take(&ops, &connect), RS_OK);
    assert_int_equal(ops.phase, RS_CONN_CONNECTING);
    assert_int_equal(ops.generation, GEN);
    assert_int_equal(take(&ops, &connect), RS_E_INVALID);
}

static void test_conn_ops_other_generations_are_stale(void **state) {
    static const rs_op_kind kinds[] = {RS_OP_RECV, RS_OP_SEND, RS_OP_SHUTDOWN, RS_OP_CLOSE};
    rs_conn_ops ops = open_conn();
    const rs_conn_ops before = ops;
    (void)state;
    for (uint32_t i = 0; i < 4u; i++) {
        const rs_op late = op_of(kinds[i], GEN - 1u, RS_OPF_ABORT);
        const rs_op early = op_of(kinds[i], GEN + 1u, RS_OPF_ABORT);
        assert_int_equal(take(&ops, &late), RS_E_STALE);
        assert_int_equal(take(&ops, &early), RS_E_STALE);
    }
    assert_memory_equal(&ops, &before, sizeof ops);
}

static void test_conn_ops_second_receive_waits_for_the_first_to_retire(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_OK);
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_E_FULL);
    rs_conn_ops_retire(&ops, RS_OP_RECV);
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_OK);
}

static void test_conn_ops_no_more_sends_than_reserved(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    for (uint32_t i = 0; i < SENDS; i++) {
        assert_int_equal(take_kind(&ops, RS_OP_SEND, 0), RS_OK);
    }
    assert_int_equal(take_kind(&ops, RS_OP_SEND, 0), RS_E_FULL);
    assert_int_equal(ops.sends_in_flight, SENDS);
    rs_conn_ops_retire(&ops, RS_OP_SEND);
    assert_int_equal(take_kind(&ops, RS_OP_SEND, 0), RS_OK);
}

static void test_conn_ops_without_bytes_is_invalid(void **state) {
    static const rs_op_kind kinds[] = {RS_OP_RECV, RS_OP_SEND};
    rs_conn_ops ops = open_conn();
    const rs_conn_ops before = ops;
    (void)state;
    for (uint32_t i = 0; i < 2u; i++) {
        rs_op op = op_of(kinds[i], GEN, 0);
        op.bytes = 0;
        assert_int_equal(take(&ops, &op), RS_E_INVALID);
        op.bytes = 1;
        op.u.data = NULL;
        assert_int_equal(take(&ops, &op), RS_E_INVALID);
    }
    assert_memory_equal(&ops, &before, sizeof ops);
}

static void test_conn_ops_no_send_beside_a_shutdown(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    assert_int_equal(take_kind(&ops, RS_OP_SHUTDOWN, 0), RS_OK);
    assert_int_equal(take_kind(&ops, RS_OP_SHUTDOWN, 0), RS_E_FULL);
    assert_int_equal(take_kind(&ops, RS_OP_SEND, 0), RS_E_INVALID);
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_OK); /* the other direction is open */
    rs_conn_ops_retire(&ops, RS_OP_SHUTDOWN);
    assert_int_equal(take_kind(&ops, RS_OP_SEND, 0), RS_OK); /* and will fail by completion */
}

static void test_conn_ops_plain_close_lets_one_abort_in(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, 0), RS_OK);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, 0), RS_E_CLOSED);
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_E_CLOSED);
    assert_int_equal(take_kind(&ops, RS_OP_SEND, RS_OPF_ABORT), RS_E_CLOSED);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_OK);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_E_CLOSED);
}

static void test_conn_ops_abort_lets_nothing_in(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_OK);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_E_CLOSED);
    assert_int_equal(take_kind(&ops, RS_OP_SHUTDOWN, 0), RS_E_CLOSED);
}

static void test_conn_ops_close_in_the_ring_still_lets_an_abort_in(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, 0), RS_OK);
    ops.phase = RS_CONN_CLOSED;
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_OK);
    assert_int_equal(ops.phase, RS_CONN_CLOSED);
    rs_conn_ops_retire(&ops, RS_OP_CLOSE);
    assert_int_equal(ops.phase, RS_CONN_FREE);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, RS_OPF_ABORT), RS_E_CLOSED);
    rs_conn_ops_bind(&ops, GEN + 1u, RS_CONN_OPEN);
    assert_int_equal(take_kind(&ops, RS_OP_CLOSE, 0), RS_E_STALE);
}

static void test_conn_ops_unbind_frees_the_slot(void **state) {
    rs_conn_ops ops = open_conn();
    (void)state;
    rs_conn_ops_unbind(&ops);
    assert_int_equal(take_kind(&ops, RS_OP_RECV, 0), RS_E_CLOSED);
    assert_int_equal(take_kind(&ops, RS_OP_CONNECT, 0), RS_OK);
}

/* Counting, for the random histories: what was taken and not retired, by kind. */
typedef struct tally {
    uint32_t in_flight[RS_OP_CLOSE + 1];
    bool bound, aborted;
} tally;

static rs_status tally_expects(const tally *t, const rs_op *op) {
    const uint32_t *count = t->in_flight;
    bool closing = count[RS_OP_CLOSE] > 0;

    if (op->kind == RS_OP_CONNECT) {
        return t->bound ? RS_E_INVALID : RS_OK;
    }
    if (!t->bound) {
        return RS_E_CLOSED;
    }
    if (op->kind == RS_OP_CLOSE && op->flags == RS_OPF_ABORT && closing && !t->aborted) {
        return RS_OK;
    }
    if (closing) {
        return RS_E_CLOSED;
    }
    if (op->kind == RS_OP_SEND && count[RS_OP_SHUTDOWN] > 0) {
        return RS_E_INVALID;
    }
    return count[op->kind] >= (op->kind == RS_OP_SEND ? SENDS : 1u) ? RS_E_FULL : RS_OK;
}

static void tally_took(tally *t, const rs_op *op) {
    t->bound = true;
    t->in_flight[op->kind] = op->kind == RS_OP_CLOSE ? 1u : t->in_flight[op->kind] + 1u;
    t->aborted = op->kind == RS_OP_CLOSE && op->flags == RS_OPF_ABORT;
}

/* Retires something, CLOSE only as the last. */
static void retire_some(rs_conn_ops *ops, tally *t, uint32_t kind) {
    bool others = false;

    for (uint32_t i = RS_OP_CONNECT; i < RS_OP_CLOSE; i++) {
        others = others || t->in_flight[i] > 0;
    }
    if (t->in_flight[kind] == 0 || (kind == RS_OP_CLOSE && others)) {
        return;
    }
    if (kind == RS_OP_CONNECT && ops->phase == RS_CONN_CONNECTING) {
        ops->phase = RS_CONN_OPEN;
    }
    if (kind == RS_OP_CLOSE) {
        ops->phase = RS_CONN_CLOSED;
        t->bound = t->aborted = false;
    }
    t->in_flight[kind]--;
    rs_conn_ops_retire(ops, (rs_op_kind)kind);
}

static void test_conn_ops_random_histories_agree_with_counting(void **state) {
    test_random random = {.state = seed};
    rs_conn_ops ops = {.generation = GEN};
    uint32_t accepted = 0, refused = 0;
    tally t = {.bound = false};
    (void)state;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t kind = RS_OP_CONNECT + test_random_below(&random, 5);
        if (test_random_below(&random, 2) == 0) {
            retire_some(&ops, &t, kind);
        } else {
            uint8_t flags = (uint8_t)(test_random_below(&random, 2) * RS_OPF_ABORT);
            const rs_op op = op_of((rs_op_kind)kind, GEN, flags);
            rs_status expected = tally_expects(&t, &op);
            assert_int_equal(take(&ops, &op), expected);
            if (expected == RS_OK) {
                tally_took(&t, &op);
                accepted++;
            } else {
                refused++;
            }
        }
    }
    assert_true(accepted > STEPS / 20u && refused > STEPS / 20u);
}

static void run_child(const char *name) {
    rs_conn_ops ops = open_conn();

    if (strcmp(name, "recv") == 0) {
        rs_conn_ops_retire(&ops, RS_OP_RECV);
    } else if (strcmp(name, "early") == 0) {
        (void)take_kind(&ops, RS_OP_RECV, 0);
        ops.phase = RS_CONN_CLOSED;
        rs_conn_ops_retire(&ops, RS_OP_CLOSE);
    } else {
        rs_conn_ops_bind(&ops, GEN + 1u, RS_CONN_OPEN);
    }
}

static void test_conn_ops_what_must_not_be_stops_the_process(void **state) {
    child_result result = child_run(self, "recv");
    (void)state;
    assert_true(child_asserted(&result, "ops->recv_in_flight"));
    result = child_run(self, "early");
    assert_true(child_asserted(&result, "conn_ops_is_idle(ops)"));
    result = child_run(self, "bound");
    assert_true(child_asserted(&result, "ops->phase == RS_CONN_FREE"));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conn_ops_free_slot_takes_only_a_connect),
        cmocka_unit_test(test_conn_ops_other_generations_are_stale),
        cmocka_unit_test(test_conn_ops_second_receive_waits_for_the_first_to_retire),
        cmocka_unit_test(test_conn_ops_no_more_sends_than_reserved),
        cmocka_unit_test(test_conn_ops_without_bytes_is_invalid),
        cmocka_unit_test(test_conn_ops_no_send_beside_a_shutdown),
        cmocka_unit_test(test_conn_ops_plain_close_lets_one_abort_in),
        cmocka_unit_test(test_conn_ops_abort_lets_nothing_in),
        cmocka_unit_test(test_conn_ops_close_in_the_ring_still_lets_an_abort_in),
        cmocka_unit_test(test_conn_ops_unbind_frees_the_slot),
        cmocka_unit_test(test_conn_ops_random_histories_agree_with_counting),
        cmocka_unit_test(test_conn_ops_what_must_not_be_stops_the_process),
    };
    const char *name = child_case(argc, argv);

    self = argv[0];
    if (name != NULL) {
        run_child(name);
        return 0;
    }
    seed = test_seed(argc, argv);
    return cmocka_run_group_tests_name("conn_ops", tests, NULL, NULL);
}
