"""Files as nginx serves them: the same configuration and requests to Debian's nginx and to Portico."""
import gzip
import os

import pytest

from harness.nginx_pair import NginxPair

TIME = 1000000000
PAGE = b"<p>page</p>\n"
# A 405 must say what is allowed (RFC 9110 15.5.6); nginx does not.
SAYS_MORE = ("allow",)
# nginx makes its lists while it sends them.
LISTS = ("content-length", "transfer-encoding")


def files():
    found = {"html/index.html": b"top", "html/page.html": PAGE, "html/one.txt": b"0123456789" * 30, "html/dir/index.html": b"inner",
             "html/dir/two.txt": b"two", "html/bare/three.txt": b"three", "html/.dot": b"dot", "html/many.php": b"php",
             "html/with space.txt": b"space", "html/coded.txt": b"coded", "html/coded.txt.gz": gzip.compress(b"coded", mtime=0),
             "html/only.txt.gz": gzip.compress(b"only " * 100, mtime=0), "html/koi.html": bytes([0xC4, 0xC1, 0x20, 0x41]),
             "html/utf.html": "Да €".encode(), "html/large.bin": bytes(range(256)) * 400, "other/file.txt": b"other",
             "other/sub/index.html": b"other index", "html/de.html": b"de", "html/list/a<b>&.txt": b"x" * 12345,
             "html/list/" + "n" * 60: b"", "html/list/sub/x": b"", "html/list/ümlaut.txt": b"\n"}
    return {name: content for name, content in found.items()}


@pytest.fixture
def pair(tmp_path):
    pairs = []

    def start(text):
        made = NginxPair(tmp_path / str(len(pairs)), text, files=files())
        pairs.append(made)
        for side in (made.nginx, made.portico):
            for path in sorted([*(side.folder / "html").rglob("*"), *(side.folder / "other").rglob("*")], reverse=True):
                path.chmod(0o755 if path.is_dir() else 0o644)
                os.utime(path, (TIME, TIME))
        return made
    yield start
    for made in pairs:
        made.stop()


def alike(both, method, target, fields=(), body=b"", ignoring=()):
    """As both.same; pages of the programs' own name them, and so do their lengths."""
    answers = [side.request(method, target, fields, body) for side in (both.nginx, both.portico)]
    if all(b"<center>" in seen.body for seen in answers):
        ignoring = (*ignoring, "body", "content-length")
    if method == "HEAD" and answers[0].status >= 300:
        ignoring = (*ignoring, "content-length")
    expected, seen = both.nginx.seen(answers[0], ignoring), both.portico.seen(answers[1], ignoring)
    assert seen == expected, f"{method} {target} {list(fields)}:\nnginx   {expected}\nportico {seen}"
    return answers[1]


TARGETS = ["/", "/page.html", "/one.txt", "/dir", "/dir/", "/dir?a=b", "/bare", "/bare/", "/nothing", "/nothing/", "/one.txt/", "/.dot",
           "/with%20space.txt", "/many.php", "/dir/../one.txt", "//one.txt", "/dir//two.txt", "/%64ir/"]


def test_files_and_folders_are_answered_alike(pair):
    both = pair("server { listen @port@; server_name localhost; }")
    for target in TARGETS:
        alike(both, "GET", target)
        alike(both, "HEAD", target)
        alike(both, "POST", target, body=b"x", ignoring=SAYS_MORE)
        alike(both, "PUT", target, body=b"x", ignoring=SAYS_MORE)


def test_roots_and_aliases_lead_to_the_same_files(pair):
    both = pair("""server {
        listen @port@;
        root @folder@/html;
        location /o/ { alias @folder@/other/; }
        location /f { alias @folder@/other/f; }
        location = /exact { alias @folder@/other/file.txt; default_type text/css; }
        location ~ ^/re/(.+)$ { alias @folder@/other/$1; }
        location /var/ { set $where other; root @folder@/$where; }
        location /sub/ { root @folder@/other/; }
        location /names { return 200 "$document_root|$request_filename"; }
        location /o/names { alias @folder@/other/; return 200 "$document_root|$request_filename"; }
    }""")
    for target in ["/o/file.txt", "/o/", "/o/sub", "/o/sub/", "/ffile.txt", "/file.txt", "/exact", "/re/file.txt", "/re/sub/",
                   "/var/file.txt", "/sub/", "/names/x", "/o/names/y", "/one.txt"]:
        alike(both, "GET", target)


def test_nobody_gets_out_of_an_alias(pair):
    both = pair("server { listen @port@; location /o { alias @folder@/other/; } }")
    assert both.nginx.get("/o../html/one.txt").status == 200
    assert both.portico.get("/o../html/one.txt").status == 404


def test_an_index_goes_through_the_locations_again(pair):
    both = pair("""server {
        listen @port@;
        location /dir/ { index none.html $arg_name.html index.html; }
        location = /dir/index.html { return 200 "from its location"; }
        location /far/ { index a b /page.html; }
        location /loop/ { index /loop/; }
        location /php/ { alias @folder@/html/; index many.php; }
        location ~ \\.php$ { return 200 "php $uri $args"; }
    }""")
    for target in ["/dir/", "/far/", "/loop/", "/php/?x=1", "/dir"]:
        alike(both, "GET", target)


