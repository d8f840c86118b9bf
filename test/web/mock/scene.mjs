// The world that the stand-in tells of: routers and servers with traffic that moves, and the troubles that are asked for.
const NAMES = ['shop', 'api', 'auth', 'blog', 'assets', 'search', 'payments', 'admin', 'metrics', 'images', 'legacy', 'docs', 'status', 'websocket'];
const ENDS = Array.from({ length: 21 }, (_, i) => 1000 * 2 ** (i - 14)).concat([null]);
const ago = seconds => new Date(Date.now() - 1000 * seconds).toISOString();
const noise = (low, high) => low + Math.random() * (high - low);
const pick = list => list[Math.floor(Math.random() * list.length)];
const CONTAINERS = [
    { provider: 'docker', id: 'a1', name: 'shop-api-1', image: 'shop/api:7', state: 'served', mistake: false, reason: null, hint: null, routers: ['api@docker'], servers: ['http://10.0.0.2:8000'] },
    { provider: 'docker', id: 'a2', name: 'shop-api-2', image: 'shop/api:7', state: 'leaving', mistake: false, reason: 'it got its stop signal', hint: null, routers: ['api@docker'], servers: ['http://10.0.0.3:8000'] },
    { provider: 'docker', id: 'a3', name: 'shop-web-1', image: 'shop/web:7', state: 'notReady', mistake: true, reason: 'nothing listens on 10.0.0.4:8000: does the application listen on 127.0.0.1 only?', hint: 'uvicorn needs --host 0.0.0.0', routers: ['web@docker'], servers: ['http://10.0.0.4:8000'] },
    { provider: 'docker', id: 'a4', name: 'shop-db-1', image: 'postgres:16', state: 'leftOut', mistake: false, reason: 'exposedByDefault is off and it has no label traefik.enable=true', hint: null, routers: [], servers: [] },
];

export class Scene {
    constructor(kind, count, canWrite) {
        Object.assign(this, { kind, canWrite, number: 0, listeners: new Set(), requestListeners: new Set(), audit: [], requests: [], resting: new Set() });
        this.build(kind === 'empty' ? 0 : count);
        this.history = Array.from({ length: 300 }, (_, i) => this.moment(Date.now() - 1000 * (300 - i)));
        setInterval(() => this.tick(), 1000).unref();
        for (let i = 0; i < 60 && count && kind !== 'empty'; i++)
            this.addRequest(Date.now() - (60 - i) * 700);
    }

