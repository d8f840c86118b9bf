/* gzip, and brotli and zstd in the same manner: a `compress` for each coding that is on. Bodies are coded once, by the innermost:
 * zstd before br before gzip. */
#include "config/nginx/compile.h"

#define LEVELS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)
#define OUR_OWN "the coder's memory is chosen by itself"

static const struct nginx_syntax rows[] = {
    {"gzip", LEVELS, .min = 1, .max = 1, .flag = true, .help = "Compress responses with gzip."},
    {"gzip_types", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "Media types besides text/html; '*': all."},
    {"gzip_comp_level", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "1 to 9."},
    {"gzip_min_length", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "Bodies known to be smaller are left as they are."},
    {"gzip_proxied", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "What is compressed for requests with Via."},
    {"gzip_vary", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .help = "Vary: Accept-Encoding."},
    {"gzip_http_version", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "1.0 or 1.1."},
    {"gzip_disable", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "User-Agents that get none: regular expressions, msie6."},
    {"gzip_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = OUR_OWN},
    {"gzip_window", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OUR_OWN},
    {"gzip_hash", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OUR_OWN},
    {"gzip_no_buffer", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true, .noted = "what a stream has is pushed out as it comes"},
    {"postpone_gzipping", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = "what a stream has is pushed out as it comes"},
    {"brotli", LEVELS, .min = 1, .max = 1, .flag = true, .help = "Compress responses with Brotli."},
    {"brotli_types", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "As gzip_types."},
    {"brotli_comp_level", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "0 to 11."},
    {"brotli_min_length", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "As gzip_min_length."},
    {"brotli_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = OUR_OWN},
    {"brotli_window", NGINX_EVERYWHERE, .min = 1, .max = 1, .noted = OUR_OWN},
    {"zstd", LEVELS, .min = 1, .max = 1, .flag = true, .help = "Compress responses with zstd."},
    {"zstd_types", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "As gzip_types."},
    {"zstd_comp_level", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "1 to 19."},
    {"zstd_min_length", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "As gzip_min_length."},
    {"zstd_buffers", NGINX_EVERYWHERE, .min = 2, .max = 2, .noted = OUR_OWN},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* One coding: its directives, its name in the model, and what holds where nobody says. */
struct coding {
    const char *on, *types, *level, *min_length;
    const char *name, *level_key;
    int64_t level_min, level_max, level_default;
};
/* As the response passes the chain: from the last to the first. */
static const struct coding codings[] = {
    {"gzip", "gzip_types", "gzip_comp_level", "gzip_min_length", "gzip", "gzipLevel", 1, 9, 1},
    {"brotli", "brotli_types", "brotli_comp_level", "brotli_min_length", "br", "brotliLevel", 0, 11, 6},
    {"zstd", "zstd_types", "zstd_comp_level", "zstd_min_length", "zstd", "zstdLevel", 1, 19, 3},
};

static void add_words(struct nginx_compile *compile, struct node *options, const char *key, const struct nginx_directive *directive,
                      struct str before)
{
    struct node *list = nginx_put_list(compile, options, key, directive != NULL ? directive->span : options->span);
    if (before.len != 0)
        nginx_add_text(compile, list, before, options->span);
    for (size_t i = 0; directive != NULL && i < directive->count; i++)
        if (!str_equal(directive->words[i].text, before))
            nginx_add_text(compile, list, directive->words[i].text, directive->words[i].span);
}

static void put_level(struct nginx_place *place, struct node *options, const struct coding *coding)
{
    const struct nginx_directive *directive = nginx_find(place->scope, coding->level);
    int64_t level = coding->level_default;
    if (directive != NULL && (!str_to_i64(directive->words[0].text, &level) || level < coding->level_min || level > coding->level_max)) {
        diag_error(place->compile->diag, directive->words[0].span, "value must be between %lld and %lld", (long long)coding->level_min,
                   (long long)coding->level_max);
        return;
    }
    nginx_put_number(place->compile, options, coding->level_key, level, directive != NULL ? directive->span : options->span);
}

/* What the directives without a prefix of their own say holds for all codings. */
static void put_clients(struct nginx_place *place, struct node *options)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *proxied = nginx_find(place->scope, "gzip_proxied");
    const struct nginx_directive *disable = nginx_find(place->scope, "gzip_disable");
    const struct nginx_directive *version = nginx_find(place->scope, "gzip_http_version");
    add_words(compile, options, "proxied", proxied, proxied == NULL ? S("off") : STR_NONE);
    if (disable != NULL)
        add_words(compile, options, "disable", disable, STR_NONE);
    if (version == NULL)
        nginx_put(compile, options, "httpVersion", S("1.1"), options->span);
    else if (str_equal(version->words[0].text, S("1.0")) || str_equal(version->words[0].text, S("1.1")))
        nginx_put(compile, options, "httpVersion", version->words[0].text, version->words[0].span);
    else
        nginx_invalid(compile, version, &version->words[0]);
    nginx_put_flag(compile, options, "vary", nginx_flag(place->scope, "gzip_vary", false), options->span);
}

static void add_coding(struct nginx_place *place, const struct coding *coding)
{
    struct nginx_compile *compile = place->compile;
    struct span span = nginx_find(place->scope, coding->on)->span;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_COMPRESS, "compress", span);
    struct node *encodings = nginx_put_list(compile, options, "encodings", span);
    nginx_add_text(compile, encodings, str_from(coding->name), span);
    add_words(compile, options, "includedContentTypes", nginx_find(place->scope, coding->types), S("text/html"));
    nginx_put_number(compile, options, "minResponseBodyBytes", nginx_find_size(place, coding->min_length, 20), span);
    put_level(place, options, coding);
    put_clients(place, options);
    struct node *statuses = nginx_put_list(compile, options, "onStatus", span);
    nginx_add_text(compile, statuses, S("200"), span);
    nginx_add_text(compile, statuses, S("403"), span);
    nginx_add_text(compile, statuses, S("404"), span);
    nginx_put_flag(compile, options, "waitForLength", false, span);
}

static void place_codings(struct nginx_place *place)
{
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
        if (nginx_flag(place->scope, codings[i].on, false))
            add_coding(place, &codings[i]);
}

static const struct nginx_part part = {.name = "gzip", .place = place_codings};
REGISTER(nginx_part, part);
