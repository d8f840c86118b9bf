/* Answers of DNS, made by hand, sound and malformed. Each is read in memory of its own size, so that a byte too many is seen. */
#include "net/dns_message.h"

#include <stdlib.h>

#include "test.h"

/* The header: id, flags, and how many questions and answers. */
#define HEAD(questions, answers) "\x12\x34\x81\x80\0" questions "\0" answers "\0\0\0\0"
#define QUESTION "\4app1\4test\0\0\1\0\1"       /* at 12; 15 bytes, so that the first record begins at 27 */
#define HERE "\xc0\x0c"                          /* the question's name */
#define IN_A "\0\1\0\1\0\0\0\x3c\0\4"
#define IN_CNAME "\0\5\0\1\0\0\0\x3c\0"
#define IN_SRV "\0\x21\0\1\0\0\0\x3c\0"
#define DATA_AT 39                               /* of the first record, if its name is a pointer */

struct found {
    struct dns_record records[8];
    size_t count;
    bool begun, broken;
};

static struct found read_all(struct str message)
{
    struct found found = {0};
    struct dns_reader reader;
    char *copy = malloc(message.len + (message.len == 0));
    memcpy(copy, message.data, message.len);
    found.begun = dns_reader_begin(&reader, str_of(copy, message.len));
    while (found.begun && found.count < 8 && dns_reader_next(&reader, &found.records[found.count]))
        found.count++;
    found.broken = found.begun && reader.broken;
    free(copy);
    return found;
}

#define READ(literal) read_all(S(literal))

static void check_ip(const struct dns_record *record, struct str text)
{
    struct ip ip;
    assert_true(ip_parse(text, &ip));
    assert_true(ip_equal(&record->ip, &ip));
}

/* Nothing but the question is in the way, and what follows it is refused. */
static void check_broken(struct str message)
{
    struct found found = read_all(message);
    assert_true(found.begun);
    assert_int_equal(found.count, 0);
    assert_true(found.broken);
}

TEST(a_dns_answer_gives_addresses_aliases_and_services)
{
    struct found found = READ(HEAD("\1", "\4") QUESTION HERE IN_CNAME "\7" "\4Real\xc0\x11"
                              "\xc0\x27\0\1\0\1\0\1\0\2\0\4\xc0\0\2\1"
                              "\xc0\x27\0\x1c\0\1\x80\0\0\2\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
                              "\3SRV\0" IN_SRV "\x0d\0\1\0\2\x1f\x90\1b\xc0\x11" "\0\0\0");
    assert_true(found.begun && found.count == 3);
    assert_int_equal(found.records[0].type, DNS_CNAME);
    assert_string_equal(found.records[0].owner, "app1.test");
    assert_string_equal(found.records[0].target, "real.test");
    assert_int_equal(found.records[0].ttl, 60);
    assert_int_equal(found.records[1].type, DNS_A);
    assert_string_equal(found.records[1].owner, "real.test");
    assert_int_equal(found.records[1].ttl, 0x10002);
    check_ip(&found.records[1], S("192.0.2.1"));
    assert_int_equal(found.records[2].type, DNS_AAAA);
    assert_int_equal(found.records[2].ttl, 0);             /* the highest bit */
    check_ip(&found.records[2], S("fd00::1"));
    assert_true(found.broken);                             /* behind the target's name there are three bytes more */

    found = READ(HEAD("\1", "\2") QUESTION "\3SRV\0" IN_SRV "\x0a\0\1\0\2\x1f\x90\1b\xc0\x11" HERE IN_SRV "\7\0\0\0\0\0\0\0");
    assert_true(found.count == 2 && !found.broken);
    assert_string_equal(found.records[0].owner, "srv");
    assert_string_equal(found.records[0].target, "b.test");
    assert_int_equal(found.records[0].priority, 1);
    assert_int_equal(found.records[0].weight, 2);
    assert_int_equal(found.records[0].port, 8080);
    assert_string_equal(found.records[1].target, "");
}

