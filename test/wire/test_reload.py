"""Changes while it runs: noticed however they come, taken whole or not at all, and nobody is cut off."""
import json
import os
import signal

import pytest

from harness.http1 import response_bytes
from harness.load import Load
from harness.portico import to

QUICK = {"providersThrottleDuration": "50ms"}


def versions(server, *names, **sections):
    """A configuration that serves /NAME for each name, and / always."""
    config = to(server.url, providers=QUICK, **sections)
    for name in names:
        config["http"]["routers"][name] = {"rule": f"Path(`/{name}`)", "service": "main"}
    config["http"]["routers"]["main"]["rule"] = "Path(`/`)"
    return config


def serves(proxy, name):
    proxy.wait_for_answer(lambda response: response.status == 200, f"/{name}")


def wait_until_gone(proxy, entry_point):
    def refused():
        try:
            proxy.client(entry_point).close()
        except ConnectionRefusedError:
            return True
    proxy.wait_until("the entrypoint to be gone", refused)


def misses(proxy, name):
    proxy.wait_for_answer(lambda response: response.status == 404, f"/{name}")


# How a change comes

def test_an_edit_in_place_is_noticed(portico, backend):
    server = backend()
    proxy = portico(versions(server, "one"))
    assert proxy.get("/one").status == 200 and proxy.get("/two").status == 404
    proxy.write(versions(server, "two"))
    serves(proxy, "two")
    assert proxy.get("/one").status == 404


def test_a_change_of_another_file_beside_it_is_not_parsed_for(portico):
    size = 2 << 20
    config = to("http://127.0.0.1:1", api={"insecure": True}, entryPoints={"web": {}, "traefik": {}})
    proxy = portico(config)

    def bytes_read():
        with open(f"/proc/{proxy.process.popen.pid}/io") as numbers:
            return int(dict(line.split(": ") for line in numbers)["rchar"])

    proxy.config_path.write_text(proxy.text_of(config) + "\n#" + "x" * size + "\n")
    proxy.wait_until("the large file is taken up", lambda: "configuration 2 is running" in proxy.log)
    proxy.get("/api/overview", entry_point="traefik")
    before = bytes_read()
    (proxy.folder / "neighbour").write_text("")
    proxy.wait_until("it is looked at", lambda: bytes_read() - before >= size)
    assert proxy.get("/api/overview", entry_point="traefik").status == 200      # the control thread is done with it
    assert bytes_read() - before < 2.5 * size       # once to compare; to load it takes three times


def test_an_editor_that_renames_is_noticed_again_and_again(portico, backend):
    server = backend()
    proxy = portico(versions(server, "v0"))
    for number in range(1, 4):
        new = proxy.folder / ".portico.yaml.swp"
        new.write_text(proxy.text_of(versions(server, f"v{number}")))
        os.replace(new, proxy.config_path)
        serves(proxy, f"v{number}")
        assert proxy.get(f"/v{number - 1}").status == 404


def test_an_editor_that_moves_the_old_file_away_first_is_noticed(portico, backend):
    server = backend()
    proxy = portico(versions(server, "one"))
    os.rename(proxy.config_path, f"{proxy.config_path}~")
    proxy.write(versions(server, "two"))
    serves(proxy, "two")


@pytest.mark.parametrize("provider", ["filename", "directory"])
def test_a_swap_of_a_mounted_config_map_is_noticed(portico, backend, tmp_path, provider):
    """As kubelet does it: the files are links through ..data, which is a link that is replaced."""
    server, mount = backend(), tmp_path / "mount"

    def publish(stamp, name):
        (mount / stamp).mkdir(parents=True)
        dynamic = {"http": versions(server, name)["http"]}
        (mount / stamp / "dynamic.yaml").write_text(json.dumps(dynamic))
        (mount / "..data_tmp").symlink_to(stamp)
        os.replace(mount / "..data_tmp", mount / "..data")

    publish("..2024_1", "one")
    (mount / "dynamic.yaml").symlink_to("..data/dynamic.yaml")
    path = mount / "dynamic.yaml" if provider == "filename" else mount
    proxy = portico({"providers": {**QUICK, "file": {provider: str(path)}}})
    serves(proxy, "one")
    for number in (2, 3):
        publish(f"..2024_{number}", f"v{number}")
        serves(proxy, f"v{number}")
    assert proxy.get("/one").status == 404


