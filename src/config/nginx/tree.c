/* Reads text into directives. A mistake never ends the reading: what comes behind it is looked at too, so that one run tells all. */
#include "config/nginx/tree.h"

#include "config/nginx/reader.h"

#define COMMENTS_MAX ((size_t)1 << 20)

/* --- comments ---------------------------------------------------------------------------------------- */

static void add_comment_line(struct nginx_reader *reader, struct str *comment, struct str line)
{
    *comment = str_empty(*comment) ? line : arena_printf(reader->arena, "%.*s\n%.*s", STR_ARGS(*comment), STR_ARGS(line));
}

/* A comment on the line on which a directive ended belongs to that one, any other to the next. */
static void take_comment(struct nginx_reader *reader, const struct nginx_lexer *lexer, struct nginx_directive *ended,
                         uint32_t ended_line)
{
    if (ended != NULL && lexer->span.line == ended_line) {
        add_comment_line(reader, &ended->comment, lexer->word.text);
        return;
    }
    if (reader->comment.len > 0)
        text_add_char(&reader->comment, '\n');
    text_add(&reader->comment, lexer->word.text);
}

static void give_comments(struct nginx_reader *reader, struct nginx_directive *directive)
{
    if (reader->comment.len == 0)
        return;
    add_comment_line(reader, &directive->comment, arena_str(reader->arena, text_str(&reader->comment)));
    text_clear(&reader->comment);
}

/* --- directives -------------------------------------------------------------------------------------- */

static struct nginx_directive *make_directive(struct nginx_reader *reader, bool block)
{
    const struct nginx_word *words = reader->words.items;
    struct nginx_directive *directive = arena_new(reader->arena, struct nginx_directive);
    directive->name = words[0].text;
    directive->span = words[0].span;
    directive->count = reader->words.count - 1;
    directive->words = arena_array(reader->arena, struct nginx_word, directive->count);
    if (directive->count > 0)
        memcpy(directive->words, words + 1, directive->count * sizeof(*words));
    directive->block = block;
    reader->words.count = 0;
    give_comments(reader, directive);
    return directive;
}

static void append(struct nginx_level *level, struct nginx_directive *directive)
{
    struct nginx_directive *block = level->block;
    directive->parent = block;
    if (block->last != NULL)
        block->last->next = directive;
    else
        block->first = directive;
    block->last = directive;
    if (level->raw || level->silent || directive->syntax == NULL)
        return;
    struct nginx_directive *before = map_put(&level->last, directive->name, directive);
    if (before != NULL)
        before->same = directive;
}

static bool is_include(const struct nginx_level *level, const struct nginx_directive *directive)
{
    return !level->silent && !directive->block && directive->count == 1 && str_equal(directive->name, S("include"));
}

static void read_block(struct nginx_reader *reader, struct nginx_lexer *lexer, struct nginx_level *inside)
{
    if (inside->depth > NGINX_DEPTH_MAX) {
        diag_error(reader->diag, inside->block->span, "blocks are nested more than %d deep", NGINX_DEPTH_MAX);
        lexer->at = lexer->end;
        reader->stopped = true;
        return;
    }
    map_init(&inside->last, false);
    nginx_read_level(reader, lexer, inside, false);
    map_release(&inside->last);
}

static struct nginx_directive *end_directive(struct nginx_reader *reader, struct nginx_lexer *lexer, struct nginx_level *level,
                                             bool block)
{
    struct nginx_directive *directive = make_directive(reader, block);
    struct nginx_level inside = {.block = directive, .depth = level->depth + 1};
    if (is_include(level, directive)) {
        nginx_include(reader, level, directive);
        return NULL;
    }
    nginx_check(reader, level, directive, &inside);
    append(level, directive);
    if (block)
        read_block(reader, lexer, &inside);
    return directive;
}

/* --- mistakes of the grammar ------------------------------------------------------------------------- */

static void hint_missing_semicolon(struct nginx_reader *reader, struct diag_item *item)
{
    const struct nginx_word *last = &reader->words.items[reader->words.count - 1];
    diag_hint(reader->diag, item, "is a ';' missing behind '%.*s'?", STR_ARGS(str_first(last->text, 60)));
}

static void report_end(struct nginx_reader *reader, const struct nginx_lexer *lexer, const struct nginx_level *level, bool whole)
{
    if (reader->stopped)
        return;
    if (lexer->unfinished || reader->words.count > 0) {
        struct diag_item *item = diag_error(reader->diag, lexer->span, "unexpected end of file, expecting \";\" or \"}\"");
        if (lexer->unfinished)
            diag_hint(reader->diag, item, "it came within this word: is a quote or a ';' missing?");
        else
            hint_missing_semicolon(reader, item);
    } else if (!whole) {
        struct diag_item *item = diag_error(reader->diag, lexer->span, "unexpected end of file, expecting \"}\"");
        if (item != &reader->diag->beyond) {
            item->context = S("of this block");
            item->context_span = level->block->span;
        }
    }
}

static void report_nothing_before(struct nginx_reader *reader, const struct nginx_lexer *lexer, const struct nginx_level *level,
                                  char c)
{
    if (!level->silent)
        diag_error(reader->diag, lexer->span, "unexpected \"%c\"", c);
}

