/* SPDX-License-Identifier: MIT */
/* Console output on its own thread: a caller never waits for the reader.
 *
 * A console in which somebody selects text, a full pipe or a paused terminal stops only the
 * printer. Lines that find its queue full are dropped and counted, and it reports that when it can
 * write again. Any thread, except that open and close are the owner's. */
#ifndef RS_SEAM_PRINTER_H
#define RS_SEAM_PRINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "seam/os.h"

#define RS_PRINTER_LINE_BYTES 1024u /* a longer line is truncated */
#define RS_PRINTER_LINES 256u
#define RS_PRINTER_PATIENCE_MS 1000u

typedef struct rs_printer rs_printer;

/* rs_printer_open: starts its thread. RS_E_NO_MEMORY, RS_E_OS. */
rs_status rs_printer_open(rs_printer **out, rs_os_stream stream, rs_error *error);

/* rs_printer_say: queues one printf-formatted text, with its line ends. Does not block. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void rs_printer_say(rs_printer *printer, const char *format, ...);

/* rs_printer_flush: waits until the caller's texts are written, but no longer than
 * RS_PRINTER_PATIENCE_MS after the last text that was; false: there is more. */
bool rs_printer_flush(rs_printer *printer);

/* rs_printer_has_failed: a text could not be written: the stream is closed, or its disk is full. */
bool rs_printer_has_failed(const rs_printer *printer);

/* rs_printer_close: rs_printer_flush, then frees it; false: there is more to write, and the printer
 * is unchanged; another call waits again, or the end of the process ends the thread. No other
 * thread may use the printer meanwhile. NULL is accepted. */
bool rs_printer_close(rs_printer *printer);

#endif
