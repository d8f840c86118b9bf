#include "cli/proxy_plan.h"

#include "test.h"

#include "model/model.h"

struct reading {
    struct arena arena;
    struct diag diag;
    struct flags flags;
    struct proxy_plan plan;
    const char *why;
};

static void read_words(struct reading *reading, const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    arena_init(&reading->arena, ARENA_UNLIMITED);
    diag_init(&reading->diag, &reading->arena);
    assert_true(flags_read(words, count, proxy_flags, &config_table, &reading->arena, &reading->diag, &reading->flags));
    reading->why = proxy_plan_read(&reading->flags, &reading->arena, &reading->plan);
}
#define READ(reading, ...) read_words(reading, (const char *const[]){__VA_ARGS__, NULL})

static void release(struct reading *reading)
{
    diag_release(&reading->diag);
    arena_release(&reading->arena);
}

static void assert_plan(const struct reading *reading, const char *yaml)
{
    struct text text;
    if (reading->why != NULL)
        fail_msg("%s", reading->why);
    text_init(&text, 1 << 16);
    proxy_plan_write(&reading->plan, &text);
    assert_string_equal(text_c(&text), yaml);
    text_release(&text);
}

TEST(a_name_and_an_address_are_a_whole_configuration)
{
    struct reading reading;
    READ(&reading, "--from", "FastAPI.localhost", "--to", "127.0.0.1:8000");
    assert_plan(&reading, "entryPoints:\n  web:\n    address: \":80\"\n  websecure:\n    address: \":443\"\n\n"
                          "automaticHTTPS: true\n\nerrorPages: detailed\n\naccessLog: {}\n\n"
                          "http:\n  routers:\n    \"fastapi.localhost\":\n      rule: \"Host(`fastapi.localhost`)\"\n"
                          "      service: \"fastapi.localhost\"\n\n  services:\n    \"fastapi.localhost\":\n"
                          "      loadBalancer:\n        servers:\n          - url: \"http://127.0.0.1:8000\"\n");
    release(&reading);
}

TEST(names_share_the_servers_that_follow_them)
{
    struct reading reading;
    READ(&reading, "--from=a.localhost:8443", "-f", "b.localhost", "--to", "8001", "--to=:8002", "--from", "https://c.localhost/",
         "--to", "http://other:81", "--http-port", "8080", "--host-header", "server", "--no-access-log", "--email=me@a.example",
         "--insecure-skip-verify");
    assert_plan(&reading, "entryPoints:\n  web:\n    address: \":8080\"\n  websecure:\n    address: \":8443\"\n\n"
                          "automaticHTTPS:\n  email: \"me@a.example\"\n\nerrorPages: detailed\n\nserversTransport:\n  insecureSkipVerify: true\n\n"
                          "http:\n  routers:\n    \"a.localhost\":\n      rule: \"Host(`a.localhost`) || Host(`b.localhost`)\"\n"
                          "      service: \"a.localhost\"\n    \"c.localhost\":\n      rule: \"Host(`c.localhost`)\"\n"
                          "      service: \"c.localhost\"\n\n  services:\n    \"a.localhost\":\n      loadBalancer:\n"
                          "        passHostHeader: false\n        servers:\n          - url: \"http://127.0.0.1:8001\"\n"
                          "          - url: \"http://127.0.0.1:8002\"\n    \"c.localhost\":\n      loadBalancer:\n"
                          "        passHostHeader: false\n        servers:\n          - url: \"http://other:81\"\n");
    release(&reading);
}

TEST(a_host_of_its_own_is_a_middleware)
{
    struct reading reading;
    READ(&reading, "--to", "8000", "--host-header", "app.example", "--access-log", "/var/log/a b.log");
    assert_plan(&reading, "entryPoints:\n  web:\n    address: \":80\"\n  websecure:\n    address: \":443\"\n\n"
                          "automaticHTTPS: true\n\nerrorPages: detailed\n\naccessLog:\n  filePath: \"/var/log/a b.log\"\n\n"
                          "http:\n  routers:\n    \"localhost\":\n      rule: \"Host(`localhost`)\"\n      service: \"localhost\"\n"
                          "      middlewares: [host]\n\n  middlewares:\n    host:\n      headers:\n"
                          "        customRequestHeaders:\n          Host: \"app.example\"\n\n  services:\n    \"localhost\":\n"
                          "      loadBalancer:\n        servers:\n          - url: \"http://127.0.0.1:8000\"\n");
    release(&reading);
}

TEST(an_address_in_brackets_is_a_name_with_or_without_a_port)
{
    struct reading reading;
    READ(&reading, "--from", "[::1]:8443", "--to", "8000");
    assert_null(reading.why);
    assert_str_equal(reading.plan.routes[0].names.items[0], S("[::1]"));
    assert_int_equal(reading.plan.https_port, 8443);
    release(&reading);
    READ(&reading, "--from", "[::1]", "--to", "8000");
    assert_null(reading.why);
    assert_int_equal(reading.plan.https_port, 443);
    release(&reading);
}

TEST(what_cannot_be_meant_is_told_with_what_to_write)
{
    static const struct {
        const char *words[8], *why;
    } cases[] = {
        {{"--from", "a.localhost"}, "--from a.localhost has no --to behind it: where do its requests go?"},
        {{"--no-access-log"}, "where do requests go? Give --to, such as --to 127.0.0.1:8000"},
        {{"--from", "http://a.localhost", "--to", "80"},
         "--from http://a.localhost: what is served is HTTPS; write --from a.localhost"},
        {{"--from", "a.localhost/x", "--to", "80"},
         "--from a.localhost/x: a name is served with all its paths; write --from a.localhost"},
        {{"--from", "a b", "--to", "80"},
         "--from a b: 'a b' is no host name; write NAME[:PORT], such as app.localhost"},
        {{"--from", ":8443", "--to", "80"},
         "--from :8443: '' is no host name; write NAME[:PORT], such as app.localhost"},
        {{"--from", "a:443", "--from", "A:443", "--to", "80"}, "--from a is given twice"},
        {{"--from", "a:1", "--from", "b:2", "--to", "80"}, "one port of HTTPS serves all names, but 1 and 2 are given"},
        {{"--from", "a:70000", "--to", "80"}, "--from: '70000' is no port (1 to 65535)"},
        {{"--from", "a:80", "--to", "80"}, "HTTP and HTTPS cannot both have port 80"},
        {{"--to", "80", "--http-port", "x"}, "--http-port: 'x' is no port (1 to 65535)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading;
        read_words(&reading, cases[i].words);
        assert_non_null(reading.why);
        assert_string_equal(reading.why, cases[i].why);
        release(&reading);
    }
}

TEST(a_server_that_is_none_is_told)
{
    struct reading reading;
    READ(&reading, "--to", "http://a:b");
    assert_non_null(reading.why);
    assert_non_null(strstr(reading.why, "--to http://a:b has a port"));
    release(&reading);
}
