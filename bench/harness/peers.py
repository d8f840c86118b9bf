"""The proxies that are compared, each with the configuration that an expert would give it for the same job.

Equal for all: one worker, keep-alive to clients and to the origin, Host passed on, X-Forwarded-For/-Proto and
X-Real-IP set, bodies streamed through buffers large enough, no limits in the way, and the same kind of access log:
one line for each request, buffered where the peer can. Where they compress, gzip's level is 1, but Portico's own
default in Portico: the size of what comes out is reported and judged. A new peer is a class here, and nothing else."""
import collections
import json
import os
import shutil
import signal
import subprocess

from .processes import Failure, ROOT


# Paths of PEM files; `both` is chain and key in one.
Certificate = collections.namedtuple('Certificate', ('chain', 'key', 'both'))


class Site:
    """What a peer is to serve: `routers` 0 is one route for everything, else Host h0.test ... each a router. With a
    certificate it speaks TLS 1.2 and 1.3 with tickets, and HTTP/1.1 and HTTP/2; without one, HTTP/1.1 in the clear.

    `needs` is one of what a peer `can`: gzip and zstd compress JSON, limit refuses all but a request in a minute from each
    address, redirect sends all to HTTPS, files gives what lies in `documents` instead of passing on. With `slow`, the path /slow goes to the origin on
    that port."""

    def __init__(self, folder, port, origin, routers=0, log=True, admin=None, certificate=None, needs='', workers=1, slow=None):
        self.folder, self.port, self.origin, self.routers = folder, port, origin, routers
        self.admin, self.certificate, self.needs, self.workers, self.slow = admin, certificate, needs, workers, slow
        self.log = os.path.join(folder, 'access.log') if log else None
        self.documents = os.path.join(folder, 'documents')

    @property
    def scheme(self):
        return 'https' if self.certificate else 'http'

    def hosts(self):
        return [f'h{i}.test' for i in range(self.routers)]


class Peer:
    kind = ''
    websocket = True
    tls = True
    callgrind = True
    most_routers = 10000
    reloads = True
    environment = None
    can = frozenset()

    def __init__(self, path, label=None):
        self.path, self.label = path, label or self.kind

    def write(self, site):
        """Writes the configuration into the site's folder (in one step, so a watcher sees it whole or not at all)."""
        for name, text in self.files(site).items():
            path = os.path.join(site.folder, name)
            with open(path + '.new', 'w') as file:
                file.write(text)
            os.replace(path + '.new', path)

    def version(self):
        out = subprocess.run([self.path, *self.version_flag], capture_output=True, text=True)
        return (out.stdout + out.stderr).strip().splitlines()[0]

    def reload(self, child, site):
        child.process.send_signal(signal.SIGHUP)


class Portico(Peer):
    """With metrics, as a user has them: http://127.0.0.1:ADMIN/metrics."""
    kind = 'portico'
    version_flag = ['version']
    can = frozenset(('gzip', 'zstd', 'limit', 'redirect', 'files', 'slow'))
    metrics = True
    traced = ''
    middlewares = {'gzip': 'compress: {encodings: [gzip]}', 'zstd': 'compress: {encodings: [zstd, gzip]}',
                   'limit': 'rateLimit: {average: 1, period: 60s, burst: 1}', 'redirect': 'redirectScheme: {scheme: https}'}

    def command(self, site):
        return [self.path, 'run', '--config', os.path.join(site.folder, 'portico.yaml')]

    def files(self, site):
        rules = [f'Host(`{host}`)' for host in site.hosts()] or ['PathPrefix(`/`)']
        more = ', tls: {}' if site.certificate else ''
        if site.needs in self.middlewares:
            more += ', middlewares: [more]'
        routers = ''.join(f'    r{i}: {{rule: "{rule}", service: origin{more}}}\n' for i, rule in enumerate(rules))
        if site.slow:
            routers += f'    slow: {{rule: "Path(`/slow`)", service: slow{more}}}\n'
        return {'portico.yaml': f'workers: {site.workers}\nentryPoints:\n  web: {{address: "127.0.0.1:{site.port}"}}\n'
                + self.watched(site) + self.tls_part(site)
                + (f'accessLog: {{filePath: "{site.log}"}}\n' if site.log else '')
                + f'http:\n  routers:\n{routers}' + self.services(site)
                + (f'  middlewares:\n    more: {{{self.middlewares[site.needs]}}}\n' if site.needs in self.middlewares else '')}

    def watched(self, site):
        """Belongs behind the entrypoints: the one for metrics is the last of them."""
        metrics = (f'  traefik: {{address: "127.0.0.1:{site.admin}"}}\nmetrics: {{prometheus: {{}}}}\n'
                   if self.metrics else '')
        return metrics + self.traced.replace('COLLECTOR', f'http://127.0.0.1:{site.origin}/0')

    @staticmethod
    def tls_part(site):
        if not site.certificate:
            return ''
        return (f'tls:\n  certificates:\n'
                f'    - {{certFile: "{site.certificate.chain}", keyFile: "{site.certificate.key}"}}\n')

    @staticmethod
    def services(site):
        ports = {'origin': site.origin, **({'slow': site.slow} if site.slow else {})}
        services = ''.join(f'    {name}:\n      loadBalancer:\n        servers: [{{url: "http://127.0.0.1:{port}"}}]\n'
                           for name, port in ports.items())
        if site.needs == 'files':
            services = f'    origin: {{files: {{root: "{site.documents}"}}}}\n'
        return f'  services:\n{services}'


