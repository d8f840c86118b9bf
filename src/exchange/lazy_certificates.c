#include "exchange/lazy_certificates.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "exchange/error_log.h"
#include "exchange/exchange.h"
#include "exchange/port.h"
#include "exchange/text_template.h"
#include "tls/client.h"
#include "tls/pem.h"

static const struct str data_prefix = STR("data:");
#define VALUES_BUDGET ((size_t)1 << 20)      /* what variables may come to in a handshake */

/* What tells a file from another one of its name. */
struct stamp {
    dev_t device;
    ino_t inode;
    struct timespec changed;
    off_t size;
};

struct kept {
    struct list age;                /* the one that was asked for longest ago comes first */
    char *names;                    /* what the pair's names have come to, with a NUL between */
    size_t len;
    struct certificate *certificate;
    struct stamp stamps[2];
    int64_t checked, used;          /* monotonic ns */
};

struct lazy_pair {
    const struct text_template *files[2];     /* the chain's and the key's */
    struct str password_file, directory;
};

struct lazy_certificates {
    const char *kind;               /* whose they are, for logs: "site" */
    struct str owner;
    struct lazy_pair *pairs;
    unsigned count;
    int64_t max, valid, inactive;   /* of what is kept; times in ns */
    pthread_mutex_t lock;
    struct list kept;
    int64_t kept_count;
};

/* A pair's names for one handshake. */
struct wanted {
    struct exchange *x;
    const struct lazy_certificates *lazy;
    struct str files[2];
    struct str names;               /* both, for looking up */
};

/* ---- compiled ---- */

static bool has_variables(struct str cert_file, struct str key_file)
{
    return (!tls_is_pem_text(cert_file) && text_template_is_in(cert_file)) || (!tls_is_pem_text(key_file) && text_template_is_in(key_file));
}

bool lazy_certificate_is(const struct tls_certificate_config *config)
{
    return has_variables(config->cert_file, config->key_file);
}

bool lazy_certificate_is_pair(const struct tls_pair *pair)
{
    return has_variables(pair->cert_file, pair->key_file);
}

static bool read_pair(struct lazy_pair *pair, const struct tls_pair *config, struct compile *compile)
{
    pair->files[0] = text_template_new(config->cert_file, compile, node_span(node_get(config->origin, S("certFile"))));
    pair->files[1] = text_template_new(config->key_file, compile, node_span(node_get(config->origin, S("keyFile"))));
    pair->password_file = config->password_file;
    pair->directory = config->directory;
    return pair->files[0] != NULL && pair->files[1] != NULL;
}

static bool read_certificate(struct lazy_pair *pair, const struct tls_certificate_config *config, struct compile *compile)
{
    const struct tls_pair same = {.origin = config->origin, .cert_file = config->cert_file, .key_file = config->key_file,
                                  .password_file = config->password_file, .directory = config->directory};
    return read_pair(pair, &same, compile);
}

static struct lazy_certificates *make(const struct lazy_pair *pairs, unsigned count, const struct tls_certificate_cache *cache,
                                      struct compile *compile)
{
    static const struct tls_certificate_cache usual = {.max = 100, .inactive = 60 * TIME_S};
    if (cache == NULL)
        cache = &usual;
    struct lazy_certificates *lazy = arena_new(compile->arena, struct lazy_certificates);
    *lazy = (struct lazy_certificates){.count = count, .max = cache->max, .valid = cache->valid, .inactive = cache->inactive};
    lazy->pairs = memcpy(arena_array(compile->arena, struct lazy_pair, count), pairs, count * sizeof(pairs[0]));
    pthread_mutex_init(&lazy->lock, NULL);
    list_init(&lazy->kept);
    return lazy;
}

struct lazy_certificates *lazy_certificates_new_pair(const struct tls_pair *pair, const struct tls_certificate_cache *cache,
                                                     struct str transport, struct compile *compile)
{
    struct lazy_pair one;
    if (!read_pair(&one, pair, compile))
        return NULL;
    struct lazy_certificates *lazy = make(&one, 1, cache, compile);
    lazy->kind = "serversTransport";
    lazy->owner = transport;
    return lazy;
}

struct lazy_certificates *lazy_certificates_new(const struct site_tls *config, struct str site, struct compile *compile)
{
    struct lazy_pair pairs[LAZY_PAIRS_MAX];
    unsigned count = 0;
    for (size_t i = 0; i < config->certificates.count && count < LAZY_PAIRS_MAX; i++) {
        const struct object_item *item = &config->certificates.items[i];
        if (!item->broken && lazy_certificate_is(item->value) && read_certificate(&pairs[count], item->value, compile))
            count++;
    }
    if (count == 0)
        return NULL;
    struct lazy_certificates *lazy = make(pairs, count, config->certificate_cache, compile);
    lazy->kind = "site";
    lazy->owner = site;
    return lazy;
}

