/* SPDX-License-Identifier: MIT */
/* Settings of the RIO back end; rs_backend_config.own points to one of these. */
#ifndef RS_RIO_RIO_SETTINGS_H
#define RS_RIO_RIO_SETTINGS_H

#include "core/options.h"

typedef enum rs_rio_wait_mode {
    RS_RIO_WAIT_POLL,
    RS_RIO_WAIT_SPIN,
    RS_RIO_WAIT_NOTIFY
} rs_rio_wait_mode;
typedef enum rs_rio_notify_by { RS_RIO_NOTIFY_IOCP, RS_RIO_NOTIFY_EVENT } rs_rio_notify_by;
typedef enum rs_rio_registration {
    RS_RIO_REG_SLAB,    /* one for each region */
    RS_RIO_REG_SESSION, /* one for each piece of a region, from register_memory on */
    RS_RIO_REG_REQUEST  /* one for each request, as long as it is in flight */
} rs_rio_registration;

typedef struct rs_rio_settings {
    rs_rio_wait_mode wait;
    rs_rio_notify_by notify_by;
    rs_rio_registration registration;
    bool defer;  /* RIO_MSG_DEFER and one COMMIT_ONLY per touched queue and direction */
    bool verify; /* wrap the provider's table in the checking one */
    uint32_t spin_us;
    uint32_t spin_backoff; /* most sleeps in a row without a spin */
    const char *provider; /* NULL: the system's table only */
} rs_rio_settings;

extern const rs_option_table rs_rio_options;

#endif
