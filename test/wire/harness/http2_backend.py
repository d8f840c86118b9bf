"""Servers that speak HTTP/2, over TLS or by prior knowledge: python3-h2 behind a socket, so what the proxy sends is read by
somebody else's eyes."""
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .backend import Backend

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def server_context(issued, alpn=("h2", "http/1.1"), clients=None):
    """Shows `issued`; with `clients` (an Authority) it wants a certificate of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(issued.cert), str(issued.key))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(clients.cert))
    return context


class Answer:
    """What a request gets. `interim` are (status, fields) before the head; `trailers` fields behind the body."""

    def __init__(self, status=200, fields=(), body=b"fine", trailers=None, interim=(), length=True):
        self.status, self.fields, self.body, self.trailers, self.interim = status, list(fields), body, trailers, interim
        if length and body and not trailers:
            self.fields.append(("content-length", str(len(body))))


class Request:
    def __init__(self, connection, stream, headers):
        self.connection, self.stream = connection, stream
        self.headers = headers
        self.body = b""
        self.trailers = None
        self.reset = None           # the error code of a reset by the proxy
        self.ended = False

    def get(self, name, default=None):
        return next((value for key, value in self.headers if key == name.lower()), default)

    @property
    def path(self):
        return self.get(":path")

    def all(self, name):
        return [value for key, value in self.headers if key == name]


class Link:
    """One connection: what is written to it, under one lock."""

    def __init__(self, server, socket, number):
        self.server, self.socket, self.number = server, socket, number
        self.lock = threading.RLock()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests = {}
        self.waiting = {}           # stream -> [bytes left, trailers]
        self.goaway = False         # of the proxy
        self.left = False           # ours was sent: python3-h2 is done then, and the test spells out what follows

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def act(self, action):
        """action(h2 connection), then what it wrote is sent."""
        with self.lock:
            action(self.h2)
            self.flush()

    def say_goodbye(self, last_stream):
        self.left = True
        self.act(lambda h2: h2.close_connection(last_stream_id=last_stream))

    def answer(self, stream, answer):
        with self.lock:
            for status, fields in answer.interim:
                self.h2.send_headers(stream, [(":status", str(status)), *fields])
            bare = not answer.body and answer.trailers is None
            self.h2.send_headers(stream, [(":status", str(answer.status)), *answer.fields], end_stream=bare)
            if not bare:
                self.waiting[stream] = [memoryview(answer.body), answer.trailers]
                self.pump(stream)
            self.flush()

    def pump(self, stream):
        """Sends as much of a body as the proxy has granted room for."""
        if stream not in self.waiting:
            return
        body, trailers = self.waiting[stream]
        while body:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if room <= 0:
                break
            self.h2.send_data(stream, bytes(body[:room]))
            body = body[room:]
            self.server.sent += room
        self.waiting[stream] = [body, trailers]
        if body:
            return
        del self.waiting[stream]
        if trailers is not None:
            self.h2.send_headers(stream, trailers, end_stream=True)
        else:
            self.h2.end_stream(stream)

    def run(self):
        self.h2.initiate_connection()
        if self.server.settings:
            self.h2.update_settings(self.server.settings)
        self.flush()
        while True:
            data = self.socket.recv(1 << 16)
            if not data:
                return
            if self.left:
                continue
            with self.lock:
                events = self.h2.receive_data(data)
                self.flush()
            for event in events:
                self.take(event)

    def take(self, event):
        server = self.server
        if isinstance(event, h2.events.RequestReceived):
            request = Request(self.number, event.stream_id, event.headers)
            request.link = self
            self.requests[event.stream_id] = request
            server.requests.append(request)
            if server.at_head is not None:
                server.at_head(request)
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id].body += event.data
            if server.reads(self.requests[event.stream_id]):
                self.act(lambda h2: h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id))
        elif isinstance(event, h2.events.TrailersReceived):
            self.requests[event.stream_id].trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            self.requests[event.stream_id].ended = True
            server.ended(self.requests[event.stream_id])
        elif isinstance(event, h2.events.StreamReset):
            with self.lock:
                self.waiting.pop(event.stream_id, None)
            self.requests[event.stream_id].reset = int(event.error_code)
        elif isinstance(event, h2.events.WindowUpdated):
            with self.lock:
                for stream in [event.stream_id] if event.stream_id else list(self.waiting):
                    self.pump(stream)
                self.flush()
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = True


class Http2Backend(Backend):
    """`answer(request)` gives an Answer, None (nothing yet), or a function of the Link that does as it likes.
    `tls`: an ssl context, else cleartext; where ALPN chooses HTTP/1.1, `answer_h1` is a Backend's answer.
    `together`: answers wait until so many requests are there. `reads(request)`: whether its body is taken (False: window stays shut).
    """

    def __init__(self, answer=None, tls=None, settings=None, together=1, answer_h1=None, at_head=None, reads=None, name="127.0.0.1",
                 **more):
        self.answer_h2 = answer or (lambda request: Answer())
        self.tls, self.settings, self.together, self.at_head = tls, settings, together, at_head
        self.reads = reads or (lambda request: True)
        self.links, self.secured, self.refused = [], [], []
        self.sent = 0
        self._gathered = []
        super().__init__(answer_h1, **more)
        self.url = f"{'https' if tls else 'h2c'}://{name}:{self.port}"

    def serve(self, connection, number):
        connection.settimeout(None)
        if self.tls:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError) as error:
                self.refused.append(error)
                return
            self.secured.append(connection)
        if self.tls and connection.selected_alpn_protocol() != "h2":
            try:
                super().serve(connection, number)
            except ssl.SSLError:
                pass
            return
        link = Link(self, connection, number)
        self.links.append(link)
        try:
            link.run()
        except (h2.exceptions.StreamClosedError, ssl.SSLError):
            pass

    def ended(self, request):
        self._gathered.append(request)
        if len(self._gathered) < self.together:
            return
        gathered, self._gathered = self._gathered, []
        self.together = 1
        for one in gathered:
            answer = self.answer_h2(one)
            if isinstance(answer, Answer):
                one.link.answer(one.stream, answer)
            elif answer is not None:
                answer(one.link)
