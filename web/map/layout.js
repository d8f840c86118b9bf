// Where things of the map stand: entrypoints, routers, services (one column for each level of nesting), servers. Pure: names and
// links in, places out. Columns are ordered so that few lines cross: each thing as near as there is room to what leads to it.

const HEIGHT = 34, PITCH = HEIGHT + 8;

/** told: the answer of /api/portico/map; `room`: the width there is, which is used as far as names stay readable. Gives {nodes: Map(id ->
 * node), edges, columns: [[node]], box: the size of a node, width, height}. */
export function layout(told, room = 1300) {
    const nodes = new Map(), edges = [];
    const services = new Map(told.services.map(service => [service.name, service]));
    const add = (kind, name, column, more) => {
        const id = `${kind}:${name}`;
        if (!nodes.has(id))
            nodes.set(id, { id, kind, name, column, from: [], to: [], ...more });
        const node = nodes.get(id);
        node.column = Math.max(node.column, column);
        return node;
    };
    const join = (from, to, more = {}) => {
        if (from.to.includes(to))
            return;
        from.to.push(to);
        to.from.push(from);
        edges.push({ from, to, ...more });
    };

    for (const entry of told.entryPoints)
        add('entryPoint', entry.name, 0, { told: entry });
    for (const router of told.routers) {
        const node = add('router', router.name, 1, { told: router });
        const entries = router.entryPoints?.length ? router.entryPoints : told.entryPoints.map(entry => entry.name);
        for (const name of entries)
            if (nodes.has(`entryPoint:${name}`))
                join(nodes.get(`entryPoint:${name}`), node);
        if (router.service)
            join(node, addService(router.service, 2, new Set()));
    }
    const rest = Math.max(0, (told.truncated?.total || 0) - told.routers.length);
    if (rest) {
        const node = add('rest', 'rest', 1, { told: { count: rest } });
        for (const entry of told.entryPoints)
            join(nodes.get(`entryPoint:${entry.name}`), node);
    }

    /** A service, deeper than all that lead to it. `above`: what leads here, against circles. */
    function addService(name, column, above) {
        const service = services.get(name);
        const node = add('service', name, column, { told: service || { name, type: '?' } });
        if (above.has(name))
            return node;
        above.add(name);
        for (const child of service?.children || [])
            join(node, addService(child.name, column + 1, new Set(above)), { weight: child.weight });
        return node;
    }
    const last = Math.max(2, ...[...nodes.values()].map(node => node.column)) + 1;
    for (const node of [...nodes.values()])
        for (const server of node.kind === 'service' ? node.told.servers || [] : [])
            join(node, add('server', `${node.name}|${server.url}`, last, { told: server, url: server.url, service: node.name }));

    const columns = Array.from({ length: last + 1 }, () => []);
    for (const node of nodes.values())
        columns[node.column].push(node);
    const between = Math.max(44, Math.min(130, room * 0.07));
    const box = { width: Math.max(148, Math.min(240, (room - last * between) / (last + 1))), height: HEIGHT };
    place(columns, box.width + between);
    const bottom = Math.max(0, ...[...nodes.values()].map(node => node.y)) + HEIGHT;
    return { nodes, edges, columns, box, width: (last + 1) * box.width + last * between, height: bottom };
}

function mean(nodes) {
    return nodes.length ? nodes.reduce((sum, node) => sum + node.y, 0) / nodes.length : 0;
}

function place(columns, pitch) {
    const tallest = Math.max(...columns.map(column => column.length));
    const middle = column => (tallest - column.length) * PITCH / 2;
    columns.forEach((column, number) => {
        column.forEach((node, index) => {
            node.x = number * pitch;
            node.y = middle(column) + index * PITCH;
        });
    });
    // Two turns forth and back settle nearly all that can be settled.
    for (let turn = 0; turn < 2; turn++) {
        columns.forEach(column => settle(column, node => node.from));
        [...columns].reverse().forEach(column => settle(column, node => node.to));
    }
    // On a tall map what traffic comes in by is seen at once.
    if (tallest > 16)
        columns[0].forEach((node, index) => {
            node.y = (2 + 3 * index) * PITCH + Math.min(...columns.slice(1).flat().map(other => other.y));
        });
    const highest = Math.min(...columns.flat().map(node => node.y));
    for (const node of columns.flat())
        node.y -= highest;
}

/** Each as near as possible to the mean of its neighbours, none above another: what would overlap becomes a block that stands where
 * its members' wishes balance. */
function settle(column, neighbours) {
    const wish = new Map(column.map(node => [node, neighbours(node).length ? mean(neighbours(node)) : node.y]));
    column.sort((a, b) => (a.kind === 'rest') - (b.kind === 'rest') || wish.get(a) - wish.get(b));
    const blocks = [];
    for (const node of column) {
        let block = { nodes: [node], y: wish.get(node) };
        while (blocks.length && blocks.at(-1).y + blocks.at(-1).nodes.length * PITCH > block.y) {
            const above = blocks.pop(), both = [...above.nodes, ...block.nodes];
            block = { nodes: both, y: both.reduce((sum, one, index) => sum + wish.get(one) - index * PITCH, 0) / both.length };
        }
        blocks.push(block);
    }
    for (const block of blocks)
        block.nodes.forEach((node, index) => {
            node.y = block.y + index * PITCH;
        });
}
