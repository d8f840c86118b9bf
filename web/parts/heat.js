// Latencies over time: a column per step, a row per band of durations, the darker the more requests. Shows what percentiles
// hide: two humps, a slow tail, a server that answers in exactly its timeout. A canvas, since it has thousands of cells.
import { h, setText } from '../core/dom.js';
import { clock, count, duration } from '../core/format.js';

const HEIGHT = 150, LEFT = 46, BOTTOM = 18, TOP = 4;

export class Heat {
    constructor(title) {
        this.title = title;
        this.canvas = h('canvas', { class: 'heat', role: 'img', height: HEIGHT });
        this.readout = h('span', { class: 'legend quiet' });
        this.canvas.addEventListener('pointermove', event => this.point(event));
        this.canvas.addEventListener('pointerleave', () => setText(this.readout, ''));
        this.node = h('figure', { class: 'chart-box' }, h('figcaption', {}, h('span', { class: 'chart-title' }, title), this.readout), this.canvas);
        Object.assign(this, { from: 0, step: 1000, columns: [], ends: [], low: 0, high: 0 });
        new ResizeObserver(() => this.draw()).observe(this.node);
    }

    /** columns: [[counts by band]]; ends: ms, the last may be null (no end). */
    set(from, step, columns, ends) {
        Object.assign(this, { from, step, columns: columns || [], ends: ends || [] });
        const used = this.ends.map((_, band) => this.columns.some(column => column?.[band] > 0));
        const first = used.indexOf(true);
        // A quiet picture still has a scale: at least twelve bands are shown.
        this.low = Math.max(0, (first < 0 ? 0 : first) - 2);
        this.high = Math.min(this.ends.length - 1, Math.max(used.lastIndexOf(true) + 2, this.low + 11));
        this.draw();
    }

    draw() {
        const width = Math.floor(this.node.clientWidth - parseFloat(getComputedStyle(this.node).paddingLeft) * 2), ratio = devicePixelRatio || 1;
        if (width <= 0)
            return;
        const { canvas, columns, low, high } = this, style = getComputedStyle(canvas);
        canvas.width = width * ratio;
        canvas.height = HEIGHT * ratio;
        const pen = canvas.getContext('2d');
        pen.scale(ratio, ratio);
        const bands = Math.max(1, high - low + 1);
        this.cell = { width: (width - LEFT) / Math.max(1, columns.length), height: (HEIGHT - TOP - BOTTOM) / bands };
        const most = Math.max(1, ...columns.map(column => Math.max(0, ...(column || []))));
        pen.fillStyle = style.color;
        columns.forEach((column, index) => {
            for (let band = low; band <= high; band++) {
                const value = column?.[band] || 0;
                if (value > 0) {
                    // Logarithmic: one slow request among ten thousand must be seen.
                    pen.globalAlpha = 0.18 + 0.82 * Math.log1p(value) / Math.log1p(most);
                    pen.fillRect(LEFT + index * this.cell.width, TOP + (high - band) * this.cell.height,
                        Math.max(1, this.cell.width), Math.max(1, this.cell.height - 0.5));
                }
            }
        });
        pen.globalAlpha = 1;
        this.scale(pen, style);
        this.describe();
    }

    scale(pen, style) {
        pen.fillStyle = style.fill;
        pen.font = `10.5px ${style.fontFamily}`;
        pen.textAlign = 'right';
        const every = Math.ceil((this.high - this.low + 1) / 5);
        for (let band = this.low + Math.floor(every / 2); band <= this.high; band += every)
            if (Number.isFinite(this.ends[band]))
                pen.fillText(duration(this.ends[band]), LEFT - 6, TOP + (this.high - band + 0.5) * this.cell.height + 3.5);
        pen.textAlign = 'center';
        const length = this.columns.length, every2 = Math.max(1, Math.ceil(length / Math.max(2, this.canvas.clientWidth / 110)));
        for (let index = every2; index < length - every2 / 3; index += every2)
            pen.fillText(clock(this.from + index * this.step).slice(0, this.step * every2 < 60e3 ? 8 : 5), LEFT + index * this.cell.width, HEIGHT - 4);
    }

    describe() {
        const sums = this.ends.map((_, band) => this.columns.reduce((sum, column) => sum + (column?.[band] || 0), 0));
        const total = sums.reduce((a, b) => a + b, 0), best = sums.indexOf(Math.max(...sums));
        this.canvas.setAttribute('aria-label', total === 0 ? `${this.title}. No requests.` :
            `${this.title}. ${count(total)} requests; most took ${this.band(best)}; the slowest ${this.band(sums.findLastIndex(n => n > 0))}.`);
    }

    band(index) {
        const end = this.ends[index], start = index > 0 ? this.ends[index - 1] : 0;
        return Number.isFinite(end) ? `${duration(start)} to ${duration(end)}` : `over ${duration(start)}`;
    }

    point(event) {
        const box = this.canvas.getBoundingClientRect();
        const column = Math.floor((event.clientX - box.left - LEFT) / this.cell?.width);
        const band = this.high - Math.floor((event.clientY - box.top - TOP) / this.cell?.height);
        if (column < 0 || column >= this.columns.length || band < this.low || band > this.high)
            return setText(this.readout, '');
        setText(this.readout, `${clock(this.from + column * this.step)}, ${this.band(band)}: ${count(this.columns[column]?.[band] || 0)}`);
    }
}
