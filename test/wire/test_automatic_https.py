"""automaticHTTPS: a router that names a host is reachable over HTTPS, and plain HTTP leads there. `portico proxy` is this with
flags, `portico certs` shows what came of it."""
import json
import re
import signal
import ssl

import pytest

from harness.acme import Pebble
from harness.certificates import Authority
from harness.client import Client
from harness.ports import free_port
from harness.portico import BINARY, command, to
from harness.process import Process
from harness.tls import TlsClient
from harness.waiting import wait_for

ENTRY_POINTS = {"web": {}, "websecure": {}}


@pytest.fixture
def data(tmp_path):
    """Where the local CA and everything else that nobody gave a place is kept."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def automatic(portico, data):
    """automatic(config, options) runs a configuration under automatic HTTPS with a data folder of the test's own."""
    def start(config, options=True, **more):
        return portico({"automaticHTTPS": options, "entryPoints": ENTRY_POINTS, **config}, env={"PORTICO_DATA": str(data)}, **more)
    return start


def root_of(data):
    return data / "ca" / "root.crt"


def plain(proxy, host, target="/", method="GET", entry_point="web", body=b""):
    client = proxy.client(entry_point)
    response = client.request(method, target, body=body, host=host)
    client.close()
    return response


def over_tls(proxy, host, target="/", authority=None, entry_point="websecure"):
    client = TlsClient(proxy.ports[entry_point], host, authority=authority)
    response = client.request("GET", target, host=host)
    client.close()
    return response


def answers_with_trust(port, name, data):
    """The first connection on which the local CA's certificate is shown and verifies."""
    def connected():
        try:
            return TlsClient(port, name, authority=root_of(data)) if root_of(data).exists() else None
        except (ssl.SSLError, OSError):
            return None
    return wait_for(f"a certificate of the local CA for {name}", connected)


# Certificates

def test_a_local_name_gets_a_certificate_that_the_root_of_this_machine_vouches_for(automatic, backend, data):
    server = backend()
    proxy = automatic(to(server.url, rule="Host(`app.localhost`)"))
    client = answers_with_trust(proxy.ports["websecure"], "app.localhost", data)
    assert client.names == ["app.localhost"]
    assert client.request("GET", "/", host="app.localhost").status == 200
    assert server.requests[-1].get("X-Forwarded-Proto") == "https"
    client.close()


def test_a_name_that_a_reload_adds_gets_one_too(automatic, backend, data):
    server = backend()
    options = {"automaticHTTPS": True, "entryPoints": ENTRY_POINTS, "providers": {"providersThrottleDuration": "50ms"}}
    proxy = automatic(to(server.url, rule="Host(`app.localhost`)", **options))
    answers_with_trust(proxy.ports["websecure"], "app.localhost", data).close()
    proxy.write(to(server.url, rule="Host(`app.localhost`) || Host(`more.localhost`)", **options))
    answers_with_trust(proxy.ports["websecure"], "more.localhost", data).close()


def test_a_certificate_file_comes_before_the_local_ca(automatic, backend, authority):
    own = authority.issue("app.localhost")
    proxy = automatic(to(backend().url, rule="Host(`app.localhost`)", tls={"certificates": [own.options]}))
    client = TlsClient(proxy.ports["websecure"], "app.localhost", authority=authority)
    assert client.serial == own.serial
    client.close()


