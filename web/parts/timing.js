// Where the time of one request went: a bar of its parts, and the same as text.
import { h, svg } from '../core/dom.js';
import { duration } from '../core/format.js';

const PARTS = [['queueMs', 'waited for a free server', 'queue'], ['connectMs', 'connected', 'connect'], ['firstByteMs', 'the server thought', 'think'], ['rest', '', 'pass']];

/** What else there was depends on how far it came. */
function restOf(request) {
    return request.firstByteMs ? 'bodies were passed on' : request.reason ? 'until it was given up' : request.server ? 'the rest' : 'Portico answered by itself';
}

export function timing(request) {
    const rest = Math.max(0, request.totalMs - (request.queueMs || 0) - (request.connectMs || 0) - (request.firstByteMs || 0));
    const parts = PARTS.map(([member, text, tone]) => ({ ms: member === 'rest' ? rest : request[member] || 0, text: text || restOf(request), tone })).filter(part => part.ms > 0);
    const total = parts.reduce((sum, part) => sum + part.ms, 0) || 1;
    let at = 0;
    return h('div', { class: 'timing' },
        svg('svg', { viewBox: '0 0 1000 14', preserveAspectRatio: 'none', width: '100%', height: 14, 'aria-hidden': 'true' }, parts.map(part => {
            // What took next to no time is still to be seen.
            const width = Math.max(4, 1000 * part.ms / total), x = at;
            at += 1000 * part.ms / total;
            return svg('rect', { class: `part ${part.tone}`, x: Math.min(x, 996), y: 0, width, height: 14 });
        })),
        h('ul', {}, parts.map(part => h('li', { class: `part ${part.tone}` }, h('i'), h('b', {}, duration(part.ms)), ' ', part.text))));
}
