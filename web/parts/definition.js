// A definition as the API tells it, for people: JSON, indented, with its names set off. No highlighting library.
import { h } from '../core/dom.js';

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null|-?\d+(?:\.\d+)?)\b/g;

export function definition(value) {
    const text = JSON.stringify(value, null, 2), nodes = [];
    let at = 0;
    for (const match of text.matchAll(TOKEN)) {
        nodes.push(text.slice(at, match.index), h('span', { class: match[2] ? 'key' : match[1] ? 'string' : 'value' }, match[1] || match[3]));
        at = match.index + (match[1] || match[3]).length;
    }
    nodes.push(text.slice(at));
    return h('pre', { class: 'definition', tabindex: '0' }, nodes);
}
