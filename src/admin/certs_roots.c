/* The roots of local CAs as rows; reads their files. */
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

#include "acme/local_ca.h"
#include "admin/certs_list.h"

static int64_t unix_seconds(const ASN1_TIME *moment)
{
    struct tm tm;
    return ASN1_TIME_to_tm(moment, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static struct str common_name(const X509_NAME *name, struct arena *arena)
{
    char text[128];
    int length = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
    return length > 0 ? arena_str(arena, str_of(text, (size_t)length)) : STR_NONE;
}

static void add_root(struct cert_rows *rows, struct str configured, struct arena *arena)
{
    struct str path = arena_printf(arena, "%.*s/root.crt", STR_ARGS(local_ca_directory(configured, arena)));
    FILE *file = fopen(path.data, "re");
    X509 *root = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL)
        fclose(file);
    if (root == NULL)
        return;
    struct str *name = arena_new(arena, struct str);
    *name = common_name(X509_get_subject_name(root), arena);
    rows->items[rows->count++] = (struct cert_row){.names = {name, 1},
                                                   .issuer = arena_printf(arena, "CN=%.*s", STR_ARGS(*name)),
                                                   .not_before = unix_seconds(X509_get0_notBefore(root)),
                                                   .not_after = unix_seconds(X509_get0_notAfter(root)),
                                                   .source = arena_printf(arena, "file %.*s", STR_ARGS(path)),
                                                   .state = "root"};
    X509_free(root);
}

struct cert_rows certs_find_roots(const struct model *model, struct arena *arena)
{
    const struct objects *resolvers = &model->config.certificates_resolvers;
    struct cert_rows rows = {.items = arena_array(arena, struct cert_row, resolvers->count + 1)};
    if (model->config.automatic_https != NULL && model->config.automatic_https->local)
        add_root(&rows, STR_NONE, arena);
    for (size_t i = 0; i < resolvers->count; i++) {
        const struct resolver_config *resolver = resolvers->items[i].value;
        if (resolver->local_ca != NULL)
            add_root(&rows, resolver->local_ca->directory, arena);
    }
    return rows;
}
