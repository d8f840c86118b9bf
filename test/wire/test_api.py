"""Traefik's API over the wire, and who gets to it."""
import gzip
import io
import json
import tarfile

import pytest

from harness.portico import command

SERVER = "http://127.0.0.1:9"


def insecure(portico, **more):
    """A configuration like those of Traefik's users, with the API on the entrypoint `traefik`."""
    config = {"entryPoints": {"web": {}, "traefik": {}}, "api": {"insecure": True, **more.pop("api", {})},
              "http": {"routers": {"whoami": {"rule": "Host(`whoami.localhost`)", "service": "whoami", "middlewares": ["auth"],
                                              "entryPoints": ["web"]},
                                   "a/b": {"rule": "PathPrefix(`/a`)", "service": "whoami", "entryPoints": ["web"]}},
                       "middlewares": {"auth": {"basicAuth": {"users": ["me:$apr1$abcdefgh$0123456789012345678901"]}}},
                       "services": {"whoami": {"loadBalancer": {"servers": [{"url": SERVER}]}}}}, **more}
    return portico(config)


def ask(proxy, target, status=200, **more):
    response = proxy.get(target, entry_point="traefik", **more)
    assert response.status == status, response.body
    assert response.get("Content-Type") == "application/json"
    return json.loads(response.body)


def test_every_endpoint_answers_with_json(portico):
    proxy = insecure(portico)
    for target in ("/api/version", "/api/overview", "/api/entrypoints", "/api/entrypoints/web", "/api/http/routers",
                   "/api/http/services", "/api/http/middlewares", "/api/tcp/routers", "/api/tcp/services", "/api/tcp/middlewares",
                   "/api/udp/routers", "/api/udp/services", "/api/rawdata", "/api/certificates"):
        ask(proxy, target)


def test_names_are_decoded_from_the_path(portico):
    proxy = insecure(portico)
    assert ask(proxy, "/api/http/routers/whoami@file")["name"] == "whoami@file"
    assert ask(proxy, "/api/http/routers/whoami%40file")["using"] == ["web"]
    assert ask(proxy, "/api/http/routers/a%2Fb@file")["name"] == "a/b@file"
    assert ask(proxy, "/api/http/services/whoami@file")["serverStatus"] == {SERVER: "UP"}
    assert ask(proxy, "/api/http/routers/nobody@file", 404) == {"message": "router not found: nobody@file"}


def test_unknown_paths_are_404_and_other_methods_405(portico):
    proxy = insecure(portico)
    assert "message" in ask(proxy, "/api/nothing", 404)
    assert "message" in ask(proxy, "/api/http/routers/", 404)
    response = proxy.request("POST", "/api/http/routers", entry_point="traefik")
    assert response.status == 405 and response.get("Allow") == "GET, HEAD"
    head = proxy.request("HEAD", "/api/http/routers", entry_point="traefik")
    assert head.status == 200 and head.body == b"" and int(head.get("Content-Length")) > 100


def test_pages_say_which_is_next(portico):
    routers = {f"r{i:03}": {"rule": f"Host(`h{i}.example`)", "service": "whoami"} for i in range(250)}
    proxy = insecure(portico)
    proxy.write({"entryPoints": {"web": {}, "traefik": {}}, "api": {"insecure": True},
                 "http": {"routers": routers, "services": {"whoami": {"loadBalancer": {"servers": [{"url": SERVER}]}}}}})
    proxy.wait_for_answer(lambda response: b"r000@file" in response.body, "/api/http/routers", entry_point="traefik")
    names, page = [], "1"
    while True:
        response = proxy.get(f"/api/http/routers?search=%40FILE&page={page}&sortBy=name", entry_point="traefik")
        names += [router["name"] for router in json.loads(response.body)]
        page = response.get("X-Next-Page")
        if page == "1":
            break
    assert names == [f"{name}@file" for name in sorted(routers)]
    assert proxy.get("/api/http/routers?page=4", entry_point="traefik").status == 400


def test_secrets_are_nowhere(portico):
    proxy = insecure(portico)
    for target in ("/api/rawdata", "/api/http/middlewares", "/api/http/middlewares/auth@file"):
        body = proxy.get(target, entry_point="traefik").body
        assert b"xxxx" in body and b"$apr1$" not in body


