"""`portico check nginx.conf`: nginx's own messages with a caret, and what nginx never says."""
import json

import pytest


@pytest.fixture
def check(run, tmp_path):
    """check(conf, *flags) -> (exit code, what was said), the file's name being nginx.conf."""
    def call(conf, *flags):
        path = tmp_path / "nginx.conf"
        path.write_text(conf)
        result = run("check", *flags, path)
        return result.returncode, (result.stdout + result.stderr).replace(str(path), "nginx.conf").replace(str(tmp_path), "DIR")
    return call


def http(server):
    return "events { }\nhttp {\n    server {\n        listen 8080;\n" + server + "\n    }\n}\n"


def test_good_file_is_good(check):
    code, said = check(http("location / { return 204; }"))
    assert code == 0 and said.startswith("nginx.conf: good: ")


@pytest.mark.parametrize("front", ["", "# a comment\n" * 150000], ids=["servers", "comments"])
def test_a_file_of_megabytes_is_known_for_what_it_is(run, tmp_path, front):
    path = tmp_path / "named-otherwise"
    servers = "".join(f"server {{ listen 127.0.0.1:1; server_name s{number}.example; return 200 {'x' * 1000}; }}\n" for number in range(1200))
    path.write_text(f"{front}events {{ }}\nhttp {{\n{servers}}}\n")
    assert path.stat().st_size > 1 << 20
    result = run("check", path)
    assert result.returncode == 0 and f"{path}: good: " in result.stdout, result.stdout + result.stderr


def test_all_mistakes_are_told_in_one_run_with_carets(check):
    code, said = check(http("        lisen 80;\n        location / { sendfile yes; return; proxy_cache zone; }"))
    assert code == 1
    assert ('nginx.conf:5:9: error: unknown directive "lisen"\n'
            ' 5 |         lisen 80;\n'
            '   |         ^~~~~ did you mean "listen"?\n') in said
    assert 'error: invalid value "yes" in "sendfile" directive, it must be "on" or "off"' in said
    assert 'error: invalid number of arguments in "return" directive' in said
    assert 'error: unknown directive "proxy_cache"' in said and "this version of Portico caches nothing" in said


@pytest.mark.parametrize("directive, instead", [
    ("fastcgi_pass 127.0.0.1:9000;", "Portico speaks HTTP to applications"),
    ("uwsgi_pass 127.0.0.1:9000;", "--http-socket"),
    ("sub_filter a b;", "changes no text in bodies"),
    ("js_content a.b;", "there is no njs"),
    ("perl a;", "there is no Perl"),
    ("image_filter test;", "does not change images"),
    ("secure_link $arg_a;", "auth_request"),
    ("slice 1m;", "leave it out"),
    ("content_by_lua_block { ngx.say(1); }", "there is no Lua"),
])
def test_what_portico_lacks_names_what_to_use_instead(check, directive, instead):
    code, said = check(http(f"location / {{ {directive} }}"))
    assert code == 1 and said.count("error: ") == 1
    assert f'unknown directive "{directive.split()[0]}"' in said and instead in said


@pytest.mark.parametrize("block", ["stream { server { listen 1; proxy_pass a; } }", "mail { server { protocol imap; } }"])
def test_blocks_of_other_protocols_are_one_mistake(check, block):
    code, said = check("events { }\n" + block + "\n")
    assert code == 1 and said.count("error: ") == 1 and "keep nginx" in said


def test_harmless_directives_are_noted_once(check):
    code, said = check(http("open_file_cache max=1000; location / { open_file_cache off; return 204; }"))
    assert code == 0
    assert said.count('"open_file_cache" has no effect: ') == 1 and "error" not in said


def test_mistake_within_an_included_file_is_told_there(check, tmp_path):
    (tmp_path / "site.inc").write_text("server {\n    listen 8080;\n    return 204\n}\n")
    code, said = check("events { }\nhttp { include *.inc; }\n")
    assert code == 1
    assert "DIR/site.inc:4:1: error: unexpected \"}\"" in said and "is a ';' missing behind '204'?" in said


def test_variable_that_is_unknown_is_shown_in_its_word(check):
    code, said = check(http("location / { return 200 \"a \\\"b\\\" $no_such_thing c\"; }"))
    assert code == 1
    line = next(line for line in said.splitlines() if line.lstrip().startswith("|"))
    source = next(line for line in said.splitlines() if "$no_such_thing" in line and " | " in line)
    assert source[line.index("^"):].startswith(("$no_such_thing", "no_such_thing"))


