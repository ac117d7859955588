/* SPDX-License-Identifier: MIT */
/* Busy work before each message of an application: what a handler that does something costs. With
 * one that does nothing, more workers or a thread for the application have nothing to share.
 *
 * The work is a number of loop iterations, not a time: a thread that is interrupted, or shares its
 * processor, is not excused from it. One such application in a process. */
#ifndef RS_APPS_WORK_H
#define RS_APPS_WORK_H

#include <stdint.h>

#include "core/app.h"

/* rs_work_app: `inner` with work_us microseconds of work before each message, as fast as this
 * processor is now: measured here, which takes some ms. Main thread. */
rs_app rs_work_app(const rs_app *inner, uint32_t work_us);

#endif
