/* SPDX-License-Identifier: MIT */
/* Reports of the checker: a line each on stderr, at most some of one kind, and a count. */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rio/rio_verify_table.h"

#include "hook.h"
#include "sockets.h"

#define VERIFY_LINES_MAX 20u /* of one kind */

static struct {
    volatile LONG *violations; /* in riorun's mapping; NULL = nothing is checked */
    bool strict;
    uint32_t lines[RS_RV_CHECKS];
    INIT_ONCE once;
    rs_rio_api api;
    rs_atomic_u32 ready; /* the api is the checking one */
} verify;

/* Under the checker's lock. */
static void verify_report(void *unused, rs_rv_check check, const char *text) {
    (void)unused;
    (void)InterlockedIncrement(verify.violations);
    if (verify.lines[check]++ < VERIFY_LINES_MAX) {
        fprintf(stderr, "riorun: verify: %s\n", text);
    } else if (verify.lines[check] == VERIFY_LINES_MAX + 1) {
        fprintf(stderr, "riorun: verify: %s: further lines are suppressed\n", rs_rv_name(check));
    }
    fflush(stderr);
}

bool rs_verify_open(void) {
    char text[RS_HOOK_VALUE_CHARS] = "";
    char *end = text;
    HANDLE mapping;
    if (GetEnvironmentVariableA(RS_VERIFY_VARIABLE, text, sizeof text) == 0) {
        return true;
    }
    mapping = (HANDLE)(uintptr_t)strtoull(text, &end, 10);
    verify.strict = strcmp(end, " strict") == 0;
    verify.violations = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, RS_VERIFY_BYTES);
    (void)SetEnvironmentVariableA(RS_VERIFY_VARIABLE, NULL); /* not for what the program starts */
    return verify.violations != NULL;
}

static BOOL CALLBACK verify_wrap(INIT_ONCE *once, void *table, void **context) {
    const rs_rv_options options = {.any_thread = true,
                                   .documented_only = !verify.strict,
                                   .unique_ids = verify.strict,
                                   .report = verify_report};
    (void)once;
    (void)context;
    verify.api.fn = *(const RIO_EXTENSION_FUNCTION_TABLE *)table;
    verify.api.close_socket = rs_provider_close;
    if (!rs_rio_verify_wrap(&verify.api, &options)) {
        return FALSE;
    }
    rs_atomic_store_u32(&verify.ready, 1);
    return TRUE;
}

bool rs_verify_table(RIO_EXTENSION_FUNCTION_TABLE *table) {
    if (verify.violations == NULL) {
        return true;
    }
    if (!InitOnceExecuteOnce(&verify.once, verify_wrap, table, NULL)) {
        return false;
    }
    *table = verify.api.fn;
    return true;
}

int rs_verify_closesocket(SOCKET s) {
    return rs_atomic_load_u32(&verify.ready) ? verify.api.close_socket(s) : rs_provider_close(s);
}

void rs_verify_finish(void) {
    if (rs_atomic_load_u32(&verify.ready)) {
        rs_rio_verify_finish();
    }
}
