/* Rules and requests for the tests of routing. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "http/uri.h"
#include "route/match.h"
#include "test.h"

struct sample {
    struct arena arena;
    struct regex_set regexes;
    struct rule_faults faults;
    struct request request;
    struct ip peer;
    struct route_input input;
};

static inline void sample_init(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    arena_init(&sample->arena, ARENA_UNLIMITED);
    regex_set_init(&sample->regexes);
}

static inline void sample_release(struct sample *sample)
{
    regex_set_release(&sample->regexes);
    arena_release(&sample->arena);
}

static inline const struct rule *sample_rule(struct sample *sample, const char *text, enum rule_syntax syntax)
{
    struct str kept = arena_str(&sample->arena, str_from(text));
    const struct rule *rule = rule_parse(kept, syntax, &sample->regexes, &sample->arena, &sample->faults);
    if (rule == NULL)
        fail_msg("%s: %.*s at %u", text, STR_ARGS(sample->faults.items[0].message), sample->faults.items[0].offset);
    return rule;
}

/* "GET a.example/path?query Name=value Name=value from=10.0.0.1"; a leading "-" is no host. */
static inline const struct route_input *sample_request(struct sample *sample, const char *text)
{
    struct arena *arena = &sample->arena;
    struct request *request = &sample->request;
    struct str rest = str_from(text), word;
    *request = (struct request){.version = HTTP_1_1, .query = STR_NONE};
    fields_init(&request->fields, arena, 4);
    str_split(&rest, ' ', &request->method_name);
    request->method = method_identify(request->method_name);
    str_split(&rest, ' ', &word);
    ptrdiff_t slash = str_find_char(word, '/', 0), question = str_find_char(word, '?', 0);
    size_t path_end = question >= 0 ? (size_t)question : word.len;
    request->host = arena_lower(arena, str_first(word, (size_t)slash));
    if (str_equal(request->host, S("-")))
        request->host = STR_NONE;
    request->path = str_of(word.data + slash, path_end - (size_t)slash);
    if (question >= 0)
        request->query = str_of(word.data + question + 1, word.len - path_end - 1);
    assert_true(ip_parse(S("192.0.2.1"), &sample->peer));
    while (str_split(&rest, ' ', &word)) {
        ptrdiff_t equals = str_find_char(word, '=', 0);
        struct str name = str_first(word, (size_t)equals), value = str_from_index(word, (size_t)equals + 1);
        if (str_equal(name, S("from")))
            assert_true(ip_parse(value, &sample->peer));
        else
            fields_add(&request->fields, name, value);
    }
    sample->input = (struct route_input){.request = request, .path = uri_routing_path(arena, request->path),
                                         .peer = &sample->peer, .arena = arena};
    return &sample->input;
}

#endif
