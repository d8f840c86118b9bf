/* Sidecars: page.html.br in place of page.html for a client that takes it (RFC 9110 12.5.3). That a sidecar holds what the
 * file holds is the user's word; it is not compared. */
#include "files/site.h"

#include <unistd.h>

#include "http/token.h"

static const struct coding codings[CODINGS_MAX] = {
    {STR("br"), STR(".br")},
    {STR("zstd"), STR(".zst")},
    {STR("gzip"), STR(".gz")},
};

const struct coding *coding_find(struct str name)
{
    for (unsigned i = 0; i < CODINGS_MAX; i++)
        if (str_equal_nocase(codings[i].name, name))
            return &codings[i];
    return NULL;
}

/* A proxy on the way may not know what to do with a coding, and HTTP/1.0 has none. */
static bool is_direct(const struct exchange *x)
{
    const struct request *request = &x->stream.request;
    return request->version >= HTTP_1_1 && !fields_has(&request->fields, FIELD_VIA);
}

/* The client's qualities of the site's codings; 0 for those that are worse to it than no coding at all. */
static bool weigh(struct exchange *x, const struct file_site *site, int *qualities)
{
    struct str accept = fields_joined(&exchange_request(x)->fields, FIELD_ACCEPT_ENCODING, &x->arena);
    bool always = site->options->precompressed_always, any = false;
    if (!always && (accept.len == 0 || (site->options->precompressed_direct && !is_direct(x))))
        return false;
    int plain = always ? 0 : token_accepts(accept, S("identity"), 0);
    for (unsigned i = 0; i < site->coding_count; i++) {
        int quality = always ? 1000 : token_accepts(accept, site->codings[i]->name, 0);
        qualities[i] = quality > 0 && quality >= plain ? quality : 0;
        any = any || qualities[i] != 0;
    }
    return any;
}

/* The best that is left, which is then left no more; -1 behind the last. */
static int next_best(int *qualities, unsigned count)
{
    int best = -1;
    for (unsigned i = 0; i < count; i++)
        if (qualities[i] > 0 && (best < 0 || qualities[i] > qualities[best]))
            best = (int)i;
    if (best >= 0)
        qualities[best] = 0;
    return best;
}

const struct coding *coding_choose(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name,
                                   struct tree_file *file)
{
    int qualities[CODINGS_MAX], best;
    if (site->coding_count == 0 || !weigh(x, site, qualities))
        return NULL;
    while ((best = next_best(qualities, site->coding_count)) >= 0) {
        const struct coding *coding = site->codings[best];
        struct str sidecar = arena_concat(&x->arena, name, coding->suffix);
        struct tree_file found;
        if (sidecar.data == NULL || finder_open(&site->finder, x, spot, sidecar, &found) != STATUS_OK)
            continue;
        if (S_ISREG(found.stat.st_mode)) {
            if (file->fd >= 0)
                close(file->fd);
            *file = found;
            return coding;
        }
        close(found.fd);
    }
    return NULL;
}
