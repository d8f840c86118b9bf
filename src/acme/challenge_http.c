/* Owns the table of tokens. Tokens are random and public; there are as many as challenges under way, so it is a list. */
#include "acme/challenge_http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/memory.h"
#include "exchange/service.h"

struct token {
    struct list link;
    char *name, *answer;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list tokens = LIST_INIT(tokens);
static _Atomic unsigned token_count;    /* so that a request in quiet times takes no lock */

static struct token *find(struct str name)
{
    LIST_FOREACH(&tokens, it) {
        struct token *token = container_of(it, struct token, link);
        if (str_equal(str_from(token->name), name))
            return token;
    }
    return NULL;
}

static void drop(struct token *token)
{
    if (token == NULL)
        return;
    list_remove(&token->link);
    atomic_fetch_sub(&token_count, 1);
    free(token->name);
    free(token->answer);
    free(token);
}

void challenge_http_set(struct str name, struct str key_authorization)
{
    struct token *token = memory_zalloc(sizeof(*token));
    token->name = memory_copy_text(name.data, name.len);
    token->answer = memory_copy_text(key_authorization.data, key_authorization.len);
    pthread_mutex_lock(&mutex);
    drop(find(name));
    list_append(&tokens, &token->link);
    atomic_fetch_add(&token_count, 1);
    pthread_mutex_unlock(&mutex);
}

void challenge_http_clear(struct str name)
{
    pthread_mutex_lock(&mutex);
    drop(find(name));
    pthread_mutex_unlock(&mutex);
}

/* The key authorization for a path, copied into the arena (NULL: not wanted). */
static bool look_up(struct str path, struct arena *arena, struct str *ret_answer)
{
    if (atomic_load_explicit(&token_count, memory_order_acquire) == 0 || !str_starts(path, S(ACME_HTTP_PATH)))
        return false;
    pthread_mutex_lock(&mutex);
    struct token *token = find(str_from_index(path, sizeof(ACME_HTTP_PATH) - 1));
    if (token != NULL && arena != NULL)
        *ret_answer = arena_str(arena, str_from(token->answer));
    pthread_mutex_unlock(&mutex);
    return token != NULL;
}

bool challenge_http_knows(struct str path)
{
    return look_up(path, NULL, NULL);
}

static enum pick_result answer_challenge(struct exchange *x, struct service *service)
{
    struct str answer = STR_NONE;
    if (!look_up(x->original_path, &x->arena, &answer))
        exchange_answer(x, 404, STATUS_OK, S("text/plain; charset=utf-8"), S("No such challenge.\n"));
    else if (answer.data == NULL)
        exchange_answer_status(x, 500, STATUS_OUT_OF_MEMORY);
    else
        exchange_answer(x, 200, STATUS_OK, S("application/octet-stream"), answer);
    return PICK_ANSWER;
}

static const struct service_type acme_http = {
    .choice = {.name = "acme-http@internal", .summary = "Answers the CA's HTTP-01 challenges."},
    .pick = answer_challenge,
};
REGISTER(service_type, acme_http);
