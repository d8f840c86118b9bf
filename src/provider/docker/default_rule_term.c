/* Values, calls and pipes inside {{ }}, with what each gives: that a field exists and that a word gets what it wants is known
 * while reading, so a mistake is told at the option and not for each container. */
#include "provider/docker/default_rule_tree.h"
#include "route/rule_scan.h"

static struct template_term *read_operand(struct template_reader *r);

static bool name_byte(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

void template_skip_space(struct template_reader *r)
{
    while (r->at < r->text.len && template_is_space(r->text.data[r->at]))
        r->at++;
}

struct str template_peek_name(const struct template_reader *r)
{
    size_t end = r->at;
    if (end < r->text.len && ascii_digit(r->text.data[end]))
        return STR_NONE;
    while (end < r->text.len && name_byte(r->text.data[end]))
        end++;
    return str_of(r->text.data + r->at, end - r->at);
}

bool template_at_end(const struct template_reader *r)
{
    struct str rest = str_from_index(r->text, r->at);
    return str_starts(rest, S("}}")) || str_starts(rest, S("-}}"));
}

static struct template_term *make(struct template_reader *r, enum template_term_kind kind, enum value_kind gives, size_t offset)
{
    struct template_term *term = arena_new(r->arena, struct template_term);
    term->kind = kind;
    term->gives = gives;
    term->offset = offset;
    term->length = r->at - offset;
    return term;
}

static struct template_term *literal(struct template_reader *r, size_t offset, struct value value)
{
    struct template_term *term = make(r, TEMPLATE_LITERAL, value.kind, offset);
    term->value = value;
    return term;
}

static struct template_term *read_string(struct template_reader *r)
{
    size_t offset = r->at;
    struct token token = token_scan(r->text, r->at, r->arena);
    if (token.kind != TOKEN_STRING)
        return template_refuse(r, token.offset, token.length, "%s", token.message != NULL ? token.message : "expected a text");
    r->at = token.offset + (size_t)token.length;
    return literal(r, offset, (struct value){.kind = VALUE_TEXT, .text = token.value});
}

static struct template_term *read_number(struct template_reader *r)
{
    size_t offset = r->at;
    int64_t number;
    r->at++;
    while (r->at < r->text.len && name_byte(r->text.data[r->at]))
        r->at++;
    if (!str_to_i64(str_of(r->text.data + offset, r->at - offset), &number))
        return template_refuse(r, offset, r->at - offset, "this is no whole number");
    return literal(r, offset, (struct value){.kind = VALUE_NUMBER, .number = number});
}

static enum value_kind field_kind(enum value_kind of, struct str field)
{
    if (of == VALUE_LABELS || str_equal(field, S("Name")) || str_equal(field, S("ContainerName")))
        return VALUE_TEXT;
    return str_equal(field, S("Labels")) ? VALUE_LABELS : VALUE_ANY;
}

/* ".Name", ".Labels.stage": what follows `of`, whose dot is next. */
static struct template_term *read_fields(struct template_reader *r, struct template_term *of)
{
    while (of != NULL && r->at < r->text.len && r->text.data[r->at] == '.') {
        size_t offset = r->at++;
        struct str field = template_peek_name(r);
        r->at += field.len;
        if (str_empty(field))
            return template_refuse(r, offset, 1, "expected a field's name behind '.'");
        if (of->gives != VALUE_ROOT && of->gives != VALUE_LABELS)
            return template_refuse(r, offset, field.len + 1, "this has no fields");
        if (field_kind(of->gives, field) == VALUE_ANY)
            return template_refuse_word(r, offset + 1, field, "field");
        struct template_term *term = make(r, TEMPLATE_FIELD, field_kind(of->gives, field), of->offset);
        term->of = of;
        term->field = field;
        of = term;
    }
    return of;
}

static struct template_term *read_dot(struct template_reader *r)
{
    size_t offset = r->at;
    if (r->at + 1 < r->text.len && name_byte(r->text.data[r->at + 1]))
        return read_fields(r, make(r, TEMPLATE_DOT, r->dot, offset));
    r->at++;
    return make(r, TEMPLATE_DOT, r->dot, offset);
}

static struct template_term *read_root(struct template_reader *r)
{
    size_t offset = r->at++;
    struct str name = template_peek_name(r);
    if (!str_empty(name))
        return template_refuse(r, offset, name.len + 1, "variables are not read here");
    return read_fields(r, make(r, TEMPLATE_ROOT, VALUE_ROOT, offset));
}

static struct template_term *read_parentheses(struct template_reader *r)
{
    size_t offset = r->at++;
    if (r->depth == TEMPLATE_DEPTH_MAX)
        return template_refuse(r, offset, 1, "this is nested too deeply");
    r->depth++;
    struct template_term *inside = template_read_pipeline(r);
    r->depth--;
    if (inside == NULL)
        return NULL;
    if (r->at >= r->text.len || r->text.data[r->at] != ')')
        return template_refuse(r, r->at, 1, "expected ')'");
    r->at++;
    return read_fields(r, inside);
}

/* true, false; a word stands first in its command, or in parentheses. */
static struct template_term *read_named(struct template_reader *r)
{
    size_t offset = r->at;
    struct str name = template_peek_name(r);
    if (str_empty(name))
        return template_refuse(r, offset, 1, "this does not belong here");
    r->at += name.len;
    if (str_equal(name, S("true")) || str_equal(name, S("false")))
        return literal(r, offset, (struct value){.kind = VALUE_TRUTH, .number = name.len == 4});
    if (word_find(name) != NULL)
        return template_refuse(r, offset, name.len, "'%.*s' and what it works on go into parentheses here", STR_ARGS(name));
    return template_refuse_word(r, offset, name, "word");
}

static struct template_term *read_operand(struct template_reader *r)
{
    char c = r->at < r->text.len ? r->text.data[r->at] : '\0';
    if (c == '"' || c == '`')
        return read_string(r);
    if (ascii_digit(c) || (c == '-' && !template_at_end(r)))
        return read_number(r);
    if (c == '.')
        return read_dot(r);
    if (c == '$')
        return read_root(r);
    if (c == '(')
        return read_parentheses(r);
    return read_named(r);
}

static bool at_command_end(struct template_reader *r)
{
    template_skip_space(r);
    return r->at >= r->text.len || r->text.data[r->at] == '|' || r->text.data[r->at] == ')' || template_at_end(r);
}

static bool add_argument(struct template_reader *r, struct template_term *call, struct template_term *argument)
{
    if (argument == NULL)
        return false;
    if (call->count == TEMPLATE_ARGS_MAX)
        return template_refuse(r, argument->offset, argument->length, "these are too many values");
    call->args[call->count++] = argument;
    return true;
}

static bool is_wanted(char wanted, enum value_kind given)
{
    if (wanted == 'l')
        return given == VALUE_LABELS;
    if (wanted == 't')
        return given == VALUE_TEXT || given == VALUE_ANY;
    return given != VALUE_LABELS && given != VALUE_ROOT;
}

static struct template_term *check_call(struct template_reader *r, struct template_term *call)
{
    const struct word *word = call->word;
    size_t wanted = strlen(word->wants);
    if (call->count < wanted || (call->count > wanted && !word->more))
        return template_refuse(r, call->offset, word->name.len, "'%.*s' works on %s%zu value%s", STR_ARGS(word->name),
                               word->more ? "at least " : "", wanted, wanted == 1 ? "" : "s");
    for (size_t i = 0; i < call->count; i++) {
        char kind = word->wants[i < wanted ? i : wanted - 1];
        if (!is_wanted(kind, call->args[i]->gives))
            return template_refuse(r, call->args[i]->offset, call->args[i]->length, "'%.*s' wants %s here", STR_ARGS(word->name),
                                   kind == 'l' ? ".Labels" : kind == 't' ? "a text" : "a text, a number or a truth");
    }
    const struct template_term *first = call->args[0];
    const char *why = NULL;
    if (str_equal(word->name, S("printf")) && first->kind == TEMPLATE_LITERAL)
        why = word_check_format(first->value.text, call->count - 1);
    return why == NULL ? call : template_refuse(r, first->offset, first->length, "'printf' %s", why);
}

/* One command: a value, or a word and what it works on; `piped` comes last. */
static struct template_term *read_command(struct template_reader *r, struct template_term *piped)
{
    template_skip_space(r);
    size_t offset = r->at;
    const struct word *word = word_find(template_peek_name(r));
    if (word == NULL) {
        struct template_term *operand = read_operand(r);
        if (operand != NULL && (piped != NULL || !at_command_end(r)))
            return template_refuse(r, offset, operand->length, "this is no word that could work on something");
        return operand;
    }
    r->at += word->name.len;
    struct template_term *call = make(r, TEMPLATE_CALL, word->gives, offset);
    call->word = word;
    while (!at_command_end(r))
        if (!add_argument(r, call, read_operand(r)))
            return NULL;
    if (piped != NULL && !add_argument(r, call, piped))
        return NULL;
    call->length = r->at - offset;
    return check_call(r, call);
}

struct template_term *template_read_pipeline(struct template_reader *r)
{
    struct template_term *term = read_command(r, NULL);
    while (term != NULL && r->at < r->text.len && r->text.data[r->at] == '|') {
        r->at++;
        term = read_command(r, term);
    }
    return term;
}
