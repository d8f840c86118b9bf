// Every certificate: whose, from whom, until when, when it is renewed, and what stands in the way.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { plural, prose, relative, when } from '../core/format.js';
import { remember } from '../core/route.js';
import { act } from '../parts/ask.js';
import { badge, empty, loader, searchBox } from '../parts/bits.js';
import { Table } from '../parts/table.js';

const DAY = 86400e3;

function toneOf(row) {
    if (row.expired || (row.problem && (!row.notAfter || Date.parse(row.notAfter) - Date.now() < 3 * DAY)))
        return 'bad';
    return row.problem || row.state === 'missing' || (row.notAfter && Date.parse(row.notAfter) - Date.now() < 14 * DAY && !row.renewAt) ? 'warn' : '';
}

// How urgent: what has a problem first, then what ends first.
function urgency(row) {
    return ({ bad: 0, warn: 1e15 })[toneOf(row)] ?? 2e15 + (row.notAfter ? Date.parse(row.notAfter) : 0);
}

export function mount(root, place, context) {
    let search = place.query.get('search') || '';
    const told = h('p', { class: 'quiet' }), holder = h('div');
    const renew = row => () => act({
        title: `Renew ${row.names[0]} now?`, text: `It is asked for anew from ${row.source}. The present one serves until the new one is there.`, confirm: 'Renew',
    }, 'portico/certificates/renew', { name: row.names[0] }).then(well => well && load.load());
    const table = new Table({
        caption: 'Certificates', key: row => `${row.names.join()}|${row.source}|${row.serial}`, toneOf,
        emptyNode: () => search ? empty('Nothing matches', 'No certificate is for that name.') : empty('There are no certificates', 'Name an entrypoint with TLS and a resolver, and they come by themselves; see docs/https.md.'),
        columns: [
            { title: 'Names', className: 'head', cell: row => [h('span', { class: 'own' }, row.names[0] || '–'), row.names.length > 1 && h('span', { class: 'sub' }, row.names.slice(1, 6).join(', '), row.names.length > 6 && ` and ${row.names.length - 6} more`),
                row.problem && h('span', { class: 'sub bad' }, row.problem), row.hint && h('span', { class: 'sub hint' }, prose(row.hint))] },
            { title: 'State', className: 'tight', cell: row => row.expired ? badge('expired', 'bad') : badge(row.state || '–', row.state === 'issued' || row.state === 'file' ? 'good' : row.state === 'missing' || row.problem ? 'warn' : 'note') },
            { title: 'Expires', className: 'tight', cell: row => row.notAfter ? h('span', { class: toneOf(row) }, when(row.notAfter)) : '–' },
            { title: 'Renewal', className: 'tight', cell: row => row.nextTry ? ['next try ', when(row.nextTry)] : row.renewAt ? (Date.parse(row.renewAt) > Date.now() ? when(row.renewAt) : h('span', { title: relative(Date.parse(row.renewAt)) }, 'due')) : h('span', { class: 'quiet' }, 'nobody renews it') },
            { title: 'Source', cell: row => row.source || '–' },
            { title: 'Issuer', className: 'wide', cell: row => row.issuer || '–' },
            { title: 'Key', className: 'wide', cell: row => row.keyType || '–' },
            ...(context.canWrite ? [{ label: 'Actions', className: 'act', cell: row => row.state !== 'file' && row.state !== 'memory' && row.state !== 'root' ? h('div', { class: 'actions' }, h('button', { type: 'button', class: 'small', onclick: renew(row) }, 'Renew')) : '' }] : []),
        ],
    });
    const load = loader(holder, signal => get('portico/certificates', {}, signal), rows => {
        const low = search.toLowerCase();
        const wanted = rows.filter(row => !low || [...row.names, row.issuer, row.source, row.serial].join(' ').toLowerCase().includes(low)).sort((a, b) => urgency(a) - urgency(b));
        table.set(wanted);
        const troubled = wanted.filter(row => toneOf(row)).length;
        setText(told, plural(wanted.length, 'certificate') + (troubled ? `, ${troubled} in trouble` : ''));
        return holder.contains(table.node) ? undefined : table.node;
    });
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Certificates'), told, h('div', { class: 'aside tools' }, searchBox('Filter by name', search, text => {
        search = text;
        remember('certificates', '', { search });
        load.load();
    }))), h('section', { class: 'panel', 'aria-label': 'Certificates' }, holder));
    const timer = setInterval(() => document.hidden || load.load(), 15000);
    return {
        refresh: load.load,
        leave() {
            clearInterval(timer);
            load.stop();
        },
    };
}
