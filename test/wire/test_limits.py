"""Time limits that shed those who waste, and spare those who work slowly."""
import threading
import time

import pytest

from harness import backend as act
from harness.http1 import Ended, response_bytes
from harness.portico import to
from harness.waiting import wait_for


def timeouts(**responding):
    return {"web": {"transport": {"respondingTimeouts": responding}}}


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
def test_a_head_that_never_ends_is_cut_off(portico, backend, sent):
    server = backend()
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="1s")))
    client = proxy.client().send(sent)
    try:
        assert client.response().status == 408
    except Ended:
        pass        # closing without a word is as good
    if not client.reader.at_end:
        client.assert_closed()
    assert server.requests == []


def test_a_head_in_drops_is_cut_off(portico, backend):
    server = backend()
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="1s")))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\n")

    def shed():
        if client.readable(0.1):
            return True
        try:
            client.send(b"X: y\r\n")
        except OSError:
            return True
    wait_for("the connection to be cut off", shed)
    assert server.requests == []


def test_a_connection_that_says_nothing_is_closed(portico, backend):
    proxy = portico(to(backend().url, entryPoints=timeouts(idleTimeout="1s", readTimeout="1s")))
    client = proxy.client()
    try:
        client.assert_closed()
    except AssertionError:
        assert client.response().status == 408


def test_an_idle_keep_alive_connection_is_closed(portico, backend):
    proxy = portico(to(backend().url, entryPoints=timeouts(idleTimeout="1s")))
    client = proxy.client()
    client.request()
    client.assert_closed()


def test_a_slow_upload_that_makes_progress_is_left_alone(portico, backend):
    server = backend()
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="5s", minimumRate=1, minimumRateGrace="1s")))
    client = proxy.client().send_request("POST", "/", [("Content-Length", "100")])
    for _ in range(20):     # well over readTimeout in all
        time.sleep(0.3)
        client.send(b"slow.")
    assert client.response().status == 200
    assert server.last.body == b"slow." * 20


def test_an_upload_that_stops_is_cut_off(portico, raw_server):
    server = raw_server([act.head, act.until_end])
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="1s")))
    client = proxy.client().send_request("POST", "/", [("Content-Length", "100")]).send(b"a part")
    try:
        assert client.response().status == 408
    except Ended:
        pass
    server.wait_until_played()
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_an_upload_below_the_minimum_rate_is_cut_off(portico, raw_server):
    server = raw_server([act.head, act.until_end])
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="60s", minimumRate=1000000, minimumRateGrace="1s")))
    client = proxy.client().send_request("POST", "/", [("Content-Length", "100000000")])
    gone = threading.Event()

    def drops():
        while not gone.is_set():
            try:
                client.send(b"drop")
            except OSError:
                return
            time.sleep(0.1)
    thread = threading.Thread(target=drops)
    thread.start()
    try:
        server.wait_until_played()
    finally:
        gone.set()
        thread.join()
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_a_reader_that_stops_is_cut_off(portico, raw_server):
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 1073741824\r\n\r\n",
                         act.repeat(bytes(1 << 20), 1024)])
    proxy = portico(to(server.url, entryPoints=timeouts(writeTimeout="1s")))
    proxy.client(receive_buffer=65536).send_request()
    wait_for("the connection behind to end", lambda: server.accepted and server.open_connections() == 0)
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_a_reader_that_stops_is_cut_off_by_the_rate_where_there_is_no_timeout(portico, raw_server):
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 1073741824\r\n\r\n",
                         act.repeat(bytes(1 << 20), 1024)])
    proxy = portico(to(server.url, entryPoints=timeouts(writeTimeout="0s", minimumRate="64MiB", minimumRateGrace="1s")))
    proxy.client(receive_buffer=65536).send_request()
    wait_for("the connection behind to end", lambda: server.accepted and server.open_connections() == 0)
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_an_upload_that_stops_is_cut_off_by_the_rate_where_there_is_no_timeout(portico, raw_server):
    server = raw_server([act.head, act.until_end])
    proxy = portico(to(server.url, entryPoints=timeouts(readTimeout="0s", minimumRateGrace="1s")))
    proxy.client().send_request("POST", "/", [("Content-Length", "100")]).send(b"a part")
    assert proxy.access()[0]["reason"] == "client_too_slow"


