#include "exchange/admission.h"

#include "exchange/graph.h"
#include "tls/conn.h"

enum status admission_judge(const struct exchange *x, const struct site *site)
{
    const struct tls_conn *conn = x->stream.client->secure;
    const struct tls_policy *policy = site->policy;
    if (conn != NULL && policy != NULL && !policy->h2 && x->stream.request.version == HTTP_2)
        return STATUS_MISDIRECTED;
    if (conn == NULL || policy == NULL || policy->client_auth == CLIENT_AUTH_NONE)
        return STATUS_OK;
    if (!str_equal(policy->name, tls_policy_name(conn)))
        return STATUS_MISDIRECTED;
    if (!policy->judged_later)
        return STATUS_OK;
    bool shown = tls_peer_certificate(conn) != NULL;
    if (shown && !policy_accepts(policy, tls_verify_result(conn)))
        return STATUS_CLIENT_CERTIFICATE_BAD;
    return shown || policy->client_auth != CLIENT_AUTH_REQUIRE ? STATUS_OK : STATUS_CLIENT_CERTIFICATE_MISSING;
}
