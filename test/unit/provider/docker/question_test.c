#include "provider/docker/question.h"

#include <stdio.h>

#include "test.h"

static struct question_frame ask(enum question question, const char *id)
{
    struct question_frame frame = {.kind = FRAME_QUESTION, .number = 1, .question = question, .api_minor = 41};
    snprintf(frame.id, sizeof(frame.id), "%s", id);
    return frame;
}

TEST(each_question_is_one_path_of_the_helpers_own)
{
    static const struct {
        enum question question;
        const char *path;
    } cases[] = {{QUESTION_VERSION, "/version"},
                 {QUESTION_CONTAINERS, "/v1.41/containers/json?all=1"},
                 {QUESTION_CONTAINER, "/v1.41/containers/0123456789ab/json"},
                 {QUESTION_SERVICES, "/v1.41/services"}};
    char path[QUESTION_PATH_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct question_frame frame = ask(cases[i].question, "0123456789ab");
        assert_true(question_is_good(&frame, sizeof(frame)));
        question_path(&frame, path);
        assert_string_equal(path, cases[i].path);
    }
}

TEST(a_helper_refuses_what_is_no_id)
{
    static const char *const ids[] = {"", "short", "0123456789ab/../../images", "0123456789ab?x=1", "0123456789AB\r\n", "0123456789ag"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct question_frame frame = ask(QUESTION_CONTAINER, ids[i]);
        assert_false(question_is_good(&frame, sizeof(frame)));
    }
    struct question_frame endless = ask(QUESTION_CONTAINER, "");
    memset(endless.id, 'a', sizeof(endless.id));
    assert_false(question_is_good(&endless, sizeof(endless)));
}

TEST(a_helper_refuses_questions_that_it_does_not_know)
{
    struct question_frame frame = ask(QUESTION_VERSION, "");
    assert_true(question_is_good(&frame, sizeof(frame)));
    assert_false(question_is_good(&frame, sizeof(frame) - 1));
    frame.question = QUESTION_KINDS;
    assert_false(question_is_good(&frame, sizeof(frame)));
    frame = ask(QUESTION_VERSION, "");
    frame.kind = FRAME_ENDPOINT;
    assert_false(question_is_good(&frame, sizeof(frame)));
    frame = ask(QUESTION_CONTAINERS, "");
    frame.api_minor = 1000;
    assert_false(question_is_good(&frame, sizeof(frame)));
}

TEST(an_endpoint_has_a_base_or_a_socket)
{
    static const struct {
        const char *url;
        bool tls;
        const char *base, *socket;
    } cases[] = {{"unix:///var/run/docker.sock", true, "http://engine", "/var/run/docker.sock"},
                 {"tcp://10.0.0.1:2375", false, "http://10.0.0.1:2375", ""},
                 {"tcp://10.0.0.1:2376", true, "https://10.0.0.1:2376", ""},
                 {"https://engine.example/", false, "https://engine.example", ""},
                 {"http://engine.example:80//", true, "http://engine.example:80", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct endpoint_frame frame = {.kind = FRAME_ENDPOINT, .tls = cases[i].tls};
        struct endpoint_place place;
        snprintf(frame.url, sizeof(frame.url), "%s", cases[i].url);
        assert_true(endpoint_is_good(&frame, sizeof(frame)));
        assert_true(endpoint_place(&frame, &place));
        assert_string_equal(place.base, cases[i].base);
        assert_string_equal(place.socket, cases[i].socket);
    }
    struct endpoint_frame endless = {.kind = FRAME_ENDPOINT};
    memset(endless.url, 'a', sizeof(endless.url));
    assert_false(endpoint_is_good(&endless, sizeof(endless)));
}
