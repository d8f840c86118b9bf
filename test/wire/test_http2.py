"""HTTP/2 from clients: curl, nghttp and h2load, and a client of whose frames each is the test's own."""
import collections
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from harness import backend as act
from harness import http2 as h2
from harness.http1 import response_bytes
from harness.http2 import Http2
from harness.portico import to
from harness.waiting import PATIENCE, wait_for

WINDOW = (1 << 31) - 1 - 65535


@pytest.fixture
def connect(stack):
    """connect(proxy) is an HTTP/2 connection by prior knowledge."""
    def start(proxy, *arguments, **more):
        client = Http2(proxy.port, *arguments, **more)
        stack.callback(client.close)
        return client
    return start


def limits(**options):
    return {"web": {"http2": options}}


def timeouts(**options):
    return {"web": {"transport": {"respondingTimeouts": options}}}


def tool(name):
    return shutil.which(name) or pytest.skip(f"no {name} here")


def curl(*arguments, stdin=None):
    run = subprocess.run([tool("curl"), "-sS", "--http2-prior-knowledge", *map(str, arguments)], capture_output=True, timeout=60,
                         input=stdin, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


# ---- what clients of every day see ----

def test_curl_gets_and_posts(portico, whoami):
    proxy = portico(to(whoami().url))
    url = f"http://127.0.0.1:{proxy.port}"
    assert b"GET /path?query HTTP/1.1" in curl(f"{url}/path?query")
    assert b'"bodySize":300000' in curl("--data-binary", "@-", f"{url}/api", stdin=b"x" * 300000)
    assert len(curl(f"{url}/data?size=3000000")) == 3000000
    assert proxy.access()[0]["RequestProtocol"] == "HTTP/2.0"


def test_nghttp_fetches_many_at_once(portico, whoami):
    proxy = portico(to(whoami().url))
    url = f"http://127.0.0.1:{proxy.port}/data?size=100000"
    run = subprocess.run([tool("nghttp"), "-n", "-s", "-m", "20", url], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.count(" 200 ") == 20, run.stdout


@pytest.mark.parametrize("target, options", [("/bench", ["-n", "5000", "-c", "4", "-m", "32"]),
                                             ("/data?size=300000", ["-n", "100", "-c", "2", "-m", "32"]),
                                             ("/bench", ["-n", "500", "-c", "2", "-m", "8", "-d", __file__])])
def test_h2load_has_no_failures(portico, whoami, target, options):
    proxy = portico(to(whoami().url))
    run = subprocess.run([tool("h2load"), *options, f"http://127.0.0.1:{proxy.port}{target}"], capture_output=True, text=True,
                         timeout=120, check=True)
    assert " 0 failed, 0 errored, 0 timeout" in run.stdout, run.stdout


def test_whoami_itself_speaks_it(whoami):
    server = whoami()
    client = Http2(server.port)
    assert b"GET /x HTTP/2.0" in client.request("GET", "/x").body
    client.close()


def test_prior_knowledge_can_be_refused(portico, backend):
    proxy = portico(to(backend().url, entryPoints=limits(h2c=False)))
    client = proxy.client().send(h2.PREFACE)
    assert client.response().status in (400, 505)


# ---- requests ----

def test_a_request_goes_on_as_one_of_http1(portico, backend, connect):
    server = backend()
    answer = connect(portico(to(server.url))).request("POST", "/a%20b?c=d", [
        ("content-type", "text/x"), ("cookie", "a=1"), ("x-one", "1"), ("cookie", "b=2"), ("te", "trailers"), ("cookie", "c=3")],
        body=b"hello", authority="example.org:81")
    got = server.last
    assert answer.status == 200 and answer.body == b"fine"
    assert (got.method, got.target, got.get("Host"), got.body) == ("POST", "/a%20b?c=d", "example.org:81", b"hello")
    assert got.all("Cookie") == ["a=1; b=2; c=3"] and got.get("X-One") == "1" and got.get("TE") == "trailers"
    assert got.get("X-Forwarded-Host") == "example.org:81"
    assert got.chunked and not any(name.startswith(":") for name, _ in got.fields)


def test_a_length_that_was_given_stays_one(portico, backend, connect):
    server = backend()
    connect(portico(to(server.url))).request("POST", "/", [("content-length", "5")], body=b"hello")
    assert server.last.get("Content-Length") == "5" and not server.last.chunked


def test_host_stands_in_for_the_authority(portico, backend, connect):
    server = backend()
    client = connect(portico(to(server.url)))
    assert client.request(authority=None, fields=[("host", "one.example")]).status == 200
    assert server.last.get("Host") == "one.example"
    assert client.request(authority="two.example", fields=[("host", "two.example")]).status == 200
    assert server.last.all("Host") == ["two.example"]
    assert client.request(authority="two.example", fields=[("host", "three.example")]).status == 400


def test_options_of_the_server(portico, backend, connect):
    assert connect(portico(to(backend().url))).request("OPTIONS", "*").status == 200


@pytest.mark.parametrize("status, more", [
    (400, {"target": "/a b"}), (400, {"target": "/a\\b"}), (400, {"target": "/a%2"}), (400, {"target": "/a%zz"}), (400, {"target": "a"}),
    (400, {"target": "http://x/"}), (400, {"target": "*"}), (400, {"target": "/a#b"}),
    (400, {"authority": "a b"}), (400, {"authority": "user@host"}), (400, {"authority": "a:99999"}), (400, {"authority": None}),
    (400, {"scheme": "ftp"}), (417, {"fields": [("expect", "more")]}),
    (400, {"fields": [("content-length", "a")]}), (400, {"fields": [("content-length", "1"), ("content-length", "1")]}),
    (414, {"target": "/" + "a" * 70000}),
    (431, {"fields": [(f"x-{number}", "1") for number in range(300)]}),
    (431, {"fields": [(f"x-{number}", "a" * 60000) for number in range(2)]}),
])
def test_what_http1_refuses_gets_the_same_answer(portico, backend, connect, status, more):
    server = backend()
    proxy = portico(to(server.url, entryPoints={"web": {"http": {"maxHeaderBytes": 100000}}}))
    client = connect(proxy)
    stream, client.next_stream = client.next_stream, client.next_stream + 2
    client.answers[stream] = h2.Answer()
    block = client.block(client.head(**{"target": "/", **more}))
    pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
    client.frame(h2.HEADERS, h2.END_STREAM | (h2.END_HEADERS if len(pieces) == 1 else 0), stream, pieces[0])
    for number, piece in enumerate(pieces[1:]):
        client.frame(h2.CONTINUATION, h2.END_HEADERS if number == len(pieces) - 2 else 0, stream, piece)
    assert client.answer(stream).status == status
    assert not server.requests and client.request().status == 200


def test_connect_is_not_served(portico, backend, connect):
    client = connect(portico(to(backend().url)))
    assert client.request("CONNECT", None, scheme=None, authority="host:443").status == 501
    stream = client.open([(":method", "CONNECT"), (":protocol", "connect-udp"), (":scheme", "http"), (":path", "/"), (":authority", "a")])
    assert client.answer(stream).status == 501
    assert client.answer(client.open([(":method", "CONNECT"), (":authority", "a"), (":path", "/")])).status == 501


def test_request_trailers_pass(portico, backend, connect):
    server = backend()
    client = connect(portico(to(server.url)))
    stream = client.open(client.head("POST"), end=False)
    client.data(stream, b"body").trailers(stream, [("x-sum", "7"), ("content-length", "9"), ("x-forwarded-tls-client-cert", "forged")])
    assert client.answer(stream).status == 200
    assert server.last.body == b"body" and server.last.trailers == [("x-sum", "7")]


def test_a_client_is_told_to_continue(portico, backend, connect):
    server = backend()
    client = connect(portico(to(server.url)))
    stream = client.open(client.head("POST", "/", [("expect", "100-continue")]), end=False)
    client.read_until("100", lambda: client.answers[stream].interim)
    assert client.answers[stream].interim == [(100, [])]
    client.data(stream, b"body", True)
    assert client.answer(stream).status == 200 and server.last.body == b"body"


# ---- responses ----

@pytest.mark.parametrize("method, response, status, length, body", [
    ("GET", response_bytes(body=b"abc"), 200, "3", b"abc"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, "3", b""),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, None, b""),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304, None, b""),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "0", b""),
    ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, None, b"abc"),
])
def test_responses_of_every_framing(portico, backend, connect, method, response, status, length, body):
    answer = connect(portico(to(backend(lambda request: response).url))).request(method)
    assert (answer.status, answer.get("content-length"), answer.body) == (status, length, body)
    assert answer.ended and answer.has("date")
    assert body or answer.frames == [h2.HEADERS], "END_STREAM goes with the head"


