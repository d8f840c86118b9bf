"""Servers that die, come back, refuse, or never answer: whoever asks by GET notices nothing while one lives."""
import pytest

from harness import backend as act
from harness.http1 import response_bytes
from harness.load import Load
from harness.portico import to
from harness.waiting import wait_for


def named(name, status=200):
    return lambda request: response_bytes(status, body=name.encode())


def test_a_server_that_refuses_is_passed_over(portico, backend):
    dead, alive = backend(), backend(named("alive"))
    dead.stop()
    proxy = portico(to(dead.url, alive.url))
    for _ in range(20):
        assert proxy.get().body == b"alive"


def test_a_post_is_tried_elsewhere_when_nothing_of_it_was_sent(portico, backend):
    dead, alive = backend(), backend()
    dead.stop()
    proxy = portico(to(dead.url, alive.url))
    for _ in range(10):
        assert proxy.request("POST", "/", body=b"once").status == 200
    assert [request.body for request in alive.requests] == [b"once"] * 10


def test_a_large_post_is_whole_when_it_is_tried_elsewhere(portico, backend):
    dead, alive = backend(), backend()
    dead.stop()
    proxy = portico(to(dead.url, alive.url))
    for _ in range(4):
        assert proxy.request("POST", "/", body=b"l" * 3000000).status == 200
    assert {request.body for request in alive.requests} == {b"l" * 3000000}


def test_a_get_is_tried_elsewhere_when_its_server_closes(portico, raw_server, backend):
    closing, alive = raw_server([act.request, act.close]), backend(named("alive"))
    proxy = portico(to(closing.url, alive.url))
    for _ in range(10):
        assert proxy.get().body == b"alive"
    assert closing.accepted


def test_a_post_that_a_server_took_is_never_sent_twice(portico, raw_server, backend):
    closing, alive = raw_server([act.request, act.close]), backend(named("alive"))
    proxy = portico(to(closing.url, alive.url))
    statuses = [proxy.request("POST", "/", body=b"once").status for _ in range(10)]
    assert statuses.count(502) == closing.accepted > 0
    assert statuses.count(200) == len(alive.requests)


def test_when_all_refuse_it_is_a_502(portico, backend):
    servers = [backend() for _ in range(3)]
    for server in servers:
        server.stop()
    proxy = portico(to(*(server.url for server in servers)))
    assert proxy.get().status == 502
    assert proxy.request("POST", "/", body=b"x").status == 502


def test_no_server_at_all_is_a_503_and_says_when_to_come_again(portico):
    response = portico(to()).get()
    assert response.status == 503 and response.has("Retry-After")


@pytest.mark.tsan
@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_servers_die_and_come_back_under_load(portico, whoami, how):
    servers = [whoami(name) for name in ("one", "two", "three")]
    proxy = portico(to(*(server.url for server in servers)))
    with Load(proxy.port, "/api") as load:
        for turn in range(6):
            server = servers[turn % 3]
            served = load.served
            proxy.wait_until("load", lambda: load.served > served + 200)
            getattr(server, how)()
            proxy.wait_until("load without it", lambda: load.served > served + 400)
            server.start()
    load.assert_all(200)


@pytest.mark.tsan
def test_uvicorn_is_restarted_under_load(portico, start_uvicorn):
    servers = [start_uvicorn("one"), start_uvicorn("two")]
    proxy = portico(to(*(server.url for server in servers)))
    with Load(proxy.port) as load:
        for server in servers:
            served = load.served
            proxy.wait_until("load", lambda: load.served > served + 50)
            # Not killed: it writes a head and its body apart, and what dies between them cannot be undone.
            server.terminate()
            proxy.wait_until("load without it", lambda: load.served > served + 150)
            server.start()
    load.assert_all(200)


# Health

def checked(*servers, **check):
    return to(*servers, service={"healthCheck": {"path": "/health", "interval": "100ms", "timeout": "20s", **check}})


def test_an_unhealthy_server_gets_nothing_until_it_is_well(portico, backend):
    state = {"one": 200}
    one = backend(lambda request: response_bytes(state["one"] if request.target == "/health" else 200, body=b"one"))
    two = backend(named("two"))
    proxy = portico(checked(one.url, two.url))
    answers = lambda: {proxy.get().text for _ in range(8)}      # noqa: E731
    assert answers() == {"one", "two"}
    state["one"] = 500
    proxy.wait_until("one to be out", lambda: answers() == {"two"})
    state["one"] = 200
    proxy.wait_until("one to be back", lambda: answers() == {"one", "two"})


def test_all_unhealthy_is_a_503(portico, backend):
    proxy = portico(checked(backend(lambda request: response_bytes(404 if request.target == "/health" else 200)).url))
    response = proxy.wait_for_answer(lambda response: response.status == 503)
    assert response.has("Retry-After")
    assert proxy.access(where=lambda line: line["DownstreamStatus"] == 503)[0]["reason"] == "no_ready_server"


def test_a_check_asks_as_it_is_told(portico, backend):
    server = backend(lambda request: response_bytes(418 if request.method == "OPTIONS" else 200))
    proxy = portico(checked(server.url, method="OPTIONS", status=418, hostname="health.example", headers={"X-Check": "yes"}))
    request = wait_for("a check", lambda: next((r for r in server.requests if r.target == "/health"), None))
    assert (request.method, request.get("Host"), request.get("X-Check")) == ("OPTIONS", "health.example", "yes")
    assert proxy.get().status == 200


def test_a_check_goes_to_the_port_it_is_told(portico, backend):
    server, checker = backend(named("main")), backend()
    proxy = portico(checked(server.url, port=checker.port))
    wait_for("a check", lambda: checker.requests)
    assert proxy.get().body == b"main"
    assert all(request.target != "/health" for request in server.requests)


def test_a_server_that_does_not_answer_checks_is_out(portico, raw_server):
    server = raw_server([act.request, act.until_end])
    proxy = portico(to(server.url, service={"healthCheck": {"path": "/", "interval": "100ms", "timeout": "100ms"}},
                       serversTransport={"forwardingTimeouts": {"responseHeaderTimeout": "1s"}}))
    proxy.wait_for_answer(lambda response: response.status == 503)


def test_a_server_that_fails_is_out_for_a_while_by_what_requests_see(portico, backend):
    dead, alive = backend(), backend(named("alive"))
    port = dead.port
    dead.stop()
    proxy = portico(to(dead.url, alive.url, service={"passiveHealthCheck": {"failureWindow": "1s", "maxFailedAttempts": 1}}))
    for _ in range(10):
        assert proxy.get().body == b"alive"
    back = backend(named("back"), port=port)
    proxy.wait_for_answer(lambda response: response.body == b"back")
    assert back.requests


def test_health_survives_a_reload(portico, backend):
    sick = backend(lambda request: response_bytes(500 if request.target == "/health" else 200, body=b"sick"))
    well = backend(named("well"))
    config = {**checked(sick.url, well.url, interval="1h", unhealthyInterval="1h"),
              "providers": {"providersThrottleDuration": "50ms"}}
    proxy = portico(config)
    proxy.wait_until("the first check", lambda: {proxy.get().text for _ in range(8)} == {"well"})
    config["http"]["routers"]["more"] = {"rule": "Path(`/more`)", "service": "main", "priority": 1000,
                                         "middlewares": ["more"]}
    config["http"]["middlewares"] = {"more": {"addPrefix": {"prefix": "/added"}}}
    proxy.write(config)
    proxy.wait_until("the reload", lambda: proxy.get("/more") and any(r.target == "/added/more" for r in well.requests))
    assert {proxy.get().text for _ in range(8)} == {"well"}
