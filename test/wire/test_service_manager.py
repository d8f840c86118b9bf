"""systemd's side: sd_notify's messages, on a socket of our own; and the unit file."""
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness.portico import to
from harness.waiting import PATIENCE, wait_for

UNIT = Path(__file__).parents[2] / "packaging" / "portico.service"


class Manager:
    """The socket that NOTIFY_SOCKET names, and what came in."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.setblocking(False)
        self.messages = []

    def read(self):
        while True:
            try:
                message = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.messages
            self.messages.append(dict(line.split("=", 1) for line in message.split("\n")))

    def wait(self, key, count=1):
        return wait_for(f"{key} ({count})", lambda: len(found := [m for m in self.read() if key in m]) >= count and found)


@pytest.fixture(params=["path", "abstract"])
def manager(request, stack, tmp_path):
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@portico-test-{tmp_path.name}-{id(tmp_path)}")
    stack.callback(made.socket.close)
    return made


def test_it_is_ready_when_it_listens_and_says_when_it_stops(manager, portico, backend):
    proxy = portico(to(backend().url), env={"NOTIFY_SOCKET": manager.name}, wait=False)
    (ready,) = manager.wait("READY")
    assert proxy.get().status == 200               # at once: no waiting for the port
    assert ready["READY"] == "1" and "configuration 1 is running" in ready["STATUS"]
    proxy.process.signal(signal.SIGTERM)
    (stopping,) = manager.wait("STOPPING")
    assert stopping["STOPPING"] == "1"
    assert proxy.process.wait() == 0
    assert not [message for message in manager.read() if "WATCHDOG" in message]


def test_a_reload_is_announced_and_ends_in_ready_also_when_it_is_refused(manager, portico, backend):
    configuration = to(backend().url)
    proxy = portico(configuration, env={"NOTIFY_SOCKET": manager.name})
    manager.wait("READY")
    before = time.monotonic_ns() // 1000
    proxy.process.signal(signal.SIGHUP)
    (reloading,) = manager.wait("RELOADING")
    ready = manager.wait("READY", 2)[-1]
    assert reloading["RELOADING"] == "1" and before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert "configuration 2 is running" in ready["STATUS"]
    configuration["http"]["routers"]["main"]["rule"] = "Pathh(`/`)"
    proxy.write(configuration)
    ready = manager.wait("READY", 3)[-1]
    assert "configuration 2 is running" in ready["STATUS"] and "refused" in ready["STATUS"]
    order = [key for message in manager.read() for key in ("READY", "RELOADING") if key in message]
    assert order == ["READY"] + ["RELOADING", "READY"] * 2


def test_the_watchdog_hears_from_it_while_it_runs(manager, portico, backend):
    proxy = portico(to(backend().url), env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    manager.wait("WATCHDOG", 5)
    assert proxy.get().status == 200


def test_the_watchdog_of_another_process_is_none_of_its_business(manager, portico, backend):
    proxy = portico(to(backend().url), env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    manager.wait("READY")
    proxy.process.signal(signal.SIGHUP)
    manager.wait("READY", 2)
    proxy.process.signal(signal.SIGTERM)
    manager.wait("STOPPING")
    assert not [message for message in manager.read() if "WATCHDOG" in message]


@pytest.mark.parametrize("name", ["/nowhere/notify", "relative", "@", ""])
def test_a_socket_that_is_not_there_stops_nothing(portico, backend, name):
    proxy = portico(to(backend().url), env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"})
    assert proxy.get().status == 200
    assert "service manager" in proxy.log


# the unit

def settings():
    found = {}
    for line in UNIT.read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
        else:
            assert not line or line[0] in "#[", line
    return found


def test_the_unit_speaks_of_what_the_program_does():
    unit = settings()
    assert unit["Type"] == ["notify"] and unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert unit["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"] and unit["WatchdogSec"]
    assert unit["StateDirectory"] == ["portico"] and unit["Environment"] == ["PORTICO_DATA=/var/lib/portico"]
    assert "MemoryDenyWriteExecute" not in unit         # PCRE2 compiles to machine code


def test_systemd_accepts_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    program = tmp_path / "portico"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "portico.service"
    unit.write_text(UNIT.read_text().replace("/usr/bin/portico", str(program)))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=PATIENCE * 3,
                            check=False)
    about_it = [line for line in result.stderr.splitlines() if "portico" in line]
    assert about_it == [], result.stderr
