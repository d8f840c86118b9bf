/* GET /api/overview: how many there are, and how many of them are in trouble. */
#include "admin/admin.h"
#include "admin/traefik.h"

static void write_counts(struct json *json, const char *key, const struct catalog_list *list)
{
    json_member_object(json, key);
    json_member_uint(json, "total", list != NULL ? list->count : 0);
    json_member_uint(json, "warnings", list != NULL ? list->warnings : 0);
    json_member_uint(json, "errors", list != NULL ? list->disabled : 0);
    json_end(json);
}

static void write_objects(struct json *json, const struct catalog *catalog)
{
    json_member_object(json, "http");
    write_counts(json, "routers", &catalog->routers);
    write_counts(json, "services", &catalog->services);
    write_counts(json, "middlewares", &catalog->middlewares);
    json_end(json);
    json_member_object(json, "tcp");
    write_counts(json, "routers", NULL);
    write_counts(json, "services", NULL);
    write_counts(json, "middlewares", NULL);
    json_end(json);
    json_member_object(json, "udp");
    write_counts(json, "routers", NULL);
    write_counts(json, "services", NULL);
    json_end(json);
}

/* By the names of Traefik's options, as it does. */
static void write_features(struct json *json, const struct config *config)
{
    const struct metrics_config *metrics = config->metrics;
    json_member_object(json, "features");
    json_member_text(json, "tracing", config->tracing != NULL && config->tracing->otlp != NULL ? "OTLP" : "");
    json_member_text(json, "metrics",
                     metrics == NULL                ? ""
                     : metrics->prometheus != NULL ? "Prometheus"
                     : metrics->otlp != NULL       ? "OTLP"
                                                    : "");
    json_member_bool(json, "accessLog", config->access_log != NULL);
    json_end(json);
}

static bool gives_something(const struct model *model, const struct model_part *part)
{
    const struct http_config *http = part->http;
    return http->routers.count + http->services.count + http->middlewares.count != 0 ||
           (model->config.providers.file != NULL && str_equal(part->provider, S("file")));
}

/* Is it the provider's first part that gives something? */
static bool is_first(const struct model *model, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_equal(model->parts[i].provider, model->parts[index].provider) && gives_something(model, &model->parts[i]))
            return false;
    return gives_something(model, &model->parts[index]);
}

/* "File", "Docker". The main file's own objects count as the file provider's, whose name they have. */
static void write_providers(struct json *json, const struct model *model)
{
    char name[32];
    json_member_array(json, "providers");
    for (size_t i = 0; i < model->part_count; i++) {
        struct str provider = str_first(model->parts[i].provider, sizeof(name));
        if (str_equal(provider, S("internal")) || !is_first(model, i))
            continue;
        for (size_t j = 0; j < provider.len; j++)
            name[j] = provider.data[j];
        if (name[0] >= 'a' && name[0] <= 'z')
            name[0] = (char)(name[0] - 'a' + 'A');
        json_str(json, str_of(name, provider.len));
    }
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    const struct graph *graph = admin_self->graph;
    struct json *json = &call->json;
    json_open_object(json);
    write_objects(json, catalog_of(graph));
    json_member_object(json, "certificates");
    traefik_certificate_counts(json);
    json_end(json);
    write_features(json, &graph->model->config);
    write_providers(json, graph->model);
    json_end(json);
    return true;
}

static const struct admin_route overview = {
    .method = "GET", .path = "/api/overview", .summary = "Counts, features and providers (Traefik's form).", .answer = answer};
REGISTER(admin_route, overview);
