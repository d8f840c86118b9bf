"""A real browser before the proxy: a page with many images and a WebSocket over one HTTP/2 connection."""
import base64
import hashlib
import json
import os
import shutil
import struct
import threading
import zlib

import pytest
from cryptography.hazmat.primitives import serialization

from harness.http1 import response_bytes
from harness.process import Process
from harness.tls import over_tls

IMAGES = 200
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Tells the server what became of it all.
PAGE = """<!doctype html><meta charset=utf-8><title>page</title><body><script>
const images = [];
for (let number = 0; number < %d; number++) {
    const image = new Image();
    image.src = '/image/' + number + '.png';
    images.push(image.decode().then(() => image.naturalWidth, error => String(error)));
}
const echo = new Promise(done => {
    const socket = new WebSocket('wss://' + location.host + '/ws'), large = 'x'.repeat(100000);
    const got = [];
    socket.onopen = () => { socket.send('hello'); socket.send(large); };
    socket.onmessage = event => {
        got.push(event.data === large ? 'large' : event.data);
        if (got.length === 2) socket.close(1000);
    };
    socket.onerror = () => got.push('error');
    socket.onclose = event => done({ got, code: event.code });
});
Promise.all([Promise.all(images), echo]).then(([widths, socket]) => {
    const entries = performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('.png'));
    const protocols = entries.map(entry => entry.nextHopProtocol);
    protocols.push(performance.getEntriesByType('navigation')[0].nextHopProtocol);
    return fetch('/report', { method: 'POST', body: JSON.stringify({ widths, socket, protocols }) });
});
</script>""" % IMAGES


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Site:
    """What the browser is given, and what it reports."""

    def __init__(self):
        self.report, self.reported = None, threading.Event()

    def __call__(self, request):
        if request.target == "/report":
            self.report = json.loads(request.body)
            self.reported.set()
            return response_bytes(body=b"thanks")
        if request.target.startswith("/image/"):
            width = int(request.target[len("/image/"):-len(".png")]) % 50 + 1
            return response_bytes(fields=[("Content-Type", "image/png")], body=png(width, 40))
        return response_bytes(fields=[("Content-Type", "text/html")], body=PAGE.encode())


def key_hash(issued):
    """As --ignore-certificate-errors-spki-list wants it."""
    spki = issued.certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def browse(folder, url, issued):
    return Process("chromium", [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                                "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}",
                                f"--ignore-certificate-errors-spki-list={key_hash(issued)}", "--remote-debugging-port=0",
                                "--host-resolver-rules=MAP localhost 127.0.0.1", url],
                   folder / "chromium.log", env={"HOME": str(folder)})


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_a_page_with_images_and_a_websocket_loads_over_http_2(portico, backend, whoami, authority, stack, tmp_path):
    site, issued = Site(), authority.issue("localhost")
    config = over_tls(backend(site).url, issued)
    config["http"]["routers"]["socket"] = {"rule": "Path(`/ws`)", "service": "socket", "priority": 1000, "tls": {}}
    config["http"]["services"]["socket"] = {"loadBalancer": {"servers": [{"url": whoami().url}]}}
    proxy = portico(config)
    browser = browse(tmp_path, f"https://localhost:{proxy.port}/", issued)
    stack.callback(browser.kill)
    assert site.reported.wait(90), browser.output[-3000:] + proxy.log[-3000:]
    report = site.report
    assert report["widths"] == [number % 50 + 1 for number in range(IMAGES)]
    assert report["protocols"] == ["h2"] * (IMAGES + 1)
    assert report["socket"] == {"got": ["hello", "large"], "code": 1000}
    images = proxy.access(IMAGES, where=lambda line: line["RequestPath"].startswith("/image/"))
    assert {line["DownstreamStatus"] for line in images} == {200}
    assert {line["RequestProtocol"] for line in images} == {"HTTP/2.0"}
    assert len({line["ClientPort"] for line in images}) == 1
    # RFC 8441: the socket is a stream beside the others.
    line, = proxy.access(where=lambda line: line["RequestPath"] == "/ws")
    assert line["RequestProtocol"] == "HTTP/2.0" and line["ClientPort"] == images[0]["ClientPort"], line
