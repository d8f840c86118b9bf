"""Fixtures: the proxy, and the peers that it stands between. What a test starts is ended when it ends, the latest first."""
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness import docker                               # noqa: E402
from harness import portico as portico_module           # noqa: E402
from harness.backend import Backend, Script              # noqa: E402
from harness.certificates import Authority               # noqa: E402
from harness.nginx_pair import NginxLike, NginxPair      # noqa: E402
from harness.otlp import Collector                      # noqa: E402
from harness.ports import free_port                      # noqa: E402
from harness.portico import BINARY, Portico              # noqa: E402
from harness.process import Process                      # noqa: E402

# Where this runs in the background SIGINT is ignored, and whoever is started would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

PEERS = Path(__file__).parent / "peers"
PYTHON = "/usr/bin/python3"


def pytest_terminal_summary(terminalreporter):
    """The line that tools/check adds up. An error in a fixture is a failure too."""
    count = {key: len(terminalreporter.stats.get(key, ())) for key in ("passed", "failed", "error")}
    terminalreporter.write_line("")
    terminalreporter.write_line(f"{count['passed']} passed, {count['failed'] + count['error']} failed")


def pytest_collection_modifyitems(config, items):
    """Tests that need an engine run beside one that is nobody else's, which only tools/engine gives."""
    if docker.PRIVATE:
        return
    left_out = [item for item in items if item.get_closest_marker("docker")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("docker")]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def stack():
    """Where the other fixtures leave what is to be ended."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def portico(stack, tmp_path):
    """portico(config, *flags) starts the binary and waits until it accepts; see harness.portico.Portico."""
    started = []

    def start(config, *flags, **more):
        folder = tmp_path / f"portico{len(started)}"
        folder.mkdir()
        proxy = Portico(folder, config, *flags, **more)
        started.append(proxy)
        stack.callback(proxy.stop)
        return proxy
    return start


@pytest.fixture
def backend(stack):
    """backend(answer) is an HTTP server whose responses are a function of the request; see harness.backend.Backend."""
    def start(answer=None, **more):
        server = Backend(answer, **more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def raw_server(stack):
    """raw_server([action, ...], ...) plays a script on each connection; see harness.backend.Script."""
    def start(*connections, **more):
        server = Script(*connections, **more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def grpc_server(stack):
    """grpc_server() starts a gRPC server; see harness.grpc_server.Server, which needs what only its tests have."""
    from harness.grpc_server import Server

    def start(**more):
        server = Server(**more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def scripted(portico, raw_server):
    """scripted(action, ...) gives a proxy and the scripted server behind it."""
    def both(*connections, **sections):
        server = raw_server(*connections)
        return portico(portico_module.to(server.url, **sections)), server
    return both


class Peer:
    """A server process: its url, and the means to take it down and bring it back on the same port."""

    def __init__(self, name, command, folder, port, env=None):
        self._arguments = (name, command, folder / f"{name}.log")
        self._env = env
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.start()

    def start(self):
        self.process = Process(*self._arguments, env=self._env)
        self.process.wait_for_port(self.port)

    def kill(self):
        self.process.kill()

    def terminate(self):
        self.process.signal(signal.SIGTERM)
        self.process.wait()

    def stop(self):
        self.process.kill()


def _uvicorn(folder, name):
    port = free_port()
    return Peer(name, [PYTHON, PEERS / "app.py", port, name], folder, port)


def _node(folder):
    # Debian's modules lie where only its own node looks.
    env = {"NODE_PATH": os.pathsep.join(filter(None, [os.environ.get("NODE_PATH"), "/usr/share/nodejs"]))}
    probe = subprocess.run(["node", "-e", "require('ws').WebSocketServer.name"], env={**os.environ, **env}, capture_output=True,
                           check=False) if shutil.which("node") else None
    if probe is None or probe.returncode != 0:
        pytest.skip("no node with the ws module here")
    port = free_port()
    return Peer("node", ["node", PEERS / "websockets.js", port], folder, port, env)


def _nginx(folder):
    port = free_port()
    (folder / "root" / "put").mkdir(parents=True)
    (folder / "root" / "page.html").write_text("<p>from a file</p>\n")
    with open(folder / "root" / "large.bin", "wb") as file:
        file.truncate(8 << 20)
    text = (PEERS / "nginx.conf").read_text()
    (folder / "nginx.conf").write_text(text.replace("@PORT@", str(port)).replace("@FOLDER@", str(folder)))
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or pytest.skip("no nginx here")
    user = ["-g", "user root;"] if os.getuid() == 0 else []
    return Peer("nginx", [binary, "-p", folder, "-c", folder / "nginx.conf", *user], folder, port)


def _grpc(folder):
    port = free_port()
    return Peer("grpc", [PYTHON, PEERS / "grpc_app.py", port], folder, port)


def _shared(make):
    """A peer for all tests of a worker: for tests that only talk to it."""
    def fixture(tmp_path_factory):
        peer = make(tmp_path_factory.mktemp("peer"))
        yield peer
        peer.stop()
    return pytest.fixture(scope="session")(fixture)


uvicorn_app = _shared(lambda folder: _uvicorn(folder, "app"))
node_ws = _shared(_node)
nginx = _shared(_nginx)
grpc_app = _shared(_grpc)


@pytest.fixture
def start_uvicorn(stack, tmp_path):
    """start_uvicorn(name) is one of the test's own, which it may kill."""
    def start(name="app"):
        peer = _uvicorn(tmp_path, name)
        stack.callback(peer.stop)
        return peer
    return start


