"""TLS to servers: whom we trust, what we show, what is spoken inside, and what the log says when it fails."""
import ssl
import threading

import pytest

from harness.certificates import Authority
from harness.http1 import response_bytes
from harness.http2_backend import Answer, Http2Backend, server_context
from harness.portico import to
from harness.waiting import wait_for

H1 = ("http/1.1",)


@pytest.fixture
def server(stack):
    """server(issued) is an https server with that certificate; named localhost unless `name` says otherwise."""
    def start(issued, answer=None, alpn=("h2", "http/1.1"), clients=None, context=None, name="localhost", **more):
        context = context or server_context(issued, alpn, clients)
        server = Http2Backend(answer, context, answer_h1=lambda request: response_bytes(body=b"by http/1.1"), name=name, **more)
        stack.callback(server.stop)
        return server
    return start


def trusting(authority, *servers, transport=None, **more):
    """To those servers, with the default transport trusting the authority."""
    return to(*(server.url for server in servers), serversTransport={"rootCAs": [str(authority.cert)], **(transport or {})}, **more)


def refusal(proxy):
    """The reason and its detail of a request that fails."""
    assert proxy.get("/").status == 502
    line = proxy.access()[0]
    return line["reason"], line["reasonDetail"]


def test_http_2_is_agreed_and_shared(portico, server, authority):
    backend = server(authority.issue("localhost"))
    client = portico(trusting(authority, backend)).client()
    for _ in range(3):
        assert client.request("GET", "/").body == b"fine"
    assert backend.accepted == 1 and backend.last.get(":scheme") == "https"


@pytest.mark.parametrize("alpn", [H1, ()], ids=["http/1.1", "no ALPN"])
def test_http_1_1_is_spoken_where_http_2_is_not(portico, server, authority, alpn):
    backend = server(authority.issue("localhost"), alpn=alpn)
    client = portico(trusting(authority, backend), "--workers", "1").client()
    for _ in range(3):
        assert client.request("GET", "/").body == b"by http/1.1"
    assert client.request("POST", "/", body=b"x" * 300000).status == 200
    assert backend.accepted == 1 and len(backend.last.body) == 300000


def test_http_2_can_be_switched_off(portico, server, authority):
    backend = server(authority.issue("localhost"))
    assert portico(trusting(authority, backend, transport={"disableHTTP2": True})).get("/").body == b"by http/1.1"


def test_large_bodies_pass_both_ways(portico, server, authority):
    for alpn in (H1, ("h2",)):
        backend = server(authority.issue("localhost"), lambda request: Answer(body=request.body, length=False), alpn=alpn)
        backend.answer = lambda request: response_bytes(body=request.body)
        body = bytes(range(256)) * 20000
        assert portico(trusting(authority, backend)).request("POST", "/", body=body).body == body


