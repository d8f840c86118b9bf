// The configuration as it runs, with where each line came from; what each provider left out and why; what was refused.
import { h, replace, setText } from '../core/dom.js';
import { get } from '../core/api.js';
import { count, plural, when } from '../core/format.js';
import { remember } from '../core/route.js';
import { act } from '../parts/ask.js';
import { badge, code, empty, loader, panel, place as placed, searchBox } from '../parts/bits.js';
import { note } from '../parts/problems.js';
import { Table } from '../parts/table.js';

export function mount(root, place, context) {
    let search = place.query.get('search') || '', options = [];
    const told = h('p', { class: 'quiet' }), holder = h('div'), providers = h('div', { class: 'page' }), found = h('span', { class: 'quiet' });
    const reload = context.canWrite && h('button', { type: 'button', onclick: () => act({
        title: 'Read the configuration again?', text: 'As with SIGHUP: what is good takes over at once, no connection is lost; what is not is refused whole and the present one runs on.', confirm: 'Reload',
    }, 'portico/reload', {}).then(() => setTimeout(() => {
        optionLoader.load();
        providerLoader.load();
        context.reload();
    }, 500)) }, 'Reload…');
    const table = new Table({
        caption: 'Options', key: row => `${row.path}|${row.source}`, className: 'options',
        emptyNode: () => search ? empty('Nothing matches', 'No option has that in its path, value or source.') : empty('Nothing is configured', 'Everything is as it is by default.'),
        columns: [
            { title: 'Option', className: 'head', cell: row => code(row.path) },
            { title: 'Value', cell: row => h('code', { class: 'value' }, typeof row.value === 'string' ? row.value : JSON.stringify(row.value)) },
            { title: 'From', cell: row => row.source === 'default' ? h('span', { class: 'quiet' }, 'default') : placed(row.source) || h('span', { class: 'quiet' }, '–') },
        ],
    });
    function draw() {
        const low = search.toLowerCase();
        const wanted = options.filter(row => !low || `${row.path} ${typeof row.value === 'string' ? row.value : JSON.stringify(row.value)} ${row.source}`.toLowerCase().includes(low));
        table.page = 0;
        table.set(wanted);
        setText(found, search ? `${count(wanted.length)} of ${count(options.length)}` : plural(options.length, 'option'));
    }
    const optionLoader = loader(holder, signal => get('portico/configuration', {}, signal), answer => {
        options = answer.options || [];
        setText(told, answer.files?.length ? `From ${answer.files.slice(0, 4).join(', ')}${answer.files.length > 4 ? ` and ${answer.files.length - 4} more` : ''}` : '');
        draw();
        return holder.contains(table.node) ? undefined : table.node;
    });
    const providerLoader = loader(providers, signal => get('portico/providers', {}, signal), rows => rows.map(provider));

    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Configuration'), told, h('div', { class: 'aside' }, reload)),
        providers,
        panel('As it runs', { note: 'secrets hidden', aside: [found, searchBox('Filter by option, value or file', search, text => {
            search = text;
            remember('configuration', place.argument, { search });
            draw();
        })] }, holder));
    return {
        refresh() {
            optionLoader.load();
            providerLoader.load();
        },
        leave() {
            optionLoader.stop();
            providerLoader.stop();
        },
    };
}

function provider(row) {
    const left = row.leftOut || [], notes = row.notes || [];
    return panel(`Provider ${row.name}`, { aside: [row.good ? badge('taken whole', 'good') : badge('the last one was refused', 'bad'), row.loadedAt && h('span', { class: 'quiet' }, 'loaded ', when(row.loadedAt))] },
        notes.length === 0 && left.length === 0 && h('p', { class: 'quiet pad' }, 'It has nothing to say: every line was understood and everything is used.'),
        notes.length > 0 && h('div', { class: 'notes' }, !row.good && h('p', {}, 'This was refused; the configuration before it runs on.'), notes.slice(0, 100).map(note)),
        left.length > 0 && h('div', { class: 'notes' }, h('h3', {}, `Left out: ${plural(left.length, 'thing')}`), h('ul', {}, left.slice(0, 200).map(one => h('li', { class: 'left-out' },
            h('p', {}, badge(one.kind || 'object'), ' ', h('b', {}, one.name), ' ', one.place && placed(one.place)), h('p', {}, one.reason))))));
}
