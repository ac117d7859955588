/* SPDX-License-Identifier: MIT */
/* What each case and each open question came to, and the cases that run in a child process.
 *
 * One record a case, for the run's JSON file: the harvest of a first run on a system. The main
 * thread's alone. */
#ifndef RS_TESTS_RIO_CONTRACT_RECORD_H
#define RS_TESTS_RIO_CONTRACT_RECORD_H

#include "contract.h"

#define RC_CASES_MAX 512u
#define RC_CHILD_PROVIDER                                                                          \
    "RIO_CONTRACT_CHILD_PROVIDER"                 /* a child's provider, in its environment        \
                                                   */
#define RC_CHILD_CRASH "RIO_CONTRACT_CHILD_CRASH" /* set to anything: every child crashes */

/* rc_record_wrap: makes the cases run through their records: those of RC_CHILD_CASE in a child, the
 * others here. in_child: this is one, so none does. count <= RC_CASES_MAX. */
void rc_record_wrap(struct CMUnitTest *cases, size_t count, bool in_child);

/* rc_record_answer: an open question of the case that runs. */
void rc_record_answer(const char *text);

/* rc_record_write: the JSON file. False, with a line on stderr, when it cannot be written. */
bool rc_record_write(const char *path, int failed);

#endif
