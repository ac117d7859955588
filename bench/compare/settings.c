/* SPDX-License-Identifier: MIT */
/* The table of options, and what their values come to. */
#include "compare/settings.h"

#include <stdio.h>
#include <string.h>

#include "compare/question.h"
#include "core/assert.h"

#define QUICK_SECONDS 1.0
#define QUICK_WARMUP_S 0.2
#define QUICK_REPEATS 5u
#define CALIBRATE_SECONDS 0.3
#define CALIBRATE_WARMUP_S 0.1
#define CALIBRATE_REPEATS 100u
#define QUESTION_REPEATS 10u
#define FULL_SECONDS 2.0
#define FULL_WARMUP_S 0.5
#define FULL_REPEATS 10u
#define FULL_WIDTH_PERCENT 10u
#define MAP_SECONDS                                                                                \
    0.4 /* every cell within half an hour, three servers, two of them under Wine                   \
         */
#define MAP_WARMUP_S 0.1
#define MAP_REPEATS 6u /* the fewest whose interval has 95 % */

static const rs_option compare_rows[] = {
    RS_ROW_BOOL(rs_compare_settings, quick, "quick", false,
                "six scenarios, 5 runs each, about 3 minutes (default)"),
    RS_ROW_BOOL(
        rs_compare_settings, full, "full", false,
        "every scenario, 10 runs of 2 s each, more where a ratio's interval is wide (--width)"),
    RS_ROW_BOOL(rs_compare_settings, tradeoffs, "tradeoffs", false,
                "vary one setting of iocp_server and rio_server at a time, each in the scenarios "
                "where it can show (or in those of --scenario)"),
    RS_ROW_BOOL(rs_compare_settings, ladder, "ladder", false,
                "the echo servers of bench/ladder beside iocp_server and rio_server"),
    RS_ROW_BOOL(rs_compare_settings, map, "map", false,
                "the servers over connections x requests in flight x size, 6 runs of 0.4 s (0.8 s "
                "in slow cells) in each; with --quick a few cells, with --full 10 runs of 2 s"),
    RS_ROW_LIST(rs_compare_settings, cell_list, "cells",
                "of --map these only: 64x4x512, names with commas (--map --list names them)"),
    RS_ROW_STRING(rs_compare_settings, resume, "resume", "",
                  "DIR: go on with the --map in that folder: cells whose results are there are "
                  "not measured again"),
    RS_ROW_BOOL(rs_compare_settings, calibrate, "calibrate", false,
                "how often this comparison finds a known handicap of 2, 5 and 10 % here, and how "
                "often it claims one where there is none; needs the tests to be built, takes 5 "
                "minutes"),
    RS_ROW_STRING(
        rs_compare_settings, question_id, "question", "",
        "ID: put one of the open public questions about RIO to this machine, by number "
        "or name; list names them. 10 runs of 1 s each; with --quick 5, with --full 10 of "
        "2 s"),
    RS_ROW_LIST(rs_compare_settings, agree_list, "agree",
                "DIR,DIR: measure nothing; say whether two results agree within their "
                "intervals"),
    RS_ROW_STRING(rs_compare_settings, rates_of, "rates-of", "",
                  "DIR: ask for the rates of that earlier comparison in the fixed-rate scenarios, "
                  "so that --agree can compare them"),
    RS_ROW_LIST(rs_compare_settings, scenario_list, "scenario",
                "these only; names with commas, or several times (see --list)"),
    RS_ROW_LIST(rs_compare_settings, server_list, "servers",
                "these only: NAME, or NAME=PATH of a program; a list"),
    RS_ROW_LIST(rs_compare_settings, set_list, "set",
                "SERVER.OPTION=VALUE, an option for that server, or for all of them (all.); a "
                "list"),
    RS_ROW_UINT(rs_compare_settings, repeats, "repeat", 1, RS_REPEATS_MAX, QUICK_REPEATS, "runs",
                "of each server in each scenario"),
    RS_ROW_UINT(rs_compare_settings, width_percent, "width", 0, 100, 0, "%",
                "of a ratio: where its interval is wider, of rate or CPU time, its servers have "
                "more rounds, until it is not, up to three times --repeat; 0 = none; --full has "
                "10 unless told otherwise"),
    RS_ROW_DOUBLE(rs_compare_settings, seconds, "seconds", 0, 600, QUICK_SECONDS, "s",
                  "measured time of a run"),
    RS_ROW_DOUBLE(rs_compare_settings, warmup_s, "warmup", 0, 60, QUICK_WARMUP_S, "s",
                  "dropped before it"),
    RS_ROW_CHOICE(rs_compare_settings, placement, "placement", "pinned|one|free", RS_PLACE_APART,
                  "server (and wineserver) on one processor, loadgen on another; all on one; or as "
                  "the system likes"),
    RS_ROW_BOOL(rs_compare_settings, no_instrument_test, "no-instrument-test", false,
                "do not try first whether this machine can tell CPU time; recorded, and there is "
                "no decision"),
    RS_ROW_BOOL(rs_compare_settings, no_control, "no-control", false,
                "do not measure a server against itself; there is no decision"),
    RS_ROW_UINT(rs_compare_settings, unfit_percent, "disturbed-max", 0, 100, 25, "%",
                "of the runs, disturbed by other programs or void: above it the comparison is "
                "unfit, exit code 3"),
    RS_ROW_UINT(rs_compare_settings, builds, "builds", 1, RS_BUILDS_MAX, 1, "builds",
                "of each server, its objects linked in another order in each, taken in turn: the "
                "target layouts makes three"),
    RS_ROW_UINT(rs_compare_settings, seed, "seed", 0, UINT32_MAX, 0, "",
                "of the order of the runs within a round; 0 takes one from the clock and prints "
                "it"),
    RS_ROW_STRING(rs_compare_settings, out, "out", "build/compare", "folder for the results"),
    RS_ROW_STRING(rs_compare_settings, loadgen, "loadgen", "",
                  "the load generator; default: beside this program"),
    RS_ROW_CHOICE(rs_compare_settings, progress, "progress", "auto|on|off", 0,
                  "what runs now and how long is left"),
    RS_ROW_BOOL(rs_compare_settings, list, "list", false, "name the scenarios and end"),
};
const rs_option_table rs_compare_options = {compare_rows, RS_ROWS(compare_rows), NULL};

