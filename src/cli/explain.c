/* `portico explain`: where a request would go, and why, by the configuration alone. */
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "admin/explain_show.h"
#include "http/uri.h"
#include "provider/settings.h"
#include "snapshot/compile.h"

#define OUTPUT_MAX ((size_t)64 << 20)

static const struct flag flags_of_explain[] = {
    SETTINGS_FLAG,
    {.name = "method", .alias = "request", .letter = 'X', .argument = "METHOD", .help = "The request's method (GET)."},
    {.name = "header", .letter = 'H', .argument = "'NAME: VALUE'", .help = "A header field; any number of them."},
    {.name = "from", .argument = "IP", .help = "The client's address (127.0.0.1)."},
    {.name = "entryPoint", .argument = "NAME", .help = "Where it arrives (the one with the URL's port, else the first)."},
    {.name = "json", .help = "For programs."},
    {.name = NULL},
};

/* What the words ask for. */
struct question {
    struct way_request request;
    struct str entry;                 /* empty: by the port */
    uint16_t port;
    bool as_json;
};

static bool read_url(const struct command *command, struct str text, struct arena *arena, struct question *question)
{
    struct uri uri;
    struct str host;
    if (str_starts(text, S("/")))
        text = arena_concat(arena, S("http://localhost"), text);
    else if (str_find(text, S("://")) < 0)
        text = arena_concat(arena, S("http://"), text);
    if (!uri_split(text, &uri) || !uri_split_authority(arena, uri.authority, &host, &question->port)) {
        command_misused(command, "'%.*s' is no URL", STR_ARGS(text));
        return false;
    }
    struct way_request *request = &question->request;
    request->tls = str_equal_nocase(uri.scheme, S("https")) || str_equal_nocase(uri.scheme, S("wss"));
    request->authority = uri.authority;
    request->target = arena_printf(arena, "%s%.*s%s%.*s", uri.path.len == 0 ? "/" : "", STR_ARGS(uri.path),
                                   uri.query.data != NULL ? "?" : "", STR_ARGS(uri.query));
    if (question->port == 0)
        question->port = request->tls ? 443 : 80;
    return true;
}

static bool read_question(const struct command *command, const struct flags *flags, struct arena *arena,
                          struct question *question)
{
    const struct flag_given *method = flags_find(flags, "method"), *from = flags_find(flags, "from"),
                            *entry = flags_find(flags, "entryPoint");
    struct str *fields = arena_array(arena, struct str, flags->given_count + 1);
    struct way_request *request = &question->request;
    *question = (struct question){.as_json = flags_find(flags, "json") != NULL};
    request->method = method != NULL ? method->value : S("GET");
    request->fields = fields;
    question->entry = entry != NULL ? entry->value : STR_NONE;
    for (size_t i = 0; i < flags->given_count; i++) {
        if (strcmp(flags->given[i].flag->name, "header") != 0)
            continue;
        fields[request->field_count++] = flags->given[i].value;
        if (str_find_char(flags->given[i].value, ':', 1) < 0) {
            command_misused(command, "-H wants 'Name: value', not '%.*s'", STR_ARGS(flags->given[i].value));
            return false;
        }
    }
    if (!ip_parse(from != NULL ? from->value : S("127.0.0.1"), &request->peer)) {
        command_misused(command, "'%.*s' is no IP address", STR_ARGS(from->value));
        return false;
    }
    if (flags->operand_count != 1) {
        command_misused(command, flags->operand_count == 0 ? "which URL is to be explained?" : "one URL at a time");
        return false;
    }
    return read_url(command, flags->operands[0], arena, question);
}

static struct entry *entry_named(const struct graph *graph, struct str name)
{
    struct str names[64], *at = names;
    for (unsigned i = 0; i < graph->entry_count; i++) {
        if (str_equal(graph->entries[i]->name, name))
            return graph->entries[i];
        if (at < names + 64)
            *at++ = graph->entries[i]->name;
    }
    struct str meant = nearest(name, names, (size_t)(at - names));
    fprintf(stderr, "portico: unknown entrypoint '%.*s'%s%.*s%s\n", STR_ARGS(name), meant.len != 0 ? ", did you mean '" : "",
            STR_ARGS(meant), meant.len != 0 ? "'?" : "");
    return NULL;
}

