#include "files/content.h"

#include <errno.h>
#include <unistd.h>

#include "base/list.h"

/* The piece that is under way; NULL behind the last. */
static struct body_stretch *current(struct content *content)
{
    while (content->at < content->count) {
        struct body_stretch *piece = &content->pieces[content->at];
        if (piece->text.len != 0 || piece->left != 0)
            return piece;
        content->at++;
    }
    return NULL;
}

static enum status read_file(struct content *content, struct body_stretch *piece, struct chunkq *into, size_t max)
{
    bool large = piece->left > (int64_t)(CHUNK_SMALL_SIZE - sizeof(struct chunk));
    struct chunk *chunk = chunk_new(content->pool, large);
    if (chunk == NULL)
        return STATUS_OVERLOADED;
    size_t wanted = chunk->capacity < max ? chunk->capacity : max;
    if ((int64_t)wanted > piece->left)
        wanted = (size_t)piece->left;
    ssize_t got;
    do {
        got = pread(content->fd, chunk->data, wanted, piece->offset);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        chunk->used = (uint32_t)got;
        chunkq_add(into, chunk, chunk->data, (size_t)got);
        piece->offset += got;
        piece->left -= got;
    }
    chunk_unref(chunk);
    return got > 0 ? STATUS_OK : STATUS_FILE_ERROR;      /* the end: the file is shorter than it was */
}

static enum status read_content(struct body_source *source, struct chunkq *into, size_t max)
{
    struct content *content = container_of(source, struct content, source);
    struct body_stretch *piece = current(content);
    if (piece == NULL)
        return STATUS_END;
    if (piece->text.len == 0)
        return read_file(content, piece, into, max);
    struct str part = str_first(piece->text, max);
    chunkq_add_static(into, part);
    piece->text = str_from_index(piece->text, part.len);
    return STATUS_OK;
}

static int file_of(struct body_source *source, off_t **ret_offset, int64_t **ret_left)
{
    struct content *content = container_of(source, struct content, source);
    struct body_stretch *piece = current(content);
    if (content->small || piece == NULL || piece->text.len != 0)
        return -1;
    *ret_offset = &piece->offset;
    *ret_left = &piece->left;
    return content->fd;
}

static void release(struct body_source *source)
{
    struct content *content = container_of(source, struct content, source);
    if (content->fd >= 0)
        close(content->fd);
    content->fd = -1;
}

static void cut(struct body_source *source, struct body_stretch *stretches, unsigned count)
{
    struct content *content = container_of(source, struct content, source);
    content->pieces = stretches;
    content->count = count;
    content->at = 0;
    content->small = content_length(content) <= CONTENT_SMALL;
}

static const struct body_source_ops content_source = {
    .read = read_content, .file = file_of, .cut = cut, .release = release};

void content_init(struct content *content, int fd, struct body_stretch *pieces, unsigned count, struct chunk_pool *pool)
{
    *content = (struct content){.source = {&content_source},
                                .pool = pool,
                                .fd = fd,
                                .pieces = pieces,
                                .count = count};
    content->small = content_length(content) <= CONTENT_SMALL;
}

int64_t content_length(const struct content *content)
{
    int64_t length = 0;
    for (unsigned i = 0; i < content->count; i++)
        length += (int64_t)content->pieces[i].text.len + content->pieces[i].left;
    return length;
}
