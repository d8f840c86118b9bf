/* Responses that are made here: by a middleware, by a service, or because something failed. */
#include "exchange/error_page.h"
#include "exchange/exchange.h"
#include "exchange/graph.h"
#include "http/uri.h"

/* A body that lies in memory, as a source. */
static enum status read_memory(struct body_source *source, struct chunkq *into, size_t max)
{
    struct exchange *x = container_of(source, struct exchange, memory_source);
    struct str part = str_first(x->memory_body, max);
    if (part.len == 0)
        return STATUS_END;
    chunkq_add_static(into, part);
    x->memory_body = str_from_index(x->memory_body, part.len);
    return STATUS_OK;
}

void exchange_release_source(struct exchange *x)
{
    struct body_source *source = x->response_source;
    x->response_source = NULL;
    if (source != NULL && source->release != NULL)
        source->release(source);
}

static void begin_answer(struct exchange *x, int status, enum status reason)
{
    exchange_release_source(x);
    exchange_drop_filters(x);
    x->response = (struct response){.status = status, .version = HTTP_1_1};
    fields_init(&x->response.fields, &x->arena, 8);
    fields_init(&x->response.trailers, &x->arena, 0);
    x->answered_here = true;
    x->customary = 0;
    if (reason != STATUS_OK)
        x->failure = reason;
}

void exchange_answer(struct exchange *x, int status, enum status reason, struct str content_type, struct str body)
{
    begin_answer(x, status, reason);
    x->response.body_length = (int64_t)body.len;
    x->memory_body = body;
    x->memory_source = (struct body_source){.read = read_memory};
    x->response_source = &x->memory_source;
    if (content_type.len != 0)
        fields_add_id(&x->response.fields, FIELD_CONTENT_TYPE, content_type);
}

/* The style stands in the page; nothing else may run or be loaded. */
#define PAGE_POLICY "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static struct str retry_after(const struct exchange *x, enum status reason)
{
    if (reason != STATUS_MAINTENANCE)
        return S("2");
    return x->router != NULL && x->router->extras->retry_after.len != 0 ? x->router->extras->retry_after : S("30");
}

static void add_page_fields(struct exchange *x, const struct error_page *page, int status, enum status reason)
{
    struct fields *fields = &x->response.fields;
    fields_add_line(fields, S("X-Content-Type-Options: nosniff\r\n"), S("X-Content-Type-Options").len);
    if (page->styled)
        fields_add(fields, S("Content-Security-Policy"), S(PAGE_POLICY));
    if (!str_starts(page->type, S("text/plain")))
        fields_add_id(fields, FIELD_VARY, S("Accept"));
    if (status == 503)
        fields_add_id(fields, FIELD_RETRY_AFTER, retry_after(x, reason));
}

void exchange_answer_status(struct exchange *x, int status, enum status reason)
{
    bool classic = error_page_style(x) == ERROR_PAGES_CLASSIC;
    if (reason != STATUS_OK)
        x->failure = reason;
    if (classic)
        status = error_classic_status(x->failure, status);
    struct error_page page = error_page_make(x, status);
    exchange_answer(x, error_classic_sent(status), reason, page.type, page.body);
    x->customary = status;
    if (!classic)
        add_page_fields(x, &page, status, reason);
    else if (error_classic_closes(status))
        exchange_doubt_framing(x);
}

void exchange_answer_redirect(struct exchange *x, int status, struct str location)
{
    struct error_page page = {.type = STR("text/plain; charset=utf-8"), .body = http_reason(status)};
    if (error_page_style(x) == ERROR_PAGES_CLASSIC)
        page = error_classic_page(x, status);
    exchange_answer(x, status, STATUS_MIDDLEWARE_ANSWERED, page.type, page.body);
    x->customary = status;
    fields_add_id(&x->response.fields, FIELD_LOCATION, location);
}

void exchange_answer_source(struct exchange *x, struct body_source *source, enum status reason)
{
    exchange_release_source(x);
    x->answered_here = true;
    x->response_source = source;
    if (reason != STATUS_OK)
        x->failure = reason;
}

bool exchange_is_secure(const struct exchange *x)
{
    if (x->forwarded_trusted) {
        struct str proto = fields_value(&x->stream.request.fields, FIELD_X_FORWARDED_PROTO);
        if (proto.len != 0)
            return str_equal_nocase(proto, S("https")) || str_equal_nocase(proto, S("wss"));
    }
    return x->stream.client->tls;
}

struct str exchange_scheme(const struct exchange *x)
{
    return exchange_is_secure(x) ? S("https") : S("http");
}

struct str exchange_url(struct exchange *x)
{
    const struct request *request = exchange_request(x);
    struct str scheme = exchange_scheme(x);
    return arena_printf(&x->arena, "%.*s://%.*s%.*s%s%.*s", STR_ARGS(scheme), STR_ARGS(request->authority),
                        STR_ARGS(request->path), request->query.data != NULL ? "?" : "", STR_ARGS(request->query));
}
