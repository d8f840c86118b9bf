/* The table of advice. It names options as they are written, so that they can be looked up by `portico help`. */
#include "exchange/advice.h"

#include <stddef.h>

static const char *const advice[STATUS_COUNT] = {
    /* the client's request */
    [STATUS_BAD_ENCODED_CHARACTER] =
        "If the application needs such paths, allow the character in the entrypoint's http.encodedCharacters.",
    [STATUS_TARGET_TOO_LONG] = "Is the URL meant to be that long? Large input belongs into the body of a POST.",
    [STATUS_FIELDS_TOO_LARGE] =
        "Cookies that pile up are the usual cause. The limit is the entrypoint's http.maxHeaderBytes.",
    [STATUS_BODY_TOO_LARGE] =
        "The limit is maxRequestBodyBytes of the buffering middleware (or of forwardAuth) on this router: raise it if such "
        "uploads are meant.",
    [STATUS_METHOD_NOT_IMPLEMENTED] =
        "CONNECT is for forward proxies; is the client configured to use this address as its proxy?",
    [STATUS_BAD_PROXY_HEADER] =
        "The entrypoint expects the PROXY protocol from this address: does the load balancer in front send it, and is the "
        "address rightly in proxyProtocol.trustedIPs?",
    [STATUS_CLIENT_HEAD_TIMEOUT] =
        "Mostly idle or broken clients; the limit is the entrypoint's transport.respondingTimeouts.readTimeout.",
    [STATUS_CLIENT_TOO_SLOW] =
        "A client on a bad line, or one that holds connections on purpose. The limits are the entrypoint's "
        "transport.respondingTimeouts (readTimeout, writeTimeout, minimumRate).",
    /* TLS and HTTP/2 on the client's side */
    [STATUS_CLIENT_TLS] =
        "Does the client know the certificate's authority, and do both have a TLS version in common? `portico certs` lists what "
        "is served; minVersion is in tls.options.",
    [STATUS_PLAIN_HTTP_ON_TLS] =
        "Use https:// in the URL. To send browsers there by themselves, redirect the plain entrypoint to it.",
    [STATUS_MISDIRECTED] =
        "Browsers ask again on a connection of its own. Giving both hosts the same tls.options avoids that.",
    [STATUS_H2_RAPID_RESET] =
        "This is how an attack looks (CVE-2023-44487). If the client is honest, it gives up its requests too soon.",
    [STATUS_H2_FLOOD] = "This is how an attack looks; nothing needs to be done.",
    /* routing and middlewares */
    [STATUS_NO_ROUTE] = "`portico explain URL` tells which routers were tried and what did not match.",
    [STATUS_ROUTER_LEFT_OUT] =
        "Mend what is wrong with the router: the log, the dashboard and `portico explain URL` tell what it is.",
    [STATUS_NO_SERVICE] = "Check the router's service: is the name right, and is its provider there?",
    [STATUS_NO_READY_SERVER] =
        "Look at the service's servers: are they running, and do they pass the health check? Each says why it is out.",
    [STATUS_NO_LIVE_SERVER] = "Look at the service's servers: each has failed lately (maxFails), is down, or has as many requests as it may (maxConnections).",
    [STATUS_TOO_MANY_WAITING] = "No server of the service has been ready for a while, and as many requests wait for one as 'holdMax' allows: see why "
                                "its servers are out.",
    [STATUS_MAINTENANCE] = "It was put under maintenance, by its option 'maintenance' or by hand: take that out, or end it in the dashboard or by the API.",
    [STATUS_RATE_LIMITED] = "If these clients are welcome, raise average or burst of the rateLimit middleware.",
    [STATUS_IN_FLIGHT_LIMITED] =
        "Is the application slower than usual? Else raise amount of the inFlightReq middleware.",
    [STATUS_IP_DENIED] =
        "If the client is welcome, add its address to sourceRange. Behind another proxy set ipStrategy.depth, so that the "
        "client's own address counts.",
    [STATUS_AUTH_UNREACHABLE] = "Is the service of forwardAuth's address running and reachable from here?",
    [STATUS_CIRCUIT_OPEN] =
        "The servers failed as the breaker's expression says; it lets requests through again by itself when they recover. Look "
        "at their failures.",
    [STATUS_BAD_REWRITE] = "Check what the middlewares that rewrite the path make of it.",
    [STATUS_HOST_NOT_ALLOWED] = "Add the host to allowedHosts of the headers middleware if it is one of yours.",
    /* files */
    [STATUS_FILE_FORBIDDEN] =
        "May the proxy's user read the file and enter its folders? Links that lead out of the root are not followed.",
    [STATUS_FILE_ERROR] = "Was the file replaced while it was sent, or is the disk failing? Replace files by renaming.",
    /* the server behind */
    [STATUS_UPSTREAM_UNRESOLVED] = "Is the name spelt right, and can this machine look it up (`getent hosts NAME`)?",
    [STATUS_UPSTREAM_REFUSED] =
        "Is the application running, and listening on 0.0.0.0 (not only on its own 127.0.0.1) and this port?",
    [STATUS_UPSTREAM_UNREACHABLE] =
        "Is the address right, and is there a route to it? In containers: are both in the same network?",
    [STATUS_UPSTREAM_CONNECT_TIMEOUT] =
        "Usually a firewall that drops packets, a wrong address, or an application that accepts nothing any more.",
    [STATUS_UPSTREAM_TLS] =
        "Does the server speak TLS on this port? If it speaks plain HTTP, write http:// in its url.",
    [STATUS_UPSTREAM_UNTRUSTED] =
        "Give the server's authority as rootCAs of a serversTransport, and serverName if its certificate has another name.",
    [STATUS_UPSTREAM_TIMEOUT] =
        "The application took the request and is silent: is it stuck or overloaded? The limit is "
        "forwardingTimeouts.responseHeaderTimeout of the serversTransport.",
    [STATUS_UPSTREAM_TOO_SLOW] =
        "The application stopped in the middle of the transfer. The limit is forwardingTimeouts.readTimeout of the "
        "serversTransport.",
    [STATUS_UPSTREAM_CLOSED] = "Did the application crash or restart? Its log at this time tells more.",
    [STATUS_UPSTREAM_RESET] =
        "Did the application crash or restart, or does a firewall cut connections? Its log at this time tells more.",
    [STATUS_UPSTREAM_BAD_RESPONSE] =
        "Does the server speak HTTP on this port? If it speaks TLS, write https:// in its url; h2c:// for gRPC.",
    [STATUS_UPSTREAM_HEAD_TOO_LARGE] =
        "The limit is maxResponseHeaderBytes of the serversTransport; mostly it is too many cookies.",
    [STATUS_UPSTREAM_TRUNCATED] =
        "The application ended in the middle of its response: its log at this time tells more.",
    [STATUS_UPSTREAM_PROTOCOL] = "The application answered 101 without having been asked to: this is its mistake.",
    [STATUS_RESPONSE_TOO_LARGE] =
        "The limit is maxResponseBodyBytes of the buffering middleware (or of forwardAuth) on this router.",
    /* ourselves */
    [STATUS_OVERLOADED] =
        "Descriptors or buffers are used up: raise LimitNOFILE of the service or memoryLimit, or limit what clients "
        "may hold.",
    [STATUS_OUT_OF_MEMORY] =
        "One request wanted more than its share: very large heads, or middlewares that make them grow.",
    [STATUS_LOOP_DETECTED] =
        "A service or a server's url leads back to this proxy: follow the way with `portico explain URL`.",
    [STATUS_REDIRECT_CYCLE] =
        "Rewrites, tryFiles, index or error pages of the site lead in a circle: follow the way with `portico explain URL`.",
    [STATUS_NO_LOCATION] = "A redirect inside names a location that the site does not have: look for its name in the configuration.",
    [STATUS_IO_ERROR] = "The connection broke below HTTP: look at the network between here and there.",
    [STATUS_STOPPING] = "The process was told to stop and takes no new requests; the next one answers.",
    [STATUS_INTERNAL] = "This is a mistake in the proxy: please report it with the log around this time.",
};

const char *advice_for(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? advice[status] : NULL;
}

static bool is_here(const struct server *server)
{
    struct ip ip;
    return str_equal_nocase(server->host, S("localhost")) || (ip_parse(server->host, &ip) && ip_is_loopback(&ip));
}

const char *advice_for_server(enum status status, const struct server *server)
{
    if (server == NULL || status != STATUS_UPSTREAM_REFUSED)
        return advice_for(status);
    if (server->unix_socket)
        return "Is the application running, and does it listen on this socket?";
    if (is_here(server))
        return "Is the application running, and listening on this port? Where Portico runs in a container, 127.0.0.1 is that container "
               "itself, not its host.";
    return advice_for(status);
}
