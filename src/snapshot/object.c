/* What becomes of an object with a mistake: it is left out alone, or the configuration is refused. */
#include "snapshot/build.h"

#define PLACE_MAX 4096

_Static_assert((int)NAME_ROUTER == (int)REMARK_ROUTER && (int)NAME_MIDDLEWARE == (int)REMARK_MIDDLEWARE &&
                   (int)NAME_SERVICE == (int)REMARK_SERVICE && (int)NAME_TRANSPORT == (int)REMARK_TRANSPORT &&
                   (int)NAME_TLS_OPTIONS == (int)REMARK_TLS_OPTIONS && (int)NAME_SITE == (int)REMARK_SITE &&
                   (int)NAME_VARIABLE == (int)REMARK_VARIABLE,
               "a name's kind is that of remarks about it");

void build_object_begin(struct build *build, struct object *object, struct named *named)
{
    object->named = named;
    object->lenient = build->compile.lenient;
    build->compile.lenient = named != NULL && named->lenient;
    diag_guard_begin(build->compile.diag, &object->guard, build->compile.lenient);
}

static struct str words_of(struct build *build, const struct diag_mistake *mistake)
{
    if (str_empty(mistake->hint))
        return mistake->message;
    return arena_printf(&build->model->arena, "%.*s, %.*s", STR_ARGS(mistake->message), STR_ARGS(mistake->hint));
}

static void add_remark(struct build *build, const struct named *named, struct str reason, struct span span)
{
    struct text place;
    text_init(&place, PLACE_MAX);
    diag_render_place(span, &place);
    model_add_remark(build->model, &(struct remark){.kind = (enum remark_kind)named->kind,
                                                    .provider = named->provider,
                                                    .name = named->name,
                                                    .reason = reason,
                                                    .place = text_str(&place),
                                                    .left_out = true,
                                                    .config = named->value});
    text_release(&place);
}

static void leave_out(struct build *build, struct named *named, const struct diag_mistake *mistakes)
{
    build->any_left_out = true;
    named->left_out = mistakes != NULL ? words_of(build, mistakes) : S("it cannot be built");
    if (mistakes == NULL)
        add_remark(build, named, named->left_out, named->node != NULL ? named->node->key_span : SPAN_NONE);
    for (const struct diag_mistake *it = mistakes; it != NULL; it = it->next)
        add_remark(build, named, words_of(build, it), it->span);
}

/* What has no name answers to whom it is a part of. */
static void pass_on(struct diag *diag, const struct diag_guard *guard)
{
    struct diag_guard *outer = diag->guard;
    if (outer == NULL || guard->count == 0)
        return;
    if (guard->first != NULL) {
        *outer->last = guard->first;
        outer->last = guard->last;
    }
    outer->count += guard->count;
    outer->errors += guard->errors;
}

bool build_object_end(struct build *build, struct object *object, bool good)
{
    struct named *named = object->named;
    build->compile.lenient = object->lenient;
    if (diag_guard_end(build->compile.diag, &object->guard) && good)
        return true;
    if (named == NULL) {
        pass_on(build->compile.diag, &object->guard);
        return false;
    }
    named->failed = true;
    if (object->guard.errors == 0)
        leave_out(build, named, object->guard.first);
    return false;
}

bool build_usable(struct build *build, const struct named *named, struct span span)
{
    if (named->failed && !str_empty(named->left_out))
        diag_contained(build->compile.diag, span, "%s '%.*s' was left out: %.*s", names_kind_text(named->kind),
                       STR_ARGS(named->name), STR_ARGS(named->left_out));
    return !named->failed;
}
