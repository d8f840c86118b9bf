"""The set-ups of examples/compose, as they are, in front of Portico's image. Images that they build come from this machine's files."""
import json
import re
from collections import Counter

import pytest
from harness import docker
from harness.acme import Pebble
from harness.curl import curl, curl_until
from harness.waiting import wait_for

pytestmark = pytest.mark.docker

EXAMPLES = docker.ROOT / "examples/compose"
PASSWORD = "$2y$05$uVG/C4AIKB0c/qsQT5okKOhgKV9U4JRT2j2cfY8rdIPBKg9X03EK."      # secret


@pytest.fixture
def place(stack, engine):
    """The ports 80 and 443 are there once."""
    docker.alone(stack, "ports")
    engine.portico_image("portico:latest")
    return engine


def word_of_dockerfile(path, word):
    return re.search(rf"^{word} (.*)$", path.read_text(), re.MULTILINE)[0]


def ready(project):
    front = project.container("portico")
    front.wait_for_log("is ready")
    return front


def test_fastapi_answers_at_https_fastapi_localhost(place, tmp_path):
    folder = EXAMPLES / "fastapi"
    root = docker.python_root().add("/app.py", folder / "app.py")
    image = place.image("fastapi", root, word_of_dockerfile(folder / "Dockerfile", "CMD"), word_of_dockerfile(folder / "Dockerfile", "EXPOSE"))
    place.command("tag", image, "portico-example-fastapi:latest")
    project = place.compose(folder / "docker-compose.yml").up()
    front = ready(project)
    root = tmp_path / "root.crt"
    wait_for("the local CA", lambda: copied(place, front, root))
    answer = curl_until(200, "https://fastapi.localhost/", "--cacert", root)
    said = json.loads(answer.body)
    assert said["hello"] == "from FastAPI" and said["url"] == "https://fastapi.localhost/"
    moved = curl("http://fastapi.localhost/x?y")
    assert moved.status == 301 and moved.fields["location"] == "https://fastapi.localhost/x?y"

    # Another container with the same volume has the same root.
    front.remove()
    project.up()
    ready(project)
    assert curl_until(200, "https://fastapi.localhost/", "--cacert", root)


def copied(engine, front, path):
    engine.command("cp", f"{front.name}:/var/lib/portico/ca/root.crt", path, check=False)
    return path.exists()


def test_production_has_certificates_redirects_and_a_password(place, stack, tmp_path):
    pebble = Pebble(tmp_path / "pebble", host=place.host_address, http_port=80, tls_port=443)
    stack.callback(pebble.stop)
    pebble.start()
    prefix = "PORTICO_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME"
    override = tmp_path / "override.yml"
    override.write_text(json.dumps({"services": {"portico": {
        "environment": {f"{prefix}_CASERVER": pebble.directory, f"{prefix}_CACERTIFICATES": "/pebble.pem"},
        "volumes": [f"{pebble.authority.cert}:/pebble.pem:ro"]}}}))
    project = place.compose(EXAMPLES / "production/docker-compose.yml", override, env={
        "DOMAIN": "shop.example", "EMAIL": "owner@shop.example", "TEAM": f"alice:{PASSWORD}"}).up()
    front = ready(project)
    verified = ("--cacert", pebble.root())
    again = 100      # an order that fails on a busy machine is tried again a minute later
    for name in ("shop.example", "www.shop.example"):
        assert f"Host: {name}" in curl_until(200, f"https://{name}/", *verified, patience=again).body
    assert curl("http://www.shop.example/a").fields["location"] == "https://www.shop.example/a"
    assert curl_until(401, "https://portico.shop.example/dashboard/", *verified, patience=again)
    assert "Portico" in curl("https://portico.shop.example/dashboard/", *verified, "-u", "alice:secret").body
    front.wait_for_state("healthy", lambda state: state["Health"]["Status"] == "healthy")
    with open(f"/proc/{front.state['Pid']}/status") as status:
        text = status.read()
    assert "Uid:\t65532\t65532" in text and "NoNewPrivs:\t1" in text

    # Root of the next container has no capabilities to read what the user of the last one has, and starts all the same.
    orders = pebble.log.count("/order-plz")
    front.remove()
    project.up()
    ready(project)
    assert curl_until(200, "https://shop.example/", *verified)
    assert pebble.log.count("/order-plz") == orders


def test_a_canary_takes_its_share_while_it_is_there(place):
    project = place.compose(EXAMPLES / "canary/docker-compose.yml", env={"COMPOSE_PROFILES": ""}).up("--scale", "app=2")
    ready(project)
    hosts = {container.inspect()["Config"]["Hostname"] for container in project.containers("app")}
    assert len(hosts) == 2

    def names(count=20, *flags):
        answers = [curl("http://app.localhost/", *flags) for _ in range(count)]
        assert {answer.status for answer in answers} == {200}
        return Counter(re.search(r"^Name: (.*)$", answer.body, re.MULTILINE)[1].strip() for answer in answers)

    curl_until(200, "http://app.localhost/")
    wait_for("both replicas", lambda: {re.search(r"Hostname: (\S+)", curl("http://app.localhost/").body)[1] for _ in range(8)} == hosts)
    assert names() == {"stable": 20}

    project.env["COMPOSE_PROFILES"] = "canary"
    project.up("--scale", "app=2")
    curl_until(200, "http://app.localhost/", "-H", "X-Canary: yes", where=lambda answer: "canary" in answer.body)
    wait_for("the canary's tenth", lambda: names() == {"stable": 18, "canary": 2})
    assert names(3, "-H", "X-Canary: yes") == {"canary": 3}

    project.command("stop", "-t", "2", "canary")
    assert names() == {"stable": 20}
