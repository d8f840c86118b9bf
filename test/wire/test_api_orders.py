"""What operators order through the API: states and weights of servers, maintenance, reloads; who may, and what is written down."""
import base64
import json
import threading
import time
from collections import Counter
from urllib.parse import quote

import pytest

from harness.http1 import response_bytes
from harness.portico import to
from harness.tls import TlsClient
from harness.waiting import wait_for

USERS = {"auth": {"basicAuth": {"users": ["ops:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=", "eve:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM="]}}}
JSON = ("Content-Type", "application/json")


def login(user="ops"):
    return "Authorization", "Basic " + base64.b64encode(f"{user}:foo".encode()).decode()


class Proxy:
    """A proxy with its API behind a login on the entrypoint `api`."""

    def __init__(self, portico, servers, **more):
        self.configuration = self.make(servers, **more)
        self.portico = portico(self.configuration)

    @staticmethod
    def make(servers, writers=("ops",), **more):
        configuration = to(*servers, api={"writers": list(writers)}, entryPoints={"web": {}, "api": {}},
                           router={"entryPoints": ["web"]}, ping={"entryPoint": "web"}, **more)
        configuration["http"]["middlewares"] = {**configuration["http"].get("middlewares", {}), **USERS}
        configuration["http"]["routers"]["api"] = {"rule": "PathPrefix(`/`)", "service": "api@internal", "entryPoints": ["api"],
                                                   "middlewares": ["auth"]}
        return configuration

    def post(self, path, body, fields=(), user="ops", media=JSON):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.portico.request("POST", "/api/portico/" + path, [login(user), *([media] if media else []), *fields], data,
                                    entry_point="api")

    def get(self, path):
        return self.portico.request("GET", "/api/portico/" + path, [login()], entry_point="api")

    def order(self, url, service="main@file", **body):
        response = self.post(f"servers/{quote(service, safe='')}/{quote(url, safe='')}", body)
        assert response.status == 200, response.text
        return response.json()["message"]

    def maintain(self, kind, name, on):
        return self.post(f"{kind}/{quote(name, safe='')}", {"maintenance": on})

    def reload(self, configuration=None):
        if configuration is not None:
            self.portico.write(configuration)
        return self.post("reload", {})

    def spread(self, requests=60):
        return Counter(self.portico.get().text for _ in range(requests))


@pytest.fixture
def named(backend):
    def start(name):
        return backend(lambda request: response_bytes(body=name.encode()))
    return start


@pytest.fixture
def pair(portico, named):
    """A proxy before the servers `a` and `b`."""
    a, b = named("a"), named("b")
    proxy = Proxy(portico, [a.url, b.url])
    proxy.a, proxy.b = a.url, b.url
    return proxy


@pytest.mark.parametrize("strategy", ["wrr", "p2c", "leastConn", "leasttime", "random"])
def test_a_draining_server_gets_no_new_requests_until_it_is_told_otherwise(portico, named, strategy):
    a, b = named("a"), named("b")
    proxy = Proxy(portico, [a.url, b.url], service={"strategy": strategy})
    proxy.order(a.url, state="draining")
    assert set(proxy.spread()) == {"b"}
    proxy.order(a.url, state=None)
    wait_for("a to serve again", lambda: proxy.portico.get().text == "a")
    message = proxy.order(b.url, state="down")
    assert "takes no requests" in message
    assert set(proxy.spread()) == {"a"}
    assert "no ready server" in proxy.order(a.url, state="down")
    assert proxy.portico.get().status == 503


def test_a_server_that_is_configured_to_drain_can_be_used_all_the_same(portico, named):
    a, b = named("a"), named("b")
    proxy = Proxy(portico, [{"url": a.url, "drain": True}, b.url])
    assert set(proxy.spread()) == {"b"}
    proxy.order(a.url, state="ready")
    assert set(proxy.spread()) == {"a", "b"}
    proxy.order(a.url, state=None)
    assert set(proxy.spread()) == {"b"}


