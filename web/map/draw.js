// The map as SVG: boxes and the lines between them. Lines are as wide as their traffic (logarithmic: ten times as much is one
// step more), dots run along them at three speeds, and both turn amber and red with the share of errors.
import { h, svg, setText } from '../core/dom.js';
import { duration, rate, splitName } from '../core/format.js';
import { live } from '../core/live.js';

const KINDS = { entryPoint: 'entryPoints', router: 'routers', service: 'services', server: 'servers' };
const RUNNING = 140;             // lines with dots; more would keep a small machine busy
const HEADS = { entryPoint: 'Entrypoint', router: 'Router', service: 'Service', server: 'Server', rest: 'Routers' };

export function speedOf(node) {
    return KINDS[node.kind] ? live.of(KINDS[node.kind], node.name) : null;
}

function shorten(text, most) {
    // The middle goes: beginnings and ends tell names apart.
    return text.length <= most ? text : `${text.slice(0, Math.ceil(most * 0.6) - 1)}…${text.slice(text.length - Math.floor(most * 0.4))}`;
}

function title(node) {
    if (node.kind === 'rest')
        return `${node.told.count.toLocaleString('en')} more routers`;
    return node.kind === 'server' ? node.url.replace(/^http:\/\//, '') : splitName(node.name)[0];
}

function toneOf(speed) {
    const share = speed && speed.requests > 0 ? speed.errors / speed.requests : 0;
    return share >= 0.05 ? 'bad' : share >= 0.005 ? 'warn' : '';
}

/** Lines leave a box side by side, in the order of where they go, so that none hides another. */
function port(node, side, other, box) {
    const order = [...node[side]].sort((a, b) => a.y - b.y), room = Math.min(box.height - 12, 4 * (order.length - 1));
    return node.y + box.height / 2 + (order.length > 1 ? room * (order.indexOf(other) / (order.length - 1) - 0.5) : 0);
}

function curve(from, to, box) {
    const x1 = from.x + box.width, y1 = port(from, 'to', to, box), x2 = to.x, y2 = port(to, 'from', from, box);
    const bend = Math.max(28, (x2 - x1) * 0.5);
    return `M${x1} ${y1.toFixed(1)}C${x1 + bend} ${y1.toFixed(1)} ${x2 - bend} ${y2.toFixed(1)} ${x2} ${y2.toFixed(1)}`;
}

export class MapView {
    /** onselect(node or null) */
    constructor(onselect) {
        this.onselect = onselect;
        this.lines = svg('g', { class: 'lines', 'aria-hidden': 'true' });
        this.boxes = svg('g');
        this.picture = svg('svg', { class: 'map', role: 'group', 'aria-label': 'Map of entrypoints, routers, services and servers' }, this.lines, this.boxes);
        this.node = h('div', { class: 'map-scroll' }, this.picture);
        this.picture.addEventListener('keydown', event => this.key(event));
        this.picture.addEventListener('click', event => event.target === this.picture && this.select(null));
        this.selected = null;
    }

    show(plan) {
        this.plan = plan;
        const pad = 14, top = 26;
        this.picture.setAttribute('viewBox', `${-pad} ${-top} ${plan.width + 2 * pad} ${plan.height + top + pad}`);
        this.picture.setAttribute('width', plan.width + 2 * pad);
        this.picture.setAttribute('height', plan.height + top + pad);
        this.lines.replaceChildren();
        this.boxes.replaceChildren();
        for (const edge of plan.edges) {
            const d = curve(edge.from, edge.to, plan.box);
            edge.path = svg('path', { class: 'edge', d });
            edge.dots = svg('path', { class: 'dots', d });
            this.lines.append(edge.path, edge.dots);
        }
        plan.columns.forEach(column => {
            if (column.length)
                this.boxes.append(svg('text', { class: 'column', x: column[0].x, y: -10 }, HEADS[column[0].kind] + (column.length > 1 && column[0].kind !== 'rest' ? 's' : '')));
            column.forEach(node => this.boxes.append(this.box(node)));
        });
        const keep = this.selected && plan.nodes.get(this.selected.id);
        this.selected = null;
        const first = keep || plan.columns.flat()[0];
        if (first)
            first.group.setAttribute('tabindex', '0');
        this.select(keep || null);
        this.tick();
    }

    box(node) {
        node.rate = svg('text', { class: 'rate', x: this.plan.box.width - 9, y: 21, 'text-anchor': 'end' });
        node.label = svg('text', { class: 'label', x: 13, y: 21 }, shorten(title(node), 22));
        node.group = svg('g', {
            class: `box ${node.kind}`, transform: `translate(${node.x} ${node.y.toFixed(1)})`, tabindex: '-1', role: 'button', 'data-id': node.id,
            onclick: () => this.select(node), onfocus: () => this.enter(node), onpointerenter: () => this.light(node), onpointerleave: () => this.light(this.selected),
        }, svg('title', {}, node.kind === 'server' ? node.url : node.name), svg('rect', { width: this.plan.box.width, height: this.plan.box.height, rx: 7 }),
        svg('rect', { class: 'stripe', width: 4, height: this.plan.box.height - 14, x: 4, y: 7, rx: 2 }), node.label, node.rate);
        return node.group;
    }

    tick() {
        if (!this.plan)
            return;
        for (const node of this.plan.nodes.values()) {
            node.speed = speedOf(node);
            const state = node.kind === 'server' ? live.state(node.name) || node.told.state : null;
            const down = state && state !== 'ready' ? (state === 'draining' || state === 'leaving' ? 'warn' : 'bad') : '';
            node.tone = down || toneOf(node.speed);
            node.group.dataset.tone = node.tone;
            node.group.classList.toggle('idle', !(node.speed?.requests > 0));
            const text = down ? state : node.speed?.requests > 0 ? `${rate(node.speed.requests)}/s` : '';
            setText(node.rate, text);
            // The name gives way to the number.
            const room = Math.floor((this.plan.box.width - 30 - text.length * 7.2) / 7.7);
            setText(node.label, shorten(title(node), room));
            node.group.setAttribute('aria-label', describe(node, state));
        }
        this.flow();
    }

    flow() {
        const flows = this.plan.edges.map(edge => [edge, amount(edge)]);
        const running = new Set(flows.filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]).slice(0, RUNNING).map(([edge]) => edge));
        for (const [edge, requests] of flows) {
            edge.path.style.strokeWidth = requests > 0 ? `${Math.min(15, 1.2 + 2.3 * Math.log10(1 + requests)).toFixed(1)}px` : '1px';
            const end = edge.to.kind === 'rest' ? edge.from : edge.to;
            edge.path.dataset.tone = edge.dots.dataset.tone = requests > 0 ? toneOf(end.speed) || 'flow' : end.kind === 'server' && end.tone === 'bad' ? 'cut' : '';
            edge.dots.dataset.speed = !running.has(edge) ? '' : requests >= 100 ? 'fast' : requests >= 5 ? 'middle' : 'slow';
        }
    }

    /** What is not on a way through this node steps back. */
    light(node) {
        const way = node ? reach(node) : null;
        this.picture.classList.toggle('lit', Boolean(way));
        for (const other of this.plan?.nodes.values() || [])
            other.group.classList.toggle('on', Boolean(way?.has(other)));
        for (const edge of this.plan?.edges || []) {
            const on = Boolean(way?.has(edge.from) && way.has(edge.to));
            edge.path.classList.toggle('on', on);
            edge.dots.classList.toggle('on', on);
        }
    }

    enter(node) {
        for (const other of this.plan.nodes.values())
            other.group.setAttribute('tabindex', other === node ? '0' : '-1');
        this.light(node);
    }

    select(node) {
        this.selected?.group?.classList.remove('selected');
        this.selected = node;
        node?.group.classList.add('selected');
        this.light(node);
        this.onselect(node);
    }

    key(event) {
        const node = this.plan && [...this.plan.nodes.values()].find(one => one.group === document.activeElement);
        if (!node)
            return;
        const column = this.plan.columns[node.column], index = column.indexOf(node);
        const next = { ArrowUp: () => column[index - 1], ArrowDown: () => column[index + 1], ArrowLeft: () => nearest(node.from, node), ArrowRight: () => nearest(node.to, node),
            Home: () => column[0], End: () => column.at(-1) }[event.key]?.();
        if (next)
            next.group.focus();
        else if (event.key === 'Enter' || event.key === ' ')
            this.select(node);
        else if (event.key === 'Escape')
            this.select(null);
        else if (!event.key.startsWith('Arrow'))
            return;
        event.preventDefault();
    }
}

