// Middlewares that hold something back: rates, requests in flight, circuit breakers; how full, how often, because of whom.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { count, plural } from '../core/format.js';
import { badge, empty, loader, named, stateLabel } from '../parts/bits.js';

const TYPES = { rateLimit: 'Rate limit', inFlightReq: 'Requests in flight', circuitBreaker: 'Circuit breaker', retry: 'Retry', buffering: 'Buffering' };

/** "inFlight" -> "in flight" */
function words(name) {
    return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

function shown(value) {
    if (typeof value === 'number')
        return Number.isInteger(value) ? count(value) : value.toFixed(2);
    return value === null || value === '' ? '–' : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** Lists of objects become a small table, whatever they hold. */
function list(name, rows) {
    if (rows.length === 0)
        return null;
    const plain = typeof rows[0] !== 'object';
    const columns = plain ? [name] : [...new Set(rows.flatMap(row => Object.keys(row)))];
    return h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': words(name) }, h('table', { class: 'rows compact' }, h('caption', { class: 'visually-hidden' }, words(name)),
        h('thead', {}, h('tr', {}, columns.map(column => h('th', { scope: 'col', class: typeof rows[0][column] === 'number' ? 'number' : null }, words(column))))),
        h('tbody', {}, rows.slice(0, 10).map(row => h('tr', {}, columns.map(column => h('td', { class: typeof row[column] === 'number' ? 'number' : null }, shown(plain ? row : row[column]))))))));
}

/** What is used of what there is, where the state names such a pair. */
function gauge(state) {
    const pairs = [['inFlight', 'amount'], ['used', 'limit'], ['keys', 'keysLimit'], ['clients', 'clientsLimit']];
    const found = pairs.find(([used, most]) => typeof state[used] === 'number' && typeof state[most] === 'number' && state[most] > 0);
    if (!found)
        return null;
    const [used, most] = found.map(name => state[name]);
    return h('div', { class: 'gauge' }, h('meter', { min: 0, max: most, value: Math.min(used, most), high: most * 0.8, optimum: 0, 'aria-label': `${words(found[0])} of ${words(found[1])}` }), h('span', { class: 'num' }, `${count(used)} of ${count(most)}`));
}

function card(row) {
    const state = row.state || {};
    const scalars = Object.entries(state).filter(([, value]) => typeof value !== 'object' || value === null);
    const lists = Object.entries(state).filter(([, value]) => Array.isArray(value));
    return h('section', { class: 'panel', 'aria-label': row.middleware },
        h('header', { class: 'panel-head' }, h('h2', {}, named(row.middleware, 'middlewares')), badge(TYPES[row.type] || row.type), h('div', { class: 'aside' }, typeof state.state === 'string' && stateLabel(state.state))),
        gauge(state),
        h('dl', { class: 'facts' }, scalars.filter(([name]) => name !== 'state').map(([name, value]) => h('div', {}, h('dt', {}, words(name)), h('dd', { class: /refused|rejected|trips/.test(name) && value > 0 ? 'warn' : '' }, shown(value))))),
        lists.map(([name, rows]) => list(name, rows)),
        h('p', { class: 'pad quiet' }, row.usedBy?.length ? ['Used by ', row.usedBy.slice(0, 6).map((name, i) => [i ? ', ' : '', named(name, 'routers')]), row.usedBy.length > 6 && ` and ${count(row.usedBy.length - 6)} more`] : 'Used by nobody.'));
}

export function mount(root) {
    const told = h('p', { class: 'quiet' }), holder = h('div');
    let drawn = '';
    const load = loader(holder, signal => get('portico/limits', {}, signal), rows => {
        setText(told, rows.length ? `${plural(rows.length, 'middleware holds', 'middlewares hold')} something back` : '');
        const now = JSON.stringify(rows);
        if (drawn === now)
            return undefined;
        drawn = now;
        return rows.length ? h('div', { class: 'cards' }, rows.slice(0, 200).map(card))
            : h('section', { class: 'panel' }, empty('Nothing holds requests back', 'rateLimit, inFlightReq and circuitBreaker tell here how full they are; see docs/middlewares.md.'));
    });
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Limits'), told), holder);
    const timer = setInterval(() => document.hidden || load.load(), 3000);
    return {
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}
