"""Traces: what servers are told, which spans a collector gets, and that no request ever waits for either."""
import base64
import re
import threading

import pytest

from harness.http1 import response_bytes
from harness.load import Load
from harness.otlp import INTERNAL, TRACES, spans_of_protobuf
from harness.portico import to
from harness.ports import free_port
from harness.waiting import wait_for

QUICK = {"providersThrottleDuration": "50ms"}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FORM = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-(00|01)$")


def echo(request):
    """Gives back what the server was told of the trace."""
    return response_bytes(fields=[("Got-Parent", ", ".join(request.all("Traceparent"))),
                                  ("Got-State", "; ".join(request.all("Tracestate")))], body=b"fine")


DETAILED = {"traceVerbosity": "detailed"}


def traced(collector, *servers, tracing=None, http=None, **more):
    """The configuration of a proxy that sends all its traces in detail to the collector."""
    more.setdefault("entryPoints", {"web": {"observability": DETAILED}})
    endpoint = collector if isinstance(collector, str) else collector.url + TRACES
    options = {"otlp": {"http": {"endpoint": endpoint, **(http or {})}}, **(tracing or {})}
    return to(*servers, tracing=options, providers=QUICK, **more)


def told(response):
    """(trace id, span id, flags) that the server was told."""
    match = FORM.match(response.get("Got-Parent"))
    assert match, response.get("Got-Parent")
    return match.groups()


# What a request becomes

def test_a_request_becomes_spans_whose_client_span_the_server_is_told(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, middlewares={"prefix": {"addPrefix": {"prefix": "/v2"}}}))
    response = proxy.get("/things?token=secret&page=2", [("User-Agent", "tests/1")])
    trace_id, span_id, flags = told(response)
    trace = got.wait_for_trace(trace_id)
    assert flags == "01" and len(trace.spans) == 5
    client, = trace.clients
    assert client.span_id == span_id and client.parent_id == trace.service.span_id
    assert trace.service.parent_id == trace.router.span_id and trace.router.parent_id == trace.server.span_id
    middleware, = trace.middlewares
    assert middleware.parent_id == trace.router.span_id and middleware["traefik.middleware.name"] == "prefix@file"
    assert middleware["portico.middleware.type"] == "addPrefix"
    assert trace.server.parent_id == "" and len({span.span_id for span in trace.spans}) == 5
    assert trace.router["traefik.router.name"] == "main@file" and trace.router["http.route"] == "PathPrefix(`/`)"
    assert trace.service["traefik.service.name"] == "main@file"


def test_without_detail_a_request_is_a_server_span_and_one_for_each_try(portico, backend, collector):
    got, server, closed = collector(), backend(echo), free_port()
    proxy = portico(traced(got, f"http://127.0.0.1:{closed}", server.url, workers=1, entryPoints={"web": {}},
                           middlewares={"prefix": {"addPrefix": {"prefix": "/v2"}}}))
    answers = {told(proxy.get("/")) for _ in range(2)}
    tried = got.wait_for_spans(1, lambda span: span.get("error.type") == "upstream_refused")[0]
    trace = got.wait_for_trace(tried.trace_id)
    assert len(trace.spans) == 3 and trace.router is None and trace.service is None and trace.middlewares == []
    assert [span.parent_id for span in trace.clients] == [trace.server.span_id] * 2
    assert trace.clients[1].span_id in {span_id for _, span_id, _ in answers} and trace.clients[1]["url.full"] == f"{server.url}/v2/"
    assert trace.server.name == "GET main@file" and trace.server["traefik.router.name"] == "main@file"
    assert trace.server["traefik.service.name"] == "main@file"


def test_a_router_says_for_itself_how_much_detail_its_traces_have(portico, backend, collector):
    got, server = collector(), backend(echo)
    config = traced(got, server.url, rule="PathPrefix(`/loud`)", router={"observability": DETAILED}, entryPoints={"web": {}})
    config["http"]["routers"]["short"] = {"rule": "PathPrefix(`/short`)", "service": "main",
                                          "observability": {"traceVerbosity": "minimal"}}
    config["http"]["routers"]["silent"] = {"rule": "PathPrefix(`/silent`)", "service": "main", "observability": {"metrics": True}}
    proxy = portico(config)
    spans = {path: len(got.wait_for_trace(told(proxy.get(path))[0]).spans) for path in ("/loud", "/short", "/silent")}
    assert spans == {"/loud": 4, "/short": 2, "/silent": 2}


