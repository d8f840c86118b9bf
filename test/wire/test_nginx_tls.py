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


# ---- certificates that requests choose ----

@pytest.fixture
def people(authority, tmp_path):
    """A folder with a certificate and a key for each of two."""
    folder = tmp_path / "people"
    folder.mkdir()
    for name in ("ann", "bob"):
        give(folder, name, authority.issue(f"{name}.example", client=True, file=name))
    return folder


def give(folder, name, issued):
    (folder / f"{name}.crt").write_bytes(issued.cert.read_bytes())
    (folder / f"{name}.key").write_bytes(issued.key.read_bytes())


def who(like, name):
    """Whose certificate the server was shown, and on which connection."""
    response = like.request("GET", "/", [("X-Who", name)] if name else [])
    assert response.status == 200
    return response.body.decode().strip()


SHOWS = """
    upstream secure {{ server 127.0.0.1:@secure@; keepalive 8; }}
    server {{ listen 127.0.0.1:@port@; location / {{
        proxy_pass https://secure; proxy_http_version 1.1; proxy_set_header Connection "{connection}"; {options} }} }}
    server {{ listen 127.0.0.1:@secure@ ssl; {pair} ssl_verify_client optional_no_ca; server_name _;
              return 200 "$ssl_client_s_dn{more}\n"; }}
"""
BY_NAME = "proxy_ssl_session_reuse off; proxy_ssl_certificate {people}/$http_x_who.crt; proxy_ssl_certificate_key {people}/$http_x_who.key;"
BY_FILE = 'proxy_ssl_session_reuse off; proxy_ssl_certificate $file; proxy_ssl_certificate_key $file_of_key;'
MAPS = """map $http_x_who $file {{ default ""; ann {people}/ann.crt; bob {people}/bob.crt; }}
          map $http_x_who $file_of_key {{ default ""; ann {people}/ann.key; bob {people}/bob.key; }}"""


def shows(issued, people, options, connection="", more=" $connection", maps=""):
    text = SHOWS.format(pair=ssl_of(issued["one"]), options=options.format(people=people), connection=connection, more=more)
    return maps.format(people=people) + text


def test_servers_are_shown_the_certificate_that_variables_name(nginx_pair, issued, people):
    pair = nginx_pair(shows(issued, people, BY_FILE, connection="close", more="", maps=MAPS))
    for name in ("ann", "bob", None, "ann"):
        fields = [("X-Who", name)] if name else []
        assert (f"CN={name}.example" if name else "\n") in pair.same(fields=fields).body.decode()


def test_a_certificate_that_is_missing_fails_its_request_alone(nginx_pair, issued, people):
    pair = nginx_pair(shows(issued, people, BY_NAME, connection="close", more=""))
    for name in ("ann", "nobody", "bob"):
        ignoring = ("body", "content-length") if name == "nobody" else ()
        assert pair.same(fields=[("X-Who", name)], ignoring=ignoring).status == (500 if name == "nobody" else 200)
    for like in (pair.portico, pair.nginx):
        like.wait_for_error(f'cannot load certificate "{people}/nobody.crt"')


def test_a_kept_connection_serves_only_those_who_show_the_same(portico_nginx, issued, people):
    like = portico_nginx(shows(issued, people, BY_FILE, maps=MAPS))
    seen = [who(like, name) for name in ("ann", "bob", None, "ann", "bob", None, "ann")]
    assert [line.split()[0] if " " in line else "" for line in seen[:2]] == ["CN=ann.example", "CN=bob.example"]
    assert len(set(seen)) == 3 and seen[3:6] == seen[:3] and seen[6] == seen[0]


def test_a_certificate_that_has_changed_is_shown_at_once(portico_nginx, issued, people, authority):
    like = portico_nginx(shows(issued, people, BY_NAME, more=" $ssl_client_serial"))
    before = who(like, "ann")
    renewed = authority.issue("ann.example", client=True, file="renewed")
    give(people, "ann", renewed)
    after = who(like, "ann")
    assert after != before and int(after.split()[1], 16) == renewed.serial
    (people / "ann.key").write_text("no key")
    assert like.request("GET", "/", [("X-Who", "ann")]).status == 500
    assert who(like, "bob").startswith("CN=bob.example")


def test_a_certificate_cache_uses_files_unseen(portico_nginx, issued, people):
    like = portico_nginx(shows(issued, people, BY_NAME + "proxy_ssl_certificate_cache max=10 valid=1h inactive=1h;", more=""))
    assert who(like, "ann").startswith("CN=ann.example")
    (people / "ann.crt").unlink()
    assert who(like, "ann").startswith("CN=ann.example")


@pytest.mark.parametrize("more", [{}, {"disableHTTP2": True}])
def test_a_transport_shows_what_variables_name_in_yaml(portico, portico_nginx, issued, people, more):
    server = portico_nginx(f"""server {{ listen 127.0.0.1:@port@ ssl http2; {ssl_of(issued['one'])} ssl_verify_client optional_no_ca;
                               return 200 "$ssl_client_s_dn $connection\n"; }}""")
    pairs = [{"certFile": "${http_x_who}.crt", "keyFile": "${http_x_who}.key", "directory": str(people)}]
    proxy = portico({"http": {
        "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "s"}},
        "serversTransports": {"t": {"insecureSkipVerify": True, "certificates": pairs, **more}},
        "services": {"s": {"loadBalancer": {"serversTransport": "t", "servers": [{"url": f"https://127.0.0.1:{server.port}"}]}}}}},
        "--workers", "1")
    seen = [proxy.get("/", [("X-Who", name)]).body.decode() for name in ("ann", "bob", "ann", "bob")]
    assert seen[0].startswith("CN=ann.example ") and seen[1].startswith("CN=bob.example ") and seen[2:] == seen[:2]
    assert proxy.get("/", [("X-Who", "nobody")]).status == 500


def test_a_variable_of_a_certificate_that_there_is_none_of_is_a_mistake(run, tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text("events { } http { server { listen 127.0.0.1:1; location / { proxy_pass https://127.0.0.1:2; "
                    "proxy_ssl_certificate $no_such_name; proxy_ssl_certificate_key x.key; } } }")
    checked = run("check", path)
    assert checked.returncode == 1 and "unknown variable 'no_such_name'" in checked.stderr, checked.stderr


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
