/* SPDX-License-Identifier: MIT */
/* A small strict JSON reader: one pass over a caller's buffer into a caller's array of nodes.
 *
 * RFC 8259 and nothing beside it: no comments, no trailing commas, no leading zeros, no byte after
 * the value, control characters and bytes that are not UTF-8 refused. No recursion, no allocation;
 * depth, nodes and the length of a number are bounded. What it reads comes from other programs:
 * any bytes are legal input. Any thread. */
#ifndef RS_COMPARE_JSON_READ_H
#define RS_COMPARE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_JSON_READ_DEPTH_MAX 16u         /* what core/json.h can write */
#define RS_JSON_READ_NUMBER_MAX 400u       /* characters; the writer's longest double has 310 */
#define RS_JSON_READ_BYTES_MAX (1u << 24u) /* of one text */

typedef enum rs_json_kind {
    RS_JSON_IS_NULL,
    RS_JSON_IS_BOOL,
    RS_JSON_IS_NUMBER,
    RS_JSON_IS_STRING,
    RS_JSON_IS_ARRAY,
    RS_JSON_IS_OBJECT
} rs_json_kind;

typedef struct rs_json_node {
    rs_json_kind kind;
    uint32_t key_at, key_bytes; /* in the text, between the quotes, escapes as written */
    uint32_t at, bytes;         /* STRING: between the quotes; other scalars: as written */
    double number;              /* NUMBER; BOOL: 0 or 1 */
    uint32_t first, next;       /* index of the first child, of the next sibling; 0 = none */
    uint32_t count;             /* children */
} rs_json_node;

typedef struct rs_json_doc {
    const char *text;
    rs_json_node *node; /* node[0] is the outermost value */
    const char *error;  /* static string, NULL after success */
    uint32_t bytes, capacity, count;
    uint32_t error_at; /* offset in the text */
} rs_json_doc;

/* rs_json_read_parse: reads the whole text.
 *
 * Params   text: [bytes], not NULL; nodes: [capacity], capacity >= 1. Both stay the caller's and
 *          must outlive doc.
 * Returns  true: doc->node[0..count) are set. False: doc->error and error_at say why; nothing of
 *          the document may be used.
 * Bounds   O(bytes). */
bool rs_json_read_parse(rs_json_doc *doc, const char *text, size_t bytes, rs_json_node *nodes,
                        uint32_t capacity);

/* rs_json_read_get: the value at a path of keys joined by dots, below `from` (NULL: the outermost).
 * Keys are compared as written; of equal keys the first counts. NULL when there is none. */
const rs_json_node *rs_json_read_get(const rs_json_doc *doc, const rs_json_node *from,
                                     const char *path);

/* rs_json_read_number: the number at a path; NAN when it is absent, null or no number. */
double rs_json_read_number(const rs_json_doc *doc, const rs_json_node *from, const char *path);

/* rs_json_read_child / rs_json_read_next: walk an array or an object; NULL at the end. */
const rs_json_node *rs_json_read_child(const rs_json_doc *doc, const rs_json_node *node);
const rs_json_node *rs_json_read_next(const rs_json_doc *doc, const rs_json_node *node);

/* rs_json_read_text: a STRING, decoded, or any other scalar as written; cut at out_bytes - 1,
 * always terminated. A zero character in it ends it. node NULL, an array or an object: "". */
void rs_json_read_text(const rs_json_doc *doc, const rs_json_node *node, char *out,
                       size_t out_bytes);

/* rs_json_read_key: the same for the key of an object's member. */
void rs_json_read_key(const rs_json_doc *doc, const rs_json_node *node, char *out,
                      size_t out_bytes);

#endif
