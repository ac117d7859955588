/* SPDX-License-Identifier: MIT */
/* An echo, one message in 100 of which takes 5 ms: slow work, to measure where it is best done
 * (--logic). Counted over all shards, so that it comes as often with one as with several. */
#ifndef RS_APPS_SLOW_H
#define RS_APPS_SLOW_H

#include "core/app.h"

#define RS_SLOW_EVERY 100u
#define RS_SLOW_MS 5u

extern const rs_app rs_app_slow;

#endif
