/* SPDX-License-Identifier: MIT */
/* One timer, one thread that waits for it. */
#include "win/win_alarm.h"

#include <stdlib.h>

#include "core/assert.h"
#include "seam/os.h"

/* synchapi.h of the SDK since Windows 10 1803; absent from MinGW-w64 10. */
#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002
#endif

#define ALARM_TICK_MS 1u

typedef UINT(WINAPI *alarm_period_fn)(UINT ms);

struct rs_win_alarm {
    HANDLE port, timer, quit;
    ULONG_PTR key;
    rs_os_thread *thread;
    HMODULE winmm; /* NULL: the timer needs no finer tick */
    alarm_period_fn end_period;
    uint64_t armed_ns; /* 0: not set, or over */
    bool fine;
};

static void alarm_main(void *arg) {
    rs_win_alarm *alarm = arg;
    const HANDLE waits[] = {alarm->quit, alarm->timer};
    while (WaitForMultipleObjects(2, waits, FALSE, INFINITE) == WAIT_OBJECT_0 + 1u) {
        if (!PostQueuedCompletionStatus(alarm->port, 0, alarm->key, NULL)) {
            RS_FATAL("PostQueuedCompletionStatus", GetLastError(),
                     "cannot post the timer's packet");
        }
    }
}

/* Of winmm.dll, which only programs that need it load. */
static alarm_period_fn alarm_period(HMODULE winmm, const char *name) {
    /* A union instead of a cast, which compilers warn about. */
    union {
        FARPROC raw;
        alarm_period_fn fn;
    } found = {.raw = GetProcAddress(winmm, name)};

    return found.fn;
}

/* Without it the timer is as coarse as the tick, which shows in loadgen's pacing error. */
static void alarm_fine_tick(rs_win_alarm *alarm) {
    alarm_period_fn begin;
    alarm->winmm = LoadLibraryExW(L"winmm.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (alarm->winmm == NULL) {
        return;
    }
    begin = alarm_period(alarm->winmm, "timeBeginPeriod");
    alarm->end_period = alarm_period(alarm->winmm, "timeEndPeriod");
    if (begin == NULL || alarm->end_period == NULL || begin(ALARM_TICK_MS) != 0) {
        alarm->end_period = NULL;
    }
}

static rs_status alarm_make(rs_win_alarm *alarm, rs_error *error) {
    alarm->timer =
        CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    alarm->fine = alarm->timer != NULL;
    if (!alarm->fine) { /* ERROR_INVALID_PARAMETER before Windows 10 1803 */
        alarm->timer = CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
        alarm_fine_tick(alarm);
    }
    alarm->quit = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (alarm->timer == NULL || alarm->quit == NULL) {
        uint32_t os_error = GetLastError();

        return rs_error_set(error, RS_E_OS, "CreateWaitableTimerEx", os_error,
                            "cannot create a timer (error %u)", os_error);
    }
    return rs_os_thread_start(&alarm->thread, alarm_main, alarm, error);
}

rs_status rs_win_alarm_open(rs_win_alarm **out, HANDLE port, ULONG_PTR key, rs_error *error) {
    rs_win_alarm *alarm = calloc(1, sizeof *alarm);
    rs_status status;
    *out = NULL;
    RS_ASSERT(port != NULL);
    if (alarm == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, "calloc", 0, "out of memory for an alarm");
    }
    alarm->port = port;
    alarm->key = key;
    status = alarm_make(alarm, error);
    if (status != RS_OK) {
        rs_win_alarm_close(alarm);
        return status;
    }
    *out = alarm;
    return RS_OK;
}

void rs_win_alarm_set(rs_win_alarm *alarm, uint64_t now_ns, uint64_t due_ns, rs_win_calls *calls) {
    LARGE_INTEGER due; /* negative: from now, in units of 100 ns */
    if (alarm->armed_ns != 0 && alarm->armed_ns <= due_ns) {
        return;
    }
    RS_ASSERT(due_ns > 0); /* 0 says that none is set */
    due.QuadPart = due_ns > now_ns ? -(LONGLONG)((due_ns - now_ns) / 100u) - 1 : -1;
    calls->count[RS_WIN_SETTIMER]++;
    if (SetWaitableTimer(alarm->timer, &due, 0, NULL, NULL, FALSE)) {
        alarm->armed_ns = due_ns;
    }
}

void rs_win_alarm_rang(rs_win_alarm *alarm) {
    RS_ASSERT(alarm->timer != NULL);
    alarm->armed_ns = 0;
}

bool rs_win_alarm_is_fine(const rs_win_alarm *alarm) {
    return alarm->fine;
}

void rs_win_alarm_close(rs_win_alarm *alarm) {
    if (alarm == NULL) {
        return;
    }
    if (alarm->thread != NULL) {
        BOOL told = SetEvent(alarm->quit);

        RS_ASSERT(told);
        rs_os_thread_join(alarm->thread);
    }
    if (alarm->end_period != NULL) {
        (void)alarm->end_period(ALARM_TICK_MS); /* fails only without a begin */
    }
    if (alarm->winmm != NULL) {
        (void)FreeLibrary(alarm->winmm); /* ours */
    }
    if (alarm->quit != NULL) {
        (void)CloseHandle(alarm->quit); /* our own live handles */
    }
    if (alarm->timer != NULL) {
        (void)CloseHandle(alarm->timer);
    }
    free(alarm);
}