def test_attributes_are_those_of_the_semantic_conventions(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, tracing={"serviceName": "edge", "resourceAttributes": {"deployment.environment": "test"}}))
    response = proxy.get("/things?token=secret&page=2", [("User-Agent", "tests/1")], host=f"127.0.0.1:{proxy.port}")
    trace = got.wait_for_trace(told(response)[0])
    server_span, client = trace.server, trace.clients[0]
    assert server_span.name == "GET main@file" and client.name == "GET"
    expected = {"entry_point": "web", "http.request.method": "GET", "url.path": "/things", "url.query": "token=REDACTED&page=REDACTED",
                "url.scheme": "http", "http.response.status_code": 200, "server.address": "127.0.0.1", "server.port": proxy.port,
                "client.address": "127.0.0.1", "network.peer.address": "127.0.0.1", "network.protocol.version": "1.1",
                "user_agent.original": "tests/1", "http.response.body.size": 4}
    assert {key: server_span.get(key) for key in expected} == expected
    assert server_span["network.peer.port"] > 0 and server_span["portico.request_id"] == response.get("X-Request-Id")
    assert not server_span.failed and server_span.get("error.type") is None
    expected = {"http.request.method": "GET", "url.full": f"{server.url}/things?token=REDACTED&page=REDACTED", "url.scheme": "http",
                "server.address": "127.0.0.1", "server.port": server.port, "http.response.status_code": 200}
    assert {key: client.get(key) for key in expected} == expected
    resource = server_span.resource
    assert resource["service.name"] == "edge" and resource["deployment.environment"] == "test"
    assert resource["telemetry.sdk.name"] == "portico" and resource["process.pid"] == proxy.process.popen.pid


def test_spans_lie_within_each_other_in_time(portico, backend, collector):
    import time
    got, server = collector(), backend(lambda request: [0.05, echo(request)])
    proxy = portico(traced(got, server.url))
    before = time.time_ns()
    trace = got.wait_for_trace(told(proxy.get("/"))[0])
    client = trace.clients[0]
    assert before - 10**9 < trace.server.start <= trace.router.start <= trace.service.start <= client.start
    assert client.end - client.start >= 40 * 10**6
    assert client.end <= trace.service.end <= trace.router.end <= trace.server.end <= time.time_ns() + 10**9
    assert all(span.kind == INTERNAL for span in (trace.router, trace.service))


@pytest.mark.parametrize("http", [{"encoding": "json"}, {"compress": True}, {"encoding": "json", "compress": True}])
def test_the_same_spans_come_as_json_and_compressed(portico, backend, collector, http):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, http={"headers": {"X-Tenant": "one", "X-Empty": ""}, **http}))
    response = proxy.get("/a%22b?x=1", [("User-Agent", 'quo"te')], host="[::1]:99")
    trace = got.wait_for_trace(told(response)[0])
    assert len(trace.spans) == 4 and trace.clients[0].span_id == told(response)[1]
    assert trace.server["user_agent.original"] == 'quo"te' and (trace.server["server.address"], trace.server["server.port"]) == ("::1", 99)
    headers = got.exports[0].headers
    assert headers["x-tenant"] == "one" and headers["x-empty"] == ""
    assert headers["content-type"] == ("application/json" if http.get("encoding") else "application/x-protobuf")
    assert headers.get("content-encoding") == ("gzip" if http.get("compress") else None)


def test_captured_fields_and_safe_parameters_are_shown(portico, backend, collector):
    got = collector()
    server = backend(lambda request: response_bytes(fields=[("X-Cache", "hit"), ("X-Secret", "no")], body=b""))
    proxy = portico(traced(got, server.url, tracing={"capturedRequestHeaders": ["X-Tenant"], "capturedResponseHeaders": ["X-Cache", "X-None"],
                                                     "safeQueryParams": ["page"]}))
    proxy.get("/?token=secret&page=2&bare", [("X-Tenant", "one"), ("x-tenant", "two"), ("X-Other", "no")])
    span = got.wait_for_trace().server
    assert span["http.request.header.x-tenant"] == ["one", "two"] and span["http.response.header.x-cache"] == ["hit"]
    assert span["url.query"] == "token=REDACTED&page=2&bare"
    assert not any("secret" in str(value) or "other" in key or "none" in key for key, value in span.attributes.items())


