"""`portico explain` under an nginx.conf: which location won, over which, and where both are written."""
import json

import pytest

CONF = """\
events { }
http {
    server {
        listen 8080;
        server_name a.example;
        location = / { return 204; }
        location / { return 204; }
        location /documents/ { return 204; }
        location ^~ /images/ { return 204; }
        location ~* \\.(gif|jpg)$ { return 204; }
        location /go/ { rewrite ^/go/(.*)$ /documents/$1 last; }
        location /if { if ($arg_a) { return 403; } return 204; }
        location /up/ { proxy_pass http://127.0.0.1:9001/x/; }
    }
    server {
        listen 8080;
        server_name b.example;
        rewrite ^/old$ /new;
        location = /new { return 204; }
    }
}
"""

CASES = [
    ("/", ["location = / (nginx.conf:6:20): it is the path exactly"]),
    ("/index.html", ["location / (nginx.conf:7:18): the longest prefix, and no regex matches"]),
    ("/documents/a.html", ["location /documents/ (nginx.conf:8:18): the longest prefix, and no regex matches"]),
    ("/images/1.gif", ["location ^~ /images/ (nginx.conf:9:21) won over the regex on line 10"]),
    ("/images/1.txt", ["location ^~ /images/ (nginx.conf:9:21): the longest prefix, and no regex is asked"]),
    ("/documents/1.jpg", ["location ~* \\.(gif|jpg)$ (nginx.conf:10:21): the first regex that matches, which won over the prefix on line 8"]),
    ("/go/a.html", ["location /go/ (nginx.conf:11:18): the longest prefix, and no regex matches; it goes on inside",
                    "location /documents/ (nginx.conf:8:18): the longest prefix, and no regex matches, of \"/documents/a.html\""]),
    ("/if?a=1", ["location /if (nginx.conf:12:18): the longest prefix, and no regex matches; it goes on inside",
                 "location if (nginx.conf:12:24)"]),
    ("/up", ["location /up/ (nginx.conf:13:18): the path lacks the slash at its end"]),
]


@pytest.fixture
def explain(run, tmp_path):
    """explain(url, *flags) -> CompletedProcess, the configuration being nginx.conf."""
    (tmp_path / "nginx.conf").write_text(CONF)

    def call(url, *flags):
        return run("explain", "--config", "nginx.conf", *flags, url, cwd=tmp_path)
    return call


def locations(shown):
    """What is said of locations: the lines from "location" to the next label."""
    lines = shown.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("location"))
    said = [lines[first]]
    for line in lines[first + 1:]:
        if not line.startswith(" "):
            break
        said.append(line)
    return [line[12:] for line in said]


@pytest.mark.parametrize("target, said", CASES)
def test_the_location_that_won_is_told(explain, target, said):
    result = explain("http://a.example:8080" + target)
    assert result.returncode == 0 and locations(result.stdout) == said
    assert "site        a.example@file" in result.stdout


def test_slash_is_added_before_anything_else_happens(explain):
    shown = explain("http://a.example:8080/up").stdout
    assert "answer      301 Moved Permanently, to http://a.example:8080/up/" in shown and "middlewares" not in shown


def test_server_that_is_asked_is_shown_with_its_request(explain):
    shown = explain("http://a.example:8080/up/y").stdout
    assert "server      http://127.0.0.1:9001" in shown


def test_entrance_of_a_site_changes_the_path(explain):
    way = json.loads(explain("http://b.example:8080/old", "--json").stdout)
    assert way["site"] == "b.example@file"
    assert [(step["location"], step["uri"]) for step in way["locations"]] == [("", "/old"), ("location = /new", "/new")]
    assert way["answer"]["status"] == 204


def test_unknown_host_is_the_first_site_s(explain):
    assert json.loads(explain("http://c.example:8080/", "--json").stdout)["site"] == "a.example@file"


# What middlewares make of a request

