/* Any text as an acme.json: what is read is written, and what is written reads the same and is written the same again. */
#include <assert.h>

#include "acme/state_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(struct str former, const struct state *state, struct text *out)
{
    struct text why;
    text_init(&why, 4096);
    text_init(out, STATE_BYTES_MAX);
    assert(state_format(former, S("le"), state, out, &why));
    text_release(&why);
}

static void read_again(struct str written, const struct state *first)
{
    struct state second;
    struct text why, out;
    text_init(&why, 4096);
    state_init(&second);
    assert(state_parse(written, S("le"), &second, &why));
    assert(second.certificates.count == first->certificates.count && second.orders.count == first->orders.count &&
           second.problems.count == first->problems.count);
    for (size_t i = 0; i < first->certificates.count; i++) {
        const struct state_certificate *a = first->certificates.items[i], *b = second.certificates.items[i];
        assert(names_equal(&a->names, &b->names) && str_equal(a->chain, b->chain) && str_equal(a->key, b->key));
    }
    format(written, &second, &out);
    assert(str_equal(text_str(&out), written));
    text_release(&out);
    text_release(&why);
    state_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct state state;
    struct text why, out;
    text_init(&why, 4096);
    state_init(&state);
    if (state_parse(text, S("le"), &state, &why)) {
        format(text, &state, &out);
        read_again(text_str(&out), &state);
        text_release(&out);
    } else {
        assert(why.len > 0);
    }
    state_release(&state);
    text_release(&why);
    return 0;
}
