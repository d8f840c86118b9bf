"""grpc_pass in nginx.conf: calls of a real gRPC client to a real server, by way of Portico and of Debian's nginx with the same file."""
import time

import pytest

from harness.certificates import Authority
from harness.grpc_server import (assert_a_slow_reader_holds_the_server_up, assert_metadata_passes_both_ways, converse, dial, error_of,
                                 grpc, unary, wait_until_it_answers)
from harness.http2 import Http2
from harness.ports import free_port
from harness.waiting import PATIENCE

# What people have in front of gRPC servers so that clients are told in their own words; nginx's documentation has the like.
ERRORS = """
    error_page 502 503 = @unavailable;
    error_page 504 = @deadline;
    error_page 404 = @unimplemented;
    location @unavailable { internal; default_type application/grpc; add_header grpc-status 14; add_header grpc-message "is away"; return 204; }
    location @deadline { internal; default_type application/grpc; add_header grpc-status 4; add_header grpc-message "took too long"; return 204; }
    location @unimplemented { internal; default_type application/grpc; add_header grpc-status 12; return 204; }
"""


@pytest.fixture
def channels(stack):
    """channels(pair) are a channel to each of both, or to the one."""
    def start(pair):
        opened = []
        for like in (pair.portico, pair.nginx) if hasattr(pair, "nginx") else (pair,):
            channel = dial(like.port)
            stack.callback(channel.close)
            opened.append(channel)
        return opened
    return start


def conf(inside, http="", server=""):
    return "%s server { listen 127.0.0.1:@port@ http2; server_name a.example; %s %s }" % (http, server, inside)


def passing(backend, more="", **rest):
    """The whole of a gRPC front as people write it: bodies of any size, no limit that a stream would meet."""
    return conf("location / { grpc_pass %s; client_max_body_size 0; %s }" % (backend.url.replace("h2c:", "grpc:"), more), **rest)


@pytest.fixture
def both(nginx_pair, grpc_server, channels):
    """A service, and channels to it by way of Portico and of nginx."""
    backend = grpc_server()
    return backend.service, channels(nginx_pair(passing(backend)))


def test_unary_calls_with_metadata_both_ways(both):
    service, channels = both
    for channel in channels:
        assert_metadata_passes_both_ways(channel, service)


def test_errors_of_servers_pass_as_they_are(both):
    _, channels = both
    for channel in channels:
        assert error_of(lambda: unary(channel, "refuse")(b"", timeout=PATIENCE)) == (grpc.StatusCode.FAILED_PRECONDITION, "not so: ü")
        assert error_of(lambda: channel.unary_unary("/t.T/none")(b"", timeout=PATIENCE))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_streams_of_the_server(both):
    _, channels = both
    for channel in channels:
        assert list(channel.unary_stream("/t.T/us_count")(b"500", timeout=PATIENCE)) == [b"%d" % number for number in range(500)]
        call = channel.unary_stream("/t.T/us_fail_later")(b"", timeout=PATIENCE)
        assert next(call) == b"first"
        assert error_of(lambda: next(call))[0] == grpc.StatusCode.DATA_LOSS


def test_streams_of_the_client(both):
    _, channels = both
    for channel in channels:
        assert channel.stream_unary("/t.T/su_sum")((b"x" * 1000 for _ in range(200)), timeout=PATIENCE) == b"200000"


def test_conversations(both):
    _, channels = both
    for channel in channels:
        assert converse(channel, [b"one", b"two", b"three"]) == [b"ONE", b"TWO", b"THREE"]


@pytest.mark.parametrize("buffering", ["", "grpc_request_buffering on;"])
def test_big_messages(portico_nginx, grpc_server, channels, buffering):
    channel, = channels(portico_nginx(passing(grpc_server(), buffering)))
    for size in (65536, 1 << 20, 20 << 20):
        assert unary(channel, "echo")(b"m" * size, timeout=PATIENCE) == b"m" * size


