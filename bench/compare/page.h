/* SPDX-License-Identifier: MIT */
/* The frame of an HTML report: one page, nothing loaded from outside; style included. Pure. */
#ifndef RS_COMPARE_PAGE_H
#define RS_COMPARE_PAGE_H

#include "compare/text.h"

/* rs_page_begin: up to the opened body. Classes: verdict, warn, dim, grid, card, wide, key, and the
 * colours of svg.h. rs_page_end: closes it. */
void rs_page_begin(rs_compare_text *text, const char *title);
void rs_page_end(rs_compare_text *text);

#endif
