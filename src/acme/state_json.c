#include "acme/state_json.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"

/* ---- reading ---- */

/* Where reading is, for messages: "le.Certificates[2]". */
struct reader {
    struct text place;
    struct text *why;
};

static bool refuse(struct reader *reader, const char *member, const char *what)
{
    text_addf(reader->why, "%s%s%s %s", text_c(&reader->place), reader->place.len != 0 && *member != '\0' ? "." : "", member, what);
    return false;
}

/* As Go finds members: by the exact name, else whatever the case. NULL: absent or null. */
static json_t *member_of(json_t *object, const char *name)
{
    json_t *found = json_object_get(object, name);
    const char *key;
    json_t *value;
    if (found == NULL)
        json_object_foreach(object, key, value)
            if (found == NULL && str_equal_nocase(str_from(key), str_from(name)))
                found = value;
    return json_is_null(found) ? NULL : found;
}

static bool read_str(struct reader *reader, json_t *object, const char *name, struct arena *arena, struct str *ret)
{
    json_t *value = member_of(object, name);
    *ret = STR_NONE;
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return refuse(reader, name, "is not a string");
    *ret = arena_str(arena, str_of(json_string_value(value), json_string_length(value)));
    return true;
}

static bool read_bytes(struct reader *reader, json_t *object, const char *name, struct arena *arena, struct str *ret)
{
    struct str text;
    if (!read_str(reader, object, name, arena, &text))
        return false;
    char *bytes = arena_alloc(arena, BASE64_DECODED_SIZE(text.len) + 1);
    size_t len = 0;
    if (!base64_decode(BASE64_STANDARD, text, bytes, &len))
        return refuse(reader, name, "is not base64");
    bytes[len] = '\0';
    *ret = str_of(bytes, len);
    return true;
}

static bool read_number(struct reader *reader, json_t *object, const char *name, int64_t *ret)
{
    json_t *value = member_of(object, name);
    *ret = value != NULL ? json_integer_value(value) : 0;
    return value == NULL || (json_is_integer(value) && *ret >= 0) || refuse(reader, name, "is not a number");
}

static bool read_flag(struct reader *reader, json_t *object, const char *name, bool *ret)
{
    json_t *value = member_of(object, name);
    *ret = json_is_true(value);
    return value == NULL || json_is_boolean(value) || refuse(reader, name, "is neither true nor false");
}

/* Appends the list's strings to `names`, which has room. */
static bool add_names(struct reader *reader, json_t *list, const char *name, struct arena *arena, struct strs *names)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *value = json_array_get(list, i);
        if (!json_is_string(value) || json_string_length(value) == 0)
            return refuse(reader, name, "holds what is not a name");
        struct str text = str_of(json_string_value(value), json_string_length(value));
        names->items[names->count++] = arena_lower(arena, arena_str(arena, text));
    }
    return true;
}

/* "domain": {"main": ..., "sans": [...]}. */
static bool read_names(struct reader *reader, json_t *object, struct arena *arena, struct strs *names)
{
    json_t *domain = member_of(object, "domain"), *sans = member_of(domain, "sans");
    struct str main;
    if (!json_is_object(domain))
        return refuse(reader, "domain", "is not an object");
    if (sans != NULL && !json_is_array(sans))
        return refuse(reader, "domain.sans", "is not a list");
    if (!read_str(reader, domain, "main", arena, &main))
        return false;
    names->items = arena_array(arena, struct str, json_array_size(sans) + 1);
    if (!str_empty(main))
        names->items[names->count++] = arena_lower(arena, main);
    if (!add_names(reader, sans, "domain.sans", arena, names))
        return false;
    return names->count != 0 || refuse(reader, "domain", "names nothing");
}

