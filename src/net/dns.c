/* Owns a c-ares channel and lends it the loop: its sockets become watches, its time limits a timer. */
#include "net/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/dns_query.h"

#define TRY_MS 1500                          /* doubled with each of the three tries */
#define TRIES 3
#define CHECK_EVERY (5 * TIME_S)
#define SYSTEM_SERVERS "/etc/resolv.conf"
#define TEXTS_MAX 64

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct list sockets;                     /* struct dns_socket */
    struct timer timer;                      /* when c-ares wants to look at its queries again */
    char *servers;                           /* set by dns_use_servers; NULL: the system's */
    struct stat system;                      /* of SYSTEM_SERVERS when the channel was made */
    int64_t next_check;
    unsigned pending;
    bool inside;                             /* c-ares is on the stack: it must not be destroyed */
    bool closing;
};

struct dns_socket {
    struct watch watch;
    struct list link;
    struct dns *dns;
    struct deferred gone;
};

struct dns_query {
    struct dns *dns;
    dns_callback done;
    void *owner;
};

static void fail(dns_callback done, void *owner, const char *error)
{
    struct dns_answer answer = {.ttl = DNS_FAILURE_TTL, .error = error};
    done(owner, &answer);
}

/* ---- sockets and time ---- */

static void set_timer(struct dns *dns)
{
    struct timeval left;
    if (ares_timeout(dns->channel, NULL, &left) == NULL)
        timer_set(dns->loop, &dns->timer, TIME_NEVER);
    else
        timer_after(dns->loop, &dns->timer, left.tv_sec * TIME_S + left.tv_usec * TIME_US);
}

static void process(struct dns *dns, ares_socket_t readable, ares_socket_t writable)
{
    dns->inside = true;
    ares_process_fd(dns->channel, readable, writable);
    dns->inside = false;
    set_timer(dns);
}

static void on_timer(struct timer *timer)
{
    process(container_of(timer, struct dns, timer), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void on_ready(struct watch *watch, unsigned events)
{
    struct dns_socket *socket = container_of(watch, struct dns_socket, watch);
    unsigned ended = events & (WATCH_HANGUP | WATCH_ERROR);
    process(socket->dns, (events & WATCH_READ) | ended ? watch->fd : ARES_SOCKET_BAD,
            (events & WATCH_WRITE) | ended ? watch->fd : ARES_SOCKET_BAD);
}

static void free_socket(struct deferred *deferred)
{
    free(container_of(deferred, struct dns_socket, gone));
}

static struct dns_socket *find_socket(struct dns *dns, int fd)
{
    LIST_FOREACH(&dns->sockets, it) {
        struct dns_socket *socket = container_of(it, struct dns_socket, link);
        if (socket->watch.fd == fd)
            return socket;
    }
    return NULL;
}

static void watch_socket(struct dns *dns, int fd, unsigned events)
{
    struct dns_socket *socket = memory_zalloc(sizeof(*socket));
    *socket = (struct dns_socket){.watch = {.on_ready = on_ready, .fd = -1}, .dns = dns,
                                  .gone = {.run = free_socket}};
    /* Without a registration the query ends by its time limit. */
    if (loop_watch_for(dns->loop, &socket->watch, fd, events))
        list_append(&dns->sockets, &socket->link);
    else
        free(socket);
}

/* c-ares says what it waits for on a socket; nothing: it is about to close it. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns *dns = data;
    struct dns_socket *socket = find_socket(dns, fd);
    unsigned events = (readable ? WATCH_READ : 0U) | (writable ? WATCH_WRITE : 0U);
    if (socket == NULL) {
        if (events != 0)
            watch_socket(dns, fd, events);
        return;
    }
    if (events != 0) {
        loop_rewatch(dns->loop, &socket->watch, events);
        return;
    }
    loop_unwatch(dns->loop, &socket->watch);
    list_remove(&socket->link);
    loop_defer_free(dns->loop, &socket->gone);
}

/* ---- the channel ---- */

static void library_init(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

/* Nothing of the system's. Several servers are asked in turn, and the next where one fails; of a single one a failure is an answer:
 * it is not asked the same again at once. */
static int ask_exactly(struct ares_options *options, const char *servers)
{
    static char lookups[] = "b";
    options->lookups = lookups;
    options->ndomains = 0;
    options->flags = strchr(servers, ',') == NULL ? ARES_FLAG_NOCHECKRESP : 0;
    return ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_FLAGS | ARES_OPT_ROTATE;
}

static bool open_channel(struct dns *dns)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_init);
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES,
                                   .sock_state_cb = on_socket_state, .sock_state_cb_data = dns};
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (dns->servers != NULL)
        mask |= ask_exactly(&options, dns->servers);
    if (stat(SYSTEM_SERVERS, &dns->system) != 0)
        dns->system = (struct stat){0};
    dns->next_check = dns->loop->now + CHECK_EVERY;
    if (ares_init_options(&dns->channel, &options, mask) != ARES_SUCCESS) {
        dns->channel = NULL;
        return false;
    }
    return dns->servers == NULL || ares_set_servers_ports_csv(dns->channel, dns->servers) == ARES_SUCCESS;
}

