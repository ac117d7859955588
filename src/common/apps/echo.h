/* SPDX-License-Identifier: MIT */
/* The applications that return what they get: whole frames (echo), bytes as they come (raw, for
 * load tools that know nothing of our frames), or frames in the size that they ask for (asked,
 * apps/asked_wire.h; others as echo does). The only state is asked's: the session's word. */
#ifndef RS_APPS_ECHO_H
#define RS_APPS_ECHO_H

#include "core/app.h"

extern const rs_app rs_app_echo;
extern const rs_app rs_app_asked;
extern const rs_app rs_app_raw;

#endif
