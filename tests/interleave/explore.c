/* SPDX-License-Identifier: MIT */
/* Threads are coroutines: entered by setcontext, switched by _longjmp, which spares the system call
 * for the signal mask. The search is depth first, each run from the start along the
 * choices of the one before, with the last open choice taken differently. */
#include "explore.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "core/assert.h"
#include "core/limits.h"

#define STACK_BYTES (256u * 1024u)
#define BUFFER_MAX 64u
#define READS_MAX 64u
#define AGENTS_MAX (2u * XP_THREADS_MAX) /* thread i, and XP_THREADS_MAX + i: its store buffer */
#define NAMED_WORDS_MAX 256u
#define ARENA_BYTES (1u << 20)

typedef enum step_kind {
    STEP_NONE,
    STEP_LOAD,
    STEP_RMW,
    STEP_AWAIT,
    STEP_RELAX,
    STEP_FLUSH
} step_kind;

/* What an agent would do next. */
typedef struct step {
    step_kind kind;
    const void *word; /* NULL for STEP_RELAX, which looks at the words read since the last one */
} step;

typedef struct seen {
    const void *word;
    uint32_t bytes;
    uint64_t value;
} seen;

typedef struct stored {
    void *word;
    uint32_t bytes;
    uint64_t value;
} stored;

typedef struct thread {
    jmp_buf start, at;
    bool started; /* `start` is set: a context costs system calls, so that each stack gets one */
    bool entered; /* in this run */
    uint8_t *stack;
    step next; /* STEP_NONE: it has ended */
    stored buffer[BUFFER_MAX];
    uint32_t buffered;
    seen reads[READS_MAX]; /* what it has seen since it last went on from xp_relax */
    uint32_t read_count;
} thread;

/* One choice of the run in progress; the frames of the run before say where to go on. */
typedef struct frame {
    uint32_t enabled, sleeping, done; /* sets of agents */
    uint32_t chosen;
    uint32_t deviations; /* before this choice */
    uint32_t thread;     /* whose turn it is without a deviation */
    uint32_t delaying;   /* threads whose stores are being held back */
    step next[AGENTS_MAX];
    const void *reads[XP_THREADS_MAX][READS_MAX]; /* of those that relax */
    uint32_t read_count[XP_THREADS_MAX];
} frame;

static struct {
    const xp_model *model;
    xp_result *result;
    jmp_buf scheduler;
    thread threads[XP_THREADS_MAX];
    uint32_t thread_count;
    int32_t running; /* -1: none, atomics act at once */
    frame frames[XP_STEPS_MAX];
    uint32_t depth;    /* frames of this run */
    uint32_t replayed; /* of them, those that repeat the run before */
    const void *named[NAMED_WORDS_MAX];
    uint32_t named_count;
    uint8_t *arena;
    size_t arena_used;
} xp;

/* ---- memory */

static uint64_t word_read(const void *word, uint32_t bytes) {
    uint64_t value = 0;
    uint32_t narrow;
    if (bytes == 8) {
        memcpy(&value, word, 8);
        return value;
    }
    memcpy(&narrow, word, 4);
    return narrow;
}

static void word_write(void *word, uint32_t bytes, uint64_t value) {
    uint32_t narrow = (uint32_t)value;
    memcpy(word, bytes == 8 ? (const void *)&value : &narrow, bytes);
}

/* The newest store of its own, else memory. */
static uint64_t thread_reads(const thread *t, const void *word, uint32_t bytes) {
    for (uint32_t i = t->buffered; i > 0; i--) {
        if (t->buffer[i - 1].word == word) {
            return t->buffer[i - 1].value;
        }
    }
    return word_read(word, bytes);
}

static thread *self(void) {
    return &xp.threads[xp.running];
}

/* Of a word seen twice the first value counts: it may have changed in between. */
static uint64_t saw(const void *word, uint32_t bytes, uint64_t value) {
    thread *me = self();
    for (uint32_t i = 0; i < me->read_count; i++) {
        if (me->reads[i].word == word) {
            return value;
        }
    }
    RS_ASSERT(me->read_count < READS_MAX);
    me->reads[me->read_count++] = (seen){word, bytes, value};
    return value;
}

static void thread_yield(step next) {
    thread *me = self();
    me->next = next;
    if (_setjmp(me->at) == 0) {
        _longjmp(xp.scheduler, 1);
    }
}

static void buffer_flush_one(thread *t) {
    word_write(t->buffer[0].word, t->buffer[0].bytes, t->buffer[0].value);
    t->buffered--;
    memmove(t->buffer, t->buffer + 1, t->buffered * sizeof t->buffer[0]);
}

uint64_t xp_load(const void *word, uint32_t bytes) {
    if (xp.running < 0) {
        return word_read(word, bytes);
    }
    thread_yield((step){STEP_LOAD, word});
    return saw(word, bytes, thread_reads(self(), word, bytes));
}

