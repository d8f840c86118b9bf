"""Whole configuration trees as they stand under /etc/nginx (nginx_trees/): both serve them, and answer and ask alike."""
import dataclasses
import gzip
import os
from pathlib import Path

import pytest

from harness.http1 import response_bytes
from harness.tls import TlsClient
from harness.waiting import wait_for

TREES = Path(__file__).parent / "nginx_trees"
# How a connection to a server is kept is each one's own.
OF_CONNECTIONS = ("connection", "transfer-encoding", "content-length")
MTIME = 1000000000


def answer(request):
    """What it was asked, in an answer of the sort that the path names."""
    path = request.target.partition("?")[0]
    fields = [("Content-Type", "text/plain"), ("Cache-Control", "private")]
    if request.has("Upgrade"):
        assert request.get("Connection").lower() == "upgrade"
        return [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", b"\x81\x05hello"]
    if path == "/auth":
        good = "session=good" in request.get("Cookie", "")
        return response_bytes(200 if good else 401, [("X-Auth-User", "anna"), ("Set-Cookie", "session=fresh")] if good else [])
    if "missing" in path or "denied" in path:
        return response_bytes(404 if "missing" in path else 403, [("X-Amz-Request-Id", "1"), *fields], b"<Error/>")
    if "broken" in path:
        return response_bytes(500, fields, b"a trace that nobody is to see")
    if "moved" in path:
        return response_bytes(302, [("Location", "http://own-bucket.s3.storage.example/there"), ("Content-Length", "0")])
    if path.startswith("/own-bucket/"):
        fields += [("X-Amz-Request-Id", "1"), ("x-amz-id-2", "2"), ("X-Amz-Meta-Kept", "yes"), ("Set-Cookie", "bucket=1"), ("ETag", '"abc"')]
    lines = [f"{request.method} {request.target}"]
    lines += sorted(f"{name.lower()}: {value}" for name, value in request.fields if name.lower() not in OF_CONNECTIONS)
    return response_bytes(200, fields, "\n".join(lines).encode() + b"\n" + request.body + b"." * 300)


@pytest.fixture
def tree(nginx_pair, backend):
    """tree(name, ...): the pair with the files of a tree, and a server behind them that tells what it was asked."""
    def start(name, files=None):
        folder = TREES / name
        found = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}
        text = found.pop("nginx.conf")
        pair = nginx_pair(text, files={**found, **(files or {})}, ports={"behind": backend(answer).port})
        for like in (pair.nginx, pair.portico):
            for path in like.folder.rglob("*.*"):
                if path.suffix in (".html", ".css", ".js", ".svg"):
                    os.utime(path, (MTIME, MTIME))
        return pair
    return start


def plain(response):
    """Its body as it was before compression, whose bytes are the library's. Pages that name the program are left out."""
    changed = {"body": b"the product's page"} if b"</h1></center>" in response.body else {}
    if response.get("Content-Encoding") == "gzip":
        changed["body"] = gzip.decompress(response.body)
    return dataclasses.replace(response, **changed)


def ask(like, target, method="GET", host="localhost", fields=(), body=b"", port="port", tls=False, ignoring=()):
    client = TlsClient(like.ports[port], host) if tls else like.client(port)
    response = client.request(method, target, fields, body, host=host)
    client.close()
    seen = like.seen(plain(response), ignoring=(*OF_CONNECTIONS, *ignoring))
    return response, seen


def same(pair, target, *arguments, **more):
    (_, wanted), (response, got) = (ask(like, target, *arguments, **more) for like in (pair.nginx, pair.portico))
    assert got == wanted, f"{more.get('host')}{target}:\nnginx   {wanted}\nportico {got}"
    return response


def test_debian_with_sites_enabled_and_certbot(tree, authority):
    certificate = authority.issue("shop.example", "www.shop.example")
    live = "letsencrypt/live/shop.example"
    pair = tree("debian", {f"{live}/fullchain.pem": Path(certificate.cert).read_bytes(), f"{live}/privkey.pem": Path(certificate.key).read_bytes()})
    for host, target, status in [
            ("nobody.example", "/", 200), ("nobody.example", "/none", 404), ("nobody.example", "/.htaccess", 403),
            ("shop.example", "/a?b=c", 301), ("www.shop.example", "/a", 301), ("other.shop.example", "/a", 404),
            ("shop.example", "/.well-known/acme-challenge/token", 200), ("shop.example", "/.well-known/acme-challenge/none", 404)]:
        assert same(pair, target, host=host, port="http").status == status, (host, target)
    zipped = [("Accept-Encoding", "gzip")]
    for target, fields, status in [
            ("/cart?id=1", [("X-Forwarded-For", "192.0.2.1")], 200), ("/cart", zipped, 200), ("/style.css", zipped, 200), ("/style.css", [], 200),
            ("/logo.svg", zipped, 200), ("/favicon.ico", [], 404), ("/.git/config", [], 403), ("/50x.html", [], 404), ("/broken", [], 500),
            ("/style.css", [("If-Modified-Since", "Sun, 09 Sep 2001 01:46:40 GMT")], 304), ("/style.css", [("Range", "bytes=0-9")], 206)]:
        # the time in Expires is the moment's
        (_, wanted), (response, got) = (ask(like, target, host="shop.example", port="https", tls=True, fields=fields) for like in (pair.nginx, pair.portico))
        assert timeless(got) == timeless(wanted), target
        assert response.status == status, target
    posted = same(pair, "/cart", "POST", host="shop.example", port="https", tls=True, body=b"a=1")
    assert "POST /cart\n" in posted.text and "x-forwarded-proto: https" in posted.text
    # an answer is compressed where the client takes it
    assert ask(pair.portico, "/style.css", host="shop.example", port="https", tls=True, fields=zipped)[0].get("Content-Encoding") == "gzip"