TEST(other_types_and_classes_of_a_dns_answer_are_passed_over)
{
    struct found found = READ(HEAD("\1", "\4") QUESTION HERE "\0\x10\0\1\0\0\0\1\0\3\2hi" HERE "\0\1\0\3\0\0\0\1\0\1z"
                              HERE "\0\x2e\0\1\0\0\0\1\0\0" HERE IN_A "\12\0\0\1");
    assert_true(found.count == 1 && !found.broken);
    check_ip(&found.records[0], S("10.0.0.1"));
}

TEST(a_dns_answer_may_have_no_question_and_bytes_behind_it)
{
    struct found found = READ(HEAD("\0", "\1") "\0" IN_A "\12\0\0\1" "more");
    assert_true(found.count == 1 && !found.broken);
    assert_string_equal(found.records[0].owner, "");
    found = READ(HEAD("\1", "\0") QUESTION HERE IN_A "\12\0\0\1");
    assert_true(found.begun && found.count == 0 && !found.broken);
}

TEST(what_is_no_dns_answer_does_not_begin)
{
    assert_false(READ("").begun);
    assert_false(READ("\x12\x34\x81\x80\0\0\0\0\0\0\0").begun);
    assert_false(READ("\x12\x34\x01\0\0\0\0\0\0\0\0\0").begun);                 /* a question */
    assert_false(READ(HEAD("\1", "\0")).begun);
    assert_false(READ(HEAD("\2", "\0") QUESTION).begun);
    assert_false(READ(HEAD("\1", "\0") "\4app1\4test\0\0\1\0").begun);
    assert_false(READ(HEAD("\1", "\0") "\xc0\x0c\0\1\0\1").begun);              /* it points to itself */
    assert_false(READ("\x12\x34\x81\x80\xff\xff\xff\xff\0\0\0\0" QUESTION).begun);
}

TEST(every_dns_answer_that_is_cut_short_is_broken)
{
    static const struct str whole = STR(HEAD("\1", "\2") QUESTION HERE IN_SRV "\x0a\0\1\0\2\x1f\x90\1b\xc0\x11" HERE IN_A "\12\0\0\1");
    for (size_t len = 0; len < whole.len; len++) {
        struct found found = read_all(str_first(whole, len));
        assert_true(len < 27 ? !found.begun : found.broken);
        assert_true(found.count == (len >= 49));
    }
    assert_int_equal(read_all(whole).count, 2);
}

TEST(a_dns_answer_with_fewer_records_than_it_says_is_broken)
{
    struct found found = READ("\x12\x34\x81\x80\0\1\xff\xff\0\0\0\0" QUESTION HERE IN_A "\12\0\0\1");
    assert_true(found.count == 1 && found.broken);
}

TEST(pointers_of_a_dns_answer_lead_backwards_only)
{
    check_broken(S(HEAD("\1", "\1") QUESTION "\xc0\x1b" IN_A "\12\0\0\1"));             /* itself */
    check_broken(S(HEAD("\1", "\1") QUESTION "\xc0\x1d" IN_A "\12\0\0\1"));             /* forwards */
    check_broken(S(HEAD("\1", "\1") QUESTION "\xff\xff" IN_A "\12\0\0\1"));             /* out of the message */
    check_broken(S(HEAD("\1", "\1") QUESTION "\1a\xc0\x1b" IN_A "\12\0\0\1"));          /* to the name that it ends */
    /* Two that lead to each other. */
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_CNAME "\4\xc0\x29\xc0\x27"));
    /* To a name that runs into the pointer. */
    check_broken(S(HEAD("\1", "\1") QUESTION "\3\2bc\xc0\x1c" IN_A "\12\0\0\1"));
    /* A chain of them is as good as one. */
    struct found found = READ(HEAD("\1", "\2") QUESTION HERE IN_CNAME "\4\1x\xc0\x0c" "\xc0\x27" IN_A "\12\0\0\1");
    assert_true(found.count == 2 && !found.broken);
    assert_string_equal(found.records[1].owner, "x.app1.test");
}

