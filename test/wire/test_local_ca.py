"""The local CA's root: `portico trust` brings it into the stores of roots, `portico untrust` takes it out again.

The system's store is one in a folder of the test's own (--root), browsers' stores are in a home of the test's own: this
machine is never changed.
"""
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.certificates import Authority
from harness.portico import BINARY

ANCHORS = {"Debian": "usr/local/share/ca-certificates", "Fedora": "etc/pki/ca-trust/source/anchors",
           "Arch": "etc/ca-certificates/trust-source/anchors"}
needs_debian = pytest.mark.skipif(not shutil.which("update-ca-certificates"), reason="not a Debian system")
needs_certutil = pytest.mark.skipif(not shutil.which("certutil"), reason="libnss3-tools is not installed")


class Place:
    """A machine's files, a home and a CA's directory."""

    def __init__(self, folder, run):
        self.ca, self.root, self.home = folder / "ca", folder / "root", folder / "home"
        self._run = run
        for path in ("usr/local/share/ca-certificates", "usr/share/ca-certificates", "etc/ssl/certs", "etc/ca-certificates/update.d"):
            (self.root / path).mkdir(parents=True)
        Authority(self.root / "usr/share/ca-certificates", "Another root")
        (self.root / "etc/ca-certificates.conf").write_text("ca.pem\n")
        self.home.mkdir()

    def make_fedora(self, people):
        shutil.rmtree(self.root)
        (self.root / ANCHORS[people]).mkdir(parents=True)

    def run(self, *arguments, **env):
        return self._run(*arguments, env={"HOME": str(self.home), "SUDO_UID": "", **env})

    def system(self, command, *arguments):
        return self.run(command, "--root", self.root, "--directory", self.ca, *arguments)

    @property
    def anchors(self):
        return sorted(path.name for path in (self.root / ANCHORS["Debian"]).iterdir())

    @property
    def bundle(self):
        return self.root / "etc/ssl/certs/ca-certificates.crt"

    def make_database(self, path=".pki/nssdb"):
        folder = self.home / path
        folder.mkdir(parents=True)
        subprocess.run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"], check=True)
        return folder


@pytest.fixture
def place(tmp_path, run):
    return Place(tmp_path, run)


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def roots_of(database):
    listed = subprocess.run(["certutil", "-L", "-d", f"sql:{database}"], check=True, capture_output=True, text=True).stdout
    return [line.split()[:4] + line.split()[-1:] for line in listed.splitlines() if line.startswith("Portico local CA")]


def test_trust_makes_the_ca_whose_keys_nobody_else_can_read(place):
    result = place.system("trust")
    assert (place.ca / "root.crt").exists(), result.stderr
    assert stat.S_IMODE(place.ca.stat().st_mode) == 0o700
    for name in ("root.key", "intermediate.key"):
        assert stat.S_IMODE((place.ca / name).stat().st_mode) == 0o600
    root, intermediate = certificate(place.ca / "root.crt"), certificate(place.ca / "intermediate.crt")
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 1
    assert 3650 <= (root.not_valid_after - root.not_valid_before).days <= 3653
    assert 364 <= (intermediate.not_valid_after - intermediate.not_valid_before).days <= 366
    verified = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", place.ca / "root.crt", place.ca / "intermediate.crt"],
                              capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr


class Server:
    """An HTTPS server with a certificate that the CA's intermediate signed."""

    def __init__(self, ca, folder):
        issuer = certificate(ca / "intermediate.crt")
        signer = serialization.load_pem_private_key((ca / "intermediate.key").read_bytes(), None)
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
                .issuer_name(issuer.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(issuer.not_valid_before).not_valid_after(issuer.not_valid_after)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False).sign(signer, hashes.SHA256()))
        pem = folder / "server.pem"
        pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption())
                        + leaf.public_bytes(serialization.Encoding.PEM) + (ca / "intermediate.crt").read_bytes())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            except OSError:
                plain.close()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def curl(port, bundle):
    return subprocess.run(["curl", "-sS", "--cacert", bundle, "--connect-to", f"::127.0.0.1:{port}", "https://localhost/"],
                          capture_output=True, text=True, timeout=30)


@needs_debian
def test_a_client_of_the_systems_store_trusts_the_ca_until_it_is_untrusted(place, stack, tmp_path):
    result = place.system("trust")
    assert result.returncode == 0, result.stderr
    assert "the system trusts it" in result.stdout
    server = Server(place.ca, tmp_path)
    stack.callback(server.stop)
    answer = curl(server.port, place.bundle)
    assert (answer.returncode, answer.stdout) == (0, "hello"), answer.stderr
    result = place.system("untrust")
    assert result.returncode == 0, result.stderr
    assert place.anchors == []
    assert place.bundle.read_text().count("BEGIN CERTIFICATE") == 1
    assert curl(server.port, place.bundle).returncode in (60, 77)


@needs_debian
def test_trust_twice_is_trust_once(place):
    assert place.system("trust").returncode == 0
    first, root = place.anchors, (place.ca / "root.crt").read_bytes()
    assert place.system("trust").returncode == 0
    assert place.anchors == first and len(first) == 1
    assert (place.ca / "root.crt").read_bytes() == root
    assert place.bundle.read_text().count("BEGIN CERTIFICATE") == 2


