/* Reads with jansson; every text has a longest length, and those that people will see have their control characters taken
 * out, since they end up in logs and terminals. Members that are not known are passed over, as RFC 8555 6 wants. */
#include "acme/messages.h"

#include <assert.h>
#include <jansson.h>

#include "net/addr.h"

#define URL_MAX 2048
#define TOKEN_MAX 512
#define WORDS_MAX 1024              /* of a CA's explanation */
#define TYPE_MAX 128
#define SUBPROBLEMS_MAX 100
#define PROFILES_MAX 100
#define CHALLENGES_MAX 50

/* ---- pieces ---- */

static json_t *load(struct str json)
{
    if (json.len == 0 || json.len > ACME_MESSAGE_MAX)
        return NULL;
    json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    if (root != NULL && !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

/* A member that may be missing (then *ret is empty) but not be anything else than a string. */
static bool text_member(const json_t *object, const char *name, struct str *ret)
{
    const json_t *value = json_object_get(object, name);
    *ret = value != NULL ? str_of(json_string_value(value), json_string_length(value)) : STR_NONE;
    return value == NULL || json_is_null(value) || json_is_string(value);
}

/* For people: one line, not too long. What is too long is cut between characters. */
static bool words_member(const json_t *object, const char *name, struct arena *arena, struct str *ret)
{
    struct str text;
    if (!text_member(object, name, &text))
        return false;
    size_t len = text.len < WORDS_MAX ? text.len : WORDS_MAX;
    while (len < text.len && len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80)
        len--;
    char *out = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i];
    out[len] = '\0';
    *ret = str_of(out, len);
    return true;
}

static bool is_url(struct str text)
{
    if (text.len > URL_MAX || (!str_starts(text, S("https://")) && !str_starts(text, S("http://"))))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7f)
            return false;
    return true;
}

/* An absolute http or https URL, empty when missing. */
static bool url_member(const json_t *object, const char *name, struct arena *arena, struct str *ret)
{
    struct str text;
    if (!text_member(object, name, &text) || (text.len != 0 && !is_url(text)))
        return false;
    *ret = arena_str(arena, text);
    return true;
}

static bool state_member(const json_t *object, enum acme_state *ret_state)
{
    static const struct str names[] = {STR_NONE,         STR("pending"), STR("ready"),       STR("processing"), STR("valid"),
                                       STR("invalid"),   STR("deactivated"), STR("expired"), STR("revoked")};
    struct str text;
    if (!text_member(object, "status", &text))
        return false;
    for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(text, names[i])) {
            *ret_state = (enum acme_state)i;
            return true;
        }
    return false;
}

/* An identifier's value (RFC 8555 7.1.4, RFC 8738 2): a host name or an address. */
static bool is_name(struct str value, bool address)
{
    struct ip ip;
    if (value.len == 0 || value.len > 253)
        return false;
    if (address)
        return ip_parse(value, &ip);
    for (size_t i = 0; i < value.len; i++)
        if (!ascii_alpha(value.data[i]) && !ascii_digit(value.data[i]) && value.data[i] != '-' && value.data[i] != '.' &&
            value.data[i] != '_' && value.data[i] != '*')
            return false;
    return true;
}

/* "2001:DB8:0::1" becomes "2001:db8::1": whoever compares has one spelling. */
static struct str plain_name(struct str value, bool address, struct arena *arena)
{
    struct ip ip;
    char text[IP_TEXT_SIZE];
    if (address && ip_parse(value, &ip))
        return arena_str(arena, str_of(text, ip_format(&ip, text)));
    return arena_str(arena, arena_lower(arena, value));
}

static bool identifier_member(const json_t *object, struct arena *arena, struct str *ret_name, bool *ret_address)
{
    const json_t *identifier = json_object_get(object, "identifier");
    struct str type, value;
    if (!json_is_object(identifier) || !text_member(identifier, "type", &type) || !text_member(identifier, "value", &value))
        return false;
    *ret_address = str_equal(type, S("ip"));
    if ((!*ret_address && !str_equal(type, S("dns"))) || !is_name(value, *ret_address))
        return false;
    *ret_name = plain_name(value, *ret_address, arena);
    return true;
}