def test_try_files_finds_what_is_there(pair):
    both = pair("""server {
        listen @port@;
        location / { try_files $uri $uri/ /page.html?from=$uri; }
        location /code/ { try_files /none =418; }
        location /named/ { try_files /none @app; }
        location @app { return 200 "app $uri $args"; }
        location /found/ { try_files /none /one.txt =404; }
        location /folder/ { try_files /dir/ =404; }
        location /alias/ { alias @folder@/other/; try_files $uri /alias/file.txt; }
        location ~ ^/re/(.*)$ { alias @folder@/other; try_files /$1 =404; }
        location /last/ { try_files /none $uri/x; }
        location /args/ { try_files /none /show?$args; }
        location /show { return 200 "$uri?$args"; }
        location /nouri/ { try_files none.txt =404; }
    }""")
    for target in ["/one.txt", "/dir", "/dir/", "/nothing", "/code/x", "/named/x?a=1", "/found/x", "/folder/x", "/alias/sub/index.html",
                   "/alias/none", "/re/file.txt", "/re/none", "/last/y", "/args/z?q=1", "/nouri/"]:
        alike(both, "GET", target)


CONDITIONS = [("If-Modified-Since", "Sun, 09 Sep 2001 01:46:40 GMT"), ("If-Modified-Since", "Sun, 09 Sep 2001 01:46:41 GMT"),
              ("If-Modified-Since", "Sun, 09 Sep 2001 01:46:39 GMT"), ("If-Modified-Since", "no date"),
              ("If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:40 GMT"), ("If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:39 GMT"),
              ("If-None-Match", "*"), ("If-None-Match", '"3b9aca00-12c"'), ("If-None-Match", '"a", W/"3b9aca00-12c"'),
              ("If-None-Match", '"x"'), ("If-Match", "*"), ("If-Match", '"3b9aca00-12c"'), ("If-Match", '"x"')]


@pytest.mark.parametrize("since", ["exact", "before", "off"])
def test_conditions_are_judged_alike(pair, since):
    both = pair(f"server {{ listen @port@; if_modified_since {since}; error_page 412 /page.html; location /plain {{ etag off; alias "
                "@folder@/html/one.txt; } location /said { return 200 x; } }")
    for target in ("/one.txt", "/plain", "/said"):
        for condition in CONDITIONS:
            alike(both, "GET", target, [condition])
        alike(both, "GET", target, [CONDITIONS[0], CONDITIONS[9]])
        alike(both, "GET", target, [CONDITIONS[0], CONDITIONS[7]])


RANGES = ["0-0", "0-9", "290-", "-5", "-500", "300-", "5-2", "x", "", "0-1,5-6", "5-6,0-1", "0-99,50-149", "0-299,0-299", "0-1,400-",
          "9223372036854775808-", "0 - 4", "-0", "0-,-1"]


@pytest.mark.parametrize("more", ["", "max_ranges 1;", "max_ranges 0;"])
def test_ranges_are_cut_alike(pair, more):
    both = pair(f"server {{ listen @port@; {more} }}")
    for value in RANGES:
        for method in ("GET", "HEAD"):
            same_ranges(both, method, [("Range", f"bytes={value}")])
    for held in ('"3b9aca00-12c"', '"other"', "Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:41 GMT", "x"):
        same_ranges(both, "GET", [("Range", "bytes=1-3"), ("If-Range", held)])
    alike(both, "GET", "/large.bin", [("Range", "bytes=70000-99999")])


def same_ranges(both, method, fields):
    """The boundaries differ, and so do the lengths that they make."""
    wanted, got = (side.request(method, "/one.txt", fields) for side in (both.nginx, both.portico))
    assert got.status == wanted.status, fields
    if "multipart" not in (wanted.get("Content-Type") or ""):
        alike(both, method, "/one.txt", fields)
        return
    parts = [seen.body.replace(seen.get("Content-Type").split("boundary=")[1].encode(), b"B") for seen in (wanted, got)]
    assert parts[0] == parts[1]


def test_lists_of_folders_look_alike(pair):
    both = pair("""server {
        listen @port@;
        autoindex on;
        location /l1/ { alias @folder@/html/list/; }
        location /l2/ { alias @folder@/html/list/; autoindex_exact_size off; autoindex_localtime on; }
        location /l3/ { alias @folder@/html/list/; charset utf-8; }
        location /json/ { alias @folder@/html/list/; autoindex_format json; }
        location /xml/ { alias @folder@/html/list/; autoindex_format xml; }
        location /call/ { alias @folder@/html/list/; autoindex_format jsonp; }
    }""")
    for side in (both.nginx, both.portico):
        os.symlink("nowhere", side.folder / "html/list/lost")
        os.utime(side.folder / "html/list/lost", (TIME, TIME), follow_symlinks=False)
        os.symlink("sub", side.folder / "html/list/link")
    for target in ["/l1/", "/l2/", "/l3/", "/json/", "/xml/", "/call/", "/call/?callback=f.g", "/call/?callback=a-b", "/bare/", "/dir/"]:
        alike(both, "GET", target, ignoring=LISTS)


