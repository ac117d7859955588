/* SPDX-License-Identifier: MIT */
/* ringside_rio_wait and ringside_rio_wake: see ringside_rio.h for the contract. */
#ifndef RS_WINE_WAIT_H
#define RS_WINE_WAIT_H

#include "provider.h"

BOOL rs_wait(rs_cq *cq, HANDLE port, OVERLAPPED_ENTRY *entries, ULONG capacity, ULONG *taken,
             DWORD timeout_ms);
void rs_wait_wake(rs_cq *cq);

/* rs_wait_close: ends the queue's waits, before its engine closes it. Packets taken from the port
 * and not yet returned go back to it. */
void rs_wait_close(rs_cq *cq);

#endif
