"""Servers that are about to stop: nobody new is sent there while others are ready, and whoever is there may finish."""
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from harness import backend as act
from harness.http1 import response_bytes
from harness.http2_backend import Answer, Http2Backend
from harness.load import Load
from harness.portico import to
from harness.waiting import PATIENCE

API = {"api": {"insecure": True}, "entryPoints": {"web": {}, "traefik": {}}, "providers": {"providersThrottleDuration": "20ms"}}


def config(*servers, service=None, **more):
    return to(*servers, service={"holdTimeout": "300s", **(service or {})}, **{**API, **more})


def leaving(server):
    return {"url": server.url, "leaving": True}


def named(name):
    return lambda request: response_bytes(body=name.encode())


def take_up(proxy, configuration, number):
    proxy.write(configuration)
    proxy.wait_until("the configuration", lambda: f"configuration {number} is running" in proxy.log)


def state_of(proxy, server):
    rows = proxy.get("/api/portico/servers", entry_point="traefik").json()
    return next(row for row in (rows["items"] if isinstance(rows, dict) else rows) if row["url"] == server.url)


def test_one_that_leaves_gets_nothing_while_another_is_ready(portico, backend):
    old, new = backend(named("old")), backend(named("new"))
    proxy = portico(config(old.url))
    assert proxy.get().body == b"old"
    take_up(proxy, config(leaving(old), new.url), 2)
    assert {proxy.get().body for _ in range(10)} == {b"new"}
    row = state_of(proxy, old)
    assert row["state"] == row["configuredState"] == "leaving" and "about to stop" in row["why"]


def test_its_idle_connections_are_closed(portico, backend):
    old, new = backend(), backend()
    proxy = portico(config(old.url))
    proxy.get()
    assert old.open_connections() == 1
    take_up(proxy, config(leaving(old), new.url), 2)
    proxy.wait_until("it to be closed", lambda: old.open_connections() == 0)


def test_where_nobody_else_is_ready_it_is_asked_over_new_connections(portico, backend):
    old = backend()
    proxy = portico(config(old.url))
    proxy.get()
    take_up(proxy, config(leaving(old)), 2)
    before = old.accepted
    assert [proxy.get().status for _ in range(3)] == [200] * 3
    assert old.accepted == before + 3
    proxy.wait_until("none to stay", lambda: old.open_connections() == 0)


def test_once_it_refuses_requests_wait_for_the_next(portico, backend):
    old, new = backend(named("old")), backend(named("new"))
    proxy = portico(config(leaving(old)))
    assert proxy.get().body == b"old"
    old.stop()
    clients = [proxy.client() for _ in range(5)]
    for client in clients:
        client.send_request("POST", body=b"x")
    proxy.wait_until("all to wait", lambda: sum(
        one["held"] for one in proxy.get("/api/portico/exchanges", entry_point="traefik").json()) == 5)
    proxy.write(config(leaving(old), new.url))
    assert {client.response("POST").body for client in clients} == {b"new"}


def test_clients_that_stick_to_it_go_elsewhere(portico, backend):
    old, new = backend(named("old")), backend(named("new"))
    sticky = {"sticky": {"cookie": {"name": "who"}}}
    proxy = portico(config(old.url, service=sticky))
    cookie = proxy.get().get("Set-Cookie").split(";")[0]
    take_up(proxy, config(leaving(old), new.url, service=sticky), 2)
    response = proxy.get(fields=[("Cookie", cookie)])
    assert response.body == b"new" and response.get("Set-Cookie").startswith("who=")


