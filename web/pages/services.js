// Services and the servers behind them: who is up, who is not and why, and the means to take one out.
import { h, replace, setText } from '../core/dom.js';
import { get, segment } from '../core/api.js';
import { count, duration, percent, plural, qualify, rate, when } from '../core/format.js';
import { live } from '../core/live.js';
import { link, remember } from '../core/route.js';
import { act } from '../parts/ask.js';
import { badge, choice, empty, facts, loader, named, panel, place as placed, searchBox, stateLabel, tone } from '../parts/bits.js';
import { definition } from '../parts/definition.js';
import { pagedList } from '../parts/paged.js';
import { story } from '../parts/story.js';
import { Table } from '../parts/table.js';
import { maintenance, numbersInto } from './routers.js';

const SLOW = 10000;              // ms between two looks at the servers' health

export function mount(root, place, context) {
    if (place.argument)
        return one(root, place.argument, context);
    const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'What is listed' }), inner = h('div', { class: 'page' });
    let view = null;
    const kinds = [['', 'Services'], ['servers', 'Servers']];
    const first = place.query.get('show') ?? (place.query.get('search') ? 'servers' : '');
    function open(kind, from) {
        view?.leave();
        replace(tabs, kinds.map(([key, text]) => h('button', { type: 'button', 'aria-pressed': String(key === kind), onclick: () => {
            remember('services', '', { show: key });
            open(key, { query: new URLSearchParams() });
            tabs.querySelector('[aria-pressed="true"]').focus();
        } }, text)));
        view = kind === 'servers' ? allServers(inner, from, context) : allServices(inner, from, context);
    }
    replace(root, tabs, inner);
    open(first, place);
    return { tick: () => view.tick(), refresh: () => view.refresh(), leave: () => view.leave() };
}

function allServices(root, place, context) {
    const speed = row => live.of('services', row.name);
    const list = pagedList(root, place, {
        page: 'services', path: 'http/services', title: 'Services', searchLabel: 'Filter by name', total: () => context.overview?.counts?.services,
        filters: [{ name: 'status', label: 'Status', options: [['', 'all'], ['enabled', 'enabled'], ['warning', 'with warnings'], ['disabled', 'disabled']] }],
        table: {
            caption: 'Services', key: row => row.name, onpick: row => context.go(link('services', row.name)),
            toneOf: row => row.status === 'disabled' ? 'bad' : health(row).down ? 'warn' : '',
            emptyNode: () => list?.filtered() ? empty('Nothing matches', 'No service has that in its name.') : empty('There are no services', 'A service says which servers do the work; see docs/services.md.'),
            columns: [
                { title: 'Service', className: 'head', cell: row => [named(row.name, 'services'), row.status && row.status !== 'enabled' && [' ', stateLabel(row.status)], row.error?.length && h('span', { class: 'sub bad' }, row.error.join('; '))] },
                { title: 'Type', cell: row => row.type || '–', className: 'tight' },
                { title: 'Servers', cell: row => ready(row), className: 'tight' },
                { title: 'Used by', cell: row => usedBy(row.usedBy), className: 'wide' },
                { title: 'Req/s', number: true, text: row => rate(speed(row).requests) },
                { title: '5xx', number: true, text: row => percent(speed(row).errors, speed(row).requests) },
                { title: 'p95', number: true, text: row => duration(speed(row).p95) },
                { title: 'Open', number: true, text: row => count(speed(row).active) },
            ],
        },
    });
    return list;
}

function usedBy(names = []) {
    return [names.slice(0, 2).map((name, i) => [i ? ', ' : '', named(name, 'routers')]), names.length > 2 && h('span', { class: 'quiet' }, ` and ${count(names.length - 2)} more`)];
}

/** The stream names servers whose state is another one; Traefik's field knows the rest. */
function health(row) {
    const servers = row.loadBalancer?.servers || [];
    const up = servers.filter(({ url }) => (live.state(`${row.name}|${url}`) || (row.serverStatus?.[url] === 'DOWN' ? 'down' : 'ready')) === 'ready').length;
    return { up, all: servers.length, down: servers.length - up };
}

function ready(row) {
    const { up, all, down } = health(row);
    return all === 0 ? h('span', { class: 'quiet' }, '–') : h('span', { class: up === 0 ? 'bad' : down ? 'warn' : '' }, `${up} of ${all} ready`);
}

