/* Owns the exporter's thread and the row of its targets. */
#include "observe/otlp.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "observe/otlp_settings.h"
#include "observe/otlp_target.h"

#define KEY_MAX ((size_t)1 << 20)
#define IDLE_WAIT (60 * TIME_S)
#define CLOSED_LOOK (50 * TIME_MS)
#define CLOSED_LINGER (10 * TIME_S)      /* what a target that nobody holds has for its last batches */
#define WAIT_MAX 64
#define STOP_LINGER (2 * TIME_S)

static struct exporter {
    pthread_mutex_t mutex;
    struct list targets;
    CURLM *multi;
    pthread_t thread;
    _Atomic bool running, stopping;
} exporter = {.mutex = PTHREAD_MUTEX_INITIALIZER, .targets = LIST_INIT(exporter.targets)};

/* ---- the thread ---- */

static bool take_finished(void)
{
    CURLMsg *message;
    int left;
    bool any = false;
    while ((message = curl_multi_info_read(exporter.multi, &left)) != NULL) {
        struct otlp_target *target = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&target);
        otlp_target_finished(target, exporter.multi, code, time_monotonic(), exporter.stopping);
        any = true;
    }
    return any;
}

/* One that nobody holds and that has nothing to send any more, or has had its time. */
static bool is_over(struct otlp_target *target, int64_t now)
{
    if (target->refs != 0) {
        target->closed_at = 0;
        return false;
    }
    if (target->closed_at == 0)
        target->closed_at = now;
    return otlp_target_idle(target) || now - target->closed_at > CLOSED_LINGER;
}

static void end_target(struct otlp_target *target)
{
    otlp_target_give_up(target, exporter.multi);
    list_remove(&target->link);
    otlp_target_free(target);
}

/* What to wait for: at most so many descriptors besides libcurl's. */
struct waiting {
    int64_t until;
    struct curl_waitfd fds[WAIT_MAX];
    unsigned count;
};

static void wait_for(struct waiting *waiting, const struct otlp_target *target, int64_t now)
{
    int64_t at = target->closed_at != 0 ? now + CLOSED_LOOK : otlp_target_next(target), end;
    if (waiting->count == WAIT_MAX)
        at = now + CLOSED_LOOK;
    else if (otlp_sender_waits(target->sender, &waiting->fds[waiting->count], &end)) {
        waiting->count++;
        at = end < at ? end : at;
    }
    waiting->until = at < waiting->until ? at : waiting->until;
}

static void tend_all(bool hurry, struct waiting *ret_waiting, bool *ret_idle)
{
    int64_t now = time_monotonic();
    *ret_waiting = (struct waiting){.until = now + IDLE_WAIT};
    *ret_idle = true;
    pthread_mutex_lock(&exporter.mutex);
    LIST_FOREACH(&exporter.targets, it) {
        struct otlp_target *target = container_of(it, struct otlp_target, link);
        do
            otlp_target_tend(target, exporter.multi, now, hurry);
        while (otlp_target_advance(target, exporter.multi, now, exporter.stopping));
        if (is_over(target, now)) {
            end_target(target);
            continue;
        }
        wait_for(ret_waiting, target, now);
        *ret_idle = *ret_idle && otlp_target_idle(target);
    }
    pthread_mutex_unlock(&exporter.mutex);
}

/* Behind a request that has ended the next one is due. */
static void work(struct waiting *waiting, int64_t most)
{
    int running;
    int64_t pause = waiting->until - time_monotonic();
    pause = pause < 0 ? 0 : pause > most ? most : pause;
    curl_multi_perform(exporter.multi, &running);
    if (!take_finished())
        curl_multi_poll(exporter.multi, waiting->fds, waiting->count, (int)((pause + TIME_MS - 1) / TIME_MS), NULL);
}

static void *run(void *unused)
{
    struct waiting waiting;
    bool idle = false;
    while (!exporter.stopping) {
        tend_all(false, &waiting, &idle);
        work(&waiting, IDLE_WAIT);
    }
    int64_t until = time_monotonic() + STOP_LINGER, left;
    while (tend_all(true, &waiting, &idle), !idle && (left = until - time_monotonic()) > 0)
        work(&waiting, left < CLOSED_LOOK ? left : CLOSED_LOOK);
    return NULL;
}

