"""`portico convert`: nginx.conf as YAML, which means the same."""
import json

import pytest

CONF = r"""
# The whole of it.
worker_processes 2;    # two will do
events { worker_connections 1024; }
http {
    # Who answers.
    upstream app {
        server 127.0.0.1:9001 weight=2;
        server 127.0.0.1:9002;
    }
    map $http_x_kind $kind { default none; a letter; ~^\d+$ number; }

    server {    # the site
        listen 8080 default_server;
        server_name example.com *.example.org;
        add_header X-Odd "a: b # c";
        rewrite ^/old/(.*)$ /new/$1;
        # Pictures.
        location ^~ /images/ { return 200 "images\n"; }
        location ~* \.(gif|jpg)$ { return 200 "regex: $1"; }
        location = / { return 301 https://$host$request_uri; }
        location /app/ {
            proxy_pass http://app/api/;
            proxy_set_header X-Kind $kind;
        }
        location /secret { if ($arg_key != "open sesame") { return 403; } return 204; }
        # nothing behind this
    }
    server {
        listen 8080;
        server_name ~^(?<user>\w+)\.users\.example$;
        return 200 $user;
    }
}
"""

URLS = ["http://example.com:8080/", "http://example.com:8080/images/a.gif", "http://example.com:8080/b.gif", "http://a.example.org:8080/old/c",
        "http://example.com:8080/app/users?x=y", "http://example.com:8080/app", "http://example.com:8080/secret",
        "http://example.com:8080/secret?key=x", "http://x.users.example:8080/", "http://unknown.example:8080/nothing"]


@pytest.fixture
def convert(run, tmp_path):
    """convert(text, name) -> CompletedProcess."""
    def call(text, name="nginx.conf", *flags):
        (tmp_path / name).write_text(text)
        return run("convert", *flags, tmp_path / name)
    return call


def without_places(value):
    """What `explain --json` says but for where it is written."""
    if isinstance(value, dict):
        return {key: without_places(item) for key, item in value.items() if key not in ("place", "why")}
    return [without_places(item) for item in value] if isinstance(value, list) else value


def test_both_files_send_requests_the_same_way(convert, run, tmp_path):
    converted = convert(CONF)
    assert converted.returncode == 0, converted.stderr
    (tmp_path / "portico.yaml").write_text(converted.stdout)
    checked = run("check", tmp_path / "portico.yaml")
    assert checked.returncode == 0 and checked.stderr == "" and ": good: " in checked.stdout
    ways = set()
    for url in URLS:
        of = [json.loads(run("explain", "--json", "--config", tmp_path / name, url).stdout) for name in ("nginx.conf", "portico.yaml")]
        assert without_places(of[0]) == without_places(of[1])
        ways.add(json.dumps(without_places(of[0]["locations"])))
    assert len(ways) >= 8


def test_comments_stay_where_they_belong(convert):
    lines = convert(CONF).stdout.splitlines()

    def below(comment):
        return next(line.strip() for line in lines[lines.index(comment) + 1:] if not line.strip().startswith("#"))

    indented = {line.strip(): line for line in lines if line.strip().startswith("#")}
    assert set(indented) == {"# The whole of it.", "# two will do", "# Who answers.", "# the site", "# Pictures.", "# nothing behind this"}
    assert below(indented["# two will do"]) == "workers: 2"
    assert below(indented["# the site"]) == "example.com:"
    assert below(indented["# Pictures."]) == "example.com ^~/images/:"


def test_yaml_comes_out_as_itself(convert, run, tmp_path):
    once = convert(CONF).stdout
    again = convert(once, "portico.yaml")
    assert again.returncode == 0
    assert [line for line in once.splitlines() if not line.strip().startswith("#")] == again.stdout.splitlines()


def test_file_with_mistakes_is_not_converted(convert):
    result = convert("events { }\nhttp { server { lisen 80; } }\n")
    assert result.returncode == 1 and result.stdout == "" and 'unknown directive "lisen"' in result.stderr


@pytest.mark.parametrize("words", [(), ("a", "b")])
def test_one_file_at_a_time(run, words):
    result = run("convert", *words)
    assert result.returncode == 2 and "usage: portico convert" in result.stderr
