/* A value for each text that the source may have. In this order: the text itself, the longest "*.suffix", the longest "prefix.*",
 * the first regular expression, the default. */
#include "base/map.h"
#include "exchange/capture.h"
#include "exchange/text_template.h"
#include "exchange/variable_kind.h"

struct map_options {
    const struct node *origin;
    struct str source, fallback;
    struct strmap values;
    bool hostnames, is_volatile;
};

struct map_regex {
    const struct capture *regex;
    const struct text_template *value;
};

struct map_state {
    const struct text_template *source, *fallback;
    struct map exact;             /* text -> struct text_template */
    struct map suffixes;          /* "example.com" of "*.example.com" */
    struct map prefixes;          /* "www.example" of "www.example.*" */
    struct map_regex *regexes;
    size_t regex_count;
    bool hostnames;
};

static const struct option map_options[] = {
    OPTION(STR, struct map_options, source, .required = true, .help = "What is looked up; a template."),
    OPTION(STRMAP, struct map_options, values,
           .help = "Texts and what each becomes, a template. Case is ignored. One that begins with ~ is Perl's regular expression (~*: "
                   "case is ignored), whose captures the value may use; \\\\ in front takes any special meaning away."),
    OPTION_NAMED(STR, struct map_options, fallback, "default", .help = "The value where nothing fits; a template."),
    OPTION(BOOL, struct map_options, hostnames,
           .help = "The texts are hosts: *.example.com, .example.com (itself too) and www.example.* have their meaning."),
    OPTION_NAMED(BOOL, struct map_options, is_volatile, "volatile", .help = "It is looked up anew each time it is asked for."),
};
static const struct option_table map_table =
    OPTION_TABLE(struct map_options, map_options, .summary = "A value for each text that a source may have.");

struct filler {
    struct map_state *state;
    struct compile *compile;
    const struct node *node;      /* of `values` */
    bool good;
};

static struct span place_of(const struct filler *filler, size_t index, bool of_value)
{
    const struct node *item = node_first(filler->node);
    for (size_t i = 0; item != NULL && i < index; i++)
        item = item->next;
    return item == NULL ? SPAN_NONE : of_value ? node_span(item) : item->key_span;
}

static void put(struct filler *filler, struct map *map, struct str key, const struct text_template *value, struct span span)
{
    if (map_has(map, key)) {
        diag_error(filler->compile->diag, span, "'%.*s' has a value already", STR_ARGS(key));
        filler->good = false;
        return;
    }
    map_put(map, arena_str(filler->compile->arena, key), (void *)(uintptr_t)value);
}

/* Before its value is read, which may name its groups. */
static const struct capture *read_regex(struct filler *filler, struct str pattern, struct span span)
{
    bool ignore_case = str_starts(pattern, S("*"));
    const struct capture *regex =
        capture_new(filler->compile, ignore_case ? str_from_index(pattern, 1) : pattern, ignore_case, span);
    filler->good &= regex != NULL;
    return regex;
}

/* A host, perhaps with a star; any other text is itself. */
static void put_host(struct filler *filler, struct str key, const struct text_template *value, struct span span)
{
    struct map_state *state = filler->state;
    if (str_starts(key, S("*."))) {
        put(filler, &state->suffixes, str_from_index(key, 2), value, span);
    } else if (key.len > 1 && key.data[0] == '.') {
        put(filler, &state->suffixes, str_from_index(key, 1), value, span);
        put(filler, &state->exact, str_from_index(key, 1), value, span);
    } else if (str_ends(key, S(".*"))) {
        put(filler, &state->prefixes, str_first(key, key.len - 2), value, span);
    } else {
        put(filler, &state->exact, key, value, span);
    }
}

static void put_text(struct filler *filler, struct str key, const struct text_template *value, struct span span)
{
    if (key.len != 0 && key.data[0] == '\\')
        put(filler, &filler->state->exact, str_from_index(key, 1), value, span);
    else if (filler->state->hostnames)
        put_host(filler, key, value, span);
    else
        put(filler, &filler->state->exact, key, value, span);
}

