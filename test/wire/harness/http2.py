"""An HTTP/2 client whose every frame the test decides (RFC 9113). It keeps no rules of its own: what is sent is what the test
says; what comes is read strictly. Only HPACK is a library's."""
import socket
import struct
from dataclasses import dataclass, field

import hpack

from .waiting import PATIENCE

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 0x10
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
 CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE, ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES = 4, 6, 8, 9


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(**values):
    ids = {"header_table_size": 1, "enable_push": 2, "max_concurrent_streams": 3, "initial_window_size": 4,
           "max_frame_size": 5, "max_header_list_size": 6}
    return b"".join(struct.pack(">HI", ids[name], value) for name, value in values.items())


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """The error code of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[4:8] if self.kind == GOAWAY else self.payload)[0]

    @property
    def last_stream(self):
        return struct.unpack(">I", self.payload[:4])[0]


@dataclass
class Answer:
    """What came on one stream."""
    status: int = 0
    fields: list = field(default_factory=list)
    interim: list = field(default_factory=list)      # (status, fields) of each 1xx
    trailers: list = field(default_factory=list)
    body: bytes = b""
    frames: list = field(default_factory=list)       # kinds, in their order
    ended: bool = False
    reset: int = None

    def get(self, name):
        return ", ".join(value for key, value in self.fields if key == name) if self.has(name) else None

    def has(self, name):
        return any(key == name for key, _ in self.fields)

    @property
    def done(self):
        return self.ended or self.reset is not None


class Http2:
    """A connection. `window`: what is granted to each stream at first; `grant`: give back what was taken as it comes."""

    def __init__(self, port, host="127.0.0.1", window=65535, grant=True, begin=True, receive_buffer=None, patience=PATIENCE,
                 around=None):
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(patience)
        plain.connect((host, port))
        self.socket = around(plain) if around else plain
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 24
        self.buffer = b""
        self.answers = {}
        self.settings = {}
        self.goaways = []
        self.pongs = []
        self.next_stream = 1
        self.grant = grant
        self.ended = False
        self._block = None
        if begin:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings(enable_push=0, initial_window_size=window)))

    # ---- what goes ----

    def send(self, data):
        self.socket.sendall(data)
        return self

    def frame(self, kind, flags=0, stream=0, payload=b""):
        return self.send(frame(kind, flags, stream, payload))

    def head(self, method="GET", target="/", fields=(), scheme="http", authority="localhost"):
        pseudo = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", target)]
        return [(name, value) for name, value in pseudo if value is not None] + list(fields)

    def block(self, fields):
        return self.encoder.encode(fields)

    def open(self, fields, end=True):
        """HEADERS with exactly these fields on the next stream; its number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.answers[stream] = Answer()
        self.frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.block(fields))
        return stream

    def ask(self, method="GET", target="/", fields=(), body=None, **more):
        """A request whose body, if any, is sent without regard to windows; the stream's number."""
        stream = self.open(self.head(method, target, fields, **more), end=body is None)
        if body is not None:
            self.data(stream, body, True)
        return stream

    def data(self, stream, body=b"", end=False):
        pieces = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
        return self.send(b"".join(frame(DATA, END_STREAM if end and number == len(pieces) - 1 else 0, stream, piece)
                                  for number, piece in enumerate(pieces)))

    def trailers(self, stream, fields):
        return self.frame(HEADERS, END_HEADERS | END_STREAM, stream, self.block(fields))

    def reset(self, stream, code=CANCEL):
        return self.frame(RST_STREAM, 0, stream, struct.pack(">I", code))

    def open_window(self, stream, size):
        return self.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))

    def ping(self, payload=b"12345678"):
        return self.frame(PING, 0, 0, payload)

    # ---- what comes ----

    def _fill(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def next(self):
        """The next frame; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            if self.ended or not self._fill():
                assert not self.buffer, f"ended within a frame: {self.buffer[:40]!r}"
                return None
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags = self.buffer[3], self.buffer[4]
        stream = int.from_bytes(self.buffer[5:9], "big") & 0x7fffffff
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        found = Frame(kind, flags, stream, payload)
        self._take(found)
        return found

    def _take(self, got):
        assert self._block is None or got.kind == CONTINUATION, "a frame within a block of fields"
        answer = self.answers.setdefault(got.stream, Answer()) if got.stream else None
        if answer is not None and got.kind in (DATA, HEADERS):
            assert not answer.done, "a frame behind the end of its stream"
            answer.frames.append(got.kind)
        if got.kind == DATA:
            answer.body += got.payload
            answer.ended = bool(got.flags & END_STREAM)
            if self.grant and got.payload:
                self._quietly(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(got.payload))) +
                              (b"" if answer.ended else frame(WINDOW_UPDATE, 0, got.stream, struct.pack(">I", len(got.payload)))))
        elif got.kind in (HEADERS, CONTINUATION):
            self._block = ((self._block or (got.flags & END_STREAM, b""))[0], (self._block or (0, b""))[1] + got.payload)
            if got.flags & END_HEADERS:
                self._take_fields(answer)
        elif got.kind == RST_STREAM:
            answer.reset = got.code
        elif got.kind == SETTINGS and not got.flags & ACK:
            for at in range(0, len(got.payload), 6):
                name, value = struct.unpack(">HI", got.payload[at:at + 6])
                self.settings[name] = value
            self._quietly(frame(SETTINGS, ACK))
        elif got.kind == GOAWAY:
            self.goaways.append(got)
        elif got.kind == PING:
            if got.flags & ACK:
                self.pongs.append(got.payload)
            else:
                self._quietly(frame(PING, ACK, 0, got.payload))

    def _quietly(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def _take_fields(self, answer):
        end, block = self._block
        self._block = None
        fields = [(name.decode() if isinstance(name, bytes) else name, value.decode("latin-1") if isinstance(value, bytes) else value)
                  for name, value in self.decoder.decode(block, raw=True)]
        for name, value in fields:
            assert name == name.lower() and value == value.strip()
        if answer.status:
            assert end, "trailers that do not end the stream"
            answer.trailers = fields
        else:
            assert fields[0][0] == ":status" and not any(name.startswith(":") for name, _ in fields[1:])
            names = {name for name, _ in fields}
            assert not names & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}, names
            status = int(fields[0][1])
            if status < 200:
                answer.interim.append((status, fields[1:]))
                return
            answer.status, answer.fields = status, fields[1:]
        answer.ended = bool(end)

    def read_until(self, what, condition):
        while not condition():
            if self.next() is None:
                raise AssertionError(f"the connection ended before {what}; goaways {[hex(f.code) for f in self.goaways]}")

    def answer(self, stream):
        """What came on the stream, once it is over."""
        self.read_until(f"stream {stream} was over", lambda: self.answers[stream].done)
        return self.answers[stream]

    def request(self, method="GET", target="/", fields=(), body=None, **more):
        return self.answer(self.ask(method, target, fields, body, **more))

    def round_trip(self):
        """Everything that was sent before has been taken."""
        count = len(self.pongs)
        self.ping()
        self.read_until("the answer to a PING", lambda: len(self.pongs) > count)
        return self

    def read_to_end(self):
        """Reads until the peer closes; the last GOAWAY's code, or None."""
        while self.next() is not None:
            pass
        return self.goaways[-1].code if self.goaways else None

    def close(self):
        self.socket.close()
