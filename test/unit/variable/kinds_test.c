#include "middleware/rig.h"
#include "test.h"

#include "config/bind.h"
#include "config/yaml.h"
#include "exchange/variable_kind.h"
#include "variable/address_table.h"

static const struct variable_kind *kind_named(const char *name)
{
    REGISTRY_FOREACH(variable_kind, const struct variable_kind, it)
        if (strcmp((*it)->choice.name, name) == 0)
            return *it;
    fail_msg("there is no kind %s", name);
    return NULL;
}

struct computed {
    const struct variable_kind *kind;
    void *state;
    bool good;
};

static struct computed computed_by(struct rig *rig, const char *kind, const char *yaml)
{
    struct computed it = {.kind = kind_named(kind)};
    const struct source *source = diag_source(&rig->arena, S("c.yaml"), str_from(yaml));
    size_t errors = rig->diag.errors;
    const void *options = bind_new(it.kind->choice.table, yaml_read(&rig->arena, source, &rig->diag), NULL, &rig->arena, &rig->diag);
    it.state = arena_zalloc(&rig->arena, it.kind->state_size);
    it.good = rig->diag.errors == errors && it.kind->compile(options, it.state, &rig->compile);
    return it;
}

static void release(struct computed *it)
{
    if (it->kind->destroy != NULL)
        it->kind->destroy(it->state);
}

static struct str value_for(struct rig *rig, const struct computed *it, const char *query)
{
    rig_begin(rig, "GET", "http://a.example/");
    rig->x.stream.request.query = str_from(query);
    return it->kind->get(it->state, &rig->x);
}

struct value_case {
    const char *query, *value;
};

static void check(struct rig *rig, const struct computed *it, const struct value_case *cases, size_t count)
{
    assert_true(it->good);
    for (size_t i = 0; i < count; i++)
        assert_str_equal(value_for(rig, it, cases[i].query), str_from(cases[i].value));
}
#define CHECK(rig, it, cases) check((rig), (it), (cases), sizeof(cases) / sizeof((cases)[0]))

TEST(a_map_finds_texts_then_suffixes_then_prefixes_then_expressions_then_its_default)
{
    static const struct value_case cases[] = {
        {"a.example.com", "star"},      {"b.a.example.com", "star a"}, {"example.com", "dot"},  {"EXAMPLE.org", "exact"},
        {"example.org.", "exact"},      {"www.example.net", "www"},    {"www.example.a.b", "www"}, {"regex-Case", "sensitive Case"},
        {"REGEX-x", "insensitive x"},   {"nothing", "none"},           {"", "none"},               {"~tilde", "tilde"},
        {"www.example.a.example.com", "star a"},
    };
    struct rig rig;
    rig_init(&rig);
    struct computed it = computed_by(&rig, "map",
                     "source: \"${args}\"\nhostnames: true\ndefault: none\nvalues:\n"
                     "  \"*.example.com\": star\n  \"*.a.example.com\": star a\n  example.com: dot\n"
                     "  example.org: exact\n  \"www.example.*\": www\n"
                     "  \"~^regex-(.*)$\": \"sensitive ${1}\"\n  \"~*^regex-(?<rest>.*)$\": \"insensitive ${rest}\"\n"
                     "  \"\\\\~tilde\": tilde\n");
    CHECK(&rig, &it, cases);
    release(&it);
    rig_release(&rig);
}

TEST(a_map_without_hostnames_takes_stars_as_they_are)
{
    static const struct value_case cases[] = {{"*.x", "star"}, {"a.x", ""}, {"A", "letter"}};
    struct rig rig;
    rig_init(&rig);
    struct computed it = computed_by(&rig, "map", "source: \"${args}\"\nvalues: {\"*.x\": star, a: letter}\n");
    CHECK(&rig, &it, cases);
    release(&it);
    rig_release(&rig);
}

