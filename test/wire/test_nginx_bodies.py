"""Bodies of requests under an nginx.conf: where they are held, what variables tell of them, what becomes of those that nobody reads."""
import os

import pytest

from harness.http1 import build, chunked_bytes, response_bytes
from harness.waiting import wait_for

HELD = """
    server {
        listen 127.0.0.1:@port@;
        client_body_temp_path @folder@/bodies;
        client_body_buffer_size 2k;
        location / { client_body_in_file_only %s; add_header X-Body "$request_body"; add_header X-File "$request_body_file"; proxy_pass http://127.0.0.1:%d; }
    }
"""
FRAMINGS = ["length", "chunked"]


def post(target, body, framing):
    fields = [("Host", "a")]
    if framing == "chunked":
        return build(f"POST {target} HTTP/1.1", [*fields, ("Transfer-Encoding", "chunked")], chunked_bytes(body))
    return build(f"POST {target} HTTP/1.1", [*fields, ("Content-Length", len(body))], body)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_body_beyond_the_buffer_goes_to_a_file(portico_nginx, backend, framing):
    server = backend()
    proxy = portico_nginx(HELD % ("off", server.port))
    client = proxy.client()
    small, large = b"0123456789" * 100, b"0123456789" * 500
    answer = client.send(post("/", small, framing)).response()
    assert answer.get("X-Body") == small.decode() and not answer.has("X-File")
    answer = client.send(post("/", large, framing)).response()
    assert not answer.has("X-Body") and answer.has("X-File")
    assert [request.body for request in server.requests] == [small, large]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("word", ["on", "clean"])
def test_bodies_lie_in_files_with_names(portico_nginx, backend, framing, word):
    seen = []
    server = backend(lambda request: seen.append(len(os.listdir(proxy.folder / "bodies"))) or response_bytes(body=b"fine"))
    proxy = portico_nginx(HELD % (word, server.port))
    answer = proxy.client().send(post("/", b"few", framing)).response()
    name = answer.get("X-File")
    assert name.startswith(str(proxy.folder / "bodies")) and seen == [1]
    if word == "on":
        with open(name, "rb") as file:
            assert file.read() == b"few"
    else:
        wait_for("the file to be removed", lambda: not os.path.exists(name))


def test_servers_on_this_machine_read_the_file(portico_nginx, backend):
    def answer(request):
        with open(request.get("X-File"), "rb") as file:
            return response_bytes(body=file.read())
    server = backend(answer)
    proxy = portico_nginx("""
        server {
            listen 127.0.0.1:@port@;
            location / {
                client_body_in_file_only clean;
                proxy_set_header X-File $request_body_file;
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
                proxy_pass http://127.0.0.1:%d;
            }
        }""" % server.port)
    assert proxy.request("POST", body=b"in a file").body == b"in a file"
    assert server.requests[-1].body == b""


# Bodies that nobody reads

@pytest.mark.parametrize("framing", FRAMINGS)
def test_requests_behind_bodies_that_nobody_reads_are_served(portico_nginx, framing):
    proxy = portico_nginx('server { listen 127.0.0.1:@port@; return 200 "$request_uri\\n"; }')
    client = proxy.client()
    client.send(b"".join(post(f"/{number}", b"0123456789" * size, framing) for number, size in enumerate((1, 128, 512, 0))))
    assert [client.response().body for _ in range(4)] == [f"/{number}\n".encode() for number in range(4)]
    client.assert_open()


def test_a_body_that_nobody_reads_and_that_has_no_end_in_sight_ends_the_connection(portico_nginx):
    proxy = portico_nginx("server { listen 127.0.0.1:@port@; return 200; }")
    client = proxy.client()
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
    assert client.response().get("Connection") == "close"


def test_a_body_that_looks_like_its_end_hides_no_request(portico_nginx):
    proxy = portico_nginx('server { listen 127.0.0.1:@port@; return 200 "$request_uri\\n"; }')
    client = proxy.client()
    inner = b"x\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    client.send(b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked_bytes(inner) + build("GET /next HTTP/1.1", [("Host", "a")]))
    assert [client.response().body for _ in range(2)] == [b"/first\n", b"/next\n"]


def test_trailers_tell_what_is_known_at_the_end(portico_nginx):
    proxy = portico_nginx("""
        server {
            listen 127.0.0.1:@port@;
            proxy_limit_rate 20000;
            location / { proxy_pass http://127.0.0.1:@port@/data/; add_header X-Begin $msec; add_trailer X-End $msec; }
            location /data/ { alias @folder@/html/; }
        }""", files={"html/data": "x" * 40000})
    answer = proxy.get("/data")
    begin, end = float(answer.get("X-Begin")), float(dict(answer.trailers)["X-End"])
    assert len(answer.body) == 40000 and end - begin >= 0.8
