/* SPDX-License-Identifier: MIT */
/* c16: a logic thread apart from the I/O threads keeps slow work off the network.
 *
 * Experiment: 8 sessions send a byte each and get it back; once in 96 messages one asks for work of
 * 5 ms. The work is done on the I/O thread; or all messages go to a logic thread; or only the slow
 * one does. 99th percentile of the answers to the other sessions.
 * Documented: nothing; it is a matter of design. Refuted by: others that wait as long with a logic
 * thread: they may, behind the slow message in its queue. */
#include "notes/note_net.h"
#include "seam/atomics.h"

#ifdef _WIN32
#define poll WSAPoll
typedef WSAPOLLFD poll_fd;
#else
#include <poll.h>
typedef struct pollfd poll_fd;
#endif

#define SESSIONS 8u
#define TURNS 24u
#define SLOW_TURNS 12u
#define SLOW_MS 5u
#define ROUNDS 3u
#define QUEUE 64u

enum { ON_IO_MS, ON_LOGIC_MS, SLOW_APART_MS, LOGIC_RATIO, APART_RATIO };
static const note_figure figures[] = {
    [ON_IO_MS] = {"p99 of the others, work on the I/O thread", "ms", NOTE_MEDIAN},
    [ON_LOGIC_MS] = {"all work on a logic thread", "ms", NOTE_MEDIAN},
    [SLOW_APART_MS] = {"slow work alone on a logic thread", "ms", NOTE_MEDIAN},
    [LOGIC_RATIO] = {"I/O thread to logic thread", "", NOTE_MEDIAN},
    [APART_RATIO] = {"I/O thread to slow work apart", "", NOTE_MEDIAN},
};

/* Kept off: less than half the wait. Where even those wait as long as the work takes, nothing can
 * be told. */
static note_verdict judge(const note_seen *seen) {
    const bool logic = seen[LOGIC_RATIO].low > 2, apart = seen[APART_RATIO].low > 2;
    const bool busy = seen[SLOW_APART_MS].value >= SLOW_MS;
    return note_say(busy    ? NOTE_CANNOT_TELL
                    : logic ? NOTE_HOLDS
                    : apart ? NOTE_IN_PART
                            : NOTE_DOES_NOT_HOLD,
                    "p99 of the others: %.2f ms with the work on the I/O thread, %.2f with all of "
                    "it on a logic thread, %.2f with slow work alone there%s",
                    seen[ON_IO_MS].value, seen[ON_LOGIC_MS].value, seen[SLOW_APART_MS].value,
                    busy              ? ": too busy a machine"
                    : !logic && apart ? ": in one queue the others wait behind it"
                                      : "");
}

typedef struct server {
    note_socket socket[SESSIONS];
    uint32_t way;
    rs_os_event *work;
    rs_atomic_u32 head, tail; /* of queue: the I/O thread puts, the logic thread takes */
    struct {
        uint32_t session;
        char byte;
    } queue[QUEUE];
} server;

static void handle(server *s, uint32_t session, char byte) {
    if (byte == 's') {
        rs_os_sleep_ms(SLOW_MS);
    }
    (void)note_send(s->socket[session], &byte, 1); /* a failure shows: no answer */
}

static void logic(void *arg) {
    server *s = arg;
    for (uint32_t at = 0;; at++) {
        while (rs_atomic_load_u32(&s->tail) == at) {
            (void)rs_os_event_wait(s->work, 100);
        }
        if (s->queue[at % QUEUE].byte == 'q') {
            return;
        }
        handle(s, s->queue[at % QUEUE].session, s->queue[at % QUEUE].byte);
        rs_atomic_store_u32(&s->head, at + 1);
    }
}

/* At most one message a session is under way, so the queue never fills. */
static void give(server *s, uint32_t session, char byte) {
    const uint32_t at = rs_atomic_load_u32(&s->tail);
    s->queue[at % QUEUE].session = session;
    s->queue[at % QUEUE].byte = byte;
    rs_atomic_store_u32(&s->tail, at + 1);
    rs_os_event_set(s->work);
}

