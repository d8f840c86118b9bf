"""Bodies that middlewares hold, repeat, replace or code; and what may never happen because of it."""
import hashlib
import threading

import pytest

from harness.backend import head, take
from harness.http1 import build, chunked_bytes, response_bytes
from harness.portico import to
from harness.waiting import wait_for

LARGE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100000))      # 3.2 MB that does not compress


def through(portico, server, *middlewares, **sections):
    named = {f"m{number}": middleware for number, middleware in enumerate(middlewares)}
    return portico(to(server.url, middlewares=named, **sections))


def slow(read="2s"):
    return {"entryPoints": {"web": {"transport": {"respondingTimeouts": {"readTimeout": read}}}}}


# Retries

def test_a_retried_body_is_the_same_body(portico, backend):
    answers = iter([503, 503, 200])
    server = backend(lambda request: response_bytes(next(answers)))
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["503"], "maxRequestBodyBytes": "4MB"}})
    assert proxy.request("PUT", "/", body=LARGE).status == 200
    assert [request.body == LARGE for request in server.requests] == [True] * 3
    assert {request.get("Content-Length") for request in server.requests} == {str(len(LARGE))}


@pytest.mark.parametrize("chunked", [False, True], ids=["a known length", "chunked"])
def test_a_body_too_large_to_be_held_passes_once(portico, backend, chunked):
    server = backend(lambda request: response_bytes(503))
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["503"], "maxRequestBodyBytes": 100000}})
    if chunked:
        pieces = [LARGE[at:at + 60000] for at in range(0, len(LARGE), 60000)]
        response = proxy.request("PUT", "/", [("Transfer-Encoding", "chunked")], chunked_bytes(*pieces))
    else:
        response = proxy.request("PUT", "/", body=LARGE)
    assert response.status == 503 and len(server.requests) == 1 and server.last.body == LARGE


@pytest.mark.parametrize("padding", [0, 600, 900, 1024, 5000, 9000])
def test_what_follows_a_long_body_on_a_connection_is_read_whole(portico, backend, padding):
    """Of a response behind a long one little is read along with its head, wherever that ends."""
    bodies = [LARGE[:200000], b"", b"short", LARGE[:200000], LARGE[:3000], LARGE[:65536], LARGE[:1024], LARGE[:2000000], LARGE[:30000]]
    answers = iter(bodies)
    server = backend(lambda request: response_bytes(200, [("X-Padding", "p" * padding)], next(answers)))
    proxy = portico(to(server.url))
    client = proxy.client()
    for body in bodies:
        response = client.request()
        assert response.status == 200 and response.body == body
        assert len(response.get("X-Padding", "")) == padding
    assert server.accepted == 1


def test_a_post_is_not_repeated_unasked(portico, backend):
    server = backend(lambda request: response_bytes(503))
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["503"]}})
    assert proxy.request("POST", "/", body=b"x").status == 503 and len(server.requests) == 1
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["503"], "retryNonIdempotentMethod": True}})
    assert proxy.request("POST", "/", body=b"x").status == 503 and len(server.requests) == 4


def test_a_retry_waits_between_tries(portico, backend):
    answers = iter([503, 503, 200])
    server = backend(lambda request: response_bytes(next(answers)))
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["503"], "initialInterval": "20ms"}})
    assert proxy.get().status == 200 and len(server.requests) == 3


def test_a_refused_connection_is_tried_again(portico, backend):
    server = backend()
    port = server.port
    server.stop()
    proxy = through(portico, server, {"retry": {"attempts": 50, "initialInterval": "20ms"}})
    client = proxy.client().send_request("POST", "/", body=b"once")
    assert not client.readable(0.1)
    again = backend(port=port)
    assert client.response().status == 200 and again.last.body == b"once"


def test_a_retry_does_not_lead_around_who_refused_the_request(portico, backend):
    server = backend()
    proxy = through(portico, server, {"retry": {"attempts": 3, "status": ["400-599"]}},
                    {"ipDenyList": {"sourceRange": ["127.0.0.0/8"]}})
    assert proxy.get().status == 403 and server.requests == []


# Buffering

def test_buffering_holds_on_disk(portico, backend):
    server = backend(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")],
                                           chunked_bytes(request.body[:1000000], request.body[1000000:])))
    proxy = through(portico, server, {"buffering": {"memRequestBodyBytes": 1000, "memResponseBodyBytes": 1000}})
    response = proxy.request("POST", "/", body=LARGE)
    assert response.body == LARGE and response.get("Content-Length") == str(len(LARGE))


def test_buffering_keeps_trailers(portico, backend):
    server = backend(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")],
                                           chunked_bytes(b"abc", trailers=[("X-Sum", "42")])))
    response = through(portico, server, {"buffering": {}}).get()
    assert response.body == b"abc" and ("X-Sum", "42") in response.trailers


