/* SPDX-License-Identifier: MIT */
/* text_put is the only place that knows the end of the buffer. */
#include "compare/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define TEXT_PIECE_BYTES 1024

void rs_compare_text_init(rs_compare_text *text, char *out, size_t bytes) {
    RS_ASSERT(out != NULL);
    RS_ASSERT(bytes > 0);
    *text = (rs_compare_text){.out = out, .bytes = bytes};
    out[0] = '\0';
}

static void text_put(rs_compare_text *text, const char *from, size_t count) {
    RS_ASSERT(text->used < text->bytes);
    if (text->overflow || count > text->bytes - 1 - text->used) {
        text->overflow = true;
        return;
    }
    memcpy(text->out + text->used, from, count);
    text->used += count;
    text->out[text->used] = '\0';
}

void rs_compare_text_raw(rs_compare_text *text, const char *from) {
    text_put(text, from, strlen(from));
}

void rs_compare_text_format(rs_compare_text *text, const char *format, ...) {
    char piece[TEXT_PIECE_BYTES];
    va_list list;
    va_start(list, format);
    const int count = vsnprintf(piece, sizeof piece, format, list);
    va_end(list);
    RS_ASSERT(count >= 0 && count < TEXT_PIECE_BYTES);
    text_put(text, piece, (size_t)count);
}

static char text_visible(char c) {
    return (unsigned char)c < 0x20u || c == 0x7F ? ' ' : c;
}

void rs_compare_text_html(rs_compare_text *text, const char *from) {
    for (; *from != '\0'; from++) {
        const char c = text_visible(*from);
        switch (c) {
        case '&':
            rs_compare_text_raw(text, "&amp;");
            break;
        case '<':
            rs_compare_text_raw(text, "&lt;");
            break;
        case '>':
            rs_compare_text_raw(text, "&gt;");
            break;
        case '"':
            rs_compare_text_raw(text, "&quot;");
            break;
        case '\'':
            rs_compare_text_raw(text, "&#39;");
            break;
        default:
            text_put(text, &c, 1);
        }
    }
}

void rs_compare_text_markdown(rs_compare_text *text, const char *from) {
    for (; *from != '\0'; from++) {
        const char c = text_visible(*from);
        if (strchr("\\`*_[]<>|#!&~$", c) != NULL) {
            text_put(text, "\\", 1);
        }
        text_put(text, &c, 1);
    }
}

void rs_compare_text_csv(rs_compare_text *text, const char *from) {
    const bool formula = strchr("=+@\t\r", from[0]) != NULL && from[0] != '\0';
    const bool number = from[0] == '-' && from[1] >= '0' && from[1] <= '9';
    const bool dash = from[0] == '-' && !number && from[1] != '\0';
    const bool quote = formula || dash || strpbrk(from, ",\";\n\r\t") != NULL;
    rs_compare_text_raw(text, quote ? "\"" : "");
    rs_compare_text_raw(text, formula || dash ? "'" : "");
    for (; *from != '\0'; from++) {
        const char c = text_visible(*from);
        text_put(text, &c, 1);
        rs_compare_text_raw(text, c == '"' ? "\"" : "");
    }
    rs_compare_text_raw(text, quote ? "\"" : "");
}

/* ---- tables */

void rs_table_init(rs_table *table) {
    memset(table, 0, sizeof *table);
}

void rs_table_column(rs_table *table, const char *header, bool left) {
    RS_ASSERT(table->columns < RS_TABLE_COLUMNS_MAX);
    RS_ASSERT(table->rows == 0);
    table->header[table->columns] = header;
    table->left[table->columns] = left;
    table->columns++;
}

char (*rs_table_row(rs_table *table))[RS_TABLE_CELL_BYTES] {
    if (table->rows == RS_TABLE_ROWS_MAX) {
        table->overflow = true;
        return NULL;
    }
    return table->cell[table->rows++];
}

/* Digits before the point in groups of three: "8,685,044". */
static void number_group(char cell[RS_TABLE_CELL_BYTES]) {
    const size_t start = cell[0] == '-' ? 1 : 0;
    const size_t digits = strspn(cell + start, "0123456789");
    for (size_t at = digits; at > 3;) {
        at -= 3;
        memmove(cell + start + at + 1, cell + start + at, strlen(cell + start + at) + 1);
        cell[start + at] = ',';
    }
}

void rs_table_number(char cell[RS_TABLE_CELL_BYTES], double value) {
    const double size = fabs(value);
    const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
    if (!rs_is_known(value) || size >= 1e15) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "-");
    } else {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.*f", decimals, value);
        number_group(cell);
    }
}

