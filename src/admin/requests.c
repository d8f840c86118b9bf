/* GET /api/portico/requests: the last requests, the newest first. */
#include <stdlib.h>

#include "admin/call.h"
#include "admin/recent_show.h"
#include "admin/words.h"

#define SHOWN 100
#define SHOWN_MAX 5000

/* What is asked for. */
struct sieve {
    struct str word;
    struct str status;                /* "404", "5xx"; empty: any */
    int failed;                       /* 1: those that did, 0: those that did not; -1: all */
};

static struct sieve read_sieve(struct admin_call *call)
{
    struct sieve sieve = {.failed = -1};
    struct str failed;
    admin_query(call, "search", &sieve.word);
    admin_query(call, "status", &sieve.status);
    if (admin_query(call, "failed", &failed))
        sieve.failed = str_equal(failed, S("true")) ? 1 : str_equal(failed, S("false")) ? 0 : -1;
    return sieve;
}

static bool status_fits(int status, struct str wanted)
{
    const char digits[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    if (wanted.len != 3)
        return wanted.len == 0;
    for (size_t i = 0; i < 3; i++)
        if (wanted.data[i] != digits[i] && ascii_lower(wanted.data[i]) != 'x')
            return false;
    return true;
}

static bool has_word(const struct recent_entry *entry, struct str word)
{
    const struct str texts[] = {entry->path,    entry->host,   entry->client, entry->router,     entry->service,
                                entry->server,  entry->user,   entry->method, entry->request_id, entry->trace_id,
                                entry->detail};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (words_have(texts[i], word))
            return true;
    return false;
}

static bool passes(const struct recent_entry *entry, const struct sieve *sieve)
{
    bool failed = entry->reason != STATUS_OK || entry->status >= 500;
    return (sieve->failed < 0 || failed == (sieve->failed == 1)) && status_fits(entry->status, sieve->status) &&
           (sieve->word.len == 0 || has_word(entry, sieve->word));
}

static void on_survey(struct survey *survey)
{
    struct admin_call *call = survey->owner;
    struct sieve sieve = read_sieve(call);
    size_t limit = (size_t)admin_query_int(call, "limit", 1, SHOWN_MAX, SHOWN), count, shown = 0;
    const struct recent_entry **entries = recent_sorted(survey, true, true, &count);
    json_open_array(&call->json);
    for (size_t i = 0; i < count && shown < limit; i++) {
        if (!passes(entries[i], &sieve))
            continue;
        recent_show(entries[i], &call->json);
        shown++;
    }
    json_end(&call->json);
    free(entries);
    admin_finish(call);
}

static bool answer(struct admin_call *call)
{
    return admin_survey(call, SURVEY_REQUESTS | SURVEY_FAILURES, on_survey);
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/requests",
                                         .summary = "The last requests, the newest first.",
                                         .answer = answer};
REGISTER(admin_route, route);
