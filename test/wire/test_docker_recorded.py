"""Containers, told by an engine of the tests' own (harness.engine): what becomes of them, what an engine's troubles do, and what the
process that reads it may do."""
import os
import signal
import subprocess
import tempfile
import threading

import pytest

from harness.engine import Engine
from harness.http1 import response_bytes
from harness.portico import Portico
from harness.ports import free_port
from harness.waiting import wait_for


@pytest.fixture
def engine(stack, tmp_path):
    engine = Engine(tmp_path / "engine.sock")
    stack.callback(engine.stop)
    return engine


@pytest.fixture
def server(backend):
    """A container's program: answers with its name."""
    def start(name):
        return backend(lambda request: response_bytes(200, body=name.encode()))
    return start


def config(engine, **more):
    return {"providers": {"docker": {"endpoint": f"unix://{engine.path}", **more}, "providersThrottleDuration": "20ms"},
            "http": {"routers": {"file": {"rule": "Host(`file.test`)", "service": "file"}},
                     "services": {"file": {"respond": {"status": 204}}}}}


def says(portico, host, status=200, body=None):
    return portico.wait_for_answer(lambda response: response.status == status and (body is None or response.body == body.encode()),
                                   fields=[("Host", host)])


def ask(portico, host):
    return portico.get(fields=[("Host", host)])


def helpers(portico):
    """Process ids of the helpers of this proxy."""
    out = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(portico.process.popen.pid)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in out.splitlines() if line.split(None, 1)[1] == "portico: engine"]


def rule(name, host):
    return {f"traefik.http.routers.{name}.rule": f"Host(`{host}`)"}


def test_what_runs_at_the_start_is_served_by_the_first_configuration(portico, engine, server):
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    assert ask(proxy, "one.test").body == b"one"
    assert "read from unix://" in proxy.log and "20.10" in proxy.log


def test_a_container_that_starts_is_served_and_one_that_is_removed_goes(portico, engine, server):
    proxy = portico(config(engine))
    one = server("one")
    engine.wait_for_stream()
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")
    engine.stop_container("one")
    says(proxy, "one.test", status=503)
    engine.remove("one")
    assert ask(proxy, "one.test").status == 503      # it stays a moment: another may take its place
    says(proxy, "one.test", status=404)


def test_a_port_that_opens_late_is_waited_for(portico, engine, server, backend):
    port = free_port()
    engine.add("late", port=port, labels=rule("late", "late.test"))
    proxy = portico(config(engine, holdTimeout="0s"))
    assert ask(proxy, "late.test").status == 503
    backend(lambda request: response_bytes(200, body=b"late"), port=port)
    says(proxy, "late.test", body="late")


def test_only_what_an_event_names_is_looked_at_again(portico, engine, server):
    one = server("one")
    ids = [engine.add(f"quiet{i}", labels={"traefik.enable": "false"}) for i in range(20)]
    portico(config(engine))
    engine.wait_for_stream()
    wait_for("each to be looked at", lambda: all(engine.count(f"containers/{each}/json") == 1 for each in ids))
    new = engine.add("one", port=one.port, labels=rule("one", "one.test"))
    wait_for("the new one", lambda: engine.count(f"containers/{new}/json") >= 1)
    assert all(engine.count(f"containers/{each}/json") == 1 for each in ids)
    assert engine.count("containers/json") == 1


def keep_back(engine, identity):
    engine.late[identity] = threading.Event()
    return engine.late[identity]


def wait_for_look(engine, identity, former):
    wait_for("a look", lambda: engine.count(f"containers/{identity}/json") > former)


def test_what_was_found_before_a_container_died_is_not_believed_after_it(portico, engine, server, stack):
    one, other = server("one"), server("other")
    proxy = portico(config(engine, holdTimeout="0s"))
    engine.wait_for_stream()
    identity = engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")
    asked = engine.count(f"containers/{identity}/json")
    former = keep_back(engine, identity)
    engine.emit("rename", identity)
    wait_for_look(engine, identity, asked)
    latter = keep_back(engine, identity)
    stack.callback(latter.set)
    engine.die("one")
    says(proxy, "one.test", status=503)
    former.set()
    wait_for_look(engine, identity, asked + 1)
    engine.add("other", port=other.port, labels=rule("other", "other.test"))
    says(proxy, "other.test", body="other")
    assert ask(proxy, "one.test").status == 503


def test_what_was_found_before_a_container_was_removed_does_not_bring_it_back(portico, engine):
    proxy = portico(config(engine, holdTimeout="0s"))
    engine.wait_for_stream()
    identity = engine.add("one", port=80, labels=rule("one", "one.test"), start=False)
    says(proxy, "one.test", status=503)
    asked = engine.count(f"containers/{identity}/json")
    late = keep_back(engine, identity)
    engine.emit("rename", identity)
    wait_for_look(engine, identity, asked)
    engine.remove("one")
    proxy.wait_until("its removal to be known", lambda: "it was removed a moment ago" in proxy.log)
    late.set()
    says(proxy, "one.test", status=404)


