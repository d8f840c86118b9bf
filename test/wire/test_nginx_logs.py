"""Named access and error logs: nginx's access_log, log_format, error_log, and the same written in YAML."""
import gzip
import json
import re
import signal
import socket

from harness.waiting import PATIENCE, wait_for

FORMATS = """
log_format plain '$request_method $uri $args $http_x_user $status $body_bytes_sent';
log_format json escape=json '{"user":"$http_x_user","uri":"$uri"}';
log_format none escape=none '[$http_x_user]';
log_format sizes '$status $bytes_sent $body_bytes_sent $request_length';
log_format connection '$connection_requests $pipe $request_completion';
log_format where '$remote_addr $server_addr $server_port $server_protocol $request';
"""


def lines_of(like, name, count=1):
    return like.access_log(count, name)


def compare(pair, name, count=1):
    """The same lines on both sides, but for what is each one's own; Portico's."""
    ours = [pair.portico.neutral(line) for line in lines_of(pair.portico, name, count)]
    theirs = [pair.nginx.neutral(line) for line in lines_of(pair.nginx, name, count)]
    assert ours == theirs
    return ours


def test_formats_are_nginx_s_to_the_letter(nginx_pair):
    pair = nginx_pair(FORMATS + """server {
        listen 127.0.0.1:@port@;
        access_log @folder@/plain.log plain;
        access_log @folder@/json.log json;
        access_log @folder@/none.log none;
        access_log @folder@/where.log where;
        location / { return 200 "hello"; }
    }""")
    wanted = [("/a?b=c", 'quote " backslash \\ end'), ("/%22%20%C3%A9", ""), ("/x", "tab\there"), ("/y?", "-")]
    for target, user in wanted:
        pair.same(target=target, fields=[("X-User", user)] if user else [])
    for name in ("plain.log", "json.log", "none.log", "where.log"):
        compare(pair, name, len(wanted))


def test_combined_is_the_default(nginx_pair):
    pair = nginx_pair("server { listen 127.0.0.1:@port@; return 404; }")
    for like in (pair.portico, pair.nginx):
        like.get("/a", fields=[("User-Agent", "me \"x\""), ("Referer", "http://r/")])
        like.request("HEAD", "/b")
    ours, theirs = ([re.sub(r"\[.*?\]", "[time]", line) for line in like.access_log(2)] for like in (pair.portico, pair.nginx))
    for one, other in zip(ours, theirs):
        # The pages say who made them, so their length differs.
        assert re.sub(r" 404 \d+ ", " 404 N ", one) == re.sub(r" 404 \d+ ", " 404 N ", other)


def test_pipelined_requests_are_told(nginx_pair):
    pair = nginx_pair(FORMATS + "server { listen 127.0.0.1:@port@; access_log @folder@/c.log connection; return 200 x; }")
    for like in (pair.portico, pair.nginx):
        client = like.client()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.response(), client.response()
        client.request()
    compare(pair, "c.log", 3)


def test_condition_and_off(nginx_pair):
    pair = nginx_pair(FORMATS + """server {
        listen 127.0.0.1:@port@;
        access_log @folder@/if.log plain if=$arg_log;
        return 200 x;
    }
    server { listen 127.0.0.1:@silent@; access_log off; return 200 x; }""")
    for target in ("/?log=1", "/?log=0", "/?log=", "/", "/?log=yes"):
        pair.same(target=target)
    pair.same(port="silent")
    assert len(compare(pair, "if.log", 2)) == 2
    assert not (pair.portico.folder / "access.log").exists() or pair.portico.access_log(0) == []


def test_name_of_the_file_may_have_variables(portico_nginx):
    like = portico_nginx(FORMATS + """server {
        listen 127.0.0.1:@port@;
        access_log @folder@/log_$arg_name plain;
        open_log_file_cache max=2 inactive=1h valid=1h min_uses=1;
        return 200 x;
    }""")
    for name in ("a", "b", "a", "c", "a"):
        like.get(f"/?name={name}")
    assert len(lines_of(like, "log_a", 3)) == 3 and len(lines_of(like, "log_b")) == 1


def test_buffered_lines_are_compressed_and_written_by_time(portico_nginx):
    like = portico_nginx(FORMATS + """server {
        listen 127.0.0.1:@port@;
        access_log @folder@/log.gz plain gzip buffer=64k flush=50ms;
        return 200 x;
    }""")
    like.get("/one")
    path = like.folder / "log.gz"
    wait_for("the compressed log", lambda: path.exists() and path.stat().st_size > 0)
    assert gzip.decompress(path.read_bytes()) == b"GET /one - - 200 1\n"


def test_buffered_lines_are_written_at_the_end(portico_nginx):
    like = portico_nginx(FORMATS + """server {
        listen 127.0.0.1:@port@;
        access_log @folder@/log plain buffer=64k;
        return 200 x;
    }""")
    like.get("/one")
    like.get("/two")
    like.stop()
    assert (like.folder / "log").read_text().splitlines() == ["GET /one - - 200 1", "GET /two - - 200 1"]


def test_logs_are_opened_again_on_usr1(portico_nginx):
    like = portico_nginx("server { listen 127.0.0.1:@port@; return 200 x; }")
    like.get("/before")
    like.access_log(1)
    (like.folder / "access.log").rename(like.folder / "access.log.1")
    like.process.signal(signal.SIGUSR1)
    wait_for("the new file", lambda: (like.folder / "access.log").exists())
    like.get("/after")
    assert "/after" in like.access_log(1)[0]
    assert "/before" in (like.folder / "access.log.1").read_text()


