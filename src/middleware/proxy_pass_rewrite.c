/* Texts of responses that name the server, rewritten by rules: the first that matches. */
#include "exchange/visit.h"
#include "middleware/proxy_pass.h"

const struct perl_regex *rewrite_regex(struct str text, bool sensitive, struct compile *compile, struct span span, bool *ret_is_regex)
{
    *ret_is_regex = text.len != 0 && text.data[0] == '~';
    if (!*ret_is_regex)
        return NULL;
    bool star = text.len > 1 && text.data[1] == '*';
    return compile_perl_regex(compile, str_from_index(text, star ? 2 : 1), star || !sensitive, span);
}

static struct str without_dot(struct str domain)
{
    return domain.len != 0 && domain.data[0] == '.' ? str_from_index(domain, 1) : domain;
}

static bool compile_one(struct text_rewrite *rule, const struct pass_rewrite *config, enum rewrite_kind kind, struct compile *compile)
{
    struct span from_span = node_span(node_get(config->origin, S("from")));
    struct str from = config->from, to = config->to;
    bool is_regex;
    rule->regex = rewrite_regex(from, kind == REWRITE_START, compile, from_span, &is_regex);
    if (kind == REWRITE_DOMAIN && !is_regex) {
        from = without_dot(from);
        to = without_dot(to);
    }
    if (!is_regex)
        rule->from = text_template_new(from, compile, from_span);
    rule->to = text_template_new(to, compile, node_span(node_get(config->origin, S("to"))));
    return (is_regex ? (const void *)rule->regex : (const void *)rule->from) != NULL && rule->to != NULL;
}

bool text_rewrites_compile(struct text_rewrites *rewrites, const struct objects *config, enum rewrite_kind kind, struct compile *compile)
{
    bool good = true;
    rewrites->items = arena_array(compile->arena, struct text_rewrite, config->count);
    rewrites->count = (unsigned)config->count;
    for (size_t i = 0; i < config->count; i++)
        good &= compile_one(&rewrites->items[i], config->items[i].value, kind, compile);
    return good;
}

static struct str put_before(struct exchange *x, struct str replacement, struct str rest)
{
    return rest.len != 0 ? arena_concat(&x->arena, replacement, rest) : replacement;
}

/* All of the text gives way to the replacement, which may name what was captured. */
static bool by_regex(const struct text_rewrite *rule, struct exchange *x, struct str *text)
{
    struct visit *visit = exchange_visit(x);
    if (visit == NULL || !perl_regex_match(rule->regex, *text, &visit->captures))
        return false;
    *text = text_template_text(rule->to, x);
    return true;
}

static bool by_text(const struct text_rewrite *rule, enum rewrite_kind kind, struct exchange *x, struct str *text)
{
    struct str from = text_template_text(rule->from, x), looked_at = kind == REWRITE_DOMAIN ? without_dot(*text) : *text;
    size_t dot = text->len - looked_at.len;
    if (kind == REWRITE_DOMAIN ? !str_equal_nocase(from, looked_at) : !str_starts(looked_at, from))
        return false;
    struct str to = text_template_text(rule->to, x);
    to = put_before(x, to, str_from_index(looked_at, from.len));
    *text = dot != 0 ? arena_concat(&x->arena, S("."), to) : to;
    return true;
}

bool text_rewrites_apply(const struct text_rewrites *rewrites, enum rewrite_kind kind, struct exchange *x, struct str *text)
{
    for (unsigned i = 0; i < rewrites->count; i++) {
        const struct text_rewrite *rule = &rewrites->items[i];
        if (rule->regex != NULL ? by_regex(rule, x, text) : by_text(rule, kind, x, text))
            return true;
    }
    return false;
}
