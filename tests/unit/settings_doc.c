/* docs/settings.md, made from the rows of every module.
 *
 *     settings_doc          prints it
 *     settings_doc FILE     a pass: FILE is what it would print
 *
 * Natively, where the rows of all back ends but their code can be linked. */
#include <stdio.h>
#include <string.h>

#include "compare/settings.h"
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

static void doc_table(doc *out, const char *title, const char *about,
                      const rs_option_table *const *tables) {
    char words[256];
    doc_add(out, "\n## ", "");
    doc_add(out, title, "");
    doc_add(out, "\n\n", "");
    doc_add(out, about, "");
    doc_add(out, "\n\n| option | allowed | default | meaning |\n|---|---|---|---|\n", "");
    for (; *tables != NULL; tables++) {
        for (size_t i = 0; i < (*tables)->count; i++) {
            const rs_option *row = &(*tables)->rows[i];
            doc_add(out, "| `--", "");
            doc_add(out, row->name, "");
            doc_add(out, "` | ", "");
            RS_ASSERT(rs_option_allowed(row, words, sizeof words) < sizeof words);
            doc_add(out, words, "|");
            doc_add(out, " | ", "");
            RS_ASSERT(rs_option_default(row, words, sizeof words) < sizeof words);
            doc_add(out, words, "|");
            doc_add(out, " | ", "");
            doc_add(out, row->help, "|");
            doc_add(out, " |\n", "");
        }
    }
}

static void doc_make(doc *out) {
    doc_add(out,
            "# Settings\n\n"
            "Made by `settings_doc` from the rows that the programs read; a test compares. What a "
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
    (void)fprintf(stderr, "%s is not what the rows say: settings_doc > docs/settings.md\n", path);
    return 1;
}

int main(int argc, char **argv) {
    static doc out;
    doc_make(&out);
    if (argc == 2) {
        return doc_check(&out, argv[1]);
    }
    return fputs(out.text, stdout) < 0 ? 1 : 0;
}
