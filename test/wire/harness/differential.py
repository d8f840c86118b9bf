"""The same nginx.conf and the same requests to nginx and to Portico: what differs?

A case is a file of test/wire/differential/: what would stand inside of http { }, with {port}, {backend} and {root} for what both
need. Its requests are comments: "#> METHOD TARGET [Name: value]... [body=TEXT]"; "#~ WHAT: why" behind one says that this may
differ (status, body, or a field's name) and gives the reason."""
import gzip
import os
import re
import shutil
from pathlib import Path

from .backend import Backend
from .client import Client
from .http1 import response_bytes
from .portico import BINARY
from .ports import free_port
from .process import Process

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
MTIME = 1000000000
# Of the connection and the moment, or the product's name; framing differs with the version spoken to servers.
_NOISE = {"date", "server", "connection", "keep-alive", "transfer-encoding", "x-powered-by"}


class Ask:
    def __init__(self, line):
        body = re.search(r" body=(.*)$", line)
        self.line = line
        self.body = body.group(1).encode() if body else b""
        line = line[:body.start()] if body else line
        self.method, self.target, rest = (line.split(" ", 2) + [""])[:3]
        self.fields = [tuple(part.split(": ", 1)) for part in re.split(r" (?=[A-Z][\w-]*: )", rest) if part]
        self.allowed = set()


class Case:
    def __init__(self, path):
        self.name = path.stem
        self.text = path.read_text()
        self.asks = []
        for line in self.text.splitlines():
            if line.startswith("#> "):
                self.asks.append(Ask(line[3:]))
            elif line.startswith("#~ "):
                self.asks[-1].allowed.add(line[3:].split(":", 1)[0].lower())


def cases():
    return [Case(path) for path in sorted((Path(__file__).parent.parent / "differential").glob("*.conf"))]


