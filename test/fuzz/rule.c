/* Rules of both languages: parsed, matched, explained and looked up in a table against a fixed request. The first
 * byte chooses the language; the rest is lines, each a rule. What the table finds is what trying all rules finds. */
#include <assert.h>

#include "http/uri.h"
#include "route/explain.h"

#define RULES_MAX 32

static struct request request;
static struct ip peer;

static void request_of(struct arena *arena)
{
    request = (struct request){.method = METHOD_GET, .method_name = STR("GET"), .version = HTTP_1_1,
                               .host = STR("a.example.com"), .path = STR("/api/v1/%7Bx%7D"),
                               .query = STR("k=v&mobile&e=a%20b+c&bad=%z")};
    fields_init(&request.fields, arena, 4);
    fields_add(&request.fields, S("Host"), S("a.example.com"));
    fields_add(&request.fields, S("X-Kind"), S("b\xc3\xa9\xff"));
    ip_parse(S("10.1.2.3"), &peer);
}

static void check_faults(const struct rule_faults *faults, struct str text)
{
    for (size_t i = 0; i < faults->count && i < RULE_FAULTS_MAX; i++) {
        const struct rule_fault *fault = &faults->items[i];
        assert(fault->offset + (size_t)fault->length <= text.len);
        assert(!str_empty(fault->message));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena arena;
    struct regex_set regexes;
    struct table_entry entries[RULES_MAX];
    struct str rest = str_of((const char *)data + 1, size - 1), line;
    size_t count = 0;
    arena_init(&arena, ARENA_UNLIMITED);
    regex_set_init(&regexes);
    request_of(&arena);
    while (count < RULES_MAX && str_split(&rest, '\n', &line)) {
        struct rule_faults faults;
        const struct rule *rule = rule_parse(line, data[0] & 1 ? RULE_V2 : RULE_V3, &regexes, &arena, &faults);
        check_faults(&faults, line);
        assert((rule == NULL) == (faults.errors > 0));
        if (rule != NULL) {
            entries[count] = (struct table_entry){.rule = rule, .priority = (int64_t)(line.len % 4),
                                                  .order = (uint32_t)count};
            count++;
            rule_hosts(rule, &arena);
        }
    }
    struct table *table = table_new(entries, count);
    struct route_input input = {.request = &request, .path = uri_routing_path(&arena, request.path),
                                .peer = &peer, .arena = &arena};
    struct explanation explanation = explain(table, &input, &arena);
    assert(explanation.found == table_find(table, &input));
    table_free(table);
    regex_set_release(&regexes);
    arena_release(&arena);
    return 0;
}
