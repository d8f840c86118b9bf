// Which way would a request take? Asked of the running configuration, without sending anything: entrypoint, certificate, every
// router that was tried with the matcher that failed, middlewares, service, server, the URL that the server would see.
import { h, replace } from '../core/dom.js';
import { get } from '../core/api.js';
import { plural } from '../core/format.js';
import { remember } from '../core/route.js';
import { code, empty, failure, loading, named, statusCode } from '../parts/bits.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const TRIED = 12;                // routers that are shown before the rest is asked for

export function mount(root, place) {
    const given = place.query;
    const url = h('input', { type: 'text', required: true, inputmode: 'url', placeholder: 'https://example.com/path?query', value: given.get('url') || '', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', 'data-filter': true });
    const method = h('select', { value: given.get('method') || 'GET' }, METHODS.map(name => h('option', {}, name)));
    const from = h('input', { type: 'text', placeholder: '127.0.0.1', value: given.get('from') || '', spellcheck: 'false' });
    const entry = h('select', {}, h('option', { value: '' }, 'by scheme and port'));
    const headers = h('textarea', { rows: 2, placeholder: 'Cookie: a=b', value: given.getAll('header').join('\n') || (given.get('headers') || ''), spellcheck: 'false' });
    const result = h('div', { class: 'way-holder', 'aria-live': 'polite' });
    const field = (text, input, className = '') => h('label', { class: `field ${className}` }, h('span', {}, text), input);
    const form = h('form', { class: 'panel explain-form', onsubmit: event => {
        event.preventDefault();
        ask();
    } }, field('Method', method), field('URL', url, 'long'), field('Client address', from), field('Entrypoint', entry), field('Header fields, one a line', headers, 'all'),
    h('button', { type: 'submit', class: 'primary' }, 'Explain'));
    replace(root, h('div', { class: 'page-head' }, h('h1', {}, 'Explain')),
        h('p', { class: 'lead' }, 'The way of a request through the configuration that runs. Nothing is sent to any server, nothing is counted.'), form, result);
    get('entrypoints').then(rows => {
        entry.append(...rows.map(row => h('option', { value: row.name }, `${row.name} (${row.address})`)));
        entry.value = given.get('entryPoint') || '';
    }).catch(() => {});

    async function ask() {
        const text = url.value.trim();
        if (!text)
            return url.focus();
        if (!/^\w+:\/\//.test(text))
            url.value = text.startsWith('/') ? `http://${location.hostname}${text}` : `https://${text}`;
        const query = { method: method.value, url: url.value.trim(), from: from.value.trim(), entryPoint: entry.value, header: headers.value.split('\n').map(line => line.trim()).filter(Boolean) };
        remember('explain', '', { ...query, method: query.method === 'GET' ? '' : query.method, header: '', headers: query.header.join('\n') });
        replace(result, loading());
        try {
            replace(result, way(await get('portico/explain', query), query));
        } catch (error) {
            replace(result, h('div', { class: 'panel' }, error.status === 400 || error.status === 422 ? empty('That cannot be explained', error.message) : failure(error, ask)));
        }
    }
    if (url.value)
        ask();
    else
        replace(result, h('div', { class: 'panel' }, empty('Type a URL', 'For a 404 that nobody understands, the routers that were tried show the matcher that failed.')));
    return {
        // The search in the bar may ask another question while this page is there.
        navigate(to) {
            if (!to.query.get('url'))
                return false;
            url.value = to.query.get('url');
            method.value = to.query.get('method') || 'GET';
            from.value = to.query.get('from') || '';
            headers.value = to.query.get('headers') || '';
            ask();
            return true;
        },
    };
}

function step(kind, tone, title, ...content) {
    return h('li', { class: `step ${tone}` }, h('div', { class: 'step-kind' }, kind), h('div', { class: 'step-body' }, h('div', { class: 'step-title' }, title), content));
}

function tried(rows) {
    const line = one => h('li', { class: one.matched ? 'matched' : 'passed-by' }, h('span', { class: 'sign', 'aria-hidden': 'true' }, one.matched ? '✓' : '✗'),
        h('div', {}, named(one.router, 'routers'), h('span', { class: 'quiet' }, one.matched ? ' takes it' : ' does not'), !one.matched && h('p', { class: 'sub' }, 'not ', code(one.failed || 'its rule'), one.why && `: ${one.why}`)));
    // The one that took it stands last; those shortly before it are the interesting ones.
    const shown = rows.slice(-TRIED), before = rows.slice(0, -TRIED);
    const list = h('ol', { class: 'tried' }, shown.map(line));
    if (before.length === 0)
        return list;
    const more = h('button', { type: 'button', class: 'small', onclick: () => {
        list.prepend(...before.slice(-300).map(line));
        more.remove();
    } }, `${plural(before.length, 'router')} before these`);
    return [more, list];
}

function way(told, query) {
    const steps = [step('Request', '', [h('b', {}, query.method), ' ', code(query.url)], query.from && h('p', { class: 'quiet' }, `from ${query.from}`))];
    steps.push(step('Entrypoint', 'good', told.entryPoint || '–', told.address && h('p', { class: 'quiet' }, told.address)));
    if (told.tls)
        steps.push(told.tls.refused ? step('TLS', 'bad', 'The handshake fails', h('p', { class: 'quiet' }, told.tls.source))
            : step('TLS', 'good', told.tls.certificate || told.tls.source || 'TLS', h('p', { class: 'quiet' }, [told.tls.certificate && told.tls.source, told.tls.options && `options ${told.tls.options}`].filter(Boolean).join(' · '))));
    if (told.tls?.refused)
        return frame(steps);
    if (!told.router && told.answer && told.answer.status !== 404)
        return frame([...steps, answer(told)]);
    const list = told.tried || [];
    steps.push(step('Routers', told.router ? 'good' : 'bad', told.router ? named(told.router, 'routers') : list.length ? `None of ${plural(list.length, 'router')} takes it` : 'There are no routers on this entrypoint', told.rule && h('p', {}, code(told.rule)), list.length > 0 && tried(list)));
    if (told.leftOut)
        steps.push(step('Left out', 'warn', named(told.leftOut.router, 'routers'), h('p', {}, `would match but was left out: ${told.leftOut.reason}`)));
    if (!told.router)
        return frame([...steps, answer({ answer: { status: 404, reason: 'no router takes this request' } })]);
    if (told.maintenance === told.router)
        return frame([...steps, maintained(told.maintenance, 'router')]);
    const chain = told.middlewares || [], passed = told.passed ?? chain.length;
    chain.forEach((name, index) => {
        steps.push(step('Middleware', index < passed ? 'good' : index === passed ? 'warn' : 'off', named(name, 'middlewares'),
            index === passed && h('p', {}, 'answers the request itself'), index > passed && h('p', { class: 'quiet' }, 'is not reached')));
    });
    if (told.answer)
        return frame([...steps, answer(told)]);
    const services = told.services || [];
    services.forEach(one => steps.push(step('Service', one.name === told.maintenance ? 'warn' : 'good', named(one.name, 'services'), h('p', { class: 'quiet' }, one.type))));
    if (told.maintenance)
        return frame([...steps, maintained(told.maintenance, 'service')]);
    if (told.server)
        steps.push(step('Server', 'good', code(told.server), told.url && h('p', {}, h('span', { class: 'quiet' }, 'is asked for '), code(told.url), told.host && h('span', { class: 'quiet' }, ' with Host ', code(told.host)))));
    else if (services.at(-1)?.type === 'loadBalancer')
        steps.push(step('Answer', 'bad', [statusCode(503), ' none of its servers is ready']));
    else
        steps.push(step('Answer', 'good', 'The service answers by itself'));
    return frame(steps);
}

function answer({ answer: { status, reason, location } }) {
    return step('Answer', status >= 400 ? 'bad' : 'good', [statusCode(status), ' ', reason], location && h('p', {}, 'to ', code(location)));
}

function maintained(name, kind) {
    return step('Answer', 'warn', [statusCode(503), ` the ${kind} is under maintenance`], h('p', { class: 'quiet' }, name));
}

function frame(steps) {
    return h('section', { class: 'panel', 'aria-label': 'The way' }, h('ol', { class: 'way' }, steps));
}