/* ---- problems ---- */

static bool read_problem(const json_t *object, struct arena *arena, struct acme_problem *problem, bool outermost);

static bool read_subproblems(const json_t *object, struct arena *arena, struct acme_problem *problem)
{
    const json_t *list = json_object_get(object, "subproblems");
    if (list == NULL || json_is_null(list))
        return true;
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > SUBPROBLEMS_MAX)
        return false;
    problem->subproblems = arena_array(arena, struct acme_problem, count);
    problem->subproblem_count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_problem(json_array_get(list, i), arena, &problem->subproblems[i], false))
            return false;
    return true;
}

static bool read_problem(const json_t *object, struct arena *arena, struct acme_problem *problem, bool outermost)
{
    struct str type;
    bool address;
    *problem = (struct acme_problem){0};
    if (!json_is_object(object) || !text_member(object, "type", &type) || type.len > TYPE_MAX ||
        !words_member(object, "type", arena, &problem->type) || !words_member(object, "detail", arena, &problem->detail))
        return false;
    const json_t *status = json_object_get(object, "status");
    if (json_is_integer(status) && json_integer_value(status) >= 100 && json_integer_value(status) < 600)
        problem->status = (int)json_integer_value(status);
    if (json_object_get(object, "identifier") != NULL &&
        !identifier_member(object, arena, &problem->identifier, &address))
        return false;
    return !outermost || read_subproblems(object, arena, problem);
}

bool acme_read_problem(struct str json, struct arena *arena, struct acme_problem *ret_problem)
{
    json_t *root = load(json);
    bool good = root != NULL && read_problem(root, arena, ret_problem, true);
    json_decref(root);
    return good;
}

/* `error` of an order or a challenge; NULL when there is none. */
static bool error_member(const json_t *object, struct arena *arena, struct acme_problem **ret_problem)
{
    const json_t *error = json_object_get(object, "error");
    *ret_problem = NULL;
    if (error == NULL || json_is_null(error))
        return true;
    *ret_problem = arena_new(arena, struct acme_problem);
    return read_problem(error, arena, *ret_problem, true);
}

/* ---- directory and account ---- */

static bool read_profiles(const json_t *meta, struct arena *arena, struct strs *profiles)
{
    json_t *object = json_object_get(meta, "profiles");
    const char *name;
    json_t *value;
    if (object == NULL || json_is_null(object))
        return true;
    if (!json_is_object(object) || json_object_size(object) > PROFILES_MAX)
        return false;
    profiles->items = arena_array(arena, struct str, json_object_size(object));
    json_object_foreach(object, name, value)
        profiles->items[profiles->count++] = arena_str(arena, str_from(name));
    return true;
}

static bool read_meta(const json_t *root, struct arena *arena, struct acme_directory *directory)
{
    const json_t *meta = json_object_get(root, "meta");
    if (meta == NULL)
        return true;
    const json_t *required = json_object_get(meta, "externalAccountRequired");
    directory->external_account_required = json_is_true(required);
    return json_is_object(meta) && (required == NULL || json_is_boolean(required)) &&
           words_member(meta, "termsOfService", arena, &directory->terms_of_service) &&
           words_member(meta, "website", arena, &directory->website) && read_profiles(meta, arena, &directory->profiles);
}

bool acme_read_directory(struct str json, struct arena *arena, struct acme_directory *ret_directory)
{
    json_t *root = load(json);
    *ret_directory = (struct acme_directory){0};
    bool good = root != NULL && url_member(root, "newNonce", arena, &ret_directory->new_nonce) &&
                url_member(root, "newAccount", arena, &ret_directory->new_account) &&
                url_member(root, "newOrder", arena, &ret_directory->new_order) &&
                url_member(root, "renewalInfo", arena, &ret_directory->renewal_info) && ret_directory->new_nonce.len != 0 &&
                ret_directory->new_account.len != 0 && ret_directory->new_order.len != 0 &&
                read_meta(root, arena, ret_directory);
    json_decref(root);
    return good;
}

