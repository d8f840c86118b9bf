"""gRPC-Web becomes gRPC on the way to the server, and its trailers a frame on the way back. Most servers here speak HTTP/1.1,
whose trailers are the same to the proxy as those of HTTP/2; the last ones are grpcio's."""
import base64
import re
import threading

import pytest

from harness import backend as act
from harness.http1 import response_bytes
from harness.http2_backend import Http2Backend
from harness.portico import to

ORIGIN = "https://app.example.com"
MESSAGE = b"\0\0\0\0\5hello"
TRAILERS = b"grpc-status: 0\r\ngrpc-message: fine\r\n"
FRAMES = MESSAGE + b"\x80\0\0\0" + bytes([len(TRAILERS)]) + TRAILERS
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\nTrailer: Grpc-Status\r\nX-Own: 1\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\nGrpc-Status: 0\r\ngrpc-message: fine\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def grpc(request):
    """Answers with the message that came."""
    return CHUNKED + chunk(request.body) + END


@pytest.fixture
def translating(portico, backend):
    def start(answer=grpc, inner=None, **options):
        server = backend(answer)
        return portico(to(server.url, middlewares={"web": {"grpcWeb": options}, **(inner or {})})), server
    return start


def call(proxy, type, body, *fields):
    return proxy.request("POST", "/greeter.Greeter/Hello", [("Content-Type", type), ("X-Grpc-Web", "1"), *fields], body)


def test_a_call_reaches_the_server_as_grpc_and_its_trailers_are_the_last_frame(translating):
    proxy, server = translating()
    response = call(proxy, "application/grpc-web+proto", MESSAGE)
    assert server.last.get("Content-Type") == "application/grpc+proto" and server.last.get("TE") == "trailers"
    assert server.last.body == MESSAGE
    assert response.status == 200 and response.get("Content-Type") == "application/grpc-web+proto"
    assert response.body == FRAMES and response.trailers == [] and not response.has("Trailer")


def test_the_text_form_is_base_64_both_ways(translating):
    proxy, server = translating()
    response = call(proxy, "application/grpc-web-text+proto", base64.b64encode(MESSAGE))
    assert server.last.get("Content-Type") == "application/grpc+proto" and server.last.body == MESSAGE
    assert response.get("Content-Type") == "application/grpc-web-text+proto"
    parts = re.findall(rb"[^=]+=*", response.body)      # padding ends a part, not the body
    assert b"".join(map(base64.b64decode, parts)) == FRAMES


def test_a_large_text_body_arrives_whole(translating):
    proxy, server = translating()
    message = bytes(range(256)) * 4001
    response = call(proxy, "application/grpc-web-text", base64.b64encode(message))
    assert server.last.body == message
    assert b"".join(map(base64.b64decode, re.findall(rb"[^=]+=*", response.body))).startswith(message)


AGAIN = {"retry": {"attempts": 2, "status": ["503"], "retryNonIdempotentMethod": True}}


@pytest.mark.parametrize("inner", [{"buffering": {"maxRequestBodyBytes": 1000}}, AGAIN], ids=["buffering", "retry"])
def test_a_text_body_that_is_held_first_is_decoded_all_the_same(translating, inner):
    proxy, server = translating(inner={"inner": inner})
    response = call(proxy, "application/grpc-web-text", base64.b64encode(MESSAGE))
    assert response.status == 200 and server.last.body == MESSAGE


def test_a_text_body_is_decoded_anew_for_another_try(translating):
    answers = iter([response_bytes(503), CHUNKED + END])
    proxy, server = translating(lambda request: next(answers), {"again": AGAIN})
    assert call(proxy, "application/grpc-web-text", base64.b64encode(MESSAGE)).status == 200
    assert [request.body for request in server.requests] == [MESSAGE, MESSAGE]


def test_text_that_is_no_base_64_is_refused(translating):
    proxy, _ = translating()
    assert call(proxy, "application/grpc-web-text", b"AAAA*AAA").status == 400


def test_each_message_of_a_stream_arrives_before_the_next_is_made(portico, raw_server):
    seen = threading.Event()
    server = raw_server([act.request, CHUNKED + chunk(MESSAGE), act.wait_on(seen), chunk(MESSAGE) + END])
    proxy = portico(to(server.url, middlewares={"web": {"grpcWeb": {}}}))
    client = proxy.client().send_request("POST", "/a/b", [("Content-Type", "application/grpc-web-text")], b"AAAAAAA=")
    assert client.reader.response_head().status == 200
    size = int(client.reader.line(), 16)
    assert base64.b64decode(client.reader.take(size)) == MESSAGE
    seen.set()