def test_the_support_dump_is_an_archive_without_secrets(portico):
    proxy = insecure(portico)
    response = proxy.get("/api/support-dump", entry_point="traefik")
    assert response.get("Content-Type") == "application/gzip"
    assert response.get("Content-Disposition") == "attachment; filename=support-dump.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(response.body)) as archive:
        files = {name: json.load(archive.extractfile(name)) for name in archive.getnames()}
    assert set(files) == {"version.json", "static-config.json", "runtime-config.json"}
    assert files["static-config.json"]["api"] == {"insecure": True}
    assert "whoami@file" in files["runtime-config.json"]["routers"]
    assert "$apr1$" not in json.dumps(files)


def test_what_is_asked_for_gzipped_comes_gzipped(portico):
    proxy = insecure(portico)
    response = proxy.get("/api/rawdata", [("Accept-Encoding", "gzip")], entry_point="traefik")
    plain = proxy.get("/api/rawdata", entry_point="traefik")
    body = gzip.decompress(response.body) if response.get("Content-Encoding") == "gzip" else response.body
    assert body == plain.body


def test_debug_vars_need_the_option(portico):
    assert insecure(portico).get("/debug/vars", entry_point="traefik").status == 404
    assert "memstats" in ask(insecure(portico, api={"debug": True}), "/debug/vars")


def test_a_base_path_stands_in_front_of_api_and_dashboard(portico):
    proxy = insecure(portico, api={"basePath": "/base/"})
    assert ask(proxy, "/base/api/version")["Version"]
    assert proxy.get("/api/version", entry_point="traefik").status == 404
    assert proxy.get("/base/", entry_point="traefik").get("Location") == "/base/dashboard/"


def test_the_dashboard_is_where_its_users_look_for_it(portico):
    proxy = insecure(portico)
    for target in ("/", "/dashboard"):
        response = proxy.get(target, entry_point="traefik")
        assert response.status in (301, 302) and response.get("Location") == "/dashboard/"
    off = insecure(portico, api={"dashboard": False})
    assert off.get("/", entry_point="traefik").status == 404


def test_a_users_router_shows_api_and_dashboard_to_those_who_may(portico):
    proxy = portico({"entryPoints": {"web": {}}, "api": {},
                     "http": {"routers": {"api": {"rule": "Host(`traefik.localhost`)", "service": "api@internal", "middlewares": ["allow"]}},
                              "middlewares": {"allow": {"ipAllowList": {"sourceRange": ["127.0.0.1/32"]}}}}})
    host = [("Host", "traefik.localhost")]
    assert json.loads(proxy.get("/api/http/routers/api@file", host).body)["service"] == "api@internal"
    assert proxy.get("/", host).get("Location") == "/dashboard/"
    assert proxy.get("/api/version").status == 404


@pytest.mark.parametrize("flags,env", [
    (["--api.insecure"], {}), (["--api", "--api.insecure=true", "--api.dashboard=true"], {}), (["--api.insecure", "--api"], {}),
    ([], {"TRAEFIK_API_INSECURE": "true"}), ([], {"PORTICO_API_INSECURE": "true"})])
def test_flags_and_environment_switch_it_on(portico, flags, env):
    proxy = portico({"entryPoints": {"web": {}, "traefik": {}}}, *flags, env=env)
    assert ask(proxy, "/api/http/routers/api@internal")["priorityStr"] == "9223372036854775806"


# ---- what `check` says ----

def check(tmp_path, config):
    path = tmp_path / "checked.yaml"
    path.write_text(json.dumps(config))
    return command("check", path)


def routed(service="api@internal", address=":8000", more=None, **sections):
    return {"entryPoints": {"web": {"address": address}},
            "http": {"routers": {"r": {"rule": "Host(`a.example`)", "service": service, **(more or {})}}, **sections.pop("http", {})},
            **sections}


def test_an_internal_service_that_is_off_is_an_error_with_a_way_out(tmp_path):
    for service, hint in (("api@internal", "add 'api: {}'"), ("dashboard@internal", "add 'api: {dashboard: true}'"),
                          ("apii@internal", "did you mean 'api@internal'?")):
        run = check(tmp_path, routed(service))
        assert run.returncode == 1 and hint in run.stderr, run.stderr
    assert check(tmp_path, routed("dashboard@internal", api={"dashboard": False})).returncode == 1


