"""Scripts of nginx.conf (rewrite, set, if, return, break): nginx and Portico say the same. YAML's side of it is in test_script.py."""
import subprocess

import pytest

from harness.portico import BINARY

SAY = 'return 200 "$uri|$args|$request_uri|$1|$2";'

# What stands in the server -> targets that are asked for.
SERVERS = {
    "return": ('''
        location /text { return 200 "text $uri\\n"; }
        location /empty { return 200; }
        location /none { return 204; }
        location /status { return 404; }
        location /words { return 404 "words"; }
        location /moved { return 301 /elsewhere?a=$arg_a; }
        location /there { return 302 http://other.example/x; }
        location /short { return https://other.example$request_uri; }
        location /see { return 307 $arg_to; }
        location /teapot { return 418 "tea"; }
        location / { return 403; }''',
               ["/text", "/text/b%20c", "/empty", "/none", "/status", "/words", "/moved?a=1", "/there", "/short?q", "/see?to=/x", "/teapot", "/"]),
    "rewrite": (f'''
        rewrite ^/server/(.*)$ /inner/$1;
        rewrite ^/old(.*)$ /new$1 permanent;
        rewrite ^/temp(.*)$ /new$1? redirect;
        rewrite ^/abs(.*)$ http://other.example$1;
        location / {{ {SAY} }}
        location /inner {{ rewrite ^/inner/(\\w+)/(.*)$ /out/$2?first=$1 last; {SAY} }}
        location /drop {{ rewrite ^/drop(.*)$ /out$1? last; }}
        location /keep {{ rewrite ^/keep(.*)$ /other$1 break; {SAY} }}
        location /on {{ rewrite ^/on/(.*)$ /on2/$1; rewrite ^/on2/(.)(.*)$ /out/$2/$1; }}
        location /cycle {{ rewrite ^ /cycle; }}
        location /empty {{ rewrite ^/empty(.*)$ $1 last; }}
        location /out {{ {SAY} }}''',
                ["/server/a/b?x=1", "/server/", "/old/x?y=1", "/old/x%20y?z=%20", "/temp/x?y=1", "/abs/p?q=1", "/inner/a/b?c=d", "/drop/x?y=1",
                 "/keep/a", "/on/xyz?k", "/cycle", "/empty", "/empty/x", "/inner/a%26b/c%3Fd?e", "/inner/a/b+c", "/old/a%2Bb+c"]),
    "set": ('''
        set $a server; set $b "$a-$arg_x";
        location / { return 200 "$a|$b|$c"; }
        location /over { set $a location; set $c $b$a; return 200 "$a|$b|$c"; }
        location ~ ^/re/(.*)$ { set $c $1; return 200 "$c|$1"; }
        location /args { set $args "new=1"; return 200 "$args|$query_string|$is_args|$arg_new|$request_uri"; }
        location /noargs { set $args ""; return 200 "$args|$is_args|"; }''',
            ["/", "/?x=1", "/over?x=%20y", "/re/a%20b%26c", "/re/plain", "/args?old=1", "/noargs?old"]),
    "if": ('''
        if ($http_x_refuse) { return 403; }
        if ($request_method = DELETE) { return 405; }
        if ($arg_name ~* "^(?<first>a.*)$") { set $named $first; }
        location / { return 200 "plain $named|$1"; }
        location /add { add_header X-Outer o; if ($arg_in) { add_header X-Inner i; } return 200 "end"; }
        location /answer { add_header X-Outer o; if ($arg_in = "yes") { add_header X-Inner i; return 204; } return 200 "out"; }
        location /two { if ($arg_a) { set $r "${r}a"; } if ($arg_b) { set $r "${r}b"; add_header X-B b; } return 200 "r=$r"; }
        location /not { if ($arg_a != 1) { return 200 "not one"; } return 200 "one"; }
        location /nomatch { if ($uri !~ "/x$") { return 200 "no x: $uri"; } return 200 "x"; }
        location /zero { if ($arg_a) { return 200 "true"; } return 200 "false"; }
        location /file { if (-f @folder@/there) { return 200 "file"; } return 200 "no file"; }
        location /nofile { if (!-e @folder@/$arg_f) { return 200 "none"; } return 200 "some"; }
        location /dir { if (-d @folder@) { return 200 "dir"; } return 200 "no dir"; }
        location /rewrite { if ($arg_go) { rewrite ^ /?came last; } return 200 "stayed"; }
        location /break { set $x 1; if ($arg_b) { set $x 2; break; } set $x 3; return 200 "x=$x"; }''',
           ["/", "/?name=Abc", "/add", "/add?in=1", "/answer", "/answer?in=yes", "/two?a=1", "/two?b=1", "/two?a=1&b=1", "/not?a=1", "/not",
            "/nomatch/x", "/nomatch/y", "/zero?a=0", "/zero?a=00", "/zero?a=", "/file", "/nofile?f=there", "/nofile?f=gone", "/dir",
            "/rewrite", "/rewrite?go=1"]),
}


def alike(pair, method="GET", target="/", fields=()):
    """Both say the same; nginx's own pages name nginx, so of those the status and the other fields count."""
    theirs = pair.nginx.request(method, target, fields)
    page = b"<center>nginx" in theirs.body
    return pair.same(method, target, fields, ignoring=("body", "content-length") if page else ())


@pytest.mark.parametrize("name", SERVERS)
def test_scripts_do_what_nginx_does(nginx_pair, name):
    text, targets = SERVERS[name]
    pair = nginx_pair("server { listen 127.0.0.1:@port@; server_name localhost;" + text + "}", files={"there": "x"})
    found = []
    for target in targets:
        try:
            alike(pair, target=target)
        except AssertionError as difference:
            found.append(str(difference))
    assert not found, "\n".join(found)


def test_conditions_of_a_server_look_at_the_request(nginx_pair):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; server_name localhost;" + SERVERS["if"][0] + "}")
    for method, fields, status in [("DELETE", [], 405), ("GET", [("X-Refuse", "1")], 403), ("GET", [("X-Refuse", "0")], 200), ("POST", [], 200)]:
        assert alike(pair, method, "/", fields).status == status


def test_444_closes_the_connection_without_an_answer(nginx_pair):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; location / { return 444; } }")
    for side in (pair.nginx, pair.portico):
        client = side.client()
        client.send_request()
        client.assert_closed()


@pytest.mark.parametrize("text, words", [
    ("return 1000;", 'invalid return code "1000"'),
    ("return text;", 'invalid return code "text"'),
    ('rewrite ^ "";', "empty replacement"),
    ("rewrite ^ / lats;", 'invalid parameter "lats"'),
    ("set a b;", 'invalid variable name "a"'),
    ("set $host b;", "'host' is built in"),
    ("if ($a) { }", "unknown variable 'a'"),
    ("if (a) { }", 'invalid condition "(a)"'),
    ("if ($uri like x) { }", 'unexpected "like" in condition'),
    ("rewrite ^( /;", "is no regular expression"),
])
def test_mistakes_are_found_when_the_configuration_is_tested(tmp_path, text, words):
    conf = tmp_path / "nginx.conf"
    conf.write_text("events { } http { server { listen 127.0.0.1:1; location / { " + text + " } } }")
    done = subprocess.run([BINARY, "nginx", "-t", "-p", f"{tmp_path}/", "-c", conf, "-e", tmp_path / "e"], capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr
