/* SPDX-License-Identifier: MIT */
/* See loadgen_sizes.h. */
#include "loadgen/loadgen_sizes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/options.h"

#define SIZES_NUMBER_BYTES 32u

/* The number in text[0..bytes). Fractions of a byte and of a weight are none. */
static bool sizes_number(const rs_option *option, const char *text, size_t bytes, uint32_t *out) {
    char copy[SIZES_NUMBER_BYTES];
    double number;
    if (bytes >= sizeof copy) {
        return false;
    }
    (void)snprintf(copy, sizeof copy, "%.*s", (int)bytes, text);
    if (rs_option_number(option, copy, &number) != NULL || number != (double)(uint32_t)number) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* One part, "SIZE", "SIZE..SIZE", each with ":WEIGHT" or without. */
static const char *sizes_add(rs_sizes *sizes, const rs_option *size, const char *text,
                             size_t bytes) {
    static const rs_option weight = {
        .kind = RS_OPT_DOUBLE, .min = 1, .max = RS_SIZES_WEIGHT_MAX, .unit = ""};
    const char *colon = memchr(text, ':', bytes);
    const size_t range = colon != NULL ? (size_t)(colon - text) : bytes;
    const char *dots = NULL;
    uint32_t least, most, share = 1;
    for (size_t i = 0; i + 1u < range && dots == NULL; i++) {
        dots = text[i] == '.' && text[i + 1u] == '.' ? text + i : NULL;
    }
    if (!sizes_number(size, text, dots != NULL ? (size_t)(dots - text) : range, &least)) {
        return "is no size";
    }
    most = least;
    if (dots != NULL && !sizes_number(size, dots + 2, range - (size_t)(dots + 2 - text), &most)) {
        return "is no size";
    }
    if (most < least) {
        return "has a range that ends below its start";
    }
    if (colon != NULL && !sizes_number(&weight, colon + 1, bytes - range - 1u, &share)) {
        return "has a bad weight";
    }
    if (sizes->count == RS_SIZES_MAX) {
        return "has too many parts";
    }
    sizes->weights += share;
    sizes->part[sizes->count].least = least;
    sizes->part[sizes->count].most = most;
    sizes->part[sizes->count++].below = sizes->weights;
    sizes->min = least < sizes->min ? least : sizes->min;
    sizes->max = most > sizes->max ? most : sizes->max;
    return NULL;
}

const char *rs_sizes_parse(rs_sizes *sizes, const char *text, uint32_t min, uint32_t max) {
    const rs_option size = {.kind = RS_OPT_DOUBLE, .min = min, .max = max, .unit = "bytes"};
    *sizes = (rs_sizes){.min = UINT32_MAX};
    for (;; text++) {
        const size_t bytes = strcspn(text, ",");
        const char *wrong = sizes_add(sizes, &size, text, bytes);

        if (wrong != NULL) {
            return wrong;
        }
        text += bytes;
        if (*text == '\0') {
            return NULL;
        }
    }
}

rs_sizes rs_sizes_one(uint32_t bytes) {
    return (rs_sizes){.count = 1,
                      .min = bytes,
                      .max = bytes,
                      .weights = 1,
                      .part = {{.least = bytes, .most = bytes, .below = 1}}};
}

uint32_t rs_sizes_draw(const rs_sizes *sizes, uint64_t random) {
    uint32_t i = 0;
    RS_ASSERT(sizes->count > 0);
    if (sizes->min == sizes->max) {
        return sizes->min;
    }
    while (random % sizes->weights >= sizes->part[i].below) {
        i++;
    }
    random = (random / sizes->weights) % (sizes->part[i].most - sizes->part[i].least + 1u);
    return sizes->part[i].least + (uint32_t)random;
}
