/* SPDX-License-Identifier: MIT */
/* Runs one case of the test program in a process of its own, to see it end abnormally.
 *
 * The program starts itself again with two arguments: "child:CASE" and a file for its standard
 * error. One way for all systems; fork alone would not do on Windows. CHILD_MARK stands in the
 * child's environment, so that one whose arguments did not arrive ends instead of starting more. */
#ifndef RS_TESTS_CHILD_H
#define RS_TESTS_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <process.h>

#include "compare/args.h"
#include "core/assert.h"
#else
#include <sys/wait.h>
#include <unistd.h>
#endif

#define CHILD_MARK "RINGSIDE_TEST_CHILD"
#define CHILD_EXIT_LOST 99 /* the child could not find out what to do */

typedef struct child_result {
    bool exited; /* false: ended by a signal (POSIX only) */
    int code;
    char text[2048]; /* what it wrote to standard error */
} child_result;

/* The case that this process is to run, or NULL in the parent; moves stderr to the file. */
static inline const char *child_case(int argc, char **argv) {
    const bool child = argc == 3 && strncmp(argv[1], "child:", 6) == 0;
    if (!child && getenv(CHILD_MARK) == NULL) {
        return NULL;
    }
    if (!child || freopen(argv[2], "w", stderr) == NULL) {
        exit(CHILD_EXIT_LOST);
    }
    return argv[1] + 6;
}

#if defined(_WIN32)
/* The run-time joins what it is given with blanks and quotes nothing: one argument that is the
 * whole line, quoted. */
static inline void child_spawn(const char *self, const char *argument, const char *file,
                               child_result *result) {
    static rs_args args;
    static char line[RS_ARGS_QUOTED_BYTES];
    rs_args_init(&args);
    rs_args_add(&args, "%s", self);
    rs_args_add(&args, "%s", argument);
    rs_args_add(&args, "%s", file);
    const bool quoted = !args.overflow && rs_args_quote(&args, line, sizeof line);
    RS_ASSERT(quoted);
    (void)_putenv(CHILD_MARK "=1");
    result->code = (int)_spawnl(_P_WAIT, self, line, (char *)NULL);
    result->exited = true;
    (void)_putenv(CHILD_MARK "=");
}
#else
static inline void child_spawn(const char *self, const char *argument, const char *file,
                               child_result *result) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)setenv(CHILD_MARK, "1", 1);
        (void)execl(self, self, argument, file, (char *)NULL);
        _exit(98);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        (void)fprintf(stderr, "cannot start the child process\n");
        exit(1);
    }
    result->exited = WIFEXITED(status);
    result->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}
#endif

/* self: the program's own path (argv[0]). */
static inline child_result child_run(const char *self, const char *name) {
    child_result result = {.exited = false};
    char argument[64], file[1024];
    (void)snprintf(argument, sizeof argument, "child:%s", name);
    (void)snprintf(file, sizeof file, "%s.%s.stderr", self, name);
    child_spawn(self, argument, file, &result);
    FILE *in = fopen(file, "r");
    if (in != NULL) {
        result.text[fread(result.text, 1, sizeof result.text - 1, in)] = '\0';
        (void)fclose(in);
        (void)remove(file);
    }
    return result;
}

/* Ended by rs_assert_failed over this condition? abort() is a signal on POSIX, exit code 3 in the
 * Windows run-time: the message is what tells on both. */
static inline bool child_asserted(const child_result *result, const char *condition) {
    return (!result->exited || result->code != 0) &&
           strstr(result->text, "assertion failed") != NULL &&
           strstr(result->text, condition) != NULL;
}

#endif
