// Small things that stand on every page: states, names that lead somewhere, panels, and what is shown while there is nothing.
import { h, replace } from '../core/dom.js';
import { link } from '../core/route.js';
import { splitName } from '../core/format.js';

// A state is never told by its colour alone: the word stands beside it.
const STATES = {
    ready: ['good', 'ready'], up: ['good', 'up'], enabled: ['good', 'enabled'], good: ['good', 'good'], closed: ['good', 'closed'],
    draining: ['warn', 'draining'], leaving: ['warn', 'leaving'], warning: ['warn', 'warning'], 'half-open': ['warn', 'half-open'], recovering: ['warn', 'recovering'],
    down: ['bad', 'down'], unhealthy: ['bad', 'unhealthy'], ejected: ['bad', 'ejected'], unresolved: ['bad', 'unresolved'],
    disabled: ['bad', 'disabled'], error: ['bad', 'error'], open: ['bad', 'open'],
    info: ['note', 'note'],
};

export function stateLabel(state) {
    const [tone, word] = STATES[state] || ['note', state || 'unknown'];
    return h('span', { class: `state ${tone}` }, word);
}

export function tone(state) {
    return (STATES[state] || ['note'])[0];
}

export function badge(text, tone = 'note', title) {
    return h('span', { class: `badge ${tone}`, title }, text);
}

/** "api@file" with its provider set back. */
export function named(name, page) {
    const [own, provider] = splitName(name);
    const text = [h('span', { class: 'own' }, own), provider && h('span', { class: 'provider' }, '@' + provider)];
    return page ? h('a', { href: link(page, name), class: 'name', title: name }, text) : h('span', { class: 'name', title: name }, text);
}

export function code(text, title) {
    return h('code', { title: title ?? (text && text.length > 40 ? text : undefined) }, text);
}

export function statusCode(status) {
    const tone = status >= 500 ? 'bad' : status >= 400 ? 'warn' : status >= 300 ? 'note' : status >= 100 ? 'good' : 'note';
    return h('span', { class: `status ${tone}` }, status ? String(status) : '–');
}

/** A section with a heading of its own. */
export function panel(title, { aside, note, className = '' } = {}, ...content) {
    return h('section', { class: `panel ${className}`, 'aria-label': title },
        h('header', { class: 'panel-head' }, h('h2', {}, title), note && h('p', { class: 'quiet' }, note), aside && h('div', { class: 'aside' }, aside)),
        content);
}

export function empty(title, text, ...more) {
    return h('div', { class: 'empty' }, h('strong', {}, title), text && h('p', {}, text), more);
}

export function failure(error, again) {
    const text = error.status === 401 || error.status === 403 ? 'You are not allowed to see this.'
        : error.status === 404 ? 'There is no such thing, or it is gone since the last reload.' : 'This could not be loaded.';
    return h('div', { class: 'empty failed', role: 'alert' }, h('strong', {}, text), h('p', {}, error.message),
        again && h('button', { type: 'button', onclick: again }, 'Try again'));
}

export function loading() {
    return h('div', { class: 'loading', role: 'status' }, h('span', { class: 'visually-hidden' }, 'Loading'), h('i'), h('i'), h('i'));
}

/**
 * Fetches and shows, then shows anew on request; what is on the page stays until the new is there. `fetcher(signal)` gives what
 * `show(data)` turns into nodes (or undefined, where it updated in place).
 */
export function loader(root, fetcher, show) {
    let abort = null, shown = false;
    async function load() {
        abort?.abort();
        const own = abort = new AbortController();
        if (!shown)
            replace(root, loading());
        root.setAttribute('aria-busy', 'true');
        try {
            const data = await fetcher(own.signal);
            if (own.signal.aborted)
                return;
            const nodes = show(data);
            if (nodes !== undefined)
                replace(root, nodes);
            shown = true;
        } catch (error) {
            if (error.name === 'AbortError' || own.signal.aborted)
                return;
            if (!error.status && error.status !== 0)
                console.error(error);
            // A list that was there is more useful than a complaint: the banner tells of a lost connection.
            if (!shown || error.status !== 0)
                shown = replace(root, failure(error, load)) && false;
        } finally {
            root.removeAttribute('aria-busy');
        }
    }
    load();
    return { load, stop: () => abort?.abort() };
}

/** Pairs of a name and what it is. */
export function facts(pairs) {
    return h('dl', { class: 'facts' }, pairs.filter(pair => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== '')
        .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

export function searchBox(label, value, onsearch) {
    let timer = 0;
    return h('input', {
        type: 'search', class: 'search', placeholder: label, 'aria-label': label, value, spellcheck: 'false', autocomplete: 'off',
        'data-filter': true,
        oninput: event => {
            clearTimeout(timer);
            timer = setTimeout(() => onsearch(event.target.value.trim()), 180);
        },
    });
}

export function choice(label, options, value, onchoose) {
    return h('label', { class: 'choice' }, h('span', {}, label),
        h('select', { value, onchange: event => onchoose(event.target.value) },
            options.map(([key, text]) => h('option', { value: key }, text))));
}

/** A source of a definition: "portico.yaml:12:5"; of a long path its end, which tells files apart. */
export function place(text) {
    if (!text)
        return null;
    const parts = text.startsWith('/') && text.length > 40 ? text.split('/') : [];
    return h('code', { class: 'place', title: text }, parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : text);
}
