#include "admin/assets.h"

#include "http/token.h"

/* Nothing that is not from here, and nothing inline: what a request brought along can never run in the dashboard. */
#define POLICY \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " \
    "form-action 'none'; frame-ancestors 'none'"

const struct asset *asset_find(struct str name)
{
    for (const struct asset *asset = web_assets; asset->name != NULL; asset++)
        if (str_equal(str_from(asset->name), name))
            return asset;
    return NULL;
}

struct str asset_content(const struct asset *asset)
{
    return str_of(asset->plain, (size_t)(asset->plain_end - asset->plain));
}

static struct str type_of(struct str name)
{
    static const struct {
        struct str end, type;
    } types[] = {{STR(".html"), STR("text/html; charset=utf-8")}, {STR(".js"), STR("text/javascript; charset=utf-8")},
                 {STR(".css"), STR("text/css; charset=utf-8")},   {STR(".svg"), STR("image/svg+xml")},
                 {STR(".json"), STR("application/json")},         {STR(".webmanifest"), STR("application/manifest+json")},
                 {STR(".png"), STR("image/png")}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (str_ends(name, types[i].end))
            return types[i].type;
    return S("application/octet-stream");
}

/* Weak: the same tag stands for the gzipped bytes (RFC 9110 8.8.3). */
static bool is_known_to_client(const struct request *request, struct str tag)
{
    struct str rest = fields_value(&request->fields, FIELD_IF_NONE_MATCH), member;
    while (token_next(&rest, &member))
        if (str_equal(member, S("*")) || str_equal(member, tag))
            return true;
    return false;
}

static void add_fields(struct fields *fields, struct str tag)
{
    fields_add_id(fields, FIELD_ETAG, tag);
    fields_add_id(fields, FIELD_CACHE_CONTROL, S("no-cache"));
    fields_add_id(fields, FIELD_VARY, S("Accept-Encoding"));
    fields_add(fields, S("Content-Security-Policy"), S(POLICY));
    fields_add(fields, S("X-Content-Type-Options"), S("nosniff"));
    fields_add(fields, S("Referrer-Policy"), S("same-origin"));
}

void asset_answer(struct exchange *x, struct str name)
{
    const struct request *request = exchange_request(x);
    const struct asset *asset = asset_find(name.len != 0 ? name : S("index.html"));
    if (asset == NULL || (request->method != METHOD_GET && request->method != METHOD_HEAD)) {
        exchange_answer_status(x, asset == NULL ? 404 : 405, STATUS_OK);
        if (asset != NULL)
            fields_add(&x->response.fields, S("Allow"), S("GET, HEAD"));
        return;
    }
    struct str tag = arena_printf(&x->arena, "W/\"%s\"", asset->tag);
    if (is_known_to_client(request, tag)) {
        exchange_answer(x, 304, STATUS_OK, STR_NONE, STR_NONE);
        add_fields(&x->response.fields, tag);
        return;
    }
    bool gzip = token_accepts(fields_value(&request->fields, FIELD_ACCEPT_ENCODING), S("gzip"), 0) > 0;
    struct str body = gzip ? str_of(asset->gzip, (size_t)(asset->gzip_end - asset->gzip)) : asset_content(asset);
    exchange_answer(x, 200, STATUS_OK, type_of(str_from(asset->name)), body);
    add_fields(&x->response.fields, tag);
    if (gzip)
        fields_add_id(&x->response.fields, FIELD_CONTENT_ENCODING, S("gzip"));
}
