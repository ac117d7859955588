/* Documents that are made of tables in the code.
 *
 *     made_docs settings|compare        prints docs/settings.md, docs/compare.md
 *     made_docs settings|compare FILE   a pass: FILE is what it would print
 *
 * Natively, where the rows of all back ends but their code can be linked. */
#include <stdio.h>
#include <string.h>

#include "compare/scenario.h"
#include "compare/settings.h"
#include "compare/tradeoff.h"
#include "core/assert.h"
#include "iocp/iocp_settings.h"
#include "loadgen/loadgen_settings.h"
#include "rio/rio_settings.h"
#include "seam/backend_config.h"
#include "server/server_config.h"
#include "server/server_run.h"

#define DOC_BYTES 65536u

typedef struct doc {
    char text[DOC_BYTES];
    size_t used;
} doc;

static void doc_add(doc *out, const char *text, const char *escaped) {
    for (; *text != '\0'; text++) {
        RS_ASSERT(out->used + 2u < DOC_BYTES);
        if (strchr(escaped, *text) != NULL) {
            out->text[out->used++] = '\\';
        }
        out->text[out->used++] = *text;
    }
    out->text[out->used] = '\0';
}

static void doc_title(doc *out, const char *title, const char *about, const char *columns) {
    doc_add(out, "\n## ", "");
    doc_add(out, title, "");
    doc_add(out, "\n\n", "");
    doc_add(out, about, "");
    doc_add(out, "\n\n| ", "");
    doc_add(out, columns, "");
    doc_add(out, " |\n|", "");
    for (; *columns != '\0'; columns++) {
        doc_add(out, *columns == '|' ? "---|" : "", "");
    }
    doc_add(out, "---|\n", "");
}

static void doc_row(doc *out, const char *const *cells) {
    for (; *cells != NULL; cells++) {
        doc_add(out, "| ", "");
        doc_add(out, *cells, "|");
        doc_add(out, " ", "");
    }
    doc_add(out, "|\n", "");
}
#define DOC_ROW(out, ...) doc_row(out, (const char *const[]){__VA_ARGS__, NULL})

static void doc_table(doc *out, const char *title, const char *about,
                      const rs_option_table *const *tables) {
    char name[64], allowed[256], by_default[256];
    doc_title(out, title, about, "option | allowed | default | meaning");
    for (; *tables != NULL; tables++) {
        for (size_t i = 0; i < (*tables)->count; i++) {
            const rs_option *row = &(*tables)->rows[i];
            (void)snprintf(name, sizeof name, "`--%s`", row->name);
            RS_ASSERT(rs_option_allowed(row, allowed, sizeof allowed) < sizeof allowed);
            RS_ASSERT(rs_option_default(row, by_default, sizeof by_default) < sizeof by_default);
            DOC_ROW(out, name, allowed, by_default, row->help);
        }
    }
}

static void doc_settings(doc *out) {
    doc_add(out,
            "# Settings\n\n"
            "Made by `made_docs settings` from the rows that the programs read; a test compares. "
            "What a "
            "program cannot\nhonour it refuses by name, exit code 2; its `--help` says so too.\n",
            "");
    doc_table(out, "Every server", "`src/common/server/server_config.c`, `server_run.c`.",
              (const rs_option_table *const[]){&rs_server_options, &rs_server_run_options, NULL});
    doc_table(out, "Sockets and accepting",
              "`src/common/seam/backend_config.c`; each back end names those it honours.",
              (const rs_option_table *const[]){&rs_socket_options, &rs_accept_options, NULL});
    doc_table(out, "iocp_server alone", "`src/iocp/iocp_settings.c`.",
              (const rs_option_table *const[]){&rs_iocp_options, NULL});
    doc_table(out, "rio_server alone", "`src/rio/rio_settings.c`.",
              (const rs_option_table *const[]){&rs_rio_options, NULL});
    doc_table(out, "loadgen", "`bench/loadgen/loadgen_settings.c`; see [loadgen.md](loadgen.md).",
              (const rs_option_table *const[]){&rs_load_options, NULL});
    doc_table(out, "compare", "`bench/compare/settings.c`; see [benchmarking.md](benchmarking.md).",
              (const rs_option_table *const[]){&rs_compare_options, NULL});
}

