"""A DNS server over UDP whose answers the test sets while it runs."""
import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33}


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "CNAME":
        return _name(value)
    priority, weight, port, target = value
    return struct.pack("!HHH", priority, weight, port) + _name(target)


class Dns:
    """`records[name]` is a list of (type, value) or an rcode; a name that is not there is NXDOMAIN (3), None is silence. `asked` has
    (name, type) of each question."""

    def __init__(self, records=None, ttl=60):
        self.records, self.ttl, self.asked = dict(records or {}), ttl, []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def questions(self, name, kind="A"):
        return self.asked.count((name, kind))

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        number = struct.unpack("!H", query[at + 1:at + 3])[0]
        kind = next((kind for kind, code in TYPES.items() if code == number), str(number))
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        found = self.records.get(name, 3)
        if found is None:
            return None
        rcode = found if isinstance(found, int) else 0
        rows = [] if rcode else [row for row in found if row[0] in (kind, "CNAME")]
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", TYPES[row[0]], 1, self.ttl, len(_data(*row))) + _data(*row) for row in rows)
        return query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(rows), 0, 0) + query[12:at + 5] + answers

    def _run(self):
        while True:
            try:
                query, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            answer = self._answer(query)
            if answer:
                self._socket.sendto(answer, sender)

    def stop(self):
        port = self._socket.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        self._thread.join()
        self._socket.close()
