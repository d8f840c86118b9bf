"""add_header, error_page, gzip, limit_rate and their kin in nginx.conf: beside Debian's nginx where it knows them, alone where not."""
import gzip
import subprocess
import time
import urllib.parse

import pytest

from harness.http1 import response_bytes
from harness.portico import BINARY

LOW = "Thu, 01 Jan 1970 00:00:01 GMT"


@pytest.fixture
def server(backend):
    """Its status, fields and length are in the query: /?status=404&n=1000&x-field=value."""
    def answer(request):
        target = urllib.parse.unquote(request.target)
        words = dict(word.split("=", 1) for word in target.partition("?")[2].split("&") if "=" in word)
        fields = [(name, value.replace("+", " ")) for name, value in words.items() if name not in ("status", "n")]
        body = f"{request.method} {request.target.partition('?')[0]} ".encode().ljust(int(words.get("n", 0)), b"x")
        return response_bytes(int(words.get("status", 200)), fields=fields, body=body)
    return backend(answer)


def in_server(server, text):
    return f"server {{ listen 127.0.0.1:@port@; {text.replace('UP', server.url)} }}"


# ---- fields ----

@pytest.mark.parametrize("status", [200, 206, 301, 304, 400, 404, 500])
def test_added_fields_depend_on_the_status(nginx_pair, server, status):
    pair = nginx_pair(in_server(server, "add_header X-A $uri; add_header X-B b always; expires 1d; location / { proxy_pass UP; }"))
    pair.same(target=f"/x?status={status}", ignoring=("expires",))


@pytest.mark.parametrize("level, fields", [
    ("", ["Cache-Control: max-age=3600", "X-S: s"]),
    ("add_header X-L l;", ["Cache-Control: max-age=3600", "X-L: l"]),
    ("expires off;", ["X-S: s"]),
    ("expires -1; add_header Cache-Control private;", ["Cache-Control: no-cache", "Cache-Control: private"])])
def test_a_level_takes_all_of_the_outer_ones_fields_or_none(nginx_pair, server, level, fields):
    pair = nginx_pair(in_server(server, "expires 1h; add_header X-S s; location / { %s proxy_pass UP; }" % level))
    answer = pair.same(ignoring=("expires",))
    assert sorted(f"{name}: {value}" for name, value in answer.fields if name in ("Cache-Control", "X-S", "X-L")) == fields


def test_fields_of_the_content_are_replaced_or_joined(nginx_pair, server):
    pair = nginx_pair(in_server(server, """location / { proxy_pass UP; expires epoch; add_header Last-Modified "$arg_lm";
        add_header ETag "$arg_tag"; add_header X-Own 2; }"""))
    pair.same(target='/?etag=%22a%22&last-modified=yesterday&cache-control=public&x-own=1')
    pair.same(target='/?etag=%22a%22&tag=%22b%22&lm=today')


@pytest.mark.parametrize("value", ["1d", "@1h", "-5", "epoch", "max", "off", "0", "", "nonsense", "modified"])
def test_expires_by_variable(nginx_pair, server, value):
    pair = nginx_pair(in_server(server, "location / { proxy_pass UP; expires $arg_e; } location /m { proxy_pass UP; expires modified $arg_e; }"))
    pair.same(target=f"/?e={value}", ignoring=("expires", "cache-control") if value == "@1h" else ("expires",) if value in ("1d", "0") else ())
    if value not in ("@1h", "-5"):      # a negative time by variable is none to nginx where it counts from Last-Modified
        pair.same(target=f"/m?e={value}&last-modified=Sun,+04+Nov+2035+01:02:03+GMT", ignoring=("cache-control",) if value == "1d" else ())


def test_inheritance_may_merge_or_end(portico_nginx, server):
    one = portico_nginx(in_server(server, """add_header X-S s;
        location /merge { add_header_inherit merge; add_header X-L l; proxy_pass UP; }
        location /off { add_header_inherit off; proxy_pass UP; }"""))
    assert [name for name, _ in one.get("/merge").fields if name.startswith("X-")] == ["X-L", "X-S"]
    assert not one.get("/off").has("X-S")


def test_trailers(portico_nginx, server):
    one = portico_nginx(in_server(server, "add_trailer X-T $status; add_trailer X-A a always; location / { proxy_pass UP; }"))
    assert one.get("/").trailers == [("X-T", "200"), ("X-A", "a")]
    assert one.get("/?status=404").trailers == [("X-A", "a")]


