/* Browsers on Linux keep roots in databases of their own, which NSS's certutil changes: one for Chrome and its kin, one in each
 * profile of Firefox. */
#include <glob.h>
#include <stdlib.h>

#include "cli/trust.h"

#define NICKNAME "Portico local CA "
#define OUTPUT_MAX ((size_t)1 << 20)

static const char *const databases[] = {
    "/.pki/nssdb",
    "/snap/chromium/current/.pki/nssdb",
    "/.mozilla/firefox/*",
    "/.config/mozilla/firefox/*",
    "/snap/firefox/common/.mozilla/firefox/*",
    "/.var/app/org.mozilla.firefox/.mozilla/firefox/*",
};

struct browser {
    struct trust *trust;
    const struct program_user *user;
    const char *certutil;
    struct str folder;
    const char *database;           /* "sql:/home/a/.pki/nssdb" */
};

static int certutil(const struct browser *browser, const char *const *words, size_t count, struct str input, struct text *output)
{
    const char *all[16] = {browser->certutil, words[0], "-d", browser->database};
    for (size_t i = 1; i < count; i++)
        all[3 + i] = words[i];
    return program_run(all, input, browser->user, output);
}

static void note_failure(const struct browser *browser, const struct text *output)
{
    trust_note(browser->trust, "browser", browser->folder, TRUST_FAILED, "the browser's store %s cannot be changed: %.*s",
               browser->folder.data, STR_ARGS(trust_last_line(output)));
}

static void install(const struct browser *browser)
{
    struct trust *trust = browser->trust;
    struct text output;
    text_init(&output, OUTPUT_MAX);
    const char *name = arena_printf(trust->arena, NICKNAME "%s", trust->id).data;
    const char *const words[] = {"-A", "-a", "-t", "C,,", "-n", name};
    if (certutil(browser, words, sizeof(words) / sizeof(words[0]), trust->pem, &output) == 0)
        trust_note(trust, "browser", browser->folder, TRUST_INSTALLED, "the browser's store trusts it: %s", browser->folder.data);
    else
        note_failure(browser, &output);
    text_release(&output);
}

static bool remove_one(const struct browser *browser, struct str name)
{
    struct text output;
    text_init(&output, OUTPUT_MAX);
    const char *const words[] = {"-D", "-n", arena_str(browser->trust->arena, name).data};
    bool removed = certutil(browser, words, sizeof(words) / sizeof(words[0]), STR_NONE, &output) == 0;
    if (!removed)
        note_failure(browser, &output);
    text_release(&output);
    return removed;
}

/* Each line of the list is a name and, behind white space, what it is trusted for. */
static void remove_all(const struct browser *browser)
{
    struct trust *trust = browser->trust;
    struct text output;
    text_init(&output, OUTPUT_MAX);
    const char *const words[] = {"-L"};
    struct str rest = STR_NONE, line;
    if (certutil(browser, words, 1, STR_NONE, &output) == 0)
        rest = text_str(&output);
    else
        note_failure(browser, &output);
    size_t name_length = sizeof(NICKNAME) - 1 + LOCAL_CA_ID_SIZE - 1;
    while (str_split(&rest, '\n', &line)) {
        struct str name = str_first(line, name_length);
        if (trust_is_ours(trust, name, S(NICKNAME), STR_NONE) && remove_one(browser, name))
            trust_note(trust, "browser", browser->folder, TRUST_REMOVED, "the browser's store trusts it no more: %s",
                       browser->folder.data);
    }
    text_release(&output);
}

static void visit(struct trust *trust, const struct program_user *user, const char *program, const char *folder)
{
    struct browser browser = {.trust = trust, .user = user, .certutil = program, .folder = arena_str(trust->arena, str_from(folder)),
                              .database = arena_printf(trust->arena, "sql:%s", folder).data};
    if (program == NULL)
        trust_note(trust, "browser", browser.folder, TRUST_SKIPPED,
                   trust->install ? "the browser's store %s needs certutil (Debian: apt install libnss3-tools): install it and run "
                                    "this again, or import %s in the browser's settings"
                                  : "the browser's store %s needs certutil (Debian: apt install libnss3-tools) to be looked into%.0s",
                   folder, trust->root_path.len != 0 ? trust->root_path.data : "");
    else if (trust->install)
        install(&browser);
    else
        remove_all(&browser);
}

void trust_browsers(struct trust *trust, const struct program_user *user)
{
    const char *home = user != NULL ? user->home : getenv("HOME"), *program = program_find("certutil", trust->arena);
    size_t before = trust->results.count;
    for (size_t i = 0; home != NULL && i < sizeof(databases) / sizeof(databases[0]); i++) {
        glob_t found;
        if (glob(arena_printf(trust->arena, "%s%s/cert9.db", home, databases[i]).data, 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++) {
            char *slash = strrchr(found.gl_pathv[j], '/');
            *slash = '\0';
            visit(trust, user, program, found.gl_pathv[j]);
        }
        globfree(&found);
    }
    if (trust->results.count == before)
        trust_note(trust, "browser", STR_NONE, TRUST_ABSENT,
                   trust->install ? "no browser has a store of its own here" : "no browser's store holds a root of Portico");
}
