#include "scene.h"

static void assert_owners(const char *label, const char *words)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS(label, "text"));
    scene_discover();
    const char *said = scene_diag();
    if (strstr(said, words) == NULL || strstr(said, "Portico's own configuration") == NULL || strstr(said, label) == NULL)
        fail_msg("%s: %s", label, said);
    scene_end();
}

TEST(what_is_everybodys_is_not_taken_from_labels_and_says_where_it_belongs)
{
    assert_owners("portico.http.variables.v.map.value", "'variables' are not taken from labels");
    assert_owners("traefik.http.mediaTypes.mine.default", "'mediaTypes' are not taken from labels");
    assert_owners("portico.http.sites.s.names", "'sites' are not taken from labels");
    assert_owners("portico.variables.v", "'variables' are not taken from labels");
    assert_owners("portico.mediatypes.mine", "'mediaTypes' are not taken from labels");
    assert_owners("traefik.entrypoints.web.address", "'entryPoints' are not taken from labels");
}

TEST(a_router_with_a_location_gets_no_rule_by_itself)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("portico.http.routers.a.location.site", "shop@file", "portico.http.routers.a.location.path", "/a/"));
    scene_discover();
    assert_string_equal(scene_diag(), "");
    assert_str_equal(scene_router("a")->rule, S(""));
    assert_str_equal(scene_router("a")->service, S("a"));
    assert_str_equal(scene_router("a")->location->site, S("shop@file"));
    scene_end();
}

TEST(a_rule_beside_a_location_is_a_mistake_that_says_so)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("portico.http.routers.a.rule", "Host(`a`)", "portico.http.routers.a.location.site", "shop@file",
                     "portico.http.routers.a.location.path", "/a/"));
    scene_discover();
    assert_non_null(strstr(scene_diag(), "a router has a rule or a location, not both"));
    scene_end();
}