def burst(proxy):
    """The statuses of 20 requests at once."""
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(proxy.get("/").status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_a_burst_at_the_start_shares_what_is_dialled(portico, server, authority):
    backend = server(authority.issue("localhost"), together=20)
    proxy = portico(trusting(authority, backend), "--workers", "1")
    assert burst(proxy) == [200] * 20 and backend.accepted <= 2


def test_a_burst_at_a_server_of_http_1_1_is_served_whole(portico, server, authority):
    backend = server(authority.issue("localhost"), alpn=H1)
    proxy = portico(trusting(authority, backend), "--workers", "1")
    assert burst(proxy) == [200] * 20


# ---- trust ----

def test_an_unknown_authority_is_not_trusted(portico, server, authority, tmp_path):
    backend = server(Authority(tmp_path / "other", "Other Authority").issue("localhost"))
    reason, detail = refusal(portico(trusting(authority, backend)))
    assert reason == "upstream_untrusted" and "issuer" in detail
    assert backend.requests == []


def test_the_system_does_not_trust_a_test_authority(portico, server, authority):
    backend = server(authority.issue("localhost"))
    assert refusal(portico(to(backend.url)))[0] == "upstream_untrusted"


def test_an_expired_certificate_is_not_trusted(portico, server, authority):
    backend = server(authority.issue("localhost", days=-1, began_days_ago=10))
    reason, detail = refusal(portico(trusting(authority, backend)))
    assert reason == "upstream_untrusted" and "expired" in detail


def test_another_name_is_not_trusted(portico, server, authority):
    backend = server(authority.issue("other.example"))
    reason, detail = refusal(portico(trusting(authority, backend)))
    assert reason == "upstream_untrusted" and "localhost" in detail or "name" in detail.lower()


def test_an_address_must_be_in_the_certificate(portico, server, authority):
    good = server(authority.issue("127.0.0.1", file="good"), name="127.0.0.1")
    assert portico(trusting(authority, good)).get("/").status == 200
    bad = server(authority.issue("localhost", file="bad"), name="127.0.0.1")
    assert refusal(portico(trusting(authority, bad)))[0] == "upstream_untrusted"


def test_any_certificate_is_taken_on_request(portico, server, authority):
    backend = server(authority.issue("other.example", days=-1, began_days_ago=10))
    assert portico(to(backend.url, serversTransport={"insecureSkipVerify": True})).get("/").status == 200


def test_one_of_the_peers_names_must_be_there(portico, server, authority):
    backend = server(authority.issue("spiffe://cluster/app", "localhost", file="app"))
    transport = {"peerCertSANs": ["nobody.example", "spiffe://cluster/app"]}
    assert portico(trusting(authority, backend, transport=transport)).get("/").status == 200
    transport = {"peerCertSANs": ["spiffe://cluster/other"]}
    assert refusal(portico(trusting(authority, backend, transport=transport)))[0] == "upstream_untrusted"


def test_a_server_that_speaks_no_tls_is_told_from_others(portico, backend):
    plain = backend()
    proxy = portico(to(plain.url.replace("http:", "https:"), serversTransport={"insecureSkipVerify": True}))
    plain.errors.clear()
    assert proxy.get("/").status == 502
    assert proxy.access()[0]["reason"] == "upstream_tls"
    plain.errors.clear()


# ---- what we show ----

def test_the_servers_name_is_told_and_can_be_another(portico, server, authority):
    names = []
    context = server_context(authority.issue("localhost", "app.internal"))
    context.sni_callback = lambda socket, name, context: names.append(name)
    backend = server(None, context=context)
    assert portico(trusting(authority, backend)).get("/", [("Host", "public.example")]).status == 200
    assert portico(trusting(authority, backend, transport={"serverName": "app.internal"})).get("/").status == 200
    assert names == ["localhost", "app.internal"]
    assert backend.last.get(":authority") != "app.internal"


def test_a_client_certificate_is_shown_to_a_server_that_asks(portico, server, authority):
    backend = server(authority.issue("localhost"), clients=authority)
    shown = authority.issue("portico", client=True)
    assert portico(trusting(authority, backend, transport={"certificates": [shown.options]})).get("/").status == 200
    assert dict(part[0] for part in backend.secured[-1].getpeercert()["subject"])["commonName"] == "portico"
    assert portico(trusting(authority, backend)).get("/").status == 502


def test_the_transport_of_a_service_has_its_own_trust(portico, server, authority):
    backend = server(authority.issue("localhost"))
    config = to(backend.url, service={"serversTransport": "own"})
    config["http"]["serversTransports"] = {"own": {"rootCAs": [authority.cert.read_text()]}}
    assert portico(config).get("/").status == 200


def test_a_bad_authority_file_refuses_the_configuration(run, tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text("entryPoints: {web: {address: ':8080'}}\nserversTransport: {rootCAs: [/nowhere/ca.pem]}\n"
                    "http:\n  routers: {a: {rule: 'PathPrefix(`/`)', service: a}}\n"
                    "  services: {a: {loadBalancer: {servers: [{url: 'https://a'}]}}}\n")
    result = run("check", path)
    assert result.returncode != 0 and "/nowhere/ca.pem" in result.stdout + result.stderr


# ---- resumption and reloads ----

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(portico, server, authority, version):
    context = server_context(authority.issue("localhost"), H1)
    context.maximum_version = version
    backend = server(None, context=context)
    proxy = portico(trusting(authority, backend, transport={"maxIdleConnsPerHost": -1}), "--workers", "1")
    for _ in range(3):
        assert proxy.get("/").status == 200
    assert [connection.session_reused for connection in backend.secured] == [False, True, True]


def test_other_options_use_neither_connections_nor_sessions_of_before(portico, server, authority, tmp_path):
    backend = server(authority.issue("localhost"), alpn=H1)
    proxy = portico(to(backend.url, serversTransport={"insecureSkipVerify": True}), "--workers", "1")
    assert proxy.get("/").status == 200
    other = Authority(tmp_path / "other")
    proxy.write(trusting(other, backend))
    assert proxy.wait_for_answer(lambda response: response.status == 502)
    proxy.write(trusting(authority, backend))
    assert proxy.wait_for_answer(lambda response: response.status == 200)
    assert not backend.secured[-1].session_reused


def test_connections_outlive_a_reload_that_does_not_concern_them(portico, server, authority):
    backend = server(authority.issue("localhost"))
    config = trusting(authority, backend)
    proxy = portico(config, "--workers", "1")
    assert proxy.get("/").status == 200
    config["http"]["routers"]["other"] = {"rule": "Path(`/other`)", "priority": 100, "service": "main",
                                           "middlewares": ["deny"]}
    config["http"]["middlewares"] = {"deny": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}}}
    proxy.write(config)
    proxy.wait_for_answer(lambda response: response.status == 403, "/other")
    assert proxy.get("/").status == 200
    assert backend.accepted == 1


