"""Names that are looked up while the process runs: whose answers count, for how long, and what becomes of requests meanwhile."""
import collections

import pytest

from harness.dns import Dns
from harness.http1 import response_bytes
from harness.load import Load
from harness.portico import to
from harness.ports import free_port
from harness.waiting import wait_for

HOSTS = ("127.0.0.2", "127.0.0.3")


@pytest.fixture
def dns(stack):
    def start(records=None, **more):
        server = Dns(records, **more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def twins(backend):
    """The port that a server on each of HOSTS has; each answers with its address."""
    port = free_port()
    for host in HOSTS:
        backend(lambda request, host=host: response_bytes(200, body=host.encode()), host=host, port=port)
    return port


def addresses(*hosts):
    return [("A", host) for host in hosts]


def by_name(dns, port, **resolver):
    return to(f"http://app.test:{port}", service={"resolver": {"servers": [dns.address], **resolver}})


def bodies(proxy, count=8):
    return collections.Counter(proxy.get().body.decode() for _ in range(count))


def wait_for_servers(proxy, *hosts):
    wait_for(f"answers of {hosts} alone", lambda: set(bodies(proxy)) == set(hosts))


def by_variable(dns, port, words="", timeout="5s"):
    return "resolver %s %s; resolver_timeout %s; server { listen 127.0.0.1:@port@; location / { proxy_pass http://$arg_to:%d; " \
           "add_header X-Asked $upstream_addr always; } }" % (dns.address, words, timeout, port)


# ---- servers of a load balancer ----

def test_each_address_of_a_name_has_its_turns(portico, dns, twins):
    proxy = portico(by_name(dns({"app.test": addresses(*HOSTS)}), twins))
    wait_for_servers(proxy, *HOSTS)
    counts = bodies(proxy, 40)
    assert min(counts.values()) >= 10       # each worker takes turns by itself


def test_a_name_that_moves_loses_no_request(portico, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])}, ttl=1)
    proxy = portico(by_name(names, twins))
    wait_for_servers(proxy, HOSTS[0])
    with Load(proxy.port) as load:
        for number in range(1, 4):
            host = HOSTS[number % 2]
            names.records["app.test"] = addresses(host)
            wait_for_servers(proxy, host)
    assert load.results[200] == load.served > 0 and not load.errors


def test_former_addresses_stay_while_nobody_answers(portico, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])}, ttl=1)
    proxy = portico(by_name(names, twins))
    wait_for_servers(proxy, HOSTS[0])
    for failure in (2, None):
        names.records["app.test"] = failure
        before = names.questions("app.test")
        wait_for("two more questions", lambda: names.questions("app.test") > before + 1)
        assert set(bodies(proxy)) == {HOSTS[0]}
    names.records["app.test"] = addresses(HOSTS[1])
    wait_for_servers(proxy, HOSTS[1])


def test_a_name_that_is_no_more_has_no_servers(portico, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])}, ttl=1)
    proxy = portico(by_name(names, twins, valid="1s"))
    wait_for_servers(proxy, HOSTS[0])
    del names.records["app.test"]
    wait_for("503", lambda: proxy.get().status == 503)
    names.records["app.test"] = addresses(HOSTS[1])
    wait_for("an answer", lambda: proxy.get().status == 200)


def test_an_answer_holds_as_long_as_it_says_or_as_valid_says(portico, dns, twins):
    patient, eager = dns({"app.test": addresses(HOSTS[0])}, ttl=3600), dns({"app.test": addresses(HOSTS[0])}, ttl=3600)
    proxies = [portico(by_name(patient, twins)), portico(by_name(eager, twins, valid="1s"))]
    for proxy in proxies:
        wait_for_servers(proxy, HOSTS[0])
    wait_for("three questions of the eager one", lambda: eager.questions("app.test") >= 3)
    assert patient.questions("app.test") == 1


def test_a_reload_knows_the_addresses_though_dns_is_silent(portico, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])}, ttl=1)
    config = by_name(names, twins)
    proxy = portico(config)
    wait_for_servers(proxy, HOSTS[0])
    names.records["app.test"] = None
    config["http"]["middlewares"] = {"mark": {"headers": {"customResponseHeaders": {"X-Mark": "new"}}}}
    config["http"]["routers"]["main"]["middlewares"] = ["mark"]
    proxy.write(config)
    response = wait_for("the new configuration", lambda: (found := proxy.get()).get("X-Mark") and found)
    assert response.body.decode() == HOSTS[0]


