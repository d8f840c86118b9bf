/* What a CA says, read as each of the messages; what is read keeps its promises. The first byte chooses the message. */
#include <assert.h>

#include "acme/failure.h"

static void check_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        assert((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
}

static void check_url(struct str url)
{
    assert(url.len == 0 || str_starts(url, S("https://")) || str_starts(url, S("http://")));
    check_line(url);
}

static void check_problem(const struct acme_problem *problem, struct arena *arena)
{
    if (problem == NULL)
        return;
    const struct acme_failure *failure = acme_failure_from_problem(problem, 403, S("http-01"), S("a.example"), arena);
    failure = acme_failure_copy(failure, arena);
    for (; failure != NULL; failure = failure->more)
        check_line(acme_failure_text(failure, arena));
}

static void read_directory(struct str json, struct arena *arena)
{
    struct acme_directory directory;
    if (!acme_read_directory(json, arena, &directory))
        return;
    check_url(directory.new_nonce);
    check_url(directory.new_account);
    check_url(directory.new_order);
    check_url(directory.renewal_info);
    assert(directory.new_nonce.len != 0 && directory.new_account.len != 0 && directory.new_order.len != 0);
}

static void read_order(struct str json, struct arena *arena)
{
    struct acme_order_message order;
    if (!acme_read_order(json, arena, &order))
        return;
    assert(order.state != ACME_STATE_UNKNOWN && order.finalize.len != 0);
    check_url(order.finalize);
    check_url(order.certificate);
    for (size_t i = 0; i < order.authorizations.count; i++)
        check_url(order.authorizations.items[i]);
    check_problem(order.error, arena);
}

static void check_challenge(const struct acme_challenge_message *challenge, struct arena *arena)
{
    check_url(challenge->url);
    assert(str_find_char(challenge->token, '/', 0) < 0 && str_find_char(challenge->token, '.', 0) < 0);
    check_problem(challenge->error, arena);
}

static void read_authorization(struct str json, struct arena *arena)
{
    struct acme_authorization_message authorization;
    if (!acme_read_authorization(json, arena, &authorization))
        return;
    assert(authorization.name.len != 0 && authorization.name.len <= 253);
    check_line(authorization.name);
    for (size_t i = 0; i < ACME_CHALLENGE_TYPES; i++)
        check_challenge(&authorization.challenges[i], arena);
}

static void read_rest(struct str json, struct arena *arena)
{
    struct acme_problem problem;
    struct acme_renewal_message renewal;
    struct acme_account_message account;
    struct acme_challenge_message challenge;
    if (acme_read_problem(json, arena, &problem))
        check_problem(&problem, arena);
    if (acme_read_renewal(json, arena, &renewal))
        assert(renewal.window_start < renewal.window_end);
    if (acme_read_challenge(json, arena, &challenge))
        check_challenge(&challenge, arena);
    acme_read_account(json, &account);
    check_url(acme_link_target(json, S("alternate")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct str json, struct arena *arena) = {read_directory, read_order, read_authorization, read_rest};
    struct arena arena;
    if (size == 0)
        return 0;
    arena_init(&arena, ARENA_UNLIMITED);
    readers[data[0] % 4](str_of((const char *)data + 1, size - 1), &arena);
    arena_release(&arena);
    return 0;
}
