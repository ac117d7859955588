/* SPDX-License-Identifier: MIT */
/* Programs lie beside compare; on Linux the Windows ones in the Windows build's folder. */
#include "compare/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/process.h"
#include "compare/question.h"
#include "compare/tradeoff.h"
#include "seam/os.h"

typedef struct targets {
    rs_target *target;
    rs_results *results;
    const rs_compare_settings *settings;
    const char *folder;
    char *why;
    size_t why_bytes;
} targets;

typedef enum targets_kind {
    TARGETS_FLOOR, /* the native floor, which exists on Linux alone */
    TARGETS_MODEL, /* of the ladder: a server of streams */
    TARGETS_SERVER
} targets_kind;

/* A model is told that a synchronous call would succeed, or that an asynchronous one has ended. */
#define TARGETS_BLOCKING "blocking"
#define TARGETS_SYNC "sync, notified"
#define TARGETS_ASYNC "async, notified"

/* In the order in which they are shown, which groups the ladder by its calls. */
static const struct {
    const char *name;
    targets_kind kind;
    const char *calls;
} targets_known[] = {
    {"epoll_server", TARGETS_FLOOR, TARGETS_SYNC},
    {"ladder_thread", TARGETS_MODEL, TARGETS_BLOCKING},
    {"ladder_select", TARGETS_MODEL, TARGETS_SYNC},
    {"ladder_async_select", TARGETS_MODEL, TARGETS_SYNC},
    {"ladder_event_select", TARGETS_MODEL, TARGETS_SYNC},
    {"ladder_overlapped_event", TARGETS_MODEL, TARGETS_ASYNC},
    {"ladder_overlapped_apc", TARGETS_MODEL, TARGETS_ASYNC},
    {"ladder_overlapped_alertable", TARGETS_MODEL, TARGETS_ASYNC},
    {"ladder_iocp_pool", TARGETS_MODEL, TARGETS_ASYNC},
    {"ladder_iocp_lookaside", TARGETS_MODEL, TARGETS_ASYNC},
    {"iocp_server", TARGETS_SERVER, TARGETS_ASYNC},
    {"rio_server", TARGETS_SERVER, TARGETS_ASYNC},
};
#define TARGETS_CONTROL "+control"
#define TARGETS_KNOWN (sizeof targets_known / sizeof targets_known[0])

/* TARGETS_KNOWN: a program that is not ours. */
static size_t targets_index(const char *name) {
    size_t i = 0;
    while (i < TARGETS_KNOWN && strcmp(targets_known[i].name, name) != 0) {
        i++;
    }
    return i;
}

static int targets_fail(const targets *self, const char *what, const char *why) {
    (void)snprintf(self->why, self->why_bytes, "%s: %s", what, why);
    return EXIT_FAILURE;
}

bool rs_targets_join(char out[RS_ARG_BYTES], const char *folder, const char *rest) {
    char path[RS_ARG_BYTES * 2];
    (void)snprintf(path, sizeof path, "%.511s/%.400s", folder, rest);
    return rs_files_absolute(path, out, RS_ARG_BYTES);
}

static bool targets_is_windows_program(const char *path) {
    const size_t bytes = strlen(path);
    return bytes > 4 && strcmp(path + bytes - 4, ".exe") == 0;
}

static bool targets_find_program(const targets *self, const rs_server_name *server,
                                 char out[RS_ARG_BYTES]) {
    char rest[RS_NAME_BYTES + 64];
    if (server->path[0] != '\0') {
        return rs_files_absolute(server->path, out, RS_ARG_BYTES);
    }
    (void)snprintf(rest, sizeof rest, "%s%s", server->name, RS_TARGETS_SUFFIX);
    if (rs_targets_join(out, self->folder, rest)) {
        return true;
    }
    (void)snprintf(rest, sizeof rest, "../../windows/bin/%s.exe", server->name);
    return !RS_TARGETS_WINDOWS && rs_targets_join(out, self->folder, rest);
}

static bool targets_set_options(const targets *self, rs_target *target) {
    rs_args_init(&target->extra);
    for (uint32_t i = 0; i < self->settings->sets; i++) {
        const rs_compare_set *set = &self->settings->set[i];
        if (strcmp(set->server, target->name) == 0 || strcmp(set->server, "all") == 0) {
            rs_args_add(&target->extra, "%s", set->option);
            rs_args_add(&target->extra, "%s", set->value);
        }
    }
    return !target->extra.overflow;
}

/* The ladder servers share a prefix: one after the other, so its wineserver still serves one at a
 * time, and making a prefix takes longer than their runs. */
static const char *targets_prefix(const rs_target *target) {
    return target->streams ? "ladder" : target->name;
}