    build(count) {
        const names = Array.from({ length: count }, (_, i) => i < NAMES.length ? NAMES[i] : `tenant-${String(i).padStart(5, '0')}`);
        if (count > 12)
            names[10] = 'the-legacy-application-that-nobody-dares-to-rename-since-2009-and-its-reports';
        this.routers = names.map((name, i) => ({
            name: `${name}@${i % 4 === 3 ? 'docker' : 'file'}`, entryPoints: i % 3 === 0 ? ['web', 'websecure'] : ['websecure'], service: `${name}@${i % 4 === 3 ? 'docker' : 'file'}`,
            rule: `Host(\`${name}.example.com\`)` + (i % 2 ? ' && PathPrefix(`/v1`)' : ''), priority: 30 + i % 40, priorityStr: String(30 + i % 40), middlewares: i % 2 ? ['secure-headers@file', 'limit@file'] : [],
            status: this.kind === 'troubled' && i === 9 ? 'disabled' : 'enabled', error: this.kind === 'troubled' && i === 9 ? ["middleware 'limiter@file' does not exist"] : undefined,
            provider: i % 4 === 3 ? 'docker' : 'file', using: ['websecure'], tls: i % 3 ? { options: 'default' } : undefined, source: `portico.yaml:${12 + 6 * i}:5`,
        }));
        this.services = names.map((name, i) => ({
            name: `${name}@${i % 4 === 3 ? 'docker' : 'file'}`, type: i === 1 ? 'weighted' : 'loadBalancer', status: 'enabled', usedBy: [`${name}@${i % 4 === 3 ? 'docker' : 'file'}`], provider: i % 4 === 3 ? 'docker' : 'file',
            ...(i === 1 ? { weighted: { services: [{ name: 'shop@file', weight: 9 }, { name: 'auth@file', weight: 1 }] } }
                : { loadBalancer: { servers: this.serversOf(i).map(url => ({ url, weight: 1 })), strategy: 'wrr', passHostHeader: true } }),
            source: `portico.yaml:${200 + 8 * i}:5`,
        }));
        this.middlewares = count === 0 ? [] : [['secure-headers', 'headers', { headers: { stsSeconds: 31536000 } }], ['limit', 'rateLimit', { rateLimit: { average: 100, burst: 50 } }],
            ['breaker', 'circuitBreaker', { circuitBreaker: { expression: 'NetworkErrorRatio() > 0.30' } }], ['inflight', 'inFlightReq', { inFlightReq: { amount: 64 } }]]
            .map(([name, type, more]) => ({ name: `${name}@file`, type: type.toLowerCase(), status: 'enabled', usedBy: this.routers.filter(r => r.middlewares.includes(`${name}@file`)).slice(0, 50).map(r => r.name), provider: 'file', ...more }));
        this.servers = this.services.flatMap((service, i) => (service.loadBalancer?.servers || []).map(({ url }, j) => ({
            service: service.name, url, state: 'ready', why: null, since: ago(86400 * 2), configuredState: 'ready', orderedState: null, weight: 1, orderedWeight: null, active: 0, requests: 0, errors: 0,
            p50: 3 + i, p95: 12 + i * 2, addresses: [url.slice(7)], checkStatus: 200, responseMs: 2.25, load: (1 / (1 + i)) * (j + 1),
        })));
        if (this.kind === 'troubled') {
            Object.assign(this.servers[3] || {}, { state: 'down', why: 'the server refused the connection (connect to 10.0.0.13:8000: Connection refused), 3 times in a row', since: ago(340) });
            Object.assign(this.servers[5] || {}, { state: 'draining', orderedState: 'draining', why: 'ordered by admin', since: ago(60) });
        }
    }

    serversOf(i) {
        return Array.from({ length: 1 + i % 3 }, (_, j) => `http://10.0.${i % 250}.${10 + j}:8000`);
    }

    moment(at) {
        const wave = this.kind === 'empty' ? 0 : 900 + 500 * Math.sin(at / 40000) + noise(-80, 80);
        const requests = Math.round(Math.max(0, wave)), errors = this.kind === 'troubled' ? Math.round(requests * noise(0.002, 0.07)) : 0;
        const heat = ENDS.map((_, i) => Math.round(requests * (0.5 * Math.exp(-((i - 7) ** 2) / 3) + 0.08 * Math.exp(-((i - 12) ** 2) / 2) + (i === 17 ? 0.002 : 0)) * noise(0.7, 1.3)));
        return { requests, errors, refused: Math.round(requests * 0.02), bytesIn: requests * 420, bytesOut: requests * 14200, p50: 7 + noise(0, 2), p95: 48 + noise(0, 20), p99: 130 + noise(0, 90), heat };
    }

    share(weight) {
        const now = this.history.at(-1), requests = Math.round(now.requests * weight * noise(0.85, 1.15));
        const errors = this.kind === 'troubled' ? Math.round(requests * (weight > 0.2 ? 0.002 : weight > 0.12 ? 0.09 : 0)) : 0;
        return { requests, errors, refused: Math.round(requests / 60), bytesIn: requests * 400, bytesOut: requests * 14000, p50: 6 + noise(0, 2), p95: 40 + noise(0, 20), p99: 120 + noise(0, 60), active: Math.round(requests / 90) };
    }

    tick() {
        this.history.push(this.moment(Date.now()));
        this.history.shift();
        const { heat, ...total } = this.history.at(-1);
        const sum = this.routers.slice(0, 40).reduce((a, _, i) => a + 1 / (1 + i), 0);
        const shares = (rows, key) => Object.fromEntries(rows.slice(0, 40).map((row, i) => [key(row), this.share(1 / (1 + i) / sum)]).filter(([, s]) => s.requests));
        const tick = {
            at: Date.now(), interval: 1, total: { ...total, active: this.routers.length ? 23 : 0 }, problems: this.problems().length, generation: 7,
            entryPoints: this.routers.length ? { web: this.share(0.3), websecure: this.share(0.7) } : {}, routers: shares(this.routers, r => r.name), services: shares(this.services, r => r.name),
            servers: Object.fromEntries(this.servers.slice(0, 80).map(s => [`${s.service}|${s.url}`, { ...(s.state === 'ready' ? this.share(s.load / sum / 3) : this.share(0)), state: s.state }])),
            workers: [0, 1].map(worker => ({ worker, longestTurnMs: noise(0.2, worker ? 3 : 140), exchanges: 11 + worker, connections: 1204 + worker, bufferBytes: 1 << 20 })),
        };
        for (const send of this.listeners)
            send('tick', tick);
        for (let i = 0; i < 6 && this.routers.length; i++) {
            const request = this.addRequest(Date.now());
            for (const send of this.requestListeners)
                send('request', request);
        }
    }

