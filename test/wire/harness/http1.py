"""HTTP/1.1 messages read strictly (RFC 9112): what a lenient client would forgive is a FramingError here.

Pure but for the `receive` it is given, which gives the next bytes and b"" at the end.
"""
import re
from dataclasses import dataclass, field

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d) ([\t \x21-\x7e\x80-\xff]*)")
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})((?:[ \t]*;[\t\x20-\x7e]*)?)")


class FramingError(AssertionError):
    """The peer broke the rules of the protocol."""


class Ended(FramingError):
    """The peer closed within a message, or before it."""


@dataclass
class Message:
    version: str = "1.1"
    fields: list = field(default_factory=list)      # (name, value) as they came
    body: bytes = b""
    trailers: list = field(default_factory=list)
    head: bytes = b""                               # the bytes of the head
    chunks: list = field(default_factory=list)      # sizes, when chunked
    until_close: bool = False

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        """The field's value; its values joined when it came several times."""
        values = self.all(name)
        return ", ".join(values) if values else default

    def has(self, name):
        return bool(self.all(name))

    @property
    def text(self):
        return self.body.decode()

    @property
    def chunked(self):
        return (self.get("Transfer-Encoding") or "").lower() == "chunked"

    def json(self):
        import json
        return json.loads(self.body)


@dataclass
class Request(Message):
    method: str = ""
    target: str = ""


@dataclass
class Response(Message):
    status: int = 0
    reason: str = ""
    interim: list = field(default_factory=list)     # the 1xx that came before


class Reader:
    """Messages of one connection, one after the other."""

    def __init__(self, receive):
        self._receive = receive
        self.buffer = b""
        self.at_end = False

    def fill(self):
        """Reads more; False at the end of the stream."""
        data = b"" if self.at_end else self._receive()
        self.at_end = not data
        self.buffer += data
        return bool(data)

    def take(self, count):
        pieces, held = [self.buffer], len(self.buffer)
        try:                # joined once: a long body must not cost the square of its length
            while held < count:
                self.buffer = b""
                if not self.fill():
                    raise Ended(f"ended {count - held} bytes early; had {b''.join(pieces)[:200]!r}")
                pieces.append(self.buffer)
                held += len(self.buffer)
        finally:
            self.buffer = b"".join(pieces)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def line(self, limit=1 << 20):
        """A line without its CRLF; a bare LF or CR is an error."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > limit:
                raise FramingError("a line without end")
            if not self.fill():
                raise Ended(f"ended within a line: {self.buffer[:200]!r}" if self.buffer else "ended before a message")
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise FramingError(f"a bare LF or CR: {line!r}")
        return line[:-1]

    def field_lines(self):
        fields = []
        while line := self.line():
            match = _FIELD.fullmatch(line)
            if not match:
                raise FramingError(f"not a field line: {line!r}")
            fields.append((match[1].decode(), match[2].decode("latin-1")))
        return fields

    def _length(self, message):
        """None when chunked, -1 when nothing says it; refuses what is ambiguous."""
        lengths, codings = message.all("Content-Length"), message.all("Transfer-Encoding")
        if codings:
            if lengths:
                raise FramingError("Content-Length beside Transfer-Encoding")
            if [coding.lower() for coding in codings] != ["chunked"]:
                raise FramingError(f"Transfer-Encoding {codings}")
            if message.version == "1.0":
                raise FramingError("Transfer-Encoding in HTTP/1.0")
            return None
        if len(lengths) > 1 or (lengths and not re.fullmatch(r"\d+", lengths[0])):
            raise FramingError(f"Content-Length {lengths}")
        return int(lengths[0]) if lengths else -1

    def _chunks(self, message):
        body = []
        while True:
            match = _CHUNK.fullmatch(self.line())
            if not match:
                raise FramingError("not a chunk's size line")
            size = int(match[1], 16)
            if size == 0:
                break
            message.chunks.append(size)
            body.append(self.take(size))
            if self.take(2) != b"\r\n":
                raise FramingError("a chunk does not end in CRLF")
        message.body = b"".join(body)
        message.trailers = self.field_lines()

    def _head(self, message, pattern):
        start = self.line()
        match = pattern.fullmatch(start)
        if not match:
            raise FramingError(f"not a start line: {start!r}")
        message.fields = self.field_lines()
        message.head = start + b"\r\n" + b"".join(f"{k}: {v}\r\n".encode("latin-1") for k, v in message.fields)
        return match

    def response_head(self):
        response = Response()
        version, status, reason = self._head(response, _STATUS_LINE).groups()
        response.version, response.status, response.reason = f"1.{version.decode()}", int(status), reason.decode("latin-1")
        return response

    def response(self, method="GET", interim=True):
        """The next final response with its body; or, without `interim`, the next of any kind."""
        before = []
        while True:
            response = self.response_head()
            if response.status >= 200 or response.status == 101 or not interim:
                break
            before.append(response)
        response.interim = before
        length = self._length(response)
        if response.status < 200 or response.status == 204:
            if length is None or length >= 0:
                raise FramingError(f"a {response.status} with a length")
        elif method == "HEAD" or response.status == 304:
            pass
        elif length is None:
            self._chunks(response)
        elif length >= 0:
            response.body = self.take(length)
        else:
            response.until_close = True
            while self.fill():
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def request_head(self):
        request = Request()
        method, target, version = self._head(request, _REQUEST_LINE).groups()
        request.method, request.target, request.version = method.decode(), target.decode("latin-1"), f"1.{version.decode()}"
        if request.version == "1.1" and len(request.all("Host")) != 1:
            raise FramingError(f"Host {request.all('Host')}")
        return request

    def body(self, request):
        """Reads the body that the request's head announced."""
        length = self._length(request)
        if length is None:
            self._chunks(request)
        elif length > 0:
            request.body = self.take(length)
        return request

    def request(self):
        return self.body(self.request_head())


def build(start, fields=(), body=b""):
    """The bytes of a message, as given: nothing is added, nothing is checked."""
    head = "".join([start, "\r\n", *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"])
    return head.encode("latin-1") + body


def response_bytes(status=200, fields=(), body=b"", reason="Fine"):
    """A response with its length."""
    return build(f"HTTP/1.1 {status} {reason}", [*fields, ("Content-Length", len(body))], body)


def chunked_bytes(*chunks, trailers=()):
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return coded + b"0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in trailers).encode() + b"\r\n"
