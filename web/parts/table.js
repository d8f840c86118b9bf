// A table that is updated in place: rows are known by their key and cells change only where their text does, so that a selection,
// a focus or a screen reader's place survives a tick. What is long comes in pages; no table has more than PAGE rows at once.
//
// On narrow screens each row becomes a card (style/parts.css). The roles are written out because `display` would take them away.
import { h, hidden, replace } from '../core/dom.js';
import { count } from '../core/format.js';

export const PAGE = 100;

/**
 * columns: [{title, cell(row) -> node or text, text(row) -> text (updated on refresh), number, sort(row), className}]
 * key(row): its identity. onpick(row): a row can be chosen. toneOf(row): "bad" | "warn" | "".
 */
export class Table {
    constructor({ caption, columns, key, onpick, toneOf, emptyNode, className = '', sorted, descending = true }) {
        Object.assign(this, { columns, key, onpick, toneOf, emptyNode, rows: [], shown: new Map(), page: 0, sorted, descending, onsort: null });
        this.body = h('tbody', { role: 'rowgroup' });
        this.heads = columns.map((column, index) => this.head(column, index));
        this.table = h('table', { class: `rows ${className}`, role: 'table' }, h('caption', { class: 'visually-hidden' }, caption),
            h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, this.heads)), this.body);
        this.none = h('div');
        this.pager = h('nav', { class: 'pager', 'aria-label': `Pages of ${caption}` });
        // A part that scrolls must be reachable by the keyboard.
        this.node = h('div', { class: 'table-wrap' },
            h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': caption }, this.table), this.none, this.pager);
        this.markSorted();
    }

    head(column, index) {
        const title = column.sort
            ? h('button', { type: 'button', class: 'sort', onclick: () => this.sortBy(index) }, column.title)
            : column.title || hidden(column.label || 'Actions');
        return h('th', { scope: 'col', role: 'columnheader', class: classOf(column) }, title);
    }

    sortBy(index) {
        this.descending = this.sorted === index ? !this.descending : Boolean(this.columns[index].number);
        this.sorted = index;
        this.page = 0;
        this.markSorted();
        this.draw();
    }

    markSorted() {
        this.heads.forEach((head, index) => {
            if (this.columns[index].sort)
                head.setAttribute('aria-sort', index !== this.sorted ? 'none' : this.descending ? 'descending' : 'ascending');
        });
    }

    set(rows) {
        this.rows = rows;
        this.draw();
    }

    ordered() {
        const sort = this.columns[this.sorted]?.sort;
        if (!sort)
            return this.rows;
        const sign = this.descending ? -1 : 1;
        return [...this.rows].sort((a, b) => {
            const one = sort(a), other = sort(b);
            return sign * (typeof one === 'string' ? one.localeCompare(other, 'en', { numeric: true }) : (one ?? -1) - (other ?? -1));
        });
    }

    draw() {
        const all = this.ordered();
        const pages = Math.max(1, Math.ceil(all.length / PAGE));
        this.page = Math.min(this.page, pages - 1);
        const rows = all.slice(this.page * PAGE, (this.page + 1) * PAGE);
        const before = this.shown;
        this.shown = new Map();
        let place = this.body.firstChild;
        for (const row of rows) {
            const key = this.key(row);
            const line = before.get(key) || this.line();
            before.delete(key);
            this.fill(line, row);
            this.shown.set(key, line);
            if (line.node === place)
                place = place.nextSibling;
            else
                this.body.insertBefore(line.node, place);
        }
        for (const line of before.values())
            line.node.remove();
        this.table.hidden = rows.length === 0;
        replace(this.none, rows.length === 0 && this.emptyNode?.());
        this.drawPager(all.length, pages);
    }

    line() {
        const line = { row: null, cells: [], node: null };
        line.cells = this.columns.map(column => h('td', { role: 'cell', class: classOf(column), 'data-title': column.title || null }));
        line.node = h('tr', { role: 'row' }, line.cells);
        if (this.onpick) {
            line.node.classList.add('pickable');
            line.node.addEventListener('click', event => {
                if (!event.target.closest('a, button, input, select') && !String(getSelection()))
                    this.onpick(line.row);
            });
        }
        return line;
    }

    fill(line, row) {
        const changed = line.row !== row;
        line.row = row;
        this.columns.forEach((column, index) => {
            const cell = line.cells[index];
            if (column.text) {
                const text = String(column.text(row));
                if (cell.textContent !== text)
                    cell.textContent = text;
            } else if (changed) {
                const content = column.cell(row);
                replace(cell, content ?? '');
            }
            column.update?.(row, cell);
        });
        const tone = this.toneOf?.(row) || '';
        if (line.node.dataset.tone !== tone)
            line.node.dataset.tone = tone;
    }

    /** The numbers of the rows that are there, anew. */
    refresh() {
        for (const line of this.shown.values())
            this.fill(line, line.row);
    }

    mark(key) {
        for (const [own, line] of this.shown)
            line.node.classList.toggle('picked', own === key);
    }

    drawPager(total, pages) {
        replace(this.pager);
        this.pager.hidden = pages < 2;
        if (pages < 2)
            return;
        const turn = by => () => {
            this.page += by;
            this.draw();
            this.node.scrollIntoView({ block: 'start' });
        };
        replace(this.pager, ...pagerParts(this.page + 1, pages, total, turn(-1), turn(1)));
    }
}

export function pagerParts(page, pages, total, back, forth) {
    return [
        h('button', { type: 'button', onclick: back, disabled: page <= 1 }, '← Back'),
        h('span', { class: 'quiet' }, pages ? `Page ${count(page)} of ${count(pages)}` : `Page ${count(page)}`,
            total !== null && total !== undefined ? ` · ${count(total)} in all` : ''),
        h('button', { type: 'button', onclick: forth, disabled: pages ? page >= pages : !forth }, 'Next →'),
    ];
}

function classOf(column) {
    return [column.number && 'number', column.className].filter(Boolean).join(' ') || null;
}