/* ---- what is kept, under the lock ---- */

static void drop(struct lazy_certificates *lazy, struct kept *kept)
{
    list_remove(&kept->age);
    lazy->kept_count--;
    certificate_unref(kept->certificate);
    free(kept->names);
    free(kept);
}

void lazy_certificates_release(struct lazy_certificates *lazy)
{
    if (lazy == NULL)
        return;
    while (!list_empty(&lazy->kept))
        drop(lazy, container_of(lazy->kept.next, struct kept, age));
    pthread_mutex_destroy(&lazy->lock);
}

static struct kept *find(struct lazy_certificates *lazy, struct str names)
{
    for (struct list *it = lazy->kept.prev; it != &lazy->kept; it = it->prev) {
        struct kept *kept = container_of(it, struct kept, age);
        if (str_equal(str_of(kept->names, kept->len), names))
            return kept;
    }
    return NULL;
}

static void make_room(struct lazy_certificates *lazy, int64_t now, int64_t max)
{
    while (!list_empty(&lazy->kept)) {
        struct kept *oldest = container_of(lazy->kept.next, struct kept, age);
        if (lazy->kept_count <= max && now - oldest->used <= lazy->inactive)
            break;
        drop(lazy, oldest);
    }
}

/* ---- files ---- */

static bool is_file(struct str name)
{
    return !str_starts(name, data_prefix) && !tls_is_pem_text(name);
}

/* A text that is no file's name never changes. */
static bool take_stamp(struct str name, struct stamp *ret_stamp)
{
    struct stat facts;
    memset(ret_stamp, 0, sizeof(*ret_stamp));
    if (!is_file(name))
        return true;
    if (stat(name.data, &facts) != 0)
        return false;
    *ret_stamp = (struct stamp){.device = facts.st_dev, .inode = facts.st_ino, .changed = facts.st_mtim, .size = facts.st_size};
    return true;
}

static bool stamps_equal(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec && a->size == b->size;
}

static bool read_text(struct str name, struct arena *arena, struct str *ret_text)
{
    if (!str_starts(name, data_prefix))
        return tls_read_pem(name, arena, ret_text);
    *ret_text = str_from_index(name, data_prefix.len);
    return true;
}

static void tell(const struct wanted *wanted, const char *what, struct str name, const char *why)
{
    struct str shown = is_file(name) ? name : S("data:...");
    if (error_log_is_named(wanted->x))
        error_log_add(wanted->x, SYSLOG_ERROR, "cannot load %s \"%.*s\": %s", what, STR_ARGS(shown), why);
    else
        log_error("%s '%.*s': cannot load %s \"%.*s\": %s", wanted->lazy->kind, STR_ARGS(wanted->lazy->owner), what, STR_ARGS(shown), why);
}

static struct certificate *load(const struct wanted *wanted, const struct lazy_pair *pair)
{
    struct arena arena;
    struct str chain, key, passwords, source;
    const char *why = NULL;
    struct certificate *certificate = NULL;
    arena_init(&arena, ARENA_UNLIMITED);
    if (!read_text(wanted->files[0], &arena, &chain)) {
        tell(wanted, "certificate", wanted->files[0], strerror(errno));
    } else if (!read_text(wanted->files[1], &arena, &key)) {
        tell(wanted, "certificate key", wanted->files[1], strerror(errno));
    } else {
        if (pair->password_file.len != 0 && tls_read_pem(pair->password_file, &arena, &passwords))
            key = pem_decrypt_key(key, passwords, &arena);
        source = is_file(wanted->files[0]) ? arena_printf(&arena, "file %.*s", STR_ARGS(wanted->files[0])) : S("a variable");
        certificate = certificate_parse(chain, key, source, &why);
        if (certificate == NULL)
            tell(wanted, "certificate", wanted->files[0], why);
    }
    arena_release(&arena);
    ERR_clear_error();
    return certificate;
}

/* ---- a handshake's ---- */

static void keep(struct lazy_certificates *lazy, const struct wanted *wanted, struct certificate *certificate, const struct stamp *stamps,
                 int64_t now)
{
    struct kept *kept = memory_zalloc(sizeof(*kept));
    kept->names = memory_copy_text(wanted->names.data, wanted->names.len);
    kept->len = wanted->names.len;
    kept->certificate = certificate_ref(certificate);
    memcpy(kept->stamps, stamps, sizeof(kept->stamps));
    kept->checked = kept->used = now;
    pthread_mutex_lock(&lazy->lock);
    struct kept *former = find(lazy, wanted->names);
    if (former != NULL)
        drop(lazy, former);
    make_room(lazy, now, lazy->max - 1);
    list_append(&lazy->kept, &kept->age);
    lazy->kept_count++;
    pthread_mutex_unlock(&lazy->lock);
}