def test_types_and_charsets_are_said_alike(pair):
    both = pair("""
        types { text/html html htm; text/plain TXT; }
        charset_map koi8-r utf-8 { C4 D094; C1 D0B0; }
        charset_map koi8-r win { C4 C5; }
        server {
        listen @port@;
        charset utf-8;
        location /t/ { alias @folder@/html/; types { } default_type "x/y"; charset off; }
        location /none/ { alias @folder@/html/; types { } default_type ""; }
        location /koi/ { alias @folder@/html/; source_charset koi8-r; }
        location /win/ { alias @folder@/html/; source_charset koi8-r; charset win; }
        location /back/ { alias @folder@/html/; source_charset utf-8; charset koi8-r; }
        location /all/ { alias @folder@/html/; charset_types *; charset x; }
        location /var/ { alias @folder@/html/; charset $arg_c; }
        location /said { default_type text/plain; return 200 said; }
    }""")
    for target in ["/page.html", "/one.txt", "/large.bin", "/t/page.html", "/none/page.html", "/koi/koi.html", "/koi/page.html",
                   "/win/koi.html", "/back/utf.html", "/all/large.bin", "/var/page.html?c=iso-8859-1", "/dir", "/nothing", "/said"]:
        alike(both, "GET", target, ignoring=("content-length",))
    alike(both, "GET", "/win/koi.html", [("Range", "bytes=0-1")])
    alike(both, "GET", "/koi/koi.html", [("Range", "bytes=0-1")], ignoring=("content-length",))


def test_sidecars_are_sent_and_unpacked_alike(pair):
    both = pair("""server {
        listen @port@;
        location / { gzip_static on; gzip_vary off; }
        location /always/ { alias @folder@/html/; gzip_static always; gunzip on; }
        location /off/ { alias @folder@/html/; }
    }""")
    newer = ("accept-ranges",)      # nginx 1.22 gave no ranges of sidecars
    for fields in ([], [("Accept-Encoding", "gzip")], [("Accept-Encoding", "gzip;q=0")], [("Accept-Encoding", "gzip"), ("Via", "1.1 x")]):
        for target in ["/coded.txt", "/only.txt", "/one.txt", "/always/only.txt", "/always/coded.txt", "/off/only.txt"]:
            alike(both, "GET", target, fields, ignoring=newer)


def test_links_are_followed_as_far_as_allowed(pair):
    both = pair("""server {
        listen @port@;
        location /on/ { alias @folder@/html/; disable_symlinks on; }
        location /from/ { alias @folder@/html/link/; disable_symlinks on from=@folder@/html/link; }
        location /owner/ { alias @folder@/html/; disable_symlinks if_not_owner; }
        location / { try_files $uri =404; }
        location /try/ { disable_symlinks on; try_files /out.txt =418; }
    }""")
    for side in (both.nginx, both.portico):
        os.symlink("../other/file.txt", side.folder / "html/out.txt")
        os.symlink("../other", side.folder / "html/link")
    for target in ["/out.txt", "/link/file.txt", "/on/one.txt", "/on/out.txt", "/on/link/file.txt", "/on/link/", "/from/file.txt",
                   "/owner/out.txt", "/owner/link/file.txt", "/try/x"]:
        alike(both, "GET", target)


def test_a_pixel_and_the_seeds_static_folder(pair):
    both = pair("""server {
        listen @port@;
        location = /pixel { empty_gif; }
        location /static/ { alias @folder@/html/; expires 30d; add_header Cache-Control "public, immutable"; }
    }""")
    if "empty_gif" in both.nginx.said:
        pytest.skip("this nginx has no empty_gif")
    alike(both, "GET", "/pixel")
    alike(both, "GET", "/pixel", [("If-Modified-Since", "Mon, 28 Sep 1970 06:00:00 GMT")])
    alike(both, "POST", "/pixel", body=b"x", ignoring=SAYS_MORE)
    answer = alike(both, "GET", "/static/page.html", ignoring=("expires",))
    assert [value for name, value in answer.fields if name.lower() == "cache-control"] == ["max-age=2592000", "public, immutable"]
    assert answer.get("ETag") == '"3b9aca00-c"' and answer.get("Accept-Ranges") == "bytes" and answer.get("Expires")


def test_the_error_log_says_which_file_is_not_there(pair):
    both = pair("""server {
        listen @port@;
        location / { }
        location /quiet/ { log_not_found off; }
    }""")
    for side in (both.nginx, both.portico):
        side.get("/nothing-at-all")
        side.get("/bare/")
        said = side.wait_for_error("is forbidden")
        assert f'open() "{side.folder}/html/nothing-at-all" failed (2: No such file or directory)' in said
        assert f'directory index of "{side.folder}/html/bare/" is forbidden' in said
        side.get("/quiet/nothing")
        side.get("/last-one")
        assert "/quiet/" not in side.wait_for_error("last-one")
