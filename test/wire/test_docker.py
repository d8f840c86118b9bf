"""Containers announce themselves: a real engine, real containers, and what people do with them."""
import json
import socket
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import docker
from harness.client import Client
from harness.load import Load
from harness.waiting import wait_for

pytestmark = pytest.mark.docker

APP = Path(__file__).parent / "peers/app.py"
WHOAMI = ("/portico", "whoami", "--port", "80")
HEALTHY = "/tmp/healthy"


@pytest.fixture
def whoami_image(engine):
    return engine.image("whoami", docker.Root().portico(), "EXPOSE 80")


@pytest.fixture
def app_image(engine):
    root = docker.python_root().add("/app.py", APP)
    return engine.image("app", root, "ENV HOST=0.0.0.0 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1", "EXPOSE 8000",
                        'CMD ["/usr/bin/python3", "/app.py", "8000", "one"]')


@pytest.fixture
def proxy(portico, engine):
    """Portico on the engine's host. Constraints keep tests apart that share an engine: `mark` is a test's own."""
    def start(mark, endpoint=engine.host, **more):
        return portico({"api": {"insecure": True}, "entryPoints": {"web": {}, "traefik": {}},
                        "providers": {"docker": {"exposedByDefault": False, "endpoint": endpoint,
                                                 "constraints": f"Label(`mark`, `{mark}`)", **more}}})
    return start


def labels(mark, name, host, **more):
    return {"mark": mark, "traefik.enable": "true", f"traefik.http.routers.{name}.rule": f"Host(`{host}`)", **more}


def containers(proxy):
    answer = proxy.get("/api/portico/containers", entry_point="traefik")
    return {found["name"]: found for found in json.loads(answer.body)["containers"]}


def wait_for_state(proxy, name, state):
    return proxy.wait_until(f"{name} to be {state}", lambda: (found := containers(proxy).get(name)) and found["state"] == state and found)


def answers(proxy, host, status=200):
    return proxy.wait_for_answer(lambda response: response.status == status, host=host)


def test_a_container_is_served_when_it_starts_and_unknown_when_it_is_removed(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark)
    one = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"))
    answer = answers(door, "one.test")
    assert b"X-Forwarded-For" in answer.body
    assert wait_for_state(door, one.name, "served")["routers"] == ["one@docker"]
    one.remove()
    assert door.get(host="one.test").status == 503      # its router stays a little
    answers(door, "one.test", 404)


def test_the_first_configuration_has_the_containers_that_run_already(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    one = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"))
    wait_for("the container to listen", lambda: "listens" in one.log or one.log)
    assert proxy(mark).get(host="one.test").status == 200


def test_a_stopped_container_keeps_its_router_and_answers_503_with_retry_after(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="0s")
    one = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"))
    answers(door, "one.test")
    one.stop()
    answer = answers(door, "one.test", 503)
    assert answer.get("Retry-After")
    found = wait_for_state(door, one.name, "notReady")
    assert "stopped" in found["reason"] or "exited" in found["reason"], found
    one.start()
    answers(door, "one.test")


def test_a_paused_container_gets_no_requests(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="0s")
    one = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"))
    answers(door, "one.test")
    one.pause()
    wait_for_state(door, one.name, "notReady")
    answers(door, "one.test", 503)
    one.unpause()
    answers(door, "one.test")


def test_a_request_waits_for_the_container_that_is_just_starting(engine, proxy, app_image):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="60s")
    one = engine.run(app_image, labels=labels(mark, "one", "one.test"))
    answers(door, "one.test")
    one.stop()
    wait_for_state(door, one.name, "notReady")
    waiting = door.client(patience=60).send_request(host="one.test")
    one.start()
    assert waiting.response().status == 200


def test_a_container_takes_requests_when_its_health_check_says_so(engine, proxy, app_image, tmp_path):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="0s")
    check = f"import os, sys; sys.exit(not os.path.exists('{HEALTHY}'))"
    (tmp_path / "compose.yml").write_text(json.dumps({"version": "2.4", "services": {"app": {
        "image": app_image, "labels": labels(mark, "one", "one.test"),
        "healthcheck": {"test": ["CMD", "/usr/bin/python3", "-c", check], "interval": "0.5s", "timeout": "20s", "retries": 1}}}}))
    one = engine.compose(tmp_path / "compose.yml").up().container("app")
    answers(door, "one.test", 503)
    one.execute("/usr/bin/python3", "-c", f"open('{HEALTHY}', 'w')")
    answers(door, "one.test")
    one.execute("/usr/bin/python3", "-c", f"import os; os.remove('{HEALTHY}')")
    answers(door, "one.test", 503)
    name = one.inspect()["Name"].lstrip("/")
    assert "health check" in wait_for_state(door, name, "notReady")["reason"]


