/* Fields behind the body (RFC 9110 6.5): a filter that changes no byte waits for the end, when all that variables tell is known. */
#include "middleware/response_headers.h"

struct trailers_filter {
    struct filter filter;
    struct exchange *x;
    const struct response_fields *fields;
    struct fields trailers;
    int status;
};

static enum status add_trailers(struct trailers_filter *own)
{
    struct exchange *x = own->x;
    const struct fields *before = x->download.trailers;
    fields_init(&own->trailers, &x->arena, 4);
    if (before != NULL)
        FIELDS_FOREACH(before, field)
            if (!fields_add(&own->trailers, field->name, field->value))
                return STATUS_OUT_OF_MEMORY;
    x->download.trailers = &own->trailers;
    for (size_t i = 0; i < own->fields->count; i++) {
        const struct response_field *field = &own->fields->items[i];
        if (!response_field_is_for(field, own->status))
            continue;
        struct str value = text_template_text(field->value, x);
        if (value.len != 0 && !fields_add(&own->trailers, field->name, value))
            return STATUS_OUT_OF_MEMORY;
    }
    return STATUS_OK;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    chunkq_move(out, in, in->bytes);
    if (end)
        container_of(filter, struct trailers_filter, filter)->x->download.late = filter;
    return STATUS_OK;
}

/* A response without its trailers is a whole one: where there is no memory for them they stay away. */
static void late(struct filter *filter)
{
    struct trailers_filter *own = container_of(filter, struct trailers_filter, filter);
    if (add_trailers(own) != STATUS_OK)
        own->trailers.count = 0;
}

static bool concerns(const struct response_fields *fields, int status)
{
    for (size_t i = 0; i < fields->count; i++)
        if (response_field_is_for(&fields->items[i], status))
            return true;
    return false;
}

bool response_trailers_begin(struct exchange *x, const struct response_fields *fields)
{
    const struct request *request = exchange_request(x);
    int status = x->response.status;
    if (!concerns(fields, status) || request->method == METHOD_HEAD || status_is_bodiless(status))
        return true;
    struct trailers_filter *own = arena_new(&x->arena, struct trailers_filter);
    if (own == NULL)
        return false;
    *own = (struct trailers_filter){.filter = {.process = process, .late = late}, .x = x, .fields = fields, .status = status};
    exchange_filter_response(x, &own->filter);
    /* Behind a length that was told HTTP/1.1 has no place for them, and HTTP/2 none behind a head that is all; before both, none at all. */
    if (request->version == HTTP_1_1 || (request->version > HTTP_1_1 && x->response.body_length == 0))
        x->response.body_length = BODY_UNKNOWN;
    return true;
}