# Workers take turns each for itself, so shares are right but for a few.
def test_a_weight_that_is_ordered_shifts_traffic_and_can_be_taken_back(pair):
    message = pair.order(pair.a, weight=3)
    assert "weight 3" in message
    assert 50 <= pair.spread(80)["a"] <= 70
    pair.order(pair.a, weight=0)
    assert set(pair.spread()) == {"b"}
    pair.order(pair.a, weight=None)
    assert 15 <= pair.spread(40)["a"] <= 25


def test_draining_under_load_loses_nothing_and_moves_the_traffic(pair):
    wrong, seen, ended = [], Counter(), threading.Event()

    def load():
        client = pair.portico.client()
        while not ended.is_set():
            response = client.request("GET", "/")
            seen[response.text] += 1
            if response.status != 200:
                wrong.append(response.status)
        client.close()
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for("both to serve", lambda: seen["a"] > 50 and seen["b"] > 50)
        for _ in range(5):
            pair.order(pair.a, state="draining")
            time.sleep(0.02)           # what was under way ends
            before, others = seen["a"], seen["b"]
            wait_for("more requests", lambda: seen["b"] > others + 50)
            assert seen["a"] <= before + len(threads)
            pair.order(pair.a, state="ready")
            wait_for("a to serve again", lambda: seen["a"] > before + 50)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_sticky_clients_stay_while_their_server_drains_and_move_when_it_is_down(portico, named):
    a, b = named("a"), named("b")
    proxy = Proxy(portico, [a.url, b.url], service={"sticky": {"cookie": {"name": "at"}}})
    cookies = {}
    while len(cookies) < 2:
        response = proxy.portico.get()
        cookies[response.text] = response.get("Set-Cookie").split(";")[0]
    proxy.order(a.url, state="draining")
    for _ in range(10):
        assert proxy.portico.get(fields=[("Cookie", cookies["a"])]).text == "a"
        assert proxy.portico.get().text == "b"
    proxy.order(a.url, state="down")
    moved = proxy.portico.get(fields=[("Cookie", cookies["a"])])
    assert moved.text == "b" and cookies["b"] in moved.get("Set-Cookie")


def test_failover_and_weighted_services_go_past_what_is_ordered_out(portico, named):
    a, b = named("a"), named("b")
    proxy = Proxy(portico, [a.url])
    services = proxy.configuration["http"]["services"]
    services["second"] = {"loadBalancer": {"servers": [{"url": b.url}]}}
    services["either"] = {"failover": {"service": "main", "fallback": "second"}}
    proxy.configuration["http"]["routers"]["main"]["service"] = "either"
    assert proxy.reload(proxy.configuration).status == 200
    wait_for("a", lambda: proxy.portico.get().text == "a")
    proxy.order(a.url, state="draining")
    assert set(proxy.spread(10)) == {"b"}
    proxy.order(a.url, state=None)
    assert set(proxy.spread(10)) == {"a"}
    assert proxy.maintain("services", "main@file", True).status == 200
    assert set(proxy.spread(10)) == {"b"}


def test_orders_survive_reloads(pair):
    pair.order(pair.a, state="draining", weight=7)
    assert pair.maintain("routers", "main@file", True).status == 200
    pair.configuration["http"]["services"]["other"] = {"respond": {"body": "x"}}
    assert "configuration 2" in pair.reload(pair.configuration).json()["message"]
    assert pair.portico.get().status == 503
    assert pair.maintain("routers", "main@file", False).status == 200
    assert set(pair.spread()) == {"b"}
    assert "weight 7" in pair.order(pair.a, state=None)


# maintenance

@pytest.mark.parametrize("kind", ["routers", "services"])
def test_maintenance_answers_503_until_it_is_over(pair, kind):
    pair.portico.get()
    assert "under maintenance" in pair.maintain(kind, "main@file", True).json()["message"]
    response = pair.portico.get()
    assert response.status == 503 and int(response.get("Retry-After")) > 0
    assert "maintenance" in response.text
    assert pair.portico.get("/ping").status == 200
    (line,) = pair.portico.access(1, lambda line: line.get("DownstreamStatus") == 503)
    assert "maintenance" in json.dumps(line)
    assert pair.maintain(kind, "main@file", False).status == 200
    assert pair.portico.get().status == 200


