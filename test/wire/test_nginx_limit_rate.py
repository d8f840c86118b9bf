"""$limit_rate: what it says, who may set it, and where it holds; as nginx has it, read from its access log."""
import pytest

from harness.http1 import response_bytes

SERVER = """
    log_format rate '$uri $limit_rate';
    limit_rate_after 1m;
    server {
        listen 127.0.0.1:@port@;
        access_log @folder@/rates rate;
        location /none { return 200 "$limit_rate"; }
        location /slow { limit_rate 5k; try_files /x =404; }
        location /zero { limit_rate 0; try_files /x =404; }
        location /set { limit_rate 5k; set $limit_rate 4k; return 200 "$limit_rate"; }
        location /unset { limit_rate 5k; set $limit_rate 0; try_files /x =404; }
        location /bad { limit_rate 5k; set $limit_rate much; try_files /x =404; }
        location /argument { limit_rate $arg_rate; limit_rate_after $arg_after; try_files /x =404; }
        location /rewritten { limit_rate 5k; rewrite ^ /none last; }
        location /tried { limit_rate 5k; try_files /missing /none; }
        location /page { limit_rate 5k; error_page 404 = /other; try_files /missing =404; }
        location /other { limit_rate 7k; try_files /x =404; }
        location /set-and-on { set $limit_rate 3k; rewrite ^ /slow last; }
        location /behind { limit_rate 6k; proxy_pass http://127.0.0.1:@behind@; }
        location /deaf { limit_rate 6k; proxy_ignore_headers X-Accel-Limit-Rate; proxy_pass http://127.0.0.1:@behind@/behind; }
        location /inside/ { internal; limit_rate 8k; try_files /x =404; }
        location /plain/ { internal; try_files /x =404; }
        location /if { limit_rate 5k; if ($arg_fast) { set $limit_rate 9k; } try_files /x =404; }
    }
"""


@pytest.mark.parametrize("target, rate", [
    ("/none", "0"), ("/slow", "5120"), ("/zero", "0"), ("/set", "4096"), ("/unset", "0"), ("/bad", "5120"), ("/argument?rate=2k", "2048"),
    ("/argument", "0"), ("/argument?rate=", "0"), ("/argument?rate=x", "0"), ("/argument?after=1k", "0"), ("/rewritten", "0"), ("/tried", "0"),
    ("/page", "7168"), ("/set-and-on", "3072"), ("/behind", "6144"), ("/behind?rate=13000", "13000"), ("/behind?rate=0", "0"), ("/behind?rate=off", "6144"),
    ("/behind?rate=13k", "6144"), ("/behind?rate=x", "6144"), ("/deaf?rate=13000", "6144"), ("/behind?to=/inside/", "8192"),
    ("/behind?to=/inside/&rate=100", "100"), ("/behind?to=/plain/", "0"), ("/behind?to=/inside/&rate=off", "8192"), ("/if", "5120"), ("/if?fast=1", "9216")])
def test_limit_rate_is_said_alike(nginx_pair, backend, target, rate):
    def answer(request):
        asked = dict(pair.split("=") for pair in request.target.partition("?")[2].split("&") if pair)
        fields = [(name, asked[key]) for key, name in (("rate", "X-Accel-Limit-Rate"), ("to", "X-Accel-Redirect")) if key in asked]
        return response_bytes(200, [("Content-Type", "text/plain"), *fields], b"body")
    pair = nginx_pair(SERVER, files={"html/x": "file"}, ports={"behind": backend(answer).port})
    for like in (pair.nginx, pair.portico):
        response = like.get(target)
        assert like.access_log(1, "rates")[0].split()[1] == rate, (like.name, response.status)
    if target in ("/none", "/set"):
        assert pair.same(target=target, ignoring=("last-modified", "etag")).status == 200
