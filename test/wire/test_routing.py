"""Which router takes a request, seen from outside; Traefik v3's semantics."""
import json
import pytest

from harness.portico import to


@pytest.fixture
def routed(portico):
    """routed({name: rule or router}) gives ask(target, ...) -> the router's name, or the status where none took it."""
    def start(routers, **sections):
        http = {"routers": {}, "services": {}}
        for name, router in routers.items():
            router = {"rule": router} if isinstance(router, str) else router
            http["routers"][name] = {"service": name, **router}
            http["services"][name] = {"respond": {"body": name}}
        proxy = portico({"http": http, **sections})

        def ask(target="/", fields=(), **more):
            response = proxy.request(more.pop("method", "GET"), target, fields, **more)
            return response.text if response.status == 200 else response.status
        return ask
    return start


def test_hosts(routed):
    ask = routed({"a": "Host(`a.example`)", "b": "Host(`b.example`) || Host(`c.example`)", "wild": "Host(`*.w.example`)"})
    assert ask(host="a.example") == "a"
    assert ask(host="A.Example") == "a"
    assert ask(host="a.example:8080") == "a"
    assert ask(host="a.example.") == "a"
    assert ask(host="b.example") == ask(host="c.example") == "b"
    assert ask(host="x.w.example") == "wild"
    assert ask(host="x.y.w.example") == ask(host="w.example") == ask(host="d.example") == 404


def test_paths(routed):
    ask = routed({"exact": "Path(`/exact`)", "prefix": "PathPrefix(`/api`)", "regexp": "PathRegexp(`^/r/[0-9]+$`)"})
    assert ask("/exact") == ask("/exact?q=1") == "exact"
    assert ask("/exact/") == 404
    assert ask("/api") == ask("/api/x") == ask("/apix") == "prefix"
    assert ask("/r/42") == "regexp"
    assert ask("/r/x") == ask("/r/42/") == ask("/") == 404


def test_methods_headers_queries(routed):
    ask = routed({"post": "Method(`POST`)", "header": "Header(`X-A`, `1`)", "headers": "HeaderRegexp(`X-B`, `^[a-z]+$`)",
                  "query": "Query(`q`, `1`)", "queries": "QueryRegexp(`r`, `^[0-9]+$`)", "mobile": "Query(`mobile`)"})
    assert ask(method="POST") == "post"
    assert ask(fields=[("X-A", "1")]) == ask(fields=[("x-a", "0"), ("X-A", "1")]) == "header"
    assert ask(fields=[("X-A", "11")]) == 404
    assert ask(fields=[("X-B", "abc")]) == "headers"
    assert ask("/?q=1") == ask("/?a=b&q=1") == "query"
    assert ask("/?q=12") == 404
    assert ask("/?r=77") == "queries"
    assert ask("/?mobile") == ask("/?mobile=") == "mobile"
    assert ask("/?mobile=1") == 404


def test_logic(routed):
    ask = routed({"main": "Host(`a`) && (PathPrefix(`/x`) || PathPrefix(`/y`)) && !Method(`DELETE`)"})
    assert ask("/x", host="a") == ask("/y", host="a") == "main"
    assert ask("/x", host="b") == ask("/z", host="a") == ask("/x", host="a", method="DELETE") == 404


def test_the_longer_rule_wins_and_a_priority_beats_it(routed):
    ask = routed({"short": "Host(`foobar.traefik.com`)", "long": r"HostRegexp(`[a-z]+\.traefik\.com`)"})
    assert ask(host="foobar.traefik.com") == "long"
    ask = routed({"short": {"rule": "Host(`foobar.traefik.com`)", "priority": 100},
                  "long": r"HostRegexp(`[a-z]+\.traefik\.com`)"})
    assert ask(host="foobar.traefik.com") == "short"
    ask = routed({"all": {"rule": "PathPrefix(`/`)", "priority": -1}, "none": {"rule": "Path(`/a`)", "priority": -2}})
    assert ask("/a") == "all"


def test_rules_of_version_2(routed):
    ask = routed({"v2": {"ruleSyntax": "v2", "rule": "Host(`a`, `b`) && Path(`/p/{id:[0-9]+}`)"},
                  "headers": {"ruleSyntax": "v2", "rule": "Headers(`X-A`, `1`) && Query(`k=v`)"}})
    assert ask("/p/7", host="a") == ask("/p/8", host="b") == "v2"
    assert ask("/p/x", host="a") == 404
    assert ask("/?k=v", [("X-A", "1")]) == "headers"


def test_entrypoints(routed):
    ask = routed({"first": {"rule": "PathPrefix(`/`)", "entryPoints": ["web"]},
                  "second": {"rule": "PathPrefix(`/`)", "entryPoints": ["other"]},
                  "both": "Path(`/both-of-them`)"}, entryPoints={"web": {}, "other": {}})
    assert ask() == "first" and ask(entry_point="other") == "second"
    assert ask("/both-of-them") == ask("/both-of-them", entry_point="other") == "both"


def test_a_default_entrypoint_takes_the_routers_that_name_none(routed):
    ask = routed({"main": "PathPrefix(`/`)"}, entryPoints={"web": {}, "private": {}, "public": {"asDefault": True}})
    assert ask(entry_point="public") == "main"
    assert ask() == ask(entry_point="private") == 404


