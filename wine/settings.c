/* SPDX-License-Identifier: MIT */
/* Environment to settings. Called once, under the provider's initialisation. */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "win/win.h"

#define SETTING_CHARS_MAX 32

/* Position of the variable's value in words ("a|b|c"), fallback when unset, -1 when unknown. */
static int settings_choice(const char *name, const char *words, int fallback) {
    char value[SETTING_CHARS_MAX];
    DWORD length = GetEnvironmentVariableA(name, value, sizeof value);
    const char *word = words;
    if (length == 0) {
        return fallback;
    }
    for (int i = 0; length < sizeof value && word != NULL; i++) {
        const char *end = strchr(word, '|');
        size_t size = end != NULL ? (size_t)(end - word) : strlen(word);
        if (size == length && memcmp(word, value, size) == 0) {
            return i;
        }
        word = end != NULL ? end + 1 : NULL;
    }
    fprintf(stderr, "ringside_rio: %s must be one of %s\n", name, words);
    return -1;
}

bool rs_settings_read(rs_settings *out) {
    int mode = settings_choice("RINGSIDE_RIO_PROVIDER_MODE", "auto|io_uring|emulated", 0);
    int ops = settings_choice("RINGSIDE_RIO_OPS", "plain|fixed|zc", 0);
    int ring = settings_choice(RS_RING_VARIABLE, "irq|coop|single", 1);
    int lazy = settings_choice("RINGSIDE_RIO_COMMIT", "eager|lazy", 1);
    int files = settings_choice("RINGSIDE_RIO_FILES", "0|1", 1);
    int poll_first = settings_choice("RINGSIDE_RIO_POLL_FIRST", "0|1", 1);
    int multishot = settings_choice("RINGSIDE_RIO_MULTISHOT", "0|1|always|refused", 1);
    int notify_pause = settings_choice("RINGSIDE_RIO_NOTIFY_PAUSE", "0|1", 0);
    if (mode < 0 || ops < 0 || ring < 0 || lazy < 0 || files < 0 || poll_first < 0 ||
        multishot < 0 || notify_pause < 0) {
        return false;
    }
    out->mode = (rs_mode)mode;
    out->ops = (rs_ops)ops;
    out->ring = (rs_ring_mode)ring;
    out->lazy = lazy == 1;
    out->files = files == 1;
    out->poll_first = poll_first == 1;
    out->multishot = (rs_multishot)multishot;
    out->notify_pause = notify_pause == 1;
    return true;
}