def test_public_names_come_from_the_only_acme_resolver_and_local_ones_from_this_machine(portico, backend, data, tmp_path, stack):
    ca = Pebble(tmp_path / "pebble")
    stack.callback(ca.stop)
    ca.start()
    config = to(backend().url, rule="Host(`shop.example`) || Host(`shop.localhost`)", automaticHTTPS=True, entryPoints=ENTRY_POINTS,
                certificatesResolvers={"le": ca.resolver(f"{tmp_path}/acme/", httpChallenge={"entryPoint": "web"})})
    portico(config, ports=ca.ports, env={"PORTICO_DATA": str(data)})

    def issued():
        try:
            return TlsClient(ca.tls_port, "shop.example", authority=ca.root())
        except (ssl.SSLError, OSError):
            return None
    client = wait_for("a certificate of pebble's", issued)     # by HTTP-01: its path was not redirected
    assert client.names == ["shop.example"]
    client.close()
    answers_with_trust(ca.tls_port, "shop.localhost", data).close()

    def stored():
        return [one for one in json.loads(certs(tmp_path, config, "--json").stdout) if one["source"] == "le"]
    listed, = wait_for("the certificate in the storage", stored)
    assert listed["names"] == ["shop.example"] and listed["state"] == "issued" and listed["keyType"] == "ECDSA"
    assert listed["renewAt"] < listed["notAfter"] and not listed["expired"]
    told = explain(tmp_path, config, f"https://shop.example:{ca.tls_port}/")["tls"]
    assert told["source"] == "the resolver 'le' got it" and told["certificate"].startswith("CN=shop.example of ")


# Redirects

@pytest.mark.parametrize("method, status", [("GET", 301), ("HEAD", 308), ("POST", 308), ("PUT", 308)])
def test_plain_http_is_sent_to_https(automatic, backend, method, status):
    server = backend()
    proxy = automatic(to(server.url, rule="Host(`app.localhost`)"))
    client = proxy.client("web")
    client.send_request(method, "/a?b=c", host="app.localhost", body=b"x" if method in ("POST", "PUT") else b"")
    response = client.response(method)
    assert response.status == status
    assert response.get("Location") == f"https://app.localhost:{proxy.ports['websecure']}/a?b=c"
    assert not server.requests


def test_plain_http_on_the_port_of_https_is_sent_to_https_too(automatic, backend):
    proxy = automatic(to(backend().url, rule="Host(`app.localhost`)"))
    response = plain(proxy, f"app.localhost:{proxy.ports['websecure']}", "/x", entry_point="websecure")
    assert response.status == 301
    assert response.get("Location") == f"https://app.localhost:{proxy.ports['websecure']}/x"


def test_without_the_redirect_both_are_served(automatic, backend, data):
    proxy = automatic(to(backend().url, rule="Host(`app.localhost`)"), {"redirect": False})
    assert plain(proxy, "app.localhost").status == 200
    assert over_tls(proxy, "app.localhost").status == 200


def test_routes_without_a_host_stay_plain(automatic, backend):
    server = backend()
    config = to(server.url, rule="Host(`app.localhost`)")
    config["http"]["routers"]["any"] = {"rule": "PathPrefix(`/any`)", "service": "main"}
    proxy = automatic(config)
    assert plain(proxy, "other.localhost", "/any").status == 200
    assert over_tls(proxy, "app.localhost", "/any").status == 200       # the host's router takes it
    assert over_tls(proxy, "other.localhost", "/any").status == 404


def test_a_route_that_says_where_it_is_stays_there(automatic, backend):
    proxy = automatic(to(backend().url, rule="Host(`app.localhost`)", router={"entryPoints": ["web"]}))
    assert plain(proxy, "app.localhost").status == 200


def test_the_path_of_acme_is_not_redirected(automatic, backend):
    proxy = automatic(to(backend().url, rule="Host(`app.localhost`)"))
    assert plain(proxy, "app.localhost", "/.well-known/acme-challenge/unknown").status == 404


# portico proxy

@pytest.fixture
def front(stack, tmp_path, data):
    """front("--from", ...) runs `portico proxy` on free ports and waits until it serves."""
    def start(*flags):
        http, https = free_port(), free_port()
        process = Process("proxy", [BINARY, "proxy", "--http-port", http, "--https-port", https, *flags], tmp_path / "proxy.log",
                          env={"PORTICO_DATA": str(data)}, cwd=tmp_path)
        stack.callback(process.kill)
        process.http, process.https = http, https
        process.wait_for_port(https)
        return process
    return start


