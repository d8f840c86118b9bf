#include "acme/challenges.h"

#include <stdlib.h>

#include "acme/challenge_dns.h"
#include "acme/challenge_http.h"
#include "base/memory.h"
#include "tls/vault.h"

/* acme_challenge.owner: what is shown, and the time before the CA is told. */
struct showing {
    struct loop *loop;
    struct acme_challenge *challenge;
    struct timer timer;
    struct challenge_dns *dns;
    struct deferred gone;
};

static void free_showing(struct deferred *deferred)
{
    struct showing *showing = container_of(deferred, struct showing, gone);
    timer_cancel(&showing->timer);
    free(showing);
}

static void on_delay(struct timer *timer)
{
    acme_challenge_presented(container_of(timer, struct showing, timer)->challenge, true, STR_NONE);
}

static void on_record(void *owner, bool shown, struct str why)
{
    struct showing *showing = owner;
    acme_challenge_presented(showing->challenge, shown, why);
}

/* ---- TLS-ALPN-01 ---- */

static bool show_certificate(const struct acme_challenge *challenge)
{
    struct certificate *certificate = make_challenge_certificate(challenge->name, challenge->digest);
    if (certificate == NULL)
        return false;
    vault_set_challenge(challenge->server_name, certificate);
    vault_publish();
    certificate_unref(certificate);
    return true;
}

/* ---- all of them ---- */

static int64_t delay_of(const struct acme_config *config, enum acme_challenge_type type)
{
    if (type == ACME_TLS_ALPN_01)
        return config->tls_challenge != NULL ? config->tls_challenge->delay : 0;
    return config->http_challenge != NULL ? config->http_challenge->delay : 0;
}

void challenges_present(struct loop *loop, const struct acme_config *config, struct acme_challenge *challenge)
{
    struct showing *showing = memory_zalloc(sizeof(*showing));
    *showing = (struct showing){.loop = loop, .challenge = challenge, .gone = {.run = free_showing}};
    timer_init(&showing->timer, on_delay);
    challenge->owner = showing;
    if (challenge->type == ACME_DNS_01) {
        showing->dns = challenge_dns_present(loop, config->dns_challenge, challenge->dns_name, challenge->dns_value, on_record, showing);
        return;
    }
    if (challenge->type == ACME_HTTP_01) {
        challenge_http_set(challenge->token, challenge->key_authorization);
    } else if (!show_certificate(challenge)) {
        acme_challenge_presented(challenge, false, S("the certificate that is to be shown cannot be made"));
        return;
    }
    timer_after(loop, &showing->timer, delay_of(config, challenge->type));
}

void challenges_cleanup(struct acme_challenge *challenge)
{
    struct showing *showing = challenge->owner;
    if (showing == NULL)
        return;
    challenge->owner = NULL;
    timer_cancel(&showing->timer);
    if (challenge->type == ACME_DNS_01) {
        challenge_dns_cleanup(showing->dns);
    } else if (challenge->type == ACME_HTTP_01) {
        challenge_http_clear(challenge->token);
    } else {
        vault_set_challenge(challenge->server_name, NULL);
    }
    loop_defer_free(showing->loop, &showing->gone);
}

size_t challenges_types(const struct acme_config *config, enum acme_challenge_type ret_types[ACME_CHALLENGE_TYPES])
{
    bool none = config->tls_challenge == NULL && config->http_challenge == NULL && config->dns_challenge == NULL;
    size_t count = 0;
    if (config->tls_challenge != NULL || none)
        ret_types[count++] = ACME_TLS_ALPN_01;
    if (config->http_challenge != NULL || none)
        ret_types[count++] = ACME_HTTP_01;
    if (config->dns_challenge != NULL)
        ret_types[count++] = ACME_DNS_01;
    return count;
}