def test_files_come_and_go_in_a_directory(portico, backend, tmp_path):
    server, folder = backend(), tmp_path / "dynamic"
    folder.mkdir()
    proxy = portico({"providers": {**QUICK, "file": {"directory": str(folder)}}})
    assert proxy.get("/a").status == 404

    def put(name):
        (folder / f"{name}.yaml").write_text(
            f"http:\n  routers:\n    {name}:\n      rule: Path(`/{name}`)\n      service: {name}\n"
            f"  services:\n    {name}:\n      loadBalancer:\n        servers:\n          - url: {server.url}\n")
    put("a")
    serves(proxy, "a")
    put("b")
    serves(proxy, "b")
    assert proxy.get("/a").status == 200
    (folder / "a.yaml").unlink()
    misses(proxy, "a")
    assert proxy.get("/b").status == 200


def test_sighup_reads_again(portico, backend):
    server = backend()
    proxy = portico(versions(server, "one"))
    proxy.write(versions(server, "two"))
    proxy.process.signal(signal.SIGHUP)
    serves(proxy, "two")


def test_sighup_without_a_change_changes_nothing(portico, backend):
    server = backend()
    proxy = portico(versions(server, "one"))
    with Load(proxy.port, "/one") as load:
        for _ in range(5):
            proxy.process.signal(signal.SIGHUP)
            served = load.served
            proxy.wait_until("more requests", lambda: load.served > served + 20)
    load.assert_all(200)


def test_an_unwatched_file_is_left_alone_until_sighup(portico, backend, tmp_path):
    server, path = backend(), tmp_path / "dynamic.yaml"
    path.write_text(json.dumps({"http": versions(server, "one")["http"]}))
    proxy = portico({"providers": {**QUICK, "file": {"filename": str(path), "watch": False}}})
    serves(proxy, "one")
    path.write_text(json.dumps({"http": versions(server, "two")["http"]}))
    proxy.process.signal(signal.SIGHUP)
    serves(proxy, "two")


# Mistakes

