/* SPDX-License-Identifier: MIT */
/* Everything goes through json_put, the only function that checks the end of the buffer. */
#include "core/json.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"

/* From here on decimals are not worth showing; below, the whole part fits 64 bits. */
#define JSON_FIXED_BELOW 1e12
#define JSON_MILLION 1000000u
/* The longest finite double has 309 digits; sign and terminator. */
#define JSON_DOUBLE_CHARS 320

void rs_json_init(rs_json *json, char *out, size_t bytes) {
    RS_ASSERT(out != NULL);
    RS_ASSERT(bytes > 0);
    memset(json, 0, sizeof *json);
    json->out = out;
    json->bytes = bytes;
    out[0] = '\0';
}

static void json_put(rs_json *json, const char *text, size_t count) {
    RS_ASSERT(json->used < json->bytes);
    RS_ASSERT(json->out[json->used] == '\0');
    if (json->overflow || count > json->bytes - 1u - json->used) {
        json->overflow = true;
        return;
    }
    memcpy(json->out + json->used, text, count);
    json->used += count;
    json->out[json->used] = '\0';
}

static void json_put_text(rs_json *json, const char *text) {
    RS_ASSERT(text != NULL);
    json_put(json, text, strlen(text));
}

static bool json_is_tail(const uint8_t *at, uint32_t count) {
    RS_ASSERT(count >= 1);
    RS_ASSERT(count <= 3);
    for (uint32_t i = 1; i <= count; i++) {
        if ((at[i] & 0xC0u) != 0x80u) { /* a terminator ends here too */
            return false;
        }
    }
    return true;
}

/* Bytes of the well-formed UTF-8 sequence at a byte >= 0x80; 0 if it is none. The second byte's
 * narrower ranges keep out overlong forms, surrogates and what lies above U+10FFFF (RFC 3629). */
static uint32_t json_utf8_bytes(const uint8_t *at) {
    const uint8_t lead = at[0], second = at[1];
    RS_ASSERT(lead >= 0x80u);
    if (lead >= 0xC2u && lead <= 0xDFu) {
        return json_is_tail(at, 1) ? 2 : 0;
    }
    if (lead >= 0xE0u && lead <= 0xEFu) {
        const bool narrow = (lead == 0xE0u && second < 0xA0u) || (lead == 0xEDu && second > 0x9Fu);
        return !narrow && json_is_tail(at, 2) ? 3 : 0;
    }
    if (lead >= 0xF0u && lead <= 0xF4u) {
        const bool narrow = (lead == 0xF0u && second < 0x90u) || (lead == 0xF4u && second > 0x8Fu);
        return !narrow && json_is_tail(at, 3) ? 4 : 0;
    }
    return 0;
}

static void json_put_ascii(rs_json *json, char c) {
    static const char hex[] = "0123456789abcdef";
    const uint8_t byte = (uint8_t)c;
    RS_ASSERT(byte < 0x80u);
    if (c == '"' || c == '\\') {
        const char pair[2] = {'\\', c};
        json_put(json, pair, sizeof pair);
    } else if (c == '\n') {
        json_put(json, "\\n", 2);
    } else if (c == '\t') {
        json_put(json, "\\t", 2);
    } else if (byte < 0x20u) {
        const char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 0xFu]};
        json_put(json, escape, sizeof escape);
    } else {
        json_put(json, &c, 1);
    }
}

static void json_put_quoted(rs_json *json, const char *text) {
    RS_ASSERT(text != NULL);
    json_put(json, "\"", 1);
    while (*text != '\0' && !json->overflow) {
        if ((uint8_t)*text < 0x80u) {
            json_put_ascii(json, *text++);
            continue;
        }
        const uint32_t bytes = json_utf8_bytes((const uint8_t *)text);
        if (bytes == 0) {
            json_put(json, "\xEF\xBF\xBD", 3); /* U+FFFD, one for each bad byte */
            text++;
        } else {
            json_put(json, text, bytes);
            text += bytes;
        }
    }
    json_put(json, "\"", 1);
}

