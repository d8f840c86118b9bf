"""The binary under test."""
import json
import os
import re
import signal
import string
import subprocess

from .client import Client
from .ports import free_port
from .process import Process
from .waiting import PATIENCE, wait_for
from .websocket import WebSocket

BINARY = os.environ.get("PORTICO", os.path.join(os.path.dirname(__file__), "../../../build/portico"))
_SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)")
# The sanitizers' own exit codes, so that a finding at exit cannot pass as a clean end.
_ENVIRONMENT = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=1", "TSAN_OPTIONS": "exitcode=98:halt_on_error=0",
                "UBSAN_OPTIONS": "print_stacktrace=1"}


def to(*servers, rule="PathPrefix(`/`)", middlewares=None, router=None, service=None, **sections):
    """The configuration as a dict: one router to one load balancer over `servers` (URLs, or dicts of a server's options).
    `middlewares` is a dict of definitions, all of which the router uses in that order."""
    http = {"routers": {"main": {"rule": rule, "service": "main", **(router or {})}},
            "services": {"main": {"loadBalancer": {
                "servers": [{"url": server} if isinstance(server, str) else server for server in servers], **(service or {})}}}}
    if middlewares:
        http["middlewares"] = middlewares
        http["routers"]["main"]["middlewares"] = list(middlewares)
    return {"http": http, **sections}


class Portico:
    """`config` is a dict, or YAML in which each ${name} stands for a free port. A dict without entry points gets `web`, and an
    entry point without an address gets one."""

    def __init__(self, folder, config, *flags, env=None, wait=True, ports=None):
        self.folder = folder
        self.ports = dict(ports or {})
        self.config_path = folder / "portico.yaml"
        self.access_path = folder / "access.log"
        self.clients = []
        self.write(config)
        self.process = Process("portico", [BINARY, "run", "--config", self.config_path, *flags], folder / "portico.log",
                               env={**_ENVIRONMENT, **(env or {})}, cwd=folder)
        if wait:
            for port in self.ports.values():
                self.process.wait_for_port(port)

    def text_of(self, config):
        if isinstance(config, str):
            class Ports(dict):
                def __missing__(ports, name):
                    return self.ports.setdefault(name, free_port())
            return string.Template(config).substitute(Ports(self.ports))
        config = dict(config)
        entry_points = {name: dict(options or {}) for name, options in config.get("entryPoints", {"web": {}}).items()}
        for name, options in entry_points.items():
            options.setdefault("address", f"127.0.0.1:{self.ports.setdefault(name, free_port())}")
        config["entryPoints"] = entry_points
        config.setdefault("accessLog", {"filePath": str(self.access_path), "format": "json"})
        return json.dumps(config, indent=2)     # JSON is YAML

    def write(self, config):
        """Writes the configuration file anew, in place."""
        self.config_path.write_text(self.text_of(config))

    @property
    def port(self):
        return self.ports["web"] if "web" in self.ports else next(iter(self.ports.values()))

    @property
    def log(self):
        return self.process.output

    def client(self, entry_point=None, **more):
        client = Client(self.ports[entry_point] if entry_point else self.port, **more)
        self.clients.append(client)
        return client

    def request(self, method="GET", target="/", fields=(), body=b"", entry_point=None, **more):
        """One request on a connection of its own."""
        client = self.client(entry_point)
        response = client.request(method, target, fields, body, **more)
        client.close()
        return response

    def get(self, target="/", fields=(), **more):
        return self.request("GET", target, fields, **more)

    def exchange(self, raw):
        """Sends bytes as they are; the one response, after which the proxy must close."""
        client = self.client().send(raw)
        response = client.response()
        client.assert_closed()
        client.close()
        return response

    def websocket(self, target="/", fields=(), **more):
        return WebSocket(self.client(), target, fields, **more)

    def access(self, count=1, where=lambda line: True):
        """The access log's lines (JSON) that fulfil `where`, once there are `count` of them."""
        def lines():
            text = self.access_path.read_text() if self.access_path.exists() else ""
            found = [line for line in map(json.loads, text.split("\n")[:-1]) if where(line)]
            return found if len(found) >= count else None
        return wait_for(f"{count} lines of the access log", lines)

    def wait_until(self, what, condition):
        def checked():
            assert self.process.running(), f"portico ended with {self.process.popen.returncode}:\n{self.log}"
            return condition()
        return wait_for(what, checked)

    def wait_for_answer(self, wanted, target="/", **more):
        """Asks again and again until `wanted(response)`: for what a reload changes."""
        def answers():
            try:
                response = self.get(target, **more)
            except (OSError, AssertionError):
                return None
            return response if wanted(response) else None
        return self.wait_until("another answer", answers)

    def close_clients(self):
        for client in self.clients:
            client.close()
        self.clients.clear()

    def assert_clean(self, code):
        log = self.log
        assert not _SANITIZER.search(log), log[-20000:]
        assert code == 0, f"portico ended with {code}:\n{log[-5000:]}"

    def stop(self):
        """Ends it as a supervisor does; it must end well, with nothing from a sanitizer."""
        self.close_clients()
        try:
            if self.process.running():
                self.process.signal(signal.SIGTERM)
            self.assert_clean(self.process.wait(PATIENCE))
        finally:
            self.process.kill()


def command(*arguments, stdin=None, env=None, cwd=None):
    """Runs a subcommand to its end: subprocess.CompletedProcess with text."""
    run = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, input=stdin, timeout=60, cwd=cwd,
                         env={**os.environ, **_ENVIRONMENT, **(env or {})})
    assert not _SANITIZER.search(run.stderr), run.stderr
    assert run.returncode >= 0, f"ended by signal {-run.returncode}: {run.stderr}"
    return run
