"""The harness itself: the peers work, and its reader sees what a lenient one forgives."""
import pytest

from harness import backend as act
from harness.client import Client
from harness.http1 import Ended, FramingError, Reader, build, chunked_bytes, response_bytes
from harness.websocket import WebSocket


def read(data):
    pieces = [data]
    return Reader(lambda: pieces.pop() if pieces else b"").response()


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
])
def test_a_malformed_response_is_an_error(data):
    with pytest.raises(FramingError):
        read(data)


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"",
])
def test_a_response_cut_off_is_an_error(data):
    with pytest.raises(Ended):
        read(data)


def test_chunks_and_trailers_are_read():
    response = read(build("HTTP/1.1 200 OK", [("Transfer-Encoding", "chunked")],
                          chunked_bytes(b"ab", b"cde", trailers=[("Sum", "5")])))
    assert (response.body, response.chunks, response.trailers) == (b"abcde", [2, 3], [("Sum", "5")])


def test_interim_responses_are_kept_apart():
    response = read(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response_bytes(201, body=b"x"))
    assert response.status == 201 and [early.status for early in response.interim] == [103]


def test_the_backend_answers_and_remembers(backend):
    server = backend(lambda request: response_bytes(body=request.target.encode()))
    client = Client(server.port)
    assert client.request("GET", "/a").text == "/a"
    assert client.request("POST", "/b", body=b"hello").text == "/b"
    assert server.last.body == b"hello" and server.accepted == 1
    client.close()


def test_a_script_is_played_on_each_connection(raw_server):
    server = raw_server([act.head, b"HTTP/1.1 200 Fine\r\nContent-Le", act.pause(0.01), b"ngth: 2\r\n\r\nok"],
                        [act.head, act.reset])
    assert Client(server.port).request().text == "ok"
    with pytest.raises(Ended):
        Client(server.port).request()
    assert server.wait_until_played(2)[0].heads[0].target == "/"


def test_uvicorn_serves(uvicorn_app):
    client = Client(uvicorn_app.port)
    assert client.request("GET", "/items/7?q=a").json() == {"item": 7, "q": "a"}
    assert client.request("POST", "/upload", body=bytes(100000)).json() == {"size": 100000}
    assert len(client.request("GET", "/download?size=200000").body) == 200000
    client.close()


def test_uvicorn_speaks_websocket(uvicorn_app):
    socket = WebSocket(Client(uvicorn_app.port), "/ws")
    socket.echo("hello")
    socket.echo(bytes(range(256)) * 300)
    assert socket.close() == 1000


def test_node_speaks_websocket(node_ws):
    socket = WebSocket(Client(node_ws.port))
    socket.echo("hello")
    assert socket.close() == 1000


def test_nginx_serves(nginx):
    client = Client(nginx.port)
    assert client.request("GET", "/hello").text == "hello from nginx\n"
    assert client.request("GET", "/page.html").body == b"<p>from a file</p>\n"
    client.close()
