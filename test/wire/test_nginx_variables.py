"""Variables, map, geo and split_clients of nginx.conf: nginx and Portico give the same values."""
import re
import socket
import subprocess

import pytest

from harness.http1 import chunked_bytes, response_bytes
from harness.portico import BINARY
from harness.tls import TlsClient

VARIABLES = ["host", "uri", "document_uri", "args", "query_string", "is_args", "request_uri", "request_method", "request", "scheme", "https",
             "server_name", "server_port", "server_addr", "server_protocol", "remote_addr", "binary_remote_addr", "remote_user",
             "realip_remote_addr", "http_host", "http_x_many", "http_cookie", "http_none", "arg_a", "arg_A", "arg_none", "cookie_c", "cookie_d",
             "cookie_none", "content_type", "content_length", "hostname", "proxy_protocol_addr", "ssl_protocol", "arg_"]
SAY = 'return 200 "' + "".join(f"{name}=<${{{name}}}>\\n" for name in VARIABLES) + '";'


@pytest.mark.parametrize("target, fields", [
    ("/", []),
    ("/a%20b/../c%2Fd//e?a=1&A=2&b=%20", []),
    ("/?", []),
    ("/x?a", [("Cookie", "c=1; d=2"), ("Cookie", "e=3")]),
    ("/x", [("Authorization", "Basic YW5uYTpzZWNyZXQ=")]),
    ("/x?b=1&a=", [("X-Many", "one")]),
    ("/x", [("Host", "Example.ORG:8080"), ("Content-Type", "text/x")]),
    ("/x", [("Cookie", "C=upper;d=3")]),
])
def test_variables_of_a_request_have_the_same_values(nginx_pair, target, fields):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; server_name .first.example second.example; location / { " + SAY + " } }")
    pair.same("GET", target, fields)


def test_fields_of_one_name_are_joined_and_absolute_targets_name_the_host(portico_nginx):
    """Debian's nginx is too old for the one; of the other a proxy must replace Host (RFC 9112 3.2.2), which nginx does not."""
    proxy = portico_nginx('server { listen 127.0.0.1:@port@; location / { return 200 "$http_x_many|$host|$http_host|$request_uri"; } }')
    response = proxy.get("http://absolute.example/p?q", [("X-Many", "one"), ("x-many", "two"), ("Host", "other.example")])
    assert response.body == b"one, two|absolute.example|absolute.example|/p?q"


def test_a_request_with_a_body_has_its_length_and_type(nginx_pair):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; location / { " + SAY + " } }")
    pair.same("POST", "/", [("Content-Type", "text/plain")], b"body")


MAPS = """
    map $arg_k $plain { default none; a A; B b; "" empty; "~^r(.*)$" "re $1"; ~*^s(?<rest>.*)$ "is $rest"; \\~t tilde; v $uri; *.x star; }
    map $arg_h $by_host { hostnames; default none; example.com exact; *.example.com below; *.a.example.com deeper; .example.org both;
                          www.example.* www; mail.* mail; ~^regex regex; }
    map "$arg_k-$plain" $chained { default "c:$plain"; "a-A" "first"; }
    map $uri $again { volatile; ~^/(.*)$ $1; }
    map $arg_k $nothing { a x; }
    geo $arg_ip $by_network { default none; 10.0.0.0/8 ten; 10.1.0.0/16 one; 10.1.2.3 host; 192.168.0.0/16 gone; delete 192.168.0.0/16; ::/0 six;
                              2001:db8::/32 doc; }
    geo $arg_ip $by_range { ranges; default none; 10.0.0.0-10.255.255.255 ten; 10.1.0.0-10.1.0.9 few; }
    geo $arg_ip $by_piece { ranges; default none; 10.0.0.0-10.0.0.255 all; 10.0.0.5-10.0.0.5 five; delete 10.0.0.0-10.0.0.4; delete 10.0.0.5-10.0.0.5; }
    geo $client { default other; 127.0.0.0/8 here; }
    geo $behind { default other; proxy 127.0.0.1; 10.0.0.0/8 ten; }
    geo $far { default other; proxy 127.0.0.1; proxy 10.0.0.0/8; proxy_recursive; 192.0.2.0/24 doc; 10.0.0.0/8 ten; }
    split_clients "$arg_k" $part { 20% .one; 30.5% .two; 0.25% .three; * .rest; }
    split_clients "x$arg_k" $holes { 10% a; 10% b; }
    server { listen 127.0.0.1:@port@; server_name localhost;
        location / { return 200 "$plain|$by_host|$chained|$again|$nothing|$by_network|$by_range|$by_piece|$client|$behind|$far|$part|$holes"; }
        location /re { rewrite ^/re/(.*)$ /other/$1; set $was $again; return 200 "$was|$again|$1"; } }
"""
TARGETS = [f"/?k={key}" for key in ("", "a", "A", "b", "r12", "R12", "Sx", "~t", "v", "*.x", "q", "client-1", "client-2", "client-3", "long%20text")]
TARGETS += [f"/?h={host}" for host in ("example.com", "EXAMPLE.com.", "x.example.com", "y.a.example.com", "example.org", "z.example.org",
                                       "www.example.net", "mail.x", "mail", "regexes", "www.example.a.example.com")]
