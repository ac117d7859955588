/* SPDX-License-Identifier: MIT */
/* What one statement of the course notes needs to become an experiment.
 *
 * A statement is one file, named after it: bench/notes/b1_recv_returns_what_is_there.c. It holds
 *   figures   what the experiment sees, one row each: name, unit, how repeats are put together
 *   judge     the rule, written before the figures: from what was seen to a verdict. Pure
 *   run       the experiment, over raw sockets: calls note_add for every figure
 *   note_ID   the entry that names these, with every verdict that the rule can give
 * and one row of note_table.h. tests/unit/notes_test.c gets one case for each verdict. Nothing else
 * names the file: CMake finds it.
 *
 * run is called once a repeat, on a thread of its own. One that takes longer than bound_s is given
 * up and reported, so waits inside it are bounded too. Whatever it opens through note_net.h is
 * closed behind it, and memory from note_memory stays until the process ends: a request that was
 * cut off may still write there. NOTE_NEED leaves run when a call fails, which makes the verdict
 * "cannot tell here". A run that breaks rules on purpose has .child set: it happens in a process
 * of its own, whose end is figure 0. */
#ifndef RS_NOTES_NOTE_H
#define RS_NOTES_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "seam/os.h"

#define NOTE_FIGURES_MAX 24u
#define NOTE_WORDS_BYTES 400u
#define NOTE_SAMPLES_MAX 128u /* of one figure, over all repeats */
#define NOTE_BOUND_S 15u      /* of one run, unless its entry says otherwise */

typedef enum note_kind {
    NOTE_HOLDS,
    NOTE_DOES_NOT_HOLD,
    NOTE_IN_PART,    /* the words say where it ends */
    NOTE_CANNOT_TELL /* the words say why */
} note_kind;
#define NOTE_KINDS 4u

typedef struct note_verdict {
    note_kind kind;
    char words[NOTE_WORDS_BYTES];
} note_verdict;

/* How the samples of a figure become one value. */
typedef enum note_merge {
    NOTE_MEDIAN, /* with the 95 % interval of that median, and the p99 of the samples */
    NOTE_SUM,    /* of faults, lost bytes: one in ten repeats is one */
    NOTE_MOST,
    NOTE_LEAST
} note_merge;

typedef struct note_figure {
    const char *name, *unit; /* unit "": a count or a ratio */
    note_merge merge;
} note_figure;

/* A figure as the rule sees it. value is NAN, and count 0, when nothing was added. */
typedef struct note_seen {
    double value, low, high; /* low, high: the interval of a MEDIAN, else the value */
    double p99;              /* of the samples of a MEDIAN */
    uint32_t count;
} note_seen;

typedef enum note_where {
    NOTE_ANYWHERE,
    NOTE_WINDOWS,       /* Winsock: Windows or Wine */
    NOTE_WINDOWS_KERNEL /* what Wine does not have: .cannot says what */
} note_where;

typedef struct note note;
typedef void (*note_run_fn)(note *self);
typedef note_verdict (*note_judge_fn)(const note_seen *seen);

typedef struct note_entry {
    const char *file; /* NOTE_FILE */
    note_where where;
    const char *cannot; /* NOTE_WINDOWS_KERNEL: what Wine lacks; else NULL */
    const note_figure *figure;
    uint32_t figures;
    uint32_t kinds; /* NOTE_BIT of every verdict that judge can give */
    note_judge_fn judge;
    note_run_fn run;     /* NULL: nothing to run on this platform */
    const char *command; /* the tool that shows it at length, or NULL */
    bool child;          /* run in a process of its own; figure 0: how that ended */
    uint32_t bound_s;    /* 0: NOTE_BOUND_S */
} note_entry;

#define NOTE_BIT(kind) (1u << (uint32_t)(kind))
#define NOTE_COUNT(rows) ((uint32_t)(sizeof(rows) / sizeof((rows)[0])))
#define NOTE_FILE(name) "bench/notes/" name ".c"
#define NOTE_FIGURES(rows) .figure = (rows), .figures = NOTE_COUNT(rows)

/* run of a statement about Windows alone, whose code is below #ifdef _WIN32. */
#ifdef _WIN32
#define NOTE_ON_WINDOWS(fn) (fn)
#else
#define NOTE_ON_WINDOWS(fn) NULL
#endif

/* Figure 0 of an entry with .child: the exit code; or one of these. */
#define NOTE_CHILD_CRASHED (-1.0)
#define NOTE_CHILD_STUCK (-2.0)

/* ---- for judge: a verdict and its words, printf-formatted */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
note_verdict
note_say(note_kind kind, const char *format, ...);

/* note_ratio_differs: the interval of a ratio does not hold 1, and rests on three pairs or more. */
bool note_ratio_differs(const note_seen *ratio);

/* note_ratio_words: "1.52 (1.49 to 1.60)", or "no difference (0.97, 0.90 to 1.04)". */
void note_ratio_words(const note_seen *ratio, char *out, size_t bytes);

/* note_by_ratio: the rule for "X costs more than Y": the ratio of a figure with X to that with Y.
 * Holds: its interval is above 1. Does not hold: it holds 1 ("no difference") or lies below.
 * Cannot tell: fewer than three pairs. what: "CPU of X to that of Y". */
note_verdict note_by_ratio(const note_seen *ratio, const char *what);

/* ---- for run */

/* note_add: one sample of a figure. The thread of run. NAN is no sample. */
void note_add(note *self, uint32_t figure, double value);

/* note_memory: zeroed; never freed. NULL when there is none, and then note_failed was called. */
void *note_memory(note *self, size_t bytes);

/* note_error: WSAGetLastError or errno, of the call just made. */
int note_error(void);

/* note_failed: nothing can be told, because `what` failed with the last error of the system. */
void note_failed(note *self, const char *what);

#define NOTE_NEED(self, condition, what)                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            note_failed((self), (what));                                                           \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* note_sort: ascending; for medians and percentiles of a run's own samples. */
void note_sort(double *values, uint32_t count);

/* note_percentile: of sorted values; percent in [0, 100]. NAN of none. */
double note_percentile(const double *sorted, uint32_t count, double percent);

/* note_random: xorshift; *state is not 0. */
uint32_t note_random(uint64_t *state);

/* note_pattern: what byte `at` of a test's stream is, so that one out of place shows. */
static inline char note_pattern(uint64_t at) {
    return (char)(at * 2654435761u >> 13);
}

static inline double note_us_since(uint64_t start_ns) {
    return (double)(rs_os_now_ns() - start_ns) / 1e3;
}

#endif
