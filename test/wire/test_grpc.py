"""gRPC through the proxy: calls of all four kinds, with python3-grpcio as client and server. Messages are plain bytes, so that
no schema is needed."""
import threading
import time

import pytest

from harness.grpc_server import BIG, Server, grpc
from harness.portico import to
from harness.waiting import PATIENCE, wait_for

@pytest.fixture
def server(stack):
    def start(**more):
        server = Server(**more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def channel(stack):
    def start(proxy):
        channel = grpc.insecure_channel(f"127.0.0.1:{proxy.port}", options=[*BIG, ("grpc.use_local_subchannel_pool", 1)])
        stack.callback(channel.close)
        return channel
    return start


@pytest.fixture
def pair(portico, server, channel):
    """A service, and a channel to it by way of the proxy."""
    backend = server()
    return backend.service, channel(portico(to(backend.url), "--workers", "1"))


def unary(channel, name):
    return channel.unary_unary(f"/t.T/uu_{name}")


def test_a_unary_call_with_metadata_both_ways(pair):
    service, channel = pair
    reply, call = unary(channel, "echo").with_call(b"hello", metadata=[("x-key", "value"), ("x-raw-bin", b"\x01\x02")], timeout=PATIENCE)
    assert reply == b"hello" and call.code() == grpc.StatusCode.OK
    assert ("x-first", "1") in call.initial_metadata()
    assert {("x-last", "2"), ("x-raw-bin", b"\x00\xff")} <= set(call.trailing_metadata())
    assert service.metadata["x-key"] == "value" and service.metadata["x-raw-bin"] == b"\x01\x02"


def test_many_calls_at_once(pair):
    _, channel = pair
    calls = [unary(channel, "echo").future(b"%d" % number, timeout=PATIENCE) for number in range(300)]
    assert [call.result() for call in calls] == [b"%d" % number for number in range(300)]


def test_an_error_without_a_message_is_passed_on(pair):
    _, channel = pair
    with pytest.raises(grpc.RpcError) as error:
        unary(channel, "refuse")(b"", timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION and error.value.details() == "not so: ü"


def test_an_unknown_method_is_unimplemented(pair):
    _, channel = pair
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/t.T/none")(b"", timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_streams_of_the_server(pair):
    _, channel = pair
    assert list(channel.unary_stream("/t.T/us_count")(b"500", timeout=PATIENCE)) == [b"%d" % number for number in range(500)]
    assert list(channel.unary_stream("/t.T/us_count")(b"0", timeout=PATIENCE)) == []


def test_an_error_behind_messages(pair):
    _, channel = pair
    call = channel.unary_stream("/t.T/us_fail_later")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    with pytest.raises(grpc.RpcError) as error:
        next(call)
    assert error.value.code() == grpc.StatusCode.DATA_LOSS


def test_streams_of_the_client(pair):
    _, channel = pair
    assert channel.stream_unary("/t.T/su_sum")((b"x" * 1000 for _ in range(200)), timeout=PATIENCE) == b"200000"
    assert channel.stream_unary("/t.T/su_sum")(iter(()), timeout=PATIENCE) == b"0"


def test_a_conversation(pair):
    _, channel = pair
    turn, said = threading.Semaphore(1), iter([b"one", b"two", b"three"])

    def words():
        for word in said:
            turn.acquire()
            yield word
    call = channel.stream_stream("/t.T/ss_talk")(words(), timeout=PATIENCE)
    heard = []
    for reply in call:      # each word is said only when the answer to the one before was heard
        heard.append(reply)
        turn.release()
    assert heard == [b"ONE", b"TWO", b"THREE"]


@pytest.mark.parametrize("size", [65536, 1 << 20, 20 << 20])
def test_large_messages(pair, size):
    _, channel = pair
    assert unary(channel, "echo")(b"m" * size, timeout=PATIENCE) == b"m" * size


def test_a_client_that_does_not_read_holds_the_server_up(pair):
    service, channel = pair
    call = channel.unary_stream("/t.T/us_fill")(b"", timeout=3 * PATIENCE)
    next(call)
    last = -1
    while service.produced != last:
        last = service.produced
        time.sleep(0.3)
    assert last < 400
    assert sum(1 for _ in call) == 999


def test_the_deadline_reaches_the_server_and_cancels_there(pair):
    service, channel = pair
    unary(channel, "echo")(b"", timeout=1000)
    assert 900 < service.remaining < 1100  # a client may round it up: to ten seconds, where it is as long as this
    with pytest.raises(grpc.RpcError) as error:
        unary(channel, "wait")(b"", timeout=0.3)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert service.cancelled.wait(PATIENCE)


def test_a_cancelled_call_is_cancelled_at_the_server(pair):
    service, channel = pair
    call = channel.unary_stream("/t.T/us_endless")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    call.cancel()
    assert service.cancelled.wait(PATIENCE)


def test_a_server_that_is_gone_is_unavailable(portico, server, channel):
    backend = server()
    client = channel(portico(to(backend.url), "--workers", "1"))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"
    backend.stop()
    with pytest.raises(grpc.RpcError) as error:
        unary(client, "echo")(b"x", timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


def test_calls_go_on_when_a_server_comes_back(portico, server, channel):
    backend = server()
    client = channel(portico(to(backend.url)))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"
    backend.stop()
    server(port=backend.port)

    def answers():
        try:
            return unary(client, "echo")(b"again", timeout=1) == b"again"
        except grpc.RpcError:
            return False
    wait_for("the server to be back", answers)


def test_a_server_under_tls(portico, server, channel, authority):
    issued = authority.issue("127.0.0.1")
    credentials = grpc.ssl_server_credentials([(issued.key.read_bytes(), issued.cert.read_bytes())])
    backend = server(credentials=credentials)
    client = channel(portico(to(backend.url, serversTransport={"rootCAs": [str(authority.cert)]})))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"


def test_calls_are_spread_over_servers(portico, server, channel):
    backends = [server(), server()]
    client = channel(portico(to(*(backend.url for backend in backends)), "--workers", "1"))
    for _ in range(4):
        unary(client, "echo")(b"x", timeout=PATIENCE)
    assert all(backend.service.metadata for backend in backends)


@pytest.mark.parametrize("scheme", ["h2c", "http"])
def test_the_health_protocol_decides_who_is_asked(portico, server, scheme):
    backend = server()
    url = backend.url.replace("h2c", scheme)
    proxy = portico(to(url, service={"healthCheck": {"mode": "grpc", "interval": "50ms"}}))
    proxy.wait_until("the server to be out", lambda: "does not serve" in proxy.log)
    backend.service.serving.set()
    proxy.wait_until("the server to be back", lambda: "is healthy" in proxy.log)
    assert all("service=main@file" in line for line in proxy.log.splitlines() if "the server is" in line)
