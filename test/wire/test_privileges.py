"""The option `user`: what a Portico that root started goes on as, what it hands over, and what it can no longer do."""
import json
import os
import signal
import socket
import subprocess

import pytest
from harness.acme import Pebble
from harness.portico import BINARY, to
from harness.process import Process
from harness.tls import TlsClient, context_for, over_tls
from harness.waiting import wait_for

USER, GROUP = 64532, 64533
NOBODY = 65534
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can give up root")


@pytest.fixture
def tmp_path(tmp_path):
    """Folders of tests are closed to others; this way down stays open to the user."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-")) or folder == tmp_path:
            folder.chmod(0o755)
    return tmp_path


def options(**more):
    return {"user": f"{USER}:{GROUP}", **more}


def status(proxy):
    with open(f"/proc/{proxy.process.pid}/status") as file:
        return {name: value.split() for name, _, value in (line.partition(":") for line in file)}


def owner(path):
    found = os.lstat(path)
    return found.st_uid, found.st_gid


def start(portico, tmp_path, config, **more):
    """Ready, not only listening: root is given up between the two."""
    proxy = portico(config, env={"PORTICO_DATA": str(tmp_path / "data")}, **more)
    proxy.process.wait_for_output("is ready")
    return proxy


def test_root_is_given_up_whole(portico, backend, tmp_path):
    proxy = start(portico, tmp_path, {**to(backend().url), **options()})
    assert proxy.get().status == 200
    now = status(proxy)
    assert now["Uid"] == [str(USER)] * 4
    assert now["Gid"] == [str(GROUP)] * 4
    assert now["Groups"] == []
    assert now["NoNewPrivs"] == ["1"]
    bind_alone = f"{1 << 10:016x}"
    assert now["CapPrm"] == now["CapEff"] == now["CapBnd"] == [bind_alone]
    for thread in os.listdir(f"/proc/{proxy.process.pid}/task"):
        with open(f"/proc/{proxy.process.pid}/task/{thread}/status") as file:
            text = file.read()
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in text
        assert f"CapEff:\t{bind_alone}" in text


def test_a_reload_may_still_bind_a_port_below_1024(portico, backend, tmp_path):
    free = next(port for port in range(1023, 600, -1) if can_bind(port))
    server = backend()
    config = {**to(server.url), **options(), "entryPoints": {"web": {}}}
    proxy = start(portico, tmp_path, config)
    proxy.write({**config, "entryPoints": {"web": {}, "low": {"address": f"127.0.0.1:{free}"}}})
    proxy.process.signal(signal.SIGHUP)
    proxy.process.wait_for_port(free)


def can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def test_what_is_written_later_is_handed_over_and_nothing_else(portico, backend, tmp_path):
    """A folder that holds other things stays root's; links are not followed; of the data directory only what is ours goes."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "other.txt").write_text("not ours")
    (folder / "acme.json").touch(0o600)
    (folder / "victim").touch(0o600)
    (folder / "second").touch(0o600)
    os.link(folder / "second", folder / "linked.json")
    (folder / "link.json").symlink_to(folder / "victim")
    ca = tmp_path / "data" / "ca"
    ca.mkdir(parents=True, mode=0o700)
    (tmp_path / "data" / "diary.txt").write_text("not ours")
    for name in ("root.key", ".lock"):
        (ca / name).touch(0o600)
    resolvers = {name: {"acme": {"email": "a@example.com", "storage": str(folder / file)}}
                 for name, file in {"a": "acme.json", "b": "new.json", "c": "link.json", "d": "linked.json"}.items()}
    proxy = start(portico, tmp_path, {**to(backend().url), **options(certificatesResolvers=resolvers)})
    ours, root = (USER, GROUP), (0, 0)
    assert owner(folder) == owner(folder / "other.txt") == owner(folder / "victim") == root
    assert owner(folder / "linked.json") == root
    assert owner(folder / "acme.json") == owner(folder / "new.json") == ours
    assert (folder / "new.json").stat().st_mode & 0o777 == 0o600
    assert owner(ca) == owner(ca / "root.key") == owner(ca / ".lock") == ours
    assert owner(tmp_path / "data") == owner(tmp_path / "data" / "diary.txt") == root
    assert owner(proxy.access_path) == ours
    assert f"{folder}/linked.json: the user '{USER}:{GROUP}' may not write it" in proxy.log


