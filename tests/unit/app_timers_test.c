/* SPDX-License-Identifier: MIT */
/* Timers of the application: the table and the wheel together, against a plain list.
 *
 * Random sets, cancels, ends of sessions and passing of time; a pass is that the same timers are
 * called as in the list, none early, none later than a tick, and that old handles reach nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/app_timers.h"
#include "core/limits.h"
#include "random.h"

#define TIMERS 40u
#define SESSIONS 5u
#define SHARD 3u
#define KEPT 200u

typedef struct set_timer {
    rs_timer timer;
    uint64_t due_ns;
    uint32_t owner, number;
    bool live;
} set_timer;

typedef struct bed {
    rs_timer_table table;
    rs_timer_wheel wheel;
    rs_timer_entry entries[TIMERS];
    rs_timer_node nodes[TIMERS];
    uint32_t generations[TIMERS], first[SESSIONS];
    uint64_t now_ns;
    set_timer kept[KEPT]; /* the last ones, live or not */
    uint32_t live, next;
} bed;

static uint64_t bed_now(void *ctx) {
    return ((bed *)ctx)->now_ns;
}

static void bed_init(bed *b) {
    memset(b, 0, sizeof *b);
    b->now_ns = 123456789;
    rs_timer_table_init(&b->table, b->entries, TIMERS, b->first, SESSIONS, SHARD);
    rs_timer_wheel_init(&b->wheel, b->nodes, b->generations, TIMERS, SHARD, bed_now, b);
}

static void never_called(void *arg, rs_server *server, uint32_t shard) {
    (void)arg;
    (void)server;
    (void)shard;
    fail_msg("%s", "nothing is called here");
}

static void bed_set(bed *b, uint32_t owner, uint32_t ms) {
    set_timer *one = &b->kept[b->next % KEPT];
    const rs_timer_call call = {.shard = never_called, .arg = one};
    if (one->live) {
        return;
    }
    *one = (set_timer){.owner = owner,
                       .number = b->next,
                       .due_ns = b->now_ns + (uint64_t)ms * 1000000u,
                       .timer = rs_timer_table_set(&b->table, owner, call)};
    if (one->timer == 0) {
        assert_int_equal(b->live, TIMERS);
        return;
    }
    assert_true(b->live < TIMERS);
    b->next++;
    rs_timer_wheel_arm(&b->wheel, one->timer, ms);
    one->live = true;
    b->live++;
}

static void bed_cancel(bed *b, set_timer *one) {
    uint32_t owner;
    rs_timer_call call;
    bool was = rs_timer_table_take(&b->table, one->timer, &owner, &call);
    assert_int_equal(was, one->live);
    rs_timer_wheel_cancel(&b->wheel, one->timer); /* idempotent, whatever the table says */
    if (was) {
        assert_int_equal(owner, one->owner);
        assert_ptr_equal(call.arg, one);
        one->live = false;
        b->live--;
    }
}

static void bed_end_session(bed *b, uint32_t owner) {
    rs_timer timer;
    while ((timer = rs_timer_table_first(&b->table, owner)) != 0) {
        uint32_t i = 0;
        while (b->kept[i].timer != timer) {
            i++;
            assert_true(i < KEPT);
        }
        assert_true(b->kept[i].live && b->kept[i].owner == owner);
        bed_cancel(b, &b->kept[i]);
    }
    for (uint32_t i = 0; i < KEPT; i++) {
        assert_false(b->kept[i].live && b->kept[i].owner == owner);
    }
}

static void bed_pass(bed *b, uint64_t ns) {
    rs_timer timer;
    b->now_ns += ns;
    while ((timer = rs_timer_wheel_take(&b->wheel, b->now_ns / 1000000u)) != 0) {
        uint32_t owner;
        rs_timer_call call;
        set_timer *one;
        assert_true(rs_timer_table_take(&b->table, timer, &owner, &call));
        one = call.arg;
        assert_true(one->live && one->timer == timer && one->owner == owner);
        assert_true(one->due_ns <= b->now_ns); /* never early */
        one->live = false;
        b->live--;
    }
    for (uint32_t i = 0; i < KEPT; i++) {
        assert_true(!b->kept[i].live ||
                    b->kept[i].due_ns + (RS_TIMER_TICK_MS + 1u) * 1000000u > b->now_ns);
    }
}

static void test_app_timers_are_called_as_in_a_list(void **state) {
    static bed b;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        test_random random = {seed};
        bed_init(&b);
        for (uint32_t step = 0; step < 20000; step++) {
            uint32_t owner = test_random_below(&random, SESSIONS + 1u);
            switch (test_random_below(&random, 8)) {
            case 0:
                bed_cancel(&b, &b.kept[test_random_below(&random, KEPT)]);
                break;
            case 1:
                if (test_random_below(&random, 20) == 0) {
                    bed_end_session(&b, test_random_below(&random, SESSIONS));
                }
                break;
            case 2:
                bed_pass(&b, test_random_below(&random, 30000000));
                break;
            default:
                bed_set(&b, owner < SESSIONS ? owner : RS_TIMER_NO_OWNER,
                        test_random_below(&random, step % 10 == 0 ? 20000 : 300));
            }
        }
        bed_pass(&b, UINT64_C(30000000000));
        assert_int_equal(b.live, 0);
        assert_int_equal(b.wheel.timers.armed_count, 0);
    }
}

static void test_app_timers_foreign_handles_reach_nobody(void **state) {
    static bed b;
    (void)state;
    bed_init(&b);
    bed_set(&b, 0, 5);
    rs_timer timer = b.kept[0].timer;
    assert_int_equal(rs_session_id_shard(timer), SHARD);
    assert_false(rs_timer_table_take(&b.table, 0, NULL, NULL));
    assert_false(rs_timer_table_take(&b.table, timer + 1, NULL, NULL));
    assert_false(rs_timer_table_take(&b.table, timer ^ (UINT64_C(1) << 52), NULL, NULL));
    assert_false(rs_timer_table_take(&b.table, timer + ((uint64_t)TIMERS << 32), NULL, NULL));
    assert_false(rs_timer_table_take(&b.table, timer + (UINT64_C(1) << 32), NULL, NULL));
    rs_timer_wheel_cancel(&b.wheel, timer + 1); /* a later one of the same place */
    bed_pass(&b, 20000000);
    assert_int_equal(b.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_app_timers_are_called_as_in_a_list),
        cmocka_unit_test(test_app_timers_foreign_handles_reach_nobody),
    };
    return cmocka_run_group_tests_name("app_timers", tests, NULL, NULL);
}
