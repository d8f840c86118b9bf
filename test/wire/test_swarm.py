"""Swarm's services announce themselves: one real node."""
import json

import pytest
from harness import docker
from harness.client import Client
from harness.waiting import wait_for

pytestmark = pytest.mark.docker


@pytest.fixture
def swarm(engine, stack):
    """The engine is a Swarm of one for as long as the test runs."""
    docker.alone(stack, "swarm")
    engine.execute(["ip", "link", "add", "swarm0", "type", "veth", "peer", "name", "swarm1"])
    stack.callback(engine.execute, ["ip", "link", "del", "swarm0"], check=False)
    engine.execute(["ip", "addr", "add", "198.18.5.1/24", "dev", "swarm0"])
    engine.execute(["ip", "link", "set", "swarm0", "up"])
    engine.command("swarm", "init", "--advertise-addr", "198.18.5.1", "--listen-addr", "198.18.5.1:2377")
    stack.callback(engine.command, "swarm", "leave", "--force", check=False)
    return engine


def test_a_services_tasks_are_served_as_they_come_and_go(swarm, stack):
    name = docker.unique("service")
    image = swarm.image("whoami", docker.Root().portico(), "EXPOSE 80")
    bridge = swarm.network()
    overlay = swarm.network(None, "--driver", "overlay", "--attachable")
    stack.callback(swarm.command, "service", "rm", name, check=False)
    swarm.command("service", "create", "-d", "-q", "--name", name, "--replicas", "2", "--network", overlay, "--endpoint-mode", "dnsrr",
                  "--no-resolve-image", "-l", "traefik.http.routers.app.rule=Host(`app.test`)",
                  "-l", "traefik.http.services.app.loadbalancer.server.port=80", image, "/portico", "whoami", "--port", "80")
    # Overlay networks are reached from within only.
    door = swarm.run(image, "/portico", "run", "--api.insecure", "--entrypoints.web.address=:80", "--providers.swarm",
                     "--providers.swarm.refreshSeconds=1", options=("-v", f"{swarm.path}:/var/run/docker.sock"), network=overlay)
    swarm.command("network", "connect", bridge, door.name)

    def ask(target, port=80, host="app.test"):
        client = Client(port, door.address(bridge))
        try:
            return client.request("GET", target, host=host)
        finally:
            client.close()

    def tasks():
        try:
            found = json.loads(ask("/api/portico/containers", 8080).body)["containers"]
        except OSError:
            assert door.state["Running"], door.log
            return []
        return [task for task in found if task["state"] == "served"]

    assert all(task["routers"] == ["app@swarm"] for task in wait_for("two tasks", lambda: len(tasks()) == 2 and tasks(), 60))
    assert ask("/").status == 200
    swarm.command("service", "scale", "-d", f"{name}=4")
    wait_for("four tasks", lambda: len(tasks()) == 4, 60)
    swarm.command("service", "scale", "-d", f"{name}=1")
    wait_for("one task", lambda: len(tasks()) == 1, 60)
    assert ask("/").status == 200
    swarm.command("service", "rm", name)
    wait_for("no route", lambda: ask("/").status == 404, 60)
