/* SPDX-License-Identifier: MIT */
/* Gives the provider to a program that does not know it, through its import tables and the exports
 * of Winsock. x86-64. */
#ifndef RS_WINE_HOOK_H
#define RS_WINE_HOOK_H

#include <stdbool.h>

#include "win/win.h"

/* riorun sets this variable; the DLL then hooks the program while it is being loaded. Its value is
 * the number of an inherited event: set when only riorun was interrupted, to interrupt the program
 * too. */
#define RS_HOOK_VARIABLE "RINGSIDE_RIO_HOOK"
#define RS_HOOK_VALUE_CHARS 40

/* rs_hook_module: the imports of one module; true when anything was replaced. */
bool rs_hook_module(HMODULE module);

/* rs_hook_exports: ws2_32's exports, for all later lookups. */
bool rs_hook_exports(void);

/* rs_hook_program: both, for all modules but this one. False: a program that looks Winsock up at
 * run time will not find RIO. */
bool rs_hook_program(void);

/* rs_hook_listen: a thread that turns riorun's event into Ctrl+C, unless the program had that. */
void rs_hook_listen(HANDLE event);

#endif
