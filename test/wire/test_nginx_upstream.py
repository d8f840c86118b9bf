"""upstream{} in nginx.conf: whose turn it is, who is passed over, when the next server is asked."""
import collections
import subprocess
import threading

import pytest

from harness.http1 import response_bytes
from harness.portico import BINARY
from harness.ports import free_port
from harness.waiting import wait_for


@pytest.fixture
def servers(backend):
    """Three that answer with their number, and 500 to /bad on the first."""
    def make(number):
        def answer(request):
            bad = number == 0 and "/bad" in request.target
            return response_bytes(500 if bad else 200, fields=[("X-Number", str(number))], body=str(number).encode())
        return backend(answer)
    return [make(number) for number in range(3)]


def conf(servers, group, location="proxy_pass http://u;"):
    text = "upstream u { %s } server { listen 127.0.0.1:@port@; location / { %s add_header X-Asked $upstream_addr always; " \
           "add_header X-Status $upstream_status always; } }" % (group, location)
    for number, server in enumerate(servers):
        text = text.replace(f"S{number}", server.address)
    return text


def numbers(proxy, targets):
    return [proxy.get(target).body.decode() for target in targets]


@pytest.mark.parametrize("group", [
    "server S0; server S1; server S2;", "server S0 weight=5; server S1; server S2;", "server S0 weight=2; server S1 weight=3; server S2 down;",
    "server S0 backup; server S1; server S2;", "hash $request_uri; server S0; server S1 weight=2; server S2;",
    "hash $request_uri consistent; server S0; server S1; server S2;", "ip_hash; server S0; server S1; server S2;",
    "least_conn; server S0; server S1 weight=2; server S2;"])
def test_turns_are_nginxs(nginx_pair, servers, group):
    pair = nginx_pair(conf(servers, group))
    targets = [f"/{number}" for number in range(21)]
    assert numbers(pair.portico, targets) == numbers(pair.nginx, targets)


def test_a_server_that_refuses_is_passed_over_and_clients_see_nothing(nginx_pair, servers):
    closed = free_port()
    pair = nginx_pair(conf(servers, f"server 127.0.0.1:{closed} max_fails=3 fail_timeout=30s; server S1;"))
    for side in (pair.nginx, pair.portico):
        asked = [side.get().get("X-Asked") for _ in range(10)]
        assert sum(f"127.0.0.1:{closed}, " in text for text in asked) == 3
    pair.same(ignoring=("x-asked",))


@pytest.mark.parametrize("policy, method, status", [
    ("", "GET", 500), ("proxy_next_upstream http_500;", "GET", 200), ("proxy_next_upstream http_500;", "POST", 500),
    ("proxy_next_upstream http_500 non_idempotent;", "POST", 200), ("proxy_next_upstream http_500; proxy_next_upstream_tries 1;", "GET", 500),
    ("proxy_next_upstream off;", "GET", 500)])
def test_which_answers_send_a_request_on(nginx_pair, servers, policy, method, status):
    pair = nginx_pair(conf(servers, "server S0; server S1;", f"proxy_pass http://u; {policy}"))
    assert pair.same(method, "/bad", body=b"x" if method == "POST" else b"").status == status


def test_nobody_left_is_a_502_and_the_group_stands_among_the_servers(nginx_pair, servers):
    pair = nginx_pair(conf(servers, f"server 127.0.0.1:{free_port()}; server 127.0.0.1:{free_port()};"))
    for _ in range(2):
        answer = pair.same(ignoring=("body", "content-length"))
    assert answer.status == 502 and answer.get("X-Asked") == "u"


def test_a_group_with_a_name_in_a_variable(nginx_pair, servers):
    pair = nginx_pair(conf(servers, "server S1;", "set $to u; proxy_pass http://$to;"))
    assert pair.same().body == b"1"


def test_a_route_names_its_server(portico_nginx, servers):
    proxy = portico_nginx(conf(servers, "sticky route $arg_r $cookie_r; server S0 route=a; server S1 route=b; server S2 route=c;"))
    assert numbers(proxy, ["/?r=c"] * 4 + ["/?r=a"] * 2) == ["2"] * 4 + ["0"] * 2
    assert proxy.get("/", fields=[("Cookie", "r=b")]).body == b"1"
    assert collections.Counter(numbers(proxy, ["/"] * 6)) == {"0": 2, "1": 2, "2": 2}


def test_a_cookie_keeps_its_server(portico_nginx, servers):
    proxy = portico_nginx(conf(servers, "sticky cookie srv expires=1h path=/; server S0; server S1;"))
    first = proxy.get()
    cookie = first.get("Set-Cookie")
    assert cookie.startswith("srv=") and "Max-Age=3600" in cookie
    again = [proxy.get(fields=[("Cookie", cookie.partition(";")[0])]).body for _ in range(5)]
    assert set(again) == {first.body}


def attributes(response):
    return set(response.get("Set-Cookie").split("; ")[1:])