BROKEN = {
    "no YAML": "entryPoints: [",
    "an unknown key": "entryPonts: {}\n",
    "a rule that is none": "http: {routers: {main: {rule: 'Hots(`a`)', service: main}}}\n",
    "a service that is not there": "http: {routers: {main: {rule: 'Path(`/`)', service: nobody}}}\n",
    "an empty file": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_and_what_runs_stays(portico, backend, text):
    server = backend()
    proxy = portico(versions(server, "one"))
    proxy.config_path.write_text(text)
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("a word about it", lambda: "portico.yaml" in proxy.log)
    assert proxy.get("/one").status == 200
    proxy.write(versions(server, "two"))
    serves(proxy, "two")


def test_a_warning_is_told_too(portico, backend):
    url = backend().url
    proxy = portico(to(url))
    proxy.write(to(url, tls={"stores": {"other": {}}}))
    proxy.process.wait_for_output("only the store 'default' is used")
    proxy.process.wait_for_output("configuration 2 is running")


def test_each_mistake_is_a_line_of_the_log(portico, backend):
    proxy = portico(versions(backend(), "one"))
    before = len(proxy.log)
    proxy.config_path.write_text("entryPointz: {}\nhttp:\n  routerz: {}\n")
    proxy.wait_until("the end of it", lambda: "what runs stays" in proxy.log[before:])
    lines = proxy.log[before:].split("\n")
    for place, meant in (("portico.yaml:1:1: ", "did you mean 'entryPoints'?"), ("portico.yaml:3:3: ", "did you mean 'routers'?")):
        assert any(place in line and meant in line for line in lines), lines


def test_a_mistake_in_one_dynamic_file_names_it(portico, backend, tmp_path):
    server, folder = backend(), tmp_path / "dynamic"
    folder.mkdir()
    (folder / "good.yaml").write_text(json.dumps({"http": versions(server, "one")["http"]}))
    proxy = portico({"providers": {**QUICK, "file": {"directory": str(folder)}}})
    serves(proxy, "one")
    (folder / "bad.yaml").write_text("http:\n  routerz: {}\n")
    proxy.wait_until("the mistake in the log", lambda: "bad.yaml:2:3" in proxy.log and "routers" in proxy.log)
    assert proxy.get("/one").status == 200


# Entrypoints

def test_an_entrypoint_is_added_and_removed(portico, backend):
    server = backend()
    config = to(server.url, providers=QUICK)
    proxy = portico(config)
    kept = proxy.client()
    assert kept.request().status == 200

    config["entryPoints"] = {"web": {}, "more": {}}
    proxy.write(config)
    proxy.process.wait_for_port(proxy.ports["more"])
    proxy.wait_for_answer(lambda response: response.status == 200, entry_point="more")

    config["entryPoints"] = {"web": {}}
    proxy.write(config)

    wait_until_gone(proxy, "more")
    assert kept.request().status == 200


def test_an_entrypoint_whose_port_is_taken_leaves_what_runs(portico, backend):
    server = backend()
    config = to(server.url, providers=QUICK)
    proxy = portico(config)
    before = len(proxy.log)
    proxy.write({**config, "entryPoints": {"web": {}, "taken": {"address": server.address}}})
    proxy.wait_until("a word about it", lambda: str(server.port) in proxy.log[before:])
    assert proxy.get().status == 200
    proxy.write(versions(server, "after"))
    serves(proxy, "after")


# Under load

@pytest.mark.tsan
def test_no_request_fails_while_routes_come_and_go(portico, backend):
    server = backend()
    proxy = portico(versions(server, "v0"))
    with Load(proxy.port, "/") as load:
        for number in range(1, 26):
            proxy.write(versions(server, f"v{number}"))
            serves(proxy, f"v{number}")
    load.assert_all(200)
    assert load.served > 100


@pytest.mark.tsan
def test_no_request_fails_while_servers_are_replaced(portico, backend):
    first, second = (backend(lambda request, name=name: response_bytes(body=name)) for name in (b"first", b"second"))
    proxy = portico(to(first.url, providers=QUICK))
    with Load(proxy.port) as load:
        for number in range(20):
            server, name = ((second, b"second"), (first, b"first"))[number % 2]
            proxy.write(to(server.url, providers=QUICK))
            proxy.wait_for_answer(lambda response: response.body == name)
    load.assert_all(200)


@pytest.mark.tsan
def test_no_request_fails_while_entrypoints_come_and_go(portico, backend):
    server = backend()
    config = to(server.url, providers=QUICK)
    proxy = portico(config)
    with Load(proxy.port) as load:
        for _ in range(5):
            proxy.write({**config, "entryPoints": {"web": {}, "more": {}}})
            proxy.wait_for_answer(lambda response: response.status == 200, entry_point="more")
            proxy.write({**config, "entryPoints": {"web": {}}})
            wait_until_gone(proxy, "more")
    load.assert_all(200)


@pytest.mark.tsan
def test_long_responses_outlive_the_configuration_that_began_them(portico, uvicorn_app):
    config = to(uvicorn_app.url, providers=QUICK)
    proxy = portico(config)
    client = proxy.client().send_request("GET", "/sse?count=20&seconds=0.05")
    assert client.reader.response_head().status == 200
    for number in range(3):
        config["http"]["routers"]["main"]["rule"] = f"Path(`/items/{number}`)"
        proxy.write(config)
        serves(proxy, f"items/{number}")
    body = b""
    while b"data: 19" not in body:
        assert client.reader.fill(), body
        body, client.reader.buffer = body + client.reader.buffer, b""


@pytest.mark.slow
def test_many_reloads_leave_no_memory_and_no_files_behind(portico, backend):
    server = backend(lambda request: response_bytes(body=request.target.encode()))
    config = to(server.url, providers={"providersThrottleDuration": "1ms"})
    proxy = portico(config)

    def reload(number):
        config["http"]["routers"]["version"] = {"rule": f"Path(`/v{number}`)", "service": "main", "priority": 1000,
                                                "middlewares": ["version"]}
        config["http"]["middlewares"] = {"version": {"replacePath": {"path": f"/{number}"}}}
        proxy.write(config)
        proxy.process.signal(signal.SIGHUP)
        proxy.wait_for_answer(lambda response: response.text == f"/{number}", f"/v{number}")

    with Load(proxy.port, "/load", clients=2) as load:
        for number in range(30):
            reload(number)
        before, files = proxy.process.rss_kib(), proxy.process.open_files()
        for number in range(30, 130):
            reload(number)
    load.assert_all(200)
    assert proxy.process.rss_kib() - before < 1024 or "san/" in os.environ.get("PORTICO", "")
    proxy.wait_until("the files to be closed", lambda: proxy.process.open_files() <= files + 8)
