/* SPDX-License-Identifier: MIT */
/* How this comparison errs, by comparing a server with itself and with a known handicap.
 *
 * Pure: of the pairs that --calibrate has measured, many comparisons of a few pairs are drawn, and
 * each is judged as any other comparison is. Any thread. */
#ifndef RS_COMPARE_CALIBRATION_H
#define RS_COMPARE_CALIBRATION_H

#include <stdint.h>

#include "compare/result.h"

#define RS_CALIBRATION_PAIRS 10u   /* of one drawn comparison: as --full has */
#define RS_CALIBRATION_WIDTH 0.1   /* likewise */
#define RS_CALIBRATION_DRAWN 2000u /* comparisons */

typedef struct rs_calibration {
    rs_interval all;               /* over every pair */
    double worse, better, covered; /* shares of the drawn comparisons: found worse; found better;
                                      interval holds the median of all pairs */
    double lost;                   /* share of those that are a loss by the rule of the decision:
                                      the whole interval more than 5 % worse */
    double pairs;                  /* of one drawn comparison, their mean */
    uint32_t drawn;                /* 0: fewer pairs than a comparison has */
} rs_calibration;

/* rs_calibrate: ratios own[i] / base[i], [count]. higher_is_better: of the figure. Draws without
 * replacement, by a fixed seed, comparisons of RS_CALIBRATION_PAIRS; of width > 0 each goes on as
 * --width does, while there are pairs. */
void rs_calibrate(const double *own, const double *base, uint32_t count, bool higher_is_better,
                  double width, rs_calibration *out);

/* rs_calibrate_cell: rate or CPU time of a subject against the one that it is set against, in all
 * pairs, disturbed ones too, as in the tables. */
void rs_calibrate_cell(const rs_results *results, uint32_t scenario, uint32_t subject,
                       rs_metric metric, double width, rs_calibration *out);

#endif
