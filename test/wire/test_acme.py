"""Certificates that come by themselves, from pebble."""
import base64
import json
import signal
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness.acme import EAB_KEY, EAB_KID, Pebble
from harness.ari_proxy import AriProxy
from harness.http1 import response_bytes
from harness.ports import free_port
from harness.portico import Portico, to
from harness.tls import TlsClient
from harness.waiting import wait_for

HOOK = Path(__file__).parent / "peers" / "dns_hook.py"


@pytest.fixture
def pebble(stack, tmp_path):
    """pebble(...) is a CA of the test's own; see harness.acme.Pebble. `start=False`: it is down at first."""
    made = []

    def start(start=True, **more):
        ca = Pebble(tmp_path / f"pebble{len(made)}", **more)
        made.append(ca)
        stack.callback(ca.stop)
        return ca.start() if start else ca
    return start


def router(*names, resolver="le", **tls):
    return {"rule": " || ".join(f"Host(`{name}`)" for name in names), "service": "main", "entryPoints": ["websecure"],
            "tls": {"certResolver": resolver, **tls}}


def config(backend, routers, resolvers, **more):
    made = to(backend.url, certificatesResolvers=resolvers, entryPoints={"web": {}, "websecure": {}}, **more)
    made["http"]["routers"] = routers
    return made


def one(ca, backend, storage, *names, **acme):
    return config(backend, {"main": router(*(names or ["a.example"]))}, {"le": ca.resolver(storage, **acme)})


def shown(ca, name, root=None, port=None):
    """The certificate that is shown for `name`, verified; None while it cannot be."""
    try:
        client = TlsClient(port or ca.tls_port, name, authority=root or ca.root())
    except (OSError, ssl.SSLError):
        return None
    certificate = client.shown
    client.close()
    return certificate


def wait_for_certificate(proxy, ca, name, wanted=lambda certificate: True, root=None, port=None):
    root = root or ca.root()

    def issued():
        certificate = shown(ca, name, root, port)
        return certificate if certificate is not None and wanted(certificate) else None
    return proxy.wait_until(f"a certificate for {name}", issued)


def get(ca, name):
    client = TlsClient(ca.tls_port, name, authority=ca.root())
    response = client.request(host=name)
    client.close()
    return response


def names_of(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("challenge", ["tlsChallenge", "httpChallenge", None])
def test_a_router_gets_its_certificate(pebble, portico, backend, tmp_path, challenge):
    ca = pebble()
    challenges = {challenge: {"entryPoint": "web"} if challenge == "httpChallenge" else {}} if challenge else {}
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", "a.example", "b.example", **challenges), ports=ca.ports)
    certificate = wait_for_certificate(proxy, ca, "a.example")
    assert sorted(names_of(certificate)) == ["a.example", "b.example"]
    assert get(ca, "b.example").body == b"fine"
    account = tmp_path / "acme" / "account.json"
    assert stat.S_IMODE(account.stat().st_mode) == 0o600
    assert (tmp_path / "acme" / "a.example" / "certificate.pem").exists()


def test_until_it_is_issued_the_default_certificate_is_served(pebble, portico, backend, tmp_path):
    ca = pebble(start=False)
    portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    client = TlsClient(ca.tls_port, "a.example")
    assert client.request(host="a.example").status == 200
    client.close()


def test_the_file_is_one_that_traefik_reads(pebble, portico, backend, tmp_path):
    ca = pebble()
    storage = tmp_path / "acme.json"
    storage.write_text(json.dumps({"other": {"Account": None, "Certificates": None}}))
    storage.chmod(0o600)
    proxy = portico(one(ca, backend(), storage, tlsChallenge={}), ports=ca.ports)
    certificate = wait_for_certificate(proxy, ca, "a.example")
    wait_for("the certificate in the file", lambda: json.loads(storage.read_text())["le"]["Certificates"])
    assert stat.S_IMODE(storage.stat().st_mode) == 0o600
    written = json.loads(storage.read_text())
    assert written["other"] == {"Account": None, "Certificates": None}
    account, (stored,) = written["le"]["Account"], written["le"]["Certificates"]
    assert account["Email"] == "owner@example.com"
    assert account["Registration"]["uri"].startswith("https://localhost:")
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    assert load_der_private_key(base64.b64decode(account["PrivateKey"]), None).key_size == 4096
    assert stored["domain"] == {"main": "a.example"} and stored["Store"] == "default"
    assert x509.load_pem_x509_certificate(base64.b64decode(stored["certificate"])).serial_number == certificate.serial_number


def test_a_restart_serves_what_is_stored_without_the_ca(pebble, portico, backend, tmp_path):
    ca = pebble()
    made = one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={})
    proxy = portico(made, ports=ca.ports)
    root = ca.root()
    serial = wait_for_certificate(proxy, ca, "a.example", root=root).serial_number
    proxy.stop()
    ca.kill()
    portico(made, ports=ca.ports)
    assert shown(ca, "a.example", root).serial_number == serial