def answer(request):
    """What the server behind both says: by default what it was asked."""
    path = request.target.split("?")[0]
    if path.startswith("/status/"):
        return response_bytes(int(path[8:11]), [("Content-Type", "text/plain"), ("X-Status", "seen")], b"status " + path[8:11].encode())
    if path.startswith("/redirect/"):
        return response_bytes(302, [("Location", f"http://{request.get('Host')}/redirect/next")], b"moved")
    if path.startswith("/cookie"):
        return response_bytes(200, [("Set-Cookie", "a=1; Domain=backend.example; Path=/old/x"), ("Set-Cookie", "b=2; Path=/other")], b"c")
    if path.startswith("/fields"):
        return response_bytes(200, [("X-Secret", "s"), ("X-Pad", "p"), ("X-Accel-Note", "n"), ("X-Plain", "1"), ("Server", "behind")], b"f")
    if path == "/accel":
        return response_bytes(200, [("X-Accel-Redirect", "/protected/one.txt"), ("X-Other", "o")], b"not this")
    if path == "/big":
        return response_bytes(200, [("Content-Type", "text/plain")], b"0123456789" * 100)
    if path == "/bad":
        return b"this is no HTTP\r\n\r\n"
    if path == "/close":
        return None
    lines = [f"{request.method} {request.target}"]
    lines += sorted(f"{name.lower()}: {value}" for name, value in request.fields
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"))
    return response_bytes(200, [("Content-Type", "text/plain")], "\n".join(lines).encode() + b"\n" + request.body)


def make_root(folder):
    """The files that both serve; their times are fixed, so validators are equal."""
    files = {"one.txt": b"one two three\n", "page.html": b"<p>page</p>\n", "data.json": b"{}", "unknown.xyz": b"?", ".hidden": b"hidden",
             "with space.txt": b"space", "folder/index.html": b"<p>index</p>\n", "folder/inner.txt": b"inner", "empty/.keep": b"",
             "big.txt": b"0123456789" * 200, "static.txt": b"static\n" * 50, "static.txt.gz": gzip.compress(b"static\n" * 50, mtime=0),
             "listing/a.txt": b"a", "listing/b.txt": b"bb", "listing/folder/c.txt": b"c",
             "htpasswd": b"anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (MTIME, MTIME))
    folder.chmod(0o755)
    return folder


class Side:
    """One of the two programs with a case's configuration."""

    def __init__(self, name, command, case, folder, backend, root):
        self.port = free_port()
        self.folder = folder / name
        (self.folder / "temp").mkdir(parents=True)
        text = case.text.replace("{port}", f"127.0.0.1:{self.port}").replace("{backend}", backend.address).replace("{root}", str(root))
        temp = "".join(f"    {kind}_temp_path {self.folder}/temp/{kind};\n" for kind in ("client_body", "proxy"))
        self.path = self.folder / "nginx.conf"
        self.path.write_text(f"daemon off;\nmaster_process off;\nuser root;\npid {self.folder}/pid;\nerror_log {self.folder}/error.log info;\n"
                             f"events {{ }}\nhttp {{\n    access_log {self.folder}/access.log;\n{temp}{text}}}\n")
        self.process = Process(name, [*command, "-p", f"{self.folder}/", "-c", self.path, "-e", f"{self.folder}/error.log"],
                               self.folder / "output")
        self.process.wait_for_port(self.port)

    def ask(self, ask):
        client = Client(self.port)
        try:
            fields = list(ask.fields)
            host = next((value for name, value in fields if name == "Host"), f"127.0.0.1:{self.port}")
            fields = [("Host", host)] + [field for field in fields if field[0] != "Host"]
            if ask.body:
                fields.append(("Content-Length", str(len(ask.body))))
            head = "".join(f"{name}: {value}\r\n" for name, value in fields)
            client.send(f"{ask.method} {ask.target} HTTP/1.1\r\n{head}\r\n".encode() + ask.body)
            return Seen(client.response(ask.method), self.port)
        finally:
            client.close()

    def stop(self):
        self.process.kill()


class Seen:
    """An answer, without what must differ."""

    def __init__(self, response, port):
        self.status = response.status
        self.body = self._plain(response)
        own = f":{port}"
        self.builtin = b"<center>" in response.body and b"</h1></center>" in response.body
        self.fields = sorted((name.lower(), value.replace(own, ":PORT")) for name, value in response.fields
                             if name.lower() not in _NOISE)
        self.body = self.body.replace(own.encode(), b":PORT")
        if self.builtin or response.status >= 300 and not self.body:
            self.fields = [field for field in self.fields if field[0] not in ("content-length", "content-type")]

    @staticmethod
    def _plain(response):
        return gzip.decompress(response.body) if response.get("Content-Encoding") == "gzip" and response.body else response.body


def differences(theirs, ours, ask):
    found = []
    if theirs.status != ours.status and "status" not in ask.allowed:
        found.append(f"status: nginx {theirs.status}, Portico {ours.status}")
    if theirs.body != ours.body and not (theirs.builtin and ours.builtin) and "body" not in ask.allowed:
        found.append(f"body: nginx {theirs.body[:300]!r}, Portico {ours.body[:300]!r}")
    skip = set(ask.allowed)
    if "gzip" in str(theirs.fields) + str(ours.fields) or "body" in ask.allowed or theirs.builtin:
        skip.add("content-length")
    for name, value in theirs.fields:
        if (name, value) not in ours.fields and name not in skip:
            found.append(f"field of nginx alone: {name}: {value}")
    for name, value in ours.fields:
        if (name, value) not in theirs.fields and name not in skip:
            found.append(f"field of Portico alone: {name}: {value}")
    return found


class Pair:
    def __init__(self, case, folder):
        self.backend = Backend(answer, cut=True)
        root = make_root(folder / "root")
        self.sides = []
        try:
            for name, command in (("nginx", [NGINX]), ("portico", [BINARY, "nginx"])):
                self.sides.append(Side(name, command, case, folder, self.backend, root))
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for side in self.sides:
            side.stop()
        self.backend.stop()
