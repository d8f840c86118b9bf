/* tryFiles: the first of several files that is there becomes the request's path; when none is, the request goes elsewhere. */
#include "base/text.h"
#include "exchange/middleware.h"
#include "exchange/text_template.h"
#include "exchange/visit.h"
#include "exchange/graph.h"
#include "files/finder.h"

struct try_files {
    const struct node *origin;
    struct strs files;
    struct str fallback, root, links_from;
    int links;
    bool hidden;
};

struct attempt {
    const struct text_template *name;      /* without the slash that asks for a folder */
    bool folder, constant;
};

struct try_state {
    struct finder finder;
    struct attempt *attempts;
    size_t count;
    struct attempt fallback;
    int code;                              /* of the fallback "=404"; 0: it is another */
};

static const struct option_name links_names[] = {
    {"inside", LINKS_INSIDE}, {"anywhere", LINKS_ANYWHERE}, {"owned", LINKS_OWNED}, {"none", LINKS_NONE}, {NULL, 0}};

static const char *check_fallback(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    uint64_t code;
    if (!str_starts(text, S("=")))
        return text.len != 0 ? NULL : "is empty";
    return str_to_u64(str_from_index(text, 1), &code) && code <= 999 ? NULL : "is not '=' and a status";
}

static const struct option options[] = {
    OPTION(STRS, struct try_files, files, .required = true,
           .help = "Names behind the root, may have variables (\"${uri}\"); one that ends with a slash is a folder."),
    OPTION(STR, struct try_files, fallback, .required = true, .check = check_fallback,
           .help = "Where else: a path (\"/index.html?${args}\"), a location by name (\"@app\"), or a status (\"=404\")."),
    OPTION(STR, struct try_files, root, .help = "The folder; may have variables. None: the root of the router's location."),
    OPTION(BOOL, struct try_files, hidden, .help = "Names that begin with a dot are looked for as well."),
    OPTION_NAMED(ENUM, struct try_files, links, "symlinks", .names = links_names, .fallback = "inside",
                 .help = "Which symbolic links are followed, as in the files service."),
    OPTION_NAMED(STR, struct try_files, links_from, "symlinksFrom", .help = "As in the files service."),
};
static const struct option_table table =
    OPTION_TABLE(struct try_files, options, .summary = "Serves the first of several files that is there.");

static bool compile_attempt(struct attempt *attempt, struct str text, bool last, struct compile *compile, struct span span)
{
    attempt->folder = !last && text.len > 0 && str_ends(text, S("/"));
    attempt->name = text_template_new(attempt->folder ? str_first(text, text.len - 1) : text, compile, span);
    attempt->constant = attempt->name != NULL && text_template_is_constant(attempt->name);
    return attempt->name != NULL;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct try_files *files = m->options;
    struct try_state *state = m->state;
    struct finder_options finder = {.origin = files->origin,
                                    .root = files->root,
                                    .links = files->links,
                                    .links_from = files->links_from,
                                    .hidden = files->hidden};
    const struct node *list = node_get(files->origin, S("files"));
    bool good = finder_init(&state->finder, &finder, compile);
    state->attempts = arena_array(compile->arena, struct attempt, files->files.count + 1);
    for (size_t i = 0; good && i < files->files.count; i++) {
        const struct node *item = node_at(list, i);
        struct span span = node_span(item != NULL ? item : list);
        good = compile_attempt(&state->attempts[state->count++], files->files.items[i], false, compile, span);
    }
    uint64_t code = 0;
    if (str_starts(files->fallback, S("=")) && str_to_u64(str_from_index(files->fallback, 1), &code))
        state->code = (int)code;
    struct span span = node_span(node_get(files->origin, S("fallback")));
    return good && compile_attempt(&state->fallback, files->fallback, true, compile, span);
}

static void destroy(struct middleware *m)
{
    struct try_state *state = m->state;
    finder_release(&state->finder);
}

/* Behind an alias a name made of variables that begins with what the alias stands for is meant without that. */
static struct str name_of(struct exchange *x, const struct attempt *attempt, const struct document_root *root)
{
    struct str name = text_template_text(attempt->name, x);
    if (attempt->constant || root == NULL || root->is_file || root->stands_for.len == 0)
        return name;
    return str_starts(name, root->stands_for) ? str_from_index(name, root->stands_for.len) : name;
}

