/* Directives of modules that Portico does not have, nginx's own and well-known others: what they would have meant, and what to use
 * instead. Whole families go by their beginning; the first row that fits holds. */
#include "config/nginx/reader.h"

#define NO_CACHE "this version of Portico caches nothing: leave it out, or keep nginx (or Varnish) behind Portico for what must be cached"
#define NO_STREAM "Portico proxies HTTP alone, no bare TCP or UDP: keep nginx or HAProxy for this, or let clients reach it directly"
#define NO_FASTCGI "Portico speaks HTTP to applications: let PHP's and others' own HTTP servers (FrankenPHP, RoadRunner, php's Apache image) serve, and use proxy_pass"
#define NO_UWSGI "Portico speaks HTTP to applications: start uwsgi with --http-socket (or use gunicorn or uvicorn), and use proxy_pass"
#define NO_LUA "there is no Lua in Portico: map, if, auth_request and the middlewares of `portico help` do the usual work"
#define NO_SUB_FILTER "this version of Portico changes no text in bodies: leave it out and let the application write the right text, or keep nginx for it"
#define NO_SSI "Portico puts no pages together on the server: let the application do it, or keep nginx for it"
#define NO_EFFECT_ALONE "it says something only of what is not used here"

static const struct {
    const char *name;             /* a trailing '*': all that begin so */
    const char *refused;
    const char *noted;            /* it only refines another directive, which is refused where it is used */
} families[] = {
    {"proxy_cache", .refused = NO_CACHE},
    {"proxy_cache_path", .refused = NO_CACHE},
    {"proxy_cache*", .noted = "nothing is cached, so every request goes to the upstream"},
    {"proxy_no_cache", .noted = "nothing is cached, so every request goes to the upstream"},
    {"proxy_store", .refused = "Portico keeps no copies of responses as files: leave it out, or mirror the files to a folder and use try_files"},
    {"proxy_store_access", .noted = NO_EFFECT_ALONE},
    {"slice", .refused = "it cuts large files into pieces for the cache, and this version of Portico caches nothing: leave it out"},
    {"proxy_cache_purge", .refused = NO_CACHE},

    {"http3*", .noted = "there is no HTTP/3: clients use HTTP/2"},
    {"quic_*", .noted = "there is no HTTP/3: clients use HTTP/2"},
    {"proxy_socket_*", .noted = "the system sizes the buffers of sockets"},
    {"grpc_socket_*", .noted = "the system sizes the buffers of sockets"},

    {"stream", .refused = NO_STREAM},
    {"mail", .refused = "Portico is no proxy for mail: keep nginx for this, or let clients reach the mail server directly"},
    {"tunnel_*", .refused = "Portico is no forward proxy (CONNECT): keep nginx or Squid for this"},

    {"fastcgi_pass", .refused = NO_FASTCGI},
    {"uwsgi_pass", .refused = NO_UWSGI},
    {"scgi_pass", .refused = "Portico speaks HTTP to applications: use one that does, and proxy_pass"},
    {"memcached_pass", .refused = "Portico does not speak memcached's protocol: let the application answer, and use proxy_pass"},
    {"fastcgi_*", .noted = NO_EFFECT_ALONE},
    {"uwsgi_*", .noted = NO_EFFECT_ALONE},
    {"scgi_*", .noted = NO_EFFECT_ALONE},
    {"memcached_*", .noted = NO_EFFECT_ALONE},

    {"sub_filter", .refused = NO_SUB_FILTER},
    {"subs_filter", .refused = NO_SUB_FILTER},
    {"sub_filter_*", .noted = NO_EFFECT_ALONE},
    {"subs_filter_*", .noted = NO_EFFECT_ALONE},
    {"add_before_body", .refused = NO_SSI},
    {"add_after_body", .refused = NO_SSI},
    {"addition_types", .noted = NO_EFFECT_ALONE},
    {"ssi", .refused = NO_SSI},
    {"ssi_*", .noted = NO_EFFECT_ALONE},
    {"xslt_*", .refused = "Portico transforms no XML: let the application do it"},
    {"xml_*", .refused = "Portico transforms no XML: let the application do it"},
    {"image_filter", .refused = "Portico does not change images: use imgproxy or thumbor behind proxy_pass"},
    {"image_filter_*", .noted = NO_EFFECT_ALONE},
    {"post_action", .refused = "nginx never documented it: use mirror, or the access log"},

    {"perl", .refused = "there is no Perl in Portico: use map, if and return, or an application behind proxy_pass"},
    {"perl_*", .refused = "there is no Perl in Portico: use map, if and return, or an application behind proxy_pass"},
    {"js_*", .refused = "there is no njs in Portico: use map, if, auth_request, or an application behind proxy_pass"},
    {"lua_*", .refused = NO_LUA},
    {"set_by_lua*", .refused = NO_LUA},
    {"rewrite_by_lua*", .refused = NO_LUA},
    {"access_by_lua*", .refused = NO_LUA},
    {"content_by_lua*", .refused = NO_LUA},
    {"header_filter_by_lua*", .refused = NO_LUA},
    {"body_filter_by_lua*", .refused = NO_LUA},
    {"log_by_lua*", .refused = NO_LUA},
    {"balancer_by_lua*", .refused = NO_LUA},
    {"init_by_lua*", .refused = NO_LUA},
    {"init_worker_by_lua*", .refused = NO_LUA},
    {"ssl_certificate_by_lua*", .refused = NO_LUA},

    {"geoip*", .refused = "Portico reads no GeoIP databases: list networks in geo, or let a service in front set a header"},
    {"dav_methods", .refused = "Portico writes no files: use an application that speaks WebDAV behind proxy_pass"},
    {"dav_*", .noted = NO_EFFECT_ALONE},
    {"create_full_put_path", .noted = NO_EFFECT_ALONE},
    {"min_delete_depth", .noted = NO_EFFECT_ALONE},
    {"mp4", .refused = "players ask for ranges, which files are served with anyway: leave it out"},
    {"mp4_*", .noted = NO_EFFECT_ALONE},
    {"flv", .refused = "players ask for ranges, which files are served with anyway: leave it out"},
    {"secure_link*", .refused = "Portico checks no signed links: let auth_request ask an application"},
    {"userid", .refused = "Portico gives clients no cookies for counting them: let the application, or use $request_id in the log"},
    {"userid_*", .noted = NO_EFFECT_ALONE},
    {"random_index", .refused = "Portico picks no file by chance: use index"},
    {"modern_browser*", .refused = "use map on $http_user_agent"},
    {"ancient_browser*", .refused = "use map on $http_user_agent"},
    {"degradation", .refused = "memory is bounded by itself: leave it out"},
    {"degrade", .refused = "memory is bounded by itself: leave it out"},

    /* NGINX Plus. */
    {"health_check*", .refused = "write it in YAML or labels: loadBalancer.healthCheck of a service"},
    {"match", .refused = "write it in YAML or labels: loadBalancer.healthCheck of a service"},
    {"queue", .refused = "leave it out: requests wait while a server starts (`hold`), or fail at once"},
    {"slow_start", .refused = "leave it out: a server that comes back takes its full share"},
    {"api", .refused = "the admin API has more (`api:` in YAML): see docs/api.md"},
    {"status_zone", .noted = "every site, router and service has its metrics"},
    {"keyval*", .refused = "use map with an included file, and reload"},
    {"auth_jwt*", .refused = "let auth_request ask an application that checks the token"},
    {"auth_oidc*", .refused = "let auth_request ask an application (oauth2-proxy)"},
    {"oidc_provider", .refused = "let auth_request ask an application (oauth2-proxy)"},
    {"auth_require", .refused = "use if, or auth_request"},
    {"internal_redirect", .refused = "use rewrite ... last, try_files or error_page"},
    {"session_log*", .refused = "put $request_id or a cookie into log_format"},
    {"zone_sync*", .refused = "instances of Portico share no state"},
    {"num_map", .refused = "use map"},

    /* Other people's modules. */
    {"more_set_headers", .refused = "use add_header ... always"},
    {"more_clear_headers", .refused = "use proxy_hide_header"},
    {"more_set_input_headers", .refused = "use proxy_set_header"},
    {"more_clear_input_headers", .refused = "use proxy_set_header NAME \"\""},
    {"headers_more*", .refused = "use add_header ... always"},
    {"vhost_traffic_status*", .refused = "metrics are there without it: `metrics.prometheus` in YAML"},
    {"otel_*", .refused = "traces are an option of the entrypoint side: `tracing.otlp` in YAML"},
    {"opentracing*", .refused = "traces are an option of the entrypoint side: `tracing.otlp` in YAML"},
    {"modsecurity*", .refused = "Portico has no web application firewall: keep it in front or behind"},
    {"pagespeed*", .refused = "Portico does not rewrite pages: let the build of the site do it"},
    {"passenger*", .refused = "Portico starts no applications: run a Ruby application with puma and use proxy_pass"},
    {"acme_*", .refused = "certificates come from `certificatesResolvers` in YAML, or from certbot through ssl_certificate"},
    {"echo*", .refused = "use return"},
    {"rtmp*", .refused = NO_STREAM},
    {"push_stream*", .refused = "let an application hold the connections, behind proxy_pass"},
    {"nchan*", .refused = "let an application hold the connections, behind proxy_pass"},
    {"fancyindex*", .refused = "use autoindex"},
    {"upload_*", .refused = "let the application take uploads, behind proxy_pass"},
};

static bool fits(const char *pattern, struct str name)
{
    struct str wanted = str_from(pattern);
    if (!str_ends(wanted, S("*")))
        return str_equal(wanted, name);
    return str_starts(name, str_first(wanted, wanted.len - 1));
}

const char *nginx_foreign(struct str name, const char **ret_noted)
{
    *ret_noted = NULL;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (!fits(families[i].name, name))
            continue;
        *ret_noted = families[i].noted;
        return families[i].refused;
    }
    return NULL;
}
