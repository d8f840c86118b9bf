/* Reads a template: texts and {{ }} between them, and what nests. */
#include "provider/docker/default_rule.h"

#include "provider/docker/default_rule_tree.h"

enum ending { ENDING_TEXT, ENDING_END, ENDING_ELSE, ENDING_MISTAKE };

static enum ending read_parts(struct template_reader *r, struct part **ret_first);

void *template_refuse(struct template_reader *r, size_t offset, size_t length, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str message = arena_vprintf(r->arena, format, args);
    va_end(args);
    r->failed = true;
    diag_error(r->diag, span_inside(r->span, offset, length), "%.*s", STR_ARGS(message));
    return NULL;
}

void *template_refuse_word(struct template_reader *r, size_t offset, struct str word, const char *what)
{
    bool is_field = what[0] == 'f';
    struct str list = is_field ? S("Name, ContainerName, Labels") : word_list(r->arena), rest = list, part;
    struct str candidates[64];
    size_t count = 0;
    r->failed = true;
    while (count < 64 && str_split(&rest, ',', &part))
        candidates[count++] = str_trim(part);
    struct diag_item *item = diag_error(r->diag, span_inside(r->span, offset, word.len), "unknown %s '%.*s'", what, STR_ARGS(word));
    struct str near = nearest(word, candidates, count);
    if (!str_empty(near))
        diag_hint(r->diag, item, "did you mean '%.*s'? There are %.*s", STR_ARGS(near), STR_ARGS(list));
    else
        diag_hint(r->diag, item, "there are %.*s%s", STR_ARGS(list), is_field ? "" : ", if, else, with, end");
    return NULL;
}

/* Takes "}}", or "-}}" and the white space behind it. */
static bool take_end(struct template_reader *r)
{
    template_skip_space(r);
    if (!template_at_end(r))
        return template_refuse(r, r->at, 1, r->at < r->text.len ? "this does not belong here" : "expected '}}'");
    bool trims = r->text.data[r->at] == '-';
    r->at += trims ? 3 : 2;
    if (trims)
        template_skip_space(r);
    return true;
}

static struct part *make(struct template_reader *r, enum part_kind kind)
{
    struct part *part = arena_new(r->arena, struct part);
    part->kind = kind;
    return part;
}

static struct part *read_branch(struct template_reader *r, enum part_kind kind, size_t offset);

/* What stands behind {{else}}: parts up to {{end}}, or another if. */
static bool read_otherwise(struct template_reader *r, struct part *branch, size_t offset)
{
    template_skip_space(r);
    size_t at = r->at;
    struct str name = template_peek_name(r);
    if (str_equal(name, S("if"))) {
        r->at += name.len;
        branch->otherwise = read_branch(r, PART_IF, at);
        return branch->otherwise != NULL;
    }
    if (!take_end(r))
        return false;
    enum ending ending = read_parts(r, &branch->otherwise);
    if (ending != ENDING_END && ending != ENDING_MISTAKE)
        template_refuse(r, offset, 2, "this has no {{end}}");
    return ending == ENDING_END;
}

static struct part *read_branch_inside(struct template_reader *r, enum part_kind kind, size_t offset)
{
    struct part *branch = make(r, kind);
    branch->term = template_read_pipeline(r);
    if (branch->term == NULL || !take_end(r))
        return NULL;
    enum value_kind outer = r->dot;
    if (kind == PART_WITH)
        r->dot = branch->term->gives;
    enum ending ending = read_parts(r, &branch->body);
    r->dot = outer;
    if (ending == ENDING_ELSE)
        return read_otherwise(r, branch, offset) ? branch : NULL;
    if (ending == ENDING_TEXT)
        template_refuse(r, offset, kind == PART_IF ? 2 : 4, "this has no {{end}}");
    return ending == ENDING_END ? branch : NULL;
}