    listen(send) {
        send('hello', { generation: 7, canWrite: this.canWrite, version: '0.4.0' });
        this.listeners.add(send);
        return () => this.listeners.delete(send);
    }

    listenRequests(send) {
        this.requestListeners.add(send);
        return () => this.requestListeners.delete(send);
    }

    addRequest(at) {
        const router = this.routers[Math.floor(Math.random() ** 3 * Math.min(40, this.routers.length))];
        const failed = this.kind === 'troubled' && Math.random() < 0.12;
        const refused = failed && Math.random() < 0.5;
        const queueMs = Math.random() < 0.1 ? noise(1, 30) : 0, connectMs = refused ? noise(0.1, 0.4) : Math.random() < 0.3 ? noise(0.2, 2) : 0, firstByteMs = refused ? 0 : noise(2, 90);
        const request = {
            number: ++this.number, at: new Date(at).toISOString(), method: pick(['GET', 'GET', 'GET', 'POST', 'DELETE']), host: router.name.split('@')[0] + '.example.com',
            path: pick(['/', '/v1/orders/4711', '/assets/app.9f3c1.js', '/v1/search?q=long+shoes&sort=price', '/login', '/a/very/long/path/that/goes/on/and/on/with/identifiers/8c7f6a52-19f0-4a7e-9f3e-2f3d9f0b8f11/and/more']),
            client: `198.51.100.${Math.floor(noise(1, 250))}`, user: '', entryPoint: 'websecure', router: router.name, service: router.service, server: `http://10.0.0.${10 + this.number % 3}:8000`,
            status: failed ? refused ? 502 : 504 : pick([200, 200, 200, 200, 304, 404, 201]), originStatus: failed ? 0 : 200, reason: failed ? refused ? 'upstream_refused' : 'upstream_timeout' : null,
            reasonText: failed ? refused ? 'the server refused the connection' : 'the server did not answer in time' : '', hint: failed ? 'Is it running, and does it listen on this address?' : undefined, detail: refused ? 'connect to 10.0.0.11:8000: Connection refused' : '',
            queueMs, connectMs, firstByteMs, totalMs: queueMs + connectMs + firstByteMs + noise(0.2, 12), bytesIn: 0, bytesOut: Math.floor(noise(200, 90000)), attempts: failed ? 2 : 1, protocol: pick(['HTTP/1.1', 'HTTP/2.0']), tls: true,
            requestId: Math.random().toString(16).slice(2, 18), traceId: '',
        };
        this.requests.unshift(request);
        this.requests.length = Math.min(this.requests.length, 300);
        return request;
    }

    problems() {
        if (this.kind !== 'troubled')
            return [];
        return [
            { severity: 'error', kind: 'configuration', subject: { kind: 'file', name: 'portico.yaml:14:21' }, text: "unknown middleware 'ratelimt'", hint: "did you mean 'rateLimit'?", since: ago(180) },
            { severity: 'error', kind: 'server', subject: { kind: 'server', name: 'auth@file|http://10.0.2.10:8000' }, text: 'The server is down: it refused the connection, 3 times in a row.', hint: 'Is the process running? Does it listen on 10.0.2.10 and not on 127.0.0.1 alone?', since: ago(340) },
            { severity: 'error', kind: 'service', subject: { kind: 'service', name: 'payments@file' }, text: 'No server of the service is ready: requests are answered with 503.', hint: 'Bring one of its 1 servers back, or give it a failover.', since: ago(340) },
            { severity: 'warning', kind: 'certificate', subject: { kind: 'certificate', name: 'shop.example.com' }, text: 'The certificate expires in 6 days and the last renewal failed: DNS problem: NXDOMAIN looking up A for shop.example.com.', hint: 'The name has no A record: add one that points here.', since: ago(86400) },
            { severity: 'warning', kind: 'limit', subject: { kind: 'middleware', name: 'breaker@file' }, text: 'The circuit breaker is open.', hint: 'It lets requests through again in 8 s.', since: ago(4) },
            { severity: 'warning', kind: 'traffic', subject: { kind: 'router', name: 'api@file' }, text: '7.4 % of the requests of the last minute were answered with 5xx.', hint: 'See the failed requests.', since: ago(60) },
            { severity: 'info', kind: 'leftOut', subject: { kind: 'router', name: 'images@docker' }, text: "left out: middleware 'limiter@file' does not exist", hint: 'Define it, or take it from the label.', since: ago(8000) },
        ];
    }