def test_bytes_that_are_no_utf_8_do_not_cost_a_batch(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a\xff\xc3b\xc3\xa9\r\n\r\n")
    assert client.response().status == 200
    assert got.wait_for_trace().server["user_agent.original"] == "a��bé"


def test_a_method_of_nobodys_makes_no_name(portico, backend, collector):
    got, server = collector(), backend()
    proxy = portico(traced(got, server.url))
    proxy.request("BREW", "/")
    span = got.wait_for_trace().server
    assert span.name == "HTTP main@file" and span["http.request.method"] == "_OTHER" and span["http.request.method_original"] == "BREW"


# Whose trace it is

def test_a_clients_trace_is_continued(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, tracing={"sampleRate": 0}))
    response = proxy.get("/", [("traceparent", PARENT), ("tracestate", "rojo=00f067aa0ba902b7"), ("TraceState", "congo=t61rcWkgMzE")])
    trace_id, span_id, flags = told(response)
    assert trace_id == TRACE_ID and span_id != SPAN_ID and flags == "01"
    assert response.get("Got-State") == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    trace = got.wait_for_trace(TRACE_ID)
    assert trace.server.parent_id == SPAN_ID and trace.clients[0].span_id == span_id
    assert {span.state for span in trace.spans} == {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}


def test_a_client_that_does_not_sample_is_believed_and_the_server_told(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    trace_id, span_id, flags = told(proxy.get("/", [("traceparent", PARENT[:-2] + "00")]))
    assert trace_id == TRACE_ID and span_id != SPAN_ID and flags == "00"
    sampled = told(proxy.get("/"))[0]
    got.wait_for_trace(sampled)
    assert all(span.trace_id == sampled for span in got.spans)


@pytest.mark.parametrize("fields", [
    [("traceparent", "00-" + "0" * 32 + "-b7ad6b7169203331-01")],
    [("traceparent", PARENT.upper())],
    [("traceparent", PARENT), ("traceparent", PARENT)],
    [("traceparent", PARENT + "-extra")],
    [("traceparent", "ff" + PARENT[2:])],
])
def test_what_is_no_traceparent_begins_a_trace_without_a_state(portico, backend, collector, fields):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    response = proxy.get("/", [*fields, ("tracestate", "rojo=1")])
    trace_id, _, flags = told(response)
    assert trace_id != TRACE_ID and flags == "01" and response.get("Got-State") == ""
    assert got.wait_for_trace(trace_id).server.parent_id == ""


def test_what_is_no_tracestate_is_left_out(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    response = proxy.get("/", [("traceparent", PARENT), ("tracestate", "UPPER=1")])
    assert told(response)[0] == TRACE_ID and response.get("Got-State") == ""


def test_nothing_is_sampled_at_zero_but_servers_are_told_of_the_trace(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, tracing={"sampleRate": 0}))
    ids = {told(proxy.get("/")) for _ in range(20)}
    assert len({trace_id for trace_id, _, _ in ids}) == 20 and {flags for _, _, flags in ids} == {"00"}
    proxy.get("/", [("traceparent", PARENT)])
    got.wait_for_trace(TRACE_ID)
    assert {span.trace_id for span in got.spans} == {TRACE_ID}


def test_without_tracing_the_fields_pass_untouched(portico, backend):
    proxy = portico(to(backend(echo).url))
    response = proxy.get("/", [("traceparent", "anything"), ("tracestate", "UPPER=1"), ("tracestate", "b=2")])
    assert response.get("Got-Parent") == "anything" and response.get("Got-State") == "UPPER=1; b=2"


def test_routers_and_entry_points_can_be_left_out(portico, backend, collector):
    got, server = collector(), backend(echo)
    config = traced(got, server.url, entryPoints={"web": {}, "quiet": {"observability": {"tracing": False}}})
    config["http"]["routers"]["main"]["rule"] = "PathPrefix(`/loud`)"
    config["http"]["routers"]["silent"] = {"rule": "PathPrefix(`/silent`)", "service": "main", "observability": {"tracing": False}}
    proxy = portico(config)
    assert proxy.get("/silent", [("traceparent", PARENT)]).get("Got-Parent") == PARENT
    assert proxy.get("/loud", [("traceparent", PARENT)], entry_point="quiet").get("Got-Parent") == PARENT
    loud = told(proxy.get("/loud", entry_point="web"))[0]
    got.wait_for_trace(loud)
    assert {span.trace_id for span in got.spans} == {loud}


@pytest.mark.parametrize("internals", [False, True])
def test_internal_services_are_traced_where_that_is_wanted(portico, backend, collector, internals):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url, tracing={"addInternals": internals}, ping={"entryPoint": "web"}))
    assert proxy.get("/ping").status == 200
    got.wait_for_trace(told(proxy.get("/"))[0])
    # Another worker may have had the ping, whose spans come when its batch does.
    pings = [span for span in got.spans if span.get("url.path") == "/ping"]
    assert got.wait_for_spans(1, lambda span: span.get("url.path") == "/ping") if internals else not pings


