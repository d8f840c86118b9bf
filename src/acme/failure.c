/* What a problem means, what people should look at, and when to try again. The one place that knows ACME's error types. */
#include "acme/failure.h"

#include "net/addr.h"

#define PREFIX "urn:ietf:params:acme:error:"

/* A type without PREFIX, what it means while a challenge is validated and otherwise, and whether it lasts. */
static const struct meaning {
    struct str type;
    enum acme_trouble validating, otherwise;
    bool lasting;
} meanings[] = {
    {STR("accountDoesNotExist"), ACME_ACCOUNT, ACME_ACCOUNT, false},
    {STR("badCSR"), ACME_REFUSED, ACME_REFUSED, true},
    {STR("badPublicKey"), ACME_REFUSED, ACME_REFUSED, true},
    {STR("badSignatureAlgorithm"), ACME_ACCOUNT, ACME_ACCOUNT, true},
    {STR("caa"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("connection"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("dns"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("dnssec"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("externalAccountRequired"), ACME_ACCOUNT, ACME_ACCOUNT, true},
    {STR("incorrectResponse"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("invalidContact"), ACME_ACCOUNT, ACME_ACCOUNT, true},
    {STR("invalidProfile"), ACME_REFUSED, ACME_REFUSED, true},
    {STR("rateLimited"), ACME_RATE_LIMITED, ACME_RATE_LIMITED, false},
    {STR("rejectedIdentifier"), ACME_REFUSED, ACME_REFUSED, true},
    {STR("serverInternal"), ACME_CA_FAILED, ACME_CA_FAILED, false},
    {STR("tls"), ACME_CHALLENGE_FAILED, ACME_REFUSED, false},
    {STR("unauthorized"), ACME_CHALLENGE_FAILED, ACME_ACCOUNT, false},
    {STR("unsupportedContact"), ACME_ACCOUNT, ACME_ACCOUNT, true},
    {STR("unsupportedIdentifier"), ACME_REFUSED, ACME_REFUSED, true},
    {STR("userActionRequired"), ACME_ACCOUNT, ACME_ACCOUNT, true},
};

const char *acme_trouble_name(enum acme_trouble trouble)
{
    static const char *const names[] = {
        [ACME_UNREACHABLE] = "unreachable",       [ACME_CA_FAILED] = "ca_failed",
        [ACME_RATE_LIMITED] = "rate_limited",     [ACME_ACCOUNT] = "account",
        [ACME_REFUSED] = "refused",               [ACME_CHALLENGE_FAILED] = "challenge_failed",
        [ACME_PRESENT_FAILED] = "present_failed", [ACME_NO_CHALLENGE] = "no_challenge",
        [ACME_TOO_SLOW] = "too_slow"};
    return names[trouble];
}

/* ---- hints ---- */

static struct str short_type(struct str type)
{
    return str_starts(type, S(PREFIX)) ? str_from_index(type, sizeof(PREFIX) - 1) : STR_NONE;
}

/* CAs begin their words with the address that they went to: "192.0.2.1: Connection refused". */
static struct str address_in(struct str detail)
{
    struct ip ip;
    for (size_t i = 0; i + 1 < detail.len && i < IP_TEXT_SIZE; i++)
        if (detail.data[i] == ':' && detail.data[i + 1] == ' ')
            return ip_parse(str_first(detail, i), &ip) ? str_first(detail, i) : STR_NONE;
    return STR_NONE;
}

/* "192.0.2.1 (a.example)", as far as known. */
static struct str who(const struct acme_failure *failure, struct arena *arena)
{
    struct str address = address_in(failure->detail);
    struct str name = failure->name.len != 0 ? failure->name : S("the name");
    if (address.len == 0 || str_equal(address, name))
        return name;
    return arena_printf(arena, "%.*s (%.*s)", STR_ARGS(address), STR_ARGS(name));
}

/* A wildcard's records are those of the domain below the star. */
static struct str plain(struct str name)
{
    return str_starts(name, S("*.")) ? str_from_index(name, 2) : name;
}

/* The CA reached a port but did not find there what it was to find; or it reached nothing. */
static struct str port_hint(const struct acme_failure *failure, bool reached, struct arena *arena)
{
    const char *port = str_equal(failure->challenge, S("http-01")) ? "80" : "443";
    struct str whose = who(failure, arena);
    if (reached)
        return arena_printf(arena, "port %s of %.*s was answered by something else: is it forwarded to Portico?", port,
                            STR_ARGS(whose));
    return arena_printf(arena, "the CA could not connect to port %s of %.*s: is it reachable from the internet?", port,
                        STR_ARGS(whose));
}

static struct str record_hint(const struct acme_failure *failure, struct arena *arena)
{
    return arena_printf(arena,
                        "the CA did not see the TXT record of _acme-challenge.%.*s: does the command set it in the zone that "
                        "the internet sees, and is delayBeforeChecks long enough?",
                        STR_ARGS(plain(failure->name)));
}

static struct str dns_hint(const struct acme_failure *failure, struct arena *arena)
{
    if (str_equal(failure->challenge, S("dns-01")))
        return record_hint(failure, arena);
    return arena_printf(arena, "the CA cannot resolve %.*s: has it an A or AAAA record that the whole internet sees?",
                        STR_ARGS(plain(failure->name)));
}

static struct str challenge_hint(const struct acme_failure *failure, struct str type, struct arena *arena)
{
    if (str_equal(type, S("dns")) || str_equal(type, S("dnssec")))
        return dns_hint(failure, arena);
    if (str_equal(type, S("caa")))
        return arena_printf(arena, "a CAA record of %.*s or of a domain above it forbids this CA: add one that allows it",
                            STR_ARGS(plain(failure->name)));
    if (str_equal(failure->challenge, S("dns-01")))
        return record_hint(failure, arena);
    /* Some call it unauthorized when they came to no connection. */
    bool reached = !str_equal(type, S("connection")) && str_find(failure->detail, S("Failed to connect")) < 0;
    return port_hint(failure, reached, arena);
}

static struct str other_hint(struct str type)
{
    static const struct hint {
        struct str type, text;
    } hints[] = {
        {STR("accountDoesNotExist"), STR("the CA has forgotten the account: a new one is made with the next attempt")},
        {STR("badCSR"), STR("look at keyType and at the names")},
        {STR("badPublicKey"), STR("the CA does not take keys of this keyType")},
        {STR("badSignatureAlgorithm"), STR("the CA does not take account keys of this kind")},
        {STR("caa"), STR("a CAA record forbids this CA: add one that allows it")},
        {STR("externalAccountRequired"), STR("set eab.kid and eab.hmacEncoded to what the CA gave you")},
        {STR("invalidContact"), STR("look at email: the CA does not accept it")},
        {STR("invalidProfile"), STR("look at profile")},
        {STR("rateLimited"), STR("the CA limits how much it issues; the certificates that are there stay in use")},
        {STR("rejectedIdentifier"), STR("the CA does not issue for this name: is it one of the public internet?")},
        {STR("unauthorized"), STR("the CA refuses the account: if it was deactivated, set 'Account' to null in the storage, and a new one is made")},
        {STR("unsupportedContact"), STR("look at email: the CA does not accept it")},
        {STR("unsupportedIdentifier"), STR("the CA does not issue for names of this kind")},
        {STR("userActionRequired"), STR("the CA wants its account's owner to do something first, see its words")},
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (str_equal(type, hints[i].type))
            return hints[i].text;
    return STR_NONE;
}

/* ---- making ---- */

struct acme_failure *acme_failure_new(enum acme_trouble trouble, struct str detail, struct arena *arena)
{
    struct acme_failure *failure = arena_new(arena, struct acme_failure);
    failure->trouble = trouble;
    failure->detail = arena_str(arena, detail);
    return failure;
}

static void interpret(struct acme_failure *failure, struct arena *arena)
{
    struct str type = short_type(failure->type);
    bool validating = failure->challenge.len != 0;
    failure->trouble = failure->status == 429   ? ACME_RATE_LIMITED
                       : failure->status >= 500 ? ACME_CA_FAILED
                       : validating             ? ACME_CHALLENGE_FAILED
                                                : ACME_CA_FAILED;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (str_equal(type, meanings[i].type)) {
            failure->trouble = validating ? meanings[i].validating : meanings[i].otherwise;
            failure->lasting = meanings[i].lasting;
        }
    failure->hint = failure->trouble == ACME_CHALLENGE_FAILED ? challenge_hint(failure, type, arena) : other_hint(type);
}

/* "... retry after 2026-01-31 12:00:00 UTC: see https://...", for CAs that say it in words alone. */
static int64_t time_in(struct str detail)
{
    static const struct str before = STR("retry after ");
    char text[] = "0000-00-00T00:00:00Z";
    int64_t at;
    ptrdiff_t found = str_find(detail, before);
    struct str rest = found >= 0 ? str_from_index(detail, (size_t)found + before.len) : STR_NONE;
    if (rest.len < sizeof(text) - 2)
        return 0;
    memcpy(text, rest.data, sizeof(text) - 2);
    return acme_read_time(str_from(text), &at) ? at : 0;
}

static struct acme_failure *from_one(const struct acme_problem *problem, int status, struct str challenge, struct str name,
                                     struct arena *arena)
{
    struct acme_failure *failure = acme_failure_new(ACME_CA_FAILED, problem->detail, arena);
    failure->status = status;
    failure->type = arena_str(arena, problem->type);
    failure->challenge = arena_str(arena, challenge);
    failure->name = arena_str(arena, problem->identifier.len != 0 ? problem->identifier : name);
    interpret(failure, arena);
    if (failure->trouble == ACME_RATE_LIMITED)
        failure->not_before = time_in(failure->detail);
    return failure;
}

struct acme_failure *acme_failure_from_problem(const struct acme_problem *problem, int status, struct str challenge,
                                               struct str name, struct arena *arena)
{
    struct acme_failure *first = from_one(problem, status, challenge, name, arena), **end = &first->more;
    for (size_t i = 0; i < problem->subproblem_count; i++) {
        *end = from_one(&problem->subproblems[i], status, challenge, name, arena);
        end = &(*end)->more;
    }
    return first;
}

struct acme_failure *acme_failure_copy(const struct acme_failure *failure, struct arena *arena)
{
    struct acme_failure *first = NULL, **end = &first;
    for (; failure != NULL; failure = failure->more) {
        *end = arena_new(arena, struct acme_failure);
        **end = *failure;
        (*end)->type = arena_str(arena, failure->type);
        (*end)->detail = arena_str(arena, failure->detail);
        (*end)->name = arena_str(arena, failure->name);
        (*end)->challenge = arena_str(arena, failure->challenge);
        (*end)->hint = arena_str(arena, failure->hint);
        end = &(*end)->more;
    }
    return first;
}

struct str acme_failure_text(const struct acme_failure *failure, struct arena *arena)
{
    struct str type = short_type(failure->type);
    return arena_printf(arena, "%.*s%s%.*s%s%.*s%s%.*s%s%s%.*s", STR_ARGS(failure->name), failure->name.len != 0 ? ": " : "",
                        STR_ARGS(failure->challenge), failure->challenge.len != 0 ? ": " : "", STR_ARGS(failure->detail),
                        type.len != 0 ? " (" : "", STR_ARGS(type), type.len != 0 ? ")" : "",
                        failure->hint.len != 0 ? "; " : "", STR_ARGS(failure->hint));
}
