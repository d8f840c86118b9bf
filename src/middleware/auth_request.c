/* Asks a location of the same site whether a request may pass, by a request of our own: 2xx lets it, 401 and 403 refuse it (with the
 * answer's challenges), anything else is a failure. What the answer says can be kept in variables. */
#include "base/text.h"
#include "exchange/graph.h"
#include "exchange/subrequest.h"
#include "exchange/visit.h"
#include "exchange/text_template.h"
#include "exchange/variable.h"
#include "middleware/answer.h"

struct auth_request {
    const struct node *origin;
    struct str uri;
    struct strmap set;
};

struct assignment {
    const struct variable *variable;
    const struct text_template *value;
};
struct auth_request_state {
    const struct text_template *uri;
    struct assignment *assignments;
    size_t count;
};

/* Of one exchange. */
struct question {
    const struct auth_request_state *state;
    bool asked, answered, out_of_memory;
    int status;
    struct str *challenges;
    unsigned challenge_count;
};

static const struct option auth_request_options[] = {
    OPTION(STR, struct auth_request, uri, .required = true,
           .help = "The path that is asked, in the same site; may have variables."),
    OPTION(STRMAP, struct auth_request, set,
           .help = "Variables that get a text, in which variables are those of the answer: ${upstream_http_x_user}."),
};
static const struct option_table auth_request_table =
    OPTION_TABLE(struct auth_request, auth_request_options,
                 .summary = "Asks a location of the same site whether a request may pass.");

static bool compile_assignment(const struct strmap_item *item, const struct auth_request *options,
                               struct assignment *assignment, struct compile *compile)
{
    struct span span = node_span(node_get(node_get(options->origin, S("set")), item->name));
    assignment->variable = variable_declare(item->name, compile, span);
    assignment->value = text_template_new(item->value, compile, span);
    return assignment->variable != NULL && assignment->value != NULL;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct auth_request *options = m->options;
    struct auth_request_state *state = m->state;
    bool good = true;
    state->uri = text_template_new(options->uri, compile, node_span(node_get(options->origin, S("uri"))));
    state->assignments = arena_array(compile->arena, struct assignment, options->set.count);
    state->count = options->set.count;
    for (size_t i = 0; i < state->count; i++)
        good &= compile_assignment(&options->set.items[i], options, &state->assignments[i], compile);
    return good && state->uri != NULL;
}

/* Into memory of the one that asked: the answer goes. */
static bool take_challenges(struct question *question, struct exchange *x, const struct exchange *answer)
{
    const struct fields *fields = &answer->response.fields;
    unsigned count = 0;
    FIELDS_FOREACH(fields, field)
        count += field->id == FIELD_WWW_AUTHENTICATE;
    question->challenges = arena_array(&x->arena, struct str, count);
    if (question->challenges == NULL)
        return count == 0;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_WWW_AUTHENTICATE)
            continue;
        struct str copy = arena_str(&x->arena, field->value);
        if (copy.data == NULL)
            return false;
        question->challenges[question->challenge_count++] = copy;
    }
    return true;
}

static bool take_variables(const struct auth_request_state *state, struct exchange *x, struct exchange *answer)
{
    variables_give_back(x, answer);
    for (size_t i = 0; i < state->count; i++) {
        struct str value = arena_str(&x->arena, text_template_text(state->assignments[i].value, answer));
        if (value.data == NULL)
            return false;
        variable_set(state->assignments[i].variable, x, value);
    }
    return true;
}

static void on_done(struct exchange *x, struct exchange *answer, void *context)
{
    struct question *question = context;
    question->answered = true;
    question->status = answer->response.status;
    if (question->status != 0)
        question->out_of_memory =
            !take_variables(question->state, x, answer) || (question->status == 401 && !take_challenges(question, x, answer));
    exchange_resume(x);
}

static enum verdict judge(struct exchange *x, const struct question *question)
{
    int status = question->status;
    if (question->out_of_memory)
        return answer_out_of_memory(x);
    if (status >= 200 && status < 300)
        return VERDICT_NEXT;
    if (status != 401 && status != 403) {
        x->reason_detail = "the location that was asked gave neither 2xx nor 401 nor 403";
        exchange_answer_status(x, 500, STATUS_AUTH_UNREACHABLE);
        return VERDICT_ANSWER;
    }
    exchange_answer_status(x, status, status == 401 ? STATUS_UNAUTHORIZED : STATUS_AUTH_DENIED);
    for (unsigned i = 0; i < question->challenge_count; i++)
        fields_add_id(&x->response.fields, FIELD_WWW_AUTHENTICATE, question->challenges[i]);
    return VERDICT_ANSWER;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct auth_request_state *state = m->state;
    struct question *question = own;
    if (!question->asked) {
        struct subrequest_order order = {
            .uri = text_template_text(state->uri, x), .done = on_done, .context = question};
        question->asked = true;
        question->state = state;
        if (!subrequest_start(x, &order))
            question->answered = true;
    }
    return question->answered ? judge(x, question) : VERDICT_WAIT;
}

/* Nobody is asked: which location would be is known. */
static void explain(struct exchange *x, const struct middleware *m, struct text *out)
{
    const struct auth_request_state *state = m->state;
    struct str uri = text_template_text(state->uri, x), path = uri;
    struct location_reason reason = {.winner = NULL};
    ptrdiff_t mark = str_find_char(uri, '?', 0);
    if (mark >= 0)
        path = str_first(uri, (size_t)mark);
    if (x->visit != NULL && x->visit->site != NULL)
        locations_explain(x->visit->site->locations, path, &reason);
    text_addf(out, "a subrequest decides, \"%.*s\"", STR_ARGS(uri));
    const struct router *router = reason.winner != NULL ? reason.winner->router : NULL;
    if (router != NULL)
        text_addf(out, " of %.*s", STR_ARGS(router->about->rule));
    text_add(out, S(": taken to let the request pass"));
}

static const struct middleware_type auth_request = {
    .choice = {.name = "authRequest",
               .summary = "Asks a location of the same site whether a request may pass.",
               .table = &auth_request_table},
    .state_size = sizeof(struct auth_request_state),
    .exchange_size = sizeof(struct question),
    .compile = compile,
    .guards = true,
    .explain = explain,
    .on_request = on_request,
};
REGISTER(middleware_type, auth_request);
