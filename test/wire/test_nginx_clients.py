"""What nginx takes of clients that RFC 9112 would let us refuse, and what it refuses. Each leniency: servers behind get one request that
can be read in one way only."""
import pytest

from harness.portico import to

PASS = """
    server {
        listen 127.0.0.1:@port@;
        location / { proxy_pass http://127.0.0.1:%d; }
    }
"""


@pytest.fixture
def passing(portico_nginx, backend):
    """passing(text) gives portico with an nginx.conf that passes everything on, and the server behind it."""
    def start(text=PASS):
        server = backend()
        return portico_nginx(text % server.port), server
    return start


def exchange(proxy, data, responses=1):
    client = proxy.client()
    client.send(data)
    return [client.response().status for _ in range(responses)]


def test_a_request_line_without_a_version_is_answered_at_once(portico_nginx):
    """It used to be waited for the end of a head that never comes: HTTP/0.9 has none."""
    proxy = portico_nginx("server { listen 127.0.0.1:@port@; return 200; }")
    for data in (b"GET /\r\n", b"GET /\r\nextra"):
        client = proxy.client().send(data)
        assert client.response().status == 400
        client.assert_closed()


# Targets

@pytest.mark.parametrize("target, seen", [
    ("/a/.#frag", "/a/."),
    ("/a?b=c#frag", "/a?b=c"),
    ("/a#/../admin?x", "/a"),
    ("/<a>\"b\"", "/%3Ca%3E%22b%22"),
    ("/caf\xe9?q=\xff", "/caf%E9?q=%FF"),
])
def test_servers_get_targets_as_they_may_be(passing, target, seen):
    proxy, server = passing()
    assert exchange(proxy, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n", 2) == [200, 200]
    assert [request.target for request in server.requests] == [seen, "/next"]


def test_what_stands_behind_a_number_sign_passes_no_location_by(portico_nginx, backend):
    server = backend()
    proxy = portico_nginx("""
        server {
            listen 127.0.0.1:@port@;
            location / { proxy_pass http://127.0.0.1:%d; }
            location /admin { return 403; }
        }""" % server.port)
    for target in ("/admin#", "/x/..#/../admin", "/#/../admin", "/x/../admin#a"):
        status = proxy.get(target).status
        assert status == (403 if target.split("#")[0].endswith("admin") else 200), target
    assert all("admin" not in request.target and "#" not in request.target for request in server.requests)


@pytest.mark.parametrize("line", ["GET /a#b c HTTP/1.1", "GET http://a#@b/ HTTP/1.1", "GET /%zz#a HTTP/1.1", "GET /a<b c HTTP/1.1", "GET /\x01# HTTP/1.1"])
def test_targets_that_could_be_read_in_two_ways_are_refused(passing, line):
    proxy, server = passing()
    assert exchange(proxy, f"{line}\r\nHost: a\r\n\r\n") == [400]
    assert server.requests == []


def test_other_dialects_refuse_such_targets(portico, backend):
    proxy = portico(to(backend().url))
    for target in ("/a#b", "/<", "/caf\xe9"):
        assert proxy.client().request(target=target).status == 400


@pytest.mark.parametrize("target", ["/a/.#frag", "/a?b#c", "/a/b"])
def test_uri_and_arguments_end_where_nginx_ends_them(nginx_pair, target):
    nginx_pair("""server { listen 127.0.0.1:@port@; return 200 "$uri $args\\n"; }""").same(target=target)


# Names of fields

def test_fields_whose_name_is_none_never_get_to_servers(passing):
    proxy, server = passing()
    smuggled = ("POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding(): chunked\r\nContent-Length[]: 0\r\nX\xe9: 1\r\nContent-Length: 5\r\n\r\n"
                "0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n")
    assert exchange(proxy, smuggled, 2) == [200, 200]
    first, second = server.requests
    assert first.body == b"0\r\n\r\n" and second.target == "/two"
    assert not any("(" in name or "[" in name or "\xe9" in name for name, _ in first.fields)


@pytest.mark.parametrize("line", ["Content-Length : 5", "Transfer-Encoding\x0b: chunked", " X(: folded", "no colon", ": nothing", "X(: \x00"])
def test_lines_that_others_could_read_differently_are_refused(passing, line):
    proxy, server = passing()
    assert exchange(proxy, f"POST / HTTP/1.1\r\nHost: a\r\nX-First: 1\r\n{line}\r\n\r\n") == [400]
    assert server.requests == []


def test_such_names_are_refused_where_they_are_not_ignored(passing):
    proxy, server = passing(PASS.replace("server {", "ignore_invalid_headers off; server {", 1))
    assert exchange(proxy, "GET / HTTP/1.1\r\nHost: a\r\nX(): 1\r\n\r\n") == [400]
    assert server.requests == []


@pytest.mark.parametrize("name", ["X(a)", "X\xe9", '"X"', "X/Y"])
def test_nginx_drops_the_same_names(nginx_pair, name):
    nginx_pair("""server { listen 127.0.0.1:@port@; return 200 "$http_x $http_y\\n"; }""").same(fields=[(name, "1"), ("Y", "2")])


# Fields that there may be once

@pytest.mark.parametrize("name, value", [
    ("Authorization", "Basic YTpi"), ("Content-Range", "bytes 0-1/2"), ("If-Match", '"a"'),
    ("If-None-Match", '"a"'), ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("If-Range", '"a"'), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Content-Length", "0"), ("Host", "localhost"),
])
def test_fields_that_there_may_be_once_are_refused_twice(nginx_pair, name, value):
    pair = nginx_pair("""server { listen 127.0.0.1:@port@; return 200; }""")
    got = pair.same(fields=[(name, value), (name.lower(), value)], ignoring=["body", "content-length", "content-type"])
    assert got.status == 400


@pytest.mark.parametrize("name", ["Accept", "Cookie", "Range", "User-Agent", "Referer", "X-Forwarded-For", "Via", "TE"])
def test_fields_that_may_be_repeated_are_taken(nginx_pair, name):
    pair = nginx_pair("""server { listen 127.0.0.1:@port@; return 200; }""")
    assert pair.same(fields=[(name, "a"), (name, "b")]).status == 200


# Host

@pytest.mark.parametrize("host, status", [
    ("", 400), (":80", 400), ("a", 200), ("[v1f.a:b;c]", 200), ("[v1f.A]", 200), ("[v1.a]:80", 200), ("[::1]:80", 200)])
def test_hosts_are_taken_as_nginx_takes_them(nginx_pair, host, status):
    pair = nginx_pair("""server { listen 127.0.0.1:@port@; return 200 "$host\\n"; }""")
    assert pair.same(host=host, ignoring=["body", "content-length"] if status == 400 else []).status == status


@pytest.mark.parametrize("host", ["[v1F]", "[vg.a]", "[v1.a]x", "[1.2.3.4]", "[v1.a%20]"])
def test_brackets_hold_addresses_and_nothing_else(portico_nginx, host):
    assert portico_nginx("server { listen 127.0.0.1:@port@; return 200; }").request(host=host).status == 400


def test_an_empty_host_is_the_business_of_other_dialects(portico, backend):
    proxy = portico(to(backend().url))
    assert proxy.client().request(host="").status != 400


def test_requests_without_host_are_redirected_to_where_they_came(nginx_pair):
    pair = nginx_pair("""server { listen 127.0.0.1:@port@; server_name some.name; return 301 /there; }""")
    assert pair.same(host=None, version="1.0", ignoring=["body", "content-length"]).get("Location") == f"http://127.0.0.1:{pair.portico.port}/there"


# Methods

@pytest.mark.parametrize("line, status", [
    ("TRACE / HTTP/1.1", 405), ("CONNECT a:80 HTTP/1.1", 405), ("CONNECT a HTTP/1.1", 400), ("CONNECT / HTTP/1.1", 400),
])
def test_methods_that_are_not_served_end_the_connection(portico_nginx, line, status):
    proxy = portico_nginx("server { listen 127.0.0.1:@port@; return 200; }")
    client = proxy.client()
    client.send(f"{line}\r\nHost: a\r\n\r\n")
    assert client.response().status == status
    client.assert_closed()


# Browsers that hang on connections that are kept

@pytest.mark.parametrize("disable, method, agent, kept", [
    ("", "POST", "MSIE 5.0", False), ("", "GET", "MSIE 5.0", True), ("", "POST", "MSIE 7.0", True), ("", "POST", "MSIE 6.0; SV1", True),
    ("keepalive_disable safari;", "GET", "Mac OS X Safari/7534", False), ("keepalive_disable safari;", "POST", "MSIE 5.0", True),
    ("keepalive_disable safari;", "GET", "Mac OS X Chrome/1 Safari/7534", True), ("keepalive_disable none;", "POST", "MSIE 5.0", True),
    ("keepalive_disable safari msie6;", "POST", "MSIE 5.0", False),
])
def test_connections_of_some_browsers_are_not_kept(nginx_pair, disable, method, agent, kept):
    pair = nginx_pair(f"""server {{ listen 127.0.0.1:@port@; {disable} location / {{ return 200 "fine\\n"; }} }}""")
    for like in (pair.nginx, pair.portico):
        client = like.client()
        response = client.request(method, fields=[("User-Agent", agent)])
        assert response.get("Connection") == ("keep-alive" if kept else "close"), like.name


def test_a_location_says_how_long_connections_last(portico_nginx):
    proxy = portico_nginx("""
        server {
            listen 127.0.0.1:@port@;
            location / { return 200; }
            location /short { keepalive_time 1ms; return 200; }
        }""")
    client = proxy.client()
    assert client.request().get("Connection") == "keep-alive"
    for _ in range(1000):
        if client.request(target="/").status == 200 and client.request(target="/short").get("Connection") == "close":
            break
    client.assert_closed()
