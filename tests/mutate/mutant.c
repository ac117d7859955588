/* SPDX-License-Identifier: MIT */
/* Which planted mistake this process makes: RS_MUTANT, 0 = none. Only in a build with RS_MUTATE. */
#include <stdlib.h>

int rs_mutant_now;

__attribute__((constructor)) static void mutant_choose(void) {
    const char *number = getenv("RS_MUTANT");
    rs_mutant_now = number != NULL ? atoi(number) : 0;
}
