// Elements as expressions. Text is always text (never markup), and styles go through the CSSOM, which a strict
// content security policy allows where it forbids style attributes.

const SVG = 'http://www.w3.org/2000/svg';

function put(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined || value === null || value === false)
            continue;
        if (name.startsWith('on'))
            element.addEventListener(name.slice(2), value);
        else if (name === 'style')
            for (const [property, text] of Object.entries(value))
                element.style.setProperty(property, text);
        else if (name === 'value')
            element.value = value;
        else
            element.setAttribute(name, value === true ? '' : value);
    }
}

function add(element, children) {
    for (const child of children.flat(Infinity))
        if (child !== undefined && child !== null && child !== false && child !== '')
            element.append(child);
    return element;
}

/** h('a', {href: '#/map', class: 'link'}, 'Map') */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    // A select has no value before it has options.
    add(element, children);
    put(element, attributes);
    return element;
}

export function svg(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, tag);
    put(element, attributes);
    return add(element, children);
}

/** What is shown changes only where it differs: selections and screen readers stay undisturbed. */
export function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

export function replace(element, ...children) {
    element.replaceChildren();
    return add(element, children);
}

export function hidden(text) {
    return h('span', { class: 'visually-hidden' }, text);
}

let last = 0;
export function freshId(stem) {
    return `${stem}-${++last}`;
}

/** Calls `f` once things have been quiet for `ms`. */
export function calmed(ms, f) {
    let timer = 0;
    return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => f(...values), ms);
    };
}
