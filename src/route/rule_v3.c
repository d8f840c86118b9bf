/* The matchers of the v3 language: one value each, regexes unanchored. */
#include "route/rule_build.h"

/* `{name:regex}` in v3 is plain text (or a pattern that means something else): hardly ever what was
 * meant. */
static void warn_about_template(struct builder *builder, const struct token *value,
                                const char *matcher, const char *stand_in, bool prefix)
{
    if (!template_in(value->value))
        return;
    struct text text;
    struct str hint = S("a regex of v3 has no {name:...} around it; or set ruleSyntax: v2");
    text_init(&text, 512);
    text_addf(&text, "write %s(`", matcher);
    if (value->value.data[0] != '^' &&
        template_regex(value->value, stand_in, prefix, &text) == NULL) {
        text_add(&text, S("`), or set ruleSyntax: v2"));
        if (!text.overflow)
            hint = arena_str(builder->arena, text_str(&text));
    }
    text_release(&text);
    fault_warning(builder, value->offset, value->length,
                  "{name:regex} is v2 syntax and means nothing in v3", hint);
}

static struct term *host(struct builder *builder, const struct call *call)
{
    return build_host(builder, call, &call->values[0]);
}

static struct term *regexp(struct builder *builder, const struct call *call, enum matcher matcher)
{
    struct term *term = builder_matcher(builder, call, matcher);
    term->value = call->values[0].value;
    term->regex = builder_regex(builder, &call->values[0], term->value);
    return term->regex != NULL ? term : NULL;
}

static struct term *host_regexp(struct builder *builder, const struct call *call)
{
    const struct token *value = &call->values[0];
    for (size_t i = 0; i < value->value.len; i++)
        if ((uint8_t)value->value.data[i] >= 0x80) {
            fault_error(builder, value->offset, value->length, "a host is written in ASCII",
                        S("write international names in their xn-- form"));
            return NULL;
        }
    warn_about_template(builder, value, "HostRegexp", "[^.]+", false);
    return regexp(builder, call, MATCH_HOST_REGEXP);
}

static struct term *path(struct builder *builder, const struct call *call)
{
    warn_about_template(builder, &call->values[0], "PathRegexp", "[^/]+", false);
    return build_path(builder, call, &call->values[0], MATCH_PATH);
}

static struct term *path_prefix(struct builder *builder, const struct call *call)
{
    warn_about_template(builder, &call->values[0], "PathRegexp", "[^/]+", true);
    return build_path(builder, call, &call->values[0], MATCH_PATH_PREFIX);
}

static struct term *path_regexp(struct builder *builder, const struct call *call)
{
    warn_about_template(builder, &call->values[0], "PathRegexp", "[^/]+", true);
    return regexp(builder, call, MATCH_PATH_REGEXP);
}

static struct term *method(struct builder *builder, const struct call *call)
{
    return build_method(builder, call, &call->values[0]);
}

static struct term *header(struct builder *builder, const struct call *call)
{
    return build_header(builder, call, &call->values[0], &call->values[1], false);
}

static struct term *header_regexp(struct builder *builder, const struct call *call)
{
    return build_header(builder, call, &call->values[0], &call->values[1], true);
}

static struct term *query(struct builder *builder, const struct call *call)
{
    struct term *term = builder_matcher(builder, call, MATCH_QUERY);
    term->name = call->values[0].value;
    if (call->count == 2)
        term->value = call->values[1].value;
    else if (str_find_char(term->name, '=', 0) >= 0)
        fault_warning(builder, call->values[0].offset, call->values[0].length,
                      "this asks for a key that holds a '='", S("write Query(`key`, `value`)"));
    return term;
}

static struct term *query_regexp(struct builder *builder, const struct call *call)
{
    if (call->count == 1)
        return query(builder, call);
    struct term *term = builder_matcher(builder, call, MATCH_QUERY_REGEXP);
    term->name = call->values[0].value;
    term->value = call->values[1].value;
    term->regex = builder_regex(builder, &call->values[1], term->value);
    return term->regex != NULL ? term : NULL;
}

static struct term *client_ip(struct builder *builder, const struct call *call)
{
    return build_client_ip(builder, call, &call->values[0]);
}

const struct matcher_type matchers_v3[] = {
    {"Host", 1, 1, host},
    {"HostRegexp", 1, 1, host_regexp},
    {"Path", 1, 1, path},
    {"PathPrefix", 1, 1, path_prefix},
    {"PathRegexp", 1, 1, path_regexp},
    {"Method", 1, 1, method},
    {"Header", 2, 2, header},
    {"HeaderRegexp", 2, 2, header_regexp},
    {"Query", 1, 2, query},
    {"QueryRegexp", 1, 2, query_regexp},
    {"ClientIP", 1, 1, client_ip},
    {.name = NULL},
};
