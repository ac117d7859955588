/* SPDX-License-Identifier: MIT */
/* What the reports say of --question. Pure. */
#ifndef RS_COMPARE_REPORT_QUESTION_H
#define RS_COMPARE_REPORT_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/result.h"
#include "core/json.h"

#define RS_REPORT_QUESTION_BYTES 640u

/* rs_report_question: number `index` of its lines, from the question to the answer: what, a static
 * string, and words, cut where longer than bytes. False: there is none, or no question was put. */
bool rs_report_question(const rs_results *results, uint32_t index, const char **what, char *words,
                        size_t bytes);

/* rs_report_question_json: "question", into an open object; nothing where none was put. */
void rs_report_question_json(rs_json *json, const rs_results *results);

#endif
