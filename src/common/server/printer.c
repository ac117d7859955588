/* See printer.h. The queue is a mailbox: many who say, one who prints. */
#include "server/printer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "seam/atomics.h"
#include "server/mailbox.h"

#define PRINTER_MAIL 1u
#define PRINTER_TICK_MS 50u

struct rs_printer {
    rs_os_stream stream;
    rs_mailbox box;
    uint8_t *memory;
    size_t memory_bytes;
    rs_os_thread *thread;
    rs_os_event *work;  /* something was said, or it is to end */
    rs_os_event *ended; /* set when it has */
    rs_atomic_u32 end_asked;
    rs_atomic_u32 printed, dropped;
};

static void printer_print(rs_printer *printer, const rs_mail *mail, uint32_t *dropped_told) {
    uint32_t dropped = rs_atomic_load_u32(&printer->dropped);
    if (dropped != *dropped_told) {
        char text[64];
        int bytes = snprintf(text, sizeof text, "(%u lines dropped: nobody read them)\n",
                             (unsigned)(dropped - *dropped_told));
        (void)rs_os_print(printer->stream, text, (size_t)bytes);
        *dropped_told = dropped;
    }
    /* A stream that is closed is nobody's loss here. */
    (void)rs_os_print(printer->stream, (const char *)mail->payload, mail->bytes);
}

static void printer_run(void *arg) {
    rs_printer *printer = arg;
    uint32_t dropped_told = 0;
    for (;;) {
        /* Asked first: what was said before the end is then in the queue. */
        bool end = rs_atomic_load_u32(&printer->end_asked) != 0;
        const rs_mail *mail;
        while ((mail = rs_mailbox_peek(&printer->box)) != NULL) {
            printer_print(printer, mail, &dropped_told);
            rs_mailbox_done(&printer->box);
            (void)rs_atomic_add_u32(&printer->printed, 1);
        }
        if (end) {
            rs_os_event_set(printer->ended);
            return;
        }
        (void)rs_os_event_wait(printer->work, UINT32_MAX);
    }
}

static void printer_free(rs_printer *printer) {
    rs_os_event_close(printer->work);
    rs_os_event_close(printer->ended);
    rs_os_pages_free(printer->memory, printer->memory_bytes);
    free(printer);
}

static rs_status printer_start(rs_printer *printer, rs_error *error) {
    size_t bytes = rs_mailbox_slot_bytes(RS_PRINTER_LINE_BYTES) * RS_PRINTER_LINES;
    rs_status status;
    printer->memory_bytes = (bytes + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    printer->memory = rs_os_pages_alloc(printer->memory_bytes, NULL);
    if (printer->memory == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory for lines to print");
    }
    rs_mailbox_init(&printer->box, printer->memory, RS_PRINTER_LINES, RS_PRINTER_LINE_BYTES);
    status = rs_os_event_open(&printer->work, error);
    if (status == RS_OK) {
        status = rs_os_event_open(&printer->ended, error);
    }
    return status == RS_OK ? rs_os_thread_start(&printer->thread, printer_run, printer, error)
                           : status;
}

rs_status rs_printer_open(rs_printer **out, rs_os_stream stream, rs_error *error) {
    rs_printer *printer = calloc(1, sizeof *printer);
    rs_status status;
    *out = NULL;
    if (printer == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory");
    }
    printer->stream = stream;
    status = printer_start(printer, error);
    if (status != RS_OK) {
        printer_free(printer);
        return status;
    }
    *out = printer;
    return RS_OK;
}

void rs_printer_say(rs_printer *printer, const char *format, ...) {
    char text[RS_PRINTER_LINE_BYTES];
    va_list args;
    int bytes;
    va_start(args, format);
    bytes = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (bytes <= 0) {
        return;
    }
    if ((size_t)bytes >= sizeof text) {
        bytes = (int)sizeof text - 1;
        text[bytes - 1] = '\n';
    }
    if (rs_mailbox_post(&printer->box, PRINTER_MAIL, 0, NULL, text, (uint32_t)bytes) != RS_OK) {
        (void)rs_atomic_add_u32(&printer->dropped, 1);
    }
    rs_os_event_set(printer->work);
}

bool rs_printer_close(rs_printer *printer) {
    uint32_t printed, waited_ms = 0;
    bool ended = false;
    if (printer == NULL) {
        return true;
    }
    rs_atomic_store_u32(&printer->end_asked, 1);
    rs_os_event_set(printer->work);
    printed = rs_atomic_load_u32(&printer->printed);
    while (!ended && waited_ms < RS_PRINTER_PATIENCE_MS) {
        ended = rs_os_event_wait(printer->ended, PRINTER_TICK_MS);
        waited_ms += PRINTER_TICK_MS;
        if (rs_atomic_load_u32(&printer->printed) != printed) {
            printed = rs_atomic_load_u32(&printer->printed);
            waited_ms = 0;
        }
    }
    if (ended) {
        rs_os_thread_join(printer->thread);
        printer_free(printer);
    }
    return ended;
}
