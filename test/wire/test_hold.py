"""While no server is ready requests wait for one: nobody is refused because a container is replaced."""
import threading
import time
from collections import Counter

import pytest

from harness import backend as act
from harness.client import Client
from harness.http1 import response_bytes
from harness.http2 import Http2
from harness.load import Load
from harness.portico import to
from harness.waiting import PATIENCE

API = {"api": {"insecure": True}, "entryPoints": {"web": {}, "traefik": {}}, "providers": {"providersThrottleDuration": "20ms"}}
LONG = "300s"


def holding(*servers, timeout=LONG, service=None, **more):
    return to(*servers, service={"holdTimeout": timeout, **(service or {})}, **{**API, **more})


def named(name):
    return lambda request: response_bytes(body=name.encode())


def held(proxy):
    return [one for one in proxy.get("/api/portico/exchanges", entry_point="traefik").json() if one["held"]]


def wait_until_held(proxy, count=1):
    proxy.wait_until(f"{count} to wait", lambda: len(held(proxy)) == count)


def configuration(proxy, number):
    proxy.wait_until("the configuration", lambda: f"configuration {number} is running" in proxy.log)


# A server comes with a new configuration

def test_a_request_waits_for_the_server_that_a_new_configuration_brings(portico, backend):
    server = backend(named("new"))
    proxy = portico(holding())
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.write(holding(server.url))
    response = client.response()
    assert response.status == 200 and response.body == b"new"
    assert client.request().body == b"new"


def test_a_request_outlives_that_its_service_is_away_for_a_while(portico, backend):
    server = backend(named("new"))
    proxy = portico(holding())
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.write({**API, "http": {"routers": {}, "services": {}}})
    configuration(proxy, 2)
    assert proxy.get().status == 404 and len(held(proxy)) == 1
    proxy.write(holding(server.url))
    assert client.response().body == b"new"


def test_middlewares_and_cookies_of_one_that_has_waited_are_as_ever(portico, backend):
    server = backend(named("new"))
    middlewares = {"prefix": {"addPrefix": {"prefix": "/app"}}}
    config = lambda *servers: holding(*servers, middlewares=middlewares, service={"sticky": {"cookie": {"name": "who"}}})  # noqa: E731
    proxy = portico(config())
    client = proxy.client()
    client.send_request(target="/x")
    wait_until_held(proxy)
    proxy.write(config(server.url))
    assert client.response().get("Set-Cookie", "").startswith("who=")
    assert server.last.target == "/app/x"


def test_a_post_waits_with_its_body(portico, backend):
    server = backend()
    proxy = portico(holding())
    client = proxy.client()
    client.send_request("POST", body=b"small")
    wait_until_held(proxy)
    proxy.write(holding(server.url))
    assert client.response("POST").status == 200
    assert server.last.body == b"small"


def test_a_large_upload_waits_and_comes_whole(portico, backend):
    server = backend()
    proxy = portico(holding())
    client = proxy.client()
    sender = threading.Thread(target=client.send_request, args=("POST",), kwargs={"body": b"l" * 3000000})
    sender.start()
    wait_until_held(proxy)
    proxy.write(holding(server.url))
    assert client.response("POST").status == 200
    sender.join()
    assert server.last.body == b"l" * 3000000


def test_a_websocket_waits_and_opens(portico, node_ws):
    proxy = portico(holding())
    opened = []
    thread = threading.Thread(target=lambda: opened.append(proxy.websocket("/")))
    thread.start()
    wait_until_held(proxy)
    proxy.write(holding(node_ws.url))
    thread.join(PATIENCE)
    opened[0].echo(b"hello")


def test_streams_of_one_connection_wait_each_for_itself(portico, backend, stack):
    server = backend(named("new"))
    proxy = portico(holding())
    client = Http2(proxy.port)
    stack.callback(client.close)
    streams = [client.ask(target=f"/{number}") for number in range(5)]
    wait_until_held(proxy, 5)
    client.reset(streams[2])
    wait_until_held(proxy, 4)
    proxy.write(holding(server.url))
    for stream in streams[:2] + streams[3:]:
        assert client.answer(stream).body == b"new"
    assert sorted(request.target for request in server.requests) == ["/0", "/1", "/3", "/4"]


# It comes, or comes back, without one

def test_a_server_that_refuses_is_waited_for(portico, backend):
    gone = backend()
    gone.stop()
    proxy = portico(holding(gone.url))
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    back = backend(named("back"), port=gone.port)
    assert client.response().body == b"back"
    assert back.accepted == 1


