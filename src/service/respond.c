/* respond: an answer that stands in the configuration. */
#include "exchange/service.h"
#include "http/token.h"

struct respond {
    const struct node *origin;
    int64_t status;
    struct str body, content_type;
    struct strmap headers;
};

static const char *check_value(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "is not the value of a header field";
}

static const struct option options[] = {
    OPTION(INT, struct respond, status, .fallback = "200", .min = 200, .max = 599, .help = "The response's status."),
    OPTION(STR, struct respond, body, .help = "Its body."),
    OPTION_NAMED(STR, struct respond, content_type, "contentType", .fallback = "text/plain; charset=utf-8",
                 .check = check_value, .help = "The body's type."),
    OPTION(STRMAP, struct respond, headers, .check = check_value, .help = "Further header fields."),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct respond *respond = value;
    for (size_t i = 0; i < respond->headers.count; i++)
        if (!token_is_valid(respond->headers.items[i].name))
            diag_error(diag, node_span(node_get(node, S("headers"))), "'%.*s' is not the name of a header field",
                       STR_ARGS(respond->headers.items[i].name));
    if (status_is_bodiless((int)respond->status) && !str_empty(respond->body))
        diag_error(diag, node_span(node_get(node, S("body"))), "a response with status %d has no body",
                   (int)respond->status);
}

static const struct option_table table =
    OPTION_TABLE(struct respond, options, .validate = validate, .summary = "Answers by itself, the same each time.");

static enum pick_result pick_answer(struct exchange *x, struct service *service)
{
    const struct respond *respond = service->options;
    exchange_answer(x, (int)respond->status, STATUS_OK, str_empty(respond->body) ? STR_NONE : respond->content_type,
                    respond->body);
    for (size_t i = 0; i < respond->headers.count; i++)
        fields_set_name(&x->response.fields, respond->headers.items[i].name, respond->headers.items[i].value);
    return PICK_ANSWER;
}

static const struct service_type respond_type = {
    .choice = {.name = "respond", .summary = "Answers by itself, the same each time.", .table = &table},
    .pick = pick_answer,
};
REGISTER(service_type, respond_type);
