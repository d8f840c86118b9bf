/* Owns a client's connection from the first byte of its ClientHello until a protocol takes it. Decides which TLS options and
 * which certificate it gets; refuses to know what is asked for afterwards. */
#include "exchange/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/lazy_certificates.h"
#include "exchange/port.h"
#include "proto/h1/server.h"
#include "proto/h2/server.h"
#include "tls/conn.h"
#include "tls/vault.h"

#define ALERT_NO_CERTIFICATE 80          /* internal_error: it is ours to mend */
#define ALERT_UNRECOGNIZED_NAME 112      /* RFC 8446 6.2 */
#define ALERT_NO_APPLICATION_PROTOCOL 120
#define TLS_HANDSHAKE '\x16'            /* the first byte of a ClientHello's record (RFC 8446 5.1) */
#define DRAIN_TIME TIME_S               /* for what has begun: more than a round trip */
#define ON_DEMAND_LIMIT (60 * TIME_S)    /* a client waits no longer for a certificate to be got */

enum handshake_state { READING_HELLO, ASKING, SHAKING, CLOSED };

struct handshake {
    struct connection connection;
    struct sock sock;
    struct timer timer;
    struct timer turn;                /* armed: it waits for its turn among those that come at once */
    struct port *port;
    struct graph_pin *pin;            /* the policy is of this graph */
    struct client client;
    struct chunk *input;              /* what was read before TLS began; NULL: nothing */
    uint32_t input_at;
    struct hello hello;
    struct certificate *loaded;       /* a reference to what was read for this handshake; NULL: nothing was */
    struct tls_conn *tls;
    struct on_demand *question;       /* under way; it outlives a handshake that ends before */
    struct deferred freeing;
    enum handshake_state state;
    bool draining;
    bool asked;                       /* for a certificate on demand */
    bool nothing_loaded;              /* its site has certificates that are read for handshakes, and none could be */
    bool for_challenge;               /* the CA's own, RFC 8737: ends with the handshake */
};

void (*on_demand_get)(struct on_demand *question);
struct loop *on_demand_loop;

static void free_handshake(struct deferred *deferred)
{
    struct handshake *handshake = container_of(deferred, struct handshake, freeing);
    client_release(&handshake->client);
    certificate_unref(handshake->loaded);
    free(handshake);
}

/* The socket is closed, or another's by now. */
static void end(struct handshake *handshake)
{
    struct loop *loop = handshake->sock.loop;
    handshake->state = CLOSED;
    timer_cancel(&handshake->timer);
    timer_cancel(&handshake->turn);
    connection_leave(&handshake->connection, handshake->port->settings.open, handshake->port->settings.traffic);
    if (handshake->input != NULL)
        chunk_unref(handshake->input);
    if (handshake->question != NULL)
        handshake->question->owner = NULL;
    sock_close(&handshake->sock);
    graph_pin_drop(handshake->pin);
    handshake->freeing.run = free_handshake;
    loop_defer_free(loop, &handshake->freeing);
}

static void fail(struct handshake *handshake)
{
    handshake->port->worker->graph->handshakes_failed++;
    end(handshake);
}

static void refuse(struct handshake *handshake, uint8_t alert, const char *why)
{
    log_debug("TLS on '%.*s': a client that asked for '%s' was refused: %s", STR_ARGS(handshake->port->entry->name),
              handshake->hello.name, why);
    tls_send_alert(&handshake->sock, alert);
    fail(handshake);
}

/* ---- which options, which certificate ---- */

/* The graph may have changed since the first byte: the entrypoint's present one counts, and is held until the end. */
static const struct tls_policy *find_policy(struct handshake *handshake)
{
    struct port *port = handshake->port;
    if (handshake->pin != port->pin) {
        graph_pin_drop(handshake->pin);
        handshake->pin = port->pin;
        graph_pin_take(handshake->pin);
    }
    return port->entry->tls != NULL ? entry_policy(port->entry->tls, hello_name(&handshake->hello)) : NULL;
}

static int64_t unix_now(const struct handshake *handshake)
{
    return handshake->sock.loop->wall / TIME_S;
}

/* The best of those that the site has and those that are read now, which is held on to. */
static struct certificate *load_certificate(struct handshake *handshake, const struct site *site)
{
    struct certificate *read[LAZY_PAIRS_MAX], *best[2];
    int64_t now = unix_now(handshake);
    unsigned count = lazy_certificates_get(site, handshake->port, &handshake->client, &handshake->hello, read), held = 0;
    struct certificate *chosen = certificate_choose(read, count, &handshake->hello, now);
    certificate_unref(handshake->loaded);
    handshake->loaded = chosen != NULL ? certificate_ref(chosen) : NULL;
    for (unsigned i = 0; i < count; i++)
        certificate_unref(read[i]);
    if (site->certificate_count != 0)
        best[held++] = certificate_choose(site->certificates, site->certificate_count, &handshake->hello, now);
    if (chosen != NULL)
        best[held++] = chosen;
    handshake->nothing_loaded = held == 0;
    return certificate_choose(best, held, &handshake->hello, now);
}

