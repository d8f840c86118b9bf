"""Compose files that were written for Traefik, unchanged, in front of Portico's image under the names that they ask for."""
import json
from pathlib import Path

import pytest
from harness import docker
from harness.acme import Pebble
from harness.curl import curl, curl_until

pytestmark = pytest.mark.docker

FILES = Path(__file__).parent / "peers/traefik"
APP = """
from fastapi import FastAPI, Request
app = FastAPI()
@app.get("/api/{path:path}")
def answer(path: str, request: Request):
    return {"path": path, "headers": dict(request.headers)}
"""
PASSWORD = "$2y$05$uVG/C4AIKB0c/qsQT5okKOhgKV9U4JRT2j2cfY8rdIPBKg9X03EK."      # secret


@pytest.fixture
def place(stack, engine):
    """The ports 80, 443 and 8080, the names and the network of these files are there once."""
    docker.alone(stack, "ports")
    return engine


@pytest.fixture
def pebble(place, stack, tmp_path):
    """Asked by containers, validates at the ports that the host publishes."""
    ca = Pebble(tmp_path / "pebble", host=place.host_address, http_port=80, tls_port=443)
    stack.callback(ca.stop)
    return ca.start()


def with_pebble(tmp_path, pebble, service, resolver):
    """An override file: variables are laid over the flags of the file that they override."""
    override = tmp_path / "override.yml"
    prefix = f"TRAEFIK_CERTIFICATESRESOLVERS_{resolver.upper()}_ACME"
    override.write_text(json.dumps({"services": {service: {
        "environment": {f"{prefix}_CASERVER": pebble.directory, f"{prefix}_CACERTIFICATES": "/pebble.pem"},
        "volumes": [f"{pebble.authority.cert}:/pebble.pem:ro"]}}}))
    return override


def front_of(project, service):
    front = project.container(service)
    front.wait_for_log("is ready")
    return front


def test_the_base_with_development_shows_the_dashboard(place):
    place.portico_image("traefik:v2.8.4")
    place.network("traefik-public")
    project = place.compose(FILES / "docker-compose.yml", FILES / "docker-compose.dev.yml").up()
    front = front_of(project, "reverse-proxy")
    page = curl_until(200, "http://monitor.localhost/dashboard/")
    assert "<title>" in page.body and "Portico" in page.body
    assert curl_until(200, "http://127.0.0.1:8080/dashboard/").body == page.body
    router = json.loads(curl("http://monitor.localhost/api/http/routers/traefik-dashboard-http@docker").body)
    assert router["status"] == "enabled"
    assert router["rule"] == "Host(`monitor.localhost`)" and router["service"] == "traefik-dashboard"
    assert router["entryPoints"] == ["http"]
    with open(f"/proc/{front.state['Pid']}/status") as status:
        assert "Uid:\t65532\t65532" in status.read()


def test_containers_behind_the_base_announce_themselves(place):
    image = place.portico_image("traefik:v2.8.4")
    place.network("traefik-public")
    project = place.compose(FILES / "docker-compose.yml", FILES / "docker-compose.dev.yml").up()
    front_of(project, "reverse-proxy")
    labels = {"traefik.http.routers.one.rule": "Host(`one.localhost`)", "traefik.http.services.one.loadbalancer.server.port": "8000"}
    words = ("whoami", "--port", "8000", "--name", "one")
    place.run(image, *words, labels={"traefik.enable": "true", **labels}, network="traefik-public", options=("--no-healthcheck",))
    place.run(image, *words, labels={key.replace("one", "two"): value.replace("one", "two") for key, value in labels.items()},
              network="traefik-public", options=("--no-healthcheck",))
    assert "one" in curl_until(200, "http://one.localhost/").body
    assert curl("http://two.localhost/").status == 404


def test_the_base_with_production_has_certificates_redirects_and_a_password(place, pebble, tmp_path):
    place.portico_image("traefik:v2.8.4")
    place.network("traefik-public")
    override = with_pebble(tmp_path, pebble, "reverse-proxy", "le")
    project = place.compose(FILES / "docker-compose.yml", FILES / "docker-compose.prod.yml", override, env={
        "DOMAIN": "edge.example", "EMAIL": "owner@edge.example", "USERNAME": "alice", "HASHED_PASSWORD": PASSWORD}).up()
    front = front_of(project, "reverse-proxy")
    moved = curl_until(301, "http://monitor.edge.example/dashboard/")
    assert moved.fields["location"] == "https://monitor.edge.example/dashboard/"
    verified = ("--cacert", pebble.root())
    assert curl_until(401, "https://monitor.edge.example/dashboard/", *verified).fields["www-authenticate"].startswith("Basic")
    assert "Portico" in curl("https://monitor.edge.example/dashboard/", *verified, "-u", "alice:secret").body
    assert curl("https://monitor.edge.example/api/overview", *verified, "-u", "alice:wrong").status == 401

    # The volume has what the next container needs: it asks for nothing again.
    orders = pebble.log.count("/order-plz")
    front.remove()
    project.up()
    front_of(project, "reverse-proxy")
    assert curl_until(200, "https://monitor.edge.example/api/overview", *verified, "-u", "alice:secret")
    assert pebble.log.count("/order-plz") == orders


def test_an_application_with_a_path_and_a_resolver_is_found(place, pebble, tmp_path):
    place.portico_image("traefik:v3.0")
    root = docker.python_root().add("/app.py", APP)
    app = place.image("app", root, 'CMD ["/usr/bin/python3", "-m", "uvicorn", "--app-dir", "/", "--host", "0.0.0.0", "app:app"]')
    place.command("tag", app, "myapp:latest")
    override = with_pebble(tmp_path, pebble, "traefik", "letsencrypt")
    project = place.compose(FILES / "api.yml", override).up()
    front_of(project, "traefik")
    answer = curl_until(200, "https://api.example.com/api/items", "--cacert", pebble.root())
    said = json.loads(answer.body)
    assert said["path"] == "items" and said["headers"]["x-forwarded-proto"] == "https"
    assert curl("https://api.example.com/other", "--cacert", pebble.root()).status == 404
