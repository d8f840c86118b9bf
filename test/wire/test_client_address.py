"""Who the client is: its word counts only where it is trusted."""
import socket
import struct

import pytest

from harness.portico import to

FORGED = [("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Port", "99"),
          ("X-Forwarded-Proto", "https"), ("X-Forwarded-Server", "evil"), ("X-Real-Ip", "1.2.3.4"),
          ("X-Forwarded-Prefix", "/evil"), ("Forwarded", "for=1.2.3.4")]


@pytest.fixture
def start(portico, backend):
    """start(options of the entrypoint) gives a proxy and its backend."""
    def both(router=None, middlewares=None, **entry_point):
        server = backend()
        return portico(to(server.url, router=router, middlewares=middlewares, entryPoints={"web": entry_point})), server
    return both


def test_the_fields_are_set(start):
    proxy, server = start()
    proxy.get("/", host="site.example")
    got = server.last
    assert got.get("X-Forwarded-For") == "127.0.0.1" and got.get("X-Real-Ip") == "127.0.0.1"
    assert got.get("X-Forwarded-Host") == "site.example" and got.get("X-Forwarded-Proto") == "http"
    assert got.get("X-Forwarded-Port") in (str(proxy.port), "80")
    assert got.get("X-Forwarded-Server") == socket.gethostname()
    assert got.get("Host") == "site.example"


def test_what_an_untrusted_client_claims_is_removed(start):
    proxy, server = start()
    proxy.get(fields=FORGED)
    got = server.last
    assert got.all("X-Forwarded-For") == ["127.0.0.1"] and got.all("X-Real-Ip") == ["127.0.0.1"]
    assert got.all("X-Forwarded-Proto") == ["http"] and got.all("X-Forwarded-Host") == ["localhost"]
    assert not any("evil" in value or "1.2.3.4" in value for _, value in got.fields)


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "x_real_ip", "X_Forwarded-Proto"])
def test_twins_with_underscores_are_removed_too(start, name):
    proxy, server = start()
    proxy.get(fields=[(name, "1.2.3.4")])
    assert not any(value == "1.2.3.4" for _, value in server.last.fields)


def test_a_trusted_peer_is_believed(start):
    proxy, server = start(forwardedHeaders={"trustedIPs": ["127.0.0.0/8"]})
    proxy.get(fields=FORGED)
    got = server.last
    assert got.get("X-Forwarded-For") == "1.2.3.4, 127.0.0.1"
    assert got.get("X-Forwarded-Proto") == "https" and got.get("X-Forwarded-Host") == "evil.example"
    assert got.get("X-Forwarded-Port") == "99" and got.get("X-Real-Ip") == "1.2.3.4"


def test_insecure_trusts_everybody(start):
    proxy, server = start(forwardedHeaders={"insecure": True})
    proxy.get(fields=FORGED)
    assert server.last.get("X-Forwarded-For") == "1.2.3.4, 127.0.0.1"


def test_a_network_that_the_peer_is_not_in_trusts_nobody(start):
    proxy, server = start(forwardedHeaders={"trustedIPs": ["10.0.0.0/8", "::1"]})
    proxy.get(fields=FORGED)
    assert server.last.get("X-Forwarded-For") == "127.0.0.1"


def test_an_upgrade_is_told_by_its_scheme(start):
    proxy, server = start()
    proxy.get(fields=[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert server.last.get("X-Forwarded-Proto") == "ws"


# Request ids

def test_a_request_id_is_made_passed_on_returned_and_logged(start):
    proxy, server = start()
    response = proxy.get()
    made = server.last.get("X-Request-ID")
    assert made and response.get("X-Request-ID") == made
    assert made in str(proxy.access()[0])
    proxy.get()
    assert server.last.get("X-Request-ID") != made


def test_a_request_id_is_kept_from_a_trusted_peer_only(start):
    proxy, server = start()
    proxy.get(fields=[("X-Request-ID", "chosen")])
    assert server.last.get("X-Request-ID") != "chosen" and len(server.last.all("X-Request-ID")) == 1
    proxy, server = start(forwardedHeaders={"trustedIPs": ["127.0.0.1"]})
    proxy.get(fields=[("X-Request-ID", "chosen")])
    assert server.last.get("X-Request-ID") == "chosen"


# PROXY protocol

TRUSTED = {"proxyProtocol": {"trustedIPs": ["127.0.0.1"]}}
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def version_2(source, target, ports=(4321, 80), command=1, extra=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    body = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack(">HH", *ports) + extra
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, 0x21 if family == socket.AF_INET6 else 0x11])
            + struct.pack(">H", len(body)) + body)