def test_a_container_without_a_network_is_not_asked_until_it_has_one(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="0s")
    network = engine.network()
    one = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"), network=network)
    answers(door, "one.test")
    engine.command("network", "disconnect", network, one.name)
    assert wait_for_state(door, one.name, "notReady")["reason"]
    answers(door, "one.test", 503)
    engine.command("network", "connect", network, one.name)
    answers(door, "one.test")


def test_mistakes_in_labels_are_told_and_harm_nobody_else(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark)
    good = engine.run(whoami_image, *WHOAMI, labels=labels(mark, "good", "good.test"))
    engine.run(whoami_image, *WHOAMI, labels=labels(mark, "bad", "bad.test", **{
        "traefik.http.routers.other.rul": "Host(`other.test`)", "traefick.http.routers.x.rule": "Host(`x.test`)",
        "traefik.http.routers.bad.middlewares": "nobody", "traefik.http.routers.fine.rule": "Host(`fine.test`)",
        "traefik.http.routers.fine.service": "own", "traefik.http.services.own.loadbalancer.server.port": "80"}))
    answers(door, "good.test")
    answers(door, "fine.test")
    assert door.get(host="bad.test").status == 404
    log = door.wait_until("all mistakes to be told", lambda: "traefick" in door.log and "nobody" in door.log and door.log)
    assert "did you mean 'rule'" in log and "did you mean 'traefik'" in log
    problems = json.loads(door.get("/api/portico/problems", entry_point="traefik").body)
    assert any(problem["subject"]["name"] == "bad@docker" for problem in problems)
    assert good.state["Running"]


def test_an_application_that_listens_on_its_loopback_only_is_told_so(engine, proxy):
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="0s")
    one = engine.run(engine.python_image(), "/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "8000",
                     labels=labels(mark, "one", "one.test", **{"traefik.http.services.one.loadbalancer.server.port": "8000"}))
    found = door.wait_until("the reason", lambda: (found := containers(door).get(one.name)) and "127.0.0.1" in (found["reason"] or "") and found)
    assert found["mistake"]
    assert door.get(host="one.test").status == 503


def test_replicas_share_the_requests_and_scaling_loses_none(engine, proxy, whoami_image, tmp_path):
    mark = docker.unique("mark")
    door = proxy(mark)
    (tmp_path / "compose.yml").write_text(json.dumps({"version": "2.4", "services": {"web": {
        "image": whoami_image, "command": list(WHOAMI), "labels": labels(mark, "web", "web.test")}}}))
    project = engine.compose(tmp_path / "compose.yml").up("--scale", "web=3")
    door.wait_until("three servers", lambda: sum(found["state"] == "served" for found in containers(door).values()) == 3)
    with Load(door.port, host="web.test") as load:
        project.up("--scale", "web=1")
        wait_for("requests to one", lambda served=load.served: load.served > served + 50)
        project.up("--scale", "web=4")
        door.wait_until("four servers", lambda: sum(found["state"] == "served" for found in containers(door).values()) == 4)
        wait_for("requests to four", lambda served=load.served: load.served > served + 200)
    load.assert_all()
    asked = {line["ServiceAddr"] for line in door.access(200)[-200:]}
    assert len(asked) == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_replica_that_is_replaced_under_load_loses_no_request(engine, proxy, app_image, tmp_path, method):
    """What an application closes unread in the moment of its stop signal nobody can prove to be unread: a POST is sent again only
    where its owner says that it may be."""
    again = {"traefik.http.middlewares.again.retry.attempts": "5", "traefik.http.middlewares.again.retry.retryNonIdempotentMethod": "true",
             "traefik.http.routers.app.middlewares": "again"} if method == "POST" else {}
    mark = docker.unique("mark")
    door = proxy(mark, holdTimeout="60s")
    file = tmp_path / "compose.yml"

    def write(version):
        file.write_text(json.dumps({"version": "2.4", "services": {"app": {
            "image": app_image, "command": ["/usr/bin/python3", "/app.py", "8000", version], "labels": labels(mark, "app", "app.test", **again)}}}))

    def ask(client):
        if method == "GET":
            return client.request("GET", "/", host="app.test")
        return client.request("POST", "/echo", [("Content-Type", "text/plain")], b"some bytes", host="app.test")

    write("first")
    project = engine.compose(file).up()
    answers(door, "app.test")
    with Load(door.port, clients=3, request=ask, connect=lambda: Client(door.port, patience=60)) as load:
        for version in ("second", "third"):
            write(version)
            project.up()
            door.wait_for_answer(lambda response: response.status == 200 and version.encode() in response.body, host="app.test")
            wait_for("requests to it", lambda served=load.served: load.served > served + 20)
    load.assert_all()


