"""What the API under /api/portico shows of a running proxy: numbers from second to second, history, problems, requests."""
import json
import re
import signal
import subprocess
import threading
from urllib.parse import quote

import pytest

from harness.events import Events
from harness.http1 import response_bytes
from harness.http2 import Http2
from harness.load import Load
from harness.portico import to
from harness.ports import free_port
from harness.waiting import PATIENCE, wait_for

QUICK = {"providersThrottleDuration": "50ms"}


def looked_at(*servers, **more):
    """A configuration with one service on `web` and the API on `traefik`."""
    more.setdefault("entryPoints", {"web": {}, "traefik": {}})
    more["router"] = {"entryPoints": ["web"], **more.get("router", {})}
    return to(*servers, api={"insecure": True}, providers=QUICK, **more)


def ask(proxy, path, status=200):
    response = proxy.get("/api/portico/" + path, entry_point="traefik")
    assert response.status == status, (response.status, response.text)
    return response.json()


def listen(proxy, path="live", **more):
    return Events(proxy.client("traefik", **more), "/api/portico/" + path)


def wait_for_tick(proxy):
    """Two ticks from now on all that happened before has been looked at."""
    events = listen(proxy)
    for _ in range(2):
        events.until(lambda tick: True)
    events.close()


def add_up(events, name, wanted, kind="total"):
    """The sum of one number over ticks, as soon as it is `wanted`; more would be wrong."""
    total = 0
    while total < wanted:
        tick = events.until(lambda tick: True)
        total += (tick["total"] if kind == "total" else tick[kind[0]].get(kind[1], {"requests": 0, "errors": 0, "refused": 0}))[name]
    assert total == wanted
    return True


# Numbers

def test_numbers_are_those_of_the_traffic(portico, backend):
    server = backend(lambda request: response_bytes(status=503 if request.target == "/bad" else 200, body=b"12345"))
    proxy = portico(looked_at(server.url, router={"rule": "PathPrefix(`/`) && !Path(`/none`)"}))
    events = listen(proxy)
    events.until(lambda tick: True)
    for target, count in (("/", 7), ("/bad", 2), ("/none", 3)):
        for _ in range(count):
            proxy.get(target)
    sums = {"total": {"requests": 12, "errors": 2, "refused": 3}, "router": {"requests": 9, "errors": 2, "refused": 0}}
    seen = {"total": dict.fromkeys(sums["total"], 0), "router": dict.fromkeys(sums["router"], 0), "server": {"requests": 0}}
    key = f"main@file|{server.url}"
    while seen["total"]["requests"] < 12:
        tick = events.until(lambda tick: tick["total"]["requests"])
        for name in sums["total"]:
            seen["total"][name] += tick["total"][name]
            seen["router"][name] += tick["routers"].get("main@file", {}).get(name, 0)
        seen["server"]["requests"] += tick["servers"].get(key, {}).get("requests", 0)
    # what was counted while the tick was made comes with the next one
    if seen["router"]["requests"] < 9:
        tick = events.until(lambda tick: tick["routers"])
        for name in sums["router"]:
            seen["router"][name] += tick["routers"]["main@file"][name]
    assert seen["total"] == sums["total"] and seen["router"] == sums["router"]
    assert seen["server"]["requests"] <= 9
    overview = ask(proxy, "overview")
    assert overview["totals"]["requests"] == 12 and overview["totals"]["errors"] == 2 and overview["totals"]["refused"] == 3
    assert overview["counts"]["servers"] == {"up": 1, "down": 0, "draining": 0, "total": 1}
    history = ask(proxy, "history?of=total&seconds=60")
    assert sum(history["requests"]) == 12 and sum(history["errors"]) == 2 and sum(history["refused"]) == 3
    assert sum(map(sum, history["heat"])) == 12 and history["step"] == 1
    assert all((p95 is None) == (count == 0) for p95, count in zip(history["p95"], history["requests"]))
    assert sum(ask(proxy, "history?of=total&seconds=1200")["requests"]) == 12
    assert sum(ask(proxy, "history?of=router:main@file")["requests"]) == 9
    assert sum(ask(proxy, "history?of=" + quote(f"server:{key}"))["requests"]) == 9
    ask(proxy, "history?of=router:other", status=404)


def test_the_past_is_there_for_who_comes_later(portico, backend):
    proxy = portico(looked_at(backend().url))
    for _ in range(5):
        proxy.get()
    wait_for("the history", lambda: sum(ask(proxy, "history")["requests"]) == 5)


