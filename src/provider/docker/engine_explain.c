/* What an engine's silence means, in words that say what to do. */
#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provider/docker/engine_state.h"
#include "provider/docker/question.h"

static void explain_denied(const struct engine *engine, const char *socket, struct text *out)
{
    struct stat file;
    text_addf(out, "permission denied on %s", socket);
    if (engine->had_root && geteuid() != 0)
        text_addf(out, ": the helper process that had the right has ended, and root was given up since: start portico again");
    else if (stat(socket, &file) != 0)
        text_addf(out, ": its directory is closed to us");
    else if ((file.st_mode & S_IWGRP) != 0)
        text_addf(out, ": give us its group, in Compose \"group_add: ['%u']\", or start as root with the option 'user'",
                  (unsigned)file.st_gid);
    else
        text_addf(out, ": only its owner (user %u) may open it", (unsigned)file.st_uid);
}

static void explain_socket(const struct engine *engine, const char *socket, int error, struct text *out)
{
    if (error == ENOENT)
        text_addf(out, "no such file %s: does the engine run, and is its socket mounted?", socket);
    else if (error == EACCES || error == EPERM)
        explain_denied(engine, socket, out);
    else if (error == ECONNREFUSED)
        text_addf(out, "nobody listens on %s: does the engine run?", socket);
    else
        text_addf(out, "%s cannot be opened: %s", socket, error != 0 ? strerror(error) : "no connection");
}

static void explain_connect(const struct engine *engine, int error, struct text *out)
{
    struct endpoint_place place;
    if (!endpoint_place(&engine->endpoint, &place))
        text_addf(out, "%s is no endpoint", engine->endpoint.url);
    else if (*place.socket != '\0')
        explain_socket(engine, place.socket, error, out);
    else
        text_addf(out, "no connection to %s: %s", engine->endpoint.url, error != 0 ? strerror(error) : "it does not answer");
}

/* The engine's own words: {"message": "..."}. */
static void add_message(struct str body, struct text *out)
{
    json_t *json = json_loadb(body.data != NULL ? body.data : "", body.len, JSON_ALLOW_NUL, NULL);
    struct str words = str_from(json_string_value(json_object_get(json, "message")));
    words = str_first(words, 300);
    if (!str_empty(words))
        text_add(out, S(": "));
    for (size_t i = 0; i < words.len; i++)
        text_add_char(out, (unsigned char)words.data[i] < ' ' || words.data[i] == 0x7f ? ' ' : words.data[i]);
    json_decref(json);
}

static void explain_status(const struct engine *engine, const struct engine_answer *answer, struct text *out)
{
    if (answer->status == 401)
        text_addf(out, "%s wants a name and a password (username, password)", engine->endpoint.url);
    else
        text_addf(out, "%s answered %u", engine->endpoint.url, answer->status);
    add_message(answer->body, out);
}

void engine_explain(const struct engine *engine, const struct engine_answer *answer, struct text *out)
{
    static const char *const words[] = {
        [FAILURE_NAME] = "its name is not known",
        [FAILURE_TLS] = "TLS fails: look at tls.ca, tls.cert and tls.key, or does it not speak TLS there?",
        [FAILURE_TIMEOUT] = "it does not answer in time",
        [FAILURE_CUT] = "the connection ended",
        [FAILURE_TOO_LONG] = "its answer is longer than 64 MiB",
        [FAILURE_REFUSED] = "the helper process does not ask that",
        [FAILURE_HELPER] = "the helper process that reads it has ended",
        [FAILURE_OTHER] = "its answer cannot be read: does an engine listen there?",
    };
    if (answer->failure == FAILURE_NONE)
        explain_status(engine, answer, out);
    else if (answer->failure == FAILURE_CONNECT)
        explain_connect(engine, answer->error, out);
    else
        text_addf(out, "%s: %s", engine->endpoint.url, answer->failure <= FAILURE_OTHER ? words[answer->failure] : "it failed");
}
