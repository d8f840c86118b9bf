// All routers, and one: its rule, the way through it, its traffic, where it was defined, and the switch for maintenance.
import { h, replace } from '../core/dom.js';
import { get, segment } from '../core/api.js';
import { count, duration, percent, qualify, rate } from '../core/format.js';
import { live } from '../core/live.js';
import { link } from '../core/route.js';
import { act } from '../parts/ask.js';
import { badge, code, empty, facts, loader, named, panel, place as placed, stateLabel } from '../parts/bits.js';
import { spark } from '../parts/chart.js';
import { definition } from '../parts/definition.js';
import { pagedList } from '../parts/paged.js';
import { story } from '../parts/story.js';

export function mount(root, place, context) {
    return place.argument ? one(root, place.argument, context) : all(root, place, context);
}

function all(root, place, context) {
    const speed = row => live.of('routers', row.name);
    const list = pagedList(root, place, {
        page: 'routers', path: 'http/routers', title: 'Routers', searchLabel: 'Filter by name or rule', total: () => context.overview?.counts?.routers,
        filters: [{ name: 'status', label: 'Status', options: [['', 'all'], ['enabled', 'enabled'], ['warning', 'with warnings'], ['disabled', 'disabled']] },
            { name: 'sortBy', label: 'By', options: [['', 'name'], ['priority', 'priority'], ['rule', 'rule'], ['service', 'service']] }],
        table: {
            caption: 'Routers', key: row => row.name, onpick: row => context.go(link('routers', row.name)),
            toneOf: row => row.status === 'disabled' ? 'bad' : row.status === 'warning' ? 'warn' : '',
            emptyNode: () => list?.filtered() ? empty('Nothing matches', 'No router has that in its name or rule.')
                : empty('There are no routers', 'Requests are answered with 404. A router says which requests go to which service; see docs/configuration.md.'),
            columns: [
                { title: 'Router', className: 'head', cell: row => [named(row.name, 'routers'), row.status && row.status !== 'enabled' && [' ', stateLabel(row.status)], row.error?.length && h('span', { class: 'sub bad' }, row.error.join('; '))] },
                { title: 'Rule', className: 'head rule', cell: row => code(row.rule) },
                { title: 'On', cell: row => (row.entryPoints || []).map((name, i) => [i ? ', ' : '', name]), className: 'tight' },
                { title: 'TLS', cell: row => row.tls ? badge('TLS', 'good') : h('span', { class: 'quiet' }, 'no'), className: 'tight wide' },
                { title: 'Service', cell: row => row.service ? named(qualify(row.service, row.provider), 'services') : '–' },
                { title: 'Req/s', number: true, text: row => rate(speed(row).requests) },
                { title: '5xx', number: true, text: row => percent(speed(row).errors, speed(row).requests) },
                { title: 'p95', number: true, text: row => duration(speed(row).p95) },
                { title: 'Last minute', className: 'trend wide', cell: row => (row.picture ||= spark(row.name)).node, update: row => row.picture.update(live.series('routers', row.name)) },
            ],
        },
    });
    return list;
}

function one(root, name, context) {
    context.title(name);
    const body = h('div', { class: 'page' }), actions = h('div', { class: 'aside' }), numbers = h('dl', { class: 'tiles five' });
    const charts = story(`router:${name}`);
    replace(root, h('div', { class: 'page-head' }, h('p', {}, h('a', { href: link('routers') }, 'Routers'), ' /'), h('h1', {}, name), actions), body);
    const load = loader(body, async signal => {
        const [router, map] = await Promise.all([get(`http/routers/${segment(name)}`, {}, signal), get('portico/map', { search: name, limit: 20 }, signal).catch(() => null)]);
        return { router, place: map?.routers.find(row => row.name === name) };
    }, ({ router, place }) => {
        replace(actions, place?.maintenance && badge(place.maintenanceBy === 'configuration' ? 'under maintenance by configuration' : 'under maintenance', 'warn'), context.canWrite && place?.maintenanceBy !== 'configuration' && maintenance('router', 'routers', name, place?.maintenance, () => load.load()),
            h('a', { class: 'button', href: link('requests', '', { router: name }) }, 'Its requests'), h('a', { class: 'button', href: link('map', '', { search: name }) }, 'On the map'));
        return [
            router.error?.length && h('ul', { class: 'errors', role: 'list' }, router.error.map(text => h('li', {}, text))),
            numbers, charts.node,
            h('div', { class: 'halves' },
                panel('What it does', {}, facts([
                    ['Status', stateLabel(router.status || 'enabled')], ['Rule', code(router.rule)], ['Priority', count(router.priority)],
                    ['Entrypoints', (router.entryPoints || []).join(', ')], ['TLS', router.tls ? Object.entries(router.tls).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ') || 'yes' : 'no'],
                    ['Middlewares, in order', router.middlewares?.length ? h('ol', { class: 'chain' }, router.middlewares.map(one => h('li', {}, named(qualify(one, router.provider), 'middlewares')))) : 'none'],
                    ['Service', router.service && named(qualify(router.service, router.provider), 'services')], ['Provider', router.provider], ['Defined in', placed(place?.source)],
                ])),
                panel('Definition', { note: 'as the API tells it' }, definition(router))),
        ];
    });
    function tick() {
        const speed = live.of('routers', name);
        numbersInto(numbers, speed);
    }
    tick();
    return {
        tick() {
            tick();
            charts.tick();
        },
        refresh() {
            load.load();
            charts.load();
        },
        leave() {
            load.stop();
            charts.leave();
        },
    };
}

export function numbersInto(node, speed) {
    const tile = (name, value, tone = '') => h('div', { class: 'tile', 'data-tone': tone }, h('dt', {}, name), h('dd', { class: 'big' }, value));
    replace(node, tile('Requests/s', rate(speed.requests)), tile('Errors (5xx)', percent(speed.errors, speed.requests), speed.errors > 0 ? speed.errors >= 0.05 * speed.requests ? 'bad' : 'warn' : ''),
        tile('Refused (4xx)', percent(speed.refused, speed.requests)), tile('Median', duration(speed.p50)), tile('95 % within', duration(speed.p95)), tile('Open now', count(speed.active)));
}

/** The switch; `on`: how it is now. */
export function maintenance(kind, path, name, on, done) {
    return h('button', { type: 'button', onclick: () => act({
        title: `${on ? 'End the maintenance of' : 'Maintenance for'} ${kind} ${name}?`, confirm: on ? 'End maintenance' : 'Begin maintenance', tone: on ? '' : 'bad',
        text: !on ? 'From now on its requests are answered with 503 and a page that says so. What is under way ends as usual.' : 'Its requests are served again.',
    }, `portico/${path}/${segment(name)}`, { maintenance: !on }).then(well => well && done()) }, on ? 'End maintenance…' : 'Maintenance…');
}
