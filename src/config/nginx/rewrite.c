/* rewrite, set, if, return and break: the instructions of a block, in the order of the file, become one script. */
#include "config/nginx/place.h"

#define HERE (NGINX_SERVER | NGINX_SERVER_IF | NGINX_LOCATION | NGINX_LOCATION_IF)

static const struct nginx_syntax rows[] = {
    {"rewrite", HERE, .min = 2, .max = 3, .repeats = true, .help = "Another path, where the path matches a regular expression."},
    {"set", HERE, .min = 2, .max = 2, .repeats = true, .help = "Gives a variable a value."},
    {"return", HERE, .min = 1, .max = 2, .repeats = true, .help = "Answers."},
    {"break", HERE, .repeats = true, .help = "Ends the script of this place; its location stays."},
    {"if", NGINX_SERVER, .min = 1, .max = NGINX_MANY, .block = true, .inside = NGINX_SERVER_IF, .repeats = true,
     .help = "What holds if something is so."},
    {"if", NGINX_LOCATION, .min = 1, .max = NGINX_MANY, .block = true, .inside = NGINX_LOCATION_IF, .repeats = true,
     .help = "What holds if something is so."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

struct writer {
    struct nginx_place *place;
    struct nginx_compile *compile;
};

static struct node *add_step(const struct writer *writer, struct node *steps, const char *kind, const struct nginx_directive *directive)
{
    struct node *step = nginx_add_map(writer->compile, steps, directive->span);
    return nginx_put_map(writer->compile, step, kind, directive->span);
}

static void put_template(const struct writer *writer, struct node *map, const char *key, const struct nginx_word *word)
{
    nginx_put(writer->compile, map, key, nginx_template(writer->compile, word), word->span);
}

static bool is_redirect(int64_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_absolute(struct str text)
{
    return str_starts(text, S("http://")) || str_starts(text, S("https://")) || str_starts(text, S("$scheme"));
}

static void write_return(const struct writer *writer, struct node *steps, const struct nginx_directive *directive)
{
    const struct nginx_word *first = &directive->words[0];
    struct node *step = add_step(writer, steps, "return", directive);
    uint64_t status;
    if (directive->count == 1 && is_absolute(first->text)) {
        nginx_put_number(writer->compile, step, "status", 302, first->span);
        put_template(writer, step, "url", first);
        return;
    }
    if (!str_to_u64(first->text, &status) || status > 999) {
        diag_error(writer->compile->diag, first->span, "invalid return code \"%.*s\"", STR_ARGS(first->text));
        return;
    }
    nginx_put_number(writer->compile, step, "status", (int64_t)status, first->span);
    if (directive->count == 2)
        put_template(writer, step, is_redirect((int64_t)status) ? "url" : "text", &directive->words[1]);
}

static void write_rewrite(const struct writer *writer, struct node *steps, const struct nginx_directive *directive)
{
    static const char *const flags[] = {"last", "break", "redirect", "permanent"};
    const struct nginx_word *words = directive->words;
    struct node *step = add_step(writer, steps, "rewrite", directive);
    if (words[1].text.len == 0)
        diag_error(writer->compile->diag, words[1].span, "empty replacement");
    nginx_put(writer->compile, step, "regex", words[0].text, words[0].span);
    put_template(writer, step, "replacement", &words[1]);
    if (directive->count < 3)
        return;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (str_equal(words[2].text, str_from(flags[i]))) {
            nginx_put(writer->compile, step, "flag", words[2].text, words[2].span);
            return;
        }
    diag_error(writer->compile->diag, words[2].span, "invalid parameter \"%.*s\"", STR_ARGS(words[2].text));
}

static void write_set(const struct writer *writer, struct node *steps, const struct nginx_directive *directive)
{
    const struct nginx_word *name = &directive->words[0];
    struct node *step = add_step(writer, steps, "set", directive);
    if (name->text.len < 2 || name->text.data[0] != '$') {
        diag_error(writer->compile->diag, name->span, "invalid variable name \"%.*s\"", STR_ARGS(name->text));
        return;
    }
    nginx_put(writer->compile, step, "name", str_from_index(name->text, 1), name->span);
    put_template(writer, step, "value", &directive->words[1]);
}

/* ---- conditions ---- */

/* The words of a condition without its parentheses. */
struct condition {
    struct nginx_word words[3];
    size_t count;
    bool good;
};

static struct condition strip(const struct nginx_directive *directive)
{
    struct condition condition = {0};
    size_t last = directive->count - 1;
    const struct nginx_word *words = directive->words;
    if (!str_starts(words[0].text, S("(")) || !str_ends(words[last].text, S(")")))
        return condition;
    for (size_t i = 0; i <= last; i++) {
        struct nginx_word word = words[i];
        if (i == 0)
            word.text = str_of(word.text.data + 1, word.text.len - 1);
        if (i == last && word.text.len != 0)
            word.text.len--;
        if (word.text.len == 0 && ((i == 0 && words[i].text.len == 1) || (i == last && words[i].text.len == 1)))
            continue;
        if (condition.count == 3)
            return condition;
        condition.words[condition.count++] = word;
    }
    condition.good = condition.count != 0;
    return condition;
}

static const struct {
    const char *text, *is;
} comparisons[] = {{"=", "equal"},  {"!=", "notEqual"}, {"~", "match"}, {"~*", "matchIgnoringCase"},
                   {"!~", "noMatch"}, {"!~*", "noMatchIgnoringCase"}},
  files[] = {{"-f", "file"},    {"!-f", "noFile"},      {"-d", "directory"},   {"!-d", "noDirectory"},
             {"-e", "existing"}, {"!-e", "notExisting"}, {"-x", "executable"}, {"!-x", "notExecutable"}};

static bool write_comparison(const struct writer *writer, struct node *step, const struct condition *condition)
{
    const struct nginx_word *words = condition->words;
    if (condition->count == 2)
        return false;
    put_template(writer, step, "value", &words[0]);
    if (condition->count == 1)
        return true;
    for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
        if (!str_equal(words[1].text, str_from(comparisons[i].text)))
            continue;
        nginx_put(writer->compile, step, "is", str_from(comparisons[i].is), words[1].span);
        if (i < 2)
            put_template(writer, step, "operand", &words[2]);
        else
            nginx_put(writer->compile, step, "operand", words[2].text, words[2].span);
        return true;
    }
    diag_error(writer->compile->diag, words[1].span, "unexpected \"%.*s\" in condition", STR_ARGS(words[1].text));
    return true;
}

static bool write_file_test(const struct writer *writer, struct node *step, const struct condition *condition)
{
    const struct nginx_word *words = condition->words;
    if (condition->count != 2)
        return false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (!str_equal(words[0].text, str_from(files[i].text)))
            continue;
        put_template(writer, step, "value", &words[1]);
        nginx_put(writer->compile, step, "is", str_from(files[i].is), words[0].span);
        return true;
    }
    return false;
}

static void write_condition(const struct writer *writer, struct node *step, const struct nginx_directive *directive)
{
    struct condition condition = strip(directive);
    bool good = condition.good;
    if (good && condition.words[0].text.len > 1 && condition.words[0].text.data[0] == '$')
        good = write_comparison(writer, step, &condition);
    else if (good)
        good = write_file_test(writer, step, &condition);
    if (!good) {
        const struct nginx_word *word = &directive->words[0];
        diag_error(writer->compile->diag, word->span, "invalid condition \"%.*s\"", STR_ARGS(word->text));
    }
}

/* ---- blocks ---- */

static struct str router_of(const struct nginx_place *place, const struct nginx_directive *block)
{
    for (const struct nginx_place *it = place->first_inner; it != NULL; it = it->next)
        if (it->block == block && it->router != NULL)
            return it->name;
    return STR_NONE;
}

static void write_block(const struct writer *writer, struct node *steps, const struct nginx_directive *block);

static void write_if(const struct writer *writer, struct node *steps, const struct nginx_directive *directive)
{
    struct node *step = add_step(writer, steps, "if", directive);
    write_condition(writer, step, directive);
    struct str router = router_of(writer->place, directive);
    if (router.len != 0)
        nginx_put(writer->compile, step, "router", router, directive->span);
    struct node *then = nginx_put_list(writer->compile, step, "then", directive->span);
    write_block(writer, then, directive);
}

static void write_block(const struct writer *writer, struct node *steps, const struct nginx_directive *block)
{
    NGINX_FOREACH(block, it) {
        if (str_equal(it->name, S("rewrite")))
            write_rewrite(writer, steps, it);
        else if (str_equal(it->name, S("set")))
            write_set(writer, steps, it);
        else if (str_equal(it->name, S("return")))
            write_return(writer, steps, it);
        else if (str_equal(it->name, S("break")))
            add_step(writer, steps, "break", it);
        else if (str_equal(it->name, S("if")))
            write_if(writer, steps, it);
    }
}

static bool has_instructions(const struct nginx_directive *block)
{
    static const char *const names[] = {"rewrite", "set", "return", "break", "if"};
    NGINX_FOREACH(block, it)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (str_equal(it->name, str_from(names[i])))
                return true;
    return false;
}

/* What a limit_except with a server of its own is: an `if` on the method before all others, behind which no script is run. */
static void write_limit_except(const struct writer *writer, struct node *steps, const struct nginx_directive *directive)
{
    struct nginx_compile *compile = writer->compile;
    struct str methods = S("");
    for (size_t i = 0; i < directive->count; i++) {
        struct str method = directive->words[i].text;
        methods = arena_printf(compile->arena, "%.*s%s%.*s%s", STR_ARGS(methods), i != 0 ? "|" : "", STR_ARGS(method),
                               str_equal(method, S("GET")) ? "|HEAD" : "");
    }
    struct node *step = add_step(writer, steps, "if", directive);
    nginx_put(compile, step, "value", S("${request_method}"), directive->span);
    nginx_put(compile, step, "is", S("noMatch"), directive->span);
    nginx_put(compile, step, "operand", arena_printf(compile->arena, "^(?:%.*s)$", STR_ARGS(methods)), directive->span);
    nginx_put(compile, step, "router", router_of(writer->place, directive), directive->span);
    add_step(writer, nginx_put_list(compile, step, "then", directive->span), "break", directive);
}

static const struct nginx_directive *limit_except_of(const struct nginx_place *place)
{
    const struct nginx_directive *except = place->kind == NGINX_PLACE_LOCATION ? nginx_here(place->scope, "limit_except") : NULL;
    return except != NULL && nginx_has_own_server(except) ? except : NULL;
}

/* An `if` has a script without steps: what is left of the outer one is passed in its chain. */
static void add_script(struct nginx_place *place)
{
    const struct writer writer = {.place = place, .compile = place->compile};
    const struct nginx_directive *except = limit_except_of(place);
    if (place->kind == NGINX_PLACE_IF || place->kind == NGINX_PLACE_LIMIT_EXCEPT) {
        nginx_middleware(place, NGINX_CHAIN_REWRITE, "script", place->block->span);
        return;
    }
    if (except == NULL && !has_instructions(place->block))
        return;
    struct node *script = nginx_middleware(place, NGINX_CHAIN_REWRITE, "script", place->block->span);
    struct node *steps = nginx_put_list(place->compile, script, "steps", place->block->span);
    if (except != NULL)
        write_limit_except(&writer, steps, except);
    write_block(&writer, steps, place->block);
}

static const struct nginx_part part = {.name = "rewrite", .order = 50, .place = add_script};
REGISTER(nginx_part, part);
