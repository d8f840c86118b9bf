"""gRPC through the proxy: calls of all four kinds, with python3-grpcio as client and server. Messages are plain bytes, so that
no schema is needed."""
import pytest

from harness.grpc_server import (assert_a_slow_reader_holds_the_server_up, assert_metadata_passes_both_ways, converse, dial, error_of,
                                 grpc, unary, wait_until_it_answers)
from harness.portico import to
from harness.waiting import PATIENCE


@pytest.fixture
def channel(stack):
    def start(proxy):
        channel = dial(proxy.port)
        stack.callback(channel.close)
        return channel
    return start


@pytest.fixture
def pair(portico, grpc_server, channel):
    """A service, and a channel to it by way of the proxy."""
    backend = grpc_server()
    return backend.service, channel(portico(to(backend.url), "--workers", "1"))


def test_a_unary_call_with_metadata_both_ways(pair):
    service, channel = pair
    assert_metadata_passes_both_ways(channel, service)


def test_many_calls_at_once(pair):
    _, channel = pair
    calls = [unary(channel, "echo").future(b"%d" % number, timeout=PATIENCE) for number in range(300)]
    assert [call.result() for call in calls] == [b"%d" % number for number in range(300)]


def test_an_error_without_a_message_is_passed_on(pair):
    _, channel = pair
    assert error_of(lambda: unary(channel, "refuse")(b"", timeout=PATIENCE)) == (grpc.StatusCode.FAILED_PRECONDITION, "not so: ü")


def test_an_unknown_method_is_unimplemented(pair):
    _, channel = pair
    assert error_of(lambda: channel.unary_unary("/t.T/none")(b"", timeout=PATIENCE))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_streams_of_the_server(pair):
    _, channel = pair
    assert list(channel.unary_stream("/t.T/us_count")(b"500", timeout=PATIENCE)) == [b"%d" % number for number in range(500)]
    assert list(channel.unary_stream("/t.T/us_count")(b"0", timeout=PATIENCE)) == []


def test_an_error_behind_messages(pair):
    _, channel = pair
    call = channel.unary_stream("/t.T/us_fail_later")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    assert error_of(lambda: next(call))[0] == grpc.StatusCode.DATA_LOSS


def test_streams_of_the_client(pair):
    _, channel = pair
    assert channel.stream_unary("/t.T/su_sum")((b"x" * 1000 for _ in range(200)), timeout=PATIENCE) == b"200000"
    assert channel.stream_unary("/t.T/su_sum")(iter(()), timeout=PATIENCE) == b"0"


def test_a_conversation(pair):
    _, channel = pair
    assert converse(channel, [b"one", b"two", b"three"]) == [b"ONE", b"TWO", b"THREE"]


@pytest.mark.parametrize("size", [65536, 1 << 20, 20 << 20])
def test_large_messages(pair, size):
    _, channel = pair
    assert unary(channel, "echo")(b"m" * size, timeout=PATIENCE) == b"m" * size


def test_a_client_that_does_not_read_holds_the_server_up(pair):
    service, channel = pair
    assert_a_slow_reader_holds_the_server_up(channel, service)


def test_the_deadline_reaches_the_server_and_cancels_there(pair):
    service, channel = pair
    unary(channel, "echo")(b"", timeout=1000)
    assert 900 < service.remaining < 1100  # a client may round it up: to ten seconds, where it is as long as this
    assert error_of(lambda: unary(channel, "wait")(b"", timeout=0.3))[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert service.cancelled.wait(PATIENCE)


def test_a_cancelled_call_is_cancelled_at_the_server(pair):
    service, channel = pair
    call = channel.unary_stream("/t.T/us_endless")(b"", timeout=PATIENCE)
    assert next(call) == b"first"
    call.cancel()
    assert service.cancelled.wait(PATIENCE)


def test_a_server_that_is_gone_is_unavailable(portico, grpc_server, channel):
    backend = grpc_server()
    client = channel(portico(to(backend.url), "--workers", "1"))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"
    backend.stop()
    assert error_of(lambda: unary(client, "echo")(b"x", timeout=PATIENCE))[0] == grpc.StatusCode.UNAVAILABLE


def test_calls_go_on_when_a_server_comes_back(portico, grpc_server, channel):
    backend = grpc_server()
    client = channel(portico(to(backend.url)))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"
    backend.stop()
    grpc_server(port=backend.port)
    wait_until_it_answers(client)


def test_a_server_under_tls(portico, grpc_server, channel, authority):
    issued = authority.issue("127.0.0.1")
    credentials = grpc.ssl_server_credentials([(issued.key.read_bytes(), issued.cert.read_bytes())])
    backend = grpc_server(credentials=credentials)
    client = channel(portico(to(backend.url, serversTransport={"rootCAs": [str(authority.cert)]})))
    assert unary(client, "echo")(b"x", timeout=PATIENCE) == b"x"


def test_calls_are_spread_over_servers(portico, grpc_server, channel):
    backends = [grpc_server(), grpc_server()]
    client = channel(portico(to(*(backend.url for backend in backends)), "--workers", "1"))
    for _ in range(4):
        unary(client, "echo")(b"x", timeout=PATIENCE)
    assert all(backend.service.metadata for backend in backends)


@pytest.mark.parametrize("scheme", ["h2c", "http"])
def test_the_health_protocol_decides_who_is_asked(portico, grpc_server, scheme):
    backend = grpc_server()
    url = backend.url.replace("h2c", scheme)
    proxy = portico(to(url, service={"healthCheck": {"mode": "grpc", "interval": "50ms"}}))
    proxy.wait_until("the server to be out", lambda: "does not serve" in proxy.log)
    backend.service.serving.set()
    proxy.wait_until("the server to be back", lambda: "is healthy" in proxy.log)
    assert all("service=main@file" in line for line in proxy.log.splitlines() if "the server is" in line)