static void take(struct exchange *x, const struct document_root *root, const struct attempt *attempt, struct str name)
{
    if (x->visit == NULL || x->visit->site == NULL) {
        exchange_request(x)->path = visit_escape_uri(x, str_starts(name, S("/")) ? name : arena_concat(&x->arena, S("/"), name));
        return;
    }
    if (root != NULL && root->is_file) {
        if (attempt->folder)
            return;
        x->visit->uri_below_root = true;
    } else if (root != NULL && root->stands_for.len != 0) {
        name = arena_concat(&x->arena, root->stands_for, name);
    }
    exchange_set_uri(x, name);
}

static enum verdict fall_back(struct exchange *x, const struct try_state *state, const struct document_root *root)
{
    bool visiting = x->visit != NULL && x->visit->site != NULL;
    if (state->code != 0) {
        exchange_answer_status(x, state->code, state->code == 404 ? STATUS_FILE_NOT_FOUND : STATUS_MIDDLEWARE_ANSWERED);
        return VERDICT_ANSWER;
    }
    struct str target = name_of(x, &state->fallback, root), query = STR_NONE;
    if (visiting && str_starts(target, S("@"))) {
        exchange_go_to_named(x, str_from_index(target, 1));
        return VERDICT_REROUTE;
    }
    ptrdiff_t mark = str_find_char(target, '?', 0);
    if (mark >= 0) {
        query = str_of(target.data + mark + 1, target.len - (size_t)mark - 1);
        target = str_first(target, (size_t)mark);
    }
    if (visiting) {
        exchange_go_to(x, target, query);
        return VERDICT_REROUTE;
    }
    exchange_request(x)->path = visit_escape_uri(x, target);
    if (mark >= 0)
        exchange_request(x)->query = query;
    return VERDICT_NEXT;
}

static const struct document_root *root_for(const struct exchange *x, const struct middleware *m)
{
    const struct try_files *files = m->options;
    return files->root.len == 0 ? x->router->extras->root : NULL;
}

/* The first that is there, and its name; NULL: none is. */
static const struct attempt *find_first(struct exchange *x, struct try_state *state, const struct document_root *root, struct str *ret_name)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct attempt *attempt = &state->attempts[i];
        struct stat stat;
        *ret_name = name_of(x, attempt, root);
        if (finder_look_behind(&state->finder, x, *ret_name, &stat) == STATUS_OK && S_ISDIR(stat.st_mode) == attempt->folder)
            return attempt;
    }
    return NULL;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct document_root *root = root_for(x, m);
    struct str name;
    const struct attempt *found = find_first(x, m->state, root, &name);
    if (found == NULL)
        return fall_back(x, m->state, root);
    take(x, root, found, name);
    return VERDICT_NEXT;
}

static void explain(struct exchange *x, const struct middleware *m, struct text *out)
{
    struct try_state *state = m->state;
    const struct document_root *root = root_for(x, m);
    struct str name;
    const struct attempt *found = find_first(x, state, root, &name);
    if (found != NULL) {
        text_addf(out, "the %s \"%.*s\" is there", found->folder ? "folder" : "file", STR_ARGS(name));
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        name = name_of(x, &state->attempts[i], root);
        text_addf(out, "%s\"%.*s%s\"", i == 0 ? "" : ", ", STR_ARGS(name), state->attempts[i].folder && !str_ends(name, S("/")) ? "/" : "");
    }
    name = name_of(x, &state->fallback, root);
    text_addf(out, " %s not there: ", state->count == 1 ? "is" : "are");
    if (state->code != 0)
        text_addf(out, "%d", state->code);
    else
        text_addf(out, "on to %.*s", STR_ARGS(name));
}

static const struct middleware_type try_files_type = {
    .choice = {.name = "tryFiles", .summary = "Serves the first of several files that is there.", .table = &table},
    .state_size = sizeof(struct try_state),
    .compile = compile,
    .destroy = destroy,
    .pure = true,
    .explain = explain,
    .on_request = on_request,
};
REGISTER(middleware_type, try_files_type);
