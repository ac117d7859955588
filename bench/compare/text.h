/* SPDX-License-Identifier: MIT */
/* Text under construction in a caller's buffer, with the escapes of each format; and tables of
 * text that every report writes in its own way. Pure, bounded: overflow is remembered. */
#ifndef RS_COMPARE_TEXT_H
#define RS_COMPARE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/stats.h"

typedef struct rs_compare_text {
    char *out;
    size_t bytes, used; /* used < bytes: room for the terminator is kept */
    bool overflow;
} rs_compare_text;

/* rs_compare_text_init: out: bytes >= 1 bytes (asserted), the caller's. */
void rs_compare_text_init(rs_compare_text *text, char *out, size_t bytes);

/* rs_compare_text_raw: as it is. rs_compare_text_format: printf; one piece is at most 1,023 bytes
 * (asserted). */
void rs_compare_text_raw(rs_compare_text *text, const char *from);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
rs_compare_text_format(rs_compare_text *text, const char *format, ...);

/* rs_compare_text_html: for element content and quoted attributes. rs_compare_text_markdown: for a
 * table cell or a paragraph: no markup, no new cell, no line end. rs_compare_text_csv: one field,
 * quoted where it must be, and such that a spreadsheet takes it for no formula. Control characters
 * become spaces. */
void rs_compare_text_html(rs_compare_text *text, const char *from);
void rs_compare_text_markdown(rs_compare_text *text, const char *from);
void rs_compare_text_csv(rs_compare_text *text, const char *from);

/* ---- tables */

#define RS_TABLE_COLUMNS_MAX 20u
#define RS_TABLE_ROWS_MAX 352u
#define RS_TABLE_CELL_BYTES 72u

typedef struct rs_table {
    const char *header[RS_TABLE_COLUMNS_MAX]; /* static strings */
    bool left[RS_TABLE_COLUMNS_MAX];          /* text, not a number */
    char cell[RS_TABLE_ROWS_MAX][RS_TABLE_COLUMNS_MAX][RS_TABLE_CELL_BYTES];
    uint32_t columns, rows;
    bool overflow; /* rows were left out */
} rs_table;

void rs_table_init(rs_table *table);
void rs_table_column(rs_table *table, const char *header, bool left);

/* rs_table_row: the row that comes next, cells empty; NULL when there is no room. */
char (*rs_table_row(rs_table *table))[RS_TABLE_CELL_BYTES];

/* rs_table_number: a figure with about three significant digits; "-" for NAN. */
void rs_table_number(char cell[RS_TABLE_CELL_BYTES], double value);

/* rs_table_ratio: "3.42 (3.10 to 3.91)"; "no difference (0.97 to 1.04)", within 5 % of 1; "not
 * separable (0.53 to 2.13)"; with the interval's level where that is below 95 %, "3.42 (3.10 to
 * 3.91 at 87.5 %)"; "1.20 (too few runs)"; "-" of none. */
int rs_table_digits(double ratio); /* how many behind the point */
void rs_table_ratio(char cell[RS_TABLE_CELL_BYTES], const rs_interval *ratio);

/* rs_table_count: "1,024". */
void rs_table_count(char cell[RS_TABLE_CELL_BYTES], uint64_t count);

/* The same table for a terminal, in Markdown and in HTML, where it scrolls in its box and says so.
 */
void rs_table_write_plain(const rs_table *table, rs_compare_text *text);
void rs_table_write_markdown(const rs_table *table, rs_compare_text *text);
void rs_table_write_html(const rs_table *table, rs_compare_text *text);

#endif
