/* SPDX-License-Identifier: MIT */
/* One loop over the text; the containers that are open stand in an array instead of on the call
 * stack, so depth is a number. */
#include "compare/json_read.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

typedef struct json_parse {
    rs_json_doc *doc;
    uint32_t at;
    uint32_t depth;
    uint32_t open[RS_JSON_READ_DEPTH_MAX]; /* node of each open container */
    uint32_t last[RS_JSON_READ_DEPTH_MAX]; /* its newest child; 0 = none yet */
    uint32_t key_at, key_bytes;            /* of the member about to be read */
} json_parse;

static bool json_fail(json_parse *parse, const char *why) {
    parse->doc->error = why;
    parse->doc->error_at = parse->at;
    return false;
}

/* The next byte; 0 at the end, which no rule of the grammar accepts. */
static char json_peek(const json_parse *parse) {
    return parse->at < parse->doc->bytes ? parse->doc->text[parse->at] : '\0';
}

static void json_skip_space(json_parse *parse) {
    for (char c = json_peek(parse); c == ' ' || c == '\t' || c == '\n' || c == '\r';
         c = json_peek(parse)) {
        parse->at++;
    }
}

static bool json_accept(json_parse *parse, char c) {
    json_skip_space(parse);
    if (json_peek(parse) != c || parse->at >= parse->doc->bytes) {
        return false;
    }
    parse->at++;
    return true;
}

/* ---- strings */

static bool json_is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint32_t json_hex4(const char *at) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const char c = at[i];
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        value = value << 4 | (uint32_t)digit;
    }
    return value;
}

static bool json_has_hex4(const json_parse *parse, uint32_t at) {
    for (uint32_t i = 0; i < 4; i++) {
        if (at + i >= parse->doc->bytes || !json_is_hex(parse->doc->text[at + i])) {
            return false;
        }
    }
    return true;
}

/* \uXXXX, after the u: a high surrogate must be followed by a low one. */
static bool json_scan_unicode(json_parse *parse) {
    if (!json_has_hex4(parse, parse->at)) {
        return json_fail(parse, "four hexadecimal digits must follow \\u");
    }
    const uint32_t unit = json_hex4(parse->doc->text + parse->at);
    parse->at += 4;
    if (unit < 0xD800u || unit > 0xDFFFu) {
        return true;
    }
    const char *text = parse->doc->text;
    if (unit <= 0xDBFFu && parse->at + 1 < parse->doc->bytes && text[parse->at] == '\\' &&
        text[parse->at + 1] == 'u' && json_has_hex4(parse, parse->at + 2)) {
        const uint32_t low = json_hex4(text + parse->at + 2);
        if (low >= 0xDC00u && low <= 0xDFFFu) {
            parse->at += 6;
            return true;
        }
    }
    return json_fail(parse, "half of a surrogate pair");
}

static bool json_scan_escape(json_parse *parse) {
    const char c = json_peek(parse);
    if (c == 'u') {
        parse->at++;
        return json_scan_unicode(parse);
    }
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
        return json_fail(parse, "no such escape");
    }
    parse->at++;
    return true;
}

/* One well-formed UTF-8 sequence (RFC 3629: no overlong form, surrogate or value past U+10FFFF). */
static bool json_scan_utf8(json_parse *parse) {
    const uint8_t *at = (const uint8_t *)parse->doc->text + parse->at;
    const uint32_t left = parse->doc->bytes - parse->at;
    const uint32_t need = at[0] >= 0xF0u ? 4 : at[0] >= 0xE0u ? 3 : 2;
    uint32_t value = at[0] & (0x7Fu >> need);
    static const uint32_t least[] = {0, 0, 0x80u, 0x800u, 0x10000u};
    if (at[0] < 0xC2u || at[0] > 0xF4u || left < need) {
        return json_fail(parse, "not UTF-8");
    }
    for (uint32_t i = 1; i < need; i++) {
        if ((at[i] & 0xC0u) != 0x80u) {
            return json_fail(parse, "not UTF-8");
        }
        value = value << 6 | (at[i] & 0x3Fu);
    }
    if (value < least[need] || value > 0x10FFFFu || (value >= 0xD800u && value <= 0xDFFFu)) {
        return json_fail(parse, "not UTF-8");
    }
    parse->at += need;
    return true;
}

