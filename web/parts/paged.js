// A list that the server pages, searches and sorts (Traefik's endpoints): ten thousand routers cost what a hundred cost. The
// address holds search, filter and page, so that a view can be sent to somebody.
import { h, replace, setText } from '../core/dom.js';
import { getPage } from '../core/api.js';
import { count } from '../core/format.js';
import { remember } from '../core/route.js';
import { choice, loader, searchBox } from './bits.js';
import { pagerParts, PAGE, Table } from './table.js';

/** {page, path, title, lead, searchLabel, total(): all there are, filters: [{name, label, options}], table: options of Table} */
export function pagedList(root, place, options) {
    const state = { search: place.query.get('search') || '', page: Math.max(1, Number(place.query.get('page')) || 1) };
    for (const filter of options.filters || [])
        state[filter.name] = place.query.get(filter.name) || '';
    const table = new Table(options.table);
    const pager = h('nav', { class: 'pager', 'aria-label': `Pages of ${options.title}`, hidden: true });
    const told = h('p', { class: 'quiet' });
    const holder = h('div');
    const list = loader(holder, signal => getPage(options.path, { ...state, per_page: PAGE }, signal), ({ rows, next }) => {
        table.set(rows);
        const filtered = state.search || (options.filters || []).some(filter => state[filter.name]);
        const total = filtered ? null : options.total?.();
        setText(told, total ? `${count(total)} in all` : filtered ? `${count((state.page - 1) * PAGE + rows.length)}${next ? ' or more' : ''} found` : '');
        const turn = by => () => {
            state.page += by;
            go();
            root.scrollIntoView({ block: 'start' });
        };
        pager.hidden = state.page === 1 && !next;
        replace(pager, ...pagerParts(state.page, total ? Math.ceil(total / PAGE) : null, null, turn(-1), next ? turn(1) : null));
        return holder.contains(table.node) ? undefined : table.node;
    });
    const go = () => {
        remember(options.page, '', { ...state, page: state.page > 1 ? state.page : '' });
        list.load();
    };
    const change = (name, value) => {
        Object.assign(state, { [name]: value, page: 1 });
        go();
    };
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, options.title), told,
        h('div', { class: 'aside tools' }, searchBox(options.searchLabel, state.search, text => change('search', text)),
            (options.filters || []).map(filter => choice(filter.label, filter.options, state[filter.name], value => change(filter.name, value))))),
    h('section', { class: 'panel', 'aria-label': options.title }, holder, pager));
    return {
        tick: () => table.refresh(),
        refresh: list.load,
        leave: list.stop,
        filtered: () => Boolean(state.search),
    };
}