def test_a_service_has_ports_weights_and_priorities(portico, dns, backend):
    ports = [backend(lambda request, name=name: response_bytes(200, body=name.encode())).port for name in ("first", "second", "other")]
    records = {"_http._tcp.app.test": [("SRV", (1, 3, ports[0], "a.test")), ("SRV", (1, 1, ports[1], "a.test")),
                                       ("SRV", (5, 1, ports[2], "a.test"))],
               "a.test": addresses("127.0.0.1")}
    names = dns(records, ttl=1)
    proxy = portico(to({"url": "http://app.test", "service": "http"}, service={"resolver": {"servers": [names.address]}}), "--workers=1")
    wait_for_servers(proxy, "first", "second")
    assert bodies(proxy, 40) == {"first": 30, "second": 10}
    names.records["_http._tcp.app.test"] = [("SRV", (5, 1, ports[2], "a.test"))]
    wait_for_servers(proxy, "other")


def test_aliases_are_followed_where_the_server_has_not(portico, dns, twins):
    names = dns({"app.test": [("CNAME", "there.test")], "there.test": [("CNAME", "here.test")], "here.test": addresses(HOSTS[1])})
    proxy = portico(by_name(names, twins))
    wait_for_servers(proxy, HOSTS[1])


def test_servers_called_by_a_name_are_named_so_in_host(portico, dns, backend):
    server = backend(lambda request: response_bytes(200, body=request.get("Host").encode()))
    config = by_name(dns({"app.test": addresses("127.0.0.1")}), server.port)
    config["http"]["services"]["main"]["loadBalancer"]["passHostHeader"] = False
    proxy = portico(config)
    wait_for_servers(proxy, f"app.test:{server.port}")


# ---- nginx.conf ----

def test_upstreams_of_nginx_conf_follow_their_resolver(portico_nginx, dns, twins):
    own, common = dns({"app.test": addresses(HOSTS[0])}), dns({"app.test": addresses(HOSTS[1])})
    like = portico_nginx(
        "resolver %s; upstream a { zone a 1m; server app.test:%d resolve; resolver %s; } upstream b { zone b 1m; server app.test:%d resolve; }"
        "server { listen 127.0.0.1:@port@; location /a { proxy_pass http://a; } location /b { proxy_pass http://b; } }"
        % (common.address, twins, own.address, twins))
    for target, host in (("/a", HOSTS[0]), ("/b", HOSTS[1])):
        wait_for(f"{target} from {host}", lambda: like.request(target=target).body.decode() == host)


def test_names_of_requests_are_remembered_as_long_as_they_hold(portico_nginx, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])}, ttl=3600)
    like = portico_nginx("worker_processes 1; daemon off; pid @folder@/nginx.pid; error_log @folder@/error.log; events { } http { "
                         + by_variable(names, twins) + " }")
    for name in ("app.test", "APP.test", "app.test"):
        assert like.request(target=f"/?to={name}").body.decode() == HOSTS[0]
    assert names.questions("app.test") == 1 and names.questions("app.test", "AAAA") == 1


def test_families_that_are_off_are_not_asked_for(portico_nginx, dns, twins):
    names = dns({"app.test": addresses(HOSTS[0])})
    like = portico_nginx(by_variable(names, twins, "ipv6=off"))
    assert like.request(target="/?to=app.test").status == 200
    assert names.questions("app.test", "AAAA") == 0


@pytest.mark.parametrize("answer", [3, 2, None, []])
def test_a_name_without_an_address_is_a_bad_gateway_and_not_remembered_for_long(portico_nginx, dns, twins, answer):
    names = dns({"app.test": answer})
    like = portico_nginx(by_variable(names, twins, timeout="1s"))
    assert like.request(target="/?to=app.test").status == 502
    names.records["app.test"] = addresses(HOSTS[0])
    wait_for("an answer", lambda: like.request(target="/?to=app.test").status == 200)


def test_sessions_of_an_application_are_learnt(portico_nginx, backend):
    servers = [backend(lambda request, name=name: response_bytes(200, fields=[("Set-Cookie", f"sid={name}")], body=name.encode()))
               for name in ("one", "two")]
    like = portico_nginx("upstream u { server %s; server %s; sticky learn zone=z:1m create=$upstream_cookie_sid lookup=$cookie_sid; }"
                         "server { listen 127.0.0.1:@port@; location / { proxy_pass http://u; } }" % tuple(s.address for s in servers))
    for _ in range(8):
        like.request()
    for name in ("one", "two"):
        assert {like.request(fields=[("Cookie", f"sid={name}")]).body.decode() for _ in range(6)} == {name}