# ---- error pages ----

PAGES = """
error_page 404 /page; error_page 500 502 503 =200 /page?why=$uri; error_page 403 = @named; error_page 410 https://gone.test/$uri;
error_page 405 =301 /moved; error_page 402 =301 https://pay.test/; error_page 497 /page;
location /page { proxy_pass UP; } location @named { proxy_pass UP; }
location /own/ { return 404 "own"; } location = /moved { return 200 "moved"; }
location ~ ^/(4|5)(..)$ { return $1$2; }
"""


@pytest.mark.parametrize("path", ["/404", "/500", "/403", "/410", "/405", "/402", "/401", "/own/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_error_pages(nginx_pair, server, path, method):
    text = PAGES.replace("location ~ ^/(4|5)(..)$ { return $1$2; }",
                         " ".join(f"location = /{code} {{ return {code}; }}" for code in (401, 402, 403, 404, 405, 410, 500)))
    pair = nginx_pair(in_server(server, text))
    customary = path in ("/410", "/402", "/401")
    pair.same(method, path, body=b"abc" if method == "POST" else b"", ignoring=("body", "content-length") if customary else ())


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500, 503])
@pytest.mark.parametrize("intercept", ["on", "off"])
def test_errors_of_servers(nginx_pair, server, status, intercept):
    pair = nginx_pair(in_server(server, f"proxy_intercept_errors {intercept}; {PAGES.replace('return $1$2', 'return 599')}"
                                        "error_page 401 /page; location / { proxy_pass UP; }"))
    pair.same(target=f"/x?status={status}&www-authenticate=Basic&x-other=1")


def test_a_page_that_fails(nginx_pair, server):
    text = """error_page 404 /403; error_page 403 /page; location = /403 { return 403; } location = /404 { return 404; }
        location /page { proxy_pass UP; } location = /r { recursive_error_pages on; return 404; } %s"""
    pair = nginx_pair(in_server(server, text % ""))
    pair.same(target="/404", ignoring=("body", "content-length"))
    pair = nginx_pair(in_server(server, text % "recursive_error_pages on;"))
    assert pair.same(target="/404").text.startswith("GET /page")


def test_the_words_of_our_own_answers(nginx_pair, server):
    codes = [400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505, 507]
    text = " ".join(f"location = /{code} {{ return {code}; }}" for code in codes)
    text += " ".join(f"location = /{code} {{ return {code} /x; }}" for code in (301, 302, 303, 307, 308))
    pair = nginx_pair(in_server(server, text))
    for code in [*codes, 301, 302, 303, 307, 308]:
        ours, theirs = pair.portico.get(f"/{code}"), pair.nginx.get(f"/{code}")
        assert ours.head.split(b"\r\n")[0] == theirs.head.split(b"\r\n")[0]
        title = theirs.text.split("<title>")[1].split("</title>")[0]
        assert f"<title>{title}</title>" in ours.text, code
        assert ours.get("Content-Type") == theirs.get("Content-Type")
        assert (ours.get("Connection") == "close") == (theirs.get("Connection") == "close"), code


def test_server_tokens(portico_nginx, server):
    one = portico_nginx(in_server(server, """server_tokens off; location = /404 { return 404; } location = /on { server_tokens on; return 404; }
        location = /up { proxy_pass UP; } location = /mine { server_tokens "shop & <co>"; return 404; }"""))
    assert one.get("/404").get("Server") == "portico" and ">portico<" in one.get("/404").text
    assert one.get("/on").get("Server").startswith("portico/") and "portico/" in one.get("/on").text
    assert one.get("/up?server=theirs").all("Server") == ["portico"]
    assert one.get("/mine").get("Server") == "shop & <co>" and "shop &amp; &lt;co>" in one.get("/mine").text


# ---- gzip ----

