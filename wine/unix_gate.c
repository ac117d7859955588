/* SPDX-License-Identifier: MIT */
/* ringside_rio.so: the Unix half of the provider, one gate for every system call.
 *
 * Wine finds it beside the builtin-marked DLL and calls entry 0 of __wine_unix_call_funcs on the
 * calling thread, on Wine's own stack for Unix code. It goes through libc's syscall(): Wine from
 * 11.5 on dispatches system calls made by anything but libc and Unix halves as Windows ones.
 * No Wine header and no liburing are needed. */
#include "unix_gate.h"

#include <errno.h>
#include <unistd.h>

static int gate_call(void *argument) {
    rs_gate_call *call = argument;
    const int64_t *a = call->argument;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    call->result = result < 0 ? -errno : result;
    return 0;
}

/* Wine looks this name up; each entry returns an NTSTATUS. */
typedef int (*gate_entry)(void *argument);
extern const gate_entry __wine_unix_call_funcs[];
__attribute__((visibility("default"))) const gate_entry __wine_unix_call_funcs[] = {gate_call};
