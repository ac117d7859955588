/* The settings that back ends share, and how a back end reads its configuration. */
#ifndef RS_SEAM_BACKEND_CONFIG_H
#define RS_SEAM_BACKEND_CONFIG_H

#include "core/options.h"
#include "seam/backend.h"

/* Rows of rs_tuning: sockets and the loop; accepting. */
extern const rs_option_table rs_socket_options, rs_accept_options;

/* rs_backend_options_add: a program's settings that the back end honours, and those of the other
 * back ends, refused. tuning, own: where the values go, own NULL only without api->options; others:
 * tables with NULL behind the last. */
void rs_backend_options_add(rs_options *options, const rs_backend_api *api, rs_tuning *tuning,
                            void *own, const rs_option_table *const *others);

/* rs_backend_config_read: how open begins: are all numbers within their bounds? own: gets *cfg->own
 * or, when that is NULL, the defaults; a struct of own_bytes, for which `table` (nullable, then own
 * is too) has the rows.
 *
 * Returns  RS_OK, or RS_E_INVALID with *error (never NULL) naming the value and its bounds. */
rs_status rs_backend_config_read(const rs_backend_config *cfg, const rs_option_table *table,
                                 void *own, size_t own_bytes, rs_error *error);

#endif
