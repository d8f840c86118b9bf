"""ssl_*, the rest: which sessions are resumed, variables of handshakes, certificates named with variables, OCSP responses; what PROXY
headers say. Beside Debian's nginx where it has them."""
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from harness.http1 import Reader
from harness.ports import free_port
from harness.process import Process
from harness.tls import TlsClient, context_for
from harness.waiting import wait_for

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def ssl_of(certificate):
    return f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key};"


@pytest.fixture
def issued(authority):
    return {name: authority.issue(f"{name}.example") for name in ("one", "two")}


# ---- sessions ----

SESSIONS = """
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:@tickets@ ssl; {one} return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@shared@ ssl; {one} ssl_session_cache shared:S:1m; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@builtin@ ssl; {one} ssl_session_cache builtin:100; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@none@ ssl; {one} ssl_session_cache none; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@off@ ssl; {one} ssl_session_cache off; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@same@ ssl; {one} ssl_session_cache shared:S:1m; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
    server {{ listen 127.0.0.1:@other@ ssl; {two} ssl_session_cache shared:S:1m; ssl_session_tickets off; return 200 "$ssl_session_reused\\n"; }}
"""


def visit(port, context, session=None, name="one.example"):
    client = TlsClient(port, name, context=context, session=session)
    answer = client.request(host=name or "localhost").body.decode().strip()
    session = client.socket.session
    client.close()
    return answer, session


def resumptions(like, version):
    context = context_for(versions=(version, version))
    found = {}
    for name in ("tickets", "shared", "builtin", "none", "off"):
        _, session = visit(like.ports[name], context)
        found[name] = visit(like.ports[name], context, session)[0]
    _, session = visit(like.ports["shared"], context)
    for name in ("same", "other"):
        found[name] = visit(like.ports[name], context, session)[0]
    return found


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_sessions_are_resumed_where_nginx_resumes_them(nginx_pair, issued, version):
    pair = nginx_pair(SESSIONS.format(one=ssl_of(issued["one"]), two=ssl_of(issued["two"])))
    expected = {"tickets": "r", "shared": "r", "builtin": "r", "none": ".", "off": ".", "same": "r", "other": "."}
    assert resumptions(pair.nginx, version) == resumptions(pair.portico, version) == expected


def test_cache_is_shared_by_workers_and_kept_by_a_reload(portico_nginx, issued):
    text = f"""worker_processes 4; daemon off; pid @folder@/nginx.pid; error_log @folder@/error.log info; events {{ }}
        http {{ server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} ssl_session_cache shared:S:1m; ssl_session_tickets off;
                 return 200 "$ssl_session_reused\\n"; }} }}"""
    like = portico_nginx(text)
    context = context_for(versions=(TLS12, TLS12))
    _, session = visit(like.port, context)
    for _ in range(12):
        assert visit(like.port, context, session)[0] == "r"
    like.write_conf(text.replace("$ssl_session_reused", "again $ssl_session_reused"))
    os.kill(like.pid, signal.SIGHUP)
    wait_for("the new configuration", lambda: visit(like.port, context)[0].startswith("again"))
    assert visit(like.port, context, session)[0] == "again r"


def test_session_ends_when_its_time_is_over(portico_nginx, issued):
    like = portico_nginx(f"server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} ssl_session_timeout 1s;"
                         f" return 200 \"$ssl_session_reused\\n\"; }}")
    context = context_for(versions=(TLS12, TLS12))
    _, session = visit(like.port, context)
    assert session.ticket_lifetime_hint == 1
    wait_for("the session's end", lambda: visit(like.port, context, session)[0] == ".")


@pytest.mark.parametrize("size", [48, 80])
def test_tickets_are_opened_by_whoever_has_the_keys(portico_nginx, issued, size):
    files = {"new": bytes(range(size)), "old": bytes(range(1, size + 1))}

    def machine(*keys):
        named = " ".join(f"ssl_session_ticket_key @folder@/{key};" for key in keys)
        return portico_nginx(f"""server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} {named}
                                 return 200 "$ssl_session_reused\\n"; }}""", files=files)
    old, both, none = machine("old"), machine("new", "old"), machine()
    for version in (TLS12, TLS13):
        context = context_for(versions=(version, version))
        _, session = visit(old.port, context)
        assert [visit(like.port, context, session)[0] for like in (old, both, none)] == ["r", "r", "."]
        _, session = visit(both.port, context)
        assert visit(old.port, context, session)[0] == "."