TARGETS += [f"/?ip={ip}" for ip in ("10.0.0.1", "10.0.0.5", "10.0.0.6", "10.1.0.5", "10.1.2.3", "11.0.0.0", "192.168.1.1", "2001:db8::1", "::2", "none", "255.255.255.255")]
TARGETS += [f"/?k=client{number}" for number in range(40)]


def test_maps_geo_and_split_clients_choose_the_same(nginx_pair):
    pair = nginx_pair(MAPS)
    found = []
    for target in [*TARGETS, "/re/a/b"]:
        try:
            pair.same("GET", target)
        except AssertionError as difference:
            found.append(str(difference))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("forwarded", [["10.0.0.1"], ["192.0.2.7, 10.0.0.1"], ["192.0.2.7", "10.0.0.1"], ["nonsense, 10.0.0.1"], ["10.0.0.1:80"]])
def test_geo_asks_proxies_alike(nginx_pair, forwarded):
    pair = nginx_pair(MAPS)
    pair.same("GET", "/", [("X-Forwarded-For", value) for value in forwarded])


def test_includes_work_inside_of_maps(nginx_pair):
    pair = nginx_pair("map $arg_k $v { include @folder@/rows; default d; } geo $arg_i $g { ranges; include @folder@/ranges; }"
                      'server { listen 127.0.0.1:@port@; location / { return 200 "$v|$g"; } }',
                      files={"rows": "a one;\nb two;\n", "ranges": "10.0.0.0-10.0.0.9 ten;\n"})
    for target in ("/?k=a", "/?k=b&i=10.0.0.3", "/?k=c"):
        pair.same("GET", target)


# ---- every variable that a file may name ----