PROXY_HEADERS = {
    "1 over IPv4": (b"PROXY TCP4 192.0.2.7 192.0.2.1 4321 80\r\n", "192.0.2.7"),
    "1 over IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 4321 80\r\n", "2001:db8::7"),
    "1 unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "1 unknown with more": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    "2 over IPv4": (version_2("192.0.2.7", "192.0.2.1"), "192.0.2.7"),
    "2 over IPv6": (version_2("2001:db8::7", "2001:db8::1"), "2001:db8::7"),
    "2 with more": (version_2("192.0.2.7", "192.0.2.1", extra=b"\x04\x00\x03abc"), "192.0.2.7"),
    "2 local": (version_2("192.0.2.7", "192.0.2.1", command=0), "127.0.0.1"),
}


@pytest.mark.parametrize("header, address", PROXY_HEADERS.values(), ids=PROXY_HEADERS)
def test_a_proxy_header_of_a_trusted_peer_names_the_client(start, header, address):
    proxy, server = start(**TRUSTED)
    client = proxy.client().send(header + REQUEST)
    assert client.response().status == 200
    assert server.last.get("X-Forwarded-For") == address
    assert client.send(REQUEST).response().status == 200
    assert server.last.get("X-Forwarded-For") == address
    assert proxy.access()[0]["ClientHost"] == address


def test_a_proxy_header_in_single_bytes_is_read(start):
    proxy, server = start(**TRUSTED)
    client = proxy.client()
    for byte in version_2("192.0.2.7", "192.0.2.1") + REQUEST:
        client.send(bytes([byte]))
    assert client.response().status == 200
    assert server.last.get("X-Forwarded-For") == "192.0.2.7"


BAD_PROXY_HEADERS = {
    "1 with a bad address": b"PROXY TCP4 192.0.2.777 192.0.2.1 4321 80\r\n",
    "1 of the other family": b"PROXY TCP4 2001:db8::7 2001:db8::1 4321 80\r\n",
    "1 with a bad port": b"PROXY TCP4 192.0.2.7 192.0.2.1 99999 80\r\n",
    "1 without its end": b"PROXY TCP4 " + b"1" * 200,
    "1 ended by LF": b"PROXY TCP4 192.0.2.7 192.0.2.1 4321 80\n",
    "2 too short": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x04\x01\x02\x03\x04",
    "2 of another version": b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c" + bytes(12),
}


@pytest.mark.parametrize("header", BAD_PROXY_HEADERS.values(), ids=BAD_PROXY_HEADERS)
def test_a_bad_proxy_header_ends_the_connection(start, header):
    proxy, server = start(**TRUSTED)
    client = proxy.client().send(header + REQUEST)
    while client.reader.fill():
        pass
    assert not client.reader.buffer or client.reader.buffer.startswith(b"HTTP/1.1 400 ")
    assert server.requests == []


def test_a_proxy_header_of_an_untrusted_peer_is_no_request(start):
    proxy, server = start(proxyProtocol={"trustedIPs": ["192.0.2.0/24"]})
    client = proxy.client().send(b"PROXY TCP4 1.2.3.4 192.0.2.1 4321 80\r\n" + REQUEST)
    assert client.response().status == 400
    assert server.requests == []


def test_a_trusted_peer_may_leave_the_header_out(start):
    proxy, server = start(**TRUSTED)
    assert proxy.get().status == 200
    assert server.last.get("X-Forwarded-For") == "127.0.0.1"


def test_client_ip_rules_see_the_address_of_the_proxy_header(start):
    proxy, _ = start(router={"rule": "ClientIP(`192.0.2.0/24`)"}, **TRUSTED)
    assert proxy.get().status == 404
    assert proxy.client().send(b"PROXY TCP4 192.0.2.7 192.0.2.1 4321 80\r\n" + REQUEST).response().status == 200


def test_client_ip_rules_do_not_see_forwarded_addresses(start):
    proxy, _ = start(router={"rule": "ClientIP(`192.0.2.7`)"}, forwardedHeaders={"insecure": True})
    assert proxy.get(fields=[("X-Forwarded-For", "192.0.2.7")]).status == 404