static void close_channel(struct dns *dns)
{
    if (dns->channel != NULL)
        ares_destroy(dns->channel);
    dns->channel = NULL;
}

struct dns *dns_new(struct loop *loop)
{
    struct dns *dns = memory_zalloc(sizeof(*dns));
    dns->loop = loop;
    list_init(&dns->sockets);
    timer_init(&dns->timer, on_timer);
    if (open_channel(dns))
        return dns;
    dns_free(dns);
    return NULL;
}

void dns_free(struct dns *dns)
{
    assert(!dns->inside);
    dns->closing = true;
    close_channel(dns);
    assert(dns->pending == 0 && list_empty(&dns->sockets));
    timer_cancel(&dns->timer);
    free(dns->servers);
    free(dns);
}

bool dns_use_servers(struct dns *dns, struct str servers)
{
    assert(dns->pending == 0 && !dns->inside);
    close_channel(dns);
    free(dns->servers);
    dns->servers = memory_copy_text(servers.data, servers.len);
    return open_channel(dns);
}

const char *dns_check_server(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct addr addr;
    return addr_parse_local(text, &addr) ? NULL : "is not the address of a DNS server: 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:53";
}

/* A laptop changes networks, a container's resolv.conf is rewritten: c-ares reads it only once, so a changed file
 * means a new channel. Not while a query is under way. */
static void follow_system(struct dns *dns)
{
    struct stat now = {0};
    if (dns->pending > 0 || dns->inside || dns->servers != NULL || dns->loop->now < dns->next_check)
        return;
    dns->next_check = dns->loop->now + CHECK_EVERY;
    if (stat(SYSTEM_SERVERS, &now) != 0 ||
        (now.st_ino == dns->system.st_ino && now.st_size == dns->system.st_size &&
         now.st_mtim.tv_sec == dns->system.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == dns->system.st_mtim.tv_nsec))
        return;
    close_channel(dns);
    if (!open_channel(dns))
        close_channel(dns);
}

/* ---- answers ---- */

static void add_address(struct dns_answer *answer, const struct ip *ip)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (ip_equal(&answer->addresses[i], ip))
            return;
    }
    if (answer->count < sizeof(answer->addresses) / sizeof(answer->addresses[0]))
        answer->addresses[answer->count++] = *ip;
}

/* The smallest TTL counts, of the addresses and of the aliases on the way to them. */
static void collect(const struct ares_addrinfo *found, struct dns_answer *answer)
{
    int64_t ttl = INT32_MAX;
    for (const struct ares_addrinfo_node *node = found->nodes; node != NULL; node = node->ai_next) {
        struct addr addr = {.len = node->ai_addrlen};
        if (node->ai_addrlen > sizeof(addr.v6))
            continue;
        memcpy(&addr.v6, node->ai_addr, node->ai_addrlen);
        struct ip ip = addr_ip(&addr);
        add_address(answer, &ip);
        ttl = node->ai_ttl < ttl ? node->ai_ttl : ttl;
    }
    for (const struct ares_addrinfo_cname *cname = found->cnames; cname != NULL; cname = cname->next)
        ttl = cname->ttl < ttl ? cname->ttl : ttl;
    answer->ttl = (ttl < 1 ? 1 : ttl) * TIME_S;
}

static void on_found(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct dns_query query = *(struct dns_query *)arg;
    struct dns_answer answer = {.ttl = DNS_FAILURE_TTL};
    free(arg);
    query.dns->pending--;
    if (status == ARES_SUCCESS && found != NULL)
        collect(found, &answer);
    if (found != NULL)
        ares_freeaddrinfo(found);
    answer.nothing = answer.count == 0 && (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA);
    if (answer.count == 0)
        answer.error = status == ARES_SUCCESS ? "the name has no address" : ares_strerror(status);
    query.done(query.owner, &answer);
}

static void start_query(struct dns *dns, const char *name, enum dns_family families, dns_callback done, void *owner)
{
    int family = families == DNS_V4 ? AF_INET : families == DNS_V6 ? AF_INET6 : AF_UNSPEC;
    struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct dns_query *query = memory_alloc(sizeof(*query));
    *query = (struct dns_query){.dns = dns, .done = done, .owner = owner};
    dns->pending++;
    bool nested = dns->inside;
    dns->inside = true;
    ares_getaddrinfo(dns->channel, name, NULL, &hints, on_found, query);
    dns->inside = nested;
    if (!nested)
        set_timer(dns);
}