def test_middlewares_stay_in_force_under_maintenance(portico, named):
    proxy = Proxy(portico, [named("a").url], middlewares={
        "headers": {"headers": {"customResponseHeaders": {"X-Seen": "yes"}}}, "retry": {"retry": {"attempts": 4, "status": ["503"]}}})
    proxy.configuration["http"]["routers"]["main"]["middlewares"] = ["headers", "retry"]
    assert proxy.reload(proxy.configuration).status == 200
    wait_for("the middleware", lambda: proxy.portico.get().get("X-Seen") == "yes")
    for kind in ("routers", "services"):
        assert proxy.maintain(kind, "main@file", True).status == 200
        response = proxy.portico.get()
        assert response.status == 503 and response.get("X-Seen") == "yes"
        assert proxy.maintain(kind, "main@file", False).status == 200


def test_what_leads_to_the_api_itself_is_not_put_under_maintenance(pair):
    for kind, name in (("routers", "api@file"), ("services", "api@internal"), ("routers", "ping@internal")):
        response = pair.maintain(kind, name, True)
        assert response.status == 422 and "stays in use" in response.json()["message"], name
    assert pair.maintain("routers", "nobody@file", True).status == 404


# who may, and how it is asked

def test_who_has_not_the_role_changes_nothing(pair):
    path = f"servers/main%40file/{quote(pair.a, safe='')}"
    response = pair.post(path, {"state": "down"}, user="eve")
    assert response.status == 403 and "writers" in response.json()["message"]
    assert pair.portico.request("POST", "/api/portico/" + path, [JSON], b"{}", entry_point="api").status == 401
    assert set(pair.spread()) == {"a", "b"}
    assert pair.get("audit").json() == []
    assert "eve" in wait_for("the log", lambda: [line for line in pair.portico.log.splitlines() if "without the role" in line])[0]


@pytest.mark.parametrize("fields", [[("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")],
                                    [("Sec-Fetch-Site", "same-site")], [("Origin", "null")]])
def test_a_page_of_another_site_changes_nothing(pair, fields):
    assert pair.post("reload", {}, fields).status == 403


def reload_as(client, host, *fields):
    """The status of a POST that reloads, to an API whose writers are everybody who gets there."""
    return client.request("POST", "/api/portico/reload", [("Host", host), ("Content-Type", "application/json"), *fields], b"{}").status


@pytest.fixture
def open_to_all(portico, backend):
    """A proxy whose API asks nobody who they are."""
    def start(**sections):
        config = to(backend().url, api={"writers": ["*"]}, **sections)
        config["http"]["routers"]["api"] = {"rule": "PathPrefix(`/api`)", "service": "api@internal"}
        return portico(config)
    return start


