"""The image that `make image` makes: what it holds, the words that it takes, as whom it runs. Beside a real engine."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile

import pytest
from harness.docker import ROOT, Root, unique
from harness.portico import BINARY
from harness.waiting import wait_for

USER = 65532
READY = "is ready"
WEB = "--entrypoints.web.address=:80"


def save(path, *flags):
    return subprocess.run([ROOT / "tools/image", "save", path, "--portico", BINARY, *flags], capture_output=True, text=True, check=True)


def ids_of(container):
    """Of its first process: the Uid line of /proc/PID/status."""
    with open(f"/proc/{container.state['Pid']}/status") as file:
        return re.search(r"Uid:\s+(.*)", file.read())[1].split()


def get(address, path="/", host="localhost", port=80):
    connection = http.client.HTTPConnection(address, port, timeout=20)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


@pytest.mark.skipif("san/" in BINARY, reason="a sanitizer's build makes a larger image than there may be")
def test_the_image_is_the_same_each_time_and_runs_what_the_dockerfile_says(tmp_path):
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    assert "portico:latest, portico:" in save(one).stdout
    save(two)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        config = json.load(archive.extractfile(manifest["Config"]))["config"]
        with tarfile.open(fileobj=archive.extractfile(manifest["Layers"][0])) as layer:
            members = {member.name: member for member in layer}
    assert config["Entrypoint"] == ["/usr/bin/portico"] and config["Cmd"] == ["run"]
    assert f"PORTICO_USER={USER}:{USER}" in config["Env"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/portico", "healthcheck", "--process", "1"]
    assert config["Healthcheck"]["Interval"] == 10 * 10 ** 9
    assert set(config["ExposedPorts"]) == {"80/tcp", "443/tcp"}
    assert members["var/lib/portico"].uid == USER and members["var/lib/portico"].mode == 0o700
    assert members["tmp"].mode == 0o1777
    assert all(member.uid == 0 for name, member in members.items() if name != "var/lib/portico")
    assert not any(member.mode & 0o6000 for member in members.values())
    # Opened at run time by libraries.
    assert {"etc/ssl/certs/ca-certificates.crt", "etc/nsswitch.conf", "etc/mime.types"} <= set(members)
    assert members["usr/local/bin/traefik"].linkname == "/usr/bin/portico"


def test_an_instruction_that_is_not_understood_is_refused(tmp_path):
    copy = tmp_path / "copy"
    (copy / "tools").mkdir(parents=True)
    (copy / "src/base").mkdir(parents=True)
    for name in ("Makefile", "LICENSE", "tools/image", "src/base/version.h"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    (copy / "Dockerfile").write_text((ROOT / "Dockerfile").read_text() + "ONBUILD RUN true\n")
    ended = subprocess.run(["/usr/bin/python3", copy / "tools/image", "save", tmp_path / "x.tar", "--portico", BINARY],
                           capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and "the Dockerfile says ONBUILD" in ended.stderr


@pytest.mark.docker
@pytest.mark.parametrize("words", [[WEB], ["traefik", WEB], ["run", WEB], ["portico", "run", WEB], ["traefik", "run", WEB]])
def test_it_runs_by_the_words_of_existing_files(engine, words):
    proxy = engine.run(engine.portico_image(), *words)
    proxy.wait_for_log(READY)
    assert get(proxy.address()).status == 404


@pytest.mark.docker
@pytest.mark.parametrize("program", ["traefik", "portico", "/usr/local/bin/traefik", "/entrypoint.sh"])
def test_it_runs_by_the_entrypoints_of_existing_files(engine, program):
    proxy = engine.run(engine.portico_image(), "traefik", WEB, options=("--entrypoint", program))
    proxy.wait_for_log(READY)


@pytest.mark.docker
@pytest.mark.parametrize("words, said", [(["version"], "portico "), (["traefik", "version"], "portico "), (["--version"], "portico "),
                                         (["traefik", "--help"], "explain"), (["healthcheck", "--help"], "--process PID")])
def test_subcommands_run_by_their_names(engine, words, said):
    assert said in engine.output(engine.portico_image(), *words)


@pytest.mark.docker
def test_traefiks_health_check_and_the_images_own_find_it_well(engine):
    proxy = engine.run(engine.portico_image(), "--ping", WEB, options=(
        "--health-cmd", "traefik healthcheck --ping", "--health-interval", "1s"))
    proxy.wait_for_log(READY)
    assert "OK" in proxy.execute("traefik", "healthcheck", "--ping")
    assert "OK" in proxy.execute("portico", "healthcheck", "--process", "1")


@pytest.mark.docker
def test_the_images_health_check_asks_with_the_flags_of_the_process(engine):
    """Where ping is, or that there is none, only the process's own flags say."""
    image = engine.portico_image()
    fast = ("--health-interval", "500ms")
    pinged = engine.run(image, "--ping.entrypoint=odd", "--entrypoints.odd.address=:8123", options=fast)
    silent = engine.run(image, "--entrypoints.odd.address=:8123", options=fast)
    whoami = engine.run(image, "whoami", "--port", "80", options=fast)
    for container in (pinged, silent, whoami):
        container.wait_for_state("healthy", lambda state: state["Health"]["Status"] == "healthy")
    assert "entrypoint 'odd' takes connections" in silent.state["Health"]["Log"][-1]["Output"]
    assert "portico whoami" in whoami.state["Health"]["Log"][-1]["Output"]


