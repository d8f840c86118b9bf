"""`portico check docker-compose.yml`: what the proxy in Compose files would make of their labels, without an engine."""
import json
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "peers/traefik"
EXAMPLES = Path(__file__).parents[2] / "examples/compose"

PROXY = """
  proxy:
    image: registry.example:5000/library/traefik:v3.1
    command: [--providers.docker, --entrypoints.web.address=:80]
"""

WEB = """services:
  web:
    image: nginx
    labels:
      traefik.http.routers.web.rule: Host(`a.example`)
"""


@pytest.fixture
def check(run, tmp_path):
    def check(*texts, options=(), env=None, **files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        paths = []
        for index, text in enumerate(texts):
            path = tmp_path / ("docker-compose.yml" if index == 0 else f"over{index}.yml")
            path.write_text(text)
            paths.append(path.name)
        return run("check", *options, *paths, cwd=tmp_path, env=env)
    return check


def test_a_good_file_is_good(check):
    result = check(WEB + PROXY)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert result.stdout == "docker-compose.yml: good: 1 router, 0 middlewares, 1 service\n"


def test_a_misspelt_label_is_shown_with_a_caret(check):
    result = check(WEB.replace(".rule:", ".rul:") + PROXY)
    assert result.returncode == 1
    assert "docker-compose.yml:5:32: error: unknown option 'rul'" in result.stderr
    assert "^~~ did you mean 'rule'?" in result.stderr


@pytest.mark.parametrize("label, message", [
    ("traefik.http.routers.web.rule=Hos(`a`)", "6:40: error: there is no matcher 'Hos'"),
    ("traefik.http.routers.web.middlewares=auht", "6:47: error: there is no middleware 'auht@docker'"),
    ("traefik.http.routers.web.service=api@internal", "6:43: error: 'api@internal' is routed to, but not switched on"),
    ("traefik.http.routers.web.entrypoints=wbe", "6:47: error: unknown entrypoint 'wbe'"),
    ("traefik.http.services.web.loadbalancer.server.port=x", "6:61: error: expected a whole number, got 'x'"),
    ("traefik.htp.routers.web.rule=Path(`/`)", "6:18: error: unknown label part 'htp'"),
    ("traefick.enable=true", "6:10: warning: label 'traefick.enable' is not read"),
    ("traefik.http.routers.web.tls.certresolver=le", "6:52: warning: unknown certificatesResolver 'le'"),
])
def test_mistakes_of_all_kinds_have_their_places_in_lists_too(check, label, message):
    result = check(f'services:\n  web:\n    image: nginx\n    labels:\n      - traefik.enable=true\n      - "{label}"\n' + PROXY)
    assert result.returncode == (1 if "error" in message else 0)
    assert f"docker-compose.yml:{message}" in result.stderr, result.stderr


def test_mistakes_in_the_command_and_the_environment_have_their_places(check):
    proxy = """
  proxy:
    image: portico:latest
    command: run --providers.docker --entrypoints.web.adress=:80
    environment:
      - TRAEFIK_LOG_LEVEL=debugg
"""
    result = check(WEB + proxy)
    assert result.returncode == 1
    assert "docker-compose.yml:9:55: error: unknown option 'adress'" in result.stderr
    assert "docker-compose.yml:11:27: error: expected one of" in result.stderr


def test_files_are_laid_over_each_other(check):
    over = "services:\n  web:\n    labels: ['traefik.http.routers.web.rule=Host(`b']\n"
    result = check(WEB + PROXY, over)
    assert result.returncode == 1 and "over1.yml:3:" in result.stderr and "docker-compose.yml" not in result.stderr
    assert check(WEB.replace("Host(`a.example`)", "Host(`b") + PROXY, over.replace("(`b", "(`b`)")).returncode == 0


def test_variables_come_from_the_environment_and_from_a_file_beside(check):
    text = WEB.replace("a.example", "${NAME_OF_HOST}.$OTHER") + PROXY
    missing = check(text)
    assert "the variable 'NAME_OF_HOST' is not set" in missing.stderr
    assert check(text, _env="OTHER=example\n", env={"NAME_OF_HOST": "a"}).stderr == ""
    required = check(text.replace("$OTHER", "${OTHERS:?say which}"), env={"NAME_OF_HOST": "a"})
    assert required.returncode == 1 and "the variable 'OTHERS' is required: say which" in required.stderr


def test_without_a_proxy_labels_alone_are_looked_at(check):
    text = WEB + ("      traefik.http.routers.web.entrypoints: anything\n      traefik.http.routers.web.tls.certresolver: le\n"
                  "      traefik.http.routers.web.middlewares: auth@file\n")
    result = check(text)
    assert result.returncode == 0 and "error" not in result.stderr and "warning" not in result.stderr
    assert "note: no service here is the proxy" in result.stderr
    assert check(text.replace("Host(", "Hots(")).returncode == 1


def test_files_inside_of_containers_are_no_mistakes(check):
    text = WEB + ("      traefik.http.routers.web.middlewares: auth\n"
                  "      traefik.http.middlewares.auth.basicauth.usersfile: /etc/users/of/the/container\n") + PROXY
    result = check(text)
    assert result.returncode == 0 and "note: cannot read '/etc/users/of/the/container'" in result.stderr


def test_a_container_that_is_not_exposed_is_told(check):
    result = check(WEB + PROXY.replace("--providers.docker,", "--providers.docker, --providers.docker.exposedbydefault=false,"))
    assert "exposedByDefault is off and it has no label traefik.enable=true" in result.stderr


def test_labels_of_deploy_are_those_of_swarm(check):
    text = "services:\n  web:\n    image: nginx\n    deploy:\n      labels:\n        traefik.http.routers.web.rule: Host(`a.example`)\n" \
           "        traefik.http.services.web.loadbalancer.server.port: 80\n" + PROXY.replace("docker", "swarm")
    assert "1 router" in check(text).stdout
    assert check(text.replace("a.example`)", "a.example`")).returncode == 1


def test_it_speaks_json(check):
    result = check(WEB.replace(".rule:", ".rul:") + PROXY, options=["--json"])
    items = json.loads(result.stdout)
    assert items[0]["severity"] == "error" and items[0]["line"] == 5 and items[0]["hint"] == "did you mean 'rule'?"


def test_other_files_are_checked_beside(check, tmp_path):
    (tmp_path / "portico.yaml").write_text("entryPoints: {web: {address: ':80'}}\n")
    result = check(WEB + PROXY, options=["portico.yaml"])
    assert result.returncode == 0 and result.stdout.count(": good: ") == 2


@pytest.mark.parametrize("names", [("docker-compose.yml", "docker-compose.dev.yml"), ("docker-compose.yml", "docker-compose.prod.yml"), ("api.yml",)])
def test_files_for_traefik_check_clean(run, names):
    env = {"DOMAIN": "example.com", "EMAIL": "you@example.com", "USERNAME": "admin", "HASHED_PASSWORD": "$apr1$abcdefgh$0123456789012345678901"}
    result = run("check", *names, cwd=FILES, env=env)
    assert result.returncode == 0 and "error" not in result.stderr, result.stderr


def test_the_examples_check_clean(run):
    examples = sorted(EXAMPLES.glob("*/docker-compose.yml"))
    assert examples
    env = {"DOMAIN": "example.com", "EMAIL": "you@example.com", "TEAM": "admin:$apr1$abcdefgh$0123456789012345678901"}
    for example in examples:
        result = run("check", example.name, cwd=example.parent, env=env)
        assert result.returncode == 0 and "error" not in result.stderr, result.stderr
