#include "test.h"

#include "config/bind.h"
#include "config/labels.h"
#include "fixture.h"
#include "sample.h"

static struct fixture f;

static struct sample *read(const struct label *labels, size_t count)
{
    fixture_init(&f);
    struct node *root = labels_read(labels, count, STR_NONE, &f.arena, &f.diag);
    return bind_new(&sample_table, root, NULL, &f.arena, &f.diag);
}
#define LABEL(name, text) {.key = STR(name), .value = STR(text)}
#define READ(...) \
    read((const struct label[]){__VA_ARGS__}, \
         sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label))

TEST(labels_become_options_whatever_their_order)
{
    struct sample *s = READ(LABEL("traefik.routers.Api.servers[1].url", "u1"),
                            LABEL("Traefik.Routers.Api.Rule", "Host(`a`)"),
                            LABEL("traefik.routers.Api.servers[0].url", "u0"),
                            LABEL("traefik.headers", "true"),
                            LABEL("traefik.headers.add.x-a", "1"),
                            LABEL("com.docker.compose.project", "p"),
                            LABEL("portico.workers", "7"), LABEL("traefik.workers", "6"));
    assert_string_equal(fixture_rendered(&f), "");
    assert_int_equal(s->workers, 7);
    assert_int_equal(s->routers.count, 1);
    struct sample_router *router = s->routers.items[0].value;
    struct sample_server *server = router->servers.items[1].value;
    assert_str_equal(server->url, S("u1"));
    assert_int_equal(s->headers->add.count, 1);
    fixture_release(&f);
}

TEST(labels_that_are_wrong_are_named)
{
    READ(LABEL("traefik.routers.a.rule", "Hots(`a`)"), LABEL("traefik.routers.a..x", "1"),
         LABEL("traefick.enable", "true"), LABEL("traefik.servers[x].url", ""));
    assert_string_equal(
        fixture_rendered(&f),
        "traefick.enable: warning: label 'traefick.enable' is not read\n"
        "  | traefick.enable=true\n"
        "  | ^~~~~~~~ did you mean 'traefik'?\n"
        "traefik.routers.a..x: error: this is no path, or it cannot go with the other labels\n"
        "  | traefik.routers.a..x=1\n"
        "  |         ^~~~~~~~~~~~\n"
        "traefik.routers.a.rule: error: 'Hots(`a`)' names no matcher\n"
        "  | traefik.routers.a.rule=Hots(`a`)\n"
        "  |                        ^~~~\n"
        "  = in router 'a'\n"
        "traefik.servers[x].url: error: this is no path, or it cannot go with the other labels\n"
        "  | traefik.servers[x].url=\n"
        "  |         ^~~~~~~~~~~~~~\n");
    fixture_release(&f);
}
