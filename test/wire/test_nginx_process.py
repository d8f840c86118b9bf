"""`portico nginx` as init scripts, certbot and test harnesses meet it: flags, messages, signals, the pid file; beside Debian's nginx
where what both do is compared."""
import os
import signal
import socket
import subprocess

import pytest

from harness.nginx_pair import real_nginx
from harness.portico import BINARY
from harness.waiting import wait_for

SMALL = """
server {
    listen 127.0.0.1:@port@;
    location / { return 200 "$request_uri\\n"; }
}
"""


@pytest.fixture
def tool(tmp_path):
    """tool(*flags) runs `portico nginx` with a prefix of its own; CompletedProcess."""
    (tmp_path / "html").mkdir()

    def call(*flags, conf=None, binary=(BINARY, "nginx")):
        if conf is not None:
            (tmp_path / "nginx.conf").write_text(conf)
        return subprocess.run([*binary, "-p", f"{tmp_path}/", "-c", "nginx.conf", *flags], capture_output=True, text=True, timeout=60)
    call.folder = tmp_path
    return call


GOOD = "pid nginx.pid; events { } http { access_log off; server { listen 127.0.0.1:1; return 204; } }\n"


def test_pair_answers_alike(nginx_pair):
    pair = nginx_pair(SMALL)
    pair.same(target="/a?b=c")
    pair.same("POST", "/x", body=b"body")
    pair.same("HEAD", "/")


def test_version_is_said_in_the_form_that_programs_read(run):
    version = run("nginx", "-v")
    assert version.returncode == 0 and version.stdout == ""
    assert version.stderr.startswith("nginx version: nginx/1.") and "(Portico " in version.stderr


def test_build_says_what_is_there_and_what_is_not(run):
    build = run("nginx", "-V").stderr
    assert "TLS SNI support enabled" in build and "\nconfigure arguments: " in build
    assert "--with-http_ssl_module" in build and "--without-http_ssi_module" in build


def test_program_that_is_called_nginx_is_nginx(tmp_path):
    link = tmp_path / "nginx"
    link.symlink_to(os.path.abspath(BINARY))
    assert "nginx version: " in subprocess.run([link, "-v"], capture_output=True, text=True, timeout=60).stderr


@pytest.mark.parametrize("flags", [["-x"], ["word"], ["-s", "nothing"], ["-c"], ["-p"], ["-g"], ["-e"]])
def test_wrong_flags_are_refused_in_nginx_s_words(run, flags):
    ours = run("nginx", *flags)
    theirs = subprocess.run([real_nginx(), *flags], capture_output=True, text=True, timeout=60)
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


def test_good_file_passes_the_test(tool):
    result = tool("-t", conf=GOOD)
    path = tool.folder / "nginx.conf"
    assert result.returncode == 0
    assert result.stderr == (f"nginx: the configuration file {path} syntax is ok\n"
                             f"nginx: configuration file {path} test is successful\n")
    assert tool("-t", "-q").stderr == ""


def test_bad_file_fails_the_test_with_its_line(tool):
    result = tool("-t", conf="events { }\nhttp {\n    serve { }\n}\n")
    path = tool.folder / "nginx.conf"
    assert result.returncode == 1
    assert result.stderr.startswith(f'nginx: [emerg] unknown directive "serve" in {path}:3')
    assert result.stderr.endswith(f"nginx: configuration file {path} test failed\n")


def test_file_that_is_not_there_fails_the_test(tool):
    path = tool.folder / "nginx.conf"
    result = tool("-t")
    assert result.returncode == 1
    assert f'nginx: [emerg] open() "{path}" failed (2: No such file or directory)' in result.stderr


def test_log_that_cannot_be_written_fails_the_test(tool):
    result = tool("-t", conf=GOOD.replace("access_log off", "access_log /nowhere/at/all.log"))
    assert result.returncode == 1
    assert 'nginx: [emerg] open() "/nowhere/at/all.log" failed (2: No such file or directory)' in result.stderr


def test_dump_has_each_file_once(tool):
    (tool.folder / "one.conf").write_text("# one\n")
    conf = "pid nginx.pid; events { }\nhttp { access_log off; include one.conf; include one.conf; server { listen 127.0.0.1:1; return 204; } }\n"
    result = tool("-T", conf=conf)
    assert result.returncode == 0
    assert result.stdout == (f"# configuration file {tool.folder}/nginx.conf:\n{conf}\n"
                             f"# configuration file {tool.folder}/one.conf:\n# one\n\n")


def test_signal_without_a_pid_file_says_so(tool):
    result = tool("-s", "reload", conf=GOOD)
    assert result.returncode == 1
    assert f'nginx: [error] open() "{tool.folder}/nginx.pid" failed (2: No such file or directory)' in result.stderr


def test_signal_with_nonsense_in_the_pid_file_says_so(tool):
    (tool.folder / "nginx.pid").write_text("nonsense\n")
    result = tool("-s", "stop", conf=GOOD)
    assert result.returncode == 1
    assert f'nginx: [error] invalid PID number "nonsense" in "{tool.folder}/nginx.pid"' in result.stderr


def test_directives_of_the_command_line_hold(tool):
    assert tool("-t", "-g", "pid other.pid;", conf=GOOD.replace("pid nginx.pid;", "")).returncode == 0
    twice = tool("-t", "-g", "pid other.pid;", conf=GOOD)
    assert twice.returncode == 1 and '"pid" directive is duplicate' in twice.stderr


def test_pid_file_holds_the_process_itself_and_goes_with_it(portico_nginx):
    like = portico_nginx(SMALL)
    assert like.pid == like.process.pid
    like.stop()
    assert not (like.folder / "nginx.pid").exists()


