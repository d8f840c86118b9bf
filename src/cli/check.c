/* `portico check FILE...`: what `run` would say of each file, without running anything. */
#include <stdio.h>
#include <unistd.h>

#include "acme/manager.h"
#include "admin/metrics_push.h"
#include "base/text.h"
#include "cli/check_compose.h"
#include "cli/command.h"
#include "cli/presume.h"
#include "config/bind.h"
#include "config/compose.h"
#include "config/load.h"
#include "provider/nginx.h"
#include "snapshot/compile.h"

#define JSON_MAX ((size_t)16 << 20)
#define NAMES_MAX ((size_t)1 << 16)

static const struct flag flags_of_check[] = {
    {.name = "json", .help = "Errors and warnings as a JSON array, on standard output."},
    {.name = NULL},
};

struct report {
    struct text json;                 /* items without the brackets */
    bool as_json, good;
};

/* ---- files with dynamic configuration only ---- */

/* All that stands there belongs to the file provider's files: it is one of them. */
static bool is_dynamic(const struct node *root)
{
    NODE_FOREACH(root, it) {
        if (option_find(&dynamic_table, it->key) == NULL)
            return false;
    }
    return root != NULL && root->kind == NODE_MAP && root->count != 0;
}

/* A look at the keys at the top, before it is known what to read the file as. */
enum content { CONTENT_MAIN, CONTENT_DYNAMIC, CONTENT_COMPOSE, CONTENT_NGINX };
static enum content look_into(const char *path)
{
    if (nginx_source_is_one(path))
        return CONTENT_NGINX;
    struct arena arena;
    struct diag diag;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    const struct node *root = load_file(path, LOAD_MAIN, &arena, &diag);
    enum content content = is_dynamic(root) ? CONTENT_DYNAMIC : compose_is_one(root) ? CONTENT_COMPOSE : CONTENT_MAIN;
    diag_release(&diag);
    arena_release(&arena);
    return content;
}

/* Entrypoints and the API are another file's: what is named here is taken to be there. */
static struct model *load_dynamic(const char *path, struct diag *diag)
{
    struct model *model = model_new();
    diag_init(diag, &model->arena);
    bind_object(&config_table, NULL, &model->config, NULL, &model->arena, diag);
    presume_internals(model, diag);
    struct node *root = load_file(path, LOAD_DYNAMIC, &model->arena, diag);
    if (root == NULL)
        return model;
    const struct dynamic_config *dynamic = bind_new(&dynamic_table, root, NULL, &model->arena, diag);
    model_add_part(model, S("file"), &dynamic->http, &dynamic->tls);
    presume_entry(model, S("http"), diag);
    presume_entries(model, &dynamic->http.routers, diag);
    return model;
}

/* ---- one file ---- */

static struct model *load_unknown(const char *path, struct diag *diag)
{
    struct model *model = model_new();
    diag_init(diag, &model->arena);
    struct span span = {.source = diag_source(&model->arena, str_from(path), STR_NONE)};
    struct diag_item *item = diag_error(diag, span, "a file with such a name is not what is checked here");
    diag_hint(diag, item, "configuration is YAML or JSON with entryPoints and http, or an nginx.conf");
    return model;
}

