/* SPDX-License-Identifier: MIT */
/* From a question and intervals to an answer. */
#include "compare/question.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

const char rs_question_rule[] =
    "A clause holds when the whole interval of the paired ratios keeps its bound, fails when none "
    "of it does, and is open otherwise. All clauses have to hold, unless the entry says that one "
    "is enough; one that fails decides, then one that is open. Where a figure is a time, or made "
    "of times, pairs with a disturbed run do not count, and there is no answer when too many runs "
    "were disturbed, without a control, the same server against itself, or when that shows a "
    "difference. Counts, memory and shares of messages stand without these: the answer says so.";

const rs_question *rs_question_find(const char *id) {
    char number[16];
    for (uint32_t i = 0; i < rs_question_count(); i++) {
        const rs_question *question = rs_question_at(i);
        (void)snprintf(number, sizeof number, "%u", question->number);
        if (strcmp(id, question->name) == 0 || strcmp(id, number) == 0) {
            return question;
        }
    }
    return NULL;
}

uint32_t rs_question_rows(const rs_question *question) {
    return question != NULL ? question->changes : rs_tradeoff_count();
}

const rs_tradeoff *rs_question_row(const rs_question *question, uint32_t index) {
    RS_ASSERT(index < rs_question_rows(question));
    return question != NULL ? &question->change[index] : rs_tradeoff_at(index);
}

bool rs_question_uses(const rs_question *question, const char *scenario) {
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (strcmp(question->clause[i].scenario, scenario) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < question->changes; i++) {
        if (rs_tradeoff_shows_in(&question->change[i], scenario)) {
            return true;
        }
    }
    return false;
}

/* Some clause sets one server against the other. */
static bool question_is_across(const rs_question *question) {
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (question->clause[i].over == RS_OVER_IOCP) {
            return true;
        }
    }
    return false;
}

bool rs_question_measures(const rs_question *question, const char *server) {
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (strcmp(question->clause[i].server, server) == 0) {
            return true;
        }
    }
    return question_is_across(question) &&
           (strcmp(server, "iocp_server") == 0 || strcmp(server, "epoll_server") == 0);
}

bool rs_question_asks(const rs_question *question, rs_metric metric) {
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (question->clause[i].metric == metric) {
            return true;
        }
    }
    return false;
}

bool rs_question_counts(const rs_question_clause *clause) {
    switch (clause->metric) {
    case RS_METRIC_LEAST:
    case RS_METRIC_MEMORY_EACH:
    case RS_METRIC_SPIN_HITS:
        return true;
    default:
        return clause->bound == RS_BOUND_SOUND;
    }
}

/* Some clause is not settled by counting. */
static bool question_has_times(const rs_question *question) {
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (!rs_question_counts(&question->clause[i])) {
            return true;
        }
    }
    return false;
}

static const char *question_metric(rs_metric metric) {
    switch (metric) {
    case RS_METRIC_RATE:
        return "rate";
    case RS_METRIC_P50:
        return "p50 latency";
    case RS_METRIC_P99:
        return "p99 latency";
    case RS_METRIC_CPU_SUM:
        return "processor time a message";
    case RS_METRIC_LEAST:
        return "least connection's share";
    case RS_METRIC_SPIN_HITS:
        return "share of spins that find something";
    case RS_METRIC_DEQUEUED:
        return "completions a dequeue";
    case RS_METRIC_MEMORY_EACH:
        return "memory a connection";
    default:
        return rs_metric_infos[metric].key;
    }
}

void rs_question_clause_words(const rs_question *question, uint32_t index,
                              char out[RS_QUESTION_WORDS_BYTES]) {
    static const char *const over[] = {" of its defaults", " of iocp_server", ""};
    const rs_question_clause *clause;
    const char *times;
    char server[96], bound[64];
    RS_ASSERT(index < question->clauses);
    clause = &question->clause[index];
    times = clause->over == RS_OVER_NOTHING ? "" : " times that";
    (void)snprintf(server, sizeof server, "%s", clause->server);
    if (clause->change >= 0) {
        const rs_tradeoff *change = &question->change[clause->change];
        (void)snprintf(server, sizeof server, "%s with %s=%s%s%s%s%s", clause->server,
                       change->option, change->value, change->needs != NULL ? " " : "",
                       change->needs != NULL ? change->needs : "", change->needs != NULL ? "=" : "",
                       change->needs != NULL ? change->needs_value : "");
    }
    if (clause->bound == RS_BOUND_SOUND) {
        (void)snprintf(out, RS_QUESTION_WORDS_BYTES, "%s: no run of %s is void", clause->scenario,
                       server);
        return;
    }
    if (clause->bound == RS_BOUND_SAME) {
        (void)snprintf(bound, sizeof bound, "within %.2f and %.2f%s", 1 - RS_STATS_SAME,
                       1 + RS_STATS_SAME, times);
    } else {
        (void)snprintf(bound, sizeof bound, "at %s %.2f%s",
                       clause->bound == RS_BOUND_AT_LEAST ? "least" : "most", clause->value, times);
    }
    (void)snprintf(out, RS_QUESTION_WORDS_BYTES, "%s: the %s of %s is %s%s", clause->scenario,
                   question_metric(clause->metric), server, bound, over[clause->over]);
}

