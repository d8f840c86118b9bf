// The last requests, as they come: those that failed always, the others up to a rate. One of them with where its time went and,
// when it failed, why in words and what to do.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { bytes, clock, count, duration, exact, plural, prose, when } from '../core/format.js';
import { Stream } from '../core/live.js';
import { link, remember } from '../core/route.js';
import { badge, choice, code, empty, facts, loader, named, searchBox, statusCode } from '../parts/bits.js';
import { PAGE, Table } from '../parts/table.js';
import { timing } from '../parts/timing.js';

const STATUSES = [['', 'any'], ['2xx', '2xx'], ['3xx', '3xx'], ['4xx', '4xx'], ['5xx', '5xx'], ['404', '404'], ['429', '429'], ['499', '499'], ['502', '502'], ['503', '503'], ['504', '504']];

export function mount(root, place) {
    const filter = { search: place.query.get('search') || '', status: place.query.get('status') || '', router: place.query.get('router') || '', failed: place.query.get('failed') || '' };
    let requests = [], paused = false, waiting = 0, picked = null, hints = new Map(), stream = null, drawing = 0;
    const side = h('aside', { class: 'panel detail', 'aria-label': 'One request', hidden: true });
    const table = new Table({
        caption: 'Recent requests', key: row => row.number, onpick: pick, toneOf: row => row.reason && row.status >= 500 ? 'bad' : row.reason ? 'warn' : '', className: 'requests',
        emptyNode: () => Object.values(filter).some(Boolean) ? empty('Nothing matches', 'None of the requests that are kept does. Failed ones are always kept, others up to a hundred a second.')
            : empty('No requests yet', 'What comes in is shown here at once.'),
        columns: [
            { title: 'Time', className: 'tight bare', cell: row => h('time', { datetime: row.at, title: exact(Date.parse(row.at)) }, clock(Date.parse(row.at))) },
            { title: 'Status', className: 'tight bare', cell: row => statusCode(row.status) },
            { title: 'Request', className: 'head target', cell: row => h('button', { type: 'button', class: 'link', onclick: () => pick(row) }, h('b', {}, row.method), ' ', h('span', { class: 'quiet' }, row.host), row.path) },
            { title: 'Why', className: 'bare', cell: row => row.reason ? h('span', { class: row.status >= 500 ? 'bad' : 'warn' }, row.reasonText || row.reason) : '' },
            { title: 'Router', className: 'wide', cell: row => row.router ? named(row.router, 'routers') : h('span', { class: 'quiet' }, 'none') },
            { title: 'Client', className: 'wide tight', cell: row => row.client },
            { title: 'Out', number: true, className: 'wide', cell: row => bytes(row.bytesOut) },
            { title: 'Took', number: true, cell: row => duration(row.totalMs) },
        ],
    });
    const state = h('span', { class: 'quiet', role: 'status' });
    const pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => hold(!paused) }, 'Pause');
    const holder = h('div');
    const failedOnly = h('input', { type: 'checkbox', onchange: event => change('failed', event.target.checked ? 'true' : '') });
    failedOnly.checked = filter.failed === 'true';
    const routerBadge = h('span');

    const load = loader(holder, async signal => {
        const [rows] = await Promise.all([get('portico/requests', { limit: 200, failed: filter.failed, search: filter.search || filter.router, status: filter.status }, signal), learnHints()]);
        return rows;
    }, rows => {
        requests = rows.filter(fits);
        draw();
        return holder.contains(table.node) ? undefined : table.node;
    });

    async function learnHints() {
        for (const one of await get('portico/failures').catch(() => []))
            hints.set(one.reason, one.hint);
    }

    function fits(row) {
        const status = String(row.status);
        return (!filter.router || row.router === filter.router) && (!filter.failed || row.reason || row.status >= 500)
            && (!filter.status || (filter.status.endsWith('xx') ? status[0] === filter.status[0] : status === filter.status))
            && (!filter.search || [row.method, row.host, row.path, row.client, row.user, row.router, row.service, row.server, row.status, row.reason, row.reasonText, row.requestId, row.traceId]
                .join(' ').toLowerCase().includes(filter.search.toLowerCase()));
    }

    // A busy site sends a hundred a second: they are drawn together, four times a second.
    function take(row) {
        if (!fits(row) || requests.some((other, index) => index < 50 && other.number === row.number))
            return;
        requests.unshift(row);
        requests.length = Math.min(requests.length, 500);
        if (paused)
            waiting++;
        drawing ||= setTimeout(() => {
            drawing = 0;
            paused ? say() : draw();
        }, 250);
    }

    function draw() {
        // The newest stand on top; more than a page of them is read by nobody as it moves.
        table.set(requests.slice(0, paused ? 500 : PAGE));
        table.mark(picked?.number);
        say();
    }

    function say() {
        setText(state, paused ? `held${waiting ? `; ${plural(waiting, 'more has', 'more have')} come` : ''}` : 'live');
    }

    function hold(on) {
        paused = on;
        waiting = 0;
        setText(pause, on ? 'Go on' : 'Pause');
        pause.setAttribute('aria-pressed', String(on));
        draw();
    }

    function pick(row) {
        picked = row;
        table.mark(row?.number);
        side.hidden = !row;
        if (row) {
            replace(side, details(row, hints.get(row.reason) || row.hint, () => pick(null)));
            if (matchMedia('(max-width: 1100px)').matches)
                side.scrollIntoView({ block: 'nearest' });
        }
    }

    function change(name, value) {
        filter[name] = value;
        remember('requests', '', filter);
        showRouter();
        load.load();
    }

    function showRouter() {
        replace(routerBadge, filter.router && [badge(`router ${filter.router}`), h('button', { type: 'button', class: 'small', onclick: () => change('router', '') }, 'All routers')]);
    }

    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Requests'), state,
        h('div', { class: 'aside tools' }, routerBadge, searchBox('Filter by anything', filter.search, text => change('search', text)),
            choice('Status', STATUSES, filter.status, value => change('status', value)),
            h('label', { class: 'check' }, failedOnly, 'only failed'), pause)),
    h('div', { class: 'map-page' }, h('section', { class: 'panel stage', 'aria-label': 'Recent requests' }, holder), side));
    showRouter();
    stream = new Stream('portico/live/requests', { request: take });
    return {
        refresh: load.load,
        leave() {
            stream.close();
            clearTimeout(drawing);
            load.stop();
        },
    };
}

