"""allow, deny, satisfy, limit_except, auth_basic, auth_request, real_ip, mirror and valid_referers of nginx.conf, beside nginx itself
where both can say something."""
import time

import pytest

from harness.http1 import response_bytes
from harness.waiting import wait_for

PASSWORDS = "anna:{PLAIN}secret\n# nobody:{PLAIN}x\nbert:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0:a comment\ncarl:abNANd1rDfiNc\n"
ANNA = ("Authorization", "Basic YW5uYTpzZWNyZXQ=")
BERT = ("Authorization", "Basic YmVydDpzZWNyZXQ=")
CARL = ("Authorization", "Basic Y2FybDpzZWNyZXQ=")
WRONG = ("Authorization", "Basic YW5uYTp3cm9uZw==")
NOBODY = ("Authorization", "Basic bm9ib2R5Ong=")
BROKEN = ("Authorization", "Basic ???")
# pages of error_page differ by the product's name alone
BODY = ("body", "content-length")


def server(inside, before=""):
    return before + "server { listen 127.0.0.1:@port@; " + inside + " }"


# Addresses and satisfy

@pytest.mark.parametrize("rules, status", [
    ("deny all;", 403), ("allow 127.0.0.1; deny all;", 404), ("deny 127.0.0.0/8; allow all;", 403), ("allow 10.0.0.0/8; deny all;", 403),
    ("deny 10.0.0.0/8;", 404), ("allow unix:; deny all;", 403), ("deny unix:;", 404), ("allow ::1; deny 127.0.0.1;", 403)])
def test_addresses(nginx_pair, rules, status):
    pair = nginx_pair(server(f"location / {{ {rules} }}"))
    assert pair.same(target="/x", ignoring=BODY).status == status
    if status == 403:
        assert "access forbidden by rule, client: 127.0.0.1" in pair.portico.wait_for_error("forbidden")


def test_rules_of_a_level_replace_those_outside(nginx_pair):
    pair = nginx_pair("deny all; " + server("location / { } location /open { allow all; } location /open/deep { } "
                                            "location /inner { allow 127.0.0.1; location /inner/none { deny all; } }"))
    statuses = [pair.same(target=target, ignoring=BODY).status for target in ("/", "/open", "/open/deep", "/inner/x", "/inner/none")]
    assert statuses == [403, 404, 403, 404, 403]


SATISFY = server("""
    location /any/ { satisfy any; deny all; auth_basic here; auth_basic_user_file @folder@/users; }
    location /any-allowed/ { satisfy any; allow all; auth_basic here; auth_basic_user_file @folder@/users; }
    location /any-silent/ { satisfy any; allow 10.0.0.1; auth_basic here; auth_basic_user_file @folder@/users; }
    location /any-asked/ { satisfy any; deny all; auth_request /auth; }
    location /all/ { satisfy all; allow all; auth_basic here; auth_basic_user_file @folder@/users; }
    location /all-denied/ { satisfy all; deny all; auth_basic here; auth_basic_user_file @folder@/users; }
    location /three/ { satisfy any; deny all; auth_basic here; auth_basic_user_file @folder@/users; auth_request /auth; }
    location = /auth { if ($arg_status) { return 403; } return 204; }
""")


@pytest.mark.parametrize("target", ["/any/", "/any-allowed/", "/any-silent/", "/any-asked/", "/all/", "/all-denied/", "/three/"])
@pytest.mark.parametrize("fields", [(), (ANNA,), (WRONG,)])
def test_satisfy(nginx_pair, target, fields):
    pair = nginx_pair(SATISFY, files={"users": PASSWORDS})
    pair.same(target=target, fields=fields, ignoring=BODY)


def test_limit_except(nginx_pair):
    pair = nginx_pair(server("""location / { limit_except GET { deny all; } }
        location /open { deny all; limit_except POST { allow all; } }
        location /known { limit_except GET POST { auth_basic known; auth_basic_user_file @folder@/users; } }"""), files={"users": PASSWORDS})
    for target in ("/", "/open", "/known"):
        for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
            pair.same(method, target, ignoring=(*BODY, "allow"))     # of a 405, where nginx leaves it out
    assert pair.same("DELETE", "/known/x", [ANNA], ignoring=(*BODY, "allow")).status == 405