typedef struct settings_parse {
    rs_compare_settings *out;
    char *text;
    size_t text_bytes;
} settings_parse;

static bool settings_error(settings_parse *parse, const char *option, const char *value,
                           const char *allowed) {
    (void)snprintf(parse->text, parse->text_bytes, "%s: '%.80s': %s", option, value, allowed);
    for (char *at = parse->text; *at != '\0'; at++) {
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    }
    return false;
}

static void settings_list_cells(settings_parse *parse) {
    const rs_map *grid = &parse->out->grid;
    size_t used = 0;
    for (uint32_t i = 0; i < grid->cells && used < parse->text_bytes; i++) {
        const rs_scenario *cell = &grid->cell[i].scenario;
        used +=
            (size_t)snprintf(parse->text + used, parse->text_bytes - used, "%-16s %s%s\n",
                             cell->name, cell->about, rs_map_in_quick(cell) ? " (--quick)" : "");
    }
}

static void settings_list_scenarios(settings_parse *parse) {
    size_t used = 0;
    for (uint32_t i = 0; i < rs_scenario_count() && used < parse->text_bytes; i++) {
        const rs_scenario *scenario = rs_scenario_at(i);
        const int bytes =
            snprintf(parse->text + used, parse->text_bytes - used, "%-11s %s%s\n", scenario->name,
                     scenario->about,
                     (scenario->sets & RS_IN_QUICK) != 0                        ? ""
                     : (scenario->sets & RS_IN_FULL) != 0                       ? " (--full)"
                     : scenario->sets == 0 && !rs_tradeoffs_use(scenario->name) ? " (--scenario)"
                     : scenario->sets == 0                                      ? " (--tradeoffs)"
                                                                                : " (--ladder)");
        used += (size_t)bytes;
    }
}

static void settings_list_questions(settings_parse *parse) {
    size_t used = 0;
    for (uint32_t i = 0; i < rs_question_count() && used < parse->text_bytes; i++) {
        const rs_question *question = rs_question_at(i);
        used +=
            (size_t)snprintf(parse->text + used, parse->text_bytes - used, "%2u %-16s %s (%s)\n",
                             question->number, question->name, question->question,
                             question->hypothesis == NULL    ? "no experiment"
                             : question->why_windows != NULL ? "Windows alone can answer"
                                                             : "any machine, for itself");
    }
}

/* ---- lists */

/* One part of a list as text; what does not fit is cut, and then no name that is known. */
static void settings_part(const rs_option_list *list, uint32_t index, char *part, size_t bytes) {
    (void)snprintf(part, bytes, "%.*s", (int)list->item[index].bytes, list->item[index].text);
}