function details(row, hint, close) {
    const explain = { method: row.method === 'GET' ? '' : row.method, url: `${row.tls ? 'https' : 'http'}://${row.host}${row.path}`, from: row.client };
    return [
        h('header', { class: 'panel-head' }, h('div', {}, h('p', {}, statusCode(row.status), ' ', h('span', { class: 'quiet' }, row.method)), h('h2', {}, row.host, row.path)),
            h('div', { class: 'aside' }, h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: close }, '×'))),
        row.reason && h('div', { class: `why-box ${row.status >= 500 ? 'bad' : 'warn'}` }, h('strong', {}, row.reasonText || row.reason), row.detail && h('p', {}, prose(row.detail)), hint && h('p', { class: 'hint' }, prose(hint)),
            h('p', { class: 'quiet' }, h('code', {}, row.reason))),
        h('h3', { class: 'pad-top' }, `Took ${duration(row.totalMs)}`), timing(row),
        facts([
            ['When', [clock(Date.parse(row.at)), ', ', when(row.at)]], ['Client', [row.client, row.user && ` as ${row.user}`]], ['Protocol', [row.protocol, row.tls && ' over TLS']],
            ['Entrypoint', row.entryPoint], ['Router', row.router ? named(row.router, 'routers') : 'none took it'], ['Service', row.service && named(row.service, 'services')], ['Server', row.server && code(row.server)],
            ['Its answer', row.originStatus ? String(row.originStatus) : null], ['Attempts', row.attempts > 1 ? count(row.attempts) : null], ['Bodies', `${bytes(row.bytesIn)} in, ${bytes(row.bytesOut)} out`],
            ['Request id', row.requestId && code(row.requestId)], ['Trace', row.traceId && code(row.traceId)],
        ]),
        h('p', { class: 'pad' }, h('a', { href: link('explain', '', explain) }, 'Explain its way')),
    ];
}
