"""Variables, map, geo and split_clients of nginx.conf: nginx and Portico give the same values."""
import pytest

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
