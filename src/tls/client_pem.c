#include "tls/client_pem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "tls/client.h"
#include "tls/pem.h"

bool tls_is_pem_text(struct str file_or_text)
{
    return str_find(file_or_text, S("-----BEGIN ")) >= 0;
}

/* ---- pipes: what is read of one is gone, but several options may name it ---- */

struct pipe_text {
    struct pipe_text *next;
    char *name, *text;
    size_t name_len, len;
};
static struct {
    pthread_mutex_t lock;
    struct pipe_text *first;
    bool kept;
} pipes = {.lock = PTHREAD_MUTEX_INITIALIZER};

void tls_keep_pipes(bool kept)
{
    pthread_mutex_lock(&pipes.lock);
    pipes.kept = kept;
    while (!kept && pipes.first != NULL) {
        struct pipe_text *pipe = pipes.first;
        pipes.first = pipe->next;
        secret_wipe(pipe->text, pipe->len);
        free(pipe->name);
        free(pipe->text);
        free(pipe);
    }
    pthread_mutex_unlock(&pipes.lock);
}

static bool read_pipe(struct str file, struct arena *arena, struct str *ret_pem)
{
    bool good = true;
    pthread_mutex_lock(&pipes.lock);
    struct pipe_text *pipe = pipes.first;
    while (pipe != NULL && !str_equal(str_of(pipe->name, pipe->name_len), file))
        pipe = pipe->next;
    if (pipe != NULL) {
        *ret_pem = arena_str(arena, str_of(pipe->text, pipe->len));
    } else {
        good = file_read(arena, arena_str(arena, file).data, PEM_BYTES_MAX, ret_pem);
        pipe = good && pipes.kept ? memory_zalloc(sizeof(*pipe)) : NULL;
        if (pipe != NULL) {
            *pipe = (struct pipe_text){.next = pipes.first, .name = memory_copy_text(file.data, file.len), .name_len = file.len,
                                       .text = memory_copy_text(ret_pem->data, ret_pem->len), .len = ret_pem->len};
            pipes.first = pipe;
        }
    }
    pthread_mutex_unlock(&pipes.lock);
    return good;
}

static bool is_pipe(const char *name)
{
    struct stat facts;
    return stat(name, &facts) == 0 && S_ISFIFO(facts.st_mode);
}

bool tls_read_pem(struct str file_or_text, struct arena *arena, struct str *ret_pem)
{
    if (tls_is_pem_text(file_or_text)) {
        *ret_pem = file_or_text;
        return true;
    }
    const char *name = arena_str(arena, file_or_text).data;
    if (is_pipe(name))
        return read_pipe(file_or_text, arena, ret_pem);
    return file_read(arena, name, PEM_BYTES_MAX, ret_pem);
}

STACK_OF(X509) *client_pem_read(struct str file_or_text, struct arena *arena, struct span span, struct diag *diag,
                                struct str *ret_pem)
{
    struct pem_parts parts;
    struct str shown = tls_is_pem_text(file_or_text) ? S("the PEM text") : file_or_text;
    if (!tls_read_pem(file_or_text, arena, ret_pem)) {
        diag_error(diag, span, "%.*s cannot be read: %s", STR_ARGS(shown), strerror(errno));
        return NULL;
    }
    pem_parts_init(&parts);
    pem_parts_read(&parts, *ret_pem);
    STACK_OF(X509) *found = NULL;
    if (parts.why != NULL) {
        diag_error(diag, span, "%.*s %s", STR_ARGS(shown), parts.why);
    } else if (sk_X509_num(parts.certificates) <= 0) {
        diag_error(diag, span, "%.*s holds no certificate", STR_ARGS(shown));
    } else {
        found = parts.certificates;
        parts.certificates = NULL;
    }
    pem_parts_release(&parts);
    return found;
}
