"""What becomes of responses: fields and trailers by template, error pages of the same site, a pace, how our own answers look."""
import email.utils
import json
import os
import subprocess
import time

import pytest

from harness.http1 import response_bytes
from harness.http2 import Http2
from harness.portico import BINARY, to

PAGE = {"respond": {"status": 200, "body": "a page\n"}}


def site(locations, middlewares=None, services=None, **sections):
    """A site whose locations are a dict: name -> (path, service, names of middlewares) or the router itself."""
    routers = {}
    for name, it in locations.items():
        if isinstance(it, tuple):
            path, service, chain = it
            it = {"location": {"site": "s", "path": path, **({"match": "named"} if path == name else {})},
                  "service": service, "middlewares": list(chain)}
        routers[name] = it
    return {"http": {"sites": {"s": {"names": ["localhost"]}}, "routers": routers, "middlewares": middlewares or {},
                     "services": services or {}}, **sections}


# ---- responseHeaders ----

def with_fields(backend, status=200, fields=(), **options):
    server = backend(lambda request: response_bytes(status, fields=fields, body=b"fine"))
    return to(server.url, middlewares={"h": {"responseHeaders": options}})


def test_fields_are_templates_and_empty_ones_are_left_out(portico, backend):
    proxy = portico(with_fields(backend, add=[{"name": "X-Path", "value": "${uri} of ${host}"}, {"name": "X-None", "value": "${arg_a}"},
                                              {"name": "X-Path", "value": "again"}]))
    response = proxy.get("/a%20b?c=1")
    assert response.all("X-Path") == ["/a b of localhost", "again"] and not response.has("X-None")
    assert proxy.get("/?a=7").all("X-None") == ["7"]


@pytest.mark.parametrize("status, wanted", [(200, "UA"), (304, "UA"), (404, "AE"), (503, "AS")])
def test_fields_are_for_certain_statuses(portico, backend, status, wanted):
    proxy = portico(with_fields(backend, status, add=[
        {"name": "X-U", "value": "U"}, {"name": "X-A", "value": "A", "always": True}, {"name": "X-E", "value": "E", "onStatus": ["404"]},
        {"name": "X-S", "value": "S", "onStatus": ["500-599"]}]))
    response = proxy.get("/")
    assert {letter for letter in "UAES" if response.has(f"X-{letter}")} == set(wanted)


def test_a_field_takes_the_place_of_others_or_removes_them(portico, backend):
    fields = [("ETag", '"old"'), ("X-Mine", "1"), ("X-Mine", "2")]
    proxy = portico(with_fields(backend, fields=fields, add=[{"name": "etag", "value": '"new"', "replace": True},
                                                             {"name": "X-Mine", "value": "", "replace": True}]))
    response = proxy.get("/")
    assert response.all("ETag") == ['"new"'] and not response.has("X-Mine")


def seconds(response):
    return email.utils.parsedate_to_datetime(response.get("Expires")).timestamp()


def test_expires_in_all_its_forms(portico, backend):
    stamp = "Mon, 28 Sep 1970 06:00:00 GMT"
    server = backend(lambda request: response_bytes(fields=[("Last-Modified", stamp), ("Cache-Control", "a"), ("Cache-Control", "b")]))
    locations = {"var": "${arg_e}", "modified": "modified ${arg_e}"}
    proxy = portico(site({name: (f"/{name}", "up", [name]) for name in locations},
                         {name: {"responseHeaders": {"expires": text}} for name, text in locations.items()},
                         {"up": {"loadBalancer": {"servers": [{"url": server.url}]}}}))
    response = proxy.get("/var?e=30d")
    assert response.all("Cache-Control") == ["max-age=2592000"] and abs(seconds(response) - time.time() - 2592000) < 60
    assert proxy.get("/var?e=-1").get("Cache-Control") == "no-cache"
    assert proxy.get("/var?e=epoch").get("Expires") == "Thu, 01 Jan 1970 00:00:01 GMT"
    assert proxy.get("/var?e=max").get("Cache-Control") == "max-age=315360000"
    assert proxy.get("/var?e=@33s").get("Expires").endswith(":33 GMT")
    for none in ("off", "", "bad"):
        response = proxy.get(f"/var?e={none}")
        assert not response.has("Expires") and response.get("Cache-Control") == "a, b"
    assert proxy.get("/modified?e=2048").get("Expires") == "Mon, 28 Sep 1970 06:34:08 GMT"
    assert not proxy.get("/modified?e=epoch").has("Expires")


TRAILERS = {"trailers": [{"name": "X-Host", "value": "${host}"}, {"name": "X-None", "value": ""}]}


def test_trailers_go_out_behind_the_body(portico, backend):
    proxy = portico(with_fields(backend, **TRAILERS))
    response = proxy.get("/")
    assert response.body == b"fine" and response.chunked and response.trailers == [("X-Host", "localhost")]
    assert not proxy.request("HEAD").chunked
    assert proxy.get("/", version="1.0").body == b"fine"
    h2 = Http2(proxy.port)
    answer = h2.request()
    h2.close()
    assert (answer.body, dict(answer.trailers)) == (b"fine", {"x-host": "localhost"})


