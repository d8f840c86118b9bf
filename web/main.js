// The frame around the pages: navigation, search, theme, the state of the connection, the keyboard. Pages are modules that are
// mounted one at a time; each gives back what wants to hear of ticks.
import { h, hidden, replace, setText } from './core/dom.js';
import { get } from './core/api.js';
import { count, keepTimes, rate, span } from './core/format.js';
import { live } from './core/live.js';
import { link, parse } from './core/route.js';
import { failure } from './parts/bits.js';
import { finder } from './parts/finder.js';
import { showKeys } from './parts/keys.js';
import { themeSwitch } from './parts/themes.js';

// [name, title, key after g, group]
const PAGES = [
    ['overview', 'Overview', 'o', 'Now'], ['map', 'Map', 'm', 'Now'], ['requests', 'Requests', 'r', 'Now'],
    ['exchanges', 'Open exchanges', 'x', 'Now'], ['explain', 'Explain', 'e', 'Now'],
    ['routers', 'Routers', 't', 'What runs'], ['services', 'Services', 's', 'What runs'], ['middlewares', 'Middlewares', 'w', 'What runs'],
    ['containers', 'Containers', 'd', 'What runs'],
    ['limits', 'Limits', 'l', 'What runs'], ['certificates', 'Certificates', 'c', 'What runs'],
    ['configuration', 'Configuration', 'f', 'What runs'], ['audit', 'Audit', 'a', 'What runs'],
];

let overview = null, current = null, shownHash = null;
const main = h('main', { id: 'main', tabindex: '-1' });
const links = new Map(), marks = new Map();

/** What pages are given. */
const context = {
    get overview() {
        return overview;
    },
    get canWrite() {
        return Boolean(overview?.canWrite);
    },
    go: hash => {
        location.hash = hash;
    },
    title: setTitle,
    reload: () => loadOverview(),
};

function setTitle(text) {
    document.title = `${text} · Portico`;
}

// ---- the frame ----

