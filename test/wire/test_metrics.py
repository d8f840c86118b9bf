"""Metrics: what Prometheus reads, and what is pushed to OpenTelemetry's collectors."""
import gzip
import json
import math
import re
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from harness.http1 import response_bytes
from harness.metrics import (Scrape, delimited, double, fields, otlp_attributes, otlp_json, otlp_protobuf, scrape, varints,
                             zigzag)
from harness.portico import to
from harness.ports import free_port
from harness.process import Process
from harness.tls import TlsClient, over_tls

DASHBOARD = Path(__file__).parents[2] / "packaging/grafana/portico.json"
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def promtool():
    return shutil.which("promtool") or pytest.skip("no promtool here")


def measured(config, **prometheus):
    """The configuration with an entrypoint that answers /metrics."""
    return {**config, "entryPoints": {"web": {}, "metrics": {}},
            "metrics": {"prometheus": {"entryPoint": "metrics", **prometheus}}}


def counted(proxy, count, name="traefik_entrypoint_requests_total", **labels):
    """A scrape that has `count` of them: a request is counted when its last byte has gone out."""
    def has():
        found = scrape(proxy)
        return found if found.sum(name, **labels) == count else None
    return proxy.wait_until(f"{count} in {name}", has)


def answer_by_path(request):
    return response_bytes(int(request.target.strip("/") or 200), body=b"12345")


def answer_slowly(request):
    time.sleep(0.11)
    return response_bytes(200)


# What Prometheus reads

