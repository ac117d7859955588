/* SPDX-License-Identifier: MIT */
/* The heat map of svg.h. */
#include "compare/svg.h"

#include <math.h>
#include <stdio.h>

#include "core/assert.h"

#define HEAT_LEFT 34 /* of the grid: labels of the rows */
#define HEAT_TOP 60  /* title, what the axes are, labels of the columns */
#define HEAT_ROW 34
#define HEAT_GAP 2
#define HEAT_STRONG 2.0 /* steps of the scale: ours */
#define HEAT_CLEAR 1.25
#define HEAT_MIDDLE 3u

uint32_t rs_svg_heat_step(const rs_heat *heat, const rs_interval *ratio) {
    const double better = heat->more_is_better ? ratio->middle : 1 / ratio->middle;
    const double factor = fmax(better, 1 / better);
    if (!rs_stats_is_difference(ratio) || !(factor > heat->within)) {
        return HEAT_MIDDLE;
    }
    const uint32_t step = factor >= HEAT_STRONG ? 3 : factor >= HEAT_CLEAR ? 2 : 1;
    return better > 1 ? HEAT_MIDDLE + step : HEAT_MIDDLE - step;
}

static void heat_number(const rs_interval *ratio, char *out, size_t bytes) {
    const bool open = !rs_stats_is_difference(ratio) && !rs_stats_is_same(ratio);
    if (ratio->count == 0) {
        (void)snprintf(out, bytes, "-");
    } else {
        (void)snprintf(out, bytes, open ? "(%.*f)" : "%.*f", ratio->middle >= 9.995 ? 1 : 2,
                       ratio->middle);
    }
}

static void heat_cell(rs_compare_text *text, const rs_heat *heat, const rs_interval *ratio,
                      double x, double y, double width) {
    char number[32];
    heat_number(ratio, number, sizeof number);
    if (ratio->count > 0) {
        rs_compare_text_format(
            text,
            "<g class=\"h%u\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\">"
            "<title>%.3f to %.3f</title></rect>",
            rs_svg_heat_step(heat, ratio), x, y, width - HEAT_GAP, HEAT_ROW - HEAT_GAP, ratio->low,
            ratio->high);
    }
    rs_compare_text_format(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>%s",
                           x + width / 2, y + HEAT_ROW / 2.0 + 4, number,
                           ratio->count > 0 ? "</g>" : "");
}

void rs_svg_heat(rs_compare_text *text, const char *title, const rs_heat *heat) {
    const double width = (double)(RS_SVG_WIDTH - HEAT_LEFT) / heat->columns;
    RS_ASSERT(heat->columns > 0 && heat->columns <= RS_SVG_HEAT_COLUMNS);
    RS_ASSERT(heat->rows <= RS_SVG_HEAT_ROWS);
    rs_svg_begin(text, title, HEAT_TOP + HEAT_ROW * (int)heat->rows);
    rs_compare_text_format(text, "<text x=\"0\" y=\"34\">%s (down), %s (across)</text>",
                           heat->rows_are, heat->columns_are);
    for (uint32_t x = 0; x < heat->columns; x++) {
        char count[RS_TABLE_CELL_BYTES];
        rs_table_count(count, heat->column[x]);
        rs_compare_text_format(text, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                               HEAT_LEFT + width * (x + 0.5), HEAT_TOP - 7, count);
    }
    for (uint32_t y = 0; y < heat->rows; y++) {
        const double top = HEAT_TOP + HEAT_ROW * (double)y;
        rs_compare_text_format(text, "\n<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u</text>",
                               HEAT_LEFT - 7, top + HEAT_ROW / 2.0 + 4, heat->row[y]);
        for (uint32_t x = 0; x < heat->columns; x++) {
            heat_cell(text, heat, &heat->ratio[y][x], HEAT_LEFT + width * x, top, width);
        }
    }
    rs_compare_text_raw(text, "\n</svg>\n");
}
