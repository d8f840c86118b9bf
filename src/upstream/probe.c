/* Builds the request, follows redirections within the server, decides whether it is well. It does not decide when to ask. */
#include "upstream/probe.h"

#include "base/version.h"
#include "http/uri.h"
#include "upstream/probe_grpc.h"

#define PATH_MAX_BYTES 8192

static bool ask(struct probe *probe);

static struct str without_query(struct str path)
{
    ptrdiff_t mark = str_find_char(path, '?', 0);
    return mark < 0 ? path : str_first(path, (size_t)mark);
}

static bool is_ours(struct str authority, const struct str *authorities, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(authority, authorities[i]))
            return true;
    return false;
}

bool probe_redirect_path(struct str location, struct str from_path, struct str scheme, const struct str *authorities,
                         size_t count, struct text *out)
{
    struct uri uri;
    ptrdiff_t hash = str_find_char(location, '#', 0);
    if (hash >= 0)
        location = str_first(location, (size_t)hash);
    text_clear(out);
    if (uri_split(location, &uri)) {
        if (!str_equal_nocase(uri.scheme, scheme) || !is_ours(uri.authority, authorities, count))
            return false;
        text_add(out, str_empty(uri.path) ? S("/") : uri.path);
        if (uri.query.data != NULL) {
            text_add_char(out, '?');
            text_add(out, uri.query);
        }
        return true;
    }
    /* "//host/path" names another host; "mailto:x" has another scheme. */
    ptrdiff_t colon = str_find_char(location, ':', 0), slash = str_find_char(location, '/', 0);
    if (str_empty(location) || str_starts(location, S("//")) || (colon >= 0 && (slash < 0 || colon < slash)))
        return false;
    struct str base = without_query(from_path);
    if (location.data[0] == '?')
        text_add(out, base);
    else if (location.data[0] != '/')
        text_add(out, str_first(base, (size_t)str_find_last_char(base, '/') + 1));
    text_add(out, location);
    return true;
}

static struct str authority_of(const struct probe *probe)
{
    const struct health_check *check = probe->check;
    for (size_t i = 0; i < check->headers.count; i++)
        if (str_equal_nocase(check->headers.items[i].name, S("Host")))
            return check->headers.items[i].value;
    return !str_empty(check->hostname) ? check->hostname : probe->server->authority;
}

static struct str scheme_of(const struct server *server)
{
    return server->secure ? S("https") : S("http");
}

static void build_request(struct probe *probe, struct fetch *fetch)
{
    const struct health_check *check = probe->check;
    struct request *request = &fetch->request;
    struct str path = arena_str(&fetch->arena, text_str(&probe->path));
    struct str bare = without_query(path);
    *request = (struct request){
        .method = method_identify(check->method),
        .version = HTTP_1_1,
        .method_name = check->method,
        .scheme = scheme_of(probe->server),
        .authority = authority_of(probe),
        .path = bare,
        .query = bare.len < path.len ? str_of(bare.data + bare.len + 1, path.len - bare.len - 1) : STR_NONE,
    };
    fields_init(&request->fields, &fetch->arena, 8);
    fields_init(&request->trailers, &fetch->arena, 0);
    fields_add_id(&request->fields, FIELD_USER_AGENT, S("Portico/" PORTICO_VERSION " (health check)"));
    for (size_t i = 0; i < check->headers.count; i++)
        fields_set_name(&request->fields, check->headers.items[i].name, check->headers.items[i].value);
    fields_remove(&request->fields, FIELD_HOST);
    fields_remove(&request->fields, FIELD_CONTENT_LENGTH);
    fields_remove_hop_by_hop(&request->fields, false);
    if (check->mode == HEALTH_GRPC)
        probe_grpc_ask(fetch);
}

static void finish(struct probe *probe, const char *why, int status)
{
    text_release(&probe->path);
    probe->on_done(probe, why, status);
}

static bool is_redirection(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* True when another request is under way. A redirection to another host says nothing of this server but that it answers:
 * then its own status counts. */
static bool follow(struct probe *probe, const struct response *response)
{
    if (!probe->check->follow_redirects || !is_redirection(response->status))
        return false;
    const struct str authorities[] = {probe->server->authority, authority_of(probe)};
    struct text path;
    text_init(&path, PATH_MAX_BYTES);
    if (!probe_redirect_path(fields_value(&response->fields, FIELD_LOCATION), text_str(&probe->path),
                             scheme_of(probe->server), authorities, 2, &path) ||
        path.overflow) {
        text_release(&path);
        return false;
    }
    text_release(&probe->path);
    probe->path = path;
    probe->redirects++;
    return ask(probe);
}

static void on_done(struct fetch *fetch, enum status status)
{
    struct probe *probe = fetch->owner;
    probe->fetch = NULL;
    if (status != STATUS_OK) {
        finish(probe, status_text(status), 0);
        return;
    }
    const struct response *response = &fetch->response;
    if (probe->redirects >= PROBE_REDIRECTS_MAX && is_redirection(response->status)) {
        finish(probe, "the health check was redirected too often", response->status);
        return;
    }
    if (probe->check->mode == HEALTH_GRPC) {
        finish(probe, probe_grpc_judge(response, fetch->response_body), response->status);
        return;
    }
    if (follow(probe, response))
        return;
    bool accepted = health_check_accepts(probe->check, response->status);
    finish(probe, accepted ? NULL : "the health check got an unexpected status", response->status);
}

static bool ask(struct probe *probe)
{
    int64_t left = probe->deadline - probe->worker->loop.now;
    struct fetch *fetch = fetch_new(probe->worker);
    if (fetch == NULL)
        return false;
    fetch->server = server_ref(probe->server);
    fetch->transport = probe->transport;
    fetch->timeout = left > 1 ? left : 1;
    fetch->discard_body = true;
    fetch->owner = probe;
    fetch->on_done = on_done;
    build_request(probe, fetch);
    probe->fetch = fetch;
    fetch_start(fetch);
    return true;
}

bool probe_start(struct probe *probe)
{
    probe->deadline = probe->worker->loop.now + probe->check->timeout;
    probe->redirects = 0;
    text_init(&probe->path, PATH_MAX_BYTES);
    text_add(&probe->path, probe->check->path);
    if (ask(probe))
        return true;
    text_release(&probe->path);
    return false;
}

void probe_cancel(struct probe *probe)
{
    if (probe->fetch == NULL)
        return;
    fetch_cancel(probe->fetch);
    probe->fetch = NULL;
    text_release(&probe->path);
}
