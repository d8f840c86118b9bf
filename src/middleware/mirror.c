/* Sends copies of a request to other locations of the same site. Nobody waits for their answers, and they are thrown away. */
#include "exchange/subrequest.h"
#include "exchange/text_template.h"
#include "middleware/answer.h"

#define BODY_IN_MEMORY INT64_C(1048576)

struct mirror {
    const struct node *origin;
    struct strs uris;
    bool request_body;
};

struct mirror_state {
    const struct text_template **uris;
    size_t count;
};

static const struct option mirror_options[] = {
    OPTION(STRS, struct mirror, uris, .required = true,
           .help = "The paths that get a copy, in the same site; may have variables."),
    OPTION_NAMED(BOOL, struct mirror, request_body, "requestBody", .fallback = "true",
                 .help = "Copies have the request's body; it is read whole before the request goes on."),
};
static const struct option_table mirror_table =
    OPTION_TABLE(struct mirror, mirror_options, .summary = "Sends copies of requests to other locations of the site.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct mirror *options = m->options;
    struct mirror_state *state = m->state;
    const struct node *list = node_get(options->origin, S("uris"));
    bool good = true;
    state->uris = arena_array(compile->arena, const struct text_template *, options->uris.count);
    state->count = options->uris.count;
    for (size_t i = 0; i < state->count; i++) {
        state->uris[i] = text_template_new(options->uris.items[i], compile, node_span(node_at(list, i)));
        good &= state->uris[i] != NULL;
    }
    return good;
}

/* A copy that cannot be begun is no reason to fail the request. */
static void send_copies(struct exchange *x, const struct mirror *options, const struct mirror_state *state)
{
    const struct request *request = exchange_request(x);
    for (size_t i = 0; i < state->count; i++) {
        struct subrequest_order order = {.uri = text_template_text(state->uris[i], x),
                                         .query = request->query,
                                         .method = request->method_name,
                                         .with_body = options->request_body,
                                         .alone = true};
        subrequest_start(x, &order);
    }
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct mirror *options = m->options;
    if (x->subrequest != NULL)
        return VERDICT_NEXT;
    if (options->request_body) {
        switch (exchange_hold_body(x, 0, BODY_IN_MEMORY)) {
        case HOLD_READY:
            break;
        case HOLD_WAIT:
            return VERDICT_WAIT;
        case HOLD_REFUSED:
        case HOLD_TOO_LARGE:
            return VERDICT_ANSWER;
        }
    }
    send_copies(x, options, m->state);
    return VERDICT_NEXT;
}

static const struct middleware_type mirror = {
    .choice = {.name = "mirror",
               .summary = "Sends copies of requests to other locations of the site.",
               .table = &mirror_table},
    .state_size = sizeof(struct mirror_state),
    .compile = compile,
    .on_request = on_request,
};
REGISTER(middleware_type, mirror);
