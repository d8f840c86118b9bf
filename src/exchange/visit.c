#include "exchange/visit.h"

#include "exchange/admission.h"
#include "exchange/attempt.h"
#include "exchange/chain.h"
#include "exchange/graph.h"
#include "exchange/location_answer.h"
#include "exchange/variable.h"
#include "route/site_path.h"

/* A chain that was left: what it holds is let go of at the end of the exchange, not before, so that a limit counts the whole. */
struct former_chain {
    struct router *router;
    char *memory;
    unsigned entered;
    struct former_chain *next;
};

struct visit *exchange_visit(struct exchange *x)
{
    if (x->visit == NULL)
        x->visit = arena_zalloc(&x->arena, sizeof(*x->visit));
    return x->visit;
}

static void keep_captures(struct exchange *x, const struct capture_variables *names)
{
    for (unsigned i = 0; i < names->count; i++) {
        struct str text = names->items[i].group < CAPTURES_MAX ? x->visit->captures.groups[names->items[i].group] : STR_NONE;
        variable_set(names->items[i].variable, x, text.data != NULL ? text : S(""));
    }
}

static void keep_host_captures(struct exchange *x, const struct perl_regex *regex)
{
    const struct site *site = x->visit->site;
    for (unsigned i = 0; i < site->regex_count; i++)
        if (site->regexes[i].regex == regex)
            keep_captures(x, &site->regexes[i].captures);
}

static bool begin_at(struct exchange *x, const struct site_names *sites)
{
    if (sites == NULL || sites->fallback == NULL || exchange_visit(x) == NULL)
        return false;
    const struct perl_regex *regex;
    x->visit->site = site_names_find(sites, x->stream.request.host, &x->visit->captures, &regex);
    if (regex != NULL)
        keep_host_captures(x, regex);
    return x->visit->site != NULL;
}

bool visit_begin(struct exchange *x)
{
    const struct entry *entry = x->entry;
    if (x->stream.client->tls && entry->tls != NULL) {
        if (!begin_at(x, entry->tls->sites))
            return false;
        x->visit->refused = admission_judge(x, x->visit->site);
        return true;
    }
    if (begin_at(x, entry->sites))
        return true;
    if (entry->tls == NULL || !begin_at(x, entry->tls->sites))
        return false;
    x->visit->refused = STATUS_PLAIN_HTTP_ON_TLS;
    return true;
}

bool visit_begin_refused(struct exchange *x, enum status status)
{
    if (!visit_begin(x))
        return false;
    x->visit->refused = status;
    x->visit->uri = S("/");
    return true;
}

static bool refuse(struct exchange *x, enum status status)
{
    x->failure = status;
    return false;
}

/* Where a location's path is that of the request with a slash. */
static bool redirect_to_slash(struct exchange *x)
{
    struct str path = arena_concat(&x->arena, visit_escape_uri(x, x->visit->uri), S("/"));
    struct str query = exchange_request(x)->query;
    if (query.data != NULL)
        path = arena_printf(&x->arena, "%.*s?%.*s", STR_ARGS(path), STR_ARGS(query));
    exchange_answer_location(x, 301, path);
    return false;
}

static bool find_by_uri(struct exchange *x)
{
    struct visit *visit = x->visit;
    const struct location *location = NULL;
    visit->prefix_lost = false;
    switch (locations_find(visit->site->locations, visit->uri, &visit->captures, &location)) {
    case LOCATION_FOUND:
        x->router = location->router;
        if (x->router->extras->captures.count != 0)
            keep_captures(x, &x->router->extras->captures);
        break;
    case LOCATION_FOUND_SLASH:
        x->router = location->router;
        visit->location = x->router;
        return redirect_to_slash(x);
    case LOCATION_FOUND_NONE:
        x->router = visit->site->fallback;
        break;
    }
    visit->location = x->router;
    return x->router != NULL || refuse(x, STATUS_NO_ROUTE);
}

bool visit_route(struct exchange *x)
{
    struct visit *visit = x->visit;
    if (visit->uri.data == NULL) {
        visit->path = x->original_path;
        enum status status = site_path(&x->arena, visit->path, visit->site->config->merge_slashes, &visit->uri);
        if (status != STATUS_OK) {
            visit->uri = STR_NONE;
            return refuse(x, status);
        }
    }
    if (visit->next != NULL) {
        x->router = visit->next;
        visit->next = NULL;
        return true;
    }
    if (visit->site->entrance != NULL && !visit->entered) {
        visit->entered = true;
        x->router = visit->site->entrance;
        return true;
    }
    return find_by_uri(x);
}