# Passwords

def test_passwords(nginx_pair):
    pair = nginx_pair(server("""auth_basic "the realm"; auth_basic_user_file users; location / { } location /off { auth_basic off; }
        location /file { auth_basic_user_file $arg_f; } location /realm { auth_basic $arg_r; }
        location /none { auth_basic_user_file missing; }"""), files={"users": PASSWORDS})
    for fields, status in (((), 401), ((ANNA,), 404), ((BERT,), 404), ((CARL,), 404), ((WRONG,), 401), ((NOBODY,), 401), ((BROKEN,), 401)):
        assert pair.same(target="/x", fields=fields, ignoring=BODY).status == status
    for target, status in (("/off", 404), ("/file?f=users", 404), ("/file?f=nx", 403), ("/file", 500), ("/realm?r=off", 404),
                           ("/realm?r=x", 404), ("/none", 403)):
        assert pair.same(target=target, fields=[ANNA], ignoring=BODY).status == status
    assert pair.same(target="/realm?r=mine", ignoring=BODY).get("WWW-Authenticate") == 'Basic realm="mine"'
    assert pair.same(target="/realm?r=off", ignoring=BODY).status == 404
    log = pair.portico.wait_for_error("was not found")
    assert 'user "anna": password mismatch, client: 127.0.0.1' in log and 'user "nobody" was not found in "' in log


def test_a_changed_file_of_users_holds_at_once(nginx_pair):
    pair = nginx_pair(server("auth_basic here; auth_basic_user_file users;"), files={"users": PASSWORDS})
    assert pair.same(fields=[ANNA], target="/x", ignoring=BODY).status == 404
    for side in (pair.nginx, pair.portico):
        side.write("users", "anna:{PLAIN}another\n")
    assert pair.same(fields=[ANNA], target="/x", ignoring=BODY).status == 401


def test_a_401_is_held_back(portico_nginx):
    proxy = portico_nginx(server("auth_delay 1s; auth_basic here; auth_basic_user_file users;"), files={"users": PASSWORDS})
    began = time.monotonic()
    assert proxy.get(fields=[WRONG]).status == 401
    assert time.monotonic() - began >= 1


# Questions

QUESTIONS = server("""
    location / { auth_request /auth; auth_request_set $who $upstream_http_x_who; add_header X-Who "[$who]" always; proxy_pass http://127.0.0.1:@back@; }
    location = /auth { internal; proxy_pass http://127.0.0.1:@back@/ask; proxy_pass_request_body off; proxy_set_header Content-Length "";
                       proxy_set_header X-Original $request_uri; }
    location /named { auth_request /auth; error_page 403 = @refused; }
    location @refused { return 418 "refused"; }
    location /none { auth_request /nowhere; }
    location = /nowhere { return 404; }
    location /shared { auth_request /setter; return 200; }
    location = /setter { set $mine "set in it: $request_method $request_uri"; return 204; }
    location /seen { auth_request /setter; proxy_pass http://127.0.0.1:@back@; proxy_set_header X-Mine $mine; }
""") + """server { listen 127.0.0.1:@back@; add_header X-Who $http_cookie always;
    location / { return 200 "$request_method $request_uri $http_x_mine"; }
    location /ask { add_header WWW-Authenticate one always; add_header X-Who $http_cookie always;
                    if ($http_x_original ~ 401) { return 401; } if ($http_x_original ~ 403) { return 403; } return 204; } }"""


@pytest.mark.parametrize("method, target", [
    ("GET", "/x"), ("POST", "/x"), ("GET", "/401"), ("GET", "/403"), ("POST", "/401"), ("GET", "/named/403"), ("GET", "/none"),
    ("GET", "/auth"), ("GET", "/seen?a=b"), ("HEAD", "/x")])
def test_questions(nginx_pair, method, target):
    pair = nginx_pair(QUESTIONS)
    pair.same(method, target, [("Cookie", "anna")], b"body" if method == "POST" else b"",
              ignoring=BODY if "40" in target or target in ("/none", "/auth") else ())


# Addresses that trusted peers tell