static struct certificate *site_certificate(struct handshake *handshake, const struct site *site)
{
    if (site == NULL)
        return NULL;
    if (site->lazy_certificates != NULL)
        return load_certificate(handshake, site);
    return certificate_choose(site->certificates, site->certificate_count, &handshake->hello, unix_now(handshake));
}

/* A site has certificates of its own, whatever names they have; a name that is no site's, or of one without any, gets what fits it, else
 * what the default site has. */
static struct certificate *find_certificate(struct handshake *handshake)
{
    const struct entry_tls *tls = handshake->port->entry->tls;
    const struct site *site = entry_site(tls, hello_name(&handshake->hello));
    const struct site *fallback = site != NULL ? tls->sites->fallback : NULL;
    struct certificate *certificate = site != fallback ? site_certificate(handshake, site) : NULL;
    if (certificate == NULL && !handshake->nothing_loaded)
        certificate = store_find(vault_of(handshake->port->worker), &handshake->hello, unix_now(handshake));
    return certificate != NULL || handshake->nothing_loaded ? certificate : site_certificate(handshake, fallback);
}

/* tls.stores.default.defaultGeneratedCert names one; else the configured or generated default. */
static struct certificate *default_certificate(const struct handshake *handshake)
{
    const struct tls_store *store = vault_of(handshake->port->worker);
    struct str name = handshake->pin->graph->default_name;
    struct certificate *named = name.len != 0 ? store_find_name(store, name, unix_now(handshake)) : NULL;
    return named != NULL ? named : store_fallback(store);
}

static void shake(struct handshake *handshake);

static void begin_tls(struct handshake *handshake, const struct tls_policy *policy, struct certificate *certificate)
{
    struct chunk *input = handshake->input;
    /* Who has ended its direction behind the hello gave up, perhaps while it waited: no handshake is done without its next word. */
    if (handshake->sock.peer_done) {
        fail(handshake);
        return;
    }
    handshake->input = NULL;
    handshake->state = SHAKING;
    if (handshake->for_challenge)
        handshake->tls = tls_accept_challenge(handshake->port->worker, &handshake->sock, policy, certificate, input,
                                              handshake->input_at);
    else
        handshake->tls = tls_accept(handshake->port->worker, &handshake->sock, policy, certificate, input,
                                    handshake->input_at);
    if (handshake->tls == NULL)
        end(handshake);
    else
        shake(handshake);
}

/* ---- on demand ---- */

static void give_answer(struct message *message)
{
    struct on_demand *question = container_of(message, struct on_demand, message);
    question->on_answer(question);
}

void on_demand_answer(struct on_demand *question, bool granted, const char *why)
{
    question->granted = granted;
    question->why = why;
    question->message.deliver = give_answer;
    loop_post(question->asker, &question->message);
}

static void ask(struct message *message)
{
    on_demand_get(container_of(message, struct on_demand, message));
}

/* A handshake takes as long as twenty short requests: those that come at once wait for each other, and requests for one of them. */
static void await_turn(struct handshake *handshake)
{
    if (!timer_armed(&handshake->turn))
        timer_begin_later(handshake->sock.loop, &handshake->turn);
}

static void limit_handshake(struct handshake *handshake)
{
    int64_t limit = handshake->port->settings.head_timeout;
    if (handshake->draining && (limit == 0 || limit > DRAIN_TIME))
        limit = DRAIN_TIME;
    if (limit != 0)
        timer_after(handshake->sock.loop, &handshake->timer, limit);
    else
        timer_cancel(&handshake->timer);
}

/* The question is answered, or nobody waits for that any longer. */
static void go_on_asked(struct handshake *handshake)
{
    handshake->question = NULL;
    handshake->asked = true;
    handshake->state = READING_HELLO;
    limit_handshake(handshake);
    await_turn(handshake);
}

static void on_answer(struct on_demand *question)
{
    if (!question->granted)
        log_debug("no certificate for '%s' on demand: %s", question->name, question->why);
    if (question->owner != NULL)
        go_on_asked(question->owner);
    free(question);
}

/* A name that a certificate could be got for: nobody makes the control thread look at junk. */
static bool may_ask(const struct handshake *handshake)
{
    struct str name = hello_name(&handshake->hello);
    if (!handshake->port->entry->tls->on_demand || on_demand_get == NULL || name.len == 0)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_alpha(name.data[i]) && !ascii_digit(name.data[i]) && name.data[i] != '-' && name.data[i] != '.')
            return false;
    return name.data[0] != '.' && name.data[0] != '-' && name.data[name.len - 1] != '.';
}

