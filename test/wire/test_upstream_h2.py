"""HTTP/2 to servers (h2c): requests share a connection, and what a server may do to it."""
import threading

import h2.settings
import pytest

from harness.http2_backend import Answer, Http2Backend
from harness.portico import to
from harness.waiting import wait_for

MORE = [("x-many", "one"), ("x-many", "two")]


@pytest.fixture
def server(stack):
    def start(*arguments, **more):
        server = Http2Backend(*arguments, **more)
        stack.callback(server.stop)
        return server
    return start


def ask_at_once(proxy, count, target="/", **more):
    """`count` requests side by side; their responses."""
    results = [None] * count

    def ask(index):
        results[index] = proxy.get(f"{target}{index}", **more)
    threads = [threading.Thread(target=ask, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in results
    return results


def test_a_request_and_its_response_pass_whole(portico, server):
    backend = server(lambda request: Answer(201, [("x-a", "b"), *MORE], b"made"))
    response = portico(to(backend.url)).request("PUT", "/path?query", [("X-Own", "Value"), ("Cookie", "a=1; b=2")], b"body")
    assert (response.status, response.body, response.get("X-A")) == (201, b"made", "b")
    assert response.get("Content-Length") == "4"
    assert [value for name, value in response.fields if name.lower() == "x-many"] == ["one", "two"]
    request = backend.last
    assert (request.get(":method"), request.path, request.get(":scheme"), request.body) == ("PUT", "/path?query", "http", b"body")
    assert request.get("x-own") == "Value" and request.get("cookie") == "a=1; b=2" and request.get("content-length") == "4"
    assert request.get("x-forwarded-for") == "127.0.0.1" and request.get(":authority") == request.get("x-forwarded-host")
    assert not {"host", "connection", "transfer-encoding", "upgrade"} & {name for name, _ in request.headers}


def test_bodies_of_any_length_pass_both_ways(portico, server):
    backend = server(lambda request: Answer(body=request.body, length=False))
    client = portico(to(backend.url)).client()
    for size in (0, 1, 16384, 65535, 65536, 3000001):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert client.request("POST", "/", body=body).body == body
    assert backend.accepted == 1


def test_requests_share_one_connection(portico, server):
    backend = server(lambda request: Answer(body=request.path.encode()), together=50)
    proxy = portico(to(backend.url), "--workers", "1")
    responses = ask_at_once(proxy, 50)
    assert [response.body for response in responses] == [b"/%d" % index for index in range(50)]
    assert backend.accepted == 1


def test_more_than_a_server_allows_get_further_connections(portico, server):
    backend = server(settings={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 5}, together=1)
    proxy = portico(to(backend.url), "--workers", "1")
    assert proxy.get("/first").status == 200
    backend.together = 12
    assert all(response.status == 200 for response in ask_at_once(proxy, 12))
    assert 2 <= backend.accepted <= 12


def test_head_and_no_content_have_no_body(portico, server):
    backend = server(lambda request: Answer(204, body=b"") if request.path == "/none" else Answer(fields=[("content-length", "7")], body=b""))
    client = portico(to(backend.url)).client()
    response = client.request("HEAD", "/")
    assert (response.status, response.get("Content-Length"), response.body) == (200, "7", b"")
    assert client.request("GET", "/none").status == 204
    assert client.request("HEAD", "/").status == 200


def test_interim_responses_and_trailers_pass(portico, server):
    backend = server(lambda request: Answer(interim=[(103, [("link", "</a>")])], trailers=[("x-sum", "12")]))
    client = portico(to(backend.url)).client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
    response = client.response()
    assert response.status == 200 and response.body == b"fine"
    assert [interim.status for interim in response.interim] == [103]
    assert dict(response.trailers)["x-sum"] == "12"
    assert backend.last.get("te") == "trailers"


def test_trailers_of_a_server_do_not_forge_what_belongs_into_heads(portico, server):
    backend = server(lambda request: Answer(trailers=[("content-length", "4"), ("set-cookie", "a=b"), ("x-sum", "12")]))
    response = portico(to(backend.url)).request(fields=[("TE", "trailers"), ("Connection", "TE")])
    assert response.status == 200 and response.trailers == [("x-sum", "12")]


def test_a_reset_before_the_head_is_a_502_that_says_so(portico, server):
    backend = server(lambda request: lambda link: link.act(lambda h2: h2.reset_stream(request.stream, 11)))
    proxy = portico(to(backend.url))
    assert proxy.request("POST", "/", body=b"x").status == 502
    line = proxy.access()[0]
    assert line["reason"] == "upstream_reset" and "ENHANCE_YOUR_CALM" in line["reasonDetail"]


def test_a_refused_stream_is_tried_again_even_with_post(portico, server):
    def answer(request):
        if len(backend.requests) == 1:
            return lambda link: link.act(lambda h2: h2.reset_stream(request.stream, 7))
        return Answer(body=request.body)
    backend = server(answer)
    response = portico(to(backend.url), "--workers", "1").request("POST", "/", body=b"")
    assert response.status == 200 and len(backend.requests) == 2


def test_goaway_lets_running_requests_end_and_sends_others_elsewhere(portico, server):
    gate = threading.Event()

    def answer(request):
        if request.path == "/slow":
            def later(link):
                link.say_goodbye(request.stream)
                threading.Thread(target=lambda: (gate.wait(), link.socket.sendall(slow))).start()
            return later
        return Answer(body=b"other")
    # python3-h2 sends nothing after GOAWAY, so the response is spelt out: HEADERS (:status 200) and DATA of stream 1
    slow = bytes([0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]) + bytes([0, 0, 4, 0, 1, 0, 0, 0, 1]) + b"slow"
    backend = server(answer)
    proxy = portico(to(backend.url), "--workers", "1")
    client = proxy.client()
    client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the slow request", lambda: backend.requests)
    assert proxy.wait_for_answer(lambda response: response.body == b"other")
    assert backend.accepted == 2
    gate.set()
    assert client.response().body == b"slow"


def test_a_connection_that_dies_while_idle_is_replaced(portico, server):
    backend = server()
    proxy = portico(to(backend.url), "--workers", "1")
    for _ in range(3):
        assert proxy.request("POST", "/", body=b"x").status == 200
        backend.close_connections()
    assert backend.accepted >= 3


def test_a_server_that_takes_no_body_holds_the_client_up(portico, server):
    backend = server(reads=lambda request: False)
    client = portico(to(backend.url)).client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")
    client.socket.settimeout(1)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 50000000:
            sent += client.socket.send(b"x" * 65536)
    assert sent < 20000000
    client.reset()


def test_a_client_that_takes_no_body_holds_the_server_up(portico, server):
    backend = server(lambda request: Answer(body=b"x" * 50000000 if request.path == "/" and request.get(":method") == "GET" else b""))
    proxy = portico(to(backend.url), "--workers", "1")
    client = proxy.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the first bytes", lambda: backend.sent > 0)
    last = -1
    while backend.sent != last:
        last = backend.sent
        threading.Event().wait(0.3)
    assert last < 20000000
    # other requests are not held up by it
    assert proxy.request("HEAD").status == 200 and backend.accepted == 1
    taken = 0
    while taken < 50000000:
        taken += len(client.socket.recv(1 << 20))


def test_a_client_that_leaves_resets_the_stream(portico, server):
    backend = server(lambda request: None)
    client = portico(to(backend.url)).client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the request", lambda: backend.requests)
    client.close()
    assert wait_for("its reset", lambda: backend.last.reset is not None and [backend.last.reset]) == [8]


def test_a_server_that_floods_is_left(portico, server):
    def flood(link):
        try:
            for _ in range(10000):
                link.act(lambda h2: h2.ping(b"12345678"))
        except OSError:
            pass
    backend = server(lambda request: flood if request.path == "/flood" else Answer())
    proxy = portico(to(backend.url))
    assert proxy.get("/flood").status == 502
    assert proxy.access()[0]["reason"] == "upstream_bad_response"
    assert proxy.get("/").status == 200


def test_a_head_that_is_too_large_is_refused(portico, server):
    backend = server(lambda request: Answer(fields=[(f"x-{n}", "y" * 1000) for n in range(60)]))
    proxy = portico(to(backend.url, serversTransport={"maxResponseHeaderBytes": 20000}))
    assert proxy.get("/").status == 502
    assert proxy.access()[0]["reason"] == "upstream_head_too_large"


def test_a_server_that_stays_silent_is_asked_for_a_sign_of_life(portico, stack, raw_server):
    def silent(play):
        play.connection.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))       # SETTINGS, and never another word
        while data := play.connection.recv(65536):
            play.received += data
    mute = raw_server([silent])
    url = f"h2c://{mute.address}"
    proxy = portico(to(url, serversTransport={"forwardingTimeouts": {"readIdleTimeout": "200ms", "pingTimeout": "200ms"}}))
    assert proxy.request("POST", "/", body=b"x").status == 504
    assert bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) in mute.played[0].received


