"""limit_req and limit_conn of nginx.conf, beside nginx itself; and zones as YAML says them."""
import contextlib
import signal
import socket
import threading
import time

import pytest

from harness import backend as act
from harness.portico import to
from harness.waiting import wait_for

# pages of refusals differ by the product's name
PAGE = ("body", "content-length")


def server(inside, zones):
    return f"{zones} server {{ listen 127.0.0.1:@port@; {inside} }}"


def at_once(ask, count):
    """The statuses of so many requests at once, sorted, and how long the last of them took."""
    statuses, began = [], time.monotonic()

    def one():
        statuses.append(ask().status)
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses), time.monotonic() - began


SLOW = "limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m; "


@pytest.mark.parametrize("limit, passed", [
    ("zone=slow", 1), ("zone=slow burst=4 nodelay", 5), ("zone=slow burst=20 nodelay", 21), ("zone=slow burst=3 delay=3", 4)])
def test_bursts(nginx_pair, limit, passed):
    pair = nginx_pair(server(f'location /x {{ limit_req {limit}; add_header X-Limit "$limit_req_status" always; }}', SLOW))
    for number in range(passed + 3):
        answer = pair.same(target="/x", ignoring=PAGE)
        assert answer.status == (404 if number < passed else 503)
        assert answer.get("X-Limit") == ("PASSED" if number < passed else "REJECTED")
    assert "limiting requests, excess: " in pair.portico.wait_for_error('by zone "slow", client: 127.0.0.1')


def test_a_burst_is_spread_over_time(portico_nginx):
    proxy = portico_nginx(server("location / { limit_req zone=one burst=4; } location /off { return 200; }",
                                 "limit_req_zone $uri zone=one:1m rate=10r/s; "))
    statuses, took = at_once(lambda: proxy.get("/x"), 7)
    assert statuses == [404] * 5 + [503] * 2 and took >= 0.35
    assert "delaying request, excess: " in proxy.wait_for_error("delaying request")


def test_a_client_that_leaves_while_it_waits_is_forgotten(portico_nginx):
    proxy = portico_nginx(server("location / { limit_req zone=slow burst=5; }", SLOW))
    assert proxy.get("/x").status == 404
    client = proxy.client().send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    proxy.wait_for_error("delaying request")
    client.close()
    assert any(' 499 ' in line for line in proxy.access_log(2))


def test_several_zones_take_all_or_nothing(nginx_pair):
    pair = nginx_pair(server("location / { limit_req zone=a burst=2 nodelay; limit_req zone=b; }",
                             "limit_req_zone $arg_a zone=a:1m rate=1r/m; limit_req_zone $arg_b zone=b:1m rate=1r/m; "))
    for target in ("/x?a=1&b=1", "/x?a=1&b=1", "/x?a=1", "/x?a=1", "/x?a=1", "/x?b=2", "/x?b=2", "/x", "/x", "/x?a=1&b=3"):
        pair.same(target=target, ignoring=PAGE)


def test_a_zone_is_one_for_all_places_and_a_redirect_inside_is_not_counted_twice(nginx_pair):
    pair = nginx_pair(server("""location /one { limit_req zone=slow burst=2 nodelay; } location /two { limit_req zone=slow burst=2 nodelay; limit_req_status 429; }
        location /from { limit_req zone=slow burst=2 nodelay; error_page 404 = /one; }""", SLOW))
    for target, status in (("/one", 404), ("/two", 404), ("/two", 404), ("/one", 503), ("/two", 429)):
        assert pair.same(target=target, ignoring=PAGE).status == status
    other = nginx_pair(server("""location /to { limit_req zone=slow; } location /from { limit_req zone=slow; error_page 404 = /to; }""", SLOW))
    assert other.same(target="/from", ignoring=PAGE).status == 404
    assert other.same(target="/to", ignoring=PAGE).status == 503


def test_dry_runs(nginx_pair):
    pair = nginx_pair(server("""limit_req_dry_run on; limit_conn_dry_run on; add_header X-Limit "$limit_req_status $limit_conn_status" always;
        location / { limit_req zone=slow burst=1; limit_conn many 1; } location /none { }""",
                             SLOW + "limit_conn_zone $binary_remote_addr zone=many:1m; "))
    for target in ("/x", "/x", "/x", "/none"):
        pair.same(target=target, ignoring=PAGE)
    log = pair.portico.wait_for_error("limiting requests, dry run")
    assert "delaying request, dry run" in log


@pytest.mark.parametrize("conf, words", [
    ("limit_req zone=none;", 'zero size shared memory zone "none"'), ("limit_req burst=5;", '"limit_req" must have "zone" parameter'),
    ("limit_req zone=slow burst=x;", 'burst value "burst=x"'), ("limit_req zone=slow fast;", 'invalid parameter "fast"'),
    ("limit_conn none 1;", 'zero size shared memory zone "none"'), ("limit_conn many 0;", 'invalid number of connections "0"'),
    ("limit_req_status 200;", "value must be between 400 and 599")])
