/* `portico certs`: which certificates a configuration has, how long they last, and what stands in the way of those that are
 * asked for. Reads files and storages; asks no running process. */
#include <stdio.h>
#include <unistd.h>

#include "admin/certs_list.h"
#include "base/time.h"
#include "cli/command.h"
#include "provider/settings.h"
#include "snapshot/compile.h"

#define OUTPUT_MAX ((size_t)64 << 20)

static const struct flag flags_of_certs[] = {
    SETTINGS_FLAG,
    {.name = "json", .help = "For programs."},
    {.name = NULL},
};

static bool write_rows(const struct cert_rows *rows, int64_t now, bool as_json)
{
    struct text text;
    text_init(&text, OUTPUT_MAX);
    if (as_json)
        certs_show_json(rows, now, &text);
    else
        certs_show(rows, now, command_wants_color(STDOUT_FILENO), &text);
    bool whole = !text.overflow && fwrite(text_c(&text), 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    text_release(&text);
    return whole;
}

/* ---- the command ---- */

/* A storage that cannot be read does not hide the others: what it says comes after them. */
static int show(const struct graph *graph, bool as_json)
{
    struct arena arena;
    struct diag diag;
    int64_t now = time_wall() / TIME_S;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    struct acme_entries entries = acme_list_stored(graph->model, &arena, &diag);
    struct cert_rows roots = certs_find_roots(graph->model, &arena);
    struct cert_rows rows = certs_collect(graph, &entries, &roots, now, &arena);
    bool good = write_rows(&rows, now, as_json) && !rows.any_expired && diag.errors == 0;
    if (diag.count != 0)
        command_show(&diag);
    diag_release(&diag);
    arena_release(&arena);
    return good ? EXIT_GOOD : EXIT_FAILED;
}

static int load_and_show(const struct settings *settings, bool as_json)
{
    struct diag diag;
    struct model *model = settings_load(settings, &diag, NULL);
    struct graph *graph = diag.errors == 0 ? snapshot_compile(model, 1, &diag) : NULL;
    int code = EXIT_GOOD;
    if (graph == NULL) {
        command_show(&diag);
        code = command_failure(&diag);
    }
    diag_release(&diag);
    if (graph == NULL) {
        model_free(model);
        return code;
    }
    code = show(graph, as_json);
    graph_unref(graph);
    return code;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    struct settings settings = {.words = words, .word_count = count, .flags = flags_of_certs, .environment = environ};
    arena_init(&arena, ARENA_UNLIMITED);
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags)) {
        if (flags.operand_count != 0)
            code = command_misused(command, "'%.*s' is no flag", STR_ARGS(flags.operands[0]));
        else
            code = load_and_show(&settings, flags_find(&flags, "json") != NULL);
    }
    arena_release(&arena);
    return code;
}

static const struct command certs = {
    .name = "certs",
    .usage = "certs --config FILE [--json]",
    .summary = "Lists certificates, when they end and are renewed: exit 1 when one has expired.",
    .flags = flags_of_certs,
    .takes_options = true,
    .run = run,
};
REGISTER(command, certs);