static void ask_on_demand(struct handshake *handshake)
{
    struct on_demand *question = memory_zalloc(sizeof(*question));
    question->message.deliver = ask;
    question->asker = handshake->sock.loop;
    question->on_answer = on_answer;
    question->owner = handshake;
    memcpy(question->name, handshake->hello.name, sizeof(question->name));
    handshake->question = question;
    handshake->state = ASKING;
    timer_after(handshake->sock.loop, &handshake->timer, ON_DEMAND_LIMIT);
    loop_post(on_demand_loop, &question->message);
}

/* ---- the way ---- */

static bool is_rejected(const struct handshake *handshake)
{
    const struct site *site = entry_site(handshake->port->entry->tls, hello_name(&handshake->hello));
    return site != NULL && site->rejects_handshake;
}

/* The hello is known: everything is chosen by it. */
static void begin(struct handshake *handshake)
{
    const struct hello *hello = &handshake->hello;
    const struct tls_policy *policy = find_policy(handshake);
    struct certificate *certificate;
    if (policy == NULL) {
        refuse(handshake, ALERT_UNRECOGNIZED_NAME, "TLS is not spoken here any more");
        return;
    }
    handshake->for_challenge = hello->acme && !hello->h2 && !hello->http1;
    if (handshake->for_challenge) {
        certificate = store_challenge(vault_of(handshake->port->worker), hello_name(hello));
        if (certificate == NULL)
            refuse(handshake, ALERT_NO_APPLICATION_PROTOCOL, "no TLS-ALPN-01 challenge is under way for it");
        else
            begin_tls(handshake, policy, certificate);
        return;
    }
    if (is_rejected(handshake)) {
        refuse(handshake, ALERT_UNRECOGNIZED_NAME, "its site rejects handshakes");
        return;
    }
    certificate = find_certificate(handshake);
    if (certificate == NULL && handshake->nothing_loaded) {
        refuse(handshake, ALERT_NO_CERTIFICATE, "the certificates of its site could not be read");
        return;
    }
    if (certificate == NULL && !handshake->asked && may_ask(handshake)) {
        ask_on_demand(handshake);
        return;
    }
    if (certificate == NULL && policy->sni_strict) {
        refuse(handshake, ALERT_UNRECOGNIZED_NAME, "no certificate has the name (sniStrict)");
        return;
    }
    begin_tls(handshake, policy, certificate != NULL ? certificate : default_certificate(handshake));
}

/* What does not begin as TLS does: HTTP in the clear, or nothing that is known; HTTP/1 finds out. */
static void give_away(struct handshake *handshake)
{
    struct port *port = handshake->port;
    struct chunk *input = handshake->input;
    handshake->input = NULL;
    timer_cancel(&handshake->timer);
    h1_server_adopt(port->worker, &handshake->sock, input, handshake->input_at, &handshake->client, &port->settings,
                    &port->connections);
    end(handshake);
}

/* A large hello (post-quantum key shares) moves to a large chunk; false: no room, or too large for any hello. */
static bool make_room(struct handshake *handshake)
{
    struct chunk *former = handshake->input;
    if (former == NULL)
        return (handshake->input = chunk_new(&handshake->port->worker->chunks, false)) != NULL;
    if (chunk_room(former) != 0)
        return true;
    size_t held = former->used - handshake->input_at;
    if (held >= HELLO_BYTES_MAX)
        return false;
    struct chunk *fresh = chunk_new(&handshake->port->worker->chunks, true);
    if (fresh == NULL)
        return false;
    memcpy(fresh->data, former->data + handshake->input_at, held);
    fresh->used = (uint32_t)held;
    chunk_unref(former);
    handshake->input = fresh;
    handshake->input_at = 0;
    return true;
}

static struct str input_of(const struct handshake *handshake)
{
    if (handshake->input == NULL)
        return STR_NONE;
    return str_of(handshake->input->data + handshake->input_at, handshake->input->used - handshake->input_at);
}

/* True: something came. Else the handshake may have ended. */
static bool receive(struct handshake *handshake)
{
    size_t got = 0;
    if (!handshake->sock.readable)
        return false;
    if (!make_room(handshake)) {
        end(handshake);
        return false;
    }
    struct chunk *input = handshake->input;
    enum status status = sock_read_plain(&handshake->sock, input->data + input->used, chunk_room(input), &got);
    if (status == STATUS_OK)
        input->used += (uint32_t)got;
    else if (status != STATUS_AGAIN)
        end(handshake);
    return status == STATUS_OK;
}