void xp_store(void *word, uint32_t bytes, uint64_t value) {
    if (xp.running < 0) {
        word_write(word, bytes, value);
        return;
    }
    RS_ASSERT(self()->buffered < BUFFER_MAX);
    self()->buffer[self()->buffered++] = (stored){word, bytes, value};
}

uint64_t xp_rmw(void *word, uint32_t bytes, xp_rmw_kind kind, uint64_t operand, uint64_t expected) {
    uint64_t before;
    bool torn = xp.model != NULL && xp.model->torn;
    if (xp.running >= 0 && !torn) {
        thread_yield((step){STEP_RMW, word});
    }
    before = torn ? xp_load(word, bytes) : word_read(word, bytes);
    if (kind != XP_CAS || before == expected) {
        uint64_t after = kind == XP_ADD ? before + operand : operand;
        after = bytes == 4 ? (uint32_t)after : after;
        if (torn) {
            xp_store(word, bytes, after);
        } else {
            word_write(word, bytes, after);
        }
    }
    if (xp.running >= 0 && !torn) {
        (void)saw(word, bytes, word_read(word, bytes));
    }
    return before;
}

void xp_await(uint32_t *word) {
    RS_ASSERT(xp.running >= 0);
    thread_yield((step){STEP_AWAIT, word});
    word_write(word, 4, 0);
}

void xp_signal(uint32_t *word) {
    if (xp.running >= 0) {
        thread_yield((step){STEP_RMW, word});
    }
    word_write(word, 4, 1);
}

void xp_relax(void) {
    RS_ASSERT(xp.running >= 0);
    thread_yield((step){STEP_RELAX, NULL});
    self()->read_count = 0;
}

void xp_fail(const char *why) {
    if (!xp.result->failed) {
        xp.result->failed = true;
        (void)snprintf(xp.result->fault, sizeof xp.result->fault, "%s", why);
    }
    if (xp.running >= 0) {
        _longjmp(xp.scheduler, 1); /* the thread is not entered again */
    }
}

/* In place of core/assert.c: an assertion of the code under test is a fault of the run. */
void rs_assert_failed(const char *file, int line, const char *condition) {
    char text[200];
    (void)snprintf(text, sizeof text, "%s:%d: assertion failed: %s", file, line, condition);
    if (xp.result == NULL || xp.running < 0) {
        (void)fprintf(stderr, "%s\n", text);
        abort();
    }
    xp_fail(text);
    abort();
}

void rs_fatal(const char *call, unsigned long os_error, const char *why) {
    (void)os_error;
    rs_assert_failed(call, 0, why);
}

/* ---- which steps may be swapped */

static bool step_writes(step s) {
    return s.kind == STEP_RMW || s.kind == STEP_AWAIT || s.kind == STEP_FLUSH;
}

/* Would thread `relaxing` go on for a change of this word? */
static bool waits_for(const frame *at, uint32_t relaxing, const void *word) {
    for (uint32_t i = 0; i < at->read_count[relaxing]; i++) {
        if (at->reads[relaxing][i] == word) {
            return true;
        }
    }
    return false;
}

static bool steps_depend(const frame *at, uint32_t a, uint32_t b) {
    step x = at->next[a], y = at->next[b];
    if (a % XP_THREADS_MAX == b % XP_THREADS_MAX) {
        return true; /* one thread, or a thread and its buffer */
    }
    if (x.kind == STEP_RELAX || y.kind == STEP_RELAX) {
        return (step_writes(y) && waits_for(at, a, y.word)) ||
               (step_writes(x) && waits_for(at, b, x.word));
    }
    return x.word == y.word && (step_writes(x) || step_writes(y));
}

/* ---- one run */

static void thread_main(uint32_t index) {
    (void)_setjmp(xp.threads[index].start); /* every later run begins here */
    xp.model->thread[index]();
    xp.threads[index].next = (step){STEP_NONE, NULL};
    _longjmp(xp.scheduler, 1);
}

static void thread_start(thread *t, uint32_t index) {
    ucontext_t entry;
    if (t->started) {
        _longjmp(t->start, 1);
    }
    t->started = true;
    (void)getcontext(&entry);
    entry.uc_stack.ss_sp = t->stack;
    entry.uc_stack.ss_size = STACK_BYTES;
    entry.uc_link = NULL;
    makecontext(&entry, (void (*)(void))thread_main, 1, index);
    (void)setcontext(&entry);
}

static void thread_resume(uint32_t index) {
    thread *t = &xp.threads[index];
    xp.running = (int32_t)index;
    if (_setjmp(xp.scheduler) == 0) {
        if (t->entered) {
            _longjmp(t->at, 1);
        }
        t->entered = true;
        thread_start(t, index);
    }
    xp.running = -1;
}

