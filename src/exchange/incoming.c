#include "exchange/incoming.h"

#include "base/hex.h"
#include "base/rand.h"
#include "exchange/graph.h"
#include "http/token.h"

/* Fields by which a peer says who its client is: believed only when the peer is trusted (RFC 7239 8.1). */
static const uint64_t forwarding_fields =
    UINT64_C(1) << (FIELD_FORWARDED & 63) | UINT64_C(1) << (FIELD_X_FORWARDED_FOR & 63) |
    UINT64_C(1) << (FIELD_X_FORWARDED_HOST & 63) | UINT64_C(1) << (FIELD_X_FORWARDED_PORT & 63) |
    UINT64_C(1) << (FIELD_X_FORWARDED_PREFIX & 63) | UINT64_C(1) << (FIELD_X_FORWARDED_PROTO & 63) |
    UINT64_C(1) << (FIELD_X_FORWARDED_SERVER & 63) | UINT64_C(1) << (FIELD_X_REAL_IP & 63);
_Static_assert(FIELD_COUNT <= 64, "the fields of the proxy fit one word");

static bool names_forwarding(struct str name)
{
    static const char *const names[] = {"x-forwarded-", "x-real-ip", "forwarded"};
    char plain[64];
    if (name.len > sizeof(plain))
        return false;
    for (size_t i = 0; i < name.len; i++)
        plain[i] = name.data[i] == '_' ? '-' : ascii_lower(name.data[i]);
    struct str text = str_of(plain, name.len);
    return str_starts(text, str_from(names[0])) || str_equal(text, str_from(names[1])) ||
           str_equal(text, str_from(names[2]));
}

/* Letters, digits, dashes and underscores are what all who read fields expect. */
static bool is_unusual(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '_')
            return true;
    }
    return false;
}

static bool has_underscore(struct str name)
{
    return memchr(name.data, '_', name.len) != NULL;
}

/* Other spellings of those fields (underscores become dashes in many applications, so X_Forwarded_For is a twin). */
static enum status clean_unknown_fields(struct exchange *x)
{
    struct fields *fields = &exchange_request(x)->fields;
    int strategy = x->entry->config->http.underscore_headers_strategy;
    int unusual_strategy = x->entry->config->http.unusual_headers_strategy;
    bool keep_twins = x->forwarded_trusted || x->entry->passes_forwarding;
    if (!fields_has(fields, FIELD_OTHER))
        return STATUS_OK;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_OTHER)
            continue;
        char first = ascii_lower(field->name.data[0]);
        bool underscore = strategy != UNDERSCORE_KEEP && has_underscore(field->name);
        bool unusual = unusual_strategy != UNDERSCORE_KEEP && is_unusual(field->name);
        if ((underscore && strategy == UNDERSCORE_REJECT) || (unusual && unusual_strategy == UNDERSCORE_REJECT))
            return STATUS_BAD_FIELD;
        if (underscore || unusual || (!keep_twins && (first == 'x' || first == 'f') && names_forwarding(field->name)))
            field->name.len = 0;
    }
    return STATUS_OK;
}

static void remove_forwarding_fields(struct exchange *x)
{
    struct fields *fields = &exchange_request(x)->fields;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_OTHER && (forwarding_fields >> field->id & 1) != 0)
            field->name.len = 0;
    }
    fields->present[0] &= ~forwarding_fields;
}

/* The nearest address that is not one of the trusted peers, read from the right: whoever stands before it could have made
 * up the rest. */
static void find_client(struct exchange *x)
{
    const struct entry *entry = x->entry;
    x->client_ip = x->stream.client->peer;
    x->forwarded_trusted = entry->trust_all_forwarders || networks_have(&entry->trusted_forwarders, &x->client_ip);
    if (!x->forwarded_trusted)
        return;
    struct str list = fields_joined(&exchange_request(x)->fields, FIELD_X_FORWARDED_FOR, &x->arena);
    while (list.len != 0) {
        ptrdiff_t comma = str_find_last_char(list, ',');
        struct str last = str_trim(str_from_index(list, (size_t)(comma + 1)));
        struct ip ip;
        if (!ip_parse(last, &ip))
            return;
        x->client_ip = ip;
        if (!entry->trust_all_forwarders && !networks_have(&entry->trusted_forwarders, &ip))
            return;
        list = str_first(list, comma > 0 ? (size_t)comma : 0);
    }
}

