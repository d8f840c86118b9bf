#include "acme/challenge_dns.h"

#include <stdlib.h>

#include "acme/hook.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/dns.h"

#define HOOK_LIMIT (120 * TIME_S)
#define SIGHT_LIMIT (180 * TIME_S)      /* for the record to be seen */
#define SIGHT_PAUSE (2 * TIME_S)

struct challenge_dns {
    struct list link;                   /* among those that clean up */
    struct loop *loop;
    struct hook *hook;
    struct dns *dns;
    struct timer timer;
    struct deferred gone;
    char *command, *name, *value, *resolvers;
    int64_t delay;
    bool checks;
    bool ended;                         /* nobody is to be called any more */
    int64_t deadline;                   /* for the record to be seen; 0: not asked yet */
    void (*on_done)(void *owner, bool shown, struct str why);
    void *owner;
};

static struct list cleaning = LIST_INIT(cleaning);

static void free_challenge(struct deferred *deferred)
{
    struct challenge_dns *challenge = container_of(deferred, struct challenge_dns, gone);
    if (challenge->dns != NULL)
        dns_free(challenge->dns);
    timer_cancel(&challenge->timer);
    free(challenge->command);
    free(challenge->name);
    free(challenge->value);
    free(challenge->resolvers);
    free(challenge);
}

static void say(struct challenge_dns *challenge, bool shown, struct str why)
{
    timer_set(challenge->loop, &challenge->timer, TIME_NEVER);
    challenge->ended = true;
    challenge->on_done(challenge->owner, shown, why);
}

/* ---- is the record seen? ---- */

static void on_texts(void *owner, const struct dns_texts *answer)
{
    struct challenge_dns *challenge = owner;
    if (challenge->ended)
        return;
    for (size_t i = 0; i < answer->count; i++)
        if (str_equal(answer->items[i], str_from(challenge->value))) {
            say(challenge, true, STR_NONE);
            return;
        }
    if (challenge->loop->now < challenge->deadline) {
        timer_after(challenge->loop, &challenge->timer, SIGHT_PAUSE);
        return;
    }
    struct text why;
    text_init(&why, 4096);
    text_addf(&why, "the record %s was written, but %s does not show it after %d s: %s", challenge->name,
              challenge->resolvers != NULL ? challenge->resolvers : "the system's name server", (int)(SIGHT_LIMIT / TIME_S),
              answer->error != NULL ? answer->error : "it has another value");
    say(challenge, false, text_str(&why));
    text_release(&why);
}

static void look(struct challenge_dns *challenge)
{
    if (challenge->deadline == 0)
        challenge->deadline = challenge->loop->now + SIGHT_LIMIT;
    if (challenge->dns == NULL) {
        challenge->dns = dns_new(challenge->loop);
        if (challenge->dns == NULL || (challenge->resolvers != NULL && !dns_use_servers(challenge->dns, str_from(challenge->resolvers)))) {
            say(challenge, false, S("the name servers cannot be asked: dnsChallenge.resolvers is not understood"));
            return;
        }
    }
    dns_find_texts(challenge->dns, str_from(challenge->name), on_texts, challenge);
}

static void on_timer(struct timer *timer)
{
    struct challenge_dns *challenge = container_of(timer, struct challenge_dns, timer);
    if (challenge->checks)
        look(challenge);
    else
        say(challenge, true, STR_NONE);
}

static void on_written(void *owner, bool good, struct str what)
{
    struct challenge_dns *challenge = owner;
    struct text why;
    challenge->hook = NULL;
    if (good) {
        timer_after(challenge->loop, &challenge->timer, challenge->delay);
        return;
    }
    text_init(&why, 8192);
    text_addf(&why, "the command '%s present %s' failed: %.*s", challenge->command, challenge->name, STR_ARGS(what));
    say(challenge, false, text_str(&why));
    text_release(&why);
}

/* ---- present and cleanup ---- */

struct str challenge_dns_command(const struct acme_dns_challenge *config)
{
    const char *path = getenv("EXEC_PATH");
    return !str_empty(config->command) ? config->command : str_from(path);
}

/* "10.0.0.53:53,10.0.0.54": as dns_use_servers takes them. NULL: the system's. */
static char *join(const struct strs *resolvers)
{
    struct text joined;
    if (resolvers->count == 0)
        return NULL;
    text_init(&joined, SIZE_MAX / 2);
    for (size_t i = 0; i < resolvers->count; i++) {
        if (i != 0)
            text_add_char(&joined, ',');
        text_add(&joined, resolvers->items[i]);
    }
    char *copy = memory_copy_text(joined.data, joined.len);
    text_release(&joined);
    return copy;
}

static struct hook *start_hook(struct challenge_dns *challenge, const char *what, void (*on_done)(void *, bool, struct str))
{
    struct hook_call call = {
        .command = str_from(challenge->command),
        .arguments = {str_from(what), str_from(challenge->name), str_from(challenge->value)},
        .limit = HOOK_LIMIT,
        .on_done = on_done,
        .owner = challenge,
    };
    return hook_start(challenge->loop, &call);
}

struct challenge_dns *challenge_dns_present(struct loop *loop, const struct acme_dns_challenge *config, struct str name,
                                            struct str value, void (*on_done)(void *owner, bool shown, struct str why), void *owner)
{
    struct challenge_dns *challenge = memory_zalloc(sizeof(*challenge));
    struct str command = challenge_dns_command(config);
    *challenge = (struct challenge_dns){
        .loop = loop,
        .gone = {.run = free_challenge},
        .command = memory_copy_text(command.data, command.len),
        .name = memory_copy_text(name.data, name.len),
        .value = memory_copy_text(value.data, value.len),
        .resolvers = join(&config->resolvers),
        .delay = config->propagation.delay_before_checks,
        .checks = !config->propagation.disable_checks,
        .on_done = on_done,
        .owner = owner,
    };
    list_init(&challenge->link);
    timer_init(&challenge->timer, on_timer);
    challenge->hook = start_hook(challenge, "present", on_written);
    return challenge;
}

static void on_cleaned(void *owner, bool good, struct str what)
{
    struct challenge_dns *challenge = owner;
    challenge->hook = NULL;
    list_remove(&challenge->link);
    if (!good)
        log_warn("acme: the record %s may still be there: '%s cleanup' failed: %.*s", challenge->name, challenge->command,
                 STR_ARGS(what));
    loop_defer_free(challenge->loop, &challenge->gone);
}

void challenge_dns_cleanup(struct challenge_dns *challenge)
{
    challenge->ended = true;
    timer_set(challenge->loop, &challenge->timer, TIME_NEVER);
    hook_cancel(challenge->hook);
    list_append(&cleaning, &challenge->link);
    challenge->hook = start_hook(challenge, "cleanup", on_cleaned);
}

void challenge_dns_abandon_all(void)
{
    LIST_FOREACH(&cleaning, it) {
        struct challenge_dns *challenge = container_of(it, struct challenge_dns, link);
        list_remove(it);
        hook_abandon(challenge->hook);
        loop_defer_free(challenge->loop, &challenge->gone);
    }
}
