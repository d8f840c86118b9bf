"""tools/engine itself, and what harness.docker gives to other tests."""
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
from harness import docker
from harness.portico import BINARY
from harness.process import Process
from harness.waiting import wait_for

TOOL = Path(__file__).resolve().parents[2] / "tools/engine"
UNAVAILABLE = 75
# Whose environment is a sanitizer's, in a container or not, says so itself.
WHOAMI = ("/portico", "whoami", "--port", "80")


def whoami_image(engine, *changes):
    return engine.image("whoami", docker.Root().program("/portico", BINARY), "EXPOSE 80", *changes)


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


@pytest.fixture
def scratch(tmp_path):
    """Where tools/engine keeps its folder; skips where no engine can run."""
    folder = tmp_path / "t"
    folder.mkdir()
    tried = subprocess.run([TOOL, "available"], env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, check=False)
    if tried.returncode == UNAVAILABLE:
        pytest.skip(tried.stderr.strip())
    assert tried.returncode == 0, tried.stderr
    return folder


def left(folder):
    """What a run may leave: its folder, cgroups of that name, processes whose command line names it."""
    names = [str(path) for path in folder.iterdir()]
    names += [str(path) for path in Path("/sys/fs/cgroup").glob("**/portico-engine-*") if (folder / path.name).exists()]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{folder}/portico-engine-".encode() in process.read_bytes():
                names.append(str(process))
        except OSError:
            pass
    return names


def test_a_command_beside_an_engine_gives_its_code_and_nothing_is_left(scratch):
    run = subprocess.run([TOOL, "run", "--", "sh", "-c", "docker version -f '{{.Server.Version}}' && exit 3"],
                         env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True, check=False)
    assert run.returncode == 3, run.stderr
    assert run.stdout.strip()
    assert left(scratch) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_engine_ends_with_the_run_that_is_ended(scratch, tmp_path, number):
    process = Process("engine", [TOOL, "run", "--", "sh", "-c", "echo up; exec sleep 1000"], tmp_path / "engine.log",
                      env={"TMPDIR": str(scratch)})
    process.wait_for_output("up")
    process.signal(number)
    process.wait()
    if number == signal.SIGKILL:
        # The kernel ends the rest; what lies in the file system is left to the next run.
        wait_for("the engine's processes to end", lambda: not [name for name in left(scratch) if name.startswith("/proc/")])
        subprocess.run([TOOL, "available"], env={**os.environ, "TMPDIR": str(scratch)}, check=True, capture_output=True)
    assert left(scratch) == []


@pytest.mark.docker
def test_a_container_of_this_machines_files_answers_at_its_address(engine):
    network = engine.network()
    one = engine.run(whoami_image(engine), *WHOAMI, network=network, labels={"a.b": "`c d`"})
    wait_for("an answer", lambda: "listens" in one.log or "whoami" in one.log)
    assert "GET / HTTP/1.1" in get(f"http://{one.address(network)}/")
    assert one.inspect()["Config"]["Labels"] == {"a.b": "`c d`"}
    one.remove()
    assert engine.command("ps", "-a", "-q", "-f", f"name={one.name}") == ""


@pytest.mark.docker
def test_a_compose_project_is_scaled_and_taken_down(engine, tmp_path):
    (tmp_path / "docker-compose.yml").write_text(f"""
services:
  web:
    image: {whoami_image(engine)}
    command: {list(WHOAMI)}
    labels:
      portico.enable: true
""")
    project = engine.compose(tmp_path / "docker-compose.yml").up("--scale", "web=3")
    addresses = {container.address() for container in project.containers("web")}
    assert len(addresses) == 3
    project.down()
    assert project.containers("web") == []


@pytest.mark.docker
def test_a_python_application_runs_in_a_container(engine, tmp_path):
    app = engine.run(engine.python_image(), "/usr/bin/python3", "-c",
                     "import fastapi, uvicorn; app = fastapi.FastAPI(); uvicorn.run(app, host='0.0.0.0', port=8000)")
    app.wait_for_log("Uvicorn running")
    assert '"openapi"' in get(f"http://{app.address()}:8000/openapi.json")


@pytest.mark.docker
def test_podman_answers_as_an_engine_does(podman):
    web = podman.run(whoami_image(podman), *WHOAMI, network=podman.network(), labels={"portico.enable": "true"})
    found = podman.api("/v1.40/containers/json?filters=%7B%22label%22%3A%5B%22portico.enable%3Dtrue%22%5D%7D")
    assert [container["Id"] for container in found] == [web.id]
    address = web.address()
    wait_for("an answer", lambda: "GET / HTTP/1.1" in get(f"http://{address}/"))
