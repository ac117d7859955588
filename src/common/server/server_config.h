/* SPDX-License-Identifier: MIT */
/* The settings of a server, whatever its back end: rows of rs_server_config. */
#ifndef RS_SERVER_SERVER_CONFIG_H
#define RS_SERVER_SERVER_CONFIG_H

#include "core/options.h"
#include "ringside.h"

extern const rs_option_table rs_server_options;

/* rs_server_config_check: what rs_server_start refuses before anything starts: RS_E_INVALID with
 * *error naming the setting, its value and what is allowed. */
rs_status rs_server_config_check(const rs_server_config *cfg, rs_error *error);

#endif
