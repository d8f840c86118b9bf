// Lines and areas over time, as SVG. The legend is the readout: it shows the latest values, or those under the pointer or the
// arrow keys, so nothing floats over the picture and a screen reader has the numbers as text.
import { h, svg, replace, setText } from '../core/dom.js';
import { clock } from '../core/format.js';

const TOP = 8, BOTTOM = 18, RIGHT = 4, LEFT = 46;

/** Round steps for an axis: at most `most` of them. */
export function ticks(max, most = 3) {
    if (!(max > 0))
        return [0, 1];
    const raw = max / most, size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find(n => n * size >= raw * 0.9999) * size;
    const marks = [];
    for (let value = 0; value <= max + step * 0.999; value += step)
        marks.push(value);
    return marks;
}

function pathOf(values, x, y) {
    let path = '', pen = false;
    values.forEach((value, index) => {
        if (value === null || value === undefined) {
            pen = false;
            return;
        }
        path += `${pen ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = true;
    });
    return path;
}

/** The stretches that have values, each closed along the ground. */
function areaOf(values, x, y) {
    let path = '', start = -1;
    for (let index = 0; index <= values.length; index++) {
        const there = index < values.length && values[index] !== null && values[index] !== undefined;
        if (there && start < 0)
            start = index;
        if (!there && start >= 0) {
            path += `M${x(start).toFixed(1)} ${y(0)}`;
            for (let at = start; at < index; at++)
                path += `L${x(at).toFixed(1)} ${y(values[at]).toFixed(1)}`;
            path += `L${x(index - 1).toFixed(1)} ${y(0)}Z`;
            start = -1;
        }
    }
    return path;
}

export class Chart {
    /** series: [{name, tone, area}] in drawing order; format(value): for axis and legend. */
    constructor({ title, series, format, height = 150 }) {
        Object.assign(this, { title, series, format, height, from: 0, step: 1000, values: series.map(() => []), at: null, width: 0 });
        this.readouts = series.map(() => h('b'));
        this.time = h('span', { class: 'quiet chart-time' });
        this.legend = h('div', { class: 'legend' }, series.map((one, index) =>
            h('span', { class: `key ${one.tone}` }, h('i'), one.name, ' ', this.readouts[index])), this.time);
        this.picture = svg('svg', { class: 'chart', role: 'img', 'aria-label': title, tabindex: '0', height });
        this.picture.addEventListener('pointermove', event => this.point(event));
        this.picture.addEventListener('pointerleave', () => this.look(null));
        this.picture.addEventListener('keydown', event => this.key(event));
        this.picture.addEventListener('blur', () => this.look(null));
        this.node = h('figure', { class: 'chart-box' }, h('figcaption', {}, h('span', { class: 'chart-title' }, title), this.legend), this.picture);
        new ResizeObserver(entries => {
            const width = Math.floor(entries[0].contentRect.width);
            if (width > 0 && width !== this.width) {
                this.width = width;
                this.draw();
            }
        }).observe(this.node);
    }

    /** `from`: ms of the first value; `step`: ms between two; null values are gaps. */
    set(from, step, values) {
        Object.assign(this, { from, step, values });
        this.draw();
    }

    get length() {
        return Math.max(0, ...this.values.map(list => list.length));
    }

    point(event) {
        const box = this.picture.getBoundingClientRect();
        const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
        this.look(Math.max(0, Math.min(this.length - 1, Math.round(part * (this.length - 1)))));
    }

    key(event) {
        const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
        if (event.key === 'Escape')
            this.look(null);
        else if (event.key === 'Home')
            this.look(0);
        else if (event.key === 'End')
            this.look(this.length - 1);
        else if (move)
            this.look(Math.max(0, Math.min(this.length - 1, (this.at ?? this.length - 1) + move)));
        else
            return;
        event.preventDefault();
    }

    look(index) {
        this.at = index;
        this.read();
        if (this.cross && this.x) {
            this.cross.setAttribute('visibility', index === null ? 'hidden' : 'visible');
            if (index !== null) {
                this.cross.setAttribute('x1', this.x(index));
                this.cross.setAttribute('x2', this.x(index));
            }
        }
    }

    read() {
        const index = this.at === null ? this.length - 1 : Math.min(this.at, this.length - 1);
        this.series.forEach((_, number) => setText(this.readouts[number], show(this.values[number][index], this.format)));
        setText(this.time, this.at === null || index < 0 ? '' : clock(this.from + index * this.step));
        this.picture.setAttribute('aria-label', `${this.title}. ` + (index < 0 ? 'No values yet.' :
            this.series.map((one, number) => {
                const known = this.values[number].filter(value => value !== null && value !== undefined);
                return `${one.name}: now ${show(this.values[number][this.length - 1], this.format)}, ` +
                    `at most ${show(known.length ? Math.max(...known) : null, this.format)}`;
            }).join('; ') + '. Left and right arrows read the values.'));
    }

    draw() {
        const { width, height, picture } = this;
        if (width === 0)
            return;
        const known = this.values.flat().filter(value => value !== null && value !== undefined);
        const marks = ticks(Math.max(0, ...known));
        const top = marks.at(-1), last = Math.max(1, this.length - 1);
        const x = this.x = index => LEFT + (width - LEFT - RIGHT) * index / last;
        const y = value => height - BOTTOM - (height - BOTTOM - TOP) * value / top;
        picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
        replace(picture,
            marks.map(mark => svg('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(mark), y2: y(mark) })),
            marks.map(mark => svg('text', { class: 'axis', x: LEFT - 6, y: y(mark) + 3.5, 'text-anchor': 'end' }, this.format(mark))),
            this.timeMarks(x, width),
            this.series.map((one, number) => one.area && svg('path', { class: `area ${one.tone}`, d: areaOf(this.values[number], x, y) })),
            this.series.map((one, number) => svg('path', { class: `line ${one.tone}`, d: pathOf(this.values[number], x, y) })),
            this.cross = svg('line', { class: 'cross', y1: TOP, y2: height - BOTTOM, visibility: 'hidden' }));
        this.look(this.at);
    }

    timeMarks(x, width) {
        const length = this.length * this.step;
        const every = [15e3, 60e3, 120e3, 5 * 60e3, 15 * 60e3, 30 * 60e3, 3600e3].find(ms => length / ms <= Math.max(2, width / 110)) || 3600e3;
        const marks = [];
        for (let time = Math.ceil(this.from / every) * every; time < this.from + length; time += every) {
            const at = x((time - this.from) / this.step);
            if (at > LEFT + 16 && at < width - 24)
                marks.push(svg('text', { class: 'axis', x: at, y: this.height - 4, 'text-anchor': 'middle' }, clock(time).slice(0, every < 60e3 ? 8 : 5)));
        }
        return marks;
    }
}

function show(value, format) {
    return value === null || value === undefined ? '–' : format(value);
}

/** A minute in a table's cell. `update(values)` draws anew. */
export function spark(label) {
    const area = svg('path', { class: 'area' }), line = svg('path', { class: 'line' });
    const node = svg('svg', { class: 'spark', viewBox: '0 0 80 20', width: 80, height: 20, preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false', 'data-label': label },
        area, line);
    return {
        node,
        update(values) {
            // A page that was just opened stretches what it has.
            const most = Math.max(12, values.length);
            const max = Math.max(1e-9, ...values), from = most - values.length;
            const x = index => (from + index) * 80 / (most - 1), y = value => 18.5 - 17 * value / max;
            line.setAttribute('d', pathOf(values, x, y));
            area.setAttribute('d', areaOf(values, x, y));
        },
    };
}
