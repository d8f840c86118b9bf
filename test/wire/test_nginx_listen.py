"""What nginx.conf says of addresses and clients: listen, limits, timeouts; beside Debian's nginx where both do the same."""
import socket
import time

import pytest

from harness.client import Client

def check(run, tmp_path, text):
    path = tmp_path / "nginx.conf"
    path.write_text(text if "http {" in text else f"events {{ }} http {{ {text} }}")
    return run("check", path)


@pytest.mark.parametrize("text, words", [
    ("server { listen 80 fast; }", 'invalid parameter "fast"'),
    ("server { listen 80 backlog=none; }", 'invalid backlog "none"'),
    ("server { listen 80 so_keepalive=::; }", 'invalid so_keepalive value: "::"'),
    ("server { listen 80 ipv6only=perhaps; }", 'invalid ipv6only flags "perhaps"'),
    ("server { listen 127.0.0.1:0; }", 'invalid port in "127.0.0.1:0" of the "listen" directive'),
    ("server { listen [::1; }", 'invalid host in "[::1" of the "listen" directive'),
    ("server { listen no.such.host.invalid:80; }", 'host not found in "no.such.host.invalid:80" of the "listen" directive'),
    ("server { listen 80; listen *:80; }", "a duplicate listen 0.0.0.0:80"),
    ("server { listen 80 default_server; } server { listen 80 default_server; }", "a duplicate default server for 0.0.0.0:80"),
    ("server { listen 80 backlog=5; } server { listen 80 backlog=6; }", "duplicate listen options for 0.0.0.0:80"),
    ("server { listen 80 ssl; }", 'no "ssl_certificate" is defined for the "listen ... ssl" directive'),
])
def test_mistakes_are_said_in_nginx_s_words(run, tmp_path, text, words):
    checked = check(run, tmp_path, text)
    assert checked.returncode == 1 and words in checked.stderr, checked.stderr


def test_all_forms_are_read(run, tmp_path):
    checked = check(run, tmp_path, """
        server { listen 8001 reuseport rcvbuf=32k sndbuf=32k fastopen=5 deferred setfib=1 accept_filter=httpready; }
        server { listen 127.0.0.1; listen *:8002 so_keepalive=30m::10 backlog=600; listen [::1]:8003 ipv6only=off; listen 8010-8012;
                 listen localhost:8004 bind; listen unix:/run/portico-test.sock; listen 8005 quic; }""")
    assert checked.returncode == 0, checked.stderr
    assert "HTTP/3 is not spoken" in checked.stdout + checked.stderr


def test_default_server_takes_what_no_name_has(nginx_pair):
    pair = nginx_pair("""
        server { listen 127.0.0.1:@port@; server_name one; return 200 "one\\n"; }
        server { listen 127.0.0.1:@port@ default_server; listen 127.0.0.1:@other@; server_name two; return 200 "two\\n"; }
        server { listen 127.0.0.1:@other@; server_name three; return 200 "three\\n"; }
    """)
    for port in ("port", "other"):
        for host in ("one", "two", "three", "four"):
            pair.same(host=host, port=port)


def test_specific_address_wins_over_all_addresses(nginx_pair):
    pair = nginx_pair("""
        server { listen @port@; return 200 "everywhere\\n"; }
        server { listen 127.0.0.1:@port@; return 200 "here\\n"; }
    """)
    assert pair.same().body == b"here\n"
    for like in (pair.portico, pair.nginx):
        client = Client(like.port, "127.0.0.2")
        assert client.request().body == b"everywhere\n", like.name
        client.close()


def test_unix_socket_serves_and_is_open_to_all(portico_nginx):
    like = portico_nginx('server { listen unix:@folder@/socket; listen 127.0.0.1:@port@; return 200 "$remote_addr\\n"; }')
    path = like.folder / "socket"
    assert path.stat().st_mode & 0o777 == 0o666
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = b""
        while piece := client.recv(65536):
            received += piece
    assert received.endswith(b"unix:\n")


def test_ipv6_address_leaves_ipv4_alone(portico_nginx):
    like = portico_nginx('server { listen [::]:@port@; return 200 six; } server { listen @port@; return 200 four; }')
    for host, words in (("127.0.0.1", b"four"), ("::1", b"six")):
        client = Client(like.port, host)
        assert client.request().body == words
        client.close()


PROXY_HEADER = "PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n"


def test_proxy_header_is_told_and_believed_where_it_may_be(nginx_pair):
    pair = nginx_pair("""
        server {
            listen 127.0.0.1:@port@ proxy_protocol;
            location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $remote_addr\\n"; }
        }
        server {
            listen 127.0.0.1:@real@ proxy_protocol;
            set_real_ip_from 127.0.0.0/8;
            real_ip_header proxy_protocol;
            location / { return 200 "$proxy_protocol_server_addr $remote_addr $remote_port\\n"; }
        }
    """)
    for port in ("port", "real"):
        seen = []
        for like in (pair.nginx, pair.portico):
            client = like.client(port)
            client.send(PROXY_HEADER)
            seen.append(client.request().body)
        assert seen[0] == seen[1] and b"192.0.2.1" in seen[0]
        refused = pair.portico.client(port)
        refused.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        refused.assert_closed()