def test_fields_of_one_connection_do_not_pass(portico, backend, connect):
    response = (b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-Upper-Case: Yes\r\n"
                b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n")
    answer = connect(portico(to(backend(lambda request: response).url))).request()
    assert answer.get("x-upper-case") == "Yes" and not answer.has("x-hop") and answer.has("x-request-id")
    assert [value for name, value in answer.fields if name == "set-cookie"] == ["a=1", "b=2"]


def test_early_hints_pass(portico, backend, connect):
    response = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + response_bytes(body=b"late")
    answer = connect(portico(to(backend(lambda request: response).url))).request()
    assert answer.interim == [(103, [("link", "</a.css>")])] and answer.body == b"late"


def test_response_trailers_pass(portico, backend, connect):
    response = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
    answer = connect(portico(to(backend(lambda request: response).url))).request(fields=[("te", "trailers")])
    assert answer.body == b"abc" and answer.trailers == [("x-sum", "7")]


def test_a_head_that_needs_continuations(portico, backend, connect):
    fields = [(f"X-{number}", str(number % 10) * 4000) for number in range(12)]
    answer = connect(portico(to(backend(lambda request: response_bytes(fields=fields, body=b"abc")).url))).request()
    assert answer.body == b"abc" and all(answer.get(name.lower()) == value for name, value in fields)


def test_an_early_response_ends_the_request_without_an_error(portico, connect):
    client = connect(portico(to("http://127.0.0.1:1", rule="Path(`/never`)")))
    stream = client.open(client.head("POST"), end=False)
    answer = client.answer(stream)
    assert answer.status == 404 and answer.ended
    client.read_until("the reset", lambda: answer.reset is not None)
    assert answer.reset == h2.NO_ERROR
    client.data(stream, b"late")      # on its way when the reset came
    assert client.request().status == 404


def test_a_server_that_breaks_off_resets_the_stream(portico, raw_server, connect):
    server = raw_server([act.request, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", act.close])
    client = connect(portico(to(server.url)))
    answer = client.answer(client.ask())
    assert answer.status == 200 and answer.reset == h2.INTERNAL_ERROR


def test_a_client_that_resets_is_gone_for_the_server_too(portico, raw_server, connect):
    server = raw_server([act.request, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", act.until_end], [act.request, response_bytes()])
    proxy = portico(to(server.url))
    client = connect(proxy)
    stream = client.ask(target="/cut")
    client.read_until("some of it", lambda: client.answers[stream].body)
    client.reset(stream)
    server.wait_until_played(1)
    assert proxy.access(where=lambda line: line["RequestPath"] == "/cut")[0]["reason"] == "client_aborted"
    assert client.request().status == 200


# ---- bodies and windows ----

def test_large_bodies_both_ways(portico, backend, connect):
    body = os.urandom(3 << 20)
    server = backend(lambda request: response_bytes(body=request.body))
    proxy = portico(to(server.url))
    url = f"http://127.0.0.1:{proxy.port}/"
    assert curl("--data-binary", "@-", url, stdin=body) == body


def test_windows_are_granted_as_bytes_are_taken(portico, raw_server, connect):
    """An upload whose server does not read stops at the windows' size; it goes on when the server does."""
    go_on = threading.Event()
    size = 32 << 20
    server = raw_server([act.head, act.wait_on(go_on), act.take(size), response_bytes(body=b"all")])
    proxy = portico(to(server.url, entryPoints=limits(streamWindow=65535, connectionWindow=65535)))
    client = connect(proxy)
    before = proxy.process.rss_kib()
    stream = client.open(client.head("POST", "/", [("content-length", str(size))]), end=False)
    window = {"stream": 65535, "connection": 65535}
    sent = 0

    def push():
        nonlocal sent
        room = min(window.values(), default=0)
        room = min(room, size - sent, 16384)
        if room > 0:
            client.frame(h2.DATA, h2.END_STREAM if sent + room == size else 0, stream, b"x" * room)
            sent += room
            window["stream"] -= room
            window["connection"] -= room
        return room > 0

    def step(seconds):
        while push():
            pass
        client.socket.settimeout(seconds)
        try:
            got = client.next()
        except TimeoutError:
            return False
        finally:
            client.socket.settimeout(20)
        if got.kind == h2.WINDOW_UPDATE:
            window["stream" if got.stream else "connection"] += struct.unpack(">I", got.payload)[0]
        return True
    while step(0.5):
        pass
    assert sent < size, "the whole body went in although nobody read it"
    assert proxy.process.rss_kib() - before < 4096 or "san/" in os.environ.get("PORTICO", "")
    go_on.set()
    while not client.answers[stream].done:
        assert step(20)
    assert client.answers[stream].body == b"all" and sent == size


def test_a_slow_reader_holds_the_server_back(portico, raw_server, connect):
    """A download of which the client takes nothing stays mostly where it comes from."""
    stopped = threading.Event()
    size = 64 << 20
    taken = [0]

    def produce(play):
        play.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        play.connection.settimeout(1)
        try:
            while taken[0] < size:
                taken[0] += play.connection.send(b"x" * 65536)
        except TimeoutError:
            pass
        stopped.set()
        play.connection.settimeout(20)
        act.until_end(play)
    proxy = portico(to(raw_server([act.request, produce]).url))
    client = connect(proxy, grant=False)
    before = proxy.process.rss_kib()
    stream = client.ask()
    assert stopped.wait(20)
    client.read_until("a window full", lambda: len(client.answers[stream].body) == 65535)
    assert taken[0] < size // 2 and (proxy.process.rss_kib() - before < 4096 or "san/" in os.environ.get("PORTICO", ""))


def test_a_stream_without_room_does_not_hold_up_others(portico, whoami, connect):
    client = connect(portico(to(whoami().url)), grant=False, window=10)
    client.open_window(0, WINDOW)
    stuck = client.ask(target="/data?size=100000")
    client.read_until("ten bytes", lambda: len(client.answers[stuck].body) == 10)
    other = client.ask(target="/data?size=9")
    assert len(client.answer(other).body) == 9
    client.open_window(stuck, 200000)
    assert len(client.answer(stuck).body) == 100000


def test_a_thousand_streams_at_once(portico, whoami, connect):
    proxy = portico(to(whoami().url, entryPoints=limits(maxConcurrentStreams=1000, maxRunningRequests=1000)))
    client = connect(proxy)
    streams = [client.ask(target=f"/?wait=100ms&number={number}") for number in range(1000)]
    for number, stream in enumerate(streams):
        answer = client.answer(stream)
        assert answer.status == 200 and f"number={number} ".encode() in answer.body


def test_urgent_streams_go_first_and_incremental_ones_take_turns(whoami):
    """Asked of whoami itself, whose bodies are there at once: all wait when room is made."""
    client = Http2(whoami().port, grant=False, window=1 << 20)
    client.answer(client.ask(target="/data?size=65535"))      # the connection's window is used up

    def ask(priority):
        return client.ask(target="/data?size=60000", fields=[("priority", priority)])
    low, high, one, two = streams = ask("u=6"), ask("u=1"), ask("u=3, i"), ask("u=3, i")
    client.round_trip()
    order = []
    client.open_window(0, WINDOW // 2)
    while not all(client.answers[stream].done for stream in streams):
        got = client.next()
        if got.kind == h2.DATA:
            order.append(got.stream)
    assert order[:order.count(high)] == [high] * order.count(high) and order[-order.count(low):] == [low] * order.count(low), order
    between = [stream for stream in order if stream in (one, two)]
    assert between[:4] in ([one, two, one, two], [two, one, two, one]), order
    client.close()


def test_a_priority_update_moves_a_stream(whoami):
    client = Http2(whoami().port, grant=False, window=1 << 20)
    client.answer(client.ask(target="/data?size=65535"))
    first, second = client.ask(target="/data?size=60000"), client.ask(target="/data?size=60000")
    client.frame(h2.PRIORITY_UPDATE, 0, 0, struct.pack(">I", second) + b"u=0")
    client.round_trip().open_window(0, WINDOW // 2)
    client.answer(second)
    assert not client.answers[first].body
    assert len(client.answer(first).body) == 60000
    client.close()


# ---- WebSocket (RFC 8441) ----

def open_socket(client, target="/ws", fields=()):
    return client.open([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", target),
                        (":authority", "localhost"), ("sec-websocket-version", "13"), *fields], end=False)


def masked(payload, opcode=1):
    assert len(payload) < 126
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload


def test_a_websocket_over_a_stream(portico, whoami, connect):
    client = connect(portico(to(whoami().url)))
    client.round_trip()
    assert client.settings[h2.ENABLE_CONNECT_PROTOCOL] == 1
    stream = open_socket(client)
    answer = client.answers[stream]
    client.read_until("the answer", lambda: answer.status)
    assert answer.status == 200 and not answer.has("sec-websocket-accept") and not answer.has("content-length")
    client.data(stream, masked(b"hello"))
    client.read_until("the echo", lambda: answer.body)
    assert answer.body == b"\x81\x05hello"
    client.data(stream, masked(struct.pack(">H", 1000), 8), True)
    assert client.answer(stream).ended and answer.body.endswith(struct.pack(">H", 1000))


def test_node_echoes_over_a_stream(portico, node_ws, connect):
    client = connect(portico(to(node_ws.url)))
    stream = open_socket(client, "/", [("sec-websocket-protocol", "chat")])
    answer = client.answers[stream]
    client.read_until("the answer", lambda: answer.status)
    assert answer.status == 200
    for number in range(20):
        client.data(stream, masked(b"%d" % number))
        client.read_until("an echo", lambda: answer.body.endswith(b"%d" % number))
    client.data(stream, masked(struct.pack(">H", 1000), 8))
    client.read_until("the close", lambda: answer.done)


@pytest.mark.parametrize("response, status", [(response_bytes(403, body=b"no"), 403), (response_bytes(body=b"what?"), 502)])
def test_a_server_that_does_not_upgrade(portico, backend, connect, response, status):
    server = backend(lambda request: response)
    proxy = portico(to(server.url))
    client = connect(proxy)
    stream = open_socket(client)
    answer = client.answer(stream)
    assert answer.status == status
    line = proxy.access()[0]
    assert line["DownstreamStatus"] == status and line["OriginStatus"] == int(response.split()[1])
    assert server.last.get("Upgrade") == "websocket" and len(server.last.get("Sec-WebSocket-Key")) == 24


# ---- abuse ----

def doomed(client, proxy):
    """The connection ends with ENHANCE_YOUR_CALM, the log tells who and why, and the process goes on."""
    assert client.read_to_end() == h2.ENHANCE_YOUR_CALM
    proxy.wait_until("the reason in the log", lambda: "a connection was broken off" in proxy.log and "reason=h2_" in proxy.log)
    again = Http2(proxy.port)
    assert again.request().status == 200
    again.close()


def attack(client, data, times):
    """As much as the peer takes."""
    try:
        for _ in range(times):
            client.socket.sendall(data)
    except OSError:
        pass


def test_rapid_reset_ends_the_connection(portico, backend, connect):
    server = backend(lambda request: [0.2, response_bytes(body=b"fine")])
    proxy = portico(to(server.url, entryPoints=limits(resetBurst=50, resetRate=1)))
    client = connect(proxy)
    block = client.block(client.head())
    pairs = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, block) +
                     h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL)) for stream in range(1, 4000, 2))
    attack(client, pairs, 1)
    doomed(client, proxy)
    assert len(server.requests) < 60


def test_running_requests_say_why_the_connection_ended(portico, backend, connect):
    release = threading.Event()
    server = backend(lambda request: release.wait(20) and response_bytes())
    proxy = portico(to(server.url, entryPoints=limits(resetBurst=5, resetRate=1)))
    client = connect(proxy)
    client.ask(target="/victim")
    wait_for("the request", lambda: server.requests)
    for _ in range(20):
        client.reset(client.ask(target="/reset"))
    assert client.read_to_end() == h2.ENHANCE_YOUR_CALM
    release.set()
    assert proxy.access(where=lambda line: line["RequestPath"] == "/victim")[0]["reason"] == "h2_rapid_reset"


@pytest.mark.parametrize("provoke", [
    lambda stream: h2.frame(h2.WINDOW_UPDATE, 0, stream, struct.pack(">I", 0)),
    lambda stream: h2.frame(h2.WINDOW_UPDATE, 0, stream, struct.pack(">I", (1 << 31) - 1)),
    lambda stream: h2.frame(h2.DATA, 0, stream, b"more than was announced"),
    lambda stream: h2.frame(h2.HEADERS, h2.END_HEADERS, stream, b"\0\1a\1b"),
    lambda stream: h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, b"\0\1A\1b"),
], ids=["empty window", "window overflow", "too long", "trailers that do not end", "malformed trailers"])
def test_resets_that_a_client_provokes_count(portico, backend, connect, provoke):
    """Made you reset: the same as rapid reset, but that the server resets."""
    server = backend(lambda request: [0.2, response_bytes(body=b"fine")], cut=True)
    proxy = portico(to(server.url, entryPoints=limits(resetBurst=50, resetRate=1)))
    client = connect(proxy)
    block = client.block(client.head("POST", "/", [("content-length", "1")]))
    attack(client, b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, block) + provoke(stream) for stream in range(1, 2000, 2)), 1)
    code = client.read_to_end()
    assert code in (h2.ENHANCE_YOUR_CALM, h2.PROTOCOL_ERROR)
    assert len(server.requests) < 60