@pytest.mark.skipif(os.getuid() != 0, reason="sockets of other groups are made by root")
def test_a_socket_that_comes_again_with_another_group_is_opened(portico, engine, server, stack):
    # What tests write lies where only root gets; a helper that may open the socket has to get to it.
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    os.chmod(folder, 0o755)
    engine.stop()
    engine.path = f"{folder}/engine.sock"

    def start(group):
        engine.start()
        os.chown(engine.path, 0, group)
        os.chmod(engine.path, 0o660)

    start(4001)
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.stop()
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    start(4002)
    says(proxy, "one.test", body="one")


def test_ids_that_are_none_do_not_end_the_helper(portico, engine, server):
    one = server("one")
    proxy = portico(config(engine))
    engine.wait_for_stream()
    before = helpers(proxy)
    engine.containers["../../../etc/passwd"] = {**engine.template, "Id": "../../../etc/passwd", "State": {"Status": "running"}}
    engine.emit_raw(b'{"Type":"container","Action":"start","Actor":{"ID":"../../../etc/passwd"}}\n')
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")
    engine.cut_streams()
    proxy.wait_until("the list to be read again", lambda: engine.count("containers/json") == 2)
    engine.wait_for_stream()
    two = server("two")
    engine.add("two", port=two.port, labels=rule("two", "two.test"))
    says(proxy, "two.test", body="two")
    assert helpers(proxy) == before


def test_a_container_that_the_engine_cannot_show_just_now_is_asked_for_again(portico, engine, server):
    one = server("one")
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.refuse = 500
    identity = engine.add("one", port=one.port, labels=rule("one", "one.test"))
    wait_for("a look", lambda: engine.count(f"containers/{identity}/json"))
    proxy.wait_until("it to be looked at no more by itself", lambda: ask(proxy, "one.test").status == 404)
    engine.refuse = None
    says(proxy, "one.test", body="one")


def test_a_lost_stream_keeps_everything_and_what_happened_meanwhile_is_read(portico, engine, server):
    one, two = server("one"), server("two")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.stop()
    proxy.wait_until("the loss to be said", lambda: "the engine cannot be read" in proxy.log)
    assert ask(proxy, "one.test").body == b"one"
    assert ask(proxy, "file.test").status == 204
    engine.containers.clear()
    engine.add("two", port=two.port, labels=rule("two", "two.test"))
    engine.start()
    says(proxy, "two.test", body="two")
    says(proxy, "one.test", status=404)
    assert "containers are read again" in proxy.log
    assert proxy.log.count("the engine cannot be read") == 1


def test_a_stream_that_is_cut_in_the_middle_is_taken_up_again(portico, engine, server):
    proxy = portico(config(engine))
    one = server("one")
    engine.wait_for_stream()
    engine.cut_streams()
    wait_for("a second list", lambda: engine.count("containers/json") >= 2)
    engine.wait_for_stream()
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")


def test_nonsense_in_the_stream_and_in_answers_stops_nothing(portico, engine, server):
    one, two = server("one"), server("two")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.emit_raw("}{\n\n[1,2]\n{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"../../etc\"}}\n")
    engine.garbage = True
    engine.cut_streams()
    proxy.wait_until("the nonsense to be noticed", lambda: "it says no version of its API" in proxy.log)
    assert ask(proxy, "one.test").body == b"one"
    engine.garbage = False
    engine.wait_for_stream()
    engine.add("two", port=two.port, labels=rule("two", "two.test"))
    says(proxy, "two.test", body="two")


def test_an_engine_that_is_not_there_yet_is_found_later(portico, tmp_path, engine, server):
    one = server("one")
    engine.stop()
    proxy = portico(config(engine))
    assert "no such file" in proxy.log and "is its socket mounted?" in proxy.log
    engine.start()
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")


def test_the_helper_is_a_process_of_its_own_that_comes_back_when_it_is_killed(portico, engine, server):
    one, two = server("one"), server("two")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    engine.wait_for_stream()
    (first,) = helpers(proxy)
    os.kill(first, signal.SIGKILL)
    assert ask(proxy, "one.test").body == b"one"
    wait_for("another helper", lambda: helpers(proxy) and helpers(proxy) != [first])
    wait_for("its list", lambda: engine.count("containers/json") >= 2)
    engine.wait_for_stream()
    engine.add("two", port=two.port, labels=rule("two", "two.test"))
    says(proxy, "two.test", body="two")


def test_the_helper_goes_when_the_front_does_however_it_goes(tmp_path, engine):
    proxy = Portico(tmp_path, config(engine))
    try:
        (helper,) = helpers(proxy)
    finally:
        proxy.process.kill()
    wait_for("the helper to end", lambda: not os.path.exists(f"/proc/{helper}"))


