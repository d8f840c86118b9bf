#include "scene.h"

/* ---- what a container gets by itself ---- */

TEST(a_container_without_labels_gets_a_router_and_a_service_by_its_name)
{
    scene_begin();
    scene_add("my_app.web", "10.0.0.2", PORTS(80, 8080), NO_LABELS);
    scene_discover();
    assert_string_equal(scene_diag(), "");
    assert_str_equal(scene_router("my-app-web")->rule, S("Host(`my-app-web`)"));
    assert_str_equal(scene_router("my-app-web")->service, S("my-app-web"));
    assert_string_equal(scene_servers("my-app-web"), "http://10.0.0.2:80");
    const struct discovered *found = scene_found("my_app.web");
    assert_int_equal(found->state, DISCOVERY_SERVED);
    assert_false(found->mistake);
    assert_str_equal(found->reason, S(""));
    assert_str_equal(found->routers.items[0], S("my-app-web@docker"));
    assert_str_equal(found->servers.items[0], S("http://10.0.0.2:80"));
    assert_true(scene.model->parts[0].lenient);
    assert_int_equal(scene.servers.count, 1);
    assert_str_equal(scene.servers.items[0].address, S("10.0.0.2:80"));
    assert_true(scene.servers.items[0].running);
    scene_end();
}

TEST(composes_service_and_project_name_what_a_container_gets)
{
    scene_begin();
    scene_add("my_app-api-1", "10.0.0.2", PORTS(80),
              LABELS("com.docker.compose.project", "my_app", "com.docker.compose.service", "api"));
    scene_discover();
    assert_str_equal(scene_router("api-my-app")->rule, S("Host(`api-my-app`)"));
    scene_end();
}

TEST(holding_and_slow_start_are_the_providers_where_a_service_does_not_say)
{
    scene_begin();
    scene_options("holdTimeout: 7s\nslowStart: 2s\n");
    scene_add("a", "10.0.0.2", PORTS(80), NO_LABELS);
    scene_add("b", "10.0.0.3", PORTS(80), LABELS("traefik.http.services.b.loadbalancer.holdtimeout", "0s",
                                                  "portico.http.services.b.loadbalancer.slowstart", "1s"));
    scene_discover();
    assert_int_equal(scene_balancer("a")->hold_timeout, INT64_C(7000000000));
    assert_int_equal(scene_balancer("a")->slow_start, INT64_C(2000000000));
    assert_int_equal(scene_balancer("b")->hold_timeout, 0);
    assert_int_equal(scene_balancer("b")->slow_start, INT64_C(1000000000));
    scene_end();
}

TEST(portico_itself_gets_no_router_unless_its_labels_ask_for_one)
{
    scene_begin();
    scene_add("portico", "10.0.0.2", PORTS(80), LABELS("traefik.enable", "true"));
    scene.inventory.self_id = S("id-portico");
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 0);
    assert_int_equal(scene_found("portico")->state, DISCOVERY_LEFT_OUT);
    assert_false(scene_found("portico")->mistake);
    scene_end();
}

TEST(portico_itself_is_a_server_before_its_health_check_and_its_ports_answer)
{
    scene_begin();
    struct container *own = scene_add("portico", "10.0.0.2", PORTS(80), LABELS("traefik.http.routers.d.rule", "Host(`d`)"));
    struct container *other = scene_add("other", "10.0.0.3", PORTS(80), LABELS("traefik.http.routers.o.rule", "Host(`o`)"));
    own->health = other->health = HEALTH_STARTING;
    scene.inventory.self_id = S("id-portico");
    scene_ports(PORT_REFUSED);
    scene_discover();
    assert_string_equal(scene_servers("portico"), "http://10.0.0.2:80");
    assert_int_equal(scene_found("portico")->state, DISCOVERY_SERVED);
    assert_int_equal(scene_found("other")->state, DISCOVERY_NOT_READY);
    scene_end();
}

/* ---- which are looked at ---- */