OF_REQUESTS = {
    "arg_a": "1", "args": "a=1&b=2", "query_string": "a=1&b=2", "is_args": "?", "uri": "/x/y z", "document_uri": "/x/y z",
    "request_uri": "/x/y%20z?a=1&b=2", "request": "POST /x/y%20z?a=1&b=2 HTTP/1.1", "request_method": "POST", "scheme": "http", "https": "",
    "host": "one.example", "http_host": "One.Example", "http_x_own": "own", "cookie_c": "crumb", "content_length": "4", "content_type": "text/x",
    "remote_addr": "127.0.0.1", "remote_port": r"~\d+", "remote_user": "anna", "realip_remote_addr": "127.0.0.1", "realip_remote_port": r"~\d+",
    "binary_remote_addr": "\x7f\0\0\1", "server_addr": "127.0.0.1", "server_name": "one.example", "server_port": "@port@",
    "server_protocol": "HTTP/1.1", "document_root": "@folder@/html", "realpath_root": "@folder@/html",
    "request_filename": "@folder@/html/x/y z", "hostname": socket.gethostname().lower(), "pid": r"~\d+", "connection": r"~\d+",
    "connection_requests": "2", "connection_time": r"~\d+\.\d{3}", "msec": r"~\d{10}\.\d{3}", "request_id": r"~[0-9a-f]{32}", "request_length": r"~\d{3}",
    "request_time": r"~\d+\.\d{3}", "time_iso8601": r"~\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "time_local": r"~\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}", "limit_rate": r"~0?", "nginx_version": r"~[\d.]+", "pipe": ".",
    "proxy_protocol_addr": "", "proxy_protocol_port": "", "proxy_protocol_server_addr": "", "proxy_protocol_server_port": "",
    "proxy_add_x_forwarded_for": "192.0.2.1, 127.0.0.1", "ssl_protocol": "", "ssl_cipher": "", "1": "y z", "named": "z",
}
OF_PROXYING = {
    "proxy_host": "127.0.0.1:@behind@", "proxy_port": "@behind@", "request_body": "body", "request_body_file": "",
    "upstream_addr": "127.0.0.1:@behind@", "upstream_status": "200", "upstream_response_time": r"~\d+\.\d{3}", "upstream_connect_time": r"~\d+\.\d{3}",
    "upstream_header_time": r"~\d+\.\d{3}", "upstream_response_length": "4", "upstream_bytes_sent": r"~\d{3}",
    "upstream_bytes_received": r"~\d{2,3}", "upstream_http_x_up": "up", "upstream_cookie_u": "2", "upstream_trailer_x_end": "over", "upstream_cache_status": "",
}
OF_RESPONSES = {"status": "200", "body_bytes_sent": r"~\d+", "bytes_sent": r"~\d{3}", "sent_http_x_added": "added", "sent_http_content_type": "text/y",
                "sent_trailer_x_last": "last", "request_completion": "OK"}
OF_TLS = {
    "ssl_protocol": "TLSv1.3", "ssl_cipher": r"~TLS_AES_\w+", "ssl_ciphers": "~.*TLS_AES_128_GCM_SHA256.*", "ssl_curve": "X25519", "ssl_curves": "~X25519:.*",
    "ssl_server_name": "one.example", "ssl_session_id": "~[0-9a-f]*", "ssl_session_reused": ".", "ssl_early_data": "", "ssl_alpn_protocol": "http/1.1",
    "ssl_client_verify": "SUCCESS", "ssl_client_s_dn": "CN=client.example", "ssl_client_i_dn": "CN=Test Authority",
    "ssl_client_s_dn_legacy": "/CN=client.example", "ssl_client_i_dn_legacy": "/CN=Test Authority", "ssl_client_fingerprint": "~[0-9a-f]{40}",
    "ssl_client_serial": "~[0-9A-F]+", "ssl_client_v_start": "~.* GMT", "ssl_client_v_end": "~.* GMT", "ssl_client_v_remain": "~29|30",
    "ssl_client_cert": "~-----BEGIN CERTIFICATE-----.*", "ssl_client_raw_cert": "~-----BEGIN CERTIFICATE-----.*",
    "ssl_client_escaped_cert": "~-----BEGIN%20CERTIFICATE-----.*", "https": "on", "scheme": "https",
}
EVERY = sorted({*OF_REQUESTS, *OF_PROXYING, *OF_RESPONSES, *OF_TLS} - {"1", "named"})


def told(names):
    """A text that tells each, and is_told reads."""
    return "\n".join(f"{name}=<${{{name}}}>" for name in names)


def assert_told(like, text, wanted):
    values = dict(re.findall(r"(\w+)=<(.*?)>(?=\n\w+=<|$)", text, re.S))
    wrong = []
    for name, value in wanted.items():
        value = like.expand(value)
        good = re.fullmatch(value[1:], values[name], re.S) if value.startswith("~") else values[name] == value
        if not good:
            wrong.append(f"${name} is {values[name]!r}, not {value!r}")
    assert not wrong, "\n".join(wrong)


def test_every_variable_may_be_named_in_formats_and_texts(tmp_path):
    conf = tmp_path / "nginx.conf"
    conf.write_text("events { } http { log_format all '" + told(EVERY) + "'; server { listen 127.0.0.1:1; access_log " + f"{tmp_path}/a all; "
                    'return 200 "' + told(EVERY) + '"; } }')
    result = subprocess.run([BINARY, "nginx", "-t", "-p", f"{tmp_path}/", "-c", conf], capture_output=True, text=True, check=False)
    assert result.returncode == 0 and "test is successful" in result.stderr, result.stderr


