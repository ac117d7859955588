/* SPDX-License-Identifier: MIT */
/* The settings that back ends share, and how a back end reads its configuration. */
#ifndef RS_SEAM_BACKEND_CONFIG_H
#define RS_SEAM_BACKEND_CONFIG_H

#include "core/options.h"
#include "seam/backend.h"

/* Rows of rs_tuning: sockets and the loop; receiving; accepting. */
extern const rs_option_table rs_socket_options, rs_receive_options, rs_accept_options;

/* rs_backend_options_add: adds the settings that the back end honours, and those of the other back
 * ends as refused. tuning, own: where the values go, own NULL only without api->options; others:
 * NULL-terminated list of tables. */
void rs_backend_options_add(rs_options *options, const rs_backend_api *api, rs_tuning *tuning,
                            void *own, const rs_option_table *const *others);

/* rs_backend_config_read: the start of open: checks that all numbers are within their bounds. own
 * gets *cfg->own or, if that is NULL, the defaults; it is a struct of own_bytes, for which `table`
 * has the rows (both are NULL if there is none).
 *
 * Returns  RS_OK, or RS_E_INVALID with *error (never NULL) naming the value and its bounds. */
rs_status rs_backend_config_read(const rs_backend_config *cfg, const rs_option_table *table,
                                 void *own, size_t own_bytes, rs_error *error);

#endif
