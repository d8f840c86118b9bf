"""ssl_* and proxy_ssl_*: certificates by server, versions, client certificates, TLS towards servers; beside Debian's nginx."""
import ssl

import pytest

from harness.certificates import Authority
from harness.tls import TlsClient, context_for


@pytest.fixture
def issued(authority):
    """Certificates by name, files of the test's."""
    return {"one": authority.issue("one.example", "localhost"), "two": authority.issue("two.example"),
            "rsa": authority.issue("two.example", key="rsa", file="rsa"), "client": authority.issue("client.example", client=True)}


def ssl_of(certificate):
    return f"ssl_certificate {certificate.cert}; ssl_certificate_key {certificate.key};"


def https(like, name, port="port", fields=(), target="/", **more):
    client = TlsClient(like.ports[port], name, **more)
    response = client.request(target=target, fields=fields, host=name or "localhost")
    shown = client.serial
    client.close()
    return response, shown


def test_certificate_is_the_server_s_that_is_asked_for(nginx_pair, issued):
    pair = nginx_pair(f"""
        server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; {ssl_of(issued['one'])} return 200 "one $ssl_server_name\\n"; }}
        server {{ listen 127.0.0.1:@port@ ssl; server_name two.example *.three.example ~^four; {ssl_of(issued['two'])} {ssl_of(issued['rsa'])}
                  return 200 "two $ssl_server_name\\n"; }}
    """)
    for name in ("one.example", "two.example", "a.three.example", "four.x", "unknown.example", None):
        seen = [https(like, name) for like in (pair.nginx, pair.portico)]
        assert seen[0][1] == seen[1][1], name
        assert pair.nginx.seen(seen[0][0]) == pair.portico.seen(seen[1][0]), name
    rsa_alone = dict(versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2), ciphers="ECDHE-RSA-AES128-GCM-SHA256")
    for like in (pair.nginx, pair.portico):
        assert https(like, "two.example", **rsa_alone)[1] == issued["rsa"].serial


def test_handshakes_are_rejected_for_a_server_that_says_so(nginx_pair, issued):
    pair = nginx_pair(f"""
        server {{ listen 127.0.0.1:@port@ ssl default_server; ssl_reject_handshake on; }}
        server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; {ssl_of(issued['one'])} return 204; }}
    """)
    for like in (pair.nginx, pair.portico):
        assert https(like, "one.example")[0].status == 204
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            https(like, "other.example")


def test_plain_http_on_a_tls_port_is_told_so(nginx_pair, issued):
    pair = nginx_pair(f"""
        server {{ listen 127.0.0.1:@port@ ssl; {ssl_of(issued['one'])} return 204; }}
        server {{ listen 127.0.0.1:@other@ ssl; {ssl_of(issued['one'])} error_page 497 https://$host/$request_uri; return 204; }}
        server {{ listen 127.0.0.1:@page@ ssl; {ssl_of(issued['one'])} add_header X-Seen yes always; error_page 497 =200 /page;
                  location /page {{ return 200 "$uri\\n"; }} }}
    """)
    assert b"The plain HTTP request was sent to HTTPS port" in pair.portico.get("/x").body
    assert pair.portico.get("/x").status == pair.nginx.get("/x").status == 400
    for port in ("other", "page"):
        pair.same(target="/x?y", port=port, ignoring=("body", "content-length") if port == "other" else ())


VERIFY = """
    server {{ listen 127.0.0.1:@port@ ssl; server_name on.example; {pair} ssl_verify_client on; ssl_client_certificate {ca};
              error_page 495 496 = /why; location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn\\n"; }}
              location /why {{ return 403 "$ssl_client_verify\\n"; }} }}
    server {{ listen 127.0.0.1:@port@ ssl; server_name plain.example; {pair} ssl_verify_client on; ssl_client_certificate {ca}; return 200 in; }}
    server {{ listen 127.0.0.1:@port@ ssl; server_name optional.example; {pair} ssl_verify_client optional; ssl_client_certificate {ca};
              location / {{ return 200 "$ssl_client_verify\\n"; }} }}
    server {{ listen 127.0.0.1:@port@ ssl; server_name any.example; {pair} ssl_verify_client optional_no_ca;
              location / {{ return 200 "$ssl_client_verify\\n"; }} }}
    server {{ listen 127.0.0.1:@port@ ssl; server_name off.example; {pair} location / {{ return 200 "$ssl_client_verify\\n"; }} }}
"""


def test_clients_are_let_in_by_their_certificates(nginx_pair, issued, authority, tmp_path):
    strangers = Authority(tmp_path / "strangers", "Strangers").issue("stranger.example", client=True)
    pair = nginx_pair(VERIFY.format(pair=ssl_of(issued["one"]), ca=authority.cert))
    for name in ("on", "plain", "optional", "any", "off"):
        for client in (None, issued["client"], strangers):
            answers = [https(like, f"{name}.example", client=client)[0] for like in (pair.nginx, pair.portico)]
            # The customary page names who made it.
            ignoring = ("body", "content-length") if answers[0].status == 400 else ()
            assert pair.nginx.seen(answers[0], ignoring) == pair.portico.seen(answers[1], ignoring), (name, client)