FOLLOWED = """\
events { }
http {
    server {
        listen 8080;
        root @root@;
        error_page 403 404 /errors/page.html;
        location / { try_files $uri $uri/ @app; }
        location @app { proxy_pass http://127.0.0.1:9001; }
        location /spa/ { try_files $uri /index.html; }
        location /strict/ { try_files $uri =404; }
        location /private/ { auth_request /auth; proxy_pass http://127.0.0.1:9001; }
        location = /auth { internal; proxy_pass http://127.0.0.1:9002; }
        location /denied/ { deny all; }
        location /errors/ { internal; }
        location /branch { if ($http_x_one = two) { return 302 /elsewhere; } try_files $uri @app; }
    }
}
"""


@pytest.fixture
def follow(run, tmp_path):
    """follow(target, *flags) -> what is told of the way under FOLLOWED, as JSON and as lines."""
    (tmp_path / "nginx.conf").write_text(FOLLOWED.replace("@root@", str(tmp_path / "html")))
    (tmp_path / "html" / "folder").mkdir(parents=True)
    for name in ("index.html", "there.html"):
        (tmp_path / "html" / name).write_text(name)

    def call(target, *flags):
        words = ["explain", "--config", "nginx.conf", *flags, "http://a:8080" + target]
        return json.loads(run(*words, "--json", cwd=tmp_path).stdout), run(*words, cwd=tmp_path).stdout
    return call


def steps(way):
    return [step["location"].removeprefix("location ") for step in way["locations"]]


def notes(way):
    return [note for step in way["locations"] for note in step["notes"]]


@pytest.mark.parametrize("target, note, ways", [
    ("/there.html", 'tryFiles: the file "/there.html" is there', ["/"]),
    ("/folder/", 'tryFiles: the folder "/folder/" is there', ["/"]),
    ("/nowhere", 'tryFiles: "/nowhere", "/nowhere/" are not there: on to @app', ["/", "@app"]),
    ("/spa/deep", 'tryFiles: "/spa/deep" is not there: on to /index.html', ["/spa/", "/"]),
])
def test_files_that_are_tried_are_looked_for(follow, target, note, ways):
    way, shown = follow(target)
    assert notes(way)[0] == note and steps(way) == ways and note in shown


def test_the_page_of_an_error_is_followed(follow):
    for target, first in (("/strict/x", "/strict/"), ("/denied/x", "/denied/")):
        way, shown = follow(target)
        assert steps(way) == [first, "/errors/"], shown
        assert notes(way)[-1] == f"errorPages: {404 if first == '/strict/' else 403} is told by /errors/page.html"


def test_a_subrequest_is_named_with_its_location(follow):
    way, shown = follow("/private/x")
    assert notes(way) == ['authRequest: a subrequest decides, "/auth" of location = /auth: taken to let the request pass']
    assert way["server"] == "http://127.0.0.1:9001" and notes(way)[0] in shown


def test_conditions_go_by_the_request(follow):
    way, _ = follow("/branch", "-H", "X-One: two")
    assert way["answer"]["status"] == 302 and way["answer"]["location"].endswith("/elsewhere")
    way, _ = follow("/branch")
    assert steps(way) == ["/branch", "@app"]


def test_rules_tell_of_files_as_well(run, tmp_path):
    (tmp_path / "there").write_text("there")
    (tmp_path / "portico.yaml").write_text(f"""
entryPoints: {{web: {{address: ":8080"}}}}
http:
  routers: {{app: {{rule: "PathPrefix(`/`)", middlewares: [try], service: app}}}}
  middlewares: {{try: {{tryFiles: {{root: {tmp_path}, files: ["${{uri}}"], fallback: "/index.html"}}}}}}
  services: {{app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:9001"}}]}}}}}}
""")
    way = json.loads(run("explain", "--config", "portico.yaml", "--json", "http://a:8080/there", cwd=tmp_path).stdout)
    assert way["notes"] == ['tryFiles: the file "/there" is there'] and way["url"].endswith("/there")
    way = json.loads(run("explain", "--config", "portico.yaml", "--json", "http://a:8080/nowhere", cwd=tmp_path).stdout)
    assert way["notes"] == ['tryFiles: "/nowhere" is not there: on to /index.html'] and way["url"].endswith("/index.html")
