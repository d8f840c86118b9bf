"""What RFC 9113 calls malformed: it is answered, not passed on, and spent from the client's budget."""
import contextlib

import pytest

from harness import http2 as h2
from harness.http2 import Http2
from harness.portico import to


@pytest.fixture
def connect(stack):
    """connect(proxy) is an HTTP/2 connection by prior knowledge."""
    def start(proxy):
        client = Http2(proxy.port)
        stack.callback(client.close)
        return client
    return start


MALFORMED = {
    "no method": [(":scheme", "http"), (":authority", "a"), (":path", "/")],
    "no scheme": [(":method", "GET"), (":authority", "a"), (":path", "/")],
    "no path": [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
    "empty path": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "")],
    "bad method": [(":method", "G T"), (":scheme", "http"), (":authority", "a"), (":path", "/")],
    "path twice": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), (":path", "/")],
    "status": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), (":status", "200")],
    "pseudo behind": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), ("x-a", "b"), (":path", "/")],
    "protocol": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), (":protocol", "websocket")],
    "path with a control": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/\x02")],
    "authority with a line": [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a\r\nb: c")],
    "empty host": [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "")],
    "no body for its length": [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("content-length", "1")],
}
REASONS = {"no method": "h2_protocol", "bad method": "bad_request_line", "path with a control": "bad_request_line", "empty host": "bad_host",
           "no body for its length": "bad_length", "pseudo behind": "h2_protocol"}
BAD_FIELDS = [("X-Upper", "a"), ("connection", "close"), ("keep-alive", "1"), ("proxy-connection", "a"), ("transfer-encoding", "chunked"),
              ("upgrade", "h2c"), ("te", "gzip"), ("x y", "a"), ("", "a"), ("x:y", "a"), ("x-nul", "a\0b"), ("x-line", "a\r\nb: c"),
              ("x-line", "a\nb"), ("x-blank", " a"), ("x-blank", "a\t"), ("x-long", "a" * 40 + "\r")]


@pytest.mark.parametrize("fields", list(MALFORMED.values()) + [MALFORMED["no path"] + [(":path", "/"), bad] for bad in BAD_FIELDS],
                         ids=list(MALFORMED) + [repr(bad)[:30] for bad in BAD_FIELDS])
def test_a_malformed_request_is_refused_alone(portico, backend, connect, fields):
    server = backend()
    client = connect(portico(to(server.url)))
    answer = client.answer(client.open(fields))
    assert answer.status == 400 and answer.ended and answer.reset is None
    assert not server.requests and client.request().status == 200 and not client.goaways


@pytest.mark.parametrize("name", REASONS)
def test_the_log_says_what_was_malformed(portico, backend, connect, name):
    proxy = portico(to(backend().url))
    client = connect(proxy)
    client.answer(client.open(MALFORMED[name]))
    line = proxy.access()[0]
    assert line["reason"] == REASONS[name] and line["DownstreamStatus"] == 400 and line["RequestProtocol"] == "HTTP/2.0"


def test_a_malformed_request_with_a_body_is_told_that_nobody_reads_it(portico, backend, connect):
    client = connect(portico(to(backend().url)))
    stream = client.open(client.head("POST", "/", [("connection", "close")]), end=False)
    answer = client.answer(stream)
    client.read_until("the reset", lambda: answer.reset is not None)
    assert answer.status == 400 and answer.reset == h2.NO_ERROR
    client.data(stream, b"late", True)
    assert client.request().status == 200


@pytest.mark.parametrize("length, pieces", [(5, [b"123"]), (5, [b"123", b"456"]), (0, [b"1"]), (1, [])])
def test_a_body_keeps_to_its_length(portico, backend, connect, length, pieces):
    server = backend(cut=True)
    client = connect(portico(to(server.url)))
    stream = client.open(client.head("POST", "/", [("content-length", str(length))]), end=not pieces)
    for number, piece in enumerate(pieces):
        client.data(stream, piece, number == len(pieces) - 1)
    assert client.answer(stream).status == 400
    assert client.request().status == 200
    # A body of length 0 is whole with its head, which may have gone to the server before the byte too many came.
    assert [request.body for request in server.requests] in ([b""], [b"", b""] if length == 0 else [b""])


def test_a_body_that_nobody_reads_keeps_to_its_length_too(portico, connect):
    """The response was there already when the body turned out to be wrong: no more than a refusal may come of it."""
    client = connect(portico({"http": {"routers": {"r": {"rule": "PathPrefix(`/`)", "service": "s"}},
                                       "services": {"s": {"respond": {"status": 200, "body": "fine"}}}}}))
    frames = [h2.frame(h2.HEADERS, h2.END_HEADERS, 1, client.block(client.head("POST", "/", [("content-length", "1")]))),
              h2.frame(h2.DATA, h2.END_STREAM, 1, b"more than that")]
    client.next_stream, client.answers[1] = 3, h2.Answer()
    client.send(b"".join(frames))
    answer = client.answer(1)
    assert answer.status != 200 and (answer.status == 400 or answer.reset == h2.PROTOCOL_ERROR)


@pytest.mark.parametrize("trailers, end", [([(":path", "/")], True), ([("x-a", "b")], False), ([("connection", "close")], True)])
def test_malformed_trailers_are_refused(portico, backend, connect, trailers, end):
    client = connect(portico(to(backend(cut=True).url)))
    stream = client.open(client.head("POST"), end=False)
    client.data(stream, b"body").frame(h2.HEADERS, h2.END_HEADERS | (h2.END_STREAM if end else 0), stream, client.block(trailers))
    assert client.answer(stream).status == 400
    assert client.request().status == 200


def test_malformed_requests_count_as_resets(portico, backend, connect):
    proxy = portico(to(backend().url, entryPoints={"web": {"http2": {"resetBurst": 50, "resetRate": 1}}}))
    client = connect(proxy)
    block = client.block(client.head(fields=[("connection", "close")]))
    frames = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, block) for stream in range(1, 2000, 2))
    with contextlib.suppress(OSError):
        client.socket.sendall(frames)
    assert client.read_to_end() == h2.ENHANCE_YOUR_CALM
