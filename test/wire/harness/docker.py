"""A real engine: containers, networks, Compose projects, and images made from this machine's own files, without a registry.

Only under `tools/engine run`, whose engine is nobody else's. Tests share it and run at once: names are unique, and what a test
makes is removed when it ends. Images stay: one that is wanted again is there. Containers are reached by their addresses."""
import fcntl
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import uuid
from pathlib import Path

import pytest

from .portico import BINARY
from .process import Process
from .waiting import PATIENCE, wait_for

PRIVATE = os.environ.get("WIRE_ENGINE") == "private"
SOCKET = "/run/docker.sock"
ROOT = Path(__file__).resolve().parents[3]
COMMAND_PATIENCE = 6 * PATIENCE


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def alone(stack, name):
    """Holds `name` for the rest of the test: for what there is once only, such as a port that a file asks for."""
    file = stack.enter_context(open(f"/run/lock/portico-test-{name}", "w"))
    fcntl.flock(file, fcntl.LOCK_EX)


# ---- images ----

def libraries(programs):
    """The files that the dynamic loader would take for these programs and libraries."""
    found = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        found.update(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed.stdout, re.MULTILINE))
    return sorted(found)


class Root:
    """The root directory of an image, as a tar: `add` what it is to hold."""

    def __init__(self):
        self.entries = {}

    def add(self, path, content, mode=0o644):
        """`content`: a text, bytes, or a Path of this machine, of which a folder is taken whole."""
        if not isinstance(content, Path):
            self.entries[path.lstrip("/")] = (content.encode() if isinstance(content, str) else content, mode)
            return self
        for file in content.rglob("*") if content.is_dir() else [content]:
            if file.is_file() and "__pycache__" not in file.parts:
                inside = f"{path}/{file.relative_to(content)}" if content.is_dir() else path
                self.entries[inside.lstrip("/")] = (file, 0o755 if os.access(file, os.X_OK) else 0o644)
        return self

    def program(self, path, source=None):
        """A program with the libraries that it needs, which are taken from where they lie here."""
        source = Path(source or path).resolve()
        self.add(path, source)
        for library in libraries([source]):
            self.add(library, Path(library).resolve())
        return self

    def portico(self):
        """The binary under test, with libcurl, which it loads when it first asks an engine."""
        curl = [path for folder in {str(Path(name).parent) for name in libraries([BINARY])}
                if (path := Path(folder) / "libcurl.so.4").exists()]
        for library in {*map(str, curl), *libraries(curl)}:
            self.add(library, Path(library).resolve())
        return self.program("/portico", BINARY)

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            folders = {str(parent) for path in self.entries for parent in Path(path).parents} - {"."}
            for folder in sorted(folders | {"tmp"}):
                member = tarfile.TarInfo(folder)
                member.type, member.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
                tar.addfile(member)
            for path, (content, mode) in sorted(self.entries.items()):
                data = content.read_bytes() if isinstance(content, Path) else content
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), mode
                tar.addfile(member, io.BytesIO(data))
        return out.getvalue()


def python_root():
    """Debian's python3 with what a FastAPI application needs: `python3 -m uvicorn` runs in it."""
    root = Root()
    python = Path("/usr/bin/python3").resolve()
    standard = Path("/usr/lib") / python.name
    root.program("/usr/bin/python3", python)
    for file in standard.rglob("*"):
        parts = file.relative_to(standard).parts
        if file.is_file() and not {"test", "idlelib", "lib2to3", "ensurepip", "__pycache__", "dist-packages"} & set(parts):
            root.add(str(file), file)
    packages = Path("/usr/lib/python3/dist-packages")
    for name in ("fastapi", "starlette", "pydantic", "uvicorn", "anyio", "sniffio", "h11", "click", "idna", "asgiref", "websockets",
                 "wsproto", "typing_extensions.py", "typing_extensions", "annotated_types", "pydantic_core", "exceptiongroup"):
        if (packages / name).exists():
            root.add(str(packages / name), packages / name)
    for library in libraries([*standard.glob("lib-dynload/*.so"), *packages.glob("pydantic*/**/*.so"), *packages.glob("websockets/*.so")]):
        root.add(library, Path(library).resolve())
    return root


