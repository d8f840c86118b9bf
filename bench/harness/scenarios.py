"""What is measured: each scenario is a kind of load, and what Portico must cost beside nginx.

`must` is the CPU time per request as a ratio to Debian's nginx in the same rounds."""
import dataclasses
import fnmatch

from .processes import Failure


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    path: str = '/0'
    size: int = 2
    connections: int = 64
    must: float | None = None
    options: tuple = ()     # more for the load generator
    post: int = 0
    routers: int = 0        # Host routers in the peer's configuration; 0 is one route for everything
    websocket: bool = False
    tls: bool = False
    streams: int = 0        # HTTP/2, with so many streams at a time on each connection
    needs: str = ''         # what the peers must do more than pass on: gzip, zstd, limit, redirect or files
    encoding: str = ''      # how answers are encoded; their size is then reported
    status: int = 200
    peers: tuple = ()       # only these kinds; empty: all that can

    def encoding_of(self, peer):
        """nginx knows no zstd: beside that it does the best it can."""
        return 'gzip' if self.encoding and peer and self.encoding not in peer.can else self.encoding

    def load_options(self, peer=None):
        options = ['--path', self.path, '--size', self.size, '--connections', self.connections, *self.options]
        if self.post:
            options += ['--post', self.post]
        if self.routers:
            options += ['--hosts', self.routers]
        if self.tls:
            options += ['--tls']
        if self.streams:
            options += ['--h2', self.streams]
        if self.encoding:
            options += ['--accept', ACCEPTED[self.encoding], '--encoding', self.encoding_of(peer)]
        if self.status != 200:
            options += ['--status', self.status, '--also', 200, '--any-size']
        return options

    def serves(self, peer):
        return ((peer.websocket or not self.websocket) and (peer.tls or not self.tls) and
                self.routers <= peer.most_routers and (not self.peers or peer.kind.split('-')[0] in self.peers) and
                (not self.needs or self.needs in peer.can or self.encoding_of(peer) in peer.can))

    def clients(self):
        """The connections, in words."""
        return f'{self.connections} connections' + (f' of {self.streams} streams' if self.streams else '')


KIB = 1024
ACCEPTED = {'gzip': 'gzip', 'zstd': 'gzip, zstd'}
ALL = [
    Scenario('h1-small', 'keep-alive, 2-byte answer', must=0.78),
    Scenario('h1-1k', 'keep-alive, 1 KiB', '/1k', KIB, must=0.78),
    Scenario('h1-10k', 'keep-alive, 10 KiB', '/10k', 10 * KIB, must=0.78),
    Scenario('h1-100k', 'keep-alive, 100 KiB', '/100k', 100 * KIB, 32, must=0.68),
    Scenario('h1-1m', 'keep-alive, 1 MiB', '/1m', KIB * KIB, 16, must=0.50),
    Scenario('h1-10m', 'keep-alive, 10 MiB', '/10m', 10 * KIB * KIB, 8, must=0.45),
    Scenario('h1-close', 'a new client connection for each request', must=0.90, options=('--close',)),
    Scenario('post-100k', 'POST of 100 KiB, 2-byte answer', connections=32, post=100 * KIB, must=0.75),
    Scenario('websocket', 'echo of 128-byte frames', '/ws', options=('--websocket', 128), websocket=True, must=0.98),
    Scenario('tls-small', 'TLS 1.3, keep-alive, 2-byte answer', tls=True, must=0.85),
    Scenario('tls-10k', 'TLS 1.3, keep-alive, 10 KiB', '/10k', 10 * KIB, tls=True, must=0.88),
    Scenario('tls-handshake', 'a full TLS 1.3 handshake for each request', tls=True, options=('--handshake', 'full'),
             must=0.92),
    Scenario('tls-resumed', 'a TLS 1.3 handshake resumed by ticket for each request', tls=True,
             options=('--handshake', 'resumed'), must=0.88),
    Scenario('h2-small', 'HTTP/2 over TLS, 2-byte answer', connections=8, tls=True, streams=32, must=0.60),
    Scenario('h2-10k', 'HTTP/2 over TLS, 10 KiB', '/10k', 10 * KIB, 8, tls=True, streams=32, must=0.72),
    Scenario('gzip-100k', '100 KiB of JSON, compressed with gzip', '/json', 100 * KIB, 16, needs='gzip', encoding='gzip', must=0.65),
    Scenario('zstd-100k', '100 KiB of JSON for who takes gzip and zstd: zstd from Portico, gzip from nginx', '/json', 100 * KIB, 16,
             needs='zstd', encoding='zstd', must=0.30, peers=('portico', 'nginx')),
    Scenario('limited', '429 for nearly every request', needs='limit', status=429, must=0.80),
    Scenario('redirect', 'a redirect to HTTPS', needs='redirect', status=302),
    Scenario('files-10k', 'a file of 10 KiB', '/10k', 10 * KIB, needs='files'),
    Scenario('routers-10', '10 Host routers, 2-byte answer', routers=10),
    Scenario('routers-1000', '1,000 Host routers, 2-byte answer', routers=1000, must=0.78),
    Scenario('routers-10000', '10,000 Host routers, 2-byte answer', routers=10000),
]


def choose(text):
    """The scenarios that `text` names, with commas between; * and ? as in file names. Without a text: all."""
    chosen = []
    for word in filter(None, (part.strip() for part in (text or '*').split(','))):
        found = [scenario for scenario in ALL if fnmatch.fnmatch(scenario.name, word)]
        if not found:
            raise Failure(f"'{word}': no such scenario; there are {', '.join(s.name for s in ALL)}")
        chosen += [scenario for scenario in found if scenario not in chosen]
    return chosen
