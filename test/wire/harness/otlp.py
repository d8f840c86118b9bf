"""A collector of OpenTelemetry's: OTLP over HTTP (protobuf and JSON), and what it got, taken apart."""
import gzip
import http.server
import json
import ssl
import struct
import threading
from dataclasses import dataclass, field

from .waiting import wait_for

TRACES, METRICS = "/v1/traces", "/v1/metrics"
INTERNAL, SERVER, CLIENT = 1, 2, 3


# ---- protobuf's wire format: message -> {field: [values]} ----

def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        assert shift < 70, "a varint of more than ten bytes"


def message(data):
    fields, at = {}, 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        elif kind == 2:
            size, at = _varint(data, at)
            assert at + size <= len(data), "a member ends behind its message"
            value, at = data[at:at + size], at + size
        else:
            raise AssertionError(f"wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _one(fields, number, default=b""):
    return fields.get(number, [default])[-1]


def _any_value(data):
    fields = message(data)
    if 1 in fields:
        return fields[1][0].decode()            # strictly: a bad string is the sender's mistake
    if 2 in fields:
        return bool(fields[2][0])
    if 3 in fields:
        return fields[3][0] - (1 << 64 if fields[3][0] >> 63 else 0)
    if 4 in fields:
        return struct.unpack("<d", fields[4][0])[0]
    if 5 in fields:
        return [_any_value(value) for value in message(fields[5][0]).get(1, [])]
    return None


def _attributes(rows):
    found = {}
    for row in rows:
        fields = message(row)
        key = _one(fields, 1).decode()
        value = _any_value(_one(fields, 2))
        # a list comes value by value
        found[key] = found[key] + value if isinstance(value, list) and key in found else value
    return found


@dataclass
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    state: str
    name: str
    kind: int
    start: int
    end: int
    failed: bool
    message: str
    attributes: dict = field(default_factory=dict)
    resource: dict = field(default_factory=dict)

    def __getitem__(self, key):
        return self.attributes[key]

    def get(self, key):
        return self.attributes.get(key)


def _time(data):
    return struct.unpack("<Q", data)[0]


def _span(data, resource):
    fields = message(data)
    status = message(_one(fields, 15))
    return Span(_one(fields, 1).hex(), _one(fields, 2).hex(), _one(fields, 4).hex(), _one(fields, 3).decode(), _one(fields, 5).decode(),
                _one(fields, 6, 0), _time(_one(fields, 7)), _time(_one(fields, 8)), _one(status, 3, 0) == 2, _one(status, 2).decode(),
                _attributes(fields.get(9, [])), resource)


def spans_of_protobuf(data):
    spans = []
    for resource_spans in message(data).get(1, []):
        fields = message(resource_spans)
        resource = _attributes(message(_one(fields, 1)).get(1, []))
        for scope_spans in fields.get(2, []):
            spans += [_span(span, resource) for span in message(scope_spans).get(2, [])]
    return spans


# ---- JSON ----

def _json_value(value):
    (kind, content), = value.items()
    if kind == "intValue":
        assert isinstance(content, str), "64-bit integers are strings in ProtoJSON"
        return int(content)
    return [_json_value(one) for one in content["values"]] if kind == "arrayValue" else content


def _json_attributes(rows):
    found = {}
    for row in rows:
        value = _json_value(row["value"])
        found[row["key"]] = found[row["key"]] + value if isinstance(value, list) and row["key"] in found else value
    return found


def spans_of_json(data):
    spans = []
    for resource_spans in json.loads(data)["resourceSpans"]:
        resource = _json_attributes(resource_spans["resource"]["attributes"])
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                status = span.get("status", {})
                spans.append(Span(span["traceId"], span["spanId"], span.get("parentSpanId", ""), span.get("traceState", ""),
                                  span["name"], span["kind"], int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]),
                                  status.get("code") == 2, status.get("message", ""), _json_attributes(span["attributes"]), resource))
    return spans


# ---- the collector ----

@dataclass
class Export:
    path: str
    headers: dict
    body: bytes                         # decompressed

    @property
    def spans(self):
        if self.path != TRACES:
            return []
        return spans_of_json(self.body) if self.headers["content-type"] == "application/json" else spans_of_protobuf(self.body)


class Collector:
    """`answer(export)` gives (status, headers) or (status, headers, body), and may wait before it does; the default takes everything."""

    def __init__(self, answer=None, port=0, certificate=None):
        self.answer = answer or (lambda export: (200, {}))
        self.exports = []               # those that were answered with 200
        self.asked = []                 # all
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                export = Export(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                collector.asked.append(export)
                status, headers, *rest = collector.answer(export)
                answer = rest[0] if rest else b""
                if status == 200:
                    collector.exports.append(export)
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass                # whoever asked has gone

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *arguments: None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert, certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def spans(self):
        return [span for export in list(self.exports) for span in export.spans]

    def wait_for_spans(self, count=1, where=lambda span: True):
        """Those that fulfil `where`, once there are so many."""
        def found():
            spans = [span for span in self.spans if where(span)]
            return spans if len(spans) >= count else None
        return wait_for(f"{count} spans", found)

    def wait_for_trace(self, trace_id=None, where=lambda span: True):
        """All spans of one trace: those of a request come together, so where its server span is, all are."""
        server, = self.wait_for_spans(1, lambda span: span.kind == SERVER and trace_id in (None, span.trace_id) and where(span))[:1]
        return Trace([span for span in self.spans if span.trace_id == server.trace_id])

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Trace:
    """The spans of one request by what they are."""

    def __init__(self, spans):
        self.spans = spans
        self.server, = (span for span in spans if span.kind == SERVER)
        self.clients = sorted((span for span in spans if span.kind == CLIENT), key=lambda span: (span.start, span.get("http.request.resend_count") or 0))
        self.router = self._named("Router")
        self.service = self._named("Service")
        self.middlewares = [span for span in spans if span.name.startswith("Middleware ")]

    def _named(self, word):
        found = [span for span in self.spans if span.name.startswith(word + " ")]
        assert len(found) <= 1
        return found[0] if found else None
