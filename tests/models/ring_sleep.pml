/* SPDX-License-Identifier: MIT */
/* The ring between a shard and the logic thread with the sleep word of each side
 * (src/common/server/logic.c, spsc.c): records one way, room the other way. Stores reach memory
 * late where the C uses plain release stores: the writer's `written` and the reader's `read`
 * go through a store buffer of one, emptied by every read-modify-write.
 *
 * Checked: all records arrive in order, and neither side sleeps for ever.
 * BROKEN=1  the reader announces its sleep by a plain store
 * BROKEN=2  the reader does not look once more after the announcement
 * BROKEN=3  the writer looks at the sleep word by a plain load, before its record is in memory
 * BROKEN=4  the reader never tells the writer that there is room */
#ifndef BROKEN
#define BROKEN 0
#endif
#define ROOM 2
#define RECORDS 4

byte written, read_;         /* memory */
byte buffered_written, buffered_read; /* what the owner has stored; memory follows */
byte reader_sleeps, writer_sleeps;    /* the sleep words: 1 = sleeps */
byte reader_sleeps_b;                 /* BROKEN=1: announced, not in memory yet */
bool reader_event, writer_event;      /* auto-reset events */

#define FENCE_WRITER written = buffered_written
#define FENCE_READER read_ = buffered_read; reader_sleeps = (BROKEN == 1 && reader_sleeps_b -> 1 : reader_sleeps)

/* The store buffers empty themselves at any time. */
active proctype memory() {
end: do
    :: atomic { written != buffered_written -> written = buffered_written }
    :: atomic { read_ != buffered_read -> read_ = buffered_read }
#if BROKEN == 1
    :: atomic { reader_sleeps_b != 0 && reader_sleeps == 0 -> reader_sleeps = 1 }
#endif
    od
}

active proctype writer() {
    byte number = 0, seen, asleep;
    do
    :: number < RECORDS ->
        seen = read_;
        if
        :: number - seen < ROOM ->
            number++;
            buffered_written = number;
#if BROKEN == 3
            asleep = reader_sleeps;
#else
            atomic { FENCE_WRITER; asleep = reader_sleeps }; /* an add of 0 */
#endif
            if
            :: asleep != 0 ->
                atomic { FENCE_WRITER; asleep = reader_sleeps; reader_sleeps = 0; reader_sleeps_b = 0 };
                if
                :: asleep != 0 -> reader_event = true
                :: else -> skip
                fi
            :: else -> skip
            fi
        :: else ->
            atomic { FENCE_WRITER; writer_sleeps = 1 };
            if
            :: read_ == seen ->
                atomic { writer_event -> writer_event = false }
            :: else -> skip
            fi;
            atomic { FENCE_WRITER; writer_sleeps = 0 }
        fi
    :: else -> break
    od
}

active proctype reader() {
    byte number = 0, asleep;
    do
    :: number < RECORDS ->
        if
        :: written != number ->
            assert(written > number && written - number <= ROOM);
            number++;
            buffered_read = number;
#if BROKEN != 4
            atomic { read_ = buffered_read; asleep = writer_sleeps };
            if
            :: asleep != 0 ->
                atomic { asleep = writer_sleeps; writer_sleeps = 0 };
                if
                :: asleep != 0 -> writer_event = true
                :: else -> skip
                fi
            :: else -> skip
            fi
#endif
        :: written == number ->
#if BROKEN == 1
            reader_sleeps_b = 1;
#else
            atomic { read_ = buffered_read; reader_sleeps = 1 };
#endif
            if
            :: BROKEN == 2 || written == number ->
                atomic { reader_event -> reader_event = false }
            :: BROKEN != 2 && written != number -> skip
            fi;
            atomic { read_ = buffered_read; reader_sleeps = 0; reader_sleeps_b = 0 }
        fi
    :: else -> break
    od
}