void *xp_calloc(size_t count, size_t bytes) {
    size_t whole = (count * bytes + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    uint8_t *at = xp.arena + xp.arena_used;
    RS_ASSERT(whole <= ARENA_BYTES - xp.arena_used);
    xp.arena_used += whole;
    return memset(at, 0, whole);
}

void xp_free(void *memory) {
    (void)memory;
}

static void run_begin(void) {
    xp.arena_used = 0;
    xp.model->begin();
    xp.depth = 0;
    for (uint32_t i = 0; i < xp.thread_count; i++) {
        thread *t = &xp.threads[i];
        t->buffered = 0;
        t->read_count = 0;
        t->entered = false;
    }
    for (uint32_t i = 0; i < xp.thread_count && !xp.result->failed; i++) {
        thread_resume(i); /* to its first step */
    }
}

static bool thread_sees_change(const thread *t) {
    for (uint32_t i = 0; i < t->read_count; i++) {
        if (thread_reads(t, t->reads[i].word, t->reads[i].bytes) != t->reads[i].value) {
            return true;
        }
    }
    return false;
}

static bool thread_is_enabled(const thread *t) {
    uint32_t set;
    switch (t->next.kind) {
    case STEP_LOAD:
        return true;
    case STEP_RMW:
        return t->buffered == 0;
    case STEP_AWAIT:
        memcpy(&set, t->next.word, sizeof set);
        return t->buffered == 0 && set != 0;
    case STEP_RELAX:
        return thread_sees_change(t);
    default:
        return false;
    }
}

static bool all_ended(void) {
    for (uint32_t i = 0; i < xp.thread_count; i++) {
        if (xp.threads[i].next.kind != STEP_NONE || xp.threads[i].buffered > 0) {
            return false;
        }
    }
    return true;
}

static uint32_t agents_enabled(void) {
    uint32_t enabled = 0;
    for (uint32_t i = 0; i < xp.thread_count; i++) {
        const thread *t = &xp.threads[i];
        enabled |= thread_is_enabled(t) ? 1u << i : 0;
        enabled |= t->buffered > 0 ? 1u << (XP_THREADS_MAX + i) : 0;
    }
    return enabled;
}

static void frame_describe(frame *at) {
    at->enabled = agents_enabled();
    for (uint32_t i = 0; i < xp.thread_count; i++) {
        const thread *t = &xp.threads[i];
        at->next[i] = t->next;
        at->read_count[i] = t->next.kind == STEP_RELAX ? t->read_count : 0;
        for (uint32_t j = 0; j < at->read_count[i]; j++) {
            at->reads[i][j] = t->reads[j].word;
        }
        at->next[XP_THREADS_MAX + i] =
            (step){STEP_FLUSH, t->buffered > 0 ? t->buffer[0].word : NULL};
    }
}

static uint32_t lowest(uint32_t set) {
    uint32_t i = 0;
    while ((set & 1u << i) == 0) {
        i++;
    }
    return i;
}

/* Who sleeps after `at` has taken its choice: who slept or was tried before, and would have done
 * the same in either order. */
static uint32_t sleeping_after(const frame *at) {
    uint32_t before = at->sleeping | at->done, after = 0;
    for (uint32_t i = 0; i < AGENTS_MAX; i++) {
        if ((before & 1u << i) != 0 && i != at->chosen && !steps_depend(at, i, at->chosen)) {
            after |= 1u << i;
        }
    }
    return after;
}

/* Is this choice a deviation? */
static bool deviates(const frame *at, uint32_t agent) {
    uint32_t stores = at->enabled >> XP_THREADS_MAX;
    bool can_go_on = ((at->enabled | stores) & 1u << at->thread) != 0;
    if (agent >= XP_THREADS_MAX) {
        agent -= XP_THREADS_MAX; /* a store that was held back may arrive at any time */
        return can_go_on && agent != at->thread && (at->delaying & 1u << agent) == 0;
    }
    return agent == at->thread ? (stores & ~at->delaying & 1u << agent) != 0 : can_go_on;
}

/* The choices that the bound leaves. */
static uint32_t affordable(const frame *at) {
    uint32_t open = at->enabled;
    for (uint32_t i = 0; i < AGENTS_MAX; i++) {
        if (at->deviations == xp.model->deviations_max && deviates(at, i)) {
            open &= ~(1u << i);
        }
    }
    return open;
}

static void frame_follow(frame *at, const frame *before) {
    uint32_t agent = before->chosen % XP_THREADS_MAX;
    at->deviations = before->deviations + (deviates(before, before->chosen) ? 1u : 0u);
    at->thread = before->chosen < XP_THREADS_MAX ? agent : before->thread;
    at->delaying = before->delaying;
    if (before->chosen < XP_THREADS_MAX && (before->enabled >> XP_THREADS_MAX & 1u << agent) != 0) {
        at->delaying |= 1u << agent;
    }
    at->delaying &= at->enabled >> XP_THREADS_MAX; /* an empty buffer holds nothing back */
}

/* What may be chosen at a new frame. */
static uint32_t frame_open(frame *at) {
    const frame *before = xp.depth > 0 ? at - 1 : NULL;
    at->done = at->sleeping = at->deviations = at->thread = at->delaying = 0;
    if (xp.model->deviations_max > 0) {
        if (before != NULL) {
            frame_follow(at, before);
        }
        return affordable(at);
    }
    at->sleeping = before != NULL ? sleeping_after(before) : 0;
    return at->enabled & ~at->sleeping;
}

static void take(uint32_t agent) {
    if (agent < XP_THREADS_MAX) {
        thread_resume(agent);
    } else {
        buffer_flush_one(&xp.threads[agent - XP_THREADS_MAX]);
    }
}

/* One step; false when the run is over. */
static bool run_step(void) {
    frame *at = &xp.frames[xp.depth];
    uint32_t open;
    if (xp.depth + 1 >= XP_STEPS_MAX) {
        xp_fail("a run without an end");
        return false;
    }
    if (xp.depth < xp.replayed) {                   /* most steps of most runs */
        RS_ASSERT(agents_enabled() == at->enabled); /* the threads do the same again */
        xp.depth++;
        take(at->chosen);
        return true;
    }
    frame_describe(at);
    open = frame_open(at);
    if (open == 0) {
        if (at->enabled != 0) {
            xp.result->pruned++;
        } else if (all_ended()) {
            xp.result->runs++;
            if (xp.model->end != NULL) {
                xp.model->end();
            }
        } else {
            xp_fail("deadlock: every thread waits");
        }
        return false;
    }
    at->chosen = lowest(open);
    xp.depth++;
    take(at->chosen);
    return true;
}

/* The last choice that can be taken differently; false when there is none: all has been seen. */
static bool search_next(void) {
    while (xp.depth > 0) {
        frame *at = &xp.frames[xp.depth - 1];
        uint32_t open;
        at->done |= 1u << at->chosen;
        open = xp.model->deviations_max > 0 ? affordable(at) : at->enabled & ~at->sleeping;
        open &= ~at->done;
        if (open != 0) {
            at->chosen = lowest(open);
            xp.replayed = xp.depth;
            return true;
        }
        xp.depth--;
    }
    return false;
}

/* ---- telling */

static uint32_t word_name(const void *word) {
    for (uint32_t i = 0; i < xp.named_count; i++) {
        if (xp.named[i] == word) {
            return i;
        }
    }
    if (xp.named_count < NAMED_WORDS_MAX) {
        xp.named[xp.named_count++] = word;
    }
    return xp.named_count - 1;
}

static void print_run(void) {
    static const char *const names[] = {"ends", "load", "rmw", "wait", "relax", "store arrives"};
    xp.named_count = 0;
    (void)fprintf(stderr, "%s: %s, after:\n", xp.model->name, xp.result->fault);
    for (uint32_t i = 0; i < xp.depth; i++) {
        const frame *at = &xp.frames[i];
        step s = at->next[at->chosen];
        (void)fprintf(stderr, "  thread %u: %s", at->chosen % XP_THREADS_MAX, names[s.kind]);
        (void)fprintf(stderr, s.word != NULL ? " word %u\n" : "\n",
                      s.word != NULL ? word_name(s.word) : 0);
    }
}

void xp_explore(const xp_model *model, xp_result *out) {
    memset(out, 0, sizeof *out);
    memset(&xp, 0, sizeof xp);
    xp.model = model;
    xp.result = out;
    xp.running = -1;
    xp.arena = aligned_alloc(RS_PAGE_BYTES, ARENA_BYTES);
    RS_ASSERT(xp.arena != NULL);
    while (xp.thread_count < XP_THREADS_MAX && model->thread[xp.thread_count] != NULL) {
        xp.threads[xp.thread_count].stack = malloc(STACK_BYTES);
        RS_ASSERT(xp.threads[xp.thread_count].stack != NULL);
        xp.thread_count++;
    }
    do {
        run_begin();
        while (!out->failed && run_step()) {
        }
        out->steps = xp.depth > out->steps ? xp.depth : out->steps;
        if (out->runs > model->runs_max) {
            xp_fail("more runs than the model may have");
        }
    } while (!out->failed && search_next());
    if (out->failed && !model->torn) {
        print_run();
    }
    for (uint32_t i = 0; i < xp.thread_count; i++) {
        free(xp.threads[i].stack);
    }
    free(xp.arena);
    xp.model = NULL;
    xp.result = NULL;
}