static void read_hello(struct handshake *handshake)
{
    for (;;) {
        struct str input = input_of(handshake);
        if (input.len != 0 && input.data[0] != TLS_HANDSHAKE) {
            give_away(handshake);
            return;
        }
        if (input.len != 0 && hello_parse(input, &handshake->hello) != STATUS_AGAIN) {
            begin(handshake);
            return;
        }
        if (!receive(handshake))
            return;
    }
}

static void note_success(struct handshake *handshake)
{
    struct worker_graph *own = handshake->port->worker->graph;
    own->handshakes++;
    own->handshakes_resumed += tls_resumed(handshake->tls);
}

/* What ALPN chose takes the socket. */
static void hand_over(struct handshake *handshake)
{
    struct port *port = handshake->port;
    struct client client = handshake->client;
    client.tls = true;
    client.secure = handshake->tls;
    timer_cancel(&handshake->timer);
    if (tls_chose_h2(handshake->tls))
        h2_server_adopt(port->worker, &handshake->sock, NULL, 0, &client, &port->settings, &port->connections);
    else
        h1_server_adopt(port->worker, &handshake->sock, NULL, 0, &client, &port->settings, &port->connections);
    end(handshake);
    port_took_connection(port);
}

static void shake(struct handshake *handshake)
{
    enum status status = tls_handshake(handshake->tls);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK) {
        log_debug("TLS on '%.*s': the handshake with a client that asked for '%s' failed: %s",
                  STR_ARGS(handshake->port->entry->name), handshake->hello.name, tls_failure(handshake->tls));
        fail(handshake);
        return;
    }
    note_success(handshake);
    if (handshake->for_challenge)
        end(handshake);
    else
        hand_over(handshake);
}

static void on_event(struct sock *sock, unsigned events)
{
    struct handshake *handshake = container_of(sock, struct handshake, sock);
    if (sock->broken && handshake->state == SHAKING)
        fail(handshake);
    else if (sock->broken)
        end(handshake);
    else if (handshake->state == READING_HELLO || handshake->state == SHAKING)
        await_turn(handshake);
}

static void on_turn(struct timer *timer)
{
    struct handshake *handshake = container_of(timer, struct handshake, turn);
    if (handshake->state == READING_HELLO)
        read_hello(handshake);
    else if (handshake->state == SHAKING)
        shake(handshake);
}

static void on_timeout(struct timer *timer)
{
    struct handshake *handshake = container_of(timer, struct handshake, timer);
    if (handshake->state == SHAKING) {
        fail(handshake);
        return;
    }
    if (handshake->state != ASKING) {
        end(handshake);
        return;
    }
    handshake->question->owner = NULL;
    go_on_asked(handshake);
}

/* What has begun may end, if that is soon: its request is perhaps on the way. But a handshake is no request: nobody waits for
 * it as for one. */
static void drain(struct connection *connection)
{
    struct handshake *handshake = container_of(connection, struct handshake, connection);
    bool silent = handshake->state == READING_HELLO && input_of(handshake).len == 0 && !handshake->sock.readable;
    if (silent || handshake->state == ASKING)
        end(handshake);
    else if (!handshake->draining) {
        handshake->draining = true;
        limit_handshake(handshake);
    }
}

static void close_connection(struct connection *connection, enum status why)
{
    end(container_of(connection, struct handshake, connection));
}

static const struct connection_ops connection_ops = {.drain = drain, .close = close_connection};

static struct handshake *new_handshake(struct port *port, const struct client *client)
{
    struct handshake *handshake = memory_zalloc(sizeof(*handshake));
    handshake->port = port;
    client_copy(&handshake->client, client);
    handshake->connection.ops = &connection_ops;
    handshake->pin = port->pin;
    graph_pin_take(handshake->pin);
    timer_init(&handshake->timer, on_timeout);
    timer_init(&handshake->turn, on_turn);
    connection_join(&handshake->connection, &port->connections, port->settings.open, port->settings.traffic);
    sock_init(&handshake->sock, &port->worker->loop, on_event);
    return handshake;
}

void handshake_accept(struct port *port, int fd, const struct client *client)
{
    struct handshake *handshake = new_handshake(port, client);
    if (sock_take(&handshake->sock, fd, false))
        limit_handshake(handshake);
    else
        end(handshake);
}

bool handshake_start(struct port *port, const struct foreign *foreign)
{
    struct handshake *handshake = new_handshake(port, foreign->client);
    handshake->input = foreign->input;
    handshake->input_at = foreign->input_at;
    if (!sock_move(&handshake->sock, foreign->sock)) {
        end(handshake);
        return true;
    }
    limit_handshake(handshake);
    await_turn(handshake);
    return true;
}
