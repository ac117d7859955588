/* SPDX-License-Identifier: MIT */
/* The results of an earlier comparison, read back from its folder. */
#ifndef RS_COMPARE_PAST_H
#define RS_COMPARE_PAST_H

#include <stdbool.h>

#include "compare/args.h"
#include "compare/json_read.h"

typedef struct rs_past {
    char path[RS_ARG_BYTES * 2]; /* of the file */
    rs_json_doc doc;
    char *text;         /* what doc points into: rs_past_free's */
    rs_json_node *node; /* likewise */
} rs_past;

/* rs_past_read: folder/results.json. rs_past_read_file: another file of compare.
 *
 * Params   option: the one that named the folder, for the error line.
 * Returns  false: it cannot be read, is no JSON, or was not written by compare; a line on stderr
 *          says so. Either way rs_past_free is due.
 * Thread   main; allocates. */
bool rs_past_read(rs_past *out, const char *option, const char *folder);
bool rs_past_read_file(rs_past *out, const char *option, const char *path);

/* rs_past_free: of a rs_past that was zero before rs_past_read, or read. */
void rs_past_free(rs_past *past);

#endif