def test_signals_by_flag_reach_the_process(portico_nginx):
    like = portico_nginx(SMALL)
    result = subprocess.run([*like.command, "-s", "quit"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert like.process.wait() == 0


def test_term_stops_at_once_although_a_request_runs(portico_nginx):
    like = portico_nginx(SMALL)
    waiting = like.client().send("GET / HTTP/1.1\r\nHost: a\r\n")
    like.get("/")
    like.process.signal(signal.SIGTERM)
    assert like.process.wait() == 0
    waiting.close()


def test_quit_lets_a_request_end(portico_nginx, backend):
    like = portico_nginx(SMALL)
    client = like.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    like.get("/")
    like.process.signal(signal.SIGQUIT)
    like.wait_for_error("no more connections")
    client.send("cd")
    assert client.response("POST").status == 200
    assert like.process.wait() == 0


def test_hup_takes_up_a_new_file(portico_nginx):
    like = portico_nginx(SMALL)
    like.write_conf(SMALL.replace("$request_uri", "new"))
    like.process.signal(signal.SIGHUP)
    wait_for("the new configuration", lambda: like.get("/").body == b"new\n")


def test_bad_file_at_hup_is_told_and_the_old_one_goes_on(portico_nginx):
    like = portico_nginx(SMALL)
    like.write_conf(SMALL.replace("return", "retur"))
    like.process.signal(signal.SIGHUP)
    assert '[emerg] ' in like.wait_for_error('unknown directive "retur" in ')
    assert like.get("/x").body == b"/x\n"


def test_upgrade_of_the_binary_is_refused_with_what_to_do(portico_nginx):
    like = portico_nginx(SMALL)
    like.process.signal(signal.SIGUSR2)
    assert "systemctl restart" in like.wait_for_error("SIGUSR2")
    assert like.get("/").status == 200


def test_taken_port_is_said_in_nginx_s_words(tool):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = tool(conf=f"daemon off; pid nginx.pid; events {{ }} http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 204; }} }}")
    assert result.returncode == 1
    assert f"nginx: [emerg] bind() to 127.0.0.1:{port} failed (98: Address already in use)" in result.stderr


def test_unix_socket_goes_with_the_process(portico_nginx):
    like = portico_nginx("server { listen unix:@folder@/socket; listen 127.0.0.1:@port@; return 204; }")
    assert (like.folder / "socket").exists()
    like.stop()
    assert not (like.folder / "socket").exists()


def test_daemon_listens_before_its_caller_returns(tool):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = f"pid nginx.pid; error_log error.log; events {{ }} http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 204; }} }}"
    result = tool(conf=conf)
    assert result.returncode == 0, result.stderr
    pid = int((tool.folder / "nginx.pid").read_text())
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        assert tool("-s", "reopen").returncode == 0
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: not (tool.folder / "nginx.pid").exists())


def test_daemon_that_cannot_start_gives_its_exit_code_to_the_caller(tool):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = tool(conf="pid nginx.pid; events { } http { access_log off; server { listen 127.0.0.1:%d; return 204; } }"
                      % taken.getsockname()[1])
    assert result.returncode == 1 and "bind() to" in result.stderr
    assert not (tool.folder / "nginx.pid").exists()


def test_root_is_given_up_and_the_pid_file_goes_all_the_same(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root has anything to give up")
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(
        f"user nobody; pid nginx.pid; error_log error.log; events {{ }} http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 204; }} }}")
    started = subprocess.run([BINARY, "nginx", "-p", f"{tmp_path}/", "-c", "nginx.conf"], capture_output=True, text=True, timeout=60)
    assert started.returncode == 0, started.stderr
    pid = int((tmp_path / "nginx.pid").read_text())
    status = (f for f in open(f"/proc/{pid}/status") if f.startswith("Uid:"))
    assert next(status).split()[1] != "0"
    os.kill(pid, signal.SIGQUIT)
    wait_for("the pid file to go", lambda: not (tmp_path / "nginx.pid").exists())


def test_certbot_s_way_of_taking_up_a_change(portico_nginx):
    """`nginx -c FILE -t`, then `nginx -c FILE -s reload`; where that fails certbot starts `nginx -c FILE`."""
    like = portico_nginx(SMALL)
    like.write_conf(SMALL.replace("$request_uri", "changed"))
    assert subprocess.run([*like.command, "-t"], capture_output=True, timeout=60).returncode == 0
    assert subprocess.run([*like.command, "-s", "reload"], capture_output=True, timeout=60).returncode == 0
    wait_for("the change", lambda: like.get("/").body == b"changed\n")


def test_init_script_s_way_of_stopping(portico_nginx):
    """start-stop-daemon --stop --retry=QUIT/5 --pidfile, as systemd's unit of Debian has it."""
    like = portico_nginx(SMALL)
    os.kill(like.pid, signal.SIGQUIT)
    assert like.process.wait() == 0


def test_nginx_conf_beside_other_configuration(portico, tmp_path):
    """providers.nginx: its addresses become entrypoints, unless they are there already; changes are taken up."""
    path = tmp_path / "nginx.conf"
    conf = "events { } http { access_log off; server { listen 127.0.0.1:%d; location /n { return 200 nginx%s; } } }"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path.write_text(conf % (port, 1))
    proxy = portico({"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}},
                     "providers": {"nginx": {"filename": str(path)}, "providersThrottleDuration": "0s"},
                     "http": {"routers": {"own": {"rule": "Path(`/own`)", "service": "own"}},
                              "services": {"own": {"respond": {"body": "own"}}}}}, ports={"web": port})
    assert proxy.get("/own").body == b"own" and proxy.get("/n").body == b"nginx1"
    path.write_text(conf % (port, 2))
    proxy.wait_for_answer(lambda response: response.body == b"nginx2", "/n")
