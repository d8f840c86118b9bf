/* A table that holds itself is referred to by a pointer to where it stands. */
#include "config/schema.h"

#include <jansson.h>
#include <stdlib.h>

#define DEPTH_MAX 16

struct level {
    const struct option_table *table;
    struct str pointer;   /* "#/properties/http" */
};

struct writer {
    struct arena arena;   /* of pointers */
    struct level open[DEPTH_MAX];
    size_t depth;
};

static json_t *table_schema(struct writer *writer, const struct option_table *table,
                            struct str pointer);

static json_t *of_type(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *names_schema(const struct option_name *names)
{
    json_t *array = json_array();
    for (; names->name != NULL; names++)
        json_array_append_new(array, json_string(names->name));
    return json_pack("{s:o}", "enum", array);
}

static json_t *scalar_schema(void)
{
    return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *int_schema(const struct option *option)
{
    json_t *schema = of_type("integer");
    if (option->min < option->max && option->min != INT64_MIN)
        json_object_set_new(schema, "minimum", json_integer(option->min));
    if (option->min < option->max && option->max != INT64_MAX)
        json_object_set_new(schema, "maximum", json_integer(option->max));
    return schema;
}

static json_t *list_schema(void)
{
    return json_pack("{s:[s,s], s:o}", "type", "array", "string", "items", scalar_schema());
}

static json_t *map_schema(json_t *values)
{
    return json_pack("{s:[s,s], s:o}", "type", "object", "null", "additionalProperties", values);
}

static struct str pointer_to(struct writer *writer, struct str pointer, const char *step,
                             const char *name)
{
    return arena_printf(&writer->arena, "%.*s/%s%s%s", STR_ARGS(pointer), step,
                        name[0] != '\0' ? "/" : "", name);
}

static json_t *option_schema(struct writer *writer, const struct option *option, struct str pointer)
{
    switch ((enum option_type)option->type) {
    case OPTION_BOOL:
        return of_type("boolean");
    case OPTION_INT:
        return int_schema(option);
    case OPTION_NUMBER:
        return of_type("number");
    case OPTION_DURATION:
        return json_pack("{s:[s,s], s:s}", "type", "string", "integer", "pattern",
                         "^-?([0-9.]+(ns|us|\xc2\xb5s|ms|s|m|h)?)+$");
    case OPTION_SIZE:
        return json_pack("{s:[s,s]}", "type", "string", "integer");
    case OPTION_STR:
        return scalar_schema();
    case OPTION_ENUM:
        return names_schema(option->names);
    case OPTION_STRS:
        return list_schema();
    case OPTION_STRMAP:
        return map_schema(scalar_schema());
    case OPTION_STRUCT:
    case OPTION_OBJECT:
        return table_schema(writer, option->table, pointer);
    case OPTION_LIST:
        return json_pack(
            "{s:s, s:o}", "type", "array", "items",
            table_schema(writer, option->table, pointer_to(writer, pointer, "items", "")));
    case OPTION_MAP:
        return map_schema(table_schema(writer, option->table,
                                       pointer_to(writer, pointer, "additionalProperties", "")));
    case OPTION_CHOICE:
        break;
    }
    return json_object();
}

static json_t *default_value(const struct option *option)
{
    struct str fallback = str_from(option->fallback);
    int64_t number;
    if (option->type == OPTION_BOOL || option->type == OPTION_OBJECT)
        return json_boolean(str_equal(fallback, S("true")));
    if (option->type == OPTION_INT && str_to_i64(fallback, &number))
        return json_integer(number);
    if (option->type == OPTION_NUMBER)
        return json_real(strtod(option->fallback, NULL));
    return json_string(option->fallback);
}

static void add_option(struct writer *writer, json_t *properties, const struct option *option,
                       struct str pointer)
{
    json_t *schema =
        option_schema(writer, option, pointer_to(writer, pointer, "properties", option->name));
    if (option->help != NULL)
        json_object_set_new(schema, "description", json_string(option->help));
    if (option->fallback != NULL)
        json_object_set_new(schema, "default", default_value(option));
    if (option->accepted != NULL)
        json_object_set_new(schema, "deprecated", json_true());
    json_object_set_new(properties, option->name, schema);
    if (option->alias == NULL)
        return;
    json_t *alias = json_deep_copy(schema);
    json_object_set_new(alias, "deprecated", json_true());
    json_object_set_new(properties, option->alias, alias);
}

/* One alternative stands here, and where none is needed perhaps none. */
static json_t *choice_rule(const struct option *choice)
{
    json_t *alternatives = json_array();
    const struct choice_type *type;
    for (size_t i = 0; choice->choices != NULL && (type = choice->choices(i)) != NULL; i++) {
        json_array_append_new(alternatives, json_pack("{s:[s]}", "required", type->name));
        if (type->alias != NULL)
            json_array_append_new(alternatives, json_pack("{s:[s]}", "required", type->alias));
    }
    if (choice->required || json_array_size(alternatives) == 0)
        return alternatives;
    json_t *none = json_pack("{s:{s:O}}", "not", "anyOf", alternatives);
    json_t *rule = json_deep_copy(alternatives);
    json_array_append_new(rule, none);
    json_decref(alternatives);
    return rule;
}

static void add_choices(struct writer *writer, json_t *schema, json_t *properties,
                        const struct option *choice, struct str pointer)
{
    const struct choice_type *type;
    for (size_t i = 0; choice->choices != NULL && (type = choice->choices(i)) != NULL; i++) {
        json_t *below = table_schema(writer, type->table,
                                     pointer_to(writer, pointer, "properties", type->name));
        if (type->summary != NULL)
            json_object_set_new(below, "description", json_string(type->summary));
        json_object_set_new(properties, type->name, below);
        if (type->alias != NULL)
            json_object_set_new(properties, type->alias, json_deep_copy(below));
    }
    json_t *rule = choice_rule(choice);
    if (json_array_size(rule) > 0)
        json_object_set(schema, "oneOf", rule);
    json_decref(rule);
}

static json_t *reference(const struct writer *writer, const struct option_table *table)
{
    for (size_t i = 0; i < writer->depth; i++) {
        if (writer->open[i].table == table)
            return json_pack("{s:s%}", "$ref", writer->open[i].pointer.data,
                             writer->open[i].pointer.len);
    }
    return writer->depth == DEPTH_MAX ? json_object() : NULL;
}

static void fill_table(struct writer *writer, json_t *schema, const struct option_table *table,
                       struct str pointer)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < table->count; i++) {
        const struct option *option = &table->options[i];
        if (option->type == OPTION_CHOICE)
            add_choices(writer, schema, properties, option, pointer);
        else if (option->removed == NULL)
            add_option(writer, properties, option, pointer);
        if (option->required && option->type != OPTION_CHOICE && option->alias == NULL)
            json_array_append_new(required, json_string(option->name));
    }
    json_object_set_new(schema, "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set(schema, "required", required);
    json_decref(required);
    json_object_set_new(schema, "additionalProperties", json_false());
}

static json_t *table_schema(struct writer *writer, const struct option_table *table,
                            struct str pointer)
{
    json_t *schema = reference(writer, table);
    if (schema != NULL)
        return schema;
    schema = json_pack("{s:[s,s,s]}", "type", "object", "boolean", "null");
    if (table->summary != NULL)
        json_object_set_new(schema, "description", json_string(table->summary));
    writer->open[writer->depth++] = (struct level){table, pointer};
    fill_table(writer, schema, table, pointer);
    writer->depth--;
    return schema;
}

void schema_write(const struct option_table *root, const char *title, struct text *out)
{
    struct writer writer = {.depth = 0};
    arena_init(&writer.arena, ARENA_UNLIMITED);
    json_t *schema = table_schema(&writer, root, S("#"));
    json_object_set_new(schema, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string(title));
    json_object_set_new(schema, "type", json_string("object"));
    char *text = json_dumps(schema, JSON_INDENT(2));
    text_add(out, str_from(text));
    text_add_char(out, '\n');
    free(text);
    json_decref(schema);
    arena_release(&writer.arena);
}
