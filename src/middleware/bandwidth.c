/* Says how fast a client gets a response's body. The slowing down is the relay's (exchange/pace.h). */
#include "base/time.h"
#include "exchange/middleware.h"
#include "exchange/text_template.h"

struct bandwidth {
    const struct node *origin;
    struct str rate, after;
};

/* A size that is known, or a template of one. */
struct amount {
    const struct text_template *template;      /* NULL: it is known */
    int64_t bytes;
};
struct bandwidth_state {
    struct amount rate, after;
};

static const struct option bandwidth_options[] = {
    OPTION(STR, struct bandwidth, rate, .fallback = "0",
           .help = "Bytes a second by which a client gets a response's body (\"100k\"); a template; 0 or nothing: no limit."),
    OPTION(STR, struct bandwidth, after, .fallback = "0",
           .help = "Bytes at a body's beginning that go out as fast as the client takes them; a template."),
};
static const struct option_table bandwidth_table =
    OPTION_TABLE(struct bandwidth, bandwidth_options, .summary = "Limits how fast clients get response bodies.");

static bool compile_amount(struct amount *amount, struct str text, struct span span, struct compile *compile)
{
    if (text_template_is_in(text)) {
        amount->template = text_template_new(text, compile, span);
        return amount->template != NULL;
    }
    if (size_parse(text, &amount->bytes) && amount->bytes >= 0)
        return true;
    diag_error(compile->diag, span, "'%.*s' is not a size", STR_ARGS(text));
    return false;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct bandwidth *options = m->options;
    struct bandwidth_state *state = m->state;
    bool good = compile_amount(&state->rate, options->rate, node_span(node_get(options->origin, S("rate"))), compile);
    return compile_amount(&state->after, options->after, node_span(node_get(options->origin, S("after"))), compile) && good;
}

/* What is no size limits nothing. */
static int64_t amount_of(const struct amount *amount, struct exchange *x)
{
    int64_t bytes;
    if (amount->template == NULL)
        return amount->bytes;
    return size_parse(text_template_text(amount->template, x), &bytes) && bytes > 0 ? bytes : 0;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct bandwidth_state *state = m->state;
    if (!x->rate_set)
        x->rate = amount_of(&state->rate, x);
    if (x->rate != 0)
        x->rate_after = amount_of(&state->after, x);
    return VERDICT_NEXT;
}

static const struct middleware_type bandwidth_type = {
    .choice = {.name = "bandwidth", .summary = "Limits how fast clients get response bodies.", .table = &bandwidth_table},
    .state_size = sizeof(struct bandwidth_state),
    .compile = compile,
    .pure = true,
    .on_response = on_response,
};
REGISTER(middleware_type, bandwidth_type);
