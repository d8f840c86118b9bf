/* Several guards, one of which must let a request in. They are asked in turn; who has nothing to say of a request is passed over,
 * and where nobody has, it passes. When all refuse, the answer is 401 if one of them would hear of a password (with the
 * challenges of all), else 403; any other answer of a guard (a redirect to a login page, a failure) is the client's at once. */
#include "exchange/error_log.h"
#include "middleware/answer.h"
#include "middleware/nested.h"

struct any_of {
    const struct node *origin;
    struct strs guards;
};

struct challenge {
    struct str value;
    struct challenge *next;
};

/* Of one exchange. */
struct asked {
    struct nested_run run;
    int status; /* that the refusals come to; 0: nobody has refused */
    enum status reason;
    struct challenge *challenges, **challenges_end;
};

static const struct option any_of_options[] = {
    OPTION(STRS, struct any_of, guards, .required = true,
           .help = "Names of middlewares that let requests in or refuse them, in the order in which they are asked."),
};
static const struct option_table any_of_table =
    OPTION_TABLE(struct any_of, any_of_options, .summary = "One of several guards must let a request in.");

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct any_of *options = m->options;
    return nested_compile(m->state, &options->guards, "guards", options->origin, compile);
}

static bool note_refusal(struct exchange *x, struct asked *asked)
{
    if (asked->status != 401) {
        asked->status = x->response.status;
        asked->reason = x->failure;
    }
    FIELDS_FOREACH(&x->response.fields, field) {
        if (field->id != FIELD_WWW_AUTHENTICATE)
            continue;
        struct challenge *challenge = arena_new(&x->arena, struct challenge);
        if (challenge == NULL)
            return false;
        challenge->value = field->value;
        *asked->challenges_end = challenge;
        asked->challenges_end = &challenge->next;
    }
    exchange_drop_response(x);
    return true;
}

static enum verdict refuse(struct exchange *x, const struct asked *asked)
{
    if (asked->status == 403)
        error_log_add(x, SYSLOG_ERROR, "access forbidden by rule");
    exchange_answer_status(x, asked->status, asked->reason);
    for (const struct challenge *it = asked->challenges; it != NULL; it = it->next)
        fields_add_id(&x->response.fields, FIELD_WWW_AUTHENTICATE, it->value);
    return VERDICT_ANSWER;
}

static bool begin(struct exchange *x, const struct nested *nested, struct asked *asked)
{
    asked->challenges_end = &asked->challenges;
    return nested_begin(&asked->run, nested, x);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct nested *nested = m->state;
    struct asked *asked = own;
    if (asked->run.nested == NULL && !begin(x, nested, asked))
        return answer_out_of_memory(x);
    while (asked->run.at < nested->count) {
        const struct middleware *guard = nested->items[asked->run.at];
        if (guard->type->abstains != NULL && guard->type->abstains(x, guard)) {
            asked->run.at++;
            continue;
        }
        enum verdict verdict = nested_ask(&asked->run, x);
        if (verdict != VERDICT_ANSWER || (x->response.status != 401 && x->response.status != 403))
            return verdict;
        if (!note_refusal(x, asked))
            return answer_out_of_memory(x);
        asked->run.at++;
    }
    return asked->status != 0 ? refuse(x, asked) : VERDICT_NEXT;
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    struct asked *asked = own;
    return nested_on_response(&asked->run, x);
}

static void on_finish(struct exchange *x, struct middleware *m, void *own)
{
    struct asked *asked = own;
    nested_finish(&asked->run, x);
}

static const struct middleware_type any_of = {
    .choice = {.name = "anyOf", .summary = "One of several guards must let a request in.", .table = &any_of_table},
    .state_size = sizeof(struct nested),
    .exchange_size = sizeof(struct asked),
    .compile = compile,
    .guards = true,
    .on_request = on_request,
    .on_response = on_response,
    .on_finish = on_finish,
};
REGISTER(middleware_type, any_of);
