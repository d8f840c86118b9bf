/* Where a configuration comes from, and reading all of it: the main file, environment and flags laid over it, and what the
 * file provider names. The same function serves `run` (each time something changes), `check` and `explain`.
 * Control thread; blocks on files. */
#ifndef PROVIDER_SETTINGS_H
#define PROVIDER_SETTINGS_H

#include "base/vec.h"
#include "config/flags.h"
#include "config/load.h"
#include "model/model.h"

struct nginx_source;

struct settings {
    const char *const *words;         /* the command's, flags and operands */
    size_t word_count;
    const struct flag *flags;         /* the command's own, SETTINGS_FLAG among them; NULL: settings_flags */
    char *const *environment;
    const char *path;                 /* instead of --config: for `check`; may be NULL */
    const struct nginx_source *nginx; /* instead of any of these: an nginx.conf (provider/nginx.h); may be NULL */
    const char *nginx_log;            /* with it: where mistakes at the start go besides standard error; may be NULL */
    struct str text;                  /* instead of any file: the configuration itself, as YAML; lasts as long as this */
    /* Files are taken as this model has them, unread: what changed is something else (containers), and a file that is just being
     * edited must not stand in its way. NULL: they are read. */
    const struct model *former;
    bool reloading;                   /* an empty main file is then a mistake: a slip, or a write under way */
};

/* Files that the configuration was read from, directories too (those with a slash at their end for all their names): what to watch. Paths are heap copies.
 * `fingerprint` is a hash over names and contents, a directory's being the names of its files of configuration, equal when nothing changed that could matter. A file's part is taken before
 * the file is read for good: who changes it in between makes the next fingerprint another one, and is not overlooked. */
struct settings_files {
    VEC(char *) paths;
    uint64_t fingerprint;
};

/* --config FILE, -c */
#define SETTINGS_FLAG \
    {.name = "config", .alias = "configFile", .letter = 'c', .argument = "FILE", .help = "The configuration file."}
extern const struct flag settings_flags[];

/* Never NULL; errors are in `diag` and then the model is only good for showing them. `diag` must work in the model's arena,
 * so it is inited here. `files` may be NULL. */
struct model *settings_load(const struct settings *settings, struct diag *diag, struct settings_files *files);
/* One file of configuration of `model`: from settings->former, or read, noted and kept. NULL as load_file. */
struct node *settings_read_file(const struct settings *settings, struct model *model, const char *path, enum load_kind kind,
                                struct diag *diag);
/* The options of `root` become the model's, with the entrypoints that come by themselves and the part "file". For who reads options
 * elsewhere; `root` lives in the model's arena. */
void settings_bind(struct model *model, const struct node *root, struct diag *diag);
/* Variables that are no options, for env_read. */
extern const char *const settings_own_variables[];
/* A file that is about to be read; `files` may be NULL. */
void settings_files_note(struct settings_files *files, struct str path);
/* Are they still what was read? */
bool settings_files_unchanged(const struct settings_files *files);
void settings_files_release(struct settings_files *files);

#endif
