"""Clients that speak TLS: what they were shown, what was agreed, and HTTP/1 on top of it; and one whose every byte below TLS
the test decides."""
import ssl

from cryptography import x509

from .client import Client
from .http1 import Reader
from .portico import to


def over_tls(url, *certificates, options=None, router=None, **sections):
    """The configuration: everything over TLS to one server."""
    tls = {"certificates": [certificate.options for certificate in certificates]}
    if options:
        tls["options"] = options
    return to(url, router={"tls": {}, **(router or {})}, tls=tls, **sections)


def context_for(authority=None, client=None, alpn=None, versions=None, ciphers=None):
    """Verifies against `authority` (harness.certificates) or nothing; shows `client` (Issued)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = authority is not None
    context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(str(getattr(authority, "cert", authority)))
    if client:
        context.load_cert_chain(str(client.cert), str(client.key))
    if alpn:
        context.set_alpn_protocols(alpn)
    if ciphers:
        context.set_ciphers(ciphers)
    if versions:
        context.minimum_version, context.maximum_version = versions
    return context


class TlsClient(Client):
    """`name` is the server_name (None: none is sent). More is context_for's, or `context` whole."""

    def __init__(self, port, name="localhost", context=None, session=None, host="127.0.0.1", patience=None, **more):
        super().__init__(port, host, **({"patience": patience} if patience else {}))
        context = context or context_for(**more)
        plain = self.socket
        try:
            self.socket = context.wrap_socket(plain, server_hostname=name, session=session)
        except Exception:
            plain.close()
            raise

    @property
    def shown(self):
        """The certificate that the server showed."""
        return x509.load_der_x509_certificate(self.socket.getpeercert(binary_form=True))

    @property
    def serial(self):
        return self.shown.serial_number

    @property
    def names(self):
        return self.shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


class BareTls(Client):
    """TLS in memory above a plain socket: the test sends its bytes (`hello`, `flush`), or only some of them."""

    def __init__(self, port, name="localhost", context=None, host="127.0.0.1", receive_buffer=None, **more):
        super().__init__(port, host, receive_buffer=receive_buffer)
        self._incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or context_for(**more)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.tls = context.wrap_bio(self._incoming, self.outgoing, server_hostname=name)
        self.reader = Reader(self._receive_plain)

    def hello(self):
        """The bytes of the first flight."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self.outgoing.read()
        raise AssertionError("a handshake without a server")

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.socket.sendall(data)

    def _feed(self):
        data = self._receive()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return bool(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self.flush()
                return self
            except ssl.SSLWantReadError:
                self.flush()
                assert self._feed(), "the end within a handshake"

    def send(self, data):
        """Each call is a record of its own."""
        self.tls.write(data if isinstance(data, bytes) else data.encode("latin-1"))
        self.flush()
        return self

    def _receive_plain(self):
        """b"" behind a close_notify alone: the end without one is ssl.SSLEOFError."""
        while True:
            try:
                return self.tls.read(1 << 16)
            except ssl.SSLWantReadError:
                self._feed()
            except ssl.SSLZeroReturnError:
                return b""

    def say_goodbye(self):
        """close_notify, and nothing after it; what comes is still read."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()
        return self
