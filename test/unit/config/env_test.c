#include "test.h"

#include "config/bind.h"
#include "config/env.h"
#include "fixture.h"
#include "sample.h"

static struct fixture f;

static struct sample *read(const char *const *entries)
{
    char *environment[32];
    static const char *const ignored[] = {"CONFIG", NULL};
    size_t count = 0;
    fixture_init(&f);
    for (; entries[count] != NULL; count++)
        environment[count] = (char *)(uintptr_t)entries[count];
    environment[count] = NULL;
    struct node *root = env_read(environment, &sample_table, ignored, &f.arena, &f.diag);
    return bind_new(&sample_table, root, NULL, &f.arena, &f.diag);
}
#define READ(...) read((const char *const[]){__VA_ARGS__, NULL})

TEST(env_finds_options_through_names_and_indexes)
{
    struct sample *s =
        READ("PATH=/bin", "TRAEFIK_ADDRESS=:1", "PORTICO_LIMITS_RATIO=0.25", "TRAEFIK_ROUTERS_API_RULE=x",
             "TRAEFIK_ROUTERS_MY_OWN_API_SERVERS_1_URL=u1", "TRAEFIK_ROUTERS_MY_OWN_API_SERVERS_0_URL=u0",
             "TRAEFIK_ROUTERS_MY_OWN_API_RULE=y", "TRAEFIK_HEADERS_ADD_X_A=1", "TRAEFIK_HEADERS=true",
             "PORTICO_CONFIG=x.yaml");
    assert_string_equal(fixture_rendered(&f), "");
    assert_str_equal(s->address, S(":1"));
    assert_true(s->limits.ratio < 0.3);
    assert_int_equal(s->routers.count, 2);
    assert_str_equal(s->routers.items[0].name, S("api"));
    assert_str_equal(s->routers.items[1].name, S("my_own_api"));
    struct sample_router *router = s->routers.items[1].value;
    assert_int_equal(router->servers.count, 2);
    assert_str_equal(s->headers->add.items[0].name, S("x_a"));
    fixture_release(&f);
}

TEST(env_of_our_own_name_wins)
{
    struct sample *s = READ("PORTICO_WORKERS=5", "TRAEFIK_WORKERS=4");
    assert_int_equal(s->workers, 5);
    fixture_release(&f);
}

TEST(env_warns_of_what_is_no_option)
{
    READ("TRAEFIK_VERSION=v3", "PORTICO_LIMITS_TIMEOT=1s", "TRAEFIK_ROUTERS_A_RULE=r",
         "TRAEFIK_ROUTERS_A_SERVERS_0_WEIHGT=1");
    assert_string_equal(fixture_rendered(&f),
                        "PORTICO_LIMITS_TIMEOT: warning: environment variable 'PORTICO_LIMITS_TIMEOT' is no option\n"
                        "  | PORTICO_LIMITS_TIMEOT=1s\n"
                        "  |         ^~~~~~~~~~~~~ did you mean 'PORTICO_LIMITS_TIMEOUT'?\n"
                        "TRAEFIK_ROUTERS_A_SERVERS_0_WEIHGT: warning: environment variable "
                        "'TRAEFIK_ROUTERS_A_SERVERS_0_WEIHGT' is no option\n"
                        "  | TRAEFIK_ROUTERS_A_SERVERS_0_WEIHGT=1\n"
                        "  |         ^~~~~~~~~~~~~~~~~~~~~~~~~~ did you mean 'TRAEFIK_ROUTERS_A_SERVERS_0_WEIGHT'?\n"
                        "TRAEFIK_VERSION: warning: environment variable 'TRAEFIK_VERSION' is no option\n"
                        "  | TRAEFIK_VERSION=v3\n"
                        "  |         ^~~~~~~\n");
    fixture_release(&f);
}

TEST(env_is_silent_about_what_kubernetes_sets)
{
    READ("TRAEFIK_SERVICE_HOST=10.0.0.1", "TRAEFIK_SERVICE_PORT_WEB=80", "TRAEFIK_PORT=tcp://10.0.0.1:80",
         "TRAEFIK_PORT_80_TCP_ADDR=10.0.0.1");
    assert_string_equal(fixture_rendered(&f), "");
    fixture_release(&f);
}

TEST(env_with_a_bad_value_is_an_error_at_the_value)
{
    READ("TRAEFIK_LEVEL=loud");
    assert_string_equal(fixture_rendered(&f), "TRAEFIK_LEVEL: error: expected one of low, high, got 'loud'\n"
                                              "  | TRAEFIK_LEVEL=loud\n"
                                              "  |               ^~~~\n");
    fixture_release(&f);
}