@pytest.mark.parametrize("text, words", [
    ("ssl_session_cache shared:S;", 'invalid session cache "shared:S"'),
    ("ssl_session_cache shared:S:1k;", 'session cache "shared:S:1k" is too small'),
    ("ssl_session_cache shared:S:1m; } server { listen 127.0.0.1:2 ssl; PAIR ssl_session_cache shared:S:2m;",
     'the size 2097152 of shared memory zone "S" conflicts'),
    ("ssl_session_ticket_key nginx.conf;", "must be 48 or 80 bytes long"),
    ("ssl_stapling on; ssl_stapling_file nowhere.der;", "cannot be read"),
    ("ssl_certificate_cache valid=1s;", 'must have the "max" parameter'),
])
def test_mistakes_about_sessions_are_told(run, tmp_path, issued, text, words):
    path = tmp_path / "nginx.conf"
    text = text.replace("PAIR", ssl_of(issued["one"]))
    path.write_text(f"events {{ }} http {{ server {{ listen 127.0.0.1:1 ssl; {ssl_of(issued['one'])} {text} return 204; }} }}")
    checked = run("check", path)
    assert checked.returncode == 1 and words in checked.stderr, checked.stderr


# ---- variables ----

VARIABLES = """
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:@port@ ssl; {one} ssl_verify_client optional_no_ca; ssl_client_certificate {ca};
        return 200 "$ssl_protocol|$ssl_cipher|$ssl_ciphers|$ssl_curves|$ssl_server_name|$ssl_early_data|$ssl_alpn_protocol|$ssl_client_verify|$ssl_client_s_dn|$ssl_client_i_dn|$ssl_client_serial|$ssl_client_fingerprint|$ssl_client_v_start|$ssl_client_v_end|$ssl_client_v_remain|$ssl_client_raw_cert|$ssl_client_escaped_cert"; }}
    server {{ listen 127.0.0.1:@id@ ssl; {one} ssl_session_cache shared:S:1m; return 200 "$ssl_session_id\\n"; }}
"""


