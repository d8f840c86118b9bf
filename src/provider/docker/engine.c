#include "provider/docker/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "provider/docker/engine_state.h"
#include "provider/docker/helper.h"
#include "provider/docker/question.h"

/* ---- the helper process ---- */

/* Of our environment it gets what libraries need to be found and to believe in authorities; secrets live there too. */
static void choose_environment(char *out[8])
{
    static const char *const names[] = {"LD_LIBRARY_PATH=", "SSL_CERT_FILE=", "SSL_CERT_DIR=", "ASAN_OPTIONS=", "UBSAN_OPTIONS="};
    size_t count = 0;
    for (char **at = environ; *at != NULL; at++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && count < 7; i++)
            if (strncmp(*at, names[i], strlen(names[i])) == 0)
                out[count++] = *at;
    out[count] = NULL;
}

/* `ps` shows "portico: engine". Started as a new program, not as a copy of this one: nothing of our memory, keys and passwords
 * among it, is there. 0 or an error. */
static int spawn(int line, pid_t *ret_pid)
{
    static char program[] = "portico:", command[] = "engine";
    char *argv[] = {program, command, NULL}, *environment[8];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    choose_environment(environment);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, line, HELPER_FD);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int error = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* A helper that ran as another user cannot be killed by us: it ends because its line does. Who has not ended yet is asked again. */
static void reap(struct engine *engine)
{
    for (size_t i = 0; i < engine->ended.count;)
        if (waitpid(engine->ended.items[i], NULL, WNOHANG) != 0)
            engine->ended.items[i] = engine->ended.items[--engine->ended.count];
        else
            i++;
}

