"""A client that speaks TLS: what it was shown, what was agreed, and HTTP/1 on top of it."""
import ssl

from cryptography import x509

from .client import Client


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
