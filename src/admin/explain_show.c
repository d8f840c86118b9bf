#include "admin/explain_show.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define BOLD "\033[1m"

/* ---- for people ---- */

static void label(const char *text, bool color, struct text *out)
{
    text_addf(out, "%s%-12s%s", color ? BOLD : "", text, color ? "\033[0m" : "");
}

static void show_tried(const struct way *way, bool color, struct text *out)
{
    const struct explanation *explanation = &way->explanation;
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explained *tried = &explanation->tried[i];
        const struct router *router = tried->entry->router;
        label(i == 0 ? "routers" : "", color, out);
        if (tried->matched)
            text_addf(out, "%s+ %.*s%s: %.*s\n", color ? GREEN : "", STR_ARGS(router->name), color ? "\033[0m" : "",
                      STR_ARGS(router->about->rule));
        else
            text_addf(out, "%s- %.*s%s: not %.*s, %.*s\n", color ? RED : "", STR_ARGS(router->name), color ? "\033[0m" : "",
                      STR_ARGS(tried->failed), STR_ARGS(tried->why));
    }
    if (explanation->count == 0 && way->site.site == NULL) {
        label("routers", color, out);
        text_add(out, S("there are none on this entrypoint\n"));
    }
}

static void show_notes(const struct explain_notes *notes, bool color, struct text *out)
{
    for (unsigned i = 0; i < notes->count; i++) {
        label("", color, out);
        text_addf(out, "  %s: %.*s\n", notes->items[i].of->type->choice.name, STR_ARGS(notes->items[i].words));
    }
}

static void show_site(const struct way *way, bool color, struct text *out)
{
    if (way->site.site == NULL)
        return;
    label("site", color, out);
    text_addf(out, "%.*s\n", STR_ARGS(way->site.site->name));
    for (unsigned i = 0; i < way->site.count; i++) {
        const struct site_step *step = &way->site.steps[i];
        label(i == 0 ? "location" : "", color, out);
        explain_site_words(step, out);
        if (i > 0 && !str_equal(step->uri, step[-1].uri))
            text_addf(out, ", of \"%.*s\"", STR_ARGS(step->uri));
        text_add(out, step->left ? S("; it goes on inside\n") : S("\n"));
        show_notes(&step->notes, color, out);
    }
}

static const char *no_router(const struct way *way)
{
    return way->left_out != NULL ? status_text(STATUS_ROUTER_LEFT_OUT) : "no router takes this request";
}

static void show_left_out(const struct way *way, bool color, struct text *out)
{
    if (way->left_out == NULL)
        return;
    label("left out", color, out);
    text_addf(out, "router '%.*s' would match but was left out: %.*s\n", STR_ARGS(way->left_out->name),
              STR_ARGS(way->left_out->reason));
}

/* The way ended before the chain: with a redirect to the path with a slash. */
static bool is_slash_redirect(const struct way *way)
{
    return way->site.count > 0 && way->site.steps[way->site.count - 1].reason.slash;
}

static void show_chain(const struct way *way, bool color, struct text *out)
{
    const struct router *router = way->x.router;
    if (is_slash_redirect(way))
        return;
    for (unsigned i = 0; i < router->chain_count; i++) {
        const struct middleware *m = router->chain[i];
        label(i == 0 ? "middlewares" : "", color, out);
        text_addf(out, "%.*s (%s)%s\n", STR_ARGS(m->name), m->type->choice.name,
                  i == way->passed ? " answers" : i > way->passed ? " is not reached" : "");
    }
    show_notes(&way->notes, color, out);
}

static void show_answer(const struct way *way, bool color, struct text *out)
{
    const struct response *response = &way->x.response;
    struct str location = fields_value(&response->fields, FIELD_LOCATION);
    label("answer", color, out);
    text_addf(out, "%d %.*s%s%.*s\n", response->status, STR_ARGS(http_reason(response->status)),
              location.len != 0 ? ", to " : "", STR_ARGS(location));
}

