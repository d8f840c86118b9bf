"""Sites: hosts whose paths are matched by locations, nginx's way, said in YAML."""
import pytest

from harness.portico import command


@pytest.fixture
def site(portico):
    """site({name: location}, **options of the site) -> a proxy; each location answers with its name."""
    def start(locations, sites=None, routers=None, services=None, middlewares=None, **options):
        http = {"sites": sites or {"s": options}, "routers": {}, "services": dict(services or {}),
                "middlewares": dict(middlewares or {})}
        for name, location in locations.items():
            router = dict((routers or {}).get(name, {}))
            http["routers"][name] = {"service": name, "location": {"site": "s", **location}, **router}
            http["services"].setdefault(router.get("service", name), {"respond": {"body": name}})
        if not http["middlewares"]:
            del http["middlewares"]
        return portico({"http": http})
    return start


def ask(proxy, target="/", fields=(), **more):
    response = proxy.request("GET", target, fields, **more)
    return response.text if response.status == 200 else response.status


def test_locations_in_the_order_of_nginx(site):
    proxy = site({"a": {"match": "exact", "path": "/"}, "b": {"path": "/"}, "c": {"path": "/documents/"},
                  "d": {"match": "prefixFinal", "path": "/images/"},
                  "e": {"match": "regexIgnoreCase", "path": "\\.(gif|jpg|jpeg)$"}})
    assert [ask(proxy, path) for path in ("/", "/index.html", "/documents/document.html", "/images/1.gif",
                                          "/documents/1.JPG")] == ["a", "b", "c", "d", "e"]


def test_paths_are_normalised_before_they_are_matched(site):
    proxy = site({"a": {"path": "/a/"}, "b": {"path": "/"}})
    assert ask(proxy, "/x/../a/1") == "a"
    assert ask(proxy, "//a//1") == "a"
    assert ask(proxy, "/%61/1?q=/b/") == "a"
    assert ask(proxy, "/../a/1") == 400
    assert ask(proxy, "/b") == "b"


def test_a_site_without_a_location_for_it_answers_404(site):
    proxy = site({"a": {"path": "/a/"}})
    assert ask(proxy, "/b") == 404


def test_the_fallback_takes_what_no_location_takes(site):
    proxy = site({"a": {"path": "/a/"}, "rest": {"match": "fallback"}})
    assert ask(proxy, "/b") == "rest"
    assert ask(proxy, "/a/") == "a"


def test_nested_locations(site):
    proxy = site({"a": {"path": "/a/"}, "inner": {"match": "regex", "path": "\\.x$", "within": "a"},
                  "outer": {"match": "regex", "path": "\\.x$"}})
    assert ask(proxy, "/a/1.x") == "inner"
    assert ask(proxy, "/b/1.x") == "outer"


def test_hosts_in_the_order_of_nginx(portico):
    names = {"exact": ["example.com"], "below": ["*.example.com"], "www": ["www.*"], "expression": ["~^x\\d+\\.net$"],
             "default": ["_"]}
    http = {"sites": {}, "routers": {}, "services": {}}
    for name, hosts in names.items():
        http["sites"][name] = {"names": hosts, **({"defaultOn": ["web"]} if name == "default" else {})}
        http["routers"][name] = {"location": {"site": name, "path": "/"}, "service": name}
        http["services"][name] = {"respond": {"body": name}}
    proxy = portico({"http": http})
    assert ask(proxy, host="Example.com") == "exact"
    assert ask(proxy, host="a.b.example.com:81") == "below"
    assert ask(proxy, host="www.other.org") == "www"
    assert ask(proxy, host="x12.net") == "expression"
    assert ask(proxy, host="other") == "default"


def test_a_path_without_its_slash_is_redirected(site):
    proxy = site({"user": {"path": "/user/", "addsSlash": True}, "rest": {"path": "/"}})
    response = proxy.request("GET", "/user?a=1")
    assert (response.status, response.get("location")) == (301, "/user/?a=1")
    assert ask(proxy, "/users") == "rest"


def test_redirects_are_written_absolute_where_asked(site):
    proxy = site({"user": {"path": "/user/", "addsSlash": True}}, routers={"user": {"redirects": {"absolute": True}}})
    response = proxy.request("GET", "/user", host="a.example:1234")
    assert response.get("location") == f"http://a.example:{proxy.port}/user/"


def test_an_internal_location_is_not_for_those_outside(site):
    proxy = site({"a": {"path": "/a/"}}, routers={"a": {"middlewares": ["inside"]}}, middlewares={"inside": {"internalOnly": {}}})
    assert ask(proxy, "/a/") == 404


def test_rules_come_before_sites(site, portico):
    proxy = portico({"http": {
        "sites": {"s": {}},
        "routers": {"rule": {"rule": "PathPrefix(`/rule`)", "service": "rule"},
                    "place": {"location": {"site": "s", "path": "/"}, "service": "place"}},
        "services": {name: {"respond": {"body": name}} for name in ("rule", "place")}}})
    assert ask(proxy, "/rule") == "rule"
    assert ask(proxy, "/other") == "place"


def test_mistakes_are_told_at_their_place(tmp_path):
    path = tmp_path / "portico.yaml"
    path.write_text("""http:
  sites:
    s: {names: [a.example]}
  routers:
    neither: {service: x}
    both: {rule: "Path(`/`)", location: {site: s, path: /}, service: x}
    unknown: {location: {site: t, path: /}, service: x}
    bad: {location: {site: s, match: regex, path: "("}, service: x}
    within: {location: {site: s, path: /a, within: nobody}, service: x}
  services:
    x: {respond: {}}
""")
    result = command("check", str(path))
    assert result.returncode != 0
    for words in ("a router needs a rule or a location", "a rule or a location, not both", "unknown site 't",
                  "missing closing parenthesis", "unknown router 'nobody'"):
        assert words in result.stdout + result.stderr