def test_the_map_shows_the_busy_and_the_troubled_first(portico, backend):
    config = looked_at(backend().url, router={"rule": "Path(`/`)"})
    for number in range(30):
        config["http"]["routers"][f"r{number:02}"] = {"rule": f"Path(`/r{number}`)", "service": "main", "entryPoints": ["web"]}
    config["http"]["routers"]["sad"] = {"rule": "Path(`/sad`)", "service": "empty", "entryPoints": ["web"]}
    config["http"]["services"]["empty"] = {"loadBalancer": {"servers": []}}
    proxy = portico(config)
    for _ in range(3):
        assert proxy.get("/r17").status == 200
    wait_for_tick(proxy)
    found = ask(proxy, "map?limit=2")
    assert [router["name"] for router in found["routers"]] == ["sad@file", "r17@file"]
    assert found["truncated"]["routers"] == 2 and found["truncated"]["total"] >= 32
    assert {service["name"] for service in found["services"]} == {"empty@file", "main@file"}
    assert re.fullmatch(r".*portico\.yaml:\d+:\d+", found["routers"][0]["source"])
    assert [router["name"] for router in ask(proxy, "map?search=R22")["routers"]] == ["r22@file"]
    assert {entry["name"] for entry in found["entryPoints"]} == {"web", "traefik"}


# Streams

def test_a_stream_says_hello_and_ticks(portico, backend):
    proxy = portico(looked_at(backend().url))
    events = listen(proxy)
    assert events.head.status == 200 and events.head.get("Content-Type") == "text/event-stream"
    assert events.head.get("Cache-Control") == "no-store" and events.head.get("X-Accel-Buffering") == "no"
    name, hello = events.next()
    assert name == "hello" and hello["generation"] == 1 and hello["canWrite"] is False and hello["version"]
    first, second = events.until(lambda tick: True), events.until(lambda tick: True)
    assert second["at"] > first["at"] and second["interval"] > 0 and first["generation"] == 1
    assert [worker["worker"] for worker in first["workers"]] == list(range(ask(proxy, "overview")["workers"]))


@pytest.mark.parametrize("flags", [["--http2-prior-knowledge"], ["--compressed"], ["--http2-prior-knowledge", "--compressed"]])
def test_events_come_at_once_over_http2_and_compressed(portico, backend, flags):
    config = to(backend().url, api={}, entryPoints={"web": {}, "traefik": {"http2": {"h2c": True}}})
    config["http"]["middlewares"] = {"small": {"compress": {"encodings": ["gzip"]}}}
    config["http"]["routers"]["api"] = {"rule": "PathPrefix(`/api`)", "service": "api@internal", "entryPoints": ["traefik"],
                                        "middlewares": ["small"]}
    proxy = portico(config)
    url = f"http://127.0.0.1:{proxy.ports['traefik']}/api/portico/live"
    with subprocess.Popen(["curl", "-sSNi", *flags, url], stdout=subprocess.PIPE, text=True) as curl:
        try:
            lines = []
            while sum(line == "event: tick\n" for line in lines) < 3:
                line = curl.stdout.readline()
                assert line, lines
                lines.append(line)
            head = "".join(lines).lower().split("\n\n")[0]
            assert ("content-encoding: gzip" in head) == ("--compressed" in flags)
        finally:
            curl.kill()


def test_the_feed_of_requests_tells_of_each_on_a_quiet_site(portico, backend):
    proxy = portico(looked_at(backend().url, router={"rule": "PathPrefix(`/`) && !Path(`/none`)"}))
    proxy.get("/before")
    events = listen(proxy, "live/requests")
    wait_for("the feed to begin", lambda: ask(proxy, "exchanges"))
    told = {}
    end = threading.Event()

    def ask_on():
        number = 0
        while not end.wait(0.1):
            proxy.request("GET", f"/n{number}")
            number += 1
    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        while len(told) < 10:
            name, request = events.next()
            if name == "request":
                told[request["path"]] = request
    finally:
        end.set()
        thread.join()
    numbers = sorted(int(path[2:]) for path in told)
    assert numbers == list(range(numbers[0], numbers[0] + 10)), "some were left out"
    assert all(request["status"] == 200 and request["router"] == "main@file" for request in told.values())


