/* traceparent (the first line) and tracestate (the rest): what is taken over reads back as itself, and nothing is taken that a
 * server could read as more than it is. */
#include <assert.h>

#include "observe/trace_context.h"

static void check_parent(struct str text)
{
    struct trace_parent parent, again;
    char out[TRACE_PARENT_SIZE];
    if (!trace_parent_parse(text, &parent))
        return;
    trace_parent_format(parent.trace_id, parent.span, parent.sampled, out);
    assert(trace_parent_parse(str_of(out, sizeof(out)), &again));
    assert(memcmp(parent.trace_id, again.trace_id, TRACE_ID_SIZE) == 0 && parent.span == again.span && parent.span != 0);
    assert(parent.sampled == again.sampled && text.len >= TRACE_PARENT_SIZE);
    assert(memcmp(out + 3, text.data + 3, TRACE_PARENT_SIZE - 5) == 0);
}

static void check_state(struct str text)
{
    if (!trace_state_is_valid(text))
        return;
    struct str member;
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        assert((text.data[i] >= 0x20 && text.data[i] <= 0x7e) || text.data[i] == '\t');
    while (str_split(&text, ',', &member))
        count += str_find_char(member, '=', 0) > 0;
    assert(count >= 1 && count <= 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), line;
    if (!str_split(&rest, '\n', &line))
        return 0;
    check_parent(line);
    check_state(rest);
    return 0;
}
