/* SPDX-License-Identifier: MIT */
/* Arm, look, sleep (src/rio/rio_wait.c, rio_poll.c) against a completion queue with a one-shot
 * notification, and a wake from another thread.
 *
 * The kernel is taken at its weakest: RIONotify over a queue that is not empty may fire at once, or
 * not before the next completion. So the second look after arming has to find what came before.
 * Checked: all completions are taken, the wake is seen, and the worker never sleeps for ever.
 * BROKEN=1  no second look after arming
 * BROKEN=2  `armed` forgotten when a poll returns without sleeping, and RIONotify skipped after it
 *           has fired
 * BROKEN=3  the wake word is announced by a load and a store
 * BROKEN=4  a waker signals nobody who has only announced */
#ifndef BROKEN
#define BROKEN 0
#endif
#define COMPLETIONS 3
#define RUNNING 0
#define SLEEPING 1
#define WOKEN 2

byte queued, taken;
bool kernel_armed;       /* the notification */
bool armed;              /* what the worker believes */
byte word = RUNNING;
bool message, message_read;
chan port = [4] of { bit };  /* 0 = notification, 1 = wake */

active proctype kernel() {
    byte sent = 0;
    do
    :: sent < COMPLETIONS ->
        atomic {
            queued++;
            sent++;
            if
            :: kernel_armed -> kernel_armed = false; port ! 0
            :: else -> skip
            fi
        }
    :: else -> break
    od
}

active proctype waker() {
    byte was;
    message = true;
    atomic { was = word; word = WOKEN };
#if BROKEN == 4
    if
    :: was == SLEEPING && len(port) > 0 -> port ! 1
    :: else -> skip
    fi
#else
    if
    :: was == SLEEPING -> port ! 1
    :: else -> skip
    fi
#endif
}

inline dequeue() {
    atomic { taken = taken + queued; found = found + queued; queued = 0 }
}

inline notify() {
    atomic {
        if
        :: !kernel_armed ->
            kernel_armed = true;
            if
            :: queued > 0 -> kernel_armed = false; port ! 0 /* at once */
            :: skip                                         /* or at the next one */
            fi
        :: else -> skip /* WSAEALREADY */
        fi
    };
    armed = true
}

active proctype worker() {
    byte found, packet;
    bool go;
    do
    :: taken == COMPLETIONS && message_read -> break
    :: else ->
        /* one poll, without a time limit */
        found = 0;
        dequeue();
        if
        :: found == 0 && word != WOKEN ->
            if
            :: !armed -> notify()
            :: else -> skip
            fi;
#if BROKEN != 1
            dequeue();
#endif
            if
            :: found == 0 && word != WOKEN ->
#if BROKEN == 3
                if
                :: word == RUNNING -> word = SLEEPING; go = true
                :: else -> go = false
                fi;
#else
                atomic {
                    if
                    :: word == RUNNING -> word = SLEEPING; go = true
                    :: else -> go = false
                    fi
                };
#endif
                if
                :: go ->
                    port ? packet;
                    if
                    :: packet == 0 && BROKEN != 2 -> armed = false
                    :: else -> skip
                    fi;
                    atomic { word = RUNNING }
                :: else -> skip
                fi;
                dequeue()
            :: else -> skip
            fi
        :: else -> skip
        fi;
        if
        :: word == WOKEN -> word = RUNNING
        :: else -> skip
        fi;
        /* the shard's turn */
        if
        :: message -> message = false; message_read = true
        :: else -> skip
        fi
    od
}
