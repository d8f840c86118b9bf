/* `portico convert FILE`: the same configuration as Portico's YAML, on standard output. Of an nginx.conf it is the tree that `run`
 * would read; YAML comes out normalised. */
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/convert_comments.h"
#include "cli/convert_order.h"
#include "config/load.h"
#include "config/nginx/compile.h"
#include "config/nginx/fragment.h"
#include "config/yaml_write.h"
#include "provider/nginx.h"

#define OUTPUT_MAX ((size_t)256 << 20)

static const struct flag flags_of_convert[] = {
    {.name = "prefix", .letter = 'p', .argument = "FOLDER", .help = "Where relative paths of an nginx.conf begin (" NGINX_PREFIX ")."},
    {.name = NULL},
};

struct conversion {
    const char *path;
    struct str prefix;
    struct arena arena;
    struct diag diag;
    struct convert_comments comments;
    bool has_comments;
};

static struct str with_slash(struct arena *arena, struct str folder)
{
    return str_empty(folder) || str_ends(folder, S("/")) ? folder : arena_concat(arena, folder, S("/"));
}

static struct node *read_nginx(struct conversion *c)
{
    struct nginx_source source = nginx_source_of(str_from(c->path), &c->arena);
    struct nginx_files files = {.prefix = source.prefix, .conf_prefix = source.conf_prefix};
    if (!str_empty(c->prefix))
        files.prefix = with_slash(&c->arena, c->prefix);
    struct nginx_directive *tree = nginx_read_any(source.path, &files, &c->arena, &c->diag);
    if (tree == NULL || c->diag.errors != 0)
        return NULL;
    struct node *root = node_new(&c->arena, NODE_MAP, SPAN_NONE);
    nginx_compile(tree, &files, root, &c->arena, &c->diag);
    convert_order(root);
    convert_comments_init(&c->comments, tree, root, &c->arena);
    c->has_comments = true;
    return root;
}

static struct node *read_yaml(struct conversion *c)
{
    struct node *root = load_file(c->path, LOAD_MAIN, &c->arena, &c->diag);
    if (root != NULL && c->diag.errors == 0)
        convert_order(root);
    return root;
}

static bool print(struct conversion *c, const struct node *root)
{
    struct text out;
    text_init(&out, OUTPUT_MAX);
    if (c->has_comments)
        yaml_write_comment(c->comments.top, &out);
    yaml_write(root, c->has_comments ? convert_comment : NULL, &c->comments, &out);
    bool whole = !out.overflow && fwrite(text_c(&out), 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    text_release(&out);
    return whole;
}

static int convert_file(struct conversion *c)
{
    arena_init(&c->arena, ARENA_UNLIMITED);
    diag_init(&c->diag, &c->arena);
    const struct node *root = nginx_source_is_one(c->path) ? read_nginx(c) : read_yaml(c);
    if (c->diag.count != 0)
        command_show(&c->diag);
    bool good = root != NULL && c->diag.errors == 0 && print(c, root);
    if (c->has_comments)
        convert_comments_release(&c->comments);
    diag_release(&c->diag);
    arena_release(&c->arena);
    return good ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct command *command, const struct flags *flags, struct arena *arena)
{
    const struct flag_given *prefix = flags_find(flags, "prefix");
    if (flags->operand_count != 1)
        return command_misused(command, flags->operand_count == 0 ? "which file is to be converted?" : "one file at a time");
    struct conversion conversion = {.path = flags->operands[0].data, .prefix = prefix != NULL ? prefix->value : STR_NONE};
    return convert_file(&conversion);
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    return command_run_with_flags(command, words, count, run_with);
}

static const struct command convert_command = {
    .name = "convert",
    .usage = "convert [-p FOLDER] FILE",
    .summary = "Prints an nginx.conf as Portico's YAML.",
    .flags = flags_of_convert,
    .run = run,
};
REGISTER(command, convert_command);