# What goes wrong

def test_each_try_is_a_span_with_its_reason(portico, backend, collector):
    got, server, closed = collector(), backend(echo), free_port()
    proxy = portico(traced(got, f"http://127.0.0.1:{closed}", server.url, workers=1))      # which takes turns: one try fails
    answers = [proxy.get("/") for _ in range(2)]
    assert all(response.status == 200 for response in answers)
    span_ids = {told(response)[0]: told(response)[1] for response in answers}
    tried = got.wait_for_spans(1, lambda span: span.get("error.type") == "upstream_refused")[0]
    trace = got.wait_for_trace(tried.trace_id)
    first, second = trace.clients
    assert first.failed and first["error.type"] == "upstream_refused" and first["server.port"] == closed
    assert first.get("http.response.status_code") is None and first.message
    assert not second.failed and second["http.request.resend_count"] == 1 and second["server.port"] == server.port
    assert second.span_id == span_ids[trace.server.trace_id] and not trace.server.failed


def test_a_failure_is_told_with_its_reason(portico, collector):
    got = collector()
    proxy = portico(traced(got, f"http://127.0.0.1:{free_port()}"))
    assert proxy.get("/").status == 502
    span = got.wait_for_trace().server
    assert span.failed and span["error.type"] == span["portico.reason"] == "upstream_refused"
    assert span["http.response.status_code"] == 502 and span.message


def test_a_servers_own_error_is_one_of_both_spans(portico, backend, collector):
    got, server = collector(), backend(lambda request: response_bytes(503))
    proxy = portico(traced(got, server.url))
    assert proxy.get("/").status == 503
    trace = got.wait_for_trace()
    assert trace.server.failed and trace.server["error.type"] == "503" and trace.server.get("portico.reason") is None
    assert trace.clients[0].failed and trace.clients[0]["http.response.status_code"] == 503


def test_what_finds_no_router_is_one_span(portico, backend, collector):
    got = collector()
    proxy = portico(traced(got, backend().url, rule="Path(`/only`)"))
    assert proxy.get("/other").status == 404
    span, = got.wait_for_trace().spans
    assert span.name == "GET" and not span.failed and span["portico.reason"] == "no_route"


def test_a_middleware_that_refuses_ends_the_trace_there(portico, backend, collector):
    got = collector()
    proxy = portico(traced(got, backend().url, middlewares={"deny": {"ipAllowList": {"sourceRange": ["10.0.0.1"]}},
                                                            "never": {"addPrefix": {"prefix": "/x"}}}))
    assert proxy.get("/").status == 403
    trace = got.wait_for_trace()
    assert [span["traefik.middleware.name"] for span in trace.middlewares] == ["deny@file"]
    assert trace.service is None and trace.clients == [] and trace.server["portico.reason"] == "ip_denied"


