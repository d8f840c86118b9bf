#include "acme/state_json.h"

#include "test.h"

#define KEY_BASE64 "MIIBigJhAMU="

/* As Traefik 3 writes it, with a member that is nobody's. */
static const char traefik[] =
    "{\n"
    "  \"le\": {\n"
    "    \"Account\": {\n"
    "      \"Email\": \"me@example.com\",\n"
    "      \"Registration\": {\n"
    "        \"body\": {\n"
    "          \"status\": \"valid\",\n"
    "          \"contact\": [\n"
    "            \"mailto:me@example.com\"\n"
    "          ]\n"
    "        },\n"
    "        \"uri\": \"https://ca.example/acct/17\"\n"
    "      },\n"
    "      \"PrivateKey\": \"" KEY_BASE64 "\",\n"
    "      \"KeyType\": \"4096\"\n"
    "    },\n"
    "    \"Certificates\": [\n"
    "      {\n"
    "        \"domain\": {\n"
    "          \"main\": \"a.example\",\n"
    "          \"sans\": [\n"
    "            \"b.example\",\n"
    "            \"*.c.example\"\n"
    "          ]\n"
    "        },\n"
    "        \"certificate\": \"Y2VydGlmaWNhdGU=\",\n"
    "        \"key\": \"a2V5\",\n"
    "        \"Store\": \"default\"\n"
    "      },\n"
    "      {\n"
    "        \"domain\": {\n"
    "          \"main\": \"d.example\"\n"
    "        },\n"
    "        \"certificate\": \"b3RoZXI=\",\n"
    "        \"key\": \"a2V5Mg==\",\n"
    "        \"Store\": \"default\"\n"
    "      }\n"
    "    ],\n"
    "    \"Theirs\": [\n"
    "      1,\n"
    "      null\n"
    "    ]\n"
    "  },\n"
    "  \"other\": {\n"
    "    \"Account\": null,\n"
    "    \"Certificates\": null,\n"
    "    \"new\": {\n"
    "      \"in\": \"v9\"\n"
    "    }\n"
    "  }\n"
    "}\n";

static struct state mine;
static struct text why, out;

static bool parse(const char *text)
{
    state_release(&mine);
    text_release(&why);
    text_init(&why, 4096);
    return state_parse(str_from(text), S("le"), &mine, &why);
}

static void done(void)
{
    state_release(&mine);
    text_release(&why);
    text_release(&out);
}

static void format(const char *former)
{
    text_release(&out);
    text_init(&out, STATE_BYTES_MAX);
    assert_true(state_format(str_from(former), S("le"), &mine, &out, &why));
}

#define assert_refused(text, expected) \
    do { \
        assert_false(parse(text)); \
        assert_string_equal(text_c(&why), expected); \
    } while (0)

TEST(a_file_of_traefiks_is_read)
{
    assert_true(parse(traefik));
    const struct state_account *account = mine.accounts[ACCOUNT_FIRST];
    assert_str_equal(account->email, S("me@example.com"));
    assert_str_equal(account->url, S("https://ca.example/acct/17"));
    assert_str_equal(account->key_type, S("4096"));
    assert_int_equal(account->key.len, 8);
    assert_null(mine.accounts[ACCOUNT_FALLBACK]);
    assert_int_equal(mine.certificates.count, 2);
    const struct state_certificate *certificate = mine.certificates.items[0];
    assert_int_equal(certificate->names.count, 3);
    assert_str_equal(certificate->names.items[0], S("a.example"));
    assert_str_equal(certificate->names.items[2], S("*.c.example"));
    assert_str_equal(certificate->chain, S("certificate"));
    assert_str_equal(certificate->key, S("key"));
    assert_str_equal(certificate->store, S("default"));
    assert_int_equal(certificate->unwanted_since, 0);
    done();
}

TEST(a_file_of_traefiks_is_written_back_as_it_was)
{
    assert_true(parse(traefik));
    format(traefik);
    assert_str_equal(text_str(&out), str_from(traefik));
    done();
}

TEST(what_is_ours_survives_and_is_not_there_without_need)
{
    assert_true(parse(traefik));
    struct state_order *order = state_order_new(&mine);
    struct str names[] = {STR("x.example"), STR("y.example")};
    order->names = names_copy(&(struct strs){names, 2}, &order->arena);
    order->url = S("https://ca.example/order/1");
    order->key = S("secret");
    order->rank = ACCOUNT_FALLBACK;
    struct state_problem *problem = state_problem_new(&mine);
    problem->names = names_copy(&(struct strs){names, 1}, &problem->arena);
    problem->text = S("it \"failed\"");
    problem->failures = 3;
    problem->failed_at = 1700000000;
    problem->next_try = 1700000600;
    mine.certificates.items[1]->unwanted_since = 1690000000;
    mine.certificates.items[1]->on_demand = true;
    struct state_account *fallback = state_account_new(&mine, ACCOUNT_FALLBACK);
    fallback->key = S("k");
    fallback->url = S("https://second.example/1");
    format(traefik);
    struct text copy = out;
    out = (struct text){0};
    assert_true(parse(text_c(&copy)));
    text_release(&copy);
    assert_int_equal(mine.orders.count, 1);
    assert_str_equal(mine.orders.items[0]->url, S("https://ca.example/order/1"));
    assert_str_equal(mine.orders.items[0]->key, S("secret"));
    assert_int_equal(mine.orders.items[0]->rank, ACCOUNT_FALLBACK);
    assert_int_equal(mine.orders.items[0]->names.count, 2);
    assert_int_equal(mine.problems.items[0]->failures, 3);
    assert_str_equal(mine.problems.items[0]->text, S("it \"failed\""));
    assert_int_equal(mine.problems.items[0]->next_try, 1700000600);
    assert_int_equal(mine.certificates.items[1]->unwanted_since, 1690000000);
    assert_true(mine.certificates.items[1]->on_demand);
    assert_str_equal(mine.accounts[ACCOUNT_FALLBACK]->url, S("https://second.example/1"));
    /* And away again: Traefik's file is what is left. */
    state_order_drop(&mine, mine.orders.items[0]);
    state_problem_drop(&mine, mine.problems.items[0]);
    mine.certificates.items[1]->unwanted_since = 0;
    mine.certificates.items[1]->on_demand = false;
    assert_true(mine.unsaved);
    format(traefik);
    assert_int_equal(str_find(text_str(&out), S("Orders")), -1);
    assert_int_equal(str_find(text_str(&out), S("Problems")), -1);
    assert_int_equal(str_find(text_str(&out), S("Unwanted")), -1);
    done();
}

