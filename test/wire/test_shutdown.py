"""Stopping: what runs is finished, what idles is closed, and nobody waits longer than the grace period."""
import contextlib
import signal
import socket
import threading
import time

import pytest

from harness import backend as act
from harness.http1 import Ended, response_bytes
from harness.portico import to
from harness.waiting import wait_for


def graceful(seconds):
    return {"web": {"transport": {"lifeCycle": {"graceTimeOut": f"{seconds}s"}}}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_process_ends_at_once(portico, backend, number):
    proxy = portico(to(backend().url))
    proxy.get()
    proxy.process.signal(number)
    assert proxy.process.wait() == 0


def test_a_second_signal_does_no_harm_whenever_it_comes(portico, backend):
    server = backend()
    for milliseconds in range(24):
        proxy = portico(to(server.url), "--workers", "4")
        proxy.process.signal(signal.SIGTERM)
        time.sleep(milliseconds / 1000)
        proxy.process.signal(signal.SIGTERM)
        assert proxy.process.wait() == 0, proxy.log


def test_an_idle_keep_alive_connection_is_closed(portico, backend):
    proxy = portico(to(backend().url))
    client = proxy.client()
    client.request()
    proxy.process.signal(signal.SIGTERM)
    client.assert_closed()
    assert proxy.process.wait() == 0


def test_a_connection_that_never_began_its_handshake_is_closed(portico, backend):
    proxy = portico(to(backend().url, router={"tls": {}}, entryPoints=graceful(60)))
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as silent:
        assert proxy.get("/").status == 400 # in the clear: by then the silent one was accepted
        proxy.process.signal(signal.SIGTERM)
        assert silent.recv(1) == b""
    assert proxy.process.wait() == 0


def test_a_handshake_that_is_not_finished_does_not_hold_the_process(portico, backend):
    """It is no request: graceTimeOut is not for it."""
    proxy = portico(to(backend().url, router={"tls": {}}, entryPoints=graceful(600)))
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as half:
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert proxy.get("/").status == 400
        proxy.process.signal(signal.SIGTERM)
        with contextlib.suppress(ConnectionResetError): # where its bytes lay unread
            assert half.recv(1) == b""
    assert proxy.process.wait() == 0


def test_a_request_under_way_is_finished_and_its_connection_closed(portico, raw_server):
    go_on = threading.Event()
    server = raw_server([act.request, act.wait_on(go_on), response_bytes(body=b"finished")])
    proxy = portico(to(server.url, entryPoints=graceful(30)))
    client = proxy.client().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    proxy.process.signal(signal.SIGTERM)
    wait_for("the listener to close", lambda: refused(proxy.port))
    go_on.set()
    response = client.response()
    assert response.body == b"finished" and response.get("Connection", "").lower() == "close"
    client.assert_closed()
    assert proxy.process.wait() == 0


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


@pytest.mark.parametrize("how", ["a signal", "a file"])
def test_a_process_that_stops_takes_no_other_configuration(portico, raw_server, how):
    go_on = threading.Event()
    server = raw_server([act.request, act.wait_on(go_on), response_bytes(body=b"finished")])
    config = to(server.url, entryPoints=graceful(30), providers={"providersThrottleDuration": "10ms"})
    proxy = portico(config)
    client = proxy.client().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    proxy.process.signal(signal.SIGTERM)
    wait_for("the listener to close", lambda: refused(proxy.port))
    proxy.write({**config, "entryPoints": {**graceful(30), "more": {}}})
    if how == "a signal":
        proxy.process.signal(signal.SIGHUP)
    proxy.process.wait_for_output("the configuration stays as it is")
    assert refused(proxy.ports["more"])
    go_on.set()
    assert client.response().body == b"finished"
    assert proxy.process.wait() == 0


def test_a_body_under_way_is_finished(portico, raw_server):
    go_on = threading.Event()
    server = raw_server([act.request, b"HTTP/1.1 200 Fine\r\nContent-Length: 10\r\n\r\nfirst", act.wait_on(go_on), b"after"])
    proxy = portico(to(server.url, entryPoints=graceful(30)))
    client = proxy.client().send_request()
    assert client.reader.response_head().status == 200
    proxy.process.signal(signal.SIGTERM)
    wait_for("the listener to close", lambda: refused(proxy.port))
    go_on.set()
    assert client.reader.take(10) == b"firstafter"
    assert proxy.process.wait() == 0


def test_the_grace_period_ends_what_does_not_end(portico, raw_server):
    server = raw_server([act.request, act.until_end])
    proxy = portico(to(server.url, entryPoints=graceful(1)))
    client = proxy.client().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    proxy.process.signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    with pytest.raises(Ended):
        client.response()


def test_a_second_signal_ends_at_once(portico, raw_server):
    server = raw_server([act.request, act.until_end])
    proxy = portico(to(server.url, entryPoints=graceful(3600)))
    client = proxy.client().send_request()
    wait_for("the request", lambda: server.played and server.played[0].heads)
    proxy.process.signal(signal.SIGTERM)
    wait_for("the listener to close", lambda: refused(proxy.port))
    proxy.process.signal(signal.SIGTERM)
    proxy.process.wait()
    proxy.clients.remove(client)
    client.close()
    proxy.process.popen.returncode = 0      # how it ends by force is its own choice


def test_a_websocket_does_not_hold_the_process_beyond_the_grace_period(portico, node_ws):
    proxy = portico(to(node_ws.url, entryPoints=graceful(1)))
    websocket = proxy.websocket()
    websocket.echo("hello")
    proxy.process.signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    websocket.client.assert_closed()


def test_nothing_is_lost_when_it_stops_under_load(portico, backend):
    proxy = portico(to(backend().url, entryPoints=graceful(30)))
    errors, served = [], []

    def load():
        try:
            client = proxy.client()
            while True:
                response = client.request()
                served.append(response.status)
                if response.get("Connection", "").lower() == "close":
                    return
        except ConnectionRefusedError:
            pass
        except Ended as error:
            if "before a message" not in str(error):     # an idle connection may be closed between two requests
                errors.append(error)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for("load", lambda: len(served) > 200)
    proxy.process.signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    for thread in threads:
        thread.join()
    assert not errors, errors[:3]
    assert set(served) == {200}
