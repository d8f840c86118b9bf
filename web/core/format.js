// Numbers, sizes and times as people read them. Everything is short, since it stands in tables.
import { h } from './dom.js';

const SCALES = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function three(value) {
    const size = Math.abs(value);
    return size >= 99.95 || size === 0 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1).replace(/\.0$/, '')
        : value.toFixed(2).replace(/\.?0+$/, '');
}

function scaled(value, unit) {
    for (const [size, letter] of SCALES)
        if (Math.abs(value) >= size * 0.9995)
            return `${three(value / size)} ${letter}${unit}`;
    return `${three(value)}${unit ? ' ' + unit : ''}`;
}

export const DASH = '–';

export function count(value) {
    if (value === null || value === undefined)
        return DASH;
    return Math.abs(value) < 1e6 ? grouped.format(value) : scaled(value, '').trim();
}

/** Per second. */
export function rate(value) {
    if (!value)
        return '0';
    if (value >= 99.95)
        return value < 1e4 ? grouped.format(value) : scaled(value, '');
    return value < 0.995 ? three(value) : value.toFixed(1).replace(/\.0$/, '');
}

export function bytes(value) {
    if (value === null || value === undefined)
        return DASH;
    return value < 1000 ? `${Math.round(value)} B` : scaled(value, 'B');
}

export function percent(part, whole) {
    if (!whole)
        return '0 %';
    const value = 100 * part / whole;
    if (value > 0 && value < 0.01)
        return '< 0.01 %';
    return `${value >= 99.95 ? (value > 100 - 1e-9 ? '100' : '> 99.9') : value >= 10 ? value.toFixed(0) : value === 0 ? '0' : value.toFixed(value < 1 ? 2 : 1)} %`;
}

/** A duration given in milliseconds. */
export function duration(ms) {
    if (ms === null || ms === undefined)
        return DASH;
    if (ms === 0)
        return '0 ms';
    if (ms < 1)
        return `${Math.round(ms * 1000)} µs`;
    if (ms < 999.5)
        return `${ms < 10 ? three(ms) : Math.round(ms)} ms`;
    if (ms < 59950)
        return `${three(ms / 1000)} s`;
    return span(ms / 1000);
}

/** Whole units: "3 min", "2 h", "12 days". */
export function span(seconds) {
    const size = Math.abs(seconds);
    if (size < 60)
        return `${Math.floor(size)} s`;
    if (size < 3600)
        return `${Math.floor(size / 60)} min`;
    if (size < 2 * 86400)
        return `${Math.floor(size / 3600)} h`;
    return `${Math.floor(size / 86400)} days`;
}

export function relative(moment) {
    const seconds = (Date.now() - moment) / 1000;
    if (Math.abs(seconds) < 1.5)
        return 'now';
    return seconds > 0 ? `${span(seconds)} ago` : `in ${span(seconds)}`;
}

const exactly = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const onTheDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function exact(moment) {
    return exactly.format(moment);
}

export function clock(moment) {
    return onTheDay.format(moment);
}

/** A <time> that stays true while it is shown (see keepTimes); null becomes a dash. */
export function when(text, { shown = relative } = {}) {
    const moment = typeof text === 'number' ? text : Date.parse(text);
    if (!text || Number.isNaN(moment))
        return h('span', {}, DASH);
    return h('time', { datetime: new Date(moment).toISOString(), title: exact(moment), 'data-relative': shown === relative },
        shown(moment));
}

export function keepTimes() {
    setInterval(() => {
        if (document.hidden)
            return;
        for (const time of document.querySelectorAll('time[data-relative]')) {
            const text = relative(Date.parse(time.dateTime));
            if (time.textContent !== text)
                time.textContent = text;
        }
    }, 1000);
}

/** A name that a definition uses without its provider is its own provider's. */
export function qualify(name, provider) {
    return !name || name.includes('@') || !provider ? name : `${name}@${provider}`;
}

/** Words for people, in which `code` stands between backticks; a rule's own backticks stay. */
export function prose(text) {
    const nodes = [];
    let at = 0;
    for (const match of String(text ?? '').matchAll(/(?<=^|\s)`([^`]+)`(?=[\s.,;:]|$)/g)) {
        nodes.push(text.slice(at, match.index), h('code', {}, match[1]));
        at = match.index + match[0].length;
    }
    return [...nodes, String(text ?? '').slice(at)];
}

export function plural(n, one, many = one + 's') {
    return `${count(n)} ${n === 1 ? one : many}`;
}

/** "api@file" -> ["api", "file"] */
export function splitName(name) {
    const at = name.lastIndexOf('@');
    return at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [name, ''];
}