static bool start_thread(void)
{
    sigset_t all, before;
    if (exporter.multi == NULL)
        exporter.multi = curl_multi_init();
    assert(exporter.multi != NULL);
    sigfillset(&all);
    /* A thread inherits the mask of the one that starts it. */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&exporter.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    exporter.stopping = false;
    exporter.running = error == 0;
    if (error == 0)
        pthread_setname_np(exporter.thread, "portico-otlp");
    return error == 0;
}

/* ---- targets ---- */

static struct otlp_target *find(const char *key)
{
    LIST_FOREACH(&exporter.targets, it) {
        struct otlp_target *target = container_of(it, struct otlp_target, link);
        if (strcmp(target->key, key) == 0)
            return otlp_target_ref(target);
    }
    return NULL;
}

struct otlp_target *otlp_target_get(const struct otlp_settings *settings, struct diag *diag)
{
    if (!otlp_settings_check(settings, diag))
        return NULL;
    const char *problem = curl_load();
    if (problem != NULL) {
        diag_error(diag, SPAN_NONE, "traces and metrics cannot be sent: %s", problem);
        return NULL;
    }
    if (!exporter.running && !start_thread()) {
        diag_error(diag, SPAN_NONE, "the thread that sends traces and metrics cannot be started: %m");
        return NULL;
    }
    struct text key;
    text_init(&key, KEY_MAX);
    otlp_target_describe(settings, &key);
    const char *text = text_c(&key);
    pthread_mutex_lock(&exporter.mutex);
    struct otlp_target *target = find(text);
    if (target == NULL) {
        target = otlp_target_new(settings, memory_copy_text(text, strlen(text)));
        list_append(&exporter.targets, &target->link);
    }
    pthread_mutex_unlock(&exporter.mutex);
    text_release(&key);
    return target;
}

/* Once the thread has ended nobody else looks after it. */
static void free_late(struct otlp_target *target)
{
    pthread_mutex_lock(&exporter.mutex);
    otlp_target_give_up(target, NULL);
    list_remove(&target->link);
    pthread_mutex_unlock(&exporter.mutex);
    otlp_target_free(target);
}

void otlp_target_unref(struct otlp_target *target)
{
    if (target == NULL)
        return;
    bool running = exporter.running;
    if (atomic_fetch_sub_explicit(&target->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (running)
        curl_multi_wakeup(exporter.multi);
    else
        free_late(target);
}

/* ---- batches ---- */

bool otlp_push(struct otlp_target *target, struct otlp_batch *batch)
{
    bool first;
    if (!otlp_target_add(target, batch, &first))
        return false;
    if (first && exporter.running)
        curl_multi_wakeup(exporter.multi);
    return true;
}

static void release_ready(struct otlp_batch *batch)
{
    text_release(&batch->body);
    free(batch);
}

bool otlp_send(struct otlp_target *target, struct text *body, unsigned items)
{
    struct otlp_batch *batch = memory_zalloc(sizeof(*batch));
    *batch = (struct otlp_batch){.size = body->len, .items = items, .body = *body, .release = release_ready};
    text_init(body, body->max);
    return otlp_push(target, batch);
}

/* ---- the end ---- */

void otlp_stop(void)
{
    if (!exporter.running)
        return;
    exporter.stopping = true;
    curl_multi_wakeup(exporter.multi);
    pthread_join(exporter.thread, NULL);
    exporter.running = false;
    pthread_mutex_lock(&exporter.mutex);
    LIST_FOREACH(&exporter.targets, it) {
        struct otlp_target *target = container_of(it, struct otlp_target, link);
        if (target->refs == 0)
            end_target(target);
        else
            otlp_target_give_up(target, exporter.multi);
    }
    pthread_mutex_unlock(&exporter.mutex);
    curl_multi_cleanup(exporter.multi);
    exporter.multi = NULL;
}
