// Asking before something is done, doing it, and showing what came of it.
import { h, freshId } from '../core/dom.js';
import { post } from '../core/api.js';

/** A dialog; resolves to the entered values, or null. fields: [{name, label, type, value, min, max}] */
export function ask({ title, text, confirm, tone = '', fields = [] }) {
    return new Promise(resolve => {
        const id = freshId('ask');
        const inputs = fields.map(field => h('input', {
            name: field.name, type: field.type || 'text', value: field.value ?? '', min: field.min, max: field.max, required: true,
            id: `${id}-${field.name}`,
        }));
        const form = h('form', {
            onsubmit: event => {
                event.preventDefault();
                finish(Object.fromEntries(inputs.map(input => [input.name, input.value])));
            },
        }, h('h2', { id }, title), h('p', {}, text),
            fields.map((field, index) => h('label', { for: inputs[index].id }, h('span', {}, field.label), inputs[index])),
            h('div', { class: 'buttons' },
                h('button', { type: 'button', onclick: () => finish(null) }, 'Cancel'),
                h('button', { type: 'submit', class: `primary ${tone}` }, confirm)));
        const dialog = h('dialog', { 'aria-labelledby': id, onclose: () => finish(null) }, form);
        let finished = false;
        function finish(value) {
            if (finished)
                return;
            finished = true;
            dialog.close();
            dialog.remove();
            resolve(value);
        }
        document.body.append(dialog);
        dialog.showModal();
    });
}

let notices = null;

/** What came of it, in a corner; read out as well. */
export function notice(text, tone = 'good') {
    if (!notices)
        document.body.append(notices = h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' }));
    const node = h('div', { class: `notice ${tone}` }, h('span', {}, text),
        h('button', { type: 'button', 'aria-label': 'Dismiss', onclick: () => node.remove() }, '×'));
    notices.append(node);
    setTimeout(() => node.remove(), tone === 'bad' ? 20000 : 8000);
}

/** Asks, posts, tells. Gives whether it was done. */
export async function act(question, path, body) {
    const given = await ask(question);
    if (given === null)
        return false;
    try {
        const answer = await post(path, typeof body === 'function' ? body(given) : body);
        notice(answer.message || 'Done.');
        return true;
    } catch (error) {
        notice(`Not done: ${error.message}`, 'bad');
        return false;
    }
}
