"""Every version, key and protocol with a client of everyday's: what was agreed, and that large bodies pass unharmed."""
import hashlib
import subprocess

import pytest

from harness import backend as act
from harness.http1 import build
from harness.tls import over_tls

SIZE = 50 * 1000 * 1000
PIECE = bytes(range(251)) * 1000      # no power of two: shifted bytes would be seen
VERSIONS = {"1.2": ["--tlsv1.2", "--tls-max", "1.2"], "1.3": ["--tlsv1.3"]}
PROTOCOLS = {"1.1": ["--http1.1"], "2": ["--http2"]}
KEYS = {"rsa": "rsaEncryption", "ecdsa": "id-ecPublicKey", "ed25519": "ED25519"}


def digest_body(play):
    """Reads the body of a known length and answers with its checksum."""
    play.heads.append(play.reader.request_head())
    left, sum = int(play.heads[-1].get("Content-Length")), hashlib.sha256()
    while left:
        data = play.reader.take(min(left, len(play.reader.buffer) or 1))
        sum.update(data)
        left -= len(data)
    play.connection.sendall(build("HTTP/1.1 200 Fine", [("Content-Length", 64)], sum.hexdigest().encode()))


def pour(play):
    """Answers with SIZE bytes."""
    play.heads.append(play.reader.request_head())
    play.connection.sendall(build("HTTP/1.1 200 Fine", [("Content-Length", SIZE)]))
    for at in range(0, SIZE, len(PIECE)):
        play.connection.sendall(PIECE[:min(len(PIECE), SIZE - at)])


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.bin"
    with open(path, "wb") as file:
        for at in range(0, SIZE, len(PIECE)):
            file.write(PIECE[:min(len(PIECE), SIZE - at)])
    return path


def sum_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def curl(proxy, authority, *arguments):
    run = subprocess.run(["curl", "-sS", "--cacert", authority.cert, "--resolve", f"localhost:{proxy.port}:127.0.0.1", "-w",
                          "%{http_version} %{http_code} %{ssl_verify_result}", *arguments,
                          f"https://localhost:{proxy.port}/"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def shown(proxy, version):
    """What openssl says of the connection."""
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-servername", "localhost", "-showcerts",
                          f"-tls{version.replace('.', '_')}"], input="", capture_output=True, text=True, timeout=60)
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=run.stdout, capture_output=True, text=True, timeout=60)
    return run.stdout, text.stdout


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda name: "h2" if name == "2" else "h1")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_large_bodies_pass_unharmed(portico, raw_server, authority, tmp_path, large, version, key, protocol):
    server = raw_server([pour], [digest_body])
    proxy = portico(over_tls(server.url, authority.issue("localhost", key=key), workers=1))
    agreed, certificate = shown(proxy, version)
    assert f"TLSv{version}" in agreed and f"Public Key Algorithm: {KEYS[key]}" in certificate

    how, wanted = VERSIONS[version] + PROTOCOLS[protocol], f"{protocol} 200 0"
    down, sum = tmp_path / "down.bin", tmp_path / "sum"
    assert curl(proxy, authority, *how, "-o", down) == wanted
    assert sum_of(down) == sum_of(large)
    down.unlink()
    server.close_connections()
    assert curl(proxy, authority, *how, "-T", large, "-o", sum) == wanted
    assert sum.read_text() == sum_of(large)
    for line in proxy.access(2):
        assert line["TLSVersion"] == version and line["RequestProtocol"] == ("HTTP/2.0" if protocol == "2" else "HTTP/1.1")
