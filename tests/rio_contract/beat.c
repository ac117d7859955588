/* SPDX-License-Identifier: MIT */
/* A program to be started, interrupted and killed: a dot on standard output every 50 ms, for at
 * most 30 s. Ctrl+C ends it with a line and exit code 7; with an argument it exits with that code
 * at once. */
#include "win/win.h"

#include <stdio.h>
#include <stdlib.h>

#define BEATS_MAX 600
#define BEAT_MS 50u
#define EXIT_INTERRUPTED 7

static HANDLE interrupted;

static BOOL WINAPI on_event(DWORD event) {
    return event == CTRL_C_EVENT && SetEvent(interrupted);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return atoi(argv[1]);
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    interrupted = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (interrupted == NULL || !SetConsoleCtrlHandler(on_event, TRUE)) {
        return 1;
    }
    for (int i = 0; i < BEATS_MAX; i++) {
        printf(".");
        if (WaitForSingleObject(interrupted, BEAT_MS) == WAIT_OBJECT_0) {
            printf("interrupted\n");
            return EXIT_INTERRUPTED;
        }
    }
    return 0;
}
