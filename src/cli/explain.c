/* `portico explain`: where a request would go, and why, by the configuration alone. */
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/containers_once.h"
#include "admin/explain_question.h"
#include "admin/explain_show.h"
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
    struct explain_question asked;
    bool as_json;
};

static bool read_url(const struct command *command, struct str text, struct arena *arena, struct question *question)
{
    if (explain_question_url(&question->asked, text, arena))
        return true;
    command_misused(command, "'%.*s' is no URL", STR_ARGS(text));
    return false;
}

static bool read_question(const struct command *command, const struct flags *flags, struct arena *arena,
                          struct question *question)
{
    const struct flag_given *method = flags_find(flags, "method"), *from = flags_find(flags, "from"),
                            *entry = flags_find(flags, "entryPoint");
    struct str *fields = arena_array(arena, struct str, flags->given_count + 1);
    struct way_request *request = &question->asked.request;
    *question = (struct question){.as_json = flags_find(flags, "json") != NULL};
    request->method = method != NULL ? method->value : S("GET");
    request->fields = fields;
    question->asked.entry = entry != NULL ? entry->value : STR_NONE;
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

static struct entry *choose_entry(const struct graph *graph, const struct question *question, char note[EXPLAIN_NOTE_SIZE])
{
    struct str meant;
    struct entry *entry = explain_question_entry(&question->asked, graph, note, &meant);
    if (entry == NULL && question->asked.entry.len != 0)
        fprintf(stderr, "portico: unknown entrypoint '%.*s'%s%.*s%s\n", STR_ARGS(question->asked.entry),
                meant.len != 0 ? ", did you mean '" : "", STR_ARGS(meant), meant.len != 0 ? "'?" : "");
    else if (entry == NULL)
        fputs("portico: there is no entrypoint\n", stderr);
    return entry;
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
    char note[EXPLAIN_NOTE_SIZE];
    struct entry *entry = choose_entry(graph, question, note);
    if (entry == NULL)
        return EXIT_USAGE;
    if (!worker_init(&worker, 0)) {
        perror("portico");
        return EXIT_FAILED;
    }
    worker_self = &worker;
    way_find(&way, &worker, graph, entry, &question->asked.request);
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
    if (diag.errors == 0)
        containers_read_once(model, &diag);
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
