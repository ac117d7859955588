/* SPDX-License-Identifier: MIT */
/* See notes_run.h. */
#include "notes/notes_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/process.h"
#include "core/assert.h"
#include "notes/note_state.h"

#ifdef _WIN32
#define RUN_PROGRAM "notes.exe"
#else
#define RUN_PROGRAM "notes"
#endif

/* ---- in this process, on a thread of its own */

typedef struct run_state {
    note note;
    rs_os_event *ended;
    rs_os_thread *thread;
    struct run_state *next;
} run_state;

/* Given up: their threads may still write there. */
static run_state *run_given_up;

static void run_thread(void *arg) {
    run_state *state = arg;
    state->note.entry->run(&state->note);
    rs_os_event_set(state->ended);
}

/* False: it did not end; the state is its thread's from here on. */
static bool run_once(run_state *state, uint32_t bound_s) {
    if (rs_os_thread_start(&state->thread, run_thread, state, NULL) != RS_OK) {
        note_failed(&state->note, "a thread");
        return true;
    }
    if (!rs_os_event_wait(state->ended, bound_s * 1000u)) {
        return false;
    }
    rs_os_thread_join(state->thread);
    note_close_all(&state->note);
    return true;
}

/* ---- in a process of its own */

static void run_read_child(note *self, const char *path) {
    char line[NOTE_WORDS_BYTES + 32];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return; /* how the child ended says enough */
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        const unsigned long figure = strtoul(line, &end, 10);
        if (strncmp(line, "failed ", 7) == 0) {
            line[strcspn(line, "\r\n")] = '\0';
            (void)snprintf(self->failed, sizeof self->failed, "%.390s", line + 7);
        } else if (end != line && figure < self->entry->figures) {
            note_add(self, (uint32_t)figure, strtod(end, NULL));
        }
    }
    (void)fclose(file); /* read only: nothing can be lost */
}

static double run_child_end(rs_process *process, uint32_t bound_s) {
    const uint64_t start_ns = rs_os_now_ns();
    while (!rs_process_has_ended(process)) {
        if (note_us_since(start_ns) > bound_s * 1e6) {
            rs_process_kill(process);
            return NOTE_CHILD_STUCK;
        }
        rs_os_sleep_ms(2);
    }
    /* Windows gives an exception's code as the exit code: those are above a program's own. */
    return process->exit_code < 0 || process->exit_code > 255 ? NOTE_CHILD_CRASHED
                                                              : (double)process->exit_code;
}

static const char *run_folder(void) {
    const char *folder = getenv("TEMP");
    folder = folder != NULL ? folder : getenv("TMPDIR");
    return folder != NULL ? folder : "/tmp";
}

static bool run_child(note *self, const char *id, uint32_t bound_s) {
    static rs_args args;
    char out[RS_ARG_BYTES], folder[RS_ARG_BYTES - 16u];
    const rs_process_spec spec = {
        .args = &args, .out_path = out, .err_path = out, .cpu = RS_CPU_ANY};
    rs_process process;
    rs_error error;
    (void)snprintf(out, sizeof out, "%.400s/ringside-note-%s-%llu.txt", run_folder(), id,
                   (unsigned long long)rs_os_now_ns());
    rs_args_init(&args);
    if (!rs_files_own_folder(folder, sizeof folder)) {
        return false;
    }
    rs_args_add(&args, "%s/" RUN_PROGRAM, folder);
    rs_args_add(&args, "--inner");
    rs_args_add(&args, "%s", id);
    if (args.overflow || rs_process_start(&process, &spec, &error) != RS_OK) {
        return false;
    }
    const double ending = run_child_end(&process, bound_s);
    rs_process_close(&process);
    note_add(self, 0, ending);
    run_read_child(self, out);
    (void)remove(out); /* of the temporary folder */
    return true;
}

int notes_run_inner(const char *id) {
    static note self;
    const note_row *row = note_find(id);
    if (row == NULL || row->entry->run == NULL) {
        return 2;
    }
    note_init(&self, row->entry);
    self.inner = true;
    row->entry->run(&self);
    note_close_all(&self);
    return 0;
}

/* ---- one entry */

/* False: *verdict says why this entry has nothing to run here. */
static bool run_can_tell(const note_entry *entry, note_verdict *verdict) {
    if (entry->run == NULL) {
        *verdict = note_say(NOTE_CANNOT_TELL, "%s", NOTES_WINDOWS_ALONE);
        return false;
    }
    if (entry->where == NOTE_WINDOWS_KERNEL && rs_os_is_wine()) {
        *verdict = note_say(NOTE_CANNOT_TELL, "Wine has no %s", entry->cannot);
        return false;
    }
    return true;
}

static bool run_repeats(run_state *state, const note_row *row, uint32_t repeats) {
    const uint32_t bound_s = row->entry->bound_s > 0 ? row->entry->bound_s : NOTE_BOUND_S;
    for (uint32_t i = 0; i < repeats && state->note.failed[0] == '\0'; i++) {
        const bool ended = row->entry->child ? run_child(&state->note, row->id, bound_s)
                                             : run_once(state, bound_s);
        if (!ended) {
            return false;
        }
    }
    return true;
}

void notes_run(const note_row *row, uint32_t repeats, notes_result *out) {
    const note_entry *entry = row->entry;
    const uint64_t start_ns = rs_os_now_ns();
    run_state *state = NULL;
    memset(out, 0, sizeof *out);
    out->row = row;
    if (!run_can_tell(entry, &out->verdict)) {
        return;
    }
    state = calloc(1, sizeof *state);
    if (state == NULL || rs_os_event_open(&state->ended, NULL) != RS_OK) {
        out->broken = true;
        out->verdict = note_say(NOTE_CANNOT_TELL, "out of memory");
        free(state);
        return;
    }
    note_init(&state->note, entry);
    out->ran = true;
    if (!run_repeats(state, row, repeats)) {
        state->next = run_given_up;
        run_given_up = state;
        out->broken = true;
        out->verdict = note_say(NOTE_CANNOT_TELL, "it did not end, and was given up");
        return;
    }
    note_merge_all(&state->note, out->seen);
    out->verdict = note_judged(&state->note, out->seen);
    out->ms = note_us_since(start_ns) / 1e3;
    rs_os_event_close(state->ended);
    free(state);
}
