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

#define SVG_LOG_FROM                                                                               \
    10.0                 /* largest over smallest bar: from there on a linear scale says nothing   \
                          */
#define SVG_CUT_FROM 5.0 /* a bar in parts beyond so many times the median ends in an arrow */

typedef struct svg_scale {
    bool log;
    double first, last; /* of the axis; log: decades */
} svg_scale;

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

/* Bars of one part by points where they differ much; parts add up on a linear scale alone. */
static svg_scale bars_scale(const rs_bar *bar, uint32_t bars) {
    double length[RS_STATS_SAMPLES_MAX] = {0}, least = INFINITY, most = 0, end = 0;
    bool parts = false;
    for (uint32_t i = 0; i < bars; i++) {
        length[i] = bar_length(&bar[i]);
        least = fmin(least, rs_is_known(bar[i].low) ? bar[i].low : length[i]);
        most = fmax(most, length[i]);
        end = fmax(end, fmax(length[i], bar[i].high));
        parts = parts || bar[i].parts > 1;
    }
    if (!parts && least > 0 && most / least > SVG_LOG_FROM) {
        return (svg_scale){true, floor(log10(least)), ceil(log10(end))};
    }
    const double cut = rs_stats_median(length, bars) * SVG_CUT_FROM;
    return (svg_scale){false, 0, parts && most > cut && cut > 0 ? cut / 2 : end > 0 ? end : 1};
}

static double scale_x(const svg_scale *scale, double value) {
    const double at = scale->log ? log10(value) : value;
    const double share = (at - scale->first) / (scale->last - scale->first);
    const double inset = scale->log ? 6 : 0; /* of points, half of which would be cut off */
    return inset + (RS_SVG_WIDTH - 4 - 2 * inset) * fmin(fmax(share, 0), 1);
}

static void svg_arrow(rs_compare_text *text, double y) {
    rs_compare_text_format(text,
                           "<path class=\"a\" d=\"M%d %.1fl8 %.1fl-8 %.1fz\"><title>beyond the end "
                           "of the scale</title></path>",
                           RS_SVG_WIDTH - 8, y - 2, SVG_BAR / 2.0 + 2, SVG_BAR / 2.0 + 2);
}

static void bar_parts(rs_compare_text *text, const rs_bar *bar, double y, const svg_scale *scale,
                      const char *const *part_name) {
    double sum = 0;
    for (uint32_t i = 0; i < bar->parts; i++) {
        char number[RS_TABLE_CELL_BYTES];
        const double from = scale_x(scale, sum), width = scale_x(scale, sum + bar->part[i]) - from;
        if (!rs_is_known(width) || width <= 0) {
            continue;
        }
        rs_compare_text_format(
            text, "<rect class=\"%c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\">",
            bar->parts == 1 ? 'c' : 's', bar->parts == 1 ? bar->colour % RS_SVG_COLOURS : i, from,
            y, width, SVG_BAR);
        if (part_name != NULL) {
            rs_table_number(number, bar->part[i]);
            rs_compare_text_raw(text, "<title>");
            rs_compare_text_html(text, part_name[i]);
            rs_compare_text_format(text, ": %s</title>", number);
        }
        rs_compare_text_raw(text, "</rect>");
        sum += bar->part[i];
    }
    if (!scale->log && sum > scale->last) {
        svg_arrow(text, y);
    }
}

static void bar_whisker(rs_compare_text *text, const rs_bar *bar, double y,
                        const svg_scale *scale) {
    const double middle = y + SVG_BAR / 2.0;
    if (rs_is_known(bar->low) && rs_is_known(bar->high)) {
        const double low = scale_x(scale, bar->low), high = scale_x(scale, bar->high);
        rs_compare_text_format(text,
                               "<path class=\"w\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>",
                               low, middle, high, low, middle - 4, high, middle - 4);
    }
}

static void svg_bar(rs_compare_text *text, const rs_bar *bar, double y, const svg_scale *scale,
                    const char *const *part_name) {
    const double length = bar_length(bar);
    char value[RS_TABLE_CELL_BYTES];
    rs_table_number(value, length);
    svg_label(text, 0, y + 12, "start", bar->label);
    svg_label(text, RS_SVG_WIDTH, y + 12, "end", bar->note != NULL ? bar->note : value);
    if (!scale->log) {
        bar_parts(text, bar, y + 17, scale, part_name);
    }
    bar_whisker(text, bar, y + 17, scale);
    if (scale->log && rs_is_known(length)) {
        rs_compare_text_format(text, "<circle class=\"c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>",
                               bar->colour % RS_SVG_COLOURS, scale_x(scale, length),
                               y + 17 + SVG_BAR / 2.0);
    }
    rs_compare_text_raw(text, "\n");
}

/* The powers of ten. */
static void bars_ticks(rs_compare_text *text, const svg_scale *scale, int bottom) {
    for (int power = (int)scale->first; power <= (int)scale->last; power++) {
        const double at = power;
        char label[RS_TABLE_CELL_BYTES];
        const double x = scale_x(scale, pow(10, at));
        if (at >= 0) {
            rs_table_count(label, (uint64_t)(pow(10, at) + 0.5));
        } else {
            rs_table_number(label, pow(10, at));
        }
        rs_compare_text_format(text, "<path class=\"g\" d=\"M%.1f %dV%d\"/>", x, SVG_TOP - 6,
                               bottom);
        svg_label(text, at > scale->first ? fmin(x, RS_SVG_WIDTH) : 0, bottom + 14,
                  at == scale->first  ? "start"
                  : at == scale->last ? "end"
                                      : "middle",
                  label);
    }
}

void rs_svg_bars(rs_compare_text *text, const char *title, const char *unit, const rs_bar *bar,
                 uint32_t bars, const char *const *part_name) {
    const svg_scale scale = bars_scale(bar, bars);
    const int bottom = SVG_TOP - 8 + SVG_ROW * (int)bars;
    char head[128];
    (void)snprintf(head, sizeof head, "%.60s%s%.40s%s", title, title[0] != '\0' ? ", " : "", unit,
                   scale.log ? " (logarithmic)" : "");
    rs_svg_begin(text, head, bottom + (scale.log ? 20 : 0));
    if (scale.log) {
        bars_ticks(text, &scale, bottom);
    }
    for (uint32_t i = 0; i < bars; i++) {
        RS_ASSERT(bar[i].parts <= RS_SVG_PARTS_MAX);
        svg_bar(text, &bar[i], SVG_TOP - 6 + SVG_ROW * (double)i, &scale, part_name);
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
        rs_compare_text_format(text, "<rect class=\"c%u\" y=\"%d\" width=\"12\" height=\"12\"/>",
                               curve[i].colour % RS_SVG_COLOURS, y);
        svg_label(text, 18, y + 11, "start", curve[i].label);
    }
    rs_compare_text_raw(text, "</svg>\n");
}
