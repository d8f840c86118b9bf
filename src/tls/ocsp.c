#include "tls/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>
#include <time.h>

#include "base/base64.h"

#define CLOCK_SKEW 300              /* seconds that a responder's clock may be ahead */

struct str ocsp_responder(X509 *certificate, struct arena *arena)
{
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate);
    struct str url = urls != NULL && sk_OPENSSL_STRING_num(urls) > 0 ? arena_str(arena, str_from(sk_OPENSSL_STRING_value(urls, 0))) : STR_NONE;
    X509_email_free(urls);
    return url;
}

/* The question as DER, in the arena. */
static struct str question_of(const struct ocsp_subject *subject, struct arena *arena)
{
    unsigned char *der = NULL;
    struct str bytes = STR_NONE;
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = request != NULL ? OCSP_cert_to_id(NULL, subject->certificate, subject->issuer) : NULL;
    if (id != NULL && OCSP_request_add0_id(request, id) == NULL) {
        OCSP_CERTID_free(id);
    } else if (id != NULL) {
        int len = i2d_OCSP_REQUEST(request, &der);
        bytes = len > 0 ? arena_str(arena, str_of((const char *)der, (size_t)len)) : STR_NONE;
    }
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    ERR_clear_error();
    return bytes;
}

/* Base64 in a path: three of its characters mean something else there. */
static struct str encode(struct str text, struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEF";
    char *start = arena_alloc(arena, 3 * text.len + 1), *out = start;
    for (size_t i = 0; start != NULL && i < text.len; i++) {
        char c = text.data[i];
        if (c != '+' && c != '/' && c != '=') {
            *out++ = c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return start != NULL ? str_of(start, (size_t)(out - start)) : STR_NONE;
}

struct str ocsp_url(struct str responder, const struct ocsp_subject *subject, struct arena *arena)
{
    struct str question = question_of(subject, arena);
    char *text = question.len != 0 ? arena_alloc(arena, BASE64_ENCODED_SIZE(question.len) + 1) : NULL;
    if (text == NULL)
        return STR_NONE;
    struct str path = encode(str_of(text, base64_encode(BASE64_STANDARD, question, text)), arena);
    return arena_printf(arena, "%.*s%s%.*s", STR_ARGS(responder), str_ends(responder, S("/")) ? "" : "/", STR_ARGS(path));
}

static X509 *trusted_issuer(X509 *certificate, X509_STORE *trusted)
{
    X509 *issuer = NULL;
    X509_STORE_CTX *context = trusted != NULL ? X509_STORE_CTX_new() : NULL;
    if (context != NULL && X509_STORE_CTX_init(context, trusted, NULL, NULL) == 1 &&
        X509_STORE_CTX_get1_issuer(&issuer, context, certificate) != 1)
        issuer = NULL;
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return issuer;
}

X509 *ocsp_issuer(X509 *certificate, STACK_OF(X509) *chain, X509_STORE *trusted)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *one = sk_X509_value(chain, i);
        if (X509_check_issued(one, certificate) == X509_V_OK && X509_up_ref(one) == 1)
            return one;
    }
    return trusted_issuer(certificate, trusted);
}

static int64_t unix_time(const ASN1_GENERALIZEDTIME *time)
{
    struct tm parts;
    return time != NULL && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : INT64_MAX;
}

static enum ocsp_verdict judge(OCSP_BASICRESP *basic, const struct ocsp_subject *subject, int64_t *ret_valid_until, const char **ret_why)
{
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    if (OCSP_basic_verify(basic, subject->chain, subject->trusted, subject->verify ? OCSP_TRUSTOTHER : OCSP_NOVERIFY) != 1) {
        *ret_why = "its signature does not verify";
        return OCSP_NO_ANSWER;
    }
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, subject->certificate, subject->issuer);
    int found = id != NULL ? OCSP_resp_find_status(basic, id, &status, NULL, NULL, &this_update, &next_update) : 0;
    OCSP_CERTID_free(id);
    if (found != 1)
        *ret_why = "it says nothing about the certificate";
    else if (OCSP_check_validity(this_update, next_update, CLOCK_SKEW, -1) != 1)
        *ret_why = "it is out of date";
    if (*ret_why != NULL)
        return OCSP_NO_ANSWER;
    *ret_valid_until = unix_time(next_update);
    return status == V_OCSP_CERTSTATUS_GOOD ? OCSP_GOOD : status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_REVOKED : OCSP_UNKNOWN;
}

enum ocsp_verdict ocsp_read(struct str answer, const struct ocsp_subject *subject, int64_t *ret_valid_until, const char **ret_why)
{
    const unsigned char *der = (const unsigned char *)answer.data;
    enum ocsp_verdict verdict = OCSP_NO_ANSWER;
    *ret_why = NULL;
    *ret_valid_until = 0;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, (long)answer.len);
    OCSP_BASICRESP *basic = NULL;
    if (response == NULL)
        *ret_why = "it cannot be read";
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        *ret_why = "the responder was not able to answer";
    else if ((basic = OCSP_response_get1_basic(response)) == NULL)
        *ret_why = "it is of an unknown kind";
    else
        verdict = judge(basic, subject, ret_valid_until, ret_why);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return verdict;
}
