/* The grammar: or-lists of and-lists of (negated) matchers and parentheses. Every call is checked
 * even after another one was wrong, so a rule shows all its faults at once; a fault in the grammar
 * ends the reading. */
#include "route/rule.h"

#include "base/vec.h"
#include "route/rule_build.h"

struct parser {
    struct builder builder;
    struct str text;
    struct token token;       /* the one to look at */
    size_t end;               /* of the last one taken */
    VEC(struct token) values; /* of the call being read */
    bool failed;              /* the grammar is broken: nothing more is read */
};

static struct term *parse_or(struct parser *parser, unsigned depth);

static void fail(struct parser *parser, size_t offset, size_t length, const char *message,
                 struct str hint)
{
    if (!parser->failed)
        fault_error(&parser->builder, offset, length, message, hint);
    parser->failed = true;
}

static void advance(struct parser *parser)
{
    parser->end = parser->token.offset + parser->token.length;
    parser->token = token_scan(parser->text, parser->end, parser->builder.arena);
    if (parser->token.kind == TOKEN_BAD)
        fail(parser, parser->token.offset, parser->token.length, parser->token.message,
             str_from(parser->token.hint));
}

/* People write `and`, `or`, `not`. */
static struct str operator_hint(struct str word, const char *otherwise)
{
    if (str_equal_nocase(word, S("and")))
        return S("did you mean '&&'?");
    if (str_equal_nocase(word, S("or")))
        return S("did you mean '||'?");
    if (str_equal_nocase(word, S("not")))
        return S("did you mean '!'?");
    return str_from(otherwise);
}

/* The values between the parentheses, which are both taken; the last may be followed by a comma, as
 * in Go. */
static bool parse_values(struct parser *parser)
{
    struct token open = parser->token;
    parser->values.count = 0;
    advance(parser);
    while (!parser->failed && parser->token.kind != TOKEN_CLOSE) {
        struct token token = parser->token;
        if (token.kind == TOKEN_END)
            fail(parser, open.offset, 1, "the '(' is never closed", STR_NONE);
        else if (token.kind != TOKEN_STRING)
            fail(parser, token.offset, token.length, "a value is expected here",
                 S("values stand in `back-quotes` or \"double quotes\""));
        VEC_PUSH(&parser->values, token);
        advance(parser);
        if (parser->token.kind == TOKEN_COMMA)
            advance(parser);
        else if (!parser->failed && parser->token.kind == TOKEN_STRING)
            fail(parser, parser->token.offset, parser->token.length,
                 "a ',' is missing before this value", STR_NONE);
    }
    return !parser->failed;
}

/* Host(`a`,`b`) -> "write Host(`a`) || Host(`b`)". */
static struct str split_hint(struct parser *parser, const struct call *call)
{
    struct text text;
    text_init(&text, 512);
    text_add(&text, S("write "));
    for (size_t i = 0; i < call->count; i++)
        text_addf(&text, "%s%.*s(%.*s)", i > 0 ? " || " : "", STR_ARGS(call->name.text),
                  STR_ARGS(call->values[i].text));
    struct str hint = text.overflow ? S("write one matcher for each value, joined with ||")
                                    : arena_str(parser->builder.arena, text_str(&text));
    text_release(&text);
    return hint;
}

static bool values_fit(struct parser *parser, const struct call *call,
                       const struct matcher_type *type)
{
    struct arena *arena = parser->builder.arena;
    for (size_t i = 0; i < call->count; i++)
        if (call->values[i].value.len == 0) {
            fault_error(&parser->builder, call->values[i].offset, call->values[i].length,
                        "the value is empty", STR_NONE);
            return false;
        }
    if (call->count >= type->least && call->count <= type->most)
        return true;
    const char *wanted = type->most == 1             ? "one value"
                         : type->least == type->most ? "two values"
                         : type->most == 2           ? "one or two values"
                         : type->least == 2          ? "pairs of values"
                                                     : "at least one value";
    struct str message =
        arena_printf(arena, "%s takes %s, not %zu", type->name, wanted, call->count);
    bool split = type->most == 1 && call->count > 1;
    fault_error(&parser->builder, call->offset, call->length, message.data,
                split ? split_hint(parser, call) : STR_NONE);
    return false;
}

