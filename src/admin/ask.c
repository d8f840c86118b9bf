#include "admin/ask.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "admin/gzip.h"
#include "base/memory.h"
#include "exchange/graph.h"
#include "http/token.h"

/* Crosses the threads: made by the worker, filled by the control thread, given back to the worker, which frees it. */
struct ticket {
    struct pending pending;
    struct message message;
    struct body_source source;        /* of the answer */
    struct admin_call call;
    bool (*answer)(struct admin_call *call);
    struct worker *worker;
    struct exchange *x;               /* NULL: the client left; the worker's */
    bool answered, gzipped;
    bool takes_gzip;
    struct str rest;                  /* of the answer's bytes that are still to be sent */
};

static void ticket_free(struct ticket *ticket)
{
    admin_call_release(&ticket->call);
    free(ticket);
}

/* ---- on the control thread ---- */

static void compress_answer(struct ticket *ticket)
{
    struct text *out = &ticket->call.out;
    struct text packed;
    text_init(&packed, ADMIN_ANSWER_MAX);
    if (!gzip_add(&packed, text_str(out)) || packed.len >= out->len) {
        text_release(&packed);
        return;
    }
    text_release(out);
    *out = packed;
    ticket->gzipped = true;
}

static void deliver_answer(struct message *message);

static void send_back(struct admin_call *call)
{
    struct ticket *ticket = container_of(call, struct ticket, call);
    if (call->out.overflow)
        admin_refuse(call, 500, "the answer is too large");
    if (ticket->takes_gzip && call->out.len >= ASK_GZIP_FROM)
        compress_answer(ticket);
    ticket->message = (struct message){.deliver = deliver_answer};
    loop_post(&ticket->worker->loop, &ticket->message);
}

static void deliver_question(struct message *message)
{
    struct ticket *ticket = container_of(message, struct ticket, message);
    struct admin_call *call = &ticket->call;
    if (admin_self == NULL)
        admin_refuse(call, 503, "the process is stopping");
    else if (!ticket->answer(call))
        return;
    admin_finish(call);
}

/* ---- on the worker ---- */

/* One that is answered does not come by here again. */
static void abandon(struct pending *pending)
{
    struct ticket *ticket = container_of(pending, struct ticket, pending);
    ticket->x = NULL;
    if (ticket->answered)
        ticket_free(ticket);
}

static void deliver_answer(struct message *message)
{
    struct ticket *ticket = container_of(message, struct ticket, message);
    if (ticket->x == NULL) {
        ticket_free(ticket);
        return;
    }
    ticket->answered = true;
    exchange_resume(ticket->x);
}

static enum status read_answer(struct body_source *source, struct chunkq *into, size_t max)
{
    struct ticket *ticket = container_of(source, struct ticket, source);
    struct str part = str_first(ticket->rest, max);
    if (part.len == 0)
        return STATUS_END;
    if (!chunkq_add_copy(into, &ticket->worker->chunks, part))
        return STATUS_OVERLOADED;
    ticket->rest = str_from_index(ticket->rest, part.len);
    return STATUS_OK;
}

static void release_answer(struct body_source *source)
{
    ticket_free(container_of(source, struct ticket, source));
}

static const struct body_source_ops answer_source = {.read = read_answer, .release = release_answer};

static enum pick_result take_answer(struct exchange *x, struct ticket *ticket)
{
    struct admin_call *call = &ticket->call;
    struct fields *fields = &x->response.fields;
    x->pending = NULL;
    exchange_answer(x, call->status, STATUS_OK, arena_str(&x->arena, call->answer_type), STR_NONE);
    fields_add_id(fields, FIELD_CACHE_CONTROL, S("no-store"));
    fields_add(fields, S("X-Content-Type-Options"), S("nosniff"));
    if (call->next_page.len != 0)
        fields_add(fields, S("X-Next-Page"), arena_str(&x->arena, call->next_page));
    if (call->file_name.len != 0)
        fields_add(fields, S("Content-Disposition"),
                   arena_printf(&x->arena, "attachment; filename=%.*s", STR_ARGS(call->file_name)));
    if (call->allow.len != 0)
        fields_add(fields, S("Allow"), arena_str(&x->arena, call->allow));
    if (ticket->gzipped)
        fields_add_id(fields, FIELD_CONTENT_ENCODING, S("gzip"));
    fields_add_id(fields, FIELD_VARY, S("Accept-Encoding"));
    x->response.body_length = (int64_t)call->out.len;
    ticket->rest = text_str(&call->out);
    ticket->source = (struct body_source){&answer_source};
    exchange_answer_source(x, &ticket->source, STATUS_OK);
    return PICK_ANSWER;
}