def test_host_that_asks_for_certificates_is_not_served_on_a_connection_for_another(nginx_pair, issued, authority):
    pair = nginx_pair(VERIFY.format(pair=ssl_of(issued["one"]), ca=authority.cert))
    for like in (pair.nginx, pair.portico):
        client = TlsClient(like.port, "off.example")
        assert client.request(host="on.example").status == 421, like.name
        client.close()


def test_versions_and_suites_are_the_server_s(portico_nginx, issued):
    like = portico_nginx(f"""
        server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; {ssl_of(issued['one'])} ssl_protocols TLSv1.2;
                  ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; ssl_prefer_server_ciphers on; return 200 "$ssl_protocol $ssl_cipher\\n"; }}
        server {{ listen 127.0.0.1:@port@ ssl; server_name two.example; {ssl_of(issued['two'])} ssl_protocols TLSv1.3;
                  ssl_ecdh_curve secp384r1; return 200 "$ssl_protocol $ssl_curve\\n"; }}
    """)
    assert https(like, "one.example")[0].body.startswith(b"TLSv1.2 ")
    assert https(like, "two.example")[0].body == b"TLSv1.3 secp384r1\n"
    with pytest.raises(ssl.SSLError):
        https(like, "one.example", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))


def test_http2_is_spoken_where_it_is_on(portico_nginx, issued):
    like = portico_nginx(f"""
        server {{ listen 127.0.0.1:@port@ ssl; server_name one.example; http2 on; {ssl_of(issued['one'])} return 204; }}
        server {{ listen 127.0.0.1:@port@ ssl; server_name two.example; {ssl_of(issued['two'])} return 204; }}
        server {{ listen 127.0.0.1:@old@ ssl http2; {ssl_of(issued['one'])} return 204; }}
    """)
    for port, name, chosen in (("port", "one.example", "h2"), ("port", "two.example", "http/1.1"), ("old", "x", "h2")):
        client = TlsClient(like.ports[port], name, alpn=["h2", "http/1.1"])
        assert client.socket.selected_alpn_protocol() == chosen
        client.close()


@pytest.mark.parametrize("text, words", [
    ("ssl_certificate nowhere.pem; ssl_certificate_key nowhere.key;", 'cannot load certificate "'),
    ("ssl_certificate {cert};", 'no "ssl_certificate_key" is defined for certificate "'),
    ("ssl_certificate {cert}; ssl_certificate_key {other};", "the key does not belong to the certificate"),
    ("{pair} ssl_ciphers NOTHING;", "the cipher list"),
    ("{pair} ssl_verify_client on;", "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"),
    ("{pair} ssl_protocols TLSv9;", 'invalid value "TLSv9" in "ssl_protocols" directive'),
    ("ssl_certificate $no_such_name.pem; ssl_certificate_key x.key;", "unknown variable 'no_such_name'"),
])
def test_mistakes_are_told(run, tmp_path, issued, text, words):
    one = issued["one"]
    text = text.format(cert=one.cert, other=issued["two"].key, pair=ssl_of(one)) if "$" not in text else text
    path = tmp_path / "nginx.conf"
    path.write_text(f"events {{ }} http {{ server {{ listen 127.0.0.1:1 ssl; {text} return 204; }} }}")
    checked = run("check", path)
    assert checked.returncode == 1 and words in checked.stderr, checked.stderr


PROXY = """
    server {{ listen 127.0.0.1:@port@; location / {{ proxy_pass https://127.0.0.1:@secure@; proxy_set_header Connection close; {options} }} }}
    server {{ listen 127.0.0.1:@secure@ ssl; {pair} ssl_verify_client optional_no_ca; server_name _;
              return 200 "$ssl_server_name|$ssl_client_s_dn\\n"; }}
"""


@pytest.mark.parametrize("options", [
    "",
    "proxy_ssl_server_name on; proxy_ssl_name one.example;",
    "proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca}; proxy_ssl_name one.example;",
    "proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca}; proxy_ssl_name other.example;",
    "proxy_ssl_certificate {client}; proxy_ssl_certificate_key {client_key};",
    "proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers HIGH; proxy_ssl_session_reuse off;",
])
def test_servers_are_spoken_to_as_is_said(nginx_pair, issued, authority, options):
    client = issued["client"]
    pair = nginx_pair(PROXY.format(pair=ssl_of(issued["one"]),
                                   options=options.format(ca=authority.cert, client=client.cert, client_key=client.key)))
    pair.same(ignoring=("body", "content-length") if "other.example" in options else ())


def test_sites_have_certificates_in_yaml(portico, backend, issued):
    server = backend()
    proxy = portico({"http": {
        "sites": {"a": {"names": ["a.example"], "tls": {"certificates": [issued["one"].options]}},
                  "b": {"names": ["b.example"], "tls": {"certificates": [issued["two"].options]}},
                  "none": {"names": ["none.example"], "tls": {"rejectHandshake": True}}},
        "routers": {name: {"location": {"site": name, "path": "/"}, "service": "s"} for name in ("a", "b", "none")},
        "services": {"s": {"loadBalancer": {"servers": [{"url": server.url}]}}}}})
    for name, certificate in (("a.example", "one"), ("b.example", "two"), ("elsewhere.example", "one")):
        client = TlsClient(proxy.port, name)
        assert client.serial == issued[certificate].serial, name
        assert client.request(host=name).status == 200
        client.close()
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        TlsClient(proxy.port, "none.example")
