/* SPDX-License-Identifier: MIT */
/* What the comparison was asked for: the command line, and the programs and scenarios it names. */
#ifndef RS_COMPARE_SETTINGS_H
#define RS_COMPARE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "compare/args.h"
#include "compare/map.h"
#include "compare/placement.h"
#include "compare/result.h"
#include "core/options.h"

#define RS_SETTINGS_SETS_MAX 32u

/* --set server.option=value, taken apart. */
typedef struct rs_compare_set {
    char server[RS_NAME_BYTES]; /* a server's name, or "all" */
    char option[64];            /* with its dashes */
    char value[128];
} rs_compare_set;

/* --servers name or name=path, taken apart. */
typedef struct rs_server_name {
    char name[RS_NAME_BYTES];
    char path[RS_ARG_BYTES]; /* "": beside this program */
} rs_server_name;

typedef struct rs_compare_settings {
    bool quick, full, tradeoffs, ladder, map, calibrate;
    rs_comparison kind;
    bool scenarios_given;     /* by --scenario */
    double seconds, warmup_s; /* of one run */
    uint32_t repeats;
    uint32_t width_percent; /* 0: no more rounds than repeats */
    rs_placement_wish placement;
    bool no_instrument_test;
    bool no_control;
    uint32_t builds;         /* of each server, linked in other orders; 1: the one that there is */
    uint32_t seed;           /* of the order; 0: from the clock */
    const char *question_id; /* --question; "": none */
    const struct rs_question *question; /* the same; NULL: none */
    uint32_t unfit_percent;             /* more runs than this disturbed or void: unfit */
    bool list;
    const char *rates_of;      /* "": own; else a folder of results */
    const char *resume;        /* "": measure every cell; else out, some of which is there */
    const char *out, *loadgen; /* loadgen "": beside this program */
    int progress;              /* 0 auto, 1 on, 2 off */
    rs_option_list agree_list, scenario_list, server_list, set_list,
        cell_list;               /* as given; taken apart: */
    char agree[2][RS_ARG_BYTES]; /* two folders of results; "": measure */
    rs_options options;
    rs_map grid;                                   /* the cells of --map */
    const rs_scenario *scenario[RS_SCENARIOS_MAX]; /* in the table's order */
    uint32_t scenarios, early;                     /* early: those before the late ones */
    rs_server_name server[RS_SERVERS_MAX];
    uint32_t servers; /* 0: the platform's own list */
    rs_compare_set set[RS_SETTINGS_SETS_MAX];
    uint32_t sets;
} rs_compare_settings;

extern const rs_option_table rs_compare_options;

/* rs_compare_settings_read: from the command line. --scenario, --set and --servers may stand
 * several times; each takes a list with commas.
 *
 * Params   text: for help, list or the error line; text_bytes >= 1.
 * Returns  -1: go on, *out is complete and stays where it is; 0: text is to be printed and the
 * program ends well; 2: text is the error line. */
int rs_compare_settings_read(rs_compare_settings *out, int argc, const char *const *argv,
                             char *text, size_t text_bytes);

#endif