def test_a_get_that_broke_off_is_sent_again_once_a_server_is_there(portico, raw_server, backend):
    breaking = raw_server([act.request, act.close])
    proxy = portico(holding(breaking.url))
    client = proxy.client()
    server = backend(named("new"))
    client.send_request()
    breaking.wait_until_played()
    breaking.stop()
    wait_until_held(proxy)
    proxy.write(holding(server.url))
    assert client.response().body == b"new"


def test_a_get_that_breaks_each_server_is_not_sent_for_ever(portico, raw_server):
    breaking = raw_server([act.request, act.close])
    proxy = portico(holding(breaking.url))
    assert proxy.get().status == 502
    assert breaking.accepted == 2


def test_a_post_of_which_a_server_has_read_is_not_held(portico, raw_server):
    breaking = raw_server([act.request, act.close])
    proxy = portico(holding(breaking.url))
    assert proxy.request("POST", "/", body=b"once").status == 502
    assert breaking.accepted == 1


def test_a_health_check_that_passes_lets_them_go(portico, backend):
    state = {"status": 500}
    server = backend(lambda request: response_bytes(state["status"] if request.target == "/health" else 200))
    check = {"healthCheck": {"path": "/health", "interval": "50ms", "timeout": "20s"}}
    proxy = portico(holding(server.url, service=check))
    proxy.wait_until("it to be out", lambda: "is down" in proxy.log or "unhealthy" in proxy.log or "500" in proxy.log)
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    state["status"] = 200
    assert client.response().status == 200


def test_an_order_lets_them_go(portico, backend):
    server = backend()
    proxy = portico(holding({"url": server.url, "drain": True}))
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.write(holding(server.url))
    assert client.response().status == 200


# None comes

def test_when_none_comes_it_is_a_503_that_says_how_long_was_waited(portico):
    proxy = portico(holding(timeout="300ms"))
    response = proxy.get()
    assert response.status == 503 and response.has("Retry-After")
    line = proxy.access()[0]
    assert line["reason"] == "no_ready_server" and line["reasonDetail"].startswith("held for 0.")


def test_where_it_refused_all_the_time_that_is_what_is_said(portico, backend):
    gone = backend()
    gone.stop()
    proxy = portico(holding(gone.url, timeout="300ms"))
    assert proxy.get().status == 502
    line = proxy.access()[0]
    assert line["reason"] == "upstream_refused" and "held for" in line["reasonDetail"]


def test_the_time_counts_once_for_all_attempts(portico, backend):
    gone = backend()
    gone.stop()
    proxy = portico(holding(gone.url, timeout="600ms", middlewares={"again": {"retry": {"attempts": 4}}}))
    began = time.monotonic()
    assert proxy.get().status == 502
    assert time.monotonic() - began < 2 * 0.6 + 1


def test_those_that_are_too_many_are_refused_at_once(portico):
    proxy = portico(holding(service={"holdMax": 3}))
    clients = [proxy.client() for _ in range(3)]
    for client in clients:
        client.send_request()
    wait_until_held(proxy, 3)
    response = proxy.get()
    assert response.status == 503 and response.has("Retry-After")
    assert proxy.access()[0]["reason"] == "too_many_waiting"
    clients[0].close()
    wait_until_held(proxy, 2)


def test_without_a_hold_it_is_refused_as_ever(portico):
    proxy = portico(to())
    assert proxy.get().status == 503
    assert proxy.access()[0]["reason"] == "no_ready_server"


def test_a_client_that_leaves_is_noticed(portico):
    proxy = portico(holding())
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    client.close()
    wait_until_held(proxy, 0)
    assert proxy.access()[0]["DownstreamStatus"] == 499


@pytest.mark.parametrize("sent", [b"Content-Length: 5\r\n\r\nwhole", b"Content-Length: 50\r\n\r\npart", b"Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"])
def test_a_client_with_a_body_that_leaves_is_noticed(portico, sent):
    proxy = portico(holding())
    client = proxy.client()
    client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + sent)
    wait_until_held(proxy)
    client.close()
    wait_until_held(proxy, 0)
    assert proxy.access()[0]["DownstreamStatus"] == 499


def test_those_that_wait_are_told_at_once_that_the_process_stops(portico):
    proxy = portico(holding())
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.process.signal(15)
    assert client.response().status == 503
    assert proxy.process.wait() == 0


def test_maintenance_is_an_answer_to_those_that_wait(portico):
    writers = holding(api={"insecure": True, "writers": ["*"]})
    proxy = portico(writers)
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    order = proxy.request("POST", "/api/portico/services/main@file", [("Content-Type", "application/json")],
                          b'{"maintenance": true}', entry_point="traefik")
    assert order.status == 200, order.text
    assert client.response().status == 503
    assert proxy.access()[0]["reason"] == "maintenance"


# Beside others

