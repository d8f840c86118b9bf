"""Runs nginx-style configuration files where all ports are free and /etc/letsencrypt and /var/www are one's own: to be started under
`unshare --mount --net`. Arguments: the binary, the folder with `letsencrypt` and `www`, the configuration file, and for each request
a URL; what each answers is printed as a line of JSON. Servers on 127.0.0.1 say who they are and what they were asked."""
import http.client
import http.server
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

BINARY, FOLDER, FILE, *URLS = sys.argv[1:]
PORTS = (3000, 8000, 8001, 9001, 9002)


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"port": self.server.server_port, "path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def own_folders():
    """An overlay lets folders appear below /etc and /var without touching what lies there."""
    layers = os.path.join(FOLDER, "layers")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", layers], check=True)
    for target, wanted in (("etc", "letsencrypt"), ("var", "www")):
        upper, work = os.path.join(layers, target), os.path.join(layers, f"{target}-work")
        os.makedirs(upper)
        os.makedirs(work)
        subprocess.run(["cp", "-r", os.path.join(FOLDER, wanted), upper], check=True)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/{target},upperdir={upper},workdir={work}", f"/{target}"], check=True)


def ask(url):
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", 443, context=context, timeout=20)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=20)
    connection.request("GET", parts.path or "/", headers={"Host": parts.netloc})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return {"status": response.status, "fields": response.getheaders(), "body": body}


def main():
    own_folders()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for port in PORTS:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = subprocess.Popen([BINARY, "run", "--config", FILE], stdout=sys.stderr)
    for _ in range(200):
        try:
            ask("http://x/") if not URLS or URLS[0].startswith("http:") else ask(URLS[0])
            break
        except OSError:
            time.sleep(0.1)
    for url in URLS:
        print(json.dumps(ask(url)), flush=True)
    proxy.send_signal(signal.SIGTERM)
    sys.exit(proxy.wait(20))


main()