def test_a_message_larger_than_bodies_may_be(nginx_pair, grpc_server, channels):
    backend = grpc_server()
    pair = nginx_pair(conf("location / { grpc_pass %s; client_max_body_size 1000; }" % backend.url.replace("h2c:", "grpc:")))
    for channel in channels(pair):
        assert unary(channel, "echo")(b"m" * 900, timeout=PATIENCE) == b"m" * 900
        code, _ = error_of(lambda: unary(channel, "echo")(b"m" * 5000, timeout=PATIENCE))
        assert code not in (grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_deadlines_reach_the_server_and_cancel_there(both):
    service, channels = both
    for channel in channels:
        service.cancelled.clear()
        unary(channel, "echo")(b"", timeout=1000)
        assert 900 < service.remaining < 1100
        assert error_of(lambda: unary(channel, "wait")(b"", timeout=0.3))[0] == grpc.StatusCode.DEADLINE_EXCEEDED
        assert service.cancelled.wait(PATIENCE)


def test_cancelled_calls_are_cancelled_at_the_server(both):
    service, channels = both
    for channel in channels:
        service.cancelled.clear()
        call = channel.unary_stream("/t.T/us_endless")(b"", timeout=PATIENCE)
        assert next(call) == b"first"
        call.cancel()
        assert service.cancelled.wait(PATIENCE)


def test_a_client_that_does_not_read_holds_the_server_up(portico_nginx, grpc_server, channels):
    backend = grpc_server()
    channel, = channels(portico_nginx(passing(backend)))
    assert_a_slow_reader_holds_the_server_up(channel, backend.service)


def test_fields_for_the_server(nginx_pair, grpc_server, channels):
    backend = grpc_server()
    pair = nginx_pair(passing(backend, "grpc_set_header X-Real-IP $remote_addr; grpc_set_header X-Host $host; grpc_set_header X-Drop '';"))
    for channel in channels(pair):
        backend.service.metadata = {}
        unary(channel, "echo")(b"", metadata=[("x-drop", "1"), ("x-keep", "2")], timeout=PATIENCE)
        seen = backend.service.metadata
        assert seen["x-real-ip"] == "127.0.0.1" and seen["x-host"] == "127.0.0.1" and seen["x-keep"] == "2" and "x-drop" not in seen


def test_fields_for_the_client(nginx_pair, grpc_server, channels):
    pair = nginx_pair(passing(grpc_server(), "grpc_hide_header X-First; add_header X-Added yes;"))
    for channel in channels(pair):
        _, call = unary(channel, "echo").with_call(b"", timeout=PATIENCE)
        keys = dict(call.initial_metadata())
        assert "x-first" not in keys and keys["x-added"] == "yes"


def test_servers_that_are_away_in_words_of_grpc(nginx_pair, channels):
    pair = nginx_pair(conf("location / { grpc_pass grpc://127.0.0.1:%d; }" % free_port(), server=ERRORS))
    for channel in channels(pair):
        assert error_of(lambda: unary(channel, "echo")(b"", timeout=PATIENCE)) == (grpc.StatusCode.UNAVAILABLE, "is away")


def test_servers_that_are_away_without_such_words(nginx_pair, channels):
    pair = nginx_pair(conf("location / { grpc_pass grpc://127.0.0.1:%d; }" % free_port()))
    for channel in channels(pair):
        assert error_of(lambda: unary(channel, "echo")(b"", timeout=PATIENCE))[0] == grpc.StatusCode.UNAVAILABLE


def test_services_that_no_location_has(nginx_pair, grpc_server, channels):
    backend = grpc_server()
    pair = nginx_pair(conf("location /t.T/ { grpc_pass %s; } location / { return 404; }" % backend.url.replace("h2c:", "grpc:"), server=ERRORS))
    for channel in channels(pair):
        assert unary(channel, "echo")(b"x", timeout=PATIENCE) == b"x"
        assert error_of(lambda: channel.unary_unary("/o.O/none")(b"", timeout=PATIENCE))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_a_server_that_says_nothing_for_too_long(nginx_pair, grpc_server, channels):
    backend = grpc_server()
    for channel in channels(nginx_pair(passing(backend, "grpc_read_timeout 500ms;", server=ERRORS))):
        backend.service.cancelled.clear()
        assert error_of(lambda: unary(channel, "wait")(b"", timeout=PATIENCE)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "took too long")
        assert backend.service.cancelled.wait(PATIENCE)


def test_a_stream_that_goes_on_is_no_silence(portico_nginx, grpc_server, channels):
    """The time is between two reads, not that of the whole call."""
    backend = grpc_server()
    channel, = channels(portico_nginx(passing(backend, "grpc_read_timeout 1s;")))

    def words():
        for number in range(6):
            time.sleep(0.3)
            yield b"%d" % number
    assert list(channel.stream_stream("/t.T/ss_talk")(words(), timeout=PATIENCE)) == [b"%d" % number for number in range(6)]


def test_a_server_that_goes_away_and_comes_back(portico_nginx, grpc_server, channels):
    backend = grpc_server()
    channel, = channels(portico_nginx(passing(backend)))
    assert unary(channel, "echo")(b"x", timeout=PATIENCE) == b"x"
    backend.stop()
    assert error_of(lambda: unary(channel, "echo")(b"x", timeout=PATIENCE))[0] == grpc.StatusCode.UNAVAILABLE
    grpc_server(port=backend.port)
    wait_until_it_answers(channel)


def test_calls_share_the_connection_that_is_kept(portico_nginx, grpc_server, channels):
    backend = grpc_server()
    text = passing(backend).replace(backend.url.replace("h2c:", "grpc:"), "grpc://up")
    like = portico_nginx("upstream up { server 127.0.0.1:%d; keepalive 4; } log_format up '$upstream_addr $upstream_connect_time'; " % backend.port +
                         text.replace("location", "access_log @folder@/up.log up; location"))
    channel, = channels(like)
    for number in range(5):
        assert unary(channel, "echo")(b"%d" % number, timeout=PATIENCE) == b"%d" % number
    lines = [line.split() for line in like.access_log(5, "up.log")]
    assert {address for address, _ in lines} == {f"127.0.0.1:{backend.port}"}
    assert [float(time_taken) for _, time_taken in lines[1:]] == [0.0] * 4


def test_calls_are_spread_over_an_upstream(nginx_pair, grpc_server, channels):
    backends = [grpc_server(), grpc_server()]
    text = conf("location / { grpc_pass grpc://up; }",
                http="upstream up { %s }" % " ".join(f"server 127.0.0.1:{backend.port};" for backend in backends))
    for channel in channels(nginx_pair(text)):
        for backend in backends:
            backend.service.metadata = {}
        for _ in range(4):
            unary(channel, "echo")(b"x", timeout=PATIENCE)
        assert all(backend.service.metadata for backend in backends)


def test_a_server_under_tls(nginx_pair, grpc_server, channels, tmp_path):
    authority = Authority(tmp_path)
    issued = authority.issue("backend.example")
    backend = grpc_server(credentials=grpc.ssl_server_credentials([(issued.key.read_bytes(), issued.cert.read_bytes())]))
    verified = "grpc_ssl_verify on; grpc_ssl_trusted_certificate %s; grpc_ssl_name %s; grpc_ssl_server_name on;"
    good = nginx_pair(conf("location / { grpc_pass grpcs://127.0.0.1:%d; %s }" % (backend.port, verified % (authority.cert, "backend.example"))))
    for channel in channels(good):
        assert unary(channel, "echo")(b"x", timeout=PATIENCE) == b"x"
    other = nginx_pair(conf("location / { grpc_pass grpcs://127.0.0.1:%d; %s }" % (backend.port, verified % (authority.cert, "other.example"))))
    for channel in channels(other):
        assert error_of(lambda: unary(channel, "echo")(b"x", timeout=PATIENCE))[0] == grpc.StatusCode.UNAVAILABLE


def test_the_log_tells_the_status_of_the_call(portico_nginx, grpc_server, channels):
    text = passing(grpc_server()).replace("location", "access_log @folder@/grpc.log grpc; location")
    like = portico_nginx("log_format grpc '$status $upstream_trailer_grpc_status $request'; " + text)
    channel, = channels(like)
    unary(channel, "echo")(b"x", timeout=PATIENCE)
    error_of(lambda: channel.unary_stream("/t.T/us_fail_later")(b"", timeout=PATIENCE).__next__() and list(
        channel.unary_stream("/t.T/us_fail_later")(b"", timeout=PATIENCE)))
    lines = like.access_log(3, "grpc.log")
    assert lines[0] == "200 0 POST /t.T/uu_echo HTTP/2.0" and "200 15 POST /t.T/us_fail_later HTTP/2.0" in lines


# ---- requests that HTTP/2 does not allow, at a front with error pages ----

def test_malformed_requests_get_the_page_of_their_site(portico_nginx, stack):
    like = portico_nginx("log_format all '$status $host $request'; access_log @folder@/all.log all;"
                         "server { listen 127.0.0.1:@port@; http2 on; server_name a.example; error_page 400 /bad;"
                         "         location /bad { internal; return 400 a; } location / { return 200 fine; } }"
                         "server { listen 127.0.0.1:@port@; http2 on; server_name b.example; error_page 400 =499 /bad;"
                         "         location /bad { internal; return 200 b; } location / { return 200 fine; } }")
    client = Http2(like.port)
    stack.callback(client.close)
    for host, status, body in (("a.example", 400, b"a"), ("b.example", 499, b"b")):
        head = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", "/x"), ("connection", "close")]
        answer = client.answer(client.open(head))
        assert (answer.status, answer.body) == (status, body) and answer.ended and answer.reset is None
    assert client.answer(client.open([(":method", "GET"), (":scheme", "http"), (":authority", "b.example"), (":path", "/")])).body == b"fine"
    assert not client.goaways
    assert like.access_log(3, "all.log") == ["400 a.example GET /x HTTP/2.0", "499 b.example GET /x HTTP/2.0", "200 b.example GET / HTTP/2.0"]