def test_a_status_without_a_message_stays_in_the_head(translating):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nGrpc-Status: 12\r\nContent-Length: 0\r\n\r\n"
    proxy, _ = translating(lambda request: head)
    response = call(proxy, "application/grpc-web", MESSAGE)
    assert response.get("Grpc-Status") == "12" and response.body == b""
    assert response.get("Content-Type") == "application/grpc-web"


def test_what_is_no_grpc_passes_untouched(translating):
    proxy, server = translating(lambda request: b"HTTP/1.1 404 None\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone")
    response = call(proxy, "application/grpc-web-text", base64.b64encode(MESSAGE))
    assert response.status == 404 and response.body == b"none" and response.get("Content-Type") == "text/plain"
    response = call(proxy, "application/grpc", MESSAGE)
    assert server.last.get("Content-Type") == "application/grpc" and not server.last.has("TE")


def preflight(proxy, origin):
    return proxy.request("OPTIONS", "/greeter.Greeter/Hello", [
        ("Origin", origin), ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,x-grpc-web")])


@pytest.mark.parametrize("allowed", [ORIGIN, "*"])
def test_scripts_of_allowed_origins_may_call_and_read_what_came(translating, allowed):
    proxy, server = translating(allowOrigins=[allowed])
    response = preflight(proxy, ORIGIN)
    assert response.status == 204 and server.requests == []
    assert response.get("Access-Control-Allow-Origin") == ORIGIN and response.get("Access-Control-Allow-Methods") == "POST"
    assert response.get("Access-Control-Allow-Headers") == "content-type,x-grpc-web"
    response = call(proxy, "application/grpc-web", MESSAGE, ("Origin", ORIGIN))
    assert response.get("Access-Control-Allow-Origin") == ORIGIN
    exposed = response.get("Access-Control-Expose-Headers").lower().split(", ")
    assert {"grpc-status", "grpc-message", "x-own"} <= set(exposed)


def test_scripts_of_other_origins_get_no_leave(translating):
    proxy, server = translating(allowOrigins=[ORIGIN])
    response = preflight(proxy, "https://evil.example")
    assert response.status == 204 and not response.has("Access-Control-Allow-Origin") and server.requests == []
    response = call(proxy, "application/grpc-web", MESSAGE, ("Origin", "https://evil.example"))
    assert not response.has("Access-Control-Allow-Origin") and not response.has("Access-Control-Expose-Headers")


# A real server

@pytest.fixture
def greeter(portico, grpc_app):
    url = f"h2c://127.0.0.1:{grpc_app.port}"
    proxy = portico(to(url, middlewares={"web": {"grpcWeb": {}}}))

    def ask(method, type, body):
        return proxy.request("POST", f"/test.Echo/{method}", [("Content-Type", type)], body)
    return ask


OK = b"\x80\0\0\0\x10grpc-status: 0\r\n"


def test_a_grpc_server_answers_a_script(greeter):
    assert greeter("Say", "application/grpc-web+proto", MESSAGE).body == MESSAGE + OK
    response = greeter("Say", "application/grpc-web-text", base64.b64encode(MESSAGE))
    assert b"".join(map(base64.b64decode, re.findall(rb"[^=]+=*", response.body))) == MESSAGE + OK


def test_a_grpc_server_streams_to_a_script(greeter):
    response = greeter("Count", "application/grpc-web", b"\0\0\0\0\1\3")
    assert response.body == b"".join(b"\0\0\0\0\1" + bytes([number]) for number in range(3)) + OK


def test_a_grpc_servers_failure_reaches_a_script(greeter):
    response = greeter("Fail", "application/grpc-web", MESSAGE)
    assert response.get("Grpc-Status") == "5" and response.get("Grpc-Message") == "no such thing"


def test_a_large_message_passes_a_grpc_server(greeter):
    message = bytes(range(256)) * 8000
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    assert greeter("Say", "application/grpc-web", frame).body == frame + OK


def test_trailers_behind_a_known_length_are_awaited(portico, stack):
    def begin(link):
        def write(h2):
            h2.send_headers(1, [(":status", "200"), ("content-type", "application/grpc"), ("content-length", str(len(MESSAGE)))])
            h2.send_data(1, MESSAGE)
        link.act(write)
    server = Http2Backend(lambda request: begin)
    stack.callback(server.stop)
    proxy = portico(to(server.url, middlewares={"web": {"grpcWeb": {}}}))
    client = proxy.client().send_request("POST", "/a/b", [("Content-Type", "application/grpc-web")], MESSAGE)
    client.reader.response_head()
    assert client.reader.take(int(client.reader.line(), 16) + 2) == MESSAGE + b"\r\n"
    server.links[0].act(lambda h2: h2.send_headers(1, [("grpc-status", "0")], end_stream=True))
    assert client.reader.take(int(client.reader.line(), 16) + 2) == OK + b"\r\n"
