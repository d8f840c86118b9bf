#include "acme/renewal.h"

#include <stdlib.h>

#include "base/memory.h"

/* RFC 9773 4.3.2 and 4.3.3: limits to what Retry-After may say, and what holds without it. */
#define ASK_SOONEST 60
#define ASK_LATEST 86400
#define ASK_USUALLY 21600

struct acme_renewal_question {
    struct acme_client *client;
    struct acme_call *call;
    acme_on_renewal *on_renewal;
    void *owner;
};

static int64_t ask_again(int64_t now, int64_t retry_at)
{
    if (retry_at == 0)
        return now + ASK_USUALLY;
    return retry_at < now + ASK_SOONEST ? now + ASK_SOONEST : retry_at > now + ASK_LATEST ? now + ASK_LATEST : retry_at;
}

static void report(struct acme_renewal_question *question, const struct acme_answer *answer)
{
    struct acme_renewal_message message;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    if (acme_read_renewal(answer->body, &arena, &message)) {
        const struct acme_renewal renewal = {
            .window_start = message.window_start,
            .window_end = message.window_end,
            .ask_again = ask_again(acme_client_loop(question->client)->wall / TIME_S, answer->retry_at),
            .explanation_url = message.explanation_url};
        question->on_renewal(question->owner, &renewal, NULL);
    } else {
        question->on_renewal(question->owner, NULL,
                             acme_failure_new(ACME_CA_FAILED, S("the CA's renewal information cannot be read"), &arena));
    }
    arena_release(&arena);
}

static void on_reply(void *owner, const struct acme_answer *answer, const struct acme_failure *failure)
{
    struct acme_renewal_question *question = owner;
    question->call = NULL;
    if (answer != NULL)
        report(question, answer);
    else
        question->on_renewal(question->owner, NULL, failure);
    free(question);
}

struct acme_renewal_question *acme_renewal_ask(struct acme_client *client, struct str certificate_id,
                                               acme_on_renewal *on_renewal, void *owner)
{
    struct acme_renewal_question *question = memory_zalloc(sizeof(*question));
    question->client = client;
    question->on_renewal = on_renewal;
    question->owner = owner;
    question->call = acme_client_get_renewal(client, certificate_id, on_reply, question);
    return question;
}

void acme_renewal_cancel(struct acme_renewal_question *question)
{
    if (question == NULL)
        return;
    acme_call_cancel(question->call);
    free(question);
}
