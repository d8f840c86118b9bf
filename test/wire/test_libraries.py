"""Libraries that only some configurations need are loaded by those alone."""
import json

from harness.portico import command, to

COLLECTOR = {"otlp": {"http": {"endpoint": "http://127.0.0.1:9/v1/traces"}}}


def mapped(proxy, name):
    with open(f"/proc/{proxy.process.popen.pid}/maps") as maps:
        return any(name in line for line in maps)


def test_libcurl_is_loaded_by_who_sends_traces_and_by_nobody_else(portico, backend):
    plain = portico(to(backend().url))
    assert plain.get().status == 200
    assert not mapped(plain, "libcurl") and not mapped(plain, "libgnutls")
    assert mapped(plain, "libssl")
    traced = portico(to(backend().url, tracing=COLLECTOR))
    assert traced.get().status == 200
    assert mapped(traced, "libcurl")


def test_a_configuration_that_needs_a_library_which_is_broken_is_refused_with_the_reason(tmp_path):
    (tmp_path / "libcurl.so.4").write_bytes(b"no library")
    config = tmp_path / "portico.yaml"
    config.write_text(json.dumps(to("http://127.0.0.1:9", tracing=COLLECTOR, entryPoints={"web": {"address": "127.0.0.1:0"}})))
    run = command("run", "--config", config, env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert run.returncode != 0
    assert "traces and metrics cannot be sent: libcurl cannot be loaded: " in run.stderr
    assert "libcurl.so.4" in run.stderr
