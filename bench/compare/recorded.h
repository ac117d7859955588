/* SPDX-License-Identifier: MIT */
/* What the programs recorded of their settings, cell by cell, and how a report shows that once.
 * Pure. */
#ifndef RS_COMPARE_RECORDED_H
#define RS_COMPARE_RECORDED_H

#include <stddef.h>
#include <stdint.h>

#define RS_SETTINGS_MAX 64u     /* of one program: a server has some fifty */
#define RS_SETTINGS_BYTES 2048u /* of a list as text */

typedef struct rs_setting {
    char name[32], value[40];
} rs_setting;

typedef struct rs_setting_list {
    rs_setting setting[RS_SETTINGS_MAX];
    uint32_t count; /* 0: not known */
} rs_setting_list;

/* Of one server in one scenario. */
typedef struct rs_recorded {
    rs_setting_list server, load;
} rs_recorded;

/* rs_settings_add: either may be cut; beyond RS_SETTINGS_MAX it is left out. */
void rs_settings_add(rs_setting_list *list, const char *name, const char *value);

/* rs_settings_text: "name=value, name=value", cut at [bytes]. */
void rs_settings_text(const rs_setting_list *list, char *out, size_t bytes);

/* rs_recorded_merge: into: of the runs before; empty before the first. A value that is another one
 * in `from` becomes "varies". */
void rs_recorded_merge(rs_setting_list *into, const rs_setting_list *from);

/* rs_recorded_keep: leaves in `common` what `list` has too; all, when list is empty. */
void rs_recorded_keep(rs_setting_list *common, const rs_setting_list *list);

/* rs_recorded_rest: out: what list has and common has not. */
void rs_recorded_rest(rs_setting_list *out, const rs_setting_list *list,
                      const rs_setting_list *common);

#endif
