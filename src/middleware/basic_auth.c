/* HTTP Basic authentication (RFC 7617). Passwords are verified by threads of their own
 * (password_pool.h), good ones are remembered for some minutes. A user that does not exist costs
 * what one that does would cost. */
#include "base/base64.h"
#include "exchange/error_log.h"
#include "exchange/text_template.h"
#include "http/token.h"
#include "middleware/answer.h"
#include "middleware/password.h"
#include "middleware/password_cache.h"
#include "middleware/password_pool.h"
#include "middleware/user_file.h"
#include "middleware/users.h"

struct basic_auth {
    const struct node *origin;
    struct strs users;
    struct str users_file, live_users_file, live_users_folder, realm, header_field;
    bool remove_header;
};

struct basic_auth_state {
    struct users users;
    const struct text_template *live_file; /* NULL: the users above */
    const struct text_template *realm;
    struct str challenge; /* of WWW-Authenticate, where the realm has no variables; else empty */
};

enum check { CHECK_NOT_BEGUN, CHECK_RUNS, CHECK_GOOD, CHECK_BAD };

/* Of one exchange. */
struct attempt {
    struct exchange *exchange;
    struct password_job *job; /* while the check runs */
    struct str user; /* data NULL: no credentials were sent */
    bool is_known; /* else there is no such user, whatever the check says */
    int trouble; /* the status for a file of users that could not be read; 0: none */
    enum check check;
};

static const char *check_name(struct str text, struct arena *arena, size_t *ret_offset,
                              size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not a header field's name";
}

static const char *check_realm(struct str text, struct arena *arena, size_t *ret_offset,
                               size_t *ret_length)
{
    return token_is_field_value(text) ? NULL : "has bytes that no header field may hold";
}

static const struct option basic_auth_options[] = {
    OPTION(STRS, struct basic_auth, users, .secret = true,
           .help = "Users as 'name:hash' (bcrypt, apr1, {SHA}, SHA-crypt, yescrypt), as htpasswd "
                   "writes them."),
    OPTION_NAMED(STR, struct basic_auth, users_file, "usersFile",
                 .help = "A file with such users, one a line."),
    OPTION_NAMED(STR, struct basic_auth, live_users_file, "liveUsersFile",
                 .help = "The same, but read when somebody asks to come in, again when it has changed; may have "
                         "variables. Missing: 403."),
    OPTION_NAMED(STR, struct basic_auth, live_users_folder, "liveUsersFolder",
                 .help = "Where a relative liveUsersFile begins; empty: the process's folder."),
    OPTION(STR, struct basic_auth, realm, .fallback = "traefik", .check = check_realm,
           .help = "What the browser is told that the password is for; may have variables, and where they make it 'off' "
                   "everybody may pass."),
    OPTION_NAMED(STR, struct basic_auth, header_field, "headerField", .check = check_name,
                 .help = "A field of the request that gets the user's name."),
    OPTION_NAMED(BOOL, struct basic_auth, remove_header, "removeHeader",
                 .help = "Take Authorization out of the request that goes on."),
};

static void validate(void *value, const struct node *node, struct diag *diag)
{
    const struct basic_auth *options = value;
    if (options->live_users_file.len != 0 && (options->users.count != 0 || options->users_file.len != 0))
        diag_error(diag, node_span(node_get(node, S("liveUsersFile"))),
                   "'liveUsersFile' has all the users: 'users' and 'usersFile' do not go with it");
}

static const struct option_table basic_auth_table =
    OPTION_TABLE(struct basic_auth, basic_auth_options, .validate = validate,
                 .summary = "Asks for a user and a password (RFC 7617).");

/* --- compiling --- */

static const char *check_hash(struct str hash)
{
    const char *why;
    password_hash_is_known(hash, &why);
    return why;
}

