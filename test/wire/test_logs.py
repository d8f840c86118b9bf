"""What is told of requests and of the process itself."""
import json
import os
import re
import resource
import signal

import pytest

from harness.http1 import response_bytes
from harness.portico import to


def logged(server, tmp_path, **log):
    return to(server.url, accessLog={"filePath": str(tmp_path / "log"), **log}), tmp_path / "log"


def lines_of(proxy, path, count=1):
    def lines():
        found = path.read_text(errors="surrogateescape").split("\n")[:-1] if path.exists() else []
        return found if len(found) >= count else None
    return proxy.wait_until(f"{count} lines", lines)


def test_json_has_the_names_of_traefik(portico, backend):
    server = backend(lambda request: response_bytes(201, body=b"12345"))
    proxy = portico(to(server.url))
    proxy.request("POST", "/path?q=1", [("User-Agent", "test")], b"abc", host="site.example:80")
    line = proxy.access()[0]
    assert line["ClientHost"] == "127.0.0.1" and line["ClientAddr"].startswith("127.0.0.1:")
    assert line["RequestMethod"] == "POST" and line["RequestPath"] == "/path?q=1" and line["RequestProtocol"] == "HTTP/1.1"
    assert line["RequestHost"] == "site.example" and line["RequestAddr"] == "site.example:80" and line["RequestScheme"] == "http"
    assert line["DownstreamStatus"] == line["OriginStatus"] == 201
    assert line["DownstreamContentSize"] == line["OriginContentSize"] == 5 and line["RequestContentSize"] == 3
    assert line["RouterName"] == "main@file" and line["ServiceName"] == "main@file" and line["ServiceURL"] == server.url
    assert line["entryPointName"] == "web" and line["Duration"] > 0 and line["StartUTC"].endswith("Z")
    assert line["RequestCount"] == 1 and line["RetryAttempts"] == 0


def test_common_is_traefiks(portico, backend, tmp_path):
    server = backend()
    config, path = logged(server, tmp_path, format="common")
    proxy = portico(config)
    proxy.get("/x?q=1", [("Referer", "http://from/"), ("User-Agent", 'a "test"')])
    line = lines_of(proxy, path)[0]
    assert re.fullmatch(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /x\?q=1 HTTP/1\.1" 200 4 '
                        r'"http://from/" "a \\"test\\"" 1 "main@file" "' + re.escape(server.url) + r'" \d+ms', line), line


@pytest.mark.parametrize("format, tail", [("genericCLF", r' "-" "-"'), ("combined", r' "-" "-"')])
def test_other_formats(portico, backend, tmp_path, format, tail):
    config, path = logged(backend(), tmp_path, format=format)
    proxy = portico(config)
    proxy.get("/")
    line = lines_of(proxy, path)[0]
    assert re.fullmatch(r'127\.0\.0\.1 - - \[[^]]+\] "GET / HTTP/1\.1" 200 4' + tail, line), line


def test_a_line_cannot_be_forged(portico, backend, tmp_path):
    for format in ("common", "combined", "json"):
        config, path = logged(backend(), tmp_path / format, format=format,
                              fields={"headers": {"defaultMode": "keep"}})
        (tmp_path / format).mkdir()
        proxy = portico(config)
        proxy.get("/%0a%22x", [("User-Agent", 'x" \\ \xe9\xff \t end')])
        text = "\n".join(lines_of(proxy, path))
        assert len(text.split("\n")) == 1 and "\t" not in text
        if format == "json":
            text.encode()       # it is UTF-8 whatever came
            assert json.loads(text)["request_User-Agent"]


def test_filters(portico, backend, tmp_path):
    server = backend(lambda request: response_bytes(int(request.target[1:])))
    config, path = logged(server, tmp_path, format="json", filters={"statusCodes": ["404", "500-599"]})
    proxy = portico(config)
    for status in (200, 404, 301, 503):
        proxy.get(f"/{status}")
    assert [json.loads(line)["DownstreamStatus"] for line in lines_of(proxy, path, 2)] == [404, 503]


def test_fields_can_be_chosen(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="json", fields={
        "defaultMode": "drop", "names": {"RequestPath": "keep", "DownstreamStatus": "keep"},
        "headers": {"names": {"X-Kept": "keep", "Authorization": "redact"}}})
    proxy = portico(config)
    proxy.get("/x", [("X-Kept", "1"), ("X-Other", "2"), ("Authorization", "secret")])
    line = json.loads(lines_of(proxy, path)[0])
    assert line["RequestPath"] == "/x" and line["DownstreamStatus"] == 200 and "ClientHost" not in line
    assert line["request_X-Kept"] == "1" and "request_X-Other" not in line
    assert line["request_Authorization"] == "REDACTED"