static bool is_good_id(struct str id)
{
    return id.len != 0 && id.len <= 128 && token_is_valid(id);
}

static void give_id(struct exchange *x)
{
    struct fields *fields = &exchange_request(x)->fields;
    struct str given = fields_value(fields, FIELD_X_REQUEST_ID);
    bool pass = x->entry->passes_forwarding;
    if (!pass && x->forwarded_trusted && is_good_id(given)) {
        x->request_id = given;
        return;
    }
    uint64_t random[2];
    rand_pair(random);
    char *text = arena_alloc(&x->arena, 32);
    if (text == NULL)
        return;
    hex_encode(str_of((const char *)random, sizeof(random)), text);
    x->request_id = str_of(text, 32);
    if (!pass)
        fields_remove(fields, FIELD_X_REQUEST_ID);
}

#define BIT(id) UINT64_C(1) << FIELD_##id
static const uint64_t single_fields = BIT(AUTHORIZATION) | BIT(PROXY_AUTHORIZATION) | BIT(CONTENT_RANGE) | BIT(IF_MATCH) | BIT(IF_NONE_MATCH) |
                                      BIT(IF_MODIFIED_SINCE) | BIT(IF_UNMODIFIED_SINCE) | BIT(IF_RANGE);
#undef BIT

static bool has_repeated_field(const struct fields *fields)
{
    uint64_t seen = 0;
    FIELDS_FOREACH(fields, field) {
        uint64_t bit = UINT64_C(1) << field->id & single_fields;
        if ((seen & bit) != 0)
            return true;
        seen |= bit;
    }
    return false;
}

/* Requests that RFC 9110 has nothing against, or leaves to us, and that the entrypoint does not want. */
static enum status judge_manners(const struct exchange *x, const struct request *request)
{
    const struct entrypoint_http *config = &x->entry->config->http;
    if (config->refuse_trace && request->method == METHOD_TRACE)
        return STATUS_TRACE_REFUSED;
    if (config->refuse_empty_host && request->host.len == 0 && fields_has(&request->fields, FIELD_HOST))
        return STATUS_BAD_HOST;
    if (config->refuse_repeated_fields && (request->fields.present[0] & single_fields) != 0 && has_repeated_field(&request->fields))
        return STATUS_REPEATED_FIELD;
    return STATUS_OK;
}

static void keep_original(struct exchange *x, const struct request *request)
{
    x->original_method = request->method;
    x->original_method_name = request->method_name;
    x->original_path = request->path;
    x->original_query = request->query;
    x->original_authority = request->authority;
}

void incoming_refused(struct exchange *x)
{
    const struct request *request = exchange_request(x);
    if (request->method_name.len != 0 && request->target.len != 0)
        keep_original(x, request);
}

enum status incoming_prepare(struct exchange *x)
{
    struct request *request = exchange_request(x);
    keep_original(x, request);
    x->was_forwarded = (request->fields.present[0] & forwarding_fields) != 0;
    find_client(x);
    if (x->was_forwarded && !x->forwarded_trusted && !x->entry->passes_forwarding)
        remove_forwarding_fields(x);
    enum status status = clean_unknown_fields(x);
    if (status != STATUS_OK)
        return status;
    give_id(x);
    status = judge_manners(x, request);
    if (__builtin_expect(status != STATUS_OK, 0)) {
        x->stream.close_after = request->version < HTTP_2 ? CLOSE_AFTER : KEEP_OPEN;
        return status;
    }
    return normalize(&x->entry->normalizer, request, &x->arena, &x->routing_path);
}