/* After the opening quote: *at and *bytes are what stands between the quotes. */
static bool json_scan_string(json_parse *parse, uint32_t *at, uint32_t *bytes) {
    *at = parse->at;
    while (parse->at < parse->doc->bytes) {
        const char c = json_peek(parse);
        bool ok = true;
        if (c == '"') {
            *bytes = parse->at - *at;
            parse->at++;
            return true;
        }
        if ((uint8_t)c < 0x20u) {
            return json_fail(parse, "control character in a string");
        }
        if ((uint8_t)c >= 0x80u) {
            ok = json_scan_utf8(parse);
        } else {
            parse->at++;
            ok = c != '\\' || json_scan_escape(parse);
        }
        if (!ok) {
            return false;
        }
    }
    return json_fail(parse, "string without an end");
}

/* ---- numbers and words */

static uint32_t json_scan_digits(json_parse *parse) {
    const uint32_t start = parse->at;
    while (json_peek(parse) >= '0' && json_peek(parse) <= '9') {
        parse->at++;
    }
    return parse->at - start;
}

static bool json_scan_number_form(json_parse *parse) {
    parse->at += json_peek(parse) == '-' ? 1u : 0u;
    const bool zero = json_peek(parse) == '0';
    const uint32_t whole = json_scan_digits(parse);
    if (whole == 0 || (zero && whole > 1)) {
        return json_fail(parse, "no number, or a leading zero");
    }
    if (json_peek(parse) == '.') {
        parse->at++;
        if (json_scan_digits(parse) == 0) {
            return json_fail(parse, "no digit after the point");
        }
    }
    if (json_peek(parse) == 'e' || json_peek(parse) == 'E') {
        parse->at++;
        parse->at += json_peek(parse) == '-' || json_peek(parse) == '+' ? 1u : 0u;
        if (json_scan_digits(parse) == 0) {
            return json_fail(parse, "no digit in the exponent");
        }
    }
    return true;
}

static bool json_scan_number(json_parse *parse, rs_json_node *node) {
    char copy[RS_JSON_READ_NUMBER_MAX + 1];
    const uint32_t start = parse->at;
    if (!json_scan_number_form(parse)) {
        return false;
    }
    node->bytes = parse->at - start;
    if (node->bytes > RS_JSON_READ_NUMBER_MAX) {
        return json_fail(parse, "number too long");
    }
    memcpy(copy, parse->doc->text + start, node->bytes);
    copy[node->bytes] = '\0';
    node->kind = RS_JSON_IS_NUMBER;
    node->number = strtod(copy, NULL);
    return fabs(node->number) <= DBL_MAX ? true : json_fail(parse, "number out of range");
}

static bool json_scan_word(json_parse *parse, rs_json_node *node) {
    static const struct {
        const char *word;
        rs_json_kind kind;
        double number;
    } words[] = {
        {"null", RS_JSON_IS_NULL, 0}, {"true", RS_JSON_IS_BOOL, 1}, {"false", RS_JSON_IS_BOOL, 0}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const uint32_t bytes = (uint32_t)strlen(words[i].word);
        if (parse->doc->bytes - parse->at >= bytes &&
            memcmp(parse->doc->text + parse->at, words[i].word, bytes) == 0) {
            node->kind = words[i].kind;
            node->number = words[i].number;
            node->bytes = bytes;
            parse->at += bytes;
            return true;
        }
    }
    return json_fail(parse, "no value");
}

/* ---- structure */