def test_silence_of_the_server_is_not_held_against_the_client(portico, raw_server):
    """An event stream says nothing for longer than the grace, and then more at once than fits on the way."""
    size = 16 << 20
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\n"
                         b"Content-Length: %d\r\n\r\n" % (size + 1), b"a", act.pause(6),
                         act.repeat(bytes(1 << 20), size >> 20)])
    proxy = portico(to(server.url, entryPoints=timeouts(minimumRate="1MiB", minimumRateGrace="5s")))
    response = proxy.client(receive_buffer=65536).request()
    assert response.status == 200 and len(response.body) == size + 1


def test_a_server_that_does_not_answer_becomes_504(portico, raw_server):
    server = raw_server([act.request, act.until_end])
    proxy = portico(to(server.url, serversTransport={"forwardingTimeouts": {"responseHeaderTimeout": "1s"}}))
    client = proxy.client()
    assert client.request("POST", "/", body=b"x").status == 504
    assert proxy.access()[0]["reason"] == "upstream_timeout"
    server.wait_until_played()


def test_a_response_that_stops_is_cut_off(portico, raw_server):
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 100\r\n\r\na part", act.until_end])
    proxy = portico(to(server.url, serversTransport={"forwardingTimeouts": {"readTimeout": "1s"}}))
    with pytest.raises(Ended):
        proxy.client().request()
    assert proxy.access()[0]["reason"] == "upstream_too_slow"


def test_an_idle_connection_behind_is_closed_in_time(portico, backend):
    server = backend()
    proxy = portico(to(server.url, serversTransport={"forwardingTimeouts": {"idleConnTimeout": "1s"}}))
    proxy.get()
    wait_for("the idle connection to be closed", lambda: server.open_connections() == 0)
    assert proxy.get().status == 200


def test_no_idle_connection_behind_is_kept_when_none_may_be(portico, backend):
    server = backend()
    proxy = portico(to(server.url, serversTransport={"maxIdleConnsPerHost": -1}))
    client = proxy.client()
    for _ in range(3):
        assert client.request().status == 200
    wait_for("no connection to be left", lambda: server.open_connections() == 0)
    assert server.accepted == 3


def test_idle_connections_beyond_the_limit_last_from_one_wave_of_requests_to_the_next(portico, backend):
    together = threading.Barrier(4)

    def answer(request):
        together.wait(timeout=30)
        return response_bytes()

    server = backend(answer)
    proxy = portico(to(server.url, serversTransport={"maxIdleConnsPerHost": 1}), "--workers", "1")
    clients = [proxy.client() for _ in range(4)]

    def connections_for_a_wave():
        before = server.accepted
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [client.response().status for client in clients] == [200] * 4
        return server.accepted - before

    assert connections_for_a_wave() == 4
    wait_for("a wave that needs no new connection", lambda: connections_for_a_wave() == 0)
    wait_for("the limit to be kept in the quiet", lambda: server.open_connections() == 1)


def test_a_connection_serves_as_many_requests_as_it_may(portico, backend):
    proxy = portico(to(backend().url, entryPoints={"web": {"transport": {"keepAliveMaxRequests": 3}}}))
    client = proxy.client()
    answers = [client.request().get("Connection", "").lower() for _ in range(3)]
    assert answers[2] == "close" and "close" not in answers[:2]
    client.assert_closed()


def test_many_who_waste_do_not_hold_up_those_who_work(portico, backend):
    proxy = portico(to(backend(lambda request: response_bytes(body=b"served")).url))
    for _ in range(300):
        proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    for _ in range(20):
        assert proxy.get().body == b"served"