const health = h('span', { class: 'pulse', role: 'status' });
const host = h('span', { class: 'host' });
const banner = h('div', { class: 'banner', role: 'alert', hidden: true });
const menuButton = h('button', { type: 'button', class: 'menu', 'aria-expanded': 'false', 'aria-controls': 'nav', onclick: () => toggleMenu() },
    h('span', { class: 'bars', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), hidden('Menu'));

function navigation() {
    const groups = new Map();
    for (const [name, title, , group] of PAGES) {
        const mark = h('span', { class: 'count' });
        const anchor = h('a', { href: link(name), 'data-page': name }, h('span', {}, title), mark);
        links.set(name, anchor);
        marks.set(name, mark);
        groups.set(group, [...(groups.get(group) || []), h('li', {}, anchor)]);
    }
    return h('nav', { id: 'nav', 'aria-label': 'Pages' }, [...groups].map(([group, items]) => [h('h2', {}, group), h('ul', {}, items)]),
        h('p', { class: 'foot' }, host));
}

function frame() {
    return [
        h('a', { class: 'skip', href: '#main', onclick: skip }, 'Skip to the content'),
        h('header', { class: 'top' },
            menuButton,
            h('a', { class: 'brand', href: link('overview') }, h('img', { src: 'icon.svg', alt: '', width: 24, height: 24 }), h('span', {}, 'Portico')),
            finder(PAGES), health, themeSwitch(),
            h('button', { type: 'button', class: 'icon keys', title: 'Keys (?)', onclick: () => showKeys(PAGES) }, h('span', { 'aria-hidden': 'true' }, '?'), hidden('Keys'))),
        banner,
        h('div', { class: 'body' }, navigation(), h('div', { class: 'scrim', onclick: () => toggleMenu(false) }), main),
    ];
}

function skip(event) {
    event.preventDefault();
    main.focus();
}

function toggleMenu(open = !document.body.classList.contains('menu-open')) {
    document.body.classList.toggle('menu-open', open);
    menuButton.setAttribute('aria-expanded', String(open));
    if (open)
        links.get(parse(location.hash).page)?.focus();
}

// ---- pages ----

async function show() {
    const place = parse(location.hash);
    const known = links.has(place.page);
    const first = shownHash === null;
    shownHash = location.hash;
    toggleMenu(false);
    // The same page with another query knows how to change itself.
    if (current?.name === place.page && current.page.navigate?.(place))
        return;
    current?.page.leave?.();
    const own = current = { name: place.page, page: {} };
    for (const [name, anchor] of links)
        anchor.toggleAttribute('aria-current', false), name === place.page && anchor.setAttribute('aria-current', 'page');
    const root = h('div', { class: `page page-${known ? place.page : 'none'}` });
    try {
        if (!known)
            throw Object.assign(new Error(`There is no page '${place.page}'.`), { status: 404 });
        const module = await import(`./pages/${place.page}.js`);
        if (current !== own)
            return;
        setTitle(PAGES.find(([name]) => name === place.page)[1]);
        replace(main, root);
        own.page = module.mount(root, place, context) || {};
    } catch (error) {
        // Without its module a page can only be had by loading everything anew.
        own.lost = known;
        replace(main, h('h1', {}, 'Not here'), failure(error, known && (() => location.reload())));
    }
    scrollTo(0, 0);
    // Whoever cannot see that the page changed is put at its beginning.
    if (!first) {
        const heading = main.querySelector('h1');
        heading?.setAttribute('tabindex', '-1');
        heading?.focus({ preventScroll: true });
    }
}

/** All pages are here before they are asked for: also when the connection is lost. */
function fetchAll() {
    for (const [name] of PAGES)
        import(`./pages/${name}.js`).catch(() => {});
}

// ---- the state of things ----

async function loadOverview() {
    try {
        overview = await get('portico/overview');
    } catch {
        return;
    }
    setText(host, `${overview.host || ''} · Portico ${overview.version} · up ${span(overview.uptimeSeconds)}`);
    const c = overview.counts || {};
    mark('routers', c.routers);
    mark('services', c.services);
    mark('middlewares', c.middlewares);
    mark('certificates', c.certificates);
    mark('overview', overview.problems, 'bad');
    current?.page.overview?.(overview);
}

function mark(page, number, tone = '') {
    const node = marks.get(page);
    setText(node, number ? count(number) : '');
    node.className = `count ${tone}`;
}

function onTick() {
    const now = live.now(), tick = live.tick;
    replace(health, h('i', { class: 'dot good' }), h('span', { class: 'num' }, rate(now.requests)), h('span', { class: 'quiet' }, ' req/s'));
    mark('overview', tick.problems, 'bad');
    mark('exchanges', tick.total.active);
    current?.page.tick?.(tick);
}

let retryTimer = 0;
function onConnection(event) {
    clearInterval(retryTimer);
    banner.hidden = live.connected !== false;
    document.body.classList.toggle('offline', live.connected === false);
    if (live.connected === false) {
        const text = h('span');
        const say = () => setText(text, `The connection to Portico is lost. What is shown may be old. Trying again ${live.retryAt > Date.now() + 900 ? `in ${Math.round((live.retryAt - Date.now()) / 1000)} s` : 'now'}.`);
        replace(banner, text, h('button', { type: 'button', onclick: () => live.retryNow() }, 'Try now'));
        say();
        retryTimer = setInterval(say, 1000);
        replace(health, h('i', { class: 'dot bad' }), h('span', {}, 'no connection'));
    } else if (event.detail.again) {
        changed();
    }
}

/** Another configuration runs, or the connection is back: what is shown is fetched anew. */
function changed() {
    if (current?.lost)
        return location.reload();
    loadOverview();
    current?.page.refresh?.();
}

// ---- keys ----

let pending = 0;
function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
        return;
    if (event.key === 'Escape' && document.body.classList.contains('menu-open')) {
        toggleMenu(false);
        menuButton.focus();
    }
    if (event.target.closest?.('input, select, textarea, [contenteditable]'))
        return;
    const page = performance.now() - pending < 1500 && PAGES.find(([, , key]) => key === event.key);
    pending = 0;
    if (page) {
        context.go(link(page[0]));
    } else if (event.key === 'g') {
        pending = performance.now();
    } else if (event.key === '/') {
        document.querySelector('.finder input').focus();
    } else if (event.key === 'f') {
        main.querySelector('[data-filter]')?.focus();
    } else if (event.key === '?') {
        showKeys(PAGES);
    } else {
        return;
    }
    event.preventDefault();
}

replace(document.body, frame());
addEventListener('hashchange', show);
addEventListener('keydown', onKey);
live.addEventListener('tick', onTick);
live.addEventListener('connection', onConnection);
live.addEventListener('configuration', changed);
keepTimes();
live.start();
loadOverview().then(show).then(fetchAll);
setInterval(() => document.hidden || loadOverview(), 15000);
