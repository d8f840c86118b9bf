"""Files of sites-available as they are found in the field, unchanged, on their own ports and paths."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.certificates import Authority
from harness.portico import _ENVIRONMENT, BINARY

FILES = Path(__file__).parent / "peers/nginx"
APART = Path(__file__).parent / "peers/apart.py"


@pytest.fixture
def ask(tmp_path):
    """ask(file, *urls): what Portico answers by that file, in name spaces of its own."""
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("name spaces of one's own are not to be had here")
    (tmp_path / "layers").mkdir()
    static = tmp_path / "www/myapp/static"
    static.mkdir(parents=True)
    (static / "app.css").write_text("body {}\n")
    authority = Authority(tmp_path / "authority")
    for name in ("example.com", "api.example.com"):
        folder = tmp_path / "letsencrypt/live" / name
        folder.mkdir(parents=True)
        pair = authority.issue(name)
        (folder / "fullchain.pem").write_bytes(Path(pair.cert).read_bytes())
        (folder / "privkey.pem").write_bytes(Path(pair.key).read_bytes())

    def call(name, *urls):
        result = subprocess.run(["unshare", "--mount", "--net", sys.executable, APART, BINARY, tmp_path, FILES / name, *urls],
                                capture_output=True, text=True, timeout=120, env={**os.environ, **_ENVIRONMENT})
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]
    return call


def all_of(answer, name):
    return [value for key, value in answer["fields"] if key.lower() == name.lower()]


def test_health(ask):
    answers = ask("health.conf", "http://a/x", "http://a/y", "http://a/z")
    assert {json.loads(answer["body"])["port"] for answer in answers} == {8000, 8001}


def test_application_with_redirect_headers_and_files(ask):
    redirect, api, static = ask("myapp.conf", "http://api.example.com/a?b", "https://api.example.com/api/x",
                                "https://api.example.com/static/app.css")
    assert redirect["status"] == 301 and all_of(redirect, "Location") == ["https://api.example.com/a"]
    seen = {name.lower(): value for name, value in json.loads(api["body"])["headers"].items()}
    assert (seen["host"], seen["x-real-ip"], seen["x-forwarded-for"], seen["x-forwarded-proto"]) == (
        "api.example.com", "127.0.0.1", "127.0.0.1", "https")
    assert all_of(api, "X-Frame-Options") == ["DENY"]
    assert static["body"] == "body {}\n" and all_of(static, "Cache-Control") == ["max-age=2592000", "public, immutable"]
    assert not all_of(static, "X-Frame-Options")


def test_rate_limit(ask):
    answers = ask("ratelimit.conf", *["http://a/api/x"] * 40)
    statuses = [answer["status"] for answer in answers]
    assert statuses[:21] == [200] * 21 and set(statuses) <= {200, 429}


def test_services_by_path(ask):
    auth, predict, other = ask("services.conf", "https://example.com/auth/login", "https://example.com/predict/", "https://example.com/page")
    assert [(json.loads(answer["body"])["port"], json.loads(answer["body"])["path"]) for answer in (auth, predict, other)] == [
        (9001, "/login"), (9002, "/"), (3000, "/page")]


def test_websocket_file(ask):
    plain, = ask("websocket.conf", "http://a/ws/x")
    assert json.loads(plain["body"])["headers"]["Connection"] == "upgrade"
