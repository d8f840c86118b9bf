"""The dashboard in a real browser: before a real Portico with traffic, and before a stand-in for states that are hard to make."""
import fcntl
import json
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.http1 import response_bytes
from harness.portico import to
from harness.ports import free_port

WEB = Path(__file__).resolve().parent.parent / "web"
TIMEOUT = 240         # seconds until a script that hangs is ended
# What npm says where there is no way to its packages; all else is a mistake of ours.
UNREACHABLE = r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|_CERT|E40[13]|E407|E50\d"


@pytest.fixture(scope="session")
def node():
    """Runs a script of test/web, with the packages of its lock file."""
    executable, npm = shutil.which("node"), shutil.which("npm")
    assert executable, "the dashboard's tests need node (apt-get install nodejs; script/bootstrap test does)"
    with open(WEB / "package-lock.json") as lock:
        # Others that test at the same time wait here.
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = WEB / "node_modules/.package-lock.json"
        if not installed.is_file() or installed.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
            assert npm, "the dashboard's tests need npm once, for the packages of test/web/package-lock.json (apt-get install npm)"
            got = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, capture_output=True, text=True, check=False)
            if got.returncode != 0 and re.search(UNREACHABLE, got.stderr):
                pytest.skip(f"the packages of test/web/package-lock.json cannot be fetched here: {got.stderr.strip().splitlines()[0]}")
            assert got.returncode == 0, f"npm ci in test/web:\n{got.stdout}{got.stderr}"
            installed.touch()

    def run(script, *arguments):
        ended = subprocess.run([executable, WEB / script, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        print(ended.stdout)
        assert ended.returncode == 0 and "not ok" not in ended.stdout, f"{ended.stdout}\n{ended.stderr}"
    return run


class Traffic:
    """Requests without end, a few dozen a second: good ones, slow ones, ones that nobody takes."""

    def __init__(self, proxy):
        self._proxy, self._stopping = proxy, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        client = self._proxy.client("web")
        number = 0
        while not self._stopping.is_set():
            number += 1
            target = ("/shop", "/shop/slow", "/dead", "/nowhere", "/shop/item?id=4711")[number % 5]
            client.request("GET", target, [("Host", "shop.test")])
            time.sleep(0.02)

    def stop(self):
        self._stopping.set()
        self._thread.join()


def shop(request):
    if request.target.startswith("/shop/slow"):
        time.sleep(0.03)
    return response_bytes(fields=[("Content-Type", "text/plain")], body=b"shop" * 200)


@pytest.mark.slow
def test_the_dashboard_shows_what_a_running_portico_does(portico, backend, stack, node):
    one, other = backend(shop), backend(shop)
    config = to(one.url, other.url, rule="PathPrefix(`/shop`)", entryPoints={"web": {}, "traefik": {}}, api={"insecure": True, "writers": ["*"]})
    config["http"]["routers"]["dead"] = {"rule": "PathPrefix(`/dead`)", "service": "dead", "middlewares": ["limit"]}
    config["http"]["services"]["dead"] = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{free_port()}"}]}}
    config["http"]["middlewares"] = {"limit": {"rateLimit": {"average": 1000}}}
    # Somewhere else, behind a password.
    config["http"]["routers"]["ops"] = {"rule": "PathPrefix(`/ops`)", "service": "api@internal", "middlewares": ["strip", "users"]}
    config["http"]["middlewares"]["strip"] = {"stripPrefix": {"prefixes": ["/ops"]}}
    config["http"]["middlewares"]["users"] = {"basicAuth": {"users": ["admin:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc="]}}
    proxy = portico(config)
    traffic = Traffic(proxy)
    stack.callback(traffic.stop)
    node("real.mjs", json.dumps({"url": f"http://127.0.0.1:{proxy.ports['traefik']}/dashboard/", "web": f"http://shop.test:{proxy.ports['web']}",
                                 "ops": f"http://127.0.0.1:{proxy.port}/ops/dashboard/", "server": one.url, "config": str(proxy.config_path)}))


@pytest.mark.slow
def test_ten_thousand_routers_are_as_quick_as_ten(portico, backend, node):
    names = [f"tenant-{number:05}" for number in range(10000)]
    config = {"entryPoints": {"web": {}, "traefik": {}}, "api": {"insecure": True},
              "http": {"routers": {name: {"rule": f"Host(`{name}.test`)", "service": name} for name in names},
                       "services": {name: {"loadBalancer": {"servers": [{"url": backend(shop).url}]}} if number == 0 else
                                    {"loadBalancer": {"servers": [{"url": f"http://127.0.1.{number % 250}:9"}]}}
                                    for number, name in enumerate(names)}}}
    proxy = portico(config)
    for name in names[:40]:
        proxy.get("/", [("Host", f"{name}.test")], entry_point="web")
    node("many.mjs", json.dumps({"url": f"http://127.0.0.1:{proxy.ports['traefik']}/dashboard/"}))


@pytest.mark.slow
def test_the_dashboard_says_what_is_wrong_in_every_state(node):
    node("states.mjs")
