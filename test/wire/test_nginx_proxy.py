"""proxy_pass and its kin in nginx.conf: beside Debian's nginx where it says the same, alone where it is older."""
import subprocess
import time

import pytest

from harness.http1 import response_bytes
from harness.portico import BINARY


@pytest.fixture
def echo(backend):
    """Tells what came: target, fields and body."""
    def answer(request):
        lines = [f"{request.method} {request.target} {request.version}"]
        lines += sorted(f"{name.lower()}: {value}" for name, value in request.fields)
        return response_bytes(200, fields=[("X-Upstream", "yes"), ("Server", "backend/1"), ("X-Pad", "x")],
                              body="\n".join(lines).encode() + b"\n\n" + request.body)
    return backend(answer)


def server(echo, text):
    return "server { listen 127.0.0.1:@port@; server_name a.example; %s }" % text.replace("UP", echo.url).replace("ADDR", echo.address)


@pytest.mark.parametrize("location, to, target, seen", [
    ("/app/", "UP", "/app/users", "/app/users"),
    ("/app/", "UP/", "/app/users", "/users"),
    ("/app/", "UP/api", "/app/users", "/apiusers"),
    ("/app/", "UP/api/", "/app/users", "/api/users"),
    ("/app", "UP/", "/app/users", "//users"),
    ("/app", "UP", "/app/users", "/app/users"),
    ("/", "UP", "/a%2Fb/../c%20d?x=%20", "/a%2Fb/../c%20d?x=%20"),
    ("/a/", "UP/b/", "/a/c%20d/../e%3Ff?x", "/b/e%3Ff?x"),
    ("= /x", "UP/y?z=1", "/x?q", "/y?z=1?q"),
    ("/", "UP$request_uri", "/as/it%20is?x", "/as/it%20is?x"),
    ("/", "UP/fixed", "/", "/fixed"),
    ("~ ^/r/(.*)$", "UP/$1", "/r/one?two", "/one")])
def test_the_target_that_a_server_sees(nginx_pair, echo, location, to, target, seen):
    pair = nginx_pair(server(echo, "location %s { proxy_pass %s; proxy_http_version 1.1; proxy_set_header Connection ''; }" % (location, to)))
    answer = pair.same(target=target)
    assert answer.body.decode().split()[1] == seen


def test_a_rewritten_path_is_sent_as_it_is_now(nginx_pair, echo):
    pair = nginx_pair(server(echo, "location /a/ { rewrite ^/a/(.*) /n%20w/$1 break; proxy_pass UP/ignored/; "
                                   "proxy_http_version 1.1; proxy_set_header Connection ''; }"))
    pair.same(target="/a/b%20c?d=e")


@pytest.mark.parametrize("rules", [
    "", "proxy_set_header Host $host;", "proxy_set_header Host b.example:81; proxy_set_header X-A '';",
    "proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-A b;",
    "proxy_pass_request_headers off;", "proxy_set_header Accept-Encoding '';", "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection 'upgrade';"])
def test_fields_that_a_server_sees(nginx_pair, echo, rules):
    # What is the default of Connection differs between the versions.
    connection = "" if "Connection" in rules else "proxy_set_header Connection '';"
    pair = nginx_pair(server(echo, "location / { proxy_pass UP; proxy_http_version 1.1; %s %s }" % (rules, connection)))
    fields = [("X-A", "1"), ("X-Forwarded-For", "192.0.2.1"), ("TE", "trailers"), ("Accept-Encoding", "gzip"), ("X-B", "2"), ("X-B", "3")]
    pair.same(fields=fields)
    pair.same("POST", fields=fields, body=b"hello")


def test_fields_are_inherited_all_or_none(nginx_pair, echo):
    pair = nginx_pair(server(echo, "proxy_http_version 1.1; proxy_set_header X-S s; proxy_set_header Connection ''; "
                                   "location / { proxy_pass UP; } "
                                   "location /own { proxy_pass UP; proxy_set_header X-L l; proxy_set_header Connection ''; }"))
    pair.same()
    pair.same(target="/own")


@pytest.mark.parametrize("text", ["proxy_method POST;", "proxy_set_body 'it is $uri';", "proxy_pass_request_body off; proxy_set_header Content-Length '';"])
def test_method_and_body(nginx_pair, echo, text):
    pair = nginx_pair(server(echo, "location / { proxy_pass UP; proxy_http_version 1.1; proxy_set_header Connection ''; %s }" % text))
    pair.same("PUT", target="/x", body=b"the client's")