TEST(data_of_a_dns_answer_has_the_length_that_it_says)
{
    check_broken(S(HEAD("\1", "\1") QUESTION HERE "\0\1\0\1\0\0\0\1\0\3" "\12\0\0\1"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE "\0\1\0\1\0\0\0\1\0\5" "\12\0\0\1\0"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE "\0\1\0\1\0\0\0\1\xff\xff" "\12\0\0\1"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE "\0\x1c\0\1\0\0\0\1\0\4" "\12\0\0\1"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_CNAME "\0"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_CNAME "\2" "\4real\0"));           /* shorter than its name */
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_CNAME "\7" "\4real\0\0"));         /* longer */
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_SRV "\6\0\0\0\0\0\0"));
    check_broken(S(HEAD("\1", "\1") QUESTION HERE IN_SRV "\3\0\0\0"));
}

TEST(labels_of_a_dns_answer_are_of_the_two_kinds_that_there_are)
{
    char message[256];
    for (unsigned size = 0x40; size < 0xc0; size++) {
        memset(message, 'a', sizeof(message));
        memcpy(message, HEAD("\1", "\1") QUESTION, 27);
        message[27] = (char)size;
        message[28 + size] = '\0';
        memcpy(message + 29 + size, IN_A "\12\0\0\1", 14);
        check_broken(str_of(message, sizeof(message)));
    }
}

/* An alias to labels of 49 bytes and one more, of `last` bytes. */
static struct found read_long_name(unsigned last)
{
    char message[DATA_AT + 300];
    memcpy(message, HEAD("\1", "\1") QUESTION HERE IN_CNAME "\0", DATA_AT);
    size_t at = DATA_AT;
    for (unsigned i = 0; i < 5; i++) {
        unsigned size = i < 4 ? 49 : last;
        message[at++] = (char)size;
        memset(message + at, 'x', size);
        at += size;
    }
    message[at++] = '\0';
    message[DATA_AT - 2] = (char)((at - DATA_AT) >> 8);
    message[DATA_AT - 1] = (char)(at - DATA_AT);
    return read_all(str_of(message, at));
}

TEST(a_name_of_a_dns_answer_has_at_most_255_bytes)
{
    struct found found = read_long_name(53);
    assert_int_equal(found.count, 1);
    assert_int_equal(strlen(found.records[0].target), 253);
    found = read_long_name(54);
    assert_true(found.count == 0 && found.broken);
    found = read_long_name(63);
    assert_true(found.count == 0 && found.broken);
}

TEST(a_name_that_grows_by_pointers_ends_at_255_bytes)
{
    /* Each alias leads to itself by one label more. */
    char message[2048];
    memcpy(message, HEAD("\1", "\x28") QUESTION, 27);
    size_t at = 27, target = 12, sound = 0;
    for (unsigned i = 0; i < 40; i++) {
        memcpy(message + at, HERE IN_CNAME "\x0c" "\x09ninebytes", 22);
        message[at + 22] = (char)(0xc0 | target >> 8);
        message[at + 23] = (char)target;
        target = at + 12;
        at += 24;
    }
    struct dns_reader reader;
    struct dns_record record;
    assert_true(dns_reader_begin(&reader, str_of(message, at)));
    for (; dns_reader_next(&reader, &record); sound++)
        assert_int_equal(strlen(record.target), 9 + (sound + 1) * 10);
    assert_true(sound == 24 && reader.broken);
}

TEST(a_name_that_no_host_has_is_an_empty_one_and_not_in_the_way)
{
    static const struct str strange[] = {STR("\3a.b"), STR("\3a b"), STR("\3a\0b"), STR("\3a\\b"), STR("\3a\177b"), STR("\3a\xc0z"), STR("\3\n\r\t")};
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        char message[128];
        memcpy(message, HEAD("\1", "\2") QUESTION HERE IN_CNAME "\6", DATA_AT);
        memcpy(message + DATA_AT, strange[i].data, 4);
        memcpy(message + DATA_AT + 4, "\xc0\x11", 2);
        /* The owner is a pointer to it: what follows the pointer is still the type. */
        memcpy(message + DATA_AT + 6, "\xc0\x27" IN_A "\12\0\0\1", 16);
        struct found found = read_all(str_of(message, DATA_AT + 22));
        assert_true(found.count == 2 && !found.broken);
        assert_string_equal(found.records[0].target, "");
        assert_string_equal(found.records[1].owner, "");
        check_ip(&found.records[1], S("10.0.0.1"));
    }
}