static bool targets_add(targets *self, const rs_server_name *server) {
    rs_results *results = self->results;
    rs_target *target = &self->target[results->subjects];
    rs_subject *subject = &results->subject[results->subjects];
    const size_t known = targets_index(server->name);
    if (results->subjects == RS_SERVERS_MAX ||
        !targets_find_program(self, server, target->program)) {
        return false;
    }
    (void)snprintf(target->name, sizeof target->name, "%s", server->name);
    target->wine = !RS_TARGETS_WINDOWS && targets_is_windows_program(target->program);
    /* A program that is not ours speaks frames, as loadgen does. */
    target->streams = known < TARGETS_KNOWN && targets_known[known].kind == TARGETS_MODEL;
    subject->calls = known < TARGETS_KNOWN ? targets_known[known].calls : NULL;
    (void)snprintf(target->prefix, sizeof target->prefix, "%.400s/../../wine-prefix-compare-%.39s",
                   self->folder, targets_prefix(target));
    (void)snprintf(subject->name, sizeof subject->name, "%s", server->name);
    subject->wine = target->wine || rs_os_is_wine();
    results->subjects++;
    return targets_set_options(self, target);
}

/* One of targets_known, if it was built. */
static void targets_add_known(targets *self, size_t index) {
    rs_server_name server = {.path = ""};
    (void)snprintf(server.name, sizeof server.name, "%s", targets_known[index].name);
    if (!targets_add(self, &server)) {
        (void)fprintf(stderr, "compare: %s was not built: left out\n", server.name);
    }
}

/* One more subject: a server with one setting changed. Its name says which. */
static bool targets_add_variant(targets *self, const rs_tradeoff *tradeoff, uint32_t of) {
    rs_results *results = self->results;
    const uint32_t index = results->subjects;
    rs_target *target = &self->target[index];
    rs_subject *subject = &results->subject[index];
    char name[sizeof target->name];
    if (index == RS_SERVERS_MAX) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%.11s+%.16s=%.10s", self->target[of].name, tradeoff->option,
                   tradeoff->value);
    *target = self->target[of];
    *subject = results->subject[of];
    memcpy(target->name, name, sizeof target->name);
    (void)snprintf(subject->name, sizeof subject->name, "%s", name);
    subject->changed = tradeoff;
    subject->of = of;
    rs_args_add(&target->extra, "--%s", tradeoff->option);
    rs_args_add(&target->extra, "%s", tradeoff->value);
    if (tradeoff->needs != NULL) {
        rs_args_add(&target->extra, "--%s", tradeoff->needs);
        rs_args_add(&target->extra, "%s", tradeoff->needs_value);
    }
    results->subjects++;
    return !target->extra.overflow;
}

/* Subject `of` once more, under another name. */
static bool targets_add_control(targets *self, uint32_t of) {
    rs_results *results = self->results;
    const uint32_t index = results->subjects;
    char name[RS_NAME_BYTES];
    if (index == RS_SERVERS_MAX) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%.28s" TARGETS_CONTROL, self->target[of].name);
    self->target[index] = self->target[of];
    results->subject[index] = results->subject[of];
    memcpy(self->target[index].name, name, sizeof name);
    memcpy(results->subject[index].name, name, sizeof name);
    results->subject[index].control = true;
    results->subject[index].of = of;
    results->subjects++;
    return true;
}

/* The baseline, by its name; without one the first of all. */
static const char *targets_control_of(const targets *self) {
    const char *base = RS_TARGETS_WINDOWS ? "iocp_server" : "epoll_server";
    for (uint32_t i = 0; i < self->results->subjects; i++) {
        if (strcmp(self->target[i].name, base) == 0) {
            return base;
        }
    }
    return self->target[0].name;
}

/* Of what the others are set against: the floor or iocp_server, which come first in our lists; of
 * trade-offs both servers. */
static bool targets_controls(targets *self) {
    const uint32_t subjects = self->results->subjects;
    bool ok = true;
    if (self->settings->kind == RS_COMPARE_CALIBRATE) {
        return true; /* +0 is one */
    }
    for (uint32_t i = 0; i < subjects && !self->settings->no_control; i++) {
        const bool base = self->settings->kind == RS_COMPARE_TRADEOFFS
                              ? self->results->subject[i].changed == NULL
                              : strcmp(self->target[i].name, targets_control_of(self)) == 0;
        ok = ok && (!base || targets_add_control(self, i));
    }
    return ok;
}

/* Of a question those that it is about. */
static bool targets_wants(const targets *self, size_t index) {
    const rs_question *question = self->settings->question;
    return question == NULL || rs_question_measures(question, targets_known[index].name);
}

/* The variants of a server come right behind it: a pair is then of runs that are near in time. */
static int targets_tradeoffs(targets *self) {
    const rs_question *question = self->settings->question;
    const uint32_t rows = rs_question_rows(question);
    for (size_t i = 0; i < TARGETS_KNOWN; i++) {
        const uint32_t of = self->results->subjects;
        if (targets_known[i].kind == TARGETS_SERVER && targets_wants(self, i)) {
            targets_add_known(self, i);
        }
        for (uint32_t k = 0; of < self->results->subjects && k < rows; k++) {
            const rs_tradeoff *tradeoff = rs_question_row(question, k);
            if (rs_tradeoff_applies(tradeoff, targets_known[i].name) &&
                !targets_add_variant(self, tradeoff, of)) {
                return targets_fail(self, tradeoff->option, "too many settings");
            }
        }
    }
    return 0;
}