def composed(first, second, kind, timeout=LONG):
    balancer = lambda *servers: {"loadBalancer": {"servers": [{"url": url} for url in servers], "holdTimeout": timeout}}  # noqa: E731
    main = {"weighted": {"services": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]}} if kind == "weighted" else \
        {"failover": {"service": "a", "fallback": "b"}}
    return {**API, "http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "main"}},
                            "services": {"main": main, "a": balancer(*first), "b": balancer(*second)}}}


@pytest.mark.parametrize("kind", ["weighted", "failover"])
def test_nobody_waits_where_another_service_is_ready(portico, backend, kind):
    alive, gone = backend(named("alive")), backend()
    gone.stop()
    proxy = portico(composed([], [alive.url], kind))
    assert {proxy.get().body for _ in range(4)} == {b"alive"}
    proxy.write(composed([gone.url], [alive.url], kind))      # ready as far as is known
    configuration(proxy, 2)
    assert {proxy.get().body for _ in range(4)} == {b"alive"}


@pytest.mark.parametrize("kind", ["weighted", "failover"])
@pytest.mark.parametrize("place", [0, 1])
def test_whichever_service_becomes_ready_first_is_asked(portico, backend, kind, place):
    server = backend(named("new"))
    proxy = portico(composed([], [], kind))
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.write(composed(*([server.url], [])[::1 if place == 0 else -1], kind))
    assert client.response().body == b"new"


def test_a_mirror_gets_one_copy_of_what_has_waited(portico, backend):
    server, mirror = backend(named("new")), backend()
    def config(*servers):
        config = holding(*servers)
        config["http"]["services"]["copied"] = {"mirroring": {"service": "main", "mirrors": [{"name": "mirror", "percent": 100}]}}
        config["http"]["services"]["mirror"] = {"loadBalancer": {"servers": [{"url": mirror.url}]}}
        config["http"]["routers"]["main"]["service"] = "copied"
        return config
    proxy = portico(config())
    client = proxy.client()
    client.send_request()
    wait_until_held(proxy)
    proxy.write(config(server.url))
    assert client.response().body == b"new"
    assert proxy.get().body == b"new"
    proxy.wait_until("the second copy", lambda: len(mirror.requests) == 2)


# Many

def hold_many(proxy, count):
    clients = [Client(proxy.port) for _ in range(count)]
    for number, client in enumerate(clients):
        client.send_request(target=f"/{number}")
    proxy.clients.extend(clients)
    return clients


def wait_for_tally(proxy, count):
    def waiting():
        for line in proxy.get("/metrics", entry_point="traefik").text.splitlines():
            if line.startswith("portico_service_held_requests{"):
                return float(line.split()[-1]) == count
        return False
    proxy.wait_until(f"{count} to wait", waiting)


METRICS = {"metrics": {"prometheus": {}}}


def test_two_thousand_are_held_and_let_go_a_few_at_a_time(portico, backend):
    most, lock, now = [0], threading.Lock(), [0]

    def answer(request):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1
        return response_bytes()
    server = backend(answer)
    proxy = portico(holding(workers=1, **METRICS))
    clients = hold_many(proxy, 2000)
    wait_for_tally(proxy, 2000)
    proxy.write(holding(server.url, workers=1, **METRICS))
    assert Counter(client.response().status for client in clients) == {200: 2000}
    first = [int(request.target[1:]) for request in server.requests[:16]]
    assert max(first) < 100 and most[0] <= 256
    wait_for_tally(proxy, 0)
    assert 'portico_service_held_requests_total{service="main@file",result="served"} 2000' in \
        proxy.get("/metrics", entry_point="traefik").text


@pytest.mark.tsan
def test_constant_load_through_replacements_and_reloads_loses_nothing(portico, backend):
    proxy = portico(holding())
    with Load(proxy.port, clients=8) as load:
        for turn in range(8):
            server = backend(named(str(turn)))
            proxy.write(holding(server.url))
            served = load.served
            proxy.wait_until("load", lambda: load.served > served + 100)
            server.stop()
            if turn % 2:
                proxy.write(holding())
            proxy.wait_until("them to wait", lambda: len(held(proxy)) > 0)
        server = backend(named("last"))
        proxy.write(holding(server.url))
        served = load.served
        proxy.wait_until("load", lambda: load.served > served + 100)
    load.assert_all(200)


def test_a_storm_of_reloads_disturbs_nobody_who_waits(portico, backend):
    server = backend(named("new"))
    proxy = portico(holding())
    clients = hold_many(proxy, 50)
    for number in range(10):
        config = holding()
        config["http"]["routers"][f"more{number}"] = {"rule": f"Path(`/more{number}`)", "service": "main"}
        proxy.write(config)
        configuration(proxy, number + 2)
    assert len(held(proxy)) == 50
    proxy.write(holding(server.url))
    assert {client.response().body for client in clients} == {b"new"}
