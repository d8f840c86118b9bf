/* What would keep resolvers from working, told before a configuration is taken. Changes nothing on disk. */
#include <errno.h>
#include <unistd.h>

#include "acme/challenge_dns.h"
#include "acme/managed.h"
#include "base/base64.h"

/* A root whose capabilities were dropped cannot read what the user has that it goes on as; that user can, and looks again. */
static bool is_the_users(const struct model *model, struct str path, struct arena *arena)
{
    return geteuid() == 0 && !str_empty(model->config.user) && access(arena_str(arena, path).data, R_OK) != 0 && errno == EACCES;
}

static void check_storage(const struct model *model, const struct acme_config *config, struct str resolver, const struct node *place,
                          struct diag *diag)
{
    struct storage *storage = storage_new(config->storage, resolver);
    struct text why;
    text_init(&why, 4096);
    if (str_empty(config->storage))
        diag_error(diag, node_span(place), "the storage is empty: name a file or a directory");
    else if (!is_the_users(model, config->storage, diag->arena) && !storage_read(storage, &why))
        diag_error(diag, node_span(place), "%s", text_c(&why));
    text_release(&why);
    storage_free(storage);
}

static void check_eab(const struct acme_eab *eab, struct diag *diag)
{
    struct arena arena;
    size_t len;
    if (eab == NULL)
        return;
    arena_init(&arena, ARENA_UNLIMITED);
    char *bytes = arena_alloc(&arena, BASE64_DECODED_SIZE(eab->hmac_encoded.len));
    bool good = !str_empty(eab->hmac_encoded) && (base64_decode(BASE64_URL, eab->hmac_encoded, bytes, &len) ||
                                                  base64_decode(BASE64_STANDARD, eab->hmac_encoded, bytes, &len));
    if (!good)
        diag_error(diag, node_span(node_get(eab->origin, S("hmacEncoded"))), "the key of the external account is not base64url");
    arena_release(&arena);
}

static void check_dns(const struct acme_dns_challenge *dns, struct diag *diag)
{
    if (dns != NULL && str_empty(str_trim(challenge_dns_command(dns))))
        diag_error(diag, node_span(dns->origin), "dnsChallenge needs a 'command' (or $EXEC_PATH) that writes the record");
}

/* A directory is one resolver's: its account.json has one account. */
static void check_alone(const struct objects *resolvers, size_t at, struct diag *diag)
{
    const struct resolver_config *own = resolvers->items[at].value;
    struct storage *storage = storage_new(own->acme->storage, S("x"));
    bool directory = storage_is_directory(storage);
    storage_free(storage);
    for (size_t i = 0; directory && i < at; i++) {
        const struct resolver_config *other = resolvers->items[i].value;
        if (other->acme != NULL && str_equal(other->acme->storage, own->acme->storage))
            diag_error(diag, node_span(node_get(own->acme->origin, S("storage"))),
                       "the directory is that of resolver '%.*s' already: each needs its own (a file can be shared)",
                       STR_ARGS(resolvers->items[i].name));
    }
}

bool acme_check(const struct model *model, struct diag *diag)
{
    const struct objects *resolvers = &model->config.certificates_resolvers;
    size_t errors = diag->errors;
    struct arena arena;
    for (size_t i = 0; i < resolvers->count; i++) {
        const struct resolver_config *resolver = resolvers->items[i].value;
        const struct acme_config *acme = resolver->acme;
        if (acme == NULL)
            continue;
        diag_enter(diag, node_span(resolver->origin), "in certificatesResolver '%.*s'", STR_ARGS(resolvers->items[i].name));
        check_storage(model, acme, resolvers->items[i].name, node_get(acme->origin, S("storage")) != NULL
                          ? node_get(acme->origin, S("storage")) : acme->origin, diag);
        check_alone(resolvers, i, diag);
        check_eab(acme->eab, diag);
        check_eab(acme->fallback != NULL ? acme->fallback->eab : NULL, diag);
        check_dns(acme->dns_challenge, diag);
        diag_leave(diag);
    }
    arena_init(&arena, ARENA_UNLIMITED);
    if (model->config.automatic_https != NULL)
        check_storage(model, manage_automatic_config(model, &arena), (struct str)RESOLVER_AUTOMATIC,
                      model->config.automatic_https->origin, diag);
    arena_release(&arena);
    return diag->errors == errors;
}
