#include "provider/docker/constraints.h"

#include "route/regex.h"
#include "route/rule_scan.h"

#define DEPTH_MAX 64
#define TEXT_MAX 65536

enum constraint_kind { CONSTRAINT_LABEL, CONSTRAINT_REGEX, CONSTRAINT_NOT, CONSTRAINT_AND, CONSTRAINT_OR };

struct constraint {
    enum constraint_kind kind;
    struct str key, value;
    struct regex *regex;
    struct constraint *left, *right;
    struct constraint *next;             /* of all */
};

struct reader {
    struct constraints *constraints;
    struct str text;
    struct span span;
    struct arena *arena;
    struct diag *diag;
    struct token token;                  /* the next one */
    unsigned depth;
};

static struct constraint *read_or(struct reader *r);

static void advance(struct reader *r)
{
    r->token = token_scan(r->text, r->token.offset + (size_t)r->token.length, r->arena);
}

static struct constraint *refuse(struct reader *r, size_t offset, size_t length, const char *message, const char *hint)
{
    struct diag_item *item = diag_error(r->diag, span_inside(r->span, offset, length), "%s", message);
    if (hint[0] != '\0')
        diag_hint(r->diag, item, "%s", hint);
    return NULL;
}

/* What stands here is not what belongs here. */
static struct constraint *refuse_token(struct reader *r, const char *expected)
{
    if (r->token.kind == TOKEN_BAD)
        return refuse(r, r->token.offset, r->token.length, r->token.message, r->token.hint);
    return refuse(r, r->token.offset, r->token.length, expected, "");
}

static struct constraint *make(struct reader *r, enum constraint_kind kind, struct constraint *left, struct constraint *right)
{
    struct constraint *made = arena_new(r->arena, struct constraint);
    *made = (struct constraint){.kind = kind, .left = left, .right = right, .next = r->constraints->all};
    r->constraints->all = made;
    return made;
}

static bool take(struct reader *r, enum token_kind kind, const char *expected, struct token *ret_token)
{
    if (r->token.kind != kind) {
        refuse_token(r, expected);
        return false;
    }
    *ret_token = r->token;
    advance(r);
    return true;
}

static struct constraint *compile(struct reader *r, struct constraint *constraint, const struct token *pattern)
{
    struct str why;
    size_t at;
    constraint->regex = regex_new(pattern->value, r->arena, &why, &at);
    if (constraint->regex != NULL)
        return constraint;
    diag_error(r->diag, span_inside(r->span, pattern->offset + 1 + (pattern->verbatim ? at : 0), 1), "%.*s", STR_ARGS(why));
    return NULL;
}

static struct constraint *read_call(struct reader *r)
{
    static const struct str names[] = {STR("Label"), STR("LabelRegex")};
    struct token name = r->token, ignored, key, value;
    bool regex = str_equal_nocase(name.text, names[1]);
    if (!regex && !str_equal_nocase(name.text, names[0])) {
        struct diag_item *item = diag_error(r->diag, span_inside(r->span, name.offset, name.length),
                                            "'%.*s' is no constraint", STR_ARGS(name.text));
        diag_suggest(r->diag, item, name.text, names, 2);
        if (str_empty(item->hint))
            diag_hint(r->diag, item, "there are Label(`key`, `value`) and LabelRegex(`key`, `regex`)");
        return NULL;
    }
    advance(r);
    if (!take(r, TOKEN_OPEN, "expected '('", &ignored) || !take(r, TOKEN_STRING, "expected the label's key in `back-quotes`", &key) ||
        !take(r, TOKEN_COMMA, "expected ',' and what the label's value is compared with", &ignored) ||
        !take(r, TOKEN_STRING, "expected a value in `back-quotes`", &value) || !take(r, TOKEN_CLOSE, "expected ')'", &ignored))
        return NULL;
    struct constraint *made = make(r, regex ? CONSTRAINT_REGEX : CONSTRAINT_LABEL, NULL, NULL);
    made->key = key.value;
    made->value = value.value;
    return regex ? compile(r, made, &value) : made;
}

static struct constraint *read_unary(struct reader *r)
{
    struct constraint *inside;
    struct token ignored;
    if (r->token.kind == TOKEN_NAME)
        return read_call(r);
    if (r->token.kind != TOKEN_NOT && r->token.kind != TOKEN_OPEN)
        return refuse_token(r, "expected Label(`key`, `value`) or LabelRegex(`key`, `regex`)");
    if (r->depth == DEPTH_MAX)
        return refuse_token(r, "this is nested too deeply");
    bool negated = r->token.kind == TOKEN_NOT;
    r->depth++;
    advance(r);
    inside = negated ? read_unary(r) : read_or(r);
    r->depth--;
    if (inside == NULL)
        return NULL;
    if (negated)
        return make(r, CONSTRAINT_NOT, inside, NULL);
    return take(r, TOKEN_CLOSE, "expected '&&', '||' or ')'", &ignored) ? inside : NULL;
}

static struct constraint *read_and(struct reader *r)
{
    struct constraint *left = read_unary(r);
    while (left != NULL && r->token.kind == TOKEN_AND) {
        advance(r);
        struct constraint *right = read_unary(r);
        left = right != NULL ? make(r, CONSTRAINT_AND, left, right) : NULL;
    }
    return left;
}

static struct constraint *read_or(struct reader *r)
{
    struct constraint *left = read_and(r);
    while (left != NULL && r->token.kind == TOKEN_OR) {
        advance(r);
        struct constraint *right = read_and(r);
        left = right != NULL ? make(r, CONSTRAINT_OR, left, right) : NULL;
    }
    return left;
}

bool constraints_read(struct constraints *constraints, struct str text, struct span span, struct arena *arena, struct diag *diag)
{
    *constraints = (struct constraints){.root = NULL};
    if (str_empty(str_trim_space(text)))
        return true;
    if (text.len > TEXT_MAX) {
        diag_error(diag, span, "this is longer than 64 KiB");
        return false;
    }
    struct reader r = {.constraints = constraints, .text = text, .span = span, .arena = arena, .diag = diag};
    advance(&r);
    struct constraint *root = read_or(&r);
    if (root == NULL)
        return false;
    if (r.token.kind != TOKEN_END) {
        refuse_token(&r, "expected '&&', '||' or the end");
        return false;
    }
    constraints->root = root;
    return true;
}

/* One that is not there counts as an empty one, as in Traefik. */
static struct str value_of(struct str key, const struct label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(labels[i].key, key))
            return labels[i].value;
    return S("");
}

/* A chain of && or || is as deep to the left as it is long: it is gone along, and only what stands right is entered. */
static bool match(const struct constraint *it, const struct label *labels, size_t count)
{
    for (;;) {
        switch (it->kind) {
        case CONSTRAINT_LABEL:
            return str_equal(value_of(it->key, labels, count), it->value);
        case CONSTRAINT_REGEX:
            return regex_match(it->regex, value_of(it->key, labels, count));
        case CONSTRAINT_NOT:
            return !match(it->left, labels, count);
        case CONSTRAINT_AND:
            if (!match(it->right, labels, count))
                return false;
            break;
        case CONSTRAINT_OR:
            if (match(it->right, labels, count))
                return true;
            break;
        }
        it = it->left;
    }
}

bool constraints_match(const struct constraints *constraints, const struct label *labels, size_t count)
{
    return constraints->root == NULL || match(constraints->root, labels, count);
}

void constraints_release(struct constraints *constraints)
{
    for (struct constraint *it = constraints->all; it != NULL; it = it->next)
        if (it->regex != NULL)
            regex_free(it->regex);
    *constraints = (struct constraints){.root = NULL};
}
