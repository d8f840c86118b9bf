#include "provider/settings.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/bind.h"
#include "config/env.h"
#include "provider/certificate_files.h"
#include "provider/file.h"
#include "provider/nginx.h"

const struct flag settings_flags[] = {SETTINGS_FLAG, {.name = NULL}};

static const char *const default_paths[] = {"portico.yaml", "portico.yml", "/etc/portico/portico.yaml",
                                            "/etc/portico/portico.yml", "/etc/traefik/traefik.yml",
                                            "/etc/traefik/traefik.yaml"};

/* What is no option: the path itself, and the folder of state (base/data_directory.h). */
const char *const settings_own_variables[] = {"CONFIG", "CONFIGFILE", "DATA", NULL};

static const char *variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (char *const *it = environment; it != NULL && *it != NULL; it++)
        if (strncmp(*it, name, len) == 0 && (*it)[len] == '=')
            return *it + len + 1;
    return NULL;
}

static const char *choose_path(const struct settings *settings, const struct flags *flags, struct arena *arena)
{
    if (settings->path != NULL)
        return settings->path;
    const struct flag_given *given = flags_find(flags, "config");
    if (given != NULL)
        return arena_str(arena, given->value).data;
    static const char *const names[] = {"PORTICO_CONFIG", "PORTICO_CONFIGFILE", "TRAEFIK_CONFIGFILE"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = variable(settings->environment, names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    if (flags->options->count != 0)
        return NULL;      /* flags alone are a configuration */
    for (size_t i = 0; i < sizeof(default_paths) / sizeof(default_paths[0]); i++)
        if (access(default_paths[i], R_OK) == 0)
            return default_paths[i];
    return NULL;
}

/* Of the configuration's files in a directory (of all of them, where the path ends with a slash), in whatever order they are told;
 * 0: it is none. */
static uint64_t hash_of_names(const char *path)
{
    uint64_t sum = 0;
    bool all = str_ends(str_from(path), S("/"));
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if ((all && entry->d_name[0] != '.') || load_is_file_name(str_from(entry->d_name)))
            sum += str_hash(str_from(entry->d_name));
    closedir(directory);
    return sum;
}

static uint64_t mix(uint64_t fingerprint, uint64_t hash)
{
    return (fingerprint ^ hash) * 0x9e3779b97f4a7c15U;
}

static uint64_t take_in(uint64_t fingerprint, const char *path)
{
    struct arena arena;
    struct str content = STR_NONE;
    arena_init(&arena, ARENA_UNLIMITED);
    file_read(&arena, path, LOAD_BYTES_MAX, &content);
    fingerprint = mix(fingerprint, str_hash(str_from(path)));
    fingerprint = mix(fingerprint, content.len != 0 ? str_hash(content) : hash_of_names(path));
    arena_release(&arena);
    return fingerprint;
}

void settings_files_note(struct settings_files *files, struct str path)
{
    if (files == NULL)
        return;
    VEC_PUSH(&files->paths, memory_copy_text(path.data, path.len));
    files->fingerprint = take_in(files->fingerprint, files->paths.items[files->paths.count - 1]);
}

bool settings_files_unchanged(const struct settings_files *files)
{
    uint64_t fingerprint = 0;
    for (size_t i = 0; i < files->paths.count; i++)
        fingerprint = take_in(fingerprint, files->paths.items[i]);
    return fingerprint == files->fingerprint;
}

/* Does something internal refer to the entrypoint "traefik"? */
static bool wants_internal_entrypoint(const struct config *config)
{
    const struct str traefik = STR("traefik");
    const struct prometheus_config *prometheus = config->metrics != NULL ? config->metrics->prometheus : NULL;
    return (config->api != NULL && config->api->insecure) ||
           (config->ping != NULL && !config->ping->manual_routing && str_equal(config->ping->entry_point, traefik)) ||
           (prometheus != NULL && !prometheus->manual_routing && str_equal(prometheus->entry_point, traefik));
}

/* What Traefik makes by itself: "http" on :80 when there is none, "traefik" on :8080 for what is internal. */
static void add_customary_entrypoints(struct model *model, struct diag *diag)
{
    struct config *config = &model->config;
    struct arena *arena = &model->arena;
    bool has_traefik = false;
    for (size_t i = 0; i < config->entry_points.count; i++)
        has_traefik = has_traefik || str_equal(config->entry_points.items[i].name, S("traefik"));
    bool wants_traefik = !has_traefik && wants_internal_entrypoint(config);
    bool wants_http = config->entry_points.count == 0;
    struct object_item *items = arena_array(arena, struct object_item, config->entry_points.count + 2);
    if (config->entry_points.count != 0)
        memcpy(items, config->entry_points.items, config->entry_points.count * sizeof(*items));
    size_t count = config->entry_points.count;
    const struct {
        bool wanted;
        struct str name, address;
    } extra[] = {{wants_http, S("http"), S(":80")}, {wants_traefik, S("traefik"), S(":8080")}};
    for (size_t i = 0; i < 2; i++) {
        if (!extra[i].wanted)
            continue;
        struct node *node = node_new(arena, NODE_MAP, SPAN_NONE);
        struct node *address = node_scalar(arena, extra[i].address, SPAN_NONE);
        address->key = S("address");
        node_append(node, address);
        items[count++] = (struct object_item){
            .name = extra[i].name, .value = bind_new(&entrypoint_table, node, NULL, arena, diag), .node = node};
    }
    config->entry_points = (struct objects){.items = items, .count = count};
}

struct node *settings_read_file(const struct settings *settings, struct model *model, const char *path, enum load_kind kind,
                                struct diag *diag)
{
    struct arena *arena = &model->arena;
    const struct model_text *kept = settings->former != NULL ? model_text(settings->former, str_from(path)) : NULL;
    struct str content;
    struct node *root;
    if (kept != NULL) {
        content = arena_str(arena, kept->content);
        root = load_text(str_from(path), content, kind, arena, diag);
    } else {
        root = load_file_keeping(path, kind, arena, diag, &content);
    }
    if (content.data != NULL)
        model_keep_text(model, str_from(path), content);
    return root;
}

/* The main file, or what stands for it; NULL when there is none, or none that can be read. */
static struct node *read_main(const struct settings *settings, const struct flags *flags, const struct node *variables,
                              struct model *model, struct diag *diag, struct settings_files *files)
{
    struct arena *arena = &model->arena;
    if (settings->text.data != NULL)
        return load_text(S("configuration"), settings->text, LOAD_MAIN, arena, diag);
    if (settings->nginx != NULL)
        return nginx_source_load(settings->nginx, arena, diag, files);
    const char *path = choose_path(settings, flags, arena);
    if (path == NULL) {
        if (flags->options->count == 0 && variables->count == 0)
            diag_error(diag, SPAN_NONE,
                       "no configuration: give --config FILE, or flags such as --entryPoints.web.address=:8080");
        return NULL;
    }
    if (nginx_source_is_one(path)) {
        struct nginx_source source = nginx_source_of(str_from(path), arena);
        return nginx_source_load(&source, arena, diag, files);
    }
    settings_files_note(files, str_from(path));
    struct node *root = settings_read_file(settings, model, path, LOAD_MAIN, diag);
    if (settings->reloading && diag->errors == 0 && (root == NULL || root->kind != NODE_MAP))
        diag_error(diag, SPAN_NONE, "%s is empty", path);
    return root;
}

void settings_bind(struct model *model, const struct node *root, struct diag *diag)
{
    bind_object(&config_table, root, &model->config, NULL, &model->arena, diag);
    add_customary_entrypoints(model, diag);
    model_add_part(model, S("file"), &model->config.http, &model->config.tls);
}

struct model *settings_load(const struct settings *settings, struct diag *diag, struct settings_files *files)
{
    struct model *model = model_new();
    struct arena *arena = &model->arena;
    diag_init(diag, arena);
    struct flags flags;
    const struct flag *own = settings->flags != NULL ? settings->flags : settings_flags;
    flags_read(settings->words, settings->word_count, own, &config_table, arena, diag, &flags);
    struct node *variables = env_read(settings->environment, &config_table, settings_own_variables, arena, diag);
    struct node *root = read_main(settings, &flags, variables, model, diag, files);
    if (root == NULL || root->kind != NODE_MAP)
        root = node_new(arena, NODE_MAP, SPAN_NONE);
    node_merge(root, variables);
    node_merge(root, flags.options);
    settings_bind(model, root, diag);
    if (model->config.providers.file != NULL)
        file_provider_read(model, settings, diag, files);
    if (model->config.providers.nginx != NULL)
        nginx_provider_read(model, diag, files);
    if (files != NULL)
        certificate_files_note(model, files);
    return model;
}

void settings_files_release(struct settings_files *files)
{
    for (size_t i = 0; i < files->paths.count; i++)
        free(files->paths.items[i]);
    VEC_RELEASE(&files->paths);
}