TEST(what_is_not_enabled_is_left_out_and_that_is_no_mistake)
{
    scene_begin();
    scene_options("exposedByDefault: false\n");
    scene_add("off", "10.0.0.2", PORTS(80), NO_LABELS);
    scene_add("on", "10.0.0.3", PORTS(80), LABELS("Traefik.Enable", "true"));
    scene_add("ours", "10.0.0.4", PORTS(80), LABELS("traefik.enable", "false", "portico.enable", "true"));
    scene_add("forgot", "10.0.0.5", PORTS(80), LABELS("traefik.http.routers.a.rule", "Host(`a`)"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 2);
    assert_non_null(scene_router("on"));
    assert_non_null(scene_router("ours"));
    assert_int_equal(scene_found("off")->state, DISCOVERY_LEFT_OUT);
    assert_false(scene_found("off")->mistake);
    assert_str_equal(scene_found("off")->reason, S("exposedByDefault is off and it has no label traefik.enable=true"));
    assert_true(scene_found("forgot")->mistake);
    assert_str_equal(scene_found("forgot")->hint, S("give it the label traefik.enable=true"));
    scene_end();
}

TEST(what_says_that_it_is_not_to_be_seen_is_not_read_further)
{
    scene_begin();
    scene_add("off", "10.0.0.2", PORTS(80), LABELS("traefik.enable", "false", "traefik.htp.routers.x.rule", "y"));
    scene_add("unclear", "10.0.0.3", PORTS(80), LABELS("traefik.enable", "perhaps"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 0);
    assert_str_equal(scene_found("off")->reason, S("traefik.enable=false"));
    assert_false(scene_found("off")->mistake);
    assert_int_equal(scene_found("unclear")->state, DISCOVERY_LEFT_OUT);
    assert_true(scene_found("unclear")->mistake);
    assert_non_null(strstr(scene_diag(), "container unclear: traefik.enable"));
    scene_end();
}

TEST(constraints_choose_by_labels)
{
    scene_begin();
    scene_options("constraints: 'Label(`stage`, `prod`) && !LabelRegex(`team`, `^re`)'\n");
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("stage", "prod"));
    scene_add("b", "10.0.0.3", PORTS(80), LABELS("stage", "prod", "team", "red"));
    scene_add("c", "10.0.0.4", PORTS(80), LABELS("traefik.htp", "x"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 1);
    assert_non_null(scene_router("a"));
    assert_int_equal(scene_found("c")->state, DISCOVERY_LEFT_OUT);
    assert_false(scene_found("c")->mistake);
    assert_string_equal(scene_diag(), "");
    scene_end();
}

TEST(constraints_and_default_rules_that_cannot_be_read_are_errors_at_their_options)
{
    scene_begin();
    scene_options("constraints: 'Lable(`a`, `b`)'\ndefaultRule: 'Host(`{{ .Nam }}`)'\n");
    scene_add("a", "10.0.0.2", PORTS(80), NO_LABELS);
    scene_discover();
    assert_int_equal(scene.diag.errors, 2);
    assert_non_null(strstr(scene_diag(), "c.yaml:1:15: error: 'Lable' is no constraint"));
    assert_non_null(strstr(scene_diag(), "did you mean 'Label'?"));
    assert_non_null(strstr(scene_diag(), "c.yaml:2:25: error: unknown field 'Nam'"));
    scene_end();
}

/* ---- ports ---- */

TEST(a_container_without_a_port_is_left_out_and_told_what_to_write)
{
    scene_begin();
    scene_add("a", "10.0.0.2", NO_PORTS, LABELS("traefik.http.routers.r.rule", "Host(`a`)"));
    scene_add("quiet", "10.0.0.3", NO_PORTS, NO_LABELS);
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 0);
    assert_int_equal(scene_http()->services.count, 0);
    assert_int_equal(scene_found("a")->state, DISCOVERY_LEFT_OUT);
    assert_true(scene_found("a")->mistake);
    assert_str_equal(scene_found("a")->reason, S("port is missing: the container exposes none"));
    assert_str_equal(scene_found("a")->hint,
                     S("the label traefik.http.services.a.loadbalancer.server.port=8000 says where it listens"));
    assert_true(str_starts(scene_remark("r"), S("its service 'a' is left out: port is missing")));
    assert_true(str_starts(scene_remark("a"), S("port is missing")));
    assert_int_equal(scene_found("quiet")->state, DISCOVERY_LEFT_OUT);
    assert_false(scene_found("quiet")->mistake);
    assert_null(scene_remark("quiet").data);
    scene_end();
}

TEST(a_port_that_nobody_needs_may_be_missing)
{
    scene_begin();
    scene_add("a", "10.0.0.2", NO_PORTS,
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.routers.r.service", "api@internal"));
    scene_discover();
    assert_non_null(scene_router("r"));
    assert_int_equal(scene_found("a")->state, DISCOVERY_SERVED);
    assert_false(scene_found("a")->mistake);
    scene_end();
}

TEST(labels_name_port_scheme_weight_and_path)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.services.s.LoadBalancer.server.Port", "8443", "traefik.http.services.s.loadbalancer.server.scheme",
                     "https", "traefik.http.services.s.loadbalancer.server.weight", "7",
                     "traefik.http.services.s.loadbalancer.server.preservepath", "true"));
    scene_discover();
    assert_string_equal(scene_servers("s"), "https://10.0.0.2:8443");
    const struct server_config *server = scene_balancer("s")->servers.items[0].value;
    assert_int_equal(server->weight, 7);
    assert_true(server->preserve_path);
    assert_str_equal(scene_router("a")->service, S("s"));
    scene_end();
}

