#include "route/match.h"

#include "http/uri.h"

bool host_below(struct str host, struct str suffix)
{
    return host.len >= suffix.len && str_ends(host, suffix) &&
           memchr(host.data, '.', host.len - suffix.len) == NULL;
}

static inline bool method_matches(const struct term *term, const struct request *request)
{
    if (request->method != METHOD_OTHER || term->method != METHOD_OTHER)
        return request->method == term->method;
    return str_equal(request->method_name, term->value);
}

static bool field_named(const struct field *field, const struct term *term)
{
    return term->field != FIELD_OTHER ? field->id == term->field
                                      : str_equal_nocase(field->name, term->name);
}

static bool header_matches(const struct term *term, const struct request *request)
{
    if (term->field != FIELD_OTHER && !fields_has(&request->fields, term->field))
        return false;
    FIELDS_FOREACH(&request->fields, it)
    {
        if (!field_named(it, term))
            continue;
        if (term->matcher == MATCH_HEADER ? str_equal(it->value, term->value)
                                          : regex_match(term->regex, it->value))
            return true;
    }
    return false;
}

/* One byte of a query's key or value as it is meant; *at moves on. -1 when the escape is malformed.
 */
static int decoded_byte(struct str text, size_t *at)
{
    char c = text.data[(*at)++];
    if (c == '+')
        return ' ';
    if (c != '%')
        return (uint8_t)c;
    int high = *at + 1 < text.len ? ascii_hex(text.data[*at]) : -1;
    int low = *at + 1 < text.len ? ascii_hex(text.data[*at + 1]) : -1;
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool decodes_to(struct str encoded, struct str plain)
{
    size_t at = 0, matched = 0;
    for (; at < encoded.len; matched++)
        if (matched == plain.len || decoded_byte(encoded, &at) != (uint8_t)plain.data[matched])
            return false;
    return matched == plain.len;
}

/* A pair with a malformed escape is none. */
static bool decodes(struct str encoded)
{
    for (size_t at = 0; at < encoded.len;)
        if (decoded_byte(encoded, &at) < 0)
            return false;
    return true;
}

static bool value_matches(const struct term *term, struct str encoded, struct arena *arena)
{
    if (term->matcher == MATCH_QUERY)
        return decodes_to(encoded, term->value);
    struct str value = encoded;
    bool plain = str_find_char(encoded, '%', 0) < 0 && str_find_char(encoded, '+', 0) < 0;
    if (!plain && !uri_decode_query(arena, encoded, &value))
        return false;
    return term->regex == NULL || regex_match(term->regex, value);
}

static bool query_matches(const struct term *term, const struct route_input *input)
{
    struct str rest = input->request->query, key, value;
    if (rest.data == NULL)
        return false;
    while (uri_next_pair(&rest, &key, &value)) {
        if (!decodes_to(key, term->name) || !decodes(value))
            continue;
        if (value_matches(term, value, input->arena))
            return true;
        if (term->first_value)
            return false;
    }
    return false;
}

/* Matchers that search: out of line, so that the frequent ones stay small. */
static __attribute__((noinline)) bool search_matches(const struct term *term,
                                                     const struct route_input *input)
{
    switch ((enum matcher)term->matcher) {
    case MATCH_HOST_REGEXP:
        return regex_match(term->regex, input->request->host);
    case MATCH_PATH_REGEXP:
        return regex_match(term->regex, input->path);
    case MATCH_HEADER:
    case MATCH_HEADER_REGEXP:
        return header_matches(term, input->request);
    case MATCH_QUERY:
    case MATCH_QUERY_REGEXP:
        return query_matches(term, input);
    case MATCH_CLIENT_IP:
        return input->peer != NULL && network_has(&term->network, input->peer);
    case MATCH_HOST:
    case MATCH_HOST_BELOW:
    case MATCH_HOST_ANY:
    case MATCH_PATH:
    case MATCH_PATH_PREFIX:
    case MATCH_METHOD:
        break;
    }
    return false;
}

/* Paths differ at their ends more often than at their beginnings: a look at the prefix's last byte
 * spares most comparisons. */
static inline bool path_starts(struct str path, struct str prefix)
{
    return path.len >= prefix.len && path.data[prefix.len - 1] == prefix.data[prefix.len - 1] &&
           (prefix.len == 1 || memcmp(path.data, prefix.data, prefix.len - 1) == 0);
}

static inline bool matcher_matches(const struct term *term, const struct route_input *input)
{
    if (term->matcher == MATCH_PATH_PREFIX)
        return path_starts(input->path, term->value);
    if (term->matcher == MATCH_PATH)
        return str_equal(input->path, term->value);
    if (term->matcher == MATCH_HOST)
        return str_equal(input->request->host, term->value);
    if (term->matcher == MATCH_METHOD)
        return method_matches(term, input->request);
    if (term->matcher == MATCH_HOST_BELOW)
        return host_below(input->request->host, term->value);
    return term->matcher == MATCH_HOST_ANY || search_matches(term, input);
}

static __attribute__((noinline)) bool operands_match(const struct term *term,
                                                     const struct route_input *input)
{
    if (term->kind == TERM_NOT)
        return !term_match(term->first, input);
    bool any = term->kind == TERM_OR;
    for (const struct term *it = term->first; it != NULL; it = it->next)
        if (term_match(it, input) == any)
            return any;
    return !any;
}

bool term_match(const struct term *term, const struct route_input *input)
{
    return term->kind == TERM_MATCHER ? matcher_matches(term, input) : operands_match(term, input);
}