@pytest.fixture
def whoami(stack, tmp_path):
    """whoami(name) is `portico whoami`, which the test may kill."""
    def start(name="one"):
        port = free_port()
        peer = Peer(f"whoami-{name}", [BINARY, "whoami", "--port", port, "--name", name], tmp_path, port)
        stack.callback(peer.stop)
        return peer
    return start


@pytest.fixture
def nginx_pair(stack, tmp_path):
    """nginx_pair(text) starts Portico and Debian's nginx with the same nginx.conf; see harness.nginx_pair."""
    return _nginx_likes(stack, tmp_path, NginxPair)


@pytest.fixture
def portico_nginx(stack, tmp_path):
    """portico_nginx(text) is Portico alone with an nginx.conf."""
    def make(folder, text, **more):
        return NginxLike("portico", [BINARY, "nginx"], folder, text, env=portico_module._ENVIRONMENT, **more)
    return _nginx_likes(stack, tmp_path, make)


def _nginx_likes(stack, tmp_path, make):
    started = []

    def start(text, **more):
        folder = tmp_path / f"like{len(started)}"
        like = make(folder, text, **more)
        started.append(like)
        stack.callback(like.stop)
        return like
    return start


@pytest.fixture
def run():
    """run(*arguments) is a subcommand of the binary, run to its end."""
    return portico_module.command


@pytest.fixture
def collector(stack):
    """collector(answer) takes traces and metrics over HTTP; see harness.otlp.Collector."""
    def start(answer=None, **more):
        server = Collector(answer, **more)
        stack.callback(server.stop)
        return server
    return start


@pytest.fixture
def grpc_collector(stack, tmp_path):
    """grpc_collector(certificate, code) takes them over gRPC: a Peer with `received()`, what came so far."""
    def start(certificate=None, code=None):
        port, path = free_port(), tmp_path / "received"
        pair = [certificate.cert, certificate.key] if certificate else []
        peer = Peer("otlp", [PYTHON, PEERS / "otlp_grpc.py", port, path, *pair], tmp_path, port, {"CODE": code} if code else None)
        peer.received = lambda: [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []
        stack.callback(peer.stop)
        return peer
    return start


@pytest.fixture
def authority(tmp_path):
    """A certificate authority of the test's own; see harness.certificates.Authority."""
    return Authority(tmp_path / "authority")


@pytest.fixture
def engine(stack):
    """A container engine: engine.run(image, ...), engine.network(), engine.compose(file, ...); see harness.docker.Engine."""
    return docker.Engine(stack)


@pytest.fixture
def podman(stack, tmp_path):
    """The same of Podman."""
    return docker.podman(stack, tmp_path / "podman")