/* ---- the rule */

const char *rs_answer_name(rs_answer_kind kind) {
    static const char *const names[] = {"cannot be answered here", "not separable", "holds",
                                        "does not hold"};
    return names[kind];
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
answer_say(rs_answer *out, rs_answer_kind kind, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(out->text, sizeof out->text, format, list);
    va_end(list);
    out->kind = kind;
}

static void answer_add(rs_answer *out, const char *words) {
    const size_t used = strlen(out->text);
    (void)snprintf(out->text + used, sizeof out->text - used, "%s", words);
}

static rs_clause question_same(const rs_interval *ratio) {
    if (ratio->count < RS_VERDICT_PAIRS_MIN) {
        return RS_CLAUSE_UNSETTLED;
    }
    if (ratio->low > 1 + RS_STATS_SAME || ratio->high < 1 - RS_STATS_SAME) {
        return RS_CLAUSE_WORSE;
    }
    return rs_stats_is_same(ratio) ? RS_CLAUSE_BETTER : RS_CLAUSE_UNSETTLED;
}

static rs_clause question_sound(const rs_question_seen *seen) {
    if (seen->voided > 0) {
        return RS_CLAUSE_WORSE;
    }
    return seen->made < RS_VERDICT_PAIRS_MIN ? RS_CLAUSE_UNSETTLED : RS_CLAUSE_BETTER;
}

static rs_clause question_clause(const rs_question_clause *clause, const rs_question_seen *seen) {
    switch (clause->bound) {
    case RS_BOUND_AT_LEAST:
        return rs_clause_at_least(&seen->ratio, clause->value);
    case RS_BOUND_AT_MOST:
        return rs_clause_at_most(&seen->ratio, clause->value);
    case RS_BOUND_SAME:
        return question_same(&seen->ratio);
    case RS_BOUND_SOUND:
        return question_sound(seen);
    }
    RS_UNREACHABLE("a bound is one of four");
}

static bool question_is_for(const rs_question *question, rs_platform platform) {
    return platform == RS_PLATFORM_WINDOWS ||
           (platform == RS_PLATFORM_WINE && question->why_windows == NULL);
}

/* Which of its clauses have this state: the first, and how many. */
static uint32_t answer_count(const rs_question *question, const rs_answer *out, rs_clause state,
                             char words[RS_QUESTION_WORDS_BYTES]) {
    uint32_t count = 0;
    words[0] = '\0';
    for (uint32_t i = 0; i < question->clauses; i++) {
        if (out->clause[i] == state && count++ == 0) {
            rs_question_clause_words(question, i, words);
        }
    }
    return count;
}

/* Clauses that are open because hardly any run counts. */
static uint32_t answer_starved(const rs_question *question, const rs_question_input *input,
                               const rs_answer *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < question->clauses; i++) {
        count += out->clause[i] == RS_CLAUSE_UNSETTLED &&
                 input->seen[i].ratio.count < RS_VERDICT_PAIRS_MIN;
    }
    return count;
}

static void answer_clauses(const rs_question *question, const rs_question_input *input,
                           rs_answer *out) {
    const char *where = input->platform == RS_PLATFORM_WINE ? "Under Wine" : "On Windows";
    const uint32_t twice = input->repeats * 2;
    char held[RS_QUESTION_WORDS_BYTES], failed[RS_QUESTION_WORDS_BYTES],
        open[RS_QUESTION_WORDS_BYTES];
    const uint32_t holds = answer_count(question, out, RS_CLAUSE_BETTER, held);
    const uint32_t fails = answer_count(question, out, RS_CLAUSE_WORSE, failed);
    const uint32_t opens = answer_count(question, out, RS_CLAUSE_UNSETTLED, open);
    if (question->any ? holds > 0 : holds == question->clauses) {
        answer_say(out, RS_ANSWER_HOLDS, "%s the prediction holds%s%s.", where,
                   question->any ? ", since " : "", question->any ? held : "");
    } else if (question->any ? fails == question->clauses : fails > 0) {
        answer_say(out, RS_ANSWER_FAILS, "%s the prediction does not hold; it fails in: %s.", where,
                   failed);
    } else {
        answer_say(out, RS_ANSWER_NOT_SEPARABLE,
                   "%s not separable: %u of %u clauses %s, such as: %s. More runs: compare "
                   "--question %u --repeat %u",
                   where, opens, question->clauses,
                   answer_starved(question, input, out) == opens ? "have too few undisturbed runs"
                                                                 : "are open",
                   open, question->number, twice > RS_REPEATS_MAX ? RS_REPEATS_MAX : twice);
    }
}

