#include "provider/nginx.h"

#include "base/file.h"
#include "config/bind.h"
#include "config/nginx/compile.h"
#include "config/nginx/fragment.h"
#include "net/addr.h"

/* ---- which file, and how ---- */

static struct str folder_of(struct str path, struct arena *arena)
{
    for (size_t end = path.len; end > 0; end--)
        if (path.data[end - 1] == '/')
            return arena_str(arena, str_first(path, end));
    return S("");
}

struct nginx_source nginx_source_of(struct str path, struct arena *arena)
{
    return (struct nginx_source){.path = path, .prefix = S(NGINX_PREFIX), .conf_prefix = folder_of(path, arena)};
}

bool nginx_source_is_one(const char *path)
{
    struct arena arena;
    struct str content;
    arena_init(&arena, ARENA_UNLIMITED);
    bool is_one = file_read(&arena, path, NGINX_FILE_MAX, &content) && nginx_looks_like(content);
    arena_release(&arena);
    return is_one;
}

/* ---- reading ---- */

static void note(void *context, struct str path)
{
    settings_files_note(context, path);
}

static bool is_given_in(const struct nginx_directive *tree, const struct nginx_directive *wanted)
{
    NGINX_FOREACH(tree, it)
        if (str_equal(it->name, wanted->name))
            return true;
    return false;
}

/* What the command line says stands in front of what the file says; twice is as wrong as it is within the file. */
static void put_in_front(struct nginx_directive *tree, struct nginx_directive *given, struct diag *diag)
{
    NGINX_FOREACH(given, it) {
        it->parent = tree;
        if (it->syntax != NULL && !it->syntax->repeats && is_given_in(tree, it))
            diag_error(diag, it->span, "\"%.*s\" directive is duplicate", STR_ARGS(it->name));
    }
    if (given->last == NULL)
        return;
    given->last->next = tree->first;
    tree->first = given->first;
    if (tree->last == NULL)
        tree->last = given->last;
}

static struct nginx_directive *read_words(struct str name, struct str text, struct arena *arena, struct diag *diag)
{
    struct nginx_files none = {.prefix = STR_NONE};
    return text.len != 0 ? nginx_read_text(name, text, &none, arena, diag) : NULL;
}

static void append_absent(struct nginx_directive *tree, struct nginx_directive *fallbacks)
{
    struct nginx_directive *next;
    for (struct nginx_directive *it = fallbacks->first; it != NULL; it = next) {
        next = it->next;
        it->next = NULL;
        if (is_given_in(tree, it))
            continue;
        it->parent = tree;
        if (tree->last != NULL)
            tree->last->next = it;
        else
            tree->first = it;
        tree->last = it;
    }
}

static struct nginx_directive *read_all(const struct nginx_source *source, struct nginx_files *reading, struct arena *arena,
                                        struct diag *diag)
{
    struct nginx_directive *given = read_words(S("command line"), source->directives, arena, diag);
    struct nginx_directive *fallbacks = read_words(S("command line"), source->fallbacks, arena, diag);
    struct nginx_directive *tree = nginx_read_any(source->path, reading, arena, diag);
    if (tree != NULL && given != NULL)
        put_in_front(tree, given, diag);
    if (tree != NULL && fallbacks != NULL)
        append_absent(tree, fallbacks);
    return tree;
}

struct node *nginx_source_load(const struct nginx_source *source, struct arena *arena, struct diag *diag, struct settings_files *files)
{
    struct nginx_files own = {.prefix = STR_NONE};
    struct nginx_files *reading = source->files != NULL ? source->files : &own;
    *reading = (struct nginx_files){.prefix = source->prefix, .conf_prefix = source->conf_prefix,
                                    .note = files != NULL ? note : NULL, .context = files};
    size_t mistakes = diag->errors;
    const struct nginx_directive *tree = read_all(source, reading, arena, diag);
    if (tree == NULL || diag->errors != mistakes)
        return NULL;
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    return nginx_compile(tree, reading, root, arena, diag) ? root : NULL;
}

/* ---- beside others ---- */

static struct str name_of_address(const struct objects *entries, struct str address)
{
    struct addr wanted, other;
    bool udp;
    bool known = addr_parse_listen(address, &wanted, &udp);
    for (size_t i = 0; i < entries->count; i++) {
        const struct entrypoint *entry = entries->items[i].value;
        if (str_equal(entry->address, address) || (known && addr_parse_listen(entry->address, &other, &udp) && other.len == wanted.len &&
                                                   memcmp(&other, &wanted, wanted.len) == 0))
            return entries->items[i].name;
    }
    return STR_NONE;
}

static bool has_name(const struct objects *entries, struct str name)
{
    for (size_t i = 0; i < entries->count; i++)
        if (str_equal_nocase(entries->items[i].name, name))
            return true;
    return false;
}

static void add_entry(struct model *model, struct str name, const struct object_item *item)
{
    struct objects *entries = &model->config.entry_points;
    struct object_item *items = arena_array(&model->arena, struct object_item, entries->count + 1);
    if (entries->count != 0)
        memcpy(items, entries->items, entries->count * sizeof(*items));
    items[entries->count] = *item;
    items[entries->count].name = name;
    *entries = (struct objects){.items = items, .count = entries->count + 1};
}

/* Its entrypoints become the model's, unless their address is there: gives the names that others know them by. */
static struct strmap take_entries(struct model *model, const struct objects *own)
{
    struct arena *arena = &model->arena;
    struct strmap names = {.items = arena_array(arena, struct strmap_item, own->count + 1)};
    for (size_t i = 0; i < own->count; i++) {
        const struct entrypoint *entry = own->items[i].value;
        struct str name = name_of_address(&model->config.entry_points, entry->address);
        if (name.len == 0) {
            name = own->items[i].name;
            for (unsigned number = 2; has_name(&model->config.entry_points, name); number++)
                name = arena_printf(arena, "%.*s-%u", STR_ARGS(own->items[i].name), number);
            add_entry(model, name, &own->items[i]);
        }
        names.items[names.count++] = (struct strmap_item){.name = own->items[i].name, .value = name};
    }
    return names;
}

static void rename_each(struct strs *list, const struct strmap *names)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < names->count; j++)
            if (str_equal_nocase(list->items[i], names->items[j].name)) {
                list->items[i] = names->items[j].value;
                break;
            }
}

static void rename_entries(const struct http_config *http, const struct strmap *names)
{
    for (size_t i = 0; i < http->routers.count; i++)
        rename_each(&((struct router_config *)http->routers.items[i].value)->entry_points, names);
    for (size_t i = 0; i < http->sites.count; i++) {
        struct site_config *site = http->sites.items[i].value;
        rename_each(&site->entry_points, names);
        rename_each(&site->default_on, names);
    }
}

void nginx_provider_read(struct model *model, struct diag *diag, struct settings_files *files)
{
    struct arena *arena = &model->arena;
    const struct nginx_provider_config *provider = model->config.providers.nginx;
    struct nginx_source source = nginx_source_of(provider->filename, arena);
    if (provider->prefix.len != 0)
        source.prefix = arena_printf(arena, "%.*s%s", STR_ARGS(provider->prefix), str_ends(provider->prefix, S("/")) ? "" : "/");
    struct node *root = nginx_source_load(&source, arena, diag, provider->watch ? files : NULL);
    if (root == NULL)
        return;
    struct config *config = bind_new(&config_table, root, NULL, arena, diag);
    struct strmap names = take_entries(model, &config->entry_points);
    rename_entries(&config->http, &names);
    model_add_part(model, S("nginx"), &config->http, &config->tls);
}
