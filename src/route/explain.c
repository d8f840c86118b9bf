#include "route/explain.h"

/* Facts told about one failed part of a rule, and bytes of each value shown. */
#define FACTS_MAX 4
#define VALUE_SHOWN 100

struct facts {
    struct str items[FACTS_MAX];
    size_t count;
};

static struct str shown(struct str value)
{
    return str_first(value, VALUE_SHOWN);
}

static struct str header_fact(const struct term *term, const struct request *request,
                              struct arena *arena)
{
    struct str value = fields_value_name(&request->fields, term->name);
    if (value.data == NULL)
        return arena_printf(arena, "there is no header '%.*s'", STR_ARGS(term->name));
    return arena_printf(arena, "the header '%.*s' is '%.*s'", STR_ARGS(term->name),
                        STR_ARGS(shown(value)));
}

static struct str query_fact(const struct request *request, struct arena *arena)
{
    if (str_empty(request->query))
        return S("there is no query");
    return arena_printf(arena, "the query is '%.*s'", STR_ARGS(shown(request->query)));
}

static struct str peer_fact(const struct ip *peer, struct arena *arena)
{
    char text[IP_TEXT_SIZE];
    if (peer == NULL)
        return S("the client has no address");
    size_t len = ip_format(peer, text);
    return arena_printf(arena, "the client is %.*s", (int)len, text);
}

/* What the request has where the matcher looks. */
static struct str fact(const struct term *term, const struct route_input *input,
                       struct arena *arena)
{
    const struct request *request = input->request;
    switch ((enum matcher)term->matcher) {
    case MATCH_HOST:
    case MATCH_HOST_BELOW:
    case MATCH_HOST_ANY:
    case MATCH_HOST_REGEXP:
        if (str_empty(request->host))
            return S("the request has no host");
        return arena_printf(arena, "the host is '%.*s'", STR_ARGS(shown(request->host)));
    case MATCH_PATH:
    case MATCH_PATH_PREFIX:
    case MATCH_PATH_REGEXP:
        return arena_printf(arena, "the path is '%.*s'", STR_ARGS(shown(input->path)));
    case MATCH_METHOD:
        return arena_printf(arena, "the method is %.*s",
                            STR_ARGS(request->method != METHOD_OTHER
                                         ? method_text(request->method)
                                         : shown(request->method_name)));
    case MATCH_HEADER:
    case MATCH_HEADER_REGEXP:
        return header_fact(term, request, arena);
    case MATCH_QUERY:
    case MATCH_QUERY_REGEXP:
        return query_fact(request, arena);
    case MATCH_CLIENT_IP:
        return peer_fact(input->peer, arena);
    }
    return STR_NONE;
}

static void add_facts(const struct term *term, const struct route_input *input, struct arena *arena,
                      struct facts *facts)
{
    for (const struct term *it = term->first; it != NULL; it = it->next)
        add_facts(it, input, arena, facts);
    if (term->kind != TERM_MATCHER || facts->count == FACTS_MAX)
        return;
    struct str text = fact(term, input, arena);
    for (size_t i = 0; i < facts->count; i++)
        if (str_equal(facts->items[i], text))
            return;
    facts->items[facts->count++] = text;
}

/* The smallest part that is alone to blame: the operand of && that failed, never one of several of
 * ||. */
static const struct term *blame(const struct term *term, const struct route_input *input)
{
    while (term->kind == TERM_AND) {
        const struct term *it = term->first;
        while (it->next != NULL && term_match(it, input))
            it = it->next;
        term = it;
    }
    return term;
}

struct explained explain_entry(const struct table_entry *entry, const struct route_input *input,
                               struct arena *arena)
{
    struct explained explained = {.entry = entry, .matched = rule_match(entry->rule, input)};
    if (explained.matched)
        return explained;
    const struct term *term = blame(entry->rule->root, input);
    struct facts facts = {.count = 0};
    add_facts(term, input, arena, &facts);
    explained.failed = rule_text(entry->rule, term);
    for (size_t i = 0; i < facts.count; i++)
        explained.why = i == 0 ? facts.items[i]
                               : arena_printf(arena, "%.*s, %.*s", STR_ARGS(explained.why),
                                              STR_ARGS(facts.items[i]));
    return explained;
}

struct explanation explain(const struct table *table, const struct route_input *input,
                           struct arena *arena)
{
    size_t count;
    const struct table_entry *entries = table_entries(table, &count);
    struct explanation result = {.tried = arena_array(arena, struct explained, count)};
    while (result.count < count && result.found == NULL) {
        struct explained *one = &result.tried[result.count];
        *one = explain_entry(&entries[result.count++], input, arena);
        if (one->matched)
            result.found = one->entry;
    }
    return result;
}