def test_untrust_works_when_nothing_is_installed_and_touches_nothing_else(place):
    others = ["company.crt", "portico-company.crt", "portico-12345678.crt.bak"]
    for name in others:
        (place.root / ANCHORS["Debian"] / name).write_text("not ours")
    result = place.run("untrust", "--root", place.root)
    assert result.returncode == 0, result.stderr
    assert "holds no root of Portico" in result.stdout
    assert place.anchors == sorted(others)
    assert not place.ca.exists()


@needs_debian
def test_untrust_without_a_directory_removes_all_and_with_one_removes_that(place, tmp_path):
    other = tmp_path / "other"
    assert place.system("trust").returncode == 0
    mine = place.anchors
    assert place.run("trust", "--root", place.root, "--directory", other).returncode == 0
    assert len(place.anchors) == 2
    assert place.run("untrust", "--root", place.root, "--directory", other).returncode == 0
    assert place.anchors == mine
    shutil.rmtree(place.ca)
    assert place.run("untrust", "--root", place.root).returncode == 0
    assert place.anchors == []


@pytest.mark.parametrize("people, program", [("Fedora", "update-ca-trust"), ("Arch", "trust")])
def test_on_another_system_the_root_is_put_in_place_and_what_must_be_run_is_said(place, people, program):
    place.make_fedora(people)
    result = place.system("trust")
    assert result.returncode == 0, result.stderr
    assert f"now {program}" in result.stdout and "must be run" in result.stdout
    assert [path.read_bytes() for path in (place.root / ANCHORS[people]).iterdir()] == [(place.ca / "root.crt").read_bytes()]
    assert place.system("untrust").returncode == 0
    assert list((place.root / ANCHORS[people]).iterdir()) == []


def test_a_system_without_a_known_store_is_said_to_have_none(place):
    shutil.rmtree(place.root)
    place.root.mkdir()
    result = place.system("trust")
    assert result.returncode == 0
    assert f"add {place.ca}/root.crt to it by hand" in result.stdout


@needs_debian
def test_json_tells_each_store_and_its_state(place):
    told = json.loads(place.system("trust", "--json").stdout)
    assert told["root"] == f"{place.ca}/root.crt"
    store, = told["stores"]
    assert (store["store"], store["state"]) == ("system", "installed")
    assert store["path"] == f"{place.root}/{ANCHORS['Debian']}/portico-{told['id']}.crt"
    told = json.loads(place.run("untrust", "--root", place.root, "--json").stdout)
    assert [store["state"] for store in told["stores"]] == ["removed"]


@needs_certutil
def test_browsers_of_this_user_trust_it_until_it_is_untrusted(place):
    chrome, firefox = place.make_database(), place.make_database(".mozilla/firefox/ab12.default")
    result = place.run("trust", "--only", "browsers", "--directory", place.ca)
    assert result.returncode == 0, result.stderr
    for database in (chrome, firefox):
        (*name, flags), = roots_of(database)
        assert name[:3] == ["Portico", "local", "CA"] and flags == "C,,"
    assert place.run("trust", "--only", "browsers", "--directory", place.ca).returncode == 0
    assert len(roots_of(chrome)) == 1
    result = place.run("untrust", "--only", "browsers")
    assert result.returncode == 0, result.stderr
    assert roots_of(chrome) == roots_of(firefox) == []
    assert "no browser's store holds a root" in place.run("untrust", "--only", "browsers").stdout


@pytest.mark.skipif(bool(shutil.which("certutil", path="/usr/sbin:/sbin")), reason="certutil lies where it is always looked for")
def test_without_certutil_it_says_how_to_get_it(place):
    (place.home / ".pki/nssdb").mkdir(parents=True)
    (place.home / ".pki/nssdb/cert9.db").write_bytes(b"")
    result = place.run("trust", "--only", "browsers", "--directory", place.ca, PATH="/nowhere")
    assert result.returncode == 0, result.stderr
    assert "apt install libnss3-tools" in result.stdout and f"import {place.ca}/root.crt" in result.stdout
    result = place.run("untrust", "--only", "browsers", PATH="/nowhere")
    assert result.returncode == 0, result.stderr
    assert "apt install libnss3-tools" in result.stdout


def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(place):
    assert place.system("trust").returncode == 0
    (place.ca / "root.key").chmod(0o644)
    (place.ca / "root.crt").unlink()
    result = place.system("trust")
    assert result.returncode == 1
    assert f"chmod 600 {place.ca}/root.key" in result.stderr


@needs_debian
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_who_may_not_write_there_is_told_the_command_for_root(place):
    anchors = place.root / ANCHORS["Debian"]
    assert place.system("trust").returncode == 0
    before = place.anchors
    anchors.chmod(0o555)
    # Also root is bound by the mode of a folder without this capability.
    plain = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    for command in ("trust", "untrust"):
        result = subprocess.run([*plain, BINARY, command, "--root", place.root, "--directory", place.ca],
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 1
        assert f"needs root: sudo {BINARY} {command} --only system --directory {place.ca}" in result.stderr
    assert place.anchors == before
    anchors.chmod(0o755)


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["extra"], ["--sideways"]])
def test_wrong_uses_are_refused(place, arguments):
    for command in ("trust", "untrust"):
        result = place.run(command, *arguments)
        assert result.returncode == 2
        assert "usage: portico " + command in result.stderr