static void show_services(const struct way *way, bool color, struct text *out)
{
    for (unsigned i = 0; i < way->service_count; i++) {
        const struct service *service = way->services[i];
        label(i == 0 ? "service" : "", color, out);
        text_addf(out, "%*s%.*s (%s)\n", (int)(2 * i), "", STR_ARGS(service->name),
                  service->internal ? "internal" : service->type->choice.name);
    }
}

static void show_server(const struct way *way, bool color, struct text *out)
{
    if (way->maintenance.len != 0) {
        label("answer", color, out);
        text_addf(out, "503: %.*s is under maintenance\n", STR_ARGS(way->maintenance));
        return;
    }
    label("server", color, out);
    if (way->server == NULL) {
        bool names_servers = way->services[0]->type->choose != NULL;
        text_addf(out, "%s\n", names_servers ? "none is ready: the answer is 503" : "none: the service answers itself");
        return;
    }
    text_addf(out, "%.*s\n", STR_ARGS(way->server->url));
    label("request", color, out);
    text_addf(out, "%.*s %.*s (Host: %.*s)\n", STR_ARGS(way->method), STR_ARGS(way->url), STR_ARGS(way->host));
}

static void show_tls(const struct way_tls *tls, bool color, struct text *out)
{
    if (!tls->asked)
        return;
    label("tls", color, out);
    if (!tls->spoken) {
        text_add(out, S("none: this entrypoint speaks plain HTTP\n"));
        return;
    }
    text_addf(out, "options '%.*s'\n", STR_ARGS(tls->options));
    label("certificate", color, out);
    if (tls->refused)
        text_add(out, S("none: the handshake fails; "));
    if (tls->certificate.len != 0)
        text_addf(out, "%.*s: ", STR_ARGS(tls->certificate));
    text_addf(out, "%.*s\n", STR_ARGS(tls->source));
}

void explain_show(const struct way *way, const char *note, bool color, struct text *out)
{
    const struct entry *entry = way->x.entry;
    label("entrypoint", color, out);
    text_addf(out, "%.*s (%.*s)%s\n", STR_ARGS(entry->name), STR_ARGS(entry->address_text), note);
    show_tls(&way->tls, color, out);
    if (way->tls.refused)
        return;
    if (way->refused != STATUS_OK) {
        show_site(way, color, out);
        label("answer", color, out);
        text_addf(out, "%d: %s\n", status_http(way->refused), status_text(way->refused));
        return;
    }
    show_tried(way, color, out);
    show_site(way, color, out);
    show_left_out(way, color, out);
    if (way->x.router == NULL) {
        label("answer", color, out);
        text_addf(out, "404: %s\n", no_router(way));
        return;
    }
    show_chain(way, color, out);
    if (way->x.answered_here) {
        show_answer(way, color, out);
        return;
    }
    show_services(way, color, out);
    show_server(way, color, out);
}

/* ---- for programs ---- */

static void add_string(struct text *out, struct str s)
{
    if (s.data == NULL || s.len == 0) {
        text_add(out, S("null"));
        return;
    }
    text_add_char(out, '"');
    text_add_json(out, s);
    text_add_char(out, '"');
}

