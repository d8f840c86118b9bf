/* A storage that is a directory: a folder for each certificate, the rest in account.json. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme/state_json.h"
#include "acme/storage_place.h"
#include "base/memory.h"

#define FOLDER_NAME_MAX 200

static const char *path_of(struct arena *arena, const char *path, struct str folder, const char *file)
{
    const char *between = str_empty(folder) ? "" : "/";
    return arena_printf(arena, "%s/%.*s%s%s", path, STR_ARGS(folder), between, file).data;
}

static bool blame(struct text *why, const char *path, struct text *detail)
{
    if (detail->len != 0)
        text_addf(why, "%s: %s", path, text_c(detail));
    text_release(detail);
    return false;
}

/* ---- reading ---- */

static bool read_account_file(const char *path, struct state *state, struct arena *arena, struct text *why)
{
    struct str content;
    struct text detail;
    const char *file = path_of(arena, path, STR_NONE, "account.json");
    text_init(&detail, 4096);
    if (!storage_read_private(file, arena, &content, why))
        return false;
    if (!state_parse(content, STR_NONE, state, &detail))
        return blame(why, file, &detail);
    text_release(&detail);
    /* Certificates lie in folders; a list here would be a file's that was put into a directory. */
    return state->certificates.count == 0 || (text_addf(why, "%s: holds certificates, which belong into folders", file), false);
}

static bool read_folder(const char *path, struct str folder, struct state *state, struct arena *arena, struct text *why)
{
    struct str chain, key, meta;
    struct text detail;
    if (!storage_read_private(path_of(arena, path, folder, "certificate.pem"), arena, &chain, why) ||
        !storage_read_private(path_of(arena, path, folder, "key.pem"), arena, &key, why) ||
        !storage_read_private(path_of(arena, path, folder, "meta.json"), arena, &meta, why))
        return false;
    if (str_empty(chain) || str_empty(key) || str_empty(meta))
        return true;            /* not one of ours, or one that was never finished */
    struct state_certificate *certificate = state_certificate_new(state);
    text_init(&detail, 4096);
    if (!state_parse_meta(meta, certificate, &detail))
        return blame(why, path_of(arena, path, folder, "meta.json"), &detail);
    text_release(&detail);
    certificate->chain = arena_str(&certificate->arena, chain);
    certificate->key = arena_str(&certificate->arena, key);
    certificate->folder = arena_str(&certificate->arena, folder);
    return true;
}

static bool is_folder(const char *path)
{
    struct stat stat_;
    return stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode);
}

static bool read_folders(const char *path, DIR *directory, struct state *state, struct text *why)
{
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(directory)) != NULL;) {
        struct arena arena;
        struct str folder = str_from(entry->d_name);
        arena_init(&arena, ARENA_UNLIMITED);
        if (!str_starts(folder, S(".")) && is_folder(path_of(&arena, path, folder, "")))
            good = read_folder(path, folder, state, &arena, why);
        arena_release(&arena);
    }
    return good;
}

bool storage_directory_read(const char *path, struct state *state, struct text *why)
{
    struct arena arena;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return errno == ENOENT || (text_addf(why, "%s: %s", path, strerror(errno)), false);
    arena_init(&arena, ARENA_UNLIMITED);
    bool good = read_account_file(path, state, &arena, why) && read_folders(path, directory, state, why);
    arena_release(&arena);
    closedir(directory);
    return good;
}

/* ---- writing ---- */

static bool folder_is_taken(const struct state *state, const char *path, struct str folder, struct arena *arena)
{
    for (size_t i = 0; i < state->certificates.count; i++)
        if (str_equal(state->certificates.items[i]->folder, folder))
            return true;
    struct stat stat_;
    return lstat(path_of(arena, path, folder, "meta.json"), &stat_) == 0;
}

/* "a.example", "_wildcard.a.example", "a.example-2": of names that came over the network only what cannot leave the folder. */
static void choose_folder(const struct state *state, struct state_certificate *certificate, const char *path, struct arena *arena)
{
    struct str name = str_first(certificate->names.items[0], FOLDER_NAME_MAX);
    if (str_starts(name, S("*.")))
        name = arena_concat(arena, S("_wildcard"), str_from_index(name, 1));
    char *plain = memory_copy_text(name.data, name.len);
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_alpha(plain[i]) && !ascii_digit(plain[i]) && strchr(i == 0 ? "_" : "_-.:", plain[i]) == NULL)
            plain[i] = '_';
    struct str folder = arena_str(&certificate->arena, str_from(plain));
    for (unsigned n = 2; folder_is_taken(state, path, folder, arena); n++)
        folder = arena_printf(&certificate->arena, "%s-%u", plain, n);
    certificate->folder = folder;
    free(plain);
}

/* The three files are not replaced in one step; between them a crash leaves a pair that does not fit, and the order in
 * account.json, from which the certificate is fetched again. */
static bool write_folder(const char *path, struct state *state, struct state_certificate *certificate, struct arena *arena,
                         struct text *why)
{
    struct text meta;
    if (str_empty(certificate->folder))
        choose_folder(state, certificate, path, arena);
    const char *folder = path_of(arena, path, certificate->folder, "");
    if (!storage_make_folder(folder)) {
        text_addf(why, "%s: %s", folder, strerror(errno));
        return false;
    }
    text_init(&meta, STATE_BYTES_MAX);
    bool good = state_format_meta(certificate, &meta) &&
                storage_write_private(path_of(arena, path, certificate->folder, "key.pem"), certificate->key, why) &&
                storage_write_private(path_of(arena, path, certificate->folder, "certificate.pem"), certificate->chain, why) &&
                storage_write_private(path_of(arena, path, certificate->folder, "meta.json"), text_str(&meta), why);
    text_release(&meta);
    return good;
}

static bool write_account_file(const char *path, const struct state *state, struct arena *arena, struct text *why)
{
    struct text content;
    text_init(&content, STATE_BYTES_MAX);
    bool good = state_format(STR_NONE, STR_NONE, state, &content, why) &&
                storage_write_private(path_of(arena, path, STR_NONE, "account.json"), text_str(&content), why);
    text_release(&content);
    return good;
}

bool storage_directory_write(const char *path, struct state *state, struct text *why)
{
    struct arena arena;
    if (!storage_make_folder(path)) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return false;
    }
    arena_init(&arena, ARENA_UNLIMITED);
    bool good = true;
    /* Orders go last: one that is done leaves the list only when its certificate is on disk. */
    for (size_t i = 0; good && i < state->certificates.count; i++)
        if (state->certificates.items[i]->unsaved)
            good = write_folder(path, state, state->certificates.items[i], &arena, why);
    good = good && write_account_file(path, state, &arena, why);
    arena_release(&arena);
    return good;
}

void storage_directory_drop(const char *path, struct str folder)
{
    static const char *const files[] = {"certificate.pem", "key.pem", "meta.json", ""};
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *file = path_of(&arena, path, folder, files[i]);
        if (*files[i] != '\0')
            unlink(file);
        else
            rmdir(file);
    }
    arena_release(&arena);
}
