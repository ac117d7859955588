/* SPDX-License-Identifier: MIT */
/* JSON from bytes: the first byte sizes the array of nodes, the rest is the text, in a block of
 * exactly its size.
 *
 * Checked: the same text gives the same answer; every node lies within the text; the tree has every
 * node but the first exactly once as a child; decoded strings keep within their buffer; a refused
 * text has a reason and a place. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compare/json_read.h"
#include "core/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t check_children(const rs_json_doc *doc, const rs_json_node *node) {
    uint32_t count = 0;
    char text[9];
    for (const rs_json_node *at = rs_json_read_child(doc, node); at != NULL;
         at = rs_json_read_next(doc, at)) {
        RS_ASSERT(at > node);
        rs_json_read_key(doc, at, text, sizeof text);
        RS_ASSERT(strlen(text) < sizeof text);
        count++;
    }
    RS_ASSERT(count == node->count);
    return count;
}

static void check_document(const rs_json_doc *doc) {
    uint32_t children = 0;
    char text[17];
    for (uint32_t i = 0; i < doc->count; i++) {
        const rs_json_node *node = &doc->node[i];
        RS_ASSERT(node->at <= doc->bytes && node->bytes <= doc->bytes - node->at);
        RS_ASSERT(node->key_at <= doc->bytes && node->key_bytes <= doc->bytes - node->key_at);
        children += check_children(doc, node);
        rs_json_read_text(doc, node, text, sizeof text);
        RS_ASSERT(strlen(text) < sizeof text);
    }
    RS_ASSERT(children == doc->count - 1);
    (void)rs_json_read_number(doc, NULL, "a.b");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rs_json_doc first, second;
    if (size < 1) {
        return 0;
    }
    const uint32_t capacity = 1u + data[0];
    char *text = malloc(size); /* one more than the text, which may be empty */
    rs_json_node *nodes = malloc(capacity * sizeof *nodes);
    RS_ASSERT(text != NULL && nodes != NULL);
    memcpy(text, data + 1, size - 1);
    const bool ok = rs_json_read_parse(&first, text, size - 1, nodes, capacity);
    RS_ASSERT(ok == (first.error == NULL));
    RS_ASSERT(first.error_at <= size - 1);
    if (ok) {
        check_document(&first);
    }
    RS_ASSERT(rs_json_read_parse(&second, text, size - 1, nodes, capacity) == ok);
    RS_ASSERT(first.count == second.count && first.error_at == second.error_at);
    free(nodes);
    free(text);
    return 0;
}
