// The API, as JSON. Its place is found from the page's own: `<anything>/dashboard/` has `<anything>/api/` beside it, so that a
// base path or a prefix taken off on the way needs no setting.

const base = new URL('../api/', location.href.replace(/[?#].*/, '').replace(/\/dashboard$/, '/dashboard/'));

export class ApiError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

/** apiUrl('portico/explain', {url: '/a', header: ['A: 1', 'B: 2']}) */
export function apiUrl(path, query = {}) {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query))
        for (const one of Array.isArray(value) ? value : [value])
            if (one !== undefined && one !== null && one !== '')
                url.searchParams.append(name, one);
    return url;
}

/** One segment of a path. */
export const segment = encodeURIComponent;

async function ask(url, options) {
    let response;
    try {
        response = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...options });
    } catch (error) {
        if (error.name === 'AbortError')
            throw error;
        throw new ApiError(0, 'Portico does not answer.');
    }
    if (response.ok)
        return response;
    const told = await response.json().catch(() => null);
    throw new ApiError(response.status, told?.message || `${response.status} ${response.statusText}`.trim());
}

export async function get(path, query, signal) {
    return (await ask(apiUrl(path, query), { signal })).json();
}

/** A list of Traefik's kind: {rows, next}; next is 0 on the last page. */
export async function getPage(path, query, signal) {
    const response = await ask(apiUrl(path, query), { signal });
    const next = Number(response.headers.get('X-Next-Page') || 0);
    return { rows: await response.json(), next: next > (query.page || 1) ? next : 0 };
}

export async function post(path, body) {
    const response = await ask(apiUrl(path), {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    return response.json();
}
