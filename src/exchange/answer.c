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

static const struct body_source_ops memory_source = {.read = read_memory};

void exchange_release_source(struct exchange *x)
{
    struct body_source *source = x->response_source;
    x->response_source = NULL;
    if (source != NULL && source->ops->release != NULL)
        source->ops->release(source);
}

static void begin_answer(struct exchange *x, int status, enum status reason)
{
    exchange_release_source(x);
    if (x->response_filters != NULL)
        exchange_drop_filters(x);
    struct response *response = &x->response;
    response->status = status;
    response->version = HTTP_1_1;
    response->reason = response->lines = STR_NONE;
    response->body_length = 0;
    fields_init(&response->fields, &x->arena, 8);
    fields_init(&response->trailers, &x->arena, 0);
    x->answered_here = true;
    x->customary = 0;
    if (reason != STATUS_OK)
        x->failure = reason;
}

static inline void set_answer(struct exchange *x, int status, enum status reason, struct str body)
{
    begin_answer(x, status, reason);
    x->response.body_length = (int64_t)body.len;
    x->memory_body = body;
    x->memory_source = (struct body_source){&memory_source};
    x->response_source = &x->memory_source;
}

void exchange_answer(struct exchange *x, int status, enum status reason, struct str content_type, struct str body)
{
    set_answer(x, status, reason, body);
    if (content_type.len != 0)
        fields_add_id(&x->response.fields, FIELD_CONTENT_TYPE, content_type);
}

/* The style stands in the page; nothing else may run or be loaded. */
#define PAGE_POLICY "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* The fields of a page of plain words, as they go out. */
static const char plain_lines[] = "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";
#define PLAIN_TYPE_LINE (sizeof("Content-Type: text/plain; charset=utf-8\r\n") - 1)
static const struct field plain_fields[] = {
    FIELD_READY(FIELD_CONTENT_TYPE, plain_lines, sizeof("Content-Type") - 1, sizeof("text/plain; charset=utf-8") - 1),
    FIELD_READY(FIELD_OTHER, plain_lines + PLAIN_TYPE_LINE, sizeof("X-Content-Type-Options") - 1, sizeof("nosniff") - 1),
};

static struct str retry_after(const struct exchange *x, enum status reason)
{
    if (reason != STATUS_MAINTENANCE)
        return S("2");
    return x->router != NULL && x->router->extras->retry_after.len != 0 ? x->router->extras->retry_after : S("30");
}

/* For those who want more than plain words. */
static __attribute__((noinline)) void add_page_fields(struct exchange *x, const struct error_page *page)
{
    struct fields *fields = &x->response.fields;
    fields_add_id(fields, FIELD_CONTENT_TYPE, page->type);
    fields_add_ready(fields, &plain_fields[1], 1);
    if (page->styled)
        fields_add(fields, S("Content-Security-Policy"), S(PAGE_POLICY));
    fields_add_id(fields, FIELD_VARY, S("Accept"));
}

static __attribute__((noinline)) void answer_classic(struct exchange *x, int status, enum status reason)
{
    status = error_classic_status(x->failure, status);
    struct error_page page = error_classic_page(x, status);
    exchange_answer(x, error_classic_sent(status), reason, page.type, page.body);
    x->customary = status;
    if (error_classic_closes(status))
        exchange_doubt_framing(x);
}

void exchange_answer_status(struct exchange *x, int status, enum status reason)
{
    if (reason != STATUS_OK)
        x->failure = reason;
    if (error_page_style(x) == ERROR_PAGES_CLASSIC) {
        answer_classic(x, status, reason);
        return;
    }
    struct error_page page = error_page_make(x, status);
    set_answer(x, status, reason, page.body);
    x->customary = status;
    if (page.plain)
        fields_add_ready(&x->response.fields, plain_fields, 2);
    else
        add_page_fields(x, &page);
    if (status == 503)
        fields_add_id(&x->response.fields, FIELD_RETRY_AFTER, retry_after(x, reason));
}

void exchange_answer_redirect(struct exchange *x, int status, struct str location)
{
    if (error_page_style(x) == ERROR_PAGES_CLASSIC) {
        struct error_page page = error_classic_page(x, status);
        exchange_answer(x, status, STATUS_MIDDLEWARE_ANSWERED, page.type, page.body);
    } else {
        set_answer(x, status, STATUS_MIDDLEWARE_ANSWERED, http_reason(status));
        fields_add_ready(&x->response.fields, plain_fields, 1);
    }
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