TEST(a_geo_gives_the_value_of_the_smallest_network_or_range)
{
    static const struct value_case cases[] = {
        {"10.0.0.1", "ten"},      {"10.1.0.0", "ten one"}, {"10.1.2.3", "host"},  {"10.1.2.4", "ten one"}, {"10.2.0.0", "ten"},
        {"9.255.255.255", "?"},   {"11.0.0.0", "?"},       {"192.0.2.5", "few"},  {"192.0.2.10", "?"},     {"::1", "six"},
        {"2001:db8::1", "doc"},   {"255.255.255.255", "?"}, {"no address", "?"},
    };
    struct rig rig;
    rig_init(&rig);
    struct computed it = computed_by(&rig, "geo",
                                     "source: \"${args}\"\ndefault: \"?\"\nnetworks:\n  10.0.0.0/8: ten\n  10.1.0.0/16: ten one\n"
                                     "  10.1.2.3: host\n  192.0.2.1-192.0.2.9: few\n  \"::/0\": six\n  \"2001:db8::/32\": doc\n");
    CHECK(&rig, &it, cases);
    release(&it);
    rig_release(&rig);
}

TEST(a_geo_asks_its_proxies_whom_they_serve)
{
    struct rig rig;
    rig_init(&rig);
    struct computed one = computed_by(&rig, "geo", "proxies: [192.0.2.0/24, 198.51.100.1]\nnetworks: {10.0.0.0/8: ten, 198.51.100.1: proxy}\n");
    struct computed all = computed_by(&rig, "geo", "proxies: [192.0.2.0/24, 198.51.100.1]\nproxyRecursive: true\nnetworks: {10.0.0.0/8: ten}\n");
    assert_true(one.good && all.good);
    rig_begin(&rig, "GET", "http://a.example/");
    rig_field(&rig, "X-Forwarded-For", "203.0.113.1, 10.0.0.1, 198.51.100.1");
    assert_str_equal(one.kind->get(one.state, &rig.x), S("proxy"));
    assert_str_equal(all.kind->get(all.state, &rig.x), S("ten"));
    release(&one);
    release(&all);
    rig_release(&rig);
}

TEST(ranges_that_cross_are_refused)
{
    struct rig rig;
    rig_init(&rig);
    struct computed it = computed_by(&rig, "geo", "networks: {10.0.0.1-10.0.0.9: a, 10.0.0.5-10.0.0.20: b}\n");
    assert_false(it.good);
    assert_non_null(strstr(rig_reported(&rig), "overlaps"));
    release(&it);
    it = computed_by(&rig, "geo", "networks: {10.0.0.256: a}\n");
    assert_false(it.good);
    release(&it);
    rig_release(&rig);
}

TEST(the_edges_of_all_addresses_have_values_too)
{
    struct address_table table = {0};
    struct address_range one, other;
    struct ip first, last, ip;
    assert_true(address_range_parse(S("::/0"), &first, &last));
    address_table_add(&table, &first, &last, "all");
    assert_true(address_range_parse(S("ffff::/16"), &first, &last));
    address_table_add(&table, &first, &last, "end");
    assert_true(address_table_settle(&table, &one, &other));
    assert_true(ip_parse(S("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), &ip));
    assert_string_equal(address_table_find(&table, &ip), "end");
    assert_true(ip_parse(S("::"), &ip));
    assert_string_equal(address_table_find(&table, &ip), "all");
    address_table_release(&table);
}

TEST(clients_are_split_as_others_split_them)
{
    /* The hashes of these are 0, 0.268 and 0.785 of the whole. */
    static const struct value_case cases[] = {{"", "first"}, {"hello world", "second"}, {"192.0.2.1", "rest"}};
    struct rig rig;
    rig_init(&rig);
    struct computed it = computed_by(&rig, "splitClients",
                                     "source: \"${args}\"\nparts: [{percent: 20, value: first}, {percent: 30.5, value: second}, {value: rest}]\n");
    for (size_t i = 0; i < 3; i++) {
        rig_begin(&rig, "GET", "http://a.example/");
        rig.x.stream.request.query = str_from(cases[i].query);
        assert_str_equal(it.kind->get(it.state, &rig.x), str_from(cases[i].value));
    }
    release(&it);
    assert_false(computed_by(&rig, "splitClients", "source: x\nparts: [{percent: 60}, {percent: 50}]\n").good);
    rig_release(&rig);
}
