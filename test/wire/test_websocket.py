"""WebSocket and any other upgrade: no configuration, and no change of it ends one."""
import pytest

from harness import backend as act
from harness.http1 import build, response_bytes
from harness.portico import to
from harness.websocket import CLOSE, PING, PONG

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n"
ASK = [("Connection", "Upgrade"), ("Upgrade", "chat")]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 3000000])
def test_node_echoes_any_size(portico, node_ws, size):
    socket = portico(to(node_ws.url)).websocket()
    socket.echo(b"b" * size)
    assert socket.close() == 1000


def test_uvicorn_echoes(portico, uvicorn_app):
    socket = portico(to(uvicorn_app.url)).websocket("/ws")
    socket.echo("grüße")
    socket.echo(bytes(range(256)) * 1000)
    assert socket.close(1001) in (1000, 1001)


def test_whoami_echoes(portico, whoami):
    socket = portico(to(whoami().url)).websocket("/ws")
    socket.echo("hello")
    socket.echo(b"x" * 70000)
    socket.close()


def test_a_server_may_speak_first_and_close(portico, node_ws):
    proxy = portico(to(node_ws.url))
    socket = proxy.websocket("/push")
    assert [socket.receive()[1] for _ in range(10)] == [str(number).encode() for number in range(10)]
    opcode, payload = proxy.websocket("/close").receive()
    assert (opcode, payload) == (CLOSE, (4001).to_bytes(2, "big") + b"as asked")


def test_pings_pass(portico, node_ws):
    socket = portico(to(node_ws.url)).websocket()
    socket.send(b"are you there", PING)
    assert socket.receive() == (PONG, b"are you there")


def test_many_sockets_at_once_do_not_mix(portico, node_ws):
    proxy = portico(to(node_ws.url))
    sockets = [proxy.websocket() for _ in range(50)]
    for number, socket in enumerate(sockets):
        socket.send(f"socket {number}")
    assert [socket.receive()[1] for socket in sockets] == [b"socket %d" % number for number in range(50)]


def test_a_server_that_declines_is_heard(portico, backend):
    server = backend(lambda request: response_bytes(426, body=b"not here"))
    client = portico(to(server.url)).client()
    assert client.request("GET", "/", ASK).body == b"not here"
    assert server.last.get("Upgrade") == "chat" and server.last.get("Connection").lower() == "upgrade"
    assert client.request().status == 426


def test_any_protocol_can_be_switched_to(portico, raw_server):
    server = raw_server([act.head, SWITCH + b"at once", act.take(5), b"and back", act.until_end])
    client = portico(to(server.url)).client()
    response = client.request("GET", "/", ASK)
    assert (response.status, response.get("Upgrade"), response.get("Connection").lower()) == (101, "chat", "upgrade")
    assert client.reader.take(7) == b"at once"
    assert client.send(b"hello").reader.take(8) == b"and back"
    client.half_close()
    assert server.wait_until_played()[0].received == b"hello"


def test_bytes_sent_before_the_switch_are_not_lost(portico, raw_server):
    server = raw_server([act.head, SWITCH, act.take(5), b"ok", act.until_end])
    client = portico(to(server.url)).client()
    client.send(build("GET / HTTP/1.1", [("Host", "a"), *ASK], b"early"))
    assert client.response().status == 101
    assert client.reader.take(2) == b"ok"


def test_one_direction_may_end_before_the_other(portico, raw_server):
    server = raw_server([act.head, SWITCH, act.until_end, b"the last word", act.close])
    client = portico(to(server.url)).client()
    client.request("GET", "/", ASK)
    client.send(b"that is all").half_close()
    assert client.reader.take(13) == b"the last word"
    client.assert_closed()
    assert server.wait_until_played()[0].received == b"that is all"


def test_a_client_that_vanishes_is_told_to_the_server(portico, raw_server):
    server = raw_server([act.head, SWITCH, act.until_end])
    client = portico(to(server.url)).client()
    client.request("GET", "/", ASK)
    client.reset()
    server.wait_until_played()


def test_a_server_that_vanishes_is_told_to_the_client(portico, raw_server):
    server = raw_server([act.head, SWITCH, act.take(1), act.reset])
    client = portico(to(server.url)).client()
    client.request("GET", "/", ASK)
    client.send(b"x")
    client.assert_closed()


def test_back_pressure_holds_within_an_upgrade(portico, raw_server):
    total = 40 << 20
    server = raw_server([act.head, SWITCH, act.repeat(bytes(1 << 20), total >> 20), act.half_close, act.until_end])
    proxy = portico(to(server.url))
    client = proxy.client(receive_buffer=65536)
    client.request("GET", "/", ASK)
    left = total
    while left:
        left -= len(client.reader.take(min(left, 1 << 20)))
    client.assert_closed()


def test_a_socket_outlives_reloads(portico, node_ws, backend):
    other = backend()
    config = to(node_ws.url, providers={"providersThrottleDuration": "50ms"})
    proxy = portico(config)
    socket = proxy.websocket()
    for number in range(3):
        config["http"]["routers"][f"more{number}"] = {"rule": f"Path(`/more{number}`)", "service": "more", "priority": 100}
        config["http"]["services"]["more"] = {"loadBalancer": {"servers": [{"url": other.url}]}}
        proxy.write(config)
        proxy.wait_for_answer(lambda response: response.body == b"fine", f"/more{number}")
        socket.echo(f"after reload {number}")
    assert socket.close() == 1000


def test_an_upgrade_is_logged_when_it_ends(portico, node_ws):
    proxy = portico(to(node_ws.url))
    socket = proxy.websocket("/logged")
    socket.close()
    socket.client.close()
    line = proxy.access(where=lambda line: line["RequestPath"] == "/logged")[0]
    assert line["DownstreamStatus"] == 101