def test_buffering_lets_events_pass_at_once(portico, raw_server):
    seen = threading.Event()
    server = raw_server([lambda play: play.reader.request(),
                         b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"3\r\none\r\n", lambda play: seen.wait(20), b"0\r\n\r\n"])
    client = through(portico, server, {"buffering": {}}).client().send_request()
    client.reader.response_head()
    assert client.reader.line() == b"3" and client.reader.take(3) == b"one"
    seen.set()


def test_buffering_retries_by_expression(portico, backend):
    answers = iter([500, 500, 200])
    server = backend(lambda request: response_bytes(next(answers)))
    proxy = through(portico, server, {"buffering": {"retryExpression": "ResponseCode() == 500 && Attempts() < 3"}})
    assert proxy.request("POST", "/", body=b"x").status == 200
    assert [request.body for request in server.requests] == [b"x"] * 3


def test_a_response_that_breaks_while_it_is_held_is_no_response(portico, raw_server):
    server = raw_server([lambda play: play.reader.request(), b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nhalf"])
    response = through(portico, server, {"buffering": {}}).get()
    assert response.status == 502 and b"half" not in response.body


def test_a_client_is_told_to_go_on_with_its_body(portico, backend):
    server = backend()
    client = through(portico, server, {"buffering": {}}).client()
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert client.reader.response(interim=False).status == 100
    response = client.send("body").response()
    assert response.status == 200 and not response.interim
    assert server.last.body == b"body" and not server.last.has("Expect")


def test_a_client_that_stops_within_its_body_is_shed(portico, backend):
    server = backend()
    proxy = through(portico, server, {"buffering": {}}, **slow())
    client = proxy.client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
    assert client.response().status == 408
    client.assert_closed()
    assert server.requests == []
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_a_bad_chunk_is_refused_before_a_server_sees_it(portico, backend):
    server = backend()
    client = through(portico, server, {"buffering": {}}).client()
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert client.response().status == 400 and server.requests == []


# Pages for errors

def with_pages(portico, server, pages, **options):
    config = to(server.url, middlewares={"pages": {"errors": {"status": ["400-599"], "service": "pages",
                                                              "query": "/{status}?from={originalStatus}&at={url}",
                                                              **options}}})
    config["http"]["services"]["pages"] = {"loadBalancer": {"servers": [{"url": pages.url}]}}
    return portico(config)


def test_a_page_knows_what_it_is_for(portico, backend):
    server = backend(lambda request: response_bytes(503, body=b"raw"))
    pages = backend(lambda request: response_bytes(body=b"page"))
    proxy = with_pages(portico, server, pages, statusRewrites={"500-503": "418"}, errorRequestHeaders=["Accept"])
    response = proxy.request("POST", "/x?q=1 ".strip(), [("Accept", "a/b"), ("X-Other", "1")], b"body")
    assert (response.status, response.text) == (418, "page")
    asked = pages.last
    assert asked.method == "GET" and asked.target == "/418?from=503&at=%2Fx%3Fq%3D1" and asked.body == b""
    assert asked.get("Accept") == "a/b" and not asked.has("X-Other")
    assert proxy.access()[0]["RequestMethod"] == "POST"


def test_a_page_for_head_has_no_body(portico, backend):
    server, pages = backend(lambda request: response_bytes(404)), \
        backend(lambda request: build("HTTP/1.1 200 Fine", [("Content-Length", "4")], b"page" if request.method == "GET" else b""))
    client = with_pages(portico, server, pages).client()
    assert client.request("HEAD", "/").status == 404
    assert client.request("GET", "/").text == "page"


def test_a_page_for_a_server_that_is_gone(portico, backend):
    server, pages = backend(), backend(lambda request: response_bytes(body=b"page"))
    server.stop()
    proxy = with_pages(portico, server, pages)
    response = proxy.get()
    assert (response.status, response.text) == (502, "page")
    assert proxy.access()[0]["reason"] == "upstream_refused"


def test_an_error_of_the_page_is_not_replaced_again(portico, backend):
    server, pages = backend(lambda request: response_bytes(500)), backend(lambda request: response_bytes(404, body=b"lost"))
    response = with_pages(portico, server, pages).get()
    assert (response.status, response.text) == (500, "lost") and len(pages.requests) == 1


# Authentication

def test_forward_auth_hands_the_body_over_and_on(portico, backend):
    auth, server = backend(), backend()
    proxy = through(portico, server, {"forwardAuth": {"address": f"{auth.url}/a?b=c", "forwardBody": True,
                                                      "preserveRequestMethod": True, "maxBodySize": 10}})
    assert proxy.request("POST", "/", body=b"0123456789").status == 200
    assert auth.last.method == "POST" and auth.last.target == "/a?b=c" and auth.last.body == b"0123456789"
    assert server.last.body == b"0123456789"
    assert proxy.request("POST", "/", body=b"01234567890").status == 413 and len(auth.requests) == 1


def test_forward_auth_takes_fields_and_cookies_over(portico, backend):
    auth = backend(lambda request: response_bytes(204, [("X-Auth-A", "1"), ("Set-Cookie", "s=auth; Path=/"),
                                                        ("Set-Cookie", "other=auth"), ("X-Name", "ann")])
                   .replace(b"Content-Length: 0\r\n", b""))
    server = backend(lambda request: response_bytes(fields=[("Set-Cookie", "s=server"), ("Set-Cookie", "t=server")]))
    proxy = through(portico, server, {"forwardAuth": {
        "address": auth.url, "authResponseHeadersRegex": "^X-Auth-", "addAuthCookiesToResponse": ["s"],
        "headerField": "X-Name", "authRequestHeaders": ["Accept"]}})
    response = proxy.get(fields=[("X-Auth-B", "forged"), ("x-auth-a", "forged"), ("Accept", "a/b"), ("Cookie", "secret")])
    assert sorted(response.all("Set-Cookie")) == ["s=auth; Path=/", "t=server"]
    assert server.last.all("X-Auth-A") == ["1"] and not server.last.has("X-Auth-B")
    assert auth.last.get("Accept") == "a/b" and not auth.last.has("Cookie")
    assert proxy.access()[0]["ClientUsername"] == "ann"


def test_forward_auth_sends_strangers_to_sign_in(portico, backend):
    auth, server = backend(lambda request: response_bytes(401)), backend()
    proxy = through(portico, server, {"forwardAuth": {"address": auth.url, "authSigninURL": "https://in.example/"}})
    response = proxy.get()
    assert response.status == 302 and response.get("Location") == "https://in.example/"
    assert server.requests == []


@pytest.mark.parametrize("options, expected", [({}, "/login"), ({"preserveLocationHeader": True}, None)])
def test_forward_auth_makes_locations_absolute(portico, backend, options, expected):
    auth, server = backend(lambda request: response_bytes(302, [("Location", "login")])), backend()
    proxy = through(portico, server, {"forwardAuth": {"address": f"{auth.url}/check", **options}})
    assert proxy.get().get("Location") == (auth.url + expected if expected else "login")


def test_a_client_that_leaves_while_it_is_judged_harms_nobody(portico, raw_server, backend):
    auth, server = raw_server([lambda play: play.reader.request(), lambda play: play.reader.fill()]), backend()
    proxy = through(portico, server, {"forwardAuth": {"address": auth.url}})
    client = proxy.client().send_request()
    wait_for("the question", lambda: auth.accepted == 1)
    client.close()
    wait_for("the question's end", lambda: auth.open_connections() == 0)
    assert server.requests == []


# Compression

def test_small_bodies_of_unknown_length_are_left_alone(portico, backend):
    server = backend(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")],
                                           chunked_bytes(b"small ", b"body")))
    response = through(portico, server, {"compress": {}}).get(fields=[("Accept-Encoding", "gzip")])
    assert not response.has("Content-Encoding") and response.body == b"small body"
    assert response.get("Content-Length") == "10" and response.get("Vary") == "Accept-Encoding"


def test_the_log_knows_both_sizes(portico, backend):
    text = b"text " * 10000
    server = backend(lambda request: response_bytes(body=text))
    proxy = through(portico, server, {"compress": {}})
    response = proxy.get(fields=[("Accept-Encoding", "gzip")])
    line = proxy.access()[0]
    assert line["OriginContentSize"] == len(text) and line["DownstreamContentSize"] == len(response.body)


# Bytes that are gathered

def stretches(little):
    """A body in stretches of much that comes at once and little behind it, each of them as (much, little)."""
    body, step = LARGE[:3000000], 700000 + little
    return body, [(body[at:at + 700000], body[at + 700000:at + step]) for at in range(0, len(body), step)]


@pytest.mark.parametrize("little", [1, 5000, 100000])
def test_a_server_that_pauses_behind_much_keeps_nobody_waiting_for_little(portico, raw_server, little):
    """The proxy gathers what a fast server sends, but for no longer than a moment: what is sent only when the client has all comes."""
    body, parts = stretches(little)
    taken = threading.Semaphore(0)
    wait = [lambda play: taken.acquire(timeout=30)]
    once = [head, build("HTTP/1.1 200 OK", [("Content-Length", len(body))])]
    once += [action for much, rest in parts for action in [much, rest, *wait]]
    client = portico(to(raw_server(once * 2).url)).client()
    for _ in range(2):
        client.send_request()
        assert client.reader.response_head().status == 200
        for much, rest in parts:
            assert client.reader.take(len(much) + len(rest)) == much + rest
            taken.release()


@pytest.mark.parametrize("little", [1, 5000, 100000])
def test_a_client_that_pauses_behind_much_keeps_nobody_waiting_for_little(portico, raw_server, little):
    body, parts = stretches(little)
    taken = threading.Semaphore(0)
    once = [head]
    once += [action for much, rest in parts for action in [take(len(much) + len(rest)), lambda play: taken.release()]]
    server = raw_server(once)
    client = portico(to(server.url)).client()
    client.send(build("POST / HTTP/1.1", [("Host", "localhost"), ("Content-Length", len(body))]))
    for much, rest in parts:
        client.send(much)
        client.send(rest)
        assert taken.acquire(timeout=30)
    wait_for("all of it", lambda: server.played[0].received == body)