@pytest.mark.parametrize("name", ["limit_rates", "upstream", "ssl_none", "request_"])
def test_what_is_no_variable_is_a_mistake(tmp_path, name):
    conf = tmp_path / "nginx.conf"
    conf.write_text('events { } http { server { listen 127.0.0.1:1; return 200 "$' + name + '"; } }')
    result = subprocess.run([BINARY, "nginx", "-t", "-p", f"{tmp_path}/", "-c", conf], capture_output=True, text=True, check=False)
    assert result.returncode == 1 and f"unknown variable '{name}'" in result.stderr, result.stderr


FIELDS = [("Host", "One.Example"), ("X-Own", "own"), ("Cookie", "c=crumb"), ("Content-Type", "text/x"), ("X-Forwarded-For", "192.0.2.1"),
          ("Authorization", "Basic YW5uYTpzZWNyZXQ=")]


def ask_again(like):
    """The second request of a connection."""
    client = like.client()
    client.request(target="/first")
    return client.request("POST", "/x/y%20z?a=1&b=2", FIELDS, b"body")


def test_every_variable_of_a_request_has_its_value(portico_nginx):
    like = portico_nginx("server { listen 127.0.0.1:@port@; server_name one.example; location /first { return 204; } "
                         'location ~ "^/x/(y (?<named>.))$" { return 200 "' + told(OF_REQUESTS) + '"; } }')
    assert_told(like, ask_again(like).body.decode("latin-1"), OF_REQUESTS)


def test_every_variable_of_proxying_has_its_value_in_logs(portico_nginx, backend):
    def answer(request):
        return b"HTTP/1.1 200 OK\r\nX-Up: up\r\nContent-Type: text/y\r\nSet-Cookie: u=2\r\nTransfer-Encoding: chunked\r\n\r\n" + \
               chunked_bytes(b"good", trailers=[("X-End", "over")])
    server = backend(answer)
    wanted = {**OF_REQUESTS, **OF_PROXYING, **OF_RESPONSES}
    del wanted["1"], wanted["named"]
    like = portico_nginx("log_format all escape=none '" + told(wanted) + "'; server { listen 127.0.0.1:@port@; server_name one.example; "
                         "location /first { return 204; access_log off; } "
                         "location / { proxy_pass http://127.0.0.1:@behind@; proxy_http_version 1.1; add_header X-Added added; add_trailer X-Last last; "
                         "access_log @folder@/all all; } }", ports={"behind": server.port})
    assert ask_again(like).status == 200
    assert_told(like, "\n".join(like.access_log(1, "all")), wanted)


def test_every_variable_of_tls_has_its_value(portico_nginx, authority):
    certificate, client = authority.issue("one.example"), authority.issue("client.example", client=True)
    like = portico_nginx(f"server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; ssl_certificate {certificate.cert}; "
                         f"ssl_certificate_key {certificate.key}; ssl_client_certificate {authority.cert}; ssl_verify_client on; "
                         'return 200 "' + told(OF_TLS) + '"; }')
    asked = TlsClient(like.port, "one.example", client=client, alpn=["http/1.1"])
    response = asked.request(host="one.example")
    asked.close()
    assert_told(like, response.body.decode("latin-1"), OF_TLS)


def test_upstream_addresses_of_several_servers_are_all_told(nginx_pair, backend):
    server = backend(lambda request: response_bytes(200, body=b"good"))
    pair = nginx_pair("upstream u { server 127.0.0.1:@dead@; server 127.0.0.1:@behind@ backup; } server { listen 127.0.0.1:@port@; location / { proxy_pass http://u; "
                      'add_header X-Told "$upstream_addr|$upstream_status|$proxy_host|$proxy_port" always; } }', ports={"behind": server.port})
    assert pair.same().get("X-Told").endswith("|502, 200|u|80")