def test_a_reader_that_stands_still_loses_events_and_no_memory_grows(portico, backend):
    proxy = portico(looked_at(backend().url, router={"rule": "Path(`/`)"}, entryPoints={"web": {}, "traefik": {"http2": {"h2c": True}}}))
    client = Http2(proxy.ports["traefik"], window=0, grant=False)
    stream = client.ask("GET", "/api/portico/live/requests")
    path = "/" + "x" * 150
    with Load(proxy.port, path, clients=2):
        others = listen(proxy, "live/requests")
        for _ in range(500):
            others.next()
        held = sum(worker["bufferBytes"] for worker in ask(proxy, "workers"))
        assert held < 1 << 20
        client.open_window(stream, 1 << 30).open_window(0, 1 << 30)
        client.read_until("events were lost", lambda: b'"lost":' in client.answers[stream].body[:-20])
    lost = re.search(rb'"lost":(\d+)', client.answers[stream].body)
    assert int(lost[1]) > 100 and b"event: request" in client.answers[stream].body
    client.close()


def test_fifty_listeners_hear_the_same(portico, backend):
    proxy = portico(looked_at(backend().url))
    streams = [listen(proxy) for _ in range(50)]
    for stream in streams:
        assert stream.next()[0] == "hello"
    for _ in range(3):
        proxy.get()
    ticks = [stream.until(lambda tick: tick["total"]["requests"]) for stream in streams]
    assert all(tick == ticks[0] for tick in ticks)
    for stream in streams:
        stream.close()
    wait_for("them to be gone", lambda: ask(proxy, "overview")["counts"]["openExchanges"] == 1)


def test_more_listeners_than_there_may_be_are_refused(portico, backend):
    proxy = portico(looked_at(backend().url))
    streams = [listen(proxy) for _ in range(256)]
    refused = proxy.get("/api/portico/live", entry_point="traefik")
    assert refused.status == 503 and "listeners" in refused.json()["message"]
    streams.pop().close()
    wait_for("a place", lambda: listen(proxy).head.status == 200)


def test_a_reload_goes_on_under_a_listener(portico, backend):
    config = looked_at(backend().url, router={"rule": "Path(`/`)"})
    proxy = portico(config)
    events = listen(proxy)
    assert events.until(lambda tick: True)["generation"] == 1
    config["http"]["routers"]["more"] = {"rule": "Path(`/more`)", "service": "main", "entryPoints": ["web"]}
    proxy.write(config)
    events.until(lambda tick: tick["generation"] == 2)
    for _ in range(4):
        assert proxy.get("/more").status == 200
    assert add_up(events, "requests", 4, ("routers", "more@file"))


@pytest.mark.parametrize("path", ["live", "live/requests"])
def test_streams_end_whole_when_the_process_stops(portico, backend, path):
    proxy = portico(looked_at(backend().url))
    events = listen(proxy, path)
    assert events.next()[0] == "hello"
    proxy.process.signal(signal.SIGTERM)
    while events.next() is not None:
        pass
    assert events.whole
    assert proxy.process.wait(PATIENCE) == 0


# Problems

def problems_of(proxy, kind):
    return [problem for problem in ask(proxy, "problems") if problem["kind"] == kind]


def test_a_server_that_is_gone_is_a_problem_until_it_is_back(portico, whoami):
    peer = whoami()
    proxy = portico(looked_at(peer.url))
    assert proxy.get().status == 200 and ask(proxy, "problems") == []
    peer.kill()

    def found():
        proxy.get()
        return problems_of(proxy, "server")
    problem = wait_for("the problem", found)[0]
    assert problem["severity"] == "error" and problem["since"]
    assert problem["text"] == f"127.0.0.1:{peer.port} refuses connections (service main@file)"
    assert "listening on this port" in problem["hint"] and "0.0.0.0" not in problem["hint"]
    assert problem["subject"] == {"kind": "server", "name": f"main@file|{peer.url}"}
    peer.start()

    def gone():
        return proxy.get().status == 200 and not problems_of(proxy, "server")
    wait_for("its end", gone)


def test_a_failed_health_check_is_a_problem_of_the_server_and_its_service(portico, backend):
    healthy = threading.Event()
    server = backend(lambda request: response_bytes(status=200 if healthy.is_set() else 500))
    check = {"healthCheck": {"path": "/health", "interval": "100ms", "timeout": "1s"}}
    proxy = portico(looked_at(server.url, service=check))
    problem = wait_for("the server's problem", lambda: problems_of(proxy, "server"))[0]
    assert "unhealthy" in problem["text"] and "500" in problem["text"]
    assert "1 of 1" in wait_for("the service's", lambda: problems_of(proxy, "service"))[0]["text"]
    row, = ask(proxy, "servers")
    assert row["state"] == "unhealthy" and "500" in row["why"] and row["checkStatus"] == 500 and row["since"]
    events = listen(proxy)
    healthy.set()
    tick = events.until(lambda tick: tick["servers"])
    assert tick["servers"][f"main@file|{server.url}"]["state"] == "ready"
    wait_for("the end of the problems", lambda: ask(proxy, "problems") == [])


