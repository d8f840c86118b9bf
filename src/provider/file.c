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

static void read_one(struct model *model, const char *path, struct diag *diag)
{
    struct arena *arena = &model->arena;
    struct node *root = load_file(path, LOAD_DYNAMIC, arena, diag);
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

static void read_directory(struct model *model, const struct file_provider_config *config, struct diag *diag,
                           struct settings_files *files)
{
    const char *path = arena_str(&model->arena, config->directory).data;
    note(files, path, config->watch);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        diag_error(diag, node_span(node_get(config->origin, S("directory"))), "%s: %s", path, strerror(errno));
        return;
    }
    VEC(struct str) names = {0};
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (load_is_file_name(str_from(entry->d_name)))
            VEC_PUSH(&names, arena_str(&model->arena, str_from(entry->d_name)));
    closedir(directory);
    if (names.count != 0)
        qsort(names.items, names.count, sizeof(struct str), by_name);
    for (size_t i = 0; i < names.count; i++) {
        struct str file = arena_printf(&model->arena, "%s/%.*s", path, STR_ARGS(names.items[i]));
        note(files, file.data, config->watch);
        read_one(model, file.data, diag);
    }
    VEC_RELEASE(&names);
}

void file_provider_read(struct model *model, const struct file_provider_config *config, struct diag *diag,
                        struct settings_files *files)
{
    if (!str_empty(config->directory))
        read_directory(model, config, diag, files);
    if (str_empty(config->filename))
        return;
    const char *path = arena_str(&model->arena, config->filename).data;
    note(files, path, config->watch);
    read_one(model, path, diag);
}