def test_a_router_that_shows_the_api_to_everybody_is_warned_of(tmp_path):
    warning = "may read the whole configuration"
    allow = {"middlewares": {"m": {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}}}}
    strip = {"middlewares": {"m": {"stripPrefix": {"prefixes": ["/x"]}}}}
    assert warning in check(tmp_path, routed(api={})).stderr
    assert warning in check(tmp_path, routed(api={}, more={"middlewares": ["m"]}, http=strip)).stderr
    for quiet in (routed(api={}, more={"middlewares": ["m"]}, http=allow), routed(api={}, address="127.0.0.1:8000"),
                  routed(api={}, more={"rule": "ClientIP(`10.0.0.0/8`)"})):
        run = check(tmp_path, quiet)
        assert run.returncode == 0 and "warning" not in run.stderr, run.stderr


@pytest.mark.parametrize("section, said", [
    ({"api": True}, "no router leads to it"), ({"api": {"writers": ["a"]}}, "no router leads to it"), ({"metrics": True}, "'metrics' has no effect"),
    ({"api": {"insecure": True}}, None), ({"metrics": {"otlp": {}}}, None)])
def test_what_is_switched_on_and_reaches_nobody_is_warned_of(tmp_path, section, said):
    run = check(tmp_path, {"entryPoints": {"web": {"address": ":8000"}, "traefik": {"address": "127.0.0.1:8080"}}, **section})
    assert run.returncode == 0 and (said in run.stderr if said else "warning" not in run.stderr), run.stderr


def test_a_router_to_the_dashboard_alone_is_told_what_it_lacks(tmp_path):
    missing = "no router leads to api@internal, which the dashboard asks"
    assert missing in check(tmp_path, routed("dashboard@internal", api={})).stderr
    assert missing not in check(tmp_path, routed(api={})).stderr


def test_who_forgets_internal_is_told_of_it(tmp_path):
    assert "unknown service 'api'" in (told := check(tmp_path, routed("api", api={})).stderr) and "did you mean 'api@internal'?" in told


def test_a_start_says_where_the_dashboard_is(portico):
    proxy = insecure(portico, api={"basePath": "/base"})
    line = f"the dashboard is at http://127.0.0.1:{proxy.ports['traefik']}/base/dashboard/"
    proxy.wait_until("the line", lambda: line in proxy.log)       # it listens first, and says so then


def test_the_warning_is_shown_at_the_router(portico):
    proxy = portico("entryPoints: {web: {address: ':${web}'}, traefik: {address: '127.0.0.1:${traefik}'}}\n"
                    "api: {insecure: true}\n"
                    "http: {routers: {open: {rule: Host(`a`), service: 'api@internal', entryPoints: [web]}}}\n")
    router = ask(proxy, "/api/http/routers/open@file")
    assert router["status"] == "warning" and len(router["error"]) == 1
    assert ask(proxy, "/api/overview")["http"]["routers"]["warnings"] == 1


def test_insecure_is_warned_of_unless_only_this_machine_gets_there(tmp_path):
    base = {"entryPoints": {"web": {"address": ":8000"}}, "api": {"insecure": True}}
    assert "everybody who reaches :8080 sees" in check(tmp_path, base).stderr
    base["entryPoints"]["traefik"] = {"address": "127.0.0.1:8080"}
    assert "warning" not in check(tmp_path, base).stderr


def test_a_file_of_the_file_provider_may_route_to_the_api(tmp_path):
    path = tmp_path / "dynamic.yaml"
    path.write_text(json.dumps({"http": {"routers": {"r": {"rule": "Host(`a`)", "service": "api@internal"}}}}))
    assert command("check", path).returncode == 0


def test_the_entrypoint_traefik_is_made_where_something_refers_to_it(tmp_path):
    web = {"web": {"address": ":8000"}}
    router = {"routers": {"r": {"rule": "Path(`/`)", "service": "noop@internal", "entryPoints": ["traefik"]}}}
    for section, made in (({"api": {"insecure": True}}, True), ({"ping": {}}, True), ({"metrics": {"prometheus": {}}}, True),
                          ({"api": {}}, False), ({"ping": {"entryPoint": "web"}}, False), ({"ping": {"manualRouting": True}}, False),
                          ({"metrics": {"prometheus": {"entryPoint": "web"}}}, False)):
        run = check(tmp_path, {"entryPoints": web, "http": router, **section})
        assert (run.returncode == 0) == made, (section, run.stderr)
        assert made or "unknown entrypoint 'traefik'" in run.stderr
