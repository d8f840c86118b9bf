/* What limits by zones have in common: a zone is state with a name, which every limit that names it shares, whatever router it is in.
 * rateLimit counts requests by time in one (rate_zones.h), inFlightReq those under way (in_flight_zones.h). */
#ifndef MIDDLEWARE_ZONE_OPTIONS_H
#define MIDDLEWARE_ZONE_OPTIONS_H

#include "exchange/error_log.h"
#include "exchange/middleware.h"
#include "exchange/text_template.h"

/* Options of a limit that has `zones`. */
struct zone_policy {
    int64_t reject_status_code;
    bool dry_run;
    int log_level;               /* enum syslog_severity */
};

extern const struct option_name zone_log_names[];

/* The rows of such an option table; `type` has a member `policy`. */
#define ZONE_POLICY_OPTIONS(type) \
    OPTION_NAMED(INT, type, policy.reject_status_code, "rejectStatusCode", .fallback = "503", .min = 400, .max = 599, \
                 .help = "With zones: the status that refused requests get."), \
    OPTION_NAMED(BOOL, type, policy.dry_run, "dryRun", \
                 .help = "With zones: count and log what would be refused or delayed, and let it pass."), \
    OPTION_NAMED(ENUM, type, policy.log_level, "logLevel", .names = zone_log_names, .fallback = "error", \
                 .help = "With zones: at which level the router's error logs are told of refusals; of delays one level lower.")

/* Bytes of a key that are looked at; a request with a longer one is not limited, as in nginx. */
#define ZONE_KEY_MAX ((size_t)65535)

/* Where the state of a zone is kept: the same for the same name, size and key. */
struct str zone_identity(const char *kind, struct str name, int64_t size, struct str key, struct compile *compile);
/* The hash of a key; 0: the key is empty or too long, and the request is not limited. */
uint64_t zone_key(const struct text_template *key, struct exchange *x, struct str *ret_text);
/* A key as people may read it: an address in bytes as the address. */
struct str zone_key_text(struct exchange *x, struct str key);

#endif
