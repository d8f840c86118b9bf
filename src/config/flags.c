#include "config/flags.h"

#include "config/place.h"

struct reader {
    const char *const *words;
    const struct span *places;    /* of the words, in a file; NULL: each word is its own place */
    size_t count, at;             /* words[at] is being read */
    const struct flag *own;
    const struct option_table *table;
    struct arena *arena;
    struct diag *diag;
    struct flags *flags;
};

/* One word, taken apart. */
struct word {
    struct str name;              /* without dashes */
    struct str value;
    bool has_value;
    const struct source *source;
    struct span name_span, value_span;
};

/* A part of the word that is being read. */
static struct span span_at(const struct reader *reader, const struct source *source, size_t offset, size_t length)
{
    if (reader->places != NULL)
        return span_inside(reader->places[reader->at], offset, length);
    return span_make(source, 1, offset + 1, length);
}

/* `dashes` and the name's length are known; what follows, perhaps behind a '=', is the value. */
static struct word take_apart(struct reader *reader, struct str text, size_t dashes,
                              size_t name_length)
{
    struct str shown = str_first(text, dashes + name_length);
    struct word word = {.source = diag_source_word(reader->arena, shown, text)};
    struct str content = word.source->content;
    word.name = str_of(content.data + dashes, name_length);
    word.name_span = span_at(reader, word.source, dashes, name_length);
    size_t end = dashes + name_length;
    if (end == content.len)
        return word;
    if (content.data[end] == '=')
        end++;
    word.has_value = true;
    word.value = str_of(content.data + end, content.len - end);
    word.value_span = span_at(reader, word.source, end, content.len - end);
    return word;
}

/* The next word becomes the value; false when there is none that could be. */
static bool take_next(struct reader *reader, struct word *word)
{
    if (reader->at + 1 >= reader->count)
        return false;
    struct str next = str_from(reader->words[reader->at + 1]);
    if (next.len > 1 && next.data[0] == '-' && !ascii_digit(next.data[1]))
        return false;
    reader->at++;
    struct str whole = arena_printf(reader->arena, "%.*s %.*s", STR_ARGS(word->source->content),
                                    STR_ARGS(next));
    size_t offset = whole.len - next.len;
    word->source = diag_source_word(reader->arena, word->source->name, whole);
    if (reader->places == NULL)
        word->name_span.source = word->source;
    word->value = str_from_index(word->source->content, offset);
    if (str_empty(next))
        word->value = S("");
    word->value_span = span_at(reader, word->source, reader->places != NULL ? 0 : offset, next.len);
    word->has_value = true;
    return true;
}

static void report_no_value(struct reader *reader, const struct word *word, const char *what)
{
    diag_error(reader->diag, word->name_span, "'%.*s' needs %s", STR_ARGS(word->source->name),
               what);
}

/* --- the command's own flags ------------------------------------------------------------------------ */

static const struct flag *find_own(const struct reader *reader, struct str name)
{
    for (const struct flag *it = reader->own; it != NULL && it->name != NULL; it++) {
        if (str_equal_nocase(str_from(it->name), name) ||
            (it->alias != NULL && str_equal_nocase(str_from(it->alias), name)))
            return it;
    }
    return NULL;
}

static const struct flag *find_letter(const struct reader *reader, char letter)
{
    for (const struct flag *it = reader->own; it != NULL && it->name != NULL; it++) {
        if (it->letter == letter)
            return it;
    }
    return NULL;
}

static void read_own(struct reader *reader, const struct flag *flag, struct word *word)
{
    struct flags *flags = reader->flags;
    if (flag->argument == NULL && word->has_value) {
        diag_error(reader->diag, word->value_span, "'%.*s' takes no value",
                   STR_ARGS(word->source->name));
        return;
    }
    if (flag->argument != NULL && !word->has_value && !take_next(reader, word)) {
        report_no_value(reader, word, flag->argument);
        return;
    }
    flags->given[flags->given_count++] = (struct flag_given){
        .flag = flag,
        .value = word->value,
        .span = word->has_value ? word->value_span : word->name_span,
    };
}

/* --- options ---------------------------------------------------------------------------------------- */

/* Keys of the place where the path went wrong, with the command's own flags where that is its beginning. */
static void suggest(struct reader *reader, const struct word *word, const struct place *place,
                    struct str failed, struct diag_item *item)
{
    size_t count, own = 0;
    struct str *keys = place_keys(place, reader->arena, &count);
    size_t before = (size_t)(failed.data - word->name.data);
    while (before == 0 && reader->own != NULL && reader->own[own].name != NULL)
        own++;
    struct str *all = arena_array(reader->arena, struct str, count + own + 1);
    for (size_t i = 0; i < count; i++)
        all[i] = keys[i];
    for (size_t i = 0; i < own; i++)
        all[count + i] = str_from(reader->own[i].name);
    struct str found = nearest(failed, all, count + own);
    if (!str_empty(found))
        diag_hint(reader->diag, item, "did you mean '--%.*s%.*s%.*s'?",
                  STR_ARGS(str_first(word->name, before)), STR_ARGS(found),
                  STR_ARGS(str_from_index(word->name, before + failed.len)));
}