def test_http_1_0_is_spoken_to_servers_that_want_it(portico_nginx, echo):
    proxy = portico_nginx(server(echo, "location / { proxy_pass UP; proxy_http_version 1.0; }"))
    assert proxy.get().body.startswith(b"GET / 1.0\n")


@pytest.mark.parametrize("rules", ["", "proxy_pass_header Server; proxy_hide_header X-Upstream;", "proxy_pass_header X-Pad;"])
def test_fields_of_responses_that_clients_see(nginx_pair, echo, rules):
    pair = nginx_pair(server(echo, "location / { proxy_pass UP; %s }" % rules))
    wanted, got = pair.nginx.get(), pair.portico.get()
    for name in ("X-Upstream", "X-Pad"):
        assert got.get(name) == wanted.get(name)
    assert ("backend/1" in got.get("Server")) == ("backend/1" in wanted.get("Server"))


@pytest.mark.parametrize("rules, location", [
    ("", "http://ADDR/one/two"), ("", "http://elsewhere.example/x"), ("proxy_redirect off;", "http://ADDR/one"),
    ("proxy_redirect http://ADDR/ http://$host/new/;", "http://ADDR/one"), ("proxy_redirect ~^http://[^/]+/(.*)$ /cut/$1;", "http://ADDR/a/b"),
    ("proxy_redirect http://a.b/ /c/; proxy_redirect / /d/;", "/x"), ("proxy_redirect ~*HTTP://OTHER/(.*) http://other/$1/;", "http://other/y")])
def test_redirects_are_rewritten(nginx_pair, backend, rules, location):
    other = backend(lambda request: response_bytes(302, fields=[("Location", location.replace("ADDR", other.address)),
                                                                ("Refresh", f"5; url={location.replace('ADDR', other.address)}")]))
    pair = nginx_pair(server(other, "location /loc/ { proxy_pass UP/; %s }" % rules))
    pair.same(target="/loc/x")


@pytest.mark.parametrize("rules", [
    "proxy_cookie_domain one.example two.example;", "proxy_cookie_domain ~\\.(?P<rest>one\\.example)$ .x.$1;", "proxy_cookie_path /a/ /b/;",
    "proxy_cookie_path ~*^/A(.*) /c$1;", "proxy_cookie_flags k secure samesite=strict;", "proxy_cookie_flags ~ httponly nosamesite;", ""])
def test_cookies_are_rewritten(nginx_pair, backend, rules):
    cookies = ["k=v; Domain=one.example; Path=/a/b", "k=v; domain=.one.example; HttpOnly", "other=x; Path=/; SameSite=Lax", "k"]
    other = backend(lambda request: response_bytes(200, fields=[("Set-Cookie", cookie) for cookie in cookies]))
    pair = nginx_pair(server(other, "location / { proxy_pass UP; %s }" % rules))
    pair.same()


def test_x_accel_redirect_leads_elsewhere(nginx_pair, backend):
    other = backend(lambda request: response_bytes(200, fields=[("X-Accel-Redirect", "/inside/a%20b?c=d"), ("Set-Cookie", "s=1"),
                                                                ("Content-Disposition", "attachment"), ("X-Other", "gone")], body=b"not this"))
    text = "location / { proxy_pass UP; } location /inside/ { internal; return 200 '$uri $args'; } " \
           "location /ignored { proxy_pass UP; proxy_ignore_headers X-Accel-Redirect; }"
    pair = nginx_pair(server(other, text))
    assert pair.same().body == b"/inside/a b c=d"
    pair.same(target="/ignored")
    pair.same(target="/inside/x", ignoring=("body", "content-length"))


def test_a_body_is_taken_whole_before_a_server_is_asked(portico_nginx, echo):
    proxy = portico_nginx(server(echo, "location / { proxy_pass UP; } location /streamed { proxy_pass UP; proxy_request_buffering off; }"))
    chunked = [("Transfer-Encoding", "chunked")]
    for target, field in (("/", b"content-length: 5"), ("/streamed", b"transfer-encoding: chunked")):
        answer = proxy.request("POST", target, chunked, b"5\r\nhello\r\n0\r\n\r\n")
        assert field in answer.body and answer.body.endswith(b"hello"), target


