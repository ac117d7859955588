/* SPDX-License-Identifier: MIT */
/* Settings of the IOCP back end; rs_backend_config.own points to one of these. */
#ifndef RS_IOCP_IOCP_SETTINGS_H
#define RS_IOCP_IOCP_SETTINGS_H

#include "core/options.h"

typedef struct rs_iocp_settings {
    bool skip_on_success; /* where the providers allow it */
    uint32_t inline_max;
    bool zero_byte_recv;
    bool gqcs_single; /* GetQueuedCompletionStatus instead of ...Ex */
} rs_iocp_settings;

extern const rs_option_table rs_iocp_options;

#endif
