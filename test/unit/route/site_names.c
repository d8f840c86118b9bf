#include "route/site_names.h"

#include "test.h"

TEST(hosts_find_their_site_in_nginx_s_order)
{
    struct arena arena;
    struct site_names names;
    struct str error;
    size_t offset;
    arena_init(&arena, ARENA_UNLIMITED);
    site_names_init(&names);
    struct perl_regex *regex = perl_regex_new(S("^(?<who>\\w+)\\.b\\.org$"), true, &arena, &error, &offset);
    char sites[8];
    assert_true(site_names_add(&names, S("Example.com"), NULL, &sites[0], &arena));
    assert_true(site_names_add(&names, S("*.example.com"), NULL, &sites[1], &arena));
    assert_true(site_names_add(&names, S("*.deep.example.com"), NULL, &sites[2], &arena));
    assert_true(site_names_add(&names, S("www.*"), NULL, &sites[3], &arena));
    assert_true(site_names_add(&names, S(".dot.net"), NULL, &sites[4], &arena));
    assert_true(site_names_add(&names, S("~"), regex, &sites[5], &arena));
    assert_true(site_names_add(&names, S(""), NULL, &sites[6], &arena));
    assert_false(site_names_add(&names, S("example.com"), NULL, &sites[7], &arena));
    names.fallback = &sites[7];
    static const struct {
        const char *host;
        int site;
    } rows[] = {{"example.com", 0},          {"a.example.com", 1}, {"a.b.example.com", 1}, {"x.deep.example.com", 2}, {"deep.example.com", 1},
                {"www.example.com", 1},      {"www.other.net", 3}, {"www.a.b", 3},         {"dot.net", 4},            {"a.dot.net", 4},
                {"anna.b.org", 5},           {"", 6},              {"unknown", 7},         {"www", 7},                {"example.com.evil", 7}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct captures captures = {.count = 0};
        const struct perl_regex *matched;
        char *site = site_names_find(&names, str_from(rows[i].host), &captures, &matched);
        if (site != &sites[rows[i].site])
            print_error("%s: site %d\n", rows[i].host, (int)(site - sites));
        assert_ptr_equal(site, &sites[rows[i].site]);
        assert_true((matched != NULL) == (rows[i].site == 5));
        if (matched != NULL)
            assert_memory_equal(captures.groups[1].data, "anna", 4);
    }
    site_names_release(&names);
    perl_regex_free(regex);
    arena_release(&arena);
}
