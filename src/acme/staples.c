#include "acme/staples.h"

#include <stdlib.h>

#include "acme/http.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "tls/stapling.h"

#define ANSWER_MAX 65535
#define LIMIT (60 * TIME_S)

static struct {
    struct loop *loop;
    struct acme_http *http;         /* made when it is first needed */
} self;

static void tell(const struct staple *staple, enum log_level level, const char *why, const char *more)
{
    char name[256] = "";
    X509_NAME_oneline(X509_get_subject_name(staple->subject.certificate), name, sizeof(name));
    log_at(level, "no OCSP response for the certificate of \"%s\": %s%s%s", name, why, more != NULL ? ": " : "", more != NULL ? more : "");
}

static void fail(struct staple *staple, enum log_level level, const char *why, const char *more)
{
    tell(staple, level, why, more);
    staple_done(staple, STR_NONE, 0);
}

static void on_answer(void *owner, const struct acme_answer *answer)
{
    struct staple *staple = owner;
    const char *why = NULL;
    int64_t valid_until;
    if (answer->error != NULL || answer->status != 200) {
        fail(staple, LOG_ERROR, answer->error != NULL ? answer->error : "the responder gave another status than 200", NULL);
        return;
    }
    switch (ocsp_read(answer->body, &staple->subject, &valid_until, &why)) {
    case OCSP_GOOD:
        staple_done(staple, answer->body, valid_until);
        return;
    case OCSP_REVOKED:
        fail(staple, LOG_ERROR, "the responder says that it was revoked", NULL);
        return;
    case OCSP_UNKNOWN:
        fail(staple, LOG_ERROR, "the responder does not know it", NULL);
        return;
    case OCSP_NO_ANSWER:
        break;
    }
    fail(staple, LOG_ERROR, "the answer is of no use", why);
}

static bool make_http(struct arena *arena)
{
    struct str why;
    if (self.http == NULL)
        self.http = acme_http_new(self.loop, &(struct acme_trust){0}, arena, &why);
    return self.http != NULL;
}

static void fetch(struct staple *staple)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str responder = staple->responder[0] != '\0' ? str_from(staple->responder) : ocsp_responder(staple->subject.certificate, &arena);
    struct str url = staple->subject.issuer != NULL && responder.len != 0 ? ocsp_url(responder, &staple->subject, &arena) : STR_NONE;
    if (staple->subject.issuer == NULL)
        fail(staple, LOG_WARN, "its issuer's certificate is not at hand", NULL);
    else if (responder.len == 0)
        fail(staple, LOG_WARN, "it names no responder", NULL);
    else if (url.len == 0 || !make_http(&arena))
        fail(staple, LOG_ERROR, "the question could not be made", NULL);
    else
        acme_http_request(self.http, &(struct acme_http_ask){.method = "GET", .url = url, .timeout = LIMIT, .max_body = ANSWER_MAX,
                                                             .on_answer = on_answer, .owner = staple});
    arena_release(&arena);
}

void staples_start(struct loop *loop)
{
    self.loop = staple_loop = loop;
    staple_fetch = fetch;
}

void staples_stop(void)
{
    staple_fetch = NULL;
    if (self.http != NULL)
        acme_http_free(self.http);
    self.http = NULL;
}
