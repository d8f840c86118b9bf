#include "test.h"

#include <jansson.h>
#include <stdlib.h>

#include "config/schema.h"
#include "model/model.h"
#include "sample.h"

static json_t *schema_of(const struct option_table *table)
{
    struct text out;
    text_init(&out, 8 << 20);
    schema_write(table, "Sample", &out);
    json_error_t error;
    json_t *schema = json_loadb(out.data, out.len, 0, &error);
    text_release(&out);
    assert_non_null(schema);
    return schema;
}

static json_t *walk(json_t *schema, const char *path)
{
    struct str rest = str_from(path), part;
    while (str_split(&rest, '/', &part))
        schema = json_object_getn(schema, part.data, part.len);
    return schema;
}

static void assert_json(json_t *schema, const char *path, const char *expected)
{
    char *text = json_dumps(walk(schema, path), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

TEST(schema_has_types_bounds_defaults_and_descriptions)
{
    json_t *schema = schema_of(&sample_table);
    assert_json(schema, "$schema", "\"https://json-schema.org/draft/2020-12/schema\"");
    assert_json(schema, "additionalProperties", "false");
    assert_json(schema, "properties/workers",
                "{\"type\":\"integer\",\"minimum\":1,\"maximum\":64,\"description\":\"Threads.\",\"default\":2}");
    assert_json(schema, "properties/watch/default", "true");
    assert_json(schema, "properties/level/enum", "[\"low\",\"high\"]");
    assert_json(schema, "properties/listen/deprecated", "true");
    assert_json(schema, "properties/hosts/type", "[\"array\",\"string\"]");
    assert_json(schema, "properties/routers/additionalProperties/required", "[\"rule\"]");
    assert_json(schema, "properties/routers/additionalProperties/properties/servers/items/additionalProperties",
                "false");
    assert_json(schema, "properties/middlewares/additionalProperties/oneOf",
                "[{\"required\":[\"stripPrefix\"]},{\"required\":[\"headers\"]},{\"required\":[\"header\"]}]");
    assert_null(walk(schema, "properties/pilot"));
    json_decref(schema);
}

struct tree {
    const struct node *origin;
    struct objects children;
};
static const struct option_table tree_table;
static const struct option tree_options[] = {
    OPTION(MAP, struct tree, children, .table = &tree_table, .help = "Below."),
};
static const struct option_table tree_table =
    OPTION_TABLE(struct tree, tree_options, .summary = "Holds its like.");

TEST(schema_of_a_table_that_holds_itself_refers_to_it)
{
    json_t *schema = schema_of(&tree_table);
    assert_json(schema, "properties/children/additionalProperties", "{\"$ref\":\"#\"}");
    json_decref(schema);
}

TEST(schema_of_the_model_can_be_read)
{
    json_t *schema = schema_of(&config_table);
    assert_non_null(walk(schema, "properties/entryPoints/additionalProperties/properties/address"));
    json_decref(schema);
}