/* 'Basic realm="..."', quotes and backslashes escaped (RFC 9110 5.6.4). */
static struct str make_challenge(struct str realm, struct arena *arena)
{
    static const struct str begin = STR("Basic realm=\"");
    char *out = arena_alloc(arena, begin.len + 2 * realm.len + 1), *end = out + begin.len;
    if (out == NULL)
        return STR_NONE;
    memcpy(out, begin.data, begin.len);
    for (size_t i = 0; i < realm.len; i++) {
        if (realm.data[i] == '"' || realm.data[i] == '\\')
            *end++ = '\\';
        *end++ = realm.data[i];
    }
    *end++ = '"';
    return str_of(out, (size_t)(end - out));
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct basic_auth *options = m->options;
    struct basic_auth_state *state = m->state;
    state->realm = text_template_new(options->realm, compile, node_span(node_get(options->origin, S("realm"))));
    if (state->realm == NULL)
        return false;
    if (text_template_is_constant(state->realm))
        state->challenge = make_challenge(options->realm, compile->arena);
    if (options->live_users_file.len == 0)
        return users_compile(&state->users, &options->users, options->users_file, options->origin,
                             check_hash, compile);
    state->live_file = text_template_new(options->live_users_file, compile,
                                         node_span(node_get(options->origin, S("liveUsersFile"))));
    return state->live_file != NULL;
}

/* --- a request --- */

/* "Basic" and base 64 of "user:password". */
static bool read_credentials(struct exchange *x, struct str *ret_user, struct str *ret_password)
{
    struct str value = fields_value(&exchange_request(x)->fields, FIELD_AUTHORIZATION);
    if (!str_starts_nocase(value, S("Basic ")))
        return false;
    struct str text = str_trim(str_from_index(value, sizeof("Basic ") - 1));
    char *out = arena_alloc(&x->arena, BASE64_DECODED_SIZE(text.len));
    size_t len;
    if (out == NULL || !base64_decode(BASE64_STANDARD, text, out, &len))
        return false;
    struct str both = str_of(out, len);
    ptrdiff_t colon = str_find_char(both, ':', 0);
    if (colon < 0)
        return false;
    *ret_user = str_first(both, (size_t)colon);
    *ret_password = str_from_index(both, (size_t)colon + 1);
    return true;
}

/* A realm that variables make may hold anything that a request does. */
static struct str challenge_of(struct exchange *x, const struct basic_auth_state *state)
{
    if (state->challenge.len != 0)
        return state->challenge;
    struct str realm = text_template_text(state->realm, x);
    return make_challenge(token_is_field_value(realm) ? realm : S(""), &x->arena);
}

static enum verdict challenge(struct exchange *x, const struct basic_auth_state *state)
{
    struct str value = challenge_of(x, state);
    if (value.data == NULL)
        return answer_out_of_memory(x);
    exchange_answer_status(x, status_http(STATUS_UNAUTHORIZED), STATUS_UNAUTHORIZED);
    fields_add_id(&x->response.fields, FIELD_WWW_AUTHENTICATE, value);
    return VERDICT_ANSWER;
}

static enum verdict let_pass(struct exchange *x, const struct basic_auth *options, struct str user)
{
    struct fields *fields = &exchange_request(x)->fields;
    x->user = user;
    if (options->remove_header)
        fields_remove(fields, FIELD_AUTHORIZATION);
    if (options->header_field.len != 0 && !fields_set_name(fields, options->header_field, user))
        return answer_out_of_memory(x);
    return VERDICT_NEXT;
}

static void password_was_checked(void *owner, bool good)
{
    struct attempt *attempt = owner;
    attempt->job = NULL;
    attempt->check = good ? CHECK_GOOD : CHECK_BAD;
    exchange_resume(attempt->exchange);
}

static struct str live_path(struct exchange *x, const struct basic_auth *options, const struct basic_auth_state *state)
{
    struct str path = text_template_text(state->live_file, x);
    if (options->live_users_folder.len == 0 || str_starts(path, S("/")))
        return path;
    const char *between = str_ends(options->live_users_folder, S("/")) ? "" : "/";
    return arena_printf(&x->arena, "%.*s%s%.*s", STR_ARGS(options->live_users_folder), between, STR_ARGS(path));
}

