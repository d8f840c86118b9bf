/* The matchers of `ruleSyntax: v2`: several values each, gorilla's templates ({name:regex}) in
 * hosts, paths and queries. They become the terms that v3 has; a template becomes an anchored
 * regex. */
#include "route/rule_build.h"

#define VALUES_MAX UINT8_MAX
#define REGEX_TEMPLATE_MAX 65536

/* The end of the template that begins at `open`, braces inside it counted; -1 when it never closes.
 */
static ptrdiff_t template_end(struct str value, size_t open)
{
    unsigned level = 0;
    for (size_t i = open; i < value.len; i++) {
        if (value.data[i] == '{')
            level++;
        else if (value.data[i] == '}' && --level == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

bool template_in(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] != '{')
            continue;
        ptrdiff_t end = template_end(value, i);
        size_t k = i + 1;
        while (k < value.len && (ascii_alpha(value.data[k]) || value.data[k] == '_' ||
                                 (k > i + 1 && ascii_digit(value.data[k]))))
            k++;
        if (end >= 0 && k > i + 1 && (value.data[k] == ':' || (size_t)end == k))
            return true;
    }
    return false;
}

static void add_literal(struct text *out, char c)
{
    if (!ascii_alpha(c) && !ascii_digit(c) && (uint8_t)c < 0x80 &&
        strchr("/_-,;:@=&~%!'\" ", c) == NULL)
        text_add_char(out, '\\');
    text_add_char(out, c);
}

const char *template_regex(struct str value, const char *stand_in, bool prefix, struct text *out)
{
    text_add_char(out, '^');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '}')
            return "this '}' has no '{'";
        if (value.data[i] != '{') {
            add_literal(out, value.data[i]);
            continue;
        }
        ptrdiff_t end = template_end(value, i);
        if (end < 0)
            return "the '{' is never closed";
        struct str inside = str_of(value.data + i + 1, (size_t)end - i - 1);
        ptrdiff_t colon = str_find_char(inside, ':', 0);
        struct str pattern =
            colon < 0 ? str_from(stand_in) : str_from_index(inside, (size_t)colon + 1);
        if (inside.len == 0 || colon == 0 || pattern.len == 0)
            return "a template is {name} or {name:regex}";
        text_addf(out, "(?:%.*s)", STR_ARGS(pattern));
        i = (size_t)end;
    }
    if (!prefix)
        text_add_char(out, '$');
    return out->overflow ? "the template is too long" : NULL;
}

static bool has_braces(struct str value)
{
    return str_find_char(value, '{', 0) >= 0 || str_find_char(value, '}', 0) >= 0;
}

struct template_use {
    const char *before; /* goes in front of the regex: flags */
    const char *stand_in;
    bool prefix;
};

/* The compiled template, or NULL after a fault. */
static const struct regex *compile(struct builder *builder, const struct token *token,
                                   struct str value, struct template_use use)
{
    struct text text;
    text_init(&text, REGEX_TEMPLATE_MAX);
    text_add(&text, str_from(use.before));
    const char *error = template_regex(value, use.stand_in, use.prefix, &text);
    const struct regex *regex = NULL;
    if (error != NULL)
        fault_error(builder, token->offset, token->length, error, STR_NONE);
    else
        regex = builder_regex(builder, token, text_str(&text));
    text_release(&text);
    return regex;
}

typedef struct term *(*build_one)(struct builder *builder, const struct call *call,
                                  const struct token *value);

/* One term for each value, joined: any of them (OR) or all (AND). */
static struct term *join(struct builder *builder, const struct call *call, enum term_kind kind,
                         size_t step, build_one build)
{
    struct term *list = builder_term(builder, kind, call->offset, call->length), *last = NULL;
    bool failed = false;
    for (size_t i = 0; i + step <= call->count; i += step) {
        struct term *term = build(builder, call, &call->values[i]);
        failed = failed || term == NULL;
        if (term == NULL)
            continue;
        if (last == NULL)
            list->first = term;
        else
            last->next = term;
        last = term;
    }
    if (failed)
        return NULL;
    return list->first->next == NULL ? list->first : list;
}