def test_a_client_ip(portico, backend):
    proxy = portico(to(backend().url, rule="ClientIP(`127.0.0.2`)"))
    assert proxy.get().status == 404
    assert proxy.client(source="127.0.0.2").request().status == 200


@pytest.mark.parametrize("target, path", [("/./foo/bar", "/foo/bar"), ("/foo/../bar", "/bar"), ("/foo/bar//", "/foo/bar/"),
                                          ("/a//b", "/a/b"), ("/%2e%2e/x", "/x"), ("/a/%2E%2e/b", "/b")])
def test_paths_are_made_normal(portico, backend, target, path):
    server = backend()
    proxy = portico(to(server.url, rule=f"Path(`{path}`)"))
    assert proxy.get(target).status == 200
    assert server.last.target == path


def test_nothing_climbs_above_the_root(portico, backend):
    server = backend()
    proxy = portico(to(server.url, rule="PathPrefix(`/public`)"))
    for target in ("/public/../private", "/public/%2e%2e/private", "/public/..%2fprivate/../../x", "/../private"):
        response = proxy.get(target)
        assert response.status in (400, 404) or ".." not in server.last.target.lower().replace("%2e", ".")
    assert proxy.get("/public/../private").status == 404


def test_sanitizing_can_be_turned_off(portico, backend):
    server = backend()
    proxy = portico(to(server.url, entryPoints={"web": {"http": {"sanitizePath": False}}}))
    assert proxy.get("/a//b/../c").status == 200
    assert server.last.target == "/a//b/../c"


ENCODED = [("allowEncodedSlash", "%2F"), ("allowEncodedBackSlash", "%5C"), ("allowEncodedNullCharacter", "%00"),
           ("allowEncodedSemicolon", "%3B"), ("allowEncodedPercent", "%25"), ("allowEncodedQuestionMark", "%3F"),
           ("allowEncodedHash", "%23")]


@pytest.mark.parametrize("option, encoded", ENCODED)
def test_encoded_characters_can_be_refused(portico, backend, option, encoded):
    server = backend()
    proxy = portico(to(server.url))
    assert proxy.get(f"/a{encoded}b").status == 200 and server.last.target == f"/a{encoded}b"
    proxy = portico(to(server.url, entryPoints={"web": {"http": {"encodedCharacters": {option: False}}}}))
    assert proxy.get(f"/a{encoded}b").status == proxy.get(f"/a{encoded.lower()}b").status == 400
    assert proxy.get("/plain").status == 200


@pytest.mark.parametrize("encode, target", [(False, "/?foo=bar&baz=bar"), (True, "/?foo=bar%3Bbaz=bar")])
def test_semicolons_in_queries(portico, backend, encode, target):
    server = backend()
    proxy = portico(to(server.url, entryPoints={"web": {"http": {"encodeQuerySemicolons": encode}}}))
    assert proxy.get("/?foo=bar;baz=bar").status == 200
    assert server.last.target == target


def test_an_unknown_route_is_a_404(portico, backend):
    proxy = portico(to(backend().url, rule="Path(`/only`)"))
    response = proxy.get("/other")
    assert response.status == 404 and response.text.startswith("404 page not found")
    line = proxy.access()[0]
    assert line["reason"] == "no_route"


def test_thousands_of_routers(routed):
    ask = routed({f"r{number}": f"Host(`h{number}.example`)" for number in range(3000)})
    for number in (0, 1, 1500, 2999):
        assert ask(host=f"h{number}.example") == f"r{number}"
    assert ask(host="h3000.example") == 404


@pytest.mark.parametrize("preserve, target", [(True, "/base/x?q=1"), (False, "/x?q=1")])
def test_the_path_of_a_servers_url_counts_when_it_is_preserved(portico, backend, preserve, target):
    server = backend()
    proxy = portico(to({"url": server.url + "/base/", "preservePath": preserve}))
    proxy.get("/x?q=1")
    assert server.last.target == target


def test_the_host_can_be_the_servers(portico, backend):
    server = backend()
    proxy = portico(to(server.url, service={"passHostHeader": False}))
    proxy.get(host="site.example")
    assert server.last.get("Host") == server.address and server.last.get("X-Forwarded-Host") == "site.example"


def test_an_entrypoint_redirects_to_another(portico, backend):
    server = backend()
    proxy = portico(to(server.url, entryPoints={
        "web": {"http": {"redirections": {"entryPoint": {"to": ":8443", "scheme": "https"}}}}, "other": {}}))
    response = proxy.get("/x?q=1", host="site.example")
    assert response.status == 301 and response.get("Location") == "https://site.example:8443/x?q=1"
    assert proxy.request("POST", "/x", host="site.example").status == 308
    assert proxy.get(entry_point="other").status == 200


def test_what_a_router_that_was_left_out_would_have_taken_goes_to_no_other(portico, backend):
    """Its middleware may have been what asks for a password."""
    config = to(backend().url, rule="Host(`localhost`)", providers={"docker": {"endpoint": "unix:///nonexistent.sock"}})
    config["http"]["routers"]["admin"] = {"rule": "Host(`localhost`) && PathPrefix(`/admin`)", "service": "main",
                                          "middlewares": ["auth@docker"]}
    proxy = portico(config)
    assert proxy.get("/").status == 200
    assert proxy.get("/admin/users").status == 404
    line = proxy.access(2)[1]
    assert line["RouterName"] == "admin@file" and "auth@docker" in json.dumps(line), line
