/* What the API says of objects that a lenient part lost: they are disabled, and why. */
#include "test.h"

#include "admin/running.h"
#include "config/bind.h"
#include "config/yaml.h"

static struct running running;

#define OWNER \
    "entryPoints:\n" \
    "  web: {address: '127.0.0.1:81'}\n" \
    "providers: {docker: {}}\n" \
    "http:\n" \
    "  routers:\n" \
    "    all: {rule: 'PathPrefix(`/`)', service: own}\n" \
    "  services: {own: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}}\n"

#define LABELS \
    "http:\n" \
    "  routers:\n" \
    "    api: {rule: 'Host(`a.example`) && PathPrefix(`/api`)', service: app, middlewares: [auth]}\n" \
    "    low: {rule: 'Host(`a.example`)', service: app, middlewares: [auth], priority: 1}\n" \
    "    empty: {rule: 'Host(`empty.example`)', service: empty}\n" \
    "  middlewares: {auth: {basicAuth: {usersFile: /nonexistent/users}}}\n" \
    "  services:\n" \
    "    app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}\n" \
    "    bad: {loadBalancer: {serversTransport: gone, servers: [{url: 'http://127.0.0.1:9'}]}}\n" \
    "    empty: {loadBalancer: {servers: []}}\n"

static void add_labels(struct model *model)
{
    struct diag diag;
    diag_init(&diag, &model->arena);
    const struct node *root = yaml_read(&model->arena, diag_source(&model->arena, S("labels.yaml"), S(LABELS)), &diag);
    const struct dynamic_config *dynamic = bind_new(&dynamic_table, root, NULL, &model->arena, &diag);
    assert_int_equal(diag.errors, 0);
    model_add_lenient_part(model, S("docker"), &dynamic->http, &dynamic->tls);
    diag_release(&diag);
}

static void assert_disabled(const char *path, const char *reason)
{
    json_t *item = running_json(&running, path, "", 200);
    assert_string_equal(json_string_value(json_object_get(item, "status")), "disabled");
    const json_t *errors = json_object_get(item, "error");
    assert_string_equal(json_string_value(json_is_array(errors) ? json_array_get(errors, 0) : errors), reason);
    json_decref(item);
}

#define WHY "cannot read '/nonexistent/users': No such file or directory"

TEST(lenient_objects_that_were_left_out_are_shown_as_disabled)
{
    running_start(&running, OWNER, add_labels);
    assert_disabled("/api/http/routers/api@docker", "middleware 'auth@docker' was left out: " WHY);
    assert_disabled("/api/http/middlewares/auth@docker", WHY);
    assert_disabled("/api/http/services/bad@docker", "there is no serversTransport 'gone@docker', no serversTransport is defined");
    json_t *empty = running_json(&running, "/api/http/services/empty@docker", "", 200);
    assert_string_equal(json_string_value(json_object_get(empty, "status")), "enabled");
    json_decref(empty);
    json_t *router = running_json(&running, "/api/http/routers/api@docker", "", 200);
    assert_string_equal(json_string_value(json_object_get(router, "rule")), "Host(`a.example`) && PathPrefix(`/api`)");
    json_decref(router);
    json_t *problems = running_json(&running, "/api/portico/problems", "", 200);
    assert_true(json_array_size(problems) >= 4);
    json_decref(problems);
    running_stop(&running);
}

static void assert_left_out(const char *query, const char *router, const char *left_out)
{
    json_t *told = running_json(&running, "/api/portico/explain", query, 200);
    const json_t *found = json_object_get(told, "leftOut");
    if (router == NULL)
        assert_true(json_is_null(json_object_get(told, "router")));
    else
        assert_string_equal(json_string_value(json_object_get(told, "router")), router);
    if (left_out == NULL) {
        assert_true(json_is_null(found));
    } else {
        assert_string_equal(json_string_value(json_object_get(found, "router")), left_out);
        assert_string_equal(json_string_value(json_object_get(found, "reason")), "middleware 'auth@docker' was left out: " WHY);
    }
    json_decref(told);
}

TEST(lenient_router_that_was_left_out_is_told_by_explain_where_it_would_have_matched)
{
    running_start(&running, OWNER, add_labels);
    assert_left_out("url=http://a.example/api/x", NULL, "api@docker");      /* and not all@file */
    /* One with a lower priority than who takes the request would not have seen it. */
    assert_left_out("url=http://a.example/", "all@file", NULL);
    assert_left_out("url=http://b.example/api/x", "all@file", NULL);
    running_stop(&running);
}

TEST(lenient_service_without_servers_is_explained_and_counted_as_any_other)
{
    running_start(&running, OWNER, add_labels);
    json_t *told = running_json(&running, "/api/portico/explain", "url=http://empty.example/", 200);
    assert_string_equal(json_string_value(json_object_get(told, "router")), "empty@docker");
    assert_true(json_is_null(json_object_get(told, "server")));
    json_decref(told);
    static const char *const paths[] = {"/api/http/services", "/api/portico/servers", "/api/portico/map",
                                        "/api/overview", "/api/rawdata"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        json_decref(running_json(&running, paths[i], "", 200));
    running_stop(&running);
}