def test_many_errors_are_a_problem_of_the_service(portico, backend):
    server = backend(lambda request: response_bytes(status=500))
    proxy = portico(looked_at(server.url))
    for _ in range(25):
        proxy.get()
    problem = wait_for("the problem", lambda: problems_of(proxy, "traffic"))[0]
    assert problem["subject"] == {"kind": "service", "name": "main@file"} and problem["text"].startswith("100.0 %")


def test_a_refused_configuration_is_a_problem_with_its_place(portico, backend):
    config = looked_at(backend().url)
    proxy = portico(config)
    proxy.write({**config, "http": {**config["http"], "routers": {"main": {"rule": "Pat(`/`)", "service": "main"}}}})
    found = wait_for("the problem", lambda: problems_of(proxy, "configuration"))
    assert any("refused" in problem["text"] for problem in found)
    note = next(problem for problem in found if problem["subject"]["kind"] == "file")
    assert re.search(r"portico\.yaml:\d+:\d+", note["subject"]["name"])
    provider, = ask(proxy, "providers")
    assert provider["name"] == "file" and not provider["good"]
    assert any("Pat(" in item["line"] and item["column"] for item in provider["notes"])
    assert ask(proxy, "overview")["reloadsFailed"] == 1
    proxy.write(config)
    wait_for("its end", lambda: not problems_of(proxy, "configuration"))


def test_an_open_breaker_is_a_problem(portico, backend):
    server = backend(lambda request: response_bytes(status=502))
    breaker = {"cb": {"circuitBreaker": {"expression": "ResponseCodeRatio(500, 600, 0, 600) > 0.3", "fallbackDuration": "1h"}}}
    proxy = portico(looked_at(server.url, middlewares=breaker))

    def found():
        proxy.get()
        return problems_of(proxy, "limit")
    problem = wait_for("the problem", found)[0]
    assert "cb@file" in problem["text"] and "open" in problem["text"]
    row, = ask(proxy, "limits")
    assert row["type"] == "circuitBreaker" and row["usedBy"] == ["main@file"] and row["state"]["state"] == "open"
    assert row["state"]["opened"] == 1


# Requests

def test_a_hanging_request_shows_what_it_waits_for(portico, backend):
    go_on = threading.Event()

    def answer(request):
        go_on.wait(PATIENCE)
        return response_bytes(body=b"late")
    server = backend(answer)
    proxy = portico(looked_at(server.url))
    client = proxy.client().send_request("GET", "/slow?x=1")

    def hanging():
        return [row for row in ask(proxy, "exchanges") if row["path"] == "/slow" and row["step"] == "await_response"]
    try:
        row, = wait_for("the request", hanging)
        assert row["router"] == "main@file" and row["service"] == "main@file" and row["entryPoint"] == "web"
        assert row["server"] == server.url and row["attempts"] == 1 and "server's answer" in row["stepText"]
        later, = wait_for("time to pass", lambda: [each for each in hanging() if each["ageMs"] > row["ageMs"]])
        assert later["id"] == row["id"]
    finally:
        go_on.set()
    assert client.response().body == b"late"
    wait_for("its end", lambda: not hanging())


def test_ended_requests_and_their_failures_are_shown(portico, backend):
    dead = f"http://127.0.0.1:{free_port()}"
    proxy = portico(looked_at(backend().url, router={"rule": "Path(`/good`)"}))
    config = looked_at(dead, router={"rule": "Path(`/bad`)"})
    proxy.write({**config, "http": {"routers": {
        "good": {"rule": "Path(`/good`)", "service": "good", "entryPoints": ["web"]}, **config["http"]["routers"]},
        "services": {"good": {"loadBalancer": {"servers": [{"url": backend().url}]}}, **config["http"]["services"]}}})
    proxy.wait_for_answer(lambda response: response.status == 502, "/bad")
    assert proxy.get("/good").status == 200 and proxy.get("/none").status == 404
    rows = ask(proxy, "requests")
    assert [row["path"] for row in rows[:2]] == ["/none", "/good"]
    assert rows[1]["status"] == 200 and rows[1]["reason"] is None and rows[1]["totalMs"] > 0
    assert [row["number"] for row in rows] == sorted((row["number"] for row in rows), reverse=True)
    assert {row["path"] for row in ask(proxy, "requests?failed=true&status=5xx")} == {"/bad"}
    assert {row["status"] for row in ask(proxy, "requests?search=GOOD")} <= {200, 404}
    assert len(ask(proxy, "requests?limit=1")) == 1
    failures = {row["reason"]: row for row in ask(proxy, "failures")}
    refused = failures["upstream_refused"]
    assert refused["count"] >= 1 and refused["last"]["path"] == "/bad" and "running" in refused["hint"] and refused["lastAt"]
    assert failures["no_route"]["last"]["path"] == "/none"


