"""Middlewares on real requests; names, options and outcomes are Traefik's."""
import base64
import gzip
import hashlib
import subprocess
import threading
import zlib

import pytest

from harness.http1 import build, chunked_bytes, response_bytes
from harness.portico import to
from harness.waiting import wait_for


@pytest.fixture
def through(portico, backend):
    """through({type: options}, ...) gives a proxy with these middlewares, and its backend."""
    def start(*middlewares, answer=None, **sections):
        server = backend(answer)
        named = {f"m{number}": middleware for number, middleware in enumerate(middlewares)}
        return portico(to(server.url, middlewares=named, **sections)), server
    return start


# Paths

@pytest.mark.parametrize("middleware, target, expected", [
    ({"addPrefix": {"prefix": "/added"}}, "/x?q=1", "/added/x?q=1"),
    ({"stripPrefix": {"prefixes": ["/api"]}}, "/api/foo?q", "/foo?q"),
    ({"stripPrefix": {"prefixes": ["/api"]}}, "/api/", "/"),
    ({"stripPrefix": {"prefixes": ["/api"]}}, "/api", "/"),
    ({"stripPrefix": {"prefixes": ["/none", "/api"]}}, "/api/foo", "/foo"),
    ({"stripPrefix": {"prefixes": ["/api"]}}, "/other", "/other"),
    ({"stripPrefixRegex": {"regex": ["/v[0-9]+"]}}, "/v12/foo", "/foo"),
    ({"replacePath": {"path": "/always"}}, "/x?q=1", "/always?q=1"),
    ({"replacePathRegex": {"regex": "^/old/(.*)", "replacement": "/new/$1"}}, "/old/x?q=1", "/new/x?q=1"),
    ({"replacePathRegex": {"regex": "^/old/(.*)", "replacement": "/new/${1}"}}, "/other", "/other"),
])
def test_paths_are_rewritten(through, middleware, target, expected):
    proxy, server = through(middleware)
    assert proxy.get(target).status == 200
    assert server.last.target == expected


def test_what_was_taken_off_is_told(through):
    proxy, server = through({"stripPrefix": {"prefixes": ["/api"]}})
    proxy.get("/api/foo")
    assert server.last.get("X-Forwarded-Prefix") == "/api"
    proxy, server = through({"replacePath": {"path": "/always"}})
    proxy.get("/x")
    assert server.last.get("X-Replaced-Path") == "/x"


@pytest.mark.parametrize("target", ["/api./foo", "/api../foo"])
def test_a_prefix_must_not_leave_a_path_that_climbs(through, target):
    proxy, server = through({"stripPrefix": {"prefixes": ["/api"]}})
    assert proxy.get(target).status == 400 and server.requests == []


def test_middlewares_run_in_order(through):
    proxy, server = through({"addPrefix": {"prefix": "/b"}}, {"addPrefix": {"prefix": "/a"}})
    proxy.get("/x")
    assert server.last.target == "/a/b/x"


def test_a_chain_runs_in_order(portico, backend):
    server = backend()
    config = to(server.url, middlewares={"all": {"chain": {"middlewares": ["one", "two"]}}})
    config["http"]["middlewares"].update(one={"addPrefix": {"prefix": "/b"}}, two={"addPrefix": {"prefix": "/a"}})
    portico(config).get("/x")
    assert server.last.target == "/a/b/x"


# Redirections

@pytest.mark.parametrize("permanent, method, status", [(False, "GET", 302), (False, "POST", 307), (True, "GET", 301),
                                                       (True, "POST", 308)])
def test_redirect_scheme(through, permanent, method, status):
    proxy, server = through({"redirectScheme": {"scheme": "https", "permanent": permanent}})
    response = proxy.request(method, "/x?q=1", host="site.example:8080")
    assert response.status == status and response.get("Location") == "https://site.example/x?q=1"
    assert server.requests == []


def test_redirect_scheme_with_a_port(through):
    proxy, _ = through({"redirectScheme": {"scheme": "https", "port": "8443"}})
    assert proxy.get("/", host="site.example").get("Location") == "https://site.example:8443/"


