"""What goes wrong around certificates that come by themselves: it stops nothing, is told with what to do, and is over when it is over."""
import json
import signal
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.certificates import Authority
from harness.http1 import response_bytes
from harness.portico import command
from harness.waiting import wait_for
from test_acme import config, one, pebble, router, shown, wait_for_certificate     # noqa: F401 - a fixture

ENDLESS = 2 ** 63 - 1
FLOOD = 60


def reload(proxy, made, generation):
    proxy.write(made)
    proxy.process.wait_for_output(f"configuration {generation} is running")


def test_what_could_not_be_saved_is_served_on_when_its_resolver_changes(pebble, portico, backend):
    ca, main = pebble(), backend()
    storage = f"/sys/portico-{ca.port}/acme/"
    proxy = portico(one(ca, main, storage, tlsChallenge={}), ports=ca.ports)
    serial = wait_for_certificate(proxy, ca, "a.example").serial_number
    assert "cannot save its state" in proxy.log
    reload(proxy, one(ca, main, storage, tlsChallenge={}, email="other@example.com"), 2)
    assert shown(ca, "a.example").serial_number == serial
    assert proxy.log.count("ordering a certificate") == 1


def test_another_resolver_goes_on_with_the_certificate_of_one_that_is_removed(pebble, portico, backend, tmp_path):
    ca, main = pebble(), backend()
    resolvers = {name: ca.resolver(f"{tmp_path}/{name}/", tlsChallenge={}) for name in ("former", "latter")}
    proxy = portico(config(main, {"main": router("a.example", resolver="former")}, resolvers), ports=ca.ports)
    serial = wait_for_certificate(proxy, ca, "a.example").serial_number
    reload(proxy, config(main, {"main": router("a.example", resolver="latter")}, {"latter": resolvers["latter"]}), 2)
    assert shown(ca, "a.example").serial_number == serial
    assert proxy.log.count("ordering a certificate") == 1
    assert (tmp_path / "latter" / "a.example" / "certificate.pem").exists()


def test_a_problem_of_a_name_that_is_gone_is_forgotten(pebble, portico, backend, tmp_path, run):
    ca, main = pebble(), backend()
    ca.tell_dns("add-a", host="lost.example.", addresses=["127.0.0.9"])
    resolvers = {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})}
    proxy = portico(config(main, {"good": router("a.example"), "bad": router("lost.example")}, resolvers), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    proxy.process.wait_for_output("no certificate for lost.example")
    assert "lost.example" in run("certs", "--config", proxy.config_path).stdout
    reload(proxy, config(main, {"good": router("a.example")}, resolvers), 2)
    wait_for("the end of the problem", lambda: "lost.example" not in run("certs", "--config", proxy.config_path).stdout)


@pytest.mark.parametrize("failed_at", [4102444800, ENDLESS])
def test_a_failure_that_a_fast_clock_noted_is_nothing_to_wait_for(pebble, portico, backend, tmp_path, failed_at):
    ca = pebble()
    storage = tmp_path / "acme"
    storage.mkdir()
    account = storage / "account.json"
    account.write_text(json.dumps({"Problems": [{"domain": {"main": "a.example"}, "text": "it expired", "failures": 9,
                                                 "failedAt": failed_at, "nextTry": failed_at}]}))
    account.chmod(0o600)
    proxy = portico(one(ca, backend(), storage, tlsChallenge={}), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")


def test_a_certificate_that_expires_while_the_ca_is_down_is_served_and_told(pebble, portico, backend, tmp_path):
    ca = pebble(validity=4)
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    ca.kill()
    proxy.process.wait_for_output("and the former one has expired")
    (line, *_) = [line for line in proxy.log.splitlines() if "has expired" in line]
    assert " ERR " in line and "can this machine reach the CA" in line


def test_an_account_that_was_deactivated_is_made_anew_when_it_is_taken_out_of_the_storage(pebble, portico, backend, tmp_path):
    ca, main = pebble(), backend()
    resolvers = {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})}
    proxy = portico(config(main, {"a": router("a.example")}, resolvers), ports=ca.ports)
    wait_for_certificate(proxy, ca, "a.example")
    proxy.stop()
    path = tmp_path / "acme" / "account.json"
    stored = json.loads(path.read_text())
    ca.deactivate(stored["Account"])
    proxy = portico(config(main, {"a": router("a.example"), "b": router("b.example")}, resolvers), ports=ca.ports)
    proxy.process.wait_for_output("set 'Account' to null in the storage")
    wait_for("the problem in storage", lambda: "Problems" in json.loads(path.read_text()))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"Account": None}))
    proxy.process.signal(signal.SIGHUP)
    wait_for_certificate(proxy, ca, "b.example")
    assert json.loads(path.read_text())["Account"]["PrivateKey"] != stored["Account"]["PrivateKey"]