bool acme_read_account(struct str json, struct acme_account_message *ret_account)
{
    json_t *root = load(json);
    bool good = root != NULL && state_member(root, &ret_account->state);
    json_decref(root);
    return good;
}

/* ---- orders ---- */

static bool read_urls(const json_t *list, struct arena *arena, struct strs *ret_urls)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > ACME_NAMES_MAX)
        return false;
    *ret_urls = (struct strs){.items = arena_array(arena, struct str, count), .count = count};
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct str url = str_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item) || !is_url(url))
            return false;
        ret_urls->items[i] = arena_str(arena, url);
    }
    return true;
}

bool acme_read_order(struct str json, struct arena *arena, struct acme_order_message *ret_order)
{
    json_t *root = load(json);
    *ret_order = (struct acme_order_message){0};
    bool good = root != NULL && state_member(root, &ret_order->state) &&
                read_urls(json_object_get(root, "authorizations"), arena, &ret_order->authorizations) &&
                url_member(root, "finalize", arena, &ret_order->finalize) && ret_order->finalize.len != 0 &&
                url_member(root, "certificate", arena, &ret_order->certificate) &&
                error_member(root, arena, &ret_order->error);
    json_decref(root);
    return good;
}

/* ---- authorizations and challenges ---- */

const char *acme_challenge_name(enum acme_challenge_type type)
{
    static const char *const names[] = {
        [ACME_TLS_ALPN_01] = "tls-alpn-01", [ACME_HTTP_01] = "http-01", [ACME_DNS_01] = "dns-01"};
    assert(type < ACME_CHALLENGE_TYPES);
    return names[type];
}

/* Its characters are those of base64url (RFC 8555 8.3): it becomes part of a path. */
static bool is_token(struct str token)
{
    for (size_t i = 0; i < token.len; i++)
        if (!ascii_alpha(token.data[i]) && !ascii_digit(token.data[i]) && token.data[i] != '-' && token.data[i] != '_')
            return false;
    return token.len != 0 && token.len <= TOKEN_MAX;
}

enum reading { READING_BAD, READING_OTHER /* a type that we do not know */, READING_GOOD };

static enum reading read_challenge(const json_t *object, struct arena *arena, struct acme_challenge_message *challenge)
{
    struct str type, token;
    *challenge = (struct acme_challenge_message){.type = ACME_CHALLENGE_TYPES};
    if (!json_is_object(object) || !text_member(object, "type", &type))
        return READING_BAD;
    for (int i = 0; i < ACME_CHALLENGE_TYPES; i++)
        if (str_equal(type, str_from(acme_challenge_name((enum acme_challenge_type)i))))
            challenge->type = (enum acme_challenge_type)i;
    if (challenge->type == ACME_CHALLENGE_TYPES)
        return READING_OTHER;
    if (!state_member(object, &challenge->state) || !text_member(object, "token", &token) || !is_token(token) ||
        !url_member(object, "url", arena, &challenge->url) || challenge->url.len == 0 ||
        !error_member(object, arena, &challenge->error))
        return READING_BAD;
    challenge->token = arena_str(arena, token);
    return READING_GOOD;
}

bool acme_read_challenge(struct str json, struct arena *arena, struct acme_challenge_message *ret_challenge)
{
    json_t *root = load(json);
    bool good = root != NULL && read_challenge(root, arena, ret_challenge) == READING_GOOD;
    json_decref(root);
    return good;
}

static bool read_challenges(const json_t *list, struct arena *arena, struct acme_authorization_message *authorization)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > CHALLENGES_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct acme_challenge_message challenge;
        enum reading reading = read_challenge(json_array_get(list, i), arena, &challenge);
        if (reading == READING_BAD)
            return false;
        if (reading == READING_GOOD)
            authorization->challenges[challenge.type] = challenge;
    }
    return true;
}

bool acme_read_authorization(struct str json, struct arena *arena, struct acme_authorization_message *ret_authorization)
{
    json_t *root = load(json);
    *ret_authorization = (struct acme_authorization_message){0};
    const json_t *wildcard = json_object_get(root, "wildcard");
    bool good = root != NULL && state_member(root, &ret_authorization->state) &&
                identifier_member(root, arena, &ret_authorization->name, &ret_authorization->address) &&
                (wildcard == NULL || json_is_boolean(wildcard)) &&
                read_challenges(json_object_get(root, "challenges"), arena, ret_authorization);
    ret_authorization->wildcard = json_is_true(wildcard);
    json_decref(root);
    return good;
}

