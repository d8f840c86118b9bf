#include "provider/docker/naming.h"

static const struct str project_key = STR("com.docker.compose.project"), service_key = STR("com.docker.compose.service");

struct str naming_label(const struct container *container, struct str key)
{
    for (size_t i = 0; i < container->label_count; i++)
        if (str_equal(container->labels[i].key, key))
            return container->labels[i].value.data != NULL ? container->labels[i].value : S("");
    return STR_NONE;
}

static bool is_word(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || (unsigned char)c >= 0x80;
}

struct str naming_normalize(struct str name, struct arena *arena)
{
    char *out = arena_alloc(arena, name.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_word(name.data[i]))
            continue;
        if (len != 0 && !is_word(name.data[i - 1]))
            out[len++] = '-';
        out[len++] = name.data[i];
    }
    out[len] = '\0';
    return str_of(out, len);
}

/* Both labels of Compose, or neither. */
static bool compose_names(const struct container *container, struct str *ret_project, struct str *ret_service)
{
    *ret_project = naming_label(container, project_key);
    *ret_service = naming_label(container, service_key);
    return ret_project->data != NULL && ret_service->data != NULL;
}

struct str naming_of(const struct container *container, struct arena *arena)
{
    struct str project, service;
    if (compose_names(container, &project, &service))
        return naming_normalize(arena_printf(arena, "%.*s_%.*s", STR_ARGS(service), STR_ARGS(project)), arena);
    return naming_normalize(str_empty(container->service) ? container->name : container->service, arena);
}

struct str naming_family(const struct container *container, struct arena *arena)
{
    struct str project, service;
    if (!str_empty(container->service))
        return container->service;
    if (!compose_names(container, &project, &service))
        return STR_NONE;
    /* Neither has a slash. */
    return arena_printf(arena, "%.*s/%.*s", STR_ARGS(project), STR_ARGS(service));
}
