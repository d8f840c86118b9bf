"""Answers of our own: a page for browsers, JSON for programs that ask, the customary words for all others."""
import html
import json
import re

import pytest

from harness.portico import to
from harness.ports import free_port

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def get(proxy, path="/", accept=BROWSER, host="localhost", fields=()):
    return proxy.get(path, fields=[("Host", host), *fields, *([("Accept", accept)] if accept else [])])


def words(page):
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*</style>", "", page)))


@pytest.fixture
def dead(portico):
    """A proxy whose only server refuses, and that knows one host."""
    def start(**sections):
        return portico(to(f"http://127.0.0.1:{free_port()}", rule="Host(`known.test`)", **sections))
    return start


@pytest.mark.parametrize("accept", [None, "*/*", "text/plain", "text/plain, text/html;q=0.5", "image/png"])
def test_who_does_not_ask_for_a_page_gets_the_customary_words(dead, accept):
    response = get(dead(), accept=accept)
    assert (response.status, response.text) == (404, "404 page not found\n")
    assert response.get("Content-Type") == "text/plain; charset=utf-8"


def test_a_browser_gets_a_page_with_the_request_id_and_nothing_of_the_inside(dead):
    proxy = dead()
    response = get(proxy, host="known.test", path="/secret/path")
    assert response.status == 502
    assert response.get("Content-Type") == "text/html; charset=utf-8"
    assert "script" not in response.get("Content-Security-Policy")
    assert response.get("Vary") == "Accept"
    text = words(response.text)
    assert "Bad Gateway" in text and response.get("X-Request-Id") in text
    for inside in ("127.0.0.1", "main", "refuse", "/secret", "Portico"):
        assert inside not in text
    assert len(response.body) < 2500


@pytest.mark.parametrize("accept, wanted", [
    ("application/json", "application/json"),
    ("application/problem+json, application/json;q=0.9", "application/problem+json"),
    ("text/html;q=0.5, application/json", "application/json"),
    ("text/html;q=0, application/json;q=0.1", "application/json")])
def test_json_for_programs_that_ask_for_it(dead, accept, wanted):
    response = get(dead(), accept=accept)
    assert response.get("Content-Type") == wanted
    assert json.loads(response.text) == {"status": 404, "title": "Not Found", "requestId": response.get("X-Request-Id")}


def test_the_detailed_page_says_which_routers_were_tried(dead):
    text = words(get(dead(errorPages="detailed"), host="other.test").text)
    assert "no router matches the request (no_route)" in text
    assert "main@file: not Host(`known.test`), the host is 'other.test'" in text
    assert "portico explain" in text


def test_the_detailed_page_says_why_a_server_gave_no_answer_and_what_to_do(dead):
    proxy = dead(errorPages="detailed")
    response = get(proxy, host="known.test", path="/a?b=1&lt=2")
    text = words(response.text)
    assert "the server refused the connection" in text and "(upstream_refused)" in text
    assert "main@file: Host(`known.test`)" in text and "http://127.0.0.1:" in text
    assert "What to do" in text
    assert "/a?b=1&amp;lt=2" in response.text and "/a?b=1&lt=2" in text
    facts = json.loads(get(proxy, host="known.test", accept="application/json").text)
    assert facts["reason"] == "upstream_refused"
    assert {"name": "Service", "value": "main@file"} in facts["facts"]


@pytest.mark.parametrize("field", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
def test_the_detailed_page_is_not_for_clients_of_another_proxy(dead, field):
    value = {"Forwarded": "for=192.0.2.1", "Via": "1.1 edge"}.get(field, "192.0.2.1")
    text = words(get(dead(errorPages="detailed"), host="known.test", fields=[(field, value)]).text)
    assert "Bad Gateway" in text and "main@file" not in text and "127.0.0.1" not in text


def test_the_detailed_page_is_not_for_clients_behind_a_trusted_proxy(dead):
    proxy = dead(errorPages="detailed", entryPoints={"web": {"forwardedHeaders": {"insecure": True}}})
    text = words(get(proxy, host="known.test", fields=[("X-Forwarded-For", "127.0.0.1")]).text)
    assert "main@file" not in text


@pytest.mark.parametrize("field", ["X-Real-Ip", "X-Forwarded-For"])
def test_no_middleware_hides_that_a_trusted_proxy_forwarded(portico, field):
    config = to(f"http://127.0.0.1:{free_port()}", errorPages="detailed",
                middlewares={"hide": {"headers": {"customRequestHeaders": {"X-Forwarded-For": ""}}}},
                entryPoints={"web": {"forwardedHeaders": {"insecure": True}}})
    text = words(get(portico(config), fields=[(field, "192.0.2.1")]).text)
    assert "Bad Gateway" in text and "main@file" not in text


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"])
def test_the_detailed_page_is_not_for_clients_that_the_proxy_protocol_names(dead, header):
    proxy = dead(errorPages="detailed", entryPoints={"web": {"proxyProtocol": {"insecure": True}}})
    client = proxy.client().send(header)
    text = words(client.request("GET", "/", [("Host", "known.test"), ("Accept", "text/html")]).text)
    assert "Bad Gateway" in text and "main@file" not in text


def test_pages_can_be_switched_off(dead):
    assert get(dead(errorPages="off")).text == "404 page not found\n"


def test_a_malformed_request_gets_an_answer_too(dead):
    proxy = dead(errorPages="detailed")
    client = proxy.client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: text/html\r\n\r\n")
    assert client.response().status == 400
