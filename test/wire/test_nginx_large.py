"""An nginx.conf of the size that hosting companies have: it is read, tested and served like a small one."""
import subprocess

from harness.http1 import response_bytes
from harness.portico import BINARY

LINES = 20000


def server(number):
    return f"""    map $arg_kind $kind{number} {{
        default plain;
        ~^pre(?<rest{number}>.*)$ "long {number}";
        short "brief {number}";
    }}
    upstream group{number} {{
        server 127.0.0.1:@behind@ weight=2;
        server 127.0.0.1:@dead@ backup;
        keepalive 4;
    }}
    server {{
        listen 127.0.0.1:@port@;
        server_name host{number}.example *.host{number}.example ~^re{number}-\\d+\\.example$;
        add_header X-Kind $kind{number} always;
        rewrite ^/old/(.*)$ /new/$1?from={number} last;
        location / {{
            proxy_pass http://group{number};
            proxy_set_header Host $host;
            proxy_set_header X-Number {number};
            if ($arg_refused) {{
                return 403 "refused by {number}";
            }}
        }}
        location = /exact {{
            return 200 "exact {number} $server_name";
        }}
        location ~* "\\.(png|css|js){{1}}$" {{
            return 200 "asset $1 of {number}";
        }}
        location ^~ /api/ {{
            proxy_pass http://group{number}/v{number}/;
            client_max_body_size {number + 1}k;
        }}
        location ~ ^/user/(?<name>[a-z]+)/(?<page>\\d+)$ {{
            return 302 /user?name=$name&page=$page&server={number};
        }}
        error_page 404 = /exact;
    }}
"""


def large():
    """The text, and how many servers it has."""
    servers, lines = [], 0
    while lines < LINES:
        servers.append(server(len(servers)))
        lines += servers[-1].count("\n")
    return ("events { worker_connections 1024; }\ndaemon off;\npid @folder@/nginx.pid;\nhttp {\n    access_log off;\n"
            f"    variables_hash_max_size 65536;\n    include @folder@/own.conf;\n{''.join(servers)}}}\n"), len(servers)


def test_the_first_a_middle_and_the_last_of_hundreds_of_servers_answer(portico_nginx, backend):
    behind = backend(lambda request: response_bytes(200, body=f"{request.get('X-Number')} {request.get('Host')} {request.target}".encode()))
    text, count = large()
    assert text.count("\n") >= LINES and count >= 400
    like = portico_nginx(text, ports={"behind": behind.port})
    tested = subprocess.run([BINARY, "nginx", "-t", *map(str, like.arguments)], capture_output=True, text=True, check=False)
    assert tested.returncode == 0 and "test is successful" in tested.stderr, tested.stderr[-3000:]
    for number in (0, count // 2, count - 1):
        def get(target, host=f"www.host{number}.example"):
            return like.get(target, [("Host", host)])
        assert get("/a?b").text == f"{number} www.host{number}.example /a?b"
        assert get("/a", f"re{number}-7.example").text == f"{number} re{number}-7.example /a"
        assert get("/old/b%20c?d").text == f"{number} www.host{number}.example /new/b%20c?from={number}&d"
        assert get("/exact", f"host{number}.example").text == f"exact {number} host{number}.example"
        assert get("/x/y.CSS").text == f"asset CSS of {number}"
        refused = get("/?refused=1")
        assert (refused.status, refused.text) == (403, f"refused by {number}")
        assert get("/user/anna/12").get("Location").endswith(f"/user?name=anna&page=12&server={number}")
        assert [get(f"/?kind={kind}").get("X-Kind") for kind in ("none", "short", "prefix")] == ["plain", f"brief {number}", f"long {number}"]
        client = like.client()
        # the upstream's view: nothing but the prefix is replaced
        assert client.request("PUT", "/api/z", [("Host", f"host{number}.example")], b"x").text.endswith(f" /v{number}/z")
        assert client.request("PUT", "/api/z", [("Host", f"host{number}.example")], b"x" * (1024 * (number + 1) + 1)).status == 413