# ---- what an engine runs ----

class Container:
    def __init__(self, engine, name):
        self.engine, self.name = engine, name
        self.id = self.inspect()["Id"]

    def inspect(self):
        return self.engine.inspect(self.name)

    @property
    def state(self):
        return self.inspect()["State"]

    def address(self, network=None):
        """Its IPv4 address, in the network or in its only one."""
        networks = self.inspect()["NetworkSettings"]["Networks"]
        return (networks[network] if network else next(iter(networks.values())))["IPAddress"]

    @property
    def log(self):
        return self.engine.command("logs", self.name, both=True)

    def stop(self, seconds=10):
        self.engine.command("stop", "-t", seconds, self.name)

    def start(self):
        self.engine.command("start", self.name)

    def kill(self, signal="KILL"):
        self.engine.command("kill", "-s", signal, self.name)

    def pause(self):
        self.engine.command("pause", self.name)

    def unpause(self):
        self.engine.command("unpause", self.name)

    def remove(self):
        self.engine.command("rm", "-f", "-v", self.name, check=False)

    def execute(self, *command, check=True):
        return self.engine.command("exec", self.name, *command, check=check)

    def wait_for_log(self, text):
        def said():
            log = self.log
            if text in log:
                return log
            assert self.state["Running"] or self.state["Restarting"], f"{self.name} ended:\n{log}"
        return wait_for(f"{self.name} to say {text!r}", said)

    def wait_for_state(self, what, condition):
        return wait_for(f"{self.name} to be {what}", lambda: condition(self.state))


class Compose:
    """A project of docker-compose: `files` are paths, laid over each other."""

    def __init__(self, engine, files, env=None, project=None):
        self.engine, self.project = engine, project or unique("project")
        self.files, self.env = [str(file) for file in files], env or {}

    def command(self, *arguments, check=True):
        flags = [part for file in self.files for part in ("-f", file)]
        return self.engine.execute(["docker-compose", "-p", self.project, *flags, *arguments], env=self.env, check=check)

    def up(self, *arguments):
        self.command("up", "-d", "--no-build", *arguments)
        return self

    def down(self):
        self.command("down", "-v", "-t", "2", check=False)

    def containers(self, service):
        ids = self.command("ps", "-q", service).split()
        return sorted((Container(self.engine, name) for name in ids), key=lambda found: found.inspect()["Name"])

    def container(self, service):
        found = self.containers(service)
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    @property
    def logs(self):
        return self.command("logs", "--no-color", check=False)


