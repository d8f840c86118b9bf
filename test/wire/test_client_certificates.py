"""What servers and the access log are told of a client's certificate and of its TLS."""
import base64
import datetime
import ssl
import threading
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives import serialization

from harness import backend as act
from harness.portico import to
from harness.tls import TlsClient, context_for

WHOLE, TOLD = "X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info"
ALL = {"passTLSClientCert": {"pem": True, "info": {"serialNumber": True, "notBefore": True, "notAfter": True, "sans": True,
                                                   "subject": {"commonName": True}, "issuer": {"commonName": True}}}}
FORGED = [(WHOLE, "forged"), (TOLD, "forged"), ("X_Forwarded_Tls_Client_Cert", "forged"),
          ("x-forwarded-tls-client-cert-info", "forged")]


def mutual(url, authority, middleware=ALL, **sections):
    """HTTPS that asks for a certificate of `authority` and takes none for an answer."""
    tls = {"certificates": [authority.issue("localhost").options],
           "options": {"default": {"clientAuth": {"clientAuthType": "VerifyClientCertIfGiven",
                                                  "caFiles": [str(authority.cert)]}}}}
    return to(url, router={"tls": {}}, middlewares={"certificate": middleware}, tls=tls, **sections)


def connect(proxy, **more):
    client = TlsClient(proxy.port, **more)
    proxy.clients.append(client)
    return client


def expected(issued):
    """As Traefik writes it."""
    certificate = issued.certificate
    began, ends = (int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())
                   for moment in (certificate.not_valid_before, certificate.not_valid_after))
    return (f'Subject="CN=friend";Issuer="CN=Test Authority";SerialNumber="{certificate.serial_number}";'
            f'NB="{began}";NA="{ends}"')


def told(request):
    """The fields that name a client's certificate, in any spelling."""
    return {name: value for name, value in request.fields if "client" in name.lower() and "cert" in name.lower()}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_servers_are_told_of_the_certificate_on_each_request(portico, backend, authority, version):
    server, friend = backend(), authority.issue("friend", client=True)
    proxy = portico(mutual(server.url, authority))
    client = connect(proxy, client=friend, versions=(version, version))
    der = friend.certificate.public_bytes(serialization.Encoding.DER)
    for _ in range(2):
        assert client.request(fields=FORGED).status == 200
        fields = told(server.last)
        assert fields.keys() == {WHOLE, TOLD}
        assert fields[WHOLE] == base64.b64encode(der).decode()
        assert unquote_plus(fields[TOLD]) == expected(friend)


def test_a_resumed_connection_tells_the_same(portico, backend, authority):
    server, friend = backend(), authority.issue("friend", client=True)
    proxy = portico(mutual(server.url, authority))
    context = context_for(client=friend, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    first = connect(proxy, context=context)
    assert first.request().status == 200
    second = connect(proxy, context=context, session=first.socket.session)
    assert second.request().status == 200 and second.socket.session_reused
    assert told(server.requests[0]) == told(server.requests[1]) and WHOLE in told(server.last)


def test_nothing_is_told_where_no_certificate_was_shown(portico, backend, authority):
    server = backend()
    proxy = portico(mutual(server.url, authority))
    assert connect(proxy).request(fields=FORGED).status == 200
    assert told(server.last) == {}


def test_plain_requests_cannot_forge_a_certificate(portico, backend):
    server = backend()
    for middlewares in ({"certificate": ALL}, None):
        assert portico(to(server.url, middlewares=middlewares)).get(fields=FORGED).status == 200
        assert told(server.last) == {}


def test_only_what_is_asked_for_is_told(portico, backend, authority):
    server, friend = backend(), authority.issue("friend", client=True)
    proxy = portico(mutual(server.url, authority, {"passTLSClientCert": {"info": {"subject": {"commonName": True}}}}))
    assert connect(proxy, client=friend).request().status == 200
    assert told(server.last) == {TOLD: "Subject%3D%22CN%3Dfriend%22"}


def test_the_access_log_tells_of_tls(portico, backend, authority):
    server, friend = backend(), authority.issue("friend", client=True)
    config = mutual(server.url, authority)
    config["http"]["routers"]["plain"] = {"rule": "Path(`/plain`)", "service": "main"}
    proxy = portico(config)
    for target, client in (("/with", friend), ("/without", None)):
        connection = connect(proxy, client=client)
        assert connection.request("GET", target).status == 200
        line, = proxy.access(where=lambda line: line["RequestPath"] == target)
        assert line["TLSVersion"] == "1.3" and line["TLSCipher"] == connection.socket.cipher()[0]
        assert line.get("TLSClientSubject") == ("CN=friend" if client else None)
    proxy.get("/plain")
    line, = proxy.access(where=lambda line: line["RequestPath"] == "/plain")
    assert not any(name.startswith("TLS") for name in line)


def test_the_access_log_tells_of_tls_when_the_client_left(portico, raw_server, authority):
    asked, gone = threading.Event(), threading.Event()
    server = raw_server([act.request, lambda play: asked.set(), act.wait_on(gone), act.close])
    proxy = portico(mutual(server.url, authority))
    client = connect(proxy, client=authority.issue("friend", client=True))
    client.send_request()
    assert asked.wait(30)
    client.reset()
    line, = proxy.access()
    gone.set()
    assert line["DownstreamStatus"] == 499 and line["TLSVersion"] == "1.3" and line["TLSClientSubject"] == "CN=friend"
