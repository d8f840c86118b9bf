"""What is malformed or ambiguous: refused with the fitting status, the connection closed, nothing of it passed on."""
import pytest

from harness import backend as act
from harness.http1 import Ended, response_bytes
from harness.portico import to


@pytest.fixture
def pair(portico, backend):
    server = backend()
    return portico(to(server.url)), server


def get(*lines, start=b"GET / HTTP/1.1"):
    return b"\r\n".join([start, *lines, b"", b""])


BAD_HEADS = {
    # start lines
    "no version": get(b"Host: a", start=b"GET /"),
    "a version of its own": get(b"Host: a", start=b"GET / HTTPS/1.1"),
    "lower case http": get(b"Host: a", start=b"GET / http/1.1"),
    "two spaces": get(b"Host: a", start=b"GET  / HTTP/1.1"),
    "a space within the target": get(b"Host: a", start=b"GET /a b HTTP/1.1"),
    "a space behind the version": get(b"Host: a", start=b"GET / HTTP/1.1 "),
    "a space before the method": get(b"Host: a", start=b" GET / HTTP/1.1"),
    "a tab between": get(b"Host: a", start=b"GET\t/ HTTP/1.1"),
    "a method that is no token": get(b"Host: a", start=b"G(T / HTTP/1.1"),
    "an empty method": get(b"Host: a", start=b" / HTTP/1.1"),
    "a target without a slash": get(b"Host: a", start=b"GET index.html HTTP/1.1"),
    "a control byte in the target": get(b"Host: a", start=b"GET /a\x01b HTTP/1.1"),
    "a NUL in the target": get(b"Host: a", start=b"GET /a\x00b HTTP/1.1"),
    "a fragment in the target": get(b"Host: a", start=b"GET /a#b HTTP/1.1"),
    "a star for GET": get(b"Host: a", start=b"GET * HTTP/1.1"),
    "an absolute form with user info": get(b"Host: a", start=b"GET http://user@host/ HTTP/1.1"),
    "an absolute form without a host": get(b"Host: a", start=b"GET http:///path HTTP/1.1"),
    "a version with too many digits": get(b"Host: a", start=b"GET / HTTP/1.10"),
    "TLS where plain text is spoken": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",
    # fields
    "a space before the colon": get(b"Host: a", b"X-A : 1"),
    "a tab before the colon": get(b"Host: a", b"X-A\t: 1"),
    "no colon": get(b"Host: a", b"X-A"),
    "an empty name": get(b"Host: a", b": 1"),
    "a name that is no token": get(b"Host: a", b"X(A): 1"),
    "a high byte in a name": get(b"Host: a", b"X-\xc3\xa9: 1"),
    "a folded line": get(b"Host: a", b"X-A: 1", b" 2"),
    "a folded first line": get(b" Host: a"),
    "a bare CR in a value": get(b"Host: a", b"X-A: 1\r2"),
    "a bare LF as a line end": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare LF": b"GET / HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n",
    "a NUL in a value": get(b"Host: a", b"X-A: 1\x002"),
    "a control byte in a value": get(b"Host: a", b"X-A: 1\x022"),
    "DEL in a value": get(b"Host: a", b"X-A: 1\x7f2"),
    # Host
    "no Host": get(b"X-A: 1"),
    "two Hosts": get(b"Host: a", b"Host: a"),
    "a space in Host": get(b"Host: a b"),
    "a slash in Host": get(b"Host: a/b"),
    "user info in Host": get(b"Host: user@a"),
    "a port that is none": get(b"Host: a:b"),
    "a port too large": get(b"Host: a:65536"),
    "a comma in Host": get(b"Host: a,b"),
    "an open bracket in Host": get(b"Host: [::1"),
    # lengths: what smuggling is made of
    "two lengths that differ": get(b"Host: a", b"Content-Length: 1", b"Content-Length: 2") + b"ab",
    "the same length twice": get(b"Host: a", b"Content-Length: 1", b"Content-Length: 1") + b"a",
    "a list of lengths": get(b"Host: a", b"Content-Length: 1, 1") + b"a",
    "a length with a sign": get(b"Host: a", b"Content-Length: +1") + b"a",
    "a negative length": get(b"Host: a", b"Content-Length: -1") + b"a",
    "a length in hex": get(b"Host: a", b"Content-Length: 0x1") + b"a",
    "a length with a space within": get(b"Host: a", b"Content-Length: 1 1") + b"a",
    "an empty length": get(b"Host: a", b"Content-Length:"),
    "a length with a fraction": get(b"Host: a", b"Content-Length: 1.0") + b"a",
    "a length beyond 64 bits": get(b"Host: a", b"Content-Length: 18446744073709551617") + b"a",
    "a length beyond 63 bits": get(b"Host: a", b"Content-Length: 9223372036854775808") + b"a",
    "a length beside chunked": get(b"Host: a", b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunked beside a length": get(b"Host: a", b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n",
    "chunked with a space before the colon": get(b"Host: a", b"Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "chunked in HTTP/1.0": get(b"Host: a", b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0") + b"0\r\n\r\n",
}


@pytest.mark.parametrize("raw", BAD_HEADS.values(), ids=BAD_HEADS)
def test_a_bad_head_gets_400_and_the_connection_is_closed(pair, raw):
    proxy, server = pair
    # What stands behind it must never be read as a request.
    response = proxy.exchange(raw + get(b"Host: a", start=b"GET /smuggled HTTP/1.1"))
    assert response.status == 400
    assert response.get("Connection", "").lower() == "close"
    assert server.requests == []


@pytest.mark.parametrize("target", ["/%zz", "/%4", "/%", "/a%2"])
def test_a_bad_percent_sign_in_a_path_gets_400(pair, target):
    proxy, server = pair
    assert proxy.get(target).status == 400
    assert server.requests == []


CODINGS = {
    "an unknown coding": [b"Transfer-Encoding: xchunked"],
    "gzip before chunked": [b"Transfer-Encoding: gzip, chunked"],
    "identity": [b"Transfer-Encoding: identity"],
    "chunked twice": [b"Transfer-Encoding: chunked, chunked"],
    "chunked in two fields": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
    "chunked before another": [b"Transfer-Encoding: chunked, gzip"],
    "identity beside chunked": [b"Transfer-Encoding: identity, chunked"],
    "chunked in quotes": [b'Transfer-Encoding: "chunked"'],
    "an empty coding": [b"Transfer-Encoding:"],
    "a vertical tab": [b"Transfer-Encoding: \x0bchunked"],
    "a comma alone": [b"Transfer-Encoding: ,chunked,"],
}


@pytest.mark.parametrize("fields", CODINGS.values(), ids=CODINGS)
def test_a_coding_other_than_chunked_is_refused(pair, fields):
    proxy, server = pair
    response = proxy.exchange(get(b"Host: a", *fields, start=b"POST / HTTP/1.1") + b"0\r\n\r\n"
                              + get(b"Host: a", start=b"GET /smuggled HTTP/1.1"))
    assert response.status in (400, 501)
    assert server.requests == []


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3.0"])
def test_another_version_gets_505(pair, version):
    assert pair[0].exchange(get(b"Host: a", start=b"GET / " + version)).status == 505


def test_connect_gets_501(pair):
    proxy, server = pair
    assert proxy.exchange(get(b"Host: a:443", start=b"CONNECT a:443 HTTP/1.1")).status == 501
    assert server.requests == []


def test_an_expectation_that_nobody_knows_gets_417(pair):
    response = pair[0].get(fields=[("Expect", "the-unexpected")])
    assert response.status == 417


# Limits

def limited(portico, server, **http):
    return portico(to(server.url, entryPoints={"web": {"http": http}}))


def test_a_request_line_that_is_too_long_gets_414(portico, backend):
    proxy = limited(portico, backend(), maxLineBytes=1000)
    assert proxy.get("/" + "a" * 900).status == 200
    assert proxy.exchange(get(b"Host: a", start=b"GET /" + b"a" * 1000 + b" HTTP/1.1")).status == 414


def test_a_head_that_is_too_large_gets_431(portico, backend):
    proxy = limited(portico, backend(), maxHeaderBytes=4096, maxLineBytes=2048)
    assert proxy.get(fields=[("X-A", "a" * 3500)]).status == 200
    assert proxy.exchange(get(b"Host: a", b"X-A: " + b"a" * 5000)).status == 431


def test_too_many_fields_get_431(portico, backend):
    proxy = limited(portico, backend(), maxHeaderFields=16)
    assert proxy.get(fields=[(f"X-{number}", "1") for number in range(14)]).status == 200
    assert proxy.exchange(get(b"Host: a", *(b"X-%d: 1" % number for number in range(17)))).status == 431


def test_a_head_without_end_is_refused_when_the_limit_is_reached(portico, backend):
    proxy = limited(portico, backend(), maxHeaderBytes=4096, maxLineBytes=2048)
    assert proxy.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 10000).status == 431


