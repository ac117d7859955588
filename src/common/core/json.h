/* SPDX-License-Identifier: MIT */
/* A small writer of one JSON object into a caller's buffer: no allocation, no reading.
 *
 * Strings are escaped (control characters, quotes, backslash; bytes that are not UTF-8 become
 * U+FFFD); non-finite numbers become null. Overflow is remembered and reported at the end. */
#ifndef RS_CORE_JSON_H
#define RS_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_JSON_DEPTH_MAX 16u

typedef struct rs_json {
    char *out;
    size_t bytes, used; /* used < bytes: room for the terminator is kept */
    bool overflow;
    uint32_t depth;
    bool first[RS_JSON_DEPTH_MAX]; /* nothing written at this depth yet: no comma */
    bool array[RS_JSON_DEPTH_MAX]; /* this depth is an array: members have no key */
} rs_json;

/* rs_json_init: nothing written. out: bytes bytes, bytes >= 1 (asserted); the caller's, as long as
 * *json is used. */
void rs_json_init(rs_json *json, char *out, size_t bytes);

/* The writers. key is NULL inside an array and for the outermost object, and not NULL inside an
 * object (asserted); it is escaped like any string. After the buffer is full they do nothing:
 * rs_json_finish reports it. Nothing blocks or allocates. */

/* rs_json_object / rs_json_array: opens one; at most RS_JSON_DEPTH_MAX deep (asserted). */
void rs_json_object(rs_json *json, const char *key);
void rs_json_array(rs_json *json, const char *key);
void rs_json_end(rs_json *json); /* closes the innermost object or array; there is one (asserted) */
void rs_json_u64(rs_json *json, const char *key, uint64_t value);
void rs_json_i64(rs_json *json, const char *key, int64_t value);
/* rs_json_double: up to 6 decimals, whatever the locale; from 1e12 on to the nearest integer. */
void rs_json_double(rs_json *json, const char *key, double value);
void rs_json_bool(rs_json *json, const char *key, bool value);
void rs_json_string(rs_json *json, const char *key, const char *value); /* NULL -> null */
void rs_json_null(rs_json *json, const char *key);

/* rs_json_finish: true when everything fitted and every object is closed. *length = bytes written
 * without the terminator, which is always there; the text is not JSON when the answer is false. */
bool rs_json_finish(rs_json *json, size_t *length);

#endif
