/* How the authentication service is reached by https: options of its own over the default transport's. */
#include "middleware/forward_auth.h"
#include "upstream/tls_identity.h"

bool forward_auth_secure(struct forward_auth_state *state, const struct peer_tls *tls, struct compile *compile)
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
