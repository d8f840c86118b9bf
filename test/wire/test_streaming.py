"""Bodies pass as they come: at once when they trickle, in bounded memory when they are large, whatever either side does."""
import threading

import pytest

from harness import backend as act
from harness.http1 import Ended, chunked_bytes
from harness.portico import BINARY, to
from harness.waiting import wait_for

MIB = 1 << 20
# A sanitizer keeps freed memory: its figures say nothing.
measurable = pytest.mark.skipif("san/" in BINARY, reason="memory cannot be measured under a sanitizer")


# At once

EVENTS = [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


@pytest.mark.parametrize("head, frame", [
    (b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
     lambda event: b"%x\r\n%s\r\n" % (len(event), event)),
    (b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\n\r\n", lambda event: event),
    (b"HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
     lambda event: b"%x\r\n%s\r\n" % (len(event), event)),
    (b"HTTP/1.1 200 Fine\r\nContent-Length: 27\r\n\r\n", lambda event: event),
], ids=["events in chunks", "events until close", "any chunks", "a known length"])
def test_each_event_arrives_before_the_next_is_made(scripted, head, frame):
    seen = [threading.Event() for _ in EVENTS]
    script = [act.request, head]
    for event, after in zip(EVENTS, seen):
        script += [frame(event), act.wait_on(after)]
    if b"chunked" in head:
        script.append(chunked_bytes())
    proxy, _ = scripted([*script, act.close])
    client = proxy.client().send_request()
    response = client.reader.response_head()
    assert response.status == 200
    for event, after in zip(EVENTS, seen):
        if response.chunked:
            assert int(client.reader.line(), 16) == len(event)
        assert client.reader.take(len(event)) == event
        if response.chunked:
            client.reader.take(2)
        after.set()


def test_a_head_arrives_before_its_body_is_made(scripted):
    go_on = threading.Event()
    proxy, _ = scripted([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n\r\n", act.wait_on(go_on), b"body"])
    client = proxy.client().send_request()
    assert client.reader.response_head().status == 200
    go_on.set()
    assert client.reader.take(4) == b"body"


def test_events_of_uvicorn_arrive(portico, uvicorn_app):
    response = portico(to(uvicorn_app.url)).get("/sse?count=5&seconds=0.01")
    assert response.body == b"".join(b"data: %d\n\n" % number for number in range(5))
    assert response.get("Content-Type").startswith("text/event-stream")


@pytest.mark.parametrize("fields, frame", [
    ([("Content-Length", "10")], lambda part: part),
    ([("Transfer-Encoding", "chunked")], lambda part: b"%x\r\n%s\r\n" % (len(part), part)),
], ids=["length", "chunked"])
def test_an_upload_arrives_while_it_is_sent(scripted, fields, frame):
    proxy, server = scripted([act.head, act.until_end])
    client = proxy.client().send_request("POST", "/", fields)
    client.send(frame(b"first"))
    play = wait_for("a connection behind", lambda: server.played and server.played[0])
    wait_for("the first part", lambda: b"first" in play.reader.buffer)
    client.send(frame(b"after"))
    wait_for("the second part", lambda: b"after" in play.reader.buffer)


def test_a_response_may_begin_before_the_request_ends(scripted):
    proxy, _ = scripted([act.head, b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n", act.take(5), b"5\r\nhello\r\n",
                         act.take(5), b"5\r\nworld\r\n0\r\n\r\n"])
    client = proxy.client().send_request("POST", "/", [("Content-Length", "10")])
    assert client.reader.response_head().status == 200
    client.send(b"hello")
    assert client.reader.take(10) == b"5\r\nhello\r\n"
    client.send(b"world")
    assert client.reader.take(15) == b"5\r\nworld\r\n0\r\n\r\n"


# Large

def drain(client, total):
    """Reads `total` bytes without keeping them."""
    had = len(client.reader.buffer)
    client.reader.buffer = b""
    assert had <= total
    left, space = total - had, bytearray(MIB)
    while left:
        count = client.socket.recv_into(space, min(left, MIB))
        assert count, f"ended {left} bytes early"
        left -= count


def stall(counter):
    """Waits until a counter stands still: both sides' buffers are full."""
    last = None
    def still():
        nonlocal last
        previous, last = last, counter()
        return previous == last
    threading.Event().wait(0.2)
    wait_for("everything to stand still", lambda: (threading.Event().wait(0.2), still())[1])
    return counter()


def counted(data, count, sent):
    def action(play):
        for _ in range(count):
            play.connection.sendall(data)
            sent.append(len(data))
    return action


@measurable
@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_gibibyte_through_a_slow_client_takes_no_memory(scripted, framing):
    total, sent = 1024 * MIB, []
    head = b"HTTP/1.1 200 Fine\r\nConnection: close\r\n"
    if framing == "length":
        def body(size):
            return [head + b"Content-Length: %d\r\n\r\n" % size, counted(bytes(MIB), size // MIB, sent)]
        framed = total
    else:
        chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        def body(size):
            return [head + b"Transfer-Encoding: chunked\r\n\r\n", counted(chunk, size // MIB, sent), b"0\r\n\r\n"]
        framed = None
    proxy, _ = scripted([act.request, *body(16 * MIB)], [act.request, *body(total)])

    # What a first transfer needs stays in the pools: it is the measure for the second.
    client = proxy.client()
    assert len(client.request("GET", "/", [("Connection", "close")]).body) == 16 * MIB
    client.close()
    sent.clear()
    before = most = proxy.process.rss_kib()
    client = proxy.client(receive_buffer=65536).send_request()
    assert client.reader.response_head().status == 200
    stall(lambda: len(sent))
    assert sum(sent) < 64 * MIB, "a client that does not read must stop its server"
    most = max(most, proxy.process.rss_kib())
    if framed:
        for _ in range(64):
            drain(client, framed // 64)
            most = max(most, proxy.process.rss_kib())
    else:
        size = 0
        while chunk := int(client.reader.line(), 16):
            drain_chunk = chunk - min(chunk, len(client.reader.buffer))
            client.reader.buffer = client.reader.buffer[chunk - drain_chunk:]
            if drain_chunk:
                drain(client, drain_chunk)
            assert client.reader.take(2) == b"\r\n"
            if size >> 24 != (size + chunk) >> 24:
                most = max(most, proxy.process.rss_kib())
            size += chunk
        assert size == total and client.reader.line() == b""
    assert most - before < 2048, f"RSS moved by {most - before} KiB"


@measurable
@pytest.mark.slow
def test_a_gibibyte_to_a_slow_server_takes_no_memory(scripted):
    total, go_on = 1024 * MIB, threading.Event()

    def swallow(play):
        left, space = total - len(play.reader.buffer), bytearray(MIB)
        while left:
            count = play.connection.recv_into(space, min(left, MIB))
            assert count
            left -= count

    done = b"HTTP/1.1 200 Fine\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    proxy, _ = scripted([act.request, done], [act.head, act.wait_on(go_on), swallow, done])
    client = proxy.client()
    client.request("POST", "/", [("Connection", "close")], body=bytes(16 * MIB))
    before = most = proxy.process.rss_kib()
    sent = []
    client = proxy.client().send_request("POST", "/", [("Content-Length", total)])

    def upload():
        for _ in range(total // MIB):
            client.send(bytes(MIB))
            sent.append(MIB)
    thread = threading.Thread(target=upload)
    thread.start()
    stall(lambda: len(sent))
    assert sum(sent) < 64 * MIB, "a server that does not read must stop its client"
    most = max(most, proxy.process.rss_kib())
    go_on.set()
    while thread.is_alive():
        most = max(most, proxy.process.rss_kib())
        thread.join(0.05)
    assert client.response().body == b"ok"
    assert most - before < 2048, f"RSS moved by {most - before} KiB"


def test_many_slow_clients_at_once_get_everything(portico, uvicorn_app):
    proxy = portico(to(uvicorn_app.url))
    clients = [proxy.client(receive_buffer=16384).send_request("GET", f"/download?size={4 * MIB}") for _ in range(20)]
    for client in clients:
        assert len(client.response().body) == 4 * MIB


# Broken off

def test_a_client_that_leaves_ends_the_download_behind(scripted):
    proxy, server = scripted([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 1073741824\r\n\r\n",
                              act.repeat(bytes(MIB), 1024)])
    client = proxy.client().send_request()
    assert client.reader.response_head().status == 200
    client.close()
    wait_for("the connection behind to end", lambda: server.accepted and server.open_connections() == 0)
    assert proxy.access()[0]["reason"] == "client_aborted"


def test_a_client_that_leaves_while_it_waits_ends_the_request_behind(scripted):
    proxy, server = scripted([act.request, act.until_end])
    client = proxy.client().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    client.close()
    server.wait_until_played()
    assert proxy.access()[0]["DownstreamStatus"] == 499


def test_a_client_that_leaves_during_its_upload_ends_it_behind(scripted):
    proxy, server = scripted([act.head, act.until_end])
    client = proxy.client().send_request("POST", "/", [("Content-Length", "1000000")]).send(bytes(1000))
    wait_for("the request", lambda: server.played and server.played[0].heads)
    client.reset()
    server.wait_until_played()
    assert proxy.access()[0]["reason"] == "client_aborted"


def test_a_server_that_dies_within_a_body_cuts_off_the_client(scripted):
    proxy, _ = scripted([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000), act.reset])
    client = proxy.client().send_request()
    with pytest.raises(Ended):
        client.response()
    assert proxy.access()[0]["reason"] in ("upstream_reset", "upstream_truncated")
