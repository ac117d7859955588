/* Lists as text: a few of some forty entries each, once a report. */
#include "compare/recorded.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define RECORDED_VARIES "varies"

/* One "name=value" of a list. */
typedef struct recorded_entry {
    const char *text;
    int chars, name_chars;
} recorded_entry;

/* The entry at *at, which moves on; false at the end. */
static bool recorded_next(const char **at, recorded_entry *out) {
    const char *end = strstr(*at, ", ");
    const size_t chars = end != NULL ? (size_t)(end - *at) : strlen(*at);

    if (chars == 0) {
        return false;
    }
    out->text = *at;
    out->chars = (int)chars;
    out->name_chars = 0;
    while (out->name_chars < out->chars && out->text[out->name_chars] != '=') {
        out->name_chars++;
    }
    *at += chars + (end != NULL ? 2u : 0u);
    return true;
}

/* The entry of the same name; false: there is none. */
static bool recorded_find(const char *list, const recorded_entry *like, recorded_entry *out) {
    while (recorded_next(&list, out)) {
        if (out->name_chars == like->name_chars &&
            memcmp(out->text, like->text, (size_t)like->name_chars) == 0) {
            return true;
        }
    }
    return false;
}

static bool recorded_has(const char *list, const recorded_entry *entry) {
    recorded_entry other;

    return recorded_find(list, entry, &other) && other.chars == entry->chars &&
           memcmp(other.text, entry->text, (size_t)entry->chars) == 0;
}

/* What does not fit is cut. */
static void recorded_add(char out[RS_SETTINGS_BYTES], const char *text, int chars,
                         const char *value) {
    const size_t used = strlen(out);

    (void)snprintf(out + used, RS_SETTINGS_BYTES - used, "%s%.*s%s", used > 0 ? ", " : "", chars,
                   text, value);
}

void rs_recorded_merge(char into[RS_SETTINGS_BYTES], const char *from) {
    char old[RS_SETTINGS_BYTES];
    const char *at = old;
    recorded_entry entry, other;

    if (from[0] == '\0') {
        return;
    }
    if (into[0] == '\0') {
        recorded_add(into, from, (int)strlen(from), "");
        return;
    }
    memcpy(old, into, sizeof old);
    into[0] = '\0';
    while (recorded_next(&at, &entry)) {
        if (recorded_has(from, &entry) || !recorded_find(from, &entry, &other)) {
            recorded_add(into, entry.text, entry.chars, "");
        } else {
            recorded_add(into, entry.text, entry.name_chars, "=" RECORDED_VARIES);
        }
    }
}

/* Of list to out: the entries that other has (wanted), or has not. */
static void recorded_pick(char out[RS_SETTINGS_BYTES], const char *list, const char *other,
                          bool wanted) {
    recorded_entry entry;

    out[0] = '\0';
    while (recorded_next(&list, &entry)) {
        if (recorded_has(other, &entry) == wanted) {
            recorded_add(out, entry.text, entry.chars, "");
        }
    }
}

void rs_recorded_keep(char common[RS_SETTINGS_BYTES], const char *list) {
    char old[RS_SETTINGS_BYTES];

    if (list[0] == '\0') {
        return;
    }
    memcpy(old, common, sizeof old);
    recorded_pick(common, old, list, true);
}

void rs_recorded_rest(char out[RS_SETTINGS_BYTES], const char *list, const char *common) {
    recorded_pick(out, list, common, false);
}
