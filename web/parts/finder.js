// One search over everything that has a name: pages, routers, services, middlewares, servers. A combobox with a list below it.
import { h, calmed, freshId, replace } from '../core/dom.js';
import { get } from '../core/api.js';
import { link } from '../core/route.js';

const EACH = 6;

export function finder(pages) {
    const list = h('ul', { class: 'found', role: 'listbox', id: freshId('found'), 'aria-label': 'Found', hidden: true });
    const input = h('input', {
        type: 'search', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': list.id, 'aria-autocomplete': 'list',
        'aria-label': 'Search routers, services, middlewares, servers, pages', placeholder: 'Search', autocomplete: 'off', spellcheck: 'false',
        oninput: () => look(input.value.trim()), onkeydown: key, onfocus: () => input.value && look(input.value.trim()),
        onblur: () => setTimeout(close, 150),
    });
    let options = [], at = -1, asked = 0;

    const look = calmed(120, async text => {
        const own = ++asked;
        if (!text)
            return close();
        const low = text.toLowerCase();
        const found = pages.filter(([, title]) => title.toLowerCase().includes(low)).slice(0, 4)
            .map(([name, title]) => ({ kind: 'page', text: title, href: link(name) }));
        const [routers, services, middlewares, servers] = await Promise.all([
            ...['routers', 'services', 'middlewares'].map(kind => get(`http/${kind}`, { search: text, per_page: EACH }).catch(() => [])),
            get('portico/servers', { search: text }).catch(() => []),
        ]);
        if (own !== asked)
            return;
        const add = (kind, page, rows) => rows.slice(0, EACH).forEach(row => found.push({ kind, text: row.name, more: row.rule || row.type, href: link(page, row.name) }));
        add('router', 'routers', routers);
        add('service', 'services', services);
        add('middleware', 'middlewares', middlewares);
        servers.slice(0, EACH).forEach(row => found.push({ kind: 'server', text: row.url, more: row.service, href: link('services', row.service) }));
        if (/^https?:\/\/|^\//.test(text))
            found.unshift({ kind: 'explain', text: `Which way does ${text} take?`, href: link('explain', '', { url: text }) });
        show(found);
    });

    function show(found) {
        at = found.length ? 0 : -1;
        options = found.map((one, index) => h('li', { role: 'option', id: `${list.id}-${index}`, onmousedown: event => {
            event.preventDefault();
            take(one);
        } }, h('span', { class: 'kind' }, one.kind), h('span', { class: 'what' }, one.text), one.more && h('span', { class: 'more' }, one.more)));
        options.forEach((option, index) => {
            option.target = found[index];
        });
        replace(list, options.length ? options : h('li', { class: 'none', role: 'option', 'aria-disabled': 'true' }, 'Nothing has that name.'));
        list.hidden = false;
        input.setAttribute('aria-expanded', 'true');
        mark();
    }

    function mark() {
        options.forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
        if (at >= 0) {
            input.setAttribute('aria-activedescendant', options[at].id);
            options[at].scrollIntoView({ block: 'nearest' });
        } else {
            input.removeAttribute('aria-activedescendant');
        }
    }

    function close() {
        asked++;
        list.hidden = true;
        options = [];
        input.setAttribute('aria-expanded', 'false');
        input.removeAttribute('aria-activedescendant');
    }

    function take(one) {
        close();
        input.value = '';
        input.blur();
        location.hash = one.href;
    }

    function key(event) {
        if (event.key === 'Escape') {
            input.value = '';
            close();
            input.blur();
        } else if (event.key === 'Enter' && at >= 0) {
            take(options[at].target);
        } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && options.length) {
            at = (at + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % options.length;
            mark();
        } else {
            return;
        }
        event.preventDefault();
    }

    return h('div', { class: 'finder', role: 'search' }, input, h('kbd', { 'aria-hidden': 'true' }, '/'), list);
}