class Forwarder(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Stands before an engine's socket, so that it can be lost without the engine."""
    daemon_threads = True

    def __init__(self, path, engine):
        self.path, self.engine, self.open = path, engine, []
        super().__init__(str(path), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.socket(socket.AF_UNIX) as up:
                up.connect(self.server.engine)
                self.server.open += [self.request, up]
                back = threading.Thread(target=self.copy, args=(up, self.request), daemon=True)
                back.start()
                self.copy(self.request, up)
                back.join()

        @staticmethod
        def copy(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def end(self):
        self.shutdown()
        self.server_close()
        self.path.unlink()
        for one in self.open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_what_was_known_is_served_while_the_engine_is_lost_and_what_changed_is_learnt_later(engine, proxy, whoami_image, stack):
    mark = docker.unique("mark")
    path = Path(f"/run/{mark}.sock")
    front = Forwarder(path, engine.path)
    door = proxy(mark, endpoint=f"unix://{path}")
    engine.run(whoami_image, *WHOAMI, labels=labels(mark, "one", "one.test"))
    answers(door, "one.test")
    front.end()
    with Load(door.port, host="one.test", clients=2) as load:
        door.wait_until("the loss to be told", lambda: not json.loads(
            door.get("/api/portico/containers", entry_point="traefik").body)["engines"][0]["connected"])
        engine.run(whoami_image, *WHOAMI, labels=labels(mark, "two", "two.test"))
        wait_for("requests meanwhile", lambda served=load.served: load.served > served + 50)
        assert door.get(host="two.test").status == 404
        front = Forwarder(path, engine.path)
        answers(door, "two.test")
    load.assert_all()
    front.end()


def test_a_container_in_another_network_than_portico_is_told_which_to_join(engine, stack, tmp_path, whoami_image):
    mark = docker.unique("mark")
    here, there = engine.network(), engine.network()
    far = engine.run(whoami_image, *WHOAMI, network=there, labels=labels(mark, "far", "far.test"))
    near = engine.run(whoami_image, *WHOAMI, network=here, labels=labels(mark, "near", "near.test"))
    both = engine.run(whoami_image, *WHOAMI, network=there, labels=labels(mark, "both", "both.test"))
    engine.command("network", "connect", here, both.name)
    door = engine.run(whoami_image, "/portico", "run", "--api.insecure", "--entrypoints.web.address=:80", "--providers.docker",
                      f"--providers.docker.constraints=Label(`mark`, `{mark}`)", "--providers.docker.holdTimeout=0s",
                      options=("-v", f"{engine.path}:/var/run/docker.sock"), network=here)
    def get(host, target="/", port=80):
        client = Client(port, door.address(here))
        try:
            return client.request("GET", target, host=host)
        finally:
            client.close()

    def known():
        try:
            return {one["name"]: one for one in json.loads(get("x", "/api/portico/containers", 8080).body)["containers"]}
        except OSError:
            return {}

    wait_for("the near ones", lambda: all(known().get(one.name, {}).get("state") == "served" for one in (near, both)))
    assert get("near.test").status == 200 and get("both.test").status == 200
    lost = wait_for("the far one to be told", lambda: (found := known().get(far.name)) and found["mistake"] and found)
    assert there in lost["reason"] + lost["hint"] and "network connect" in lost["hint"]
    assert get("far.test").status == 503
    engine.command("network", "connect", there, door.name)
    wait_for("the far one", lambda: get("far.test").status == 200)


@pytest.mark.slow
def test_a_hundred_containers_make_few_configurations(engine, proxy, whoami_image):
    mark = docker.unique("mark")
    door = proxy(mark)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: engine.run(whoami_image, *WHOAMI, labels=labels(mark, f"r{i}", f"c{i}.test")), range(100)))
    door.wait_until("all of them", lambda: sum(found["state"] == "served" for found in containers(door).values()) == 100)
    for i in (0, 50, 99):
        assert door.get(host=f"c{i}.test").status == 200
    overview = json.loads(door.get("/api/portico/overview", entry_point="traefik").body)
    assert overview["generation"] < 60, overview["generation"]


def test_podmans_containers_announce_themselves_too(podman, proxy):
    mark = docker.unique("mark")
    image = podman.image("whoami", docker.Root().portico(), "EXPOSE 80")
    door = proxy(mark, endpoint=podman.host, holdTimeout="0s")
    one = podman.run(image, *WHOAMI, network=podman.network(), labels=labels(mark, "one", "one.test"))
    answers(door, "one.test")
    one.stop(1)
    answers(door, "one.test", 503)