/* A term that stands in for one that could not be built, while the rest is checked. */
static struct term *stand_in(struct parser *parser)
{
    return builder_term(&parser->builder, TERM_MATCHER, 0, 0);
}

static struct term *parse_call(struct parser *parser)
{
    struct token name = parser->token;
    advance(parser);
    if (parser->failed)
        return stand_in(parser);
    if (parser->token.kind != TOKEN_OPEN) {
        fail(parser, name.offset, name.length,
             "a matcher is written with its values in parentheses",
             operator_hint(name.text, "such as Host(`example.com`)"));
        return stand_in(parser);
    }
    if (!parse_values(parser))
        return stand_in(parser);
    struct call call = {.name = name,
                        .values = parser->values.items,
                        .count = parser->values.count,
                        .offset = name.offset,
                        .length = parser->token.offset + 1 - name.offset};
    advance(parser);
    bool v2 = parser->builder.syntax == RULE_V2;
    const struct matcher_type *type = matcher_find(v2 ? matchers_v2 : matchers_v3, name.text);
    if (type == NULL) {
        matcher_unknown(&parser->builder, &call);
        return stand_in(parser);
    }
    struct term *term =
        values_fit(parser, &call, type) ? type->build(&parser->builder, &call) : NULL;
    return term != NULL ? term : stand_in(parser);
}

static struct term *parse_parentheses(struct parser *parser, unsigned depth)
{
    struct token open = parser->token;
    advance(parser);
    struct term *term = parse_or(parser, depth + 1);
    if (parser->failed)
        return term;
    if (parser->token.kind != TOKEN_CLOSE)
        fail(parser, open.offset, 1, "the '(' is never closed", STR_NONE);
    else
        advance(parser);
    return term;
}

static struct term *parse_not(struct parser *parser, unsigned depth);

static struct term *parse_operand(struct parser *parser, unsigned depth)
{
    struct token token = parser->token;
    if (parser->failed)
        return stand_in(parser);
    if (depth > RULE_DEPTH_MAX || parser->builder.terms > RULE_TERMS_MAX) {
        fail(parser, token.offset, token.length,
             depth > RULE_DEPTH_MAX ? "the rule is nested too deeply"
                                    : "the rule has too many matchers",
             STR_NONE);
        return stand_in(parser);
    }
    if (token.kind == TOKEN_NAME)
        return parse_call(parser);
    if (token.kind == TOKEN_OPEN)
        return parse_parentheses(parser, depth);
    if (token.kind == TOKEN_NOT)
        return parse_not(parser, depth);
    if (parser->text.len == token.offset && str_empty(str_trim_space(parser->text)))
        fail(parser, token.offset, 0, "the rule is empty", S("such as Host(`example.com`)"));
    else if (token.kind == TOKEN_STRING)
        fail(parser, token.offset, token.length, "a value alone is no matcher",
             S("such as Host(`example.com`)"));
    else
        fail(parser, token.offset, token.length, "a matcher is expected here",
             S("such as Host(`example.com`)"));
    return stand_in(parser);
}

static struct term *parse_not(struct parser *parser, unsigned depth)
{
    struct token token = parser->token;
    advance(parser);
    struct term *operand = parse_operand(parser, depth + 1);
    struct term *term = builder_term(&parser->builder, TERM_NOT, token.offset, 0);
    term->length = (uint32_t)parser->end - token.offset;
    term->first = operand;
    return term;
}

