#include "config/compose.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char *const environment[] = {(char *)(uintptr_t) "DOMAIN=example.org", NULL};

struct bench {
    char folder[64];
    struct arena arena;
    struct diag diag;
    struct compose_project project;
};

static void start(struct bench *bench)
{
    snprintf(bench->folder, sizeof(bench->folder), "/tmp/Compose.Test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    arena_init(&bench->arena, ARENA_UNLIMITED);
    diag_init(&bench->diag, &bench->arena);
}

static const char *add(struct bench *bench, const char *name, const char *content)
{
    const char *path = arena_printf(&bench->arena, "%s/%s", bench->folder, name).data;
    assert_true(file_write(path, str_from(content), 0600));
    return path;
}

static void end(struct bench *bench)
{
    compose_release(&bench->project);
    diag_release(&bench->diag);
    struct str command = arena_printf(&bench->arena, "rm -r '%s'", bench->folder);
    assert_int_equal(system(command.data), 0);
    arena_release(&bench->arena);
}

static const struct compose_service *service(const struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->project.services.count; i++)
        if (str_equal(bench->project.services.items[i]->name, str_from(name)))
            return bench->project.services.items[i];
    fail_msg("there is no service '%s'", name);
    return NULL;
}

static void assert_labels(const struct label *labels, size_t count, const char *expected)
{
    struct text text;
    text_init(&text, 1 << 16);
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%s%.*s=%.*s", i != 0 ? " " : "", STR_ARGS(labels[i].key), STR_ARGS(labels[i].value));
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
}

static void assert_words(const struct compose_service *it, const char *expected)
{
    struct text text;
    text_init(&text, 1 << 16);
    for (size_t i = 0; i < it->command.count; i++)
        text_addf(&text, "%s[%.*s]", i != 0 ? " " : "", STR_ARGS(it->command.items[i].text));
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
}

TEST(compose_files_are_laid_over_each_other)
{
    struct bench bench;
    start(&bench);
    const char *paths[] = {add(&bench, "base.yml", "services:\n"
                                                   "  web:\n"
                                                   "    image: a\n"
                                                   "    command: [--one, --two]\n"
                                                   "    ports: ['80:8080', 443]\n"
                                                   "    labels: {k: v, old: x, dollar: $$1}\n"
                                                   "    networks: [front]\n"
                                                   "networks:\n  front: {external: true}\n  back: {name: real}\n"),
                           add(&bench, "over.yml", "services:\n"
                                                   "  web:\n"
                                                   "    command: --three 'four five' six\\ seven\n"
                                                   "    expose: ['9000-9001', 80/udp]\n"
                                                   "    labels: ['old=${DOMAIN}', bare]\n"
                                                   "    networks: {back: {}, own: }\n"
                                                   "  db: {image: pg}\n")};
    assert_true(compose_read(&bench.project, paths, 2, environment, &bench.arena, &bench.diag));
    const struct compose_service *web = service(&bench, "web");
    assert_str_equal(web->image, S("a"));
    assert_words(web, "[--three] [four five] [six seven]");
    assert_labels(web->labels.items, web->labels.count, "k=v old=example.org dollar=$1 bare=");
    assert_int_equal(web->ports.count, 4);
    static const uint16_t ports[] = {8080, 443, 9000, 9001};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(web->ports.items[i], ports[i]);
    assert_int_equal(web->networks.count, 3);
    assert_str_equal(web->networks.items[0], S("front"));
    assert_str_equal(web->networks.items[1], S("real"));
    assert_true(str_ends(web->networks.items[2], S("_own")));
    /* The project is called as Compose calls a folder's. */
    assert_true(str_starts(bench.project.name, S("composetest-")));
    assert_true(str_ends(service(&bench, "db")->networks.items[0], S("_default")));
    end(&bench);
}

TEST(compose_labels_keep_their_places)
{
    struct bench bench;
    start(&bench);
    const char *path = add(&bench, "docker-compose.yml", "services:\n"
                                                         "  web:\n"
                                                         "    labels:\n"
                                                         "      - \"a.b=c d\"\n"
                                                         "      - e=${DOMAIN}x\n"
                                                         "    deploy:\n"
                                                         "      labels: {f: g}\n");
    assert_true(compose_read(&bench.project, &path, 1, environment, &bench.arena, &bench.diag));
    const struct compose_service *web = service(&bench, "web");
    const struct label *label = &web->labels.items[0];
    assert_int_equal(label->key_span.line, 4);
    assert_int_equal(label->key_span.column, 10);
    assert_int_equal(label->key_span.length, 3);
    assert_int_equal(label->value_span.column, 14);
    assert_int_equal(label->value_span.length, 3);
    /* Behind a variable nothing stands where it seems to. */
    struct span inside = span_inside(web->labels.items[1].value_span, 5, 1);
    assert_int_equal(inside.line, 5);
    assert_int_equal(inside.column, 11);
    assert_labels(web->deploy_labels.items, web->deploy_labels.count, "f=g");
    end(&bench);
}

TEST(compose_reads_what_a_file_extends_includes_and_shares)
{
    struct bench bench;
    start(&bench);
    add(&bench, ".env", "TAG=3\n");
    add(&bench, "proxy.env", "TRAEFIK_LOG_LEVEL=DEBUG\nX=1\n");
    add(&bench, "common.yml", "services:\n  base:\n    image: app:${TAG}\n    labels: {a: base, b: base}\n");
    add(&bench, "more.yml", "services:\n  more: {image: more}\n");
    const char *path = add(&bench, "docker-compose.yml", "name: Shop\n"
                                                         "include: [more.yml]\n"
                                                         "x-labels: &labels {c: anchor}\n"
                                                         "services:\n"
                                                         "  web:\n"
                                                         "    extends: {file: common.yml, service: base}\n"
                                                         "    labels: {<<: *labels, b: own}\n"
                                                         "    env_file: proxy.env\n"
                                                         "    environment: [X=2, DOMAIN]\n"
                                                         "  other: {extends: web}\n");
    assert_true(compose_read(&bench.project, &path, 1, environment, &bench.arena, &bench.diag));
    assert_str_equal(bench.project.name, S("shop"));
    service(&bench, "more");
    const struct compose_service *web = service(&bench, "web");
    assert_str_equal(web->image, S("app:3"));
    assert_labels(web->labels.items, web->labels.count, "a=base b=own c=anchor");
    assert_labels(web->environment.items, web->environment.count, "TRAEFIK_LOG_LEVEL=DEBUG X=2 DOMAIN=example.org");
    assert_str_equal(service(&bench, "other")->image, S("app:3"));
    end(&bench);
}

TEST(compose_circles_and_absences_are_told)
{
    struct bench bench;
    start(&bench);
    const char *path = add(&bench, "docker-compose.yml", "include: docker-compose.yml\n"
                                                         "services:\n"
                                                         "  a: {extends: b}\n"
                                                         "  b: {extends: a}\n"
                                                         "  c: {extends: nobody}\n"
                                                         "  d:\n"
                                                         "  e: [x]\n");
    assert_false(compose_read(&bench.project, &path, 1, environment, &bench.arena, &bench.diag));
    assert_int_equal(bench.diag.errors, 3);
    end(&bench);
}
