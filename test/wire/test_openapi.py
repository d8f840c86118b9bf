"""The description of the API: is it one that tools can read, and is what really comes what it says?"""
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator, RefResolver

from harness.portico import to

DESCRIPTION = json.loads((Path(__file__).parents[2] / "web" / "openapi.json").read_text())
OPERATIONS = [(path, method, operation) for path, methods in DESCRIPTION["paths"].items() for method, operation in methods.items()]


def resolve(reference):
    found = DESCRIPTION
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def validate(value, schema, where):
    resolver = RefResolver("", DESCRIPTION)
    errors = sorted(Draft202012Validator(schema, resolver=resolver).iter_errors(value), key=str)
    assert not errors, f"{where}: {errors[0].message} at {list(errors[0].absolute_path)}"


# the description itself

def test_it_is_openapi_3_1():
    assert DESCRIPTION["openapi"].startswith("3.1.") and set(DESCRIPTION) <= {"openapi", "info", "servers", "tags", "paths", "components"}
    assert {"title", "version"} <= set(DESCRIPTION["info"])
    for reference in references(DESCRIPTION):
        assert isinstance(resolve(reference), dict), reference
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f"#/components/schemas/{name}" in set(references(DESCRIPTION)), f"nothing speaks of {name}"


def test_each_operation_is_whole():
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    for path, method, operation in OPERATIONS:
        where = f"{method} {path}"
        assert method in ("get", "post") and path.startswith("/"), where
        assert set(operation) <= {"operationId", "summary", "description", "tags", "parameters", "requestBody", "responses"}, where
        assert set(operation["tags"]) <= {tag["name"] for tag in DESCRIPTION["tags"]}, where
        parameters = operation.get("parameters", [])
        assert sorted(re.findall(r"{(\w+)}", path)) == sorted(p["name"] for p in parameters if p["in"] == "path"), where
        assert all(p["description"] and "schema" in p and (p["in"] != "path" or p["required"]) for p in parameters), where
        assert "200" in operation["responses"], where
        for response in operation["responses"].values():
            response = resolve(response["$ref"]) if "$ref" in response else response
            assert response["description"] and response["content"], where
        assert ("requestBody" in operation) == (method == "post"), where


# what really comes

@pytest.fixture
def proxy(portico, backend, authority):
    server = backend()
    made = portico(to(server.url, "http://127.0.0.1:1", api={"insecure": True, "debug": True, "writers": ["*"]},
                      middlewares={"strip": {"stripPrefix": {"prefixes": ["/x"]}}, "limit": {"rateLimit": {"average": 1000}}},
                      entryPoints={"web": {}, "traefik": {}},
                      tls={"certificates": [authority.issue("a.example").options]}, metrics={"prometheus": {}}))
    made.server = server.url
    for _ in range(5):
        made.get()
    return made


VALUES = {"/api/http/routers/{name}": "main@file", "/api/http/services/{name}": "main@file",
          "/api/http/middlewares/{name}": "strip@file", "/api/entrypoints/{name}": "web"}
EMPTY = re.compile(r"/api/(tcp|udp)/.*{name}")
QUERIES = {"/api/portico/explain": "?url=http%3A%2F%2Fa.example%2F"}


def answers():
    for path, method, operation in OPERATIONS:
        media = operation["responses"]["200"]["content"]
        if method == "get" and "application/json" in media and not EMPTY.match(path):
            yield path, media["application/json"]["schema"]


def ask(proxy, path):
    if path == "/api/certificates/{fingerprint}":
        (shown,) = proxy.get("/api/certificates", entry_point="traefik").json()
        path = path.replace("{fingerprint}", shown["certFingerprint"])
    if "{" in path:
        path = re.sub("{.*}", quote(VALUES[path], safe=""), path)
    return proxy.get(path + QUERIES.get(path, ""), entry_point="traefik")


@pytest.mark.parametrize("path, schema", answers(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_is_as_described(proxy, path, schema):
    response = ask(proxy, path)
    assert response.status == 200, response.text
    assert response.get("Content-Type") == "application/json"
    validate(response.json(), schema, path)


@pytest.mark.parametrize("path", [path for path, _, operation in OPERATIONS if EMPTY.match(path)
                                  or "text/event-stream" in operation["responses"]["200"].get("content", {})])
def test_what_has_no_answer_of_json_is_there_all_the_same(proxy, path):
    client = proxy.client("traefik").send_request("GET", path.replace("{name}", "none%40file"))
    if EMPTY.match(path):
        response = client.response()
        assert response.status == 404 and "not found" in response.json()["message"]
        validate(response.json(), {"$ref": "#/components/schemas/Message"}, path)
    else:
        head = client.reader.response_head()
        assert head.status == 200 and head.get("Content-Type").startswith("text/event-stream")


def test_what_is_posted_is_answered_as_described(proxy):
    bodies = {"/api/portico/servers/{service}/{url}": (f"/api/portico/servers/main%40file/{quote(proxy.server, safe='')}", {"weight": 2}),
              "/api/portico/services/{name}": ("/api/portico/services/main%40file", {"maintenance": False}),
              "/api/portico/routers/{name}": ("/api/portico/routers/main%40file", {"maintenance": False}),
              "/api/portico/certificates/renew": ("/api/portico/certificates/renew", {"name": "a.example"}),
              "/api/portico/reload": ("/api/portico/reload", {})}
    posts = {path: operation for path, method, operation in OPERATIONS if method == "post"}
    assert set(posts) == set(bodies)
    for path, (target, body) in bodies.items():
        operation = posts[path]
        validate(body, operation["requestBody"]["content"]["application/json"]["schema"], path)
        response = proxy.request("POST", target, [("Content-Type", "application/json")], json.dumps(body).encode(),
                                 entry_point="traefik")
        described = operation["responses"][str(response.status)]
        described = resolve(described["$ref"]) if "$ref" in described else described
        validate(response.json(), described["content"]["application/json"]["schema"], path)


def test_the_description_is_served(proxy):
    assert proxy.get("/api/portico/openapi.json", entry_point="traefik").json() == DESCRIPTION
