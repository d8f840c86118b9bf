/* The options of steps, and how they become instructions. */
#include <stdlib.h>

#include "base/vec.h"
#include "middleware/path.h"
#include "middleware/script.h"

struct step_config {
    const struct node *origin;
    struct choice type;
};

struct step_set {
    const struct node *origin;
    struct str name, value;
};

enum rewrite_flag { FLAG_NONE, FLAG_LAST, FLAG_BREAK, FLAG_REDIRECT, FLAG_PERMANENT };

struct step_rewrite {
    const struct node *origin;
    struct str regex, replacement;
    int flag;
};

struct step_return {
    const struct node *origin;
    int64_t status;
    struct str text, url;
};

struct step_if {
    const struct node *origin;
    struct str value, operand;
    int is;
    struct objects then;
    struct str router;
};

struct step_break {
    const struct node *origin;
};

/* ---- what may be said ---- */

static const struct option set_options[] = {
    OPTION(STR, struct step_set, name, .required = true, .check = path_check_not_empty,
           .help = "The variable: one of your own, or a built-in one that can be set (args, limit_rate)."),
    OPTION(STR, struct step_set, value, .help = "Its value; a template."),
};
static const struct option_table set_table =
    OPTION_TABLE(struct step_set, set_options, .summary = "Gives a variable a value.");

static const struct option_name flag_names[] = {{"none", FLAG_NONE},         {"last", FLAG_LAST},           {"break", FLAG_BREAK},
                                                {"redirect", FLAG_REDIRECT}, {"permanent", FLAG_PERMANENT}, {NULL, 0}};
static const struct option rewrite_options[] = {
    OPTION(STR, struct step_rewrite, regex, .required = true,
           .help = "Perl's regular expression that the decoded path has to match."),
    OPTION(STR, struct step_rewrite, replacement, .required = true, .check = path_check_not_empty,
           .help = "The new path, and behind \"?\" a query that the present one is added to, unless it ends with \"?\"; a template. One "
                   "that begins with http://, https:// or ${scheme} redirects."),
    OPTION(ENUM, struct step_rewrite, flag, .names = flag_names, .fallback = "none",
           .help = "last: the script ends and another location is looked for; break: it ends and the location stays; redirect, "
                   "permanent: 302, 301."),
};
static const struct option_table rewrite_table =
    OPTION_TABLE(struct step_rewrite, rewrite_options, .summary = "Another path, where the path matches.");

static const struct option return_options[] = {
    OPTION(INT, struct step_return, status, .fallback = "200", .min = 0, .max = 999,
           .help = "The status; 444 closes the connection without an answer."),
    OPTION(STR, struct step_return, text, .help = "The response's body; a template. An error without one gets the customary page."),
    OPTION(STR, struct step_return, url, .help = "Where a redirect leads; a template. A path is completed as the router's redirects say."),
};
static void check_return(void *value, const struct node *node, struct diag *diag)
{
    const struct step_return *options = value;
    if (options->url.len != 0 && options->text.len != 0)
        diag_error(diag, node_span(node_get(options->origin, S("text"))), "a redirect has no text of its own");
    if (options->url.len != 0 && (options->status < 300 || options->status > 399))
        diag_error(diag, node_span(node_get(options->origin, S("url"))), "'url' goes with a status from 300 to 399");
}
static const struct option_table return_table =
    OPTION_TABLE(struct step_return, return_options, .summary = "Answers.", .validate = check_return);

/* Which test, and what of it: see split_word. */
enum if_word {
    IF_TRUE, IF_FALSE, IF_EQUALS, IF_DIFFERS, IF_MATCHES, IF_MATCHES_NOT, IF_MATCHES_NOCASE, IF_MATCHES_NOT_NOCASE, IF_FILE, IF_NO_FILE,
    IF_DIRECTORY, IF_NO_DIRECTORY, IF_EXISTS, IF_EXISTS_NOT, IF_EXECUTABLE, IF_NOT_EXECUTABLE,
};
static const struct option_name if_names[] = {
    {"true", IF_TRUE}, {"false", IF_FALSE}, {"equal", IF_EQUALS}, {"notEqual", IF_DIFFERS}, {"match", IF_MATCHES},
    {"noMatch", IF_MATCHES_NOT}, {"matchIgnoringCase", IF_MATCHES_NOCASE}, {"noMatchIgnoringCase", IF_MATCHES_NOT_NOCASE},
    {"file", IF_FILE}, {"noFile", IF_NO_FILE}, {"directory", IF_DIRECTORY}, {"noDirectory", IF_NO_DIRECTORY},
    {"existing", IF_EXISTS}, {"notExisting", IF_EXISTS_NOT}, {"executable", IF_EXECUTABLE}, {"notExecutable", IF_NOT_EXECUTABLE},
    {NULL, 0}};
