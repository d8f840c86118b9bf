"""A client whose every byte the test decides."""
import select
import socket
import struct

from .http1 import FramingError, Reader, build
from .waiting import PATIENCE


class Client:
    def __init__(self, port, host="127.0.0.1", source=None, receive_buffer=None, patience=PATIENCE):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(patience)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise
        self.reader = Reader(self._receive)

    def _receive(self):
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def send_request(self, method="GET", target="/", fields=(), body=b"", host="localhost", version="1.1"):
        """A request; Host and, with a body, Content-Length are added unless they are among the fields."""
        fields = list(fields.items() if isinstance(fields, dict) else fields)
        names = {name.lower() for name, _ in fields}
        if host is not None and "host" not in names:
            fields.insert(0, ("Host", host))
        if body and not names & {"content-length", "transfer-encoding"}:
            fields.append(("Content-Length", len(body)))
        return self.send(build(f"{method} {target} HTTP/{version}", fields, body))

    def response(self, method="GET"):
        return self.reader.response(method)

    def request(self, method="GET", target="/", fields=(), body=b"", **more):
        self.send_request(method, target, fields, body, **more)
        return self.response(method)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def readable(self, seconds):
        if self.reader.buffer:
            return True
        poll = select.poll()        # select() knows descriptors below 1024 alone
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def writable(self, seconds):
        poll = select.poll()
        poll.register(self.socket, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def assert_closed(self):
        """The peer closes, without another byte."""
        try:
            more = self.reader.fill() or self.reader.buffer
        except TimeoutError:
            raise AssertionError("the connection is still open") from None
        if more:
            raise FramingError(f"bytes instead of the end: {self.reader.buffer[:300]!r}")

    def assert_open(self):
        """The connection still serves."""
        assert not self.reader.at_end and not self.reader.buffer, self.reader.buffer[:300]
        if self.readable(0):
            raise AssertionError(f"not idle: {self.socket.recv(300)!r}")
