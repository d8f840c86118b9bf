// Where traffic comes in, which router takes it, which service gets it, which server does the work: as it runs.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { count, duration, percent, plural, rate } from '../core/format.js';
import { history, live } from '../core/live.js';
import { link, remember } from '../core/route.js';
import { choice, code, empty, facts, loader, named, place as placed, searchBox, stateLabel } from '../parts/bits.js';
import { Chart } from '../parts/chart.js';
import { layout } from '../map/layout.js';
import { MapView, speedOf } from '../map/draw.js';

const OF = { entryPoint: 'entryPoint', router: 'router', service: 'service', server: 'server' };

export function mount(root, place) {
    let search = place.query.get('search') || '', limit = place.query.get('limit') || '30';
    const side = h('aside', { class: 'panel detail', 'aria-label': 'Selected', hidden: true });
    const view = new MapView(select);
    const stage = h('div', { class: 'panel stage' });
    const summary = h('p', { class: 'quiet' });
    const load = loader(stage, signal => get('portico/map', { limit, search }, signal), told => {
        setText(summary, told.truncated?.total > told.routers.length
            ? `The ${count(told.routers.length)} busiest and most troubled of ${plural(told.truncated.total, 'router')}.` : `${plural(told.routers.length, 'router')}.`);
        if (told.routers.length === 0 && search)
            return empty('Nothing matches', `No router, rule or service has '${search}' in it.`);
        view.show(layout(told, stage.clientWidth - 32));
        return told.routers.length === 0 ? [empty('There are no routers yet', 'Requests are answered with 404. A router says which requests go to which service.'), view.node] : view.node;
    });
    const change = () => {
        remember('map', '', { search, limit: limit === '30' ? '' : limit });
        load.load();
    };
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Map'), summary,
        h('div', { class: 'aside tools' },
            searchBox('Filter by name or rule', search, text => {
                search = text;
                change();
            }),
            choice('Show', [['30', 'the busiest 30'], ['60', '60'], ['120', '120'], ['200', '200']], limit, value => {
                limit = value;
                change();
            }))),
    h('div', { class: 'map-page' }, stage, side));

    let detail = null;
    function select(node) {
        detail?.leave();
        detail = null;
        side.hidden = !node;
        if (node)
            detail = details(side, node, () => view.select(null));
    }
    // The busiest are others after a while; what someone looks at stays.
    const timer = setInterval(() => document.hidden || view.selected || root.querySelector('.map :focus') || load.load(), 60000);
    return {
        tick() {
            view.tick();
            detail?.tick();
        },
        refresh: load.load,
        leave() {
            clearInterval(timer);
            detail?.leave();
            load.stop();
        },
    };
}

function pageOf(node) {
    switch (node.kind) {
    case 'router': return link('routers', node.name);
    case 'service': return link('services', node.name);
    case 'server': return link('services', node.service);
    default: return null;
    }
}

function about(node) {
    const told = node.told;
    switch (node.kind) {
    case 'entryPoint': return [['Address', told.address], ['TLS', told.tls ? 'yes' : 'no']];
    case 'router': return [['Rule', code(told.rule)], ['Service', told.service && named(told.service, 'services')], ['Priority', told.priority], ['TLS', told.tls ? 'yes' : 'no'],
        ['Middlewares', told.middlewares?.length ? told.middlewares.map((name, i) => [i ? ', ' : '', named(name, 'middlewares')]) : null], ['Defined in', placed(told.source)]];
    case 'service': return [['Type', told.type], ['Defined in', placed(told.source)]];
    case 'server': return [['State', stateLabel(live.state(node.name) || told.state)], ['Service', named(node.service, 'services')]];
    default: return [['How many', count(told.count)]];
    }
}

function details(side, node, close) {
    const numbers = h('dl', { class: 'facts' });
    const chart = new Chart({ title: 'Requests per second', format: rate, height: 110, series: [{ name: 'all', tone: 'main', area: true }, { name: '5xx', tone: 'bad', area: true }] });
    const latency = new Chart({ title: 'Latency', format: duration, height: 110, series: [{ name: 'p95', tone: 'second' }, { name: 'p50', tone: 'main' }] });
    const href = pageOf(node);
    replace(side, h('header', { class: 'panel-head' }, h('div', {}, h('p', { class: 'quiet' }, { entryPoint: 'Entrypoint', router: 'Router', service: 'Service', server: 'Server', rest: 'Routers' }[node.kind]),
        h('h2', {}, node.kind === 'server' ? node.url : node.kind === 'rest' ? 'All the others' : node.name)),
    h('div', { class: 'aside' }, h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: close }, '×'))),
    numbers, OF[node.kind] && [chart.node, latency.node], facts(about(node)),
    node.kind === 'rest' ? h('p', { class: 'pad' }, h('a', { href: link('routers') }, 'List all routers')) : href && h('p', { class: 'pad' }, h('a', { href }, 'Open its page')));
    let alive = true, ticks = 0;
    async function load() {
        if (!OF[node.kind])
            return;
        const told = await history(`${OF[node.kind]}:${node.name}`, 300).catch(() => null);
        if (!alive || !told)
            return;
        chart.set(told.from, told.step, [told.requests, told.errors]);
        latency.set(told.from, told.step, [told.p95, told.p50].map(list => list.map((value, i) => told.requests[i] > 0 ? value : null)));
    }
    function tick() {
        const speed = speedOf(node);
        const pair = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
        if (speed)
            replace(numbers, pair('Requests/s', rate(speed.requests)), pair('5xx', percent(speed.errors, speed.requests)), pair('p95', duration(speed.p95)), pair('Open', count(speed.active)));
        if (++ticks % 5 === 0)
            load();
    }
    load();
    tick();
    return { tick, leave: () => { alive = false; } };
}
