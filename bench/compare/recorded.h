/* What the programs recorded of their settings, cell by cell, and how a report shows that once.
 *
 * A list is "name=value, name=value", as rs_runner_turn makes it of a JSON's "settings". Pure. */
#ifndef RS_COMPARE_RECORDED_H
#define RS_COMPARE_RECORDED_H

#include <stddef.h>
#include <stdint.h>

#define RS_SETTINGS_BYTES 2048u /* of a list */

/* Of one server in one scenario. */
typedef struct rs_recorded {
    char server[RS_SETTINGS_BYTES], load[RS_SETTINGS_BYTES]; /* "": not known */
} rs_recorded;

/* rs_recorded_merge: into: a list of the runs before, "" before the first. A value that is another
 * one in `from` becomes "varies". */
void rs_recorded_merge(char into[RS_SETTINGS_BYTES], const char *from);

/* rs_recorded_keep: leaves in `common` what `list` has too; all, when list is "". */
void rs_recorded_keep(char common[RS_SETTINGS_BYTES], const char *list);

/* rs_recorded_rest: out: what list has and common has not. */
void rs_recorded_rest(char out[RS_SETTINGS_BYTES], const char *list, const char *common);

#endif
