#include "provider/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/bind.h"
#include "config/load.h"

static const struct bind_options belongs_elsewhere = {.elsewhere = &config_table,
                                                      .elsewhere_name = "the main configuration"};

static void read_one(struct model *model, const struct settings *settings, const char *path, struct diag *diag)
{
    struct arena *arena = &model->arena;
    struct node *root = settings_read_file(settings, model, path, LOAD_DYNAMIC, diag);
    if (root == NULL)
        return;
    struct dynamic_config *dynamic = bind_new(&dynamic_table, root, &belongs_elsewhere, arena, diag);
    model_add_part(model, S("file"), &dynamic->http, &dynamic->tls);
}

static void note(struct settings_files *files, const char *path, bool watch)
{
    if (watch)
        settings_files_note(files, str_from(path));
}

static int by_name(const void *a, const void *b)
{
    const struct str *one = a, *other = b;
    return str_compare(*one, *other);
}

struct names {
    VEC(struct str) list;
};

static bool list_directory(const char *path, struct arena *arena, struct names *names)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (load_is_file_name(str_from(entry->d_name)))
            VEC_PUSH(&names->list, arena_str(arena, str_from(entry->d_name)));
    closedir(directory);
    return true;
}

/* Those that the former model read of this directory. */
static void list_former(const struct model *former, struct str path, struct names *names)
{
    for (size_t i = 0; i < former->text_count; i++) {
        struct str file = former->texts[i].path;
        if (str_starts(file, path) && file.len > path.len + 1 && file.data[path.len] == '/' &&
            str_find_char(file, '/', path.len + 1) < 0)
            VEC_PUSH(&names->list, str_from_index(file, path.len + 1));
    }
}

static void read_directory(struct model *model, const struct settings *settings, struct diag *diag, struct settings_files *files)
{
    const struct file_provider_config *config = model->config.providers.file;
    const char *path = arena_str(&model->arena, config->directory).data;
    struct names names = {.list = {0}};
    note(files, path, config->watch);
    if (settings->former != NULL)
        list_former(settings->former, config->directory, &names);
    else if (!list_directory(path, &model->arena, &names))
        diag_error(diag, node_span(node_get(config->origin, S("directory"))), "%s: %s", path, strerror(errno));
    if (names.list.count != 0)
        qsort(names.list.items, names.list.count, sizeof(struct str), by_name);
    for (size_t i = 0; i < names.list.count; i++) {
        struct str file = arena_printf(&model->arena, "%s/%.*s", path, STR_ARGS(names.list.items[i]));
        note(files, file.data, config->watch);
        read_one(model, settings, file.data, diag);
    }
    VEC_RELEASE(&names.list);
}

void file_provider_read(struct model *model, const struct settings *settings, struct diag *diag, struct settings_files *files)
{
    const struct file_provider_config *config = model->config.providers.file;
    if (!str_empty(config->directory))
        read_directory(model, settings, diag, files);
    if (str_empty(config->filename))
        return;
    const char *path = arena_str(&model->arena, config->filename).data;
    note(files, path, config->watch);
    read_one(model, settings, path, diag);
}
