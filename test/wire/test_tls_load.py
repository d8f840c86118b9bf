"""HTTPS under load while certificates are renewed and configurations replaced: nobody notices, and no thread meets another."""
import signal
import ssl
import threading
from collections import Counter

import pytest

from harness.http2 import Http2
from harness.load import Load
from harness.tls import TlsClient, context_for, over_tls

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
QUICK = {"providersThrottleDuration": "10ms"}
PER_CONNECTION = 8      # requests: so that there are many handshakes


class Visitor:
    """Keep-alive requests over HTTP/1.1, some to a connection; the next one mostly resumes the session of the last."""

    def __init__(self, proxy, context, seen):
        self._proxy, self._context, self._seen = proxy, context, seen
        self._session = None
        self._client, self._asked, self._connections = None, 0, 0

    def ask(self):
        if self._client is None:
            self._connections += 1
            self._client, self._asked = TlsClient(self._proxy.port, context=self._context, session=self._session), 0
            self._seen["resumed" if self._client.socket.session_reused else "full", self._client.socket.version()] += 1
            self._seen["certificate", self._client.serial] += 1
        response = self._client.request("POST", "/", body=b"x" * 5000)
        self._asked += 1
        if self._asked == PER_CONNECTION:
            self._session = self._client.socket.session if self._connections % 4 else None
            self.close()
        return response

    def close(self):
        if self._client:
            self._client.close()
            self._client = None


class Multiplexer:
    """Streams side by side over HTTP/2."""

    def __init__(self, proxy, context, seen):
        self._proxy, self._context, self._seen = proxy, context, seen
        self._client = None

    def ask(self):
        around = lambda plain: self._context.wrap_socket(plain, server_hostname="localhost")     # noqa: E731
        if self._client is None or self._client.next_stream > 2 * PER_CONNECTION:
            self.close()
            self._client = Http2(self._proxy.port, around=around)
            assert self._client.socket.selected_alpn_protocol() == "h2"
        streams = [self._client.ask("POST", body=b"y" * 3000, scheme="https") for _ in range(2)]
        first, second = (self._client.answer(stream) for stream in streams)
        assert first.status == second.status and not self._client.goaways, (first, second)
        self._seen["h2"] += 1
        return Answer(first)

    def close(self):
        if self._client:
            self._client.close()
            self._client = None


class Answer:
    """As harness.load wants it."""

    def __init__(self, answer):
        self.status = answer.status

    def get(self, name, default=None):
        return default


class Alternating:
    """A thread's clients in turn."""

    def __init__(self, *clients):
        self._clients, self._turn = clients, 0

    def ask(self):
        self._turn += 1
        return self._clients[self._turn % len(self._clients)].ask()

    def close(self):
        for client in self._clients:
            client.close()


@pytest.fixture
def busy(portico, backend, authority):
    """busy(config changes): a proxy with two certificates on two workers, and the load that is to be put on it."""
    def start(**sections):
        issued = authority.issue("localhost", file="site"), authority.issue("other.example", key="rsa")
        config = over_tls(backend().url, *issued, workers=2, providers=QUICK, **sections)
        proxy, seen = portico(config), Counter()

        def connect():
            contexts = (context_for(authority, versions=(V12, V12)), context_for(authority, versions=(V13, V13)))
            h2 = context_for(authority, alpn=["h2"])
            return Alternating(*(Visitor(proxy, context, seen) for context in contexts), Multiplexer(proxy, h2, seen))
        return config, proxy, seen, Load(proxy.port, clients=4, connect=connect, request=lambda client: client.ask())
    return start


def shown(proxy, authority):
    client = TlsClient(proxy.port, context=context_for(authority))
    serial = client.serial
    client.close()
    return serial


@pytest.mark.tsan
def test_no_request_fails_while_certificates_are_renewed(busy, authority):
    _, proxy, seen, load = busy()
    with load:
        for _ in range(20):
            renewed = authority.issue("localhost", file="site")
            served = load.served
            proxy.wait_until("the new certificate", lambda: shown(proxy, authority) == renewed.serial)
            proxy.wait_until("more requests", lambda: load.errors or load.served > served + 20)
        # A renewed certificate ends the sessions that were begun with the one before: only now do they live for sure.
        proxy.wait_until("resumed sessions", lambda: load.errors or all(seen["resumed", version] for version in ("TLSv1.2", "TLSv1.3")))
    load.assert_all(200)
    # Each renewal was waited for above; that the load met several is enough: how many is a matter of the machine's speed.
    assert sum(1 for key in seen if key[0] == "certificate") > 1, seen
    assert seen["h2"] and all(seen[kind, version] for kind in ("full", "resumed") for version in ("TLSv1.2", "TLSv1.3")), seen


@pytest.mark.tsan
def test_no_request_fails_while_configurations_are_replaced(busy, authority):
    config, proxy, seen, load = busy()
    with load:
        for number in range(20):
            config["http"]["routers"] = {"main": {"rule": "PathPrefix(`/`)", "service": "main", "tls": {}},
                                         f"v{number}": {"rule": f"Host(`v{number}.example`)", "service": "main",
                                                        "tls": {"options": f"o{number}"}}}
            config["tls"]["options"] = {f"o{number}": {"minVersion": "VersionTLS13"}, "default": {"sniStrict": number % 2 == 1}}
            proxy.write(config)
            served = load.served

            def refuses_as_told():
                try:
                    TlsClient(proxy.port, "unknown.example").close()
                except ssl.SSLError:
                    return number % 2 == 1
                return number % 2 == 0
            proxy.wait_until("the new options", refuses_as_told)
            proxy.wait_until("more requests", lambda: load.errors or load.served > served + 20)
    load.assert_all(200)
    assert seen["resumed", "TLSv1.3"] and seen["resumed", "TLSv1.2"], seen


@pytest.mark.tsan
def test_no_request_fails_while_both_change_at_once(busy, authority):
    """Files, configurations and signals from threads of their own, in whatever order they come."""
    config, proxy, _, load = busy()
    done = threading.Event()

    def renew():
        while not done.is_set():
            authority.issue("localhost", file="site")
            done.wait(0.03)

    def reload():
        while not done.is_set():
            proxy.process.signal(signal.SIGHUP)
            done.wait(0.02)
    changers = [threading.Thread(target=change) for change in (renew, reload)]
    with load:
        for thread in changers:
            thread.start()
        for number in range(30):
            config["http"]["routers"]["more"] = {"rule": f"Path(`/more{number}`)", "service": "main", "tls": {}}
            proxy.write(config)
            served = load.served
            proxy.wait_until("more requests", lambda: load.errors or load.served > served + 20)
        done.set()
        for thread in changers:
            thread.join()
    load.assert_all(200)
