"""Who may come in: rules for addresses, guards of which one is enough, a location that is asked, copies of requests, and addresses
that trusted peers tell."""
import json
import signal
import threading

import pytest

from harness import backend as act
from harness.http1 import response_bytes
from harness.portico import to as rule_to
from harness.sites import respond, site, to
from harness.waiting import wait_for

# user:secret
USER = "user:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
GOOD = [("Authorization", "Basic dXNlcjpzZWNyZXQ=")]
BAD = [("Authorization", "Basic dXNlcjp3cm9uZw==")]


def guarded(guards, **more):
    """A site whose every location passes these middlewares."""
    return site({"/": {"middlewares": list(guards), "service": "fine"}}, middlewares=guards, services={"fine": respond(200, "in")},
                **more)


# Rules for addresses

@pytest.mark.parametrize("rules, status", [
    ([{"deny": "127.0.0.1"}], 403),
    ([{"allow": "127.0.0.0/8"}, {"deny": "all"}], 200),
    ([{"deny": "127.0.0.1"}, {"allow": "all"}], 403),
    ([{"allow": "10.0.0.0/8"}, {"deny": "all"}], 403),
    ([{"deny": "10.0.0.0/8"}], 200),
    ([{"deny": "unix:"}], 200),
    ([{"allow": "unix:"}, {"deny": "all"}], 403),
])
def test_the_first_rule_that_fits_decides(portico, rules, status):
    assert portico(guarded({"who": {"access": {"rules": rules}}})).get().status == status


@pytest.fixture
def refused(run, tmp_path):
    """refused(config) is what `check` says of a configuration that it refuses."""
    def check(config):
        path = tmp_path / "refused.yaml"
        path.write_text(json.dumps(config))
        answer = run("check", path)
        assert answer.returncode != 0
        return answer.stderr + answer.stdout
    return check


def test_a_rule_is_one_thing_or_the_other(refused):
    assert "a rule has one of 'allow' and 'deny'" in refused(
        guarded({"who": {"access": {"rules": [{"allow": "all", "deny": "all"}]}}}))


# One guard of several

def any_of(**guards):
    return {"guards": {"anyOf": {"guards": list(guards)}}, **guards}


LOCAL = {"access": {"rules": [{"allow": "127.0.0.1"}, {"deny": "all"}]}}
NOBODY = {"access": {"rules": [{"deny": "all"}]}}
NO_WORD = {"access": {"rules": [{"deny": "10.0.0.0/8"}]}}
PASSWORD = {"basicAuth": {"users": [USER], "realm": "here"}}


@pytest.mark.parametrize("guards, fields, status, challenged", [
    ({"address": LOCAL, "password": PASSWORD}, [], 200, False),
    ({"address": NOBODY, "password": PASSWORD}, [], 401, True),
    ({"address": NOBODY, "password": PASSWORD}, BAD, 401, True),
    ({"address": NOBODY, "password": PASSWORD}, GOOD, 200, False),
    ({"password": PASSWORD, "address": NOBODY}, [], 401, True),
    ({"address": NO_WORD, "password": PASSWORD}, [], 401, True),
    ({"address": NO_WORD}, [], 200, False),
    ({"address": NOBODY}, [], 403, False),
])
def test_one_guard_lets_in(portico, guards, fields, status, challenged):
    config = guarded(any_of(**guards))
    config["http"]["routers"]["l0"]["middlewares"] = ["guards"]
    response = portico(config).get(fields=fields)
    assert response.status == status
    assert response.all("WWW-Authenticate") == (['Basic realm="here"'] if challenged else [])


def test_guards_that_name_themselves_are_refused(refused):
    assert "leads back to itself" in refused(guarded({"guards": {"anyOf": {"guards": ["guards"]}}}))


@pytest.mark.parametrize("method, status", [("GET", 200), ("HEAD", 200), ("POST", 403), ("PURGE", 200), ("PATCH", 403)])
def test_methods_have_guards_of_their_own(portico, method, status):
    config = guarded({"by": {"methods": {"methods": ["GET", "PURGE"], "others": ["nobody"]}}, "nobody": NOBODY})
    config["http"]["routers"]["l0"]["middlewares"] = ["by"]
    assert portico(config).request(method).status == status


# A location that is asked

def asking(answers, middlewares=None, fields=None, **more):
    """A site whose / asks /auth, which the backend `answers`."""
    return site({"/": {"middlewares": ["ask"], "service": "fine"}, "/auth": {"service": "auth", "match": "exact", **more}},
                middlewares={"ask": {"authRequest": {"uri": "/auth", **(fields or {})}}, **(middlewares or {})},
                services={"fine": respond(200, "in"), "auth": answers})


@pytest.mark.parametrize("answer, status", [(200, 200), (204, 200), (401, 401), (403, 403), (404, 500), (302, 500), (500, 500)])
def test_the_asked_location_decides(portico, answer, status):
    proxy = portico(asking(respond(answer)))
    assert proxy.get().status == status
    # one line for the client's request, none for ours
    proxy.access(1)
    assert len(proxy.access(1)) == 1