TEST(the_variants_of_real_life_are_read)
{
    assert_true(parse(""));
    assert_true(parse(" \n"));
    assert_true(parse("{}"));
    assert_true(parse("{\"le\": null}"));
    assert_true(parse("{\"other\": {\"Certificates\": 7}}"));
    assert_true(parse("{\"le\": {\"Account\": null, \"Certificates\": null}}"));
    assert_true(parse("{\"le\": {\"Account\": {\"Email\": \"\", \"Registration\": null, \"PrivateKey\": null}}}"));
    assert_non_null(mine.accounts[ACCOUNT_FIRST]);
    assert_true(parse("{\"le\": {\"certificates\": [{\"Domain\": {\"Main\": \"A.Example\", \"SANs\": null},"
                      "\"Certificate\": \"YQ\", \"Key\": \"Yg==\"}]}}"));
    assert_str_equal(mine.certificates.items[0]->names.items[0], S("a.example"));
    assert_str_equal(mine.certificates.items[0]->chain, S("a"));
    done();
}

TEST(a_member_in_other_letters_is_written_once)
{
    assert_true(parse("{\"le\": {\"certificates\": [{\"Domain\": {\"Main\": \"a.example\"}, \"Certificate\": \"YQ==\","
                      "\"KEY\": \"Yg==\"}]}}"));
    format("{}");
    assert_true(str_find(text_str(&out), S("\"Certificates\"")) > 0);
    assert_int_equal(str_find(text_str(&out), S("\"certificates\"")), -1);
    assert_int_equal(str_find(text_str(&out), S("\"KEY\"")), -1);
    assert_int_equal(str_find(text_str(&out), S("\"Main\"")), -1);
    done();
}

TEST(what_is_broken_is_refused_with_its_place)
{
    assert_refused("[]", "it is JSON, but not an object");
    assert_refused("{\"le\": 7}", "le is not an object");
    assert_refused("{\"le\": {\"Account\": 7}}", "le.Account is not an object");
    assert_refused("{\"le\": {\"Account\": {\"PrivateKey\": \"%\"}}}", "le.PrivateKey is not base64");
    assert_refused("{\"le\": {\"Certificates\": {}}}", "le.Certificates is not a list");
    assert_refused("{\"le\": {\"Certificates\": [1]}}", "le.Certificates[0] is not an object");
    assert_refused("{\"le\": {\"Certificates\": [{}]}}", "le.Certificates[0].domain is not an object");
    assert_refused("{\"le\": {\"Certificates\": [{\"domain\": {}}]}}", "le.Certificates[0].domain names nothing");
    assert_refused("{\"le\": {\"Certificates\": [{\"domain\": {\"main\": \"a\"}, \"certificate\": \"a\"}]}}",
                   "le.Certificates[0].certificate is not base64");
    assert_refused("{\"le\": {\"Certificates\": [{\"domain\": {\"main\": \"a\", \"sans\": [1]}}]}}",
                   "le.Certificates[0].domain.sans holds what is not a name");
    assert_refused("{\"le\": {\"Problems\": [{\"domain\": {\"main\": \"a\"}, \"failures\": -1}]}}",
                   "le.Problems[0].failures is not a number");
    assert_false(parse("{\"le\": {}, \"le\": {}}"));
    assert_false(parse("{\"le\": "));
    assert_true(str_starts(text_str(&why), S("line 1, column ")));
    done();
}

TEST(a_broken_file_is_not_written_over)
{
    assert_true(parse(traefik));
    text_init(&out, STATE_BYTES_MAX);
    assert_false(state_format(S("{\"le\": "), S("le"), &mine, &out, &why));
    done();
}

TEST(what_was_not_saved_goes_over_what_others_wrote)
{
    struct state theirs;
    assert_true(parse(traefik));
    state_init(&theirs);
    assert_true(state_parse(str_from(traefik), S("le"), &theirs, &why));
    struct state_certificate *renewed = mine.certificates.items[0];
    renewed->chain = S("renewed");
    renewed->unsaved = true;
    mine.certificates.items[1]->chain = S("old");
    state_merge(&theirs, &mine);
    assert_int_equal(theirs.certificates.count, 2);
    struct str names[] = {STR("*.c.example"), STR("a.example"), STR("b.example")};
    assert_str_equal(state_certificate_of(&theirs, &(struct strs){names, 3})->chain, S("renewed"));
    assert_null(state_certificate_of(&theirs, &(struct strs){names, 2}));
    assert_str_equal(state_certificate_of(&theirs, &(struct strs){(struct str[]){STR("d.example")}, 1})->chain, S("other"));
    assert_int_equal(mine.certificates.count, 0);
    state_release(&theirs);
    done();
}