def test_variables_say_for_whom_a_cookie_is(portico_nginx, servers):
    proxy = portico_nginx(conf(servers, "sticky cookie srv path=/ secure samesite=$arg_s domain=$arg_d; server S0;"))
    fixed = {"Path=/", "Secure"}
    for word, said in (("Lax", "Lax"), ("lax", "Lax"), ("NONE", "None"), ("strict", "Strict"), ("whatever", "Strict")):
        assert attributes(proxy.get(f"/?s={word}")) == fixed | {f"SameSite={said}"}
    assert attributes(proxy.get("/")) == fixed
    assert attributes(proxy.get("/?d=.shop.example&s=lax")) == fixed | {"Domain=.shop.example", "SameSite=Lax"}
    # A request ends no attribute.
    assert attributes(proxy.get("/?d=a.example;HttpOnly")) == fixed


def test_a_domain_of_a_cookie_with_a_variable_in_it(portico_nginx, servers):
    proxy = portico_nginx(conf(servers, "sticky cookie srv domain=.$host samesite=lax; server S0;"))
    assert attributes(proxy.get("/", host="a.example")) == {"Domain=.a.example", "SameSite=Lax"}


def test_a_variable_of_a_cookie_that_there_is_none_of_is_a_mistake(tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text("events { } http { upstream u { sticky cookie s samesite=$nothing_like_it; server 127.0.0.1:1; } "
                    "server { listen 127.0.0.1:8; location / { proxy_pass http://u; } } }")
    done = subprocess.run([BINARY, "check", path], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "nothing_like_it" in done.stderr + done.stdout


# ---- the same in YAML ----

def test_tiers_limits_and_retries_in_yaml(portico, servers):
    closed = free_port()
    group = [{"url": f"http://127.0.0.1:{closed}", "maxFails": 2, "failTimeout": "1h"},
             {"url": servers[0].url, "maxConnections": 10}, {"url": servers[2].url, "backup": True}]
    proxy = portico({"http": {
        "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "front", "middlewares": ["pass"]}},
        "middlewares": {"pass": {"proxyPass": {"url": "http://inside.example/base",
                                               "fields": [{"name": "X-Client", "value": "${remote_addr}"}]}}},
        "services": {"front": {"forward": {"service": "group", "retries": {"on": ["error", "500"]}}},
                     "group": {"loadBalancer": {"servers": group}}}}})
    assert proxy.get("/bad").body == b"2"
    assert proxy.get("/x").body == b"0"
    assert servers[0].last.target == "/base/x" and servers[0].last.get("Host") == "inside.example"
    assert servers[0].last.get("X-Client") == "127.0.0.1"


def test_a_group_starts_as_slowly_as_its_slowest(tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text("events { } http { upstream u { server 127.0.0.1:1 slow_start=30s; server 127.0.0.1:2 slow_start=1m; server 127.0.0.1:3; } "
                    "server { listen 127.0.0.1:8; location / { proxy_pass http://u; } } }")
    done = subprocess.run([BINARY, "convert", path], capture_output=True, text=True, check=True)
    assert "slowStart: 60000ms" in done.stdout or "slowStart: 1m" in done.stdout
    path.write_text(path.read_text().replace("slow_start=1m", "slow_start=never"))
    done = subprocess.run([BINARY, "convert", path], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and 'invalid parameter "slow_start=never"' in done.stderr


# ---- servers that die under load ----

class Load:
    """GETs on connections that are kept, from several threads, until it is stopped."""

    def __init__(self, like, threads=4):
        self.like, self.seen, self.over = like, collections.Counter(), threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self):
        client = self.like.client()
        while not self.over.is_set():
            try:
                response = client.request(target="/x")
                self.seen[response.status, response.get("X-Asked-Last")] += 1
                if response.get("Connection") == "close":      # behind keepalive_requests of them
                    client.close()
                    client = self.like.client()
            except (OSError, AssertionError) as error:
                self.seen[repr(error), None] += 1
                client.close()
                client = self.like.client()

    def wait_for_more(self, count):
        wanted = self.seen.total() + count
        wait_for(f"{count} more answers", lambda: self.seen.total() >= wanted)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("words", ["", "max_fails=0"], ids=["judged", "always asked"])
@pytest.mark.parametrize("kept", ["", "keepalive 16;"], ids=["", "kept"])
def test_no_get_fails_while_a_server_is_killed_again_and_again(nginx_pair, whoami, words, kept):
    steady, mortal = whoami("steady"), whoami("mortal")
    pair = nginx_pair("map $upstream_addr $last { default $upstream_addr; ~,\\s*(?<final>\\S+)$ $final; }"
                      f"upstream u {{ server 127.0.0.1:{steady.port}; server 127.0.0.1:{mortal.port} {words}; {kept} }}"
                      "server { listen 127.0.0.1:@port@; access_log off; location / { proxy_pass http://u; proxy_http_version 1.1; "
                      'proxy_set_header Connection ""; add_header X-Asked-Last $last always; } }')
    for like in (pair.nginx, pair.portico):
        load = Load(like)
        try:
            for _ in range(5):
                load.wait_for_more(100)
                mortal.kill()
                load.wait_for_more(1000)      # more than a connection lives for, in all
                mortal.start()
        finally:
            load.stop()
        asked = {address for status, address in load.seen}
        assert {status for status, _ in load.seen} == {200}, (like.name, load.seen)
        assert asked == {f"127.0.0.1:{steady.port}", f"127.0.0.1:{mortal.port}"}, like.name
