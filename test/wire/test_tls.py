"""HTTPS from clients: which certificate is shown, which options hold, what is resumed, and what is refused."""
import contextlib
import signal
import socket
import ssl
import subprocess

import pytest

from harness.http1 import response_bytes
from harness.portico import to
from harness.tls import TlsClient, context_for
from harness.waiting import wait_for

QUICK = {"providersThrottleDuration": "50ms"}


def secure(server, *certificates, options=None, router=None, **sections):
    """Everything over TLS to `server`."""
    tls = {"certificates": [certificate.options for certificate in certificates]}
    if options:
        tls["options"] = options
    return to(server.url, router={"tls": {}, **(router or {})}, tls=tls, **sections)


def connect(proxy, name="localhost", **more):
    client = TlsClient(proxy.port, name, **more)
    proxy.clients.append(client)
    return client


def ask(proxy, name="localhost", target="/", host=None, **more):
    client = connect(proxy, name, **more)
    response = client.request("GET", target, host=host or name)
    client.close()
    return response


# Which certificate

def test_a_request_over_tls_reaches_the_server_and_is_known_as_https(portico, backend, authority):
    server = backend()
    proxy = portico(secure(server, authority.issue("localhost")))
    response = ask(proxy, authority=authority)
    assert response.status == 200
    seen = server.last
    assert seen.get("X-Forwarded-Proto") == "https" and seen.get("X-Forwarded-Port") == "443"


def test_names_choose_the_certificate_exact_before_wildcard_before_default(portico, backend, authority):
    exact, wildcard = authority.issue("a.example.com"), authority.issue("*.example.com", "example.com")
    proxy = portico(secure(backend(), wildcard, exact))
    assert connect(proxy, "a.example.com").serial == exact.serial
    assert connect(proxy, "b.example.com").serial == wildcard.serial
    assert connect(proxy, "EXAMPLE.com").serial == wildcard.serial
    assert connect(proxy, "x.b.example.com").serial not in (exact.serial, wildcard.serial)
    assert connect(proxy, None).serial not in (exact.serial, wildcard.serial)


def test_a_configured_default_certificate_is_shown_where_nothing_fits(portico, backend, authority):
    fallback, other = authority.issue("default.example"), authority.issue("a.example")
    config = secure(backend(), other)
    config["tls"]["stores"] = {"default": {"defaultCertificate": fallback.options}}
    proxy = portico(config)
    assert connect(proxy, "unknown.example").serial == fallback.serial
    assert connect(proxy, "a.example").serial == other.serial


def test_a_client_gets_the_key_type_that_it_can_verify(portico, backend, authority):
    rsa, ecdsa = authority.issue("localhost", key="rsa"), authority.issue("localhost", key="ecdsa")
    proxy = portico(secure(backend(), rsa, ecdsa))
    assert connect(proxy).serial == ecdsa.serial
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "localhost", "-sigalgs",
                            "rsa_pss_rsae_sha256"], input="", capture_output=True, text=True, timeout=30)
    assert "Server public key is 2048 bit" in shown.stdout


def test_the_generated_default_certificate_serves_without_any_configured(portico, backend):
    proxy = portico(to(backend().url, router={"tls": {}}))
    assert ask(proxy).status == 200


def test_a_renewed_file_is_served_without_anybodys_doing_and_nobody_is_cut_off(portico, backend, authority):
    first = authority.issue("localhost", file="site")
    proxy = portico(secure(backend(), first, providers=QUICK))
    old = connect(proxy)
    assert old.serial == first.serial and old.request().status == 200
    second = authority.issue("localhost", file="site")
    proxy.wait_until("the new certificate", lambda: connect(proxy).serial == second.serial)
    assert old.request().status == 200


def test_a_broken_certificate_file_leaves_what_runs_as_it_was(portico, backend, authority):
    first = authority.issue("localhost", file="site")
    proxy = portico(secure(backend(), first, providers=QUICK))
    first.cert.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    proxy.wait_until("the mistake in the log", lambda: "what runs stays as it was" in proxy.log)
    assert connect(proxy).serial == first.serial


# What speaks on a port