function nearest(nodes, node) {
    return [...nodes].sort((a, b) => Math.abs(a.y - node.y) - Math.abs(b.y - node.y))[0];
}

/** What leads to a node and where it leads. */
function reach(node) {
    const found = new Set([node]);
    const walk = (from, side) => from[side].forEach(other => found.has(other) || (found.add(other), walk(other, side)));
    walk(node, 'from');
    walk(node, 'to');
    return found;
}

/** What an edge carries: what its far end gets, shared out over what leads there by their own traffic. */
function amount({ from, to, weight }) {
    const sum = to.from.reduce((total, node) => total + (node.speed?.requests || 0), 0);
    if (to.kind === 'rest') {
        const shown = from.to.reduce((total, node) => total + (node.kind === 'rest' ? 0 : (node.speed?.requests || 0)), 0);
        return Math.max(0, (from.speed?.requests || 0) - shown);
    }
    const got = to.speed?.requests || 0;
    if (weight !== undefined && from.speed)
        return Math.min(got, from.speed.requests * weight / Math.max(1, from.told.children.reduce((total, child) => total + (child.weight ?? 1), 0)));
    return sum > 0 ? got * (from.speed?.requests || 0) / sum : got;
}

function describe(node, state) {
    const name = node.kind === 'rest' ? title(node) : `${HEADS[node.kind]} ${node.kind === 'server' ? node.url : node.name}`;
    const traffic = node.speed?.requests > 0 ? `${rate(node.speed.requests)} requests per second, 95 % within ${duration(node.speed.p95)}` : 'no traffic';
    return `${name}, ${state ? state + ', ' : ''}${traffic}`;
}
