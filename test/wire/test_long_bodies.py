"""Behind a body that went through a pipe little of the next message is read along with its head: whatever comes instead of
another long one is read whole, and nothing of it is lost, comes twice or in another order."""
import hashlib
import itertools

import pytest

from harness import backend as act
from harness.http1 import build, chunked_bytes, response_bytes
from harness.portico import to

LARGE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100000))      # 3.2 MB, no two stretches alike
LONG = LARGE[:150000]


def fingerprint(body):
    return hashlib.sha256(body).hexdigest().encode()


def tell(request):
    """What came of a request."""
    return response_bytes(200, [("X-Method", request.method), ("X-Target", request.target)], fingerprint(request.body))


@pytest.fixture
def client(portico, backend):
    """client(answer) gives a client of a proxy before a server that answers so."""
    def connect(answer=tell, **sections):
        server = backend(answer)
        client = portico(to(server.url, **sections)).client()
        client.server = server
        return client
    return connect


def assert_told(response, method, target, body):
    assert response.status == 200
    assert (response.get("X-Method"), response.get("X-Target")) == (method, target)
    assert response.body == fingerprint(body)


# Requests behind a long one

FOLLOWERS = {
    "nothing": ("GET", [], b""),
    "a short body": ("POST", [], b"short"),
    "a body of about a kilobyte": ("POST", [], LARGE[:900]),
    "a body between": ("PUT", [], LARGE[:20000]),
    "a long body": ("POST", [], LONG),
    "a very long body": ("POST", [], LARGE),
    "a head longer than is read at first": ("GET", [("X-Padding", "p" * 5000)], b""),
    "a head that ends where the first reading does": ("POST", [("X-Padding", "p" * 935)], LARGE[:70000]),
    "a long head and a long body": ("POST", [("X-Padding", "p" * 5000)], LONG),
}


@pytest.mark.parametrize("follower", FOLLOWERS.values(), ids=FOLLOWERS)
def test_a_request_behind_a_long_one_is_read_whole(client, follower):
    method, fields, body = follower
    connection = client()
    for number in range(3):
        assert_told(connection.request("POST", f"/long/{number}", body=LONG), "POST", f"/long/{number}", LONG)
        assert_told(connection.request(method, f"/next/{number}", fields, body), method, f"/next/{number}", body)
    connection.assert_open()
    assert connection.server.accepted == 1


@pytest.mark.parametrize("padding", range(880, 1000, 7))
def test_a_head_may_end_anywhere_about_the_first_reading(client, padding):
    connection = client()
    for size in (150000, 100000, 1):
        body = LARGE[size:2 * size]
        assert_told(connection.request("POST", "/", [("X-Padding", "p" * padding)], body), "POST", "/", body)


def test_a_chunked_request_behind_a_long_one_is_read_whole(client):
    connection = client()
    for size in (1, 700, 5000, 40000):
        assert_told(connection.request("POST", "/long", body=LONG), "POST", "/long", LONG)
        chunked = chunked_bytes(LARGE[:size], LARGE[size:2 * size])
        response = connection.request("POST", "/chunked", [("Transfer-Encoding", "chunked")], chunked)
        assert_told(response, "POST", "/chunked", LARGE[:2 * size])


def test_requests_pipelined_behind_a_long_body_are_answered_in_order(client):
    connection = client()
    requests = [("POST", LONG), ("GET", b""), ("POST", LARGE[:90000]), ("PUT", b"x"), ("PUT", LONG), ("GET", b""), ("GET", b"")]
    connection.send(b"".join(build(f"{method} /{number} HTTP/1.1", [("Host", "a"), ("Content-Length", len(body))], body)
                             for number, (method, body) in enumerate(requests)))
    for number, (method, body) in enumerate(requests):
        assert_told(connection.response(), method, f"/{number}", body)
    connection.assert_open()


def test_a_request_that_comes_in_pieces_behind_a_long_one_is_read_whole(client):
    connection = client()
    assert_told(connection.request("POST", "/long", body=LONG), "POST", "/long", LONG)
    request = build("POST /pieces HTTP/1.1", [("Host", "a"), ("Content-Length", len(LONG))], LONG)
    for start, end in itertools.pairwise([0, 1, 20, 60, 1000, 1024, 1025, 90000, len(request)]):
        connection.send(request[start:end])
        connection.readable(0.02)      # each piece is read by itself
    assert_told(connection.response(), "POST", "/pieces", LONG)


def test_a_client_that_waits_to_be_asked_for_its_long_body_is_asked(client):
    connection = client()
    for _ in range(3):
        connection.send_request("POST", "/", [("Expect", "100-continue"), ("Content-Length", len(LONG))])
        assert connection.reader.response_head().status == 100
        connection.send(LONG)
        assert_told(connection.response(), "POST", "/", LONG)


def test_a_bad_request_behind_a_long_one_is_refused(client):
    connection = client()
    assert_told(connection.request("POST", "/long", body=LONG), "POST", "/long", LONG)
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nbody")
    assert connection.response().status == 400
    connection.assert_closed()
    assert len(connection.server.requests) == 1


def test_a_client_that_leaves_in_the_middle_of_a_long_body_leaves_nothing_behind(portico, backend):
    server = backend(tell, cut=True)
    proxy = portico(to(server.url))
    for size in (500, 1500, 40000, 149999):
        connection = proxy.client()
        assert_told(connection.request("POST", "/long", body=LONG), "POST", "/long", LONG)
        connection.send(build("POST /half HTTP/1.1", [("Host", "a"), ("Content-Length", len(LONG))], LARGE[-size:]))
        connection.readable(0.05)
        connection.reset()
        assert_told(proxy.request("POST", "/whole", body=LONG), "POST", "/whole", LONG)
    assert "/half" not in [request.target for request in server.requests]


