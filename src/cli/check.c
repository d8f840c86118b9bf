/* `portico check FILE...`: what `run` would say of each file, without running anything. */
#include <stdio.h>
#include <unistd.h>

#include "acme/manager.h"
#include "admin/metrics_push.h"
#include "base/text.h"
#include "cli/command.h"
#include "config/bind.h"
#include "config/load.h"
#include "provider/settings.h"
#include "snapshot/compile.h"

#define JSON_MAX ((size_t)16 << 20)

static const struct flag flags_of_check[] = {
    {.name = "json", .help = "Errors and warnings as a JSON array, on standard output."},
    {.name = NULL},
};

struct report {
    struct text json;                 /* items without the brackets */
    bool as_json, good;
};

/* ---- files with dynamic configuration only ---- */

static bool is_compose(const struct node *root)
{
    return node_get(root, S("services")) != NULL && node_get(root, S("http")) == NULL &&
           node_get(root, S("entryPoints")) == NULL;
}

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
enum content { CONTENT_MAIN, CONTENT_DYNAMIC, CONTENT_COMPOSE };
static enum content look_into(const char *path)
{
    struct arena arena;
    struct diag diag;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    const struct node *root = load_file(path, LOAD_MAIN, &arena, &diag);
    enum content content = is_dynamic(root) ? CONTENT_DYNAMIC : is_compose(root) ? CONTENT_COMPOSE : CONTENT_MAIN;
    diag_release(&diag);
    arena_release(&arena);
    return content;
}

static bool has_entry(const struct model *model, struct str name)
{
    for (size_t i = 0; i < model->config.entry_points.count; i++)
        if (str_equal(model->config.entry_points.items[i].name, name))
            return true;
    return false;
}

static void add_entry(struct model *model, struct str name, struct diag *diag)
{
    struct arena *arena = &model->arena;
    struct objects *entries = &model->config.entry_points;
    struct object_item *items = arena_array(arena, struct object_item, entries->count + 1);
    struct node *node = node_new(arena, NODE_MAP, SPAN_NONE);
    /* Any address will do, as long as they differ: nothing listens. */
    struct node *address = node_scalar(arena, arena_printf(arena, "127.0.0.1:%zu", entries->count + 1), SPAN_NONE);
    address->key = S("address");
    node_append(node, address);
    if (entries->count != 0)
        memcpy(items, entries->items, entries->count * sizeof(*items));
    items[entries->count] = (struct object_item){
        .name = name, .value = bind_new(&entrypoint_table, node, NULL, arena, diag), .node = node};
    *entries = (struct objects){.items = items, .count = entries->count + 1};
}

/* The services api@internal, dashboard@internal and prometheus@internal. */
static void presume_internals(struct model *model, struct diag *diag)
{
    struct arena *arena = &model->arena;
    struct node *metrics = node_new(arena, NODE_MAP, SPAN_NONE);
    node_set_text(node_make_path(arena, metrics, S("prometheus.manualRouting"), SPAN_NONE), S("true"), SPAN_NONE);
    model->config.api = bind_new(&api_table, NULL, NULL, arena, diag);
    model->config.metrics = bind_new(&metrics_table, metrics, NULL, arena, diag);
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
    add_entry(model, S("http"), diag);
    for (size_t i = 0; i < dynamic->http.routers.count; i++) {
        const struct router_config *router = dynamic->http.routers.items[i].value;
        for (size_t j = 0; j < router->entry_points.count; j++)
            if (!has_entry(model, router->entry_points.items[j]))
                add_entry(model, router->entry_points.items[j], diag);
    }
    return model;
}

/* ---- one file ---- */

static struct model *load_unknown(const char *path, enum content content, struct diag *diag)
{
    struct model *model = model_new();
    diag_init(diag, &model->arena);
    struct span span = {.source = diag_source(&model->arena, str_from(path), STR_NONE)};
    struct diag_item *item = diag_error(diag, span, "%s is not what is checked here",
                                        content == CONTENT_COMPOSE ? "a Compose file" : "a file with such a name");
    diag_hint(diag, item, "configuration is YAML or JSON with entryPoints and http");
    return model;
}

static struct model *load(const char *path, struct diag *diag)
{
    enum content content = look_into(path);
    if (content == CONTENT_COMPOSE || (content == CONTENT_MAIN && str_ends_nocase(str_from(path), S(".conf"))))
        return load_unknown(path, content, diag);
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

static void check_file(const char *path, struct report *report)
{
    struct diag diag;
    struct model *model = load(path, &diag);
    struct counts counts = count_objects(model);
    /* Also when there are mistakes already: what refers to nothing is told in the same run. */
    struct graph *graph = model->part_count != 0 ? snapshot_compile(model, 1, &diag) : NULL;
    acme_check(model, &diag);
    metrics_push_check(model, &diag);
    if (diag.errors + diag.warnings != 0)
        show(report, &diag);
    if (diag.errors != 0)
        report->good = false;
    else if (!report->as_json)
        say_good(path, &counts);
    diag_release(&diag);
    if (graph != NULL)
        graph_unref(graph);
    else
        model_free(model);
}

static int check_files(const struct flags *flags)
{
    struct report report = {.as_json = flags_find(flags, "json") != NULL, .good = true};
    text_init(&report.json, JSON_MAX);
    for (size_t i = 0; i < flags->operand_count; i++)
        check_file(flags->operands[i].data, &report);
    if (report.as_json)
        printf("[%s]\n", text_c(&report.json));
    text_release(&report.json);
    return report.good ? EXIT_GOOD : EXIT_FAILED;
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    arena_init(&arena, ARENA_UNLIMITED);
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags))
        code = flags.operand_count != 0 ? check_files(&flags) : command_misused(command, "which file is to be checked?");
    arena_release(&arena);
    return code;
}

static const struct command check = {
    .name = "check",
    .usage = "check [--json] FILE...",
    .summary = "Looks for mistakes in configuration files: exit 0 or 1.",
    .flags = flags_of_check,
    .run = run,
};
REGISTER(command, check);
