"""Maintenance as an option of routers and services, beside that which operators order (test_api_orders.py)."""
import json

import pytest

from harness.http1 import response_bytes
from harness.portico import command, to

JSON = ("Content-Type", "application/json")


def config(*servers, **more):
    return to(*servers, **{"api": {"insecure": True, "writers": ["*"]}, "entryPoints": {"web": {}, "traefik": {}}, **more})


def place(proxy, kind="routers"):
    rows = proxy.get("/api/portico/map", entry_point="traefik").json()[kind]
    return next(row for row in rows if row["name"] == "main@file")


def order(proxy, kind, on):
    return proxy.request("POST", f"/api/portico/{kind}/main@file", [JSON], json.dumps({"maintenance": on}).encode(),
                         entry_point="traefik")


def test_a_router_under_maintenance_says_so(portico, backend):
    server = backend()
    proxy = portico(config(server.url, router={"maintenance": True}))
    response = proxy.get()
    assert response.status == 503 and response.get("Retry-After") == "30" and "maintenance" in response.text
    assert proxy.get(fields=[("Accept", "application/json")]).json()
    assert proxy.access()[0]["reason"] == "maintenance" and not server.requests


def test_clients_are_told_when_to_come_again(portico, backend):
    proxy = portico(config(backend().url, router={"maintenance": {"retryAfter": 600}}))
    assert proxy.get().get("Retry-After") == "600"


@pytest.mark.parametrize("sources, status", [(["127.0.0.0/8"], 200), (["10.0.0.0/8", "127.0.0.1"], 200), (["10.0.0.0/8"], 503)])
def test_those_who_maintain_it_are_served(portico, backend, sources, status):
    proxy = portico(config(backend().url, router={"maintenance": {"sourceRange": sources}}))
    assert proxy.get().status == status


def test_it_is_the_clients_address_that_counts(portico, backend):
    web = {"forwardedHeaders": {"trustedIPs": ["127.0.0.1"]}}
    proxy = portico(config(backend().url, entryPoints={"web": web, "traefik": {}},
                           router={"maintenance": {"sourceRange": ["192.0.2.7"]}}))
    assert proxy.get(fields=[("X-Forwarded-For", "192.0.2.7")]).status == 200
    assert proxy.get(fields=[("X-Forwarded-For", "192.0.2.8")]).status == 503


def test_false_is_no_maintenance(portico, backend):
    proxy = portico(config(backend().url, router={"maintenance": False}))
    assert proxy.get().status == 200 and place(proxy)["maintenanceBy"] is None


def test_a_service_under_maintenance_is_passed_over(portico, backend):
    first, second = backend(), backend(lambda request: response_bytes(body=b"second"))
    configuration = config(first.url)
    services = configuration["http"]["services"]
    services["main"]["maintenance"] = True
    services["second"] = {"loadBalancer": {"servers": [{"url": second.url}]}}
    services["both"] = {"failover": {"service": "main", "fallback": "second"}}
    configuration["http"]["routers"]["main"]["service"] = "both"
    configuration["http"]["routers"]["alone"] = {"rule": "PathPrefix(`/alone`)", "service": "main"}
    proxy = portico(configuration)
    assert proxy.get().body == b"second"
    assert proxy.get("/alone").status == 503 and not first.requests


@pytest.mark.parametrize("kind", ["routers", "services"])
def test_who_ordered_it_is_shown_and_only_the_configuration_ends_its_own(portico, backend, kind):
    server = backend()
    where = {"router": {"maintenance": True}} if kind == "routers" else {}
    configuration = config(server.url, **where)
    if kind == "services":
        configuration["http"]["services"]["main"]["maintenance"] = True
    proxy = portico(configuration)
    assert place(proxy, kind)["maintenance"] and place(proxy, kind)["maintenanceBy"] == "configuration"
    refused = order(proxy, kind, False)
    assert refused.status == 422 and "by its configuration" in refused.text
    assert proxy.get().status == 503
    assert order(proxy, kind, True).status == 200
    proxy.write(config(server.url))
    proxy.wait_until("the configuration", lambda: "configuration 2 is running" in proxy.log)
    assert place(proxy, kind)["maintenanceBy"] == "operator" and proxy.get().status == 503
    assert order(proxy, kind, False).status == 200
    assert proxy.get().status == 200 and place(proxy, kind)["maintenanceBy"] is None


def test_ranges_hold_for_an_order_too(portico, backend):
    proxy = portico(config(backend().url, router={"maintenance": {"sourceRange": ["127.0.0.1"]}}))
    assert order(proxy, "routers", True).status == 200
    assert proxy.get().status == 200


def test_a_mistake_is_told(tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text(json.dumps(config("http://127.0.0.1:1", router={"maintenance": {"sourceRange": ["10.0.0.0/99"]}},
                                      entryPoints={"web": {"address": ":8080"}})))
    result = command("check", str(path))
    assert result.returncode != 0 and "10.0.0.0/99" in result.stderr + result.stdout