class PorticoBare(Portico):
    """Without metrics."""
    kind = 'portico-bare'
    metrics = False


class PorticoSampled(Portico):
    """Metrics, and one request in a hundred traced; the origin is the collector as well."""
    kind = 'portico-sampled'
    traced = 'tracing: {sampleRate: 0.01, otlp: {http: {endpoint: "COLLECTOR"}}}\n'


class PorticoTraced(Portico):
    """Metrics, and every request traced."""
    kind = 'portico-traced'
    traced = 'tracing: {otlp: {http: {endpoint: "COLLECTOR"}}}\n'


class Nginx(Peer):
    kind = 'nginx'
    version_flag = ['-v']
    can = frozenset(('gzip', 'limit', 'redirect', 'files', 'slow'))

    def command(self, site):
        return [self.path, '-p', site.folder, '-e', os.path.join(site.folder, 'error.log'), '-c',
                os.path.join(site.folder, 'nginx.conf')]

    def files(self, site):
        common = '''proxy_http_version 1.1; proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;'''
        server = f'''
        location / {{ {self.content(site)} }}'''
        if not site.routers:
            server += f'''
        location = /ws {{ proxy_pass http://origin; {common} proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "Upgrade"; }}'''
        names = site.hosts() or ['_']
        if site.slow:
            server += f'''
        location = /slow {{ proxy_pass http://slow; }}'''
        listen, tls = f'listen 127.0.0.1:{site.port}', ''
        if site.certificate:
            listen += ' ssl http2'
            tls = (f'ssl_certificate {site.certificate.chain}; ssl_certificate_key {site.certificate.key}; '
                   'ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on;')
        servers = ''.join(f'    server {{ {listen}{" backlog=4096" + (" reuseport" if site.workers > 1 else "") if i == 0 else ""}; server_name {name}; {server} }}\n'
                          for i, name in enumerate(names))
        temporary = ' '.join(f'{name}_temp_path {site.folder}/{name};' for name in
                             ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        return {'nginx.conf': f'''
daemon off; user root; worker_processes {site.workers}; worker_rlimit_nofile 20000; pid {site.folder}/nginx.pid;
events {{ worker_connections 19000; }}
http {{
    access_log {f'{site.log} combined buffer=64k flush=1s' if site.log else 'off'};
    {temporary} {self.more(site)}
    {common} proxy_set_header Connection "";
    tcp_nodelay on; keepalive_timeout 600s; keepalive_requests 1000000000; server_names_hash_max_size 65536;
    {tls}
    client_max_body_size 0; client_body_buffer_size 256k; proxy_request_buffering off;
    proxy_buffer_size 16k; proxy_buffers 4 128k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;
    upstream origin {{ server 127.0.0.1:{site.origin}; keepalive 512; keepalive_requests 1000000000;
        keepalive_timeout 600s; }}
    {f'upstream slow {{ server 127.0.0.1:{site.slow}; keepalive 512; }}' if site.slow else ''}
{servers}}}
'''}


    @staticmethod
    def content(site):
        return {'files': f'root {site.documents};', 'redirect': 'return 302 https://$host$request_uri;'}.get(
            site.needs, 'proxy_pass http://origin;')

    @staticmethod
    def more(site):
        """gzip at nginx's default level, 1. A refused request is not told to the error log, only to the access log."""
        return {'gzip': 'gzip on; gzip_types application/json;', 'files': 'sendfile on;',
                'limit': 'limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m; limit_req zone=z; limit_req_status 429; '
                         'limit_req_log_level info;'}.get('gzip' if site.needs == 'zstd' else site.needs, '')


class PorticoNginx(Nginx):
    """Portico with nginx's very file."""
    kind = 'portico-nginx'
    version_flag = ['version']

    def command(self, site):
        return [self.path, 'nginx', *super().command(site)[1:]]


class Haproxy(Peer):
    kind = 'haproxy'
    version_flag = ['-v']
    can = frozenset(('gzip', 'limit'))

    def command(self, site):
        # With a master, since that is what reloads; the master is idle between.
        return [self.path, '-W', '-f', os.path.join(site.folder, 'haproxy.cfg')]

    def files(self, site):
        route = 'default_backend origin'
        if site.routers:
            route = f'use_backend %[req.hdr(host),map({site.folder}/hosts.map)]'
        log = '    log stdout format raw local0\n' if site.log else ''
        limit = '''    stick-table type ip size 1m expire 10m store http_req_rate(60s)
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1 }
'''
        tls = f' ssl crt {site.certificate.both} ssl-min-ver TLSv1.2 alpn h2,http/1.1' if site.certificate else ''
        return {'hosts.map': ''.join(f'{host} origin\n' for host in site.hosts()),
                'haproxy.cfg': f'''
global
    nbthread {site.workers}
    maxconn 9800
    ulimit-n 19900
{log}
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 600s
    timeout tunnel 600s
    timeout http-keep-alive 600s
    http-reuse always
    option forwardfor
    {'log global' if log else 'no log'}
    {'option httplog' if log else ''}
    {'compression algo gzip' if site.needs == 'gzip' else ''}
    {'compression type application/json' if site.needs == 'gzip' else ''}
frontend web
    bind 127.0.0.1:{site.port} backlog 4096{tls}
{limit if site.needs == 'limit' else ''}    http-request set-header X-Forwarded-Proto {site.scheme}
    http-request set-header X-Real-IP %[src]
    {route}
backend origin
    server s1 127.0.0.1:{site.origin} pool-max-conn 512 pool-purge-delay 600s
'''}

    def reload(self, child, site):
        child.process.send_signal(signal.SIGUSR2)


class Caddy(Peer):
    kind = 'caddy'
    version_flag = ['version']
    can = frozenset(('gzip', 'files'))
    callgrind = False    # valgrind does not run Go programs
    most_routers = 1000  # 10,000 take it most of a minute to load
    environment = {'GOMAXPROCS': '1', 'XDG_CONFIG_HOME': '/nonexistent', 'XDG_DATA_HOME': '/nonexistent'}

    def command(self, site):
        return [self.path, 'run', '--config', os.path.join(site.folder, 'caddy.json')]

    def files(self, site):
        proxy = {'handler': 'reverse_proxy', 'upstreams': [{'dial': f'127.0.0.1:{site.origin}'}],
                 'transport': {'protocol': 'http', 'keep_alive': {'max_idle_conns': 1024, 'max_idle_conns_per_host': 512,
                                                                  'idle_timeout': '600s'}, 'compression': False},
                 'headers': {'request': {'set': {'X-Real-Ip': ['{http.request.remote.host}']}}}}
        handlers = [proxy]
        if site.needs == 'files':
            handlers = [{'handler': 'file_server', 'root': site.documents}]
        elif site.needs == 'gzip':
            handlers.insert(0, {'handler': 'encode', 'encodings': {'gzip': {'level': 1}}, 'prefer': ['gzip']})
        routes = [{'match': [{'host': [host]}], 'handle': handlers} for host in site.hosts()] or [{'handle': handlers}]
        server = {'listen': [f'127.0.0.1:{site.port}'], 'routes': routes, 'automatic_https': {'disable': True},
                  'idle_timeout': '600s'}
        apps = {'http': {'servers': {'web': server}}}
        if site.certificate:
            server['protocols'] = ['h1', 'h2']
            server['tls_connection_policies'] = [{'protocol_min': 'tls1.2'}]
            apps['tls'] = {'certificates': {'load_files': [{'certificate': site.certificate.chain,
                                                            'key': site.certificate.key}]}}
        logs = {'default': {'level': 'ERROR'}}
        if site.log:
            server['logs'] = {}
            logs['default'] = {'exclude': ['http.log.access'], 'level': 'ERROR'}
            logs['access'] = {'include': ['http.log.access'], 'writer': {'output': 'file', 'filename': site.log}}
        return {'caddy.json': json.dumps({
            'admin': {'listen': f'127.0.0.1:{site.admin}', 'config': {'persist': False}},
            'logging': {'logs': logs}, 'apps': apps})}

    def reload(self, child, site):
        subprocess.run([self.path, 'reload', '--config', os.path.join(site.folder, 'caddy.json'), '--address',
                        f'127.0.0.1:{site.admin}'], check=True, capture_output=True)


class H2o(Peer):
    kind = 'h2o'
    version_flag = ['-v']
    can = frozenset(('gzip', 'files'))
    websocket = False
    reloads = False      # needs a second program (start_server) above it

    def command(self, site):
        return [self.path, '-m', 'worker', '-c', os.path.join(site.folder, 'h2o.yaml')]

    def files(self, site):
        content = f'proxy.reverse.url: "http://127.0.0.1:{site.origin}/"'
        if site.needs == 'files':
            content = f'file.dir: {site.documents}'
        hosts = ''.join(f'''  "{host}":
    paths:
      "/":
        {content}
''' for host in site.hosts() or ['default'])
        tls = ''
        if site.certificate:
            tls = (f', ssl: {{certificate-file: {site.certificate.chain}, key-file: {site.certificate.key}, '
                   'minimum-version: TLSv1.2}')
        return {'h2o.yaml': f'''
user: root
num-threads: {site.workers}
max-connections: 18000
pid-file: {site.folder}/h2o.pid
error-log: {site.folder}/error.log
{f'access-log: {site.log}' if site.log else ''}
listen: {{host: 127.0.0.1, port: {site.port}{tls}}}
limit-request-body: 1073741824
http1-request-timeout: 600
proxy.timeout.keepalive: 600000
proxy.timeout.io: 600000
proxy.preserve-host: ON
{'compress: {gzip: 1}' if site.needs == 'gzip' else ''}
hosts:
{hosts}'''}


class Varnish(Peer):
    kind = 'varnish'
    version_flag = ['-V']
    can = frozenset(('gzip',))
    tls = False
    callgrind = False
    reloads = False
    most_routers = 0

    def command(self, site):
        return [self.path, '-j', 'none', '-F', '-n', os.path.join(site.folder, 'work'), '-a', f'127.0.0.1:{site.port}', '-f',
                os.path.join(site.folder, 'default.vcl'), '-s', 'malloc,64m', '-p', 'thread_pools=1',
                '-p', 'timeout_idle=600', '-p', 'gzip_level=1', '-T', 'none']

    def files(self, site):
        return {'default.vcl': f'''vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{site.origin}"; }}
sub vcl_recv {{
    set req.http.X-Forwarded-Proto = "http";
    if (req.http.Upgrade ~ "(?i)websocket") {{ return (pipe); }}
    return (pass);
}}
sub vcl_backend_response {{ {'set beresp.do_gzip = true;' if site.needs == 'gzip' else ''} }}
sub vcl_pipe {{ if (req.http.upgrade) {{ set bereq.http.upgrade = req.http.upgrade;
    set bereq.http.connection = req.http.connection; }} }}
'''}


# Those whose names begin like another's stand before it.
KINDS = {peer.kind: peer for peer in (PorticoBare, PorticoSampled, PorticoTraced, PorticoNginx, Portico, Nginx, Haproxy, Caddy, H2o, Varnish)}
PROGRAMS = {'varnish': 'varnishd'}


def find(kind, portico):
    """The path of a peer's program as the distribution installs it, or None."""
    if kind.startswith('portico'):
        return os.path.abspath(portico) if os.path.exists(portico) else None
    return shutil.which(PROGRAMS.get(kind, kind), path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')


def choose(text, portico, default):
    """The peers that `text` names: kinds, paths (the file's name tells the kind), or label=path, with commas between.

    Without a text, those of `default` that are installed; a missing one is then left out with a word about it."""
    chosen = []
    for word in filter(None, (part.strip() for part in (text or '').split(','))):
        label, _, path = word.rpartition('=')
        kind = next((kind for kind in KINDS if os.path.basename(path).startswith(kind)), None)
        if kind is None:
            raise Failure(f"'{word}': no such peer; there are {', '.join(KINDS)}, or a path to one")
        found = os.path.abspath(path) if '/' in path else find(kind, portico)
        if not found or not os.path.exists(found):
            raise Failure(f"{kind}: {path if '/' in path else portico if kind.startswith('portico') else kind} is not there")
        taken = [peer.label for peer in chosen]
        name = label or (kind if kind not in taken else f'{kind} {len(taken)}')
        chosen.append(KINDS[kind](found, name))
    if chosen:
        return chosen
    for kind in default:
        path = find(kind, portico)
        if path:
            chosen.append(KINDS[kind](path))
        else:
            print(f'{kind}: not there, left out')
    return chosen


DEFAULT_PORTICO = os.path.join(ROOT, 'build', 'portico')
