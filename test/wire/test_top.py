"""`portico top`: what a running Portico does, in a terminal and on paper."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import pytest

from harness.http1 import response_bytes
from harness.portico import BINARY, to
from harness.ports import free_port
from harness.waiting import wait_for

API = {"rule": "PathPrefix(`/api`)", "service": "api@internal"}


@pytest.fixture
def watched(portico, backend):
    """A proxy with the API beside one good server, and a service whose only server refuses."""
    server = backend(lambda request: response_bytes(body=b"x" * 100))
    dead = f"http://127.0.0.1:{free_port()}"
    config = to(server.url, api={"writers": ["*"]})
    config["http"]["routers"] |= {"api": API, "broken": {"rule": "PathPrefix(`/broken`)", "service": "broken"}}
    config["http"]["services"]["broken"] = {"loadBalancer": {"servers": [{"url": dead}]}}
    return portico(config)


@pytest.fixture
def traffic(watched):
    ended = threading.Event()

    def run():
        while not ended.wait(0.02):
            watched.get()
            watched.get("/broken")
    thread = threading.Thread(target=run)
    thread.start()
    yield watched
    ended.set()
    thread.join()


def top(proxy, *words, **more):
    return subprocess.run([BINARY, "top", f"http://127.0.0.1:{proxy.port}", *words], capture_output=True, text=True, timeout=60, **more)


def rows(proxy, view):
    result = top(proxy, "--json", "--view", view)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["rows"]


def test_once_prints_what_passes(traffic):
    def shown():
        result = top(traffic, "--once")
        assert result.returncode == 0 and "\033" not in result.stdout
        lines = {line.split()[0]: line.split() for line in result.stdout.splitlines()[3:]}
        return "main@file" in lines and "broken@file" in lines and lines["main@file"][1] != "-" and lines["broken@file"][2] == "100"
    wait_for("rates of both services", shown)


def test_json_has_the_rows_of_each_view(traffic):
    wait_for("a failure", lambda: any(row["reason"] == "upstream_refused" and row["hint"] for row in rows(traffic, "failures")))
    assert {row["service"] for row in rows(traffic, "servers")} == {"main@file", "broken@file"}
    assert "web" in {row["name"] for row in rows(traffic, "entrypoints")}
    assert any("/api/portico/live" in row["path"] for row in rows(traffic, "exchanges"))
    assert rows(traffic, "problems") == [] or all(row["text"] for row in rows(traffic, "problems"))


def test_where_nothing_answers_it_says_what_to_look_at():
    url = f"http://127.0.0.1:{free_port()}"
    result = subprocess.run([BINARY, "top", url, "--once"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and f"nothing answers at {url}: does Portico run there" in result.stderr


def test_what_cannot_be_asked_is_said(portico, backend):
    proxy = portico(to(backend().url))
    result = top(proxy, "--once")
    assert result.returncode == 1 and result.stderr.startswith("portico: ")
    assert subprocess.run([BINARY, "top", "--view", "nonsense"], capture_output=True).returncode == 2


class Terminal:
    """`portico top` on a terminal of its own."""

    def __init__(self, proxy, *words, width=150, height=30):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.seen = ""
        self.process = subprocess.Popen([BINARY, "top", f"http://127.0.0.1:{proxy.port}", *words], stdin=slave, stdout=slave,
                                        stderr=slave, env={**os.environ, "TERM": "xterm-256color"}, close_fds=True)
        os.close(slave)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.seen += data.decode(errors="replace")

    def press(self, keys):
        self.seen = ""
        os.write(self.master, keys.encode())

    def wait_for(self, text):
        wait_for(f"'{text}' on the screen", lambda: text in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.seen))

    def end(self):
        os.write(self.master, b"q")
        code = self.process.wait(30)
        self.reader.join(10)
        os.close(self.master)
        return code


def test_a_terminal_shows_views_help_and_a_filter(traffic):
    terminal = Terminal(traffic)
    terminal.wait_for("main@file")
    terminal.press("4")
    terminal.wait_for("broken@file")
    terminal.press("?")
    terminal.wait_for("maintenance on or off")
    terminal.press("?1")
    terminal.wait_for("web")
    terminal.press("3/broken\n")
    terminal.wait_for("filter: broken")
    assert terminal.end() == 0
    assert "\x1b[?1049l" in terminal.seen      # the former screen is back


def test_a_server_is_drained_from_the_terminal(watched):
    terminal = Terminal(watched, "--view", "servers")
    terminal.wait_for("main@file")
    terminal.press("/main\n")
    terminal.wait_for("filter: main")
    terminal.press("d")

    def state():
        return {row["service"]: row["state"] for row in rows(watched, "servers")}["main@file"]
    wait_for("the server to drain", lambda: state() == "draining")
    terminal.press("u")
    wait_for("the server to be back", lambda: state() == "ready")
    assert terminal.end() == 0


def test_the_terminal_survives_the_end_of_what_it_watches(watched):
    terminal = Terminal(watched)
    terminal.wait_for("main@file")
    watched.stop()
    terminal.wait_for("not connected")
    assert terminal.end() == 0


def test_the_end_of_the_terminal_ends_it(watched):
    terminal = Terminal(watched)
    terminal.wait_for("main@file")
    os.close(terminal.master)
    assert terminal.process.wait(30) in (0, -1)
