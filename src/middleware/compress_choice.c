/* Whether and how: see compress.h. */
#include "middleware/compress.h"

#include "http/token.h"

const struct codec *codec_find(struct str name)
{
    REGISTRY_FOREACH(codec, const struct codec, it)
        if (str_equal_nocase((*it)->name, name))
            return *it;
    return NULL;
}

static struct str media_type(const struct response *response)
{
    struct str type = fields_value(&response->fields, FIELD_CONTENT_TYPE);
    ptrdiff_t end = str_find_char(type, ';', 0);
    return str_trim(end >= 0 ? str_first(type, (size_t)end) : type);
}

static bool is_listed(const struct strs *types, struct str type)
{
    for (size_t i = 0; i < types->count; i++)
        if (str_equal_nocase(types->items[i], type) || str_equal(types->items[i], S("*")))
            return true;
    return false;
}

/* Types whose bytes are compressed by nature: coding them again costs time and gains nothing. */
static bool is_compressed_by_nature(struct str type)
{
    static const struct str prefixes[] = {STR("image/"), STR("audio/"), STR("video/"), STR("font/woff")};
    static const struct str plain_images[] = {STR("image/svg+xml"), STR("image/bmp"), STR("image/x-icon"),
                                              STR("image/vnd.microsoft.icon")};
    static const struct str archives[] = {STR("application/zip"),  STR("application/gzip"),
                                          STR("application/x-gzip"), STR("application/x-7z-compressed"),
                                          STR("application/x-bzip2"), STR("application/x-xz"),
                                          STR("application/zstd"), STR("application/vnd.rar")};
    for (size_t i = 0; i < sizeof(plain_images) / sizeof(plain_images[0]); i++)
        if (str_equal_nocase(plain_images[i], type))
            return false;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (str_starts_nocase(type, prefixes[i]))
            return true;
    for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
        if (str_equal_nocase(archives[i], type))
            return true;
    return false;
}

static bool type_fits(const struct compress_choice *choice, struct str type)
{
    if (str_starts_nocase(type, S("application/grpc")))
        return false;
    if (choice->included.count != 0)
        return is_listed(&choice->included, type);
    return !is_listed(&choice->excluded, type) && !is_compressed_by_nature(type);
}

static bool forbids_transforming(const struct fields *fields)
{
    FIELDS_FOREACH(fields, field)
        if (field->id == FIELD_CACHE_CONTROL && token_list_has(field->value, S("no-transform")))
            return true;
    return false;
}

bool compress_may(const struct compress_choice *choice, const struct request *request,
                  const struct response *response)
{
    const struct fields *fields = &response->fields;
    return response->status >= 200 && !status_is_bodiless(response->status) && response->status != 206 &&
           (choice->statuses.count == 0 || status_ranges_have(&choice->statuses, response->status)) && fields_find(fields, FIELD_CONTENT_RANGE) == NULL &&
           fields_find(fields, FIELD_CONTENT_ENCODING) == NULL && type_fits(choice, media_type(response)) &&
           !(fields_has(fields, FIELD_CACHE_CONTROL) && forbids_transforming(fields)) &&
           !(fields_has(&request->fields, FIELD_CACHE_CONTROL) && forbids_transforming(&request->fields));
}

bool compress_is_live(const struct response *response)
{
    struct str type = media_type(response);
    return str_equal_nocase(type, S("text/event-stream")) || str_equal_nocase(type, S("application/x-ndjson")) ||
           str_equal_nocase(type, S("application/json-seq"));
}

const struct codec *compress_choose(const struct compress_choice *choice, struct str accepted)
{
    if (accepted.data == NULL)
        return choice->fallback;
    if (choice->fallback != NULL && str_equal(accepted, S("*")))
        return choice->fallback;
    const struct codec *best = NULL;
    int best_quality = 0;
    for (size_t i = 0; i < choice->codec_count; i++) {
        int quality = token_accepts(accepted, choice->codecs[i]->name, 0);
        if (quality > best_quality) {
            best = choice->codecs[i];
            best_quality = quality;
        }
    }
    /* Who names identity and likes it better than any coding gets it. */
    bool named = str_find(accepted, S("identity")) >= 0;
    return named && token_accepts(accepted, S("identity"), 0) > best_quality ? NULL : best;
}
