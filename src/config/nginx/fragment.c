/* A look at the names at the top of a file, before it is known what level they stand at. It follows words, quotes, comments and
 * braces and refuses nothing: whether the text is right is the reader's to say. */
#include "config/nginx/fragment.h"

#include "base/file.h"
#include "config/nginx/syntax.h"

struct scan {
    struct str text;
    size_t at;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_quoted(struct scan *scan)
{
    char quote = scan->text.data[scan->at++];
    for (; scan->at < scan->text.len && scan->text.data[scan->at] != quote; scan->at++)
        scan->at += scan->text.data[scan->at] == '\\';
    scan->at++;
}

/* To behind the next character that means something: ';', '{', '}' or the first of a word, which is given; 0: the end. */
static char next_mark(struct scan *scan)
{
    while (scan->at < scan->text.len) {
        char c = scan->text.data[scan->at];
        if (c == '#') {
            ptrdiff_t end = str_find_char(scan->text, '\n', scan->at);
            scan->at = end >= 0 ? (size_t)end : scan->text.len;
        } else if (is_space(c)) {
            scan->at++;
        } else {
            scan->at += c == ';' || c == '{' || c == '}';
            return c;
        }
    }
    return 0;
}

static struct str take_word(struct scan *scan)
{
    size_t begin = scan->at;
    if (scan->text.data[begin] == '"' || scan->text.data[begin] == '\'') {
        skip_quoted(scan);
        return STR_NONE;
    }
    for (; scan->at < scan->text.len; scan->at++) {
        char c = scan->text.data[scan->at];
        if (is_space(c) || c == ';' || (c == '{' && scan->text.data[scan->at - 1] != '$'))
            break;
        scan->at += c == '\\';
    }
    size_t end = scan->at < scan->text.len ? scan->at : scan->text.len;
    return str_of(scan->text.data + begin, end - begin);
}

/* The name of the next directive at the top; empty at the end. */
static struct str next_name(struct scan *scan)
{
    size_t depth = 0;
    bool begins = true;
    for (char c; (c = next_mark(scan)) != 0;) {
        if (c == '{')
            depth++;
        else if (c == '}')
            depth -= depth != 0;
        if (c == ';' || c == '{' || c == '}') {
            begins = depth == 0;
            continue;
        }
        struct str word = take_word(scan);
        if (begins && depth == 0 && word.len != 0)
            return word;
        begins = false;
    }
    return STR_NONE;
}

/* Behind a name: to the end of its directive, blocks included. */
static void skip_directive(struct scan *scan)
{
    size_t depth = 0;
    for (char c; (c = next_mark(scan)) != 0;) {
        if (c == '{')
            depth++;
        else if (c == '}' && depth != 0)
            depth--;
        else if (c != ';' && c != '}')
            take_word(scan);
        if (depth == 0 && (c == ';' || c == '}'))
            return;
    }
}

bool nginx_is_fragment(struct str content)
{
    struct scan scan = {.text = content};
    bool belongs_inside = false;
    for (struct str name; (name = next_name(&scan)).len != 0; skip_directive(&scan)) {
        const struct nginx_syntax *syntax = nginx_syntax_find(name, NGINX_MAIN);
        if (syntax != NULL && (syntax->contexts & NGINX_MAIN) != 0 && syntax->block)
            return false;
        syntax = nginx_syntax_find(name, NGINX_HTTP);
        belongs_inside = belongs_inside || (syntax != NULL && (syntax->contexts & (NGINX_MAIN | NGINX_HTTP)) == NGINX_HTTP);
    }
    return belongs_inside;
}

static bool look_into(struct str path)
{
    struct arena arena;
    struct str content;
    arena_init(&arena, ARENA_UNLIMITED);
    bool fragment = file_read(&arena, arena_str(&arena, path).data, NGINX_FILE_MAX, &content) && nginx_is_fragment(content);
    arena_release(&arena);
    return fragment;
}

static struct str quote(struct str path, struct arena *arena)
{
    char *text = arena_alloc(arena, 2 * path.len);
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '"' || path.data[i] == '\\')
            text[len++] = '\\';
        text[len++] = path.data[i];
    }
    return str_of(text, len);
}

struct nginx_directive *nginx_read_any(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag)
{
    if (!look_into(path))
        return nginx_read(path, files, arena, diag);
    struct span span = {.source = diag_source(arena, path, STR_NONE)};
    diag_note(diag, span, "there is no http { } around it: it is read as if there were");
    struct str wrapped = arena_printf(arena, "http { include \"%.*s\"; }", STR_ARGS(quote(path, arena)));
    return nginx_read_text(path, wrapped, files, arena, diag);
}
