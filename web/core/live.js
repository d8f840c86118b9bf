// What happens now: one stream of ticks for all pages, with what is needed to draw the last minutes, and the knowledge whether
// the connection stands.
//
// A browser gives a site six connections over HTTP/1.1. A hidden page therefore lets go of its stream, so that many open
// dashboards do not starve each other.
import { apiUrl, get } from './api.js';

const SILENCE = 6000;            // ms without a tick after which the connection counts as lost
const HIDDEN = 10000;            // ms that a hidden page keeps its stream
const KEPT = 60;                 // ticks kept of each thing
const NOTHING = { requests: 0, errors: 0, refused: 0, bytesIn: 0, bytesOut: 0, p50: null, p95: null, p99: null, active: 0 };
const KINDS = ['entryPoints', 'routers', 'services', 'servers'];

/** An event source that never gives up. `onState(ok, retryAt)`. */
export class Stream {
    constructor(path, handlers, { onState = () => {}, silence = 0 } = {}) {
        Object.assign(this, { path, handlers, onState, silence, failures: 0, timer: 0, source: null });
        this.open();
    }

    open() {
        this.close();
        const source = this.source = new EventSource(apiUrl(this.path));
        source.onopen = () => this.wellUntil(this.silence);
        source.onerror = () => this.lost();
        for (const [event, handler] of Object.entries(this.handlers))
            source.addEventListener(event, message => {
                if (source !== this.source)
                    return;
                this.wellUntil(this.silence);
                handler(JSON.parse(message.data));
            });
        this.watch(this.silence);
    }

    watch(ms) {
        clearTimeout(this.timer);
        if (ms)
            this.timer = setTimeout(() => this.lost(), ms);
    }

    wellUntil(ms) {
        this.failures = 0;
        this.onState(true);
        this.watch(ms);
    }

    lost() {
        this.close();
        const pause = Math.min(10000, 1000 * 2 ** Math.min(this.failures++, 4));
        this.timer = setTimeout(() => this.open(), pause);
        this.onState(false, Date.now() + pause);
    }

    close() {
        clearTimeout(this.timer);
        this.source?.close();
        this.source = null;
    }
}

class Live extends EventTarget {
    connected = null;            // null: not known yet
    retryAt = 0;
    hello = null;
    tick = null;
    things = Object.fromEntries(KINDS.map(kind => [kind, new Map()]));       // kind -> name -> [values of the last ticks]
    total = [];
    tickNumber = 0;

    start() {
        this.remember();
        this.stream = new Stream('portico/live', { hello: data => this.greet(data), tick: data => this.take(data) },
            { silence: SILENCE, onState: (ok, retryAt) => this.say(ok, retryAt) });
        let timer = 0;
        document.addEventListener('visibilitychange', () => {
            clearTimeout(timer);
            if (document.hidden)
                timer = setTimeout(() => this.stream.close(), HIDDEN);
            else if (!this.stream.source)
                this.stream.open();
        });
    }

    /** The minutes before this page was opened. */
    async remember() {
        const told = await history('total', 300).catch(() => null);
        if (!told)
            return;
        const before = told.requests.map((_, index) => Object.fromEntries(Object.keys(NOTHING).map(member => [member, told[member]?.[index] ?? (member === 'active' ? null : NOTHING[member])])));
        this.total = [...before, ...this.total].slice(-300);
    }

    retryNow() {
        this.stream.open();
    }

    say(ok, retryAt = 0) {
        this.retryAt = retryAt;
        if (ok === this.connected && ok)
            return;
        const again = ok && this.connected === false;
        this.connected = ok;
        this.dispatchEvent(new CustomEvent('connection', { detail: { again } }));
    }

    greet(hello) {
        const generation = this.hello?.generation;
        this.hello = hello;
        if (generation !== undefined && generation !== hello.generation)
            this.dispatchEvent(new Event('configuration'));
    }

    take(tick) {
        const seconds = tick.interval || 1;
        if (this.tick && this.tick.generation !== tick.generation)
            this.dispatchEvent(new Event('configuration'));
        this.tick = tick;
        this.tickNumber++;
        for (const kind of KINDS)
            this.keep(this.things[kind], tick[kind] || {}, seconds);
        this.total.push(perSecond(tick.total, seconds));
        if (this.total.length > 300)
            this.total.shift();
        this.dispatchEvent(new Event('tick'));
    }

    keep(things, now, seconds) {
        for (const [name, told] of Object.entries(now)) {
            let kept = things.get(name);
            if (!kept)
                things.set(name, kept = { values: [], state: undefined, filled: this.tickNumber - 1 });
            fill(kept, this.tickNumber - 1);
            kept.values.push(perSecond(told, seconds));
            kept.filled = this.tickNumber;
            if (kept.values.length > KEPT)
                kept.values.shift();
            if (told.state !== undefined)
                kept.state = told.state;
        }
        // Things that were idle all the time that is kept are forgotten, but not what state they are in.
        if (this.tickNumber % KEPT === 0)
            for (const [name, kept] of things)
                if (this.tickNumber - kept.filled > KEPT && kept.state === undefined)
                    things.delete(name);
    }

    /** What a thing did of late, per second: the mean of the last three ticks, so that small numbers do not flicker. */
    of(kind, name) {
        const kept = this.things[kind].get(name);
        if (!kept)
            return NOTHING;
        fill(kept, this.tickNumber);
        return mean(kept.values.slice(-3));
    }

    now() {
        return this.total.length ? mean(this.total.slice(-3)) : NOTHING;
    }

    state(server) {
        return this.things.servers.get(server)?.state;
    }

    /** The rates of the last minute, oldest first. */
    series(kind, name, member = 'requests') {
        const kept = this.things[kind].get(name);
        if (!kept)
            return [];
        fill(kept, this.tickNumber);
        return kept.values.map(value => value[member] || 0);
    }
}

function perSecond(told, seconds) {
    return {
        ...NOTHING, ...told, requests: told.requests / seconds, errors: told.errors / seconds, refused: told.refused / seconds,
        bytesIn: told.bytesIn / seconds, bytesOut: told.bytesOut / seconds,
    };
}

/** Ticks that did not name a thing were idle ones. */
function fill(kept, until) {
    const missing = Math.min(until - kept.filled, KEPT);
    for (let i = 0; i < missing; i++)
        kept.values.push(NOTHING);
    if (missing > 0)
        kept.values.splice(0, kept.values.length - KEPT);
    kept.filled = Math.max(kept.filled, until);
}

function mean(values) {
    if (!values.length)
        return NOTHING;
    const sum = { ...NOTHING, active: values.at(-1).active };
    for (const value of values)
        for (const member of ['requests', 'errors', 'refused', 'bytesIn', 'bytesOut'])
            sum[member] += value[member] / values.length;
    // Percentiles cannot be averaged: the latest that is one.
    for (const member of ['p50', 'p95', 'p99'])
        sum[member] = values.findLast(value => value.requests > 0)?.[member] ?? null;
    return sum;
}

export const live = new Live();

/** The last minutes as the server remembers them; times in ms, rates per second. */
export async function history(of, seconds, signal) {
    const told = await get('portico/history', { of, seconds }, signal);
    // It counts by the step.
    for (const member of ['requests', 'errors', 'refused', 'bytesIn', 'bytesOut'])
        told[member] = told[member].map(value => value / told.step);
    return { ...told, step: told.step * 1000 };
}