def test_requests_that_have_not_ended_are_bounded(portico, backend, connect):
    release = threading.Event()
    server = backend(lambda request: release.wait(20) and response_bytes())
    proxy = portico(to(server.url, entryPoints=limits(maxRunningRequests=10)))
    client = connect(proxy)
    streams = [client.ask() for _ in range(30)]
    client.read_until("refusals", lambda: sum(client.answers[stream].reset == h2.REFUSED_STREAM for stream in streams) == 20)
    release.set()
    assert collections.Counter(client.answer(stream).status for stream in streams) == {0: 20, 200: 10}


FLOODS = {
    "ping": h2.frame(h2.PING, 0, 0, b"12345678"),
    "settings": h2.frame(h2.SETTINGS, 0, 0, h2.settings(initial_window_size=65535)),
    "priority": h2.frame(h2.PRIORITY, 0, 1, struct.pack(">IB", 0, 1)),
    "priority update": h2.frame(h2.PRIORITY_UPDATE, 0, 0, struct.pack(">I", 1) + b"u=1"),
    "window update": h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
    "unknown": h2.frame(0x55, 0, 0, b"what"),
    "empty data": h2.frame(h2.DATA, 0, 1),
    "padding": h2.frame(h2.DATA, h2.PADDED, 1, b"\x05\0\0\0\0\0"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_of_frames_that_carry_nothing(portico, backend, connect, name):
    proxy = portico(to(backend(cut=True).url, entryPoints=limits(controlBurst=200, controlRate=10)))
    client = connect(proxy)
    client.open(client.head("POST"), end=False)
    attack(client, FLOODS[name] * 100, 100)
    doomed(client, proxy)


def test_settings_with_many_entries(portico, backend, connect):
    proxy = portico(to(backend().url))
    client = connect(proxy)
    attack(client, h2.frame(h2.SETTINGS, 0, 0, h2.settings(initial_window_size=65535) * 100), 1)
    doomed(client, proxy)


def test_continuations_without_end(portico, backend, connect):
    proxy = portico(to(backend().url))
    client = connect(proxy)
    client.frame(h2.HEADERS, 0, 1, client.block(client.head()))
    attack(client, h2.frame(h2.CONTINUATION, 0, 1, client.block([("x-a", "b")])) * 100, 100)
    doomed(client, proxy)


def test_a_header_bomb(portico, backend, connect):
    """A field of 3,900 bytes put into the table once and then named by a byte each: 60 MB out of 16 KB."""
    proxy = portico(to(backend().url))
    client = connect(proxy)
    block = client.block(client.head() + [("x-bomb", "a" * 3900)])
    # 62: the first of the dynamic table.
    attack(client, h2.frame(h2.HEADERS, 0, 1, block) + h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, b"\xbe" * 16000), 1)
    doomed(client, proxy)


def test_heads_of_one_connection_are_bounded_together(portico, backend, connect):
    """A few bytes that name what is in HPACK's table make a head of 900 KB, and each is held until its response has gone."""
    held = threading.Event()
    server = backend(lambda request: held.wait(PATIENCE) and response_bytes())
    client = connect(portico(to(server.url)))
    fields = [("x-large", "y" * 3700)] * 240
    streams = [client.ask(fields=fields) for _ in range(12)]
    assert all(client.answer(stream).reset == h2.REFUSED_STREAM for stream in streams[4:])
    held.set()
    assert all(client.answer(stream).status == 200 for stream in streams[:4])
    assert client.request(fields=fields).status == 200, "the room is there again"


def test_a_client_that_grants_no_room_is_cut_off(portico, whoami, connect):
    proxy = portico(to(whoami().url, entryPoints=timeouts(writeTimeout="1s")))
    client = connect(proxy, window=0, grant=False)
    client.ask(target="/data?size=100000")
    client.read_to_end()
    assert proxy.access()[0]["reason"] == "h2_stalled"


def test_a_client_that_never_reads_is_cut_off_where_writing_has_no_limit(portico, whoami, connect):
    """Its streams end by the minimum rate; then nobody waits for what it does not take."""
    proxy = portico(to(whoami().url, entryPoints=timeouts(writeTimeout="0s", idleTimeout="1s", minimumRate="64MiB",
                                                          minimumRateGrace="1s")))
    before = proxy.process.open_files()
    client = connect(proxy, window=WINDOW, receive_buffer=4096)
    client.send(h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW)))
    client.ask(target="/data?size=1000000000")
    assert proxy.access()[0]["reason"] in ("client_too_slow", "h2_stalled")
    proxy.wait_until("the connection to be closed", lambda: proxy.process.open_files() <= before)


