// What is under way right now, the oldest first: in which step each stands, and for how long.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { bytes, duration, plural } from '../core/format.js';
import { remember } from '../core/route.js';
import { badge, empty, loader, named, searchBox } from '../parts/bits.js';
import { Table } from '../parts/table.js';

const EVERY = 2000;

export function mount(root, place) {
    let search = place.query.get('search') || '';
    const told = h('p', { class: 'quiet' }), holder = h('div');
    const table = new Table({
        caption: 'Open exchanges', key: row => `${row.worker}.${row.id}`, sorted: 0, descending: true, toneOf: row => !row.upgraded && row.stepAgeMs > 10000 ? 'warn' : '',
        emptyNode: () => search ? empty('Nothing matches', 'No open exchange has that in it.') : empty('Nothing is under way', 'At this moment no request is open. Idle connections are not counted.'),
        columns: [
            { title: 'Age', number: true, sort: row => row.ageMs, text: row => duration(row.ageMs) },
            { title: 'Step', className: 'why', sort: row => row.stepAgeMs, cell: row => [row.stepText || row.step, row.upgraded && [' ', badge('upgraded')], h('span', { class: 'sub' }, `for ${duration(row.stepAgeMs)}`)] },
            { title: 'Request', className: 'head target', cell: row => [h('b', {}, row.method), ' ', h('span', { class: 'quiet' }, row.host), row.path, h('span', { class: 'sub' }, [row.client, row.protocol, row.tls ? 'TLS' : '', row.entryPoint].filter(Boolean).join(' · '))] },
            { title: 'Router', cell: row => row.router ? [named(row.router, 'routers'), row.middleware && h('span', { class: 'sub' }, 'in ', named(row.middleware, 'middlewares'))] : h('span', { class: 'quiet' }, 'none yet') },
            { title: 'Server', className: 'wide', cell: row => [row.server || '–', row.attempts > 1 && h('span', { class: 'sub' }, `attempt ${row.attempts}`)] },
            { title: 'In', number: true, text: row => bytes(row.bytesIn), sort: row => row.bytesIn },
            { title: 'Out', number: true, text: row => bytes(row.bytesOut), sort: row => row.bytesOut },
        ],
    });
    const load = loader(holder, signal => get('portico/exchanges', {}, signal), rows => {
        const low = search.toLowerCase();
        const wanted = rows.filter(row => !low || JSON.stringify(Object.values(row)).toLowerCase().includes(low));
        table.set(wanted);
        setText(told, plural(wanted.length, 'exchange') + (search ? ' found' : ' open'));
        return holder.contains(table.node) ? undefined : table.node;
    });
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Open exchanges'), told, h('div', { class: 'aside tools' }, searchBox('Filter by anything', search, text => {
        search = text;
        remember('exchanges', '', { search });
        load.load();
    }))), h('section', { class: 'panel', 'aria-label': 'Open exchanges' }, holder));
    const timer = setInterval(() => document.hidden || load.load(), EVERY);
    return {
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}
