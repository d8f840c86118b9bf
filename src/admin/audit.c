#include "admin/audit.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"

struct kept {
    int64_t at;                           /* Unix ns */
    const char *action;
    char *user, *client, *subject, *detail, *outcome;
};

static struct {
    struct kept entries[AUDIT_KEPT];     /* the next one is written to `total % AUDIT_KEPT` */
    uint64_t total;
} ring;

static void kept_release(struct kept *entry)
{
    free(entry->user);
    free(entry->client);
    free(entry->subject);
    free(entry->detail);
    free(entry->outcome);
    *entry = (struct kept){0};
}

static char *keep(struct str text)
{
    struct str part = str_first(text, AUDIT_TEXT_MAX);
    return memory_copy_text(part.data != NULL ? part.data : "", part.len);
}

static char *client_of(const struct admin_call *call)
{
    char text[IP_TEXT_SIZE];
    ip_format(&call->peer, text);
    return keep(str_from(text));
}

static void fill(struct kept *entry, const struct admin_call *call, const struct audit *audit)
{
    *entry = (struct kept){.at = time_wall(),
                            .action = audit->action,
                            .user = keep(call->user),
                            .client = client_of(call),
                            .subject = keep(audit->subject),
                            .detail = keep(audit->detail),
                            .outcome = keep(audit->outcome)};
}

void audit_note(const struct admin_call *call, const struct audit *audit)
{
    struct kept *entry = &ring.entries[ring.total++ % AUDIT_KEPT];
    kept_release(entry);
    fill(entry, call, audit);
    log_with(LOG_INFO,
             FIELDS("user", entry->user, "client", entry->client, "action", entry->action, "subject", entry->subject, "detail",
                    entry->detail, "outcome", entry->outcome),
             "api: %s", entry->action);
}

void audit_denied(const struct admin_call *call)
{
    struct kept entry;
    fill(&entry, call, &(struct audit){.action = "denied", .subject = call->path, .outcome = S("the role is missing")});
    log_with(LOG_INFO,
             FIELDS("user", entry.user, "client", entry.client, "action", entry.action, "subject", entry.subject, "outcome",
                    entry.outcome),
             "api: somebody without the role tried to change something");
    kept_release(&entry);
}

void audit_write(struct json *json)
{
    uint64_t kept = ring.total < AUDIT_KEPT ? ring.total : AUDIT_KEPT;
    json_open_array(json);
    for (uint64_t i = 1; i <= kept; i++) {
        const struct kept *entry = &ring.entries[(ring.total - i) % AUDIT_KEPT];
        json_open_object(json);
        json_member_time(json, "at", entry->at / TIME_S);
        json_member_str(json, "user", str_from(entry->user));
        json_member_str(json, "client", str_from(entry->client));
        json_member_str(json, "action", str_from(entry->action));
        json_member_str(json, "subject", str_from(entry->subject));
        json_member_str(json, "detail", str_from(entry->detail));
        json_member_str(json, "outcome", str_from(entry->outcome));
        json_end(json);
    }
    json_end(json);
}

static void forget_all(void)
{
    for (size_t i = 0; i < AUDIT_KEPT; i++)
        kept_release(&ring.entries[i]);
    ring.total = 0;
}

static const struct admin_part part = {.stop = forget_all};
REGISTER(admin_part, part);

static bool answer(struct admin_call *call)
{
    audit_write(&call->json);
    return true;
}

static const struct admin_route route = {
    .method = "GET", .path = "/api/portico/audit", .summary = "Who changed what, newest first.", .answer = answer};
REGISTER(admin_route, route);
