"""The same nginx.conf under `portico nginx` and under Debian's nginx, for tests that compare what both answer.

In a text ${name} would be nginx's own, so what differs between the two is written @name@: @folder@ is a folder of each one's own, and
any other @name@ stands for a free port (the same for all uses of a name). A text without `http {` is the inside of it.
"""
import os
import re
import shutil
import signal

import pytest

from .client import Client
from .portico import _ENVIRONMENT, _SANITIZER, BINARY
from .ports import free_port
from .process import Process
from .waiting import PATIENCE, wait_for

# What differs by nature: who answers and when.
NOISE = ("date", "server", "keep-alive")
_TEMPORARY = "".join(f"{name}_temp_path @folder@/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
_PORTICO_TEMPORARY = "".join(f"{name}_temp_path @folder@/{name};\n" for name in ("client_body", "proxy"))
_WRAPPER = """daemon off;
pid @folder@/nginx.pid;
error_log @folder@/error.log @level@;
events { }
http {
    include @folder@/own.conf;
    access_log @folder@/access.log;
TEXT
}
"""


def real_nginx():
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or pytest.skip("no nginx here")


class NginxLike:
    """One of the two. `files` are texts or bytes by name, laid into its folder before it starts."""

    def __init__(self, name, command, folder, text, files=None, level="info", ports=None, wait=True, env=None):
        self.name, self.folder, self.level = name, folder, level
        self.ports = dict(ports or {})
        self.clients = []
        (folder / "html").mkdir(parents=True)
        for path, content in (files or {}).items():
            self.write(path, content)
        self.conf = folder / "nginx.conf"
        # What a client may see of temporary files is no matter of these tests.
        (folder / "own.conf").write_text(self.expand(_TEMPORARY if name == "nginx" else _PORTICO_TEMPORARY))
        self.write_conf(text)
        self.arguments = ["-p", f"{folder}/", "-c", self.conf, "-e", folder / "error.log",
                          *(["-g", "user root;"] if os.getuid() == 0 else [])]
        self.command = [*command, *self.arguments]
        self.process = Process(name, self.command, folder / "output", env=env, cwd=folder)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self):
        def is_there():
            assert self.process.running(), f"{self.name} ended with {self.process.popen.returncode}:\n{self.said}"
            return (self.folder / "nginx.pid").exists()
        wait_for(f"{self.name}'s pid file", is_there)

    def expand(self, text):
        def value(match):
            name = match.group(1)
            if name in ("folder", "level"):
                return str(getattr(self, name))
            return str(self.ports.setdefault(name, free_port()))
        return re.sub(r"@(\w+)@", value, text)

    def write(self, path, content):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(self.expand(content))
        return target

    def write_conf(self, text):
        whole = text if re.search(r"\bhttp\s*\{", text) else _WRAPPER.replace("TEXT", text)
        self.conf.write_text(self.expand(whole))

    @property
    def port(self):
        return self.ports["port"] if "port" in self.ports else next(iter(self.ports.values()))

    @property
    def pid(self):
        return int((self.folder / "nginx.pid").read_text())

    @property
    def error_log(self):
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def said(self):
        return self.process.output + self.error_log

    def access_log(self, count=1, name="access.log"):
        """The lines of an access log, once there are `count`."""
        def lines():
            path = self.folder / name
            found = path.read_text(errors="surrogateescape").splitlines() if path.exists() else []
            return found if len(found) >= count else None
        return wait_for(f"{count} lines of {name}", lines)

    def wait_for_error(self, text):
        return wait_for(f"{text!r} in {self.name}'s error log", lambda: text in self.error_log and self.error_log)

    def client(self, port="port", **more):
        client = Client(self.ports[port], **more)
        self.clients.append(client)
        return client

    def request(self, method="GET", target="/", fields=(), body=b"", port="port", **more):
        client = self.client(port)
        response = client.request(method, target, fields, body, **more)
        client.close()
        return response

    def get(self, target="/", fields=(), **more):
        return self.request("GET", target, fields, **more)

    def neutral(self, text):
        """Its own ports and folder by their names: for comparing."""
        for name, port in self.ports.items():
            text = re.sub(rf"(?<!\d){port}(?!\d)", f"@{name}@", text)
        return text.replace(str(self.folder), "@folder@")

    def seen(self, response, ignoring=()):
        """What is compared of a response."""
        left_out = {*NOISE, *(name.lower() for name in ignoring)}
        fields = sorted((name.lower(), self.neutral(value)) for name, value in response.fields
                        if name.lower() not in left_out and (name.lower(), value) != ("connection", "keep-alive"))
        body = response.body if "body" not in left_out else b""
        return response.status, fields, self.neutral(body.decode("latin-1"))

    def stop(self, number=signal.SIGQUIT):
        for client in self.clients:
            client.close()
        try:
            if self.process.running():
                self.process.signal(number)
            code = self.process.wait(PATIENCE)
            assert not _SANITIZER.search(self.said), self.said[-20000:]
            assert code == 0, f"{self.name} ended with {code}:\n{self.said[-5000:]}"
        finally:
            self.process.kill()


class NginxPair:
    """pair.nginx and pair.portico, started from one text."""

    def __init__(self, folder, text, **more):
        # Alike long, so that lengths of bodies that name them are alike too.
        self.portico = NginxLike("portico", [BINARY, "nginx"], folder / "portico", text, env=_ENVIRONMENT, **more)
        try:
            self.nginx = NginxLike("nginx", [real_nginx()], folder / "ornginx", text, **more)
        except BaseException:
            self.portico.process.kill()
            raise

    def same(self, method="GET", target="/", fields=(), body=b"", ignoring=(), **more):
        """Asks both and asserts that they answer alike but for Date, Server and the fields `ignoring` ("body" too); Portico's answer."""
        wanted = self.nginx.request(method, target, fields, body, **more)
        got = self.portico.request(method, target, fields, body, **more)
        expected, seen = self.nginx.seen(wanted, ignoring), self.portico.seen(got, ignoring)
        assert seen == expected, f"{method} {target} {list(fields)}:\nnginx   {expected}\nportico {seen}"
        return got

    def stop(self):
        try:
            self.portico.stop()
        finally:
            self.nginx.stop()
