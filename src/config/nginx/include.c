/* Files: opening them, and `include` with its patterns. */
#include <errno.h>
#include <glob.h>

#include "base/file.h"
#include "config/nginx/reader.h"

static void remember(struct nginx_reader *reader, struct str path, struct str content)
{
    struct nginx_files *files = reader->files;
    /* Room is doubled whenever the count is a power of two. */
    if ((files->count & (files->count - 1)) == 0) {
        struct nginx_file *more = arena_array(reader->arena, struct nginx_file, files->count > 0 ? files->count * 2 : 1);
        if (files->count > 0)
            memcpy(more, files->files, files->count * sizeof(*more));
        files->files = more;
    }
    files->files[files->count++] = (struct nginx_file){.path = path, .content = content};
}

static void report_file(struct nginx_reader *reader, struct span span, const char *call, struct str path, int error)
{
    if (error == EFBIG)
        diag_error(reader->diag, span, "\"%.*s\" is larger than %zu MiB", STR_ARGS(path), NGINX_FILE_MAX >> 20);
    else
        diag_error(reader->diag, span, "%s() \"%.*s\" failed (%d: %s)", call, STR_ARGS(path), error, strerror(error));
}

static bool is_known(const struct nginx_files *files, struct str path, struct str *ret_content)
{
    for (size_t i = 0; i < files->count; i++) {
        if (!str_equal(files->files[i].path, path))
            continue;
        *ret_content = files->files[i].content;
        return true;
    }
    return false;
}

const struct source *nginx_open(struct nginx_reader *reader, struct str path, struct span span)
{
    struct source *source = arena_new(reader->arena, struct source);
    *source = (struct source){.name = arena_str(reader->arena, path), .nginx = true};
    if (!is_known(reader->files, path, &source->content)) {
        if (reader->files->note != NULL)
            reader->files->note(reader->files->context, source->name);
        if (!file_read(reader->arena, source->name.data, NGINX_FILE_MAX, &source->content)) {
            report_file(reader, span, errno == EISDIR ? "read" : "open", path, errno);
            return NULL;
        }
        remember(reader, source->name, source->content);
    }
    reader->bytes += source->content.len;
    if (reader->bytes > NGINX_FILES_BYTES_MAX) {
        diag_error(reader->diag, span, "includes bring in more than %zu MiB", NGINX_FILES_BYTES_MAX >> 20);
        return NULL;
    }
    return source;
}

/* False: reading it would never end. */
static bool may_include(struct nginx_reader *reader, struct str path, struct span span)
{
    for (const struct nginx_open_file *it = reader->open; it != NULL; it = it->outer) {
        if (str_equal(it->path, path)) {
            diag_error(reader->diag, span, "\"%.*s\" includes itself", STR_ARGS(path));
            return false;
        }
    }
    if (reader->include_depth >= NGINX_INCLUDE_DEPTH_MAX) {
        diag_error(reader->diag, span, "includes are nested more than %d deep", NGINX_INCLUDE_DEPTH_MAX);
        return false;
    }
    if (reader->includes++ >= NGINX_INCLUDES_MAX) {
        diag_error(reader->diag, span, "more than %d files are included", NGINX_INCLUDES_MAX);
        return false;
    }
    return true;
}

static void include_file(struct nginx_reader *reader, struct nginx_level *level, struct str path, struct span span)
{
    if (!may_include(reader, path, span))
        return;
    const struct source *source = nginx_open(reader, path, span);
    if (source == NULL)
        return;
    struct nginx_open_file open = {.path = source->name, .outer = reader->open};
    struct nginx_lexer lexer;
    nginx_lex_begin(&lexer, source, reader->arena, reader->diag);
    reader->open = &open;
    reader->include_depth++;
    nginx_read_level(reader, &lexer, level, true);
    reader->include_depth--;
    reader->open = open.outer;
}

/* The folder that has to be watched for new files: what stands before the first wildcard. */
static void note_folder(struct nginx_reader *reader, struct str pattern)
{
    struct str fixed = str_first(pattern, strcspn(pattern.data, "*?["));
    ptrdiff_t slash = str_find_last_char(fixed, '/');
    if (slash > 0 && reader->files->note != NULL)
        reader->files->note(reader->files->context, arena_str(reader->arena, str_first(fixed, (size_t)slash)));
}

static void include_pattern(struct nginx_reader *reader, struct nginx_level *level, struct str pattern, struct span span)
{
    note_folder(reader, pattern);
    glob_t found = {0};
    int status = glob(pattern.data, 0, NULL, &found);
    if (status != 0 && status != GLOB_NOMATCH)
        report_file(reader, span, "glob", pattern, status == GLOB_NOSPACE ? ENOMEM : EIO);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; i++)
        include_file(reader, level, str_from(found.gl_pathv[i]), span);
    globfree(&found);
}

void nginx_include(struct nginx_reader *reader, struct nginx_level *level, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0];
    if (reader->files == NULL) {
        diag_error(reader->diag, directive->span, "\"include\" directive is not allowed here");
        return;
    }
    struct str path = word->text;
    path = str_starts(path, S("/")) ? arena_str(reader->arena, path)
                                    : arena_concat(reader->arena, reader->files->conf_prefix, path);
    /* As the C library sees it: a zero byte ends the name. */
    path = str_from(path.data);
    if (strpbrk(path.data, "*?[") != NULL)
        include_pattern(reader, level, path, word->span);
    else
        include_file(reader, level, path, word->span);
}
