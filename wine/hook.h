/* Lends the provider to a program that knows nothing of it, by its import tables. */
#ifndef RS_WINE_HOOK_H
#define RS_WINE_HOOK_H

#include <stdbool.h>

#include "win/win.h"

/* riorun sets this variable; the DLL then hooks the program while it is being loaded. */
#define RS_HOOK_VARIABLE "RINGSIDE_RIO_HOOK"

/* rs_hook_module: one module; true when anything was replaced. */
bool rs_hook_module(HMODULE module);

/* rs_hook_program: the program and those of its DLLs that lie in its folder. */
void rs_hook_program(void);

#endif
