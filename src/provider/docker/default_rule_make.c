/* Makes a container's rule of a template that was read. */
#include "provider/docker/default_rule_tree.h"

static struct value evaluate(struct making *making, const struct template_term *term, const struct value *dot);

static struct value read_field(struct making *making, const struct template_term *term, const struct value *dot)
{
    struct value of = evaluate(making, term->of, dot);
    const struct default_rule_input *input = making->input;
    struct value value = {.kind = VALUE_TEXT, .text = S("")};
    if (of.kind == VALUE_LABELS) {
        for (size_t i = 0; i < input->label_count; i++)
            if (str_equal(input->labels[i].key, term->field))
                value.text = input->labels[i].value;
    } else if (str_equal(term->field, S("Labels"))) {
        value.kind = VALUE_LABELS;
    } else {
        value.text = str_equal(term->field, S("Name")) ? input->name : input->container_name;
    }
    return value;
}

static struct value call(struct making *making, const struct template_term *term, const struct value *dot)
{
    struct value args[TEMPLATE_ARGS_MAX];
    const struct word *word = term->word;
    size_t wanted = strlen(word->wants);
    for (size_t i = 0; i < term->count; i++) {
        args[i] = evaluate(making, term->args[i], dot);
        char kind = word->wants[i < wanted ? i : wanted - 1];
        if (kind == 't' && args[i].kind != VALUE_TEXT && str_empty(making->why))
            making->why = arena_printf(making->arena, "'%.*s' wants a text", STR_ARGS(word->name));
    }
    if (!str_empty(making->why))
        return (struct value){.kind = VALUE_TEXT};
    return word->call(making, args, term->count);
}

static struct value evaluate(struct making *making, const struct template_term *term, const struct value *dot)
{
    switch (term->kind) {
    case TEMPLATE_LITERAL:
        return term->value;
    case TEMPLATE_ROOT:
        return (struct value){.kind = VALUE_ROOT};
    case TEMPLATE_DOT:
        return *dot;
    case TEMPLATE_FIELD:
        return read_field(making, term, dot);
    case TEMPLATE_CALL:
        return call(making, term, dot);
    }
    return (struct value){.kind = VALUE_TEXT};
}

static bool is_true(const struct making *making, const struct value *value)
{
    if (value->kind == VALUE_LABELS)
        return making->input->label_count != 0;
    return value->kind == VALUE_ROOT || (value->kind == VALUE_TEXT ? !str_empty(value->text) : value->number != 0);
}

static void write_parts(struct making *making, const struct part *first, const struct value *dot, struct text *out)
{
    for (const struct part *part = first; part != NULL && str_empty(making->why); part = part->next) {
        struct value value = {.kind = VALUE_TEXT, .text = part->text};
        if (part->kind != PART_TEXT)
            value = evaluate(making, part->term, dot);
        if (part->kind == PART_IF || part->kind == PART_WITH) {
            bool taken = is_true(making, &value);
            write_parts(making, taken ? part->body : part->otherwise, taken && part->kind == PART_WITH ? &value : dot, out);
        } else if (value.kind == VALUE_TEXT) {
            text_add(out, value.text);
        } else if (value.kind == VALUE_TRUTH) {
            text_add(out, value.number != 0 ? S("true") : S("false"));
        } else {
            text_addf(out, "%lld", (long long)value.number);
        }
    }
}

struct str default_rule_make(const struct default_rule *rule, const struct default_rule_input *input, struct arena *arena,
                             struct str *ret_why)
{
    struct making making = {.input = input, .arena = arena};
    const struct value root = {.kind = VALUE_ROOT};
    struct text out;
    text_init(&out, TEMPLATE_TEXT_MAX);
    write_parts(&making, rule->first, &root, &out);
    struct str made = arena_str(arena, str_trim_space(text_str(&out)));
    if (str_empty(making.why) && out.overflow)
        making.why = S("it makes a rule of over 64 KiB");
    else if (str_empty(making.why) && str_empty(made))
        making.why = S("it makes an empty rule");
    text_release(&out);
    *ret_why = making.why;
    return str_empty(making.why) ? made : STR_NONE;
}