static int targets_named(targets *self) {
    for (uint32_t i = 0; i < self->settings->servers; i++) {
        const rs_server_name *server = &self->settings->server[i];
        if (!targets_add(self, server)) {
            (void)snprintf(self->why, self->why_bytes,
                           "--servers: '%s%s%.160s': no such program; allowed: a server that was "
                           "built, or NAME=PATH of a program",
                           server->name, server->path[0] != '\0' ? "=" : "", server->path);
            return 2;
        }
    }
    return 0;
}

/* A server that has the handicap of nothing, and the others against it; +0 is a variant too: the
 * same program under another name. */
static int targets_calibrate(targets *self) {
    rs_server_name server = {.path = ""};
    (void)snprintf(server.name, sizeof server.name, "%s",
                   RS_TARGETS_WINDOWS ? "iocp_handicap" : "epoll_handicap");
    if (!targets_add(self, &server)) {
        return targets_fail(self, server.name, "was not built: it comes with the tests");
    }
    rs_args_add(&self->target[0].extra, "--%s", rs_handicaps[0].option);
    rs_args_add(&self->target[0].extra, "%s", rs_handicaps[0].value);
    for (uint32_t i = 0; i < RS_HANDICAPS; i++) {
        if (!targets_add_variant(self, &rs_handicaps[i], 0)) {
            return targets_fail(self, rs_handicaps[i].value, "too many settings");
        }
    }
    return 0;
}

static int targets_list(targets *self) {
    if (self->settings->kind == RS_COMPARE_CALIBRATE) {
        return targets_calibrate(self);
    }
    if (self->settings->kind == RS_COMPARE_TRADEOFFS) {
        return targets_tradeoffs(self);
    }
    if (self->settings->servers > 0) {
        return targets_named(self);
    }
    for (size_t i = 0; i < TARGETS_KNOWN; i++) {
        const targets_kind kind = targets_known[i].kind;
        if (!targets_wants(self, i)) {
            continue;
        }
        if (kind == TARGETS_SERVER || (kind == TARGETS_FLOOR && !RS_TARGETS_WINDOWS) ||
            (kind == TARGETS_MODEL && self->settings->kind == RS_COMPARE_LADDER)) {
            targets_add_known(self, i);
        }
    }
    return 0;
}

/* The program's own name with _layout1 and so on. */
static int targets_builds(targets *self, rs_target *target) {
    const size_t suffix = targets_is_windows_program(target->program) ? strlen(".exe") : 0;
    const size_t stem = strlen(target->program) - suffix;
    for (uint32_t i = 0; i < self->settings->builds; i++) {
        char path[RS_ARG_BYTES * 2];
        (void)snprintf(path, sizeof path, "%.*s_layout%u%s", (int)stem, target->program, i + 1,
                       target->program + stem);
        if (!rs_files_absolute(path, target->build[i], sizeof target->build[i])) {
            (void)snprintf(self->why, self->why_bytes,
                           "--builds: %.160s: no such program; build the target layouts", path);
            return EXIT_FAILURE;
        }
    }
    target->builds = self->settings->builds;
    return 0;
}

static int targets_all_builds(targets *self) {
    int failed = 0;
    for (uint32_t i = 0; i < self->results->subjects && failed == 0; i++) {
        rs_target *target = &self->target[i];
        if (self->settings->builds > 1 && !target->streams) { /* the ladder's have one each */
            failed = targets_builds(self, target);
        }
    }
    return failed;
}

/* --set for a server that is not there is a mistake, not something to pass over. */
static int targets_check_sets(const targets *self) {
    for (uint32_t i = 0; i < self->settings->sets; i++) {
        const char *name = self->settings->set[i].server;
        bool known = strcmp(name, "all") == 0;
        for (uint32_t k = 0; k < self->results->subjects; k++) {
            known = known || strcmp(name, self->target[k].name) == 0;
        }
        if (!known) {
            (void)snprintf(self->why, self->why_bytes,
                           "--set: '%s': not a server of this comparison; allowed: all, or one of "
                           "those measured",
                           name);
            return 2;
        }
    }
    return 0;
}

int rs_targets_find(rs_target *target, rs_results *results, const rs_compare_settings *settings,
                    const char *folder, char *why, size_t bytes) {
    targets self = {.target = target,
                    .results = results,
                    .settings = settings,
                    .folder = folder,
                    .why = why,
                    .why_bytes = bytes};
    const int failed = targets_list(&self);
    if (failed != 0) {
        return failed;
    }
    if (results->subjects == 0) {
        return targets_fail(&self, "no server was built", "nothing to measure");
    }
    if (!targets_controls(&self)) {
        return targets_fail(&self, "no room for a control", "too many servers");
    }
    if (targets_all_builds(&self) != 0) {
        return EXIT_FAILURE;
    }
    return targets_check_sets(&self);
}