def test_a_response_under_way_is_whole(portico, raw_server, backend):
    go_on = threading.Event()
    old = raw_server([act.request, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst", act.wait_on(go_on), b"after"])
    new = backend()
    proxy = portico(config(old.url))
    client = proxy.client()
    client.send_request()
    proxy.wait_until("it to be asked", lambda: old.accepted == 1)
    take_up(proxy, config(leaving(old), new.url), 2)
    go_on.set()
    assert client.response().body == b"firstafter"


def test_a_websocket_goes_on(portico, node_ws, backend):
    new = backend()
    proxy = portico(config(node_ws.url))
    socket = proxy.websocket()
    take_up(proxy, config(leaving(node_ws), new.url), 2)
    socket.echo(b"still here")
    assert socket.close() == 1000


def test_a_shared_connection_ends_with_its_last_request(portico, backend, stack):
    go_on = threading.Event()

    def answer(request):
        if request.path == "/slow":
            assert go_on.wait(PATIENCE)
        return Answer(body=b"old")
    old, new = Http2Backend(answer), backend(named("new"))
    stack.callback(old.stop)
    proxy = portico(config(old.url, workers=1))
    client = proxy.client()
    client.send_request(target="/slow")
    proxy.wait_until("it to be asked", lambda: len(old.requests) == 1)
    take_up(proxy, config(leaving(old), new.url, workers=1), 2)
    assert proxy.get().body == b"new"
    go_on.set()
    assert client.response().body == b"old"
    proxy.wait_until("the connection to be closed", lambda: old.open_connections() == 0)


def test_that_its_last_server_leaves_is_no_failure(portico, backend):
    old = backend()
    proxy = portico(config(leaving(old)))
    old.stop()
    client = proxy.client()
    client.send_request()

    def texts():
        return [problem["text"] for problem in proxy.get("/api/portico/problems", entry_point="traefik").json()]
    proxy.wait_until("it to be told", lambda: texts())
    assert len(texts()) == 1 and "about to stop: once they refuse, its requests wait for one" in texts()[0]


def test_one_that_comes_back_at_the_same_address_serves_again(portico, backend):
    server = backend()
    proxy = portico(config(leaving(server), workers=1))
    proxy.get()
    take_up(proxy, config(server.url, workers=1), 2)
    before = server.accepted
    assert [proxy.get().status for _ in range(3)] == [200] * 3
    assert server.accepted == before + 1
    assert state_of(proxy, server)["state"] == "ready"


def test_one_that_comes_back_starts_slowly(portico, backend):
    back, other = backend(named("back")), backend(named("other"))
    slow = {"slowStart": "10m"}
    proxy = portico(config(leaving(back), other.url, service=slow))
    proxy.get()
    take_up(proxy, config(back.url, other.url, service=slow), 2)
    answers = [proxy.get().body for _ in range(110)]
    assert 1 <= answers.count(b"back") <= 30


def test_a_newcomer_starts_slowly_beside_others_but_not_alone_nor_at_the_start(portico, backend):
    servers = [backend(named(name)) for name in "abc"]
    slow = {"slowStart": "10m"}
    proxy = portico(config(servers[0].url, servers[1].url, service=slow))
    answers = [proxy.get().body for _ in range(20)]
    assert min(answers.count(b"a"), answers.count(b"b")) >= 8
    take_up(proxy, config(servers[0].url, servers[2].url, service=slow), 2)
    answers = [proxy.get().body for _ in range(110)]
    assert 1 <= answers.count(b"c") <= 30
    take_up(proxy, config(servers[2].url, service=slow), 3)
    assert {proxy.get().body for _ in range(10)} == {b"c"}


def test_a_refused_configuration_makes_nobody_leave(portico, backend):
    one, two = backend(named("one")), backend(named("two"))
    proxy = portico(config(one.url, two.url))
    broken = config(leaving(one), two.url)
    broken["http"]["routers"]["main"]["servce"] = "main"
    proxy.write(broken)
    proxy.wait_until("it to be refused", lambda: "servce" in proxy.log)
    assert {proxy.get().body for _ in range(10)} == {b"one", b"two"}


@pytest.mark.tsan
def test_rolling_replacement_under_load_loses_nothing(portico, backend):
    """As docker compose up -d does with one replica: stop signal, gone, a new one at another address."""
    old = backend(named("0"))
    proxy = portico(config(old.url))

    def some(load, count=50):
        served = load.served
        proxy.wait_until("load", lambda: load.served >= served + count)
    with Load(proxy.port, clients=8) as load:
        for turn in range(1, 7):
            some(load)
            proxy.write(config(leaving(old)))
            time.sleep(0.05)
            old.stop()
            proxy.write(config())
            time.sleep(0.05)
            old = backend(named(str(turn)))
            proxy.write(config(old.url))
        some(load)
    load.assert_all(200)


# Idle connections that a server closes at the moment of a request

def late(proxy, server, client, method, body=b""):
    """A request that the proxy reads before it hears that the server has closed its idle connection."""
    pid = proxy.process.popen.pid
    os.kill(pid, signal.SIGSTOP)
    proxy.wait_until("it to stand still", lambda: all(
        (task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in Path(f"/proc/{pid}/task").iterdir()))
    try:
        client.send_request(method, "/late", body=body)
        time.sleep(0.05)
        server.close_connections()
        time.sleep(0.05)
    finally:
        os.kill(pid, signal.SIGCONT)
    return client.response(method)


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", b""), ("POST", b"small"), ("PATCH", b"x" * 16000)],
                         ids=["GET", "POST", "POST small", "PATCH large"])
def test_what_a_server_never_got_is_sent_again_whatever_the_method(portico, backend, method, body):
    server = backend()
    proxy = portico(to(server.url, workers=1))
    client = proxy.client()
    assert client.request(method, "/", body=body).status == 200
    for turn in range(1, 4):
        assert late(proxy, server, client, method, body).status == 200
        assert [request.body for request in server.requests if request.target == "/late"] == [body] * turn
    assert server.accepted == 4


def test_what_a_server_has_read_on_an_idle_connection_is_not_sent_again(portico, raw_server):
    server = raw_server([act.request, response_bytes(), act.request, act.close])
    proxy = portico(to(server.url, workers=1))
    client = proxy.client()
    assert client.request("POST", "/", body=b"one").status == 200
    assert client.request("POST", "/", body=b"two").status == 502
    assert server.accepted == 1


def test_a_kept_body_makes_nothing_else_repeatable(portico, backend):
    answers = iter([200, 503, 200])
    server = backend(lambda request: response_bytes(next(answers)))
    proxy = portico(to(server.url, workers=1, middlewares={"again": {"retry": {"attempts": 3}}}))
    client = proxy.client()
    assert client.request("POST", "/", body=b"one").status == 200
    assert client.request("POST", "/", body=b"two").status == 503
    assert len(server.requests) == 2