def test_a_storage_that_cannot_be_read_for_a_while_is_read_again_soon(pebble, portico, backend, tmp_path):
    ca = pebble(validity=9)
    proxy = portico(one(ca, backend(), f"{tmp_path}/acme/", tlsChallenge={}), ports=ca.ports)
    first = wait_for_certificate(proxy, ca, "a.example").serial_number
    account = tmp_path / "acme" / "account.json"
    account.chmod(0o644)
    proxy.process.wait_for_output("cannot read its storage")
    account.chmod(0o600)
    wait_for_certificate(proxy, ca, "a.example", lambda certificate: certificate.serial_number != first)
    assert proxy.log.count("cannot read its storage") == 1 and "can be read again" in proxy.log


def test_a_ca_that_is_none_is_told_with_what_to_look_at(portico, backend, tmp_path, stack):
    class Nobody(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *arguments):
            pass
    authority = Authority(tmp_path / "authority")
    for days, words in [(30, "is caServer the URL of an ACME directory?"), (-1, "is this machine's clock right?")]:
        issued = authority.issue("localhost", days=days, began_days_ago=9)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Nobody)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.cert, issued.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        acme = {"storage": f"{tmp_path}/acme{days}/", "caServer": f"https://localhost:{server.server_port}/dir",
                "caCertificates": [str(authority.cert)], "tlsChallenge": {}}
        portico(config(backend(), {"a": router("a.example")}, {"le": {"acme": acme}})).process.wait_for_output(words)


@pytest.mark.parametrize("acme, words", [
    ({"storage": "acme.json"}, "chmod 600 acme.json"),
    ({"storage": "other.json", "dnsChallenge": {"command": " "}}, "dnsChallenge needs a 'command'"),
    ({"storage": "other.json", "eab": {"kid": "one", "hmacEncoded": "!"}}, "is not base64url"),
])
def test_check_sees_what_run_would_refuse(tmp_path, acme, words):
    (tmp_path / "acme.json").write_text("{}")
    (tmp_path / "acme.json").chmod(0o644)
    (tmp_path / "portico.yaml").write_text(json.dumps({"certificatesResolvers": {"le": {"acme": acme}}}))
    result = command("check", "portico.yaml", cwd=tmp_path)
    assert result.returncode == 1 and words in result.stderr, result.stderr


def test_a_flood_of_names_that_are_not_permitted_does_not_fill_the_log(pebble, portico, backend, tmp_path):
    ca = pebble()
    asked = []
    service = backend(lambda request: asked.append(request.target) or response_bytes(status=403))
    made = config(backend(), {"known": router("a.example"), "main": {"rule": "PathPrefix(`/`)", "service": "main"}},
                  {"le": ca.resolver(f"{tmp_path}/acme/", tlsChallenge={})},
                  automaticHTTPS={"entryPoint": "websecure", "resolver": "le", "onDemand": {"ask": f"{service.url}/may"}})
    proxy = portico(made, ports=ca.ports, env={"PORTICO_DATA": str(tmp_path / "data")})
    serial = wait_for_certificate(proxy, ca, "a.example").serial_number
    root = ca.root()
    for number in range(FLOOD):
        assert shown(ca, f"n{number}.example", root) is None
    assert len(asked) == FLOOD
    assert proxy.log.count("the permission service said 403") <= 20
    assert "told at level debug alone" in proxy.log
    assert shown(ca, "a.example", root).serial_number == serial
