/* SPDX-License-Identifier: MIT */
/* See printer.h. The queue is a mailbox: many who say, one who prints. */
#include "seam/printer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"
#include "seam/atomics.h"
#include "seam/mailbox.h"

#define PRINTER_MAIL 1u
#define PRINTER_TICK_MS 50u

struct rs_printer {
    rs_os_stream stream;
    rs_mailbox box;
    uint8_t *memory;
    size_t memory_bytes;
    rs_os_thread *thread;
    rs_os_event *work; /* something was said, or it is to end */
    rs_os_event *idle; /* set when all that was said is written */
    rs_atomic_u32 end_asked;
    rs_atomic_u32 said, printed, dropped;
    rs_atomic_u32 failed; /* 1: a text could not be written */
};

static void printer_print(rs_printer *printer, const rs_message *message, uint32_t *dropped_told) {
    uint32_t dropped = rs_atomic_load_u32(&printer->dropped);
    RS_ASSERT(message->kind == PRINTER_MAIL);
    RS_ASSERT(message->bytes > 0);
    RS_ASSERT(dropped - *dropped_told <= INT32_MAX);
    if (dropped != *dropped_told) {
        char text[64];
        int bytes = snprintf(text, sizeof text, "(%u lines dropped: the output was not read)\n",
                             (unsigned)(dropped - *dropped_told));
        (void)rs_os_print(printer->stream, text, (size_t)bytes);
        *dropped_told = dropped;
    }
    if (!rs_os_print(printer->stream, (const char *)message->payload, message->bytes)) {
        rs_atomic_store_u32(&printer->failed, 1);
    }
}

static void printer_run(void *arg) {
    rs_printer *printer = arg;
    uint32_t dropped_told = 0;
    RS_ASSERT(printer->idle != NULL);
    for (;;) {
        /* Read first: texts queued before the end are then seen. */
        bool end = rs_atomic_load_u32(&printer->end_asked) != 0;
        const rs_message *message;
        while ((message = rs_mailbox_peek(&printer->box)) != NULL) {
            printer_print(printer, message, &dropped_told);
            rs_mailbox_done(&printer->box);
            (void)rs_atomic_add_u32(&printer->printed, 1);
        }
        rs_os_event_set(printer->idle);
        if (end) {
            return;
        }
        (void)rs_os_event_wait(printer->work, UINT32_MAX);
    }
}

static void printer_free(rs_printer *printer) {
    rs_os_event_close(printer->work);
    rs_os_event_close(printer->idle);
    rs_os_pages_free(printer->memory, printer->memory_bytes);
    free(printer);
}

static rs_status printer_start(rs_printer *printer, rs_error *error) {
    size_t bytes = rs_mailbox_slot_bytes(RS_PRINTER_LINE_BYTES) * RS_PRINTER_LINES;
    rs_status status;
    RS_ASSERT(printer->memory == NULL);
    RS_ASSERT(printer->thread == NULL);
    printer->memory_bytes = (bytes + RS_PAGE_BYTES - 1) / RS_PAGE_BYTES * RS_PAGE_BYTES;
    printer->memory = rs_os_pages_alloc(printer->memory_bytes, NULL);
    if (printer->memory == NULL) {
        return rs_error_set(error, RS_E_NO_MEMORY, NULL, 0, "out of memory for lines to print");
    }
    rs_mailbox_init(&printer->box, printer->memory, RS_PRINTER_LINES, RS_PRINTER_LINE_BYTES);
    status = rs_os_event_open(&printer->work, error);
    if (status == RS_OK) {
        status = rs_os_event_open(&printer->idle, error);
    }
    return status == RS_OK ? rs_os_thread_start(&printer->thread, printer_run, printer, error)
                           : status;
}

rs_status rs_printer_open(rs_printer **out, rs_os_stream stream, rs_error *error) {
    rs_printer *printer = calloc(1, sizeof *printer);
    rs_status status;
    RS_ASSERT(out != NULL);
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
    if (rs_mailbox_post(&printer->box, PRINTER_MAIL, 0, NULL, text, (uint32_t)bytes) == RS_OK) {
        (void)rs_atomic_add_u32(&printer->said, 1);
    } else {
        (void)rs_atomic_add_u32(&printer->dropped, 1);
    }
    rs_os_event_set(printer->work);
}

bool rs_printer_flush(rs_printer *printer) {
    uint32_t printed = rs_atomic_load_u32(&printer->printed), waited_ms = 0;
    while (printed != rs_atomic_load_u32(&printer->said)) {
        if (waited_ms >= RS_PRINTER_PATIENCE_MS) {
            return false;
        }
        (void)rs_os_event_wait(printer->idle, PRINTER_TICK_MS);
        const uint32_t now = rs_atomic_load_u32(&printer->printed);
        waited_ms = now != printed ? 0 : waited_ms + PRINTER_TICK_MS;
        printed = now;
    }
    return true;
}

bool rs_printer_has_failed(const rs_printer *printer) {
    return rs_atomic_load_u32(&printer->failed) != 0;
}

bool rs_printer_close(rs_printer *printer) {
    if (printer == NULL) {
        return true;
    }
    if (!rs_printer_flush(printer)) {
        return false;
    }
    rs_atomic_store_u32(&printer->end_asked, 1);
    rs_os_event_set(printer->work);
    rs_os_thread_join(printer->thread);
    printer_free(printer);
    return true;
}
