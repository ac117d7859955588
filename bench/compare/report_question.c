/* SPDX-License-Identifier: MIT */
/* Prediction and measurement side by side. */
#include "compare/report_question.h"

#include <stdio.h>

#include "compare/question.h"

#define QUESTION_LINES_BEFORE 3u /* the predictions */

static const char *clause_name(rs_clause clause) {
    static const char *const names[] = {"open", "holds", "fails"}; /* rs_clause */
    return names[clause];
}

static void clause_seen(const rs_question_clause *clause, const rs_question_seen *seen, char *out,
                        size_t bytes) {
    if (clause->bound == RS_BOUND_SOUND) {
        (void)snprintf(out, bytes, "%u of %u runs void", seen->voided, seen->made);
    } else if (seen->ratio.count == 0) {
        (void)snprintf(out, bytes, "no undisturbed pair");
    } else {
        (void)snprintf(out, bytes, "measured %.3g (%.3g to %.3g at %.4g %%, %u pair%s)",
                       seen->ratio.middle, seen->ratio.low, seen->ratio.high,
                       rs_stats_level(seen->ratio.count) * 100, seen->ratio.count,
                       seen->ratio.count == 1 ? "" : "s");
    }
}

static void question_clause_line(const rs_question *question, uint32_t index,
                                 const rs_question_input *input, const rs_answer *answer,
                                 char *words, size_t bytes) {
    char predicted[RS_QUESTION_WORDS_BYTES], seen[128] = "not measured here", state[16] = "";
    rs_question_clause_words(question, index, predicted);
    if (answer->judged) {
        clause_seen(&question->clause[index], &input->seen[index], seen, sizeof seen);
        (void)snprintf(state, sizeof state, ": %s", clause_name(answer->clause[index]));
    }
    (void)snprintf(words, bytes, "%s; %s%s", predicted, seen, state);
}

bool rs_report_question(const rs_results *results, uint32_t index, const char **what, char *words,
                        size_t bytes) {
    const rs_question *question = results->question;
    rs_question_input input;
    rs_answer answer;
    if (question == NULL) {
        return false;
    }
    rs_question_answer(results, &input, &answer);
    if (index == 0) {
        *what = "question";
        (void)snprintf(words, bytes, "%u, %s: %s", question->number, question->name,
                       question->question);
    } else if (index == 1) {
        *what = "asked by";
        (void)snprintf(words, bytes, "%s, %s", question->asker, question->link);
    } else if (index == 2) {
        *what = "hypothesis";
        (void)snprintf(words, bytes, "%s", question->hypothesis);
    } else if (index < QUESTION_LINES_BEFORE + question->clauses) {
        *what = "prediction";
        question_clause_line(question, index - QUESTION_LINES_BEFORE, &input, &answer, words,
                             bytes);
    } else if (index == QUESTION_LINES_BEFORE + question->clauses) {
        *what = "answer";
        (void)snprintf(words, bytes, "%s", answer.text);
    } else if (index == QUESTION_LINES_BEFORE + question->clauses + 1 &&
               question->leaves_open != NULL) {
        *what = "leaves open";
        (void)snprintf(words, bytes, "%s", question->leaves_open);
    } else {
        return false;
    }
    return true;
}

void rs_report_question_json(rs_json *json, const rs_results *results) {
    const rs_question *question = results->question;
    char words[RS_QUESTION_WORDS_BYTES];
    rs_question_input input;
    rs_answer answer;
    if (question == NULL) {
        return;
    }
    rs_question_answer(results, &input, &answer);
    rs_json_object(json, "question");
    rs_json_u64(json, "number", question->number);
    rs_json_string(json, "name", question->name);
    rs_json_string(json, "question", question->question);
    rs_json_string(json, "hypothesis", question->hypothesis);
    rs_json_string(json, "answer", rs_answer_name(answer.kind));
    rs_json_string(json, "text", answer.text);
    rs_json_array(json, "prediction");
    for (uint32_t i = 0; i < question->clauses; i++) {
        rs_question_clause_words(question, i, words);
        rs_json_object(json, NULL);
        rs_json_string(json, "predicted", words);
        rs_json_string(json, "state", answer.judged ? clause_name(answer.clause[i]) : NULL);
        rs_json_double(json, "measured", input.seen[i].ratio.middle);
        rs_json_double(json, "low", input.seen[i].ratio.low);
        rs_json_double(json, "high", input.seen[i].ratio.high);
        rs_json_double(json, "level", rs_stats_level(input.seen[i].ratio.count));
        rs_json_u64(json, "pairs", input.seen[i].ratio.count);
        rs_json_end(json);
    }
    rs_json_end(json);
    rs_json_end(json);
}
