"""Brings origin, peers and load together: what every benchmark does first."""
import functools
import gzip
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
import zlib

from .peers import Certificate, Site
from .processes import Failure, ROOT

TOOLS = os.path.join(ROOT, 'build', 'bench')
PATTERN = b'0123456789abcde\n'
ERRORS = ('lost', 'broken', 'refused', 'bad_handshake', 'not_resumed', 'bad_status', 'bad_size', 'bad_encoding', 'stuck')


def build_tools():
    # The jobs of a make that we were called by are not ours to use.
    environment = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    if subprocess.run(['make', '-s', '-C', ROOT, 'bench-tools'], env=environment).returncode != 0:
        raise Failure('the tools in build/bench could not be built')


def start_origin(stage):
    port = stage.port()
    child = stage.start('origin', [os.path.join(TOOLS, 'origin'), str(port)], stage.load_cpu)
    stage.wait_for_port(child, port)
    return port


@functools.cache
def make_certificate(stage):
    """A key on P-256 and its own signature, for every name that the benchmarks ask for; the same for all peers."""
    certificate = Certificate(*(stage.path(name) for name in ('chain.pem', 'key.pem', 'both.pem')))
    made = subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                           '-days', '30', '-subj', '/CN=bench.test', '-addext', 'subjectAltName=DNS:bench.test,DNS:*.test',
                           '-keyout', certificate.key, '-out', certificate.chain], capture_output=True, text=True)
    if made.returncode != 0:
        raise Failure(f'openssl made no certificate:\n{made.stderr}')
    with open(certificate.both, 'w') as both:
        for part in (certificate.chain, certificate.key):
            with open(part) as file:
                both.write(file.read())
    return certificate


def write_documents(folder):
    os.mkdir(folder)
    with open(os.path.join(folder, '10k'), 'wb') as file:
        file.write(PATTERN * (10240 // len(PATTERN)))


class Server:
    """A peer that runs, with its site."""

    def __init__(self, stage, peer, origin, routers=0, log=True, wrap=(), patience=30.0, tls=False, cpus=None, wait=True,
                 **more):
        self.stage, self.peer = stage, peer
        folder = stage.path(peer.kind)
        os.mkdir(folder)
        certificate = make_certificate(stage) if tls else None
        self.site = Site(folder, stage.port(), origin, routers, log, stage.port(), certificate, **more)
        if self.site.needs == 'files':
            write_documents(self.site.documents)
        peer.write(self.site)
        self.started = time.monotonic()
        self.child = stage.start(peer.kind, [*wrap, *peer.command(self.site)], cpus or stage.proxy_cpu, cwd=folder,
                                 environment=peer.environment, realtime=stage.realtime)
        if not wait:
            return
        stage.wait_for_port(self.child, self.site.port, patience)

    @property
    def pid(self):
        return self.child.pid

    def stop(self, **how):
        self.child.stop(**how)

    def load(self, *options, **more):
        return run_load(self.stage, self.site.port, *options, **more)

    def reload(self, origin, host='bench.test'):
        """Points the peer at another origin, and waits until it answers from there. Returns the seconds that took."""
        self.site.origin = origin
        self.peer.write(self.site)
        began = time.monotonic()
        self.peer.reload(self.child, self.site)
        while fetch(self.site, '/who', host)[1] != str(origin).encode():
            if time.monotonic() > began + 20:
                raise Failure(f'{self.peer.label}: a reload had no effect for 20 s:\n{self.child.explain()}')
            time.sleep(0.01)
        return time.monotonic() - began


class Crowd:
    """Slow clients and others beside the load, see bench/crowd.c: begin, measure, and say what they got in `end`."""

    def __init__(self, server, **options):
        self.server = server
        words = [word for name, value in options.items() if value for word in (f'--{name}', str(value))]
        command = [os.path.join(TOOLS, 'crowd'), '--address', f'127.0.0.1:{server.site.port}', *words]
        self.child = server.stage.start('crowd', command, server.stage.load_cpu, stdout=subprocess.PIPE)

    def end(self):
        self.child.process.send_signal(signal.SIGTERM)
        out = self.child.process.communicate()[0]
        self.server.stage.children.remove(self.child)
        return parse(out, self.child)


def longest_turn(server):
    """The longest turn of the worker's loop since it was last asked, in seconds; None where the peer does not tell."""
    if not getattr(server.peer, 'metrics', False):
        return None
    with urllib.request.urlopen(f'http://127.0.0.1:{server.site.admin}/metrics', timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return max(float(line.split()[-1]) for line in lines if line.startswith('portico_worker_longest_turn_seconds{'))


def load_command(stage, port, *options):
    return [os.path.join(TOOLS, 'load'), '--address', f'127.0.0.1:{port}', *map(str, options)]


def run_load(stage, port, *options):
    """Runs the load generator to its end and returns its report."""
    child = stage.start('load', load_command(stage, port, *options), stage.load_cpu, stdout=subprocess.PIPE)
    try:
        out = child.process.communicate()[0]
    finally:
        child.stop(patience=0.0)
        stage.children.remove(child)
    return parse(out, child)


def parse(out, child):
    """The first line of what the load generator `child` wrote."""
    try:
        return json.loads(out.splitlines()[0])
    except (IndexError, ValueError):
        raise Failure(f'load failed:\n{child.explain()}') from None


def errors(report):
    """The wrong answers in a load report, as text; empty when all were right."""
    return ', '.join(f'{report[name]} {name}' for name in ERRORS if report[name])


def fetch(site, path, host='bench.test', body=None, headers=None):
    """One request in HTTP/1.1: status and content; 0 and what went wrong when there is no answer."""
    connection = http.client.HTTPConnection('127.0.0.1', site.port, timeout=20)
    try:
        if site.certificate:
            context = ssl.create_default_context(cafile=site.certificate.chain)
            connection.connect()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request('POST' if body else 'GET', path, body=body, headers={'Host': host, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode()
    finally:
        connection.close()


def decoded(content, encoding):
    """The content without its encoding; as it is where that cannot be taken off."""
    try:
        if encoding == 'gzip':
            return gzip.decompress(content)
        if encoding == 'zstd':
            return subprocess.run(['zstd', '-dcq'], input=content, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise Failure(f'{encoding} is not installed: what comes in it cannot be checked') from None
    except (OSError, EOFError, zlib.error, subprocess.CalledProcessError):
        pass
    return content


@functools.cache
def original(port, path):
    """What the origin itself answers."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    connection.request('GET', path)
    content = connection.getresponse().read()
    connection.close()
    return content


def verify(server, scenario):
    """One request, whose answer is compared byte for byte with what the origin has."""
    site, encoding = server.site, scenario.encoding_of(server.peer)
    headers = {'Accept-Encoding': encoding} if encoding else {}
    host = 'h0.test' if scenario.routers else 'bench.test'
    status, content = fetch(site, scenario.path, host, b'x' * scenario.post or None, headers)
    if status == scenario.status != 200:
        return
    if status != 200 or decoded(content, encoding) != original(site.origin, scenario.path):
        raise Failure(f'{server.peer.label} {scenario.name}: a wrong answer to {scenario.path}: status {status}, '
                      f'{len(content)} bytes instead of {scenario.size}: {content[:200]!r}\n{server.child.explain()}')


class Progress:
    """One line on a terminal that says what runs; silent elsewhere."""

    def __init__(self):
        self.shown = sys.stderr.isatty()

    def say(self, text):
        if self.shown:
            print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)

    def clear(self):
        self.say('')
