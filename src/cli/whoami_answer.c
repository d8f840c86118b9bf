/* What whoami says, by path. Knows nothing of connections: it fills a response. */
#include "base/text.h"
#include "cli/whoami.h"
#include "http/uri.h"
#include "proto/ws/handshake.h"

#define TEXT_MAX ((size_t)8 << 20)
#define DATA_LINE 32

/* ---- responses ---- */

static void begin(struct visit *visit, int status, struct str content_type)
{
    visit->response = (struct response){.status = status, .version = HTTP_1_1};
    fields_init(&visit->response.fields, &visit->arena, 4);
    fields_init(&visit->response.trailers, &visit->arena, 0);
    fields_add_id(&visit->response.fields, FIELD_CONTENT_TYPE, content_type);
}

/* `body` lasts as long as the visit. */
static void set_body(struct visit *visit, struct str body)
{
    visit->response.body_length = (int64_t)body.len;
    if (body.len != 0)
        chunkq_add_static(&visit->out, body);
}

static void set_body_text(struct visit *visit, struct text *text)
{
    struct str body = text->overflow ? STR_NONE : arena_str(&visit->arena, text_str(text));
    if (body.data == NULL)
        visit->response.status = 500;
    set_body(visit, body);
    text_release(text);
}

void whoami_answer_text(struct visit *visit, int status, struct str text)
{
    begin(visit, status, S("text/plain; charset=utf-8"));
    set_body(visit, arena_printf(&visit->arena, "%.*s\n", STR_ARGS(text)));
}

/* ---- the query ---- */

/* A parameter's value, decoded; data NULL when it is not there. */
static struct str parameter(const struct request *request, struct str name, struct arena *arena)
{
    struct str rest = request->query, key, value;
    while (rest.data != NULL && uri_next_pair(&rest, &key, &value))
        if (str_equal(key, name))
            return uri_decode_query(arena, value, &value) && value.data != NULL ? value : S("");
    return STR_NONE;
}

int64_t whoami_delay(const struct request *request, struct arena *arena)
{
    struct str text = parameter(request, S("wait"), arena);
    int64_t wait = 0;
    if (text.data == NULL)
        return 0;
    return time_parse_duration(text, &wait) && wait >= 0 ? wait : -1;
}

/* ---- / and /api ---- */

static void add_remote(const struct visit *visit, struct text *text)
{
    const struct client *client = visit->stream.client;
    char address[IP_TEXT_SIZE];
    struct str shown = str_of(address, ip_format(&client->peer, address));
    if (client->unix_socket)
        text_add(text, S("@"));
    else
        text_addf(text, str_find_char(shown, ':', 0) >= 0 ? "[%.*s]:%u" : "%.*s:%u", STR_ARGS(shown), client->peer_port);
}

static void answer_text(struct visit *visit)
{
    const struct whoami *whoami = visit->whoami;
    const struct request *request = &visit->stream.request;
    struct text text;
    text_init(&text, TEXT_MAX);
    if (whoami->name.len != 0)
        text_addf(&text, "Name: %.*s\n", STR_ARGS(whoami->name));
    text_addf(&text, "Hostname: %s\n", whoami->host_name);
    for (size_t i = 0; i < whoami->addresses.count; i++)
        text_addf(&text, "IP: %s\n", whoami->addresses.items[i]);
    text_add(&text, S("RemoteAddr: "));
    add_remote(visit, &text);
    text_addf(&text, "\n%.*s %.*s HTTP/%d.%d\n", STR_ARGS(request->method_name), STR_ARGS(request->target),
              request->version / 10, request->version % 10);
    FIELDS_FOREACH(&request->fields, field)
        text_addf(&text, "%.*s: %.*s\n", STR_ARGS(field->name), STR_ARGS(field->value));
    text_add_char(&text, '\n');
    begin(visit, 200, S("text/plain; charset=utf-8"));
    set_body_text(visit, &text);
}

static void add_string(struct text *text, struct str s)
{
    text_add_char(text, '"');
    text_add_json(text, s);
    text_add_char(text, '"');
}

static void add_member(struct text *text, const char *key, struct str value)
{
    text_addf(text, "\"%s\":", key);
    add_string(text, value);
    text_add_char(text, ',');
}

static bool was_before(const struct fields *fields, const struct field *field)
{
    FIELDS_FOREACH(fields, it) {
        if (it == field)
            return false;
        if (str_equal_nocase(it->name, field->name))
            return true;
    }
    return false;
}

/* {"Accept":["a","b"]}: values under the name as it was first spelt; Host is a member of its own. */
static void add_headers(const struct fields *fields, struct text *text)
{
    const char *between = "";
    text_add(text, S("\"headers\":{"));
    FIELDS_FOREACH(fields, field) {
        if (field->id == FIELD_HOST || was_before(fields, field))
            continue;
        text_add(text, str_from(between));
        add_string(text, field->name);
        const char *opening = ":[";
        FIELDS_FOREACH(fields, it) {
            if (!str_equal_nocase(it->name, field->name))
                continue;
            text_add(text, str_from(opening));
            add_string(text, it->value);
            opening = ",";
        }
        text_add_char(text, ']');
        between = ",";
    }
    text_add(text, S("},"));
}