    certificates() {
        if (!this.routers.length)
            return [];
        const day = 86400;
        const row = (name, more) => ({ names: [name, 'www.' + name], issuer: "Let's Encrypt R11", serial: '04:8F:12:AA', keyType: 'ECDSA', notBefore: ago(30 * day), notAfter: ago(-60 * day), expired: false, renewAt: ago(-30 * day), source: 'le', state: 'issued', problem: null, hint: null, nextTry: null, ...more });
        return [row('api.example.com'), row('shop.example.com', { notAfter: ago(-6 * day), state: 'waiting', renewAt: ago(-0.02 * day), problem: 'DNS problem: NXDOMAIN looking up A for shop.example.com', hint: 'The name has no A record: add one that points here.', nextTry: ago(-1400) }),
            row('old.example.com', { notAfter: ago(2 * day), expired: true, source: 'file /etc/ssl/old.pem', state: 'file', renewAt: null }), row('new.example.com', { issuer: null, serial: null, keyType: null, notBefore: null, notAfter: null, state: 'missing', renewAt: null })];
    }

    answer(path, query) {
        const search = (query.get('search') || '').toLowerCase();
        const troubled = this.kind === 'troubled';
        switch (path) {
        case 'portico/overview': return {
            version: '0.4.0', generation: 7, host: 'edge-1', startedAt: ago(93784), uptimeSeconds: 93784, configuredAt: ago(8000), workers: 2, stopping: false, canWrite: this.canWrite, user: 'admin', features: { accessLog: true, metrics: 'Prometheus', tracing: '' },
            counts: { entryPoints: 2, routers: this.routers.length, services: this.services.length, middlewares: this.middlewares.length, servers: { up: this.servers.length - 2 * troubled, down: +troubled, draining: +troubled, total: this.servers.length }, certificates: this.certificates().length, openExchanges: 23, openConnections: 2409 },
            totals: { requests: 84726512, errors: 12804, refused: 993422, bytesIn: 4e10, bytesOut: 2e12 }, reloads: 6, reloadsFailed: 1, problems: this.problems().length,
        };
        case 'portico/problems': return this.problems();
        case 'portico/map': {
            const limit = Number(query.get('limit') || 200);
            const routers = this.routers.filter(r => r.status === 'enabled' && (!search || r.name.includes(search) || r.rule.includes(search)));
            const shown = routers.slice(0, limit), used = new Set(shown.map(r => r.service));
            const services = this.services.filter(s => used.has(s.name));
            services.push(...this.services.filter(s => !services.includes(s) && services.some(o => o.weighted?.services.some(c => c.name === s.name))));
            return { entryPoints: [{ name: 'web', address: ':80', tls: false }, { name: 'websecure', address: ':443', tls: true }],
                routers: shown.map(r => ({ ...r, internal: false, maintenance: this.resting.has(r.name), tls: Boolean(r.tls) })),
                services: services.map(s => ({ name: s.name, type: s.type, provider: s.provider, maintenance: this.resting.has(s.name), children: s.weighted?.services || [], servers: this.servers.filter(v => v.service === s.name).map(({ url, state }) => ({ url, state })), source: s.source })),
                truncated: { routers: shown.length, total: routers.length } };
        }
        case 'portico/history': {
            const take = key => this.history.map(m => m[key] * (query.get('of') === 'total' ? 1 : 0.2));
            return { step: 1, from: Date.now() - 300000, ...Object.fromEntries(['requests', 'errors', 'refused', 'bytesIn', 'bytesOut'].map(k => [k, take(k)])), ...Object.fromEntries(['p50', 'p95', 'p99'].map(k => [k, this.history.map(m => m[k])])), heat: this.history.map(m => m.heat), heatEnds: ENDS };
        }
        case 'portico/exchanges': return this.routers.length ? Array.from({ length: 9 }, (_, i) => ({ id: 100 + i, worker: i % 2, step: i % 3 ? 'await_response' : 'relay_bodies', stepText: i % 3 ? 'waits for the server to answer' : 'passes bodies on', ageMs: 40 * 5 ** (i / 2), stepAgeMs: 30 * 5 ** (i / 2), method: 'GET', host: 'api.example.com', path: '/v1/stream', client: '198.51.100.7', entryPoint: 'websecure', router: 'api@file', middleware: '', service: 'api@file', server: 'http://10.0.0.10:8000', protocol: 'HTTP/2.0', tls: true, upgraded: i === 4, attempts: 1, bytesIn: 0, bytesOut: 1e6 * i, requestId: 'f00d' + i })) : [];
        case 'portico/requests': return this.requests.filter(r => (query.get('failed') !== 'true' || r.reason) && (!search || JSON.stringify(r).toLowerCase().includes(search)) && (!query.get('status') || (query.get('status').endsWith('xx') ? String(r.status)[0] === query.get('status')[0] : String(r.status) === query.get('status')))).slice(0, Number(query.get('limit') || 100));
        case 'portico/failures': return troubled ? [{ reason: 'upstream_refused', text: 'the server refused the connection', hint: 'Is it running, and does it listen on this address?', count: 9313, lastAt: ago(2), last: this.requests.find(r => r.reason === 'upstream_refused') || null }, { reason: 'upstream_timeout', text: 'the server did not answer in time', hint: 'It is slow, or responseHeaderTimeout is short.', count: 1311, lastAt: ago(4), last: null }, { reason: 'no_route', text: 'no router matches the request', hint: 'Explain shows which matcher failed.', count: 42, lastAt: ago(4000), last: null }] : [];
        case 'portico/servers': return this.servers.filter(s => !search || (s.service + s.url).toLowerCase().includes(search));
        case 'portico/limits': return this.routers.length ? [{ middleware: 'limit@file', type: 'rateLimit', usedBy: this.routers.slice(1, 9).map(r => r.name), state: { average: 100, burst: 50, clients: 812, refused: 4312, most: [{ source: '198.51.100.7', tokens: 0 }] } }, { middleware: 'inflight@file', type: 'inFlightReq', usedBy: ['api@file'], state: { amount: 64, inFlight: 61, refused: 12 } }, { middleware: 'breaker@file', type: 'circuitBreaker', usedBy: [], state: { state: troubled ? 'open' : 'closed', expression: 'NetworkErrorRatio() > 0.30', trips: 4 } }] : [];
        case 'portico/certificates': return this.certificates();
        case 'portico/providers': return [{ name: 'file', loadedAt: ago(8000), good: !troubled, notes: troubled ? [{ severity: 'error', place: 'portico.yaml:14:21', message: "unknown middleware 'ratelimt'", hint: "did you mean 'rateLimit'?", line: '      middlewares: [ratelimt, auth]', column: 21, length: 8 }] : [], leftOut: troubled ? [{ kind: 'router', name: 'images@docker', reason: "middleware 'limiter@file' does not exist", place: 'container images, label traefik.http.routers.images.middlewares' }] : [] }];
        case 'portico/configuration': return { files: ['/etc/portico/portico.yaml', '/etc/portico/conf.d/shop.yaml'], options: [['entryPoints.web.address', ':80', 'portico.yaml:2:14'], ['entryPoints.websecure.address', ':443', 'portico.yaml:4:14'], ['api.dashboard', 'true', 'default'], ['api.writers', '["admin"]', 'portico.yaml:8:12'], ['log.level', 'INFO', 'flag --log.level'], ['certificatesResolvers.le.acme.email', 'ops@example.com', 'portico.yaml:40:14'], ['certificatesResolvers.le.acme.eab.hmacEncoded', '***', 'environment PORTICO_EAB']].map(([path, value, source]) => ({ path, value, source })) };
        case 'portico/explain': {
            const lost = query.get('url').includes('nowhere');
            return { entryPoint: 'websecure', address: ':443', tls: { options: 'default', certificate: 'api.example.com', source: 'le, expires in 60 days', refused: false }, router: lost ? null : 'api@file', rule: lost ? null : 'Host(`api.example.com`) && PathPrefix(`/v1`)',
                tried: [{ router: 'payments@file', matched: false, failed: 'Host(`payments.example.com`)', why: "the host is 'api.example.com'" }, { router: 'shop@file', matched: false, failed: 'PathPrefix(`/shop`)', why: "the path is '/v1'" }, ...(lost ? [] : [{ router: 'api@file', matched: true, failed: null, why: null }])],
                middlewares: lost ? [] : ['secure-headers@file', 'limit@file'], passed: 2, answer: lost ? { status: 404, reason: 'no router takes this request', location: null } : null, services: lost ? [] : [{ name: 'api@file', type: 'weighted' }, { name: 'shop@file', type: 'loadBalancer' }],
                service: lost ? null : 'api@file', maintenance: null, server: lost ? null : 'http://10.0.0.10:8000', url: lost ? null : 'http://10.0.0.10:8000/orders', host: lost ? null : 'api.example.com' };
        }
        case 'portico/containers': return { engines: this.routers.length ? [{ provider: 'docker', endpoint: 'unix:///var/run/docker.sock', connected: !troubled, version: '20.10.24, API 1.41', why: troubled ? 'permission denied on /var/run/docker.sock: add its group, 998, to the container (group_add)' : null, since: ago(7000), events: 41, readings: 2 }] : [],
            containers: this.routers.length ? CONTAINERS : [] };
        case 'portico/audit': return this.audit.concat(this.routers.length ? [{ at: ago(4000), user: 'admin', client: '10.1.1.1', action: 'drain', subject: 'api@file|http://10.0.1.10:8000', detail: 'state: draining', outcome: 'done' }, { at: ago(9000), user: 'eve', client: '10.1.1.9', action: 'reload', subject: '', detail: '', outcome: 'refused: not a writer' }] : []);
        case 'portico/workers': return [0, 1].map(worker => ({ worker, longestTurnMs: 1.4, bufferBytes: 1 << 20, exchanges: 12, connections: 1204, idleUpstream: 40, handshakes: 512, handshakesResumed: 300, handshakesFailed: 3, sentAway: {}, logLinesLost: 0, ports: [{ entryPoint: 'websecure', accepted: 5123, open: 1204 }] }));
        case 'entrypoints': return [{ name: 'web', address: ':80' }, { name: 'websecure', address: ':443' }];
        case 'version': return { Version: '0.4.0', Codename: 'portico', startDate: ago(93784) };
        default: return undefined;
        }
    }