def test_a_storage_that_cannot_be_replaced_is_written_in_place(portico, backend, tmp_path):
    """Its folder stays root's, as the root of a container does."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "other.txt").write_text("not ours")
    storage = folder / "acme.json"
    ca = Pebble(tmp_path / "pebble").start()
    try:
        subprocess.run(["chmod", "-R", "a+rX", tmp_path / "pebble"], check=True)
        config = {**to(backend().url, router={"rule": "Host(`a.example`)", "tls": {"certResolver": "le"}}),
                  **options(certificatesResolvers={"le": ca.resolver(storage)}),
                  "entryPoints": {"web": {}, "websecure": {}}}
        start(portico, tmp_path, config, ports=ca.ports)
        wait_for("a certificate in the storage", lambda: storage.read_text() and
                 json.loads(storage.read_text())["le"].get("Certificates"))
        assert owner(storage) == (USER, GROUP) and owner(folder) == (0, 0)
        assert storage.stat().st_mode & 0o777 == 0o600
    finally:
        ca.stop()


def test_a_file_that_only_root_can_read_is_named(portico, backend, tmp_path):
    proxy = start(portico, tmp_path, {**to(backend().url), **options()})
    proxy.config_path.chmod(0o600)
    proxy.process.signal(signal.SIGHUP)
    log = proxy.process.wait_for_output("what runs stays as it was")
    assert f"portico.yaml: the user '{USER}:{GROUP}' may not read it, so a change of it is not seen" in log
    assert proxy.get().status == 200


def test_a_key_that_is_roots_stays_as_it_was_read_at_the_start(portico, backend, authority, tmp_path):
    """Each reload reads certificates anew: it must not fail over what the start could read."""
    certificate = authority.issue("a.example")
    os.chmod(certificate.key, 0o600)
    config = {**over_tls(backend().url, certificate), **options(), "entryPoints": {"web": {}}}
    proxy = start(portico, tmp_path, config)
    assert f"{certificate.key}: the user '{USER}:{GROUP}' may not read it, so a change of it is not seen" in proxy.log
    config["http"]["routers"]["main"]["rule"] = "PathPrefix(`/new`)"
    proxy.write(config)
    proxy.process.signal(signal.SIGHUP)
    proxy.process.wait_for_output("configuration 2 is running")

    def shown():
        client = TlsClient(proxy.port, "a.example", context_for(authority))
        status = client.request("GET", "/new", host="a.example").status
        client.close()
        return status
    assert shown() == 200


def test_another_user_needs_a_restart(portico, backend, tmp_path):
    server = backend()
    proxy = start(portico, tmp_path, {**to(server.url), **options()})
    proxy.write({**to(server.url), "user": "nobody"})
    proxy.process.signal(signal.SIGHUP)
    proxy.process.wait_for_output("'user' takes effect when the process is started again: it runs as "
                                  f"'{USER}:{GROUP}'")


@pytest.mark.parametrize("user, said", [("nobodi", "there is no user 'nobodi' here"), ("nobody:nogruop", "there is no group 'nogruop' here")])
def test_an_unknown_user_is_an_error_at_its_place(tmp_path, run, user, said):
    path = tmp_path / "portico.yaml"
    path.write_text(f"user: {user}\nentryPoints:\n  web:\n    address: 127.0.0.1:0\n")
    ended = run("run", "--config", path, cwd=tmp_path)
    assert ended.returncode == 1
    assert f"portico.yaml:1:7: error: {said}" in ended.stderr
    assert "^" + "~" * (len(user) - 1) in ended.stderr


def test_names_of_users_and_groups_are_known(portico, backend, tmp_path):
    proxy = start(portico, tmp_path, {**to(backend().url), "user": "nobody"})
    assert status(proxy)["Uid"] == [str(NOBODY)] * 4


def test_who_is_not_root_changes_nothing(backend, tmp_path):
    tmp_path.chmod(0o777)
    path = tmp_path / "portico.yaml"
    path.write_text(json.dumps({**to(backend().url), **options(), "entryPoints": {"web": {"address": "127.0.0.1:0"}}}))
    process = Process("portico", ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", BINARY, "run", "--config", path],
                      tmp_path / "log", cwd=tmp_path)
    try:
        log = process.wait_for_output("is ready")
        assert "'user' changes nothing: the process was not started by root" in log
        with open(f"/proc/{process.pid}/status") as file:
            assert f"Uid:\t{NOBODY}" in file.read()
    finally:
        process.kill()


def test_a_root_that_may_not_change_its_user_goes_on_and_says_so(backend, tmp_path):
    """As in a container whose capabilities were dropped."""
    path = tmp_path / "portico.yaml"
    path.write_text(json.dumps({**to(backend().url), **options(), "entryPoints": {"web": {"address": "127.0.0.1:0"}}}))
    process = Process("portico", ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", BINARY, "run", "--config", path],
                      tmp_path / "log", cwd=tmp_path)
    try:
        log = process.wait_for_output("is ready")
        assert "the process goes on as root: it may not change its user" in log
    finally:
        process.kill()