def test_the_log_is_opened_again_on_sigusr1(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="json")
    proxy = portico(config)
    proxy.get("/one")
    lines_of(proxy, path)
    os.rename(path, tmp_path / "log.1")
    proxy.process.signal(signal.SIGUSR1)
    proxy.wait_until("a new log", path.exists)
    proxy.get("/two")
    assert "/two" in lines_of(proxy, path)[0]
    assert "/two" not in (tmp_path / "log.1").read_text()


def test_buffered_lines_are_written_in_the_end(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="json", bufferingSize=1000)
    proxy = portico(config)
    for number in range(10):
        proxy.get(f"/{number}")
    proxy.stop()
    assert len(path.read_text().split("\n")) == 11


def test_many_lines_never_mix(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="json")
    proxy = portico(config)
    clients = [proxy.client() for _ in range(8)]
    for number in range(50):
        for client in clients:
            client.send_request("GET", f"/{number}" + "x" * 500)
        for client in clients:
            client.response()
    for line in lines_of(proxy, path, 400):
        assert json.loads(line)["DownstreamStatus"] == 200


def test_the_application_log_is_opened_again_on_sigusr1(portico, backend, tmp_path):
    path = tmp_path / "app.log"
    config = to(backend().url, log={"filePath": str(path), "level": "DEBUG"})
    proxy = portico(config)
    proxy.wait_until("the first log", lambda: path.exists() and "ready" in path.read_text())
    os.rename(path, tmp_path / "app.log.1")
    proxy.process.signal(signal.SIGUSR1)
    proxy.wait_until("a new log", path.exists)
    former = (tmp_path / "app.log.1").read_text()
    proxy.write({**config, "http": {"routers": {"main": {"rule": "Host(`", "service": "main"}}}})
    proxy.wait_until("the mistake", lambda: "mistake" in path.read_text())
    assert (tmp_path / "app.log.1").read_text() == former
    assert proxy.get().status == 200


def test_what_a_full_disk_cut_is_ended_before_the_next_line(portico, backend, tmp_path):
    """RLIMIT_FSIZE stands for the disk: it lets a part of a line through, as a disk does."""
    config, path = logged(backend(), tmp_path, format="json")
    proxy = portico(config)
    proxy.get("/before")
    size = len(lines_of(proxy, path)[0]) + 1
    resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
    assert proxy.get("/lost").status == 200
    proxy.wait_until("the part of a line", lambda: path.stat().st_size == size + 100)
    proxy.wait_until("a complaint", lambda: "the access log cannot be written" in proxy.log)
    resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    proxy.get("/behind")
    lines = lines_of(proxy, path, 3)
    assert json.loads(lines[0])["RequestPath"] == "/before" and json.loads(lines[2])["RequestPath"] == "/behind"
    assert len(lines[1]) == 100 and proxy.log.count("the access log cannot be written") == 1


def test_dropped_fields_are_dashes_in_the_common_format(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="common", fields={
        "names": {"ClientHost": "drop"}, "headers": {"names": {"User-Agent": "redact"}},
        "queryParameters": {"names": {"token": "redact"}}})
    proxy = portico(config)
    proxy.get("/x?token=secret&a=1", [("User-Agent", "secret")])
    line = lines_of(proxy, path)[0]
    assert line.startswith("- - - [") and "/x?token=REDACTED&a=1" in line and '"REDACTED"' in line and "secret" not in line


def test_headers_have_the_names_that_go_gives_them(portico, backend, tmp_path):
    config, path = logged(backend(), tmp_path, format="json", fields={"headers": {"defaultMode": "keep"}})
    proxy = portico(config)
    proxy.get("/", [("user-agent", "test"), ("x-many", "a"), ("X-MANY", "b")])
    line = json.loads(lines_of(proxy, path)[0])
    assert line["request_User-Agent"] == "test" and line["request_X-Many"] == "a, b"


def test_dev_stdout_is_standard_output(portico, backend):
    proxy = portico(to(backend().url, accessLog={"filePath": "/dev/stdout"}))
    proxy.get("/told")
    proxy.wait_until("the line", lambda: '"GET /told HTTP/1.1" 200' in proxy.log)


def test_a_full_disk_does_not_stop_requests(portico, backend):
    proxy = portico(to(backend().url, accessLog={"filePath": "/dev/full", "format": "json"}))
    for _ in range(10):
        assert proxy.get().status == 200


def test_the_access_log_goes_to_standard_output_by_default(portico, backend):
    proxy = portico(to(backend().url, accessLog={}))
    proxy.get("/told")
    proxy.wait_until("the line", lambda: '"GET /told HTTP/1.1" 200' in proxy.log)


def test_the_log_can_be_json(portico, backend):
    proxy = portico(to(backend().url, log={"format": "json", "level": "DEBUG"}))
    proxy.wait_until("a word", lambda: "\n" in proxy.log)
    lines = [json.loads(line) for line in proxy.log.split("\n")[:-1]]
    assert lines and all({"level", "time"} <= set(line) for line in lines)