@pytest.mark.parametrize("host, fields, status", [
    ("localhost:81", [("Origin", "http://localhost:81"), ("Sec-Fetch-Site", "same-origin")], 200),
    ("localhost:81", [], 200),
    ("127.0.0.1", [("Origin", "http://127.0.0.1")], 200),
    ("[::1]:81", [("Origin", "http://[::1]:81")], 200),
    ("localhost:81", [("Origin", "http://localhost")], 403),
    ("localhost:81", [("Origin", "http://localhost:82")], 403),
    ("localhost", [("Origin", "localhost")], 403),
    ("evil.example", [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")], 403),
    ("localhost.evil.example", [], 403)])
def test_a_page_of_its_own_may_unless_its_name_is_somebody_elses(open_to_all, host, fields, status):
    assert reload_as(open_to_all().client(), host, *fields) == status


def test_over_tls_a_page_that_came_in_the_clear_changes_nothing(open_to_all, authority):
    proxy = open_to_all(entryPoints={"web": {"http": {"tls": {}}}}, tls={"certificates": [authority.issue("localhost").options]})
    assert reload_as(TlsClient(proxy.port, "localhost"), "localhost", ("Origin", "http://localhost")) == 403
    assert reload_as(TlsClient(proxy.port, "localhost"), "localhost", ("Origin", "https://localhost")) == 200


@pytest.mark.parametrize("media", [None, ("Content-Type", "text/plain"), ("Content-Type", "application/x-www-form-urlencoded")])
def test_a_body_that_is_not_called_json_is_refused(pair, media):
    assert pair.post("reload", {}, media=media).status == 415


@pytest.mark.parametrize("body, word", [
    (b"", "JSON"), (b"[]", "object"), (b"{", "JSON"), (b'{"state": "drained"}', "draining"), (b'{"sttae": "down"}', "state"),
    (b'{"state": 1}', "string"), (b'{"weight": "5"}', "whole number"), (b'{"weight": 1.5}', "whole number"),
    (b'{"weight": -1}', "between"), (b'{"weight": 65536}', "between"), (b"{}", "nothing to do"),
    (b'{"weight": 1, "weight": 2}', "weight"), (b'{"state": "down", "x": 1}', "unknown")])
def test_a_bad_body_is_refused_in_words_and_changes_nothing(pair, body, word):
    response = pair.post(f"servers/main%40file/{quote(pair.a, safe='')}", body)
    assert response.status == 422 and word in response.json()["message"], response.text
    assert set(pair.spread(20)) == {"a", "b"}


def test_what_is_not_there_is_404_with_a_suggestion(pair):
    response = pair.post(f"servers/mian%40file/{quote(pair.a, safe='')}", {"state": "down"})
    assert response.status == 404 and "'main@file'" in response.json()["message"]
    response = pair.post(f"servers/main%40file/{quote(pair.a + '1', safe='')}", {"state": "down"})
    assert response.status == 404 and f"'{pair.a}'" in response.json()["message"]
    response = pair.post("certificates/renew", {"name": "a.example"})
    assert response.status == 404 and "a.example" in response.json()["message"]


def test_a_reload_says_what_came_of_it(pair):
    assert "configuration 2 is running" in pair.reload().json()["message"]
    good = pair.configuration["http"]["routers"]["main"]["rule"]
    pair.configuration["http"]["routers"]["main"]["rule"] = "Pathh(`/`)"
    response = pair.reload(pair.configuration)
    assert response.status == 422 and "Pathh" in response.json()["message"] and "portico.yaml:" in response.json()["message"]
    assert pair.portico.get().status == 200
    pair.configuration["http"]["routers"]["main"]["rule"] = good
    assert pair.reload(pair.configuration).status == 200


def test_what_was_ordered_is_written_down(pair):
    pair.order(pair.a, state="draining", weight=2)
    pair.post(f"servers/main%40file/{quote(pair.a, safe='')}", {"state": "lazy"})
    pair.maintain("services", "main@file", True)
    last, failed, first = pair.get("audit").json()
    assert first["user"] == "ops" and first["client"] == "127.0.0.1" and first["action"] == "server"
    assert first["subject"] == f"main@file {pair.a}" and first["detail"] == "draining, weight 2" and first["outcome"] == "done"
    assert "lazy" in failed["outcome"]
    assert last["action"] == "service" and last["detail"] == "maintenance" and last["at"].endswith("Z")
    (line,) = [line for line in pair.portico.log.splitlines() if "api: service" in line]
    for word in ("ops", "127.0.0.1", "main@file", "done"):
        assert word in line


def test_the_audit_keeps_the_last_500(pair):
    client = pair.portico.client("api")
    for number in range(520):
        assert client.request("POST", "/api/portico/services/none%40file", [login(), JSON],
                              json.dumps({"maintenance": bool(number % 2)}).encode()).status == 404
    pair.order(pair.a, weight=1)
    entries = pair.get("audit").json()
    assert len(entries) == 500 and entries[0]["detail"] == "weight 1"
