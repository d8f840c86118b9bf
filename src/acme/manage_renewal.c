/* When the CA wants certificates renewed (ARI, RFC 9773): asked now and then for each, a few at a time. */
#include "acme/managed.h"
#include "base/log.h"

#define QUESTIONS_MAX 4
#define AFTER_FAILURE 3600              /* seconds; what was known holds meanwhile */

static void on_renewal(void *owner, const struct acme_renewal *renewal, const struct acme_failure *failure)
{
    struct managed *managed = owner;
    managed->question = NULL;
    managed->window_at = manage_now() + AFTER_FAILURE;
    if (renewal != NULL) {
        struct renewal_window window = {renewal->window_start, renewal->window_end};
        if (renewal->window_start != managed->window.start || renewal->window_end != managed->window.end) {
            managed->window = window;
            log_info("acme: the CA wants the certificate for %.*s renewed%s%s%.*s", STR_ARGS(managed->names.items[0]),
                     managed_due(managed) <= manage_now() ? " now" : " in its window",
                     str_empty(renewal->explanation_url) ? "" : ", see ",
                     STR_ARGS(renewal->explanation_url));
        }
        managed->window_at = renewal->ask_again;
    } else if (failure == NULL) {
        managed->window_at = INT64_MAX;         /* it has no such thing */
    }
    manage_wake();
}

static unsigned count_questions(const struct resolver *resolver)
{
    unsigned count = 0;
    LIST_FOREACH(&resolver->managed, it)
        count += container_of(it, struct managed, link)->question != NULL;
    return count;
}

static void ask(struct managed *managed)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str id = certificate_ari_id(managed->certificate, &arena);
    if (str_empty(id))
        managed->window_at = INT64_MAX;
    else
        managed->question = acme_renewal_ask(managed->resolver->authorities[ACCOUNT_FIRST].client, id, on_renewal, managed);
    arena_release(&arena);
}

/* The first authority is asked, of what it issued itself. */
static bool can_be_asked(const struct managed *managed)
{
    const struct acme_config *config = managed->resolver->config;
    return managed->certificate != NULL && managed->question == NULL && !order_is_under_way(managed) &&
           managed_due(managed) != INT64_MAX &&
           (managed->authority == NULL || str_equal(str_from(managed->authority), config->ca_server));
}

int64_t renewal_ask_where_due(struct resolver *resolver, int64_t now)
{
    int64_t next = INT64_MAX;
    unsigned running = count_questions(resolver);
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        if (!can_be_asked(managed))
            continue;
        if (managed->window_at > now)
            next = managed->window_at < next ? managed->window_at : next;
        else if (running < QUESTIONS_MAX && authority_has_client(resolver, ACCOUNT_FIRST)) {
            ask(managed);
            running += managed->question != NULL;
        }
    }
    return next;
}

void renewal_cancel(struct managed *managed)
{
    acme_renewal_cancel(managed->question);
    managed->question = NULL;
}