def test_a_client_that_leaves_is_told_of(portico, backend, collector):
    got, gate = collector(), threading.Event()

    def hold(request):
        gate.wait(20)
        return response_bytes(body=b"late")
    server = backend(hold)
    proxy = portico(traced(got, server.url))
    client = proxy.client().send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for("the request at the server", lambda: server.requests)
    client.close()
    trace = got.wait_for_trace()
    gate.set()
    assert trace.server["portico.reason"] == "client_aborted" and trace.server.get("http.response.status_code") is None


def test_the_access_log_names_the_trace(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    trace_id = told(proxy.get("/"))[0]
    line, = proxy.access()
    assert line["TraceId"] == trace_id and line["SpanId"] == got.wait_for_trace(trace_id).server.span_id
    assert line["RequestID"] != trace_id


# Collectors that are not there, slow or unwilling

def lost(proxy):
    found = re.findall(r"(\d+) spans (?:are|were) lost", proxy.log)
    return int(found[-1]) if found else 0


def test_a_collector_that_comes_later_gets_everything(portico, backend, collector):
    port, server = free_port(), backend(echo)
    proxy = portico(traced(f"http://127.0.0.1:{port}{TRACES}", server.url))
    ids = {told(proxy.get("/"))[0] for _ in range(10)}
    proxy.wait_until("a line in the log", lambda: "traces cannot be sent" in proxy.log)
    assert "is the collector running" in proxy.log
    got = collector(port=port)
    assert {span.trace_id for span in got.wait_for_spans(40)} == ids
    proxy.wait_until("the good news", lambda: "traces are sent again (0 spans were lost)" in proxy.log)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_collector_that_says_later_is_asked_again_and_gets_each_span_once(portico, backend, collector, status):
    answers = iter([(status, {"Retry-After": "0"})])
    got, server = collector(lambda export: next(answers, (200, {}))), backend(echo)
    proxy = portico(traced(got, server.url))
    told(proxy.get("/"))
    trace = got.wait_for_trace()
    assert len(trace.spans) == 4 and len(got.asked) == 2 and got.asked[0].body == got.asked[1].body
    assert f"the collector answers {status}" in proxy.log


def test_retry_after_is_honoured(portico, backend, collector):
    import time
    times = []

    def answer(export):
        times.append(time.monotonic())
        return (503, {"Retry-After": "3"}) if len(times) == 1 else (200, {})
    got, server = collector(answer), backend(echo)
    proxy = portico(traced(got, server.url))
    told(proxy.get("/"))
    got.wait_for_trace()
    assert times[1] - times[0] >= 2.9          # back-off alone would come within 1.2


@pytest.mark.parametrize("status, hint", [(400, ""), (401, "headers"), (404, "/v1/traces"), (415, "encoding")])
def test_what_a_collector_refuses_is_dropped_and_counted(portico, backend, collector, status, hint):
    answers = iter([(status, {})])
    got, server = collector(lambda export: next(answers, (200, {}))), backend(echo)
    proxy = portico(traced(got, server.url))
    first = told(proxy.get("/"))[0]
    proxy.wait_until("a line in the log", lambda: f"the collector answers {status}" in proxy.log)
    second = told(proxy.get("/"))[0]
    got.wait_for_trace(second)
    assert {span.trace_id for span in got.spans} == {second} != {first}
    assert hint in proxy.log and lost(proxy) == 4


def test_what_a_collector_takes_only_in_part_is_counted(portico, backend, collector):
    # ExportTraceServiceResponse{partial_success: {rejected_spans: 3, error_message: "no"}}
    got, server = collector(lambda export: (200, {}, b"\x0a\x06\x08\x03\x12\x02no")), backend(echo)
    proxy = portico(traced(got, server.url))
    told(proxy.get("/"))
    proxy.wait_until("a line in the log", lambda: "took only a part" in proxy.log)
    assert lost(proxy) == 3


def test_a_url_where_a_host_and_port_belong_is_a_mistake(portico, backend):
    proxy = portico(to(backend().url, providers=QUICK))
    proxy.write(to(backend().url, providers=QUICK, tracing={"otlp": {"grpc": {"endpoint": "http://127.0.0.1:4317"}}}))
    proxy.wait_until("a refusal", lambda: "is not a host and a port" in proxy.log)


def test_a_slow_collector_delays_no_request_and_what_does_not_fit_is_counted(portico, backend, collector):
    gate = threading.Event()

    def hold(export):
        gate.wait(30)
        return 200, {}
    got, server = collector(hold), backend(echo)
    proxy = portico(traced(got, server.url, tracing={"queueLimit": "64KiB"}, accessLog=None))
    client = proxy.client()
    for _ in range(400):
        assert client.request("GET", "/" + "x" * 500).status == 200
    proxy.wait_until("a line in the log", lambda: lost(proxy) > 0)
    assert "tracing.queueLimit" in proxy.log and got.exports == []
    gate.set()
    got.wait_for_spans(4)


def test_a_reload_keeps_what_waits(portico, backend, collector):
    port, server = free_port(), backend(echo)
    config = traced(f"http://127.0.0.1:{port}{TRACES}", server.url)
    proxy = portico(config)
    ids = {told(proxy.get("/"))[0]}
    proxy.wait_until("a line in the log", lambda: "traces cannot be sent" in proxy.log)
    config["http"]["routers"]["more"] = {"rule": "Path(`/more`)", "service": "main", "middlewares": ["mark"], "priority": 99}
    config["http"]["middlewares"] = {"mark": {"headers": {"customResponseHeaders": {"X-Mark": "yes"}}}}
    config["tracing"]["serviceName"] = "renamed"
    proxy.write(config)
    ids.add(told(proxy.wait_for_answer(lambda response: response.get("X-Mark") == "yes", "/more"))[0])
    got = collector(port=port)
    got.wait_for_trace(ids.pop())
    got.wait_for_trace(ids.pop())
    assert {span.resource["service.name"] for span in got.spans} == {"portico", "renamed"}


def test_another_collector_gets_what_comes_after_a_reload(portico, backend, collector):
    one, other, server = collector(), collector(), backend(echo)
    proxy = portico(traced(one, server.url))
    first = told(proxy.get("/"))[0]
    config = traced(other, server.url)
    config["http"]["middlewares"] = {"mark": {"headers": {"customResponseHeaders": {"X-Mark": "yes"}}}}
    config["http"]["routers"]["main"]["middlewares"] = ["mark"]
    proxy.write(config)
    second = told(proxy.wait_for_answer(lambda response: response.get("X-Mark") == "yes"))[0]
    one.wait_for_trace(first)
    other.wait_for_trace(second)
    del config["tracing"]
    proxy.write(config)
    proxy.wait_for_answer(lambda response: response.get("Got-Parent") == "")


def test_stopping_sends_what_is_there(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(traced(got, server.url))
    trace_id = told(proxy.get("/"))[0]
    proxy.stop()
    assert {span.trace_id for span in got.spans} == {trace_id} and len(got.spans) == 4


@pytest.mark.parametrize("kind", ["refuses", "hangs"])
def test_stopping_does_not_wait_for_a_collector(portico, backend, raw_server, kind):
    address = f"127.0.0.1:{free_port()}" if kind == "refuses" else raw_server([]).address
    proxy = portico(traced(f"http://{address}{TRACES}", backend(echo).url))
    told(proxy.get("/"))
    proxy.stop()
    assert "4 spans" in proxy.log


# TLS and gRPC

def test_a_collectors_certificate_is_verified(portico, backend, collector, authority):
    got, server = collector(certificate=authority.issue("127.0.0.1")), backend(echo)
    stranger = portico(traced(got, server.url))
    told(stranger.get("/"))
    stranger.wait_until("a line in the log", lambda: "tls.ca" in stranger.log)
    assert got.asked == []
    proxy = portico(traced(got, server.url, http={"tls": {"ca": str(authority.cert)}}))
    got.wait_for_trace(told(proxy.get("/"))[0])
    text = portico(traced(got, server.url, http={"tls": {"ca": authority.cert.read_text()}}))
    got.wait_for_trace(told(text.get("/"))[0])
    careless = portico(traced(got, server.url, http={"tls": {"insecureSkipVerify": True}}))
    got.wait_for_trace(told(careless.get("/"))[0])


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_configuration(portico, backend, run, tmp_path):
    proxy = portico(to(backend().url, providers=QUICK))
    proxy.write(traced("https://127.0.0.1:1", backend().url, http={"tls": {"ca": "/nowhere/ca.pem"}}))
    proxy.wait_until("a refusal", lambda: "the configuration has 1 mistake" in proxy.log)
    assert "the file cannot be read" in proxy.log and proxy.get("/").status == 200


def test_an_endpoint_without_a_scheme_gets_a_hint(portico, backend):
    proxy = portico(to(backend().url, providers=QUICK))
    proxy.write(traced("collector.example:4318", backend().url))
    proxy.wait_until("a refusal", lambda: "the configuration has 1 mistake" in proxy.log)
    assert "has no scheme: write http://collector.example:4318, or https://" in proxy.log


def grpc_traced(peer, server, **grpc):
    return to(server.url, tracing={"otlp": {"grpc": {"endpoint": f"127.0.0.1:{peer.port}", **grpc}}}, providers=QUICK)


def received_spans(peer, count=2):
    def found():
        spans = [span for call in peer.received() for span in spans_of_protobuf(base64.b64decode(call["message"]))]
        return spans if len(spans) >= count else None
    return wait_for("spans over gRPC", found)


def test_spans_go_over_grpc(portico, backend, grpc_collector):
    peer, server = grpc_collector(), backend(echo)
    proxy = portico(grpc_traced(peer, server, insecure=True, headers={"X-Tenant": "one"}))
    ids = {told(proxy.get("/"))[0] for _ in range(3)}
    assert {span.trace_id for span in received_spans(peer, 6)} == ids
    call = peer.received()[0]
    assert call["method"] == "/opentelemetry.proto.collector.trace.v1.TraceService/Export" and call["metadata"]["x-tenant"] == "one"
    assert "cannot be sent" not in proxy.log


def test_spans_go_over_grpc_with_tls(portico, backend, grpc_collector, authority):
    peer, server = grpc_collector(authority.issue("127.0.0.1")), backend(echo)
    proxy = portico(grpc_traced(peer, server, tls={"ca": str(authority.cert)}))
    trace_id = told(proxy.get("/"))[0]
    assert {span.trace_id for span in received_spans(peer)} == {trace_id}
    assert "cannot be sent" not in proxy.log


@pytest.mark.parametrize("code, again", [("UNAVAILABLE", True), ("UNAUTHENTICATED", False)])
def test_a_status_of_grpcs_says_whether_to_try_again(portico, backend, grpc_collector, code, again):
    peer, server = grpc_collector(code=code), backend(echo)
    proxy = portico(grpc_traced(peer, server, insecure=True))
    told(proxy.get("/"))
    proxy.wait_until("a line in the log", lambda: "gRPC status" in proxy.log)
    if again:
        wait_for("another try", lambda: len(peer.received()) > 1)
    else:
        assert lost(proxy) == 2 and "headers" in proxy.log


def test_a_port_that_speaks_no_grpc_is_told_of(portico, backend, collector):
    got, server = collector(), backend(echo)
    proxy = portico(grpc_traced(got, server, insecure=True))
    told(proxy.get("/"))
    proxy.wait_until("a line in the log", lambda: "gRPC port" in proxy.log)


# Under load

@pytest.mark.tsan
def test_load_with_reloads_and_a_collector_that_comes_and_goes_loses_no_request(portico, backend, collector):
    moods = iter([(200, {}), (503, {"Retry-After": "0"}), (400, {})] * 1000)
    got, server = collector(lambda export: next(moods)), backend(echo)
    config = traced(got, server.url, workers=2, tracing={"queueLimit": "256KiB"})
    proxy = portico(config)
    with Load(proxy.port) as load:
        for number in range(6):
            config["tracing"]["sampleRate"] = 0.5 if number % 2 else 1
            config["http"]["routers"][f"r{number}"] = {"rule": f"Path(`/r{number}`)", "service": "main"}
            proxy.write(config)
            proxy.wait_until("the reload", lambda: proxy.log.count("is running") > number)
    load.assert_all()
    got.wait_for_spans(100)