def test_proxy_serves_an_application_over_https(front, backend, data):
    server = backend()
    process = front("--from", "app.localhost", "--to", f"127.0.0.1:{server.port}")
    client = answers_with_trust(process.https, "app.localhost", data)
    assert client.request("GET", "/hello", host="app.localhost").status == 200
    assert server.requests[-1].target == "/hello" and server.requests[-1].get("Host") == "app.localhost"
    client.close()
    redirect = Client(process.http)
    assert redirect.request("GET", "/", host="app.localhost").get("Location") == f"https://app.localhost:{process.https}/"
    redirect.close()
    process.wait_for_output("GET /hello HTTP/1.1")      # the access log is on
    assert f"https://app.localhost:{process.https} -> http://127.0.0.1:{server.port}" in process.output
    assert "'portico trust'" in process.output and "no option" not in process.output
    process.signal(signal.SIGHUP)
    process.wait_for_output("configuration 2 is running")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


def test_proxy_can_change_the_host_that_servers_see(front, backend, data):
    server = backend()
    process = front("--to", str(server.port), "--host-header", "server", "--no-access-log")
    client = answers_with_trust(process.https, "localhost", data)
    assert client.request("GET", "/", host="localhost").status == 200
    assert server.requests[-1].get("Host") == f"127.0.0.1:{server.port}"
    client.close()
    assert "GET /" not in process.output


def test_what_proxy_prints_is_a_configuration(tmp_path):
    run = command("proxy", "--from", "a.localhost", "--from", "b.localhost", "--to", "8001", "--to", "8002", "--print")
    path = tmp_path / "printed.yaml"
    path.write_text(run.stdout)
    assert run.returncode == 0 and command("check", path).returncode == 0


def test_proxy_says_what_is_missing():
    run = command("proxy", "--from", "a.localhost")
    assert run.returncode == 2 and "--from a.localhost has no --to behind it" in run.stderr
    run = command("proxy", "--form", "a.localhost")
    assert run.returncode == 2 and "did you mean '--from'?" in run.stderr


# portico certs

def with_addresses(config):
    """Entrypoints without an address, as the harness takes them, get one that nobody listens on."""
    entries = {name: {"address": f":{8080 + at}", **entry} for at, (name, entry) in enumerate(config.get("entryPoints", {}).items())}
    return {**config, **({"entryPoints": entries} if entries else {})}


def certs(folder, config, *flags):
    path = folder / "certs.yaml"
    path.write_text(json.dumps(with_addresses(config)))
    return command("certs", "--config", path, *flags, env={"PORTICO_DATA": str(folder / "data")})


def with_certificates(*issued):
    return {**to("http://127.0.0.1:1", router={"tls": {}}), "tls": {"certificates": [one.options for one in issued]}}


def test_certs_lists_what_files_hold(tmp_path):
    authority = Authority(tmp_path / "authority", name="Ours")
    one, other = authority.issue("a.example", "www.a.example"), authority.issue("b.example", key="rsa", days=90)
    run = certs(tmp_path, with_certificates(one, other))
    lines = run.stdout.splitlines()
    assert run.returncode == 0, run.stderr
    assert lines[0].split() == ["NAME", "ISSUER", "KEY", "EXPIRES", "RENEWAL", "SOURCE"]
    assert lines[1].startswith("a.example (+1)") and "Ours" in lines[1] and "ECDSA" in lines[1] and re.search(r"\(in (29|30) days\)", lines[1])
    assert lines[2].startswith("b.example") and "RSA" in lines[2] and re.search(r"\(in (89|90) days\)", lines[2])
    assert "\033" not in run.stdout
    listed = json.loads(certs(tmp_path, with_certificates(one, other), "--json").stdout)
    assert listed[0]["names"] == ["a.example", "www.a.example"] and int(listed[0]["serial"], 16) == one.serial
    assert listed[1]["keyType"] == "RSA" and not listed[1]["expired"] and listed[1]["state"] == "file"


