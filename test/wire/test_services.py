"""Where requests go: balancing, stickiness, and services made of services."""
from collections import Counter

import pytest

from harness.http1 import response_bytes
from harness.portico import to
from harness.waiting import wait_for


@pytest.fixture
def named(backend):
    """named("a", "b") are backends whose bodies are their names."""
    def start(*names):
        return [backend(lambda request, name=name: response_bytes(body=name.encode())) for name in names]
    return start


def count(proxy, requests, **more):
    return Counter(proxy.get(**more).text for _ in range(requests))


def balanced(servers, *weights, **service):
    return to(*({"url": server.url, "weight": weight} for server, weight in zip(servers, weights or [1] * len(servers))),
              service=service, workers=1)


def test_round_robin_is_even_and_smooth(portico, named):
    proxy = portico(balanced(named("a", "b", "c")))
    answers = [proxy.get().text for _ in range(12)]
    assert Counter(answers) == {"a": 4, "b": 4, "c": 4}
    assert all(set(answers[at:at + 3]) == {"a", "b", "c"} for at in range(0, 12, 3))


def test_round_robin_follows_weights_smoothly(portico, named):
    proxy = portico(balanced(named("a", "b"), 3, 1))
    answers = [proxy.get().text for _ in range(16)]
    assert Counter(answers) == {"a": 12, "b": 4}
    assert "".join(answers).count("bb") == 0


def test_weight_0_takes_nothing(portico, named):
    proxy = portico(balanced(named("a", "b"), 0, 1))
    assert count(proxy, 8) == {"b": 8}


def test_a_draining_server_keeps_those_who_stick_to_it(portico, named):
    servers = named("a", "b")
    config = balanced(servers, sticky={"cookie": {"name": "where"}})
    config["providers"] = {"providersThrottleDuration": "50ms"}
    proxy = portico(config)
    cookies = {}
    while len(cookies) < 2:
        response = proxy.get()
        cookies[response.text] = response.get("Set-Cookie").split(";")[0]
    config["http"]["services"]["main"]["loadBalancer"]["servers"][0]["drain"] = True
    proxy.write(config)
    proxy.wait_until("a to take nothing new", lambda: count(proxy, 8) == {"b": 8})
    assert count(proxy, 4, fields=[("Cookie", cookies["a"])]) == {"a": 4}


@pytest.mark.parametrize("strategy", ["p2c", "leasttime", "leastconn", "random"])
def test_every_strategy_serves_with_all_servers(portico, named, strategy):
    servers = named("a", "b", "c")
    proxy = portico(balanced(servers, strategy=strategy))
    for _ in range(200):
        assert proxy.get().status == 200
        if all(server.requests for server in servers):
            return
    pytest.fail(f"{[len(server.requests) for server in servers]}")


def test_hrw_keeps_a_client_where_it_was(portico, named):
    servers = named("a", "b", "c", "d")
    proxy = portico(balanced(servers, strategy="hrw"))
    homes = {}
    for number in range(1, 41):
        source = f"127.0.1.{number}"
        homes[source] = proxy.client(source=source).request().text
        assert proxy.client(source=source).request().text == homes[source]
    assert len(set(homes.values())) > 1
    # One leaves: only its own move.
    gone = homes["127.0.1.1"]
    servers["abcd".index(gone)].stop()
    for source, home in homes.items():
        now = proxy.client(source=source).request().text
        assert now == home if home != gone else now != gone


def test_a_cookie_sticks(portico, named):
    servers = named("a", "b", "c")
    proxy = portico(balanced(servers, sticky={"cookie": {"name": "where", "httpOnly": True, "sameSite": "lax", "path": "/p"}}))
    response = proxy.get()
    cookie, *attributes = [part.strip() for part in response.get("Set-Cookie").split(";")]
    assert cookie.startswith("where=")
    assert {attribute.lower() for attribute in attributes} >= {"httponly", "samesite=lax", "path=/p"}
    assert count(proxy, 9, fields=[("Cookie", f"other=1; {cookie}; more=2")]) == {response.text: 9}
    assert not proxy.get(fields=[("Cookie", cookie)]).has("Set-Cookie")
    assert len(count(proxy, 9)) == 3
    # Its server goes: another takes over, and says so.
    servers["abc".index(response.text)].stop()
    moved = proxy.get(fields=[("Cookie", cookie)])
    assert moved.status == 200 and moved.text != response.text and moved.get("Set-Cookie").startswith("where=")


