/* What an access log's configuration comes down to once it is compiled, and the parts of lines. Private to observe/. */
#ifndef OBSERVE_ACCESS_RULES_H
#define OBSERVE_ACCESS_RULES_H

#include "base/arena.h"
#include "base/text.h"
#include "http/status_ranges.h"
#include "observe/access_log.h"

/* Traefik's names of the JSON fields, and ours behind them. */
#define ACCESS_FIELDS(X) \
    X(StartUTC) X(StartLocal) X(Duration) X(RouterName) X(ServiceName) X(ServiceURL) X(ServiceAddr) X(ClientAddr) \
    X(ClientHost) X(ClientPort) X(ClientUsername) X(RequestAddr) X(RequestHost) X(RequestPort) X(RequestMethod) \
    X(RequestPath) X(RequestProtocol) X(RequestScheme) X(RequestLine) X(RequestContentSize) X(OriginDuration) \
    X(OriginContentSize) X(OriginStatus) X(OriginStatusLine) X(DownstreamStatus) X(DownstreamStatusLine) \
    X(DownstreamContentSize) X(RequestCount) X(GzipRatio) X(Overhead) X(RetryAttempts) X(TLSVersion) X(TLSCipher) \
    X(TLSClientSubject) X(entryPointName) X(RequestID) X(TraceId) X(SpanId) X(reason) X(reasonDetail) X(QueueDuration) X(ConnectDuration) X(FirstByteDuration)

enum access_field {
#define X(name) ACCESS_##name,
    ACCESS_FIELDS(X)
#undef X
    ACCESS_FIELD_COUNT
};

struct access_rule {
    struct str name;
    int mode;              /* enum field_mode */
};

struct access_rules {
    struct access_rule *items;
    size_t count;
    int default_mode;
};

struct access_format {
    struct arena arena;
    struct str key;                       /* the configuration as text: equal keys, equal formats */
    int kind;                             /* enum access_log_format */
    struct status_ranges statuses;
    bool any_filter, retry_attempts;
    int64_t min_duration;
    bool kept[ACCESS_FIELD_COUNT];
    struct access_rules headers, query;
    bool headers_wanted;                  /* not all are dropped */
    bool query_whole;                     /* the query is shown as it is */
    int referer_mode, agent_mode;         /* in lines that have a place for them: shown unless a rule names them */
};

int access_rule_mode(const struct access_rules *rules, struct str name);

/* "/path?query" as the log may show it, parameters dropped or redacted by the rules: piece by piece. */
struct access_target {
    const struct access_format *format;
    struct str path, query;               /* what is left; data NULL: nothing */
    struct str pieces[4];                 /* of the parameter under way */
    unsigned piece, piece_count;
    char separator;                       /* before the next parameter */
};
void access_target_begin(struct access_target *target, const struct access_format *format, const struct access_record *record);
bool access_target_next(struct access_target *target, struct str *ret_piece);

/* With the line's end. access_common.c: the three formats that are lines of words. access_json.c */
void access_common_line(const struct access_format *format, const struct access_record *record, struct text *out);
void access_json_line(const struct access_format *format, const struct access_record *record, struct text *out);

/* Both write at most ACCESS_TIME_SIZE, also behind the end that they give. The parts that last a second are kept per thread.
 * "2026-11-22T10:00:00.123456789Z" (local: "+01:00"), and "[22/Nov/2026:10:00:00 +0000]". */
#define ACCESS_TIME_SIZE 48
char *access_put_time(char *out, int64_t wall, bool local);
char *access_put_clf_time(char *out, int64_t wall, bool local);

#endif
