"""The files service: what is in the root, and nothing else."""
import gzip
import os
from urllib.parse import urljoin

import pytest

from harness.http1 import FramingError


@pytest.fixture
def site(portico, tmp_path):
    """site(options) serves a folder; the folder is site.root."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_text("<h1>home</h1>")
    (root / "sub" / "index.html").write_text("sub home")
    (root / "page.html").write_text("<p>page</p>")
    (root / "data.json").write_text("{}")
    (root / "a b%.txt").write_text("odd name")
    (root / "large.bin").write_bytes(os.urandom(3 << 20))
    (root / "empty.txt").write_bytes(b"")
    (tmp_path / "secret.txt").write_text("SECRET")
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "secret.txt").write_text("SECRET")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "inside.txt").symlink_to("page.html")
    (root / "up").symlink_to("..")

    def start(**options):
        return portico({"http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "files"}},
                                 "services": {"files": {"files": {"root": str(root), **options}}}}})
    start.root = root
    return start


def test_files_come_with_their_type_and_validators(site):
    response = site().get("/page.html")
    assert (response.status, response.text) == (200, "<p>page</p>")
    assert response.get("Content-Type").startswith("text/html") and response.has("ETag") and response.has("Last-Modified")
    assert response.get("Accept-Ranges") == "bytes" and response.get("Content-Length") == "11"


@pytest.mark.parametrize("target, status, text", [
    ("/", 200, "<h1>home</h1>"), ("/sub/", 200, "sub home"), ("/a%20b%25.txt", 200, "odd name"), ("/empty.txt", 200, ""),
    ("/absent", 404, None), ("/page.html/", 404, None), ("/page.html/x", 404, None), ("/data.json?q=1", 200, "{}"),
    ("/inside.txt", 200, "<p>page</p>"),
])
def test_targets(site, target, status, text):
    response = site().get(target)
    assert response.status == status and (text is None or response.text == text)


def test_a_folder_without_its_slash_is_redirected(site):
    response = site().get("/sub?q=1")
    assert response.status in (301, 308) and response.get("Location").endswith("/sub/?q=1")


@pytest.mark.parametrize("target", [
    "/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "/link.txt",
    "/up/secret.txt", "/up/root2/secret.txt", "/%2e%2e%2fsecret.txt", "/sub/%2e%2e/%2e%2e/secret.txt", "//secret.txt",
    "/..\\secret.txt", "/page.html%00.txt", "/%00", "/.%00./secret.txt", "/../root2/secret.txt", "/%252e%252e/secret.txt",
])
def test_nothing_outside_can_be_reached(site, target):
    response = site().get(target)
    assert response.status in (400, 403, 404) and b"SECRET" not in response.body


def test_a_large_file_is_whole(site):
    proxy = site()
    client = proxy.client()
    expected = (site.root / "large.bin").read_bytes()
    assert client.request("GET", "/large.bin").body == expected
    assert client.request("HEAD", "/large.bin").get("Content-Length") == str(len(expected))
    assert client.request("GET", "/page.html").text == "<p>page</p>"


@pytest.mark.parametrize("header, status, part", [
    ("bytes=0-0", 206, slice(0, 1)), ("bytes=3-6", 206, slice(3, 7)), ("bytes=5-", 206, slice(5, None)),
    ("bytes=-4", 206, slice(-4, None)), ("bytes=0-99999999", 206, slice(None)), ("bytes=x", 200, slice(None)),
    ("lines=1-2", 200, slice(None)), ("bytes=6-3", 200, slice(None)),
])
def test_ranges(site, header, status, part):
    response = site().get("/page.html", [("Range", header)])
    assert response.status == status and response.body == b"<p>page</p>"[part]
    if status == 206:
        start = range(11)[part][0]
        assert response.get("Content-Range") == f"bytes {start}-{start + len(response.body) - 1}/11"


def test_a_range_that_cannot_be(site):
    response = site().get("/page.html", [("Range", "bytes=11-")])
    assert response.status == 416 and response.get("Content-Range") == "bytes */11"


def test_conditions(site):
    proxy = site()
    first = proxy.get("/page.html")
    tag, date = first.get("ETag"), first.get("Last-Modified")
    for fields, status in [
        ([("If-None-Match", tag)], 304), ([("If-None-Match", f'"x", {tag}')], 304), ([("If-None-Match", "*")], 304),
        ([("If-None-Match", '"x"')], 200), ([("If-Modified-Since", date)], 304),
        ([("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")], 200), ([("If-Match", '"x"')], 412), ([("If-Match", tag)], 200),
        ([("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")], 412),
        ([("If-None-Match", '"x"'), ("If-Modified-Since", date)], 200),
        ([("Range", "bytes=0-1"), ("If-Range", tag)], 206), ([("Range", "bytes=0-1"), ("If-Range", '"x"')], 200),
    ]:
        assert proxy.get("/page.html", fields).status == status, fields
    (site.root / "page.html").write_text("<p>changed</p>")
    changed = proxy.get("/page.html", [("If-None-Match", tag)])
    assert changed.status == 200 and changed.get("ETag") != tag


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_not_allowed(site, method):
    response = site().request(method, "/page.html", body=b"x")
    assert response.status == 405 and "GET" in response.get("Allow")


def test_a_single_page_application(site):
    proxy = site(spa=True)
    assert proxy.get("/some/route").text == "<h1>home</h1>"
    assert proxy.get("/page.html").text == "<p>page</p>"


def test_browsing_is_off_until_asked_for(site):
    (site.root / "bare").mkdir()
    (site.root / "bare" / "<b>&.txt").write_text("x")
    assert site().get("/bare/").status in (403, 404)
    response = site(browse=True).get("/bare/")
    assert response.status == 200 and "&lt;b&gt;&amp;.txt" in response.text and "<b>&" not in response.text


def test_precompressed_files_are_sent_to_those_who_take_them(site):
    (site.root / "page.html.gz").write_bytes(gzip.compress(b"<p>page</p>"))
    proxy = site(precompressed=True)
    response = proxy.get("/page.html", [("Accept-Encoding", "gzip")])
    assert response.get("Content-Encoding") == "gzip" and gzip.decompress(response.body) == b"<p>page</p>"
    assert response.get("Content-Type").startswith("text/html") and "Accept-Encoding" in response.get("Vary")
    plain = proxy.get("/page.html")
    assert plain.text == "<p>page</p>" and not plain.has("Content-Encoding") and plain.get("ETag") != response.get("ETag")


def test_several_ranges_come_as_parts(site):
    proxy = site()
    expected = (site.root / "large.bin").read_bytes()
    response = proxy.get("/large.bin", [("Range", "bytes=0-9,100000-299999,-5")])
    assert response.status == 206 and not response.has("Content-Range")
    kind, boundary = response.get("Content-Type").split("; boundary=")
    assert kind == "multipart/byteranges"
    parts = response.body.split(b"--" + boundary.encode())
    assert parts[0] == b"" and parts[-1] == b"--\r\n"
    for part, (first, last) in zip(parts[1:-1], [(0, 9), (100000, 299999), (len(expected) - 5, len(expected) - 1)], strict=True):
        head, body = part.split(b"\r\n\r\n", 1)
        assert f"Content-Range: bytes {first}-{last}/{len(expected)}".encode() in head
        assert body == expected[first:last + 1] + b"\r\n"


def test_a_slow_reader_gets_a_large_file_whole(site):
    (site.root / "huge.bin").write_bytes(os.urandom(1 << 20) * 8)
    proxy = site()
    client = proxy.client(receive_buffer=1 << 17)
    client.send_request("GET", "/huge.bin")
    assert client.readable(10)
    proxy.get("/page.html")      # others are served meanwhile
    assert client.response().body == (site.root / "huge.bin").read_bytes()
    assert client.request("GET", "/page.html").text == "<p>page</p>"


def test_a_client_that_leaves_lets_go_of_the_file(site):
    proxy = site()
    proxy.get("/page.html")
    folder = f"/proc/{proxy.process.pid}/fd"

    def target(name):
        try:
            return os.readlink(f"{folder}/{name}")
        except FileNotFoundError:       # closed since it was listed
            return ""

    def open_files():
        return [name for name in os.listdir(folder) if target(name).endswith("large.bin")]

    client = proxy.client(receive_buffer=4096)
    client.send_request("GET", "/large.bin")
    proxy.wait_until("the file is open", lambda: open_files())
    client.reset()
    proxy.wait_until("the file is closed", lambda: not open_files())


def test_a_file_cut_while_it_is_sent_is_not_passed_for_whole(site):
    proxy = site()
    client = proxy.client(receive_buffer=4096)
    client.send_request("GET", "/large.bin")
    assert client.readable(10)
    os.truncate(site.root / "large.bin", 1 << 19)
    with pytest.raises((FramingError, ConnectionError)):
        client.response()
    line = proxy.access(where=lambda line: line["RequestPath"] == "/large.bin")[0]
    assert line["reason"] == "file_error"


def test_compression_stands_above_files(site, portico):
    (site.root / "text.txt").write_text("abc " * 50000)
    proxy = portico({"http": {
        "routers": {"main": {"rule": "PathPrefix(`/`)", "service": "files", "middlewares": ["small"]}},
        "middlewares": {"small": {"compress": {}}}, "services": {"files": {"files": {"root": str(site.root)}}}}})
    response = proxy.get("/text.txt", [("Accept-Encoding", "gzip")])
    assert response.get("Content-Encoding") == "gzip" and gzip.decompress(response.body) == b"abc " * 50000
    assert response.get("ETag").startswith('W/"')
    assert proxy.get("/text.txt", [("Accept-Encoding", "gzip"), ("Range", "bytes=0-2")]).body == b"abc"


def test_a_prefix_that_was_stripped_is_in_the_redirection(site, portico):
    proxy = portico({"http": {
        "routers": {"main": {"rule": "PathPrefix(`/static`)", "service": "files", "middlewares": ["strip"]}},
        "middlewares": {"strip": {"stripPrefix": {"prefixes": ["/static"]}}},
        "services": {"files": {"files": {"root": str(site.root)}}}}})
    response = proxy.get("/static/sub")
    assert urljoin("http://host/static/sub", response.get("Location")) == "http://host/static/sub/"
    assert proxy.get("/static/sub/").text == "sub home"


def test_listings_are_json_for_programs(site):
    proxy = site(browse=True)
    os.remove(site.root / "index.html")
    response = proxy.get("/", [("Accept", "application/json")])
    names = [entry["name"] for entry in response.json()]
    assert names[0] == "sub" and "page.html" in names and "inside.txt" in names
    assert "link.txt" not in names and "up" not in names      # they lead out


def test_hidden_files_and_fifos_are_not_served(site):
    (site.root / ".env").write_text("SECRET")
    (site.root / ".well-known").mkdir()
    (site.root / ".well-known" / "security.txt").write_text("Contact: x")
    os.mkfifo(site.root / "fifo")
    proxy = site(browse=True)
    assert proxy.get("/.env").status == 404
    assert proxy.get("/.well-known/security.txt").text == "Contact: x"
    assert proxy.get("/fifo").status == 403
    assert site(hidden=True).get("/.env").status == 200


def test_symbolic_links_can_be_refused(site):
    assert site(followSymlinks=False).get("/inside.txt").status == 403


def test_fields_and_ages_are_sent(site):
    proxy = site(maxAge="1h", headers={"X-Frame-Options": "DENY"}, spa=True)
    page = proxy.get("/page.html")
    assert page.get("Cache-Control") == "max-age=3600" and page.get("X-Frame-Options") == "DENY"
    assert proxy.get("/route").get("Cache-Control") == "no-cache"


def test_head_has_everything_but_the_body(site):
    proxy = site()
    client = proxy.client()
    for target in ("/page.html", "/large.bin", "/absent", "/sub"):
        got, head = client.request("GET", target), client.request("HEAD", target)
        assert head.status == got.status and head.body == b""
        assert head.get("Content-Length") == got.get("Content-Length") and head.get("ETag") == got.get("ETag")


def test_a_root_that_is_swapped_is_seen(site, portico, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "page.html").write_text("new")
    current = tmp_path / "current"
    current.symlink_to("root")
    proxy = portico({"http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "files"}},
                              "services": {"files": {"files": {"root": str(current)}}}}})
    assert proxy.get("/page.html").text == "<p>page</p>"
    (tmp_path / "next").symlink_to("new")
    os.rename(tmp_path / "next", current)
    proxy.wait_for_answer(lambda response: response.text == "new", "/page.html")
