/* Options that may be repeated are joined to one list before the common parser sees them. */
#include "compare/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "core/options.h"

#define SETTINGS_ARGS_MAX 256
#define SETTINGS_LISTS 3u

#define QUICK_SECONDS 1.2
#define QUICK_WARMUP_S 0.2
#define QUICK_REPEATS 5u
#define FULL_SECONDS 2.0
#define FULL_WARMUP_S 0.5
#define FULL_REPEATS 10u

typedef struct settings_list {
    const char *name; /* with its dashes */
    char value[RS_SETTINGS_LIST_BYTES];
    size_t used;
} settings_list;

typedef struct settings_parse {
    rs_compare_settings *out;
    settings_list list[SETTINGS_LISTS]; /* scenario, set, servers */
    const char *argv[SETTINGS_ARGS_MAX];
    int argc;
    bool quick, tradeoffs, ladder, list_asked, seconds_given, warmup_given, repeats_given;
    int placement;
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

/* ---- joining */

static settings_list *settings_list_of(settings_parse *parse, const char *arg, size_t *bytes) {
    for (uint32_t i = 0; i < SETTINGS_LISTS; i++) {
        *bytes = strlen(parse->list[i].name);
        if (strncmp(arg, parse->list[i].name, *bytes) == 0 &&
            (arg[*bytes] == '\0' || arg[*bytes] == '=')) {
            return &parse->list[i];
        }
    }
    return NULL;
}

static bool settings_list_add(settings_parse *parse, settings_list *list, const char *value) {
    const int bytes = snprintf(list->value + list->used, sizeof list->value - list->used, "%s%s",
                               list->used > 0 ? "," : "", value);
    list->used += (size_t)bytes;
    if (list->used >= sizeof list->value || value[0] == '\0') {
        list->used = 0;
        return settings_error(parse, list->name, value, "empty, or too long a list");
    }
    return true;
}

static bool settings_join(settings_parse *parse, int argc, const char *const *argv) {
    for (int i = 0; i < argc; i++) {
        size_t bytes = 0;
        settings_list *list = i > 0 ? settings_list_of(parse, argv[i], &bytes) : NULL;
        if (list == NULL) {
            if (parse->argc == SETTINGS_ARGS_MAX) {
                return settings_error(parse, "arguments", argv[i], "too many");
            }
            parse->argv[parse->argc++] = argv[i];
        } else if (argv[i][bytes] == '=') {
            if (!settings_list_add(parse, list, argv[i] + bytes + 1)) {
                return false;
            }
        } else if (i + 1 == argc) {
            return settings_error(parse, list->name, "", "needs a value");
        } else if (!settings_list_add(parse, list, argv[++i])) {
            return false;
        }
    }
    return true;
}

/* ---- the table */

static rs_options_result settings_options(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    /* The first three are here for the help text; settings_join takes them out. */
    static const char *shown_scenario = "", *shown_set = "", *shown_servers = "";
    const rs_option options[] = {
        {"quick", RS_OPT_BOOL, &parse->quick, 0, 0, NULL, "",
         "six scenarios, 5 runs each, about 3 minutes (default)", NULL, NULL},
        {"full", RS_OPT_BOOL, &s->full, 0, 0, NULL, "", "every scenario, 10 runs of 2 s each", NULL,
         NULL},
        {"tradeoffs", RS_OPT_BOOL, &parse->tradeoffs, 0, 0, NULL, "",
         "vary one setting of iocp_server and rio_server at a time, each in the scenarios where it "
         "can show (or in those of --scenario)",
         NULL, NULL},
        {"ladder", RS_OPT_BOOL, &parse->ladder, 0, 0, NULL, "",
         "the echo servers of bench/ladder beside iocp_server and rio_server", NULL, NULL},
        {"agree", RS_OPT_STRING, (void *)&s->agree, 0, 0, NULL, "",
         "DIR,DIR: measure nothing; say whether two results agree within their intervals", NULL,
         NULL},
        {"rates-of", RS_OPT_STRING, (void *)&s->rates_of, 0, 0, NULL, "",
         "DIR: ask for the rates of that earlier comparison in the fixed-rate scenarios, so that "
         "--agree can compare them",
         NULL, NULL},
        {"scenario", RS_OPT_STRING, (void *)&shown_scenario, 0, 0, NULL, "",
         "these only; names with commas, or several times (see --list)", NULL, NULL},
        {"servers", RS_OPT_STRING, (void *)&shown_servers, 0, 0, NULL, "",
         "these only: NAME, or NAME=PATH of a program; a list", NULL, NULL},
        {"set", RS_OPT_STRING, (void *)&shown_set, 0, 0, NULL, "",
         "SERVER.OPTION=VALUE, an option for that server, or for all of them (all.); a list", NULL,
         NULL},
        {"repeat", RS_OPT_U32, &s->repeats, 1, RS_REPEATS_MAX, NULL, "runs",
         "of each server in each scenario", NULL, &parse->repeats_given},
        {"seconds", RS_OPT_DOUBLE, &s->seconds, 0, 600, NULL, "s", "measured time of a run", NULL,
         &parse->seconds_given},
        {"warmup", RS_OPT_DOUBLE, &s->warmup_s, 0, 60, NULL, "s", "dropped before it", NULL,
         &parse->warmup_given},
        {"placement", RS_OPT_CHOICE, &parse->placement, 0, 0, "pinned|free", "",
         "server (and wineserver) on one processor, loadgen on another; or as the system likes",
         NULL, NULL},
        {"no-instrument-test", RS_OPT_BOOL, &s->no_instrument_test, 0, 0, NULL, "",
         "do not try first whether this machine can tell CPU time; recorded, and there is no "
         "decision",
         NULL, NULL},
        {"out", RS_OPT_STRING, (void *)&s->out, 0, 0, NULL, "", "folder for the results", NULL,
         NULL},
        {"loadgen", RS_OPT_STRING, (void *)&s->loadgen, 0, 0, NULL, "",
         "the load generator; default: beside this program", NULL, NULL},
        {"progress", RS_OPT_CHOICE, &s->progress, 0, 0, "auto|on|off", "",
         "what runs now and how long is left", NULL, NULL},
        {"list", RS_OPT_BOOL, &parse->list_asked, 0, 0, NULL, "", "name the scenarios and end",
         NULL, NULL},
    };
    const size_t count = sizeof options / sizeof options[0];
    const rs_options_result result =
        rs_options_parse(options, count, parse->argc, parse->argv, parse->text, parse->text_bytes);
    if (result == RS_OPTIONS_HELP) {
        (void)rs_options_help("compare",
                              "runs the servers in turn under the same loads and writes tables and "
                              "a report",
                              options, count, parse->text, parse->text_bytes);
    }
    return result;
}

static void settings_list_scenarios(settings_parse *parse) {
    size_t used = 0;
    for (uint32_t i = 0; i < rs_scenario_count() && used < parse->text_bytes; i++) {
        const rs_scenario *scenario = rs_scenario_at(i);
        const int bytes = snprintf(parse->text + used, parse->text_bytes - used, "%-11s %s%s\n",
                                   scenario->name, scenario->about,
                                   (scenario->sets & RS_IN_QUICK) != 0  ? ""
                                   : (scenario->sets & RS_IN_FULL) != 0 ? " (--full)"
                                                                        : " (--ladder)");
        used += (size_t)bytes;
    }
}

/* ---- lists */

/* The next part of a list; false at its end. */
static bool settings_next(const char **at, char *part, size_t bytes) {
    if (**at == '\0') {
        return false;
    }
    const size_t count = strcspn(*at, ",");
    (void)snprintf(part, bytes, "%.*s", (int)count, *at);
    *at += count;
    *at += **at == ',' ? 1 : 0;
    return true;
}

static bool settings_wants(const settings_parse *parse, const rs_scenario *scenario) {
    char part[64];
    const char *at = parse->list[0].value;
    if (at[0] == '\0') {
        const uint32_t set = parse->ladder      ? RS_IN_LADDER
                             : parse->out->full ? RS_IN_FULL
                                                : RS_IN_QUICK;
        return parse->tradeoffs ? rs_tradeoffs_use(scenario->name) : (scenario->sets & set) != 0;
    }
    while (settings_next(&at, part, sizeof part)) {
        if (strcmp(part, scenario->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool settings_know_scenarios(settings_parse *parse) {
    char part[64];
    const char *at = parse->list[0].value;
    while (settings_next(&at, part, sizeof part)) {
        if (rs_scenario_find(part) == NULL) {
            return settings_error(parse, "--scenario", part, "no such scenario; --list names them");
        }
    }
    return true;
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
    return true;
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
    const char *at = parse->list[2].value;
    while (settings_next(&at, part, sizeof part)) {
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

static bool settings_sets(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    char part[256];
    const char *at = parse->list[1].value;
    while (settings_next(&at, part, sizeof part)) {
        const size_t server = strcspn(part, ".=");
        const size_t option = part[server] == '.' ? strcspn(part + server + 1, "=") : 0;
        const char *value = part + server + 1 + option;
        rs_set *set = &s->set[s->sets];
        if (s->sets == RS_SETTINGS_SETS_MAX || option == 0 || option > 60 || *value != '=' ||
            value[1] == '\0' || server >= RS_NAME_BYTES || server == 0) {
            return settings_error(parse, "--set", part, "want SERVER.OPTION=VALUE, at most 32");
        }
        (void)snprintf(set->server, sizeof set->server, "%.*s", (int)server, part);
        (void)snprintf(set->option, sizeof set->option, "--%.*s", (int)option, part + server + 1);
        (void)snprintf(set->value, sizeof set->value, "%.127s", value + 1);
        s->sets++;
    }
    return true;
}

static bool settings_complete(settings_parse *parse) {
    rs_compare_settings *s = parse->out;
    if (s->full + parse->quick + parse->tradeoffs + parse->ladder > 1) {
        return settings_error(parse, "--quick", "--full --tradeoffs --ladder", "choose one");
    }
    s->kind = parse->tradeoffs ? RS_COMPARE_TRADEOFFS
              : parse->ladder  ? RS_COMPARE_LADDER
                               : RS_COMPARE_SERVERS;
    s->scenarios_given = parse->list[0].value[0] != '\0';
    s->pinned = parse->placement == 0;
    s->repeats = parse->repeats_given ? s->repeats : s->full ? FULL_REPEATS : QUICK_REPEATS;
    s->seconds = parse->seconds_given ? s->seconds : s->full ? FULL_SECONDS : QUICK_SECONDS;
    s->warmup_s = parse->warmup_given ? s->warmup_s : s->full ? FULL_WARMUP_S : QUICK_WARMUP_S;
    if (!(s->seconds > 0)) {
        return settings_error(parse, "--seconds", "0", "allowed: above 0 to 600 s");
    }
    return settings_scenarios(parse) && settings_servers(parse) && settings_sets(parse);
}

int rs_compare_settings_read(rs_compare_settings *out, int argc, const char *const *argv,
                             char *text, size_t text_bytes) {
    static settings_parse parse; /* large; the main thread's */
    memset(out, 0, sizeof *out);
    memset(&parse, 0, sizeof parse);
    out->out = "build/compare";
    out->loadgen = "";
    out->agree = "";
    out->rates_of = "";
    out->repeats = QUICK_REPEATS;
    out->seconds = QUICK_SECONDS;
    out->warmup_s = QUICK_WARMUP_S;
    parse.out = out;
    parse.list[0].name = "--scenario";
    parse.list[1].name = "--set";
    parse.list[2].name = "--servers";
    parse.text = text;
    parse.text_bytes = text_bytes;
    if (!settings_join(&parse, argc, argv)) {
        return 2;
    }
    switch (settings_options(&parse)) {
    case RS_OPTIONS_HELP:
        return 0;
    case RS_OPTIONS_ERROR:
        return 2;
    case RS_OPTIONS_RUN:
        break;
    }
    if (parse.list_asked) {
        settings_list_scenarios(&parse);
        return 0;
    }
    return settings_complete(&parse) ? -1 : 2;
}
