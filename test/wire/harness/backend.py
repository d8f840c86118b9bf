"""Servers inside the test's process: one that answers by a function, one that plays a script byte by byte."""
import itertools
import select
import socket
import struct
import threading
import time

from .http1 import Ended, FramingError, Reader, response_bytes
from .waiting import PATIENCE, wait_for


class _Listener:
    """Accepts, and gives each connection a thread. An error in a thread is raised by stop()."""

    def __init__(self, host="127.0.0.1", port=0, path=None):
        if path:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(path)
        else:
            self._socket = socket.socket()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self.port = self._socket.getsockname()[1]
            self.url = f"http://{host}:{self.port}"
            self.address = f"{host}:{self.port}"
        self._socket.listen(512)
        self._open = set()
        self._lock = threading.Lock()
        self._stopping = False
        self.errors = []
        self.accepted = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                number, self.accepted = self.accepted, self.accepted + 1
                self._open.add(connection)
            threading.Thread(target=self._run, args=(connection, number), daemon=True).start()

    def _run(self, connection, number):
        try:
            connection.settimeout(PATIENCE)
            if connection.family == socket.AF_INET:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve(connection, number)
        except (ConnectionError, BrokenPipeError):
            pass
        except Exception as error:      # noqa: BLE001 - whatever it is, the test must see it
            if not self._stopping:
                self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def open_connections(self):
        with self._lock:
            return len(self._open)

    def close_connections(self):
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        """Ends everything; raises what went wrong in a connection."""
        self._stopping = True
        # shutdown wakes accept(); close alone would leave it waiting
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self.close_connections()
        self._thread.join()
        if self.errors:
            raise self.errors[0]


class Backend(_Listener):
    """An HTTP/1.1 server: `answer(request)` gives the bytes of the response (None: close without a word), or a list of pieces
    of which numbers are pauses in seconds. Requests are read strictly, so what the proxy sends is proved well-formed.
    `cut`: a body may end early, because the proxy closes when its client breaks off.
    """

    def __init__(self, answer=None, cut=False, **more):
        self.requests = []
        self._cut = cut
        self.answer = answer or (lambda request: response_bytes(body=b"fine"))
        super().__init__(**more)

    def serve(self, connection, number):
        connection.settimeout(None)     # it may idle for as long as the test lasts
        reader = Reader(lambda: connection.recv(1 << 16))
        while True:
            try:
                request = reader.request_head()
            except Ended:
                if reader.buffer:
                    raise
                return
            if request.get("Expect", "").lower() == "100-continue":
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            try:
                reader.body(request)
            except Ended:
                if self._cut:
                    return
                raise
            request.connection = number
            self.requests.append(request)
            answer = self.answer(request)
            if answer is None:
                return
            for piece in [answer] if isinstance(answer, bytes) else answer:
                if isinstance(piece, bytes):
                    connection.sendall(piece)
                else:
                    time.sleep(piece)
            if "close" in request.get("Connection", "").lower():
                return

    @property
    def last(self):
        return self.requests[-1]


class Script(_Listener):
    """Plays one list of actions per connection, in the order that the connections come; the last list is for all that follow.
    An action is bytes to send, or one of those below.
    """

    def __init__(self, *connections, **more):
        self._scripts = connections
        self.played = []
        super().__init__(**more)

    def serve(self, connection, number):
        play = Play(connection)
        self.played.append(play)
        try:
            for action in self._scripts[min(number, len(self._scripts) - 1)]:
                if isinstance(action, bytes):
                    connection.sendall(action)
                else:
                    action(play)
        except Ended:
            # Whoever leaves before the first byte of a request has given it up in time: a check whose time is over, say.
            if play.reader.buffer or play.heads or play.received:
                raise
        play.done = True

    def wait_until_played(self, count=1):
        """Waits until that many connections have come to the end of their script."""
        wait_for(f"{count} connections to end", lambda: self.errors or sum(play.done for play in self.played) >= count)
        return self.played


class Play:
    """One connection under way: what it received."""

    def __init__(self, connection):
        self.connection = connection
        self.reader = Reader(lambda: connection.recv(1 << 16))
        self.heads = []
        self.received = b""
        self.done = False


def head(play):
    """Reads a request's head; its body stays unread."""
    play.heads.append(play.reader.request_head())


def request(play):
    """Reads a request with its body."""
    play.heads.append(play.reader.request())


def take(count):
    """Reads that many bytes."""
    def action(play):
        play.received += play.reader.take(count)
    return action


def until_end(play):
    """Reads until the peer closes."""
    try:
        while play.reader.fill():
            pass
    except ConnectionError:
        pass
    play.received += play.reader.buffer
    play.reader.buffer = b""


def pause(seconds):
    return lambda play: time.sleep(seconds)


def wait_on(event):
    """Goes on when the test sets the event."""
    def action(play):
        assert event.wait(PATIENCE), "the test never let it go on"
    return action


def repeat(data, count):
    """Sends the same bytes again and again, as fast as they are taken."""
    def action(play):
        for _ in range(count):
            play.connection.sendall(data)
    return action


def close(play):
    play.connection.close()


def half_close(play):
    play.connection.shutdown(socket.SHUT_WR)


def reset(play):
    """Closes with RST."""
    play.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    play.connection.close()