class Engine:
    def __init__(self, stack, path=SOCKET):
        self.stack, self.path, self.host = stack, path, f"unix://{path}"

    def execute(self, command, env=None, check=True, **more):
        done = subprocess.run([str(part) for part in command], env={**os.environ, "DOCKER_HOST": self.host, **(env or {})},
                              capture_output=True, timeout=COMMAND_PATIENCE, check=False, **more)
        errors = done.stderr.decode(errors="replace")
        assert not check or done.returncode == 0, f"{' '.join(map(str, command))}:\n{errors}"
        self.errors = errors
        return done.stdout.decode(errors="replace")

    def command(self, *arguments, both=False, **more):
        output = self.execute(["docker", *arguments], **more)
        return output + self.errors if both else output.strip()

    def api(self, path, method="GET", body=None):
        """What the engine answers to a request of its API, as JSON."""
        connection = http.client.HTTPConnection("engine", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        try:
            connection.sock.connect(self.path)
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode(errors='replace')}"
            return json.loads(text) if text else None
        finally:
            connection.close()

    def inspect(self, name):
        return json.loads(self.command("inspect", name))[0]

    def has_image(self, name):
        return self.execute(["docker", "images", "-q", name]).strip() != ""

    def image(self, name, root, *changes):
        """An image of `root`, a Root; `changes` are words of a Dockerfile: 'CMD ["/x"]', 'EXPOSE 80', 'LABEL a=b'. Its name: the
        same content has the same one and is made once."""
        content = root.tar()
        digest = hashlib.sha256(content + "\0".join(changes).encode()).hexdigest()[:16]
        full = f"portico-test/{name}:{digest}"
        if not self.has_image(full):
            flags = [part for change in changes for part in ("-c", change)]
            self.command("import", *flags, "-", full, input=content)
        return full

    def python_image(self):
        return self.image("python", python_root(), "ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1")

    def portico_image(self, *tags):
        """The image of the binary under test, under these names too ("traefik:v3.0"): made once, and by tools/image."""
        name = "portico-test/portico:latest"
        with open("/run/lock/portico-test-image", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not self.has_image(name):
                with tempfile.TemporaryDirectory() as folder:
                    archive = os.path.join(folder, "image.tar")
                    self.execute([ROOT / "tools/image", "save", archive, "--portico", BINARY, "--tag", name])
                    self.command("load", "-q", "-i", archive)
        for tag in tags:
            self.command("tag", name, tag)
        return name

    def run(self, image, *command, labels=None, network=None, name=None, options=()):
        """A container in the background. `labels`: a dict; `options`: more flags of `docker run`."""
        name = name or unique("container")
        flags = [part for key, value in (labels or {}).items() for part in ("-l", f"{key}={value}")]
        flags += ["--network", network] if network else []
        self.stack.callback(self.command, "rm", "-f", "-v", name, check=False)
        self.command("run", "-d", "--name", name, *flags, *options, image, *command)
        return Container(self, name)

    def output(self, image, *command, options=(), check=True):
        """What a container says that runs to its end: standard output and error."""
        return self.command("run", "--rm", *options, image, *command, both=True, check=check)

    def network(self, name=None, *options):
        """A network of its own, whose addresses no other has: the engine gives them out of its pool."""
        name = name or unique("network")
        self.stack.callback(self.command, "network", "rm", name, check=False)
        self.command("network", "create", *options, name)
        return name

    @property
    def host_address(self):
        """Where containers of any network reach what listens on the engine's host."""
        shown = json.loads(self.execute(["ip", "-j", "-4", "address", "show", "docker0"]))
        return shown[0]["addr_info"][0]["local"]

    def volume(self, name=None):
        name = name or unique("volume")
        self.stack.callback(self.command, "volume", "rm", "-f", name, check=False)
        self.command("volume", "create", name)
        return name

    def compose(self, *files, env=None, project=None):
        """A project of these files; it is taken down when the test ends."""
        if shutil.which("docker-compose") is None:
            pytest.skip("no docker-compose here")
        project = Compose(self, files, env, project)
        self.stack.callback(project.down)
        return project


PODMAN_SETTINGS = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=5000:5000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
[network]
network_config_dir = "{folder}/networks"
default_subnet = "10.89.0.0/24"
default_subnet_pools = [{{base = "10.89.0.0/16", size = 24}}]
"""
PODMAN_STORAGE = """[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


def podman(stack, folder):
    """Podman's own engine behind the same API: an Engine."""
    if shutil.which("podman") is None or shutil.which("runc") is None:
        pytest.skip("no podman here")
    folder.mkdir()
    (folder / "containers.conf").write_text(PODMAN_SETTINGS.format(folder=folder))
    (folder / "storage.conf").write_text(PODMAN_STORAGE.format(folder=folder))
    env = {"CONTAINERS_CONF": str(folder / "containers.conf"), "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}
    # A socket's path is at most 107 bytes, and a test's folder is long.
    path = f"/run/{unique('podman')}.sock"
    service = Process("podman", ["podman", "system", "service", "--time=0", f"unix://{path}"], folder / "podman.log", env=env)
    engine = Engine(stack, path)

    def stop():
        engine.execute(["podman", "rm", "-a", "-f", "-t", "0"], env=env, check=False)
        service.kill()

    stack.callback(stop)

    def answers():
        assert service.running(), service.output
        try:
            return engine.api("/v1.40/info")
        except OSError:
            return None
    wait_for("podman to answer", answers)
    return engine
