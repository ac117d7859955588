/* SPDX-License-Identifier: MIT */
/* Names and texts of the status table. */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *rs_status_name(rs_status status) {
    switch (status) {
#define X(name, number, text)                                                                      \
    case name:                                                                                     \
        return #name;
        RS_STATUS_TABLE(X)
#undef X
    }
    return "RS_E_?";
}

const char *rs_status_text(rs_status status) {
    switch (status) {
#define X(name, number, text)                                                                      \
    case name:                                                                                     \
        return text;
        RS_STATUS_TABLE(X)
#undef X
    }
    return "unknown status";
}

rs_status rs_error_set(rs_error *error, rs_status status, const char *call, uint32_t os_error,
                       const char *format, ...) {
    if (error != NULL) {
        va_list args;
        error->call = call;
        error->os_error = os_error;
        va_start(args, format);
        (void)vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return status;
}
