#include "admin/certs_list.h"

#include "test.h"

#include <jansson.h>

#define NOW INT64_C(1795341600)      /* 2026-11-22T10:00:00Z */
#define DAY INT64_C(86400)

static struct strs names(struct arena *arena, const char *text)
{
    struct str rest = str_from(text), part;
    struct strs strs = {.items = arena_array(arena, struct str, 8)};
    while (str_split(&rest, ' ', &part))
        strs.items[strs.count++] = part;
    return strs;
}

static struct str shown(const struct cert_rows *rows, bool color, struct arena *arena)
{
    struct text text;
    text_init(&text, 1 << 20);
    certs_show(rows, NOW, color, &text);
    struct str copy = arena_str(arena, text_str(&text));
    text_release(&text);
    return copy;
}

struct bench {
    struct arena arena;
    struct graph graph;
    struct model model;
    struct cert_rows roots;
    struct acme_entry items[2];
    struct acme_entries entries;
    struct certificate_want wants[2];
    struct certificate file;
    struct certificate *files[1];
};

static void set_up(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    struct arena *arena = &bench->arena;
    arena_init(arena, ARENA_UNLIMITED);
    bench->items[0] = (struct acme_entry){.names = names(arena, "b.example www.b.example"), .resolver = S("le"),
                                          .issuer = S("CN=R11,O=Let's Encrypt,C=US"), .key = S("ECDSA"), .not_before = NOW - 30 * DAY,
                                          .not_after = NOW + 60 * DAY, .renew_at = NOW + 30 * DAY, .progress = ACME_ISSUED};
    bench->items[1] = (struct acme_entry){.names = names(arena, "c.example"), .resolver = S("le"), .progress = ACME_WAITING,
                                          .failure = S("c.example: tls-alpn-01: refused"), .hint = S("open port 443"),
                                          .failures = 2, .next_try = NOW + 300};
    bench->entries = (struct acme_entries){bench->items, 2};
    bench->wants[0] = (struct certificate_want){.resolver = S("le"), .names = names(arena, "b.example")};
    bench->wants[1] = (struct certificate_want){.resolver = RESOLVER_LOCAL, .names = names(arena, "app.localhost")};
    bench->file = (struct certificate){.names = names(arena, "a.example"), .kind = KEY_RSA, .issuer = S("CN=Our CA"),
                                       .source = S("file /a.pem"), .not_after = NOW - 3 * DAY};
    bench->files[0] = &bench->file;
    bench->graph.model = &bench->model;
    bench->graph.wants = bench->wants;
    bench->graph.want_count = 2;
    bench->graph.certificates = bench->files;
    bench->graph.certificate_count = 1;
}

TEST(certificates_are_listed_with_their_ends_renewals_and_problems)
{
    struct bench bench;
    set_up(&bench);
    struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
    assert_true(rows.any_expired);
    assert_string_equal(shown(&rows, false, &bench.arena).data,
                        "NAME            ISSUER  KEY    EXPIRES                  RENEWAL                  SOURCE\n"
                        "a.example       Our CA  RSA    2026-11-19 (3 days ago)  -                        file /a.pem\n"
                        "app.localhost   -       -      made at each start       -                        the local CA\n"
                        "b.example (+1)  R11     ECDSA  2027-01-21 (in 60 days)  2026-12-22 (in 30 days)  le\n"
                        "c.example       -       -      not there yet            -                        le\n"
                        "  c.example: tls-alpn-01: refused; the next try is in 5 minutes\n"
                        "  = open port 443\n");
    assert_true(str_find(shown(&rows, true, &bench.arena), S("\033[31m2026-11-19 (3 days ago)\033[0m")) > 0);
    arena_release(&bench.arena);
}

TEST(certificates_as_json_are_json)
{
    struct bench bench;
    struct text text;
    set_up(&bench);
    struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
    text_init(&text, 1 << 20);
    certs_show_json(&rows, NOW, &text);
    json_t *array = json_loads(text_c(&text), 0, NULL);
    assert_int_equal(json_array_size(array), 4);
    const json_t *first = json_array_get(array, 0), *third = json_array_get(array, 2);
    assert_true(json_is_true(json_object_get(first, "expired")));
    assert_string_equal(json_string_value(json_object_get(first, "keyType")), "RSA");
    assert_string_equal(json_string_value(json_object_get(third, "notAfter")), "2027-01-21T10:00:00Z");
    assert_string_equal(json_string_value(json_array_get(json_object_get(third, "names"), 1)), "www.b.example");
    assert_string_equal(json_string_value(json_object_get(third, "state")), "issued");
    assert_true(json_is_null(json_object_get(third, "problem")));
    json_decref(array);
    text_release(&text);
    arena_release(&bench.arena);
}

TEST(a_want_that_a_file_covers_is_not_missing)
{
    struct bench bench;
    set_up(&bench);
    bench.file.names = names(&bench.arena, "*.localhost");
    struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
    assert_int_equal(rows.count, 3);
    arena_release(&bench.arena);
}

TEST(a_want_that_another_resolvers_certificate_covers_is_not_missing)
{
    static const char *const covering[] = {"b.example www.b.example", "*.example"};
    struct bench bench;
    set_up(&bench);
    bench.wants[0].resolver = S("other");
    for (size_t i = 0; i < 2; i++) {
        bench.items[0].names = names(&bench.arena, covering[i]);
        struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
        assert_int_equal(rows.count, 4);
    }
    bench.items[0].names = names(&bench.arena, "*.b.example");
    assert_int_equal(certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena).count, 5);
    arena_release(&bench.arena);
}

TEST(what_a_ca_says_moves_no_cursor)
{
    struct bench bench;
    set_up(&bench);
    bench.items[1].names = names(&bench.arena, "c\033[2J.example");
    bench.items[1].failure = S("one\ntwo\x1b]0;title\x07 \xc2\x9b" "2J \xc3\xa4");
    bench.items[1].hint = S("three\r\x7f");
    struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
    struct str text = shown(&rows, false, &bench.arena);
    assert_true(str_find(text, S("  one two ]0;title    2J \xc3\xa4; the next try")) > 0);
    assert_true(str_find(text, S("c [2J.example")) > 0);
    assert_true(str_find(text, S("  = three  \n")) > 0);
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char)text.data[i] >= ' ' || text.data[i] == '\n');
    arena_release(&bench.arena);
}

TEST(no_certificates_are_told_as_such)
{
    struct bench bench;
    set_up(&bench);
    bench.graph.want_count = bench.graph.certificate_count = 0;
    bench.entries.count = 0;
    struct cert_rows rows = certs_collect(&bench.graph, &bench.entries, &bench.roots, NOW, &bench.arena);
    assert_string_equal(shown(&rows, false, &bench.arena).data, "there are no certificates, and none are asked for\n");
    assert_false(rows.any_expired);
    arena_release(&bench.arena);
}

TEST(spans_are_told_in_the_largest_unit_that_says_enough)
{
    static const struct {
        int64_t to;
        const char *text;
    } cases[] = {{0, "in 0 seconds"}, {1, "in 1 second"}, {90, "in 90 seconds"}, {7200, "in 2 hours"}, {7199, "in 119 minutes"},
                 {2 * DAY, "in 2 days"}, {-3 * DAY, "3 days ago"}, {-60, "60 seconds ago"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CERTS_SPAN_SIZE];
        certs_span(0, cases[i].to, text);
        assert_string_equal(text, cases[i].text);
    }
}
