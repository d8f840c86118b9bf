/* The words of default rules. Each takes its arguments in the order that Go's text/template or sprig has: what is worked on comes
 * last, so that it can come through a pipe. */
#include "provider/docker/default_rule_tree.h"
#include "provider/docker/naming.h"

static struct value text_value(struct str text)
{
    return (struct value){.kind = VALUE_TEXT, .text = text};
}

static struct value truth(bool is_true)
{
    return (struct value){.kind = VALUE_TRUTH, .number = is_true};
}

static bool is_true(const struct value *value)
{
    switch (value->kind) {
    case VALUE_TEXT:
        return !str_empty(value->text);
    case VALUE_NUMBER:
    case VALUE_TRUTH:
        return value->number != 0;
    case VALUE_LABELS:
    case VALUE_ROOT:
    case VALUE_ANY:
        break;
    }
    return true;
}

/* ---- texts ---- */

static struct value call_normalize(struct making *making, const struct value *args, size_t count)
{
    return text_value(naming_normalize(args[0].text, making->arena));
}

static struct value call_lower(struct making *making, const struct value *args, size_t count)
{
    return text_value(arena_lower(making->arena, args[0].text));
}

static struct value call_upper(struct making *making, const struct value *args, size_t count)
{
    struct str text = args[0].text;
    char *out = arena_alloc(making->arena, text.len);
    for (size_t i = 0; i < text.len; i++)
        out[i] = text.data[i] >= 'a' && text.data[i] <= 'z' ? (char)(text.data[i] - 32) : text.data[i];
    return text_value(str_of(out, text.len));
}

static struct value call_trim(struct making *making, const struct value *args, size_t count)
{
    return text_value(str_trim_space(args[0].text));
}

static struct value call_trim_all(struct making *making, const struct value *args, size_t count)
{
    struct str set = args[0].text, text = args[1].text;
    while (text.len != 0 && str_find_char(set, text.data[0], 0) >= 0)
        text = str_from_index(text, 1);
    while (text.len != 0 && str_find_char(set, text.data[text.len - 1], 0) >= 0)
        text.len--;
    return text_value(text);
}

static struct value call_trim_prefix(struct making *making, const struct value *args, size_t count)
{
    bool has = str_starts(args[1].text, args[0].text);
    return text_value(has ? str_from_index(args[1].text, args[0].text.len) : args[1].text);
}

static struct value call_trim_suffix(struct making *making, const struct value *args, size_t count)
{
    bool has = str_ends(args[1].text, args[0].text);
    return text_value(has ? str_first(args[1].text, args[1].text.len - args[0].text.len) : args[1].text);
}

static struct value call_replace(struct making *making, const struct value *args, size_t count)
{
    struct str old = args[0].text, rest = args[2].text;
    struct text out;
    if (str_empty(old))
        return args[2];
    text_init(&out, TEMPLATE_TEXT_MAX);
    for (ptrdiff_t at; (at = str_find(rest, old)) >= 0; rest = str_from_index(rest, (size_t)at + old.len)) {
        text_add(&out, str_first(rest, (size_t)at));
        text_add(&out, args[1].text);
    }
    text_add(&out, rest);
    if (out.overflow)
        making->why = S("'replace' makes a text of over 64 KiB");
    struct value value = text_value(arena_str(making->arena, text_str(&out)));
    text_release(&out);
    return value;
}

static struct value call_contains(struct making *making, const struct value *args, size_t count)
{
    return truth(str_find(args[1].text, args[0].text) >= 0);
}

static struct value call_has_prefix(struct making *making, const struct value *args, size_t count)
{
    return truth(str_starts(args[1].text, args[0].text));
}

static struct value call_has_suffix(struct making *making, const struct value *args, size_t count)
{
    return truth(str_ends(args[1].text, args[0].text));
}

static struct value call_index(struct making *making, const struct value *args, size_t count)
{
    const struct default_rule_input *input = making->input;
    for (size_t i = 0; i < input->label_count; i++)
        if (str_equal(input->labels[i].key, args[1].text))
            return text_value(input->labels[i].value);
    return text_value(S(""));
}

/* ---- printf ---- */

const char *word_check_format(struct str format, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] != '%')
            continue;
        i++;
        if (i == format.len || str_find_char(S("svdqt%"), format.data[i], 0) < 0)
            return "knows %s, %v, %d, %q, %t and %%, without widths";
        used += format.data[i] != '%';
    }
    return used == count ? NULL : "has another number of values behind its text than the text asks for";
}