def test_a_head_that_never_ends_is_cut_off(portico, backend, connect):
    proxy = portico(to(backend().url, entryPoints=timeouts(readTimeout="1s")))
    client = connect(proxy)
    client.frame(h2.HEADERS, 0, 1, client.block(client.head()))
    client.read_to_end()
    assert client.goaways


def test_an_idle_connection_is_ended_with_a_goaway(portico, backend, connect):
    client = connect(portico(to(backend().url, entryPoints=timeouts(idleTimeout="2s"))))
    assert client.request().status == 200
    assert client.read_to_end() == h2.NO_ERROR and client.goaways[-1].last_stream == 1


BROKEN = {
    "a stream of the server's": h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 2, b"\x82\x86\x84"),
    "data on no stream": h2.frame(h2.DATA, 0, 0, b"a"),
    "data on an idle stream": h2.frame(h2.DATA, 0, 5, b"a"),
    "a push": h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, b"\0\0\0\2\x82\x86\x84"),
    "no more of a push than its frame's head": h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, b"\0\0\0\2")[:9],
    "a continuation out of place": h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, b"\x82"),
    "a frame too large": h2.frame(h2.DATA, 0, 1, b"a" * 16385),
    "a ping of seven bytes": h2.frame(h2.PING, 0, 0, b"1234567"),
    "broken HPACK": h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, b"\xff\xff\xff\xff\xff"),
    "a window beyond its bounds": h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", (1 << 31) - 1)),
    "a window update of nothing": h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)),
    "a settings ack that nobody waits for": h2.frame(h2.SETTINGS, h2.ACK) * 2,
    "a settings ack with bytes": h2.frame(h2.SETTINGS, h2.ACK, 0, b"123456"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_connection_gets_a_goaway(portico, backend, connect, name):
    proxy = portico(to(backend().url))
    client = connect(proxy)
    client.round_trip()
    attack(client, BROKEN[name], 1)
    assert client.read_to_end() not in (None, h2.NO_ERROR)
    assert proxy.get().status == 200


@pytest.mark.parametrize("data", [b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", h2.PREFACE + b"GET / HTTP/1.1\r\n\r\n", h2.PREFACE[:20]])
def test_a_broken_preface_ends_the_connection(portico, backend, connect, data):
    proxy = portico(to(backend().url))
    client = connect(proxy, begin=False)
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)
    while client.next() is not None:
        pass
    assert proxy.get().status == 200


# ---- the end ----

def test_sigterm_finishes_what_runs_and_loses_nothing(portico, backend, connect):
    release = threading.Event()
    server = backend(lambda request: (request.target == "/late" or release.wait(20)) and response_bytes(body=request.target.encode()))
    proxy = portico(to(server.url, entryPoints={"web": {"transport": {"lifeCycle": {"graceTimeOut": "20s"}}}}))
    client = connect(proxy)
    running = client.ask(target="/running")
    wait_for("the request", lambda: server.requests)
    proxy.process.signal(signal.SIGTERM)
    client.read_until("the notice", lambda: client.goaways)
    assert client.goaways[0].last_stream == (1 << 31) - 1 and client.goaways[0].code == h2.NO_ERROR
    release.set()
    assert client.answer(running).body == b"/running"
    assert client.read_to_end() == h2.NO_ERROR and client.goaways[-1].last_stream == running
    assert proxy.process.wait() == 0


def test_a_request_that_crosses_the_notice_is_served(portico, backend, connect):
    """The client has not yet seen the first GOAWAY when it asks: the second one counts its request in."""
    proxy = portico(to(backend().url, entryPoints={"web": {"transport": {"lifeCycle": {"graceTimeOut": "20s"}}}}))
    client = connect(proxy).round_trip()
    proxy.process.signal(signal.SIGTERM)
    # Nothing is read, so the PING behind the notice is not answered before the request is there.
    wait_for("the notice", lambda: len(client.socket.recv(1 << 16, socket.MSG_PEEK)) > 9)
    crossing = client.ask(target="/crossing")
    assert client.answer(crossing).status == 200
    assert client.read_to_end() == h2.NO_ERROR and client.goaways[-1].last_stream == crossing
    assert proxy.process.wait() == 0


def test_a_connection_ends_after_so_many_requests(portico, backend, connect):
    proxy = portico(to(backend().url, entryPoints={"web": {"transport": {"keepAliveMaxRequests": 3}}}))
    client = connect(proxy)
    assert [client.request().status for _ in range(3)] == [200] * 3
    assert client.read_to_end() == h2.NO_ERROR


def test_a_connection_that_has_served_enough_may_say_so_at_once(portico, backend, connect):
    entry = {"web": {"http2": {"goAwayAtOnce": True}, "transport": {"keepAliveMaxRequests": 3}}}
    client = connect(portico(to(backend().url, entryPoints=entry)))
    assert [client.request().status for _ in range(3)] == [200] * 3
    assert client.read_to_end() == h2.NO_ERROR and [frame.last_stream for frame in client.goaways] == [5]


def test_an_aged_connection_that_says_so_at_once_serves_one_more(portico, backend, connect):
    entry = {"web": {"http2": {"goAwayAtOnce": True}, "transport": {"keepAliveMaxTime": "200ms"}}}
    client = connect(portico(to(backend().url, entryPoints=entry)))
    assert client.request().status == 200
    time.sleep(0.5)
    assert not client.goaways and client.request().status == 200
    assert client.read_to_end() == h2.NO_ERROR and [frame.last_stream for frame in client.goaways] == [3]


def test_a_connection_ends_at_its_age(portico, backend, connect):
    proxy = portico(to(backend().url, entryPoints={"web": {"transport": {"keepAliveMaxTime": "1s"}}}))
    client = connect(proxy)
    assert client.request().status == 200
    assert client.read_to_end() == h2.NO_ERROR


def test_a_reload_leaves_streams_alone(portico, backend, connect):
    release = threading.Event()
    server = backend(lambda request: (request.target != "/long" or release.wait(20)) and response_bytes(body=b"done"))
    proxy = portico(to(server.url))
    client = connect(proxy)
    stream = client.ask(target="/long")
    wait_for("the request", lambda: server.requests)
    proxy.write(to(server.url, middlewares={"header": {"headers": {"customResponseHeaders": {"X-New": "yes"}}}}))
    proxy.process.signal(signal.SIGHUP)
    wait_for("the new configuration", lambda: client.request().get("x-new"))
    release.set()
    assert client.answer(stream).body == b"done"