static bool read_account(struct reader *reader, json_t *object, const char *name, struct state *state, enum account_rank rank)
{
    json_t *json = member_of(object, name);
    if (json == NULL)
        return true;
    if (!json_is_object(json))
        return refuse(reader, name, "is not an object");
    json_t *registration = member_of(json, "Registration");
    if (registration != NULL && !json_is_object(registration))
        return refuse(reader, name, "has a Registration that is not an object");
    struct state_account *account = state_account_new(state, rank);
    account->origin = json_incref(json);
    return read_str(reader, json, "Email", &account->arena, &account->email) &&
           read_str(reader, json, "KeyType", &account->arena, &account->key_type) &&
           read_bytes(reader, json, "PrivateKey", &account->arena, &account->key) &&
           read_str(reader, registration, "uri", &account->arena, &account->url);
}

static bool read_meta(struct reader *reader, json_t *json, struct state_certificate *certificate)
{
    certificate->origin = json_incref(json);
    return read_names(reader, json, &certificate->arena, &certificate->names) &&
           read_str(reader, json, "Store", &certificate->arena, &certificate->store) &&
           read_str(reader, json, "CA", &certificate->arena, &certificate->authority) &&
           read_number(reader, json, "Unwanted", &certificate->unwanted_since) &&
           read_flag(reader, json, "OnDemand", &certificate->on_demand);
}

static bool read_certificate(struct reader *reader, json_t *json, struct state *state)
{
    struct state_certificate *certificate = state_certificate_new(state);
    return read_meta(reader, json, certificate) &&
           read_bytes(reader, json, "certificate", &certificate->arena, &certificate->chain) &&
           read_bytes(reader, json, "key", &certificate->arena, &certificate->key);
}

static bool read_order(struct reader *reader, json_t *json, struct state *state)
{
    struct state_order *order = state_order_new(state);
    bool fallback = false;
    bool good = read_names(reader, json, &order->arena, &order->names) &&
                read_str(reader, json, "url", &order->arena, &order->url) &&
                read_bytes(reader, json, "key", &order->arena, &order->key) &&
                read_flag(reader, json, "fallback", &fallback) && read_flag(reader, json, "onDemand", &order->on_demand);
    order->rank = fallback ? ACCOUNT_FALLBACK : ACCOUNT_FIRST;
    return good;
}

static bool read_problem(struct reader *reader, json_t *json, struct state *state)
{
    struct state_problem *problem = state_problem_new(state);
    int64_t failures = 0;
    bool good = read_names(reader, json, &problem->arena, &problem->names) &&
                read_str(reader, json, "text", &problem->arena, &problem->text) &&
                read_str(reader, json, "hint", &problem->arena, &problem->hint) &&
                read_number(reader, json, "failures", &failures) &&
                read_number(reader, json, "failedAt", &problem->failed_at) &&
                read_number(reader, json, "nextTry", &problem->next_try);
    problem->failures = failures < 1000 ? (unsigned)failures : 1000;
    return good;
}

static bool read_list(struct reader *reader, json_t *object, const char *name, struct state *state,
                      bool (*read)(struct reader *reader, json_t *json, struct state *state))
{
    json_t *list = member_of(object, name);
    size_t place = reader->place.len;
    if (list != NULL && !json_is_array(list))
        return refuse(reader, name, "is not a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        text_addf(&reader->place, "%s%s[%zu]", place != 0 ? "." : "", name, i);
        if (!json_is_object(item))
            return refuse(reader, "", "is not an object");
        if (!read(reader, item, state))
            return false;
        reader->place.len = place;
    }
    return true;
}

static bool read_state(struct reader *reader, json_t *object, struct state *state)
{
    state->origin = json_incref(object);
    return read_account(reader, object, "Account", state, ACCOUNT_FIRST) &&
           read_account(reader, object, "FallbackAccount", state, ACCOUNT_FALLBACK) &&
           read_list(reader, object, "Certificates", state, read_certificate) &&
           read_list(reader, object, "Orders", state, read_order) &&
           read_list(reader, object, "Problems", state, read_problem);
}