/* The comma and the key before a value. */
static void json_begin(rs_json *json, const char *key) {
    if (json->depth == 0) {
        RS_ASSERT(key == NULL);
        return;
    }
    const uint32_t level = json->depth - 1u;
    RS_ASSERT((key == NULL) == json->array[level]);
    if (!json->first[level]) {
        json_put(json, ",", 1);
    }
    json->first[level] = false;
    if (key != NULL) {
        json_put_quoted(json, key);
        json_put(json, ":", 1);
    }
}

static void json_open(rs_json *json, const char *key, bool array) {
    json_begin(json, key);
    RS_ASSERT(json->depth < RS_JSON_DEPTH_MAX);
    json->first[json->depth] = true;
    json->array[json->depth] = array;
    json->depth++;
    json_put(json, array ? "[" : "{", 1);
}

void rs_json_object(rs_json *json, const char *key) {
    json_open(json, key, false);
}

void rs_json_array(rs_json *json, const char *key) {
    json_open(json, key, true);
}

void rs_json_end(rs_json *json) {
    RS_ASSERT(json->depth > 0);
    json->depth--;
    json_put(json, json->array[json->depth] ? "]" : "}", 1);
}

static void json_put_u64(rs_json *json, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    json_put(json, digits + at, sizeof digits - at);
    RS_ASSERT(at < sizeof digits);
}

void rs_json_u64(rs_json *json, const char *key, uint64_t value) {
    json_begin(json, key);
    json_put_u64(json, value);
}

void rs_json_i64(rs_json *json, const char *key, int64_t value) {
    json_begin(json, key);
    if (value < 0) {
        json_put(json, "-", 1);
        json_put_u64(json, UINT64_C(0) - (uint64_t)value);
    } else {
        json_put_u64(json, (uint64_t)value);
    }
}

/* Digits after the point, without the zeros at the end. */
static void json_put_fraction(rs_json *json, uint32_t millionths) {
    RS_ASSERT(millionths < JSON_MILLION);
    if (millionths != 0) {
        json_put(json, ".", 1);
    }
    for (uint32_t unit = JSON_MILLION / 10u; millionths != 0; unit /= 10u) {
        const char digit = (char)('0' + millionths / unit);
        json_put(json, &digit, 1);
        millionths %= unit;
    }
}

void rs_json_double(rs_json *json, const char *key, double value) {
    json_begin(json, key);
    /* Infinity less infinity is not a number, and nothing equals that. */
    if (!(value - value == 0.0)) {
        json_put_text(json, "null");
        return;
    }
    const double size = value < 0 ? -value : value;
    if (size >= JSON_FIXED_BELOW) {
        char text[JSON_DOUBLE_CHARS];
        (void)snprintf(text, sizeof text, "%.0f", value); /* no decimal point: no locale */
        json_put_text(json, text);
        return;
    }
    uint64_t whole = (uint64_t)size;
    uint32_t millionths = (uint32_t)((size - (double)whole) * (double)JSON_MILLION + 0.5);
    if (millionths == JSON_MILLION) { /* rounded up to the next whole number */
        whole++;
        millionths = 0;
    }
    if (value < 0 && (whole != 0 || millionths != 0)) {
        json_put(json, "-", 1);
    }
    json_put_u64(json, whole);
    json_put_fraction(json, millionths);
}

void rs_json_bool(rs_json *json, const char *key, bool value) {
    json_begin(json, key);
    json_put_text(json, value ? "true" : "false");
}

void rs_json_string(rs_json *json, const char *key, const char *value) {
    json_begin(json, key);
    if (value == NULL) {
        json_put_text(json, "null");
    } else {
        json_put_quoted(json, value);
    }
}

void rs_json_null(rs_json *json, const char *key) {
    json_begin(json, key);
    json_put_text(json, "null");
}

bool rs_json_finish(rs_json *json, size_t *length) {
    RS_ASSERT(json->used < json->bytes);
    *length = json->used;
    return !json->overflow && json->depth == 0 && json->used > 0;
}