def test_a_websocket_needs_extended_connect(portico, server):
    backend = server()
    response = portico(to(backend.url)).get("/", [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                                                  ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert response.status == 502
    assert backend.requests == []


def test_a_websocket_becomes_extended_connect(portico, server):
    def accept(request):
        if request.get(":method") != "CONNECT":
            return
        request.link.act(lambda h2: h2.send_headers(request.stream, [(":status", "200")]))

    def echo(request):
        # what the client masked comes back unmasked, as a server's frame
        data = bytes(request.body)
        request.body = b""
        if not data:
            return True
        length, mask = data[1] & 127, data[2:6]
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data[6:6 + length]))
        request.link.act(lambda h2: h2.send_data(request.stream, bytes([data[0], length]) + text))
        return True
    backend = server(lambda request: lambda link: link.act(lambda h2: h2.end_stream(request.stream)), at_head=accept, reads=echo, settings={h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
    socket = portico(to(backend.url)).websocket("/ws")
    request = backend.last
    assert request.get(":protocol") == "websocket" and request.path == "/ws" and request.get("sec-websocket-version") == "13"
    assert request.get("sec-websocket-key") is None
    socket.send("hello")
    assert socket.receive()[1] == b"hello"


def test_an_upgrade_to_what_is_not_to_be_had_is_passed_over(portico, server):
    backend = server()
    response = portico(to(backend.url)).get("/", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")])
    assert response.status == 200 and response.body == b"fine"