/* From behind {{if or {{with to behind its {{end}}. */
static struct part *read_branch(struct template_reader *r, enum part_kind kind, size_t offset)
{
    if (r->depth == TEMPLATE_DEPTH_MAX)
        return template_refuse(r, offset, 2, "this is nested too deeply");
    r->depth++;
    struct part *branch = read_branch_inside(r, kind, offset);
    r->depth--;
    return branch;
}

static struct part *read_value(struct template_reader *r)
{
    struct part *part = make(r, PART_VALUE);
    size_t offset = r->at;
    part->term = template_read_pipeline(r);
    if (part->term == NULL)
        return NULL;
    if (part->term->gives == VALUE_LABELS || part->term->gives == VALUE_ROOT)
        return template_refuse(r, offset, part->term->length, "this cannot be written into a rule: name one of its fields");
    return take_end(r) ? part : NULL;
}

static bool take_comment(struct template_reader *r)
{
    ptrdiff_t end = str_find(str_from_index(r->text, r->at), S("*/"));
    if (end < 0)
        return template_refuse(r, r->at, 2, "the comment has no end");
    r->at += (size_t)end + 2;
    return take_end(r);
}

/* One {{ }} from behind its "{{", and for if and with all that belongs to it. NULL: *ret_ending says what it was instead. */
static struct part *read_action(struct template_reader *r, enum ending *ret_ending)
{
    template_skip_space(r);
    size_t offset = r->at;
    struct str name = template_peek_name(r);
    *ret_ending = ENDING_MISTAKE;
    if (str_starts(str_from_index(r->text, r->at), S("/*")))
        return take_comment(r) ? make(r, PART_TEXT) : NULL;
    if (str_equal(name, S("if")) || str_equal(name, S("with"))) {
        r->at += name.len;
        return read_branch(r, name.len == 2 ? PART_IF : PART_WITH, offset);
    }
    if (str_equal(name, S("end")) || str_equal(name, S("else"))) {
        r->at += name.len;
        bool ends = name.len == 3;
        if (!ends || take_end(r))
            *ret_ending = ends ? ENDING_END : ENDING_ELSE;
        return NULL;
    }
    return read_value(r);
}

/* The text up to the next "{{", which is taken; a "{{-" takes the white space before it. */
static struct part *read_text(struct template_reader *r, bool *ret_action)
{
    struct part *part = make(r, PART_TEXT);
    struct str rest = str_from_index(r->text, r->at);
    ptrdiff_t open = str_find(rest, S("{{"));
    *ret_action = open >= 0;
    part->text = open >= 0 ? str_first(rest, (size_t)open) : rest;
    r->at += part->text.len + (open >= 0 ? 2 : 0);
    rest = str_from_index(r->text, r->at);
    if (open >= 0 && rest.len > 1 && rest.data[0] == '-' && template_is_space(rest.data[1])) {
        r->at++;
        while (part->text.len != 0 && template_is_space(part->text.data[part->text.len - 1]))
            part->text.len--;
    }
    return part;
}

static enum ending read_parts(struct template_reader *r, struct part **ret_first)
{
    struct part **next = ret_first;
    enum ending ending;
    bool action;
    for (;;) {
        struct part *text = read_text(r, &action);
        *next = text;
        next = &text->next;
        if (!action)
            return ENDING_TEXT;
        struct part *part = read_action(r, &ending);
        if (part == NULL)
            return ending;
        *next = part;
        next = &part->next;
    }
}

struct default_rule *default_rule_read(struct str text, struct span span, struct arena *arena, struct diag *diag)
{
    struct template_reader r = {.text = text, .span = span, .arena = arena, .diag = diag, .dot = VALUE_ROOT};
    struct default_rule *rule = arena_new(arena, struct default_rule);
    if (text.len > TEMPLATE_TEXT_MAX)
        return template_refuse(&r, 0, text.len, "this is longer than 64 KiB");
    enum ending ending = read_parts(&r, &rule->first);
    if (ending == ENDING_END || ending == ENDING_ELSE)
        template_refuse(&r, 0, text.len, "there is an {{end}} or {{else}} too many");
    return r.failed ? NULL : rule;
}
