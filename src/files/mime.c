#include "files/mime.h"

#include "base/file.h"

#define TABLE_PATH "/etc/mime.types"
#define TABLE_BYTES_MAX ((size_t)4 << 20)

/* For systems without the table, and for what its older versions lack. */
static const struct str builtin = STR(
    "text/html html htm\n" "text/css css\n" "text/javascript js mjs\n" "text/plain txt log md\n" "text/csv csv\n"
    "text/xml xml\n" "text/calendar ics\n" "text/vtt vtt\n" "application/json json map\n" "application/ld+json jsonld\n"
    "application/manifest+json webmanifest\n" "application/wasm wasm\n" "application/pdf pdf\n" "application/zip zip\n"
    "application/gzip gz tgz\n" "application/zstd zst\n" "application/rss+xml rss\n" "application/atom+xml atom\n"
    "application/xhtml+xml xhtml\n" "image/svg+xml svg svgz\n" "image/png png\n" "image/jpeg jpg jpeg\n" "image/gif gif\n"
    "image/webp webp\n" "image/avif avif\n" "image/jxl jxl\n" "image/vnd.microsoft.icon ico\n" "font/woff woff\n"
    "font/woff2 woff2\n" "font/ttf ttf\n" "font/otf otf\n" "audio/mpeg mp3\n" "audio/ogg ogg oga opus\n" "audio/flac flac\n"
    "audio/mp4 m4a\n" "audio/wav wav\n" "video/mp4 mp4 m4v\n" "video/webm webm\n" "video/quicktime mov\n"
    "video/mp2t ts\n" "application/vnd.apple.mpegurl m3u8\n" "application/dash+xml mpd\n");

static bool is_text(struct str type)
{
    return str_starts_nocase(type, S("text/")) || str_equal_nocase(type, S("application/javascript"));
}

static bool next_word(struct str *rest, struct str *ret_word)
{
    *rest = str_trim_space(*rest);
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
        len++;
    *ret_word = str_first(*rest, len);
    *rest = str_from_index(*rest, len);
    return len != 0;
}

static void add_line(struct mime_types *types, struct str line)
{
    struct str type, extension, *value = NULL;
    if (!next_word(&line, &type) || type.data[0] == '#' || str_find_char(type, '/', 0) < 0)
        return;
    while (next_word(&line, &extension)) {
        if (extension.data[0] == '#')
            return;
        if (map_has(&types->by_extension, extension))
            continue;
        if (value == NULL) {
            value = arena_new(&types->arena, struct str);
            *value = is_text(type) ? arena_concat(&types->arena, type, S("; charset=utf-8")) : arena_str(&types->arena, type);
        }
        map_put(&types->by_extension, arena_str(&types->arena, extension), value);
    }
}

void mime_add(struct mime_types *types, struct str table)
{
    struct str line;
    while (str_split(&table, '\n', &line))
        add_line(types, line);
}

void mime_init(void *memory)
{
    struct mime_types *types = memory;
    struct arena reading;
    struct str table;
    map_init(&types->by_extension, true);
    arena_init(&types->arena, ARENA_UNLIMITED);
    arena_init(&reading, ARENA_UNLIMITED);
    if (file_read(&reading, TABLE_PATH, TABLE_BYTES_MAX, &table))
        mime_add(types, table);
    arena_release(&reading);
    mime_add(types, builtin);
}

void mime_release(void *memory)
{
    struct mime_types *types = memory;
    map_release(&types->by_extension);
    arena_release(&types->arena);
}

struct str mime_of(const struct mime_types *types, struct str name)
{
    ptrdiff_t slash = str_find_last_char(name, '/');
    struct str last = str_from_index(name, (size_t)(slash + 1));
    ptrdiff_t dot = str_find_last_char(last, '.');
    const struct str *found = dot > 0 ? map_get(&types->by_extension, str_from_index(last, (size_t)dot + 1)) : NULL;
    return found != NULL ? *found : S("application/octet-stream");
}
