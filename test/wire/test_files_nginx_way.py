"""What nginx does with files, as options of the files service and as middlewares, said in YAML."""
import gzip
import os

import pytest

from harness.backend import Backend
from harness.http1 import response_bytes

TIME = 1000000000


@pytest.fixture
def root(tmp_path):
    found = tmp_path / "root"
    for name, content in {"index.html": b"home", "page.html": b"0123456789", "sub/index.html": b"sub", "koi.txt": bytes([0xC4, 0x41]),
                          "alpha/page.html": b"alpha's", "packed.txt.gz": gzip.compress(b"unpacked")}.items():
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_bytes(content)
        os.utime(found / name, (TIME, TIME))
    (found / "link").symlink_to("/etc/passwd")
    (found / "near").symlink_to("page.html")
    return found


@pytest.fixture
def serve(portico, root):
    """serve({middleware: options}, **options of the service): one router for all."""
    def start(middlewares=None, http=None, **options):
        chain = {f"m{number}": {kind: rest} for number, (kind, rest) in enumerate((middlewares or {}).items())}
        router = {"rule": "PathPrefix(`/`)", "service": "files", **({"middlewares": list(chain)} if chain else {})}
        return portico({"http": {"routers": {"main": router}, "services": {"files": {"files": {"root": str(root), **options}}},
                                 **({"middlewares": chain} if chain else {}), **(http or {})}})
    return start


def test_a_root_may_have_variables(serve, root):
    proxy = serve(root=f"{root}/${{arg_who}}")
    assert proxy.get("/page.html?who=alpha").text == "alpha's"
    assert proxy.get("/page.html?who=beta").status == 404
    assert proxy.get("/page.html").text == "0123456789"
    assert proxy.get("/passwd?who=../../../../../../../etc").status == 200      # whoever takes a folder from the query gets that


def test_links_are_followed_as_told(serve):
    assert [serve(symlinks=links).get(path).status for links in ("inside", "anywhere", "none") for path in ("/near", "/link")] == \
        [200, 403, 200, 200, 403, 403]
    assert serve(symlinks="none", symlinksFrom="/").get("/page.html").status == 200
    assert serve(symlinks="owned").get("/near").status == 200


def test_media_types_are_a_set_with_a_name(serve):
    proxy = serve(http={"mediaTypes": {"mine": {"types": {"text/x-page": "html htm"}, "default": "x/other"}}}, mediaTypes="mine")
    assert proxy.get("/page.html").get("Content-Type") == "text/x-page"
    assert proxy.get("/koi.txt").get("Content-Type") == "x/other"


def test_media_types_that_are_not_there_are_refused(serve):
    with pytest.raises(AssertionError, match="unknown media types 'none'"):
        serve(mediaTypes="none")


def test_etags_in_nginx_form_or_none(serve):
    assert serve(etag="short").get("/page.html").get("ETag") == '"3b9aca00-a"'
    assert not serve(etag="off").get("/page.html").has("ETag")


@pytest.mark.parametrize("form, kind, text", [("html", "text/html", "<h1>Index of /alpha/</h1>"), ("json", "application/json", '"size":7 }'),
                                              ("xml", "text/xml; charset=utf-8", 'size="7">page.html</file>'),
                                              ("jsonp", "application/javascript", "f([")])
def test_lists_in_nginx_forms(serve, form, kind, text):
    response = serve(browse=True, browseFormat=form).get("/alpha/?callback=f")
    assert (response.status, response.get("Content-Type")) == (200, kind) and text in response.text


def test_try_files_goes_on_with_what_is_there(serve, root):
    proxy = serve({"tryFiles": {"root": str(root), "files": ["${uri}", "${uri}/", "${uri}.html"], "fallback": "/index.html"}})
    assert [proxy.get(path).text for path in ("/page", "/page.html", "/nothing", "/sub/")] == ["0123456789", "0123456789", "home", "sub"]
    assert serve({"tryFiles": {"root": str(root), "files": ["${uri}"], "fallback": "=418"}}).get("/nothing").status == 418
    assert serve({"tryFiles": {"root": str(root), "files": ["/link"], "fallback": "=404"}}).get("/x").status == 404


def test_conditions_and_ranges_by_middlewares(serve):
    proxy = serve({"range": {"maxRanges": 2}, "conditional": {"ifModifiedSince": "before"}}, conditions=False)
    assert proxy.get("/page.html", [("If-Modified-Since", "Sun, 09 Sep 2001 01:46:41 GMT")]).status == 304
    assert proxy.get("/page.html", [("If-Match", '"x"')]).status == 412
    response = proxy.get("/page.html", [("Range", "bytes=2-4")])
    assert (response.status, response.text, response.get("Content-Range")) == (206, "234", "bytes 2-4/10")
    assert proxy.get("/page.html", [("Range", "bytes=0-0,2-2,4-4")]).status == 200
    assert proxy.get("/page.html", [("Range", "bytes=10-")]).get("Content-Range") == "bytes */10"


@pytest.fixture
def proxied(portico):
    started = []

    def start(middlewares, body, fields=()):
        backend = Backend(lambda request: response_bytes(200, list(fields), body))
        started.append(backend)
        chain = {f"m{number}": {kind: rest} for number, (kind, rest) in enumerate(middlewares.items())}
        return portico({"http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "to", "middlewares": list(chain)}},
                                 "middlewares": chain, "services": {"to": {"loadBalancer": {"servers": [{"url": backend.url}]}}}}})
    yield start
    for backend in started:
        backend.stop()