@pytest.mark.docker
def test_the_images_health_check_finds_portico_behind_an_init_process(engine):
    if shutil.which("docker-init") is None:
        pytest.skip("no docker-init here")
    proxy = engine.run(engine.portico_image(), "--ping", "--entrypoints.traefik.address=:8124", options=("--init",))
    proxy.wait_for_log(READY)
    assert proxy.execute("portico", "healthcheck", "--process", "1").strip() == "OK"


@pytest.mark.docker
def test_the_images_health_check_says_who_is_not_well(engine):
    """A Portico that has stopped accepting takes no connection."""
    proxy = engine.run(engine.portico_image(), "--ping", "--entrypoints.traefik.address=:8124")
    proxy.wait_for_log(READY)
    os.kill(proxy.state["Pid"], signal.SIGSTOP)
    ended = engine.execute(["docker", "exec", proxy.name, "portico", "healthcheck", "--process", "1"], check=False)
    assert "OK" not in ended and "no answer" in engine.errors
    os.kill(proxy.state["Pid"], signal.SIGCONT)


@pytest.mark.docker
def test_it_gives_up_root_and_cannot_open_the_engines_socket(engine, tmp_path):
    proxy = engine.run(engine.portico_image(), WEB, options=("-v", "/run/docker.sock:/var/run/docker.sock"))
    proxy.wait_for_log(READY)
    assert ids_of(proxy) == [str(USER)] * 4
    assert get(proxy.address()).status == 404
    pid = proxy.state["Pid"]
    assert connect_as(pid, "/var/run/docker.sock", USER) == "EACCES"
    assert connect_as(pid, "/var/run/docker.sock", 0) == "connected"


