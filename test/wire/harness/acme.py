"""A CA for tests: pebble, with pebble-challtestsrv as the DNS that it asks. Every name leads to 127.0.0.1 unless told otherwise."""
import base64
import json
import shutil
import ssl
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key

from .certificates import Authority
from .ports import free_port
from .process import Process
from .waiting import wait_for

EAB_KID = "kid-1"
EAB_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Pebble:
    """Validates at 127.0.0.1:`http_port` and :`tls_port`: give them to the proxy's entrypoints, or say what they are. `validity`:
    seconds that its certificates last. `eab`: accounts need external binding, with EAB_KID and EAB_KEY. `env`: PEBBLE_* variables.
    `host`: the address that it is asked at."""

    def __init__(self, folder, validity=3600, eab=False, env=None, host="127.0.0.1", http_port=None, tls_port=None):
        if not shutil.which("pebble") or not shutil.which("pebble-challtestsrv"):
            pytest.skip("no pebble here")
        folder.mkdir()
        self.folder = folder
        self.http_port, self.tls_port = http_port or free_port(), tls_port or free_port()
        self.port, self.management_port, self.dns_port, self.dns_management_port = (free_port() for _ in range(4))
        self.authority = Authority(folder / "own", name="pebble's own CA")
        own = self.authority.issue("localhost", "127.0.0.1", *{host} - {"127.0.0.1"})
        self.directory = f"https://{'localhost' if host == '127.0.0.1' else host}:{self.port}/dir"
        self.config_path = folder / "pebble.json"
        self.config = {"pebble": {
            "listenAddress": f"{host}:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management_port}",
            "certificate": str(own.cert), "privateKey": str(own.key), "httpPort": self.http_port, "tlsPort": self.tls_port,
            "ocspResponderURL": "", "externalAccountBindingRequired": eab,
            **({"externalAccountMACKeys": {EAB_KID: EAB_KEY}} if eab else {}),
            "certificateValidityPeriod": validity}}
        self.config_path.write_text(json.dumps(self.config))
        self.env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0", **(env or {})}
        self.dns = Process("challtestsrv", ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.dns_port}", "-defaultIPv4", "127.0.0.1",
                                            "-defaultIPv6", "", "-management", f"127.0.0.1:{self.dns_management_port}", "-http01", "",
                                            "-https01", "", "-tlsalpn01", ""], folder / "dns.log")
        self.dns.wait_for_port(self.dns_management_port)
        self.process = None

    def start(self):
        """A pebble that is started again has forgotten everything, and has another root."""
        self.process = Process("pebble", ["pebble", "-config", self.config_path, "-dnsserver", f"127.0.0.1:{self.dns_port}", "-strict"],
                               self.folder / "pebble.log", env=self.env)
        wait_for("pebble's directory", self._answers)
        return self

    def _answers(self):
        assert self.process.running(), self.process.output
        try:
            return self.get(self.directory)
        except OSError:
            return None

    def kill(self):
        if self.process:
            self.process.kill()

    def stop(self):
        self.kill()
        self.dns.kill()

    def get(self, url):
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        with urllib.request.urlopen(url, context=context, timeout=10) as response:
            return response.read()

    def root(self, number=0):
        """The file of the root that certificates are to be verified with."""
        path = self.folder / f"root{number}.pem"
        path.write_bytes(self.get(f"https://localhost:{self.management_port}/roots/{number}"))
        return path

    def tell_dns(self, what, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.dns_management_port}/{what}", json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def resolver(self, storage, **more):
        """The options of a certificatesResolver that uses it."""
        return {"acme": {"email": "owner@example.com", "storage": str(storage), "caServer": self.directory,
                         "caCertificates": [str(self.authority.cert)], **more}}

    @property
    def ports(self):
        return {"web": self.http_port, "websecure": self.tls_port}

    @property
    def log(self):
        return self.process.output

    def deactivate(self, account):
        """What its owner can do to an account: `account` is a storage's, with an elliptic key (of a directory)."""
        key = load_der_private_key(base64.b64decode(account["PrivateKey"]), None)
        uri = account["Registration"]["uri"]
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        new_nonce = json.loads(self.get(self.directory))["newNonce"]
        with urllib.request.urlopen(urllib.request.Request(new_nonce, method="HEAD"), context=context, timeout=10) as response:
            nonce = response.headers["Replay-Nonce"]
        protected = _base64url(json.dumps({"alg": "ES256", "kid": uri, "nonce": nonce, "url": uri}).encode())
        payload = _base64url(json.dumps({"status": "deactivated"}).encode())
        r, s = decode_dss_signature(key.sign(f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA256())))
        body = json.dumps({"protected": protected, "payload": payload,
                           "signature": _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}).encode()
        request = urllib.request.Request(uri, body, {"Content-Type": "application/jose+json"})
        urllib.request.urlopen(request, context=context, timeout=10).close()
