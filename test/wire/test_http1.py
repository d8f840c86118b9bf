"""HTTP/1.1 both ways (RFC 9110, 9112): messages that are well-formed pass unchanged in meaning, whatever their framing."""
import socket
import struct
import threading
import time

import pytest

from harness import backend as act
from harness.http1 import build, chunked_bytes, response_bytes
from harness.portico import to


@pytest.fixture
def start(portico, backend):
    """start(answer) gives a proxy and the backend behind it."""
    def both(answer=None, **sections):
        server = backend(answer)
        return portico(to(server.url, **sections)), server
    return both


# Connections

def test_a_connection_serves_many_requests_over_one_connection_behind(start):
    proxy, server = start()
    client = proxy.client()
    for _ in range(20):
        assert client.request().body == b"fine"
    client.assert_open()
    assert server.accepted == 1


def test_pipelined_requests_are_answered_in_order(start):
    proxy, _ = start(lambda request: response_bytes(body=request.target.encode()))
    client = proxy.client()
    client.send(b"".join(build(f"GET /{number} HTTP/1.1", [("Host", "a")]) for number in range(50)))
    assert [client.response().text for _ in range(50)] == [f"/{number}" for number in range(50)]
    client.assert_open()


@pytest.mark.parametrize("pieces", [2, 3, 5])
@pytest.mark.parametrize("count", [30, 60, 120])
def test_heads_of_many_fields_that_come_in_pieces_are_read_whole(start, count, pieces):
    proxy, server = start()
    fields = [(f"X-Field-{number}", f"v{number}" * (number % 19 + 1)) for number in range(count)]
    head = build("GET / HTTP/1.1", [("Host", "a"), *fields])
    client = proxy.client()
    for piece in range(pieces):
        client.send(head[len(head) * piece // pieces:len(head) * (piece + 1) // pieces])
        time.sleep(0.02)      # each piece is read by itself
    assert client.response().status == 200
    assert [(name, value) for name, value in server.requests[-1].fields if name.lower().startswith("x-field-")] == fields


def test_requests_pipelined_behind_bodies_are_found(start):
    proxy, _ = start(lambda request: response_bytes(body=request.method.encode() + b":" + request.body))
    client = proxy.client()
    client.send(build("POST / HTTP/1.1", [("Host", "a"), ("Content-Length", 5)], b"GET /") +
                build("POST / HTTP/1.1", [("Host", "a"), ("Transfer-Encoding", "chunked")], chunked_bytes(b"ab", b"c")) +
                build("GET / HTTP/1.1", [("Host", "a")]))
    assert [client.response().body for _ in range(3)] == [b"POST:GET /", b"POST:abc", b"GET:"]


def test_connection_close_is_honoured(start):
    proxy, server = start()
    client = proxy.client()
    response = client.request("GET", "/", [("Connection", "close")])
    assert response.get("Connection").lower() == "close"
    client.assert_closed()
    assert "close" not in server.last.get("Connection", "")


def test_a_request_in_single_bytes_is_read(start):
    proxy, server = start()
    client = proxy.client()
    for byte in build("POST /slow HTTP/1.1", [("Host", "a"), ("Transfer-Encoding", "chunked")], chunked_bytes(b"abc", b"de")):
        client.send(bytes([byte]))
    assert client.response().status == 200
    assert server.last.body == b"abcde"


def test_a_response_in_single_bytes_is_read(start):
    whole = build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked"), ("X", "y")], chunked_bytes(b"abc", b"de"))
    proxy, _ = start(lambda request: [bytes([byte]) for byte in whole])
    response = proxy.get()
    assert (response.body, response.get("X")) == (b"abcde", "y")


def test_an_empty_line_before_a_request_is_skipped(start):
    proxy, _ = start()
    client = proxy.client().send(b"\r\n")
    assert client.request().status == 200


def test_an_idle_connection_that_a_server_closed_is_replaced(scripted):
    answer = [act.request, response_bytes(body=b"one")]
    proxy, server = scripted([*answer, act.request, act.close], [*answer, act.until_end])
    client = proxy.client()
    assert client.request().body == b"one"
    # The server closes on the second request without a word: what it would also do when the close crossed the request.
    assert client.request().body == b"one"
    assert server.accepted == 2


# Bodies and their framing

@pytest.mark.parametrize("size", [1, 70000, 3000000])
def test_a_request_body_with_a_length_passes(start, size):
    proxy, server = start()
    body = b"q" * size
    assert proxy.request("POST", "/", body=body).status == 200
    assert server.last.body == body
    assert server.last.get("Content-Length") == str(len(body))


@pytest.mark.parametrize("chunks", [[], [b"a"], [b"b" * 70000, b"c"], [b"d" * 1000] * 1000],
                         ids=["none", "one", "a large one", "many"])
def test_a_chunked_request_body_passes(start, chunks):
    proxy, server = start()
    response = proxy.request("POST", "/", [("Transfer-Encoding", "chunked")], chunked_bytes(*chunks))
    assert response.status == 200
    assert server.last.body == b"".join(chunks)


def test_a_chunk_extension_is_skipped(start):
    proxy, server = start()
    coded = b'3;name=value;other="quoted"\r\nabc\r\n0;last\r\n\r\n'
    assert proxy.request("POST", "/", [("Transfer-Encoding", "chunked")], coded).status == 200
    assert server.last.body == b"abc"


def test_a_post_without_a_body_says_so(start):
    proxy, server = start()
    assert proxy.request("POST", "/", [("Content-Length", "0")]).status == 200
    assert server.last.get("Content-Length") == "0"


def test_a_get_gets_no_length(start):
    proxy, server = start()
    proxy.get()
    assert not server.last.has("Content-Length") and not server.last.has("Transfer-Encoding")


@pytest.mark.parametrize("size", [0, 1, 70000, 3000000])
def test_a_response_body_with_a_length_passes(start, size):
    proxy, _ = start(lambda request: response_bytes(body=b"r" * size))
    client = proxy.client()
    response = client.request()
    assert response.body == b"r" * size and response.get("Content-Length") == str(size)
    client.assert_open()


@pytest.mark.parametrize("chunks", [[], [b"a"], [b"b" * 70000, b"c"], [b"d" * 1000] * 1000],
                         ids=["none", "one", "a large one", "many"])
def test_a_chunked_response_body_passes(start, chunks):
    proxy, _ = start(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")], chunked_bytes(*chunks)))
    client = proxy.client()
    response = client.request()
    assert response.body == b"".join(chunks) and response.chunked
    client.assert_open()


def test_a_body_until_close_becomes_chunked_and_the_client_stays(scripted):
    proxy, _ = scripted([act.request, b"HTTP/1.1 200 Fine\r\n\r\n", b"to ", b"the end", act.close])
    client = proxy.client()
    response = client.request()
    assert response.body == b"to the end" and response.chunked
    client.assert_open()


def test_an_http_1_0_server_is_understood(scripted):
    proxy, _ = scripted([act.request, b"HTTP/1.0 200 Old\r\nServer: old\r\n\r\n", b"old body", act.close])
    response = proxy.get()
    assert (response.version, response.status, response.body) == ("1.1", 200, b"old body")


def test_trailers_of_a_request_pass(start):
    proxy, server = start()
    body = chunked_bytes(b"abc", trailers=[("Checksum", "900150983cd24fb0")])
    assert proxy.request("POST", "/", [("Transfer-Encoding", "chunked"), ("Trailer", "Checksum")], body).status == 200
    assert server.last.trailers == [("Checksum", "900150983cd24fb0")]


def test_trailers_of_a_response_pass(start):
    proxy, _ = start(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked"), ("Trailer", "Checksum")],
                                           chunked_bytes(b"abc", trailers=[("Checksum", "9001")])))
    response = proxy.get(fields=[("TE", "trailers"), ("Connection", "TE")])
    assert response.trailers == [("Checksum", "9001")]


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Host", "Authorization", "X-Forwarded-For"])
def test_a_trailer_cannot_say_what_a_head_decides(start, name):
    proxy, server = start()
    body = chunked_bytes(b"abc", trailers=[(name, "1"), ("Kept", "yes")])
    proxy.request("POST", "/", [("Transfer-Encoding", "chunked")], body)
    assert server.last.trailers == [("Kept", "yes")]


# Responses without a body

def test_head_has_the_fields_of_get_and_no_body(start):
    proxy, server = start(lambda request: b"HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n\r\n" +
                          (b"" if request.method == "HEAD" else b"four"))
    client = proxy.client()
    response = client.request("HEAD")
    assert response.get("Content-Length") == "4" and server.last.method == "HEAD"
    assert client.request("GET").body == b"four"


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 None\r\n\r\n", b"HTTP/1.1 304 Same\r\nETag: \"a\"\r\n\r\n",
                                  b"HTTP/1.1 304 Same\r\nContent-Length: 1234\r\n\r\n"])