# What each lint says, and a file beside it about which it says nothing.
LINTS = [
    ("location /app { proxy_pass http://127.0.0.1:1/; }", 'of "/app/users" the upstream will see "//users"',
     "location /app/ { proxy_pass http://127.0.0.1:1/; }"),
    ("location /app/ { proxy_pass http://127.0.0.1:1/api; }", 'of "/app/users" the upstream will see "/apiusers"',
     "location /app { proxy_pass http://127.0.0.1:1; }"),
    ("location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }",
     "clients can forge this",
     "location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-Forwarded-For $remote_addr; }"),
    ("proxy_set_header Host $host; location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-A a; }",
     '"proxy_set_header" here drops the fields of the level outside: Host (line 5)',
     "proxy_set_header Host $host; location / { proxy_pass http://127.0.0.1:1; proxy_set_header Host a; }"),
    ("add_header X-Frame-Options DENY; location / { add_header X-A a; return 204; }", 'drops "X-Frame-Options"',
     "add_header X-Frame-Options DENY; location / { add_header_inherit merge; add_header X-A a; return 204; }"),
    ("location ^~ /img/ { return 204; } location ~ ^/img/.*\\.gif$ { return 403; }", 'location "^/img/.*\\.gif$" can never match',
     "location ^~ /img/ { return 204; } location ~ ^/img?/.*\\.gif$ { return 403; }"),
    ("location ~ \\.gif$ { return 204; } location ~ \\.gif$ { return 403; }", 'location "\\.gif$" can never match',
     "location ~ \\.gif$ { return 204; } location ~* \\.gif$ { return 403; }"),
    ("location ~ ^/ { return 204; } location /a { return 403; }", 'location "/a" can never match',
     "location ~ ^/b { return 204; } location /a { return 403; }"),
    ("location / { if ($arg_a) { add_header X-A a; } if ($arg_b) { add_header X-A b; } return 204; }",
     'this "add_header" does not hold: the last one counts',
     "location / { if ($arg_a) { add_header X-A a; } if ($arg_b) { return 403; } return 204; }"),
    ("location / { if (!-e $request_filename) { return 404; } return 204; }", '"try_files" looks for files without an "if"',
     "location / { if ($arg_a) { return 404; } return 204; }"),
    ("location / { proxy_pass http://backend.invalid; }", 'nginx resolves "backend.invalid" once',
     "location / { proxy_pass http://127.0.0.1:1; }"),
    ("server_name a.example; return 204; } server { listen 8080; server_name a.example b.example; return 204;",
     'conflicting server name "a.example" on 0.0.0.0:8080, ignored',
     "server_name a.example; return 204; } server { listen 8080; server_name b.example; return 204;"),
    ("location /static { alias /srv/files/; }", '"/static../x" is "/srv/files/../x"',
     "location /static/ { alias /srv/files/; }"),
    ("location /static/ { alias /srv/files; }", '"/static/file" is "/srv/filesfile"',
     "location /static/ { alias /srv/files/; }"),
    ("location / { try_files $uri /x; if ($arg_a) { set $a 1; } }", 'where this is true "try_files" of the location does not hold',
     "location / { try_files $uri /x; if ($arg_a) { return 403; } }"),
]


@pytest.mark.parametrize("bad, message, good", LINTS)
def test_lints(check, bad, message, good):
    code, said = check(http(bad))
    assert code == 0 and message in said
    code, said = check(http(good))
    assert code == 0 and message not in said


def test_location_that_stands_there_twice_is_an_error(check):
    code, said = check(http("location /a { return 204; } location ^~ /a { return 403; } location = /a { return 404; }"))
    assert code == 1 and said.count("error: ") == 1 and 'duplicate location "/a"' in said


def test_lints_are_there_for_programs(check):
    code, said = check(http("location /app { proxy_pass http://127.0.0.1:1/; }"), "--json")
    items = json.loads(said)
    assert code == 0 and [item["severity"] for item in items] == ["warning"] and items[0]["line"] == 5


def test_file_of_twenty_thousand_lines_is_read(check):
    locations = "".join(f"location /p{i}/ {{ return 200 {i}; }}\n" for i in range(50))
    servers = "".join(f"server {{\nlisten 8080;\nserver_name s{i}.example;\n{locations}}}\n" for i in range(370))
    conf = "events { }\nhttp {\n" + servers + "}\n"
    assert conf.count("\n") > 19_900
    code, said = check(conf)
    assert code == 0 and "good: " in said
