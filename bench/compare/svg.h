/* SPDX-License-Identifier: MIT */
/* Charts as SVG, for the HTML report: bars in parts, percentile curves, ratios, heat maps.
 *
 * Pure. Narrow by design (RS_SVG_WIDTH units, a phone's width), so that text stays readable where
 * the page is narrow; colours are CSS classes (c0.., s0..), so that light and dark are the page's
 * business. All text is escaped. */
#ifndef RS_COMPARE_SVG_H
#define RS_COMPARE_SVG_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/result.h"
#include "compare/text.h"

#define RS_SVG_WIDTH 340
#define RS_SVG_PARTS_MAX 24u
#define RS_SVG_COLOURS 12u /* classes s0 to s11; c0 to c11 */
#define RS_SVG_POINTS 6u

/* rs_svg_begin: opens a chart of that height, with its title; "</svg>" ends it. */
void rs_svg_begin(rs_compare_text *text, const char *title, int height);

typedef struct rs_bar {
    const char *label;
    const char *note;              /* in place of the figure; NULL: the figure */
    double part[RS_SVG_PARTS_MAX]; /* lengths; unknown ones are left out */
    uint32_t parts;
    uint32_t colour;  /* one part: class c; several: part i has class s */
    double low, high; /* whisker; NAN: none */
} rs_bar;

typedef struct rs_curve {
    const char *label;
    double value[RS_SVG_POINTS]; /* microseconds; unknown or 0 breaks the line */
    uint32_t colour;
} rs_curve;

/* rs_svg_bars: one below the other, all to one scale that starts at 0. part_name: [parts of the
 * longest bar] for tool tips, or NULL. */
void rs_svg_bars(rs_compare_text *text, const char *title, const char *unit, const rs_bar *bar,
                 uint32_t bars, const char *const *part_name);

/* rs_svg_curves: latency at p50, p90, p99, p99.9, p99.99 and the maximum, on a logarithmic scale.
 */
void rs_svg_curves(rs_compare_text *text, const char *title, const rs_curve *curve,
                   uint32_t curves);

typedef struct rs_ratio_row {
    const char *label;
    rs_interval ratio;
} rs_ratio_row;

/* rs_svg_ratios: a dot and its interval for each ratio, on a logarithmic scale around 1; those
 * whose interval holds 1 are grey. more_is_better: of the figure. */
void rs_svg_ratios(rs_compare_text *text, const char *title, bool more_is_better,
                   const rs_ratio_row *row, uint32_t rows);

#define RS_SVG_HEAT_STEPS 7u /* classes h0 (worst) to h6 (best), h3 between */
#define RS_SVG_HEAT_COLUMNS 6u
#define RS_SVG_HEAT_ROWS 6u

typedef struct rs_heat {
    uint32_t columns, rows;
    const uint32_t *column, *row; /* what each stands for: [columns], [rows] */
    const char *columns_are, *rows_are;
    rs_interval ratio[RS_SVG_HEAT_ROWS][RS_SVG_HEAT_COLUMNS]; /* count 0: no such cell, "-" */
    bool more_is_better;                                      /* of the figure */
    double within; /* up to this factor either way a ratio is no difference; > 1 */
} rs_heat;

/* rs_svg_heat_step: the class of a ratio. Of no difference, or one within heat->within: 3. */
uint32_t rs_svg_heat_step(const rs_heat *heat, const rs_interval *ratio);

/* rs_svg_heat: a grid of ratios, the number in each cell; in brackets where the interval shows
 * neither a difference nor that there is none. Colours are a diverging scale. */
void rs_svg_heat(rs_compare_text *text, const char *title, const rs_heat *heat);

#endif
