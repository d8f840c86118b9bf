// Problems first, each with what to do; then how much, how fast, how well; then where.
import { h, replace, setText } from '../core/dom.js';
import { bytes, count, duration, percent, plural, prose, rate, span, when } from '../core/format.js';
import { get } from '../core/api.js';
import { history, live } from '../core/live.js';
import { link } from '../core/route.js';
import { badge, choice, loader, named, panel } from '../parts/bits.js';
import { Chart, spark } from '../parts/chart.js';
import { Heat } from '../parts/heat.js';
import { problemList } from '../parts/problems.js';
import { Table } from '../parts/table.js';

export function mount(root, place, context) {
    const headline = h('p', { class: 'headline' });
    const problems = h('div', { class: 'problems' });
    const tiles = numbers();
    const graphs = charts();
    const busiest = busy();
    const workers = workerTable();
    const failures = h('div');
    const running = h('div');
    replace(root,
        h('div', { class: 'page-head' }, h('h1', {}, 'Overview'), headline),
        problems, tiles.node, graphs.node,
        h('div', { class: 'halves' },
            panel('Busiest routers', { aside: h('a', { href: link('routers') }, 'All routers') }, busiest.node),
            panel('Why requests failed', { aside: h('a', { href: link('requests', '', { failed: 'true' }) }, 'Failed requests') }, failures)),
        h('div', { class: 'halves' }, panel('Workers', {}, workers.node), panel('What runs', {}, running)));

    const shown = { all: false };
    let told = null;
    const loaders = [
        loader(problems, fetchProblems, rows => {
            setText(headline, sentence(rows));
            // What did not change is left as it is, with the focus that is in it.
            const now = JSON.stringify(rows);
            if (now === told)
                return undefined;
            told = now;
            return problemList(rows, shown);
        }),
        loader(failures, signal => get('portico/failures', {}, signal), failureRows),
    ];
    if (context.overview)
        replace(running, about(context.overview));
    // What changes without a tick's saying so is asked for now and then.
    const timer = setInterval(() => document.hidden || loaders.forEach(one => one.load()), 10000);
    let known = live.tick?.problems;
    return {
        tick(tick) {
            tiles.update();
            graphs.tick();
            busiest.update();
            workers.update(tick.workers || []);
            if (known !== tick.problems) {
                known = tick.problems;
                loaders[0].load();
            }
        },
        overview: told => replace(running, about(told)),
        refresh: () => [...loaders, graphs].forEach(one => one.load()),
        leave() {
            clearInterval(timer);
            graphs.leave();
            loaders.forEach(one => one.stop());
        },
    };
}

/** A mistake in the configuration is shown with its line and a caret: the providers have them. */
async function fetchProblems(signal) {
    const rows = await get('portico/problems', {}, signal);
    if (!rows.some(one => one.kind === 'configuration'))
        return rows;
    const notes = (await get('portico/providers', {}, signal).catch(() => [])).flatMap(provider => provider.notes || []);
    return rows.map(one => {
        const note = one.kind === 'configuration' && notes.find(other => other.message === one.text && (other.place || '') === (one.subject?.name || ''));
        return note ? { ...one, line: note.line, column: note.column, length: note.length } : one;
    });
}

function sentence(problems) {
    const wrong = problems.filter(one => one.severity !== 'info');
    const notes = problems.length - wrong.length, more = notes ? ` and ${plural(notes, 'note')}` : '';
    return wrong.length === 0 ? `All is well${more && `; ${plural(notes, 'note')}`}.` : `${plural(wrong.length, 'problem')}${more}, the worst first.`;
}

// ---- the numbers ----