def test_limits_show_who_was_refused(portico, backend):
    limits = {"rate": {"rateLimit": {"average": 1, "period": "1h", "burst": 3}},
              "flight": {"inFlightReq": {"amount": 5, "sourceCriterion": {"requestHeaderName": "X-Api-Key"}}}}
    proxy = portico(looked_at(backend().url, middlewares=limits))
    for _ in range(5):
        proxy.get(fields=[("X-Api-Key", "secretsecret")])
    rate, flight = ask(proxy, "limits")
    assert rate["middleware"] == "rate@file" and rate["type"] == "rateLimit"
    state = rate["state"]
    assert state["allowed"] == 3 and state["refused"] == 2 and state["sources"] == 1 and state["by"] == "clientAddress"
    assert [(source["source"], source["count"]) for source in state["mostRefused"]] == [("127.0.0.1", 2)]
    assert flight["state"]["allowed"] == 3 and flight["state"]["underWay"] == 0 and flight["state"]["by"] == "header X-Api-Key"


# The rest

def test_explain_tells_what_the_command_tells(portico, backend, run):
    proxy = portico(looked_at(backend().url, router={"rule": "Host(`a.example`) && Header(`X-A`, `1`)"},
                              middlewares={"strip": {"stripPrefix": {"prefixes": ["/api"]}}}))
    for url, header in (("http://a.example/api/x?y=1", "X-A: 1"), ("http://a.example/", "X-A: 2"), ("http://b.example/", "X-A: 1")):
        words = ["--method", "POST", "--header", header, "--from", "10.1.2.3", "--entryPoint", "web"]
        told = json.loads(run("explain", "--config", proxy.config_path, "--json", *words, url).stdout)
        query = f"method=POST&from=10.1.2.3&entryPoint=web&url={quote(url, safe='')}&header={quote(header, safe='')}"
        assert ask(proxy, "explain?" + query) == told
    assert "did you mean 'web'" in ask(proxy, "explain?url=/&entryPoint=wep", status=404)["message"]
    assert ask(proxy, "explain?url=%20", status=422)["message"]


def test_what_was_configured_is_shown_without_its_secrets(portico, backend):
    users = {"auth": {"basicAuth": {"users": ["ops:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM="]}}}
    proxy = portico(looked_at(backend().url, middlewares=users))
    found = ask(proxy, "configuration")
    options = {option["path"]: option for option in found["options"]}
    assert found["files"] == [str(proxy.config_path)] or found["files"] == ["portico.yaml"]
    assert options["http.routers.main.rule"]["value"] == "PathPrefix(`/`)"
    assert re.search(r"portico\.yaml:\d+:\d+", options["http.routers.main.rule"]["source"])
    assert "C+7Hteo" not in json.dumps(found)
    assert ask(proxy, "certificates") == [] and ask(proxy, "providers")[0]["good"] is True


def test_workers_tell_of_their_ports(portico, backend):
    proxy = portico(looked_at(backend().url))
    for _ in range(6):
        proxy.get()
    workers = ask(proxy, "workers")
    assert sum(port["accepted"] for worker in workers for port in worker["ports"] if port["entryPoint"] == "web") >= 6
    assert len(workers) == ask(proxy, "overview")["workers"]


@pytest.mark.tsan
def test_listeners_come_and_go_under_load_and_reloads(portico, backend):
    server = backend()
    config = looked_at(server.url, router={"rule": "Path(`/`)"})
    proxy = portico(config)
    end = threading.Event()
    errors = []

    def look():
        try:
            while not end.is_set():
                events = listen(proxy)
                for _ in range(2):
                    events.until(lambda tick: True)
                events.close()
                for path in ("overview", "map", "problems", "servers", "requests", "exchanges", "history", "failures", "limits"):
                    ask(proxy, path)
        except Exception as error:      # noqa: BLE001 - shown by the test
            errors.append(error)
    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    with Load(proxy.port) as load:
        for number in range(10):
            config["http"]["routers"]["more"] = {"rule": f"Path(`/v{number}`)", "service": "main", "entryPoints": ["web"]}
            proxy.write(config)
            proxy.wait_for_answer(lambda response: response.status == 200, f"/v{number}")
    end.set()
    for thread in threads:
        thread.join()
    load.assert_all(200)
    assert not errors, errors[:3]
