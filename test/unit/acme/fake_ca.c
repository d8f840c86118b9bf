#include "fake_ca.h"

#include <assert.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"

static void add_expanded(struct fake_ca *ca, struct text *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '$')
            text_add(out, str_from(ca->url));
        else
            text_add_char(out, *text);
}

/* The whole request into `in`; gives where its body begins, 0 when the peer left. */
static size_t read_request(int fd, struct text *in)
{
    char piece[4096];
    for (;;) {
        const char *all = text_c(in), *end = strstr(all, "\r\n\r\n"), *length = strcasestr(all, "\r\ncontent-length:");
        size_t body = end != NULL ? (size_t)(end - all) + 4 : 0;
        if (body != 0 && in->len - body >= (length != NULL ? strtoul(length + 17, NULL, 10) : 0))
            return body;
        ssize_t got = recv(fd, piece, sizeof(piece), 0);
        if (got <= 0)
            return 0;
        text_add(in, str_of(piece, (size_t)got));
    }
}

static void note(struct fake_ca *ca, const char *path, struct str body)
{
    json_t *jws = body.len != 0 ? json_loadb(body.data, body.len, 0, NULL) : NULL;
    const char *payload = json_string_value(json_object_get(jws, "payload"));
    char bytes[8192];
    size_t len = 0;
    if (payload != NULL && strlen(payload) < sizeof(bytes))
        base64_decode(BASE64_URL, str_from(payload), bytes, &len);
    text_addf(&ca->asked, "%s %.*s\n", path, (int)len, bytes);
    json_decref(jws);
}

static struct fake_rule *rule_for(struct fake_ca *ca, const char *path)
{
    static struct fake_rule unknown = {.status = 404, .headers = "", .body = ""};
    for (size_t i = 0; i < ca->rule_count; i++) {
        struct fake_rule *rule = &ca->rules[i];
        if (strcmp(rule->path, path) == 0 && (rule->times == 0 || rule->used < rule->times)) {
            rule->used++;
            return rule;
        }
    }
    return &unknown;
}

static void reply(struct fake_ca *ca, int fd, const struct fake_rule *rule, bool head)
{
    struct text out, body;
    text_init(&out, 1 << 20);
    text_init(&body, 1 << 20);
    add_expanded(ca, &body, rule->body);
    text_addf(&out, "HTTP/1.1 %d X\r\nConnection: close\r\nReplay-Nonce: nonce%u\r\nContent-Length: %zu\r\n", rule->status,
              ca->nonces++, body.len);
    add_expanded(ca, &out, rule->headers);
    text_add(&out, S("\r\n"));
    if (!head)
        text_add(&out, text_str(&body));
    send(fd, out.data, out.len, MSG_NOSIGNAL);
    text_release(&out);
    text_release(&body);
}

static void serve_one(struct fake_ca *ca, int fd)
{
    struct text in;
    char method[8] = "", path[256] = "";
    text_init(&in, 1 << 20);
    size_t body = read_request(fd, &in);
    if (body != 0 && sscanf(text_c(&in), "%7s %255s", method, path) == 2) {
        pthread_mutex_lock(&ca->lock);
        struct fake_rule *rule = rule_for(ca, path);
        note(ca, path, str_from_index(text_str(&in), body));
        pthread_mutex_unlock(&ca->lock);
        if (rule->status > 0)
            reply(ca, fd, rule, strcmp(method, "HEAD") == 0);
        else if (rule->status < 0)
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
    }
    text_release(&in);
    close(fd);
}

static void *serve(void *argument)
{
    struct fake_ca *ca = argument;
    int fd;
    while ((fd = accept(ca->listener, NULL, NULL)) >= 0)
        serve_one(ca, fd);
    return NULL;
}

void fake_ca_answer(struct fake_ca *ca, const char *path, int times, int status, const char *headers, const char *body)
{
    pthread_mutex_lock(&ca->lock);
    assert(ca->rule_count < sizeof(ca->rules) / sizeof(ca->rules[0]));
    ca->rules[ca->rule_count++] =
        (struct fake_rule){.path = path, .times = times, .status = status, .headers = headers, .body = body};
    pthread_mutex_unlock(&ca->lock);
}