def test_the_helper_has_given_up_what_it_does_not_need(portico, engine):
    os.chmod(engine.path, 0o660)
    proxy = portico(config(engine))
    engine.wait_for_stream()
    (helper,) = helpers(proxy)
    with open(f"/proc/{helper}/status") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    for sensible in (signal.SIGTERM, signal.SIGINT):
        os.kill(helper, sensible)      # what a group gets; it goes with the front
    assert helpers(proxy) == [helper]


def test_nothing_but_gets_is_asked(portico, engine, server):
    one = server("one")
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    says(proxy, "one.test", body="one")
    assert engine.others == []
    assert {path.split("/")[-1] for path in engine.asked} <= {"version", "json", "events"}


def test_a_hup_is_no_stop_and_a_term_is_one(portico, engine, server):
    one, two = server("one"), server("two")
    shared = {**rule("app", "app.test"), "traefik.http.services.app.loadbalancer.server.port": "0"}
    for name, program in (("one", one), ("two", two)):
        shared["traefik.http.services.app.loadbalancer.server.port"] = str(program.port)
        engine.add(name, port=program.port, labels=rule(name, f"{name}.test"))
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.signal("one", signal.SIGHUP)
    engine.signal("two", signal.SIGTERM)
    proxy.wait_until("the stop to be said", lambda: "'two' is about to stop" in proxy.log)
    assert "'one' is about to stop" not in proxy.log
    assert ask(proxy, "two.test").body == b"two"      # nobody else can


def test_health_and_pauses_take_a_server_out_and_in(portico, engine, server):
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"), health="starting")
    proxy = portico(config(engine, holdTimeout="0s"))
    assert ask(proxy, "one.test").status == 503
    engine.wait_for_stream()
    engine.set_health("one", "healthy")
    says(proxy, "one.test", body="one")
    engine.set_health("one", "unhealthy", "it is bad")
    says(proxy, "one.test", status=503)
    engine.set_health("one", "healthy")
    says(proxy, "one.test", body="one")
    engine.pause("one")
    says(proxy, "one.test", status=503)
    engine.pause("one", False)
    says(proxy, "one.test", body="one")


def test_two_hundred_that_start_at_once_are_all_served(portico, engine, server):
    one = server("one")
    proxy = portico(config(engine))
    engine.wait_for_stream()
    for i in range(200):
        engine.add(f"c{i}", port=one.port, labels=rule(f"c{i}", f"c{i}.test"))
    for i in (0, 100, 199):
        says(proxy, f"c{i}.test", body="one")
    assert engine.count("containers/json") == 1


def test_without_watching_the_list_is_read_once(portico, engine, server):
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine, watch=False))
    assert ask(proxy, "one.test").body == b"one"
    assert engine.streams() == 0 and engine.count("containers/json") == 1


def test_an_engine_that_is_no_manager_says_so(portico, engine):
    proxy = portico({**config(engine), "providers": {"swarm": {"endpoint": f"unix://{engine.path}"}}})
    proxy.wait_until("the reason", lambda: "is not a manager of a swarm" in proxy.log)


def test_the_tasks_of_a_swarm_are_served_and_drained(portico, engine, server):
    one = server("one")
    engine.services = []
    proxy = portico({**config(engine), "providers": {"swarm": {"endpoint": f"unix://{engine.path}", "refreshSeconds": "1s"}}})
    engine.wait_for_stream()
    task = engine.add_service("web", labels={**rule("web", "web.test"),
                                             "traefik.http.services.web.loadbalancer.server.port": str(one.port)})
    says(proxy, "web.test", body="one")
    engine.end_task(task)
    proxy.wait_until("the end to be said", lambda: "is about to stop" in proxy.log)
    assert ask(proxy, "web.test").body == b"one"      # it is given its time
    says(proxy, "web.test", status=404)


def test_a_slow_engine_holds_up_no_request(portico, engine, server):
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    engine.wait_for_stream()
    engine.slow = 2
    engine.cut_streams()
    assert ask(proxy, "one.test").body == b"one"
    assert ask(proxy, "file.test").status == 204
    engine.slow = 0
    engine.wait_for_stream()


def test_podman_is_understood(portico, stack, tmp_path, server):
    engine = Engine(tmp_path / "podman.sock", version="podman-4.3")
    stack.callback(engine.stop)
    one = server("one")
    engine.add("one", port=one.port, labels=rule("one", "one.test"))
    proxy = portico(config(engine))
    assert ask(proxy, "one.test").body == b"one"
    assert "Podman 4.3.1" in proxy.log
    engine.wait_for_stream()
    engine.die("one")
    engine.emit("cleanup", engine._by("one")["Id"])
    engine.emit("REMOVE", engine._by("one")["Id"])
    engine.containers.clear()
    says(proxy, "one.test", status=404)
