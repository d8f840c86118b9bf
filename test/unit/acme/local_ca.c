#include "acme/local_ca.h"

#include <fcntl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme/ca_files.h"
#include "base/file.h"
#include "base/time.h"
#include "test.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define WEEK (7 * DAY * TIME_S)

/* A directory that is not there yet, in one that is removed at the end. */
struct place {
    char parent[32];
    char directory[64];
    struct arena arena;
    struct text why;
};

static struct place place(void)
{
    struct place place = {.parent = "/tmp/portico-ca-XXXXXX"};
    assert_non_null(mkdtemp(place.parent));
    snprintf(place.directory, sizeof(place.directory), "%s/data/ca", place.parent);
    arena_init(&place.arena, ARENA_UNLIMITED);
    text_init(&place.why, 4096);
    return place;
}

static const char *file_of(struct place *place, const char *name)
{
    return arena_printf(&place->arena, "%s/%s", place->directory, name).data;
}

static void place_release(struct place *place)
{
    static const char *const names[] = {"root.crt", "root.key", "intermediate.crt", "intermediate.key", ".lock"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(file_of(place, names[i]));
    rmdir(place->directory);
    rmdir(arena_printf(&place->arena, "%s/data", place->parent).data);
    assert_int_equal(rmdir(place->parent), 0);
    text_release(&place->why);
    arena_release(&place->arena);
}

static struct local_ca *opened(struct place *place, int64_t now)
{
    struct local_ca *ca = local_ca_open(str_from(place->directory), now, &place->why);
    if (ca == NULL)
        fail_msg("%s", text_c(&place->why));
    return ca;
}

static struct certificate *issued(struct place *place, struct local_ca *ca, const char *name, int64_t lifetime, int64_t now)
{
    struct str items[] = {str_from(name), S("*.a.localhost"), S("127.0.0.1"), S("::1")};
    struct strs names = {.items = items, .count = 4};
    struct certificate *certificate = local_ca_issue(ca, &names, lifetime, now, &place->why);
    if (certificate == NULL)
        fail_msg("%s", text_c(&place->why));
    return certificate;
}

/* 0, or the library's number for what is wrong. */
static int verify(const struct certificate *certificate, X509 *root, const char *host, int64_t now)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate->leaf, certificate->chain), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, now);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        X509_VERIFY_PARAM_set1_host(param, host, 0);
    int result = X509_verify_cert(context) == 1 ? 0 : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return result;
}