def test_a_bodiless_status_ends_with_its_head(start, head):
    proxy, server = start(lambda request: head)
    client = proxy.client()
    for _ in range(3):
        assert client.request().status == int(head.split()[1])
    assert server.accepted == 1


# Interim responses

def test_expect_100_continue_is_answered_before_the_body(start):
    proxy, server = start()
    client = proxy.client().send_request("POST", "/", [("Expect", "100-continue"), ("Content-Length", 5)])
    assert client.reader.response(interim=False).status == 100
    assert client.send(b"hello").response().status == 200
    assert server.last.body == b"hello"


def test_a_client_may_send_its_body_without_waiting_for_100(start):
    proxy, server = start()
    response = proxy.request("POST", "/", [("Expect", "100-continue")], b"hello")
    assert response.status == 200 and server.last.body == b"hello"


def test_a_server_may_refuse_before_the_body(scripted):
    proxy, _ = scripted([act.head, response_bytes(403, body=b"no"), act.until_end])
    client = proxy.client().send_request("POST", "/", [("Expect", "100-continue"), ("Content-Length", 5)])
    response = client.reader.response(interim=False)
    while response.status == 100:
        response = client.reader.response(interim=False)
    assert (response.status, response.body) == (403, b"no")


def test_a_server_may_answer_while_the_body_is_on_its_way(scripted):
    proxy, _ = scripted([act.head, response_bytes(413, [("Connection", "close")], b"too much"), act.until_end])
    client = proxy.client().send_request("POST", "/", [("Content-Length", 100000)]).send(bytes(1000))
    assert client.response().body == b"too much"


