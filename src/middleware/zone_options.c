#include "middleware/zone_options.h"

const struct option_name zone_log_names[] = {
    {"info", SYSLOG_INFO}, {"notice", SYSLOG_NOTICE}, {"warn", SYSLOG_WARN}, {"error", SYSLOG_ERROR}, {NULL, 0}};

struct str zone_identity(const char *kind, struct str name, int64_t size, struct str key, struct compile *compile)
{
    return arena_printf(compile->arena, "zone/%s/%.*s/%.*s/%lld/%.*s", kind, STR_ARGS(compile->provider), STR_ARGS(name),
                        (long long)size, STR_ARGS(key));
}

uint64_t zone_key(const struct text_template *key, struct exchange *x, struct str *ret_text)
{
    *ret_text = text_template_text(key, x);
    if (ret_text->len == 0 || ret_text->len > ZONE_KEY_MAX)
        return 0;
    uint64_t hash = str_hash(*ret_text);
    return hash != 0 ? hash : 1;
}

struct str zone_key_text(struct exchange *x, struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.data[i];
        if (c < ' ' || c >= 0x7f)
            return exchange_client_text(x);
    }
    return key;
}
