/* Which of the formats Prometheus is answered in: the one that its Accept field wants most (RFC 9110 12.5.1). */
#include "admin/metrics.h"
#include "http/token.h"

static bool parameter_is(struct str member, struct str name, struct str wanted)
{
    struct str value = token_parameter(member, name, NULL);
    return value.data == NULL || str_equal_nocase(value, wanted);
}

/* Whether a member of Accept names one of ours. */
static bool find_exposition(struct str member, enum exposition *ret_exposition)
{
    struct str type;
    token_parameter(member, S("q"), &type);
    if (str_equal_nocase(type, S("application/vnd.google.protobuf"))) {
        *ret_exposition = EXPOSITION_PROTOBUF;
        return parameter_is(member, S("proto"), S("io.prometheus.client.MetricFamily")) &&
               parameter_is(member, S("encoding"), S("delimited"));
    }
    if (str_equal_nocase(type, S("application/openmetrics-text"))) {
        *ret_exposition = EXPOSITION_OPENMETRICS;
        return parameter_is(member, S("version"), S("1.0.0"));
    }
    *ret_exposition = EXPOSITION_TEXT;
    if (str_equal_nocase(type, S("text/plain")))
        return parameter_is(member, S("version"), S("0.0.4"));
    return str_equal(type, S("*/*")) || str_equal_nocase(type, S("text/*"));
}

/* Of several with the same weight the first: clients list them by preference. */
enum exposition exposition_choose(struct str accept)
{
    enum exposition best = EXPOSITION_TEXT, found;
    int best_quality = 0;
    struct str member;
    while (token_next(&accept, &member)) {
        int quality = token_quality(token_parameter(member, S("q"), NULL));
        if (quality > best_quality && find_exposition(member, &found)) {
            best = found;
            best_quality = quality;
        }
    }
    return best;
}

struct str exposition_type(enum exposition exposition)
{
    switch (exposition) {
    case EXPOSITION_OPENMETRICS:
        return S("application/openmetrics-text; version=1.0.0; charset=utf-8");
    case EXPOSITION_PROTOBUF:
        return S("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited");
    case EXPOSITION_TEXT:
        break;
    }
    return S("text/plain; version=0.0.4; charset=utf-8");
}

void exposition_write(enum exposition exposition, const struct metrics *metrics, struct text *out)
{
    if (exposition == EXPOSITION_PROTOBUF)
        metrics_write_protobuf(metrics, out);
    else
        metrics_write_text(metrics, exposition == EXPOSITION_OPENMETRICS, out);
}