def test_plain_http_on_a_port_of_https_is_told_so(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost")))
    response = proxy.get("/")
    assert response.status == 400
    assert proxy.access(where=lambda line: line.get("reason") == "plain_http_on_tls")


def test_a_port_takes_both_where_routers_of_both_kinds_are_on_it(portico, backend, authority):
    config = secure(backend(), authority.issue("localhost"))
    config["http"]["routers"]["plain"] = {"rule": "Path(`/plain`)", "service": "main"}
    proxy = portico(config)
    assert proxy.get("/plain").status == 200 and proxy.get("/other").status == 404
    assert ask(proxy, target="/other").status == 200


def test_an_entrypoint_can_give_tls_to_all_its_routers(portico, backend, authority):
    config = to(backend().url, tls={"certificates": [authority.issue("localhost").options]},
                entryPoints={"web": {"http": {"tls": {}}}})
    proxy = portico(config)
    assert ask(proxy, authority=authority).status == 200 and proxy.get("/").status == 400


def test_alpn_chooses_http_1_where_it_is_all_that_is_offered(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost")))
    client = connect(proxy, alpn=["http/1.1"])
    assert client.socket.selected_alpn_protocol() == "http/1.1" and client.request().status == 200


def test_alpn_without_a_common_protocol_ends_the_handshake(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost")))
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(proxy, alpn=["smtp"])


def test_http_2_is_spoken_where_the_client_offers_it(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost")))
    out = subprocess.run(["curl", "-sS", "--cacert", str(authority.cert), "--resolve", f"localhost:{proxy.port}:127.0.0.1", "-o",
                          "/dev/null", "-w", "%{http_version} %{http_code}", f"https://localhost:{proxy.port}/"],
                         capture_output=True, text=True, timeout=30)
    assert out.stdout == "2 200", out.stderr


def test_a_body_of_many_records_goes_both_ways_whole(portico, backend, authority):
    body = bytes(range(256)) * 8192
    proxy = portico(secure(backend(lambda request: response_bytes(body=request.body)), authority.issue("localhost")))
    response = connect(proxy).request("POST", "/", body=body)
    assert response.body == body


def test_garbage_and_unfinished_hellos_do_no_harm(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost")))
    for junk in (b"\x16", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x16" * 300):
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(junk)
    assert ask(proxy, authority=authority).status == 200


# Options

def test_a_handshake_under_way_does_not_outlive_its_entrypoint(portico, backend, authority):
    server, certificate = backend(), authority.issue("localhost")

    def config(*entry_points):
        return secure(server, certificate, providers=QUICK, entryPoints={name: {} for name in entry_points})
    proxy = portico(config("web", "extra"))
    client = proxy.client("extra")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context_for().wrap_bio(incoming, outgoing, server_hostname="localhost")

    def accepts(name):
        with contextlib.suppress(OSError):
            proxy.client(name).close()
            return True

    def step(action):
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                data = client.socket.recv(65536)
                incoming.write(data) if data else incoming.write_eof()
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    client.send(outgoing.read(50))
    proxy.write(config("web"))
    wait_for("the entrypoint to be gone", lambda: not accepts("extra"))
    step(tls.do_handshake)
    with contextlib.suppress(OSError, ssl.SSLEOFError):
        for _ in range(3):
            tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.send(outgoing.read())
            if not step(lambda: tls.read(65536)):
                return
        pytest.fail("the connection went on")


def test_strict_sni_refuses_names_without_a_certificate(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("a.example"), options={"default": {"sniStrict": True}}))
    assert ask(proxy, "a.example").status == 200
    for name in ("b.example", None):
        with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
            connect(proxy, name)


def test_versions_are_kept_to(portico, backend, authority):
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    proxy = portico(secure(backend(), authority.issue("localhost"), options={"default": {"minVersion": "VersionTLS13"}}))
    assert connect(proxy, versions=(v13, v13)).socket.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        connect(proxy, versions=(v12, v12))
    older = portico(secure(backend(), authority.issue("localhost"), options={
        "default": {"maxVersion": "VersionTLS12", "cipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}}))
    client = connect(older)
    assert client.socket.version() == "TLSv1.2" and client.socket.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"


AUTH = {   # clientAuthType: what happens without a certificate, with a strange one, with a good one
    "NoClientCert": (True, True, True),
    "RequestClientCert": (True, True, True),
    "RequireAnyClientCert": (False, True, True),
    "VerifyClientCertIfGiven": (True, False, True),
    "RequireAndVerifyClientCert": (False, False, True),
}


@pytest.mark.parametrize("mode", AUTH)
@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
def test_client_certificates_are_asked_for_as_the_mode_says(portico, backend, authority, tmp_path, mode, version):
    from harness.certificates import Authority
    stranger = Authority(tmp_path / "stranger", "Somebody Else")
    options = {"default": {"clientAuth": {"clientAuthType": mode, "caFiles": [str(authority.cert)]}}}
    proxy = portico(secure(backend(), authority.issue("localhost"), options=options))
    offered = (None, stranger.issue("stranger", client=True), authority.issue("friend", client=True))
    for certificate, good in zip(offered, AUTH[mode]):
        if good:
            assert ask(proxy, client=certificate, versions=(version, version)).status == 200
            continue
        with pytest.raises((ssl.SSLError, OSError, AssertionError)):
            ask(proxy, client=certificate, versions=(version, version))


def test_options_of_one_host_do_not_serve_another_hosts_requests(portico, backend, authority):
    config = secure(backend(), authority.issue("open.example"), authority.issue("closed.example"),
                    options={"mutual": {"clientAuth": {"clientAuthType": "RequireAndVerifyClientCert",
                                                       "caFiles": [str(authority.cert)]}}},
                    router={"rule": "Host(`open.example`)"})
    config["http"]["routers"]["closed"] = {"rule": "Host(`closed.example`)", "service": "main", "tls": {"options": "mutual"}}
    proxy = portico(config)
    assert ask(proxy, "open.example").status == 200
    response = ask(proxy, "open.example", host="closed.example")
    assert response.status == 421 and proxy.access(where=lambda line: line.get("reason") == "misdirected")
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        ask(proxy, "closed.example")
    friend = authority.issue("friend", client=True)
    assert ask(proxy, "closed.example", client=friend).status == 200


@pytest.mark.parametrize("options", [["default", "mutual"], ["mutual", "default"]])
def test_routers_that_disagree_on_a_hosts_options_get_the_default_ones(portico, backend, authority, options):
    config = secure(backend(), authority.issue("localhost"), options={"mutual": {"clientAuth": {"clientAuthType": "RequireAnyClientCert"}}})
    for number, name in enumerate(options):
        config["http"]["routers"][f"r{number}"] = {"rule": f"Host(`localhost`) && Path(`/{number}`)", "service": "main", "tls": {"options": name}}
    proxy = portico(config)
    assert ask(proxy, target="/0").status == 200 and "other TLS options in another router" in proxy.log


def test_a_host_of_its_own_options_is_not_held_to_its_wildcards(portico, backend, authority):
    config = secure(backend(), authority.issue("*.example"), router={"rule": "Host(`open.example`)"},
                    options={"mutual": {"clientAuth": {"clientAuthType": "RequireAnyClientCert"}}})
    config["http"]["routers"]["closed"] = {"rule": "Host(`*.example`)", "service": "main", "tls": {"options": "mutual"}}
    proxy = portico(config)
    assert ask(proxy, "open.example").status == 200
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        ask(proxy, "closed.example")


def test_sessions_of_one_hosts_options_are_not_resumed_for_another(portico, backend, authority):
    config = secure(backend(), authority.issue("open.example"), authority.issue("closed.example"),
                    options={"mutual": {"clientAuth": {"clientAuthType": "RequireAnyClientCert"}}},
                    router={"rule": "Host(`open.example`)"})
    config["http"]["routers"]["closed"] = {"rule": "Host(`closed.example`)", "service": "main", "tls": {"options": "mutual"}}
    proxy = portico(config)
    context = context_for(versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    first = connect(proxy, "open.example", context=context)
    assert first.request(host="open.example").status == 200
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        second = connect(proxy, "closed.example", context=context, session=first.socket.session)
        second.request(host="closed.example")


@pytest.mark.parametrize("library", (False, True))
def test_records_may_be_left_to_the_library(portico, backend, authority, library):
    body = bytes(range(256)) * 1024
    proxy = portico(secure(backend(lambda request: response_bytes(body=request.body)), authority.issue("localhost"),
                           options={"default": {"libraryRecords": library}}))
    client = connect(proxy, authority=authority)
    for _ in range(3):
        assert client.request("POST", "/", body=body).body == body


# Sessions

def resumed(proxy, context, session):
    client = connect(proxy, context=context, session=session)
    assert client.request().status == 200
    session = client.socket.session
    reused = client.socket.session_reused
    client.close()
    return reused, session


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
def test_sessions_are_resumed_on_every_worker_and_survive_a_reload(portico, backend, authority, version):
    config = secure(backend(), authority.issue("localhost"), workers=4)
    proxy = portico(config)
    context = context_for(authority, versions=(version, version))
    reused, session = resumed(proxy, context, None)
    assert not reused
    for _ in range(12):
        reused, session = resumed(proxy, context, session)
        assert reused
    config["http"]["routers"]["more"] = {"rule": "Path(`/more`)", "service": "main", "tls": {}}
    proxy.write(config)
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("the reload", lambda: "is running" in proxy.log)
    assert resumed(proxy, context, session)[0]


def test_tickets_can_be_switched_off(portico, backend, authority):
    proxy = portico(secure(backend(), authority.issue("localhost"), options={"default": {"disableSessionTickets": True}}))
    context = context_for(versions=(ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3))
    _, session = resumed(proxy, context, None)
    assert session is None or not resumed(proxy, context, session)[0]


# Many

def test_five_hundred_certificates_are_all_served(portico, backend, authority):
    issued = [authority.issue(f"h{i}.example") for i in range(500)]
    proxy = portico(secure(backend(), *issued))
    for i in (0, 1, 250, 499):
        assert connect(proxy, f"h{i}.example").serial == issued[i].serial


# Headers

def test_strict_transport_security_is_sent_over_tls(portico, backend, authority):
    config = secure(backend(), authority.issue("localhost"))
    config["http"]["middlewares"] = {"hsts": {"headers": {"stsSeconds": 31536000, "stsIncludeSubdomains": True}}}
    config["http"]["routers"]["main"]["middlewares"] = ["hsts"]
    proxy = portico(config)
    assert ask(proxy).get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


# Mistakes

MISTAKES = {
    "a missing file": ({"certificates": [{"certFile": "/nowhere.pem", "keyFile": "/nowhere.key"}]}, "cannot load certificate"),
    "an unknown cipher": ({"options": {"default": {"cipherSuites": ["TLS_MADE_UP"]}}}, "TLS_MADE_UP"),
    "an unknown curve": ({"options": {"default": {"curvePreferences": ["CurveP999"]}}}, "CurveP999"),
    "an unknown mode": ({"options": {"default": {"clientAuth": {"clientAuthType": "Maybe"}}}}, "Maybe"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_at_their_place(run, tmp_path, mistake):
    import json
    tls, words = MISTAKES[mistake]
    path = tmp_path / "portico.yaml"
    path.write_text(json.dumps({**to("http://127.0.0.1:1", router={"tls": {}}), "tls": tls}, indent=2))
    checked = run("check", path)
    assert checked.returncode == 1 and words in checked.stderr and f"{path}:" in checked.stderr, checked.stderr


@pytest.mark.parametrize("key, value, suggestion", [("options", "mutal", "mutual"), ("certResolver", "letsencript", "letsencrypt")])
def test_references_that_lead_nowhere_are_told_with_a_suggestion(run, tmp_path, key, value, suggestion):
    import json
    path = tmp_path / "portico.yaml"
    config = to("http://127.0.0.1:1", rule="Host(`a.example`)", router={"tls": {key: value}})
    config["tls"] = {"options": {"mutual": {}}}
    config["certificatesResolvers"] = {"letsencrypt": {"acme": {"storage": str(tmp_path / "acme.json")}}}
    path.write_text(json.dumps(config, indent=2))
    checked = run("check", path)
    assert checked.returncode == 1 and f"unknown" in checked.stderr and suggestion in checked.stderr, checked.stderr
