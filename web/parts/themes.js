// Light, dark, or as the system has it; remembered here, applied by core/theme.js before the first paint.
import { h, hidden, setText } from '../core/dom.js';

const CHOICES = [['', 'As the system', '◐'], ['light', 'Light', '○'], ['dark', 'Dark', '●']];

function stored() {
    return document.documentElement.dataset.theme || '';
}

function choose(theme) {
    if (theme)
        document.documentElement.dataset.theme = theme;
    else
        delete document.documentElement.dataset.theme;
    try {
        localStorage.setItem('portico-theme', theme);
    } catch {
        // Without storage it lasts as long as the page.
    }
    // Canvases take their colours when they draw.
    dispatchEvent(new Event('theme'));
}

export function themeSwitch() {
    const sign = h('span', { 'aria-hidden': 'true' }), text = hidden('');
    const button = h('button', { type: 'button', class: 'icon theme', onclick: next }, sign, text);
    function say() {
        const [, title, letter] = CHOICES.find(([name]) => name === stored()) || CHOICES[0];
        setText(sign, letter);
        setText(text, `Theme: ${title}`);
        button.title = `Theme: ${title}`;
    }
    function next() {
        const index = CHOICES.findIndex(([name]) => name === stored());
        choose(CHOICES[(index + 1) % CHOICES.length][0]);
        say();
    }
    say();
    return button;
}
