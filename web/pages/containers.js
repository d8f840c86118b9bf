// What announces itself: the engines that are read, and what became of each container there, with the reason.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { remember } from '../core/route.js';
import { plural, prose, when } from '../core/format.js';
import { badge, code, empty, loader, named, searchBox } from '../parts/bits.js';
import { Table } from '../parts/table.js';

const STATES = { served: ['good', 'served'], notReady: ['warn', 'not ready'], leaving: ['warn', 'stopping'], leftOut: ['note', 'left out'] };

function state(row) {
    const [tone, word] = STATES[row.state] || ['note', row.state];
    return h('span', { class: `state ${row.mistake ? 'bad' : tone}` }, word);
}

function engine(one) {
    return h('div', { class: `note-row ${one.connected ? 'note' : 'bad'}` },
        h('p', {}, badge(one.connected ? 'connected' : 'not connected', one.connected ? 'good' : 'bad'), h('b', {}, one.provider), ' ', code(one.endpoint),
            one.version && h('span', { class: 'quiet' }, ' ', one.version), one.since && h('span', { class: 'quiet since' }, ' since ', when(one.since))),
        one.why && h('p', { class: 'hint' }, prose(one.why)));
}

function matches(row, word) {
    return [row.name, row.image, row.reason, row.id, ...row.routers, ...row.servers].some(text => text?.toLowerCase().includes(word));
}

export function mount(root, place) {
    let rows = [], word = (place.query.get('search') || '').toLowerCase();
    const told = h('p', { class: 'quiet' }), holder = h('div'), engines = h('div');
    const table = new Table({
        caption: 'Containers', key: row => `${row.provider}|${row.id}`, toneOf: row => row.mistake ? 'bad' : '',
        emptyNode: () => empty(rows.length ? 'No container fits' : 'No containers',
            rows.length ? 'Nothing here has this word in its name, image, reason, routers or servers.'
                : 'Containers appear here once providers.docker or providers.swarm is on; their labels make routers.'),
        columns: [
            { title: 'Container', className: 'head', cell: row => [h('b', {}, row.name), row.image && h('span', { class: 'sub' }, row.image)] },
            { title: 'State', className: 'tight', cell: state },
            { title: 'Why', cell: row => row.reason ? [prose(row.reason), row.hint && h('span', { class: 'sub' }, prose(row.hint))] : h('span', { class: 'quiet' }, '–') },
            { title: 'Routers', cell: row => row.routers.map(name => h('div', {}, named(name, 'routers'))) },
            { title: 'Servers', cell: row => row.servers.map(url => h('div', {}, code(url))) },
        ],
    });
    const show = () => {
        const shown = word ? rows.filter(row => matches(row, word)) : rows;
        const served = rows.filter(row => row.state === 'served').length;
        table.set(shown);
        setText(told, rows.length ? `${plural(rows.length, 'container')}, ${served} served` : '');
    };
    const load = loader(holder, signal => get('portico/containers', {}, signal), answer => {
        rows = answer.containers;
        replace(engines, answer.engines.map(engine));
        show();
        return holder.contains(table.node) ? undefined : table.node;
    });
    const search = searchBox('Search containers', word, text => {
        word = text.toLowerCase();
        remember('containers', '', { search: text });
        show();
    });
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Containers'), told, h('div', { class: 'aside tools' }, search)), engines,
        h('section', { class: 'panel', 'aria-label': 'Containers' }, holder));
    const timer = setInterval(() => document.hidden || load.load(), 3000);
    return {
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}
