/* The description of the API (web/openapi.json) and the routes that there are. That it describes no others is test_openapi.py's. */
#include <jansson.h>

#include "test.h"

#include "admin/assets.h"
#include "admin/call.h"
#include "admin/feed.h"

static json_t *description(void)
{
    const struct asset *asset = asset_find(S("openapi.json"));
    assert_non_null(asset);
    struct str content = asset_content(asset);
    json_error_t error;
    json_t *root = json_loadb(content.data, content.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("openapi.json:%d: %s", error.line, error.text);
    return root;
}

static void assert_described(json_t *root, const char *path, const char *method)
{
    json_t *operation = json_object_get(json_object_get(json_object_get(root, "paths"), path), method);
    if (!json_is_object(operation))
        fail_msg("openapi.json does not describe %s %s", method, path);
    const char *summary = json_string_value(json_object_get(operation, "summary"));
    assert_true(summary != NULL && summary[0] != '\0');
}

TEST(openapi_describes_every_route)
{
    json_t *root = description();
    unsigned count = 0;
    REGISTRY_FOREACH(admin_route, const struct admin_route, it) {
        if (str_starts(str_from((*it)->path), S("/test/")))
            continue;
        assert_described(root, (*it)->path, strcmp((*it)->method, "GET") == 0 ? "get" : "post");
        count++;
    }
    REGISTRY_FOREACH(admin_stream, const struct admin_stream, it)
        assert_described(root, (*it)->path, "get");
    assert_true(count >= 6);
    json_decref(root);
}