/* A new node, linked behind its elder sibling. NULL: none left. */
static rs_json_node *json_node_add(json_parse *parse) {
    rs_json_doc *doc = parse->doc;
    if (doc->count == doc->capacity) {
        (void)json_fail(parse, "too many values");
        return NULL;
    }
    const uint32_t index = doc->count++;
    rs_json_node *node = &doc->node[index];
    memset(node, 0, sizeof *node);
    node->key_at = parse->key_at;
    node->key_bytes = parse->key_bytes;
    if (parse->depth > 0) {
        const uint32_t level = parse->depth - 1;
        const uint32_t last = parse->last[level];
        if (last == 0) {
            doc->node[parse->open[level]].first = index;
        } else {
            doc->node[last].next = index;
        }
        parse->last[level] = index;
        doc->node[parse->open[level]].count++;
    }
    return node;
}

static bool json_open(json_parse *parse, rs_json_node *node, rs_json_kind kind) {
    if (parse->depth == RS_JSON_READ_DEPTH_MAX) {
        return json_fail(parse, "too deep");
    }
    parse->at++;
    node->kind = kind;
    parse->open[parse->depth] = (uint32_t)(node - parse->doc->node);
    parse->last[parse->depth] = 0;
    parse->depth++;
    return true;
}

static bool json_value(json_parse *parse) {
    json_skip_space(parse);
    rs_json_node *node = json_node_add(parse);
    if (node == NULL) {
        return false;
    }
    node->at = parse->at;
    switch (json_peek(parse)) {
    case '{':
        return json_open(parse, node, RS_JSON_IS_OBJECT);
    case '[':
        return json_open(parse, node, RS_JSON_IS_ARRAY);
    case '"':
        parse->at++;
        node->kind = RS_JSON_IS_STRING;
        return json_scan_string(parse, &node->at, &node->bytes);
    case 'n':
    case 't':
    case 'f':
        return json_scan_word(parse, node);
    default:
        return json_scan_number(parse, node);
    }
}

/* The innermost open container: its next member with key, or its end. */
static bool json_member(json_parse *parse) {
    const uint32_t level = parse->depth - 1;
    const bool object = parse->doc->node[parse->open[level]].kind == RS_JSON_IS_OBJECT;
    parse->key_at = 0;
    parse->key_bytes = 0;
    if (json_accept(parse, object ? '}' : ']')) {
        parse->depth--;
        return true;
    }
    if (parse->last[level] != 0 && !json_accept(parse, ',')) {
        return json_fail(parse, "a comma or the end is missing");
    }
    if (object) {
        if (!json_accept(parse, '"')) {
            return json_fail(parse, "a key is missing");
        }
        if (!json_scan_string(parse, &parse->key_at, &parse->key_bytes)) {
            return false;
        }
        if (!json_accept(parse, ':')) {
            return json_fail(parse, "a colon is missing");
        }
    }
    return json_value(parse);
}

bool rs_json_read_parse(rs_json_doc *doc, const char *text, size_t bytes, rs_json_node *nodes,
                        uint32_t capacity) {
    json_parse parse = {.doc = doc};
    RS_ASSERT(text != NULL);
    RS_ASSERT(nodes != NULL && capacity > 0);
    memset(doc, 0, sizeof *doc);
    doc->text = text;
    doc->node = nodes;
    doc->capacity = capacity;
    if (bytes > RS_JSON_READ_BYTES_MAX) {
        return json_fail(&parse, "text too long");
    }
    doc->bytes = (uint32_t)bytes;
    bool ok = json_value(&parse);
    while (ok && parse.depth > 0) { /* each turn consumes at least one byte */
        ok = json_member(&parse);
    }
    json_skip_space(&parse);
    if (ok && parse.at != doc->bytes) {
        ok = json_fail(&parse, "text after the value");
    }
    RS_ASSERT(ok == (doc->error == NULL));
    return ok;
}

/* ---- access */

const rs_json_node *rs_json_read_child(const rs_json_doc *doc, const rs_json_node *node) {
    return node != NULL && node->first != 0 ? &doc->node[node->first] : NULL;
}

