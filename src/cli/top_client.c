#include "cli/top_client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/version.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define RETRY_MS 1000
#define CONNECT_TIMEOUT_MS 5000L
#define STREAM -1                 /* the live stream's tag */

/* One request; the live stream is one that does not end. */
struct asked {
    struct list link;
    struct top_client *client;
    CURL *easy;
    struct curl_slist *fields;
    int tag;
    struct text body;             /* of the answer; of a stream what is not yet a whole line */
    struct text event;            /* the name of the event whose data comes next */
    char *sent;
    char error[CURL_ERROR_SIZE];
};

struct top_client {
    struct top_client_settings settings;
    struct top_client_handler handler;
    CURLM *multi;
    struct list asked;
    int64_t stream_due;           /* monotonic ms at which the stream is tried again; 0: it runs */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- requests ---- */

static void asked_free(struct asked *asked)
{
    curl_multi_remove_handle(asked->client->multi, asked->easy);
    curl_easy_cleanup(asked->easy);
    curl_slist_free_all(asked->fields);
    list_remove(&asked->link);
    text_release(&asked->body);
    text_release(&asked->event);
    free(asked->sent);
    free(asked);
}

/* A line of the stream (WHATWG, server-sent events): our own have one line of data each. */
static void take_line(struct asked *asked, struct str line)
{
    if (str_ends(line, S("\r")))
        line = str_first(line, line.len - 1);
    if (str_starts(line, S("event:"))) {
        text_clear(&asked->event);
        text_add(&asked->event, str_trim(str_from_index(line, 6)));
    } else if (str_starts(line, S("data:"))) {
        struct str data = str_trim(str_from_index(line, 5));
        json_t *body = json_loadb(data.data, data.len, 0, NULL);
        if (body != NULL)
            asked->client->handler.on_event(asked->client->handler.owner, text_str(&asked->event), body);
        json_decref(body);
    }
}

static size_t on_stream_bytes(char *bytes, size_t size, size_t count, void *owner)
{
    struct asked *asked = owner;
    text_add(&asked->body, str_of(bytes, size * count));
    struct str rest = text_str(&asked->body);
    ptrdiff_t end;
    while ((end = str_find_char(rest, '\n', 0)) >= 0) {
        take_line(asked, str_first(rest, (size_t)end));
        rest = str_from_index(rest, (size_t)end + 1);
    }
    size_t left = rest.len;
    if (left != 0)
        memmove(asked->body.data, rest.data, left);
    asked->body.len = left;
    return size * count;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *owner)
{
    struct asked *asked = owner;
    text_add(&asked->body, str_of(bytes, size * count));
    return asked->body.overflow ? 0 : size * count;
}

static void set_options(struct asked *asked, const char *url)
{
    const struct top_client_settings *settings = &asked->client->settings;
    CURL *easy = asked->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, asked);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, asked->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "portico-top/" PORTICO_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, asked->tag == STREAM ? on_stream_bytes : on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, asked);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, asked->fields);
    if (asked->tag != STREAM)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (asked->tag == STREAM)
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    if (settings->user != NULL)
        curl_easy_setopt(easy, CURLOPT_USERPWD, settings->user);
    if (settings->ca != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
    if (settings->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (asked->sent != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, asked->sent);
}

static bool is_under_way(const struct top_client *client, int tag)
{
    LIST_FOREACH(&client->asked, it)
        if (container_of(it, struct asked, link)->tag == tag)
            return true;
    return false;
}

static void begin(struct top_client *client, int tag, const char *path, char *sent)
{
    struct text url;
    struct asked *asked = memory_zalloc(sizeof(*asked));
    asked->client = client;
    asked->tag = tag;
    asked->sent = sent;
    text_init(&asked->body, ANSWER_MAX);
    text_init(&asked->event, 256);
    list_append(&client->asked, &asked->link);
    asked->easy = curl_easy_init();
    if (sent != NULL)
        asked->fields = curl_slist_append(NULL, "Content-Type: application/json");
    text_init(&url, 1 << 16);
    text_addf(&url, "%s/api/portico/%s", client->settings.url, path);
    set_options(asked, text_c(&url));
    text_release(&url);
    curl_multi_add_handle(client->multi, asked->easy);
}

void top_client_ask(struct top_client *client, int tag, const char *path, json_t *body)
{
    if (!is_under_way(client, tag))
        begin(client, tag, path, body != NULL ? json_dumps(body, JSON_COMPACT) : NULL);
    json_decref(body);
}

/* ---- what came of them ---- */

static void tell_answer(struct asked *asked, const char *failure, long status)
{
    const struct top_client_handler *handler = &asked->client->handler;
    json_t *body = failure == NULL ? json_loadb(asked->body.data, asked->body.len, JSON_DECODE_ANY, NULL) : NULL;
    const char *message = json_string_value(json_object_get(body, "message"));
    char other[64];
    snprintf(other, sizeof(other), "the answer is %ld", status);
    const char *problem = failure != NULL ? failure : status >= 400 ? message != NULL ? message : other : body == NULL ? "the answer is no JSON: is the API at this URL?" : NULL;
    handler->on_answer(handler->owner, asked->tag, body, problem);
    json_decref(body);
}

/* What people can do something with; the library's own words else. */
static const char *say_failure(const struct asked *asked, CURLcode code, char *room, size_t size)
{
    const char *url = asked->client->settings.url, *own = asked->error[0] != '\0' ? asked->error : curl_easy_strerror(code);
    if (code == CURLE_OK)
        return NULL;
    if (code == CURLE_COULDNT_CONNECT)
        snprintf(room, size, "nothing answers at %s: does Portico run there with its API on? (portico top URL)", url);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        snprintf(room, size, "the name in %s does not resolve", url);
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        snprintf(room, size, "the certificate of %s is not trusted: name its authority with --ca (%s)", url, own);
    else
        snprintf(room, size, "%s: %s", url, own);
    return room;
}

static void end(struct asked *asked, CURLcode code)
{
    char room[512];
    struct top_client *client = asked->client;
    const char *failure = say_failure(asked, code, room, sizeof(room));
    long status = 0;
    curl_easy_getinfo(asked->easy, CURLINFO_RESPONSE_CODE, &status);
    if (asked->tag == STREAM) {
        client->stream_due = now_ms() + RETRY_MS;
        client->handler.on_lost(client->handler.owner, failure != NULL ? failure : "the stream ended");
    } else {
        tell_answer(asked, failure, status);
    }
    asked_free(asked);
}

bool top_client_wait(struct top_client *client, int fd, int milliseconds)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running, left;
    if (client->stream_due != 0 && now_ms() >= client->stream_due) {
        client->stream_due = 0;
        begin(client, STREAM, "live", NULL);
    }
    curl_multi_poll(client->multi, &extra, fd >= 0, milliseconds, NULL);
    curl_multi_perform(client->multi, &running);
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct asked *asked;
        if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &asked) == CURLE_OK)
            end(asked, message->data.result);
    }
    return fd >= 0 && extra.revents != 0;
}

/* ---- life ---- */

struct top_client *top_client_new(const struct top_client_settings *settings, const struct top_client_handler *handler)
{
    struct top_client *client = memory_zalloc(sizeof(*client));
    client->settings = *settings;
    client->handler = *handler;
    list_init(&client->asked);
    client->multi = curl_load() == NULL ? curl_multi_init() : NULL;
    if (client->multi == NULL) {
        free(client);
        return NULL;
    }
    client->stream_due = 1;
    return client;
}

void top_client_free(struct top_client *client)
{
    while (!list_empty(&client->asked))
        asked_free(container_of(client->asked.next, struct asked, link));
    curl_multi_cleanup(client->multi);
    free(client);
}

char *top_client_escape(const struct top_client *client, const char *text)
{
    return curl_easy_escape(NULL, text, 0);
}