def test_redirect_regex(through):
    proxy, server = through({"redirectRegex": {"regex": "^http://www\\.(.*)", "replacement": "https://$1", "permanent": True}})
    response = proxy.get("/x?q=1", host="www.site.example")
    assert response.status == 301 and response.get("Location") == "https://site.example/x?q=1"
    assert proxy.get("/", host="site.example").status == 200


def test_redirects_wait_for_a_client_that_does_not_read(through):
    """More than the socket takes: what is cut off in the middle of one goes on there, and each is whole and in its place."""
    proxy, server = through({"redirectScheme": {"scheme": "https"}})
    client, count = proxy.client(receive_buffer=4096), 8000
    targets = [f"/{number}/" + "x" * 1000 for number in range(count)]
    sender = threading.Thread(target=lambda: [client.send_request(target=target, host="site.example") for target in targets])
    sender.start()
    wait_for("requests that wait", lambda: not client.writable(0.2) or None)
    for target in targets:
        response = client.response()
        assert response.status == 302 and response.get("Location") == "https://site.example" + target and response.body == b"Found"
    sender.join()
    assert server.requests == []


# Fields

def test_headers_are_set_and_removed(through):
    proxy, server = through({"headers": {"customRequestHeaders": {"X-Set": "yes", "X-Gone": ""},
                                         "customResponseHeaders": {"X-Answer": "42", "Server": ""}}},
                            answer=lambda request: response_bytes(fields=[("Server", "secret"), ("X-Kept", "1")]))
    response = proxy.get(fields=[("X-Gone", "1"), ("X-Set", "no")])
    assert server.last.all("X-Set") == ["yes"] and not server.last.has("X-Gone")
    assert response.get("X-Answer") == "42" and not response.has("Server") and response.get("X-Kept") == "1"


def test_security_headers(through):
    proxy, _ = through({"headers": {"frameDeny": True, "contentTypeNosniff": True, "browserXssFilter": True,
                                    "referrerPolicy": "no-referrer", "contentSecurityPolicy": "default-src 'self'",
                                    "stsSeconds": 31536000, "stsIncludeSubdomains": True, "forceSTSHeader": True,
                                    "permissionsPolicy": "camera=()"}})
    response = proxy.get()
    assert response.get("X-Frame-Options") == "DENY" and response.get("X-Content-Type-Options") == "nosniff"
    assert response.get("X-XSS-Protection") == "1; mode=block" and response.get("Referrer-Policy") == "no-referrer"
    assert response.get("Content-Security-Policy") == "default-src 'self'"
    assert response.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
    assert response.get("Permissions-Policy") == "camera=()"


CORS = {"headers": {"accessControlAllowMethods": ["GET", "PUT"], "accessControlAllowOriginList": ["https://app.example"],
                    "accessControlAllowHeaders": ["X-A"], "accessControlMaxAge": 100, "addVaryHeader": True,
                    "accessControlAllowCredentials": True}}


def test_a_preflight_is_answered_here(through):
    proxy, server = through(CORS)
    response = proxy.request("OPTIONS", "/", [("Origin", "https://app.example"), ("Access-Control-Request-Method", "PUT")])
    assert response.status == 200 and server.requests == []
    assert response.get("Access-Control-Allow-Origin") == "https://app.example"
    assert "PUT" in response.get("Access-Control-Allow-Methods") and response.get("Access-Control-Max-Age") == "100"
    assert response.get("Access-Control-Allow-Headers") == "X-A"


def test_an_origin_is_answered_when_it_is_allowed(through):
    proxy, _ = through(CORS)
    allowed = proxy.get(fields=[("Origin", "https://app.example")])
    assert allowed.get("Access-Control-Allow-Origin") == "https://app.example" and "Origin" in allowed.get("Vary")
    assert not proxy.get(fields=[("Origin", "https://evil.example")]).has("Access-Control-Allow-Origin")


def test_a_content_type_is_guessed_when_asked(through):
    proxy, _ = through({"contentType": {}}, answer=lambda request: response_bytes(body=b"<!DOCTYPE html><html></html>"))
    assert proxy.get().get("Content-Type").startswith("text/html")


# Who may

