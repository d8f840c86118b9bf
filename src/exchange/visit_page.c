/* What a page that stands in for another response has of it. */
#include "exchange/visit.h"

static bool is_demand(const struct exchange *x, enum field_id id)
{
    if (id == FIELD_WWW_AUTHENTICATE)
        return x->response.status == 401;
    return x->answered_here && (id == FIELD_LOCATION || id == FIELD_RETRY_AFTER);
}

static struct fields *demands_of(struct exchange *x)
{
    struct visit *visit = x->visit;
    if (visit->demands == NULL) {
        visit->demands = arena_new(&x->arena, struct fields);
        if (visit->demands != NULL)
            fields_init(visit->demands, &x->arena, 2);
    }
    return visit->demands;
}

void exchange_keep_demands(struct exchange *x)
{
    FIELDS_FOREACH(&x->response.fields, field) {
        if (!is_demand(x, field->id))
            continue;
        struct fields *demands = demands_of(x);
        if (demands != NULL)
            fields_add_id(demands, field->id, field->value);
    }
}

static void add_demands(struct exchange *x)
{
    const struct fields *demands = x->visit->demands;
    uint64_t had[2] = {x->response.fields.present[0], x->response.fields.present[1]};
    FIELDS_FOREACH(demands, field)
        if ((had[field->id >> 6] >> (field->id & 63) & 1) == 0)
            fields_add_id(&x->response.fields, field->id, field->value);
}

/* What a file says of itself is not true of the error that it is the page of. */
static void forget_the_file(struct exchange *x)
{
    fields_remove(&x->response.fields, FIELD_LAST_MODIFIED);
    fields_remove(&x->response.fields, FIELD_ACCEPT_RANGES);
}

void visit_dress_response(struct exchange *x)
{
    struct visit *visit = x->visit;
    if (visit->status_override != 0 && x->customary == 0) {
        x->response.status = visit->status_override;
        x->response.reason = STR_NONE;
        if (x->answered_here && x->response.status >= 300)
            forget_the_file(x);
    }
    if (visit->demands != NULL)
        add_demands(x);
}