/* An object that is the caller's; an empty text is an empty one. NULL: `why`. */
static json_t *load(struct str text, struct text *why)
{
    json_error_t error;
    if (str_empty(str_trim_space(text)))
        return json_object();
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        text_addf(why, "line %d, column %d: %s", error.line, error.column, error.text);
    else if (!json_is_object(root))
        text_add(why, S("it is JSON, but not an object"));
    else
        return root;
    json_decref(root);
    return NULL;
}

static struct reader reader_at(struct str place, struct text *why)
{
    struct reader reader = {.why = why};
    text_init(&reader.place, 4096);
    text_add(&reader.place, place);
    return reader;
}

/* The object of a resolver: names of resolvers are the user's, so their case counts. NULL: absent or null. */
static json_t *resolver_of(json_t *root, struct str resolver)
{
    json_t *object = str_empty(resolver) ? root : json_object_getn(root, resolver.data, resolver.len);
    return json_is_null(object) ? NULL : object;
}

bool state_parse(struct str text, struct str resolver, struct state *state, struct text *why)
{
    json_t *root = load(text, why);
    if (root == NULL)
        return false;
    struct reader reader = reader_at(resolver, why);
    json_t *object = resolver_of(root, resolver);
    bool good = object == NULL || (json_is_object(object) ? read_state(&reader, object, state)
                                                          : refuse(&reader, "", "is not an object"));
    json_decref(root);
    text_release(&reader.place);
    return good;
}

bool state_parse_meta(struct str text, struct state_certificate *certificate, struct text *why)
{
    json_t *root = load(text, why);
    if (root == NULL)
        return false;
    struct reader reader = reader_at(STR_NONE, why);
    bool good = read_meta(&reader, root, certificate);
    json_decref(root);
    text_release(&reader.place);
    return good;
}

/* ---- writing ---- */

/* Under its name alone: another spelling would be a second one for Go. NULL: removed. */
static void put(json_t *object, const char *name, json_t *value)
{
    const char *key;
    json_t *other;
    void *next;
    json_object_foreach_safe(object, next, key, other)
        if (strcmp(key, name) != 0 && str_equal_nocase(str_from(key), str_from(name)))
            json_object_del(object, key);
    if (value != NULL)
        json_object_set_new(object, name, value);
    else
        json_object_del(object, name);
}

/* What is not UTF-8 cannot be told in JSON: it becomes empty rather than the end of everything. */
static json_t *string_of(struct str text)
{
    json_t *string = json_stringn(text.data != NULL ? text.data : "", text.len);
    return string != NULL ? string : json_string("");
}

static json_t *bytes_of(struct str bytes)
{
    char *text = memory_alloc(BASE64_ENCODED_SIZE(bytes.len) + 1);
    json_t *string = string_of(str_of(text, base64_encode(BASE64_STANDARD, bytes, text)));
    free(text);
    return string;
}

static json_t *copy_of(json_t *origin)
{
    return origin != NULL ? json_copy(origin) : json_object();
}

static void put_names(json_t *object, const struct strs *names)
{
    json_t *former = member_of(object, "domain");
    json_t *domain = json_is_object(former) ? json_copy(former) : json_object(), *sans = json_array();
    for (size_t i = 1; i < names->count; i++)
        json_array_append_new(sans, string_of(names->items[i]));
    put(domain, "main", string_of(names->count != 0 ? names->items[0] : STR_NONE));
    put(domain, "sans", json_array_size(sans) != 0 ? json_incref(sans) : NULL);
    put(object, "domain", domain);
    json_decref(sans);
}

static json_t *account_json(const struct state_account *account)
{
    if (account == NULL)
        return json_null();
    json_t *json = copy_of(account->origin);
    json_t *former = member_of(json, "Registration");
    json_t *registration = json_is_object(former) ? json_copy(former) : json_object();
    /* Traefik reads the body: an account that is not "valid" is registered anew. */
    if (member_of(registration, "body") == NULL)
        put(registration, "body", json_pack("{s:s}", "status", "valid"));
    put(registration, "uri", string_of(account->url));
    put(json, "Email", string_of(account->email));
    put(json, "Registration", registration);
    put(json, "PrivateKey", bytes_of(account->key));
    put(json, "KeyType", string_of(account->key_type));
    return json;
}