@pytest.mark.parametrize("check", [True, False])
def test_a_wildcard_comes_by_dns(pebble, portico, backend, tmp_path, check):
    ca = pebble()
    propagation = {"delayBeforeChecks": "10ms"} if check else {"disableChecks": True}
    dns = {"command": f"{HOOK} http://127.0.0.1:{ca.dns_management_port}", "resolvers": [f"127.0.0.1:{ca.dns_port}"],
           "propagation": propagation}
    routers = {"main": router("*.a.example") | {"rule": "HostRegexp(`^[a-z]+\\.a\\.example$`)"}, "one": router("b.a.example")}
    routers["main"]["tls"]["domains"] = [{"main": "a.example", "sans": ["*.a.example"]}]
    proxy = portico(config(backend(), routers, {"le": ca.resolver(f"{tmp_path}/acme/", dnsChallenge=dns)}), ports=ca.ports)
    certificate = wait_for_certificate(proxy, ca, "x.a.example")
    assert sorted(names_of(certificate)) == ["*.a.example", "a.example"]
    assert shown(ca, "b.a.example").serial_number == certificate.serial_number
    assert len(list((tmp_path / "acme").glob("*/key.pem"))) == 1


def test_a_hook_that_fails_is_told_with_its_output(pebble, portico, backend, tmp_path):
    ca = pebble()
    dns = {"command": "ls -d /nonexistent-zone"}
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", dnsChallenge=dns), ports=ca.ports)
    proxy.process.wait_for_output("exit status 2: ")
    assert "/nonexistent-zone" in proxy.log


def test_an_account_is_bound_to_an_external_one(pebble, portico, backend, tmp_path):
    ca = pebble(eab=True)
    eab = {"kid": EAB_KID, "hmacEncoded": EAB_KEY}
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}, eab=eab), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")


def test_the_preferred_chain_is_taken(pebble, portico, backend, tmp_path):
    ca = pebble(env={"PEBBLE_ALTERNATE_ROOTS": "2"})
    roots = [ca.root(number) for number in range(3)]
    wanted = x509.load_pem_x509_certificate(roots[2].read_bytes())
    name = wanted.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}, preferredChain=name), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example", root=roots[2])
    assert shown(ca, "a.example", roots[0]) is None


@pytest.mark.tsan
def test_renewals_disturb_no_request(pebble, portico, backend, tmp_path):
    ca = pebble(validity=9)
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    root = ca.root()
    wait_for_certificate(proxy, ca, "a.example", root=root)
    serials, failures, done = set(), [], threading.Event()

    def visit():
        while not done.is_set():
            try:
                client = TlsClient(ca.tls_port, "a.example", authority=root)
                serials.add(client.serial)
                assert client.request(host="a.example").status == 200
                client.close()
            except Exception as error:      # noqa: BLE001 - any failure counts
                failures.append(error)
    thread = threading.Thread(target=visit)
    thread.start()
    try:
        proxy.wait_until("two renewals", lambda: len(serials) >= 3)
    finally:
        done.set()
        thread.join()
    assert not failures, failures[:3]


def test_refused_nonces_are_no_obstacle(pebble, portico, backend, tmp_path):
    ca = pebble(env={"PEBBLE_WFE_NONCEREJECT": "50"})
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")


