/* SPDX-License-Identifier: MIT */
/* The register of open public questions about Registered I/O, and --question, which puts one to the
 * machine: who asks, a hypothesis, a prediction, the runs that test it, the rule of the answer.
 *
 * All of an entry was written before its first run. Pure: a table, and a rule over intervals. The
 * runs are those of trade-offs (a server with settings changed) or of a plain comparison. */
#ifndef RS_COMPARE_QUESTION_H
#define RS_COMPARE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/result.h"
#include "compare/tradeoff.h"
#include "compare/verdict.h"

#define RS_QUESTION_CLAUSES_MAX 5u
#define RS_QUESTION_CHANGES_MAX 2u
#define RS_QUESTION_SETS_MAX 3u
#define RS_QUESTION_WORDS_BYTES 224u

/* What a figure is divided by. */
typedef enum rs_question_over {
    RS_OVER_DEFAULTS, /* the same server without the change */
    RS_OVER_IOCP,     /* iocp_server: on Windows alone */
    RS_OVER_NOTHING   /* the figure itself */
} rs_question_over;

typedef enum rs_question_bound {
    RS_BOUND_AT_LEAST,
    RS_BOUND_AT_MOST,
    RS_BOUND_SAME, /* within 1 -+ RS_STATS_SAME */
    RS_BOUND_SOUND /* no run is void; the figure does not matter */
} rs_question_bound;

/* One sentence of a prediction. */
typedef struct rs_question_clause {
    const char *scenario, *server; /* a cell of the map may stand for a scenario */
    int32_t change;                /* of the question's; -1: the server as it is */
    rs_question_over over;
    rs_metric metric;
    rs_question_bound bound;
    double value;
} rs_question_clause;

typedef struct rs_question {
    uint32_t number;      /* in the register */
    const char *name;     /* of --question */
    const char *question; /* with its question mark */
    const char *asker, *link;
    const char *known;                       /* what has been said so far */
    const char *answered_by, *answered_link; /* on Windows, by somebody; NULL: nobody */
    const char *answered_here; /* figures, on what they were taken, limits; NULL: not yet */
    bool partly;               /* ... and some clause of it is open */
    const char *hypothesis;    /* NULL: no experiment, and leaves_open says what it would need */
    const char *leaves_open;   /* NULL: nothing */
    const char *why_windows; /* why Windows alone can answer; NULL: Wine's stack can, for itself */
    bool any;                /* of its clauses one is enough; otherwise all have to hold */
    const char *set[RS_QUESTION_SETS_MAX]; /* --set of both sides */
    rs_tradeoff change[RS_QUESTION_CHANGES_MAX];
    uint32_t changes;
    rs_question_clause clause[RS_QUESTION_CLAUSES_MAX];
    uint32_t clauses;
} rs_question;

uint32_t rs_question_count(void);
const rs_question *rs_question_at(uint32_t index); /* index < rs_question_count() (asserted) */

/* rs_question_find: by name or number; NULL: no such question. */
const rs_question *rs_question_find(const char *id);

/* rs_question_rows, rs_question_row: the settings that a comparison of trade-offs changes: those of
 * the question, or with NULL all of tradeoff.h. index < rs_question_rows() (asserted). */
uint32_t rs_question_rows(const rs_question *question);
const rs_tradeoff *rs_question_row(const rs_question *question, uint32_t index);

/* rs_question_uses: one of its clauses or changes is about this scenario, or cell of the map. */
bool rs_question_uses(const rs_question *question, const char *scenario);

/* rs_question_measures: this server takes part. */
bool rs_question_measures(const rs_question *question, const char *server);

/* rs_question_asks: one of its clauses is about this figure. */
bool rs_question_asks(const rs_question *question, rs_metric metric);

/* rs_question_counts: a clause about what is counted, which a disturbed run tells as well. */
bool rs_question_counts(const rs_question_clause *clause);

/* rs_question_clause_words: of one clause, as a sentence without its full stop. */
void rs_question_clause_words(const rs_question *question, uint32_t index,
                              char out[RS_QUESTION_WORDS_BYTES]);

/* ---- the answer */

/* What was seen of one clause. */
typedef struct rs_question_seen {
    rs_interval ratio;
    uint32_t made, voided; /* runs */
} rs_question_seen;

typedef struct rs_question_input {
    rs_platform platform;
    bool unfit;         /* too many runs were disturbed or void */
    uint32_t controls;  /* that were measured */
    bool control_fails; /* one of them shows a difference where there is none */
    uint32_t repeats;
    rs_question_seen seen[RS_QUESTION_CLAUSES_MAX];
} rs_question_input;

typedef enum rs_answer_kind {
    RS_ANSWER_CANNOT, /* this platform cannot answer it */
    RS_ANSWER_NOT_SEPARABLE,
    RS_ANSWER_HOLDS,
    RS_ANSWER_FAILS
} rs_answer_kind;

typedef struct rs_answer {
    rs_answer_kind kind;
    bool judged; /* the clauses below were looked at */
    rs_clause clause[RS_QUESTION_CLAUSES_MAX];
    char text[512]; /* one line */
} rs_answer;

/* rs_question_rule: the rule's own words. */
extern const char rs_question_rule[];

/* rs_question_judge: clauses are joined as in three-valued logic. The answer is that of the
 * platform that was measured and says so. */
void rs_question_judge(const rs_question *question, const rs_question_input *input, rs_answer *out);

/* rs_question_look: what results, summarised, have of the question's clauses. Of a question that
 * this platform cannot answer nothing. Pairs with a disturbed run are left out. */
void rs_question_look(const rs_question *question, const rs_results *results,
                      rs_question_input *out);

/* rs_question_answer: the two above, of results->question, which is not NULL. */
void rs_question_answer(const rs_results *results, rs_question_input *input, rs_answer *out);

/* rs_question_decide: puts the answer in the place of the verdict, unless that is "unfit" and some
 * clause is about times. */
void rs_question_decide(rs_results *results);

/* rs_answer_name: "holds", "does not hold", "not separable", "cannot be answered here". */
const char *rs_answer_name(rs_answer_kind kind);

#endif