def test_the_asked_server_sees_the_request_without_its_body(portico, backend):
    server = backend(lambda request: response_bytes(body=b"ignored" * 1000))
    proxy = portico(asking(to(server)))
    response = proxy.request("POST", "/x?y", [("Cookie", "a=b"), ("If-None-Match", '"1"')], b"a body")
    assert response.status == 200 and response.body == b"in"
    asked = server.last
    assert (asked.method, asked.target, asked.body) == ("GET", "/auth", b"")
    assert asked.get("Cookie") == "a=b" and asked.get("If-None-Match") is None and asked.get("Content-Length") is None


def test_challenges_are_passed_on(portico, backend):
    server = backend(lambda request: response_bytes(401, fields=[("WWW-Authenticate", "One"), ("WWW-Authenticate", "Two")]))
    response = portico(asking(to(server))).get()
    assert response.status == 401 and response.all("WWW-Authenticate") == ["One", "Two"]


def test_a_body_that_is_too_long_is_not_waited_for(portico, backend):
    server = backend(lambda request: response_bytes(body=b"x" * (8 << 20)), cut=True)
    proxy = portico(asking(to(server)))
    for _ in range(3):
        assert proxy.get().status == 200


def test_the_servers_connection_serves_the_next_question(portico, backend):
    server = backend()
    proxy = portico(asking(to(server)), "--workers=1")
    for _ in range(5):
        assert proxy.get().status == 200
    assert {request.connection for request in server.requests} == {0}


def test_an_asked_location_does_not_ask_itself(portico):
    config = asking(respond(200))
    config["http"]["routers"]["l1"]["middlewares"] = ["ask"]
    assert portico(config).get().status == 200


def test_no_answer_is_a_failure(portico, raw_server):
    server = raw_server([act.head, act.close])
    assert portico(asking({"loadBalancer": {"servers": [{"url": server.url}]}})).get().status == 500


def test_a_client_that_leaves_takes_the_question_along(portico, raw_server):
    server = raw_server([act.head, act.until_end])
    proxy = portico(asking({"loadBalancer": {"servers": [{"url": server.url}]}}))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the question", lambda: server.played and server.played[0].heads)
    client.close()
    server.wait_until_played()
    assert proxy.access(1)[0]["DownstreamStatus"] == 499


def test_a_reload_takes_nothing_away_from_a_question(portico, raw_server):
    go_on = threading.Event()
    good = b"HTTP/1.1 204 No Content\r\n\r\n"
    server = raw_server([act.head, act.wait_on(go_on), good, act.until_end], [act.head, good.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), act.close])
    proxy = portico(asking({"loadBalancer": {"servers": [{"url": server.url}]}}))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the question", lambda: server.played and server.played[0].heads)
    proxy.write(rule_to("http://127.0.0.1:9", rule="Path(`/new`)"))
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_for_answer(lambda response: response.status == 502, "/new")
    go_on.set()
    assert client.response().body == b"in"


def test_a_request_that_came_by_a_rule_asks_by_rules(portico, backend):
    server, auth = backend(), backend(lambda request: response_bytes(204 if request.get("X-Key") else 403))
    config = rule_to(server.url, rule="PathPrefix(`/app`)", middlewares={"ask": {"authRequest": {"uri": "/auth"}}})
    config["http"]["routers"]["auth"] = {"rule": "Path(`/auth`)", "service": "auth"}
    config["http"]["services"]["auth"] = to(auth)
    proxy = portico(config)
    assert proxy.get("/app").status == 403 and server.requests == []
    assert proxy.get("/app", [("X-Key", "1")]).status == 200


# Copies