class Syslog:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)
        self.port = self.socket.getsockname()[1]

    def message(self):
        return self.socket.recv(65536).decode()


def test_syslog_gets_lines_of_both_kinds(portico_nginx, stack):
    syslog = Syslog()
    stack.callback(syslog.socket.close)
    like = portico_nginx(f"""server {{
        listen 127.0.0.1:@port@;
        root @folder@/html;
        access_log syslog:server=127.0.0.1:{syslog.port},facility=user,tag=web,severity=warn;
        error_log syslog:server=127.0.0.1:{syslog.port},nohostname error;
    }}""")
    like.get("/missing")
    said = {syslog.message(), syslog.message()}
    access = next(message for message in said if message.startswith("<12>"))
    error = next(message for message in said if message.startswith("<187>"))
    assert re.match(r"<12>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ web: 127\.0\.0\.1 - - \[", access), access
    assert re.match(r"<187>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d nginx: \d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] ", error), error


def test_error_log_has_nginx_s_form(nginx_pair):
    pair = nginx_pair("""server {
        listen 127.0.0.1:@port@; server_name site.example;
        location / { proxy_pass http://127.0.0.1:@dead@; }
        location /denied { deny all; }
    }""")
    for like in (pair.portico, pair.nginx):
        like.get("/x?y=z", fields=[("Host", "h.example"), ("Referer", "http://from/")])
        like.get("/denied")
    patterns = [r'connect\(\) failed \(111: Connection refused\) while connecting to upstream, client: 127.0.0.1, server: site.example, '
                r'request: "GET /x\?y=z HTTP/1.1", upstream: "http://127.0.0.1:@dead@/x\?y=z", host: "h.example", referrer: "http://from/"$',
                r'access forbidden by rule, client: 127.0.0.1, server: site.example, request: "GET /denied HTTP/1.1", host: "localhost"$']
    for like in (pair.portico, pair.nginx):
        for pattern in patterns:
            full = r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: \*\d+ " + pattern
            assert wait_for(f"{pattern} of {like.name}", lambda: re.search(full, like.neutral(like.error_log), re.M))


def test_error_logs_have_levels_of_their_own(portico_nginx):
    like = portico_nginx("""server {
        listen 127.0.0.1:@port@;
        location /loud { error_log @folder@/error_loud info; error_log @folder@/error_quiet crit; deny all; }
        location /other { error_log @folder@/error_other; deny all; }
    }""")
    like.get("/loud")
    like.get("/other")
    assert len(lines_of(like, "error_loud")) == 1 and len(lines_of(like, "error_other")) == 1
    assert (like.folder / "error_quiet").read_text() == ""


def test_client_cannot_forge_a_line_of_the_error_log(portico_nginx):
    like = portico_nginx("server { listen 127.0.0.1:@port@; deny all; }")
    like.get("/%0Aforged", fields=[("Referer", "a\tb")])
    assert "forged" in like.wait_for_error("access forbidden") and "\nforged" not in like.error_log
    assert "a\\x09b" in like.error_log


def test_named_logs_in_yaml(portico, tmp_path):
    path = tmp_path / "named.log"
    proxy = portico({"http": {
        "accessLogs": {"short": {"filePath": str(path), "format": '{"u":"${uri}","s":${status}}', "escape": "json", "if": "${arg_log}"}},
        "routers": {"main": {"rule": "PathPrefix(`/`)", "service": "main", "observability": {"accessLogTo": ["short"]}}},
        "services": {"main": {"respond": {"body": "x"}}}}})
    proxy.get("/skipped")
    proxy.get('/told?log=1')
    text = wait_for("a line", lambda: path.exists() and path.read_text())
    assert [json.loads(line) for line in text.splitlines()] == [{"u": "/told", "s": 200}]
    assert len(proxy.access(2)) == 2


def test_unknown_log_is_a_mistake(run, tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text("""
entryPoints: {web: {address: ":1"}}
http:
  routers: {main: {rule: "PathPrefix(`/`)", service: main, observability: {accessLogTo: [nowhere]}}}
  services: {main: {respond: {body: x}}}
""")
    result = run("check", path)
    assert result.returncode == 1 and "unknown access log 'nowhere'" in result.stderr


def test_stub_status_counts(portico_nginx):
    like = portico_nginx("server { listen 127.0.0.1:@port@; access_log off; location /s { stub_status; } location / { return 204; } }")
    like.get("/")
    idle = like.client()
    idle.request()
    slow = like.client().send("GET / HT")
    text = wait_for("the slow head to be counted", lambda: "Reading: 1 " in (text := like.get("/s").text) and text)
    match = re.fullmatch(r"Active connections: (\d+) \nserver accepts handled requests\n (\d+) (\d+) (\d+) \n"
                         r"Reading: (\d+) Writing: (\d+) Waiting: (\d+) \n", text)
    active, accepts, handled, requests, reading, writing, waiting = map(int, match.groups())
    assert (active, reading, writing, waiting) == (3, 1, 1, 1) and accepts == handled >= 4 and requests >= 4
    assert like.request("POST", "/s").status == 405
    slow.close()
