/* SPDX-License-Identifier: MIT */
/* The two applications that return what they get: whole frames (echo), or bytes as they come
 * (raw, for load tools that know nothing of our frames). Stateless. */
#ifndef RS_APPS_ECHO_H
#define RS_APPS_ECHO_H

#include "core/app.h"

extern const rs_app rs_app_echo;
extern const rs_app rs_app_raw;

#endif