static struct str find_live_hash(struct exchange *x, const struct basic_auth *options, const struct basic_auth_state *state,
                                 struct attempt *attempt)
{
    struct str path = live_path(x, options, state), hash = STR_NONE;
    switch (user_file_find(path, attempt->user, &x->arena, &hash)) {
    case USER_FILE_FOUND:
        attempt->is_known = true;
        break;
    case USER_FILE_NOT_FOUND:
        error_log_add(x, SYSLOG_ERROR, "user \"%.*s\" was not found in \"%.*s\"", STR_ARGS(attempt->user), STR_ARGS(path));
        break;
    case USER_FILE_MISSING:
        attempt->trouble = 403;
        break;
    case USER_FILE_UNREADABLE:
        attempt->trouble = 500;
        break;
    }
    if (attempt->trouble != 0)
        error_log_add(x, SYSLOG_ERROR, "the users of \"%.*s\" cannot be read", STR_ARGS(path));
    return hash;
}

/* The hash to check against: the user's or, where there is none, that of another whom the name chooses (always the same one, so
 * that asking twice tells nothing either). */
static struct str find_hash(struct exchange *x, const struct basic_auth *options, const struct basic_auth_state *state,
                            struct attempt *attempt)
{
    if (state->live_file != NULL)
        return find_live_hash(x, options, state, attempt);
    const struct user *user = users_find(&state->users, attempt->user);
    attempt->is_known = user != NULL;
    return user != NULL ? user->secret : state->users.items[str_hash(attempt->user) % state->users.count].secret;
}

static enum check begin_check(struct exchange *x, const struct basic_auth *options, const struct basic_auth_state *state,
                              struct attempt *attempt)
{
    struct str password;
    if (!read_credentials(x, &attempt->user, &password))
        return CHECK_BAD;
    struct str hash = find_hash(x, options, state, attempt);
    if (hash.len == 0 || attempt->trouble != 0)
        return CHECK_BAD;
    if (password_is_cheap(hash))
        return password_verify(hash, password) ? CHECK_GOOD : CHECK_BAD;
    if (password_cache_has(hash, password, exchange_now(x)))
        return CHECK_GOOD;
    attempt->exchange = x;
    attempt->job =
        password_pool_submit(&x->worker->loop, hash, password, password_was_checked, attempt);
    return CHECK_RUNS;
}

static enum verdict refuse(struct exchange *x, const struct basic_auth_state *state, const struct attempt *attempt)
{
    if (attempt->trouble != 0) {
        exchange_answer_status(x, attempt->trouble, STATUS_FILE_ERROR);
        return VERDICT_ANSWER;
    }
    if (attempt->is_known)
        error_log_add(x, SYSLOG_ERROR, "user \"%.*s\": password mismatch", STR_ARGS(attempt->user));
    return challenge(x, state);
}

/* A realm that is "off" by its variables asks nobody anything. */
static bool is_off(struct exchange *x, const struct basic_auth_state *state)
{
    return state->challenge.len == 0 && str_equal(text_template_text(state->realm, x), S("off"));
}

static bool abstains(struct exchange *x, const struct middleware *m)
{
    return is_off(x, m->state);
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct basic_auth *options = m->options;
    const struct basic_auth_state *state = m->state;
    struct attempt *attempt = own;
    if (attempt->check == CHECK_NOT_BEGUN && is_off(x, state))
        return VERDICT_NEXT;
    if (attempt->check == CHECK_NOT_BEGUN)
        attempt->check = begin_check(x, options, state, attempt);
    if (attempt->check == CHECK_RUNS && attempt->job != NULL)
        return VERDICT_WAIT;
    if (attempt->check == CHECK_RUNS) {
        exchange_answer_status(x, status_http(STATUS_OVERLOADED), STATUS_OVERLOADED);
        return VERDICT_ANSWER;
    }
    if (attempt->check == CHECK_GOOD && attempt->is_known)
        return let_pass(x, options, attempt->user);
    return refuse(x, state, attempt);
}

static void on_finish(struct exchange *x, struct middleware *m, void *own)
{
    struct attempt *attempt = own;
    if (attempt->job != NULL)
        password_job_abandon(attempt->job);
}

static const struct middleware_type basic_auth = {
    .choice = {.name = "basicAuth",
               .summary = "Asks for a user and a password (RFC 7617).",
               .table = &basic_auth_table},
    .state_size = sizeof(struct basic_auth_state),
    .exchange_size = sizeof(struct attempt),
    .compile = compile,
    .guards = true,
    .abstains = abstains,
    .on_request = on_request,
    .on_finish = on_finish,
};
REGISTER(middleware_type, basic_auth);
