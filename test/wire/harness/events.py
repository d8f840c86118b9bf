"""A reader of server-sent events (text/event-stream) over HTTP/1, byte by byte as they come."""
import json
import time

from .waiting import PATIENCE

LONGEST = 4 * PATIENCE      # of a stream: what has not come by then never will


class Events:
    """Asks for the stream; `head` is its response's head. next() is the next (event, data); comments are counted."""

    def __init__(self, client, target, fields=()):
        self._client = client
        self._buffer = b""
        self._end = time.monotonic() + LONGEST
        self.comments = 0
        self.whole = False          # it ended as it should
        self.head = client.send_request("GET", target, fields).reader.response_head()

    def _more(self):
        reader = self._client.reader
        size = int(reader.line(), 16)
        data = reader.take(size)
        assert reader.line() == b""
        self.whole = size == 0
        return data

    def next(self):
        """None when the stream has ended."""
        assert time.monotonic() < self._end, "what was waited for does not come"
        while not self.whole:
            while b"\n\n" not in self._buffer:
                self._buffer += self._more()
                if self.whole:
                    assert not self._buffer, self._buffer
                    return None
            block, self._buffer = self._buffer.split(b"\n\n", 1)
            if block.startswith(b":"):
                self.comments += 1
                continue
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
            if "event" in fields:
                return fields["event"], json.loads(fields["data"])
        return None

    def until(self, wanted, event="tick"):
        """The data of the first event of this kind for which wanted(data) holds."""
        while True:
            found = self.next()
            assert found is not None, "the stream ended"
            if found[0] == event and wanted(found[1]):
                return found[1]

    def close(self):
        self._client.close()