static bool start_helper(struct engine *engine)
{
    int ends[2];
    reap(engine);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    int error = spawn(ends[1], &engine->pid);
    close(ends[1]);
    if (error == 0 && send(ends[0], &engine->endpoint, sizeof(engine->endpoint), MSG_NOSIGNAL) < 0)
        error = errno;
    if (error == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        error = errno;
    if (error != 0) {
        close(ends[0]);
        errno = error;
        return false;
    }
    engine->fd = ends[0];
    engine->had_root = engine->had_root || (geteuid() == 0 && !engine->started);
    engine->started = true;
    return engine->loop == NULL || loop_watch_level(engine->loop, &engine->watch, engine->fd);
}

static void end_helper(struct engine *engine)
{
    if (engine->fd < 0)
        return;
    if (engine->loop != NULL)
        loop_unwatch(engine->loop, &engine->watch);
    close(engine->fd);
    engine->fd = -1;
    VEC_PUSH(&engine->ended, engine->pid);
    reap(engine);
    engine->pid = 0;
}

/* ---- answers ---- */

static void finish(struct engine *engine, struct engine_call *call, struct engine_answer *answer)
{
    struct text body = call->body;
    call->body = (struct text){0};
    list_remove(&call->link);
    engine->under_way--;
    call->number = 0;
    engine->shut_out = answer->failure == FAILURE_CONNECT && (answer->error == EACCES || answer->error == EPERM);
    if (body.overflow && answer->failure == FAILURE_NONE)
        answer->failure = FAILURE_TOO_LONG;
    answer->body = text_str(&body);
    call->on_done(call, answer);
    text_release(&body);
}

/* Nothing more is to be expected of the helper: all that is under way has failed. */
static void lose_helper(struct engine *engine)
{
    log_warn("the helper process that reads %s has ended; it is started again", engine->endpoint.url);
    end_helper(engine);
    struct list lost;
    list_init(&lost);
    while (!list_empty(&engine->calls))
        list_append(&lost, list_pop(&engine->calls));
    while (!list_empty(&lost))
        finish(engine, container_of(lost.next, struct engine_call, link), &(struct engine_answer){.failure = FAILURE_HELPER});
}

static struct engine_call *find_call(struct engine *engine, uint32_t number)
{
    LIST_FOREACH(&engine->calls, it)
        if (container_of(it, struct engine_call, link)->number == number)
            return container_of(it, struct engine_call, link);
    return NULL;
}

static void take_answer(struct engine *engine, const struct answer_frame *frame, struct str bytes)
{
    struct engine_call *call = find_call(engine, frame->number);
    if (call == NULL)
        return;      /* it was taken back meanwhile */
    if (frame->kind == ANSWER_BEGIN && call->on_begin != NULL)
        call->on_begin(call, frame->status);
    else if (frame->kind == ANSWER_DATA && call->on_bytes != NULL)
        call->on_bytes(call, bytes);
    else if (frame->kind == ANSWER_DATA)
        text_add(&call->body, bytes);
    else if (frame->kind == ANSWER_END)
        finish(engine, call, &(struct engine_answer){.failure = frame->failure, .status = frame->status, .error = frame->error});
}

/* True: there may be more. */
static bool take_packet(struct engine *engine)
{
    struct {
        struct answer_frame frame;
        char bytes[FRAME_DATA_MAX];
    } packet;
    ssize_t got = recv(engine->fd, &packet, sizeof(packet), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got < (ssize_t)sizeof(packet.frame)) {
        lose_helper(engine);
        return false;
    }
    take_answer(engine, &packet.frame, str_of(packet.bytes, (size_t)got - sizeof(packet.frame)));
    return engine->fd >= 0;
}

/* A few packets in a turn: a long answer does not keep the loop from all else. */
static void on_readable(struct watch *watch, unsigned events)
{
    struct engine *engine = container_of(watch, struct engine, watch);
    for (unsigned i = 0; i < 16 && take_packet(engine); i++)
        ;
}

/* ---- questions ---- */

bool engine_ask(struct engine *engine, struct engine_call *call)
{
    if (engine->under_way >= ENGINE_QUESTIONS_MAX) {
        errno = EAGAIN;
        return false;
    }
    /* The helper keeps only the rights that the socket asked for when it began, and it may be another one by now. */
    if (engine->shut_out && engine->under_way == 0 && geteuid() == 0)
        end_helper(engine);
    engine->shut_out = false;
    if (engine->fd < 0 && !start_helper(engine))
        return false;
    struct question_frame frame = {.kind = FRAME_QUESTION, .question = call->question, .api_minor = engine->api_minor};
    if (++engine->last_number == 0)
        engine->last_number = 1;
    frame.number = engine->last_number;
    memcpy(frame.id, call->id, sizeof(frame.id));
    if (send(engine->fd, &frame, sizeof(frame), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return false;      /* whoever listens no more is noticed by reading */
    call->number = frame.number;
    text_init(&call->body, (size_t)ANSWER_BYTES_MAX);
    list_append(&engine->calls, &call->link);
    engine->under_way++;
    return true;
}

void engine_cancel(struct engine *engine, struct engine_call *call)
{
    if (call->number == 0)
        return;
    struct question_frame frame = {.kind = FRAME_CANCEL, .number = call->number};
    if (engine->fd >= 0)
        send(engine->fd, &frame, sizeof(frame), MSG_NOSIGNAL | MSG_DONTWAIT);
    list_remove(&call->link);
    engine->under_way--;
    call->number = 0;
    text_release(&call->body);
}

/* ---- its life ---- */

static void copy_text(char *out, size_t size, struct str text)
{
    snprintf(out, size, "%.*s", STR_ARGS(text));
}
#define COPY_TEXT(array, text) copy_text((array), sizeof(array), (text))

static void describe(const struct docker_config *config, struct endpoint_frame *frame)
{
    memset(frame, 0, sizeof(*frame));      /* it is compared and sent as bytes */
    frame->kind = FRAME_ENDPOINT;
    int64_t timeout = config->http_client_timeout / TIME_MS;
    frame->timeout_ms = timeout > INT32_MAX ? INT32_MAX : (uint32_t)timeout;
    COPY_TEXT(frame->url, config->endpoint);
    COPY_TEXT(frame->username, config->username);
    COPY_TEXT(frame->password, config->password);
    if (config->tls == NULL)
        return;
    frame->tls = 1;
    frame->skip_verify = config->tls->insecure_skip_verify;
    COPY_TEXT(frame->ca, config->tls->ca);
    COPY_TEXT(frame->cert, config->tls->cert);
    COPY_TEXT(frame->key, config->tls->key);
}

struct engine *engine_new(const struct docker_config *config)
{
    struct engine *engine = memory_zalloc(sizeof(*engine));
    engine->fd = engine->watch.fd = -1;
    engine->watch.on_ready = on_readable;
    engine->api_minor = QUESTION_API_MINOR_LEAST;
    list_init(&engine->calls);
    describe(config, &engine->endpoint);
    start_helper(engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    LIST_FOREACH(&engine->calls, it)
        engine_cancel(engine, container_of(it, struct engine_call, link));
    end_helper(engine);
    VEC_RELEASE(&engine->ended);
    free(engine);
}

void engine_attach(struct engine *engine, struct loop *loop)
{
    engine->loop = loop;
    if (engine->fd >= 0)
        loop_watch_level(loop, &engine->watch, engine->fd);
}

bool engine_matches(const struct engine *engine, const struct docker_config *config)
{
    struct endpoint_frame frame;
    describe(config, &frame);
    return memcmp(&frame, &engine->endpoint, sizeof(frame)) == 0;
}

void engine_set_api_minor(struct engine *engine, unsigned minor)
{
    engine->api_minor = minor;
}

struct str engine_endpoint(const struct engine *engine)
{
    return str_from(engine->endpoint.url);
}

int engine_helper(const struct engine *engine)
{
    return engine->pid;
}