/* How likely it is that people mean this one: of HTTPS the customary names before those that plain HTTP comes to as well. */
static int suitability(const struct entry *entry, bool tls)
{
    if (!tls || entry->tls == NULL)
        return 1;
    bool customary = str_equal(entry->name, S("websecure")) || str_equal(entry->name, S("https"));
    return customary ? 4 : entry->only_tls ? 3 : 2;
}

/* The one that was named; else the one with the URL's port; else the first that is meant for visitors. */
static struct entry *choose_entry(const struct graph *graph, const struct question *question, char note[96])
{
    struct entry *first = NULL;
    bool tls = question->request.tls;
    note[0] = '\0';
    if (question->entry.len != 0)
        return entry_named(graph, question->entry);
    for (unsigned i = 0; i < graph->entry_count; i++) {
        struct entry *entry = graph->entries[i];
        if (addr_port(&entry->address) == question->port)
            return entry;
        if (str_equal(entry->name, S("traefik")))
            continue;
        if (first == NULL || suitability(entry, tls) > suitability(first, tls))
            first = entry;
    }
    snprintf(note, 96, ", the first one%s, since none has port %u", tls && first != NULL && first->tls != NULL ? " of HTTPS" : "",
             question->port);
    if (first == NULL)
        fputs("portico: there is no entrypoint\n", stderr);
    return first;
}

static int print_way(const struct way *way, const struct question *question, const char *note)
{
    struct text text;
    text_init(&text, OUTPUT_MAX);
    if (question->as_json)
        explain_show_json(way, &text);
    else
        explain_show(way, note, command_wants_color(STDOUT_FILENO), &text);
    bool whole = !text.overflow && fwrite(text_c(&text), 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    text_release(&text);
    return whole && way->x.router != NULL ? EXIT_GOOD : EXIT_FAILED;
}

static int explain_with(struct graph *graph, const struct question *question)
{
    struct worker worker;
    struct way way;
    char note[96];
    struct entry *entry = choose_entry(graph, question, note);
    if (entry == NULL)
        return EXIT_USAGE;
    if (!worker_init(&worker, 0)) {
        perror("portico");
        return EXIT_FAILED;
    }
    worker_self = &worker;
    way_find(&way, &worker, graph, entry, &question->request);
    int code = print_way(&way, question, note);
    way_release(&way);
    worker_self = NULL;
    worker_release(&worker);
    return code;
}

static int load_and_explain(const struct settings *settings, const struct question *question)
{
    struct diag diag;
    struct model *model = settings_load(settings, &diag, NULL);
    struct graph *graph = diag.errors == 0 ? snapshot_compile(model, 1, &diag) : NULL;
    if (graph == NULL)
        command_show(&diag);
    int failure = command_failure(&diag);
    diag_release(&diag);
    if (graph == NULL) {
        model_free(model);
        return failure;
    }
    int code = explain_with(graph, question);
    graph_unref(graph);
    return code;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    struct question question;
    struct settings settings = {
        .words = words, .word_count = count, .flags = flags_of_explain, .environment = environ};
    arena_init(&arena, ARENA_UNLIMITED);
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags) && read_question(command, &flags, &arena, &question))
        code = load_and_explain(&settings, &question);
    arena_release(&arena);
    return code;
}

static const struct command explain_command = {
    .name = "explain",
    .usage = "explain --config FILE [-X METHOD] [-H 'NAME: VALUE'] [--from IP] [--json] URL",
    .summary = "Tells where a request would go, and why.",
    .flags = flags_of_explain,
    .takes_options = true,
    .run = run,
};
REGISTER(command, explain_command);
