"""What a scrape says: Prometheus' text read strictly, and protocol buffers and OTLP read as far as tests need it."""
import gzip
import json
import math
import re
import struct

_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def _labels(text):
    labels, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        assert match, f"no label at {text[at:]!r}"
        assert match[1] not in labels, text
        labels[match[1]] = re.sub(r'\\["\\n]', lambda found: _ESCAPES[found[0]], match[2])
        at = match.end()
    return labels


class Scrape:
    """The samples of one answer: (name, labels) -> value."""

    def __init__(self, text):
        self.text = text
        self.samples, self.types = {}, {}
        for line in text.split("\n")[:-1]:
            if line.startswith("#"):
                word = line.split(" ", 3)
                if word[1] == "TYPE":
                    assert word[2] not in self.types, line
                    self.types[word[2]] = word[3]
                continue
            match = _SAMPLE.fullmatch(line)
            assert match, line
            key = (match[1], frozenset(_labels(match[2] or "").items()))
            assert key not in self.samples, f"twice: {line}"
            self.samples[key] = float(match[3].replace("Inf", "inf"))

    def find(self, name, /, **labels):
        """Values by labels of the samples of `name` that have these labels."""
        wanted = set(labels.items())
        return {key: value for (found, key), value in self.samples.items() if found == name and wanted <= key}

    def sum(self, name, /, **labels):
        return math.fsum(self.find(name, **labels).values())

    def one(self, name, /, **labels):
        """The value of the one sample that has exactly these labels."""
        return self.samples.get((name, frozenset(labels.items())))


def scrape(proxy, entry_point="metrics", fields=(), target="/metrics"):
    response = proxy.get(target, fields, entry_point=entry_point)
    assert response.status == 200, response
    return Scrape(response.body.decode())


# Protocol buffers: what stands under each field number, in order

def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """field number -> list of integers (varint), 8 bytes as bytes (fixed64) or bytes (anything with a length)."""
    found, at = {}, 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        else:
            assert kind == 2, f"wire type {kind}"
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.setdefault(tag >> 3, []).append(value)
    return found


def delimited(data):
    """The messages of a stream in which each stands behind its length."""
    at = 0
    while at < len(data):
        size, at = _varint(data, at)
        yield fields(data[at:at + size])
        at += size


def double(data):
    return struct.unpack("<d", data)[0]


def varints(data):
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def zigzag(value):
    return value >> 1 ^ -(value & 1)


# OTLP

def body_of(request):
    return gzip.decompress(request.body) if request.get("Content-Encoding") == "gzip" else request.body


def otlp_json(request):
    """name -> metric of an export in JSON."""
    resource, = json.loads(body_of(request))["resourceMetrics"]
    scope, = resource["scopeMetrics"]
    return {metric["name"]: metric for metric in scope["metrics"]}


def otlp_attributes(point):
    return {pair["key"]: next(iter(pair["value"].values())) for pair in point["attributes"]}


def otlp_protobuf(request):
    """name -> fields of a metric of an export in protocol buffers."""
    resource, = fields(body_of(request))[1]
    scope, = fields(resource)[2]
    metrics = [fields(metric) for metric in fields(scope)[2]]
    return {metric[1][0].decode(): metric for metric in metrics}
