#include "tls/client_pem.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "tls/client.h"
#include "tls/pem.h"

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

STACK_OF(X509) *client_pem_read(struct str file_or_text, struct arena *arena, struct span span, struct diag *diag,
                                struct str *ret_pem)
{
    struct pem_parts parts;
    struct str shown = tls_is_pem_text(file_or_text) ? S("the PEM text") : file_or_text;
    if (!tls_read_pem(file_or_text, arena, ret_pem)) {
        diag_error(diag, span, "%.*s cannot be read: %s", STR_ARGS(shown), strerror(errno));
        return NULL;
    }
    pem_parts_init(&parts);
    pem_parts_read(&parts, *ret_pem);
    STACK_OF(X509) *found = NULL;
    if (parts.why != NULL) {
        diag_error(diag, span, "%.*s %s", STR_ARGS(shown), parts.why);
    } else if (sk_X509_num(parts.certificates) <= 0) {
        diag_error(diag, span, "%.*s holds no certificate", STR_ARGS(shown));
    } else {
        found = parts.certificates;
        parts.certificates = NULL;
    }
    pem_parts_release(&parts);
    return found;
}