def credentials(user, password):
    return [("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())]


def htpasswd(flags, user="ann", password="secret"):
    return subprocess.run(["htpasswd", "-nb", *flags, user, password], capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.mark.parametrize("flags", [["-B", "-C", "5"], ["-m"], ["-s"], ["-5"], ["-2"]],
                         ids=["bcrypt", "apr1", "SHA-1", "SHA-512-crypt", "SHA-256-crypt"])
def test_basic_auth(through, flags):
    proxy, server = through({"basicAuth": {"users": [htpasswd(flags)], "realm": "here", "headerField": "X-User"}})
    for fields in ([], credentials("ann", "wrong"), credentials("bob", "secret"), [("Authorization", "Basic !!!")],
                   [("Authorization", "Bearer secret")], credentials("ann", "")):
        response = proxy.get(fields=fields)
        assert response.status == 401 and response.get("WWW-Authenticate") == 'Basic realm="here"'
    assert server.requests == []
    assert proxy.get(fields=[*credentials("ann", "secret"), ("X-User", "forged")]).status == 200
    assert server.last.all("X-User") == ["ann"] and server.last.has("Authorization")


def test_basic_auth_from_a_file_and_without_passing_on(through, tmp_path):
    users = tmp_path / "users"
    users.write_text("# who may\n\n" + htpasswd(["-B", "-C", "5"]) + "\n" + htpasswd(["-m"], "bob", "other") + "\n")
    proxy, server = through({"basicAuth": {"usersFile": str(users), "removeHeader": True}})
    assert proxy.get(fields=credentials("bob", "other")).status == 200
    assert not server.last.has("Authorization")
    assert proxy.get(fields=credentials("ann", "other")).status == 401
    assert proxy.access(where=lambda line: line["DownstreamStatus"] == 200)[0]["ClientUsername"] == "bob"


@pytest.mark.parametrize("middleware, status", [
    ({"ipAllowList": {"sourceRange": ["127.0.0.0/8"]}}, 200), ({"ipAllowList": {"sourceRange": ["10.0.0.0/8", "::1"]}}, 403),
    ({"ipAllowList": {"sourceRange": ["10.0.0.1"], "rejectStatusCode": 404}}, 404),
    ({"ipDenyList": {"sourceRange": ["127.0.0.1"]}}, 403), ({"ipDenyList": {"sourceRange": ["10.0.0.0/8"]}}, 200),
])
def test_addresses(through, middleware, status):
    assert through(middleware)[0].get().status == status


def test_addresses_by_depth(through):
    proxy, _ = through({"ipAllowList": {"sourceRange": ["11.0.0.1"], "ipStrategy": {"depth": 3}}},
                       entryPoints={"web": {"forwardedHeaders": {"insecure": True}}})
    assert proxy.get(fields=[("X-Forwarded-For", "10.0.0.1,11.0.0.1,12.0.0.1,13.0.0.1")]).status == 200
    assert proxy.get(fields=[("X-Forwarded-For", "11.0.0.1,10.0.0.1,12.0.0.1,13.0.0.1")]).status == 403


def test_forward_auth(portico, backend):
    def judge(request):
        if request.get("X-Token") == "good":
            return response_bytes(200, [("X-User", "ann"), ("X-Other", "no")])
        return response_bytes(302, [("Location", "https://login.example/")], b"log in")
    auth, server = backend(judge), backend()
    proxy = portico(to(server.url, middlewares={"auth": {"forwardAuth": {
        "address": f"{auth.url}/check", "authResponseHeaders": ["X-User"]}}}))
    denied = proxy.request("POST", "/x?q=1", [("X-User", "forged")], b"body", host="site.example")
    assert (denied.status, denied.get("Location"), denied.text) == (302, "https://login.example/", "log in")
    assert server.requests == []
    asked = auth.last
    assert asked.method == "GET" and asked.target == "/check" and asked.body == b""
    assert asked.get("X-Forwarded-Method") == "POST" and asked.get("X-Forwarded-Uri") == "/x?q=1"
    assert asked.get("X-Forwarded-Host") == "site.example" and asked.get("X-Forwarded-For") == "127.0.0.1"
    assert proxy.request("POST", "/", [("X-Token", "good"), ("X-User", "forged")], b"body").status == 200
    assert server.last.all("X-User") == ["ann"] and not server.last.has("X-Other") and server.last.body == b"body"


def test_forward_auth_that_cannot_be_asked_lets_nobody_in(portico, backend):
    auth, server = backend(), backend()
    auth.stop()
    proxy = portico(to(server.url, middlewares={"auth": {"forwardAuth": {"address": auth.url}}}))
    assert proxy.get().status >= 500 and server.requests == []


# How much

def test_rate_limit(through):
    proxy, _ = through({"rateLimit": {"average": 1, "period": "1h", "burst": 3}})
    statuses = [proxy.get().status for _ in range(6)]
    assert statuses == [200] * 3 + [429] * 3
    assert proxy.get().has("Retry-After")
    assert proxy.client(source="127.0.0.9").request().status == 200


def test_rate_limit_by_a_field(through):
    proxy, _ = through({"rateLimit": {"average": 1, "period": "1h", "burst": 1,
                                      "sourceCriterion": {"requestHeaderName": "X-Key"}}})
    assert [proxy.get(fields=[("X-Key", key)]).status for key in "aabb"] == [200, 429, 200, 429]


def test_rate_limit_survives_a_reload(portico, backend):
    server = backend()
    config = to(server.url, middlewares={"limit": {"rateLimit": {"average": 1, "period": "1h", "burst": 2}}},
                providers={"providersThrottleDuration": "50ms"})
    proxy = portico(config)
    assert [proxy.get().status for _ in range(3)] == [200, 200, 429]
    config["http"]["routers"]["more"] = {"rule": "Path(`/more`)", "service": "main", "priority": 1000}
    proxy.write(config)
    proxy.wait_for_answer(lambda response: response.status == 200, "/more")
    assert proxy.get().status == 429


def test_requests_in_flight(portico, raw_server):
    held = raw_server([lambda play: play.reader.request(), lambda play: play.reader.fill()])
    proxy = portico(to(held.url, middlewares={"limit": {"inFlightReq": {"amount": 2}}}))
    waiting = [proxy.client().send_request() for _ in range(2)]
    wait_for("two requests", lambda: held.accepted == 2)
    assert proxy.get().status == 429
    waiting[0].close()
    third = proxy.client().send_request()
    wait_for("a third", lambda: held.accepted == 3 or third.readable(0) or None)


def test_buffering_refuses_large_bodies(through):
    proxy, server = through({"buffering": {"maxRequestBodyBytes": 1000, "memRequestBodyBytes": 100}})
    assert proxy.request("POST", "/", body=b"b" * 1000).status == 200
    assert server.last.body == b"b" * 1000 and server.last.get("Content-Length") == "1000"
    assert proxy.request("POST", "/", [("Transfer-Encoding", "chunked")], chunked_bytes(b"c" * 900)).status == 200
    assert server.last.get("Content-Length") == "900"
    assert proxy.request("POST", "/", body=b"b" * 1001).status == 413
    assert proxy.request("POST", "/", [("Transfer-Encoding", "chunked")], chunked_bytes(b"c" * 900, b"d" * 900)).status == 413
    assert len(server.requests) == 2


def test_buffering_refuses_large_responses(through):
    proxy, _ = through({"buffering": {"maxResponseBodyBytes": 1000}},
                       answer=lambda request: response_bytes(body=b"r" * int(request.target[1:])))
    assert proxy.get("/1000").body == b"r" * 1000
    assert proxy.get("/1001").status == 500


# When it fails

def test_retry_asks_again(portico, backend):
    answers = iter([503, 503, 200])
    server = backend(lambda request: response_bytes(next(answers)))
    proxy = portico(to(server.url, middlewares={"again": {"retry": {"attempts": 3, "status": ["503"]}}}))
    assert proxy.get().status == 200 and len(server.requests) == 3


def test_retry_gives_up(portico, backend):
    server = backend(lambda request: response_bytes(503, body=b"no"))
    proxy = portico(to(server.url, middlewares={"again": {"retry": {"attempts": 2, "status": ["500-599"]}}}))
    assert proxy.get().status == 503 and len(server.requests) == 2


def test_errors_are_replaced_by_pages(portico, backend):
    server, pages = backend(lambda request: response_bytes(int(request.target[1:]), body=b"raw")), \
        backend(lambda request: response_bytes(body=f"page {request.target}".encode()))
    config = to(server.url, middlewares={"pages": {"errors": {"status": ["404", "500-599"], "service": "pages",
                                                              "query": "/{status}.html"}}})
    config["http"]["services"]["pages"] = {"loadBalancer": {"servers": [{"url": pages.url}]}}
    proxy = portico(config)
    for status in (404, 503):
        response = proxy.get(f"/{status}")
        assert (response.status, response.text) == (status, f"page /{status}.html")
    assert proxy.get("/403").text == "raw"


def test_a_circuit_opens_and_closes(portico, backend):
    state = {"status": 500}
    server = backend(lambda request: response_bytes(state["status"]))
    proxy = portico(to(server.url, middlewares={"breaker": {"circuitBreaker": {
        "expression": "ResponseCodeRatio(500, 600, 0, 600) > 0.5", "checkPeriod": "50ms", "fallbackDuration": "300ms",
        "recoveryDuration": "100ms"}}}))
    proxy.wait_for_answer(lambda response: response.status == 503)
    state["status"] = 200
    proxy.wait_for_answer(lambda response: response.status == 200)


# Compression

TEXT = b"some text that repeats itself, " * 500


def compressing(body=TEXT, fields=(("Content-Type", "text/plain"),)):
    return lambda request: response_bytes(fields=fields, body=body)


def unzip(name, body):
    return gzip.decompress(body) if name == "gzip" else subprocess.run(
        [{"br": "brotli", "zstd": "zstd"}[name], "-dc"], input=body, capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_compress(through, name):
    proxy, _ = through({"compress": {}}, answer=compressing(fields=[("Content-Type", "text/plain"), ("ETag", '"e"')]))
    response = proxy.get(fields=[("Accept-Encoding", name)])
    assert response.get("Content-Encoding") == name and len(response.body) < len(TEXT) // 4
    assert unzip(name, response.body) == TEXT
    assert "Accept-Encoding" in response.get("Vary") and response.get("ETag") == 'W/"e"'


@pytest.mark.parametrize("accept, coding", [
    ("gzip;q=0.1, br;q=0.9", "br"), ("gzip, br;q=0", "gzip"), ("identity", None), (None, None), ("gzip;q=0", None),
    ("*", "gzip"), ("deflate", None), ("GZIP", "gzip"),
])
def test_compress_by_what_is_accepted(through, accept, coding):
    proxy, _ = through({"compress": {"encodings": ["gzip", "br"]}}, answer=compressing())
    response = proxy.get(fields=[("Accept-Encoding", accept)] if accept else [])
    assert response.get("Content-Encoding") == coding
    assert (unzip(coding, response.body) if coding else response.body) == TEXT


@pytest.mark.parametrize("answer", [
    compressing(body=b"small"), compressing(fields=[("Content-Type", "application/grpc")]),
    compressing(fields=[("Content-Type", "text/plain"), ("Content-Encoding", "x")]),
    compressing(fields=[("Content-Type", "text/plain"), ("Cache-Control", "no-transform")]),
    lambda request: build("HTTP/1.1 206 Part", [("Content-Type", "text/plain"), ("Content-Range", "bytes 0-15499/99999"),
                                                ("Content-Length", len(TEXT))], TEXT),
], ids=["small", "grpc", "coded already", "no-transform", "a range"])
def test_compress_leaves_alone(through, answer):
    proxy, _ = through({"compress": {}}, answer=answer)
    response = proxy.get(fields=[("Accept-Encoding", "gzip, br, zstd")])
    assert response.get("Content-Encoding") in (None, "x") and response.body in (TEXT, b"small")


def test_compress_answers_head_without_a_body(through):
    proxy, _ = through({"compress": {}}, answer=lambda request: build(
        "HTTP/1.1 200 Fine", [("Content-Type", "text/plain"), ("Content-Length", len(TEXT))],
        TEXT if request.method == "GET" else b""))
    client = proxy.client()
    assert client.request("HEAD", "/", [("Accept-Encoding", "gzip")]).body == b""
    assert gzip.decompress(client.request("GET", "/", [("Accept-Encoding", "gzip")]).body) == TEXT


def test_compressed_events_arrive_one_by_one(portico, raw_server):
    seen = [threading.Event() for _ in range(3)]
    script = [lambda play: play.reader.request(),
              b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for number, event in enumerate(seen):
        script += [b"9\r\ndata: %d\n\n\r\n" % number, lambda play, event=event: event.wait(20)]
    proxy = portico(to(raw_server([*script, b"0\r\n\r\n"]).url, middlewares={"zip": {"compress": {"minResponseBodyBytes": 0}}}))
    client = proxy.client().send_request("GET", "/", [("Accept-Encoding", "gzip")])
    response = client.reader.response_head()
    assert response.get("Content-Encoding") == "gzip"
    plain, inflate = b"", zlib.decompressobj(31)
    for number, event in enumerate(seen):
        while b"data: %d\n\n" % number not in plain:
            plain += inflate.decompress(client.reader.take(int(client.reader.line(), 16)))
            client.reader.take(2)
        event.set()


def test_a_large_body_is_compressed_as_it_passes(through):
    body = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(50000))
    proxy, _ = through({"compress": {}}, answer=lambda request: build(
        "HTTP/1.1 200 Fine", [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")],
        chunked_bytes(*(body[at:at + 9999] for at in range(0, len(body), 9999)))))
    for name in ("gzip", "br", "zstd"):
        assert unzip(name, proxy.get(fields=[("Accept-Encoding", name)]).body) == body


@pytest.mark.parametrize("name, option, level", [("br", "brotliLevel", 9), ("zstd", "zstdLevel", 16), ("gzip", "gzipLevel", 9)])
def test_a_body_that_is_slow_to_compress_comes_whole(through, name, option, level):
    body = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(20000))
    proxy, _ = through({"compress": {option: level}}, answer=lambda request: build(
        "HTTP/1.1 200 Fine", [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")],
        chunked_bytes(*(body[at:at + 9999] for at in range(0, len(body), 9999)))))
    client = proxy.client()
    for _ in range(2):
        assert unzip(name, client.request("GET", "/", [("Accept-Encoding", name)]).body) == body


def test_others_are_answered_while_a_body_is_compressed_slowly(through):
    body = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(160000))
    proxy, _ = through({"compress": {"brotliLevel": 11, "minResponseBodyBytes": 0}}, answer=lambda request: build(
        "HTTP/1.1 200 Fine", [("Content-Type", "text/plain"), ("Content-Length", len(body) if request.target == "/long" else 2)],
        body if request.target == "/long" else b"ok"))
    slow = proxy.client().send_request("GET", "/long", [("Accept-Encoding", "br")])
    assert slow.reader.response_head().get("Content-Encoding") == "br"
    other = proxy.client()
    for _ in range(20):
        assert other.request("GET", "/short").body == b"ok"
    slow.close()      # in the middle of it
    assert unzip("br", other.request("GET", "/short", [("Accept-Encoding", "br")]).body) == b"ok"


def test_events_that_are_compressed_slowly_arrive_one_by_one(portico, raw_server):
    seen = [threading.Event() for _ in range(3)]
    script = [lambda play: play.reader.request(),
              b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for number, event in enumerate(seen):
        script += [b"9\r\ndata: %d\n\n\r\n" % number, lambda play, event=event: event.wait(20)]
    proxy = portico(to(raw_server([*script, b"0\r\n\r\n"]).url,
                       middlewares={"zip": {"compress": {"minResponseBodyBytes": 0, "zstdLevel": 19}}}))
    client = proxy.client().send_request("GET", "/", [("Accept-Encoding", "zstd")])
    assert client.reader.response_head().get("Content-Encoding") == "zstd"
    coded = b""
    for number, event in enumerate(seen):
        while b"data: %d\n\n" % number not in subprocess.run(["zstd", "-dc"], input=coded, capture_output=True).stdout:
            coded += client.reader.take(int(client.reader.line(), 16))
            client.reader.take(2)
        event.set()


# Places

def test_middlewares_of_an_entrypoint_and_of_a_service_run_around_those_of_the_router(portico, backend):
    server = backend()
    config = to(server.url, middlewares={"router": {"addPrefix": {"prefix": "/router"}}},
                entryPoints={"web": {"http": {"middlewares": ["entry@file"]}}})
    config["http"]["middlewares"]["entry"] = {"addPrefix": {"prefix": "/entry"}}
    config["http"]["middlewares"]["service"] = {"addPrefix": {"prefix": "/service"}}
    config["http"]["services"]["main"]["middlewares"] = ["service"]
    portico(config).get("/x")
    assert server.last.target == "/service/router/entry/x"