# ---- upgrades, checks, authentication ----

def test_a_websocket_gets_a_connection_of_its_own(portico, server, authority):
    backend = server(authority.issue("localhost"))
    backend.answer = lambda request: response_bytes(426, body=b"no")
    proxy = portico(trusting(authority, backend), "--workers", "1")
    assert proxy.get("/").body == b"fine"
    response = proxy.get("/", [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert response.status == 426 and backend.accepted == 2
    assert backend.last.get("Upgrade") == "websocket"


def test_checks_ask_by_https(portico, server, authority):
    healthy = threading.Event()
    backend = server(authority.issue("localhost"),
                     lambda request: Answer(200 if healthy.is_set() or request.path != "/health" else 500))
    proxy = portico(trusting(authority, backend, service={"healthCheck": {"path": "/health", "interval": "50ms"}}))
    assert proxy.wait_for_answer(lambda response: response.status == 503)
    healthy.set()
    assert proxy.wait_for_answer(lambda response: response.status == 200)


def test_checks_can_ask_another_scheme_than_requests(portico, server, authority, backend):
    plain = backend()
    secure = server(authority.issue("127.0.0.1"), name="127.0.0.1")
    config = to(plain.url, service={"healthCheck": {"scheme": "https", "port": secure.port, "interval": "50ms"}},
                serversTransport={"rootCAs": [str(authority.cert)]})
    assert portico(config).wait_for_answer(lambda response: response.status == 200)
    wait_for("a check", lambda: secure.requests)


def test_forward_auth_asks_by_https(portico, server, authority, backend, tmp_path):
    auth = server(authority.issue("localhost"), lambda request: Answer(200 if request.get("x-secret") == "yes" else 403),
                  clients=authority)
    shown = authority.issue("portico", client=True)
    tls = {"ca": str(authority.cert), "cert": str(shown.cert), "key": str(shown.key)}
    target = backend()

    def proxy(**tls):
        return portico(to(target.url, middlewares={"auth": {"forwardAuth": {"address": auth.url + "/auth", "tls": tls}}}))
    good = proxy(**tls)
    assert good.get("/", [("X-Secret", "yes")]).status == 200
    assert good.get("/").status == 403
    assert auth.last.path == "/auth"
    assert proxy(insecureSkipVerify=True).get("/", [("X-Secret", "yes")]).status == 500
    assert proxy(**{**tls, "ca": str(Authority(tmp_path / "other").cert)}).get("/", [("X-Secret", "yes")]).status == 500
