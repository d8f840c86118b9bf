"""Scripts and computed variables in YAML; what they do in nginx.conf is compared with nginx in test_nginx_rewrite.py."""
from harness.portico import to


def scripted(steps, locations=None, variables=None, **middlewares):
    """A site whose location "/" has a script, beside others."""
    routers = {"root": {"location": {"site": "s", "path": "/"}, "middlewares": ["script"], "service": "left"}, **(locations or {})}
    return {"http": {"sites": {"s": {"names": ["localhost"]}}, "variables": variables or {}, "routers": routers,
                     "middlewares": {"script": {"script": {"steps": steps}}, **middlewares},
                     "services": {"left": {"respond": {"status": 404, "body": "left to the service"}}}}}


def returns(text):
    return {"script": {"steps": [{"return": {"text": text}}]}}


def test_steps_run_in_their_order_until_one_answers(portico):
    proxy = portico(scripted([{"set": {"name": "a", "value": "1"}}, {"set": {"name": "a", "value": "${a}2"}},
                              {"if": {"value": "${arg_stop}", "then": [{"break": True}]}},
                              {"return": {"status": 202, "text": "a=${a} ${request.path}"}}]))
    response = proxy.get("/x%20y")
    assert (response.status, response.body, response.get("Content-Type")) == (202, b"a=12 /x y", "text/plain")
    assert proxy.get("/?stop=1").body == b"left to the service"


def test_last_looks_for_another_location_and_break_stays(portico):
    other = {"other": {"location": {"site": "s", "path": "/other"}, "middlewares": ["other"], "service": "left"}}
    steps = [{"rewrite": {"regex": "^/last(.*)", "replacement": "/other${1}?by=last", "flag": "last"}},
             {"rewrite": {"regex": "^/break(.*)", "replacement": "/other${1}", "flag": "break"}},
             {"rewrite": {"regex": "^/cycle", "replacement": "/cycle"}}]
    proxy = portico(scripted(steps, other, other=returns("${uri} ${args}")))
    assert proxy.get("/last/a?q=1").body == b"/other/a by=last&q=1"
    assert proxy.get("/break/a").body == b"left to the service"
    assert proxy.get("/cycle").status == 500


def test_a_branch_answers_with_what_its_router_says_of_responses(portico):
    branch = {"branch": {"location": {"site": "s", "match": "inner"}, "middlewares": ["marked", "rest"], "service": "left"}}
    steps = [{"if": {"value": "${arg_in}", "router": "branch", "then": [{"set": {"name": "where", "value": "inside"}}]}},
             {"return": {"text": "<${where}>"}}]
    proxy = portico(scripted(steps, branch, marked={"headers": {"customResponseHeaders": {"X-Branch": "yes"}}}, rest={"script": {}}))
    inside, outside = proxy.get("/?in=1"), proxy.get("/")
    assert (inside.body, inside.get("X-Branch")) == (b"<inside>", "yes")
    assert (outside.body, outside.get("X-Branch")) == (b"<>", None)


def test_with_rules_a_rewrite_changes_what_the_service_gets(portico, backend):
    server = backend()
    proxy = portico(to(server.url, middlewares={"m": {"script": {"steps": [
        {"rewrite": {"regex": "^/api/(.*)$", "replacement": "/v2/${1}?from=api"}}]}}}))
    assert proxy.get("/api/a%20b?x=1").status == 200
    assert server.requests[-1].target == "/v2/a%20b?from=api&x=1"


def test_redirects_are_completed_as_the_router_says(portico):
    config = scripted([{"rewrite": {"regex": "^/old/(.*)", "replacement": "/new/${1}", "flag": "permanent"}},
                       {"return": {"status": 302, "url": "/there"}}])
    config["http"]["routers"]["root"]["redirects"] = {"absolute": True}
    proxy = portico(config)
    assert proxy.get("/old/a?b").get("Location") == f"http://localhost:{proxy.port}/new/a?b"
    assert proxy.get("/").get("Location") == f"http://localhost:{proxy.port}/there"


def test_computed_variables_refer_to_each_other_in_any_order(portico):
    variables = {"second": {"map": {"source": "${first}", "values": {"one": "ONE", "~^t(?<rest>.*)$": "T-${rest}"}, "default": "?"}},
                 "first": {"map": {"source": "${arg_k}", "values": {"a": "one", "b": "two"}}},
                 "near": {"geo": {"networks": {"127.0.0.0/8": "near"}, "default": "far"}},
                 "circle": {"map": {"source": "${circle}", "default": "ends"}}}
    proxy = portico(scripted([{"return": {"text": "${second} ${near} ${circle}"}}], variables=variables))
    assert proxy.get("/?k=a").body == b"ONE near ends"
    assert proxy.get("/?k=b").body == b"T-wo near ends"
    assert proxy.get("/?k=c").body == b"? near ends"


def test_a_name_that_nothing_makes_is_refused_and_one_that_is_set_later_is_not(run, tmp_path):
    def check(text):
        path = tmp_path / "c.yaml"
        path.write_text(f"""
entryPoints: {{web: {{address: "127.0.0.1:0"}}}}
http:
  routers: {{a: {{rule: "PathPrefix(`/`)", middlewares: [use, make], service: s}}}}
  middlewares:
    use: {{script: {{steps: [{{return: {{text: "{text}"}}}}]}}}}
    make: {{script: {{steps: [{{set: {{name: later, value: x}}}}]}}}}
  services: {{s: {{respond: {{status: 200}}}}}}
""")
        return run("check", path)
    assert check("${later}").returncode == 0
    refused = check("${latre}")
    assert refused.returncode != 0 and "unknown variable 'latre'" in refused.stdout + refused.stderr
    assert "did you mean 'later'?" in refused.stdout + refused.stderr
