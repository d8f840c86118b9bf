"""Stands in front of pebble 2.4 and adds what it lacks: renewal information (RFC 9773) and profiles."""
import base64
import datetime
import http.server
import json
import ssl
import threading
import urllib.error
import urllib.request

from .ports import free_port


class AriProxy:
    """The first certificate that is asked about is to be renewed at once, the others next month. `orders`: payloads of new orders;
    `asked`: certificate ids in the order of the questions."""

    def __init__(self, ca, folder, profiles=()):
        self.ca, self.profiles = ca, profiles
        self.orders, self.asked = [], []
        self.port = free_port()
        self.directory = f"https://localhost:{self.port}/dir"
        own = ca.authority.issue("localhost", file="front")
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                proxy.answer(self)

            do_HEAD = do_POST = do_GET

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(own.cert), str(own.key))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.path.startswith("/ari/"):
            self._reply(handler, 200, {"Content-Type": "application/json"}, self._window(handler.path[len("/ari/"):]))
            return
        status, headers, content = self._forward(handler, body)
        if handler.path == "/dir":
            directory = json.loads(content)
            directory["renewalInfo"] = f"https://localhost:{self.port}/ari"
            directory["meta"]["profiles"] = {name: "of the tests" for name in self.profiles}
            content = json.dumps(directory).encode()
            self.new_order = directory["newOrder"]
        elif f"https://localhost:{self.port}{handler.path}" == self.new_order and status == 201:
            payload = json.loads(body)["payload"]
            self.orders.append(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
        self._reply(handler, status, headers, content)

    def _window(self, identifier):
        self.asked.append(identifier)
        now = datetime.datetime.utcnow()
        days = -2 if identifier == self.asked[0] else 30
        window = {"start": now + datetime.timedelta(days=days), "end": now + datetime.timedelta(days=days + 1)}
        return json.dumps({"suggestedWindow": {key: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for key, moment in window.items()}}).encode()

    def _forward(self, handler, body):
        """With the Host as it came, so that the URLs in the answer lead here again."""
        context = ssl.create_default_context(cafile=str(self.ca.authority.cert))
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in ("connection", "content-length")}
        request = urllib.request.Request(f"https://localhost:{self.ca.port}{handler.path}", body or None, headers, method=handler.command)
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    @staticmethod
    def _reply(handler, status, headers, content):
        handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
