/* SPDX-License-Identifier: MIT */
/* A shard's message_pending word over the wake of a back end (src/common/server/shard.c, and the poll
 * of each back end), with two posters.
 * BACKEND=1  IOCP, RIO by port or by the provider's wait: the wake word {running, sleeping, woken}
 *            (src/common/seam/wake_word.h), a packet, or an eventfd, for a sleeper
 * BACKEND=2  epoll: a pending word, an eventfd that is written for the first of several wakes
 * BACKEND=3  RIO by event: as 1 with an event that is set
 * Checked: the messages of both posters are read, and the shard does not sleep over it.
 * BROKEN=1  the poster wakes before it says that a message is pending
 * BROKEN=2  the shard clears message_pending after it has read the mailbox
 * BROKEN=3  a poll that did not sleep uses up the wake and then sleeps (the fault of inline
 *           completions that was once here); epoll: the pending word is never taken back */
#ifndef BROKEN
#define BROKEN 0
#endif
#ifndef BACKEND
#define BACKEND 1
#endif
#define RUNNING 0
#define SLEEPING 1
#define WOKEN 2
#define POSTERS 2

byte box;            /* messages in the mailbox */
bit pending;         /* message_pending */
byte got;
byte word = RUNNING; /* BACKEND 2: 1 = a wake has not been seen */
byte port;           /* packets, or the level of an event or an eventfd */

inline wake() {
#if BACKEND == 2
    atomic { was = word; word = 1 };
    if
    :: was == 0 -> port = 1
    :: else -> skip
    fi
#else
    atomic { was = word; word = WOKEN };
    if
#if BACKEND == 3
    :: was == SLEEPING -> port = 1
#else
    :: was == SLEEPING -> port++
#endif
    :: else -> skip
    fi
#endif
}

proctype poster() {
    byte was;
    bit before;
    box++;
#if BROKEN == 1
    wake();
    pending = 1
#else
    atomic { before = pending; pending = 1 };
    if
    :: before == 0 -> wake()
    :: else -> skip
    fi
#endif
}

/* A poll without a time limit, or with none to wait. */
inline poll(forever) {
#if BACKEND == 2
    if
    :: forever -> atomic { port > 0 -> port = 0; word = (BROKEN == 3 -> word : 0) }
    :: !forever ->
        atomic {
            if
            :: port > 0 -> port = 0; word = (BROKEN == 3 -> word : 0)
            :: else -> skip
            fi
        }
    fi
#else
#if BROKEN == 3
    word = RUNNING; /* a look at the port without waiting, which takes the word back */
#endif
    if
    :: forever ->
        atomic {
            if
            :: word == RUNNING -> word = SLEEPING; go = true
            :: else -> go = false
            fi
        };
        if
        :: go -> atomic { port > 0 -> port-- }
        :: else -> skip
        fi
    :: !forever ->
        atomic {
            if
            :: port > 0 -> port--
            :: else -> skip
            fi
        }
    fi;
    word = RUNNING
#endif
}

active proctype shard() {
    bool go;
    do
    :: got == POSTERS -> break
    :: else ->
        if
        :: pending == 1 -> poll(false)
        :: pending == 0 -> poll(true)
        fi;
        if
        :: pending == 1 ->
#if BROKEN != 2
            pending = 0;
#endif
            do
            :: box > 0 -> atomic { box--; got++ }
            :: box == 0 -> break
            od;
#if BROKEN == 2
            pending = 0
#endif
        :: pending == 0 -> skip
        fi
    od
}

init {
    atomic { run poster(); run poster() }
}