def timeless(seen):
    status, fields, body = seen
    return status, [(name, "a date" if name == "expires" else value) for name, value in fields], body


def test_next_js_and_fastapi_behind_one_server(tree):
    pair = tree("next-fastapi")
    zipped = [("Accept-Encoding", "gzip, br")]
    for target, fields, status in [
            ("/", [], 200), ("/about?_rsc=1", zipped, 200), ("/_next/static/chunks/main-1a2b3c.js", [], 200), ("/_next/static/chunks/main-1a2b3c.js", zipped, 200),
            ("/_next/static/none.js", [], 404), ("/_next/image?url=%2Fa.png&w=64", [], 200), ("/api/items/7?q=a%2Fb", [], 200), ("/api/a%2Fb//c", [], 200),
            ("/api", [], 301), ("/docs", [], 200), ("/openapi.json", zipped, 200), ("/api/missing", [], 404)]:
        (_, wanted), (response, got) = (ask(like, target, host="app.example", fields=fields) for like in (pair.nginx, pair.portico))
        assert timeless(got) == timeless(wanted), target
        assert response.status == status, target
    immutable = ask(pair.portico, "/_next/static/chunks/main-1a2b3c.js", host="app.example", fields=zipped)[0]
    assert "public, immutable" in immutable.all("Cache-Control") and immutable.get("Content-Encoding") == "gzip"
    for target, size, status in [("/api/items", 20 * 1024, 200), ("/api/items", 20 * 1024 + 1, 413), ("/api/upload", 64 * 1024, 200), ("/api/upload", 64 * 1024 + 1, 413)]:
        assert same(pair, target, "POST", host="app.example", body=b"x" * size).status == status, (target, size)
    assert [same(pair, "/api/login", "POST", host="app.example", body=b"{}").status for _ in range(5)] == [200, 200, 200, 429, 429]
    for like in (pair.nginx, pair.portico):
        client = like.client()
        upgraded = client.request("GET", "/ws/chat?room=1", [("Connection", "Upgrade"), ("Upgrade", "websocket")], host="app.example")
        assert upgraded.status == 101 and client.reader.take(7) == b"\x81\x05hello", like.name
    assert wait_for("the access log", lambda: 'rt=0.' in (pair.portico.folder / "access.log").read_text())


def test_a_bucket_and_grafana_behind_paths(tree):
    pair = tree("storage")
    for target, status in [("/media/a%20b.png", 200), ("/media/missing.png", 200), ("/media/denied.png", 200), ("/media/broken.png", 503), ("/placeholder.svg", 200),
                           ("/media/", 200), ("/signed/a/b.png?X-Amz-Signature=a%2Fb&X-Amz-Date=1", 200), ("/signed/moved", 302), ("/signed/missing", 404)]:
        fields = [("Cookie", "own=1"), ("Authorization", "Bearer x")]
        assert same(pair, target, host="media.example", fields=fields).status == status, target
    # limit_except refuses it, and the page is a file, which is no place to PUT to; Allow is what RFC 9110 asks for
    assert same(pair, "/media/a.png", "PUT", host="media.example", body=b"x", ignoring=("allow",)).status == 405
    assert same(pair, "/media/a.png", "HEAD", host="media.example").status == 200
    shown = ask(pair.portico, "/media/a.png", host="media.example")[0]
    assert "host: own-bucket.s3.storage.example" in shown.text and not shown.has("x-amz-id-2") and shown.get("X-Amz-Meta-Kept") == "yes"
    good = [("Cookie", "session=good"), ("X-WEBAUTH-USER", "forged")]
    for target, fields, status in [("/grafana/d/a%20b?orgId=1", good, 200), ("/grafana/", [], 302), ("/grafana/api/live/x", [], 200),
                                   ("/grafana/missing", good, 404), ("/outpost/auth", good, 404), ("/grafana/d//e", good, 200)]:
        assert same(pair, target, host="grafana.example", fields=fields).status == status, target
    entered = ask(pair.portico, "/grafana/", host="grafana.example", fields=good)[0]
    assert "x-webauth-user: anna" in entered.text and "forged" not in entered.text and entered.get("Set-Cookie") == "session=fresh"
    posted = same(pair, "/grafana/api/ds/query", "POST", host="grafana.example", fields=good, body=b'{"queries":[]}')
    assert '{"queries":[]}' in posted.text
    for like in (pair.nginx, pair.portico):
        client = like.client()
        upgraded = client.request("GET", "/grafana/api/live/ws", [("Connection", "Upgrade"), ("Upgrade", "websocket")], host="grafana.example")
        assert upgraded.status == 101 and client.reader.take(7) == b"\x81\x05hello", like.name
