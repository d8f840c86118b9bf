"""TLS clients that are slow, hostile or rude: they get no more than their share, and nobody else notices them."""
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from harness import backend as act
from harness.certificates import Authority
from harness.client import Client
from harness.http1 import Ended, response_bytes
from harness.http2 import Http2
from harness.portico import BINARY
from harness.tls import BareTls, TlsClient, context_for, over_tls
from harness.waiting import wait_for

MIB = 1 << 20
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
# A sanitizer keeps freed memory: its figures say nothing.
measurable = pytest.mark.skipif("san/" in BINARY, reason="memory cannot be measured under a sanitizer")


def responding(**timeouts):
    return {"web": {"transport": {"respondingTimeouts": timeouts}}}


@pytest.fixture
def bare(stack):
    """bare(proxy) is a harness.tls.BareTls that is closed in the end."""
    def start(proxy, **more):
        client = BareTls(proxy.port, **more)
        stack.callback(client.close)
        return client
    return start


@pytest.fixture
def connect(stack):
    def start(proxy, **more):
        client = TlsClient(proxy.port, **more)
        stack.callback(client.close)
        return client
    return start


@pytest.fixture
def connect_h2(stack, authority):
    def start(proxy, **more):
        context = context_for(authority, alpn=["h2"])
        client = Http2(proxy.port, around=lambda plain: context.wrap_socket(plain, server_hostname="localhost"), **more)
        assert client.socket.selected_alpn_protocol() == "h2"
        stack.callback(client.close)
        return client
    return start


def ends(client):
    """Whether the other side ends the connection, with or without a word, before patience does."""
    try:
        while client.socket.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


# Slow

@VERSIONS
def test_a_hello_byte_by_byte_is_understood(portico, backend, authority, bare, version):
    proxy = portico(over_tls(backend().url, authority.issue("localhost")))
    client = bare(proxy, authority=authority, versions=(version, version))
    for byte in client.hello():
        client.socket.sendall(bytes([byte]))
    assert client.handshake().request().status == 200


@VERSIONS
def test_every_flight_and_request_byte_by_byte_is_understood(portico, backend, authority, bare, version):
    server = backend()
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy, authority=authority, versions=(version, version))
    plain = client.socket

    class Dripping:
        def sendall(self, data):
            for byte in data:
                plain.sendall(bytes([byte]))

        def __getattr__(self, name):
            return getattr(plain, name)
    client.socket = Dripping()
    assert client.handshake().request("POST", "/", body=b"b" * 300).status == 200
    assert server.last.body == b"b" * 300


@VERSIONS
def test_records_of_one_byte_carry_requests(portico, backend, authority, bare, version):
    server = backend()
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy, authority=authority, versions=(version, version)).handshake()
    body = bytes(range(256)) * 8
    for _ in range(2):
        for byte in b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2048\r\n\r\n" + body:
            client.send(bytes([byte]))
        assert client.response().status == 200 and server.last.body == body


def test_records_of_one_byte_in_one_piece_carry_requests(portico, backend, authority, bare):
    server = backend()
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy, authority=authority).handshake()
    body = bytes(range(256)) * 64
    for byte in b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16384\r\n\r\n" + body:
        client.tls.write(bytes([byte]))
    client.flush()
    assert client.response().status == 200 and server.last.body == body


@pytest.mark.parametrize("part", [1, 5, 9, 100], ids=lambda part: f"{part} bytes")
def test_a_hello_that_never_ends_is_cut_off(portico, backend, authority, bare, part):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), entryPoints=responding(readTimeout="1s")))
    client = bare(proxy)
    client.socket.sendall(client.hello()[:part])
    assert ends(client)


@VERSIONS
def test_a_handshake_that_is_never_finished_is_cut_off(portico, backend, authority, bare, version):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), entryPoints=responding(readTimeout="3s")))
    client = bare(proxy, versions=(version, version))
    client.socket.sendall(client.hello())
    assert client.socket.recv(1)
    assert ends(client)


def test_a_hello_in_drops_gets_no_more_time_than_one_that_stops(portico, backend, authority, bare):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), entryPoints=responding(readTimeout="1s")))
    client = bare(proxy)
    drops = iter(client.hello())

    def shed():
        if client.readable(0.05):
            return True
        try:
            client.socket.sendall(bytes([next(drops)]))
        except OSError:
            return True
    wait_for("the connection to be cut off", shed)
    assert ends(client)


def test_a_request_that_never_comes_behind_a_handshake_is_cut_off(portico, backend, authority, connect):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), entryPoints=responding(readTimeout="3s")))
    assert ends(connect(proxy))