def test_trailers_are_not_for_errors(portico, backend):
    response = portico(with_fields(backend, 500, **TRAILERS)).get("/")
    assert response.trailers == [] and not response.chunked


@pytest.mark.parametrize("options, said", [
    ({"expires": "soon"}, "is not a time"), ({"expires": "modified @1h"}, "does not go with 'modified'"),
    ({"add": [{"name": "a b", "value": "1"}]}, "is not a header field's name"),
    ({"add": [{"name": "a", "value": "${no_such}"}]}, "no_such")])
def test_mistakes_are_told_with_their_place(tmp_path, options, said):
    config = to("http://127.0.0.1:1", middlewares={"h": {"responseHeaders": options}}, entryPoints={"web": {"address": ":1"}})
    (tmp_path / "portico.yaml").write_text(json.dumps(config, indent=1))
    done = subprocess.run([BINARY, "check", str(tmp_path / "portico.yaml")], capture_output=True, text=True)
    assert done.returncode != 0 and said in done.stdout + done.stderr and "portico.yaml:" in done.stdout + done.stderr


# ---- errorPages ----

def pages(*list_of, **more):
    return {"errorPages": {"pages": list(list_of), **more}}


@pytest.fixture
def paged(portico, backend):
    """paged(page, ...) is a site: /up is served by `server`, /none by nobody; /page, @named and /echo give pages."""
    def start(*list_of, answer=None, auth=False, **more):
        server = backend(answer or (lambda request: response_bytes(int(request.target.rsplit("/", 1)[1] or 200), body=b"server's")))
        echo = backend(lambda request: response_bytes(body=f"{request.method} {request.target}".encode()))
        missing = {"respond": {"status": 200, "body": "unseen"}}
        deny = {"ipAllowList": {"sourceRange": ["192.0.2.1"]}}
        login = {"basicAuth": {"users": ["a:{SHA}6dcfXufJLW3J6S/9rRe4vUlBj5g="]}}
        config = site({"page": ("/page", "page", []), "echo": ("/echo", "echo", []), "named": ("named", "echo", []),
                       "up": ("/up", "up", ["pages"]), "denied": ("/denied", "page", ["pages", "deny"]),
                       "login": ("/login", "page", ["pages", "login"]), "circle": ("/circle", "page", ["circle", "deny"])},
                      {"pages": pages(*list_of, **more), "deny": deny, "login": login,
                       "circle": pages({"status": 403, "to": "/circle"}, recursive=True)},
                      {"page": PAGE, "missing": missing, "echo": {"loadBalancer": {"servers": [{"url": echo.url}]}},
                       "up": {"loadBalancer": {"servers": [{"url": server.url}]}}})
        return portico(config)
    return start


def test_a_location_gives_the_page_and_the_status_stays(paged):
    response = paged({"status": [403, 404], "to": "/page"}).get("/denied/x")
    assert (response.status, response.text) == (403, "a page\n")


@pytest.mark.parametrize("told, status", [("200", 200), ("503", 503), ("page", 200)])
def test_the_client_is_told_another_status(paged, told, status):
    response = paged({"status": 403, "to": "/page", "response": told}).get("/denied/x")
    assert (response.status, response.text) == (status, "a page\n")


def test_a_path_is_asked_for_by_get_and_a_name_as_the_request_was(paged):
    proxy = paged({"status": 403, "to": "/echo/${host}?of=${uri}"}, {"status": 401, "to": "@named"})
    response = proxy.request("POST", "/denied/x", body=b"abc")
    assert (response.status, response.text) == (403, "GET /echo/localhost?of=/denied/x")
    response = proxy.request("PUT", "/login/x?y=1")
    assert (response.status, response.text) == (401, "PUT /login/x?y=1")
    assert proxy.request("HEAD", "/denied/x").status == 403


def test_what_the_error_asked_of_the_client_still_holds(paged):
    response = paged({"status": 401, "to": "/page"}).get("/login/x")
    assert (response.status, response.text) == (401, "a page\n")
    assert response.get("WWW-Authenticate").startswith("Basic")


def test_a_url_is_a_redirect(paged):
    proxy = paged({"status": 403, "to": "https://elsewhere.test/?from=${uri}"}, {"status": 401, "to": "login", "response": "303"})
    response = proxy.get("/denied/x")
    assert (response.status, response.get("Location")) == (302, "https://elsewhere.test/?from=/denied/x")
    response = proxy.get("/login/x")
    assert (response.status, response.get("Location"), response.has("WWW-Authenticate")) == (303, "login", False)


def test_what_servers_answer_is_replaced_when_asked_for_alone(paged):
    page = {"status": "400-599", "to": "/page"}
    assert paged(page).get("/up/404").text == "server's"
    proxy = paged(page, intercept=True)
    response = proxy.get("/up/404")
    assert (response.status, response.text) == (404, "a page\n")
    assert proxy.get("/up/200").text == "server's"
    assert proxy.get("/up/302").text == "server's"