// ---- servers ----

function serverTable(context, { withService, reload }) {
    const key = row => `${row.service}|${row.url}`;
    const speed = row => live.of('servers', key(row));
    const state = row => live.state(key(row)) || row.state;
    return new Table({
        caption: 'Servers', key, sorted: 1, descending: false, toneOf: row => ({ bad: 'bad', warn: 'warn' })[tone(state(row))] || '',
        emptyNode: () => empty('No servers', 'Nothing matches, or the service answers itself.'),
        columns: [
            { title: 'Server', className: 'head', sort: row => row.url, cell: row => [h('span', { class: 'own' }, row.url), withService && h('span', { class: 'sub' }, named(row.service, 'services')),
                row.addresses?.length > 0 && row.addresses.join() !== row.url.replace(/^\w+:\/\//, '') && h('span', { class: 'sub' }, row.addresses.join(', '))] },
            { title: 'State', className: 'why', sort: row => ({ bad: '0', warn: '1' })[tone(state(row))] || '2', cell: row => [stateLabel(row.state), row.since && h('span', { class: 'quiet' }, ' since ', when(row.since)),
                row.why && h('span', { class: 'sub' }, row.why), row.checkStatus ? h('span', { class: 'sub' }, `health check: ${row.checkStatus}, ${duration(row.responseMs)}`) : null,
                row.state === 'ready' && row.lastFailure && h('span', { class: 'sub' }, 'last failure ', when(row.lastFailureAt), ': ', row.lastFailure)] },
            { title: 'Weight', number: true, cell: row => row.orderedWeight !== null && row.orderedWeight !== undefined ? h('span', { title: 'ordered here; until the next restart' }, `${row.orderedWeight} (ordered)`) : count(row.weight), sort: row => row.weight },
            { title: 'Open', number: true, text: row => count(speed(row).active || row.active), sort: row => row.active },
            { title: 'Req/s', number: true, text: row => rate(speed(row).requests), sort: row => speed(row).requests },
            { title: '5xx', number: true, text: row => percent(speed(row).errors, speed(row).requests) },
            { title: 'p95', number: true, text: row => duration(speed(row).p95 ?? row.p95), sort: row => row.p95 },
            ...(context.canWrite ? [{ label: 'Actions', className: 'act', cell: row => orders(row, reload) }] : []),
        ],
    });
}

function orders(row, reload) {
    const path = `portico/servers/${segment(row.service)}/${segment(row.url)}`;
    // Since when it is so is known a moment later.
    const again = well => {
        if (well) {
            reload();
            setTimeout(reload, 1500);
        }
    };
    const order = (title, text, confirm, body, more = {}) => () => act({ title, text, confirm, ...more }, path, body).then(again);
    const small = { type: 'button', class: 'small' };
    const drain = ['Drain ' + row.url + '?', 'It gets no new requests; those under way end as usual, and clients that are bound to it may stay. The order holds until it is taken back.', 'Drain', { state: 'draining' }];
    return h('div', { class: 'actions' },
        row.orderedState ? h('button', { ...small, onclick: order(`Take ${row.url} as configured?`, 'The order is taken back; what configuration and health checks say holds.', 'As configured', { state: null }) }, 'As configured')
            : h('button', { ...small, onclick: order(...drain) }, 'Drain'),
        row.orderedState !== 'down' && h('button', { ...small, onclick: order(`Take ${row.url} down?`, 'It gets no requests at all until the order is taken back.', 'Take down', { state: 'down' }, { tone: 'bad' }) }, 'Down'),
        h('button', { ...small, onclick: order(`Weight of ${row.url}`, 'Its part of the requests, beside the other servers\' weights. 0 gives it none.', 'Set weight', given => ({ weight: Number(given.weight) }),
            { fields: [{ name: 'weight', label: 'Weight', type: 'number', min: 0, max: 65535, value: row.weight }] }) }, 'Weight'));
}

function allServers(root, place, context) {
    let search = place.query.get('search') || '', state = place.query.get('state') || '';
    const holder = h('div'), told = h('p', { class: 'quiet' });
    const table = serverTable(context, { withService: true, reload: () => load.load() });
    const load = loader(holder, signal => get('portico/servers', { search }, signal), rows => {
        const wanted = rows.filter(row => !state || (state === 'trouble' ? row.state !== 'ready' : row.state === state));
        table.set(wanted);
        setText(told, `${plural(wanted.length, 'server')}, ${count(wanted.filter(row => row.state === 'ready').length)} ready`);
        return holder.contains(table.node) ? undefined : table.node;
    });
    const change = () => {
        remember('services', '', { show: 'servers', search, state });
        load.load();
    };
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Servers'), told, h('div', { class: 'aside tools' },
        searchBox('Filter by URL or service', search, text => {
            search = text;
            change();
        }), choice('State', [['', 'all'], ['trouble', 'not ready'], ['ready', 'ready'], ['draining', 'draining'], ['leaving', 'leaving'], ['down', 'down'], ['unhealthy', 'unhealthy'], ['ejected', 'ejected']], state, value => {
            state = value;
            change();
        }))), h('section', { class: 'panel', 'aria-label': 'Servers' }, holder));
    const timer = setInterval(() => document.hidden || load.load(), SLOW);
    return {
        tick: () => table.refresh(),
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}

// ---- one service ----

function one(root, name, context) {
    context.title(name);
    const body = h('div', { class: 'page' }), actions = h('div', { class: 'aside' }), numbers = h('dl', { class: 'tiles five' });
    const charts = story(`service:${name}`);
    const table = serverTable(context, { reload: () => load.load() });
    replace(root, h('div', { class: 'page-head' }, h('p', {}, h('a', { href: link('services') }, 'Services'), ' /'), h('h1', {}, name), actions), body);
    let drawn = '';
    const load = loader(body, async signal => {
        const [service, servers, map] = await Promise.all([get(`http/services/${segment(name)}`, {}, signal), get('portico/servers', { search: name }, signal).catch(() => []),
            get('portico/map', { search: name, limit: 20 }, signal).catch(() => null)]);
        return { service, servers: servers.filter(row => row.service === name), place: map?.services.find(row => row.name === name) };
    }, ({ service, servers, place }) => {
        table.set(servers);
        const now = JSON.stringify([service, place, servers.length > 0, context.canWrite]);
        if (drawn === now)
            return undefined;
        drawn = now;
        replace(actions, place?.maintenance && badge(place.maintenanceBy === 'configuration' ? 'under maintenance by configuration' : 'under maintenance', 'warn'), context.canWrite && place?.maintenanceBy !== 'configuration' && maintenance('service', 'services', name, place?.maintenance, () => load.load()), h('a', { class: 'button', href: link('map', '', { search: name }) }, 'On the map'));
        const children = service.weighted?.services || service.failover && [{ name: service.failover.service }, { name: service.failover.fallback }] || service.mirroring && [{ name: service.mirroring.service }, ...(service.mirroring.mirrors || [])];
        return [
            service.error?.length && h('ul', { class: 'errors', role: 'list' }, service.error.map(text => h('li', {}, text))),
            numbers,
            servers.length > 0 && panel('Servers', {}, table.node),
            children && panel('Services behind it', {}, h('ul', { class: 'plain-list' }, children.map(child => h('li', {}, named(qualify(child.name, service.provider), 'services'), child.weight !== undefined && h('span', { class: 'quiet' }, ` weight ${child.weight}`), child.percent !== undefined && h('span', { class: 'quiet' }, ` ${child.percent} %`))))),
            charts.node,
            h('div', { class: 'halves' }, panel('What it does', {}, facts([['Type', service.type], ['Status', stateLabel(service.status || 'enabled')], ['Provider', service.provider],
                ['Used by', service.usedBy?.length ? h('ul', {}, service.usedBy.slice(0, 30).map(router => h('li', {}, named(router, 'routers'))), service.usedBy.length > 30 && h('li', { class: 'quiet' }, `and ${count(service.usedBy.length - 30)} more`)) : 'nobody'],
                ['Defined in', placed(place?.source)]])),
            panel('Definition', { note: 'as the API tells it' }, definition(service))),
        ];
    });
    const timer = setInterval(() => document.hidden || load.load(), SLOW);
    const tick = () => numbersInto(numbers, live.of('services', name));
    tick();
    return {
        tick() {
            tick();
            table.refresh();
            charts.tick();
        },
        refresh() {
            load.load();
            charts.load();
        },
        leave() {
            clearInterval(timer);
            load.stop();
            charts.leave();
        },
    };
}