# the connection's own port is each one's own
REAL_IP = 'map $remote_port $port { default $remote_port; "~^.{5}$" its-own; }' + server("""
    add_header X-Address "$remote_addr:$port $realip_remote_addr" always; set_real_ip_from 127.0.0.1;
    set_real_ip_from 10.0.0.0/8;
    location / { return 200; } location /list { real_ip_header X-Forwarded-For; }
    location /deep { real_ip_header X-Forwarded-For; real_ip_recursive on; } location /mine { real_ip_header X-Mine; }
    location /others { set_real_ip_from 192.168.0.0/16; } location /guarded { allow 1.2.3.4; deny all; }""")


@pytest.mark.parametrize("target", ["/", "/list", "/deep", "/mine", "/others", "/guarded"])
@pytest.mark.parametrize("fields", [
    [], [("X-Real-IP", "1.2.3.4:5")], [("X-Real-IP", "nonsense")], [("X-Mine", "9.9.9.9:1")], [("X-Forwarded-For", "1.2.3.4:9, 5.6.7.8:1")],
    [("X-Forwarded-For", "1.2.3.4:9, 10.0.0.1:1")], [("X-Forwarded-For", "1.2.3.4:9"), ("X-Forwarded-For", "10.0.0.1:2")],
    [("X-Forwarded-For", "[2001:db8::1]:7")], [("X-Forwarded-For", "what, 10.0.0.1:3")]])
def test_addresses_that_are_told(nginx_pair, target, fields):
    pair = nginx_pair(REAL_IP)
    answer = pair.same(target=target, fields=fields, ignoring=BODY)
    assert answer.status in (200, 403, 404)


# Copies

def test_copies(nginx_pair):
    pair = nginx_pair("log_format copy '$uri $args $request_method $status';" + server("""
        location / { mirror /copy/1; mirror /copy/2; proxy_pass http://127.0.0.1:@back@; }
        location /off { mirror off; return 200; }
        location /quiet { mirror /silent; proxy_pass http://127.0.0.1:@back@; mirror_request_body off; }
        location /copy { internal; log_subrequest on; access_log @folder@/copies.log copy; proxy_pass http://127.0.0.1:@back@; }
        location /silent { internal; log_subrequest on; access_log @folder@/silent.log copy; return 204; }
        """) + "server { listen 127.0.0.1:@back@; access_log off; location / { return 200; } }")
    pair.same("POST", "/x?q=1", body=b"abc")
    pair.same("POST", "/off", body=b"abc")
    pair.same("GET", "/quiet?z")
    for name, count in (("copies.log", 2), ("silent.log", 1)):
        assert sorted(pair.portico.access_log(count, name)) == sorted(pair.nginx.access_log(count, name))


def test_a_copy_that_hangs_holds_up_nobody(portico_nginx, raw_server, backend):
    from harness import backend as act
    held, fine = raw_server([act.head, act.until_end]), backend(lambda request: response_bytes(body=b"fine"))
    proxy = portico_nginx(server(f"""location / {{ mirror /copy; proxy_pass {fine.url}; }}
        location /copy {{ internal; proxy_pass {held.url}; }}"""))
    client = proxy.client()
    for _ in range(3):
        assert client.request("GET", "/").body == b"fine"
    wait_for("the copies", lambda: len(held.played) == 3)
    held.close_connections()


# Links from other sites

REFERERS = server("""server_name here.example ~^re[0-9]\\.example$; if ($arg_server) { return 200 "[$invalid_referer]"; }
    valid_referers none server_names *.wide.example; location / { return 200 "[$invalid_referer]"; }
    location /blocked { valid_referers blocked good.example/path; return 200 "[$invalid_referer]"; }
    location /expression { valid_referers ~\\.org/x; return 200 "[$invalid_referer]"; }""")


def test_links_from_other_sites(nginx_pair):
    pair = nginx_pair(REFERERS)
    values = [None, "", "http://here.example/", "https://HERE.example:80/x", "http://re1.example/", "http://rex.example/", "http://a.wide.example",
              "http://wide.example", "good.example", "http://good.example/path/x", "http://good.example/other", "http://a.org/x", "http://a.org/",
              "http://" + "a" * 300 + ".org/x", "http://a"]
    for value in values:
        for target in ("/", "/?server=1", "/blocked", "/expression"):
            pair.same(target=target, fields=[("Referer", value)] if value is not None else [])
