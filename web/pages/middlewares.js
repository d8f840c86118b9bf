// Middlewares: what each is, who uses it, how it is set.
import { h, replace } from '../core/dom.js';
import { get, segment } from '../core/api.js';
import { count } from '../core/format.js';
import { link } from '../core/route.js';
import { badge, empty, facts, loader, named, panel, stateLabel } from '../parts/bits.js';
import { definition } from '../parts/definition.js';
import { pagedList } from '../parts/paged.js';

export function mount(root, place, context) {
    return place.argument ? one(root, place.argument, context) : all(root, place, context);
}

function all(root, place, context) {
    const list = pagedList(root, place, {
        page: 'middlewares', path: 'http/middlewares', title: 'Middlewares', searchLabel: 'Filter by name or type', total: () => context.overview?.counts?.middlewares,
        filters: [{ name: 'status', label: 'Status', options: [['', 'all'], ['enabled', 'enabled'], ['disabled', 'disabled']] }],
        table: {
            caption: 'Middlewares', key: row => row.name, onpick: row => context.go(link('middlewares', row.name)), toneOf: row => row.status === 'disabled' ? 'bad' : '',
            emptyNode: () => list?.filtered() ? empty('Nothing matches', 'No middleware has that in its name or type.')
                : empty('There are no middlewares', 'Middlewares change requests and responses on their way: headers, redirects, limits, authentication; see docs/middlewares.md.'),
            columns: [
                { title: 'Middleware', className: 'head', cell: row => [named(row.name, 'middlewares'), row.error?.length && h('span', { class: 'sub bad' }, row.error.join('; '))] },
                { title: 'Type', cell: row => badge(row.type || '?') },
                { title: 'Status', cell: row => stateLabel(row.status || 'enabled') },
                { title: 'Used by', cell: row => row.usedBy?.length ? [row.usedBy.slice(0, 3).map((name, i) => [i ? ', ' : '', named(name, 'routers')]), row.usedBy.length > 3 && h('span', { class: 'quiet' }, ` and ${count(row.usedBy.length - 3)} more`)] : h('span', { class: 'quiet' }, 'nobody') },
            ],
        },
    });
    return list;
}

function one(root, name, context) {
    context.title(name);
    const body = h('div', { class: 'page' });
    replace(root, h('div', { class: 'page-head' }, h('p', {}, h('a', { href: link('middlewares') }, 'Middlewares'), ' /'), h('h1', {}, name)), body);
    const load = loader(body, signal => get(`http/middlewares/${segment(name)}`, {}, signal), told => [
        told.error?.length && h('ul', { class: 'errors', role: 'list' }, told.error.map(text => h('li', {}, text))),
        h('div', { class: 'halves' },
            panel('What it does', {}, facts([['Type', badge(told.type || '?')], ['Status', stateLabel(told.status || 'enabled')], ['Provider', told.provider],
                ['Used by', told.usedBy?.length ? h('ul', {}, told.usedBy.slice(0, 50).map(router => h('li', {}, named(router, 'routers'))), told.usedBy.length > 50 && h('li', { class: 'quiet' }, `and ${count(told.usedBy.length - 50)} more`)) : 'nobody']])),
            panel('Definition', { note: 'as the API tells it, secrets hidden' }, definition(told))),
    ]);
    return { refresh: load.load, leave: load.stop };
}
