#include "acme/challenges.h"
#include "acme/manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/bind.h"
#include "config/load.h"
#include "test.h"

static char root[64], path[128];
static struct model *model;
static struct diag diag;

/* `acme`: what stands below the resolver's acme, with PATH for a place of the test's own. */
static bool check(const char *acme)
{
    char text[1024];
    struct arena *arena;
    model = model_new();
    arena = &model->arena;
    diag_init(&diag, arena);
    snprintf(text, sizeof(text), "certificatesResolvers:\n  le:\n    acme: {storage: \"%s\", %s}\n", path, acme);
    struct node *node = load_text(S("f.yaml"), str_from(text), LOAD_MAIN, arena, &diag);
    assert_non_null(node);
    assert_true(bind_object(&config_table, node, &model->config, NULL, arena, &diag));
    return acme_check(model, &diag);
}

static void end_check(void)
{
    diag_release(&diag);
    model_free(model);
}

static void begin(const char *name)
{
    snprintf(root, sizeof(root), "/tmp/portico-check-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/%s", root, name);
}

static void end(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
}

#define assert_complains(acme, words) \
    do { \
        assert_false(check(acme)); \
        assert_int_equal(diag.errors, 1); \
        if (str_find(diag.items[0].message, S(words)) < 0) \
            fail_msg("%.*s", STR_ARGS(diag.items[0].message)); \
        end_check(); \
    } while (0)

TEST(a_resolver_whose_storage_is_not_there_yet_is_fine)
{
    begin("acme.json");
    assert_true(check("tlsChallenge: true"));
    end_check();
    assert_int_equal(access(path, F_OK), -1);
    end();
}

TEST(what_would_keep_a_resolver_from_working_is_told_before)
{
    begin("acme.json");
    unsetenv("EXEC_PATH");
    assert_complains("dnsChallenge: true", "needs a 'command'");
    assert_complains("eab: {kid: k, hmacEncoded: \"?\"}", "not base64url");
    assert_complains("fallback: {caServer: \"https://x/\", eab: {kid: k, hmacEncoded: \"?\"}}", "not base64url");
    assert_true(file_write(path, S("{}"), 0644));
    assert_complains("tlsChallenge: true", "chmod 600");
    assert_true(file_write(path, S("{"), 0600));
    assert_complains("tlsChallenge: true", "line 1");
    end();
}

TEST(what_is_stored_is_listed_without_a_process)
{
    begin("acme.json");
    assert_true(file_write(path, S("{\"le\": {\"Problems\": [{\"domain\": {\"main\": \"b.example\"}, \"text\": \"no\", \"hint\": \"look\","
                                   "\"failures\": 2, \"failedAt\": 10, \"nextTry\": 20}, {\"domain\": {\"main\": \"a.example\"}, \"text\": \"x\"}],"
                                   "\"Orders\": [{\"domain\": {\"main\": \"b.example\"}, \"url\": \"u\"}]}}"), 0600));
    assert_true(check("tlsChallenge: true"));
    struct acme_entries entries = acme_list_stored(model, &model->arena, &diag);
    assert_int_equal(entries.count, 2);
    assert_str_equal(entries.items[0].names.items[0], S("a.example"));
    assert_int_equal(entries.items[0].progress, ACME_WAITING);
    assert_str_equal(entries.items[1].failure, S("no"));
    assert_str_equal(entries.items[1].hint, S("look"));
    assert_int_equal(entries.items[1].next_try, 20);
    assert_int_equal(entries.items[1].progress, ACME_ORDERING);
    assert_string_equal(acme_progress_name(ACME_COVERED), "covered");
    end_check();
    end();
}

TEST(without_a_challenge_tls_and_then_http_are_tried)
{
    begin("acme.json");
    enum acme_challenge_type types[ACME_CHALLENGE_TYPES];
    struct acme_config none = {0}, dns = {.dns_challenge = &(struct acme_dns_challenge){0}};
    assert_int_equal(challenges_types(&none, types), 2);
    assert_int_equal(types[0], ACME_TLS_ALPN_01);
    assert_int_equal(types[1], ACME_HTTP_01);
    assert_int_equal(challenges_types(&dns, types), 1);
    assert_int_equal(types[0], ACME_DNS_01);
    end();
}