def test_a_line_without_end_is_refused_when_the_limit_is_reached(portico, backend):
    proxy = limited(portico, backend(), maxHeaderBytes=4096, maxLineBytes=1024)
    assert proxy.exchange(b"GET /" + b"a" * 10000).status == 414


def test_the_connection_is_closed_gently_so_that_a_sender_reads_the_refusal(pair):
    # Closing with the rest of the request unread would reset the connection and destroy the response under way.
    client = pair[0].client()
    client.send(get(b"Host: a", b"Bad Field: 1", start=b"POST / HTTP/1.1"))
    try:
        for _ in range(50):
            client.send(bytes(100000))
    except (ConnectionError, TimeoutError):
        pass
    assert client.response().status == 400


# Chunked bodies

BAD_CHUNKS = {
    "a size that is no number": b"g\r\n",
    "a size with a prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a size with a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nabc\r\n0\r\n\r\n",
    "an empty size": b"\r\nabc\r\n0\r\n\r\n",
    "a space before the size": b" 3\r\nabc\r\n0\r\n\r\n",
    "a space behind the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "a size with a bare LF": b"3\nabc\r\n0\r\n\r\n",
    "a size with a bare CR": b"3\rabc\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "data shorter than its size": b"3\r\nab\r\n0\r\n\r\n",
    "data ended by a bare LF": b"3\r\nabc\n0\r\n\r\n",
    "a bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "an extension without end": b"3;" + b"a" * 100000 + b"\r\nabc\r\n0\r\n\r\n",
    "a trailer with a space before its colon": b"0\r\nX : 1\r\n\r\n",
    "a trailer that is folded": b"0\r\nX: 1\r\n 2\r\n\r\n",
    "a trailer ended by a bare LF": b"0\r\nX: 1\n\r\n",
}