const rs_json_node *rs_json_read_next(const rs_json_doc *doc, const rs_json_node *node) {
    return node != NULL && node->next != 0 ? &doc->node[node->next] : NULL;
}

static const rs_json_node *json_member_named(const rs_json_doc *doc, const rs_json_node *node,
                                             const char *name, size_t bytes) {
    if (node == NULL || node->kind != RS_JSON_IS_OBJECT) {
        return NULL;
    }
    for (node = rs_json_read_child(doc, node); node != NULL; node = rs_json_read_next(doc, node)) {
        if (node->key_bytes == bytes && memcmp(doc->text + node->key_at, name, bytes) == 0) {
            return node;
        }
    }
    return NULL;
}

const rs_json_node *rs_json_read_get(const rs_json_doc *doc, const rs_json_node *from,
                                     const char *path) {
    const rs_json_node *node = from != NULL ? from : &doc->node[0];
    RS_ASSERT(doc->error == NULL);
    while (node != NULL && *path != '\0') {
        const size_t bytes = strcspn(path, ".");
        node = json_member_named(doc, node, path, bytes);
        path += bytes;
        path += *path == '.' ? 1 : 0;
    }
    return node;
}

double rs_json_read_number(const rs_json_doc *doc, const rs_json_node *from, const char *path) {
    const rs_json_node *node = rs_json_read_get(doc, from, path);
    return node != NULL && node->kind == RS_JSON_IS_NUMBER ? node->number : NAN;
}

/* ---- decoding */

static size_t json_utf8_put(uint32_t value, char out[4]) {
    if (value < 0x80u) {
        out[0] = (char)value;
        return 1;
    }
    const size_t count = value < 0x800u ? 2 : value < 0x10000u ? 3 : 4;
    static const uint32_t lead[] = {0, 0, 0xC0u, 0xE0u, 0xF0u};
    for (size_t i = count - 1; i > 0; i--) {
        out[i] = (char)(0x80u | (value & 0x3Fu));
        value >>= 6;
    }
    out[0] = (char)(lead[count] | value);
    return count;
}

/* One character of a checked string; returns the bytes it took of `in`. */
static size_t json_decode_one(const char *in, char out[4], size_t *out_count) {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    *out_count = 1;
    if (in[0] != '\\') {
        out[0] = in[0];
        return 1;
    }
    if (in[1] != 'u') {
        const char *at = strchr(from, in[1]);
        out[0] = at != NULL ? to[at - from] : in[1];
        return 2;
    }
    const uint32_t unit = json_hex4(in + 2);
    if (unit < 0xD800u || unit > 0xDFFFu) {
        *out_count = json_utf8_put(unit, out);
        return 6;
    }
    const uint32_t low = json_hex4(in + 8);
    *out_count = json_utf8_put(0x10000u + ((unit - 0xD800u) << 10) + (low - 0xDC00u), out);
    return 12;
}

static void json_decode(const char *in, size_t bytes, char *out, size_t out_bytes) {
    size_t used = 0;
    RS_ASSERT(out_bytes > 0);
    for (size_t at = 0; at < bytes;) {
        char piece[4];
        size_t count;
        at += json_decode_one(in + at, piece, &count);
        if (count > out_bytes - 1 - used) {
            break;
        }
        memcpy(out + used, piece, count);
        used += count;
    }
    out[used] = '\0';
}

void rs_json_read_text(const rs_json_doc *doc, const rs_json_node *node, char *out,
                       size_t out_bytes) {
    const bool scalar =
        node != NULL && node->kind != RS_JSON_IS_ARRAY && node->kind != RS_JSON_IS_OBJECT;
    json_decode(scalar ? doc->text + node->at : "", scalar ? node->bytes : 0, out, out_bytes);
}

void rs_json_read_key(const rs_json_doc *doc, const rs_json_node *node, char *out,
                      size_t out_bytes) {
    RS_ASSERT(node != NULL);
    json_decode(doc->text + node->key_at, node->key_bytes, out, out_bytes);
}