# Responses behind a long one

def plain(body):
    return response_bytes(200, [("Content-Type", "text/plain")], body)


ANSWERS = {
    "chunked": (build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")], chunked_bytes(LARGE[:3000], LARGE[3000:50000])), LARGE[:50000]),
    "chunked and short": (build("HTTP/1.1 200 Fine", [("Transfer-Encoding", "chunked")], chunked_bytes(b"a", b"b")), b"ab"),
    "not modified": (build("HTTP/1.1 304 Same", [("ETag", '"x"')]), b""),
    "no content": (build("HTTP/1.1 204 Nothing"), b""),
    "behind interim heads": (build("HTTP/1.1 103 Early", [("Link", "</a>")]) + build("HTTP/1.1 103 Early", [("X-A", "p" * 2000)]) + plain(LONG), LONG),
    "of a long head": (response_bytes(200, [("X-Padding", "p" * 5000)], LONG), LONG),
    "just long enough for a pipe": (plain(LARGE[:32768 + 900]), LARGE[:32768 + 900]),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_response_behind_a_long_one_is_read_whole(client, answer):
    raw, body = answer
    connection = client(lambda request: raw if request.target == "/next" else plain(LONG))
    for _ in range(3):
        assert connection.request("GET", "/long").body == LONG
        response = connection.request("GET", "/next")
        assert response.status == int(raw.split()[1]) or response.status == 200
        assert response.body == body
    connection.assert_open()
    assert connection.server.accepted == 1


def test_the_head_alone_behind_a_long_response_is_all(client):
    connection = client(lambda request: build("HTTP/1.1 200 Fine", [("Content-Length", len(LONG))], b"" if request.method == "HEAD" else LONG))
    for _ in range(3):
        assert connection.request("GET").body == LONG
        response = connection.request("HEAD")
        assert response.get("Content-Length") == str(len(LONG)) and response.body == b""
    assert connection.server.accepted == 1


def test_a_long_response_is_compressed_behind_one_that_was_not(client):
    compressible = b"all the same, " * 20000
    fields = [("Content-Type", "text/plain")]
    connection = client(lambda request: response_bytes(200, fields, compressible), middlewares={"compress": {"compress": {}}})
    for _ in range(3):
        assert connection.request("GET").body == compressible
        response = connection.request("GET", "/", [("Accept-Encoding", "gzip")])
        assert response.get("Content-Encoding") == "gzip" and len(response.body) < 20000


LONG_ANSWER = plain(LONG)


@pytest.mark.parametrize("sent", [LONG_ANSWER[:size] for size in (0, 20, 60)], ids=len)
def test_a_server_that_dies_in_its_head_behind_a_long_response_is_told(portico, raw_server, sent):
    server = raw_server([act.request, LONG_ANSWER, act.request, sent])
    client = portico(to(server.url)).client()
    assert client.request("POST", "/first").body == LONG
    assert client.request("POST", "/second").status == 502


@pytest.mark.parametrize("sent", [LONG_ANSWER[:size] for size in (100, 1024, 1500, 40000, 90000, -1)], ids=len)
def test_a_server_that_dies_in_its_body_behind_a_long_response_takes_no_other_along(portico, raw_server, sent):
    """What had come of the body goes to nobody else, and does not look whole."""
    server = raw_server([act.request, LONG_ANSWER, act.request, sent], [act.request, LONG_ANSWER, act.until_end])
    proxy = portico(to(server.url))
    client = proxy.client()
    assert client.request("POST", "/first").body == LONG
    client.send_request("POST", "/second")
    while client.reader.fill():
        pass
    _, _, came = client.reader.buffer.partition(b"\r\n\r\n")
    assert len(came) < len(LONG) and LONG.startswith(came)
    assert proxy.request("POST", "/third").body == LONG


def test_an_early_answer_to_a_long_request_is_passed_on(portico, raw_server):
    """The server has read only a part of a body that went through a pipe, answers, and closes."""
    answer = build("HTTP/1.1 413 Too Much", [("Content-Length", 4), ("Connection", "close")], b"much")
    server = raw_server([act.head, act.take(40000), answer])
    client = portico(to(server.url)).client()
    client.send(build("POST / HTTP/1.1", [("Host", "a"), ("Content-Length", 50 << 20)], LARGE))
    try:
        for _ in range(15):
            client.send(LARGE)
    except OSError:
        pass
    response = client.response()
    assert (response.status, response.body) == (413, b"much")


def test_long_bodies_of_many_connections_stay_apart(portico, backend):
    """More of them at once than one turn of the loop has time for: heads wait for the pieces behind them."""
    server = backend(lambda request: response_bytes(200, [("X-Target", request.target)], LARGE[int(request.target[1:]):][:200000]))
    proxy = portico(to(server.url))
    clients = [proxy.client() for _ in range(40)]
    for turn in range(4):
        for number, client in enumerate(clients):
            client.send_request("POST", f"/{number * 1000 + turn}", body=LARGE[number:][:100000])
        for number, client in enumerate(clients):
            response = client.response()
            at = number * 1000 + turn
            assert response.get("X-Target") == f"/{at}" and response.body == LARGE[at:at + 200000]
    assert sorted(fingerprint(request.body) for request in server.requests) == sorted(
        fingerprint(LARGE[number:][:100000]) for number in range(40) for _ in range(4))