@pytest.mark.parametrize("more", [
    dict(versions=(TLS12, TLS12), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"),
    dict(versions=(TLS13, TLS13)),
    dict(versions=(TLS12, TLS13), alpn=["http/1.1"]),
])
@pytest.mark.parametrize("shows", [True, False])
def test_variables_are_as_nginx_has_them(nginx_pair, issued, authority, more, shows):
    pair = nginx_pair(VARIABLES.format(one=ssl_of(issued["one"]), ca=authority.cert))
    client = authority.issue("client.example", client=True, days=29.5) if shows else None      # no whole number of days left
    answers = []
    for like in (pair.nginx, pair.portico):
        connection = TlsClient(like.port, "one.example", client=client, **more)
        answers.append(connection.request(host="one.example").body.decode())
        connection.close()
    assert answers[0] == answers[1]
    assert answers[1].count("|") == 16


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_session_id_is_a_session_s(nginx_pair, issued, version):
    pair = nginx_pair(VARIABLES.format(one=ssl_of(issued["one"]), ca=issued["one"].cert))
    for like in (pair.nginx, pair.portico):
        context = context_for(versions=(version, version))
        first, session = visit(like.ports["id"], context)
        again, _ = visit(like.ports["id"], context, session)
        assert re.fullmatch("([0-9a-f]{64})?", first) and re.fullmatch("[0-9a-f]{64}", again), like.name


def test_client_s_certificate_stands_in_a_field_on_one_line(portico_nginx, issued, authority):
    like = portico_nginx(f"""server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} ssl_verify_client on; ssl_client_certificate {authority.cert};
        add_header X-Certificate $ssl_client_cert; return 204; }}""")
    shown = authority.issue("client.example", client=True)
    client = TlsClient(like.port, "one.example", client=shown)
    value = client.request(host="one.example").get("x-certificate")
    client.close()
    assert value.replace("\t", "\n") == shown.cert.read_text().strip()


# ---- certificates that are named with variables ----

def test_certificates_are_read_when_a_client_asks_for_them(portico_nginx, issued, authority):
    like = portico_nginx("""
        map $ssl_server_name $kind { default ecdsa; ~^rsa rsa; }
        server { listen 127.0.0.1:@port@ ssl; server_name _; ssl_certificate certs/$ssl_server_name-$kind.pem;
                 ssl_certificate_key certs/$ssl_server_name-$kind.key; return 200 "$ssl_server_name\\n"; }
    """)
    folder = like.folder / "certs"
    folder.mkdir()
    rsa = authority.issue("rsa.example", key="rsa")
    for name, one in (("one.example-ecdsa", issued["one"]), ("rsa.example-rsa", rsa)):
        shutil.copy(one.cert, folder / f"{name}.pem")
        shutil.copy(one.key, folder / f"{name}.key")

    def serial(name):
        client = TlsClient(like.port, name)
        shown = client.serial
        assert client.request(host=name).body == f"{name}\n".encode()
        client.close()
        return shown
    assert serial("one.example") == issued["one"].serial
    assert serial("rsa.example") == rsa.serial
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        TlsClient(like.port, "two.example")
    like.wait_for_error(f'cannot load certificate "{folder}'.replace("/certs", "/./certs"))
    # What changes is read anew, and what comes is found.
    renewed = authority.issue("one.example", file="renewed")
    shutil.copy(renewed.cert, folder / "one.example-ecdsa.pem")
    shutil.copy(renewed.key, folder / "one.example-ecdsa.key")
    shutil.copy(issued["two"].cert, folder / "two.example-ecdsa.pem")
    shutil.copy(issued["two"].key, folder / "two.example-ecdsa.key")
    assert serial("one.example") == renewed.serial
    assert serial("two.example") == issued["two"].serial


def test_certificate_of_a_variable_s_text(portico_nginx, issued):
    one = issued["one"]
    text = one.cert.read_text().replace("\n", "\\n"), one.key.read_text().replace("\n", "\\n")
    like = portico_nginx(f"""
        map $ssl_server_name $chain {{ default "{text[0]}"; }}
        map $ssl_server_name $key {{ default "{text[1]}"; }}
        server {{ listen 127.0.0.1:@port@ ssl; ssl_certificate data:$chain; ssl_certificate_key data:$key; return 204; }}
    """)
    client = TlsClient(like.port, "one.example")
    assert client.serial == one.serial
    client.close()


def test_certificates_named_with_variables_in_yaml(portico, backend, issued, tmp_path):
    server = backend()
    for name in ("one", "two"):
        shutil.copy(issued[name].cert, tmp_path / f"{name}.example.pem")
        shutil.copy(issued[name].key, tmp_path / f"{name}.example.key")
    proxy = portico({"http": {
        "sites": {"all": {"names": ["*.example"], "tls": {
            "certificates": [{"certFile": "${ssl_server_name}.pem", "keyFile": "${tls.serverName}.key", "directory": str(tmp_path)}],
            "certificateCache": {"max": 1, "valid": "1h", "inactive": "1h"}}}},
        "routers": {"all": {"location": {"site": "all", "path": "/"}, "service": "s"}},
        "services": {"s": {"loadBalancer": {"servers": [{"url": server.url}]}}}}})

    def serial(name):
        client = TlsClient(proxy.port, f"{name}.example")
        shown = client.serial
        client.close()
        return shown
    assert serial("one") == issued["one"].serial
    (tmp_path / "one.example.pem").unlink()
    assert serial("one") == issued["one"].serial, "it is kept"
    assert serial("two") == issued["two"].serial
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        serial("one")


# ---- OCSP ----

@pytest.fixture
def responder(stack, authority, tmp_path):
    """responder(good, revoked) answers for certificates of the authority; gives its URL."""
    def start(good, revoked):
        key = tmp_path / "authority.key"
        key.write_bytes(authority._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                     serialization.NoEncryption()))
        serials = [("V", "", good), ("R", "250101000000Z", revoked)]
        hexes = {one: f"{one.serial:x}" for one in (good, revoked)}
        (tmp_path / "index").write_text("".join(
            f"{state}\t350101000000Z\t{when}\t{hexes[one].rjust((len(hexes[one]) + 1) // 2 * 2, '0').upper()}\tunknown\t/CN=x\n"
            for state, when, one in serials))
        port = free_port()
        process = Process("responder", ["openssl", "ocsp", "-index", tmp_path / "index", "-CA", authority.cert, "-rsigner", authority.cert,
                                        "-rkey", key, "-port", str(port), "-ndays", "1"], tmp_path / "responder.log")
        stack.callback(process.kill)
        process.wait_for_output("waiting for OCSP client connections")      # one that says nothing would hold it up
        return f"http://127.0.0.1:{port}"
    return start