static void fill(struct filler *filler, const struct strmap *values)
{
    struct map_state *state = filler->state;
    for (size_t i = 0; i < values->count; i++) {
        struct str key = values->items[i].name;
        struct span span = place_of(filler, i, false);
        bool is_regex = key.len != 0 && key.data[0] == '~';
        const struct capture *regex = is_regex ? read_regex(filler, str_from_index(key, 1), span) : NULL;
        const struct text_template *value = text_template_new(values->items[i].value, filler->compile, place_of(filler, i, true));
        filler->good &= value != NULL;
        if (value == NULL)
            continue;
        if (is_regex)
            state->regexes[state->regex_count++] = (struct map_regex){.regex = regex, .value = value};
        else
            put_text(filler, key, value, span);
    }
}

static struct span span_of(const struct map_options *options, const char *key)
{
    return node_span(node_get(options->origin, str_from(key)));
}

static bool compile_map(const void *from, void *to, struct compile *compile)
{
    const struct map_options *options = from;
    struct map_state *state = to;
    struct filler filler = {.state = state, .compile = compile, .node = node_get(options->origin, S("values")), .good = true};
    map_init(&state->exact, true);
    map_init(&state->suffixes, true);
    map_init(&state->prefixes, true);
    state->hostnames = options->hostnames;
    state->source = text_template_new(options->source, compile, span_of(options, "source"));
    state->fallback = text_template_new(options->fallback, compile, span_of(options, "default"));
    state->regexes = arena_array(compile->arena, struct map_regex, options->values.count);
    fill(&filler, &options->values);
    return filler.good && state->source != NULL && state->fallback != NULL;
}

static const struct text_template *find_host(const struct map_state *state, struct str text)
{
    const struct text_template *found = NULL;
    for (ptrdiff_t dot = str_find_char(text, '.', 0); dot >= 0 && state->suffixes.live != 0 && found == NULL;
         dot = str_find_char(text, '.', (size_t)dot + 1))
        found = map_get(&state->suffixes, str_from_index(text, (size_t)dot + 1));
    for (ptrdiff_t dot = str_find_last_char(text, '.'); dot > 0 && state->prefixes.live != 0 && found == NULL;
         dot = str_find_last_char(str_first(text, (size_t)dot), '.'))
        found = map_get(&state->prefixes, str_first(text, (size_t)dot));
    return found;
}

static const struct text_template *find(const struct map_state *state, struct exchange *x, struct str text)
{
    const struct text_template *found = map_get(&state->exact, text);
    if (found == NULL && state->hostnames)
        found = find_host(state, text);
    for (size_t i = 0; found == NULL && text.len != 0 && i < state->regex_count; i++)
        if (capture_match(state->regexes[i].regex, x, text))
            found = state->regexes[i].value;
    return found != NULL ? found : state->fallback;
}

static struct str get(const void *from, struct exchange *x)
{
    const struct map_state *state = from;
    struct str text = text_template_text(state->source, x);
    if (state->hostnames && str_ends(text, S(".")))
        text.len--;
    struct str value = text_template_text(find(state, x, text), x);
    return value.data != NULL ? value : S("");
}

static bool is_volatile(const void *options)
{
    return ((const struct map_options *)options)->is_volatile;
}

static void destroy(void *state)
{
    struct map_state *map = state;
    map_release(&map->exact);
    map_release(&map->suffixes);
    map_release(&map->prefixes);
}

static const struct variable_kind map_kind = {
    .choice = {.name = "map", .summary = "A value for each text that a source may have.", .table = &map_table},
    .state_size = sizeof(struct map_state),
    .compile = compile_map,
    .get = get,
    .is_volatile = is_volatile,
    .destroy = destroy,
};
REGISTER(variable_kind, map_kind);