@pytest.mark.parametrize("coded", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_bad_chunk_is_never_passed_on_as_a_whole_body(portico, raw_server, coded):
    server = raw_server([act.until_end])        # it may see a head and a part, or a connection without a word
    proxy = portico(to(server.url))
    client = proxy.client().send(get(b"Host: a", b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.1") + coded
                                 + get(b"Host: a", start=b"GET /smuggled HTTP/1.1"))
    response = client.response()
    assert response.status in (400, 431)
    client.assert_closed()
    for play in server.played:
        server.wait_until_played(server.accepted)
        assert not play.received.endswith(b"0\r\n\r\n") and b"smuggled" not in play.received


def test_a_body_cut_off_by_its_client_is_never_passed_on_as_whole(portico, raw_server):
    server = raw_server([act.head, act.until_end])
    proxy = portico(to(server.url))
    client = proxy.client().send(get(b"Host: a", b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.1") + b"3\r\nabc\r\n")
    proxy.wait_until("a connection behind", lambda: server.played and server.played[0].heads)
    client.close()
    assert not server.wait_until_played()[0].received.endswith(b"0\r\n\r\n")


# Bad responses

BAD_RESPONSES = {
    "no HTTP at all": b"+OK POP3 server ready\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "a folded field": b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a value": b"HTTP/1.1 200 OK\r\nX: 1\x002\r\nContent-Length: 0\r\n\r\n",
    "a bare CR in a value": b"HTTP/1.1 200 OK\r\nX: 1\r2\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    "a length beside chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n",
    "101 that nobody asked for": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "the end before a byte": b"",
    "the end within the status line": b"HTTP/1.1 200",
    "the end within the fields": b"HTTP/1.1 200 OK\r\nContent-Le",
}


@pytest.mark.parametrize("raw", BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_a_bad_response_becomes_502_and_the_client_stays(portico, raw_server, raw):
    server = raw_server([act.request, raw, act.close])
    proxy = portico(to(server.url))
    client = proxy.client()
    for _ in range(2):
        assert client.request("POST", "/", body=b"x").status == 502
    line = proxy.access()[0]
    assert line["DownstreamStatus"] == 502 and line["reason"].startswith("upstream_")


def test_a_response_head_that_is_too_large_becomes_502(portico, backend):
    server = backend(lambda request: response_bytes(fields=[("X", "a" * 5000)]))
    proxy = portico(to(server.url, serversTransport={"maxResponseHeaderBytes": 4096}))
    assert proxy.get().status == 502


@pytest.mark.parametrize("raw", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nshort",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshortXX",
], ids=["length", "within a chunk", "between chunks", "a bad size", "a bad end of a chunk"])
def test_a_body_cut_off_by_its_server_is_never_shown_as_whole(portico, raw_server, raw):
    proxy = portico(to(raw_server([act.request, raw, act.close]).url))
    client = proxy.client().send_request("POST", "/", body=b"x")
    try:
        response = client.response()
    except Ended:
        pass        # a head, a part of the body, and the end
    else:
        assert response.status == 502
    assert proxy.access()[0]["reason"].startswith("upstream_")


def test_bytes_behind_a_response_are_not_the_next_one(portico, raw_server):
    answer = response_bytes(body=b"mine")
    server = raw_server([act.request, answer + response_bytes(body=b"poison"), act.until_end])
    client = portico(to(server.url)).client()
    for _ in range(3):
        assert client.request().body == b"mine"
    assert server.accepted == 3


def test_a_server_that_resets_becomes_502(portico, raw_server):
    proxy = portico(to(raw_server([act.request, act.reset]).url))
    assert proxy.request("POST", "/", body=b"x").status == 502


def test_a_refused_connection_becomes_502(portico, backend):
    server = backend()
    server.stop()
    proxy = portico(to(server.url))
    assert proxy.get().status == 502
    assert proxy.access()[0]["reason"] == "upstream_refused"


def test_a_refusal_tells_the_reason_in_the_log(pair):
    proxy, _ = pair
    proxy.exchange(get(b"Host: a", b"Content-Length: x"))
    assert proxy.access()[0]["reason"] == "bad_length"
    assert proxy.get().status == 200
