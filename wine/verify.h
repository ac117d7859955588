/* SPDX-License-Identifier: MIT */
/* riorun --verify: the checker of --rio-verify over the table that a program of others gets. */
#ifndef RS_WINE_VERIFY_H
#define RS_WINE_VERIFY_H

#include <stdbool.h>

#include "rio/rio_abi.h"

/* riorun sets this variable to "NUMBER" or "NUMBER strict", the number being that of an inherited
 * file mapping of RS_VERIFY_BYTES, in which the violations are counted for riorun to read. */
#define RS_VERIFY_VARIABLE "RINGSIDE_RIO_VERIFY"
#define RS_VERIFY_BYTES 4096u

/* rs_verify_open: from now on tables are checked, if the variable says so. Once, in DllMain. False:
 * it was asked for and cannot be. */
bool rs_verify_open(void);

/* rs_verify_table: puts the checks over a table of the provider's. False: no memory. */
bool rs_verify_table(RIO_EXTENSION_FUNCTION_TABLE *table);

/* rs_verify_closesocket: closesocket for a program whose table is, or is not, checked. */
int rs_verify_closesocket(SOCKET s);

/* rs_verify_finish: the process ends. */
void rs_verify_finish(void);

#endif