TEST(a_servers_url_goes_without_port_and_scheme)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.services.s.loadbalancer.server.url", "https://elsewhere.example"));
    scene_add("b", "10.0.0.3", PORTS(80),
              LABELS("traefik.http.services.t.loadbalancer.server.url", "http://x", "traefik.http.services.t.loadbalancer.server.port",
                     "80"));
    scene_discover();
    assert_string_equal(scene_servers("s"), "https://elsewhere.example");
    assert_string_equal(scene_servers("t"), "-");
    assert_str_equal(scene_remark("t"), S("'server.url' goes without 'server.port' and 'server.scheme'"));
    scene_end();
}

TEST(ports_that_the_host_publishes_are_used_where_the_address_is_certain)
{
    static const struct {
        const char *label, *host_ip;
        uint16_t host_port, port;
        const char *url;
    } cases[] = {
        {NULL, NULL, 0, 0, "http://10.0.0.2:80"},
        {NULL, "", 8888, 80, "http://10.0.0.2:80"},
        {NULL, "0.0.0.0", 8888, 80, "http://10.0.0.2:80"},
        {NULL, "192.0.2.7", 8888, 80, "http://192.0.2.7:8888"},
        {"80", "192.0.2.7", 8888, 80, "http://192.0.2.7:8888"},
        {"80", "192.0.2.7", 8888, 9999, "http://10.0.0.2:80"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct container_binding binding = {.port = cases[i].port, .host_port = cases[i].host_port,
                                            .host_ip = str_from(cases[i].host_ip)};
        scene_begin();
        scene_options("useBindPortIP: true\n");
        struct container *container =
            scene_add("a", "10.0.0.2", PORTS(80),
                      cases[i].label != NULL ? LABELS("traefik.http.services.a.loadbalancer.server.port", cases[i].label) : NO_LABELS);
        container->bindings = &binding;
        container->binding_count = cases[i].host_ip != NULL;
        scene_discover();
        assert_string_equal(scene_servers("a"), cases[i].url);
        scene_end();
    }
}

/* ---- routers and services ---- */

TEST(a_router_without_a_service_is_linked_to_the_only_one)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.services.s.loadbalancer.server.port", "8000"));
    scene_discover();
    assert_str_equal(scene_router("r")->service, S("s"));
    assert_string_equal(scene_servers("s"), "http://10.0.0.2:8000");
    scene_end();
}

TEST(a_router_without_a_service_beside_two_is_left_out)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.services.s.loadbalancer.server.port", "8000",
                     "traefik.http.services.t.loadbalancer.server.port", "8001"));
    scene_discover();
    assert_null(scene_router("r"));
    assert_true(str_starts(scene_remark("r"), S("it names no service, and the container has several (s, t)")));
    assert_string_equal(scene_servers("s"), "http://10.0.0.2:8000");
    assert_string_equal(scene_servers("t"), "http://10.0.0.2:8001");
    assert_true(scene_found("a")->mistake);
    scene_end();
}

