// One thing over time: the charts that stand on the page of a router, a service, an entrypoint.
import { h } from '../core/dom.js';
import { bytes, duration, rate } from '../core/format.js';
import { history } from '../core/live.js';
import { choice, panel } from './bits.js';
import { Chart } from './chart.js';

/** of: "router:api@file" */
export function story(of) {
    const requests = new Chart({ title: 'Requests per second', format: rate, height: 130,
        series: [{ name: 'all', tone: 'main', area: true }, { name: '4xx', tone: 'warn', area: true }, { name: '5xx', tone: 'bad', area: true }] });
    const latency = new Chart({ title: 'Latency', format: duration, height: 130,
        series: [{ name: 'p99', tone: 'third' }, { name: 'p95', tone: 'second' }, { name: 'p50', tone: 'main' }] });
    const traffic = new Chart({ title: 'Bytes per second', format: bytes, height: 130, series: [{ name: 'out', tone: 'main', area: true }, { name: 'in', tone: 'second' }] });
    let seconds = 300, ticks = 0, abort = null;
    async function load() {
        abort?.abort();
        abort = new AbortController();
        const own = abort.signal;
        const told = await history(of, seconds, own).catch(() => null);
        if (!told || own.aborted)
            return;
        requests.set(told.from, told.step, [told.requests, told.refused, told.errors]);
        latency.set(told.from, told.step, [told.p99, told.p95, told.p50].map(list => list.map((value, index) => told.requests[index] > 0 ? value : null)));
        traffic.set(told.from, told.step, [told.bytesOut, told.bytesIn]);
    }
    load();
    return {
        node: panel('Over time', { className: 'graphs', aside: choice('Range', [['300', '5 minutes'], ['1800', '30 minutes'], ['7200', '2 hours']], '300', value => {
            seconds = Number(value);
            load();
        }) }, h('div', { class: 'charts three' }, requests.node, latency.node, traffic.node)),
        load,
        tick() {
            if (++ticks % 4 === 0)
                load();
        },
        leave: () => abort?.abort(),
    };
}
