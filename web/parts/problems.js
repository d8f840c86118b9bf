// What is wrong: what, where, since when, what to do about it; with the lines of a refused configuration and carets.
import { h } from '../core/dom.js';
import { prose, when } from '../core/format.js';
import { link } from '../core/route.js';
import { badge, place } from './bits.js';

const MOST = 5, ALL = 200;
const TONES = { error: 'bad', warning: 'warn', info: 'note' };

/** Where a subject is shown. */
function subjectLink(problem) {
    const { kind, name } = problem.subject || {};
    if (!name)
        return null;
    switch (kind) {
    case 'router': return link('routers', name);
    case 'service': return link('services', name);
    case 'server': return link('services', '', { search: name.includes('|') ? name.split('|')[1] : name });
    case 'middleware': return link('middlewares', name);
    case 'certificate': return link('certificates', '', { search: name });
    case 'container': return link('containers', '', { search: name });
    case 'file': case 'provider': return link('configuration', 'providers');
    default: return problem.kind === 'traffic' ? link('requests', '', { failed: 'true' }) : null;
    }
}

/** The line of a source with a caret below what is meant. */
export function caret(note) {
    if (!note.line)
        return null;
    const start = Math.max(0, (note.column || 1) - 1);
    // Tabs stay tabs, so that the caret stands where the eye expects it.
    const lead = note.line.slice(0, start).replace(/[^\t]/g, ' ');
    return h('pre', { class: 'source', tabindex: '0' }, note.line, '\n', lead, h('b', {}, '^' + '~'.repeat(Math.max(0, Math.min((note.length || 1) - 1, 200)))));
}

export function note(one) {
    return h('div', { class: `note-row ${TONES[one.severity] || 'note'}` },
        h('p', {}, badge(one.severity, TONES[one.severity] || 'note'), place(one.place), h('span', {}, prose(one.message))),
        caret(one), one.hint && h('p', { class: 'hint' }, prose(one.hint)));
}

function problem(one) {
    const href = subjectLink(one);
    const name = one.subject?.name?.replace(/^(.+?)\|(.+)$/, '$2 of $1');
    return h('li', { class: `problem ${TONES[one.severity] || 'note'}` },
        h('div', { class: 'problem-head' }, badge(one.severity, TONES[one.severity] || 'note'), h('span', { class: 'kind' }, one.kind === 'leftOut' ? 'left out' : one.kind),
            name && (href ? h('a', { href, class: 'subject' }, name) : h('span', { class: 'subject' }, name)),
            one.since && h('span', { class: 'quiet since' }, 'since ', when(one.since))),
        h('p', { class: 'problem-text' }, prose(one.text)), caret(one),
        one.hint && h('p', { class: 'hint' }, prose(one.hint)));
}

/** `shown`: what it remembers from one time to the next: whether all are shown. */
export function problemList(rows, shown) {
    if (rows.length === 0)
        return h('div', { class: 'all-well' }, h('span', { class: 'tick', 'aria-hidden': 'true' }, '✓'),
            h('p', {}, 'Every server is up, the configuration was taken whole, and no certificate is in danger.'));
    const list = h('ol', { class: 'problem-list' }, rows.slice(0, shown.all ? ALL : MOST).map(problem));
    if (rows.length <= MOST || shown.all)
        return list;
    const more = h('button', { type: 'button', onclick: () => {
        list.append(...rows.slice(MOST, ALL).map(problem));
        more.parentNode.remove();
        shown.all = true;
        list.children[MOST].querySelector('a')?.focus();
    } }, `Show ${Math.min(rows.length, ALL) - MOST} more`);
    return [list, h('p', {}, more)];
}
