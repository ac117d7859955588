/* SPDX-License-Identifier: MIT */
/* The mailbox (src/common/seam/mailbox.c): a bounded ring with turns, two writers, one reader.
 *
 * Checked: every message that a writer was told is posted is read once, each writer's in order; no
 * slot is written while the reader has it, nor by two writers; a full ring refuses; no deadlock.
 * BROKEN=1  a writer publishes its turn before it has written
 * BROKEN=2  a position is claimed by a load and a store instead of a compare-and-swap
 * BROKEN=3  the reader gives a slot back before it has read it */
#ifndef BROKEN
#define BROKEN 0
#endif
#define SLOTS 2
#define EACH 2 /* messages of a writer */
#define MOD 8  /* positions run over, as they do at 2^32 */

byte turn[SLOTS];
byte cell[SLOTS];          /* writer * 16 + number */
byte busy[SLOTS];          /* who is inside: writers and reader */
byte write_position, read_position;
byte ended;

#define DIFF(a, b) ((a - b + MOD) % MOD) /* below MOD / 2: a is not behind b */

proctype writer(byte me) {
    byte number = 0, position, seen;
    do
    :: number < EACH ->
        position = write_position;
        seen = turn[position % SLOTS];
        if
        :: seen == position ->
#if BROKEN == 2
            if
            :: write_position == position -> skip
            :: else -> goto next
            fi;
            write_position = (position + 1) % MOD;
#else
            if
            :: atomic { write_position == position -> write_position = (position + 1) % MOD }
            :: atomic { write_position != position -> goto next }
            fi;
#endif
#if BROKEN == 1
            turn[position % SLOTS] = (position + 1) % MOD;
#endif
            busy[position % SLOTS]++;
            assert(busy[position % SLOTS] == 1);
            cell[position % SLOTS] = me * 16 + number;
            busy[position % SLOTS]--;
#if BROKEN != 1
            turn[position % SLOTS] = (position + 1) % MOD;
#endif
            number++
        :: seen != position && DIFF(seen, position) >= MOD / 2 ->
            turn[position % SLOTS] != seen /* full: refused; it comes again when something moved */
        :: else -> skip /* another writer was faster */
        fi;
next:   skip
    :: else -> break
    od;
    ended++
}

proctype reader() {
    byte expected[2], count = 0, value;
    do
    :: count < 2 * EACH ->
        turn[read_position % SLOTS] == (read_position + 1) % MOD;
#if BROKEN == 3
        turn[read_position % SLOTS] = (read_position + SLOTS) % MOD;
#endif
        busy[read_position % SLOTS]++;
        assert(busy[read_position % SLOTS] == 1);
        value = cell[read_position % SLOTS];
        busy[read_position % SLOTS]--;
        assert(value % 16 == expected[value / 16]);
        expected[value / 16]++;
#if BROKEN != 3
        turn[read_position % SLOTS] = (read_position + SLOTS) % MOD;
#endif
        read_position = (read_position + 1) % MOD;
        count++
    :: else -> break
    od;
    assert(expected[0] == EACH && expected[1] == EACH)
}

init {
    atomic {
        write_position = MOD - 1;
        read_position = MOD - 1;
        turn[(MOD - 1) % SLOTS] = MOD - 1;
        turn[0] = 0;
        run writer(0);
        run writer(1);
        run reader()
    }
}