/* Operands joined by one operator; a single one is itself. */
static struct term *parse_list(struct parser *parser, unsigned depth, enum token_kind operator)
{
    bool and = operator== TOKEN_AND;
    uint32_t start = parser->token.offset;
    struct term *first = and? parse_operand(parser, depth) : parse_list(parser, depth, TOKEN_AND);
    if (parser->failed || parser->token.kind != operator)
        return first;
    struct term *list = builder_term(&parser->builder, and? TERM_AND : TERM_OR, start, 0),
                *last = first;
    list->first = first;
    while (!parser->failed && parser->token.kind == operator) {
        advance(parser);
        last->next = and? parse_operand(parser, depth) : parse_list(parser, depth, TOKEN_AND);
        last = last->next;
    }
    list->length = (uint32_t)parser->end - start;
    return list;
}

static struct term *parse_or(struct parser *parser, unsigned depth)
{
    return parse_list(parser, depth, TOKEN_OR);
}

static void parse_all(struct parser *parser, struct rule *rule)
{
    advance(parser);
    rule->root = parse_or(parser, 0);
    struct token token = parser->token;
    if (parser->failed || token.kind == TOKEN_END)
        return;
    if (token.kind == TOKEN_CLOSE)
        fail(parser, token.offset, 1, "this ')' has no '('", STR_NONE);
    else
        fail(parser, token.offset, token.length, "an operator is missing before this",
             operator_hint(token.text, "matchers are joined with && or ||"));
}

const struct rule *rule_parse(struct str text, enum rule_syntax syntax, struct regex_set *regexes,
                              struct arena *arena, struct rule_faults *ret_faults)
{
    ret_faults->count = ret_faults->errors = 0;
    struct rule *rule = arena_new(arena, struct rule);
    struct parser parser = {.builder = {.arena = arena,
                                        .regexes = regexes,
                                        .faults = ret_faults,
                                        .syntax = syntax == RULE_V2 ? RULE_V2 : RULE_V3}};
    if (text.len > RULE_TEXT_MAX) {
        fault_error(&parser.builder, 0, 1, "the rule is longer than 64 KiB", STR_NONE);
        return NULL;
    }
    rule->text = parser.text = text;
    parse_all(&parser, rule);
    VEC_RELEASE(&parser.values);
    rule->terms = parser.builder.terms;
    return ret_faults->errors == 0 ? rule : NULL;
}

void rule_report(const struct rule_faults *faults, struct span span, struct diag *diag)
{
    size_t shown = faults->count < RULE_FAULTS_MAX ? faults->count : RULE_FAULTS_MAX;
    for (size_t i = 0; i < shown; i++) {
        const struct rule_fault *fault = &faults->items[i];
        struct span place = span_inside(span, fault->offset, fault->length > 0 ? fault->length : 1);
        struct diag_item *item = fault->warning
                                     ? diag_warning(diag, place, "%.*s", STR_ARGS(fault->message))
                                     : diag_error(diag, place, "%.*s", STR_ARGS(fault->message));
        if (item != NULL && !str_empty(fault->hint))
            diag_hint(diag, item, "%.*s", STR_ARGS(fault->hint));
    }
}

static void collect_hosts(const struct term *term, struct arena *arena, struct strs *hosts)
{
    if (term->kind == TERM_NOT)
        return;
    for (const struct term *it = term->first; it != NULL; it = it->next)
        collect_hosts(it, arena, hosts);
    if (term->kind == TERM_MATCHER && term->matcher == MATCH_HOST)
        hosts->items[hosts->count++] = term->value;
    if (term->kind == TERM_MATCHER && term->matcher == MATCH_HOST_BELOW)
        hosts->items[hosts->count++] = arena_concat(arena, S("*"), term->value);
}

struct strs rule_hosts(const struct rule *rule, struct arena *arena)
{
    struct strs hosts = {.items = arena_array(arena, struct str, rule->terms)};
    collect_hosts(rule->root, arena, &hosts);
    return hosts;
}