def test_a_cookie_that_names_nobody_is_replaced(portico, named):
    proxy = portico(balanced(named("a", "b"), sticky={"cookie": {"name": "where"}}))
    response = proxy.get(fields=[("Cookie", "where=0123456789abcdef")])
    assert response.status == 200 and response.get("Set-Cookie").startswith("where=")


def composed(servers, **main):
    """The service `main` above one load balancer for each server, named a, b, ..."""
    services = {name: {"loadBalancer": {"servers": [{"url": server.url}]}} for name, server in servers.items()}
    return {"workers": 1, "http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "main"}},
                                   "services": {**services, "main": main}}}


def test_weighted(portico, named):
    a, b = named("a", "b")
    proxy = portico(composed({"a": a, "b": b}, weighted={"services": [{"name": "a", "weight": 3}, {"name": "b", "weight": 1}]}))
    assert count(proxy, 16) == {"a": 12, "b": 4}


def test_weighted_sticks(portico, named):
    a, b = named("a", "b")
    proxy = portico(composed({"a": a, "b": b}, weighted={"services": [{"name": "a"}, {"name": "b"}],
                                                         "sticky": {"cookie": {"name": "version"}}}))
    response = proxy.get()
    cookie = response.get("Set-Cookie").split(";")[0]
    assert count(proxy, 8, fields=[("Cookie", cookie)]) == {response.text: 8}


def test_failover(portico, backend, named):
    well = {"status": 200}
    main = backend(lambda request: response_bytes(well["status"] if request.target == "/health" else 200, body=b"main"))
    spare, = named("spare")
    config = composed({"first": main, "spare": spare}, failover={"service": "first", "fallback": "spare"})
    config["http"]["services"]["first"]["loadBalancer"]["healthCheck"] = {"path": "/health", "interval": "100ms"}
    proxy = portico(config)
    assert count(proxy, 4) == {"main": 4}
    well["status"] = 500
    proxy.wait_for_answer(lambda response: response.text == "spare")
    well["status"] = 200
    proxy.wait_for_answer(lambda response: response.text == "main")


def test_mirroring(portico, named):
    main, mirror = named("main", "mirror")
    proxy = portico(composed({"first": main, "second": mirror},
                             mirroring={"service": "first", "mirrors": [{"name": "second", "percent": 50}]}))
    for number in range(10):
        assert proxy.request("POST", f"/{number}", body=b"copied").text == "main"
    wait_for("the copies", lambda: len(mirror.requests) >= 5)
    assert all(request.body == b"copied" for request in mirror.requests)
    assert len(main.requests) == 10 and len(mirror.requests) == 5


def test_a_mirror_that_fails_or_hangs_changes_nothing(portico, named, raw_server):
    main, = named("main")
    mirror = raw_server([lambda play: play.reader.request(), lambda play: play.reader.fill()])
    proxy = portico(composed({"first": main, "second": mirror},
                             mirroring={"service": "first", "mirrors": [{"name": "second", "percent": 100}]}))
    client = proxy.client()
    for _ in range(5):
        assert client.request().text == "main"


def test_respond(portico):
    proxy = portico({"http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "main"}}, "services": {"main": {
        "respond": {"status": 418, "body": "short and stout", "contentType": "text/plain", "headers": {"X-Pot": "tea"}}}}}})
    client = proxy.client()
    response = client.request()
    assert (response.status, response.text, response.get("X-Pot")) == (418, "short and stout", "tea")
    assert client.request("HEAD").get("Content-Length") == "15"
    assert client.request("POST", "/", body=b"unread" * 10000).status == 418
    assert client.request().status == 418


def test_a_unix_socket(portico, backend, tmp_path):
    path = str(tmp_path / "app.sock")
    backend(lambda request: response_bytes(body=b"through a file"), path=path)
    assert portico(to(f"unix:{path}")).get().text == "through a file"


def test_a_name_is_resolved(portico, named):
    server, = named("named")
    assert portico(to(f"http://localhost:{server.port}")).get().text == "named"


def test_a_name_that_does_not_resolve_is_a_502(portico):
    proxy = portico(to("http://no-such-name.invalid:80"))
    assert proxy.get().status in (502, 503)


def test_a_service_that_other_services_name_in_a_circle_is_refused(run, tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text("http:\n  routers:\n    r: {rule: 'Path(`/`)', service: a}\n  services:\n"
                    "    a: {weighted: {services: [{name: b}]}}\n    b: {weighted: {services: [{name: a}]}}\n")
    result = run("check", path)
    assert result.returncode == 1 and "error: " in result.stdout + result.stderr