static bool remember_chain(struct exchange *x)
{
    if (x->router == NULL || x->chain_entered == 0 || x->chain_memory == NULL)
        return true;
    struct former_chain *former = arena_alloc(&x->arena, sizeof(*former));
    if (former == NULL)
        return false;
    *former = (struct former_chain){
        .router = x->router, .memory = x->chain_memory, .entered = x->chain_entered, .next = x->visit->former};
    x->visit->former = former;
    return true;
}

enum status visit_leave(struct exchange *x)
{
    struct visit *visit = x->visit;
    bool remembered = remember_chain(x);
    if (visit->next == NULL || x->server != NULL || x->upstream_bound)
        attempt_release(x, false);
    x->chain_at = x->chain_entered = 0;
    x->chain_memory = NULL;
    x->service = NULL;
    x->tried = 0;
    x->attempts = 0;
    x->admitted = x->detour = false;
    x->rate_settled = x->rate_status != LIMIT_UNASKED;
    x->connections_settled = x->connections_status != LIMIT_UNASKED;
    x->failure = STATUS_OK;
    if (!remembered)
        return STATUS_OUT_OF_MEMORY;
    if (visit->lost)
        return STATUS_NO_LOCATION;
    return visit->redirects > VISIT_REDIRECTS_MAX ? STATUS_REDIRECT_CYCLE : STATUS_OK;
}

void visit_end(struct exchange *x)
{
    for (const struct former_chain *it = x->visit->former; it != NULL; it = it->next) {
        x->router = it->router;
        x->chain_memory = it->memory;
        x->chain_entered = it->entered;
        chain_finish(x);
    }
}

void exchange_set_uri(struct exchange *x, struct str uri)
{
    x->visit->uri = uri;
    x->visit->uri_changed = true;
    exchange_request(x)->path = visit_escape_uri(x, uri);
}

void exchange_rewrite(struct exchange *x, struct str uri, struct str query)
{
    exchange_set_uri(x, uri);
    exchange_request(x)->query = query;
    x->visit->internal = true;
}

static void leave_by_redirect(struct exchange *x)
{
    struct visit *visit = x->visit;
    visit->redirects++;
    visit->internal = true;
    visit->uri_below_root = false;
    visit->next = NULL;
    if (x->response.status != 0)
        visit->former_status = x->response.status;
}

void exchange_go_to(struct exchange *x, struct str uri, struct str query)
{
    exchange_set_uri(x, uri);
    exchange_request(x)->query = query;
    leave_by_redirect(x);
    x->visit->entered = false;      /* the site's script sees the new path too */
}

void exchange_go_to_named(struct exchange *x, struct str name)
{
    leave_by_redirect(x);
    x->visit->next = map_get(&x->visit->site->named, name);
    x->visit->location = x->visit->next;
    x->visit->lost = x->visit->next == NULL;
}

void exchange_go_to_router(struct exchange *x, struct router *router)
{
    x->visit->next = router;
}

void exchange_look_again(struct exchange *x)
{
    x->visit->redirects++;
    x->visit->next = NULL;
}

/* RFC 3986 3.3: what may stand in a path, and '%' does not since `uri` is decoded. */
static bool needs_escape(unsigned char c)
{
    static const uint32_t words[8] = {0xffffffff, 0xd000002d, 0x50000000, 0xb8000001, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
    return (words[c >> 5] >> (c & 31) & 1) != 0;
}

struct str visit_escape_uri(struct exchange *x, struct str uri)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t more = 0;
    for (size_t i = 0; i < uri.len; i++)
        more += needs_escape((unsigned char)uri.data[i]) ? 2 : 0;
    if (more == 0)
        return uri;
    char *out = arena_alloc(&x->arena, uri.len + more);
    if (out == NULL)
        return uri;
    char *end = out;
    for (size_t i = 0; i < uri.len; i++) {
        unsigned char c = (unsigned char)uri.data[i];
        if (needs_escape(c)) {
            *end++ = '%';
            *end++ = digits[c >> 4];
            *end++ = digits[c & 15];
        } else {
            *end++ = (char)c;
        }
    }
    return str_of(out, (size_t)(end - out));
}
