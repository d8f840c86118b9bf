/* auth_basic and auth_request: basicAuth with a file of users that is read live, and authRequest. */
#include "config/nginx/guards.h"

#define NGINX_ACCESS (NGINX_EVERYWHERE | NGINX_LIMIT_EXCEPT)

static const struct nginx_syntax rows[] = {
    {"auth_basic", NGINX_ACCESS, .min = 1, .max = 1, .help = "What the browser is told that the password is for, or off."},
    {"auth_basic_user_file", NGINX_ACCESS, .min = 1, .max = 1, .help = "The file of users and hashes of their passwords."},
    {"auth_request", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "A path of this server that is asked whether a request may pass, or off."},
    {"auth_request_set", NGINX_EVERYWHERE, .min = 2, .max = 2, .repeats = true, .help = "A variable, and its value when the question was answered."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static bool is_off(const struct nginx_directive *directive)
{
    return str_equal(directive->words[0].text, S("off"));
}

/* What variables make may turn out to be absolute, so the folder stands beside it. */
static void put_user_file(struct nginx_compile *compile, struct node *options, const struct nginx_word *word)
{
    struct str path = nginx_template(compile, word);
    if (!nginx_has_variables(word->text)) {
        nginx_put(compile, options, "liveUsersFile", nginx_conf_path(compile, path), word->span);
        return;
    }
    nginx_put(compile, options, "liveUsersFile", path, word->span);
    if (compile->files != NULL)
        nginx_put(compile, options, "liveUsersFolder", compile->files->conf_prefix, word->span);
}

/* Without a file nginx asks nobody. */
void nginx_add_basic_auth(struct nginx_place *place, const struct nginx_scope *scope, struct node *list)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *realm = nginx_find(scope, "auth_basic"), *file = nginx_find(scope, "auth_basic_user_file");
    struct str name;
    if (realm == NULL || file == NULL || is_off(realm))
        return;
    struct node *options = nginx_free_middleware(place, "basicAuth", realm->span, &name);
    nginx_put(compile, options, "realm", nginx_template(compile, &realm->words[0]), realm->words[0].span);
    put_user_file(compile, options, &file->words[0]);
    nginx_add_text(compile, list, name, realm->span);
}

static void put_assignment(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive)
{
    const struct nginx_word *name = &directive->words[0];
    if (!str_starts(name->text, S("$")) || name->text.len == 1) {
        diag_error(compile->diag, name->span, "invalid variable name \"%.*s\"", STR_ARGS(name->text));
        return;
    }
    nginx_put_named(compile, nginx_put_map(compile, options, "set", directive->span), str_from_index(name->text, 1),
                    nginx_template(compile, &directive->words[1]), directive->words[1].span);
}

void nginx_add_auth_request(struct nginx_place *place, const struct nginx_scope *scope, struct node *list)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *uri = nginx_find(scope, "auth_request");
    struct str name;
    if (uri == NULL || is_off(uri))
        return;
    struct node *options = nginx_free_middleware(place, "authRequest", uri->span, &name);
    nginx_put(compile, options, "uri", uri->words[0].text, uri->words[0].span);
    for (const struct nginx_directive *it = nginx_all(scope, "auth_request_set"); it != NULL; it = nginx_same(it))
        put_assignment(compile, options, it);
    nginx_add_text(compile, list, name, uri->span);
}

/* What nginx takes without a word, and no one can have meant. */
static void lint(struct nginx_place *place)
{
    const struct nginx_directive *realm = nginx_here(place->scope, "auth_basic");
    if (realm == NULL || is_off(realm) || nginx_find(place->scope, "auth_basic_user_file") != NULL)
        return;
    struct diag_item *item = diag_warning(place->compile->diag, realm->span, "auth_basic without auth_basic_user_file asks nobody for a password");
    diag_hint(place->compile->diag, item, "name a file of users, or say auth_basic off");
}

static const struct nginx_part part = {.name = "auth", .order = 30, .lint = lint};
REGISTER(nginx_part, part);
