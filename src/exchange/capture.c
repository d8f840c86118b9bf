#include "exchange/capture.h"

#include "exchange/variable.h"
#include "exchange/visit.h"

struct capture {
    const struct perl_regex *regex;
    unsigned count;
    struct named_group {
        const struct variable *variable;
        unsigned group;
    } *names;
};

const struct capture *capture_new(struct compile *compile, struct str pattern, bool ignore_case, struct span span)
{
    const struct perl_regex *regex = compile_perl_regex(compile, pattern, ignore_case, span);
    if (regex == NULL)
        return NULL;
    struct capture *capture = arena_new(compile->arena, struct capture);
    struct str name;
    unsigned group;
    capture->regex = regex;
    while (perl_regex_name(regex, capture->count, &name, &group))
        capture->count++;
    capture->names = arena_array(compile->arena, struct named_group, capture->count);
    for (unsigned i = 0; perl_regex_name(regex, i, &name, &group); i++) {
        capture->names[i].variable = variable_declare(name, compile, span);
        capture->names[i].group = group;
        if (capture->names[i].variable == NULL)
            return NULL;
    }
    return capture;
}

const struct perl_regex *capture_regex(const struct capture *capture)
{
    return capture->regex;
}

void capture_keep(const struct capture *capture, struct exchange *x, const struct captures *captures)
{
    struct visit *visit = exchange_visit(x);
    if (visit != NULL && captures != &visit->captures)
        visit->captures = *captures;
    for (unsigned i = 0; i < capture->count; i++)
        variable_set(capture->names[i].variable, x, captures->groups[capture->names[i].group]);
}

bool capture_match(const struct capture *capture, struct exchange *x, struct str subject)
{
    struct captures captures;
    if (!perl_regex_match(capture->regex, subject, &captures))
        return false;
    capture_keep(capture, x, &captures);
    return true;
}