function numbers() {
    const tiles = [
        tile('Requests/s', s => rate(s.requests), s => s.requests),
        tile('Errors (5xx)', s => percent(s.errors, s.requests), s => s.errors, s => s.errors > 0 && s.errors >= s.requests * 0.05 ? 'bad' : s.errors > 0 ? 'warn' : ''),
        tile('Refused (4xx)', s => percent(s.refused, s.requests), s => s.refused),
        tile('Median', s => duration(s.p50), s => s.p50 || 0),
        tile('99 % within', s => duration(s.p99), s => s.p99 || 0),
        tile('In/s', s => bytes(s.bytesIn), s => s.bytesIn),
        tile('Out/s', s => bytes(s.bytesOut), s => s.bytesOut),
        tile('Open now', s => count(s.active), s => s.active),
    ];
    const node = h('dl', { class: 'tiles' }, tiles.map(one => one.node));
    function update() {
        const now = live.now(), minute = live.total.slice(-60);
        tiles.forEach(one => one.update(now, minute));
    }
    update();
    return { node, update };
}

function tile(title, text, value, tone = () => '') {
    const number = h('dd', { class: 'big' }), picture = spark(title);
    const node = h('div', { class: 'tile' }, h('dt', {}, title), number, h('dd', { class: 'trend' }, picture.node));
    return {
        node,
        update(now, minute) {
            setText(number, text(now));
            node.dataset.tone = tone(now) || '';
            picture.update(minute.map(value));
        },
    };
}

// ---- over time ----

function charts() {
    const requests = new Chart({
        title: 'Requests per second', format: rate,
        series: [{ name: 'all', tone: 'main', area: true }, { name: '4xx', tone: 'warn', area: true }, { name: '5xx', tone: 'bad', area: true }],
    });
    const latencies = new Chart({
        title: 'Latency', format: duration,
        series: [{ name: 'p99', tone: 'third' }, { name: 'p95', tone: 'second' }, { name: 'p50', tone: 'main' }],
    });
    const traffic = new Chart({
        title: 'Bytes per second', format: bytes,
        series: [{ name: 'out', tone: 'main', area: true }, { name: 'in', tone: 'second' }],
    });
    const heat = new Heat('Latencies, the darker the more requests');
    let seconds = 300, told = null, abort = null, behind = 0;
    const onTheme = () => heat.draw();
    addEventListener('theme', onTheme);

    function draw() {
        const quiet = values => values.map((value, index) => told.requests[index] > 0 ? value : null);
        requests.set(told.from, told.step, [told.requests, told.refused, told.errors]);
        latencies.set(told.from, told.step, [quiet(told.p99), quiet(told.p95), quiet(told.p50)]);
        traffic.set(told.from, told.step, [told.bytesOut, told.bytesIn]);
        heat.set(told.from, told.step, told.heat, told.heatEnds);
    }
    async function load() {
        abort?.abort();
        abort = new AbortController();
        behind = 0;
        try {
            told = await history('total', seconds, abort.signal);
            draw();
        } catch {
            // The banner tells of it; the next tick asks again.
        }
    }
    load();
    const range = choice('Range', [['300', '5 minutes'], ['1800', '30 minutes'], ['7200', '2 hours']], '300', value => {
        seconds = Number(value);
        load();
    });
    return {
        node: panel('Over time', { aside: range, className: 'graphs' }, h('div', { class: 'charts' }, requests.node, latencies.node, heat.node, traffic.node)),
        load,
        // The history is the server's: one small question every few seconds keeps pictures and heat together.
        tick() {
            if (++behind >= (seconds > 300 ? 10 : 3))
                load();
        },
        leave() {
            abort?.abort();
            removeEventListener('theme', onTheme);
        },
    };
}

// ---- where ----

