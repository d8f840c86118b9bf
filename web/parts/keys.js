// The keys, on `?`.
import { h } from '../core/dom.js';

export function showKeys(pages) {
    const rows = [
        ['/', 'search everything'], ['f', 'filter this page'], ['?', 'these keys'], ['Esc', 'close, or leave a field'],
        ['← ↑ → ↓', 'walk the map; read a chart'], ...pages.map(([, title, key]) => [`g ${key}`, title]),
    ];
    const dialog = h('dialog', { class: 'keys-dialog', 'aria-labelledby': 'keys-title', onclose: () => dialog.remove() },
        h('h2', { id: 'keys-title' }, 'Keys'),
        h('dl', { class: 'keys-list' }, rows.map(([keys, what]) => h('div', {},
            h('dt', {}, keys.split(' ').map(key => [h('kbd', {}, key), ' '])), h('dd', {}, what)))),
        h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close')));
    document.body.append(dialog);
    dialog.showModal();
}
