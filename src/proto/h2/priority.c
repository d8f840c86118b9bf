/* Priorities (RFC 9218): a dictionary of structured fields (RFC 8941) of which two members count. nghttp2 orders the streams by
 * them; PRIORITY_UPDATE it reads itself. */
#include "proto/h2/serving.h"

#define PRIORITY STR("priority")

/* A member of the dictionary, parameters cut off: "u=3", "i", "i=?1". Others are ignored, as the RFC has it. */
static bool read_member(struct str member, nghttp2_extpri *priority)
{
    ptrdiff_t parameters = str_find_char(member, ';', 0);
    if (parameters >= 0)
        member = str_first(member, (size_t)parameters);
    if (member.len == 3 && str_starts(member, S("u="))) {
        if (member.data[2] < '0' || member.data[2] > '7')
            return false;
        priority->urgency = (uint32_t)(member.data[2] - '0');
    } else if (str_equal(member, S("i")) || str_equal(member, S("i=?1"))) {
        priority->inc = 1;
    } else if (str_equal(member, S("i=?0"))) {
        priority->inc = 0;
    }
    return true;
}

void h2_priority_read(struct str value, nghttp2_extpri *priority)
{
    nghttp2_extpri read = *priority;
    struct str member;
    while (str_split(&value, ',', &member))
        if (!read_member(str_trim(member), &read))
            return;
    *priority = read;
}

static void apply(struct h2_stream *own, bool overrides)
{
    if (!own->closed)
        nghttp2_session_change_extpri_stream_priority(own->server->session, own->id, &own->priority, overrides);
}

void h2_priority_request(struct h2_stream *own)
{
    static const struct str name = PRIORITY;
    nghttp2_extpri before = own->priority;
    h2_priority_read(fields_value_name(&own->stream->request.fields, name), &own->priority);
    if (before.urgency != own->priority.urgency || before.inc != own->priority.inc)
        apply(own, false);
}

void h2_priority_response(struct h2_stream *own, struct str value)
{
    h2_priority_read(value, &own->priority);
    apply(own, true);
}