@pytest.mark.parametrize("text, complaint", [
    ("location ~ /x { proxy_pass http://127.0.0.1:1/uri; }", "cannot have URI part"),
    ("location / { proxy_pass ftp://127.0.0.1; }", "invalid URL prefix"),
    ("location / { proxy_pass http://127.0.0.1:1; proxy_next_upstream sometimes; }", 'invalid value "sometimes"')])
def test_mistakes_are_told_in_nginx_words(tmp_path, text, complaint):
    conf = tmp_path / "nginx.conf"
    conf.write_text("events {} http { server { listen 127.0.0.1:1; %s } }" % text)
    got = subprocess.run([BINARY, "nginx", "-t", "-c", conf, "-p", tmp_path], capture_output=True, text=True, timeout=30)
    assert got.returncode == 1 and complaint in got.stderr


def test_ranges_are_forced(nginx_pair, backend):
    other = backend(lambda request: response_bytes(200, body=b"0123456789"))
    pair = nginx_pair(server(other, "location / { proxy_pass UP; } location /cut { proxy_pass UP; proxy_force_ranges on; }"))
    assert pair.same(target="/", fields=[("Range", "bytes=2-4")]).status == 200
    answer = pair.portico.get("/cut", [("Range", "bytes=2-4")])
    assert (answer.status, answer.body, answer.get("Content-Range")) == (206, b"234", "bytes 2-4/10")


def test_a_server_is_read_at_a_pace(portico_nginx, backend):
    other = backend(lambda request: response_bytes(200, fields=[("X-Rate", request.target[1:])], body=b"x" * 60000))
    proxy = portico_nginx(server(other, "location / { proxy_pass UP; proxy_limit_rate $upstream_http_x_rate; } "
                                        "location /30k { proxy_pass UP; limit_rate 1m; proxy_limit_rate 30k; }"))
    for target, slow in (("/30000", True), ("/30k", True), ("/0", False), ("/10000000", False)):
        began = time.monotonic()
        assert len(proxy.get(target).body) == 60000
        # Half of it goes out at once, and the other half takes a second; nothing is said of how long the others take.
        assert not slow or time.monotonic() - began > 0.7


def test_a_limit_except_may_have_a_server_of_its_own(nginx_pair, echo):
    pair = nginx_pair(server(echo, "location /a { proxy_pass UP/read; proxy_http_version 1.1; proxy_set_header Connection ''; "
                                   "limit_except GET { proxy_pass UP; } } "
                                   "location /b { proxy_pass UP; limit_except POST { proxy_pass UP; deny all; } }"))
    for method in ("GET", "HEAD", "POST", "DELETE"):
        pair.same(method, "/a?x")
    assert pair.same("DELETE", "/b", ignoring=("body", "content-length")).status == 403
    assert pair.portico.get("/a").body.split()[1] == b"/read"


def test_of_fields_that_hold_once_the_first_counts(portico_nginx, backend):
    # As nginx does since 1.23; before, it passed them all on.
    fields = [("Expires", "one"), ("Expires", "two"), ("ETag", '"1"'), ("ETag", '"2"'), ("Content-Type", "text/a"), ("Content-Type", "text/b"),
              ("Cache-Control", "a"), ("Cache-Control", "b")]
    other = backend(lambda request: response_bytes(200, fields=fields))
    answer = portico_nginx(server(other, "location / { proxy_pass UP; }")).get()
    seen = [(name, value) for name, value in answer.fields if name in dict(fields)]
    assert sorted(seen) == sorted([fields[0], fields[2], fields[4], *fields[6:]])


def test_semicolons_of_a_query_stay(nginx_pair, echo):
    pair = nginx_pair(server(echo, "location / { proxy_pass UP/x; proxy_http_version 1.1; proxy_set_header Connection ''; } "
                                   "location /arg { return 200 $arg_a; }"))
    assert b"/x?a=b;c=d" in pair.same(target="/?a=b;c=d").body
    assert pair.same(target="/arg?a=b;c=d").body == b"b;c=d"


def test_the_file_of_a_body(portico_nginx, echo):
    proxy = portico_nginx(server(echo, "location / { proxy_pass UP; add_header X-File $request_body_file; }"))
    assert proxy.request("POST", "/", body=b"small").get("X-File") is None
    assert proxy.request("POST", "/", body=b"x" * 500000).get("X-File").startswith("/proc/")
