/* Which TLS options hold for a name on an entrypoint. */
#include "exchange/graph.h"

#define NAME_MAX_BYTES 255

static const struct tls_policy *host_policy(const struct entry_tls *tls, struct str name)
{
    const struct tls_policy *policy = map_get(&tls->policies, name);
    ptrdiff_t dot = str_find_char(name, '.', 0);
    if (policy == NULL && dot >= 0) {
        char wildcard[NAME_MAX_BYTES + 1];
        struct str rest = str_from_index(name, (size_t)dot);
        wildcard[0] = '*';
        memcpy(wildcard + 1, rest.data, rest.len);
        policy = map_get(&tls->policies, str_of(wildcard, rest.len + 1));
    }
    return policy;
}

const struct site *entry_site(const struct entry_tls *tls, struct str name)
{
    struct captures captures;
    const struct perl_regex *regex;
    return tls->sites != NULL && tls->sites->fallback != NULL ? site_names_find(tls->sites, name, &captures, &regex) : NULL;
}

const struct tls_policy *entry_policy(const struct entry_tls *tls, struct str name)
{
    const struct tls_policy *policy = NULL;
    if (tls->policies.live != 0 && name.len != 0 && name.len <= NAME_MAX_BYTES)
        policy = host_policy(tls, name);
    if (policy != NULL || tls->sites == NULL)
        return policy != NULL ? policy : tls->policy;
    const struct site *site = entry_site(tls, name);
    return site != NULL && site->policy != NULL ? site->policy : tls->policy;
}
