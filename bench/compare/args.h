/* SPDX-License-Identifier: MIT */
/* A command line under construction, in memory of fixed size. Pure. */
#ifndef RS_COMPARE_ARGS_H
#define RS_COMPARE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_ARGS_MAX 64u             /* of one command line */
#define RS_ARG_BYTES 512u           /* of one argument: paths included */
#define RS_ARGS_QUOTED_BYTES 32768u /* what CreateProcess takes */

/* A command line under construction: every argument a copy in a place of fixed size. */
typedef struct rs_args {
    char text[RS_ARGS_MAX][RS_ARG_BYTES];
    uint32_t count;
    bool overflow; /* an argument or the line was too long: the line may not be used */
} rs_args;

void rs_args_init(rs_args *args);

/* rs_args_add: one argument, printf-formatted. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
rs_args_add(rs_args *args, const char *format, ...);

/* rs_args_u32, rs_args_double: an option and its number, as two arguments. */
void rs_args_u32(rs_args *args, const char *option, uint32_t value);
void rs_args_double(rs_args *args, const char *option, double value);

/* rs_args_quote: one line that a C run-time of Windows splits into the same arguments again.
 * False: it did not fit.
 * Source   Microsoft C language reference, "Parsing C command-line arguments". */
bool rs_args_quote(const rs_args *args, char *out, size_t bytes);

#endif
