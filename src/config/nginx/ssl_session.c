/* ssl_session_*: which sessions may be resumed, and what is kept of them. */
#include "config/nginx/ssl.h"
#include "config/nginx/zone.h"

#define SERVERS (NGINX_HTTP | NGINX_SERVER)
#define SESSION_BYTES 256           /* what one takes, without a client's certificate */
#define BUILTIN_SESSIONS 20480      /* that `builtin` alone means */
#define ZONE_MIN (8 * 4096)

static const struct nginx_syntax rows[] = {
    {"ssl_session_tickets", SERVERS, .flag = true, .min = 1, .max = 1, .help = "Sessions are resumed by tickets."},
    {"ssl_session_timeout", SERVERS, .min = 1, .max = 1, .help = "How long a session may be resumed."},
    {"ssl_session_cache", SERVERS, .min = 1, .max = 2, .help = "Sessions are kept for clients without tickets."},
    {"ssl_session_ticket_key", SERVERS, .min = 1, .max = 1, .repeats = true, .help = "Keys of tickets."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

struct cache {
    struct str name;                /* empty: no other server shares it */
    int64_t bytes;                  /* 0: there is none */
    const struct nginx_word *word;
};

/* A zone is one wherever it is named, so it has one size. */
static void check_zone(struct nginx_compile *compile, const struct nginx_directive *directive, const struct cache *cache)
{
    struct str key = arena_printf(compile->arena, "ssl_session_cache:%.*s", STR_ARGS(cache->name));
    const struct nginx_zone *known = map_get(&compile->zones, key);
    if (known != NULL && known->size != cache->bytes)
        diag_error(compile->diag, cache->word->span, "the size %lld of shared memory zone \"%.*s\" conflicts with already declared size %lld",
                   (long long)cache->bytes, STR_ARGS(cache->name), (long long)known->size);
    if (known != NULL)
        return;
    struct nginx_zone *zone = arena_new(compile->arena, struct nginx_zone);
    *zone = (struct nginx_zone){.directive = directive, .name = cache->name, .size = cache->bytes, .key = cache->word};
    map_put(&compile->zones, key, zone);
}

/* "shared:NAME:SIZE" and "builtin[:SESSIONS]"; what is shared counts more. False: it is neither. */
static bool read_word(struct nginx_compile *compile, const struct nginx_word *word, struct cache *cache)
{
    uint64_t sessions = BUILTIN_SESSIONS;
    if (str_starts(word->text, S("shared:"))) {
        struct str rest = str_from_index(word->text, 7);
        ptrdiff_t colon = str_find_char(rest, ':', 0);
        if (colon <= 0 || !nginx_size(str_from_index(rest, (size_t)colon + 1), &cache->bytes))
            return false;
        cache->name = str_first(rest, (size_t)colon);
        cache->word = word;
        if (cache->bytes < ZONE_MIN)
            diag_error(compile->diag, word->span, "session cache \"%.*s\" is too small", STR_ARGS(word->text));
        return true;
    }
    if (!str_equal(word->text, S("builtin")) &&
        (!str_starts(word->text, S("builtin:")) || !str_to_u64(str_from_index(word->text, 8), &sessions) || sessions > INT32_MAX))
        return false;
    if (cache->bytes == 0)
        cache->bytes = (int64_t)sessions * SESSION_BYTES;
    cache->word = cache->name.len == 0 ? word : cache->word;
    return true;
}

static void put_cache(struct nginx_server *server, struct node *options)
{
    struct nginx_compile *compile = server->compile;
    const struct nginx_directive *directive = nginx_find(server->scope, "ssl_session_cache");
    struct cache cache = {0};
    for (size_t i = 0; directive != NULL && i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];
        bool nothing = str_equal(word->text, S("off")) || str_equal(word->text, S("none"));
        if (!nothing && !read_word(compile, word, &cache)) {
            diag_error(compile->diag, word->span, "invalid session cache \"%.*s\"", STR_ARGS(word->text));
            return;
        }
    }
    if (cache.bytes == 0)
        return;
    struct node *map = nginx_put_map(compile, options, "sessionCache", directive->span);
    if (cache.name.len != 0) {
        check_zone(compile, directive, &cache);
        nginx_put(compile, map, "name", cache.name, cache.word->span);
    }
    nginx_put_number(compile, map, "size", cache.bytes < 4096 ? 4096 : cache.bytes, cache.word->span);
}

void nginx_put_sessions(struct nginx_server *server, struct node *options)
{
    struct nginx_compile *compile = server->compile;
    struct nginx_place place = {.compile = compile, .scope = server->scope};
    if (!nginx_flag(server->scope, "ssl_session_tickets", true))
        nginx_put_flag(compile, options, "disableSessionTickets", true, server->block->span);
    nginx_put_time(compile, options, "sessionTimeout", nginx_find_time(&place, "ssl_session_timeout", 300000), server->block->span);
    put_cache(server, options);
    for (const struct nginx_directive *it = nginx_all(server->scope, "ssl_session_ticket_key"); it != NULL; it = nginx_same(it))
        nginx_add_text(compile, nginx_put_list(compile, options, "sessionTicketKeyFiles", it->span),
                       nginx_conf_path(compile, it->words[0].text), it->words[0].span);
}