def test_early_hints_pass_at_once(scripted):
    go_on = threading.Event()
    proxy, _ = scripted([act.request, b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
                         act.wait_on(go_on), response_bytes(body=b"later")])
    client = proxy.client().send_request()
    early = client.reader.response(interim=False)
    assert (early.status, early.get("Link")) == (103, "</style.css>; rel=preload")
    go_on.set()
    assert client.response().body == b"later"


def test_an_http_1_0_client_gets_no_interim_response(start):
    proxy, _ = start(lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response_bytes(body=b"x"))
    response = proxy.client().request(version="1.0")
    assert response.status == 200 and response.interim == []


# HTTP/1.0 clients

def test_an_http_1_0_connection_closes_by_default(start):
    proxy, _ = start()
    client = proxy.client()
    assert client.request(version="1.0").body == b"fine"
    client.assert_closed()


def test_an_http_1_0_connection_stays_when_asked(start):
    proxy, _ = start()
    client = proxy.client()
    for _ in range(3):
        response = client.request(version="1.0", fields=[("Connection", "keep-alive")])
        assert response.get("Connection").lower() == "keep-alive"
    client.assert_open()


def test_an_http_1_0_client_never_gets_chunks(start):
    proxy, _ = start(lambda request: build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")], chunked_bytes(b"ab", b"c")))
    client = proxy.client()
    response = client.request(version="1.0", fields=[("Connection", "keep-alive")])
    assert response.body == b"abc" and not response.has("Transfer-Encoding")


def test_an_http_1_0_request_without_host_is_served(start):
    proxy, server = start()
    assert proxy.client().request(version="1.0", host=None).status == 200
    assert len(server.last.all("Host")) == 1


# Targets

def test_absolute_form_overrides_host(start):
    proxy, server = start()
    assert proxy.get("http://real.example:8080/path?q=1", host="other.example").status == 200
    assert server.last.target == "/path?q=1"
    assert server.last.get("Host") == "real.example:8080"


def test_absolute_form_without_a_path_asks_for_the_root(start):
    proxy, server = start()
    assert proxy.get("http://real.example?q=1").status == 200
    assert server.last.target == "/?q=1"


def test_options_of_the_whole_server_pass(start):
    proxy, server = start()
    assert proxy.request("OPTIONS", "*").status in (200, 204)
    if server.requests:
        assert server.last.target == "*"


@pytest.mark.parametrize("target", ["/a%20b/c%C3%A9", "/?a=b&c=%26", "/?", "/a:b@c/!$&'()*+,=", "/~user", "/[x]"])
def test_a_target_passes_as_it_came(start, target):
    proxy, server = start()
    response = proxy.get(target)
    if response.status == 200:
        assert server.last.target == target
    else:       # bytes that no URI has may be refused, never changed
        assert response.status == 400 and "[" in target


# Fields

def test_fields_pass_in_order_with_their_case(start):
    proxy, server = start(lambda request: response_bytes(fields=[
        ("X-Mixed-Case", "A"), ("set-cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Empty", ""), ("X-High", "\xe9\xff")]))
    response = proxy.get(fields=[("X-One", "1"), ("x-two", "2"), ("X-One", "3"), ("X-Empty", ""), ("X-High", "caf\xe9")])
    own = [field for field in server.last.fields if field[0].lower() in ("x-one", "x-two", "x-empty", "x-high")]
    assert own == [("X-One", "1"), ("x-two", "2"), ("X-One", "3"), ("X-Empty", ""), ("X-High", "caf\xe9")]
    assert response.all("Set-Cookie") == ["a=1", "b=2"]
    assert ("X-Mixed-Case", "A") in response.fields and ("X-High", "\xe9\xff") in response.fields
    assert response.all("X-Empty") == [""]


def test_space_around_values_is_no_part_of_them(start):
    proxy, server = start()
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost:a\r\nX-Wide:  \t spaced out \t \r\n\r\n")
    assert client.response().status == 200
    assert server.last.get("X-Wide") == "spaced out"


HOP_BY_HOP = [("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"), ("TE", "trailers, deflate"),
              ("Proxy-Authorization", "Basic eA=="), ("X-Listed", "1"), ("X-Also-Listed", "2")]


def test_hop_by_hop_fields_of_a_request_stay_here(start):
    proxy, server = start()
    proxy.get(fields=[("Connection", "keep-alive, X-Listed"), ("connection", "x-also-listed"), *HOP_BY_HOP, ("X-Kept", "3")])
    names = {name.lower() for name, _ in server.last.fields}
    assert "x-kept" in names
    assert not names & {"keep-alive", "proxy-connection", "x-listed", "x-also-listed"}
    assert "deflate" not in server.last.get("TE", "")


def test_hop_by_hop_fields_of_a_response_stay_here(start):
    proxy, _ = start(lambda request: response_bytes(fields=[
        ("Connection", "X-Listed"), ("X-Listed", "1"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"), ("X-Kept", "3")]))
    response = proxy.get()
    names = {name.lower() for name, _ in response.fields}
    assert "x-kept" in names and not names & {"x-listed", "keep-alive", "proxy-connection"}
    assert "x-listed" not in response.get("Connection", "").lower()


@pytest.mark.parametrize("listed", ["X-Forwarded-For", "X-Real-Ip", "Host", "Content-Length", "X-Forwarded-Proto"])
def test_connection_cannot_remove_what_the_proxy_says(start, listed):
    proxy, server = start()
    assert proxy.request("POST", "/", [("Connection", f"close, {listed}")], b"abc").status in (200, 400)
    if server.requests:
        assert server.last.body == b"abc" and server.last.has(listed)


def test_upgrade_without_connection_is_not_passed(start):
    proxy, server = start()
    assert proxy.get(fields=[("Upgrade", "websocket")]).status == 200
    assert not server.last.has("Upgrade")


def test_date_is_set_when_the_server_gave_none(start):
    proxy, _ = start()
    assert proxy.get().get("Date", "").endswith(" GMT")


def test_date_is_kept_when_the_server_gave_one(start):
    proxy, _ = start(lambda request: response_bytes(fields=[("Date", "Sun, 06 Nov 1994 08:49:37 GMT")]))
    assert proxy.get().all("Date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]


def test_via_is_off_by_default_and_can_be_had(start):
    proxy, server = start()
    assert not proxy.get().has("Via") and not server.last.has("Via")
    proxy, server = start(entryPoints={"web": {"http": {"via": True}}})
    response = proxy.get(fields=[("Via", "1.0 before")])
    assert server.last.get("Via").startswith("1.0 before, 1.1 ")
    assert response.get("Via", "").startswith("1.1 ")


def test_a_large_field_passes(start):
    proxy, server = start()
    value = "v" * 60000
    assert proxy.get(fields=[("X-Large", value)]).status == 200
    assert server.last.get("X-Large") == value


def test_a_large_response_head_passes(start):
    proxy, _ = start(lambda request: response_bytes(fields=[("X-Large", "v" * 60000)]))
    assert len(proxy.get().get("X-Large")) == 60000


def test_an_unknown_method_and_status_pass(start):
    proxy, server = start(lambda request: response_bytes(299, reason="Own Words"))
    response = proxy.request("PROPFIND", "/")
    assert (server.last.method, response.status, response.reason) == ("PROPFIND", 299, "Own Words")


# A real server behind

def test_nginx_behind(portico, nginx):
    proxy = portico(to(nginx.url))
    client = proxy.client()
    assert client.request("GET", "/hello").body == b"hello from nginx\n"
    assert len(client.request("GET", "/large.bin").body) == 8 << 20
    assert client.request("GET", "/page.html", [("Range", "bytes=3-6")]).body == b"from"
    assert client.request("GET", "/gone").status == 410
    assert client.request("GET", "/close").body == b"closed\n"
    assert client.request("PUT", f"/put/{proxy.port}", body=b"w" * 300000).status == 201
    assert client.request("GET", f"/put/{proxy.port}").body == b"w" * 300000
    assert client.request("HEAD", "/large.bin").get("Content-Length") == str(8 << 20)


def test_uvicorn_behind(portico, uvicorn_app):
    client = portico(to(uvicorn_app.url)).client()
    assert client.request("GET", "/items/5?q=x%20y").json() == {"item": 5, "q": "x y"}
    assert client.request("POST", "/upload", body=bytes(1 << 20)).json() == {"size": 1 << 20}
    assert len(client.request("GET", "/download?size=500000&chunked=true").body) == 500000
    assert client.request("GET", "/status/204").status == 204
    assert client.request("HEAD", "/status/200").status == 200
    assert client.request("GET", "/cookies").all("Set-Cookie") == ["a=1; Path=/; SameSite=lax", "b=2; Path=/; SameSite=lax"]
    assert client.request("POST", "/echo", [("Transfer-Encoding", "chunked")], chunked_bytes(b"ab", b"cd")).body == b"abcd"


# The end of a connection

def segments(proxy, connection):
    """How many TCP segments a client gets with a short response, and with the end where that follows; the fewest of some tries."""
    counts = []
    for _ in range(20):
        client = proxy.client()
        client.send(build("GET / HTTP/1.1", [("Host", "a"), ("Connection", connection)]))
        assert client.response().body == b"fine"
        if connection == "close":
            client.assert_closed()
        info = client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        counts.append(struct.unpack_from("=I", info, 140)[0])      # tcpi_segs_in
        client.close()
    return min(counts)


def test_the_last_response_of_a_connection_brings_its_end_along(start):
    proxy, _ = start()
    assert segments(proxy, "close") == segments(proxy, "keep-alive")


@pytest.mark.parametrize("more", [b"\r\n", b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_bytes_behind_the_last_request_cost_nobody_the_response(start, more):
    proxy, _ = start(lambda request: response_bytes(body=b"x" * 30000))
    for _ in range(10):
        client = proxy.client()
        client.send(build("GET / HTTP/1.1", [("Host", "a"), ("Connection", "close")]) + more)
        assert len(client.response().body) == 30000
        client = proxy.client()
        client.send(build("POST / HTTP/1.1", [("Host", "a"), ("Connection", "close"), ("Content-Length", "2")], b"ab"))
        client.send(more)
        assert len(client.response().body) == 30000


def test_a_slow_reader_gets_the_whole_last_response(start):
    size = 12 << 20
    proxy, _ = start(lambda request: response_bytes(body=b"y" * size))
    client = proxy.client()
    client.send(build("GET / HTTP/1.1", [("Host", "a"), ("Connection", "close")]))
    time.sleep(0.5)      # both buffers fill, so the proxy has to wait for room
    assert len(client.response().body) == size
    client.assert_closed()
