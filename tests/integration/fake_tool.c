/* SPDX-License-Identifier: MIT */
/* Stands for vswhere, cmake, ctest, ninja or gcc where only the choice of one is tested.
 *
 * Appends a line to the file FAKE_LOG: its own name, its arguments, and the generator that the
 * environment asks for. As vswhere it prints FAKE_VS, which may be unset; as the tool that FAKE_BAD
 * names it ends with 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file's name without folder and ending, cut to what fits. */
static void tool_name(const char *path, char *name, size_t capacity) {
    const char *start = path;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\') {
            start = at + 1;
        }
    }
    (void)snprintf(name, capacity, "%s", start);
    name[strcspn(name, ".")] = '\0';
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

int main(int argc, char **argv) {
    char name[64];
    FILE *log = fopen(variable("FAKE_LOG"), "ab");
    if (log == NULL || argc < 1) {
        return 3;
    }
    tool_name(argv[0], name, sizeof name);
    (void)fprintf(log, "%s", name);
    for (int i = 1; i < argc; i++) {
        (void)fprintf(log, " %s", argv[i]);
    }
    (void)fprintf(log, " generator=%s\n", variable("CMAKE_GENERATOR"));
    (void)fclose(log);
    if (strcmp(name, "vswhere") == 0 && variable("FAKE_VS")[0] != '\0') {
        (void)printf("%s\n", variable("FAKE_VS"));
    }
    return strcmp(name, variable("FAKE_BAD")) == 0 ? 1 : 0;
}