def test_mistakes_are_told_in_nginxs_words(run, tmp_path, conf, words):
    path = tmp_path / "nginx.conf"
    path.write_text("events { } http { " + SLOW + "limit_conn_zone $uri zone=many:1m; server { listen 127.0.0.1:1; limit_req zone=slow; location / { "
                    + conf + " } } }")
    answer = run("nginx", "-t", "-c", path, "-p", tmp_path, "-e", tmp_path / "error.log")
    assert answer.returncode == 1 and words in answer.stderr


# Requests under way

def test_connections_are_counted_until_they_end(portico_nginx, raw_server):
    go_on = threading.Event()
    held = raw_server([act.head, act.wait_on(go_on), b"HTTP/1.1 204 No Content\r\n\r\n", act.until_end])
    proxy = portico_nginx(server(f"""location / {{ limit_conn many 1; limit_conn_log_level info; proxy_pass {held.url}; }}
        location /other {{ limit_conn many 1; limit_conn_status 501; return 200; }} location /more {{ limit_conn many 2; }} location /none {{ }}
        location /script {{ limit_conn many 1; error_page 404 = /none; }}""", "limit_conn_zone $binary_remote_addr zone=many:1m; "))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the request", lambda: held.played and held.played[0].heads)
    assert proxy.get("/x").status == 503
    # what a script answers comes before limits
    assert proxy.get("/other").status == 200
    assert proxy.get("/more").status == 404 and proxy.get("/none").status == 404
    assert '[info]' in proxy.wait_for_error('limiting connections by zone "many"')
    go_on.set()
    assert client.response().status == 204
    wait_for("its end to be counted", lambda: proxy.get("/script").status == 404)


# As YAML says them

def zones(kind, *items, **more):
    return {"limit": {kind: {"zones": list(items), **more}}}


def test_yaml_has_zones_with_names_too(portico, backend):
    config = to(backend().url, middlewares=zones("rateLimit", {"zone": "all", "key": "${request.header.x-user}", "rate": "1r/m", "burst": 1,
                                                               "noDelay": True}, rejectStatusCode=429))
    config["http"]["routers"]["other"] = {"rule": "Path(`/other`)", "service": "main", "middlewares": ["limit"]}
    proxy = portico(config)
    ann, bob = [("X-User", "ann")], [("X-User", "bob")]
    assert [proxy.get(target, ann).status for target in ("/", "/other", "/", "/other")] == [200, 200, 429, 429]
    assert [proxy.get("/", bob).status for _ in range(3)] == [200, 200, 429]
    assert [proxy.get("/").status for _ in range(5)] == [200] * 5


def test_zones_are_kept_by_a_reload(portico, backend):
    server = backend()
    limit = zones("rateLimit", {"zone": "all", "key": "all", "rate": "1r/m"})
    proxy = portico(to(server.url, middlewares=limit))
    assert [proxy.get("/").status for _ in range(2)] == [200, 503]
    config = to(server.url, middlewares=limit)
    config["http"]["routers"]["new"] = {"rule": "Path(`/new`)", "service": "main", "priority": 100}
    proxy.write(config)
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_for_answer(lambda response: response.status == 200, "/new")
    assert proxy.get("/").status == 503


def test_zones_are_shown(portico, backend):
    config = to(backend().url, middlewares={**zones("rateLimit", {"zone": "all", "key": "all", "rate": "1r/m"}),
                                            "busy": {"inFlightReq": {"zones": [{"zone": "now", "key": "all", "amount": 5}]}}},
                api={"insecure": True}, entryPoints={"web": {}, "traefik": {}})
    config["http"]["routers"]["main"]["entryPoints"] = ["web"]
    proxy = portico(config)
    assert [proxy.get("/").status for _ in range(2)] == [200, 503]
    shown = {row["type"]: row["state"] for row in proxy.get("/api/portico/limits", entry_point="traefik").json()}
    assert shown["rateLimit"]["zones"][0]["zone"] == "all" and shown["rateLimit"]["refused"] == 1
    assert shown["inFlightReq"]["zones"][0]["allowed"] == 1


def test_a_client_that_ends_its_direction_is_gone_at_once(portico_nginx, raw_server):
    def trickle(play):
        """Until the proxy leaves: a client that only half closed would be taken to go on reading."""
        with contextlib.suppress(OSError):
            while not stop.wait(0.1):
                play.connection.sendall(b"x")
    stop = threading.Event()
    slow = raw_server([act.head, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", trickle])
    proxy = portico_nginx(server("location / { proxy_pass http://%s; }" % slow.address, ""))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for("the request to arrive", lambda: slow.played and slow.played[0].heads)
    client.socket.shutdown(socket.SHUT_WR)
    try:
        assert "GET / " in proxy.access_log(1)[0]
    finally:
        stop.set()
