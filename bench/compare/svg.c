/* SPDX-License-Identifier: MIT */
/* Coordinates are whole units of the view box; the page scales it. */
#include "compare/svg.h"

#include <math.h>
#include <stdio.h>

#include "core/assert.h"

#define SVG_TOP 30 /* below the title */
#define SVG_ROW 40 /* one bar with its label */
#define SVG_BAR 13
#define SVG_PLOT_LEFT 52
#define SVG_PLOT_HEIGHT 170
#define SVG_LEGEND_ROW 19
#define SVG_DECADES_MAX 12

void rs_svg_begin(rs_compare_text *text, const char *title, int height) {
    rs_compare_text_format(text, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                           RS_SVG_WIDTH, height);
    rs_compare_text_html(text, title);
    rs_compare_text_raw(text, "\"><text class=\"t\" x=\"0\" y=\"15\">");
    rs_compare_text_html(text, title);
    rs_compare_text_raw(text, "</text>\n");
}

static void svg_label(rs_compare_text *text, double x, double y, const char *anchor,
                      const char *label) {
    rs_compare_text_format(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    rs_compare_text_html(text, label);
    rs_compare_text_raw(text, "</text>");
}

/* ---- bars */

static double bar_length(const rs_bar *bar) {
    double sum = 0;
    bool any = false;
    for (uint32_t i = 0; i < bar->parts; i++) {
        if (rs_is_known(bar->part[i])) {
            sum += bar->part[i];
            any = true;
        }
    }
    return any ? sum : NAN;
}

static double bars_scale(const rs_bar *bar, uint32_t bars) {
    double most = 0;
    for (uint32_t i = 0; i < bars; i++) {
        most = fmax(most, fmax(bar_length(&bar[i]), bar[i].high));
    }
    return most > 0 ? (RS_SVG_WIDTH - 4) / most : 0;
}

static void bar_parts(rs_compare_text *text, const rs_bar *bar, double y, double scale,
                      const char *const *part_name) {
    double x = 0;
    for (uint32_t i = 0; i < bar->parts; i++) {
        char number[RS_TABLE_CELL_BYTES];
        const double width = bar->part[i] * scale;
        if (!rs_is_known(width) || width <= 0) {
            continue;
        }
        rs_compare_text_format(
            text, "<rect class=\"%c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\">",
            bar->parts == 1 ? 'c' : 's', (bar->parts == 1 ? bar->colour : i) % RS_SVG_COLOURS, x, y,
            width, SVG_BAR);
        if (part_name != NULL) {
            rs_table_number(number, bar->part[i]);
            rs_compare_text_raw(text, "<title>");
            rs_compare_text_html(text, part_name[i]);
            rs_compare_text_format(text, ": %s</title>", number);
        }
        rs_compare_text_raw(text, "</rect>");
        x += width;
    }
}

static void bar_whisker(rs_compare_text *text, const rs_bar *bar, double y, double scale) {
    const double low = bar->low * scale, high = bar->high * scale;
    const double middle = y + SVG_BAR / 2.0;
    if (rs_is_known(low) && rs_is_known(high)) {
        rs_compare_text_format(text,
                               "<path class=\"w\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>",
                               low, middle, high, low, middle - 4, high, middle - 4);
    }
}

static void svg_bar(rs_compare_text *text, const rs_bar *bar, double y, double scale,
                    const char *unit, const char *const *part_name) {
    char number[RS_TABLE_CELL_BYTES], value[RS_TABLE_CELL_BYTES + 32];
    rs_table_number(number, bar_length(bar));
    (void)snprintf(value, sizeof value, "%s %.24s", number, unit);
    if (bar->note != NULL) {
        (void)snprintf(value, sizeof value, "%.80s", bar->note);
    }
    svg_label(text, 0, y + 12, "start", bar->label);
    svg_label(text, RS_SVG_WIDTH, y + 12, "end", value);
    bar_parts(text, bar, y + 17, scale, part_name);
    bar_whisker(text, bar, y + 17, scale);
    rs_compare_text_raw(text, "\n");
}

void rs_svg_bars(rs_compare_text *text, const char *title, const char *unit, const rs_bar *bar,
                 uint32_t bars, const char *const *part_name) {
    const double scale = bars_scale(bar, bars);
    rs_svg_begin(text, title, SVG_TOP - 12 + SVG_ROW * (int)bars);
    for (uint32_t i = 0; i < bars; i++) {
        RS_ASSERT(bar[i].parts <= RS_SVG_PARTS_MAX);
        svg_bar(text, &bar[i], SVG_TOP - 6 + SVG_ROW * (double)i, scale, unit, part_name);
    }
    rs_compare_text_raw(text, "</svg>\n");
}

/* ---- curves */

typedef struct svg_axis {
    int first, last; /* decades: 10^first to 10^last microseconds */
} svg_axis;

static svg_axis axis_of(const rs_curve *curve, uint32_t curves) {
    double least = INFINITY, most = 0;
    svg_axis axis = {.first = 0, .last = 1};
    for (uint32_t i = 0; i < curves; i++) {
        for (uint32_t k = 0; k < RS_SVG_POINTS; k++) {
            if (curve[i].value[k] > 0 && rs_is_known(curve[i].value[k])) {
                least = fmin(least, curve[i].value[k]);
                most = fmax(most, curve[i].value[k]);
            }
        }
    }
    if (most > 0) {
        axis.first = (int)floor(log10(least));
        axis.last = (int)ceil(log10(most));
        axis.last = axis.last > axis.first ? axis.last : axis.first + 1;
        axis.last =
            axis.last - axis.first > SVG_DECADES_MAX ? axis.first + SVG_DECADES_MAX : axis.last;
    }
    return axis;
}

static double axis_y(const svg_axis *axis, double value) {
    const double share = (log10(value) - axis->first) / (axis->last - axis->first);
    return SVG_TOP + SVG_PLOT_HEIGHT * (1 - fmin(fmax(share, 0), 1));
}

static double axis_x(uint32_t point) {
    return SVG_PLOT_LEFT + 12 +
           (RS_SVG_WIDTH - SVG_PLOT_LEFT - 30) * (double)point / (RS_SVG_POINTS - 1);
}

static void axis_decade(int decade, char *out, size_t bytes) {
    if (decade >= 6) {
        (void)snprintf(out, bytes, "%.0f s", pow(10, decade - 6));
    } else if (decade >= 3) {
        (void)snprintf(out, bytes, "%.0f ms", pow(10, decade - 3));
    } else {
        (void)snprintf(out, bytes, "%.*f us", decade < 0 ? -decade : 0, pow(10, decade));
    }
}

static const char *const svg_points[RS_SVG_POINTS] = {"p50",   "p90",    "p99",
                                                      "p99.9", "p99.99", "max"};

static void svg_axes(rs_compare_text *text, const svg_axis *axis) {
    char label[32];
    for (int i = axis->first; i <= axis->last; i++) {
        const double y = axis_y(axis, pow(10, i));
        rs_compare_text_format(text, "<path class=\"g\" d=\"M%d %.1fH%d\"/>", SVG_PLOT_LEFT, y,
                               RS_SVG_WIDTH);
        axis_decade(i, label, sizeof label);
        svg_label(text, SVG_PLOT_LEFT - 5, y + 4, "end", label);
    }
    for (uint32_t i = 0; i < RS_SVG_POINTS; i++) {
        svg_label(text, axis_x(i), SVG_TOP + SVG_PLOT_HEIGHT + 17, "middle", svg_points[i]);
    }
    rs_compare_text_raw(text, "\n");
}

static void svg_curve(rs_compare_text *text, const rs_curve *curve, const svg_axis *axis) {
    bool drawing = false;
    rs_compare_text_format(text, "<path class=\"l c%u\" d=\"", curve->colour % RS_SVG_COLOURS);
    for (uint32_t i = 0; i < RS_SVG_POINTS; i++) {
        const bool known = rs_is_known(curve->value[i]) && curve->value[i] > 0;
        if (known) {
            rs_compare_text_format(text, "%c%.1f %.1f", drawing ? 'L' : 'M', axis_x(i),
                                   axis_y(axis, curve->value[i]));
        }
        drawing = known;
    }
    rs_compare_text_raw(text, "\"/>");
    for (uint32_t i = 0; i < RS_SVG_POINTS; i++) {
        if (rs_is_known(curve->value[i]) && curve->value[i] > 0) {
            char number[RS_TABLE_CELL_BYTES];
            rs_table_number(number, curve->value[i]);
            rs_compare_text_format(
                text,
                "<circle class=\"c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%s: %s us"
                "</title></circle>",
                curve->colour % RS_SVG_COLOURS, axis_x(i), axis_y(axis, curve->value[i]),
                svg_points[i], number);
        }
    }
    rs_compare_text_raw(text, "\n");
}

void rs_svg_curves(rs_compare_text *text, const char *title, const rs_curve *curve,
                   uint32_t curves) {
    const svg_axis axis = axis_of(curve, curves);
    const int legend = SVG_TOP + SVG_PLOT_HEIGHT + 28;
    rs_svg_begin(text, title, legend + SVG_LEGEND_ROW * (int)curves);
    svg_axes(text, &axis);
    for (uint32_t i = 0; i < curves; i++) {
        const int y = legend + SVG_LEGEND_ROW * (int)i;
        svg_curve(text, &curve[i], &axis);
        rs_compare_text_format(text,
                               "<rect class=\"c%u\" x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>",
                               curve[i].colour % RS_SVG_COLOURS, SVG_PLOT_LEFT, y);
        svg_label(text, SVG_PLOT_LEFT + 18, y + 11, "start", curve[i].label);
    }
    rs_compare_text_raw(text, "</svg>\n");
}

/* ---- ratios */

#define SVG_RATIO_ROW 36
#define SVG_RATIO_LEAST 1.25 /* the scale reaches at least so far, both ways: ours */
#define SVG_RATIO_MOST 16.0

/* How far from 1, as a factor, the farthest interval lies. */
static double ratios_reach(const rs_ratio_row *row, uint32_t rows) {
    double reach = SVG_RATIO_LEAST;
    for (uint32_t i = 0; i < rows; i++) {
        if (row[i].ratio.count > 0 && row[i].ratio.low > 0) {
            reach = fmax(reach, fmax(row[i].ratio.high, 1 / row[i].ratio.low));
        }
    }
    return fmin(reach, SVG_RATIO_MOST);
}

static double ratio_x(double value, double reach) {
    const double share = log(value) / log(reach); /* -1 to 1 */
    return (RS_SVG_WIDTH - 12) * (1 + fmin(fmax(share, -1), 1)) / 2 + 6;
}

static uint32_t ratio_colour(const rs_interval *ratio, bool more_is_better) {
    if (!rs_stats_is_difference(ratio)) {
        return RS_SVG_COLOURS - 1; /* grey */
    }
    return (ratio->middle > 1) == more_is_better ? 2 : 1;
}

static void svg_ratio(rs_compare_text *text, const rs_ratio_row *row, bool more_is_better,
                      double reach, double y) {
    const rs_interval *ratio = &row->ratio;
    char value[RS_TABLE_CELL_BYTES];
    svg_label(text, 0, y + 11, "start", row->label);
    if (ratio->count == 0 || !(ratio->low > 0)) {
        svg_label(text, RS_SVG_WIDTH, y + 11, "end", "-");
        return;
    }
    const uint32_t colour = ratio_colour(ratio, more_is_better);
    (void)snprintf(value, sizeof value, "%.2f", ratio->middle);
    svg_label(text, RS_SVG_WIDTH, y + 11, "end", value);
    rs_compare_text_format(text, "<path class=\"l c%u\" d=\"M%.1f %.1fH%.1f\"/>", colour,
                           ratio_x(ratio->low, reach), y + 22, ratio_x(ratio->high, reach));
    rs_compare_text_format(text, "<circle class=\"c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n",
                           colour, ratio_x(ratio->middle, reach), y + 22);
}

void rs_svg_ratios(rs_compare_text *text, const char *title, bool more_is_better,
                   const rs_ratio_row *row, uint32_t rows) {
    const double reach = ratios_reach(row, rows);
    const int bottom = SVG_TOP + SVG_RATIO_ROW * (int)rows;
    char label[32];
    rs_svg_begin(text, title, bottom + 20);
    rs_compare_text_format(text, "<path class=\"g\" d=\"M%.1f %dV%d\"/>", ratio_x(1, reach),
                           SVG_TOP - 6, bottom + 2);
    for (uint32_t i = 0; i < rows; i++) {
        svg_ratio(text, &row[i], more_is_better, reach, SVG_TOP - 4 + SVG_RATIO_ROW * (double)i);
    }
    (void)snprintf(label, sizeof label, "%.2f", 1 / reach);
    svg_label(text, 0, bottom + 15, "start", label);
    svg_label(text, ratio_x(1, reach), bottom + 15, "middle", "1");
    (void)snprintf(label, sizeof label, "%.2f", reach);
    svg_label(text, RS_SVG_WIDTH, bottom + 15, "end", label);
    rs_compare_text_raw(text, "</svg>\n");
}