TEST(a_container_with_hundreds_of_services_names_only_a_few_of_them)
{
    scene_begin();
    const char *labels[2 * 2 * 300 + 1] = {NULL};
    size_t count = 0;
    for (int i = 0; i < 300; i++) {
        labels[count++] = arena_printf(&scene.inventory.arena, "traefik.http.services.s%03d.loadbalancer.server.port", i).data;
        labels[count++] = "80";
        labels[count++] = arena_printf(&scene.inventory.arena, "traefik.http.routers.r%03d.rule", i).data;
        labels[count++] = "Host(`a`)";
    }
    scene_add("a", "10.0.0.2", PORTS(80), labels);
    scene_discover();
    assert_true(str_starts(scene_remark("r299"), S("it names no service, and the container has several (s000, s001, s002, s003, s004 and 295 more)")));
    scene_end();
}

TEST(a_container_whose_labels_are_too_many_is_left_out_and_told_so)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), NO_LABELS)->labels_beyond = true;
    scene_discover();
    assert_int_equal(scene_found("a")->state, DISCOVERY_LEFT_OUT);
    assert_true(scene_found("a")->mistake);
    assert_true(str_starts(scene_found("a")->reason, S("it has more labels than are read")));
    scene_end();
}

TEST(two_services_without_a_router_get_none)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.services.s.loadbalancer.server.port", "8000", "traefik.http.services.t.loadbalancer.server.port",
                     "8001"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 0);
    assert_int_equal(scene_http()->services.count, 2);
    assert_string_equal(scene_diag(), "");
    scene_end();
}

TEST(labels_for_tcp_alone_make_nothing_and_are_told_of)
{
    scene_begin();
    scene_add("db", "10.0.0.2", PORTS(5432), LABELS("traefik.tcp.routers.db.rule", "HostSNI(`*`)"));
    scene_add("both", "10.0.0.3", PORTS(80),
              LABELS("traefik.udp.services.u.loadbalancer.server.port", "53", "traefik.http.routers.r.rule", "Host(`a`)"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 1);
    assert_int_equal(scene_http()->services.count, 1);
    assert_int_equal(scene_found("db")->state, DISCOVERY_LEFT_OUT);
    assert_true(scene_found("db")->mistake);
    assert_str_equal(scene_found("db")->reason, S("its labels ask for TCP routing: Portico routes HTTP alone"));
    assert_int_equal(scene_found("both")->state, DISCOVERY_SERVED);
    assert_true(scene_found("both")->mistake);
    scene_end();
}

TEST(what_traefiks_labels_cannot_say_is_sayable)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.routers.r.service", "canary",
                     "traefik.http.services.canary.weighted.services[0].name", "v1",
                     "traefik.http.services.canary.weighted.services[0].weight", "9",
                     "traefik.http.services.canary.weighted.services[1].name", "v2@file",
                     "traefik.http.services.v1.loadbalancer.server.port", "8000",
                     "traefik.http.services.v1.loadbalancer.serverstransport", "t",
                     "traefik.http.services.page.respond.status", "200", "traefik.http.services.site.files.root", "/srv",
                     "traefik.http.services.f.failover.service", "v1", "traefik.http.services.f.failover.fallback", "page",
                     "traefik.http.services.m.mirroring.service", "v1",
                     "portico.http.serverstransports.t.insecureskipverify", "true", "traefik.tls.options.strict.sniStrict", "true"));
    scene_discover();
    assert_string_equal(scene_diag(), "");
    assert_int_equal(scene_http()->services.count, 6);
    assert_string_equal(scene_servers("v1"), "http://10.0.0.2:8000");
    assert_int_equal(scene_http()->servers_transports.count, 1);
    assert_int_equal(scene_tls()->options.count, 1);
    assert_str_equal(scene_router("r")->service, S("canary"));
    scene_end();
}