static bool settings_wants(const settings_parse *parse, const rs_scenario *scenario) {
    const rs_compare_settings *s = parse->out;
    const rs_option_list *list = &s->scenario_list;
    char part[64];
    if (list->count == 0) {
        const uint32_t set = s->ladder ? RS_IN_LADDER : s->full ? RS_IN_FULL : RS_IN_QUICK;
        if (s->calibrate) {
            return strcmp(scenario->name, RS_SCENARIO_BASE) == 0;
        }
        if (s->question != NULL) {
            return rs_question_uses(s->question, scenario->name);
        }
        return s->tradeoffs ? rs_tradeoffs_use(scenario->name) : (scenario->sets & set) != 0;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        settings_part(list, i, part, sizeof part);
        if (strcmp(part, scenario->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool settings_know_scenarios(settings_parse *parse) {
    const rs_option_list *list = &parse->out->scenario_list;
    char part[64];
    for (uint32_t i = 0; i < list->count; i++) {
        settings_part(list, i, part, sizeof part);
        if (rs_scenario_find(part) == NULL) {
            return settings_error(parse, "--scenario", part, "no such scenario; --list names them");
        }
    }
    return true;
}

/* Cells of the map stand in for scenarios where a question names them. */
static void settings_question_cells(rs_compare_settings *s, bool late) {
    for (uint32_t i = 0; s->question != NULL && i < s->grid.cells; i++) {
        const rs_scenario *cell = &s->grid.cell[i].scenario;
        if (rs_question_uses(s->question, cell->name)) {
            RS_ASSERT(!late); /* it would have to come before those */
            s->scenario[s->scenarios++] = cell;
            s->early++;
        }
    }
}

/* In the table's order, so that the late ones come last; the base comes along with them. */
static bool settings_scenarios(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    bool late = false;
    if (!settings_know_scenarios(parse)) {
        return false;
    }
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        late = late ||
               (settings_wants(parse, rs_scenario_at(i)) && rs_scenario_is_late(rs_scenario_at(i)));
    }
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        const rs_scenario *scenario = rs_scenario_at(i);
        if (settings_wants(parse, scenario) ||
            (late && strcmp(scenario->name, RS_SCENARIO_BASE) == 0)) {
            RS_ASSERT(rs_scenario_is_late(scenario) || s->early == s->scenarios);
            s->early += rs_scenario_is_late(scenario) ? 0 : 1;
            s->scenario[s->scenarios++] = scenario;
        }
    }
    settings_question_cells(s, late);
    return true;
}

/* ---- the map */

static bool settings_cells_given(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    bool wanted[RS_MAP_CELLS_MAX] = {false};
    char part[64];
    for (uint32_t i = 0; i < s->cell_list.count; i++) {
        settings_part(&s->cell_list, i, part, sizeof part);
        const rs_scenario *cell = rs_map_find(&s->grid, part);
        for (uint32_t k = 0; k < s->grid.cells; k++) {
            wanted[k] = wanted[k] || &s->grid.cell[k].scenario == cell;
        }
        if (cell == NULL) {
            return settings_error(parse, "--cells", part,
                                  "no such cell, or left out; --map --list names them");
        }
    }
    for (uint32_t i = 0; i < s->grid.cells; i++) {
        if (wanted[i]) {
            s->scenario[s->scenarios++] = &s->grid.cell[i].scenario;
        }
    }
    return true;
}

static bool settings_cells(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    bool ok = true;
    if (s->cell_list.count > 0) {
        ok = settings_cells_given(parse);
    } else {
        for (uint32_t i = 0; i < s->grid.cells; i++) {
            if (!s->quick || rs_map_in_quick(&s->grid.cell[i].scenario)) {
                s->scenario[s->scenarios++] = &s->grid.cell[i].scenario;
            }
        }
    }
    s->early = s->scenarios;
    return ok;
}

/* What the map has and the others have not, or the other way round. */
static bool settings_map_is_alone(settings_parse *parse) {
    const rs_compare_settings *s = parse->out;
    if (s->map && s->scenario_list.count > 0) {
        return settings_error(parse, "--scenario", "", "a map has cells: --cells");
    }
    if (!s->map && s->cell_list.count > 0) {
        return settings_error(parse, "--cells", "", "only with --map");
    }
    if (!s->map && s->resume[0] != '\0') {
        return settings_error(parse, "--resume", s->resume, "only with --map");
    }
    return s->resume[0] == '\0' || !rs_options_given(&s->options, "out") ||
           settings_error(parse, "--resume", s->resume, "names the folder, so --out cannot");
}

/* Names become parts of file names. */
static bool settings_is_name(const char *name) {
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t bytes = strlen(name);
    return bytes > 0 && bytes < RS_NAME_BYTES && strspn(name, allowed) == bytes;
}

static bool settings_servers(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    char part[RS_ARG_BYTES];
    for (uint32_t k = 0; k < s->server_list.count; k++) {
        settings_part(&s->server_list, k, part, sizeof part);
        const size_t bytes = strcspn(part, "=");
        rs_server_name *server = &s->server[s->servers];
        if (s->servers == RS_SERVERS_MAX) {
            return settings_error(parse, "--servers", part, "too many servers");
        }
        (void)snprintf(server->path, sizeof server->path, "%s",
                       part[bytes] == '=' ? part + bytes + 1 : "");
        part[bytes] = '\0';
        if (!settings_is_name(part)) {
            return settings_error(parse, "--servers", part,
                                  "a name has letters, digits, _ and -, at most 39");
        }
        (void)snprintf(server->name, sizeof server->name, "%.39s", part);
        for (uint32_t i = 0; i < s->servers; i++) {
            if (strcmp(s->server[i].name, server->name) == 0) {
                return settings_error(parse, "--servers", part, "named twice");
            }
        }
        s->servers++;
    }
    return true;
}

static bool settings_set(settings_parse *parse, const char *part) {
    rs_compare_settings *s = parse->out;
    const size_t server = strcspn(part, ".=");
    const size_t option = part[server] == '.' ? strcspn(part + server + 1, "=") : 0;
    const char *value = part + server + 1 + option;
    rs_compare_set *set = &s->set[s->sets];
    if (s->sets == RS_SETTINGS_SETS_MAX || option == 0 || option > 60 || *value != '=' ||
        value[1] == '\0' || server >= RS_NAME_BYTES || server == 0) {
        return settings_error(parse, "--set", part, "want SERVER.OPTION=VALUE, at most 32");
    }
    (void)snprintf(set->server, sizeof set->server, "%.*s", (int)server, part);
    (void)snprintf(set->option, sizeof set->option, "--%.*s", (int)option, part + server + 1);
    (void)snprintf(set->value, sizeof set->value, "%.127s", value + 1);
    s->sets++;
    return true;
}

/* Those of a question, then the command line's. */
static bool settings_sets(settings_parse *parse) {
    const rs_compare_settings *s = parse->out;
    char part[256];
    bool ok = true;
    for (uint32_t k = 0; s->question != NULL && k < RS_QUESTION_SETS_MAX; k++) {
        ok = ok && (s->question->set[k] == NULL || settings_set(parse, s->question->set[k]));
    }
    for (uint32_t k = 0; ok && k < s->set_list.count; k++) {
        settings_part(&s->set_list, k, part, sizeof part);
        ok = settings_set(parse, part);
    }
    return ok;
}

/* A question brings its own scenarios and servers. */
static bool settings_question(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    if (s->question_id[0] == '\0') {
        return true;
    }
    s->question = rs_question_find(s->question_id);
    if (s->question == NULL) {
        return settings_error(parse, "--question", s->question_id,
                              "no such question; --question list names them");
    }
    if (s->question->hypothesis == NULL) {
        return settings_error(parse, "--question", s->question_id, s->question->leaves_open);
    }
    return (s->scenario_list.count == 0 && s->server_list.count == 0) ||
           settings_error(parse, "--question", s->question_id,
                          "has scenarios and servers of its own; it goes with no --scenario and no "
                          "--servers");
}

static bool settings_agree(settings_parse *parse) {
    const rs_option_list *list = &parse->out->agree_list;
    for (uint32_t i = 0; i < list->count && i < 2; i++) {
        settings_part(list, i, parse->out->agree[i], sizeof parse->out->agree[i]);
    }
    return list->count == 0 || list->count == 2 ||
           settings_error(parse, "--agree", parse->out->agree[0],
                          "needs two folders of results: --agree DIR,DIR");
}

/* Names the ones given. */
static bool settings_choose_one(settings_parse *parse) {
    const rs_compare_settings *s = parse->out;
    const char *const name[] = {s->quick ? "--quick" : "",
                                s->full ? "--full" : "",
                                s->tradeoffs ? "--tradeoffs" : "",
                                s->ladder ? "--ladder" : "",
                                s->map ? "--map" : "",
                                s->calibrate ? "--calibrate" : "",
                                s->question_id[0] != '\0' ? "--question" : ""};
    char given[96] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        const char *blank = used > 0 && name[i][0] != '\0' ? " " : "";

        used += (size_t)snprintf(given + used, sizeof given - used, "%s%s", blank, name[i]);
    }
    (void)snprintf(
        parse->text, parse->text_bytes,
        "%s: kinds of comparison; allowed: one of --quick, --full, --tradeoffs, --ladder, --map, "
        "--calibrate, --question; --map and --question may have --quick or --full",
        given);
    return false;
}

/* The form's own, where the command line gave none. */
static void settings_length(rs_compare_settings *s, uint32_t repeats, double seconds,
                            double warmup_s) {
    s->repeats = rs_options_given(&s->options, "repeat") ? s->repeats : repeats;
    s->seconds = rs_options_given(&s->options, "seconds") ? s->seconds : seconds;
    s->warmup_s = rs_options_given(&s->options, "warmup") ? s->warmup_s : warmup_s;
}

/* A map keeps a cell when its rounds are over, and a calibration draws its comparisons itself. */
static bool settings_width(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    if (!rs_options_given(&s->options, "width")) {
        s->width_percent = s->full && s->kind == RS_COMPARE_SERVERS && s->question == NULL
                               ? FULL_WIDTH_PERCENT
                               : 0;
    }
    return s->width_percent == 0 || (!s->map && !s->calibrate) ||
           settings_error(parse, "--width", "", "goes with no --map and no --calibrate");
}

static bool settings_complete(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    const int forms = s->full + s->quick, questions = s->question_id[0] != '\0';
    const int kinds = s->tradeoffs + s->ladder + s->calibrate + s->map + questions;
    if (kinds + (s->map || questions ? 0 : forms) > 1 || forms > 1) {
        return settings_choose_one(parse);
    }
    if (!settings_map_is_alone(parse) || !settings_question(parse)) {
        return false;
    }
    s->out = s->resume[0] != '\0' ? s->resume : s->out;
    s->kind = s->tradeoffs || (s->question != NULL && s->question->changes > 0)
                  ? RS_COMPARE_TRADEOFFS
              : s->ladder    ? RS_COMPARE_LADDER
              : s->map       ? RS_COMPARE_MAP
              : s->calibrate ? RS_COMPARE_CALIBRATE
                             : RS_COMPARE_SERVERS;
    s->scenarios_given = s->scenario_list.count > 0;
    if (s->full) {
        settings_length(s, FULL_REPEATS, FULL_SECONDS, FULL_WARMUP_S);
    } else if (s->question != NULL && !s->quick) {
        settings_length(s, QUESTION_REPEATS, QUICK_SECONDS, QUICK_WARMUP_S);
    } else if (s->map) {
        settings_length(s, MAP_REPEATS, MAP_SECONDS, MAP_WARMUP_S);
    } else if (s->calibrate) {
        settings_length(s, CALIBRATE_REPEATS, CALIBRATE_SECONDS, CALIBRATE_WARMUP_S);
    }
    if (!(s->seconds > 0)) {
        return settings_error(parse, "--seconds", "0", "allowed: above 0 to 600 s");
    }
    if (!settings_width(parse)) {
        return false;
    }
    return (s->map ? settings_cells(parse) : settings_scenarios(parse)) &&
           settings_servers(parse) && settings_sets(parse) && settings_agree(parse);
}

int rs_compare_settings_read(rs_compare_settings *out, int argc, const char *const *argv,
                             char *text, size_t text_bytes) {
    settings_parse parse = {.out = out, .text = text, .text_bytes = text_bytes};
    memset(out, 0, sizeof *out);
    out->options.program = "compare";
    out->options.summary =
        "runs the servers in turn under the same loads and writes tables and a report";
    rs_options_add(&out->options, &rs_compare_options, out, NULL);
    switch (rs_options_parse(&out->options, argc, argv, text, text_bytes)) {
    case RS_OPTIONS_HELP:
        (void)rs_options_help(&out->options, text, text_bytes);
        return 0;
    case RS_OPTIONS_VERSION:
        (void)rs_options_version(&out->options, text, text_bytes);
        return 0;
    case RS_OPTIONS_ERROR:
        return 2;
    case RS_OPTIONS_RUN:
        break;
    }
    rs_map_make(&out->grid);
    if (strcmp(out->question_id, "list") == 0) {
        settings_list_questions(&parse);
        return 0;
    }
    if (out->list) {
        if (out->map) {
            settings_list_cells(&parse);
        } else {
            settings_list_scenarios(&parse);
        }
        return 0;
    }
    return settings_complete(&parse) ? -1 : 2;
}