def test_ranges_of_what_servers_send(proxied):
    body = bytes(range(256)) * 1000
    proxy = proxied({"range": {"force": True}}, body)
    response = proxy.get("/", [("Range", "bytes=1000-200000")])
    assert response.status == 206 and response.body == body[1000:200001]
    assert proxy.get("/").get("Accept-Ranges") == "bytes"
    assert proxy.get("/", [("Range", "bytes=256000-")]).status == 416
    assert proxied({"range": {}}, body).get("/", [("Range", "bytes=0-0")]).status == 200


def test_texts_are_converted_and_say_so(proxied):
    maps = [{"from": "koi8-r", "to": "utf-8", "characters": {"C4": "D094"}}, {"from": "koi8-r", "to": "win", "characters": {"C4": "E4"}}]
    fields = [("Content-Type", "text/plain; charset=koi8-r")]
    response = proxied({"charset": {"charset": "utf-8", "override": True, "maps": maps}}, bytes([0xC4, 0x41]) * 50000, fields).get("/")
    assert response.get("Content-Type") == "text/plain; charset=utf-8" and response.body == "ДA".encode() * 50000
    response = proxied({"charset": {"charset": "win", "source": "koi8-r", "maps": maps}}, bytes([0xC4]), [("Content-Type", "text/html")]).get("/")
    assert (response.get("Content-Type"), response.body, response.get("Content-Length")) == ("text/html; charset=win", b"\xe4", "1")
    response = proxied({"charset": {"charset": "koi8-r", "source": "utf-8", "maps": maps}}, "ДЖ€😀".encode() + b"\xff",
                       [("Content-Type", "text/html")]).get("/")
    assert response.body == b"\xc4&#1046;&#8364;&#128512;?"
    response = proxied({"charset": {"charset": "utf-8"}}, b"x", [("Content-Type", "image/png")]).get("/")
    assert response.get("Content-Type") == "image/png"


def test_gzip_is_unpacked_for_those_who_do_not_take_it(proxied):
    text = b"some text " * 20000
    packed = gzip.compress(text[:99]) + gzip.compress(text[99:])
    proxy = proxied({"gunzip": {}}, packed, [("Content-Encoding", "gzip"), ("ETag", '"a"')])
    response = proxy.get("/")
    assert response.body == text and not response.has("Content-Encoding") and response.get("ETag") == 'W/"a"'
    assert proxy.get("/", [("Accept-Encoding", "gzip")]).body == packed
    assert response.get("Vary") == "Accept-Encoding"


def test_a_sidecar_alone_is_enough(serve):
    proxy = serve({"gunzip": {}}, precompressed=["gzip"], precompressedAlways=True)
    assert proxy.get("/packed.txt").text == "unpacked"


def test_a_pixel(portico):
    proxy = portico({"http": {"routers": {"main": {"rule": "PathPrefix(`/`)", "service": "dot"}}, "services": {"dot": {"emptyGif": {}}}}})
    response = proxy.get("/")
    assert response.body.startswith(b"GIF89a") and len(response.body) == 43 and response.get("Content-Type") == "image/gif"
    assert proxy.request("POST", "/").status == 405


@pytest.fixture
def sited(portico, root):
    def start(locations, middlewares=None, **files):
        routers = {f"r{number}": {"location": {"site": "s", "root": str(root), **location}, "service": "files", **more}
                   for number, (location, more) in enumerate(locations)}
        return portico({"http": {"sites": {"s": {}}, "routers": routers, "services": {"files": {"files": files}},
                                 **({"middlewares": middlewares} if middlewares else {})}})
    return start


def test_one_service_serves_the_roots_of_all_locations(sited, root):
    proxy = sited([({"path": "/"}, {}), ({"path": "/a/", "root": f"{root}/alpha/", "rootFor": "/a/"}, {}),
                   ({"path": "^/re/(.*)$", "match": "regex", "root": f"{root}/${{1}}", "rootIsFile": True}, {})], hidden=True)
    assert [proxy.get(path).text for path in ("/page.html", "/a/page.html", "/re/page.html", "/")] == \
        ["0123456789", "alpha's", "0123456789", "home"]
    assert proxy.get("/sub").get("Location").endswith("/sub/") and proxy.get("/alpha/").status == 403
    assert proxy.get("/link").status == 403


def test_try_files_in_a_location(sited):
    proxy = sited([({"path": "/"}, {"middlewares": ["try"]}), ({"path": "/index.html", "match": "exact"}, {}),
                   ({"path": "/named/"}, {"middlewares": ["named"]}), ({"path": "app", "match": "named"}, {"middlewares": ["page"]})],
                  {"try": {"tryFiles": {"files": ["${uri}", "${uri}.html"], "fallback": "/index.html"}},
                   "named": {"tryFiles": {"files": ["/none"], "fallback": "@app"}}, "page": {"replacePath": {"path": "/page.html"}}})
    assert [proxy.get(path).text for path in ("/page", "/page.html", "/nothing")] == ["0123456789", "0123456789", "home"]
    assert proxy.get("/named/x").status == 404