TEST(certificates_are_not_taken_from_labels)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.tls.certificates[0].certfile", "/c", "traefik.tls.stores.default.defaultgeneratedcert.resolver", "le",
                     "traefik.tls.stores.default.defaultgeneratedcert.domain.main", "a.example"));
    scene_discover();
    assert_int_equal(scene_tls()->certificates.count, 0);
    assert_int_equal(scene_tls()->stores.count, 1);
    assert_non_null(strstr(scene_diag(), "certificates are not taken from labels"));
    assert_non_null(scene_router("a"));
    scene_end();
}

TEST(the_tls_options_of_everybody_are_not_taken_from_labels)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("portico.tls.options.default.minversion", "VersionTLS10", "portico.tls.options.own.minversion", "VersionTLS13"));
    scene_discover();
    assert_int_equal(scene_tls()->options.count, 1);
    assert_str_equal(scene_tls()->options.items[0].name, S("own"));
    assert_non_null(strstr(scene_diag(), "the default TLS options hold for everybody"));
    scene_end();
}

TEST(an_empty_label_is_a_bare_key)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "", "traefik.http.routers.r.service", "", "traefik.http.routers.r.tls", "",
                     "traefik.http.routers.r.entrypoints", "", "traefik.http.middlewares.m.headers.customrequestheaders.X-A", ""));
    scene_discover();
    assert_string_equal(scene_diag(), "");
    assert_str_equal(scene_router("r")->rule, S("Host(`a`)"));
    assert_str_equal(scene_router("r")->service, S("a"));
    assert_non_null(scene_router("r")->tls);
    assert_int_equal(scene_router("r")->entry_points.count, 0);
    assert_int_equal(scene_http()->middlewares.count, 1);
    scene_end();
}

TEST(a_proxys_own_labels_lead_to_its_api_and_to_its_port)
{
    scene_begin();
    scene_options("exposedByDefault: false\n");
    struct container *proxy = scene_add(
        "traefik-reverse-proxy", NULL, PORTS(80),
        LABELS("com.docker.compose.project", "traefik", "com.docker.compose.service", "reverse-proxy", "traefik.enable", "true",
               "traefik.docker.network", "traefik-public", "traefik.http.routers.traefik-dashboard-http.entrypoints", "http",
               "traefik.http.services.traefik-dashboard.loadbalancer.server.port", "8080",
               "traefik.http.routers.traefik-dashboard-http.rule", "Host(`monitor.a.example`)",
               "traefik.http.routers.traefik-dashboard-http.middlewares", "https-redirect",
               "traefik.http.routers.traefik-dashboard-https.entrypoints", "https",
               "traefik.http.routers.traefik-dashboard-https.rule", "Host(`monitor.a.example`)",
               "traefik.http.routers.traefik-dashboard-https.tls", "true", "traefik.http.routers.traefik-dashboard-https.tls.certresolver",
               "le", "traefik.http.routers.traefik-dashboard-https.service", "api@internal",
               "traefik.http.routers.traefik-dashboard-https.middlewares", "admin-auth",
               "traefik.http.middlewares.https-redirect.redirectscheme.scheme", "https",
               "traefik.http.middlewares.https-redirect.redirectscheme.permanent", "true",
               "traefik.http.middlewares.admin-auth.basicauth.users", "admin:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"));
    scene_network(proxy, "traefik-public", "172.18.0.2");
    scene.inventory.self_id = proxy->id;
    scene.inventory.self_networks = proxy->networks;
    scene.inventory.self_network_count = proxy->network_count;
    scene_discover();
    assert_string_equal(scene_diag(), "");
    assert_int_equal(scene_http()->routers.count, 2);
    assert_int_equal(scene_http()->middlewares.count, 2);
    assert_str_equal(scene_router("traefik-dashboard-http")->service, S("traefik-dashboard"));
    assert_str_equal(scene_router("traefik-dashboard-https")->service, S("api@internal"));
    assert_str_equal(scene_router("traefik-dashboard-https")->tls->cert_resolver, S("le"));
    assert_string_equal(scene_servers("traefik-dashboard"), "http://172.18.0.2:8080");
    assert_int_equal(scene_found("traefik-reverse-proxy")->state, DISCOVERY_SERVED);
    assert_false(scene_found("traefik-reverse-proxy")->mistake);
    scene_end();
}

/* ---- mistakes in labels ---- */