/* ---- renewal information ---- */

bool acme_read_renewal(struct str json, struct arena *arena, struct acme_renewal_message *ret_renewal)
{
    json_t *root = load(json);
    const json_t *window = json_object_get(root, "suggestedWindow");
    struct str start, end;
    *ret_renewal = (struct acme_renewal_message){0};
    bool good = json_is_object(window) && text_member(window, "start", &start) && text_member(window, "end", &end) &&
                acme_read_time(start, &ret_renewal->window_start) && acme_read_time(end, &ret_renewal->window_end) &&
                ret_renewal->window_start < ret_renewal->window_end &&
                words_member(root, "explanationURL", arena, &ret_renewal->explanation_url);
    json_decref(root);
    return good;
}

/* ---- texts that are no JSON ---- */

/* `digits` of them; moves on behind. */
static bool number(struct str *text, size_t digits, int *ret_value)
{
    if (text->len < digits)
        return false;
    *ret_value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!ascii_digit(text->data[i]))
            return false;
        *ret_value = *ret_value * 10 + (text->data[i] - '0');
    }
    *text = str_from_index(*text, digits);
    return true;
}

static bool literal(struct str *text, const char *one_of)
{
    if (text->len == 0 || strchr(one_of, text->data[0]) == NULL || text->data[0] == '\0')
        return false;
    *text = str_from_index(*text, 1);
    return true;
}

/* Days from 1970-01-01, in the Gregorian calendar; years begin in March, so that a leap day ends one. */
static int64_t days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool read_zone(struct str text, int64_t *ret_offset)
{
    int hours, minutes;
    *ret_offset = 0;
    if (text.len == 1)
        return text.data[0] == 'Z' || text.data[0] == 'z';
    bool west = text.len != 0 && text.data[0] == '-';
    if (!literal(&text, "+-") || !number(&text, 2, &hours) || !literal(&text, ":") || !number(&text, 2, &minutes) ||
        text.len != 0 || hours > 23 || minutes > 59)
        return false;
    *ret_offset = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool acme_read_time(struct str text, int64_t *ret_seconds)
{
    int year, month, day, hour, minute, second;
    int64_t offset;
    if (!number(&text, 4, &year) || !literal(&text, "-") || !number(&text, 2, &month) || !literal(&text, "-") ||
        !number(&text, 2, &day) || !literal(&text, "Tt ") || !number(&text, 2, &hour) || !literal(&text, ":") ||
        !number(&text, 2, &minute) || !literal(&text, ":") || !number(&text, 2, &second))
        return false;
    if (literal(&text, "."))
        while (text.len != 0 && ascii_digit(text.data[0]))
            text = str_from_index(text, 1);
    if (!read_zone(text, &offset) || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return true;
}

/* One of the words of a quoted or bare rel (RFC 8288 3.3). */
static bool has_relation(struct str value, struct str relation)
{
    struct str word;
    if (value.len >= 2 && value.data[0] == '"')
        value = str_of(value.data + 1, value.len - 2);
    while (str_split(&value, ' ', &word))
        if (str_equal_nocase(word, relation))
            return true;
    return false;
}

struct str acme_link_target(struct str value, struct str relation)
{
    struct str parameter;
    ptrdiff_t end;
    value = str_trim(value);
    if (value.len == 0 || value.data[0] != '<' || (end = str_find_char(value, '>', 0)) < 0)
        return STR_NONE;
    struct str target = str_of(value.data + 1, (size_t)end - 1), rest = str_from_index(value, (size_t)end + 1);
    while (rest.data != NULL && str_split(&rest, ';', &parameter)) {
        parameter = str_trim(parameter);
        if (str_starts_nocase(parameter, S("rel=")) && has_relation(str_from_index(parameter, 4), relation))
            return is_url(target) ? target : STR_NONE;
    }
    return STR_NONE;
}