static void doc_scenarios(doc *out) {
    char in[64], asks[96], frames[64];
    doc_title(out, "Scenarios", "`bench/compare/scenario.c`, in the order in which they run.",
              "name | load | rate is in | part of | asks of the server");
    for (uint32_t i = 0; i < rs_scenario_count(); i++) {
        const rs_scenario *scenario = rs_scenario_at(i);
        (void)snprintf(in, sizeof in, "%s%s%s",
                       (scenario->sets & RS_IN_QUICK) != 0 ? " `--quick`" : "",
                       (scenario->sets & RS_IN_FULL) != 0 ? " `--full`" : "",
                       (scenario->sets & RS_IN_LADDER) != 0 ? " `--ladder`" : "");
        (void)snprintf(frames, sizeof frames, " --max-frame %u --max-queued %u",
                       scenario->max_frame, scenario->max_queued);
        (void)snprintf(asks, sizeof asks, "`--max-sessions %u%s`", scenario->max_sessions,
                       scenario->max_frame != 0 ? frames : "");
        DOC_ROW(out, scenario->name, scenario->about, rs_scenario_rate_unit(scenario), in + 1,
                asks);
    }
}

static void doc_tradeoffs(doc *out) {
    char setting[160], needs[64];
    const char *about = "";
    doc_title(out, "Trade-offs",
              "`bench/compare/tradeoff.c`: what `--tradeoffs` changes, one at a time.",
              "setting | of | in | and in | what it tries");
    for (uint32_t i = 0; i < rs_tradeoff_count(); i++) {
        const rs_tradeoff *row = rs_tradeoff_at(i);
        about = row->about != NULL ? row->about : about;
        (void)snprintf(needs, sizeof needs, " %s=%s", row->needs != NULL ? row->needs : "",
                       row->needs != NULL ? row->needs_value : "");
        (void)snprintf(setting, sizeof setting, "`%s=%s%s`", row->option, row->value,
                       row->needs != NULL ? needs : "");
        DOC_ROW(out, setting,
                row->iocp && row->rio ? "both"
                : row->iocp           ? "iocp_server"
                                      : "rio_server",
                row->scenario, row->also != NULL ? row->also : "", about);
    }
}

static void doc_metrics(doc *out) {
    char key[64];
    doc_title(out, "Columns",
              "`bench/compare/result.h`: the keys of `results.csv`, `runs.csv` and `results.json`.",
              "key | unit | source");
    for (uint32_t i = 0; i < RS_METRICS; i++) {
        const rs_metric_info *info = &rs_metric_infos[i];
        (void)snprintf(key, sizeof key, "`%s`", info->key);
        DOC_ROW(out, key, info->unit, info->source);
    }
}

static void doc_compare(doc *out) {
    doc_add(out,
            "# What compare measures\n\n"
            "Made by `made_docs compare` from the tables that compare works with; a test compares. "
            "How it is\nmeasured: [benchmarking.md](benchmarking.md).\n",
            "");
    doc_scenarios(out);
    doc_tradeoffs(out);
    doc_metrics(out);
}

static int doc_check(const doc *want, const char *path) {
    static char got[DOC_BYTES];
    FILE *file = fopen(path, "rb");
    const size_t bytes = file != NULL ? fread(got, 1, sizeof got - 1u, file) : 0;
    if (file != NULL) {
        (void)fclose(file); /* read only: nothing can be lost */
    }
    if (bytes == want->used && memcmp(got, want->text, bytes) == 0) {
        return 0;
    }
    (void)fprintf(stderr, "%s is not what the tables say: made_docs prints it\n", path);
    return 1;
}

int main(int argc, char **argv) {
    static doc out;
    if (argc >= 2 && strcmp(argv[1], "settings") == 0) {
        doc_settings(&out);
    } else if (argc >= 2 && strcmp(argv[1], "compare") == 0) {
        doc_compare(&out);
    } else {
        return 2;
    }
    if (argc == 3) {
        return doc_check(&out, argv[2]);
    }
    return fputs(out.text, stdout) < 0 ? 1 : 0;
}