static void add_value(struct text *out, const struct value *value, char verb)
{
    if (value->kind == VALUE_TEXT && verb == 'q') {
        text_add_char(out, '"');
        text_add_json(out, value->text);
        text_add_char(out, '"');
    } else if (value->kind == VALUE_TEXT) {
        text_add(out, value->text);
    } else if (value->kind == VALUE_TRUTH) {
        text_add(out, value->number != 0 ? S("true") : S("false"));
    } else {
        text_addf(out, "%lld", (long long)value->number);
    }
}

static struct value call_printf(struct making *making, const struct value *args, size_t count)
{
    struct str format = args[0].text;
    const char *why = word_check_format(format, count - 1);
    if (why != NULL) {
        making->why = arena_printf(making->arena, "'printf' %s", why);
        return args[0];
    }
    struct text out;
    text_init(&out, TEMPLATE_TEXT_MAX);
    const struct value *next = &args[1];
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] != '%')
            text_add_char(&out, format.data[i]);
        else if (format.data[++i] == '%')
            text_add_char(&out, '%');
        else
            add_value(&out, next++, format.data[i]);
    }
    if (out.overflow)
        making->why = S("'printf' makes a text of over 64 KiB");
    struct value value = text_value(arena_str(making->arena, text_str(&out)));
    text_release(&out);
    return value;
}

/* ---- truths and choices ---- */

static struct value call_default(struct making *making, const struct value *args, size_t count)
{
    return is_true(&args[1]) ? args[1] : args[0];
}

static struct value call_coalesce(struct making *making, const struct value *args, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && !is_true(&args[i]))
        i++;
    return args[i];
}

static struct value call_and(struct making *making, const struct value *args, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && is_true(&args[i]))
        i++;
    return args[i];
}

static struct value call_not(struct making *making, const struct value *args, size_t count)
{
    return truth(!is_true(&args[0]));
}

static bool equals(struct making *making, const struct value *one, const struct value *other)
{
    if (one->kind != other->kind) {
        making->why = S("'eq' and 'ne' compare values of one kind");
        return false;
    }
    return one->kind == VALUE_TEXT ? str_equal(one->text, other->text) : one->number == other->number;
}

static struct value call_eq(struct making *making, const struct value *args, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (equals(making, &args[0], &args[i]))
            return truth(true);
    return truth(false);
}

static struct value call_ne(struct making *making, const struct value *args, size_t count)
{
    return truth(!equals(making, &args[0], &args[1]));
}

static const struct word words[] = {
    {STR("and"), "a", true, VALUE_ANY, call_and},
    {STR("coalesce"), "a", true, VALUE_ANY, call_coalesce},
    {STR("contains"), "tt", false, VALUE_TRUTH, call_contains},
    {STR("default"), "aa", false, VALUE_ANY, call_default},
    {STR("empty"), "a", false, VALUE_TRUTH, call_not},
    {STR("eq"), "aa", true, VALUE_TRUTH, call_eq},
    {STR("hasPrefix"), "tt", false, VALUE_TRUTH, call_has_prefix},
    {STR("hasSuffix"), "tt", false, VALUE_TRUTH, call_has_suffix},
    {STR("index"), "lt", false, VALUE_TEXT, call_index},
    {STR("lower"), "t", false, VALUE_TEXT, call_lower},
    {STR("ne"), "aa", false, VALUE_TRUTH, call_ne},
    {STR("normalize"), "t", false, VALUE_TEXT, call_normalize},
    {STR("not"), "a", false, VALUE_TRUTH, call_not},
    {STR("or"), "a", true, VALUE_ANY, call_coalesce},
    {STR("printf"), "ta", true, VALUE_TEXT, call_printf},
    {STR("replace"), "ttt", false, VALUE_TEXT, call_replace},
    {STR("trim"), "t", false, VALUE_TEXT, call_trim},
    {STR("trimAll"), "tt", false, VALUE_TEXT, call_trim_all},
    {STR("trimPrefix"), "tt", false, VALUE_TEXT, call_trim_prefix},
    {STR("trimSuffix"), "tt", false, VALUE_TEXT, call_trim_suffix},
    {STR("upper"), "t", false, VALUE_TEXT, call_upper},
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

const struct word *word_find(struct str name)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (str_equal(words[i].name, name))
            return &words[i];
    return NULL;
}

struct str word_list(struct arena *arena)
{
    struct str list = STR_NONE;
    for (size_t i = 0; i < WORD_COUNT; i++)
        list = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(list), i != 0 ? ", " : "", STR_ARGS(words[i].name));
    return list;
}
