"""A container engine that tests direct: what it answers has the shape that a real one's answers have (test/wire/recorded).

It speaks HTTP/1.1 on a Unix socket, as much as is asked of it: the version, the list, one container, the stream of events.
"""
import copy
import http.server
import json
import os
import queue
import secrets
import socketserver
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from .waiting import wait_for

RECORDED = Path(__file__).parent.parent / "recorded"


def recorded(name):
    return json.loads((RECORDED / name).read_text())


class Engine:
    """`version` is a folder of test/wire/recorded. Containers are added and changed by methods, which send the events that a real
    engine sends. What goes wrong is said by attributes: `slow` (seconds before an answer), `garbage` (answers are no JSON),
    `refuse` (a status for all answers), `late` (by container: an Event until which its answer, made in time, is
    kept back)."""

    def __init__(self, path, version="docker-20.10"):
        self.path = str(path)
        self.version = recorded(f"{version}/version.json")
        self.template = recorded("docker-20.10/container.json")
        self.containers = {}
        self.asked = []                  # paths, in order
        self.others = []                 # (method, path) of what nobody should ask
        self.slow, self.garbage, self.refuse = 0, False, None
        self.late = {}
        self.services, self.tasks = None, []      # of a Swarm; None: it is no manager
        self._streams = []
        self._lock = threading.RLock()
        self._server = None
        self.start()

    # ---- the engine itself

    def start(self):
        """Listens, as after a restart: the socket is a new one."""
        engine = self
        if os.path.exists(self.path):
            os.unlink(self.path)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 128

        class Handler(_Handler):
            pass
        Handler.engine = engine
        self._server = Server(self.path, Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self, keep_socket=False):
        """Ends, its streams in the middle of a chunk."""
        if self._server is None:
            return
        self.cut_streams()
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        if not keep_socket and os.path.exists(self.path):
            os.unlink(self.path)

    def cut_streams(self):
        """The connections of all streams end in the middle of a chunk."""
        with self._lock:
            for stream in self._streams:
                stream.put(None)

    def streams(self):
        with self._lock:
            return len(self._streams)

    def wait_for_stream(self):
        wait_for("a stream of events", self.streams)

    def count(self, path):
        """How often a path was asked, versions left out."""
        with self._lock:
            return sum(1 for asked in self.asked if asked.split("/", 2)[-1] == path or asked == "/" + path)

    # ---- its containers

    def add(self, name, address="127.0.0.1", port=None, labels=None, network="web", state="running", health=None, image="t/app:1",
            start=True, **more):
        """A container that is created and, unless told otherwise, started; gives its id."""
        container = copy.deepcopy(self.template)
        container["Id"] = secrets.token_hex(32)
        container["Name"] = "/" + name
        container["Created"] = _now()
        container["Config"].update(Image=image, Labels=dict(labels or {}), ExposedPorts={f"{port}/tcp": {}} if port else None)
        container["HostConfig"]["NetworkMode"] = network
        container["NetworkSettings"]["Networks"] = {network: {**_network(container), "NetworkID": _id_of(network)}}
        container["NetworkSettings"]["Ports"] = {}
        container["State"] = {"Status": "created", "Running": False, "Paused": False, "Restarting": False, "ExitCode": 0,
                              "StartedAt": "0001-01-01T00:00:00Z"}
        container["_address"], container["_port"], container["_health"] = address, port, health
        container.update(more)
        with self._lock:
            self.containers[container["Id"]] = container
        self.emit("create", container["Id"])
        if start and state == "running":
            self.start_container(container["Id"])
        return container["Id"]

    def start_container(self, identity):
        container = self._by(identity)
        with self._lock:
            container["State"].update(Status="running", Running=True, ExitCode=0, StartedAt=_now())
            if container["_health"]:
                container["State"]["Health"] = {"Status": container["_health"], "FailingStreak": 0, "Log": []}
            for network in container["NetworkSettings"]["Networks"].values():
                network["IPAddress"] = container["_address"]
            if container["_port"]:
                container["NetworkSettings"]["Ports"] = {f"{container['_port']}/tcp": None}
        self.emit_network("connect", container["Id"])
        self.emit("start", container["Id"])

    def signal(self, identity, number):
        """A signal is sent; nothing follows from it here."""
        self.emit("kill", self._by(identity)["Id"], signal=str(number))

    def die(self, identity, code=0):
        container = self._by(identity)
        with self._lock:
            container["State"].update(Status="exited", Running=False, ExitCode=code)
            container["NetworkSettings"]["Ports"] = {}
            for network in container["NetworkSettings"]["Networks"].values():
                network["IPAddress"] = ""
        self.emit("die", container["Id"], exitCode=str(code))
        self.emit_network("disconnect", container["Id"])

    def stop_container(self, identity, code=0):
        self.signal(identity, 15)
        self.die(identity, code)
        self.emit("stop", self._by(identity)["Id"])

    def remove(self, identity):
        container = self._by(identity)
        with self._lock:
            del self.containers[container["Id"]]
        self.emit("destroy", container["Id"], of=container)

    def set_health(self, identity, status, output=""):
        container = self._by(identity)
        with self._lock:
            log = [{"ExitCode": 0 if status == "healthy" else 1, "Output": output}]
            container["State"]["Health"] = {"Status": status, "FailingStreak": 0, "Log": log}
        self.emit(f"health_status: {status}", container["Id"])

    def pause(self, identity, paused=True):
        container = self._by(identity)
        with self._lock:
            container["State"].update(Status="paused" if paused else "running", Paused=paused)
        self.emit("pause" if paused else "unpause", container["Id"])

    def disconnect(self, identity, network):
        container = self._by(identity)
        with self._lock:
            container["NetworkSettings"]["Networks"].pop(network)
        self.emit_network("disconnect", container["Id"], network)

    # ---- the services of its Swarm

    def add_service(self, name, address="127.0.0.1", labels=None):
        """A service with one task that runs; gives the task's id."""
        service = next(each for each in recorded("swarm-20.10/services.json") if each["Spec"]["Name"] == "web")
        task = next(each for each in recorded("swarm-20.10/tasks.json") if each["ServiceID"] == service["ID"])
        service["ID"] = task["ServiceID"] = secrets.token_hex(12)
        task["ID"] = secrets.token_hex(12)
        service["Spec"].update(Name=name, Labels=dict(labels or {}))
        task["NetworksAttachments"][0]["Addresses"] = [f"{address}/24"]
        with self._lock:
            self.services = [*(self.services or []), service]
            self.tasks.append(task)
        self._send({"Type": "service", "Action": "create", "scope": "swarm", "Actor": {"ID": service["ID"], "Attributes": {"name": name}}})
        return task["ID"]

    def end_task(self, identity):
        """The manager has no more use for it."""
        with self._lock:
            task = next(each for each in self.tasks if each["ID"] == identity)
            self.tasks.remove(task)
        self._send({"Type": "service", "Action": "update", "scope": "swarm", "Actor": {"ID": task["ServiceID"], "Attributes": {}}})

    def _by(self, identity):
        with self._lock:
            for container in self.containers.values():
                if identity in (container["Id"], container["Name"][1:]):
                    return container
        raise KeyError(identity)

    # ---- its events

    def emit(self, action, identity, of=None, **attributes):
        container = of or self.containers.get(identity)
        attributes = {"image": container["Config"]["Image"], "name": container["Name"][1:], **container["Config"]["Labels"], **attributes}
        self._send({"status": action, "id": identity, "from": container["Config"]["Image"], "Type": "container", "Action": action,
                    "Actor": {"ID": identity, "Attributes": attributes}, "scope": "local"})

    def emit_network(self, action, identity, network="web"):
        self._send({"Type": "network", "Action": action, "scope": "local",
                    "Actor": {"ID": _id_of(network), "Attributes": {"container": identity, "name": network, "type": "bridge"}}})

    def emit_raw(self, text):
        """Bytes in the stream as they are."""
        self._put(text if isinstance(text, bytes) else text.encode())

    def _send(self, event):
        moment = time.time_ns()
        self._put(json.dumps({**event, "time": moment // 10**9, "timeNano": moment}).encode() + b"\n")

    def _put(self, chunk):
        with self._lock:
            for stream in self._streams:
                stream.put(chunk)

    # ---- its answers

    def answer(self, path):
        """(status, JSON)."""
        with self._lock:
            parts = path.strip("/").split("/")
            if parts[0].startswith("v1."):
                parts = parts[1:]
            if parts == ["version"]:
                return 200, self.version
            if parts == ["containers", "json"]:
                return 200, [{"Id": each["Id"], "Names": [each["Name"]], "State": each["State"]["Status"]}
                             for each in self.containers.values()]
            if len(parts) == 3 and parts[0] == "containers" and parts[2] == "json":
                container = self.containers.get(parts[1])
                if container is None:
                    return 404, {"message": f"No such container: {parts[1]}"}
                return 200, {key: value for key, value in container.items() if not key.startswith("_")}
            if self.services is not None and parts in (["services"], ["tasks"]):
                return 200, self.services if parts == ["services"] else self.tasks
            if parts[0] in ("services", "tasks"):
                return 503, {"message": "This node is not a swarm manager."}
            return 404, {"message": "page not found"}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine = None

    def log_message(self, *_):
        pass

    def address_string(self):
        return "unix"

    def do_GET(self):
        engine = self.engine
        path = urlsplit(self.path).path
        with engine._lock:
            engine.asked.append(path)
        if engine.slow:
            time.sleep(engine.slow)
        if path.endswith("/events") and not engine.refuse:
            self._stream()
            return
        late = engine.late.get(path.split("/")[-2])
        status, answer = (engine.refuse, {"message": "no"}) if engine.refuse else engine.answer(path)
        body = b"<html>not what you think" if engine.garbage else json.dumps(answer).encode()
        if late:
            late.wait()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _other(self):
        self.engine.others.append((self.command, self.path))
        self.send_error(405)
    do_POST = do_PUT = do_DELETE = do_HEAD = _other

    def _stream(self):
        engine, chunks = self.engine, queue.Queue()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with engine._lock:
            engine._streams.append(chunks)
        try:
            while (chunk := chunks.get()) is not None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"ff\r\n{\"Type\":")
        except OSError:
            pass
        finally:
            with engine._lock:
                engine._streams.remove(chunks)
            self.close_connection = True


def _now():
    moment = time.time_ns()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 10**9)) + f".{moment % 10**9:09d}Z"


def _network(container):
    return {**next(iter(container["NetworkSettings"]["Networks"].values())), "IPAddress": "", "GlobalIPv6Address": ""}


def _id_of(network):
    return (network.encode().hex() + "0" * 64)[:64]
