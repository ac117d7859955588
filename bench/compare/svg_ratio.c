/* SPDX-License-Identifier: MIT */
/* The strips of svg.h: ratios and their intervals. Places are shares of the width in per cent, so
 * that a strip is as wide as its column while its points and letters keep their size. */
#include "compare/svg.h"

#include <math.h>
#include <stdio.h>

#define RATIO_LEAST 1.25 /* the scale reaches at least so far, both ways: ours */
#define RATIO_MOST 32.0
#define RATIO_EDGE 4.0        /* per cent of the width that stay free on each side */
#define RATIO_TICK_APART 28.0 /* per cent of the width between two numbers */

void rs_ratio_axis_init(rs_ratio_axis *axis) {
    *axis = (rs_ratio_axis){1 / RATIO_LEAST, RATIO_LEAST};
}

void rs_ratio_axis_take(rs_ratio_axis *axis, const rs_interval *ratio) {
    if (ratio->count > 0 && ratio->low > 0) {
        axis->low = fmax(fmin(axis->low, ratio->low), 1 / RATIO_MOST);
        axis->high = fmin(fmax(axis->high, ratio->high), RATIO_MOST);
    }
}

static double ratio_x(const rs_ratio_axis *axis, double value) {
    const double share = log(value / axis->low) / log(axis->high / axis->low);
    return RATIO_EDGE + (100 - 2 * RATIO_EDGE) * fmin(fmax(share, 0), 1);
}

/* Most important first; each that lies far enough from those before it. */
static uint32_t ratio_ticks(const rs_ratio_axis *axis, double *out) {
    static const double wanted[] = {1,    10, 0.1,  2,   0.5, 5,   0.2, 0.8,
                                    1.25, 20, 0.05, 1.5, 0.7, 1.1, 0.9};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        bool fits = wanted[i] >= axis->low * 0.999 && wanted[i] <= axis->high * 1.001;
        for (uint32_t k = 0; k < count; k++) {
            fits =
                fits && fabs(ratio_x(axis, wanted[i]) - ratio_x(axis, out[k])) >= RATIO_TICK_APART;
        }
        if (fits) {
            out[count++] = wanted[i];
        }
    }
    return count;
}

static void ratio_begin(rs_compare_text *text, const rs_ratio_axis *axis, uint32_t height,
                        bool numbers) {
    double tick[16];
    const uint32_t ticks = ratio_ticks(axis, tick);
    rs_compare_text_format(text, "<svg class=\"p\" height=\"%u\">", height);
    for (uint32_t i = 0; i < ticks; i++) {
        const double x = ratio_x(axis, tick[i]);
        if (numbers) {
            rs_compare_text_format(
                text, "<text x=\"%.1f%%\" y=\"11\" text-anchor=\"middle\">%.3g</text>", x, tick[i]);
        } else {
            rs_compare_text_format(text,
                                   "<line class=\"%s\" x1=\"%.1f%%\" x2=\"%.1f%%\" y2=\"%u\"/>",
                                   i == 0 ? "one" : "g", x, x, height);
        }
    }
}

void rs_svg_ticks(rs_compare_text *text, const rs_ratio_axis *axis) {
    ratio_begin(text, axis, 14, true);
    rs_compare_text_raw(text, "</svg>\n");
}

/* Towards the end that the interval goes beyond. */
static void ratio_arrow(rs_compare_text *text, const char *fill, bool left, double y) {
    rs_compare_text_format(text,
                           "<svg class=\"o\" x=\"%s\" y=\"%.1f\"><path class=\"%s\" d=\"M0 -4L%d "
                           "0L0 4z\"/></svg>",
                           left ? "7" : "97%", y, fill, left ? -7 : 7);
}

static void ratio_mark(rs_compare_text *text, const rs_ratio_axis *axis, uint32_t colour,
                       const rs_ratio_mark *mark, double y, double radius) {
    const rs_interval *ratio = mark->ratio;
    const bool differs = rs_stats_is_difference(ratio);
    const bool beyond = ratio->middle < axis->low || ratio->middle > axis->high;
    char fill[16];
    if (ratio->count == 0 || !(ratio->low > 0)) {
        return;
    }
    (void)snprintf(fill, sizeof fill, "c%u", colour % RS_SVG_COLOURS);
    rs_compare_text_format(text, "<g class=\"%s\"><title>", differs ? "d" : "n");
    rs_compare_text_html(text, mark->name);
    rs_compare_text_format(text, ": %.3f (%.3f to %.3f)</title>", ratio->middle, ratio->low,
                           ratio->high);
    rs_compare_text_format(
        text, "<line class=\"l %s\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"%.1f\" y2=\"%.1f\"/>", fill,
        ratio_x(axis, ratio->low), ratio_x(axis, ratio->high), y, y);
    if (ratio->low < axis->low) {
        ratio_arrow(text, fill, true, y);
    }
    if (ratio->high > axis->high) {
        ratio_arrow(text, fill, false, y);
    }
    if (!beyond) {
        rs_compare_text_format(text, "<circle class=\"%s\" cx=\"%.1f%%\" cy=\"%.1f\" r=\"%.1f\"/>",
                               fill, ratio_x(axis, ratio->middle), y, radius);
    } else if (radius > 3) { /* points in a crowd have only their tool tips */
        const bool left = ratio->middle < 1;
        rs_compare_text_format(text, "<text x=\"%s\" y=\"%.1f\" text-anchor=\"%s\">%.2g</text>",
                               left ? "10%" : "90%", y + 4, left ? "start" : "end", ratio->middle);
    }
    rs_compare_text_raw(text, "</g>");
}

void rs_svg_strip(rs_compare_text *text, const rs_ratio_axis *axis, uint32_t colour,
                  const rs_ratio_mark *mark, uint32_t marks, uint32_t pitch) {
    ratio_begin(text, axis, marks * pitch, false);
    for (uint32_t i = 0; i < marks; i++) {
        ratio_mark(text, axis, colour, &mark[i], pitch * (i + 0.5), fmin(pitch / 2.0, 4.5));
    }
    rs_compare_text_raw(text, "</svg>\n");
}