static void report_unknown(struct reader *reader, struct word *word, const struct place *place,
                           struct str failed)
{
    size_t before = (size_t)(failed.data - word->name.data);
    /* Its value, if it has one, is not to be taken for an operand. */
    if (!word->has_value)
        take_next(reader, word);
    struct span span = span_inside(word->name_span, before, failed.len);
    if (str_starts(failed, S("["))) {
        diag_error(reader->diag, span, "what stands before '[' is no list");
        return;
    }
    struct diag_item *item;
    if (before == 0)
        item = diag_error(reader->diag, word->name_span, "unknown flag '%.*s'",
                          STR_ARGS(word->source->name));
    else
        item = diag_error(reader->diag, span, "unknown option '%.*s'", STR_ARGS(failed));
    suggest(reader, word, place, failed, item);
}

/* A list that is given again grows. */
static struct str joined(struct reader *reader, const struct place *place, const struct node *node,
                         struct str value)
{
    bool grows = place->is_value && place->option->type == OPTION_STRS && node->kind == NODE_SCALAR;
    if (!grows)
        return value;
    return arena_printf(reader->arena, "%.*s,%.*s", STR_ARGS(node->text), STR_ARGS(value));
}

static void read_option(struct reader *reader, struct word *word)
{
    struct place place = place_root(reader->table);
    struct str failed;
    if (!place_follow(&place, word->name, &failed)) {
        report_unknown(reader, word, &place, failed);
        return;
    }
    if (!word->has_value && place.is_value && !place_is_switch(&place) &&
        !take_next(reader, word)) {
        report_no_value(reader, word, "a value");
        return;
    }
    struct node *node =
        node_make_path(reader->arena, reader->flags->options, word->name, word->name_span);
    struct str value = word->has_value ? word->value : S("true");
    struct span span = word->has_value ? word->value_span : word->name_span;
    if (node == NULL)
        diag_error(reader->diag, word->name_span, "cannot go with the flags before it");
    else if (!node_set_text(node, joined(reader, &place, node, value), span))
        diag_error(reader->diag, span, "there is more set below '%.*s' already",
                   STR_ARGS(word->source->name));
}

/* --- words ------------------------------------------------------------------------------------------ */

static void read_long(struct reader *reader, struct str text)
{
    ptrdiff_t equals = str_find_char(text, '=', 0);
    size_t end = equals < 0 ? text.len : (size_t)equals;
    struct word word = take_apart(reader, text, 2, end - 2);
    const struct flag *flag = find_own(reader, word.name);
    if (flag != NULL)
        read_own(reader, flag, &word);
    else
        read_option(reader, &word);
}

static void read_short(struct reader *reader, struct str text)
{
    const struct flag *flag = find_letter(reader, text.data[1]);
    struct word word = take_apart(reader, text, 1, 1);
    if (flag != NULL) {
        read_own(reader, flag, &word);
        return;
    }
    struct diag_item *item =
        diag_error(reader->diag, word.name_span, "unknown flag '%.*s'", STR_ARGS(text));
    if (text.len > 2)
        diag_hint(reader->diag, item, "long flags begin with two dashes");
}

static bool read_all(struct reader *reader)
{
    struct flags *ret_flags = reader->flags;
    struct arena *arena = reader->arena;
    const char *const *words = reader->words;
    size_t count = reader->count, mistakes = reader->diag->mistakes;
    *ret_flags = (struct flags){
        .options = node_new(arena, NODE_MAP, SPAN_NONE),
        .given = arena_array(arena, struct flag_given, count + 1),
        .operands = arena_array(arena, struct str, count + 1),
    };
    bool flags_ended = false;
    for (; reader->at < count; reader->at++) {
        struct str text = str_from(words[reader->at]);
        if (flags_ended || text.len < 2 || text.data[0] != '-')
            ret_flags->operands[ret_flags->operand_count++] = arena_str(arena, text);
        else if (str_equal(text, S("--")))
            flags_ended = true;
        else if (text.data[1] == '-')
            read_long(reader, text);
        else
            read_short(reader, text);
    }
    return reader->diag->mistakes == mistakes;
}

bool flags_read(const char *const *words, size_t count, const struct flag *own,
                const struct option_table *table, struct arena *arena, struct diag *diag,
                struct flags *ret_flags)
{
    struct reader reader = {
        .words = words, .count = count, .own = own, .table = table, .arena = arena, .diag = diag, .flags = ret_flags};
    return read_all(&reader);
}

bool flags_read_at(const char *const *words, const struct span *places, size_t count, const struct flag *own,
                   const struct option_table *table, struct arena *arena, struct diag *diag, struct flags *ret_flags)
{
    struct reader reader = {
        .words = words, .places = places, .count = count, .own = own, .table = table, .arena = arena, .diag = diag, .flags = ret_flags};
    return read_all(&reader);
}

const struct flag_given *flags_find(const struct flags *flags, const char *name)
{
    for (size_t i = flags->given_count; i-- > 0;) {
        if (strcmp(flags->given[i].flag->name, name) == 0)
            return &flags->given[i];
    }
    return NULL;
}