/* A reference; NULL: not there, or the files have changed since. */
static struct certificate *take_kept(struct lazy_certificates *lazy, const struct wanted *wanted, int64_t now)
{
    struct stamp stamps[2], known[2];
    pthread_mutex_lock(&lazy->lock);
    struct kept *kept = find(lazy, wanted->names);
    struct certificate *certificate = kept != NULL && now - kept->used <= lazy->inactive ? certificate_ref(kept->certificate) : NULL;
    bool valid = certificate != NULL && now - kept->checked < lazy->valid;
    if (certificate != NULL) {
        memcpy(known, kept->stamps, sizeof(known));
        kept->used = now;
        list_remove(&kept->age);
        list_append(&lazy->kept, &kept->age);
    }
    pthread_mutex_unlock(&lazy->lock);
    if (certificate == NULL || valid)
        return certificate;
    if (take_stamp(wanted->files[0], &stamps[0]) && take_stamp(wanted->files[1], &stamps[1]) && stamps_equal(&stamps[0], &known[0]) &&
        stamps_equal(&stamps[1], &known[1])) {
        pthread_mutex_lock(&lazy->lock);
        kept = find(lazy, wanted->names);
        if (kept != NULL)
            kept->checked = now;
        pthread_mutex_unlock(&lazy->lock);
        return certificate;
    }
    certificate_unref(certificate);
    return NULL;
}

static struct certificate *get(struct lazy_certificates *lazy, const struct lazy_pair *pair, struct wanted *wanted)
{
    struct exchange *x = wanted->x;
    struct stamp stamps[2];
    int64_t now = x->worker->loop.now;
    for (int i = 0; i < 2; i++) {
        struct str name = text_template_text(pair->files[i], x);
        bool relative = name.len != 0 && name.data[0] != '/' && is_file(name) && pair->directory.len != 0;
        wanted->files[i] = relative ? arena_printf(&x->arena, "%.*s/%.*s", STR_ARGS(pair->directory), STR_ARGS(name))
                                    : arena_printf(&x->arena, "%.*s", STR_ARGS(name));
        if (name.len == 0 || wanted->files[i].data == NULL)
            return NULL;
    }
    wanted->names = arena_printf(&x->arena, "%.*s%c%.*s", STR_ARGS(wanted->files[0]), '\0', STR_ARGS(wanted->files[1]));
    struct certificate *certificate = take_kept(lazy, wanted, now);
    if (certificate != NULL)
        return certificate;
    /* Before they are read: what changes meanwhile is seen the next time. */
    bool stamped = take_stamp(wanted->files[0], &stamps[0]) && take_stamp(wanted->files[1], &stamps[1]);
    certificate = load(wanted, pair);
    if (certificate != NULL && stamped && lazy->max > 0)
        keep(lazy, wanted, certificate, stamps, now);
    return certificate;
}

unsigned lazy_certificates_get(const struct site *site, struct port *port, const struct client *client, const struct hello *hello,
                               struct certificate **ret_certificates)
{
    struct lazy_certificates *lazy = site->lazy_certificates;
    struct exchange x;
    struct client like = *client;
    unsigned count = 0;
    memset(&x, 0, sizeof(x));
    arena_init(&x.arena, VALUES_BUDGET);
    like.tls = true;
    like.secure = NULL;
    struct str asked = hello_name(hello);
    like.asked_name = &asked;
    x.worker = port->worker;
    x.pin = port->pin;
    x.graph = port->pin->graph;
    x.entry = port->entry;
    x.router = site->fallback;
    x.client_ip = like.peer;
    x.stream.client = &like;
    x.stream.arena = &x.arena;
    x.times.began = port->worker->loop.now;
    timer_init(&x.timer, NULL);
    struct wanted wanted = {.x = &x, .lazy = lazy};
    for (unsigned i = 0; i < lazy->count; i++) {
        struct certificate *certificate = get(lazy, &lazy->pairs[i], &wanted);
        if (certificate != NULL)
            ret_certificates[count++] = certificate;
    }
    arena_release(&x.arena);
    return count;
}

bool lazy_certificates_show(struct lazy_certificates *lazy, struct exchange *x, struct certificate **ret_certificate)
{
    struct wanted wanted = {.x = x, .lazy = lazy};
    *ret_certificate = NULL;
    if (text_template_text(lazy->pairs[0].files[0], x).len == 0)
        return true;
    *ret_certificate = get(lazy, &lazy->pairs[0], &wanted);
    return *ret_certificate != NULL;
}