TEST(local_ca_certificates_verify_against_its_root_for_names_and_addresses)
{
    struct place where = place();
    struct local_ca *ca = opened(&where, NOW);
    struct certificate *certificate = issued(&where, ca, "localhost", WEEK, NOW);
    static const char *const hosts[] = {"localhost", "x.a.localhost", "127.0.0.1", "::1"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(verify(certificate, local_ca_root(ca), hosts[i], NOW), X509_V_OK);
    assert_int_equal(verify(certificate, local_ca_root(ca), "b.example", NOW), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(certificate, local_ca_root(ca), "localhost", NOW + 8 * DAY), X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(certificate->not_after, NOW + 7 * DAY);
    assert_str_equal(certificate->source, S("local CA"));
    assert_int_equal(sk_X509_num(certificate->chain), 1);
    certificate_unref(certificate);
    local_ca_close(ca);
    place_release(&where);
}

TEST(local_ca_certificates_say_what_they_are_for)
{
    struct place where = place();
    struct local_ca *ca = opened(&where, NOW);
    struct certificate *certificate = issued(&where, ca, "localhost", WEEK, NOW);
    X509 *root = local_ca_root(ca), *intermediate = sk_X509_value(certificate->chain, 0);
    assert_int_equal(X509_get_key_usage(certificate->leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(certificate->leaf), XKU_SSL_SERVER);
    assert_int_equal(X509_get_key_usage(intermediate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_get_pathlen(root), 1);
    assert_int_equal(X509_get_pathlen(intermediate), 0);
    assert_int_equal(X509_get_pathlen(certificate->leaf), -1);
    certificate_unref(certificate);
    local_ca_close(ca);
    place_release(&where);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

TEST(local_ca_keeps_its_keys_to_itself_and_its_root_through_restarts)
{
    struct place where = place();
    struct local_ca *ca = opened(&where, NOW);
    assert_int_equal(mode_of(where.directory), 0700);
    assert_int_equal(mode_of(file_of(&where, "root.key")), 0600);
    assert_int_equal(mode_of(file_of(&where, "intermediate.key")), 0600);
    struct certificate *certificate = issued(&where, ca, "localhost", WEEK, NOW);
    local_ca_close(ca);
    ca = opened(&where, NOW + DAY);
    assert_int_equal(verify(certificate, local_ca_root(ca), "localhost", NOW + DAY), X509_V_OK);
    assert_string_equal(local_ca_root_path(ca).data, file_of(&where, "root.crt"));
    certificate_unref(certificate);
    local_ca_close(ca);
    place_release(&where);
}

TEST(local_ca_renews_its_intermediate_in_time_and_without_the_root_key_says_what_is_missing)
{
    struct place where = place();
    struct local_ca *ca = opened(&where, NOW);
    struct certificate *first = issued(&where, ca, "localhost", WEEK, NOW);
    struct certificate *same = issued(&where, ca, "localhost", WEEK, NOW + 200 * DAY);
    assert_int_equal(X509_cmp(sk_X509_value(first->chain, 0), sk_X509_value(same->chain, 0)), 0);
    struct certificate *renewed = issued(&where, ca, "localhost", WEEK, NOW + 250 * DAY);
    assert_int_not_equal(X509_cmp(sk_X509_value(first->chain, 0), sk_X509_value(renewed->chain, 0)), 0);
    assert_int_equal(verify(renewed, local_ca_root(ca), "localhost", NOW + 250 * DAY), X509_V_OK);
    local_ca_close(ca);
    assert_int_equal(unlink(file_of(&where, "root.key")), 0);
    ca = opened(&where, NOW + 260 * DAY);
    struct certificate *kept = issued(&where, ca, "localhost", WEEK, NOW + 600 * DAY);
    assert_int_equal(kept->not_after, NOW + 607 * DAY);
    struct str name = S("localhost");
    assert_null(local_ca_issue(ca, &(struct strs){.items = &name, .count = 1}, WEEK, NOW + 700 * DAY, &where.why));
    assert_non_null(strstr(text_c(&where.why), "root.key is not there"));
    struct certificate *all[] = {first, same, renewed, kept};
    for (size_t i = 0; i < 4; i++)
        certificate_unref(all[i]);
    local_ca_close(ca);
    place_release(&where);
}

TEST(local_ca_makes_an_intermediate_anew_whose_key_is_another)
{
    struct place where = place();
    local_ca_close(opened(&where, NOW));
    struct str key;
    assert_true(file_read(&where.arena, file_of(&where, "root.key"), 1 << 20, &key));
    assert_true(file_write(file_of(&where, "intermediate.key"), key, 0600));
    struct local_ca *ca = opened(&where, NOW);
    struct certificate *certificate = issued(&where, ca, "localhost", WEEK, NOW);
    assert_int_equal(verify(certificate, local_ca_root(ca), "localhost", NOW), X509_V_OK);
    certificate_unref(certificate);
    local_ca_close(ca);
    place_release(&where);
}

static void assert_refused(struct place *place, int64_t now, const char *words)
{
    text_clear(&place->why);
    assert_null(local_ca_open(str_from(place->directory), now, &place->why));
    if (strstr(text_c(&place->why), words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text_c(&place->why), words);
}

TEST(local_ca_refuses_with_words_what_is_not_safe_or_not_right)
{
    struct place where = place();
    local_ca_close(opened(&where, NOW));
    chmod(file_of(&where, "root.key"), 0640);
    assert_refused(&where, NOW, "root.key can be read by others: chmod 600 ");
    chmod(file_of(&where, "root.key"), 0600);
    chmod(file_of(&where, "intermediate.key"), 0604);
    assert_refused(&where, NOW, "intermediate.key can be read by others: chmod 600 ");
    chmod(file_of(&where, "intermediate.key"), 0600);
    chmod(where.directory, 0770);
    assert_refused(&where, NOW, "can be written by others: chmod 700 ");
    chmod(where.directory, 0700);
    assert_refused(&where, NOW + 3700 * DAY, "has expired");
    struct str key, leaf;
    assert_true(file_read(&where.arena, file_of(&where, "root.key"), 1 << 20, &key));
    assert_true(file_read(&where.arena, file_of(&where, "intermediate.key"), 1 << 20, &leaf));
    assert_true(file_write(file_of(&where, "root.key"), leaf, 0600));
    assert_refused(&where, NOW, "root.key does not belong to ");
    assert_true(file_write(file_of(&where, "root.key"), S("nonsense"), 0600));
    assert_refused(&where, NOW, "root.key holds no private key");
    assert_true(file_write(file_of(&where, "root.key"), key, 0600));
    assert_true(file_write(file_of(&where, "root.crt"), S("nonsense"), 0644));
    assert_refused(&where, NOW, "root.crt holds no certificate");
    place_release(&where);
}

#define PROCESSES 6

/* A process that waits until the gate closes, opens the CA, and tells its root's id. */
static pid_t open_elsewhere(struct place *place, const int gate[2], int result)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char id[LOCAL_CA_ID_SIZE] = "", byte;
    close(gate[1]);
    ssize_t got = read(gate[0], &byte, 1);
    struct local_ca *ca = got == 0 ? local_ca_open(str_from(place->directory), NOW, &place->why) : NULL;
    if (ca != NULL)
        local_ca_id(local_ca_root(ca), id);
    _exit(write(result, id, sizeof(id)) == (ssize_t)sizeof(id) ? 0 : 1);
}

TEST(local_ca_is_one_for_all_processes_that_start_at_once)
{
    struct place where = place();
    int gate[2], results[2], status;
    pid_t pids[PROCESSES];
    char expected[LOCAL_CA_ID_SIZE], id[LOCAL_CA_ID_SIZE];
    assert_int_equal(pipe(gate) | pipe(results), 0);
    for (int i = 0; i < PROCESSES; i++)
        assert_true((pids[i] = open_elsewhere(&where, gate, results[1])) > 0);
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    struct local_ca *ca = opened(&where, NOW);
    local_ca_id(local_ca_root(ca), expected);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(read(results[0], id, sizeof(id)), sizeof(id));
        assert_string_equal(id, expected);
    }
    local_ca_close(ca);
    close(gate[0]);
    close(results[0]);
    close(results[1]);
    place_release(&where);
}
