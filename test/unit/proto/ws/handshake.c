#include "proto/ws/handshake.h"

#include "test.h"

struct asked {
    struct arena arena;
    struct request request;
};

static void ask(struct asked *asked, struct str upgrade, struct str version, struct str key)
{
    arena_init(&asked->arena, ARENA_UNLIMITED);
    asked->request = (struct request){.method = METHOD_GET, .upgrade = upgrade};
    fields_init(&asked->request.fields, &asked->arena, 4);
    fields_add(&asked->request.fields, S("Sec-WebSocket-Version"), version);
    fields_add(&asked->request.fields, S("sec-websocket-key"), key);
}

static enum status checked(struct str upgrade, struct str version, struct str key)
{
    struct asked asked;
    struct str got;
    ask(&asked, upgrade, version, key);
    enum status status = ws_handshake_check(&asked.request, &got);
    arena_release(&asked.arena);
    return status;
}

#define KEY S("dGhlIHNhbXBsZSBub25jZQ==")

TEST(ws_handshake_is_what_rfc_6455_shows)
{
    char accept[WS_ACCEPT_SIZE];
    ws_handshake_accept(KEY, accept);
    assert_str_equal(str_of(accept, WS_ACCEPT_SIZE), S("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_int_equal(checked(S("websocket"), S("13"), KEY), STATUS_OK);
    assert_int_equal(checked(S("x, WebSocket"), S("13"), KEY), STATUS_OK);
}

TEST(ws_handshake_of_a_request_that_wants_something_else)
{
    assert_int_equal(checked(S(""), S("13"), KEY), STATUS_END);
    assert_int_equal(checked(S("h2c"), S("13"), KEY), STATUS_END);
}

TEST(ws_handshake_refuses_other_versions_and_bad_keys)
{
    assert_int_equal(checked(S("websocket"), S("8"), KEY), STATUS_BAD_REQUEST);
    assert_int_equal(checked(S("websocket"), S("13"), S("dGhlIHNhbXBsZSBub25jZQ")), STATUS_BAD_REQUEST);
    assert_int_equal(checked(S("websocket"), S("13"), S("dGhlIHNhbXBsZSBub25jZSB0")), STATUS_BAD_REQUEST);
    assert_int_equal(checked(S("websocket"), S("13"), S("")), STATUS_BAD_REQUEST);
}
