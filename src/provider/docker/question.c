#include "provider/docker/question.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Filters as JSON, percent-encoded: {"type":["container","network"]}, {"type":["service","container"]},
 * {"desired-state":["running"]}. */
static const struct {
    const char *path, *behind_id;      /* behind_id NULL: it is asked without an id */
    bool stream;
} questions[QUESTION_KINDS] = {
    [QUESTION_VERSION] = {.path = "/version"},
    [QUESTION_CONTAINERS] = {.path = "/containers/json?all=1"},
    [QUESTION_CONTAINER] = {.path = "/containers/", .behind_id = "/json"},
    [QUESTION_EVENTS] = {.path = "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D", .stream = true},
    [QUESTION_SERVICES] = {.path = "/services"},
    [QUESTION_TASKS] = {.path = "/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D"},
    [QUESTION_SWARM_EVENTS] = {.path = "/events?filters=%7B%22type%22%3A%5B%22service%22%2C%22container%22%5D%7D", .stream = true},
};

bool question_id_is_good(struct str id)
{
    if (id.len < 12 || id.len >= CONTAINER_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (ascii_hex(id.data[i]) < 0)
            return false;
    return true;
}

bool question_is_good(const struct question_frame *frame, size_t size)
{
    if (size != sizeof(*frame))
        return false;
    if (frame->kind == FRAME_CANCEL)
        return true;
    if (frame->kind != FRAME_QUESTION || frame->question >= QUESTION_KINDS)
        return false;
    if (frame->api_minor < QUESTION_API_MINOR_LEAST || frame->api_minor > QUESTION_API_MINOR_MOST)
        return false;
    return questions[frame->question].behind_id == NULL || question_id_is_good(str_of(frame->id, strnlen(frame->id, sizeof(frame->id))));
}

/* The version of the API itself is asked without one. */
void question_path(const struct question_frame *frame, char *out)
{
    const char *behind = questions[frame->question].behind_id;
    char version[16] = "";
    if (frame->question != QUESTION_VERSION)
        snprintf(version, sizeof(version), "/v1.%u", (unsigned)frame->api_minor);
    snprintf(out, QUESTION_PATH_SIZE, "%s%s%s%s", version, questions[frame->question].path, behind != NULL ? frame->id : "",
             behind != NULL ? behind : "");
}

bool question_is_stream(enum question question)
{
    return questions[question].stream;
}

#define IS_TEXT(array) (memchr((array), '\0', sizeof(array)) != NULL)

bool endpoint_is_good(const struct endpoint_frame *frame, size_t size)
{
    return size == sizeof(*frame) && frame->kind == FRAME_ENDPOINT && IS_TEXT(frame->url) && IS_TEXT(frame->ca) &&
           IS_TEXT(frame->cert) && IS_TEXT(frame->key) && IS_TEXT(frame->username) && IS_TEXT(frame->password);
}

bool endpoint_place(const struct endpoint_frame *frame, struct endpoint_place *ret_place)
{
    struct str url = str_from(frame->url), host = STR_NONE;
    *ret_place = (struct endpoint_place){.tls = frame->tls != 0};
    if (str_starts_nocase(url, S("unix:///"))) {
        snprintf(ret_place->socket, sizeof(ret_place->socket), "%s", frame->url + 7);
        snprintf(ret_place->base, sizeof(ret_place->base), "http://engine");
        ret_place->tls = false;
        return true;
    }
    if (str_starts_nocase(url, S("tcp://"))) {
        host = str_from_index(url, 6);
    } else if (str_starts_nocase(url, S("http://"))) {
        host = str_from_index(url, 7);
        ret_place->tls = false;
    } else if (str_starts_nocase(url, S("https://"))) {
        host = str_from_index(url, 8);
        ret_place->tls = true;
    }
    while (str_ends(host, S("/")))
        host.len--;
    snprintf(ret_place->base, sizeof(ret_place->base), "http%s://%.*s", ret_place->tls ? "s" : "", STR_ARGS(host));
    return host.len != 0;
}
