#include "middleware/rig.h"
#include "test.h"

#include "exchange/variable.h"
#include "exchange/visit.h"

/* One script and one request: what becomes of it. */
struct script_case {
    const char *steps, *url;
    enum verdict verdict;
    int status;
    const char *told; /* the body, or the Location; NULL: not looked at */
    const char *path, *query;
};

static void check(struct rig *rig, const struct script_case *it)
{
    assert_true(rig_configure(rig, "script", it->steps));
    rig_begin(rig, "GET", it->url);
    struct exchange *x = &rig->x;
    if (rig_request(rig) != it->verdict)
        fail_msg("another verdict for %s", it->url);
    if (it->status != 0)
        assert_int_equal(x->response.status, it->status);
    struct str location = rig_response_field(rig, "Location");
    if (it->told != NULL)
        assert_str_equal(location.data != NULL ? location : x->memory_body, str_from(it->told));
    if (it->path != NULL)
        assert_str_equal(x->stream.request.path, str_from(it->path));
    if (it->query != NULL)
        assert_str_equal(x->stream.request.query, str_from(it->query));
}

#define RETURN_ALL "  - return: {text: \"${uri}|${args}|${1}\"}\n"

TEST(scripts_rewrite_return_and_branch_as_their_steps_say)
{
    static const struct script_case cases[] = {
        {"steps:\n  - return: {text: hi}\n", "http://a.example/", VERDICT_ANSWER, 200, "hi", NULL, NULL},
        {"steps:\n  - return: {status: 404, text: gone}\n", "http://a.example/", VERDICT_ANSWER, 404, "gone", NULL, NULL},
        {"steps:\n  - return: {status: 204}\n", "http://a.example/", VERDICT_ANSWER, 204, "", NULL, NULL},
        {"steps:\n  - return: {status: 302, url: \"/x?${args}\"}\n", "http://a.example/?q=1", VERDICT_ANSWER, 302, "/x?q=1", NULL, NULL},
        /* Rewrites: the query is added, kept or dropped. */
        {"steps:\n  - rewrite: {regex: \"^/a/(.*)$\", replacement: \"/b/${1}\"}\n" RETURN_ALL, "http://a.example/a/c?x=1",
         VERDICT_ANSWER, 200, "/b/c|x=1|c", "/b/c", "x=1"},
        {"steps:\n  - rewrite: {regex: \"^/a\", replacement: \"/b?y=2\"}\n", "http://a.example/a?x=1", VERDICT_NEXT, 0, NULL, "/b",
         "y=2&x=1"},
        {"steps:\n  - rewrite: {regex: \"^/a\", replacement: \"/b?y=2?\"}\n", "http://a.example/a?x=1", VERDICT_NEXT, 0, NULL, "/b",
         "y=2"},
        {"steps:\n  - rewrite: {regex: \"^/a\", replacement: \"/b?\"}\n", "http://a.example/a?x=1", VERDICT_NEXT, 0, NULL, "/b", ""},
        {"steps:\n  - rewrite: {regex: \"^/z\", replacement: /b}\n", "http://a.example/a?x=1", VERDICT_NEXT, 0, NULL, "/a", "x=1"},
        /* What was escaped is escaped again where it becomes part of a query or a redirect. */
        {"steps:\n  - rewrite: {regex: \"^/a/(.*)$\", replacement: \"/b?v=${1}\"}\n", "http://a.example/a/x%26y", VERDICT_NEXT, 0, NULL,
         "/b", "v=x%26y"},
        {"steps:\n  - rewrite: {regex: \"^/a/(.*)$\", replacement: \"/b/${1}\", flag: redirect}\n", "http://a.example/a/x%20y?q=1",
         VERDICT_ANSWER, 302, "/b/x%20y?q=1", NULL, NULL},
        {"steps:\n  - rewrite: {regex: \"^/a\", replacement: \"/b?z=1\", flag: permanent}\n", "http://a.example/a?q=1", VERDICT_ANSWER,
         301, "/b?z=1&q=1", NULL, NULL},
        {"steps:\n  - rewrite: {regex: ^/a, replacement: \"https://b.example${uri}\"}\n", "http://a.example/a", VERDICT_ANSWER, 302,
         "https://b.example/a", NULL, NULL},
        /* Stopping. */
        {"steps:\n  - rewrite: {regex: ^/a, replacement: /b, flag: last}\n" RETURN_ALL, "http://a.example/a", VERDICT_NEXT, 0, NULL,
         "/b", NULL},
        {"steps:\n  - rewrite: {regex: ^/a, replacement: /b, flag: break}\n" RETURN_ALL, "http://a.example/a", VERDICT_NEXT, 0, NULL,
         "/b", NULL},
        {"steps:\n  - break: true\n" RETURN_ALL, "http://a.example/a", VERDICT_NEXT, 0, NULL, "/a", NULL},
        /* Conditions. */
        {"steps:\n  - if: {value: \"${arg_x}\", then: [{return: {text: yes}}]}\n  - return: {text: no}\n", "http://a.example/?x=1",
         VERDICT_ANSWER, 200, "yes", NULL, NULL},
        {"steps:\n  - if: {value: \"${arg_x}\", then: [{return: {text: yes}}]}\n  - return: {text: no}\n", "http://a.example/?x=0",
         VERDICT_ANSWER, 200, "no", NULL, NULL},
        {"steps:\n  - if: {value: \"${arg_x}\", is: equal, operand: \"${arg_y}\", then: [{return: {text: same}}]}\n",
         "http://a.example/?x=a&y=a", VERDICT_ANSWER, 200, "same", NULL, NULL},
        {"steps:\n  - if: {value: \"${arg_x}\", is: notEqual, operand: b, then: [{return: {text: other}}]}\n", "http://a.example/?x=a",
         VERDICT_ANSWER, 200, "other", NULL, NULL},
        {"steps:\n  - if: {value: \"${uri}\", is: match, operand: \"^/(.)\", then: [{return: {text: \"${1}\"}}]}\n", "http://a.example/k",
         VERDICT_ANSWER, 200, "k", NULL, NULL},
        {"steps:\n  - if: {value: \"${uri}\", is: noMatchIgnoringCase, operand: /K, then: [{return: {text: x}}]}\n", "http://a.example/k",
         VERDICT_NEXT, 0, NULL, NULL, NULL},
        {"steps:\n  - if: {value: /etc, is: directory, then: [{return: {text: dir}}]}\n", "http://a.example/", VERDICT_ANSWER, 200, "dir",
         NULL, NULL},
        {"steps:\n  - if: {value: /no/such/thing, is: notExisting, then: [{return: {text: none}}]}\n", "http://a.example/", VERDICT_ANSWER,
         200, "none", NULL, NULL},
        /* Variables. */
        {"steps:\n  - set: {name: a, value: \"[${args}]\"}\n  - return: {text: \"${a}${a}\"}\n", "http://a.example/?q", VERDICT_ANSWER,
         200, "[q][q]", NULL, NULL},
        {"steps:\n  - set: {name: args, value: n=1}\n", "http://a.example/?q", VERDICT_NEXT, 0, NULL, "/", "n=1"},
        {"steps:\n  - if: {value: \"${uri}\", is: match, operand: \"^/(?<who>.+)$\"}\n  - return: {text: \"${who}\"}\n",
         "http://a.example/ann", VERDICT_ANSWER, 200, "ann", NULL, NULL},
    };
    struct rig rig;
    rig_init(&rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(&rig, &cases[i]);
    rig_release(&rig);
}

TEST(scripts_with_mistakes_are_refused)
{
    static const struct {
        const char *steps, *words;
    } cases[] = {
        {"steps:\n  - rewrite: {regex: \"(\", replacement: /}\n", "missing"},
        {"steps:\n  - set: {name: host, value: x}\n", "cannot be set"},
        {"steps:\n  - set: {name: a-b, value: x}\n", "no name of a variable"},
        {"steps:\n  - return: {text: \"${nothing_of_the_kind}\"}\n", "unknown variable"},
        {"steps:\n  - return: {status: 200, url: /x}\n", "'url' goes with a status"},
        {"steps:\n  - if: {value: x, is: match}\n", "operand"},
        {"steps:\n  - if: {value: x, operand: y}\n", "no operand"},
        {"steps:\n  - rewrite: {regex: x, replacement: y, flag: lats}\n", "last"},
    };
    struct rig rig;
    rig_init(&rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(rig_configure(&rig, "script", cases[i].steps));
        if (strstr(rig_reported(&rig), cases[i].words) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].words, rig_reported(&rig));
    }
    rig_release(&rig);
}
