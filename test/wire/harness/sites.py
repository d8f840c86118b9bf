"""Configurations with one site, as YAML says it."""


def site(locations, middlewares=None, services=None, names=("example.com",), passed=(), **sections):
    """`locations` is {path: options}: a router's options beside `match` (prefix unless said), `middlewares` a list of names.
    `passed` are middlewares before any location is looked for."""
    routers = {}
    for number, (path, options) in enumerate(locations.items()):
        options = dict(options)
        routers[f"l{number}"] = {"location": {"site": "main", "path": path, "match": options.pop("match", "prefix")}, **options}
    return {"http": {"sites": {"main": {"names": list(names), **({"middlewares": list(passed)} if passed else {})}},
                     "routers": routers, "middlewares": middlewares or {}, "services": services or {}}, **sections}


def respond(status=200, body=None, **headers):
    return {"respond": {"status": status, **({"body": body} if body else {}), **({"headers": headers} if headers else {})}}


def to(server):
    return {"loadBalancer": {"servers": [{"url": server.url}]}}
