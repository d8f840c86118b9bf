#include "upstream/tls_identity.h"

/* The length first, so that no two lists of texts run into each other. */
static uint64_t mix(uint64_t hash, struct str text)
{
    uint64_t words[3] = {hash, text.len, str_hash(text)};
    return str_hash(str_of((const char *)words, sizeof(words)));
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    return mix(hash, str_of((const char *)&number, sizeof(number)));
}

static uint64_t mix_list(uint64_t hash, const struct strs *texts)
{
    hash = mix_number(hash, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        hash = mix(hash, texts->items[i]);
    return hash;
}

/* Name and content: what cannot be read is refused by whoever compiles it. */
static uint64_t mix_pem(uint64_t hash, struct str file_or_text, struct arena *arena)
{
    struct str pem;
    hash = mix(hash, file_or_text);
    return tls_read_pem(file_or_text, arena, &pem) ? mix(hash, pem) : hash;
}

uint64_t tls_identity(const struct tls_client_options *options, bool h2, struct arena *arena)
{
    uint64_t hash = mix(0, options->server_name);
    hash = mix_number(hash, (uint64_t)options->insecure_skip_verify << 1 | h2);
    hash = mix_number(hash, (uint64_t)options->min_version << 32 | (uint64_t)options->max_version);
    hash = mix_number(hash, (uint64_t)options->depth << 3 | (uint64_t)options->no_sni << 2 | (uint64_t)options->no_resumption << 1 | options->no_alpn);
    hash = mix(hash, options->cipher_list);
    hash = mix_list(hash, &options->commands);
    hash = mix_list(hash, &options->cipher_suites);
    hash = mix_list(hash, &options->peer_cert_sans);
    for (size_t i = 0; i < options->root_cas.count; i++)
        hash = mix_pem(hash, options->root_cas.items[i], arena);
    for (size_t i = 0; i < options->crl_files.count; i++)
        hash = mix_pem(hash, options->crl_files.items[i], arena);
    hash = mix_number(hash, options->certificates.count);
    for (size_t i = 0; i < options->certificates.count; i++) {
        const struct tls_pair *pair = options->certificates.items[i].value;
        if (options->certificates.items[i].broken)
            continue;
        hash = mix_pem(hash, pair->cert_file, arena);
        hash = mix_pem(hash, pair->key_file, arena);
    }
    return hash != 0 ? hash : 1;
}