@pytest.mark.parametrize("how_far", ["a piece of a hello", "a hello"])
def test_five_hundred_half_open_handshakes_do_not_hold_up_others(portico, backend, authority, bare, connect, how_far):
    proxy = portico(over_tls(backend().url, authority.issue("localhost")))
    context, context2 = context_for(), context_for(authority)
    for _ in range(500):
        client = bare(proxy, context=context)
        hello = client.hello()
        client.socket.sendall(hello[:50] if how_far.startswith("a piece") else hello)
    for _ in range(20):
        client = connect(proxy, context=context2)
        assert client.request().status == 200
        client.close()


# Hostile

def test_a_renegotiation_is_refused(portico, backend, authority, connect):
    server = backend()
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "localhost", "-tls1_2",
                             "-CAfile", str(authority.cert)],
                            input="R\nGET / HTTP/1.1\nHost: localhost\n\n", capture_output=True, text=True, timeout=60)
    assert "RENEGOTIATING" in client.stdout + client.stderr
    assert "no renegotiation" in client.stderr and "HTTP/1.1 200" not in client.stdout
    assert connect(proxy, authority=authority).request().status == 200
    assert len(server.requests) == 1


def mutual(authority):
    return {"default": {"clientAuth": {"clientAuthType": "RequireAndVerifyClientCert", "caFiles": [str(authority.cert)]}}}


def with_chain(authority, friend, count):
    """The certificate with `count` others behind it, none of which is of any use."""
    others = friend.cert.with_name("others.pem")
    junk = Authority(authority.folder / "junk", "Junk").issue("junk", client=True).cert.read_bytes()
    others.write_bytes(friend.cert.read_bytes() + junk * count)
    friend.cert = others
    return friend


@VERSIONS
def test_a_long_chain_of_a_client_is_taken(portico, backend, authority, connect, version):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), options=mutual(authority)))
    friend = with_chain(authority, authority.issue("friend", client=True), 60)
    assert connect(proxy, client=friend, versions=(version, version)).request().status == 200


@VERSIONS
def test_a_huge_chain_of_a_client_ends_its_handshake_and_no_others(portico, backend, authority, connect, version):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), options=mutual(authority)))
    friend = authority.issue("friend", client=True)
    kept = connect(proxy, client=friend)
    assert kept.request().status == 200
    glutton = with_chain(authority, authority.issue("glutton", client=True), 2000)
    with pytest.raises((OSError, Ended)):
        connect(proxy, client=glutton, versions=(version, version)).request()
    assert kept.request().status == 200


@pytest.mark.slow
def test_a_reader_that_stops_is_cut_off(portico, raw_server, authority, connect):
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 1073741824\r\n\r\n", act.repeat(bytes(MIB), 1024)])
    proxy = portico(over_tls(server.url, authority.issue("localhost"), entryPoints=responding(writeTimeout="1s")))
    connect(proxy).send_request()
    wait_for("the connection behind to end", lambda: server.accepted and server.open_connections() == 0)
    line, = proxy.access()
    assert line["reason"] == "client_too_slow" and line["TLSVersion"] == "1.3"


@measurable
def test_readers_that_stop_take_little_memory(portico, raw_server, authority, bare):
    sent, count = [], 20

    def pour(play):
        for _ in range(64):
            play.connection.sendall(bytes(MIB))
            sent.append(MIB)
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 67108864\r\n\r\n", pour])
    proxy = portico(over_tls(server.url, authority.issue("localhost"), workers=1))
    before = proxy.process.rss_kib()
    for _ in range(count):
        bare(proxy, receive_buffer=65536).handshake().send_request()
    wait_for("all to be served", lambda: server.accepted == count and len(sent) >= count)
    last = None
    while last != len(sent):
        last = len(sent)
        threading.Event().wait(0.5)
    assert proxy.process.rss_kib() - before < count * 600


@measurable
def test_idle_connections_take_little_memory(portico, backend, authority, connect):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), workers=1))
    context = context_for(authority)
    connect(proxy, context=context).request()
    before, count = proxy.process.rss_kib(), 300
    for _ in range(count):
        assert connect(proxy, context=context).request().status == 200
    assert proxy.process.rss_kib() - before < count * 8


# Rude

@pytest.mark.parametrize("fields, part", [([("Content-Length", "10")], b"12345"),
                                          ([("Transfer-Encoding", "chunked")], b"5\r\n12345\r\n")], ids=["length", "chunked"])
@pytest.mark.parametrize("goodbye", [False, True], ids=["without close_notify", "with close_notify"])
def test_a_body_that_is_cut_off_is_no_whole_body(portico, raw_server, authority, bare, fields, part, goodbye):
    server = raw_server([act.head, act.until_end])
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy).handshake().send_request("POST", "/", fields).send(part)
    wait_for("the part to arrive", lambda: server.played and b"12345" in server.played[0].reader.buffer)
    if goodbye:
        client.say_goodbye()
    client.socket.close()
    play, = server.wait_until_played()
    assert not play.received.endswith(b"0\r\n\r\n") and b"12345" in play.received
    assert proxy.access()[0]["DownstreamStatus"] == 499


