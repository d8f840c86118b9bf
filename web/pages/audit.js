// Who ordered what, when, from where, and what came of it.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { plural, when } from '../core/format.js';
import { badge, empty, loader } from '../parts/bits.js';
import { Table } from '../parts/table.js';

export function mount(root, place, context) {
    const told = h('p', { class: 'quiet' }), holder = h('div');
    const table = new Table({
        caption: 'Audit', key: row => `${row.at}|${row.action}|${row.subject}|${row.detail}|${row.user}`,
        emptyNode: () => empty('Nobody ordered anything', context.canWrite ? 'What is drained, weighed, renewed or reloaded here or over the API is kept here.'
            : 'You may only read. Who may drain, renew and reload is said by api.writers; see docs/dashboard.md.'),
        columns: [
            { title: 'When', className: 'tight', cell: row => when(row.at) },
            { title: 'Who', cell: row => [row.user || h('span', { class: 'quiet' }, 'anybody'), row.client && h('span', { class: 'sub' }, row.client)] },
            { title: 'What', className: 'head', cell: row => [h('b', {}, row.action), ' ', row.subject, row.detail && h('span', { class: 'sub' }, row.detail)] },
            { title: 'Outcome', cell: row => badge(row.outcome, /^(done|ok|good|accepted)/i.test(row.outcome) ? 'good' : 'warn', row.outcome) },
        ],
    });
    const load = loader(holder, signal => get('portico/audit', {}, signal), rows => {
        table.set(rows);
        setText(told, plural(rows.length, 'entry', 'entries') + ' since the start');
        return holder.contains(table.node) ? undefined : table.node;
    });
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Audit'), told), h('section', { class: 'panel', 'aria-label': 'Audit' }, holder));
    const timer = setInterval(() => document.hidden || load.load(), 5000);
    return {
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}