static json_t *meta_json(const struct state_certificate *certificate)
{
    json_t *json = copy_of(certificate->origin);
    put_names(json, &certificate->names);
    put(json, "Store", string_of(str_empty(certificate->store) ? S("default") : certificate->store));
    put(json, "CA", !str_empty(certificate->authority) ? string_of(certificate->authority) : NULL);
    put(json, "Unwanted", certificate->unwanted_since != 0 ? json_integer(certificate->unwanted_since) : NULL);
    put(json, "OnDemand", certificate->on_demand ? json_true() : NULL);
    return json;
}

static json_t *certificate_json(const struct state_certificate *certificate)
{
    json_t *json = meta_json(certificate);
    put(json, "certificate", bytes_of(certificate->chain));
    put(json, "key", bytes_of(certificate->key));
    return json;
}

static json_t *order_json(const struct state_order *order)
{
    json_t *json = json_object();
    put_names(json, &order->names);
    put(json, "url", string_of(order->url));
    put(json, "key", bytes_of(order->key));
    put(json, "fallback", order->rank == ACCOUNT_FALLBACK ? json_true() : NULL);
    put(json, "onDemand", order->on_demand ? json_true() : NULL);
    return json;
}

static json_t *problem_json(const struct state_problem *problem)
{
    json_t *json = json_object();
    put_names(json, &problem->names);
    put(json, "text", string_of(problem->text));
    put(json, "hint", string_of(problem->hint));
    put(json, "failures", json_integer(problem->failures));
    put(json, "failedAt", json_integer(problem->failed_at));
    put(json, "nextTry", json_integer(problem->next_try));
    return json;
}

#define LIST_JSON(list, to_json, ret_list) \
    json_t *ret_list = json_array(); \
    for (size_t i = 0; i < (list)->count; i++) \
    json_array_append_new(ret_list, to_json((list)->items[i]))

/* `alone`: certificates lie in folders of their own. */
static json_t *state_object(const struct state *state, bool alone)
{
    json_t *json = copy_of(state->origin);
    LIST_JSON(&state->certificates, certificate_json, certificates);
    LIST_JSON(&state->orders, order_json, orders);
    LIST_JSON(&state->problems, problem_json, problems);
    const struct state_account *fallback = state->accounts[ACCOUNT_FALLBACK];
    put(json, "Account", account_json(state->accounts[ACCOUNT_FIRST]));
    put(json, "FallbackAccount", fallback != NULL ? account_json(fallback) : NULL);
    put(json, "Certificates", alone ? NULL : json_incref(certificates));
    put(json, "Orders", json_array_size(orders) != 0 ? json_incref(orders) : NULL);
    put(json, "Problems", json_array_size(problems) != 0 ? json_incref(problems) : NULL);
    json_decref(certificates);
    json_decref(orders);
    json_decref(problems);
    return json;
}

static int add_to_text(const char *bytes, size_t size, void *data)
{
    text_add(data, str_of(bytes, size));
    return 0;
}

/* Takes `json`. */
static bool dump(json_t *json, struct text *out)
{
    bool good = json_dump_callback(json, add_to_text, out, JSON_INDENT(2)) == 0;
    text_add_char(out, '\n');
    json_decref(json);
    return good && !out->overflow;
}

bool state_format(struct str former, struct str resolver, const struct state *state, struct text *ret_text, struct text *why)
{
    if (str_empty(resolver))
        return dump(state_object(state, true), ret_text);
    json_t *root = load(former, why);
    if (root == NULL)
        return false;
    char *name = memory_copy_text(resolver.data, resolver.len);
    json_object_set_new(root, name, state_object(state, false));
    free(name);
    bool good = dump(root, ret_text);
    if (!good)
        text_add(why, S("it would be too large"));
    return good;
}

bool state_format_meta(const struct state_certificate *certificate, struct text *ret_text)
{
    return dump(meta_json(certificate), ret_text);
}