def test_copies_go_to_other_locations(portico, backend):
    server, copies = backend(), backend()
    proxy = portico(site({"/": {"middlewares": ["copy"], "service": "app"}, "/copy": {"service": "copies"}},
                         middlewares={"copy": {"mirror": {"uris": ["/copy/1", "/copy/2"]}}},
                         services={"app": to(server), "copies": to(copies)}))
    assert proxy.request("POST", "/x?q=1", body=b"the body").status == 200
    wait_for("two copies", lambda: len(copies.requests) == 2)
    assert sorted((r.method, r.target, r.body) for r in copies.requests) == [
        ("POST", "/copy/1?q=1", b"the body"), ("POST", "/copy/2?q=1", b"the body")]
    assert server.last.body == b"the body"


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_a_copy_outlives_its_request(portico, backend, raw_server, size):
    server = backend()
    go_on = threading.Event()
    received = []

    def keep(play):
        play.heads.append(play.reader.request_head())
        assert go_on.wait(20)
        received.append(play.reader.body(play.heads[-1]))
    copies = raw_server([keep, b"HTTP/1.1 204 No Content\r\n\r\n", act.until_end])
    proxy = portico(site({"/": {"middlewares": ["copy"], "service": "app"}, "/copy": {"service": "copies"}},
                         middlewares={"copy": {"mirror": {"uris": ["/copy"]}}},
                         services={"app": to(server), "copies": {"loadBalancer": {"servers": [{"url": copies.url}]}}}))
    body = b"0123456789" * (size // 10)
    client = proxy.client()
    assert client.request("POST", "/", body=body).status == 200
    client.close()
    proxy.access(1)
    go_on.set()
    wait_for("the copy", lambda: received)
    assert copies.played[0].heads[0].body == body or received[0] == body


def test_copies_without_a_body_do_not_wait_for_it(portico, backend):
    server, copies = backend(), backend()
    proxy = portico(site({"/": {"middlewares": ["copy"], "service": "app"}, "/copy": {"service": "copies"}},
                         middlewares={"copy": {"mirror": {"uris": ["/copy"], "requestBody": False}}},
                         services={"app": to(server), "copies": to(copies)}))
    client = proxy.client().send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
    wait_for("the copy", lambda: copies.requests)
    assert copies.last.body == b"" and copies.last.get("Content-Length") in (None, "0")
    assert client.send(b"body").response().status == 200


def test_a_worker_that_stops_does_not_wait_for_copies_for_ever(portico, raw_server):
    copies = raw_server([act.head, act.until_end])
    proxy = portico(site({"/": {"middlewares": ["copy"], "service": "app"}, "/copy": {"service": "copies"}},
                         middlewares={"copy": {"mirror": {"uris": ["/copy"]}}},
                         services={"app": respond(200), "copies": {"loadBalancer": {"servers": [{"url": copies.url}]}}},
                         entryPoints={"web": {"transport": {"lifeCycle": {"graceTimeOut": "1s"}}}}))
    assert proxy.get().status == 200
    wait_for("the copy", lambda: copies.played and copies.played[0].heads)
    proxy.process.signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    copies.wait_until_played()


# Addresses that trusted peers tell

def told(trusted=True, **options):
    """A site where an address that is told is in 192.0.2.0/24 or refused. The entrypoint leaves the client's own fields alone."""
    return guarded({"who": {"realIp": {"from": ["127.0.0.0/8"] if trusted else ["10.0.0.0/8"], **options}},
                    "rules": {"access": {"rules": [{"allow": "192.0.2.0/24"}, {"deny": "all"}]}}},
                   entryPoints={"web": {"forwardedHeaders": {"trustedIPs": ["127.0.0.1"]}}})


@pytest.mark.parametrize("trusted, fields, options, status", [
    (True, [("X-Real-IP", "192.0.2.1")], {}, 200),
    (False, [("X-Real-IP", "192.0.2.1")], {}, 403),
    (True, [("X-Real-IP", "192.0.2.1:80")], {}, 200),
    (True, [("X-Real-IP", "what")], {}, 403),
    (True, [("X-Mine", "192.0.2.1")], {"header": "X-Mine"}, 200),
    (True, [("X-Mine", "192.0.2.1")], {}, 403),
    (True, [("X-Mine", "192.0.2.1, 10.0.0.1")], {"header": "X-Mine"}, 403),
    (True, [("X-Mine", "192.0.2.1, 127.0.0.2")], {"header": "X-Mine", "recursive": True}, 200),
    (True, [("X-Mine", "192.0.2.1, 10.0.0.1")], {"header": "X-Mine", "recursive": True}, 403),
    (True, [("X-Mine", "192.0.2.1"), ("X-Mine", "10.0.0.1")], {"header": "X-Mine"}, 200),
])
def test_a_trusted_peer_tells_the_address(portico, trusted, fields, options, status):
    assert portico(told(trusted, **options)).get(fields=fields).status == status


def test_hosts_by_name_are_trusted(portico):
    config = told(header="X-Mine")
    config["http"]["middlewares"]["who"]["realIp"]["from"] = ["localhost"]
    assert portico(config).get(fields=[("X-Mine", "192.0.2.9")]).status == 200


def test_a_host_that_is_not_there_is_told(refused):
    config = told()
    config["http"]["middlewares"]["who"]["realIp"]["from"] = ["no.such.host.invalid"]
    assert "host not found" in refused(config)


# Links from other sites

REFERERS = {"referers": ["www.example.org", "*.example.com", "example.*/path", "~mirror[0-9]"], "rejectStatusCode": 403}


@pytest.mark.parametrize("value, options, status", [
    (None, {}, 403), (None, {"none": True}, 200),
    ("http://www.example.org", {}, 200), ("https://WWW.example.org:8080/x", {}, 200),
    ("www.example.org", {}, 403), ("www.example.org", {"blocked": True}, 200),
    ("http://a.b.example.com/", {}, 200), ("http://example.com/", {}, 403),
    ("http://example.net/path/x", {}, 200), ("http://example.net/other", {}, 403), ("http://example.net", {}, 403),
    ("http://a/mirror7", {}, 200), ("http://a/mirror", {}, 403),
    ("http://" + "a" * 257 + "mirror1", {}, 403),
])
def test_links_from_other_sites_are_refused(portico, value, options, status):
    proxy = portico(guarded({"links": {"referer": {**REFERERS, **options}}}))
    assert proxy.get(fields=[("Referer", value)] if value is not None else []).status == status
