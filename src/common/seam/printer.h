/* Lines for a person, on a thread of their own: whoever says one never waits for who reads it.
 *
 * A console in which somebody selects text, a full pipe or a paused terminal stop the printer and
 * nothing else; lines that find its queue full are dropped and counted, and it says so when it gets
 * on. Threads: any, but open and close are the owner's. */
#ifndef RS_SEAM_PRINTER_H
#define RS_SEAM_PRINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "seam/os.h"

#define RS_PRINTER_LINE_BYTES 1024u /* a longer line is cut short */
#define RS_PRINTER_LINES 256u
#define RS_PRINTER_PATIENCE_MS 1000u

typedef struct rs_printer rs_printer;

/* rs_printer_open: starts its thread. RS_E_NO_MEMORY, RS_E_OS. */
rs_status rs_printer_open(rs_printer **out, rs_os_stream stream, rs_error *error);

/* rs_printer_say: queues one text, printf-formatted, its line ends included. Does not block. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void rs_printer_say(rs_printer *printer, const char *format, ...);

/* rs_printer_flush: waits until all that its caller said is written, but no longer than
 * RS_PRINTER_PATIENCE_MS after the last text that was; false: there is more. */
bool rs_printer_flush(rs_printer *printer);

/* rs_printer_has_failed: some text could not be written: the stream is closed, or its disk full. */
bool rs_printer_has_failed(const rs_printer *printer);

/* rs_printer_close: rs_printer_flush, then the end; false: there is more to write, and the printer
 * is as it was; another call waits again, or the thread is left to the end of the process. Nobody
 * says anything meanwhile. NULL is accepted. */
bool rs_printer_close(rs_printer *printer);

#endif
