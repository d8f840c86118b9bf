/* Whether a client is one to compress for. What proxies on its way may make of it follows nginx's gzip_proxied: they keep what
 * they got for others, who may not accept the coding. */
#include "http/browser.h"
#include "http/date.h"
#include "http/token.h"
#include "middleware/compress.h"

static const struct {
    struct str word;
    unsigned bit;
} words[] = {
    {STR("off"), PROXIED_OFF},           {STR("any"), PROXIED_ANY},
    {STR("expired"), PROXIED_EXPIRED},   {STR("no-cache"), PROXIED_NO_CACHE},
    {STR("no-store"), PROXIED_NO_STORE}, {STR("private"), PROXIED_PRIVATE},
    {STR("auth"), PROXIED_AUTH},         {STR("no_last_modified"), PROXIED_NO_LAST_MODIFIED},
    {STR("no_etag"), PROXIED_NO_ETAG},
};

unsigned compress_proxied_word(struct str word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal(words[i].word, word))
            return words[i].bit;
    return 0;
}

/* By Expires alone: stale already, so no proxy keeps it. */
static bool is_expired(const struct response *response, struct str expires, int64_t now)
{
    int64_t until, date = now;
    if (!http_date_parse(expires, &until))
        return false;
    if (fields_has(&response->fields, FIELD_DATE) && !http_date_parse(fields_value(&response->fields, FIELD_DATE), &date))
        return false;
    return until < date;
}

static bool has_control(const struct response *response, struct str word)
{
    FIELDS_FOREACH(&response->fields, field)
        if (field->id == FIELD_CACHE_CONTROL && token_list_has(field->value, word))
            return true;
    return false;
}

static bool suits_proxies(unsigned proxied, const struct request *request, const struct response *response, int64_t now)
{
    if ((proxied & PROXIED_OFF) != 0)
        return false;
    if ((proxied & PROXIED_ANY) != 0)
        return true;
    if ((proxied & PROXIED_AUTH) != 0 && fields_find(&request->fields, FIELD_AUTHORIZATION) != NULL)
        return true;
    struct str expires = fields_value_name(&response->fields, S("Expires"));
    if (expires.data != NULL)
        return (proxied & PROXIED_EXPIRED) != 0 && is_expired(response, expires, now);
    if (fields_find(&response->fields, FIELD_CACHE_CONTROL) != NULL)
        return ((proxied & PROXIED_NO_CACHE) != 0 && has_control(response, S("no-cache"))) ||
               ((proxied & PROXIED_NO_STORE) != 0 && has_control(response, S("no-store"))) ||
               ((proxied & PROXIED_PRIVATE) != 0 && has_control(response, S("private")));
    if ((proxied & PROXIED_NO_LAST_MODIFIED) != 0 && fields_find(&response->fields, FIELD_LAST_MODIFIED) != NULL)
        return false;
    return (proxied & PROXIED_NO_ETAG) == 0 || fields_find(&response->fields, FIELD_ETAG) == NULL;
}

static bool is_disabled(const struct compress_choice *choice, const struct request *request)
{
    struct str agent = fields_value(&request->fields, FIELD_USER_AGENT);
    if (agent.len == 0)
        return false;
    if (choice->not_msie6 && browser_is_msie6(agent))
        return true;
    for (size_t i = 0; i < choice->agent_count; i++)
        if (perl_regex_match(choice->agents[i], agent, NULL))
            return true;
    return false;
}

bool compress_suits_client(const struct compress_choice *choice, const struct request *request,
                           const struct response *response, int64_t now)
{
    if (request->version < choice->version)
        return false;
    if (fields_has(&request->fields, FIELD_VIA) && !suits_proxies(choice->proxied, request, response, now))
        return false;
    return (!choice->not_msie6 && choice->agent_count == 0) || !is_disabled(choice, request);
}