def test_bodies_are_bounded_where_they_go(nginx_pair):
    pair = nginx_pair("""
        server {
            listen 127.0.0.1:@port@;
            client_max_body_size 10;
            error_page 413 = /large;
            location / { return 204; }
            location /large { return 200 "too large\\n"; }
            location /more { client_max_body_size 20; return 200 "more\\n"; }
            location /any { client_max_body_size 0; return 200 "any\\n"; }
        }
    """)
    for target, size in (("/", 10), ("/", 11), ("/more", 11), ("/more", 20), ("/more", 21), ("/any", 60000)):
        pair.same("POST", target, body=b"x" * size)


def test_body_that_is_too_large_in_chunks_is_refused(portico_nginx, backend):
    server = backend()
    like = portico_nginx(f"server {{ listen 127.0.0.1:@port@; client_max_body_size 10; location / {{ proxy_pass http://127.0.0.1:{server.port}; }} }}")
    client = like.client()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + "5\r\n12345\r\n" * 3 + "0\r\n\r\n")
    assert client.response("POST").status == 413


HEADS = """
    server {
        listen 127.0.0.1:@port@;
        large_client_header_buffers 4 1k;
        error_page 414 /line; error_page 494 /head; error_page 400 /bad;
        location / { return 200 "$http_x_a|$http_x_b|$http_x_dot\\n"; }
        location /line { return 200 "line\\n"; }
        location /head { return 200 "head\\n"; }
        location /bad { return 200 "bad\\n"; }
    }
"""


def test_heads_are_bounded_and_their_errors_have_pages(nginx_pair):
    pair = nginx_pair(HEADS)
    pair.same(target="/" + "x" * 900)
    pair.same(target="/" + "x" * 1100)
    pair.same(fields=[(f"X-{i}", "y" * 900) for i in range(8)])


def test_unusual_names_are_dropped_silently(nginx_pair):
    pair = nginx_pair(HEADS)
    pair.same(fields=[("X-A", "a"), ("X_B", "b"), ("X.Dot", "c")])


def test_names_pass_where_they_may(nginx_pair):
    pair = nginx_pair("""
        server { listen 127.0.0.1:@port@; underscores_in_headers on; return 200 "$http_x_b\\n"; }
        server { listen 127.0.0.1:@all@; ignore_invalid_headers off; return 200 "$http_x_b\\n"; }
    """)
    for port in ("port", "all"):
        pair.same(fields=[("X_B", "b")], port=port)


def test_trace_is_refused(nginx_pair):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; error_page 405 /no; location / { return 200 x; } location /no { return 200 no; } }")
    pair.same("TRACE", "/", ignoring=("connection",))


def connection_of(response):
    return [(name.lower(), value) for name, value in response.fields if name.lower() in ("connection", "keep-alive")]


def test_connections_are_kept_as_long_as_is_said(nginx_pair):
    pair = nginx_pair("""
        server {
            listen 127.0.0.1:@port@;
            keepalive_requests 2;
            keepalive_timeout 30 25;
            location / { return 200 "x\\n"; }
            location /more { keepalive_requests 4; return 200 "x\\n"; }
            location /never { keepalive_timeout 0; return 200 "x\\n"; }
        }
    """)
    said = []
    for like in (pair.nginx, pair.portico):
        found = []
        for targets in (["/", "/"], ["/more"] * 4, ["/never"]):
            client = like.client()
            found += [connection_of(client.request(target=target)) for target in targets]
            client.assert_closed()
        said.append(found)
    assert said[0] == said[1]


def test_idle_connection_ends_when_its_location_says_so(portico_nginx):
    like = portico_nginx("server { listen 127.0.0.1:@port@; location / { keepalive_timeout 100ms; return 204; } location /kept { return 204; } }")
    short, long = like.client(), like.client()
    long.request(target="/kept")
    short.request()
    short.assert_closed()
    long.assert_open()


def test_client_that_is_silent_in_its_body_gets_408(portico_nginx, backend):
    server = backend()
    like = portico_nginx(f"server {{ listen 127.0.0.1:@port@; location / {{ client_body_timeout 200ms; proxy_pass http://127.0.0.1:{server.port}; }} }}")
    client = like.client()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123")
    assert client.response("POST").status == 408
    client.assert_closed()


def test_limits_are_options_of_routers_too(portico, backend):
    server = backend()
    proxy = portico({"http": {
        "routers": {"small": {"rule": "PathPrefix(`/small`)", "service": "s", "limits": {"bodyBytes": 5, "keepAlive": False}},
                    "any": {"rule": "PathPrefix(`/`)", "service": "s"}},
        "services": {"s": {"loadBalancer": {"servers": [{"url": server.url}]}}}}})
    client = Client(proxy.port)
    assert client.request("POST", "/small", body=b"123456").status == 413
    client.close()
    client = Client(proxy.port)
    assert client.request("POST", "/any", body=b"123456").status == 200
    assert client.request("POST", "/small", body=b"12345").status == 200
    client.assert_closed()


def test_deferred_serves_who_speaks_at_once_and_who_speaks_late(portico_nginx):
    like = portico_nginx('server { listen 127.0.0.1:@port@ deferred; return 200 "here\\n"; }')
    late, early = Client(like.port), Client(like.port)
    assert early.request().body == b"here\n"
    time.sleep(1.5)      # beyond the second for which a silent connection is not accepted
    assert late.request().body == b"here\n"


def test_deferred_is_kept_by_a_conversion(run, tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text('events { } http { server { listen 127.0.0.1:8001 deferred; return 200 x; } }')
    converted = run("convert", path)
    assert converted.returncode == 0 and "deferred: true" in converted.stdout, converted.stdout + converted.stderr
