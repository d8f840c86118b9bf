/* resolver and resolver_timeout: who is asked for names. The option `resolver` of services, wherever one leads to names. */
#include "config/nginx/upstream.h"

#define ONE(directive) {directive, NGINX_EVERYWHERE | NGINX_UPSTREAM, .min = 1, .max = 1}

static const struct nginx_syntax rows[] = {
    {"resolver", NGINX_EVERYWHERE | NGINX_UPSTREAM, .min = 1, .max = NGINX_MANY,
     .help = "The DNS servers for names of a proxy_pass with variables, and of servers with \"resolve\"."},
    ONE("resolver_timeout"),
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

#define TIMEOUT_MS 30000

static void put_family(struct nginx_compile *compile, struct node *resolver, const struct nginx_directive *directive,
                       const struct nginx_word *word, const char *key)
{
    struct str value = str_from_index(word->text, 5);
    if (str_equal(value, S("off")))
        nginx_put_flag(compile, resolver, key, false, word->span);
    else if (!str_equal(value, S("on")))
        nginx_invalid(compile, directive, word);
}

static void put_valid(struct nginx_compile *compile, struct node *resolver, const struct nginx_directive *directive,
                      const struct nginx_word *word)
{
    int64_t ms;
    if (nginx_time(str_from_index(word->text, 6), &ms))
        nginx_put_time(compile, resolver, "valid", ms, word->span);
    else
        nginx_invalid(compile, directive, word);
}

static void put_word(struct nginx_compile *compile, struct node *resolver, struct node *servers, const struct nginx_directive *directive,
                     const struct nginx_word *word)
{
    if (str_starts(word->text, S("valid=")))
        put_valid(compile, resolver, directive, word);
    else if (str_starts(word->text, S("ipv4=")))
        put_family(compile, resolver, directive, word, "ipv4");
    else if (str_starts(word->text, S("ipv6=")))
        put_family(compile, resolver, directive, word, "ipv6");
    else if (str_starts(word->text, S("status_zone=")))
        diag_note(compile->diag, word->span, "look-ups are not counted by zones");
    else if (str_find_char(word->text, '=', 0) < 0)
        nginx_add_text(compile, servers, word->text, word->span);
    else
        nginx_invalid(compile, directive, word);
}

static bool is_off(const struct node *resolver, const char *key)
{
    return node_get(resolver, str_from(key)) != NULL;
}

struct node *nginx_put_resolver(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive,
                                const struct nginx_directive *timeout)
{
    struct node *resolver = nginx_put_map(compile, options, "resolver", directive->span);
    struct node *servers = nginx_put_list(compile, resolver, "servers", directive->span);
    int64_t ms = TIMEOUT_MS;
    for (size_t i = 0; i < directive->count; i++)
        put_word(compile, resolver, servers, directive, &directive->words[i]);
    if (servers->count == 0)
        diag_error(compile->diag, directive->span, "no name servers defined");
    if (is_off(resolver, "ipv4") && is_off(resolver, "ipv6"))
        diag_error(compile->diag, directive->span, "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    if (timeout != NULL && !nginx_time(timeout->words[0].text, &ms))
        nginx_invalid(compile, timeout, &timeout->words[0]);
    nginx_put_time(compile, resolver, "timeout", ms > 0 ? ms : 1, timeout != NULL ? timeout->span : directive->span);
    return resolver;
}