static void answer_api(struct visit *visit)
{
    const struct whoami *whoami = visit->whoami;
    const struct request *request = &visit->stream.request;
    struct text text, remote;
    text_init(&text, TEXT_MAX);
    text_init(&remote, IP_TEXT_SIZE + 16);
    add_remote(visit, &remote);
    text_add_char(&text, '{');
    add_member(&text, "hostname", str_from(whoami->host_name));
    text_add(&text, S("\"ip\":["));
    for (size_t i = 0; i < whoami->addresses.count; i++) {
        text_add(&text, i != 0 ? S(",") : S(""));
        add_string(&text, str_from(whoami->addresses.items[i]));
    }
    text_add(&text, S("],"));
    add_headers(&request->fields, &text);
    add_member(&text, "url", request->target);
    add_member(&text, "host", request->authority);
    add_member(&text, "method", request->method_name);
    add_member(&text, "name", whoami->name);
    add_member(&text, "remoteAddr", text_str(&remote));
    text_addf(&text, "\"bodySize\":%llu}\n", (unsigned long long)visit->body_bytes);
    text_release(&remote);
    begin(visit, 200, S("application/json"));
    set_body_text(visit, &text);
}

/* ---- /health ---- */

static void answer_health(struct visit *visit)
{
    uint64_t status;
    if (visit->stream.request.method != METHOD_POST) {
        whoami_answer_text(visit, visit->whoami->health, http_reason(visit->whoami->health));
        return;
    }
    size_t length = visit->body_bytes < sizeof(visit->body_start) ? (size_t)visit->body_bytes : 0;
    bool good = str_to_u64(str_trim_space(str_of(visit->body_start, length)), &status) && status >= 200 && status <= 599;
    if (good)
        visit->whoami->health = (int)status;
    whoami_answer_text(visit, good ? 200 : 400, good ? S("set") : S("the body must be a status from 200 to 599"));
}

/* ---- /data ---- */

/* "100", "64KB", "1MiB": units are powers of 1024, as whoami's always were. */
static bool parse_size(struct str text, uint64_t *ret_size)
{
    static const struct str units[] = {STR("k"), STR("m"), STR("g"), STR("t")};
    size_t digits = 0;
    while (digits < text.len && ascii_digit(text.data[digits]))
        digits++;
    struct str unit = str_from_index(text, digits);
    unsigned shift = 0;
    for (unsigned i = 0; i < 4; i++)
        if (str_starts_nocase(unit, units[i]))
            shift = 10 * (i + 1);
    struct str tail = shift != 0 ? str_from_index(unit, 1) : unit;
    bool tail_is_good = tail.len == 0 || str_equal_nocase(tail, S("b")) || (shift != 0 && str_equal_nocase(tail, S("ib")));
    if (!tail_is_good || !str_to_u64(str_first(text, digits), ret_size) || *ret_size > (uint64_t)INT64_MAX >> shift)
        return false;
    *ret_size <<= shift;
    return true;
}

static void answer_data(struct visit *visit)
{
    const struct request *request = &visit->stream.request;
    struct str text = parameter(request, S("size"), &visit->arena), unit = parameter(request, S("unit"), &visit->arena);
    uint64_t size = 0;
    if (text.data != NULL && !parse_size(arena_concat(&visit->arena, text, unit), &size)) {
        whoami_answer_text(visit, 400, S("size is a number, perhaps with KB, MB, GB or TB"));
        return;
    }
    begin(visit, 200, S("application/octet-stream"));
    if (str_equal(parameter(request, S("attachment"), &visit->arena), S("true")))
        fields_add(&visit->response.fields, S("Content-Disposition"), S("attachment; filename=\"data.txt\""));
    visit->response.body_length = (int64_t)size;
    visit->data_left = size;
}

/* The same lines over and over: they are never copied. */
void whoami_add_data(struct visit *visit, size_t room)
{
    static char pattern[DATA_LINE * 1024];
    if (pattern[0] == '\0')
        for (size_t i = 0; i < sizeof(pattern); i++)
            pattern[i] = "|-ABCDEFGHIJKLMNOPQRSTUVWXYZ-|\n\n"[i % DATA_LINE];
    while (room != 0 && visit->data_left != 0) {
        size_t part = room < sizeof(pattern) ? room : sizeof(pattern);
        part = visit->data_left < part ? (size_t)visit->data_left : part;
        chunkq_add_static(&visit->out, str_of(pattern, part));
        visit->data_left -= part;
        room -= part;
    }
}

/* ---- what is asked for ---- */

static bool answer_websocket(struct visit *visit)
{
    struct str key;
    enum status status = ws_handshake_check(&visit->stream.request, &key);
    if (status == STATUS_OK) {
        whoami_echo_begin(visit, key);
        return false;
    }
    whoami_answer_text(visit, status == STATUS_END ? 426 : 400, S("this is a WebSocket"));
    fields_add_id(&visit->response.fields, FIELD_UPGRADE, S("websocket"));
    fields_add(&visit->response.fields, S("Sec-WebSocket-Version"), S("13"));
    return true;
}

bool whoami_answer(struct visit *visit)
{
    struct str path = visit->stream.request.path;
    if (str_equal(path, S("/ws")) || str_equal(path, S("/echo")))
        return answer_websocket(visit);
    if (str_equal(path, S("/bench"))) {
        begin(visit, 200, S("text/plain"));
        set_body(visit, S("1"));
    } else if (str_equal(path, S("/api"))) {
        answer_api(visit);
    } else if (str_equal(path, S("/health"))) {
        answer_health(visit);
    } else if (str_equal(path, S("/data"))) {
        answer_data(visit);
    } else {
        answer_text(visit);
    }
    return true;
}