def test_promtool_has_nothing_to_say(portico, backend):
    tool = promtool()
    proxy = portico(measured(to(backend(answer_by_path).url), addRoutersLabels=True))
    proxy.get("/200")
    proxy.get("/503")
    proxy.request("POST", "/201", body=b"abc")
    text = counted(proxy, 3).text
    checked = subprocess.run([tool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_counts_are_exact(portico, backend):
    server = backend(answer_by_path)
    proxy = portico(measured(to(server.url, rule="!Path(`/nowhere`)"), addRoutersLabels=True))
    for _ in range(3):
        proxy.get("/200")
    for _ in range(2):
        proxy.request("POST", "/201", body=b"abc")
    proxy.request("BREW", "/200")
    proxy.get("/503")
    assert proxy.get("/nowhere").status == 404
    found = counted(proxy, 8)
    own = {"entrypoint": {"entrypoint": "web"}, "router": {"router": "main@file", "service": "main@file"},
           "service": {"service": "main@file"}}
    for thing, labels in own.items():
        def value(name, code, method, **more):
            return found.one(f"traefik_{thing}_{name}", code=code, method=method, protocol="http", **labels, **more)
        assert value("requests_total", "200", "GET") == 3
        assert value("requests_total", "201", "POST") == 2
        assert value("requests_total", "200", "EXTENSION_METHOD") == 1
        assert value("requests_total", "503", "GET") == 1
        assert value("requests_total", "404", "GET") == (1 if thing == "entrypoint" else None)
        assert value("requests_bytes_total", "201", "POST") == 6 and value("requests_bytes_total", "200", "GET") == 0
        assert value("responses_bytes_total", "200", "GET") == 15 and value("responses_bytes_total", "201", "POST") == 10
        assert value("request_duration_seconds_count", "200", "GET") == 3
        assert value("request_duration_seconds_bucket", "200", "GET", le="+Inf") == 3
        assert 0 < value("request_duration_seconds_sum", "200", "GET") < 60
        ends = {dict(key)["le"] for key in found.find(f"traefik_{thing}_request_duration_seconds_bucket")}
        assert ends == {"0.1", "0.3", "1.2", "5", "+Inf"}
    assert found.sum("portico_request_duration_seconds_count", kind="entrypoint", name="web") == 8
    assert found.sum("portico_request_duration_seconds_count", kind="service", name="main@file") == 7
    assert found.one("portico_requests_failed_total", reason="no_route", kind="entrypoint", name="web") == 1
    assert found.one("portico_server_requests_total", service="main@file", url=server.url) == 7
    assert found.one("traefik_service_server_up", service="main@file", url=server.url) == 1
    assert found.one("portico_server_state", service="main@file", url=server.url, state="ready") == 1
    assert found.one("traefik_service_retries_total", service="main@file") == 0


def test_histograms_are_what_their_counts_say(portico, backend):
    proxy = portico(measured(to(backend().url)))
    for _ in range(5):
        proxy.get()
    found = counted(proxy, 5)
    buckets = sorted((float(dict(key)["le"].replace("Inf", "inf")), value) for key, value in
                     found.find("portico_request_duration_seconds_bucket", kind="entrypoint", name="web").items())
    assert [end for end, _ in buckets] == [2.0 ** power for power in range(-13, 7)] + [math.inf]
    counts = [count for _, count in buckets]
    assert counts == sorted(counts) and counts[-1] == 5


def test_routers_are_told_apart_when_asked_for(portico, backend):
    config = to(backend().url)
    proxy = portico(measured(config))
    proxy.get()
    found = counted(proxy, 1)
    assert not found.find("traefik_router_requests_total")
    assert not found.find("portico_request_duration_seconds_count", kind="router")
    proxy.write(measured(config, addRoutersLabels=True, addEntryPointsLabels=False, addServicesLabels=False))
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("another configuration", lambda: scrape(proxy).one("portico_config_generation") == 2)
    proxy.get()
    found = counted(proxy, 2, "traefik_router_requests_total")
    assert not found.find("traefik_entrypoint_requests_total") and not found.find("traefik_service_requests_total")
    assert not found.find("traefik_service_server_up")


def test_counts_outlast_reloads_and_reloads_are_counted(portico, backend):
    config = measured(to(backend().url))
    proxy = portico(config)
    proxy.get()
    before = counted(proxy, 1)
    assert before.one("traefik_config_reloads_total") == 1 and before.one("portico_config_reload_failures_total") == 0
    assert before.one("portico_config_last_reload_successful") == 1
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("a reload", lambda: scrape(proxy).one("traefik_config_reloads_total") == 2)
    assert scrape(proxy).sum("traefik_entrypoint_requests_total") == 1
    proxy.config_path.write_text("http: [")
    proxy.process.signal(signal.SIGHUP)
    proxy.wait_until("a refusal", lambda: scrape(proxy).one("portico_config_reload_failures_total") == 1)
    after = scrape(proxy)
    assert after.one("portico_config_last_reload_successful") == 0 and after.one("traefik_config_reloads_total") == 2
    assert after.one("traefik_config_last_reload_success") >= before.one("traefik_config_last_reload_success")
    assert after.sum("traefik_entrypoint_requests_total") == 1
    proxy.write(config)


def test_requests_by_tls_are_counted_by_version_and_cipher(portico, backend, authority):
    certificate = authority.issue("localhost", "other.example")
    proxy = portico(measured(over_tls(backend().url, certificate), addRoutersLabels=True))
    for _ in range(2):
        client = TlsClient(proxy.port)
        version, cipher = client.socket.version(), client.socket.cipher()[0]
        client.request()
        client.close()
    assert version == "TLSv1.3"
    found = counted(proxy, 2)
    for thing, labels in (("entrypoint", {"entrypoint": "web"}), ("router", {"router": "main@file", "service": "main@file"}),
                          ("service", {"service": "main@file"})):
        assert found.one(f"traefik_{thing}_requests_tls_total", tls_version="1.3", tls_cipher=cipher, **labels) == 2
        assert found.one(f"traefik_{thing}_requests_total", code="200", method="GET", protocol="http", **labels) == 2
    assert found.sum("portico_tls_handshakes_total", result="full") + found.sum("portico_tls_handshakes_total", result="resumed") == 2
    ends, = found.find("traefik_tls_certs_not_after", serial=str(certificate.serial)).items()
    assert dict(ends[0])["sans"] == "localhost,other.example" and ends[1] > 0


def test_a_server_that_fails_its_checks_is_down(portico, backend):
    server = backend(lambda request: response_bytes(500))
    proxy = portico(measured(to(server.url, service={"healthCheck": {"path": "/", "interval": "50ms"}})))
    proxy.wait_until("the server to be down", lambda: scrape(proxy).one("traefik_service_server_up", service="main@file",
                                                                         url=server.url) == 0)
    assert scrape(proxy).one("portico_server_state", service="main@file", url=server.url, state="unhealthy") == 1


def test_limits_tell_what_they_refuse(portico, backend):
    limits = {"slow": {"rateLimit": {"average": 1, "period": "1h", "burst": 2}}, "few": {"inFlightReq": {"amount": 9}},
              "fuse": {"circuitBreaker": {"expression": "ResponseCodeRatio(500, 600, 0, 600) > 0.99"}}}
    proxy = portico(measured(to(backend().url, middlewares=limits)))
    assert [proxy.get().status for _ in range(5)] == [200, 200, 429, 429, 429]
    found = counted(proxy, 5)
    slow, few = {"middleware": "slow@file", "type": "rateLimit"}, {"middleware": "few@file", "type": "inFlightReq"}
    assert found.one("portico_limit_refused_total", **slow) == 3 and found.one("portico_limit_allowed_total", **slow) == 2
    assert found.one("portico_limit_refused_total", **few) == 0 and found.one("portico_limit_allowed_total", **few) == 2
    assert found.one("portico_limit_active", **few) == 0 and found.one("portico_limit_active", **slow) is None
    breakers = {state: found.one("portico_limit_breakers", middleware="fuse@file", state=state)
                for state in ("closed", "open", "recovering")}
    assert breakers == {"closed": 1, "open": 0, "recovering": 0}      # the router has a chain on each entrypoint, and one breaker


def test_the_process_tells_of_itself(portico, backend):
    proxy = portico(measured(to(backend().url)))
    client = proxy.client()
    client.request()
    found = scrape(proxy)
    assert found.one("traefik_open_connections", entrypoint="web", protocol="TCP") == 1
    assert found.sum("portico_worker_connections") >= 2 and found.sum("portico_connections_accepted_total", entrypoint="web") >= 1
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
                 "process_start_time_seconds", "portico_worker_buffer_bytes"):
        assert found.sum(name) > 0, name
    assert abs(found.one("process_open_fds") - len(list(Path(f"/proc/{proxy.process.pid}/fd").iterdir()))) <= 4
    assert len(found.find("portico_build_info")) == 1


def test_internal_requests_are_not_counted_unless_asked_for(portico, backend):
    proxy = portico(measured(to(backend().url)))
    scrape(proxy)
    assert not scrape(proxy).find("traefik_entrypoint_requests_total", entrypoint="metrics")
    proxy = portico({**measured(to(backend().url)), "metrics": {"addInternals": True, "prometheus": {"entryPoint": "metrics"}}})
    scrape(proxy)
    counted(proxy, 2, entrypoint="metrics")


# How it is asked for

def test_metrics_answer_get_and_head_alone_and_are_gzipped(portico, backend):
    proxy = portico(measured(to(backend().url)))
    plain = proxy.get("/metrics", entry_point="metrics")
    assert plain.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    packed = proxy.get("/metrics", [("Accept-Encoding", "gzip")], entry_point="metrics")
    assert packed.get("Content-Encoding") == "gzip"
    assert Scrape(gzip.decompress(packed.body).decode()).types == Scrape(plain.body.decode()).types
    assert proxy.request("HEAD", "/metrics", entry_point="metrics").status == 200
    refused = proxy.request("POST", "/metrics", entry_point="metrics")
    assert refused.status == 405 and refused.get("Allow") == "GET, HEAD"


def test_openmetrics_ends_with_its_mark(portico, backend):
    proxy = portico(measured(to(backend().url)))
    proxy.get()
    counted(proxy, 1)
    response = proxy.get("/metrics", [("Accept", OPENMETRICS)], entry_point="metrics")
    assert response.get("Content-Type").startswith("application/openmetrics-text; version=1.0.0")
    assert response.body.endswith(b"\n# EOF\n")
    found = Scrape(response.body.decode())
    assert found.types["traefik_entrypoint_requests"] == "counter"
    assert found.sum("traefik_entrypoint_requests_total") == 1
    assert found.one("portico_request_duration_seconds_bucket", kind="entrypoint", name="web", le="64.0") == 1


def test_protocol_buffers_hold_native_histograms(portico, backend):
    proxy = portico(measured(to(backend().url)))
    for _ in range(4):
        proxy.get()
    counted(proxy, 4)
    response = proxy.get("/metrics", [("Accept", PROTOBUF)], entry_point="metrics")
    families = {family[1][0].decode(): family for family in delimited(response.body)}
    metrics = [fields(metric) for metric in families["portico_request_duration_seconds"][4]]
    wanted = [metric for metric in metrics if b"web" in metric[1][1]]
    histogram = fields(wanted[0][7][0])
    assert histogram[1] == [4] and zigzag(histogram[5][0]) == 2 and double(histogram[6][0]) == 2.0 ** -14
    deltas = [zigzag(value) for value in varints(histogram[13][0])]
    counts = [sum(deltas[:index + 1]) for index in range(len(deltas))]
    spans = [fields(span) for span in histogram[12]]
    assert sum(counts) + histogram.get(7, [0])[0] == 4 and all(count > 0 for count in counts)
    assert sum(span[2][0] for span in spans) == len(counts)


def test_manual_routing_leaves_the_route_to_the_user(portico, backend):
    config = measured(to(backend().url), manualRouting=True)
    config["http"]["routers"]["numbers"] = {"rule": "Path(`/numbers`)", "service": "prometheus@internal", "entryPoints": ["web"]}
    proxy = portico(config)
    assert scrape(proxy, "web", target="/numbers").one("portico_config_generation") == 1
    assert proxy.get("/metrics", entry_point="metrics").status == 200      # the backend's: both entrypoints take its router
    assert b"portico_" not in proxy.get("/metrics", entry_point="metrics").body


# A real Prometheus

class Prometheus:
    def __init__(self, folder, proxy):
        binary = shutil.which("prometheus") or pytest.skip("no prometheus here")
        port = free_port()
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "portico", "static_configs": [{"targets": [f"127.0.0.1:{proxy.ports['metrics']}"]}]}]}))
        self.url = f"http://127.0.0.1:{port}"
        self.process = Process("prometheus", [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                              f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=native-histograms"],
                               folder / "prometheus.log")
        self.process.wait_for_output("Server is ready to receive web requests")

    def api(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
            result = json.load(answer)
        assert result["status"] == "success" and not result.get("warnings"), result
        return result["data"]

    def value(self, query):
        """The one number that a query gives, or None."""
        found = self.api("query", query=query)["result"]
        return float(found[0]["value"][1]) if len(found) == 1 else None


@pytest.fixture
def prometheus(stack, tmp_path):
    def start(proxy):
        folder = tmp_path / "prometheus"
        folder.mkdir()
        server = Prometheus(folder, proxy)
        stack.callback(server.process.kill)
        return server
    return start


def expressions():
    board = json.loads(DASHBOARD.read_text())
    found = [annotation["expr"] for annotation in board["annotations"]["list"]]
    for panel in board["panels"]:
        found += [target["expr"] for target in panel.get("targets", ())]
    return found


def test_prometheus_reads_native_histograms_and_understands_the_dashboard(portico, backend, prometheus):
    proxy = portico(measured(to(backend(answer_slowly).url), addRoutersLabels=True))
    for _ in range(8):
        proxy.get()
    counted(proxy, 8)
    server = prometheus(proxy)
    name = 'portico_request_duration_seconds{kind="entrypoint",name="web"}'
    proxy.wait_until("a scrape", lambda: server.value(f"histogram_count({name})") == 8)
    target, = server.api("targets")["activeTargets"]
    assert target["health"] == "up" and not target["lastError"]
    median = server.value(f"histogram_quantile(0.5, {name})")
    assert 2.0 ** -3.25 < median < 60      # the bucket that 0.11 s is in begins there
    total = scrape(proxy).one("portico_request_duration_seconds_sum", kind="entrypoint", name="web")
    assert math.isclose(server.value(f"histogram_sum({name})"), total, rel_tol=1e-9)
    for expression in expressions():
        expression = re.sub(r"\$__\w+", "1m", expression).replace("$instance", ".*").replace("$service", ".*")
        server.api("query", query=expression)


# What is pushed

def pushed(proxy, collector, wanted):
    def has():
        for request in reversed(list(collector.requests)):
            metrics = otlp_json(request)
            if wanted(metrics):
                return metrics
        return None
    return proxy.wait_until("an export", has)


def points(metric):
    kind = next(key for key in ("sum", "gauge", "histogram", "exponentialHistogram") if key in metric)
    return [(otlp_attributes(point), point) for point in metric[kind]["dataPoints"]]


def accept_export(request):
    return response_bytes(200, [("Content-Type", request.get("Content-Type"))], b"{}" if "json" in request.get("Content-Type") else b"")


def test_metrics_are_pushed_as_json(portico, backend):
    collector = backend(accept_export)
    otlp = {"pushInterval": "1s", "serviceName": "edge", "resourceAttributes": {"site": "north"},
            "http": {"endpoint": f"{collector.url}/v1/metrics", "encoding": "json"}}
    proxy = portico(to(backend(answer_by_path).url, metrics={"otlp": otlp}))
    for _ in range(3):
        proxy.get("/200")

    def complete(metrics):
        return sum(point["asDouble"] for _, point in points(metrics.get("traefik_entrypoint_requests_total", {"sum": {"dataPoints": []}}))) == 3
    metrics = pushed(proxy, collector, complete)
    requests = metrics["traefik_entrypoint_requests_total"]
    assert requests["sum"]["aggregationTemporality"] == 2 and requests["sum"]["isMonotonic"]
    (labels, point), = points(requests)
    assert labels == {"code": "200", "method": "GET", "protocol": "http", "entrypoint": "web"}
    assert 0 < int(point["startTimeUnixNano"]) < int(point["timeUnixNano"])
    (labels, point), = points(metrics["http.server.request.duration"])
    assert labels["http.request.method"] == "GET" and labels["http.response.status_code"] == "200" and labels["url.scheme"] == "http"
    assert int(point["count"]) == 3 and len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1 == 15
    assert sum(map(int, point["bucketCounts"])) == 3
    latency = metrics["portico_request_duration_seconds"]
    _, point = next(found for found in points(latency) if found[0] == {"kind": "entrypoint", "name": "web"})
    assert point["scale"] == 2 and int(point["count"]) == 3
    assert sum(map(int, point["positive"]["bucketCounts"])) + int(point["zeroCount"]) == 3
    resource = json.loads(collector.requests[-1].body)["resourceMetrics"][0]["resource"]
    attributes = otlp_attributes(resource)
    assert attributes["service.name"] == "edge" and attributes["site"] == "north"


def test_the_last_requests_are_told_at_the_end(portico, backend):
    collector = backend(accept_export)
    proxy = portico(to(backend().url, metrics={"otlp": {
        "pushInterval": "1h", "http": {"endpoint": f"{collector.url}/v1/metrics", "encoding": "json"}}}))
    for _ in range(3):
        proxy.get()
    proxy.stop()
    metrics = otlp_json(collector.last)
    (_, point), = points(metrics["traefik_entrypoint_requests_total"])
    assert point["asDouble"] == 3
    assert "portico_tls_handshakes_total" not in metrics      # workers that have ended cannot be asked


def test_each_reader_has_the_buckets_that_it_asks_for(portico, backend):
    collector = backend(accept_export)
    config = measured(to(backend().url), buckets=["0.2", "0.5"])
    config["metrics"]["otlp"] = {"pushInterval": "1s", "explicitBoundaries": ["0.1", "0.5", "3"],
                                 "http": {"endpoint": f"{collector.url}/v1/metrics", "encoding": "json"}}
    proxy = portico(config)
    proxy.get()
    found = counted(proxy, 1)
    ends = {dict(key)["le"] for key in found.find("traefik_service_request_duration_seconds_bucket")}
    assert ends == {"0.2", "0.5", "+Inf"}
    assert found.sum("traefik_service_request_duration_seconds_bucket", le="+Inf") == 1
    metrics = pushed(proxy, collector, lambda metrics: "traefik_service_request_duration_seconds" in metrics)
    (_, point), = points(metrics["traefik_service_request_duration_seconds"])
    assert point["explicitBounds"] == [0.1, 0.5, 3] and sum(map(int, point["bucketCounts"])) == 1


def test_metrics_are_pushed_as_protocol_buffers_too(portico, backend):
    collector = backend(accept_export)
    proxy = portico(to(backend(answer_by_path).url, metrics={
        "otlp": {"pushInterval": "1s", "http": {"endpoint": f"{collector.url}/v1/metrics"}}}))
    for _ in range(3):
        proxy.get("/200")

    def export():
        for request in reversed(list(collector.requests)):
            metrics = otlp_protobuf(request)
            found = metrics.get("traefik_entrypoint_requests_total")
            if found and double(fields(fields(found[7][0])[1][0])[4][0]) == 3:
                return metrics
        return None
    metrics = proxy.wait_until("an export", export)
    total = fields(metrics["traefik_entrypoint_requests_total"][7][0])
    assert total[2] == [2] and total[3] == [1]
    attributes = {fields(pair)[1][0].decode(): fields(fields(pair)[2][0])[1][0].decode() for pair in fields(total[1][0])[7]}
    assert attributes == {"code": "200", "method": "GET", "protocol": "http", "entrypoint": "web"}
    latency = [fields(point) for point in fields(metrics["portico_request_duration_seconds"][10][0])[1]]
    assert int.from_bytes(latency[0][4][0], "little") == 3 and zigzag(latency[0][6][0]) == 2
    buckets = [sum(varints(fields(point[8][0])[2][0])) + int.from_bytes(point.get(7, [b"\0"])[0], "little") for point in latency]
    assert buckets == [3] * len(latency)


def test_what_cannot_be_reached_with_these_options_is_refused(run, tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text(json.dumps({"metrics": {"otlp": {"http": {"tls": {"ca": "/nowhere.pem"}}}}}))
    result = run("check", str(path))
    assert result.returncode != 0 and "/nowhere.pem" in result.stdout + result.stderr
