/* SPDX-License-Identifier: MIT */
/* The 13 functions of Registered I/O, as the table holds them. */
#ifndef RS_WINE_TABLE_H
#define RS_WINE_TABLE_H

#include "provider.h"

/* rs_table_fill: the table; false when the provider cannot serve (one line went to stderr). */
bool rs_table_fill(RIO_EXTENSION_FUNCTION_TABLE *out);

/* rs_table_cq: the live completion queue of a handle, or NULL. */
rs_cq *rs_table_cq(RIO_CQ handle);

#endif
