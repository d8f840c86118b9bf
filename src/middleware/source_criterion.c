#include "middleware/source_criterion.h"

#include <stdio.h>

#include "http/token.h"

static const char *check_name(struct str text, struct arena *arena, size_t *ret_offset,
                              size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not a header field's name";
}

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct source_criterion *criterion = value;
    int given = (criterion->ip_strategy != NULL) + (criterion->request_header_name.len != 0) +
                criterion->request_host;
    if (given > 1)
        diag_error(diag, node_span(node),
                   "only one of 'ipStrategy', 'requestHeaderName' and 'requestHost' can be given");
}

static const struct option source_criterion_options[] = {
    OPTION_NAMED(OBJECT, struct source_criterion, ip_strategy, "ipStrategy",
                 .table = &ip_strategy_table, .help = "Count by the client's address."),
    OPTION_NAMED(STR, struct source_criterion, request_header_name, "requestHeaderName",
                 .check = check_name, .help = "Count by the value of this header field."),
    OPTION_NAMED(BOOL, struct source_criterion, request_host, "requestHost",
                 .help = "Count by the request's host."),
};
const struct option_table source_criterion_table =
    OPTION_TABLE(struct source_criterion, source_criterion_options, .validate = validate,
                 .summary = "By what requests are told apart.");

struct source_rule source_from(const struct source_criterion *options, enum source_kind fallback,
                               struct arena *arena)
{
    struct source_rule source = {.kind = fallback};
    const struct ip_strategy *strategy = NULL;
    if (options != NULL && options->ip_strategy != NULL) {
        source.kind = SOURCE_ADDRESS;
        strategy = options->ip_strategy;
    } else if (options != NULL && options->request_header_name.len != 0) {
        source.kind = SOURCE_FIELD;
        source.field_name = options->request_header_name;
        source.field = field_identify(source.field_name.data, source.field_name.len);
    } else if (options != NULL && options->request_host) {
        source.kind = SOURCE_HOST;
    }
    source.rule = ip_rule_from(strategy, arena);
    return source;
}

static struct str field_value(const struct source_rule *source, const struct fields *fields)
{
    return source->field != FIELD_OTHER ? fields_value(fields, source->field)
                                        : fields_value_name(fields, source->field_name);
}

uint64_t source_key(const struct source_rule *source, const struct exchange *x)
{
    const struct request *request = &x->stream.request;
    struct str text = STR_NONE;
    struct ip ip;
    switch (source->kind) {
    case SOURCE_ADDRESS:
        if (ip_rule_find(&source->rule, x, &ip))
            text = str_of((const char *)ip.bytes, sizeof(ip.bytes));
        break;
    case SOURCE_FIELD:
        text = field_value(source, &request->fields);
        break;
    case SOURCE_HOST:
        text = request->host;
        break;
    }
    uint64_t key = str_hash(text);
    return key != 0 ? key : 1;
}

struct str source_text(const struct source_rule *source, const struct exchange *x, char *memory)
{
    const struct request *request = &x->stream.request;
    struct str value;
    struct ip ip;
    int len;
    switch (source->kind) {
    case SOURCE_ADDRESS:
        return ip_rule_find(&source->rule, x, &ip) ? str_of(memory, ip_format(&ip, memory)) : S("unknown");
    case SOURCE_FIELD:
        value = field_value(source, &request->fields);
        len = snprintf(memory, SOURCE_TEXT_SIZE, "%.*s%s", (int)(value.len < 8 ? value.len / 2 : 4), value.data != NULL ? value.data : "",
                       value.len != 0 ? "..." : "(none)");
        return str_of(memory, (size_t)len);
    case SOURCE_HOST:
        break;
    }
    return request->host;
}

struct str source_kind_text(const struct source_rule *source, char *memory)
{
    if (source->kind == SOURCE_FIELD) {
        snprintf(memory, SOURCE_TEXT_SIZE, "header %.*s", STR_ARGS(source->field_name));
        return str_from(memory);
    }
    return source->kind == SOURCE_HOST ? S("host") : S("clientAddress");
}
