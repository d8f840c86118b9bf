"""A gRPC server with calls of all four kinds, on python3-grpcio, and what its clients do. Messages are plain bytes, so that no schema is needed."""
import threading
import time
from concurrent import futures

import pytest

from .ports import free_port
from .waiting import PATIENCE, wait_for

grpc = pytest.importorskip("grpc")

BIG = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


class Service(grpc.GenericRpcHandler):
    """What calls do is in the methods; `events` is what the tests look at."""

    def __init__(self):
        self.metadata = {}
        self.remaining = None
        self.cancelled = threading.Event()
        self.serving = threading.Event()
        self.produced = 0

    def service(self, details):
        self.metadata = {key: value for key, value in details.invocation_metadata}
        kind, _, name = details.method.partition("/t.T/")[2].partition("_")
        if details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self.check)
        make = {"uu": grpc.unary_unary_rpc_method_handler, "us": grpc.unary_stream_rpc_method_handler,
                "su": grpc.stream_unary_rpc_method_handler, "ss": grpc.stream_stream_rpc_method_handler}.get(kind)
        return make and make(getattr(self, name))

    def check(self, request, context):
        return b"\x08\x01" if self.serving.is_set() else b"\x08\x02"

    def echo(self, request, context):
        self.remaining = context.time_remaining()
        context.send_initial_metadata([("x-first", "1")])
        context.set_trailing_metadata([("x-last", "2"), ("x-raw-bin", b"\x00\xff")])
        return request

    def refuse(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so: ü")

    def wait(self, request, context):
        context.add_callback(self.cancelled.set)
        self.cancelled.wait(PATIENCE)
        return b""

    def count(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    def fill(self, request, context):
        for _ in range(1000):
            self.produced += 1
            yield b"x" * 100000

    def endless(self, request, context):
        context.add_callback(self.cancelled.set)
        yield b"first"
        self.cancelled.wait(PATIENCE)

    def fail_later(self, request, context):
        yield b"first"
        context.abort(grpc.StatusCode.DATA_LOSS, "gone")

    def sum(self, requests, context):
        return b"%d" % sum(len(request) for request in requests)

    def talk(self, requests, context):
        for request in requests:
            yield request.upper()


class Server:
    def __init__(self, port=None, credentials=None):
        self.service, self.port = Service(), port or free_port()
        self.server = grpc.server(futures.ThreadPoolExecutor(16), handlers=[self.service], options=BIG)
        address = f"127.0.0.1:{self.port}"
        if credentials:
            self.server.add_secure_port(address, credentials)
        else:
            self.server.add_insecure_port(address)
        self.server.start()
        self.url = f"{'https' if credentials else 'h2c'}://{address}"

    def stop(self):
        self.service.cancelled.set()
        self.server.stop(0).wait()


# What clients do.

def dial(port):
    """A channel of its own to this port."""
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=[*BIG, ("grpc.use_local_subchannel_pool", 1)])


def unary(channel, name):
    return channel.unary_unary(f"/t.T/uu_{name}")


def error_of(call):
    """The status and the words with which a call fails."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code(), error.value.details()


def converse(channel, words):
    """The answers to `words`, each of which is said only when the answer to the one before was heard."""
    turn, heard = threading.Semaphore(1), []

    def said():
        for word in words:
            turn.acquire()
            yield word
    for reply in channel.stream_stream("/t.T/ss_talk")(said(), timeout=PATIENCE):
        heard.append(reply)
        turn.release()
    return heard


def assert_metadata_passes_both_ways(channel, service):
    service.metadata = {}
    reply, call = unary(channel, "echo").with_call(b"hello", metadata=[("x-key", "value"), ("x-raw-bin", b"\x01\x02")], timeout=PATIENCE)
    assert reply == b"hello" and call.code() == grpc.StatusCode.OK
    assert ("x-first", "1") in call.initial_metadata()
    assert {("x-last", "2"), ("x-raw-bin", b"\x00\xff")} <= set(call.trailing_metadata())
    assert service.metadata["x-key"] == "value" and service.metadata["x-raw-bin"] == b"\x01\x02"


def assert_a_slow_reader_holds_the_server_up(channel, service):
    call = channel.unary_stream("/t.T/us_fill")(b"", timeout=3 * PATIENCE)
    next(call)
    last = -1
    while service.produced != last:
        last = service.produced
        time.sleep(0.3)
    assert last < 400
    assert sum(1 for _ in call) == 999


def wait_until_it_answers(channel):
    def answers():
        try:
            return unary(channel, "echo")(b"again", timeout=1) == b"again"
        except grpc.RpcError:
            return False
    wait_for("the server to be back", answers)
