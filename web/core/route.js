// Where in the dashboard we are: `#/page/argument?query`. All of it lies behind the '#', so that any path, prefix and proxy in
// front of it will do.

export function parse(hash) {
    const [path, query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
    const [page, ...rest] = path.split('/').map(part => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    return { page: page || 'overview', argument: rest.filter(part => part !== '').join('/'), query: new URLSearchParams(query) };
}

/** link('routers', 'api@file', {search: 'x'}) */
export function link(page, argument = '', query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
    return `#/${page}${argument ? '/' + encodeURIComponent(argument) : ''}` +
        (given.length ? `?${new URLSearchParams(given)}` : '');
}

/** Remembers a page's filters in its address without a new entry of the history. */
export function remember(page, argument, query) {
    history.replaceState(null, '', link(page, argument, query));
}