size_t fake_ca_asked(struct fake_ca *ca, const char *line)
{
    size_t count = 0;
    struct str part;
    pthread_mutex_lock(&ca->lock);
    struct str rest = str_of(text_c(&ca->asked), ca->asked.len);
    while (str_split(&rest, '\n', &part))
        count += str_starts(part, str_from(line));
    pthread_mutex_unlock(&ca->lock);
    return count;
}

void fake_ca_start(struct fake_ca *ca)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    memset(ca, 0, sizeof(*ca));
    text_init(&ca->asked, 1 << 20);
    pthread_mutex_init(&ca->lock, NULL);
    ca->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(ca->listener, (struct sockaddr *)&address, sizeof(address)) | listen(ca->listener, 16) |
                 getsockname(ca->listener, (struct sockaddr *)&address, &len);
    assert(!failed);
    snprintf(ca->url, sizeof(ca->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    pthread_create(&ca->thread, NULL, serve, ca);
}

#define ORDER(state) \
    "{\"status\":\"" state "\",\"authorizations\":[\"$/authz/1\"],\"finalize\":\"$/finalize/1\",\"certificate\":\"$/cert/1\"}"

/* CN=root, signed by itself. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUSoJkmvlf3mgnjtRLNGAGEcCOqVAwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjIwMzQ3MjlaGA8yMTI2MTAyOTAzNDcy\n"
    "OVowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLty\n"
    "Bm09IcoA44k5mrWNtECABD6HmUp8eWQyq1fH3N9lGEXLE6lkvmlRbEJHaIYNma5t\n"
    "nyTuAOH9hMSzl3FwmnWjUzBRMB0GA1UdDgQWBBSejMVAI1s8arJ4nLHiY2ZfiH7/\n"
    "DTAfBgNVHSMEGDAWgBSejMVAI1s8arJ4nLHiY2ZfiH7/DTAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIEgpSIZ/trgheH7p8hGy5AQ+Nal+2VR7WKzC\n"
    "m/8QYyYOAiEA6Mzn6RfnDrVA1+7Pfyzncb6OkUIwsfeuGnFIJmUD3gE=\n"
    "-----END CERTIFICATE-----\n";

/* What the tests leave as it is stands behind what they say themselves. */
void fake_ca_usual(struct fake_ca *ca)
{
    fake_ca_answer(ca, "/dir", 0, 200, "",
                   "{\"newNonce\":\"$/nonce\",\"newAccount\":\"$/account\",\"newOrder\":\"$/order\",\"renewalInfo\":\"$/ari\","
                   "\"meta\":{\"profiles\":{\"classic\":\"\",\"short\":\"\"}}}");
    fake_ca_answer(ca, "/nonce", 0, 200, "", "");
    fake_ca_answer(ca, "/order", 0, 201, "Location: $/order/1\r\n", ORDER("pending"));
    fake_ca_answer(ca, "/order/1", 0, 200, "", ORDER("ready"));
    fake_ca_answer(ca, "/authz/1", 0, 200, "",
                   "{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"challenges\":[]}");
    fake_ca_answer(ca, "/tls-alpn-01", 0, 200, "", "{}");
    fake_ca_answer(ca, "/http-01", 0, 200, "", "{}");
    fake_ca_answer(ca, "/finalize/1", 0, 200, "", ORDER("valid"));
    fake_ca_answer(ca, "/cert/1", 0, 200, "", certificate);
    fake_ca_answer(ca, "/account", 0, 201, "Location: $/account/1\r\n", "{\"status\":\"valid\"}");
}

void fake_ca_stop(struct fake_ca *ca)
{
    shutdown(ca->listener, SHUT_RDWR);
    pthread_join(ca->thread, NULL);
    close(ca->listener);
    text_release(&ca->asked);
    pthread_mutex_destroy(&ca->lock);
}
