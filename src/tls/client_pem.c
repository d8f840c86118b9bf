#include "tls/client_pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "tls/client.h"

bool tls_is_pem_text(struct str file_or_text)
{
    return str_find(file_or_text, S("-----BEGIN ")) >= 0;
}

bool tls_read_pem(struct str file_or_text, struct arena *arena, struct str *ret_pem)
{
    if (tls_is_pem_text(file_or_text)) {
        *ret_pem = file_or_text;
        return true;
    }
    return file_read(arena, arena_str(arena, file_or_text).data, PEM_BYTES_MAX, ret_pem);
}

/* All that can be read; *ret_whole: the text ended behind the last, not within one. */
static STACK_OF(X509) *parse(struct str pem, bool *ret_whole)
{
    STACK_OF(X509) *found = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *next = NULL;
    ERR_clear_error();
    while (found != NULL && bio != NULL && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(found, next) == 0) {
            X509_free(next);
            break;
        }
    }
    unsigned long error = ERR_peek_last_error();
    *ret_whole = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    return found;
}

STACK_OF(X509) *pem_certificates(struct str file_or_text, struct arena *arena, struct span span, struct diag *diag,
                                 struct str *ret_pem)
{
    bool whole = false;
    struct str shown = tls_is_pem_text(file_or_text) ? S("the PEM text") : file_or_text;
    if (!tls_read_pem(file_or_text, arena, ret_pem)) {
        diag_error(diag, span, "%.*s cannot be read: %s", STR_ARGS(shown), strerror(errno));
        return NULL;
    }
    STACK_OF(X509) *found = parse(*ret_pem, &whole);
    if (found != NULL && sk_X509_num(found) > 0 && whole)
        return found;
    if (found != NULL && sk_X509_num(found) > 0)
        diag_error(diag, span, "%.*s holds a certificate that cannot be read, number %d", STR_ARGS(shown),
                   sk_X509_num(found) + 1);
    else
        diag_error(diag, span, "%.*s holds no certificate", STR_ARGS(shown));
    sk_X509_pop_free(found, X509_free);
    return NULL;
}