def test_certs_fails_when_something_has_expired(tmp_path):
    old = Authority(tmp_path / "authority").issue("a.example", days=-3, began_days_ago=30)
    run = certs(tmp_path, with_certificates(old))
    assert run.returncode == 1 and "3 days ago" in run.stdout
    assert json.loads(certs(tmp_path, with_certificates(old), "--json").stdout)[0]["expired"] is True


def test_certs_names_what_is_asked_for_and_not_there_yet(tmp_path):
    config = {**to("http://127.0.0.1:1", rule="Host(`app.localhost`)"), "automaticHTTPS": True}
    listed = json.loads(certs(tmp_path, config, "--json").stdout)
    assert [one["names"] for one in listed] == [["app.localhost"]] and listed[0]["notAfter"] is None
    assert listed[0]["source"] == "the local CA" and listed[0]["state"] == "memory"


def test_certs_lists_the_root_of_the_local_ca(automatic, backend, data, tmp_path):
    config = to(backend().url, rule="Host(`app.localhost`)")
    answers_with_trust(automatic(config).ports["websecure"], "app.localhost", data).close()
    listed = json.loads(certs(tmp_path, {**config, "automaticHTTPS": True}, "--json").stdout)
    assert [one["state"] for one in listed if one["source"].startswith("file")] == ["root"]


# portico check and explain

def test_check_warns_of_certificates_that_end(tmp_path):
    authority = Authority(tmp_path / "authority")
    path = tmp_path / "check.yaml"
    for days, words in [(-3, "has expired"), (5, "ends on"), (30, None)]:
        issued = authority.issue("a.example", days=days, began_days_ago=10)
        path.write_text(json.dumps(with_certificates(issued)))
        run = command("check", path)
        assert run.returncode == 0
        assert (words in run.stderr) if words else run.stderr == ""


def explain(folder, config, url):
    path = folder / "explain.yaml"
    path.write_text(json.dumps(with_addresses(config)))
    run = command("explain", "--config", path, "--json", url, env={"PORTICO_DATA": str(folder / "data")})
    return json.loads(run.stdout) if run.stdout.startswith("{") else run


def test_explain_says_which_certificate_is_shown_and_why(tmp_path):
    issued = Authority(tmp_path / "authority").issue("*.a.example")
    config = with_certificates(issued)
    config["entryPoints"] = {"websecure": {"address": ":443"}}
    config["tls"]["options"] = {"strict": {"sniStrict": True}}
    config["http"]["routers"]["strict"] = {"rule": "Host(`c.example`)", "service": "main", "tls": {"options": "strict"}}
    shown = explain(tmp_path, config, "https://x.a.example/")["tls"]
    assert shown["options"] == "default" and shown["certificate"].startswith("CN=*.a.example of ")
    assert shown["source"] == f"file {issued.cert} names it"
    other = explain(tmp_path, config, "https://b.example/")["tls"]
    assert other["certificate"] is None and "no certificate names it" in other["source"]
    strict = explain(tmp_path, config, "https://c.example/")["tls"]
    assert strict["options"].startswith("strict") and strict["refused"]


def test_explain_of_plain_http_on_a_port_of_https(tmp_path):
    path = tmp_path / "explain.yaml"
    path.write_text(json.dumps({**with_certificates(), "entryPoints": {"websecure": {"address": ":443"}}}))
    run = command("explain", "--config", path, "http://a.example:443/")
    assert "400" in run.stdout and run.returncode == 1


def test_explain_follows_automatic_https(tmp_path):
    config = {**to("http://127.0.0.1:1", rule="Host(`app.localhost`)"), "automaticHTTPS": True,
              "entryPoints": {"web": {"address": ":80"}}}
    told = explain(tmp_path, config, "https://app.localhost/")
    assert told["entryPoint"] == "websecure" and told["router"] == "main@file" and "CA of this machine" in told["tls"]["source"]
    assert explain(tmp_path, config, "http://app.localhost/")["router"] == "main-redirect@file"
