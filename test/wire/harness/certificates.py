"""Certificates for tests: an authority made anew, and what it signs. Files lie in a folder of the test's own."""
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEYS = {"ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate}


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.UniformResourceIdentifier(name) if "://" in name else x509.DNSName(name)


def _write(path, text, mode=0o644):
    """In one step, as certbot and its like do."""
    temporary = path.with_name("." + path.name)
    temporary.write_bytes(text)
    temporary.chmod(mode)
    os.replace(temporary, path)
    return path


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Issued:
    """A certificate with its key: `cert` (with the chain) and `key` are paths, `serial` tells it from others."""

    def __init__(self, cert, key, certificate):
        self.cert, self.key, self.certificate = cert, key, certificate

    @property
    def serial(self):
        return self.certificate.serial_number

    @property
    def options(self):
        """As in tls.certificates."""
        return {"certFile": str(self.cert), "keyFile": str(self.key)}


class Authority:
    def __init__(self, folder, name="Test Authority"):
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        self._key = KEYS["ecdsa"]()
        self._certificate = self._sign(self._key.public_key(), name, [], 3650, authority=True)
        self.cert = _write(folder / "ca.pem", _pem(self._certificate))

    def _sign(self, public_key, common_name, names, days, authority=False, usage=None, issuer=None, began_days_ago=1):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(_name(common_name)).issuer_name(_name(self.name))
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=began_days_ago))
                   .not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, *names, key="ecdsa", days=30, file=None, client=False, began_days_ago=1):
        """A certificate for `names`, in files named `file` (the first name without it). `days` < 0: it has expired."""
        private = KEYS[key]()
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        certificate = self._sign(private.public_key(), names[0][:60], [] if client else names, days, usage=usage,
                                 began_days_ago=began_days_ago)
        stem = file or names[0].replace("*", "wildcard") + "-" + key
        text = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())
        key_path = _write(self.folder / f"{stem}.key", text, 0o600)
        return Issued(_write(self.folder / f"{stem}.pem", _pem(certificate)), key_path, certificate)
