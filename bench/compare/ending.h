/* SPDX-License-Identifier: MIT */
/* How a child process ended, in words. Pure. */
#ifndef RS_COMPARE_ENDING_H
#define RS_COMPARE_ENDING_H

#include <stddef.h>
#include <stdint.h>

#define RS_ENDING_BYTES 64u

/* rs_ending_code: a process's exit code on Windows: "exit code 3", or for an exception's number
 * "0xC0000005 (access violation)".
 * Source   Microsoft, "NTSTATUS Values" in [MS-ERREF]. */
void rs_ending_code(uint32_t code, char *out, size_t bytes);

/* rs_ending_signal: "signal 11", with its name where it is known to C. */
void rs_ending_signal(int number, char *out, size_t bytes);

#endif