void rs_question_judge(const rs_question *question, const rs_question_input *input,
                       rs_answer *out) {
    RS_ASSERT(question->clauses > 0);
    memset(out, 0, sizeof *out);
    if (!question_is_for(question, input->platform)) {
        answer_say(out, RS_ANSWER_CANNOT,
                   "This machine cannot answer: %s. On Windows: bench\\compare.cmd --question %u",
                   question->why_windows != NULL ? question->why_windows
                                                 : "no server of Windows was measured",
                   question->number);
        return;
    }
    out->judged = true;
    for (uint32_t i = 0; i < question->clauses; i++) {
        out->clause[i] = question_clause(&question->clause[i], &input->seen[i]);
    }
    if (!question_has_times(question)) {
        answer_clauses(question, input, out);
        answer_add(out, " It rests on counts; disturbed runs are in.");
    } else if (input->unfit) {
        answer_say(out, RS_ANSWER_NOT_SEPARABLE,
                   "No answer: too many runs were disturbed or void.");
    } else if (input->controls == 0) {
        answer_say(out, RS_ANSWER_NOT_SEPARABLE, "No answer: there was no control.");
    } else if (input->control_fails) {
        answer_say(out, RS_ANSWER_NOT_SEPARABLE,
                   "No answer: a server differs from itself here, so what differs is not the "
                   "setting alone.");
    } else {
        answer_clauses(question, input, out);
    }
}

/* ---- what was measured */

static int32_t look_scenario(const rs_results *results, const char *name) {
    for (uint32_t i = 0; i < results->scenarios; i++) {
        if (strcmp(results->scenario[i]->name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* The server of that name, or with that change; a control has a name of its own. */
static int32_t look_subject(const rs_results *results, const char *server,
                            const rs_tradeoff *change) {
    for (uint32_t i = 0; i < results->subjects; i++) {
        const rs_subject *subject = &results->subject[i];
        const uint32_t named = change != NULL ? subject->of : i;
        if (subject->changed == change && strcmp(results->subject[named].name, server) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

static void look_clause(const rs_question *question, const rs_question_clause *clause,
                        const rs_results *results, rs_question_seen *out) {
    const rs_tradeoff *change = clause->change >= 0 ? &question->change[clause->change] : NULL;
    const int32_t scenario = look_scenario(results, clause->scenario);
    const int32_t subject = look_subject(results, clause->server, change);
    int32_t of = -1;
    if (clause->over == RS_OVER_IOCP) {
        of = look_subject(results, "iocp_server", NULL);
    } else if (clause->over == RS_OVER_DEFAULTS && subject >= 0) {
        of = (int32_t)results->subject[subject].of;
    }
    if (scenario < 0 || subject < 0 || (of < 0 && clause->over != RS_OVER_NOTHING)) {
        return;
    }
    const rs_cell *cell = rs_results_cell(results, (uint32_t)scenario, (uint32_t)subject);
    out->made = cell->ok + cell->voided;
    out->voided = cell->voided;
    out->ratio = rs_results_ratio(results, (uint32_t)scenario, (uint32_t)subject, of,
                                  clause->metric, !rs_question_counts(clause));
}

void rs_question_look(const rs_question *question, const rs_results *results,
                      rs_question_input *out) {
    const uint32_t where = rs_results_control_scenario(results);
    memset(out, 0, sizeof *out);
    out->platform = results->platform;
    out->repeats = results->repeats - results->extra;
    out->unfit = rs_verdict_is_unfit(rs_results_made(results),
                                     rs_results_disturbed(results) + rs_results_voided(results),
                                     results->unfit_percent);
    for (uint32_t i = 0; i < results->subjects; i++) {
        if (results->subject[i].control) {
            const rs_cell *cell = rs_results_cell(results, where, i);
            out->controls++;
            out->control_fails = out->control_fails ||
                                 rs_verdict_control(&cell->rate) == RS_CLAUSE_WORSE ||
                                 rs_verdict_control(&cell->cpu) == RS_CLAUSE_WORSE;
        }
    }
    for (uint32_t i = 0; i < question->clauses; i++) {
        out->seen[i].ratio = (rs_interval){.middle = NAN, .low = NAN, .high = NAN, .p = 1};
        if (question_is_for(question, results->platform)) {
            look_clause(question, &question->clause[i], results, &out->seen[i]);
        }
    }
}

void rs_question_answer(const rs_results *results, rs_question_input *input, rs_answer *out) {
    RS_ASSERT(results->question != NULL);
    rs_question_look(results->question, results, input);
    rs_question_judge(results->question, input, out);
}

void rs_question_decide(rs_results *results) {
    rs_question_input input;
    rs_answer answer;
    if (results->verdict.kind != RS_VERDICT_UNFIT || !question_has_times(results->question)) {
        rs_question_answer(results, &input, &answer);
        results->verdict.kind = RS_VERDICT_CANNOT;
        (void)snprintf(results->verdict.text, sizeof results->verdict.text, "Question %u, %s %s",
                       results->question->number, results->question->question, answer.text);
    }
}