static struct term *one_host_regexp(struct builder *builder, const struct call *call,
                                    const struct token *value)
{
    if (!has_braces(value->value))
        return build_host(builder, call, value);
    struct term *term = builder_matcher(builder, call, MATCH_HOST_REGEXP);
    term->value = value->value;
    term->regex =
        compile(builder, value, value->value, (struct template_use){"(?i)", "[^.]+", false});
    return term->regex != NULL ? term : NULL;
}

static struct term *one_path_of(struct builder *builder, const struct call *call,
                                const struct token *value, enum matcher matcher)
{
    struct term *term = build_path(builder, call, value, matcher);
    if (term == NULL || !has_braces(value->value))
        return term;
    bool prefix = matcher == MATCH_PATH_PREFIX;
    term->matcher = MATCH_PATH_REGEXP;
    term->regex = compile(builder, value, value->value, (struct template_use){"", "[^/]+", prefix});
    return term->regex != NULL ? term : NULL;
}

static struct term *one_path(struct builder *builder, const struct call *call,
                             const struct token *value)
{
    return one_path_of(builder, call, value, MATCH_PATH);
}

static struct term *one_path_prefix(struct builder *builder, const struct call *call,
                                    const struct token *value)
{
    return one_path_of(builder, call, value, MATCH_PATH_PREFIX);
}

static struct term *one_header(struct builder *builder, const struct call *call,
                               const struct token *value)
{
    return build_header(builder, call, &value[0], &value[1], false);
}

static struct term *one_header_regexp(struct builder *builder, const struct call *call,
                                      const struct token *value)
{
    return build_header(builder, call, &value[0], &value[1], true);
}

/* Query(`k=v`): the key's first value is v, a template, or anything for `k=`. */
static struct term *one_query(struct builder *builder, const struct call *call,
                              const struct token *value)
{
    struct str text = value->value;
    ptrdiff_t equals = str_find_char(text, '=', 0);
    if (equals <= 0) {
        fault_error(builder, value->offset, value->length, "a query is written as key=value",
                    S("as in Query(`mobile=true`)"));
        return NULL;
    }
    struct term *term = builder_matcher(builder, call, MATCH_QUERY);
    term->name = str_first(text, (size_t)equals);
    term->value = str_from_index(text, (size_t)equals + 1);
    term->first_value = true;
    if (!str_empty(term->value) && !has_braces(term->value))
        return term;
    term->matcher = MATCH_QUERY_REGEXP;
    term->regex = NULL;
    if (!str_empty(term->value))
        term->regex = compile(builder, value, term->value, (struct template_use){"", ".*", false});
    return str_empty(term->value) || term->regex != NULL ? term : NULL;
}

static struct term *host(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, build_host);
}

static struct term *host_regexp(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, one_host_regexp);
}

static struct term *path(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, one_path);
}

static struct term *path_prefix(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, one_path_prefix);
}

static struct term *method(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, build_method);
}

static struct term *client_ip(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_OR, 1, build_client_ip);
}

static bool in_pairs(struct builder *builder, const struct call *call)
{
    if (call->count % 2 == 0)
        return true;
    fault_error(builder, call->offset, call->length,
                "the values come in pairs of a name and a value", STR_NONE);
    return false;
}

static struct term *headers(struct builder *builder, const struct call *call)
{
    return in_pairs(builder, call) ? join(builder, call, TERM_AND, 2, one_header) : NULL;
}

static struct term *headers_regexp(struct builder *builder, const struct call *call)
{
    return in_pairs(builder, call) ? join(builder, call, TERM_AND, 2, one_header_regexp) : NULL;
}

static struct term *query(struct builder *builder, const struct call *call)
{
    return join(builder, call, TERM_AND, 1, one_query);
}

const struct matcher_type matchers_v2[] = {
    {"Host", 1, VALUES_MAX, host},
    {"HostHeader", 1, VALUES_MAX, host},
    {"HostRegexp", 1, VALUES_MAX, host_regexp},
    {"Path", 1, VALUES_MAX, path},
    {"PathPrefix", 1, VALUES_MAX, path_prefix},
    {"Method", 1, VALUES_MAX, method},
    {"Headers", 2, VALUES_MAX, headers},
    {"HeadersRegexp", 2, VALUES_MAX, headers_regexp},
    {"Query", 1, VALUES_MAX, query},
    {"ClientIP", 1, VALUES_MAX, client_ip},
    {.name = NULL},
};
