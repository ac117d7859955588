/* SPDX-License-Identifier: MIT */
/* Charts as SVG, for the HTML report: bars in parts, percentile curves, ratios, heat maps.
 *
 * Pure. Narrow by design (RS_SVG_WIDTH units, a phone's width), so that text stays readable where
 * the page is narrow; colours are CSS classes (c0.., s0.., h0..), so that light and dark are the
 * page's business. All text is escaped. */
#ifndef RS_COMPARE_SVG_H
#define RS_COMPARE_SVG_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/result.h"
#include "compare/text.h"

#define RS_SVG_WIDTH 340
#define RS_SVG_PARTS_MAX RS_SVG_COSTS
#define RS_SVG_COLOURS 12u /* of servers: classes c0 to c11, the last is grey */
#define RS_SVG_COSTS 12u   /* of kinds of cost: s0 to s11, the last is grey */
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

/* rs_svg_bars: one below the other, all to one scale that starts at 0; bars of one part that differ
 * much as points on a logarithmic one; a bar in parts that is much longer than the others ends in
 * an arrow. unit: of all figures, in the title. part_name: [parts of the longest bar] for tool
 * tips, or NULL. */
void rs_svg_bars(rs_compare_text *text, const char *title, const char *unit, const rs_bar *bar,
                 uint32_t bars, const char *const *part_name);

/* rs_svg_curves: latency at p50, p90, p99, p99.9, p99.99 and the maximum, on a logarithmic scale.
 */
void rs_svg_curves(rs_compare_text *text, const char *title, const rs_curve *curve,
                   uint32_t curves);

/* A logarithmic scale of ratios, of which one strip after the other is drawn. */
typedef struct rs_ratio_axis {
    double low, high;
} rs_ratio_axis;

typedef struct rs_ratio_mark {
    const rs_interval *ratio;
    const char *name; /* for the tool tip */
} rs_ratio_mark;

/* rs_ratio_axis_init: from 0.8 to 1.25. rs_ratio_axis_take: wide enough for this one as well, but
 * at most from 1/32 to 32. */
void rs_ratio_axis_init(rs_ratio_axis *axis);
void rs_ratio_axis_take(rs_ratio_axis *axis, const rs_interval *ratio);

/* rs_svg_ticks: the numbers of the scale. rs_svg_strip: one below the other, each a point on its
 * interval, hollow where no difference is shown; an arrow where it goes on beyond the scale, with
 * its number where the point itself does. Both are as wide as the element that they stand in.
 * pitch: pixels for each. */
void rs_svg_ticks(rs_compare_text *text, const rs_ratio_axis *axis);
void rs_svg_strip(rs_compare_text *text, const rs_ratio_axis *axis, uint32_t colour,
                  const rs_ratio_mark *mark, uint32_t marks, uint32_t pitch);

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
