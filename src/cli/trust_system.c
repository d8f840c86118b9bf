/* The system's store: a folder for roots that administrators add, and a program that takes them up. */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/trust.h"

struct system_store {
    const char *people;             /* "Debian" */
    const char *folder;
    const char *update[3];          /* ends with NULL */
    const char *update_removed;     /* one more word after something was removed; NULL: none */
    /* Options of the program for a system that lies elsewhere, each with its path there; none: it knows only its own. */
    const char *elsewhere[5][2];
};

static const struct system_store stores[] = {
    {"Debian", "/usr/local/share/ca-certificates", {"update-ca-certificates"}, "--fresh",
     {{"--certsconf", "/etc/ca-certificates.conf"}, {"--certsdir", "/usr/share/ca-certificates"},
      {"--localcertsdir", "/usr/local/share/ca-certificates"}, {"--etccertsdir", "/etc/ssl/certs"},
      {"--hooksdir", "/etc/ca-certificates/update.d"}}},
    {"Fedora", "/etc/pki/ca-trust/source/anchors", {"update-ca-trust", "extract"}, NULL, {{NULL}}},
    {"Arch", "/etc/ca-certificates/trust-source/anchors", {"trust", "extract-compat"}, NULL, {{NULL}}},
    {"openSUSE", "/etc/pki/trust/anchors", {"update-ca-certificates"}, NULL, {{NULL}}},
};
#define STORES (sizeof(stores) / sizeof(stores[0]))

static const char *folder_of(const struct trust *trust, const struct system_store *store)
{
    return arena_printf(trust->arena, "%.*s%s", STR_ARGS(trust->prefix), store->folder).data;
}

/* ---- the program that takes up what changed ---- */

static size_t make_words(const struct trust *trust, const struct system_store *store, const char *program, const char **words)
{
    size_t count = 0;
    words[count++] = program;
    for (size_t i = 1; store->update[i] != NULL; i++)
        words[count++] = store->update[i];
    if (!trust->install && store->update_removed != NULL)
        words[count++] = store->update_removed;
    for (size_t i = 0; trust->prefix.len != 0 && i < 5 && store->elsewhere[i][0] != NULL; i++) {
        words[count++] = store->elsewhere[i][0];
        words[count++] = arena_printf(trust->arena, "%.*s%s", STR_ARGS(trust->prefix), store->elsewhere[i][1]).data;
    }
    words[count] = NULL;
    return count;
}

static bool update(struct trust *trust, const struct system_store *store, struct str path)
{
    const char *words[16], *program = program_find(store->update[0], trust->arena);
    bool elsewhere = trust->prefix.len != 0;
    if (program == NULL || (elsewhere && store->elsewhere[0][0] == NULL)) {
        trust_note(trust, "system", path, TRUST_SKIPPED, "%s is changed; now %s%s must be run%s", path.data, store->update[0],
                   program == NULL ? ", which is not here," : "", elsewhere ? " on that system" : "");
        return false;
    }
    struct text output;
    text_init(&output, 65536);
    make_words(trust, store, program, words);
    int code = program_run(words, STR_NONE, NULL, &output);
    if (code != 0)
        trust_note(trust, "system", path, TRUST_FAILED, "%s is changed, but %s failed: %.*s", path.data, store->update[0],
                   STR_ARGS(trust_last_line(&output)));
    text_release(&output);
    return code == 0;
}

/* ---- installing ---- */

static const struct system_store *find_store(const struct trust *trust)
{
    for (size_t i = 0; i < STORES; i++)
        if (access(folder_of(trust, &stores[i]), F_OK) == 0)
            return &stores[i];
    return NULL;
}

static void install(struct trust *trust)
{
    const struct system_store *store = find_store(trust);
    if (store == NULL) {
        trust_note(trust, "system", STR_NONE, TRUST_SKIPPED,
                   "the system's store is not where it is on Debian, Fedora, Arch or openSUSE: add %s to it by hand",
                   trust->root_path.data);
        return;
    }
    const char *folder = folder_of(trust, store);
    struct str path = arena_printf(trust->arena, "%s/portico-%s.crt", folder, trust->id);
    if (access(folder, W_OK) != 0)
        trust_note(trust, "system", path, TRUST_FAILED, "the system's store needs root: %s", trust->again.data);
    else if (!file_write(path.data, trust->pem, 0644))
        trust_note(trust, "system", path, TRUST_FAILED, "%s cannot be written: %s", path.data, strerror(errno));
    else if (update(trust, store, path))
        trust_note(trust, "system", path, TRUST_INSTALLED, "the system trusts it: %s (%s)", path.data, store->people);
}

/* ---- removing ---- */

struct removal {
    unsigned found, removed;
    struct str last;
};

static void remove_from(struct trust *trust, const char *folder, struct removal *removal)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (!trust_is_ours(trust, str_from(entry->d_name), S("portico-"), S(".crt")))
            continue;
        removal->found++;
        removal->last = arena_printf(trust->arena, "%s/%s", folder, entry->d_name);
        if (unlink(removal->last.data) == 0)
            removal->removed++;
        else if (errno == EACCES || errno == EPERM)
            trust_note(trust, "system", removal->last, TRUST_FAILED, "the system's store needs root: %s", trust->again.data);
        else
            trust_note(trust, "system", removal->last, TRUST_FAILED, "%s cannot be removed: %s", removal->last.data, strerror(errno));
    }
    if (entries != NULL)
        closedir(entries);
}

static void remove_all(struct trust *trust)
{
    unsigned found = 0;
    for (size_t i = 0; i < STORES; i++) {
        struct removal removal = {0};
        remove_from(trust, folder_of(trust, &stores[i]), &removal);
        found += removal.found;
        if (removal.removed != 0 && update(trust, &stores[i], removal.last))
            trust_note(trust, "system", removal.last, TRUST_REMOVED, "the system trusts it no more: %s is removed (%s)",
                       removal.last.data, stores[i].people);
    }
    if (found == 0)
        trust_note(trust, "system", STR_NONE, TRUST_ABSENT, "the system's store holds no root of Portico");
}

void trust_system(struct trust *trust)
{
    if (trust->install)
        install(trust);
    else
        remove_all(trust);
}