    act(path, body) {
        if (!this.canWrite)
            return [403, { message: 'you may not: api.writers does not name you' }];
        const server = path.match(/^portico\/servers\/([^/]+)\/([^/]+)$/);
        const done = (action, subject, message) => {
            this.audit.unshift({ at: ago(0), user: 'admin', client: '127.0.0.1', action, subject, detail: JSON.stringify(body), outcome: 'done' });
            return [200, { message }];
        };
        if (server) {
            const [service, url] = server.slice(1).map(decodeURIComponent);
            const found = this.servers.find(s => s.service === service && s.url === url);
            if (!found)
                return [404, { message: 'no such server' }];
            if (body.state !== undefined)
                Object.assign(found, { orderedState: body.state, state: body.state || 'ready', since: ago(0), why: body.state ? 'ordered by admin' : null });
            if (body.weight !== undefined)
                Object.assign(found, { orderedWeight: body.weight, weight: body.weight ?? 1 });
            return done('server', `${service}|${url}`, `${url} is ${found.state} with weight ${found.weight} now.`);
        }
        if (body.maintenance !== undefined)
            this.resting[body.maintenance ? 'add' : 'delete'](decodeURIComponent(path.split('/')[2]));
        return done(path.split('/')[1], path.split('/')[2] || '', 'Done.');
    }
}