/* The level of an interval that has not the usual one, for lack of pairs. */
static void table_level(const rs_interval *ratio, char *out, size_t bytes) {
    const double level = rs_stats_level(ratio->count);
    out[0] = '\0';
    if (level < RS_STATS_LEVEL) {
        (void)snprintf(out, bytes, " at %.4g %%", level * 100);
    }
}

/* Behind the point, so that 0.015 is not 0.01 (0.01 to 0.02). */
int rs_table_digits(double ratio) {
    return ratio < 0.1 ? 3 : ratio < 9.995 ? 2 : 1;
}

void rs_table_ratio(char cell[RS_TABLE_CELL_BYTES], const rs_interval *ratio) {
    const int digits = rs_table_digits(ratio->middle);
    char level[24];
    table_level(ratio, level, sizeof level);
    if (ratio->count == 0) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "-");
    } else if (ratio->count < RS_STATS_PAIRS_MIN) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.*f (too few runs)", digits, ratio->middle);
    } else if (rs_stats_is_difference(ratio)) {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%.*f (%.*f to %.*f%s)", digits, ratio->middle,
                       digits, ratio->low, digits, ratio->high, level);
    } else {
        (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%s (%.*f to %.*f%s)",
                       rs_stats_is_same(ratio) ? "no difference"
                       : ratio->may_be_chance && (ratio->low > 1 || ratio->high < 1)
                           ? "may be chance"
                           : "not separable",
                       digits, ratio->low, digits, ratio->high, level);
    }
}

void rs_table_count(char cell[RS_TABLE_CELL_BYTES], uint64_t count) {
    (void)snprintf(cell, RS_TABLE_CELL_BYTES, "%" PRIu64, count);
    number_group(cell);
}

static size_t table_width(const rs_table *table, uint32_t column) {
    size_t width = strlen(table->header[column]);
    for (uint32_t i = 0; i < table->rows; i++) {
        const size_t own = strlen(table->cell[i][column]);
        width = own > width ? own : width;
    }
    return width;
}

static void table_plain_cell(const rs_table *table, rs_compare_text *text, uint32_t column,
                             const char *cell) {
    const int width = (int)table_width(table, column);
    rs_compare_text_format(text, table->left[column] ? "%s%-*s" : "%s%*s", column > 0 ? "  " : "",
                           width, cell);
}

void rs_table_write_plain(const rs_table *table, rs_compare_text *text) {
    for (uint32_t k = 0; k < table->columns; k++) {
        table_plain_cell(table, text, k, table->header[k]);
    }
    rs_compare_text_raw(text, "\n");
    for (uint32_t i = 0; i < table->rows; i++) {
        for (uint32_t k = 0; k < table->columns; k++) {
            table_plain_cell(table, text, k, table->cell[i][k]);
        }
        rs_compare_text_raw(text, "\n");
    }
}

void rs_table_write_markdown(const rs_table *table, rs_compare_text *text) {
    for (uint32_t k = 0; k < table->columns; k++) {
        rs_compare_text_raw(text, k == 0 ? "| " : " | ");
        rs_compare_text_markdown(text, table->header[k]);
    }
    rs_compare_text_raw(text, " |\n");
    for (uint32_t k = 0; k < table->columns; k++) {
        rs_compare_text_raw(text, table->left[k] ? "|---" : "|--:");
    }
    rs_compare_text_raw(text, "|\n");
    for (uint32_t i = 0; i < table->rows; i++) {
        for (uint32_t k = 0; k < table->columns; k++) {
            rs_compare_text_raw(text, k == 0 ? "| " : " | ");
            rs_compare_text_markdown(text, table->cell[i][k]);
        }
        rs_compare_text_raw(text, " |\n");
    }
}

static void table_html_cell(const rs_table *table, rs_compare_text *text, uint32_t column,
                            const char *tag, const char *cell) {
    rs_compare_text_format(text, table->left[column] ? "<%s class=\"left\">" : "<%s>", tag);
    rs_compare_text_html(text, cell);
    rs_compare_text_format(text, "</%s>", tag);
}

void rs_table_write_html(const rs_table *table, rs_compare_text *text) {
    rs_compare_text_format(text, "<p class=\"more w%u\">Scroll sideways for more columns.</p>\n",
                           table->columns > 12  ? 2u
                           : table->columns > 7 ? 1u
                                                : 0u);
    rs_compare_text_raw(text, "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>");
    for (uint32_t k = 0; k < table->columns; k++) {
        table_html_cell(table, text, k, "th", table->header[k]);
    }
    rs_compare_text_raw(text, "</tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < table->rows; i++) {
        rs_compare_text_raw(text, "<tr>");
        for (uint32_t k = 0; k < table->columns; k++) {
            table_html_cell(table, text, k, "td", table->cell[i][k]);
        }
        rs_compare_text_raw(text, "</tr>\n");
    }
    rs_compare_text_raw(text, "</tbody></table></div>\n");
}
