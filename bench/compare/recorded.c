/* SPDX-License-Identifier: MIT */
#include "compare/recorded.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void rs_settings_add(rs_setting_list *list, const char *name, const char *value) {
    if (list->count < RS_SETTINGS_MAX) {
        rs_setting *out = &list->setting[list->count++];
        (void)snprintf(out->name, sizeof out->name, "%s", name);
        (void)snprintf(out->value, sizeof out->value, "%s", value);
    }
}

void rs_settings_text(const rs_setting_list *list, char *out, size_t bytes) {
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < list->count && used < bytes; i++) {
        const int more = snprintf(out + used, bytes - used, "%s%s=%s", i > 0 ? ", " : "",
                                  list->setting[i].name, list->setting[i].value);
        used += more > 0 ? (size_t)more : 0;
    }
}

/* The setting of that name; NULL: there is none. */
static const rs_setting *recorded_find(const rs_setting_list *list, const char *name) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->setting[i].name, name) == 0) {
            return &list->setting[i];
        }
    }
    return NULL;
}

static bool recorded_has(const rs_setting_list *list, const rs_setting *setting) {
    const rs_setting *other = recorded_find(list, setting->name);
    return other != NULL && strcmp(other->value, setting->value) == 0;
}

void rs_recorded_merge(rs_setting_list *into, const rs_setting_list *from) {
    if (into->count == 0) {
        *into = *from;
    }
    for (uint32_t i = 0; i < into->count; i++) {
        rs_setting *setting = &into->setting[i];
        if (recorded_find(from, setting->name) != NULL && !recorded_has(from, setting)) {
            (void)snprintf(setting->value, sizeof setting->value, "varies");
        }
    }
}

/* Of list to out, which may be the same: the settings that other has (wanted), or has not. */
static void recorded_pick(rs_setting_list *out, const rs_setting_list *list,
                          const rs_setting_list *other, bool wanted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (recorded_has(other, &list->setting[i]) == wanted) {
            out->setting[count++] = list->setting[i];
        }
    }
    out->count = count;
}

void rs_recorded_keep(rs_setting_list *common, const rs_setting_list *list) {
    if (list->count > 0) {
        recorded_pick(common, common, list, true);
    }
}

void rs_recorded_rest(rs_setting_list *out, const rs_setting_list *list,
                      const rs_setting_list *common) {
    recorded_pick(out, list, common, false);
}
