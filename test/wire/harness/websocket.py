"""A WebSocket client on a Client (RFC 6455), as much of it as the tests need."""
import base64
import hashlib
import os
import struct

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    def __init__(self, client, target="/", fields=(), host="localhost"):
        key = base64.b64encode(os.urandom(16))
        client.send_request("GET", target, [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                                            ("Sec-WebSocket-Key", key.decode()), *fields], host=host)
        self.client, self.reader = client, client.reader
        self.response = client.response()
        if self.response.status != 101:
            raise AssertionError(f"no upgrade: {self.response.status} {self.response.body[:200]!r}")
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        assert self.response.get("Sec-WebSocket-Accept") == accept
        assert self.response.get("Upgrade", "").lower() == "websocket"
        assert self.response.get("Connection", "").lower() == "upgrade"

    def send(self, data, opcode=None):
        if isinstance(data, str):
            data, opcode = data.encode(), opcode or TEXT
        mask = os.urandom(4)
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else (
            b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size))
        pad = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
        self.client.send(bytes([0x80 | (opcode or BINARY)]) + length + mask + masked)

    def receive(self):
        """(opcode, payload) of the next message, its fragments joined."""
        whole, first = b"", None
        while True:
            start, length = self.reader.take(2)
            length &= 0x7f
            if length == 126:
                length, = struct.unpack(">H", self.reader.take(2))
            elif length == 127:
                length, = struct.unpack(">Q", self.reader.take(8))
            data = self.reader.take(length)
            if start & 0x0f >= CLOSE:
                return start & 0x0f, data
            first = first or start & 0x0f
            whole += data
            if start & 0x80:
                return first, whole

    def echo(self, data):
        """Sends and expects the same back."""
        self.send(data)
        opcode, payload = self.receive()
        expected = data.encode() if isinstance(data, str) else data
        assert payload == expected, f"opcode {opcode}, {len(payload)} bytes for {len(expected)}"

    def close(self, code=1000):
        """The closing handshake; gives the peer's code."""
        self.send(struct.pack(">H", code), CLOSE)
        opcode, payload = self.receive()
        assert opcode == CLOSE
        return struct.unpack(">H", payload[:2])[0] if payload else None