def test_the_end_without_a_close_notify_does_no_harm(portico, backend, authority, bare):
    proxy = portico(over_tls(backend().url, authority.issue("localhost")))
    client = bare(proxy).handshake()
    assert client.request().status == 200
    client.socket.shutdown(socket.SHUT_WR)
    assert ends(client)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "cut off"])
def test_a_whole_response_ends_with_close_notify_and_a_part_without(portico, raw_server, authority, bare, version, whole):
    part = b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"
    server = raw_server([act.request, part, b"0\r\n\r\n", act.until_end] if whole else [act.request, part, act.pause(0.2), act.reset])
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy).handshake().send_request(version=version, fields=[("Connection", "close")])
    if whole:
        assert client.response().body == b"some"
        client.assert_closed()
        return
    with pytest.raises(ssl.SSLError, match="(?i)eof"):
        client.response()
        client.assert_closed()


@VERSIONS
def test_a_client_may_say_that_it_is_done_and_still_read_the_answer(portico, raw_server, authority, bare, version):
    gone_on = threading.Event()
    server = raw_server([act.request, act.wait_on(gone_on), response_bytes(body=b"late")])
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy, versions=(version, version)).handshake().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    client.say_goodbye()
    client.socket.shutdown(socket.SHUT_WR)
    gone_on.set()
    assert client.response().body == b"late"


def test_one_direction_of_a_tunnel_may_end_before_the_other(portico, raw_server, authority, bare):
    server = raw_server([act.head, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
                         act.until_end, b"the last word", act.close])
    proxy = portico(over_tls(server.url, authority.issue("localhost")))
    client = bare(proxy).handshake()
    assert client.request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "chat")]).status == 101
    client.send(b"that is all").say_goodbye()
    assert client.reader.take(13) == b"the last word"
    client.assert_closed()
    assert server.wait_until_played()[0].received == b"that is all"


# The end

def refused(port):
    try:
        Client(port).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def graceful(seconds):
    return {"web": {"transport": {"lifeCycle": {"graceTimeOut": f"{seconds}s"}}}}


@pytest.fixture
def held(portico, raw_server, authority):
    """A proxy whose server answers when the event is set."""
    go_on = threading.Event()
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nfirst", act.wait_on(go_on), b"after"])
    return portico(over_tls(server.url, authority.issue("localhost"), entryPoints=graceful(60))), server, go_on


def stop(proxy):
    proxy.process.signal(signal.SIGTERM)
    wait_for("the listener to close", lambda: refused(proxy.port))


def test_a_response_under_way_is_finished_when_the_process_stops(held, bare):
    proxy, server, go_on = held
    client = bare(proxy).handshake().send_request()
    assert client.reader.response_head().status == 200
    idle = bare(proxy).handshake()
    stop(proxy)
    idle.assert_closed()
    go_on.set()
    assert client.reader.take(10) == b"firstafter"
    client.assert_closed()
    assert proxy.process.wait() == 0


def test_streams_under_way_are_finished_when_the_process_stops(held, connect_h2):
    proxy, server, go_on = held
    client = connect_h2(proxy)
    streams = [client.ask(scheme="https") for _ in range(3)]
    wait_for("the requests", lambda: sum(len(play.heads) for play in server.played) == 3)
    stop(proxy)
    client.read_until("a GOAWAY", lambda: client.goaways)
    go_on.set()
    for stream in streams:
        answer = client.answer(stream)
        assert answer.status == 200 and answer.body == b"firstafter" and answer.reset is None
    assert client.read_to_end() == 0
    assert proxy.process.wait() == 0


def test_a_handshake_that_ends_after_the_stop_began_is_still_served_or_closed(portico, backend, authority, bare):
    proxy = portico(over_tls(backend().url, authority.issue("localhost"), entryPoints=graceful(60)))
    client = bare(proxy)
    client.socket.sendall(client.hello())
    assert client.readable(20)
    stop(proxy)
    try:
        response = client.handshake().request()
        assert response.status == 200 and response.get("Connection", "").lower() == "close"
    except (Ended, OSError):
        pass
    assert proxy.process.wait() == 0


def test_a_handshake_that_ends_after_its_entrypoint_is_gone_is_closed(portico, backend, authority, bare):
    config = over_tls(backend().url, authority.issue("localhost"), providers={"providersThrottleDuration": "50ms"})
    config["entryPoints"] = {"web": {}, "more": {}}
    proxy = portico(config)
    client = BareTls(proxy.ports["more"])
    client.socket.sendall(client.hello())
    assert client.readable(20)
    config["entryPoints"] = {"web": {}}
    proxy.write(config)
    wait_for("the entrypoint to be gone", lambda: refused(proxy.ports["more"]))
    try:                # it has a second; what comes later is too late
        client.handshake().assert_closed()
    except (Ended, OSError):
        pass
    client.close()