def stapled(port, name):
    asked = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-status"],
                           input=b"", capture_output=True, timeout=60, check=False)
    return asked.stdout.decode(errors="replace")


def test_ocsp_responses_are_shown_with_certificates(portico_nginx, issued, authority, responder):
    url = responder(issued["one"], issued["two"])
    like = portico_nginx(f"""
        ssl_stapling on; ssl_stapling_verify on; ssl_stapling_responder {url}; ssl_trusted_certificate {authority.cert};
        server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; {ssl_of(issued['one'])} return 204; }}
        server {{ listen 127.0.0.1:@port@ ssl; server_name two.example; {ssl_of(issued['two'])} return 204; }}
    """)
    wait_for("a stapled response", lambda: "OCSP Response Status: successful" in stapled(like.port, "one.example"))
    assert "Cert Status: good" in stapled(like.port, "one.example")
    assert "OCSP response: no response sent" in stapled(like.port, "two.example")
    like.wait_for_error("the responder says that it was revoked")
    assert "OCSP response: no response sent" in stapled(like.port, "two.example")


def test_ocsp_responses_in_yaml(portico, backend, issued, authority, responder):
    server = backend()
    proxy = portico({"http": {
        "sites": {"a": {"names": ["one.example"], "tls": {"options": "shown", "certificates": [issued["one"].options]}}},
        "routers": {"a": {"location": {"site": "a", "path": "/"}, "service": "s"}},
        "services": {"s": {"loadBalancer": {"servers": [{"url": server.url}]}}}},
        "tls": {"options": {"shown": {"ocspStapling": {"responder": responder(issued["one"], issued["two"]), "caFiles": [str(authority.cert)]}}}}})
    wait_for("a stapled response", lambda: "Cert Status: good" in stapled(proxy.port, "one.example"))


def test_handshakes_do_not_wait_for_a_responder_that_is_silent(portico_nginx, issued, authority):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        like = portico_nginx(f"""server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} ssl_stapling on; ssl_trusted_certificate {authority.cert};
            ssl_stapling_responder http://127.0.0.1:{silent.getsockname()[1]}/; return 204; }}""")
        for _ in range(3):
            assert "OCSP response: no response sent" in stapled(like.port, "one.example")
        client = TlsClient(like.port, "one.example")
        assert client.request(host="one.example").status == 204
        client.close()


# ---- what PROXY headers say ----

def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def proxied(like, tlvs=b"", family=0x11, addresses=None):
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") + struct.pack(">HH", 123, 456) if addresses is None else addresses
    block = addresses + tlvs
    with socket.create_connection(("127.0.0.1", like.port), timeout=30) as client:
        client.sendall(b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", 0x21, family, len(block)) + block +
                       b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return Reader(lambda: client.recv(65536)).response().body.decode()


def test_what_stands_behind_addresses_of_a_proxy_header(portico_nginx):
    like = portico_nginx("""server { listen 127.0.0.1:@port@ proxy_protocol; return 200
        "$proxy_protocol_addr|$proxy_protocol_tlv_alpn|$proxy_protocol_tlv_authority|$proxy_protocol_tlv_0xae|$proxy_protocol_tlv_ssl_verify|$proxy_protocol_tlv_ssl_cn|$proxy_protocol_tlv_ssl_0x21|$proxy_protocol_tlv_netns"; }""")
    inner = tlv(0x21, b"TLSv1.3") + tlv(0x22, b"a person")
    all_of_them = tlv(1, b"h2") + tlv(2, b"a.example") + tlv(0x20, struct.pack(">BI", 1, 7) + inner) + tlv(0xae, b"own")
    assert proxied(like, all_of_them) == "192.0.2.1|h2|a.example|own|7|a person|TLSv1.3|"
    assert proxied(like) == "192.0.2.1|||||||"
    assert proxied(like, tlv(1, b"h2") + b"\x02\xff") == "192.0.2.1|h2||||||"
    assert proxied(like, family=0x41, addresses=b"abcd") == "|||||||"