static const struct option if_options[] = {
    OPTION(STR, struct step_if, value, .required = true, .check = path_check_not_empty, .help = "What is looked at; a template."),
    OPTION(ENUM, struct step_if, is, .names = if_names, .fallback = "true",
           .help = "true: neither empty nor \"0\"; equal, match: to the operand; file, directory, existing, executable: the value is a "
                   "path; each has its opposite."),
    OPTION(STR, struct step_if, operand, .help = "What an equal value equals (a template), or Perl's regular expression that it matches."),
    OPTION(LIST, struct step_if, then, .table = &script_step_table, .help = "The steps that are passed then."),
    OPTION(STR, struct step_if, router,
           .help = "The router (location.match: inner) in which the request goes on then, with the rest of this script in its own."),
};
static void check_if(void *value, const struct node *node, struct diag *diag)
{
    const struct step_if *options = value;
    bool wants = options->is >= IF_EQUALS && options->is <= IF_MATCHES_NOT_NOCASE;
    const struct node *operand = node_get(options->origin, S("operand"));
    if (!wants && operand != NULL)
        diag_error(diag, node_span(operand), "this condition has no operand");
    else if (wants && operand == NULL && options->is > IF_DIFFERS)
        diag_error(diag, node_span(node), "there is no 'operand' to match");
}
static const struct option_table if_table =
    OPTION_TABLE(struct step_if, if_options, .summary = "Steps that are passed if something is so.", .validate = check_if);

static const struct option_table break_table =
    {.size = sizeof(struct step_break), .origin_offset = offsetof(struct step_break, origin), .summary = "Ends the script; the location stays."};

static const struct choice_type set_step = {.name = "set", .summary = "Gives a variable a value.", .table = &set_table};
static const struct choice_type rewrite_step = {
    .name = "rewrite", .summary = "Another path, where the path matches.", .table = &rewrite_table};
static const struct choice_type return_step = {.name = "return", .summary = "Answers.", .table = &return_table};
static const struct choice_type if_step = {
    .name = "if", .summary = "Steps that are passed if something is so.", .table = &if_table};
static const struct choice_type break_step = {
    .name = "break", .summary = "Ends the script; the location stays.", .table = &break_table};

static const struct choice_type *step_at(size_t index)
{
    static const struct choice_type *const types[] = {&break_step, &if_step, &return_step, &rewrite_step, &set_step};
    return index < sizeof(types) / sizeof(types[0]) ? types[index] : NULL;
}

static const struct option step_options[] = {
    OPTION(CHOICE, struct step_config, type, .choices = step_at, .required = true),
};
const struct option_table script_step_table = OPTION_TABLE(struct step_config, step_options, .summary = "One step.");

/* ---- becoming instructions ---- */

struct writer {
    struct compile *compile;
    VEC(struct script_instruction) instructions;
    bool good;
};

static struct span at(const struct node *origin, const char *key)
{
    const struct node *member = node_get(origin, str_from(key));
    return node_span(member != NULL ? member : origin);
}

static const struct text_template *template_of(struct writer *writer, struct str text, const struct node *origin, const char *key)
{
    const struct text_template *template = text_template_new(text, writer->compile, at(origin, key));
    writer->good &= template != NULL;
    return template;
}

static const struct capture *regex_of(struct writer *writer, struct str pattern, bool ignore_case, struct span span)
{
    const struct capture *regex = capture_new(writer->compile, pattern, ignore_case, span);
    writer->good &= regex != NULL;
    return regex;
}

static void write_set(struct writer *writer, const struct step_set *step)
{
    struct script_instruction instruction = {.operation = SCRIPT_SET};
    instruction.set.variable = variable_declare(step->name, writer->compile, at(step->origin, "name"));
    instruction.set.value = template_of(writer, step->value, step->origin, "value");
    writer->good &= instruction.set.variable != NULL;
    VEC_PUSH(&writer->instructions, instruction);
}

/* The first "?" that is no part of a variable's name; -1: none. */
static ptrdiff_t find_mark(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '?')
            return (ptrdiff_t)i;
        if (text.data[i] == '$' && i + 1 < text.len && text.data[i + 1] == '{') {
            ptrdiff_t close = str_find_char(text, '}', i);
            i = close >= 0 ? (size_t)close : text.len;
        }
    }
    return -1;
}

static int redirect_status(const struct step_rewrite *step)
{
    struct str to = step->replacement;
    if (step->flag == FLAG_PERMANENT)
        return 301;
    bool absolute = str_starts(to, S("http://")) || str_starts(to, S("https://")) || str_starts(to, S("${scheme}"));
    return absolute || step->flag == FLAG_REDIRECT ? 302 : 0;
}

