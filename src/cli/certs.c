/* `portico certs`: which certificates a configuration has, how long they last, and what stands in the way of those that are
 * asked for. Reads files and storages; asks no running process. */
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "acme/local_ca.h"
#include "base/time.h"
#include "admin/certs_list.h"
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

/* ---- roots of local CAs ---- */

static int64_t unix_seconds(const ASN1_TIME *moment)
{
    struct tm tm;
    return ASN1_TIME_to_tm(moment, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static struct str common_name(const X509_NAME *name, struct arena *arena)
{
    char text[128];
    int length = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
    return length > 0 ? arena_str(arena, str_of(text, (size_t)length)) : STR_NONE;
}

static void add_root(struct cert_rows *rows, struct str configured, struct arena *arena)
{
    struct str path = arena_printf(arena, "%.*s/root.crt", STR_ARGS(local_ca_directory(configured, arena)));
    FILE *file = fopen(path.data, "re");
    X509 *root = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    if (root == NULL)
        return;
    struct str *name = arena_new(arena, struct str);
    *name = common_name(X509_get_subject_name(root), arena);
    rows->items[rows->count++] = (struct cert_row){.names = {name, 1},
                                                   .issuer = arena_printf(arena, "CN=%.*s", STR_ARGS(*name)),
                                                   .not_before = unix_seconds(X509_get0_notBefore(root)),
                                                   .not_after = unix_seconds(X509_get0_notAfter(root)),
                                                   .source = arena_printf(arena, "file %.*s", STR_ARGS(path)),
                                                   .state = "root"};
    X509_free(root);
}

/* Of those that the configuration uses and that are there. */
static struct cert_rows find_roots(const struct model *model, struct arena *arena)
{
    const struct objects *resolvers = &model->config.certificates_resolvers;
    struct cert_rows rows = {.items = arena_array(arena, struct cert_row, resolvers->count + 1)};
    if (model->config.automatic_https != NULL && model->config.automatic_https->local)
        add_root(&rows, STR_NONE, arena);
    for (size_t i = 0; i < resolvers->count; i++) {
        const struct resolver_config *resolver = resolvers->items[i].value;
        if (resolver->local_ca != NULL)
            add_root(&rows, resolver->local_ca->directory, arena);
    }
    return rows;
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
    struct cert_rows roots = find_roots(graph->model, &arena);
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
