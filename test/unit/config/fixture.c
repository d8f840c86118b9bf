#include "fixture.h"

#include "config/yaml.h"

void fixture_init(struct fixture *fixture)
{
    arena_init(&fixture->arena, ARENA_UNLIMITED);
    diag_init(&fixture->diag, &fixture->arena);
}

void fixture_release(struct fixture *fixture)
{
    diag_release(&fixture->diag);
    arena_release(&fixture->arena);
}

struct node *fixture_yaml(struct fixture *fixture, const char *text)
{
    const struct source *source = diag_source(&fixture->arena, S("c.yaml"), str_from(text));
    return yaml_read(&fixture->arena, source, &fixture->diag);
}

const char *fixture_rendered(struct fixture *fixture)
{
    struct text text;
    text_init(&text, 1 << 20);
    diag_sort(&fixture->diag);
    diag_render(&fixture->diag, false, &text);
    struct str copy = arena_str(&fixture->arena, text_str(&text));
    text_release(&text);
    return copy.data;
}
