"""`portico whoami`: what other tests and people's first steps stand on."""
import os
import struct

import pytest

from harness.client import Client
from harness.websocket import BINARY, CLOSE, PING, PONG, TEXT, WebSocket


@pytest.fixture
def client(whoami, stack):
    client = Client(whoami("me").port)
    stack.callback(client.close)
    return client


def test_the_text_is_that_of_its_model(client):
    lines = client.request("GET", "/a?b=c", [("X-A", "1"), ("x-a", "2")]).text.split("\n")
    assert lines[0] == "Name: me" and lines[1].startswith("Hostname: ") and "IP: 127.0.0.1" in lines
    assert any(line.startswith("RemoteAddr: 127.0.0.1:") for line in lines)
    at = lines.index("GET /a?b=c HTTP/1.1")
    assert {"X-A: 1", "x-a: 2"} <= set(lines[at:])


def test_json_joins_fields_of_one_name_and_keeps_host_apart(client):
    told = client.request("POST", "/api?q", [("X-A", '"1"'), ("x-a", "2")], b"hello").json()
    assert told["headers"]["X-A"] == ['"1"', "2"] and "Host" not in told["headers"] and told["host"]
    assert told["url"] == "/api?q" and told["method"] == "POST" and told["bodySize"] == 5
    assert told["remoteAddr"].startswith("127.0.0.1:") and "127.0.0.1" in told["ip"]


def test_chunked_uploads_are_counted(client):
    client.send(b"POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n123\r\n0\r\n\r\n")
    assert client.response().json()["bodySize"] == 8
    assert client.request("GET", "/bench").body == b"1"        # the connection goes on


def test_a_client_that_expects_to_be_asked_is_asked(client):
    client.send(b"POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert client.reader.take(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ab")
    assert client.response().json()["bodySize"] == 2


def test_health_says_what_it_was_told(client):
    assert client.request("GET", "/health").status == 200
    assert client.request("POST", "/health", body=b"503").status == 200
    assert client.request("GET", "/health").status == 503
    assert client.request("POST", "/health", body=b"nonsense").status == 400
    assert client.request("GET", "/health").status == 503


@pytest.mark.parametrize("asked, size", [("size=0", 0), ("size=7", 7), ("size=3KB", 3072), ("size=1MiB", 1 << 20), ("size=2&unit=kb", 2048)])
def test_data_has_the_size_asked_for(client, asked, size):
    assert len(client.request("GET", "/data?" + asked).body) == size


@pytest.mark.parametrize("asked", ["/data?size=-1", "/data?size=x", "/data?size=1XB", "/data?size=99999999999GB", "/?wait=x", "/?wait=-1s"])
def test_what_makes_no_sense_is_refused(client, asked):
    assert client.request("GET", asked).status == 400


def test_data_may_be_an_attachment(client):
    response = client.request("HEAD", "/data?size=1GB&attachment=true")
    assert response.get("Content-Length") == str(1 << 30) and response.get("Content-Disposition").startswith("attachment")


def test_waiting_does_not_hold_up_others(whoami):
    port = whoami().port
    slow, quick = Client(port), Client(port)
    slow.send_request("GET", "/bench?wait=30s")
    assert quick.request("GET", "/bench").status == 200
    slow.close()
    quick.close()


def test_pipelined_requests_are_answered_in_order(client):
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(50)))
    for i in range(50):
        assert f"GET /{i} HTTP/1.1" in client.response().text


@pytest.mark.parametrize("target", ["/ws", "/echo"])
def test_the_websocket_sends_back_what_it_gets(client, target):
    socket = WebSocket(client, target)
    for size in (0, 1, 125, 126, 65535, 65536, 3 << 20):
        socket.echo(os.urandom(size))
    socket.echo("grüß dich")
    socket.send(b"are you there", PING)
    assert socket.receive() == (PONG, b"are you there")
    assert socket.close(3001) == 3001
    client.assert_closed()


def frame(start, payload):
    mask = b"\1\2\3\4"
    return bytes([start, 0x80 | len(payload)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def test_fragments_come_back_as_one_message(client):
    socket = WebSocket(client, "/ws")
    client.send(frame(0x01, b"one ") + frame(0x89, b"!") + frame(0x00, b"two ") + frame(0x80, b"three"))
    assert socket.receive() == (PONG, b"!")
    assert socket.receive() == (TEXT, b"one two three")


@pytest.mark.parametrize("bytes_, code", [
    (b"\x81\x01x", 1002), (frame(0xc1, b"x"), 1002), (frame(0x80, b"x"), 1002), (frame(0x81, b"\xff\xff\xff\xff"), 1007),
    (b"\x82\xff" + struct.pack(">Q", 1 << 40) + b"abcd", 1009)])
def test_a_peer_that_breaks_the_rules_is_told_so(client, bytes_, code):
    socket = WebSocket(client, "/ws")
    client.send(bytes_)
    opcode, payload = socket.receive()
    assert opcode == CLOSE and struct.unpack(">H", payload[:2])[0] == code
    client.assert_closed()


def test_a_websocket_is_asked_for_properly(client):
    assert client.request("GET", "/ws").status == 426
    bad = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "short")]
    assert client.request("GET", "/ws", bad).status == 400


def test_it_ends_when_told_to_and_finishes_what_runs(whoami):
    peer = whoami()
    idle, busy = Client(peer.port), Client(peer.port)
    assert idle.request("GET", "/bench").status == 200
    busy.send_request("GET", "/bench?wait=500ms")
    peer.process.wait_for_port(peer.port)
    peer.process.signal(15)
    assert busy.response().status == 200
    idle.assert_closed()
    assert peer.process.wait(10) == 0
    idle.close()
    busy.close()


@pytest.mark.parametrize("arguments", [["--port", "x"], ["--port", "70000"], ["--port"], ["8080"], ["--address", "nowhere", "--port", "1"]])
def test_bad_arguments_get_one_line(run, arguments):
    result = run("whoami", *arguments)
    assert result.returncode == 2 and len(result.stderr.strip().split("\n")) == 1


def test_a_port_that_is_taken_is_named(run, whoami):
    # A listener of somebody else: SO_REUSEPORT would let two of ours share one.
    import socket
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("whoami", "--address", "127.0.0.1", "--port", port)
    assert result.returncode == 1 and str(port) in result.stderr