/* A block without a name was reported; what is in it is skipped. */
static void skip_block(struct nginx_reader *reader, struct nginx_lexer *lexer, const struct nginx_level *level)
{
    struct nginx_directive nameless = {.span = lexer->span, .block = true};
    struct nginx_level inside = {.block = &nameless, .silent = true, .depth = level->depth + 1};
    read_block(reader, lexer, &inside);
}

/* "}" with words before it, whose ";" is missing: they are taken as if it was there. True: the block ends. */
static bool close_block(struct nginx_reader *reader, struct nginx_lexer *lexer, struct nginx_level *level, bool whole)
{
    if (reader->words.count > 0) {
        struct diag_item *item = diag_error(reader->diag, lexer->span, "unexpected \"}\"");
        hint_missing_semicolon(reader, item);
        end_directive(reader, lexer, level, false);
    } else if (whole) {
        report_nothing_before(reader, lexer, level, '}');
    }
    return !whole;
}

/* --- levels ------------------------------------------------------------------------------------------ */

void nginx_read_level(struct nginx_reader *reader, struct nginx_lexer *lexer, struct nginx_level *level, bool whole)
{
    /* A comment behind "{" belongs to the block. */
    struct nginx_directive *ended = whole ? NULL : level->block;
    uint32_t ended_line = lexer->line;
    for (;;) {
        enum nginx_token token = nginx_lex(lexer);
        switch (token) {
        case NGINX_TOKEN_COMMENT:
            take_comment(reader, lexer, reader->words.count > 0 ? NULL : ended, ended_line);
            break;
        case NGINX_TOKEN_WORD:
            VEC_PUSH(&reader->words, lexer->word);
            break;
        case NGINX_TOKEN_SEMICOLON:
        case NGINX_TOKEN_OPEN:
            if (reader->words.count > 0) {
                ended = end_directive(reader, lexer, level, token == NGINX_TOKEN_OPEN);
                ended_line = lexer->line;
                break;
            }
            report_nothing_before(reader, lexer, level, token == NGINX_TOKEN_OPEN ? '{' : ';');
            if (token == NGINX_TOKEN_OPEN)
                skip_block(reader, lexer, level);
            break;
        case NGINX_TOKEN_CLOSE:
            if (!close_block(reader, lexer, level, whole))
                break;
            give_comments(reader, level->block);
            return;
        case NGINX_TOKEN_END:
            report_end(reader, lexer, level, whole);
            reader->words.count = 0;
            return;
        }
    }
}

/* --- the whole --------------------------------------------------------------------------------------- */

/* `path`: the file that it is, which may not be included again; empty: a text at hand. */
static struct nginx_directive *read_source(struct nginx_reader *reader, const struct source *source, struct str path)
{
    struct nginx_directive *root = arena_new(reader->arena, struct nginx_directive);
    root->block = true;
    root->span = (struct span){.source = source};
    struct nginx_level level = {.block = root, .context = NGINX_MAIN};
    struct nginx_open_file open = {.path = path};
    struct nginx_lexer lexer;
    map_init(&level.last, false);
    map_init(&reader->noted, false);
    text_init(&reader->comment, COMMENTS_MAX);
    reader->open = &open;
    nginx_lex_begin(&lexer, source, reader->arena, reader->diag);
    nginx_read_level(reader, &lexer, &level, true);
    give_comments(reader, root);
    VEC_RELEASE(&reader->words);
    text_release(&reader->comment);
    map_release(&reader->noted);
    map_release(&level.last);
    return root;
}

/* The folder of a path, with its slash; empty: it names none. */
static struct str folder_of(struct str path)
{
    ptrdiff_t slash = str_find_last_char(path, '/');
    return slash < 0 ? STR_NONE : str_first(path, (size_t)slash + 1);
}

struct nginx_directive *nginx_read(struct str path, struct nginx_files *files, struct arena *arena, struct diag *diag)
{
    struct nginx_reader reader = {.arena = arena, .diag = diag, .files = files};
    if (str_empty(files->conf_prefix))
        files->conf_prefix = arena_str(arena, folder_of(path));
    if (str_empty(files->prefix))
        files->prefix = files->conf_prefix;
    const struct source *source = nginx_open(&reader, path, SPAN_NONE);
    return source != NULL ? read_source(&reader, source, source->name) : NULL;
}

struct nginx_directive *nginx_read_text(struct str name, struct str content, struct nginx_files *files, struct arena *arena,
                                        struct diag *diag)
{
    struct nginx_reader reader = {.arena = arena, .diag = diag, .files = files};
    struct source *source = arena_new(arena, struct source);
    *source = (struct source){.name = arena_str(arena, name), .content = arena_str(arena, content), .nginx = true};
    return read_source(&reader, source, STR_NONE);
}

static bool is_directive_name(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '_')
            return false;
    }
    return word.len > 0;
}

bool nginx_looks_like(struct str content)
{
    struct source source = {.content = content};
    struct arena arena;
    struct nginx_lexer lexer;
    arena_init(&arena, ARENA_UNLIMITED);
    nginx_lex_begin(&lexer, &source, &arena, NULL);
    enum nginx_token token;
    size_t words = 0;
    while ((token = nginx_lex(&lexer)) == NGINX_TOKEN_COMMENT || token == NGINX_TOKEN_WORD) {
        if (token == NGINX_TOKEN_WORD && words++ == 0 && (lexer.word.quoted || !is_directive_name(lexer.word.text)))
            break;
    }
    arena_release(&arena);
    return words > 0 && (token == NGINX_TOKEN_SEMICOLON || token == NGINX_TOKEN_OPEN);
}
