/* SPDX-License-Identifier: MIT */
/* What the calling thread has used of a processor. */
#ifndef RS_TESTS_HANDICAP_CLOCK_H
#define RS_TESTS_HANDICAP_CLOCK_H

#include <stdint.h>

/* handicap_used: of this thread, in a unit of the system's own (ns, cycles); 0: it cannot tell. */
uint64_t handicap_used(void);

#endif