static struct model *load(const char *path, enum content content, struct diag *diag)
{
    if (content == CONTENT_MAIN && str_ends_nocase(str_from(path), S(".conf")))
        return load_unknown(path, diag);
    if (content == CONTENT_DYNAMIC)
        return load_dynamic(path, diag);
    struct settings settings = {.environment = environ, .path = path};
    return settings_load(&settings, diag, NULL);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* How many objects stand there: counted before compiling adds its own. */
struct counts {
    size_t routers, middlewares, services;
};

static struct counts count_objects(const struct model *model)
{
    struct counts counts = {.routers = 0};
    for (size_t i = 0; i < model->part_count; i++) {
        counts.routers += model->parts[i].http->routers.count;
        counts.middlewares += model->parts[i].http->middlewares.count;
        counts.services += model->parts[i].http->services.count;
    }
    return counts;
}

static void say_good(const char *path, const struct counts *counts)
{
    printf("%s: good: %zu router%s, %zu middleware%s, %zu service%s\n", path, counts->routers, plural(counts->routers),
           counts->middlewares, plural(counts->middlewares), counts->services, plural(counts->services));
}

static void show(struct report *report, struct diag *diag)
{
    if (!report->as_json) {
        command_show(diag);
        return;
    }
    struct text one;
    text_init(&one, JSON_MAX);
    diag_sort(diag);
    diag_render_json(diag, &one);
    struct str items = str_trim_space(text_str(&one));
    if (items.len > 2 && report->json.len != 0)
        text_add_char(&report->json, ',');
    if (items.len > 2)
        text_add(&report->json, str_of(items.data + 1, items.len - 2));
    text_release(&one);
}

static void conclude(const char *names, const struct counts *counts, bool notes_too, struct report *report, struct diag *diag)
{
    if (diag->errors + diag->warnings != 0 || (notes_too && diag->count != 0))
        show(report, diag);
    if (diag->errors != 0)
        report->good = false;
    else if (!report->as_json)
        say_good(names, counts);
}

static void check_file(const char *path, enum content content, struct report *report)
{
    struct diag diag;
    struct model *model = load(path, content, &diag);
    struct counts counts = count_objects(model);
    /* Also when there are mistakes already: what refers to nothing is told in the same run. */
    struct graph *graph = model->part_count != 0 ? snapshot_compile(model, 1, &diag) : NULL;
    acme_check(model, &diag);
    metrics_push_check(model, &diag);
    conclude(path, &counts, content == CONTENT_NGINX, report, &diag);
    diag_release(&diag);
    if (graph != NULL)
        graph_unref(graph);
    else
        model_free(model);
}

/* All Compose files that are named, as one project: `-f` for each, as Compose would say. What ACME keeps where is a matter of the
 * container's volumes, so it is not looked at. */
static void check_project(const char *const *paths, size_t count, struct report *report)
{
    struct diag diag;
    struct text names;
    struct model *model = check_compose_load(paths, count, &diag);
    struct counts counts = count_objects(model);
    struct graph *graph = snapshot_compile(model, 1, &diag);
    metrics_push_check(model, &diag);
    check_compose_judge(model, &diag);
    text_init(&names, NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        text_addf(&names, "%s%s", i != 0 ? ", " : "", paths[i]);
    conclude(text_c(&names), &counts, true, report, &diag);
    text_release(&names);
    diag_release(&diag);
    if (graph != NULL)
        graph_unref(graph);
    else
        model_free(model);
}

static void check_all(const struct flags *flags, struct arena *arena, struct report *report)
{
    const char **composed = arena_array(arena, const char *, flags->operand_count);
    size_t count = 0;
    for (size_t i = 0; i < flags->operand_count; i++) {
        const char *path = flags->operands[i].data;
        enum content content = look_into(path);
        if (content == CONTENT_COMPOSE)
            composed[count++] = path;
        else
            check_file(path, content, report);
    }
    if (count != 0)
        check_project(composed, count, report);
}

static int check_files(const struct command *command, const struct flags *flags, struct arena *arena)
{
    struct report report = {.as_json = flags_find(flags, "json") != NULL, .good = true};
    if (flags->operand_count == 0)
        return command_misused(command, "which file is to be checked?");
    text_init(&report.json, JSON_MAX);
    check_all(flags, arena, &report);
    if (report.as_json)
        printf("[%s]\n", text_c(&report.json));
    text_release(&report.json);
    return report.good ? EXIT_GOOD : EXIT_FAILED;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    return command_run_with_flags(command, words, count, check_files);
}

static const struct command check = {
    .name = "check",
    .usage = "check [--json] FILE...",
    .summary = "Looks for mistakes in configuration files: exit 0 or 1.",
    .flags = flags_of_check,
    .run = run,
};
REGISTER(command, check);
