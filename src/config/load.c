#include "config/load.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "config/template.h"
#include "config/yaml.h"

/* `content` lives as long as the arena. */
static struct node *read_text(struct str name, struct str content, enum load_kind kind, struct arena *arena, struct diag *diag)
{
    if (str_starts(content, S("\xef\xbb\xbf")))
        content = str_from_index(content, 3);
    size_t mistakes = diag->mistakes;
    content = template_expand(name, content, kind == LOAD_DYNAMIC, arena, diag);
    if (diag->mistakes != mistakes)
        return NULL;
    return yaml_read(arena, diag_source_view(arena, name, content), diag);
}

struct node *load_text(struct str name, struct str content, enum load_kind kind,
                       struct arena *arena, struct diag *diag)
{
    return read_text(name, arena_str(arena, content), kind, arena, diag);
}

static void report_unreadable(struct str name, int error, struct arena *arena, struct diag *diag)
{
    struct span span = {.source = diag_source(arena, name, STR_NONE)};
    if (error == EFBIG)
        diag_error(diag, span, "larger than %u MiB", LOAD_BYTES_MAX >> 20);
    else
        diag_error(diag, span, "cannot be read: %s", strerror(error));
}

struct node *load_file(const char *path, enum load_kind kind, struct arena *arena,
                       struct diag *diag)
{
    struct str content;
    return load_file_keeping(path, kind, arena, diag, &content);
}

struct node *load_file_keeping(const char *path, enum load_kind kind, struct arena *arena,
                               struct diag *diag, struct str *ret_content)
{
    struct str name = str_from(path);
    *ret_content = STR_NONE;
    if (str_ends_nocase(name, S(".toml"))) {
        struct span span = {.source = diag_source(arena, name, STR_NONE)};
        struct diag_item *item = diag_error(diag, span, "TOML is not read");
        diag_hint(diag, item, "write it as YAML: the options have the same names");
        return NULL;
    }
    if (!file_read(arena, path, LOAD_BYTES_MAX, ret_content)) {
        report_unreadable(name, errno, arena, diag);
        return NULL;
    }
    return read_text(name, *ret_content, kind, arena, diag);
}

bool load_is_file_name(struct str name)
{
    return !str_starts(name, S(".")) &&
           (str_ends_nocase(name, S(".yaml")) || str_ends_nocase(name, S(".yml")) ||
            str_ends_nocase(name, S(".json")));
}