TEST(an_unknown_key_leaves_out_its_own_object_alone)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.bad.rul", "Host(`a`)", "traefik.http.routers.good.rule", "Host(`b`)",
                     "traefik.http.middlewares.m.stripprefix.prefixs", "/x", "traefik.http.middlewares.n.stripprefix.prefixes", "/x"));
    scene_discover();
    assert_null(scene_router("bad"));
    assert_non_null(scene_router("good"));
    assert_int_equal(scene_http()->middlewares.count, 1);
    assert_str_equal(scene_remark("bad"), S("unknown option 'rul': did you mean 'rule'?"));
    assert_str_equal(scene_remark("m"), S("unknown option 'prefixs': did you mean 'prefixes'?"));
    assert_str_equal(scene.model->remarks[0].place, S("container a: traefik.http.routers.bad.rul"));
    assert_true(scene.model->remarks[0].left_out);
    assert_non_null(scene.model->remarks[0].config);
    assert_int_equal(scene.diag.errors, 0);
    assert_int_equal(scene_found("a")->state, DISCOVERY_SERVED);
    assert_true(scene_found("a")->mistake);
    scene_end();
}

TEST(a_port_at_the_wrong_place_is_told_with_the_right_one)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.services.s.server.port", "80", "traefik.http.routers.r.rule", "Host(`a`)"));
    scene_discover();
    assert_string_equal(scene_servers("s"), "-");
    assert_null(scene_router("r"));
    assert_str_equal(scene_remark("s"), S("unknown option 'server': did you mean 'loadBalancer.server'?"));
    assert_int_equal(scene_found("a")->state, DISCOVERY_LEFT_OUT);
    scene_end();
}

TEST(misspelt_keys_of_a_server_are_told)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.services.s.loadbalancer.server.prot", "80"));
    scene_discover();
    assert_str_equal(scene_remark("s"), S("unknown option 'prot': did you mean 'port'?"));
    assert_non_null(strstr(scene_diag(), "  = in service 's'"));
    scene_end();
}

TEST(misspelt_prefixes_are_told_with_the_word_meant)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefick.http.routers.r.rule", "Host(`a`)"));
    scene_add("b", "10.0.0.3", PORTS(80), LABELS("traefik.htp.routers.r.rule", "Host(`a`)"));
    scene_add("c", "10.0.0.4", PORTS(80), LABELS("portico.htpp.routers.r.rule", "Host(`a`)"));
    scene_add("d", "10.0.0.5", PORTS(80), LABELS("traefik.http.router.r.rule", "Host(`a`)"));
    scene_add("e", "10.0.0.6", PORTS(80), LABELS("traefik.frontend.rule", "Host:a"));
    scene_discover();
    assert_str_equal(scene_found("a")->hint, S("did you mean 'traefik'?"));
    assert_str_equal(scene_found("b")->hint, S("did you mean 'http'?"));
    assert_str_equal(scene_found("c")->hint, S("did you mean 'http'?"));
    assert_str_equal(scene_found("d")->hint, S("did you mean 'routers'?"));
    assert_true(str_starts(scene_found("e")->hint, S("this is a label of Traefik 1")));
    assert_true(scene_found("b")->mistake);
    assert_int_equal(scene_found("b")->state, DISCOVERY_SERVED);
    scene_end();
}

TEST(a_label_whose_path_cannot_be_followed_takes_its_object_with_it)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80),
              LABELS("traefik.http.routers.r.rule", "Host(`a`)", "traefik.http.routers.r.middlewares[x]", "auth",
                     "traefik.http.routers.ok.rule", "Host(`b`)"));
    scene_discover();
    assert_null(scene_router("r"));
    assert_non_null(scene_router("ok"));
    assert_true(str_starts(scene_remark("r"), S("this is no path")));
    scene_end();
}

TEST(names_must_not_have_an_at)
{
    scene_begin();
    scene_add("a", "10.0.0.2", PORTS(80), LABELS("traefik.http.routers.r@x.rule", "Host(`a`)"));
    scene_discover();
    assert_int_equal(scene_http()->routers.count, 0);
    assert_true(str_starts(scene_remark("r@x"), S("a name must not contain '@'")));
    scene_end();
}