def test_a_name_that_leads_elsewhere_is_told_with_a_hint(pebble, portico, backend, tmp_path):
    ca = pebble()
    ca.tell_dns("add-a", host="lost.example.", addresses=["127.0.0.9"])
    routers = {"good": router("a.example"), "bad": router("lost.example")}
    proxy = portico(config(backend(), routers, {"le": ca.resolver(f"{tmp_path}/acme/", httpChallenge={"entryPoint": "web"})}),
                    ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    proxy.process.wait_for_output("no certificate for lost.example")
    (line,) = [line for line in proxy.log.splitlines() if "no certificate for lost.example" in line]
    assert "http-01" in line and "lost.example" in line and "port 80" in line and "tried again in" in line, line


def test_a_ca_that_is_down_is_asked_until_it_is_back(pebble, portico, backend, tmp_path):
    ca = pebble(start=False)
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    proxy.process.wait_for_output("cannot use the CA")
    ca.start()
    wait_for_certificate(proxy, ca, "a.example")


def test_an_order_under_way_is_taken_up_after_a_restart(pebble, portico, backend, tmp_path, stack):
    ca = pebble()
    go = tmp_path / "go"
    dns = {"command": f"{HOOK} http://127.0.0.1:{ca.dns_management_port} {go}", "resolvers": [f"127.0.0.1:{ca.dns_port}"]}
    made = one(ca, backend(), f"{tmp_path}/acme/", "a.example", dnsChallenge=dns)
    folder = tmp_path / "killed"
    folder.mkdir()
    proxy = Portico(folder, made, ports=ca.ports)
    stack.callback(proxy.process.kill)
    account = tmp_path / "acme" / "account.json"
    wait_for("the order in storage", lambda: account.exists() and "Orders" in json.loads(account.read_text()))
    url = json.loads(account.read_text())["Orders"][0]["url"]
    proxy.process.kill()
    go.touch()
    again = portico(made, ports=ca.ports)
    again.process.wait_for_output("taking up the order")
    wait_for_certificate(again, ca, "a.example")
    again.wait_until("the order to be over", lambda: "Orders" not in json.loads(account.read_text()))
    assert ca.log.count("There are now 1 orders in the db") == 1 and "There are now 2 orders" not in ca.log, url


def refusal_of_storage(run, folder, content, mode):
    """What is said of a storage with which nothing starts, and which is left as it is."""
    storage = folder / "acme.json"
    storage.write_text(content)
    storage.chmod(mode)
    path = folder / "portico.yaml"
    path.write_text(json.dumps({
        "entryPoints": {"web": {"address": "127.0.0.1:0"}},
        "certificatesResolvers": {"le": {"acme": {"storage": str(storage), "tlsChallenge": {}}}}}))
    result = run("run", "--config", path)
    assert result.returncode != 0
    assert storage.read_text() == content
    return result.stderr


def test_a_storage_that_others_may_read_is_refused(tmp_path, run):
    assert f"chmod 600 {tmp_path}/acme.json" in refusal_of_storage(run, tmp_path, "{}", 0o644)


def test_a_broken_storage_is_refused_and_left_alone(tmp_path, run):
    assert "le.Certificates is not a list" in refusal_of_storage(run, tmp_path, '{"le": {"Certificates": 1}}', 0o600)


def test_the_ca_says_when_to_renew_and_with_which_profile(pebble, portico, backend, tmp_path, stack):
    ca = pebble()
    front = AriProxy(ca, tmp_path / "front", profiles=["shortlived"])
    stack.callback(front.stop)
    made = one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}, caServer=front.directory, profile="shortlived",
               caCertificates=[str(ca.authority.cert)])
    proxy = portico(made, ports=ca.ports)
    first = wait_for_certificate(proxy, ca, "a.example")
    second = wait_for_certificate(proxy, ca, "a.example", lambda certificate: certificate.serial_number != first.serial_number)
    orders = wait_for("two orders", lambda: front.orders if len(front.orders) >= 2 else None)
    assert all(order["profile"] == "shortlived" for order in orders)
    assert "replaces" not in orders[0] and orders[1]["replaces"] == front.asked[0]
    wait_for("the new certificate's window to be asked for", lambda: len(set(front.asked)) == 2)
    assert shown(ca, "a.example").serial_number == second.serial_number
    assert len(front.orders) == 2


