/* SPDX-License-Identifier: MIT */
/* See note.h: samples, their merging, verdicts. Pure but for note_memory and a child's lines. */
#include "notes/note_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/stats.h"
#include "core/assert.h"

_Static_assert(NOTE_SAMPLES_MAX <= RS_STATS_SAMPLES_MAX, "stats.h takes as many at once");

note_verdict note_say(note_kind kind, const char *format, ...) {
    note_verdict verdict = {.kind = kind};
    va_list list;
    va_start(list, format);
    (void)vsnprintf(verdict.words, sizeof verdict.words, format, list);
    va_end(list);
    return verdict;
}

bool note_ratio_differs(const note_seen *ratio) {
    const rs_interval interval = {
        .middle = ratio->value, .low = ratio->low, .high = ratio->high, .count = ratio->count};
    return rs_stats_is_difference(&interval);
}

void note_ratio_words(const note_seen *ratio, char *out, size_t bytes) {
    const bool differs = note_ratio_differs(ratio);
    (void)snprintf(out, bytes, "%s%.2f%s%.2f to %.2f)", differs ? "" : "no difference (",
                   ratio->value, differs ? " (" : ", ", ratio->low, ratio->high);
}

note_verdict note_by_ratio(const note_seen *ratio, const char *what) {
    char words[96];
    note_ratio_words(ratio, words, sizeof words);
    if (ratio->count < RS_STATS_PAIRS_MIN) {
        return note_say(NOTE_CANNOT_TELL, "%s: %s, but only from %u measured: --repeat more", what,
                        words, ratio->count);
    }
    return note_say(ratio->low > 1 ? NOTE_HOLDS : NOTE_DOES_NOT_HOLD, "%s: %s", what, words);
}

void note_init(note *self, const note_entry *entry) {
    RS_ASSERT(entry->figures <= NOTE_FIGURES_MAX);
    self->entry = entry;
    self->failed[0] = '\0';
    self->inner = false;
    self->sockets = 0;
#ifdef _WIN32
    self->handles = 0;
#endif
    for (uint32_t i = 0; i < NOTE_FIGURES_MAX; i++) {
        self->figure[i].count = 0;
    }
}

static double samples_total(note_merge merge, double so_far, double value) {
    if (merge == NOTE_SUM) {
        return so_far + value;
    }
    return (merge == NOTE_MOST) == (value > so_far) ? value : so_far;
}

void note_add(note *self, uint32_t figure, double value) {
    RS_ASSERT(figure < self->entry->figures);
    const note_merge merge = self->entry->figure[figure].merge;
    note_samples *samples = &self->figure[figure];
    if (!rs_is_known(value)) {
        return;
    }
    if (self->inner) {
        (void)printf("%" PRIu32 " %.17g\n", figure, value);
        (void)fflush(stdout); /* what follows may crash */
    }
    if (merge != NOTE_MEDIAN && samples->count > 0) {
        samples->value[0] = samples_total(merge, samples->value[0], value);
    } else if (samples->count < NOTE_SAMPLES_MAX) {
        samples->value[samples->count++] = value;
    }
}

void note_merge_all(const note *self, note_seen *seen) {
    double one[NOTE_SAMPLES_MAX], sorted[NOTE_SAMPLES_MAX];
    for (uint32_t i = 0; i < NOTE_SAMPLES_MAX; i++) {
        one[i] = 1;
    }
    for (uint32_t i = 0; i < self->entry->figures; i++) {
        const note_samples *samples = &self->figure[i];
        const rs_interval interval = rs_stats_ratio(samples->value, one, samples->count);
        memcpy(sorted, samples->value, samples->count * sizeof sorted[0]);
        note_sort(sorted, samples->count);
        seen[i] = (note_seen){.value = interval.middle,
                              .low = interval.low,
                              .high = interval.high,
                              .p99 = note_percentile(sorted, samples->count, 99),
                              .count = samples->count};
    }
}

note_verdict note_judged(const note *self, const note_seen *seen) {
    if (self->failed[0] != '\0') {
        return note_say(NOTE_CANNOT_TELL, "%s", self->failed);
    }
    return self->entry->judge(seen);
}

int note_error(void) {
#ifdef _WIN32
    return WSAGetLastError(); /* GetLastError's place, so it serves other calls too */
#else
    return errno;
#endif
}

void note_failed(note *self, const char *what) {
    const int error = note_error();
    if (self->failed[0] == '\0') {
        (void)snprintf(self->failed, sizeof self->failed, "%.200s failed (error %d)", what, error);
        if (self->inner) {
            (void)printf("failed %s\n", self->failed);
            (void)fflush(stdout);
        }
    }
}

/* A list, so that a leak checker sees who holds it. */
typedef struct memory_block {
    struct memory_block *next;
    uint64_t aligned[1];
} memory_block;

static memory_block *memory_all;

void *note_memory(note *self, size_t bytes) {
    memory_block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL) {
        note_failed(self, "calloc");
        return NULL;
    }
    block->next = memory_all;
    memory_all = block;
    return block->aligned;
}

static int sort_order(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void note_sort(double *values, uint32_t count) {
    qsort(values, count, sizeof values[0], sort_order);
}

double note_percentile(const double *sorted, uint32_t count, double percent) {
    if (count == 0) {
        return NAN;
    }
    const double at = ceil(percent / 100.0 * count);
    const uint32_t index = at < 1 ? 0 : (uint32_t)at - 1u;
    return sorted[index < count ? index : count - 1u];
}

uint32_t note_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return (uint32_t)(x >> 32);
}