/* ---- who may change things ---- */

static bool is_writer(const struct api_config *api, struct str user)
{
    for (size_t i = 0; i < api->writers.count; i++)
        if (str_equal(api->writers.items[i], S("*")) || (user.len != 0 && str_equal(api->writers.items[i], user)))
            return true;
    return false;
}

/* A page of another site may make a browser send requests here, with the user's credentials; browsers say where they come from. */
static bool comes_from_elsewhere(const struct exchange *x)
{
    const struct request *request = &x->stream.request;
    struct str site = fields_value_name(&request->fields, S("Sec-Fetch-Site"));
    if (site.len != 0 && !str_equal(site, S("same-origin")) && !str_equal(site, S("none")))
        return true;
    struct str origin = fields_value(&request->fields, FIELD_ORIGIN);
    if (origin.len == 0)
        return false;
    /* Where TLS ends here, a page that came in the clear may be anybody's; where it ends in front, the scheme is not known. */
    ptrdiff_t at = str_find(origin, S("://"));
    return at < 0 || (x->stream.client->tls && !str_starts_nocase(origin, S("https://"))) ||
           !str_equal_nocase(str_from_index(origin, (size_t)at + 3), request->authority);
}

/* Where nobody says who he is, a name that somebody else's DNS gives for this address must not be enough (rebinding). */
static bool is_own_name(struct str host)
{
    struct ip ip;
    return ip_parse(host, &ip) || str_equal(host, S("localhost")) || str_ends(host, S(".localhost"));
}

bool ask_may_write(const struct exchange *x)
{
    const struct request *request = &x->stream.request;
    const struct api_config *api = x->graph->model->config.api;
    return api != NULL && is_writer(api, x->user) && !comes_from_elsewhere(x) &&
           (x->user.len != 0 || is_own_name(request->host));
}

/* ---- asking ---- */

static struct str copy_field(struct admin_call *call, const struct request *request, enum field_id id)
{
    return arena_str(&call->arena, fields_value(&request->fields, id));
}

static void fill_call(struct ticket *ticket, const struct exchange *x, struct str path)
{
    const struct request *request = &x->stream.request;
    struct admin_call *call = &ticket->call;
    admin_call_init(call, request->method, path, request->query);
    call->content_type = copy_field(call, request, FIELD_CONTENT_TYPE);
    call->accept = copy_field(call, request, FIELD_ACCEPT);
    call->host = arena_str(&call->arena, request->authority);
    call->user = arena_str(&call->arena, x->user);
    call->peer = x->client_ip;
    call->may_write = ask_may_write(x);
    call->finished = send_back;
    ticket->takes_gzip = token_accepts(fields_value(&request->fields, FIELD_ACCEPT_ENCODING), S("gzip"), 0) > 0;
}

enum pick_result ask_control(struct exchange *x, struct str base, bool (*answer)(struct admin_call *call))
{
    if (x->pending != NULL) {
        struct ticket *ticket = container_of(x->pending, struct ticket, pending);
        return ticket->answered ? take_answer(x, ticket) : PICK_WAIT;
    }
    switch (exchange_hold_body(x, ADMIN_BODY_MAX, ADMIN_BODY_MAX)) {
    case HOLD_WAIT:
        return PICK_WAIT;
    case HOLD_REFUSED:
    case HOLD_TOO_LARGE:
        return PICK_ANSWER;
    case HOLD_READY:
        break;
    }
    struct worker *control = admin_control();
    if (control == NULL) {
        exchange_answer_status(x, 503, STATUS_STOPPING);
        return PICK_ANSWER;
    }
    struct ticket *ticket = memory_zalloc(sizeof(*ticket));
    fill_call(ticket, x, str_from_index(exchange_request(x)->path, base.len));
    if (x->body_held)
        ticket->call.body = arena_str(&ticket->call.arena, exchange_held_bytes(x));
    ticket->answer = answer;
    ticket->worker = x->worker;
    ticket->x = x;
    ticket->pending.abandon = abandon;
    x->pending = &ticket->pending;
    ticket->message = (struct message){.deliver = deliver_question};
    loop_post(&control->loop, &ticket->message);
    return PICK_WAIT;
}