def test_the_wanted_credentials_of_a_server_are_passed_on(paged):
    proxy = paged({"status": 401, "to": "/page"}, intercept=True,
                  answer=lambda request: response_bytes(401, fields=[("WWW-Authenticate", "Digest x"), ("X-Other", "1")]))
    response = proxy.get("/up/401")
    assert (response.status, response.text, response.get("WWW-Authenticate"), response.has("X-Other")) == \
        (401, "a page\n", "Digest x", False)


def test_a_page_that_fails_shows_its_own_failure(paged):
    proxy = paged({"status": 403, "to": "/login/x"}, {"status": 401, "to": "/page"})
    response = proxy.get("/denied/x")
    assert response.status == 401 and response.text != "a page\n"
    response = paged({"status": 403, "to": "/login/x"}, {"status": 401, "to": "/page"}, recursive=True).get("/denied/x")
    assert (response.status, response.text) == (401, "a page\n")


def test_pages_that_lead_in_a_circle_end(paged):
    assert paged({"status": 404, "to": "/page"}).get("/circle").status == 403


def test_an_answer_with_words_of_its_own_stays(portico):
    proxy = portico(site({"own": ("/", "own", ["pages"]), "page": ("/page", "page", [])}, {"pages": pages({"status": 404, "to": "/page"})},
                         {"own": {"respond": {"status": 404, "body": "own words"}}, "page": PAGE}))
    assert proxy.get("/").text == "own words"


# ---- bandwidth ----

@pytest.mark.parametrize("kind", ["proxied", "sendfile"])
def test_a_body_goes_out_at_its_pace(portico, backend, tmp_path, kind):
    body = os.urandom(300_000)
    server = backend(lambda request: response_bytes(body=body))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "x").write_bytes(body)
    service = ({"loadBalancer": {"servers": [{"url": server.url}]}} if kind == "proxied" else
               {"files": {"root": str(tmp_path / "files")}})
    proxy = portico({"http": {"routers": {"r": {"rule": "PathPrefix(`/`)", "service": "s", "middlewares": ["b"]}},
                              "middlewares": {"b": {"bandwidth": {"rate": "${arg_rate}", "after": "100000"}}}, "services": {"s": service}}})
    began = time.monotonic()
    assert proxy.get("/x?rate=100000").body == body
    assert time.monotonic() - began > 0.9       # a second's worth is free, and what stands before
    began = time.monotonic()
    assert proxy.get("/x").body == body
    h2 = Http2(proxy.port, window=1 << 20)
    began = time.monotonic()
    assert h2.request(target="/x?rate=100000").body == body
    assert time.monotonic() - began > 0.9
    h2.close()


def test_a_slow_pace_is_no_slow_client(portico, backend):
    server = backend(lambda request: response_bytes(body=b"x" * 60))
    proxy = portico(to(server.url, middlewares={"b": {"bandwidth": {"rate": "20"}}},
                       entryPoints={"web": {"transport": {"respondingTimeouts": {"writeTimeout": "1s"}}}}))
    assert proxy.get("/").body == b"x" * 60


# ---- answers of our own ----

CLASSIC = {"errorPages": "classic", "serverHeader": "portico"}


def test_classic_answers_are_the_same_for_everybody(portico):
    proxy = portico({"http": {"routers": {"r": {"rule": "PathPrefix(`/none`)", "service": "s"}},
                              "services": {"s": {"loadBalancer": {"servers": []}}}}, "entryPoints": {"web": {"http": CLASSIC}}})
    for accept in ("*/*", "text/html", "application/json"):
        response = proxy.get("/", fields=[("Accept", accept)])
        assert response.status == 404 and response.get("Content-Type") == "text/html"
        assert "<title>404 Not Found</title>" in response.text and "portico" in response.text
        assert response.get("Server") == "portico" and response.has("Date")
        for field in ("Vary", "X-Content-Type-Options", "Content-Security-Policy"):
            assert not response.has(field)
    response = proxy.get("/none")
    assert response.status == 502 and "502 Bad Gateway" in response.text and not response.has("Retry-After")
    response = proxy.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * (2 << 20) + b"\r\n\r\n")
    assert response.status == 400 and "Request Header Or Cookie Too Large" in response.text
    assert response.head.startswith(b"HTTP/1.1 400 Bad Request\r\n") and response.get("Server") == "portico"
    h2 = Http2(proxy.port)
    answer = h2.request()
    h2.close()
    assert b"404 Not Found" in answer.body and answer.get("server") == "portico"


def test_a_server_is_named_where_none_names_itself(portico, backend):
    server = backend(lambda request: response_bytes(fields=[("Server", "own")] if request.target == "/own" else []))
    proxy = portico(to(server.url, router={"serverHeader": "mine/1"}, entryPoints={"web": {"http": CLASSIC}}))
    assert proxy.get("/").all("Server") == ["mine/1"]
    assert proxy.get("/own").all("Server") == ["own"]
    assert not portico(to(server.url)).get("/").has("Server")
