#include "tls/policy_extras.h"

#include <openssl/decoder.h>
#include <openssl/err.h>

#include "base/time.h"
#include "tls/client.h"
#include "tls/policy_names.h"
#include "tls/tickets.h"

static bool complain(struct diag *diag, struct span span, const char *what, struct str text)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    diag_error(diag, span, "%s \"%.*s\" is not taken by the TLS library: %s", what, STR_ARGS(text), why != NULL ? why : "it gives no reason");
    ERR_clear_error();
    return false;
}

static const char *text_of(struct str text, struct arena *arena)
{
    return arena_printf(arena, "%.*s", STR_ARGS(text)).data;
}

/* A list may lower the level of security itself ("@SECLEVEL=0"); suites of TLS 1.3 have commands of their own. */
bool policy_set_cipher_list(SSL_CTX *context, struct str list, const struct node *origin, struct arena *scratch, struct diag *diag)
{
    if (list.len == 0 || SSL_CTX_set_cipher_list(context, text_of(list, scratch)) == 1)
        return true;
    return complain(diag, node_span(node_get(origin, S("cipherList"))), "the cipher list", list);
}

static bool set_groups(SSL_CTX *context, const struct tls_options *options, struct arena *scratch, struct diag *diag)
{
    struct str list = options->group_list;
    if (list.len == 0 || groups_set(context, text_of(list, scratch)))
        return true;
    return complain(diag, node_span(node_get(options->origin, S("groupList"))), "the list of groups", list);
}

static bool run_command(SSL_CONF_CTX *runner, struct str command, struct arena *scratch)
{
    ptrdiff_t space = str_find_char(command, ' ', 0);
    struct str name = space >= 0 ? str_first(command, (size_t)space) : command;
    struct str value = space >= 0 ? str_trim(str_from_index(command, (size_t)space)) : STR_NONE;
    return SSL_CONF_cmd(runner, text_of(name, scratch), value.len != 0 ? text_of(value, scratch) : NULL) > 0;
}

bool policy_set_commands(SSL_CTX *context, bool server, const struct strs *commands, const struct node *origin, struct arena *scratch,
                         struct diag *diag)
{
    bool good = true;
    SSL_CONF_CTX *runner = commands->count != 0 ? SSL_CONF_CTX_new() : NULL;
    if (runner == NULL)
        return commands->count == 0;
    SSL_CONF_CTX_set_flags(runner, (server ? SSL_CONF_FLAG_SERVER : SSL_CONF_FLAG_CLIENT) | SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
                                       SSL_CONF_FLAG_CERTIFICATE);
    SSL_CONF_CTX_set_ssl_ctx(runner, context);
    for (size_t i = 0; i < commands->count; i++)
        if (!run_command(runner, commands->items[i], scratch))
            good = complain(diag, item_span(origin, S("commands"), i), "the command", commands->items[i]);
    if (good && SSL_CONF_CTX_finish(runner) != 1)
        good = complain(diag, node_span(node_get(origin, S("commands"))), "the end of", S("commands"));
    SSL_CONF_CTX_free(runner);
    return good;
}

static EVP_PKEY *read_parameters(struct str pem)
{
    EVP_PKEY *parameters = NULL;
    const unsigned char *data = (const unsigned char *)pem.data;
    size_t length = pem.len;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&parameters, "PEM", NULL, "DH", OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, NULL, NULL);
    if (decoder != NULL)
        OSSL_DECODER_from_data(decoder, &data, &length);
    OSSL_DECODER_CTX_free(decoder);
    return parameters;
}

static bool set_parameters(SSL_CTX *context, const struct tls_options *options, struct arena *scratch, struct diag *diag)
{
    struct str pem;
    struct span span = node_span(node_get(options->origin, S("dhFile")));
    if (options->dh_file.len == 0)
        return true;
    if (!tls_read_pem(options->dh_file, scratch, &pem)) {
        diag_error(diag, span, "cannot read \"%.*s\": %m", STR_ARGS(options->dh_file));
        return false;
    }
    EVP_PKEY *parameters = read_parameters(pem);
    if (parameters != NULL && SSL_CTX_set0_tmp_dh_pkey(context, parameters) == 1)
        return true;
    EVP_PKEY_free(parameters);
    return complain(diag, span, "the file of parameters", options->dh_file);
}

bool policy_extras_set(SSL_CTX *context, const struct tls_options *options, struct arena *scratch, struct diag *diag)
{
    SSL_CTX_set_timeout(context, options->session_timeout != 0 ? (long)((options->session_timeout + TIME_S - 1) / TIME_S) : (long)TICKETS_LIFE);
    bool good = policy_set_cipher_list(context, options->cipher_list, options->origin, scratch, diag);
    good = set_groups(context, options, scratch, diag) && good;
    good = set_parameters(context, options, scratch, diag) && good;
    return policy_set_commands(context, true, &options->commands, options->origin, scratch, diag) && good;
}
