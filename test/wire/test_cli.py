"""The commands, as a person or a script uses them."""
import json
import signal
from pathlib import Path

import pytest

from harness.client import Client
from harness.portico import to

GOOD = """\
entryPoints:
  web:
    address: "127.0.0.1:8000"
http:
  routers:
    api:
      rule: Host(`example.com`) && PathPrefix(`/api`)
      middlewares: [strip]
      service: api
    rest:
      rule: Host(`example.com`)
      service: rest
  middlewares:
    strip:
      stripPrefix:
        prefixes: [/api]
  services:
    api:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:9001
    rest:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:9002
"""

TRAEFIK = """\
global:
  checkNewVersion: true
  sendAnonymousUsage: false
entryPoints:
  web:
    address: ":80"
    http:
      redirections:
        entryPoint:
          to: websecure
          scheme: https
  websecure:
    address: ":443"
    http:
      tls:
        certResolver: le
        domains:
          - main: example.com
            sans: ["www.example.com"]
certificatesResolvers:
  le:
    acme:
      email: you@example.com
      storage: acme.json
      keyType: RSA4096
      tlsChallenge: {}
  dns:
    acme:
      email: you@example.com
      storage: acme.json
      dnsChallenge:
        provider: exec
        command: /bin/true
        delayBeforeCheck: 5
        disablePropagationCheck: true
"""


