#include "exchange/location_answer.h"

#include "exchange/graph.h"
#include "exchange/visit.h"

/* The address that the client came to; empty: it has none. */
static struct str local_host(struct exchange *x)
{
    struct client *client = x->stream.client;
    char text[IP_TEXT_SIZE];
    if (client->unix_socket)
        return STR_NONE;
    client_local(client);
    size_t len = ip_format(&client->local, text);
    bool bare = memchr(text, ':', len) == NULL;
    return arena_printf(&x->arena, bare ? "%.*s" : "[%.*s]", (int)len, text);
}

static struct str host_of(struct exchange *x, const struct redirect_form *form)
{
    const struct site *site = x->visit != NULL ? x->visit->site : NULL;
    if (form->site_name && site != NULL && site->config->names.count != 0)
        return site->config->names.items[0];
    struct str host = x->stream.request.host;
    return host.len != 0 ? host : local_host(x);
}

struct str location_complete(struct exchange *x, struct str target)
{
    const struct router_config *config = x->router != NULL ? x->router->about->config : NULL;
    if (target.len == 0 || target.data[0] != '/' || config == NULL || !config->redirects.absolute)
        return target;
    struct str host = host_of(x, &config->redirects);
    if (host.len == 0)
        return target;
    bool secure = x->stream.client->tls;
    struct str port = x->entry->port_text;
    bool customary = str_equal(port, secure ? S("443") : S("80")) || str_equal(port, S("0"));
    bool shown = config->redirects.port && !customary && port.len != 0;
    return arena_printf(&x->arena, "%s://%.*s%s%.*s%.*s", secure ? "https" : "http", STR_ARGS(host), shown ? ":" : "",
                        shown ? (int)port.len : 0, port.data, STR_ARGS(target));
}

void exchange_answer_location(struct exchange *x, int status, struct str target)
{
    exchange_answer_redirect(x, status, location_complete(x, target));
}