@pytest.mark.parametrize("directives, target, fields", [
    ("", "/?n=100&content-type=text/html", []),
    ("", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip")]),
    ("", "/?n=100&content-type=text/html;+charset=utf-8", [("Accept-Encoding", "deflate, gzip")]),
    ("", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip;q=0")]),
    ("", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip; q=0.001")]),
    ("", "/?n=19&content-type=text/html", [("Accept-Encoding", "gzip")]),
    ("", "/?n=100&content-type=text/plain", [("Accept-Encoding", "gzip")]),
    ("gzip_types *;", "/?n=100&content-type=image/png", [("Accept-Encoding", "gzip")]),
    ("", "/?n=100&content-type=text/html&status=404", [("Accept-Encoding", "gzip")]),
    ("", "/?n=100&content-type=text/html&status=500", [("Accept-Encoding", "gzip")]),
    ("", '/?n=100&content-type=text/html&etag=%22a%22&accept-ranges=bytes', [("Accept-Encoding", "gzip")]),
    ("", "/?n=100&content-type=text/html&etag=bare", [("Accept-Encoding", "gzip")]),
    ("gzip_vary on;", "/?n=100&content-type=text/html", []),
    ("", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("Via", "1.1 x")]),
    ("gzip_proxied any;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("Via", "1.1 x")]),
    ("gzip_proxied expired;", f"/?n=100&content-type=text/html&expires={LOW.replace(' ', '+')}", [("Accept-Encoding", "gzip"), ("Via", "x")]),
    ("gzip_proxied no_etag;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("Via", "1.1 x")]),
    ("gzip_proxied auth;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("Via", "x"), ("Authorization", "y")]),
    ("gzip_disable bot msie6;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("User-Agent", "a Bot")]),
    ("gzip_disable msie6;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("User-Agent", "MSIE 6.0")]),
    ("gzip_disable msie6;", "/?n=100&content-type=text/html", [("Accept-Encoding", "gzip"), ("User-Agent", "MSIE 6.0; SV1")]),
    ("gzip_http_version 1.1;", "/?n=100&content-type=text/html&content-encoding=br", [("Accept-Encoding", "gzip")])])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_gzip(nginx_pair, server, directives, target, fields, method):
    pair = nginx_pair(in_server(server, f"gzip on; {directives} location / {{ proxy_pass UP; }}"))
    got = pair.same(method, target, fields, ignoring=("body",))
    if got.get("Content-Encoding") == "gzip" and method == "GET":
        assert gzip.decompress(got.body) == pair.nginx.get(target).body


def test_brotli_and_zstd_go_before_gzip(portico_nginx, server):
    one = portico_nginx(in_server(server, "gzip on; brotli on; location / { proxy_pass UP; } location /z { zstd on; proxy_pass UP; }"))
    for path, accepted, coding in (("/", "gzip, br, zstd", "br"), ("/", "gzip", "gzip"), ("/z", "gzip, br, zstd", "zstd"), ("/z", "deflate", None)):
        response = one.get(f"{path}?n=100&content-type=text/html", [("Accept-Encoding", accepted)])
        assert response.get("Content-Encoding") == coding


# ---- limit_rate ----

def test_limit_rate(portico_nginx, server):
    one = portico_nginx(in_server(server, """location / { limit_rate 20k; limit_rate_after 10k; proxy_pass UP; }
        location /set { set $limit_rate 20k; proxy_pass UP; } location /free { limit_rate $arg_r; proxy_pass UP; }"""))
    for path in ("/", "/set", "/free?r=20k&"):
        began = time.monotonic()
        assert len(one.get(f"{path}{'' if '?' in path else '?'}n=51200").body) == 51200
        assert time.monotonic() - began > 0.9
    assert len(one.get("/free?n=51200").body) == 51200


@pytest.mark.parametrize("text, said", [
    ("error_page 404 =x /y;", 'invalid value "=x"'), ("error_page 200 /y;", "must be between 300 and 599"),
    ("add_header A b sometimes;", 'invalid parameter "sometimes"'), ("expires soon;", "soon"), ("gzip_comp_level 12;", "between 1 and 9"),
    ("gzip_proxied sometimes;", "sometimes"), ("limit_rate fast;", 'invalid value "fast"')])
def test_mistakes_are_refused(tmp_path, text, said):
    path = tmp_path / "nginx.conf"
    path.write_text(f"events {{ }} http {{ server {{ listen 127.0.0.1:8080; gzip on; {text} location / {{ return 200; }} }} }}")
    done = subprocess.run([BINARY, "nginx", "-t", "-p", f"{tmp_path}/", "-c", path], capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr and f"{path}:1" in done.stderr