@pytest.fixture
def config(tmp_path):
    """config(text) is a file's path."""
    def write(text, name="portico.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


# check

def test_check_accepts_what_is_right(run, config):
    result = run("check", config(GOOD))
    assert result.returncode == 0, result.stderr


def test_check_shows_the_place_the_line_a_caret_and_a_suggestion(run, config):
    path = config(GOOD.replace("middlewares: [strip]", "middlewares: [stirp]"))
    result = run("check", path)
    assert result.returncode == 1
    output = result.stdout + result.stderr
    assert f"{path.name}:8:21: error: " in output
    assert "middlewares: [stirp]" in output and "^" in output
    assert "'stirp'" in output and "strip" in output.replace("stirp", "")


MISTAKES = {
    "an unknown key": ("loadBalancer:\n        servers:\n          - url: http://127.0.0.1:9001",
                       "loadBalancr:\n        servers:\n          - url: http://127.0.0.1:9001", "loadBalancer"),
    "an unknown matcher": ("Host(`example.com`) &&", "Hots(`example.com`) &&", "Host"),
    "an unknown service": ("service: api", "service: apo", "api"),
    "an unknown middleware type": ("stripPrefix:", "stripPrefx:", "stripPrefix"),
    "an unknown entrypoint": ("middlewares: [strip]", "middlewares: [strip]\n      entryPoints: [wep]", "web"),
    "a top-level typo": ("entryPoints:", "entrypointz:", "entryPoints"),
}


@pytest.mark.parametrize("old, new, suggestion", MISTAKES.values(), ids=MISTAKES)
def test_check_suggests_what_was_meant(run, config, old, new, suggestion):
    assert old in GOOD
    result = run("check", config(GOOD.replace(old, new)))
    assert result.returncode == 1
    assert f"did you mean '{suggestion}'" in result.stdout + result.stderr


def test_check_reports_every_mistake_at_once(run, config):
    text = (GOOD.replace("service: rest", "service: rset").replace("prefixes: [/api]", "prefxes: [/api]")
            .replace("http://127.0.0.1:9002", "htp://127.0.0.1:9002").replace("Host(`example.com`) &&", "Host(example.com) &&"))
    result = run("check", config(text))
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert output.count("error: ") >= 4, output


@pytest.mark.parametrize("text", ["entryPoints: [\n", "a: b: c\n", "\t- x\n", "entryPoints: {web: {address: ':80'}}\n  x: y\n"])
def test_check_points_at_what_is_no_yaml(run, config, text):
    path = config(text)
    result = run("check", path)
    assert result.returncode == 1 and f"{path.name}:" in result.stdout + result.stderr


@pytest.mark.parametrize("old, new", [
    ('"127.0.0.1:8000"', '"127.0.0.1:80000"'), ('"127.0.0.1:8000"', '"nowhere"'), ("http://127.0.0.1:9001", "127.0.0.1:9001"),
    ("[/api]", "{a: b}"), ("Host(`example.com`) &&", "Host(`example.com`) & "), ("service: rest", "priority: high"),
    ("service: rest", "service: rest\n      service: api"),
])
def test_check_refuses_bad_values(run, config, old, new):
    assert old in GOOD
    result = run("check", config(GOOD.replace(old, new)))
    assert result.returncode == 1 and "error: " in result.stdout + result.stderr


def test_check_reads_several_files(run, config):
    result = run("check", config(GOOD), config("entryPonts: {}\n", "second.yaml"))
    assert result.returncode == 1 and "second.yaml:1:1" in result.stdout + result.stderr


def test_check_says_when_there_is_no_file(run, tmp_path):
    result = run("check", tmp_path / "absent.yaml")
    assert result.returncode == 1 and "absent.yaml" in result.stderr


DYNAMIC = """\
http:
  routers:
    api: {rule: "Host(`a`)", service: api, entryPoints: [websecure]}
  services:
    api: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
"""


def test_check_of_a_file_for_the_file_provider_takes_entrypoints_as_given(run, config):
    path = config(DYNAMIC)
    result = run("check", path)
    assert result.returncode == 0 and f"{path}: good: 1 router, 0 middlewares, 1 service" in result.stdout
    result = run("check", config(DYNAMIC.replace("service: api", "service: apj")))
    assert result.returncode == 1 and "did you mean 'api'" in result.stderr


def test_check_as_json_is_one_array_of_all_files(run, config):
    bad = config(GOOD.replace("service: rest", "service: rset"))
    found = json.loads(run("check", "--json", bad, config("entryPonts: {}\n", "second.yaml"), config(GOOD, "good.yaml")).stdout)
    assert [(item["severity"], item["file"].split("/")[-1], item["line"]) for item in found] == [
        ("error", "portico.yaml", 12), ("error", "second.yaml", 1)]
    assert json.loads(run("check", "--json", config(GOOD)).stdout) == []


def test_check_tells_a_mistake_once_however_often_it_is_met(run, config):
    text = GOOD.replace("entryPoints:\n", "entryPoints:\n  other:\n    address: 127.0.0.1:8001\n").replace("[strip]", "[stirp]")
    assert run("check", config(text)).stderr.count("error: ") == 1


def test_check_looks_at_middlewares_that_nobody_uses(run, config):
    text = GOOD.replace("  middlewares:\n    strip", "  middlewares:\n    unused: {stripPrefixRegex: {regex: ['(']}}\n    strip")
    result = run("check", config(text))
    assert result.returncode == 1 and "never closed" in result.stderr


def test_check_takes_an_nginx_conf_that_is_meant_to_be_included(run, tmp_path):
    path = tmp_path / "site"
    path.write_text("server { listen 127.0.0.1:1; access_log off; return 204; }\n")
    result = run("check", path)
    assert result.returncode == 0 and "good: " in result.stdout and "there is no http { } around it" in result.stderr


@pytest.mark.parametrize("name, text", [("notes.conf", "a line of text\n"),
                                        ("portico.toml", "[entryPoints]\n"), ("dir", None)])
def test_check_says_what_it_does_not_read(run, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text) if text else path.mkdir()
    result = run("check", path)
    assert result.returncode == 1 and name in result.stderr and "unknown" not in result.stderr


def test_all_examples_are_right(run):
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
    assert len(examples) >= 6
    result = run("check", *examples, cwd=examples[0].parents[1])
    assert result.returncode == 0 and "warning" not in result.stderr, result.stderr
    assert result.stdout.count(": good: ") == len(examples)


# explain

def explain(run, path, *arguments):
    result = run("explain", "--config", path, "--json", *arguments)
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


def test_explain_tells_the_whole_way(run, config):
    told = explain(run, config(GOOD), "http://example.com/api/users?q=1")
    assert told["entryPoint"] == "web"
    assert told["router"].split("@")[0] == "api" and told["service"].split("@")[0] == "api"
    assert [name.split("@")[0] for name in told["middlewares"]] == ["strip"]
    assert told["server"] == "http://127.0.0.1:9001" and told["url"] == "http://127.0.0.1:9001/users?q=1"
    assert told["tried"][0]["router"].split("@")[0] == "api" and told["tried"][0]["matched"] is True
    assert told["rule"] == "Host(`example.com`) && PathPrefix(`/api`)" and told["passed"] == 1 and told["answer"] is None
    assert [service["type"] for service in told["services"]] == ["loadBalancer"] and told["host"] == "example.com"


def test_explain_names_the_matcher_that_failed(run, config):
    told = explain(run, config(GOOD), "http://example.com/other")
    assert told["router"].split("@")[0] == "rest"
    tried = {entry["router"].split("@")[0]: entry for entry in told["tried"]}
    assert tried["api"]["matched"] is False and "PathPrefix" in tried["api"]["failed"] and "/other" in tried["api"]["why"]
    assert tried["rest"]["matched"] is True


def test_explain_of_what_no_router_takes(run, config):
    told = explain(run, config(GOOD), "http://other.example/")
    assert told["router"] is None and all("Host" in entry["failed"] for entry in told["tried"])
    assert told["answer"]["status"] == 404 and told["services"] == []


def test_explain_takes_a_method_fields_and_an_address(run, config):
    text = GOOD.replace("Host(`example.com`) && PathPrefix(`/api`)",
                        "'Method(`POST`) && Header(`X-A`, `b: c`) && ClientIP(`192.0.2.0/24`)'")
    path = config(text)
    asked = ["-X", "POST", "-H", "X-A: b: c", "--from", "192.0.2.9", "http://x/"]
    assert explain(run, path, *asked)["router"].split("@")[0] == "api"
    assert explain(run, path, "-X", "GET", *asked[2:])["router"] is None
    assert explain(run, path, *asked[:5], "198.51.100.1", "http://x/")["router"] is None


def test_explain_for_people(run, config):
    result = run("explain", "--config", config(GOOD), "http://example.com/api/users")
    assert result.returncode == 0
    for word in ("web", "api", "strip", "http://127.0.0.1:9001/users"):
        assert word in result.stdout


WAYS = """\
entryPoints:
  web: {address: ":8000", http: {redirections: {entryPoint: {to: secure, scheme: https}}}}
  secure: {address: ":8443", http: {maxLineBytes: 1024}}
http:
  routers:
    main: {rule: "Host(`a`)", entryPoints: [secure], middlewares: [rewrite, limit], service: all}
    inner: {rule: "Host(`b`)", entryPoints: [secure], middlewares: [office], service: all}
    fixed: {rule: "Host(`c`)", entryPoints: [secure], service: fixed}
    socket: {rule: "Host(`d`)", entryPoints: [secure], service: socket}
  middlewares:
    rewrite: {chain: {middlewares: [strip, add]}}
    strip: {stripPrefix: {prefixes: [/api]}}
    add: {addPrefix: {prefix: /v2}}
    limit: {rateLimit: {average: 10}}
    office: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
  services:
    all: {weighted: {services: [{name: spare, weight: 1}]}}
    spare: {failover: {service: app, fallback: fixed}}
    app: {loadBalancer: {passHostHeader: false, servers: [{url: "http://127.0.0.1:1/base", preservePath: true}]}}
    fixed: {respond: {status: 200}}
    socket: {loadBalancer: {servers: [{url: "unix:/run/app.sock"}]}}
"""


def test_explain_follows_paths_through_middlewares_and_services(run, config):
    path = config(WAYS)
    told = explain(run, path, "https://a:8443/api/./x?q")
    assert told["entryPoint"] == "secure" and told["middlewares"] == ["strip@file", "add@file", "limit@file"]
    assert told["service"] == "all@file" and told["url"] == "http://127.0.0.1:1/base/v2/x?q"
    text = run("explain", "--config", path, "https://a:8443/api/x").stdout
    assert "all@file (weighted)" in text and "spare@file (failover)" in text and "app@file (loadBalancer)" in text
    assert "Host: 127.0.0.1:1" in text


def test_explain_says_who_answers_without_a_server(run, config):
    path = config(WAYS)
    redirect = run("explain", "--config", path, "http://a:8000/x?y").stdout
    assert "301" in redirect and "https://a:8443/x?y" in redirect
    assert "403" in run("explain", "--config", path, "https://b:8443/").stdout
    assert explain(run, path, "--from", "10.1.2.3", "https://b:8443/")["server"] is not None
    told = explain(run, path, "https://c:8443/")
    assert told["router"] == "fixed@file" and told["server"] is None and told["url"] is None
    assert explain(run, path, "https://d:8443/x")["server"] == "unix:/run/app.sock"


def test_explain_refuses_what_the_entrypoint_would(run, config):
    path = config(WAYS)
    assert "414" in run("explain", "--config", path, "https://a:8443/" + "x" * 2000).stdout
    told = explain(run, path, "-H", "Bad Name: x", "https://a:8443/")
    assert told["router"] is None and told["tried"] == []


def test_explain_chooses_the_entrypoint(run, config):
    path = config(WAYS)
    assert explain(run, path, "--entryPoint=secure", "http://a/")["router"] == "main@file"
    assert explain(run, path, "http://a/")["entryPoint"] == "web"
    result = run("explain", "--config", path, "--entryPoint=secur", "http://a/")
    assert result.returncode == 2 and "did you mean 'secure'" in result.stderr


def test_explain_takes_options_as_flags(run):
    told = explain_words(run, "--entryPoints.web.address=:80", "--http.routers.a.rule=Path(`/x`)", "--http.routers.a.service=s",
                         "--http.services.s.loadBalancer.servers[0].url=http://127.0.0.1:7", "/x")
    assert told["url"] == "http://127.0.0.1:7/x"


def explain_words(run, *words):
    return json.loads(run("explain", "--json", *words).stdout)


@pytest.mark.parametrize("words", [[], ["http://a/", "http://b/"], ["http://"], ["-H", "novalue", "http://a/"], ["--from", "x", "http://a/"]])
def test_explain_wants_one_good_url(run, config, words):
    result = run("explain", "--config", config(WAYS), *words)
    assert result.returncode == 2 and len(result.stderr.strip().split("\n")) == 1


# The rest

def test_every_command_explains_itself(run):
    names = [line.split()[1] for line in run("help").stdout.split("\n") if line.startswith("  portico ")]
    assert {"run", "check", "explain", "whoami", "help", "schema", "healthcheck", "version"} <= set(names)
    for name in names:
        result = run(name, "--help")
        assert result.returncode == 0 and f"Usage: portico {name}" in result.stdout.replace("[run]", "run")
        assert run("help", name).stdout == result.stdout


def test_bad_values_on_the_command_line_are_a_wrong_use(run, config):
    assert run("run", "--config", config(GOOD), "--workers=many").returncode == 2
    assert run("run", "--config", config(GOOD.replace("service: rest", "service: rset"))).returncode == 1


def test_the_reference_in_the_tree_is_up_to_date(run):
    """`make docs` makes it so."""
    text = run("help", "--markdown").stdout
    assert (Path(__file__).parents[2] / "docs" / "options.md").read_text() == text
    assert text.startswith("# ") and "entryPoints" in text and "stripPrefix" in text


def test_version(run):
    result = run("version")
    assert result.returncode == 0 and "0." in result.stdout


def test_help_lists_the_commands(run):
    for arguments in (["help"], ["--help"]):
        result = run(*arguments)
        assert result.returncode == 0
        for name in ("run", "check", "explain", "whoami", "version", "schema", "healthcheck"):
            assert name in result.stdout


def test_help_of_an_option(run):
    result = run("help", "entryPoints.web.transport.respondingTimeouts.readTimeout")
    assert result.returncode == 0 and "60s" in result.stdout
    assert run("help", "entryPoints.web.transprt").returncode == 2


def test_schema_is_a_json_schema(run):
    schema = json.loads(run("schema").stdout)
    assert "$schema" in schema and "entryPoints" in schema["properties"]


@pytest.mark.parametrize("arguments, suggestion", [
    (["chek"], "check"), (["explain", "--confg", "x", "http://a/"], "config"), (["run", "--entrypoint.web.address=:80"], "ntry"),
    (["whoami", "--prot", "1"], "port"),
])
def test_bad_arguments_get_one_line_and_a_suggestion(run, arguments, suggestion):
    result = run(*arguments)
    assert result.returncode == 2
    assert len(result.stderr.strip().split("\n")) == 1 and suggestion in result.stderr


def test_run_refuses_a_bad_configuration(run, config):
    result = run("run", "--config", config(GOOD.replace("stripPrefix", "strpPrefix")))
    assert result.returncode == 1 and "did you mean 'stripPrefix'" in result.stderr


def test_run_says_when_its_port_is_taken(run, backend, config):
    server = backend()
    result = run("run", "--config", config(GOOD.replace("127.0.0.1:8000", server.address)))
    assert result.returncode == 1 and str(server.port) in result.stderr


def test_flags_and_environment_set_options(portico, backend):
    server = backend()
    config = to(server.url)
    for flags, env in ((["--entryPoints.web.http.maxLineBytes=1024"], {}),
                       (["--entrypoints.web.http.maxlinebytes", "1024"], {}),
                       ([], {"PORTICO_ENTRYPOINTS_WEB_HTTP_MAXLINEBYTES": "1024"}),
                       ([], {"TRAEFIK_ENTRYPOINTS_WEB_HTTP_MAXLINEBYTES": "1024"})):
        proxy = portico(config, *flags, env=env)
        assert proxy.get("/" + "a" * 2000).status == 414
        proxy.stop()


def test_the_static_and_the_dynamic_part_may_be_two_files(portico, backend, tmp_path):
    server = backend()
    dynamic = tmp_path / "dynamic.yaml"
    dynamic.write_text(json.dumps({"http": to(server.url)["http"]}))
    proxy = portico({}, f"--providers.file.filename={dynamic}")
    assert proxy.wait_for_answer(lambda response: response.status == 200)


def test_the_environment_alone_is_a_configuration(run, config):
    path = config(GOOD[GOOD.index("http:"):], "dynamic.yaml")
    for prefix in ("PORTICO", "TRAEFIK"):
        env = {f"{prefix}_ENTRYPOINTS_WEBSECURE_ADDRESS": "127.0.0.1:0", f"{prefix}_PROVIDERS_FILE_FILENAME": str(path),
               f"{prefix}_CERTIFICATESRESOLVERS_LE_ACME_TLSCHALLENGE": "true",
               f"{prefix}_ENTRYPOINTS_WEBSECURE_HTTP_TLS_CERTRESOLVER": "le"}
        result = run("certs", env=env, cwd=path.parent)
        assert result.returncode == 0 and "example.com" in result.stdout, result.stderr


def test_a_static_file_of_traefik_with_acme_is_good(run, config):
    result = run("check", config(TRAEFIK))
    assert result.returncode == 0 and result.stderr == "", result.stderr


def test_config_may_be_called_config_file(run, config):
    path = config(GOOD.replace("stripPrefix", "strpPrefix"))
    for flag in (["--configFile", path], [f"--configfile={path}"], [f"--config={path}"]):
        assert "strpPrefix" in run("run", *flag).stderr


def test_healthcheck_asks_ping(portico, backend, run):
    proxy = portico(to(backend().url, ping={"entryPoint": "web"}))
    assert proxy.get("/ping").status == 200
    assert run("healthcheck", "--config", proxy.config_path).returncode == 0
    proxy.stop()
    assert run("healthcheck", "--config", proxy.config_path).returncode == 1


def test_ping_tells_alive_from_ready(portico, backend, run):
    proxy = accepting_longer(portico, backend)
    for path in ("/ping", "/ping/live", "/ping/ready"):
        for method in ("GET", "HEAD"):
            response = proxy.request(method, path)
            assert response.status == 200 and response.body == (b"OK" if method == "GET" else b"")
    for flag in ([], ["--live"], ["--ready"]):
        assert run("healthcheck", "--config", proxy.config_path, *flag).returncode == 0
    proxy.process.signal(signal.SIGTERM)
    proxy.wait_for_answer(lambda response: response.status == 503, "/ping")
    assert proxy.get("/ping/live").status == 200
    ready = proxy.get("/ping/ready")
    assert ready.status == 503 and ready.text == "the process is stopping"
    assert run("healthcheck", "--config", proxy.config_path, "--live").returncode == 0
    refused = run("healthcheck", "--config", proxy.config_path, "--ready")
    assert refused.returncode == 1 and "/ping/ready answers 503" in refused.stderr
    assert run("healthcheck", "--config", proxy.config_path, "--ready", "--live").returncode == 2


def accepting_longer(portico, backend):
    """One that goes on accepting for a while after it was told to stop."""
    grace = {"transport": {"lifeCycle": {"requestAcceptGraceTimeout": "30s"}}}
    return portico(to(backend().url, ping={"entryPoint": "web"}, entryPoints={"web": grace}))


# whoami

def test_whoami_tells_what_it_was_sent(whoami):
    client = Client(whoami("me").port)
    text = client.request("GET", "/some/path?q=1", [("X-A", "b")]).text
    assert "me" in text and "GET /some/path?q=1 HTTP/1.1" in text and "X-A: b" in text
    told = client.request("GET", "/api", [("X-A", "b")]).json()
    assert told["name"] == "me" and told["method"] == "GET"
    assert told["headers"]["X-A"] in ("b", ["b"])
    assert client.request("GET", "/health").status == 200
    assert len(client.request("GET", "/data?size=100000").body) == 100000
    assert client.request("GET", "/bench").body
    client.close()