static void serve(void *arg) {
    server *s = arg;
    poll_fd fd[SESSIONS];
    for (bool open = true; open;) {
        char byte;
        for (uint32_t i = 0; i < SESSIONS; i++) {
            fd[i] = (poll_fd){.fd = s->socket[i], .events = POLLRDNORM};
        }
        open = poll(fd, SESSIONS, 3000) > 0;
        for (uint32_t i = 0; i < SESSIONS && open; i++) {
            if (fd[i].revents == 0) {
                continue;
            }
            open = note_recv(s->socket[i], &byte, 1) == 1; /* else the end */
            if (open && (s->way == 0 || (s->way == 2 && byte != 's'))) {
                handle(s, i, byte);
            } else if (open) {
                give(s, i, byte);
            }
        }
    }
    give(s, 0, 'q');
}

/* p99 in ms of the answers to sessions 1 and up; 0: one did not come. */
static double play(note_socket (*pair)[2]) {
    double ms[TURNS * SESSIONS];
    uint32_t count = 0;
    for (uint32_t t = 0; t < TURNS; t++) {
        uint64_t sent_ns[SESSIONS];
        char byte = t % SLOW_TURNS == SLOW_TURNS / 2 ? 's' : 'x';
        for (uint32_t i = 0; i < SESSIONS; i++) {
            sent_ns[i] = rs_os_now_ns();
            if (note_send(pair[i][1], i == 0 ? &byte : "x", 1) != 1) {
                return 0;
            }
        }
        for (uint32_t i = SESSIONS; i-- > 0;) {
            if (note_recv(pair[i][1], &byte, 1) != 1) {
                return 0;
            }
            if (i > 0) {
                ms[count++] = note_us_since(sent_ns[i]) / 1e3;
            }
        }
    }
    note_sort(ms, count);
    return note_percentile(ms, count, 99);
}

static double one(note *self, uint32_t way) {
    server *s = note_memory(self, sizeof *s);
    rs_os_thread *io = NULL, *apart = NULL;
    note_socket pair[SESSIONS][2];
    for (uint32_t i = 0; s != NULL && i < SESSIONS; i++) {
        if (!note_pair(self, pair[i])) {
            return 0;
        }
        s->socket[i] = pair[i][0];
        note_timeout(pair[i][1], 2000);
    }
    if (s == NULL || rs_os_event_open(&s->work, NULL) != RS_OK) {
        return 0;
    }
    s->way = way;
    double p99 = 0;
    if (rs_os_thread_start(&apart, logic, s, NULL) == RS_OK) {
        p99 = rs_os_thread_start(&io, serve, s, NULL) == RS_OK ? play(pair) : 0;
        if (io == NULL) {
            give(s, 0, 'q');
        }
    }
    note_shut_down(pair[0][1]);
    rs_os_thread_join(io);
    rs_os_thread_join(apart);
    rs_os_event_close(s->work);
    return p99;
}

static void run(note *self) {
    for (uint32_t round = 0; round < ROUNDS; round++) {
        double ms[3];
        for (uint32_t i = 0; i < 3; i++) {
            const uint32_t way = round % 2 == 0 ? i : 2 - i;
            ms[way] = one(self, way);
            NOTE_NEED(self, ms[way] > 0, "an answer");
            note_add(self, ON_IO_MS + way, ms[way]);
            note_close_all(self);
        }
        note_add(self, LOGIC_RATIO, ms[0] / ms[1]);
        note_add(self, APART_RATIO, ms[0] / ms[2]);
    }
}

const note_entry note_c16 = {
    .file = NOTE_FILE("c16_logic_thread"),
    NOTE_FIGURES(figures),
    .kinds = NOTE_BIT(NOTE_HOLDS) | NOTE_BIT(NOTE_DOES_NOT_HOLD) | NOTE_BIT(NOTE_IN_PART) |
             NOTE_BIT(NOTE_CANNOT_TELL),
    .judge = judge,
    .run = run,
    .command = "compare --tradeoffs --scenario many-small",
};
