/* SPDX-License-Identifier: MIT */
/* Figures by name: what rs_server_stats_visit and rs_server_metrics do with a snapshot. */
#ifndef RS_SERVER_SERVER_STATS_H
#define RS_SERVER_SERVER_STATS_H

#include "server/server_config.h"

/* rs_stats_visit, rs_stats_metrics: as the public functions. Any thread. */
void rs_stats_visit(const rs_server_stats *stats, rs_stat_fn fn, void *ctx);
size_t rs_stats_metrics(const rs_server_stats *stats, char *out, size_t out_bytes);

#endif