static void write_rewrite(struct writer *writer, const struct step_rewrite *step)
{
    struct script_rewrite *rewrite = arena_new(writer->compile->arena, struct script_rewrite);
    struct str text = step->replacement;
    rewrite->regex = regex_of(writer, step->regex, false, at(step->origin, "regex"));
    rewrite->redirect = redirect_status(step);
    rewrite->stops = step->flag == FLAG_LAST || step->flag == FLAG_BREAK;
    rewrite->stays = step->flag == FLAG_BREAK;
    rewrite->keeps_query = !str_ends(text, S("?"));
    if (!rewrite->keeps_query)
        text.len--;
    ptrdiff_t mark = find_mark(text);
    rewrite->has_mark = mark >= 0;
    if (rewrite->redirect == 0 && mark >= 0) {
        rewrite->query = template_of(writer, str_from_index(text, (size_t)mark + 1), step->origin, "replacement");
        text = str_first(text, (size_t)mark);
    }
    rewrite->path = template_of(writer, text, step->origin, "replacement");
    VEC_PUSH(&writer->instructions, (struct script_instruction){.operation = SCRIPT_REWRITE, .rewrite = rewrite});
}

static bool is_location_status(int64_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void write_return(struct writer *writer, const struct step_return *step)
{
    struct script_return *answer = arena_new(writer->compile->arena, struct script_return);
    answer->status = (int)step->status;
    answer->is_location = step->url.len != 0 || is_location_status(step->status);
    if (step->url.len != 0)
        answer->text = template_of(writer, step->url, step->origin, "url");
    else if (step->text.len != 0)
        answer->text = template_of(writer, step->text, step->origin, "text");
    VEC_PUSH(&writer->instructions, (struct script_instruction){.operation = SCRIPT_RETURN, .answer = answer});
}

static enum script_test test_of(enum if_word word)
{
    static const enum script_test tests[] = {
        [IF_TRUE] = SCRIPT_IS_TRUE, [IF_EQUALS] = SCRIPT_EQUALS, [IF_MATCHES] = SCRIPT_MATCHES, [IF_MATCHES_NOCASE] = SCRIPT_MATCHES,
        [IF_FILE] = SCRIPT_IS_FILE, [IF_DIRECTORY] = SCRIPT_IS_DIRECTORY, [IF_EXISTS] = SCRIPT_EXISTS,
        [IF_EXECUTABLE] = SCRIPT_IS_EXECUTABLE};
    return tests[word & ~1];
}

static const struct script_condition *condition_of(struct writer *writer, const struct step_if *step)
{
    struct script_condition *condition = arena_new(writer->compile->arena, struct script_condition);
    bool ignore_case = step->is == IF_MATCHES_NOCASE || step->is == IF_MATCHES_NOT_NOCASE;
    condition->test = test_of((enum if_word)step->is);
    condition->negative = (step->is & 1) != 0;
    condition->value = template_of(writer, step->value, step->origin, "value");
    if (condition->test == SCRIPT_EQUALS)
        condition->operand = template_of(writer, step->operand, step->origin, "operand");
    else if (condition->test == SCRIPT_MATCHES)
        condition->regex = regex_of(writer, step->operand, ignore_case, at(step->origin, "operand"));
    return condition;
}

static void write_steps(struct writer *writer, const struct objects *steps);

static void write_if(struct writer *writer, const struct step_if *step)
{
    struct script_instruction instruction = {.operation = SCRIPT_IF};
    size_t index = writer->instructions.count;
    instruction.branch.condition = condition_of(writer, step);
    if (step->router.len != 0) {
        instruction.branch.router = compile_router(writer->compile, step->router, at(step->origin, "router"));
        writer->good &= instruction.branch.router != NULL;
    }
    VEC_PUSH(&writer->instructions, instruction);
    write_steps(writer, &step->then);
    writer->instructions.items[index].branch.end = (unsigned)writer->instructions.count;
}

static void write_step(struct writer *writer, const struct step_config *step)
{
    const struct choice_type *type = step->type.type;
    if (type == &set_step)
        write_set(writer, step->type.value);
    else if (type == &rewrite_step)
        write_rewrite(writer, step->type.value);
    else if (type == &return_step)
        write_return(writer, step->type.value);
    else if (type == &if_step)
        write_if(writer, step->type.value);
    else if (type == &break_step)
        VEC_PUSH(&writer->instructions, (struct script_instruction){.operation = SCRIPT_BREAK});
}

static void write_steps(struct writer *writer, const struct objects *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        write_step(writer, steps->items[i].value);
}

bool script_compile(struct script_program *program, const struct objects *steps, struct compile *compile)
{
    struct writer writer = {.compile = compile, .good = true};
    write_steps(&writer, steps);
    program->count = (unsigned)writer.instructions.count;
    program->instructions = arena_array(compile->arena, struct script_instruction, program->count);
    if (program->count != 0)
        memcpy(program->instructions, writer.instructions.items, program->count * sizeof(program->instructions[0]));
    VEC_RELEASE(&writer.instructions);
    return writer.good;
}
