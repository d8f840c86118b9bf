// A stand-in for Portico: serves web/ and answers the API with moving data, in states that are hard to produce with a real one
// (a problem of each kind, nothing at all, any number of routers).
//
//     node server.mjs [--port N] [--routers N] [--scene busy|troubled|empty] [--readonly]
//
// Prints its address once it listens.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Scene } from './scene.mjs';

const { values: given } = parseArgs({ options: {
    port: { type: 'string', default: '0' }, routers: { type: 'string', default: '14' },
    scene: { type: 'string', default: 'troubled' }, readonly: { type: 'boolean', default: false },
} });
const WEB = fileURLToPath(new URL('../../../web', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.json': 'application/json' };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'";

const scene = new Scene(given.scene, Number(given.routers), !given.readonly);

async function asset(path, response) {
    const file = normalize(join(WEB, path === '' ? 'index.html' : path));
    try {
        const content = await readFile(file);
        response.writeHead(200, { 'Content-Type': TYPES[extname(file)] || 'application/octet-stream', 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' });
        response.end(content);
    } catch {
        response.writeHead(404).end();
    }
}

function stream(response, events) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const stop = events(send);
    response.on('close', stop);
}

function json(response, status, body, headers = {}) {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
}

function page(rows, query) {
    const search = (query.get('search') || '').toLowerCase(), size = Number(query.get('per_page') || 100), number = Number(query.get('page') || 1);
    const status = query.get('status');
    const found = rows.filter(row => (!search || JSON.stringify(row).toLowerCase().includes(search)) && (!status || row.status === status));
    return [found.slice((number - 1) * size, number * size), { 'X-Next-Page': number * size < found.length ? String(number + 1) : '1' }];
}

async function api(path, query, request, response) {
    if (request.method === 'POST') {
        let body = '';
        for await (const chunk of request)
            body += chunk;
        const [status, answer] = scene.act(path, JSON.parse(body));
        return json(response, status, answer);
    }
    if (path === 'portico/live')
        return stream(response, send => scene.listen(send));
    if (path === 'portico/live/requests')
        return stream(response, send => scene.listenRequests(send));
    const list = path.match(/^http\/(routers|services|middlewares)(?:\/(.+))?$/);
    if (list) {
        const rows = scene[list[1]];
        if (!list[2])
            return json(response, 200, ...page(rows, query));
        const one = rows.find(row => row.name === decodeURIComponent(list[2]));
        return one ? json(response, 200, one) : json(response, 404, { message: `no such thing: ${list[2]}` });
    }
    const answer = scene.answer(path, query);
    return answer === undefined ? json(response, 404, { message: `there is no /api/${path}` }) : json(response, 200, answer);
}

const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (url.pathname.startsWith('/dashboard/'))
        return asset(url.pathname.slice(11), response);
    if (url.pathname.startsWith('/api/'))
        return api(url.pathname.slice(5), url.searchParams, request, response);
    response.writeHead(302, { Location: '/dashboard/' }).end();
});
server.listen(Number(given.port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/dashboard/`));
