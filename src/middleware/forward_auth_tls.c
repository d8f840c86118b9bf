/* How the authentication service is reached by https: options of its own over the default transport's. */
#include "middleware/forward_auth.h"
#include "model/tls.h"
#include "upstream/tls_identity.h"

static const struct option options[] = {
    OPTION(STR, struct forward_auth_tls, ca,
           .help = "The authority of the service's certificate, a PEM file or text; none: the system's."),
    OPTION_NAMED(STR, struct forward_auth_tls, ca, "caOptional", .removed = "a server's certificate is always verified"),
    OPTION(STR, struct forward_auth_tls, cert, .help = "The certificate that is shown to it, a PEM file or text."),
    OPTION(STR, struct forward_auth_tls, key, .help = "Its key."),
    OPTION_NAMED(BOOL, struct forward_auth_tls, insecure_skip_verify, "insecureSkipVerify",
                 .help = "Take any certificate. Only where the network is trusted."),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct forward_auth_tls *tls = value;
    if ((tls->cert.len != 0) != (tls->key.len != 0))
        diag_error(diag, node_span(node), "'cert' and 'key' go together");
}

const struct option_table forward_auth_tls_table = OPTION_TABLE(
    struct forward_auth_tls, options, .validate = validate, .summary = "TLS towards the authentication service.");

bool forward_auth_secure(struct forward_auth_state *state, const struct forward_auth_tls *tls, struct compile *compile)
{
    struct tls_pair pair = {.origin = tls->origin, .cert_file = tls->cert, .key_file = tls->key};
    struct object_item shown = {.value = &pair};
    struct str ca = tls->ca;
    struct tls_client_options wanted = {.origin = tls->origin,
                                        .insecure_skip_verify = tls->insecure_skip_verify,
                                        .root_cas = {.items = &ca, .count = ca.len != 0},
                                        .certificates = {.items = &shown, .count = pair.cert_file.len != 0},
                                        .min_version = TLS1_2_VERSION,
                                        .max_version = TLS1_3_VERSION};
    diag_enter(compile->diag, node_span(tls->origin), "in the 'tls' of forwardAuth");
    state->tls = tls_client_new(&wanted, compile->arena, compile->diag);
    diag_leave(compile->diag);
    if (state->tls == NULL)
        return false;
    struct transport *own = arena_new(compile->arena, struct transport);
    *own = *state->transport;
    own->tls = state->tls;
    own->tls_identity = tls_identity(&wanted, own->h2, compile->arena);
    state->transport = own;
    return true;
}