static void add_tried(const struct way *way, struct text *out)
{
    text_add(out, S(",\"tried\":["));
    for (size_t i = 0; i < way->explanation.count; i++) {
        const struct explained *tried = &way->explanation.tried[i];
        text_add(out, i != 0 ? S(",{\"router\":") : S("{\"router\":"));
        add_string(out, ((const struct router *)tried->entry->router)->name);
        text_addf(out, ",\"matched\":%s,\"failed\":", tried->matched ? "true" : "false");
        add_string(out, tried->failed);
        text_add(out, S(",\"why\":"));
        add_string(out, tried->why);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void add_left_out(const struct way *way, struct text *out)
{
    text_add(out, S(",\"leftOut\":"));
    if (way->left_out == NULL) {
        text_add(out, S("null"));
        return;
    }
    text_add(out, S("{\"router\":"));
    add_string(out, way->left_out->name);
    text_add(out, S(",\"reason\":"));
    add_string(out, way->left_out->reason);
    text_add_char(out, '}');
}

static void add_middlewares(const struct router *router, struct text *out)
{
    text_add(out, S(",\"middlewares\":["));
    for (unsigned i = 0; router != NULL && i < router->chain_count; i++) {
        text_add(out, i != 0 ? S(",") : S(""));
        add_string(out, router->chain[i]->name);
    }
    text_add_char(out, ']');
}

static void add_tls(const struct way_tls *tls, struct text *out)
{
    if (!tls->asked)
        return;
    text_add(out, S(",\"tls\":"));
    if (!tls->spoken) {
        text_add(out, S("null"));
        return;
    }
    text_add(out, S("{\"options\":"));
    add_string(out, tls->options);
    text_add(out, S(",\"certificate\":"));
    add_string(out, tls->certificate);
    text_add(out, S(",\"source\":"));
    add_string(out, tls->source);
    text_addf(out, ",\"refused\":%s}", tls->refused ? "true" : "false");
}

/* From the router's service down to the one that names the server. */
static void add_services(const struct way *way, struct text *out)
{
    text_add(out, S(",\"services\":["));
    for (unsigned i = 0; i < way->service_count; i++) {
        const struct service *service = way->services[i];
        text_add(out, i != 0 ? S(",{\"name\":") : S("{\"name\":"));
        add_string(out, service->name);
        text_add(out, S(",\"type\":"));
        add_string(out, service->internal ? S("internal") : str_from(service->type->choice.name));
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

/* What is answered here, without a server: by a middleware (the one behind those that were passed), or because the request does
 * not get as far as the routers, or past them. */
static void add_answer(const struct way *way, struct text *out)
{
    int status = 0;
    struct str reason = STR_NONE, location = STR_NONE;
    if (way->refused != STATUS_OK) {
        status = status_http(way->refused);
        reason = str_from(status_text(way->refused));
    } else if (way->x.router == NULL && !way->tls.refused) {
        status = 404;
        reason = str_from(no_router(way));
    } else if (way->x.router != NULL && way->x.answered_here) {
        status = way->x.response.status;
        reason = http_reason(status);
        location = fields_value(&way->x.response.fields, FIELD_LOCATION);
    }
    if (status == 0) {
        text_add(out, S(",\"answer\":null"));
        return;
    }
    text_addf(out, ",\"answer\":{\"status\":%d,\"reason\":", status);
    add_string(out, reason);
    text_add(out, S(",\"location\":"));
    add_string(out, location);
    text_add_char(out, '}');
}

void explain_show_json(const struct way *way, struct text *out)
{
    const struct router *router = way->x.router;
    text_add(out, S("{\"entryPoint\":"));
    add_string(out, way->x.entry->name);
    text_add(out, S(",\"address\":"));
    add_string(out, way->x.entry->address_text);
    add_tls(&way->tls, out);
    text_add(out, S(",\"router\":"));
    add_string(out, router != NULL ? router->name : STR_NONE);
    text_add(out, S(",\"rule\":"));
    add_string(out, router != NULL ? router->about->rule : STR_NONE);
    add_tried(way, out);
    text_add(out, S(",\"site\":"));
    add_string(out, way->site.site != NULL ? way->site.site->name : STR_NONE);
    text_add(out, S(",\"locations\":"));
    explain_site_json(&way->site, out);
    text_add(out, S(",\"notes\":"));
    explain_notes_json(&way->notes, out);
    add_left_out(way, out);
    add_middlewares(router, out);
    text_addf(out, ",\"passed\":%u", way->passed);
    add_answer(way, out);
    add_services(way, out);
    text_add(out, S(",\"service\":"));
    add_string(out, router != NULL ? router->service->name : STR_NONE);
    text_add(out, S(",\"maintenance\":"));
    add_string(out, way->maintenance);
    text_add(out, S(",\"server\":"));
    add_string(out, way->server != NULL ? way->server->url : STR_NONE);
    text_add(out, S(",\"url\":"));
    add_string(out, way->url);
    text_add(out, S(",\"host\":"));
    add_string(out, way->host);
    text_add(out, S("}\n"));
}