bool dns_copy_name(struct str name, char copy[DNS_NAME_SIZE])
{
    if (name.len == 0 || name.len >= DNS_NAME_SIZE || memchr(name.data, '\0', name.len) != NULL)
        return false;
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    return true;
}

/* May a query begin? */
static bool is_open(struct dns *dns)
{
    if (!dns->closing)
        follow_system(dns);
    return !dns->closing && dns->channel != NULL;
}

void dns_resolve(struct dns *dns, struct str name, dns_callback done, void *owner)
{
    dns_resolve_families(dns, name, DNS_BOTH, done, owner);
}

void dns_resolve_families(struct dns *dns, struct str name, enum dns_family families, dns_callback done, void *owner)
{
    struct dns_answer answer = {.count = 1, .ttl = DNS_LITERAL_TTL};
    char copy[DNS_NAME_SIZE];
    if (ip_parse(name, &answer.addresses[0]))
        done(owner, &answer);
    else if (!dns_copy_name(name, copy))
        fail(done, owner, DNS_NOT_A_NAME);
    else if (!is_open(dns))
        fail(done, owner, DNS_CLOSED);
    else if (dns->servers != NULL)
        dns_resolve_exactly(dns, copy, families, done, owner);
    else
        start_query(dns, copy, families, done, owner);
}

/* ---- one question ---- */

struct question {
    struct dns *dns;
    dns_bytes_callback done;
    void *owner;
};

static void on_bytes(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct question question = *(struct question *)arg;
    bool nothing = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    enum dns_outcome outcome = status == ARES_SUCCESS ? DNS_FOUND : nothing ? DNS_NOTHING : DNS_FAILED;
    free(arg);
    question.dns->pending--;
    question.done(question.owner, outcome, status == ARES_SUCCESS ? str_of((char *)bytes, (size_t)len) : STR_NONE,
                  status == ARES_SUCCESS ? NULL : ares_strerror(status));
}

void dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_bytes_callback done, void *owner)
{
    if (!is_open(dns)) {
        done(owner, DNS_FAILED, STR_NONE, DNS_CLOSED);
        return;
    }
    struct question *question = memory_alloc(sizeof(*question));
    *question = (struct question){.dns = dns, .done = done, .owner = owner};
    dns->pending++;
    bool nested = dns->inside;
    dns->inside = true;
    ares_query(dns->channel, name, C_IN, (int)type, on_bytes, question);
    dns->inside = nested;
    if (!nested)
        set_timer(dns);
}

/* ---- texts ---- */

struct texts_query {
    struct dns *dns;
    dns_texts_callback done;
    void *owner;
};

/* A record's strings follow each other, the first of each record is marked. */
static size_t join_texts(const struct ares_txt_ext *found, struct str *texts, struct text *memory)
{
    size_t count = 0;
    for (const struct ares_txt_ext *it = found; it != NULL; it = it->next) {
        if ((it->record_start && count == TEXTS_MAX) || (!it->record_start && count == 0))
            break;
        if (it->record_start)
            texts[count++] = STR_NONE;
        text_add(memory, str_of((const char *)it->txt, it->length));
        texts[count - 1].len += it->length;
    }
    const char *at = text_c(memory);
    for (size_t i = 0; i < count; at += texts[i++].len)
        texts[i].data = at;
    return memory->overflow ? 0 : count;
}

static void on_texts(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct texts_query query = *(struct texts_query *)arg;
    struct str texts[TEXTS_MAX];
    struct dns_texts answer = {.items = texts};
    struct ares_txt_ext *found = NULL;
    struct text memory;
    free(arg);
    query.dns->pending--;
    text_init(&memory, 65536);
    if (status == ARES_SUCCESS)
        status = ares_parse_txt_reply_ext(bytes, len, &found);
    if (status == ARES_SUCCESS)
        answer.count = join_texts(found, texts, &memory);
    if (answer.count == 0)
        answer.error = status == ARES_SUCCESS ? "the name has no text" : ares_strerror(status);
    query.done(query.owner, &answer);
    if (found != NULL)
        ares_free_data(found);
    text_release(&memory);
}

void dns_find_texts(struct dns *dns, struct str name, dns_texts_callback done, void *owner)
{
    struct dns_texts failure = {0};
    char copy[DNS_NAME_SIZE];
    if (!dns_copy_name(name, copy))
        failure.error = DNS_NOT_A_NAME;
    else if (!is_open(dns))
        failure.error = DNS_CLOSED;
    if (failure.error != NULL) {
        done(owner, &failure);
        return;
    }
    struct texts_query *query = memory_alloc(sizeof(*query));
    *query = (struct texts_query){.dns = dns, .done = done, .owner = owner};
    dns->pending++;
    bool nested = dns->inside;
    dns->inside = true;
    ares_query(dns->channel, copy, C_IN, T_TXT, on_texts, query);
    dns->inside = nested;
    if (!nested)
        set_timer(dns);
}