def connect_as(pid, path, user):
    """What a process of that user meets in the file system of another."""
    program = ("import errno, os, socket, sys\n"
               "root = os.open(f'/proc/{sys.argv[1]}/root', os.O_PATH)\n"
               "os.fchdir(root)\n"
               "os.chroot('.')\n"
               "os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[3]))\n"
               "try:\n"
               "    socket.socket(socket.AF_UNIX).connect(sys.argv[2]); print('connected')\n"
               "except OSError as error:\n"
               "    print(errno.errorcode[error.errno])\n")
    return subprocess.run(["/usr/bin/python3", "-c", program, str(pid), path, str(user)], capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.mark.docker
@pytest.mark.parametrize("options", [("--security-opt", "no-new-privileges"), ("--read-only", "--tmpfs", "/tmp"),
                                     ("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "--cap-add", "SETUID", "--cap-add", "SETGID"),
                                     ("--user", "1234:1234", "--sysctl", "net.ipv4.ip_unprivileged_port_start=0")])
def test_it_runs_in_hardened_containers_without_root(engine, options):
    proxy = engine.run(engine.portico_image(), WEB, options=options)
    proxy.wait_for_log(READY)
    assert get(proxy.address()).status == 404
    assert ids_of(proxy) == [("1234" if "--user" in options else str(USER))] * 4


@pytest.mark.docker
def test_a_container_that_may_not_change_its_user_runs_and_says_so(engine):
    proxy = engine.run(engine.portico_image(), WEB, options=("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"))
    assert "goes on as root" in proxy.wait_for_log(READY)
    assert get(proxy.address()).status == 404


@pytest.mark.docker
def test_a_volume_that_root_filled_is_taken_over_and_a_mixed_folder_is_not(engine, tmp_path):
    volume, mixed = engine.volume(), tmp_path / "mixed"
    place = engine.command("volume", "inspect", "-f", "{{.Mountpoint}}", volume)
    for name in ("acme.json", "acme.json.lock"):
        with open(os.open(f"{place}/{name}", os.O_CREAT | os.O_WRONLY, 0o600), "w"):
            pass
    mixed.mkdir()
    (mixed / "other.yml").touch()
    proxy = engine.run(engine.portico_image(), WEB, *(
        f"--certificatesresolvers.{name}.acme.{option}" for name, storage in (("a", "/certificates"), ("b", "/etc/traefik"))
        for option in ("email=a@example.com", f"storage={storage}/acme.json")), options=(
            "-v", f"{volume}:/certificates", "-v", f"{mixed}:/etc/traefik"))
    log = proxy.wait_for_log(READY)
    assert "may not write it" not in log
    owners = {path: os.stat(path).st_uid for path in (place, f"{place}/acme.json", f"{place}/acme.json.lock", mixed,
                                                       mixed / "other.yml", mixed / "acme.json")}
    assert list(owners.values()) == [USER, USER, USER, 0, 0, USER], owners


@pytest.mark.docker
def test_it_stops_at_once_and_well(engine):
    proxy = engine.run(engine.portico_image(), WEB)
    proxy.wait_for_log(READY)
    proxy.stop(60)
    assert proxy.state["ExitCode"] == 0


@pytest.mark.docker
def test_names_of_other_containers_are_resolved_inside(engine):
    network, image = engine.network(), engine.portico_image()
    name = unique("whoami")
    whoami = engine.run(image, "whoami", "--port", "80", network=network, name=name)
    proxy = engine.run(image, WEB, f"--http.services.s.loadbalancer.servers[0].url=http://{name}/",
                       "--http.routers.r.rule=PathPrefix(`/`)", "--http.routers.r.service=s", network=network)
    proxy.wait_for_log(READY)
    wait_for("the answer of the other container", lambda: whoami.inspect()["Config"]["Hostname"] in get(proxy.address()).text)


@pytest.mark.docker
def test_the_dockerfiles_last_stage_gives_the_same_configuration(engine, tmp_path):
    """The files are those of tools/image root; the rest is built by the engine's own builder."""
    context = tmp_path / "context"
    subprocess.run([ROOT / "tools/image", "root", context / "image", "--portico", BINARY], check=True)
    stage = (ROOT / "Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    built = engine.image("built", Root().add("/image/keep", "x"))
    lines = ["FROM " + built + " AS build", "ADD image.tar /image/", "FROM " + stage]
    (context / "Dockerfile").write_text("\n".join(lines))
    subprocess.run(["tar", "-C", context / "image", "-cf", context / "image.tar", "."], check=True)
    subprocess.run(["rm", "-r", context / "image"], check=True)
    tag = unique("portico-test/built")
    engine.stack.callback(engine.command, "rmi", "-f", tag, check=False)
    engine.execute(["docker", "build", "-q", "-t", tag, context], env={"DOCKER_BUILDKIT": "0"})
    ours, theirs = (engine.inspect(name)["Config"] for name in (engine.portico_image(), tag))
    for key in ("Env", "Entrypoint", "Cmd", "ExposedPorts", "Healthcheck", "StopSignal"):
        assert theirs[key] == ours[key], key
    proxy = engine.run(tag, WEB)
    proxy.wait_for_log(READY)
    assert ids_of(proxy) == [str(USER)] * 4