def test_a_name_gets_its_certificate_at_its_first_handshake(pebble, portico, backend, tmp_path):
    ca = pebble()
    asked = []

    def permit(request):
        asked.append(request.target)
        return response_bytes(status=200 if request.target == "/may?domain=good.example" else 403)
    service = backend(permit)
    made = config(backend(), {"main": {"rule": "PathPrefix(`/`)", "service": "main"}},
                  {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})},
                  automaticHTTPS={"entryPoint": "websecure", "resolver": "le", "onDemand": {"ask": f"{service.url}/may"}})
    proxy = portico(made, ports=ca.ports, env={"PORTICO_DATA": str(tmp_path / "data")})
    results, root = [], ca.root()

    def visit():
        client = TlsClient(ca.tls_port, "good.example", authority=root)
        results.append(client.serial)
        client.close()
    threads = [threading.Thread(target=visit) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 5 and len(set(results)) == 1
    assert asked.count("/may?domain=good.example") == 1
    assert shown(ca, "bad.example") is None
    assert "/may?domain=bad.example" in asked
    proxy.process.wait_for_output("no certificate for 'bad.example' on demand: the permission service said 403")


def test_when_the_first_ca_is_away_the_other_one_is_asked(pebble, portico, backend, tmp_path):
    ca = pebble()
    made = one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}, caServer=f"https://localhost:{free_port()}/dir",
               fallback={"caServer": ca.directory})
    proxy = portico(made, ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    written = json.loads((tmp_path / "acme" / "account.json").read_text())
    assert written["FallbackAccount"]["Registration"]["uri"].startswith("https://localhost:")


def test_two_processes_that_share_a_storage_order_once(pebble, portico, backend, tmp_path):
    ca = pebble()
    first = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    other = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}))
    serial = wait_for_certificate(first, ca, "a.example").serial_number
    certificate = wait_for_certificate(other, ca, "a.example", port=other.ports["websecure"])
    assert certificate.serial_number == serial
    assert "There are now 2 orders" not in ca.log


def test_many_routers_for_one_set_of_names_make_one_order(pebble, portico, backend, tmp_path):
    ca = pebble()
    routers = {f"r{number}": router("a.example", "b.example") | {"priority": number + 1} for number in range(5)}
    routers["single"] = router("b.example")
    proxy = portico(config(backend(), routers, {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})}), ports=ca.ports)
    serial = wait_for_certificate(proxy, ca, "a.example").serial_number
    assert shown(ca, "b.example").serial_number == serial
    assert "There are now 2 orders" not in ca.log


def test_a_name_that_a_file_covers_is_not_ordered(pebble, portico, backend, tmp_path):
    ca = pebble()
    issued = ca.authority.issue("*.a.example")
    made = config(backend(), {"main": router("b.a.example"), "other": router("c.example")},
                  {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})}, tls={"certificates": [issued.options]})
    proxy = portico(made, ports=ca.ports)
    wait_for_certificate(proxy, ca, "c.example")
    assert shown(ca, "b.a.example", ca.authority.cert).serial_number == issued.serial
    assert not (tmp_path / "acme" / "b.a.example").exists()


def test_a_storage_that_cannot_be_written_stops_nothing(pebble, portico, backend, tmp_path):
    ca = pebble()
    proxy = portico(one(ca, backend(), f"/sys/portico-{ca.port}/acme.json", tlsChallenge={}), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    assert "cannot save its state" in proxy.log


def renew(proxy, name):
    return proxy.request("POST", "/api/portico/certificates/renew", [("Content-Type", "application/json")],
                         json.dumps({"name": name}).encode(), entry_point="web")


def with_api(made):
    made["api"] = {"writers": ["*"]}
    made["http"]["routers"]["api"] = {"rule": "PathPrefix(`/api`)", "service": "api@internal", "entryPoints": ["web"]}
    return made


def test_a_certificate_is_renewed_when_somebody_asks(pebble, portico, backend, tmp_path):
    ca = pebble()
    made = with_api(one(ca, backend(), f"{tmp_path}/acme/", "a.example", "b.example", tlsChallenge={}))
    proxy = portico(made, ports=ca.ports)
    first = wait_for_certificate(proxy, ca, "a.example")
    response = renew(proxy, "B.example")
    assert response.status == 200 and "a.example is ordered from resolver 'le' now" in response.json()["message"]
    second = wait_for_certificate(proxy, ca, "a.example", lambda shown: shown.serial_number != first.serial_number)
    assert "was renewed" in proxy.log
    # It was asked for once: the next one comes in its time.
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("a reload", lambda: "configuration 2 is running" in proxy.log)
    assert proxy.log.count("acme: ordering") == 2 and shown(ca, "a.example").serial_number == second.serial_number
    response = renew(proxy, "c.example")
    assert response.status == 404 and "c.example" in response.json()["message"]


def test_a_renewal_that_fails_says_why_and_when_it_is_tried_again(pebble, portico, backend, tmp_path):
    ca = pebble()
    proxy = portico(with_api(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={})), ports=ca.ports)
    certificate = wait_for_certificate(proxy, ca, "a.example")
    root = ca.root()
    ca.stop()
    renew(proxy, "a.example")
    message = proxy.wait_until("a failure", lambda: (text := renew(proxy, "a.example").json()["message"]) and "failed (" in text and text)
    assert "the next one is in" in message
    assert shown(ca, "a.example", root).serial_number == certificate.serial_number
