#include "middleware/range_filter.h"

#include "base/list.h"

struct range_filter {
    struct filter filter;
    struct body_stretch *stretches;
    unsigned count, at;
    off_t position;      /* of the body: bytes that were taken */
};

/* What ends at once: a text behind which nothing of the body comes. */
static void give_text(struct body_stretch *stretch, struct chunkq *out)
{
    if (stretch->text.len != 0)
        chunkq_add_static(out, stretch->text);
    stretch->text = STR_NONE;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct range_filter *range = container_of(filter, struct range_filter, filter);
    while (range->at < range->count) {
        struct body_stretch *stretch = &range->stretches[range->at];
        if (range->position < stretch->offset && stretch->left != 0) {
            size_t ahead = (size_t)(stretch->offset - range->position);
            size_t dropped = in->bytes < ahead ? in->bytes : ahead;
            chunkq_drop(in, dropped);
            range->position += (off_t)dropped;
            if (dropped < ahead)
                return STATUS_OK;
        }
        give_text(stretch, out);
        size_t wanted = stretch->left < (int64_t)in->bytes ? (size_t)stretch->left : in->bytes;
        size_t moved = wanted != 0 ? chunkq_move(out, in, wanted) : 0;
        stretch->left -= (int64_t)moved;
        range->position += (off_t)moved;
        if (stretch->left != 0)
            return STATUS_OK;
        range->at++;
    }
    chunkq_drop(in, in->bytes);
    return STATUS_OK;
}

struct filter *range_filter_new(struct arena *arena, struct body_stretch *stretches, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (stretches[i].left != 0 && stretches[i].offset < stretches[i - 1].offset + (off_t)stretches[i - 1].left)
            return NULL;
    struct range_filter *range = arena_new(arena, struct range_filter);
    if (range == NULL)
        return NULL;
    *range = (struct range_filter){.filter = {.process = process}, .stretches = stretches, .count = count};
    return &range->filter;
}
