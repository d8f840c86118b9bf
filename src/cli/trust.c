/* `portico trust` and `portico untrust`: the local CA's root goes into the stores of this machine, and out again. Nothing else
 * in Portico touches them. */
#include "cli/trust.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/x509v3.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "acme/ca_files.h"
#include "cli/command.h"
#include "tls/pem.h"

static const struct flag flags_of_trust[] = {
    {.name = "directory", .argument = "DIR", .help = "The CA that lies there, instead of this user's own."},
    {.name = "only", .argument = "WHICH", .help = "'system' or 'browsers': one kind of store alone."},
    {.name = "root", .argument = "DIR", .help = "The system's store of a machine whose files lie there; no browsers."},
    {.name = "json", .help = "Machine-readable output."},
    {.name = NULL},
};

/* ---- what the stores need ---- */

void trust_note(struct trust *trust, const char *store, struct str path, enum trust_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str text = arena_vprintf(trust->arena, format, args);
    va_end(args);
    VEC_PUSH(&trust->results, (struct trust_result){.store = store, .path = path, .state = state, .text = text});
}

bool trust_is_ours(const struct trust *trust, struct str name, struct str before, struct str after)
{
    if (name.len != before.len + LOCAL_CA_ID_SIZE - 1 + after.len || !str_starts(name, before) || !str_ends(name, after))
        return false;
    struct str id = str_of(name.data + before.len, LOCAL_CA_ID_SIZE - 1);
    for (size_t i = 0; i < id.len; i++)
        if (ascii_hex(id.data[i]) < 0)
            return false;
    return trust->id[0] == '\0' || str_equal(id, str_from(trust->id));
}

struct str trust_last_line(const struct text *output)
{
    struct str said = str_trim_space(text_str(output));
    ptrdiff_t end = str_find_last_char(said, '\n');
    return said.len == 0 ? S("it said nothing") : end >= 0 ? str_from_index(said, (size_t)end + 1) : said;
}

/* ---- whose CA, whose browsers ---- */

/* The person behind sudo; false: there is none, or it is root too. */
static bool find_person(struct program_user *ret_user)
{
    const char *text = getenv("SUDO_UID");
    uint64_t uid;
    if (geteuid() != 0 || text == NULL || !str_to_u64(str_from(text), &uid) || uid == 0)
        return false;
    const struct passwd *entry = getpwuid((uid_t)uid);
    if (entry == NULL)
        return false;
    *ret_user = (struct program_user){.uid = entry->pw_uid, .gid = entry->pw_gid, .name = entry->pw_name, .home = entry->pw_dir};
    return true;
}

static bool holds_root(struct str directory, struct arena *arena)
{
    return access(arena_printf(arena, "%.*s/root.crt", STR_ARGS(directory)).data, F_OK) == 0;
}

/* Under sudo, where the system has no CA but the person has one, that one is meant. */
static struct str choose_directory(struct str given, const struct program_user *person, struct arena *arena)
{
    struct str directory = local_ca_directory(given, arena);
    if (given.len != 0 || person == NULL || holds_root(directory, arena))
        return directory;
    struct str theirs = arena_printf(arena, "%s/.local/share/portico/ca", person->home);
    return holds_root(theirs, arena) ? theirs : directory;
}

/* An absolute path: the command for root is run from anywhere. */
static struct str absolute(struct str path, struct arena *arena)
{
    char *full = realpath(path.data, NULL);
    struct str text = full != NULL ? arena_str(arena, str_from(full)) : path;
    free(full);
    return text;
}

/* ---- the root ---- */

static X509 *read_root(struct str directory, struct arena *arena, bool may_make, struct text *why)
{
    X509 *root = NULL;
    const char *path = arena_printf(arena, "%.*s/root.crt", STR_ARGS(directory)).data;
    enum ca_read read = ca_certificate_read(path, &root, why);
    if (read == CA_ABSENT && may_make) {
        struct local_ca *ca = local_ca_open(directory, time(NULL), why);
        if (ca != NULL && X509_up_ref(local_ca_root(ca)) == 1)
            root = local_ca_root(ca);
        local_ca_close(ca);
    } else if (read == CA_ABSENT) {
        text_addf(why, "there is no CA in %.*s", STR_ARGS(directory));
    }
    if (root != NULL && X509_check_ca(root) == 0) {
        text_addf(why, "%s is no CA's certificate", path);
        X509_free(root);
        root = NULL;
    }
    return root;
}

static void take_root(struct trust *trust, X509 *root, struct str directory)
{
    local_ca_id(root, trust->id);
    trust->pem = pem_from_certificate(root, trust->arena);
    trust->root_path = arena_printf(trust->arena, "%.*s/root.crt", STR_ARGS(directory));
    X509_free(root);
}

/* ---- what people and scripts see ---- */

static const char *state_name(enum trust_state state)
{
    static const char *const names[] = {[TRUST_INSTALLED] = "installed", [TRUST_REMOVED] = "removed", [TRUST_ABSENT] = "absent",
                                        [TRUST_SKIPPED] = "skipped", [TRUST_FAILED] = "failed"};
    return names[state];
}