function busy() {
    const table = new Table({
        caption: 'Busiest routers', key: row => row.name, sorted: 1, className: 'compact',
        emptyNode: () => h('p', { class: 'quiet pad' }, 'No router took a request in the last minute.'),
        columns: [
            { title: 'Router', cell: row => named(row.name, 'routers') },
            { title: 'Req/s', number: true, text: row => rate(live.of('routers', row.name).requests), sort: row => row.sum },
            { title: '5xx', number: true, text: row => percent(live.of('routers', row.name).errors, live.of('routers', row.name).requests) },
            { title: 'p95', number: true, text: row => duration(live.of('routers', row.name).p95) },
            { title: 'Last minute', className: 'trend', cell: row => row.picture.node, update: row => row.picture.update(live.series('routers', row.name)) },
        ],
    });
    const rows = new Map();
    function update() {
        const sums = [];
        for (const name of live.things.routers.keys()) {
            const sum = live.series('routers', name).reduce((a, b) => a + b, 0);
            if (sum > 0)
                sums.push([name, sum]);
        }
        sums.sort((a, b) => b[1] - a[1]);
        table.set(sums.slice(0, 8).map(([name, sum]) => {
            if (!rows.has(name))
                rows.set(name, { name, picture: spark(name) });
            return Object.assign(rows.get(name), { sum });
        }));
        for (const name of rows.keys())
            if (!live.things.routers.has(name))
                rows.delete(name);
    }
    update();
    return { node: table.node, update };
}

function workerTable() {
    const table = new Table({
        caption: 'Workers', key: row => row.worker, className: 'compact', toneOf: row => row.longestTurnMs > 100 ? 'warn' : '',
        emptyNode: () => h('p', { class: 'quiet pad' }, 'The first tick is awaited.'),
        columns: [
            { title: 'Worker', text: row => row.worker },
            { title: 'Exchanges', number: true, text: row => count(row.exchanges) },
            { title: 'Connections', number: true, text: row => count(row.connections) },
            { title: 'Buffers', number: true, text: row => bytes(row.bufferBytes) },
            { title: 'Longest turn', number: true, text: row => duration(row.longestTurnMs) },
        ],
    });
    const update = rows => table.set(rows);
    update(live.tick?.workers || []);
    return { node: table.node, update };
}

function failureRows(rows) {
    if (rows.length === 0)
        return h('p', { class: 'quiet pad' }, 'None did since the start.');
    return h('ul', { class: 'reasons' }, rows.slice(0, 8).map(row => h('li', {},
        h('div', { class: 'reason-head' },
            h('a', { href: link('requests', '', { failed: 'true', search: row.reason }) }, row.text || row.reason),
            h('span', { class: 'num' }, count(row.count)), h('span', { class: 'quiet' }, when(row.lastAt))),
        row.hint && h('p', { class: 'hint' }, prose(row.hint)))));
}

function about(told) {
    const c = told.counts || {}, servers = c.servers || {}, features = told.features || {};
    const pair = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
    const feature = (name, on) => badge(on ? (on === true ? name : `${name}: ${on}`) : `no ${name}`, on ? 'good' : 'note');
    return h('div', {}, h('dl', { class: 'facts' },
        pair('Portico', told.version), pair('Host', told.host), pair('Up', span(told.uptimeSeconds)),
        pair('Configuration', [`number ${count(told.generation)}, since `, when(told.configuredAt)]),
        pair('Reloads', `${count(told.reloads)}${told.reloadsFailed ? `, ${count(told.reloadsFailed)} refused` : ''}`),
        pair('Since the start', `${plural(told.totals?.requests ?? 0, 'request')}, ${count(told.totals?.errors ?? 0)} with 5xx`),
        pair('Entrypoints', count(c.entryPoints)), pair('Routers', count(c.routers)), pair('Services', count(c.services)),
        pair('Servers', `${count(servers.up)} up${servers.draining ? `, ${count(servers.draining)} draining` : ''}${servers.down ? `, ${count(servers.down)} down` : ''}`),
        pair('Connections', count(c.openConnections))),
    h('p', { class: 'badges' }, feature('access log', features.accessLog), feature('metrics', features.metrics), feature('tracing', features.tracing),
        told.canWrite ? badge(told.user ? `you may write, as ${told.user}` : 'you may write', 'note') : badge('read only', 'note')));
}