static void show_json(const struct trust *trust)
{
    json_t *stores = json_array(), *all = json_object();
    for (size_t i = 0; i < trust->results.count; i++) {
        const struct trust_result *result = &trust->results.items[i];
        json_t *store = json_pack("{s:s, s:s, s:s}", "store", result->store, "state", state_name(result->state), "text",
                                  result->text.data);
        if (result->path.len != 0)
            json_object_set_new(store, "path", json_string(result->path.data));
        json_array_append_new(stores, store);
    }
    if (trust->id[0] != '\0')
        json_object_set_new(all, "id", json_string(trust->id));
    if (trust->root_path.len != 0)
        json_object_set_new(all, "root", json_string(trust->root_path.data));
    json_object_set_new(all, "stores", stores);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static void show_text(const struct trust *trust)
{
    if (trust->install)
        printf("The root is %s.\n", trust->root_path.data);
    for (size_t i = 0; i < trust->results.count; i++) {
        const struct trust_result *result = &trust->results.items[i];
        fprintf(result->state == TRUST_FAILED ? stderr : stdout, "%s%s\n", result->state == TRUST_FAILED ? "portico: " : "",
                result->text.data);
    }
}

static int show(const struct trust *trust, bool json)
{
    int code = EXIT_GOOD;
    for (size_t i = 0; i < trust->results.count; i++)
        if (trust->results.items[i].state == TRUST_FAILED)
            code = EXIT_FAILED;
    if (json)
        show_json(trust);
    else
        show_text(trust);
    return fflush(stdout) == 0 ? code : EXIT_FAILED;
}

/* ---- the commands ---- */

static struct str flag_value(const struct flags *flags, const char *name)
{
    const struct flag_given *given = flags_find(flags, name);
    return given != NULL ? given->value : STR_NONE;
}

/* Which root is meant: installing needs one; without --directory all are removed. */
static bool choose_root(struct trust *trust, struct str given, const struct program_user *person, struct text *why)
{
    if (!trust->install && given.len == 0)
        return true;
    struct str directory = choose_directory(given, person, trust->arena);
    bool may_make = trust->install && (given.len == 0 || person == NULL);
    X509 *root = read_root(directory, trust->arena, may_make, why);
    if (root == NULL)
        return false;
    take_root(trust, root, absolute(directory, trust->arena));
    return true;
}

static void describe_again(struct trust *trust, const struct command *command)
{
    struct text text;
    text_init(&text, 4 * 4096);
    text_addf(&text, "sudo %s %s --only system", program_invocation_name, command->name);
    if (trust->root_path.len != 0)
        text_addf(&text, " --directory %.*s", STR_ARGS(str_first(trust->root_path, trust->root_path.len - strlen("/root.crt"))));
    if (trust->prefix.len != 0)
        text_addf(&text, " --root %.*s", STR_ARGS(trust->prefix));
    trust->again = arena_str(trust->arena, text_str(&text));
    text_release(&text);
}

static int run_with(const struct command *command, struct trust *trust, const struct flags *flags)
{
    struct program_user person;
    bool has_person = find_person(&person);
    struct str only = flag_value(flags, "only");
    bool system = only.len == 0 || str_equal(only, S("system")), browsers = only.len == 0 || str_equal(only, S("browsers"));
    if (flags->operand_count != 0)
        return command_misused(command, "'%.*s' is no flag", STR_ARGS(flags->operands[0]));
    if (!system && !browsers)
        return command_misused(command, "--only takes 'system' or 'browsers'");
    struct text why;
    text_init(&why, 4096);
    if (flags_find(flags, "root") != NULL)
        trust->prefix = absolute(flag_value(flags, "root"), trust->arena);
    bool chosen = choose_root(trust, flag_value(flags, "directory"), has_person ? &person : NULL, &why);
    if (!chosen)
        fprintf(stderr, "portico: %s\n", text_c(&why));
    text_release(&why);
    if (!chosen)
        return EXIT_FAILED;
    describe_again(trust, command);
    if (system)
        trust_system(trust);
    if (browsers && trust->prefix.len == 0)
        trust_browsers(trust, has_person ? &person : NULL);
    return show(trust, flags_find(flags, "json") != NULL);
}

static int run(const struct command *command, const char *const *words, size_t count)
{
    struct arena arena;
    struct flags flags;
    arena_init(&arena, ARENA_UNLIMITED);
    struct trust trust = {.arena = &arena, .install = command->name[0] == 't'};
    int code = EXIT_USAGE;
    if (command_read_flags(command, words, count, &arena, &flags))
        code = run_with(command, &trust, &flags);
    VEC_RELEASE(&trust.results);
    arena_release(&arena);
    return code;
}

static const struct command trust_command = {
    .name = "trust",
    .usage = "trust [--directory DIR] [--only system|browsers] [--root DIR] [--json]",
    .summary = "Makes this machine and its browsers trust the local CA.",
    .flags = flags_of_trust,
    .run = run,
};
REGISTER(command, trust_command);

static const struct command untrust_command = {
    .name = "untrust",
    .usage = "untrust [--directory DIR] [--only system|browsers] [--root DIR] [--json]",
    .summary = "Takes all local CAs out of this machine's stores, or the one of --directory.",
    .flags = flags_of_trust,
    .run = run,
};
REGISTER(command, untrust_command);
