#include "place.h"

#include "test.h"

#include "blank_entry.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/bind.h"

#define NOW_WALL (INT64_C(1800000000) * TIME_S)      /* later than any file of today */

static void *get_shared(struct compile *compile, struct str key, size_t size, void (*init)(void *), void (*destroy)(void *))
{
    struct place *place = (struct place *)(void *)compile;
    assert_int_equal(size, sizeof(place->types));
    if (!place->types_made)
        init(&place->types);
    place->types_made = true;
    return &place->types;
}

static const struct compile_ops ops = {.shared = get_shared};

void place_init(struct place *place)
{
    memset(place, 0, sizeof(*place));
    strcpy(place->path, "/tmp/portico-files-XXXXXX");
    assert_non_null(mkdtemp(place->path));
    fixture_init(&place->fixture);
    place->compile = (struct compile){.ops = &ops, .arena = &place->fixture.arena, .diag = &place->fixture.diag, .workers = 1};
    chunk_pool_init(&place->worker.chunks, 4, 4, 0);
    place->worker.loop.now = 1000 * TIME_S;
    place->worker.loop.wall = NOW_WALL;
    arena_init(&place->x.arena, ARENA_UNLIMITED);
    place_folder(place, "root");
    place_write(place, "secret.txt", "SECRET");
}

static void end_request(struct place *place)
{
    exchange_release_source(&place->x);
    arena_release(&place->x.arena);
}

static void end_service(struct place *place)
{
    if (place->service.state != NULL)
        place->service.type->destroy(&place->service);
    place->service.state = NULL;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    return remove(path);
}

void place_release(struct place *place)
{
    end_request(place);
    end_service(place);
    if (place->types_made)
        mime_release(&place->types);
    chunk_pool_release(&place->worker.chunks);
    fixture_release(&place->fixture);
    assert_int_equal(nftw(place->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *place_at(struct place *place, const char *name)
{
    return arena_printf(&place->fixture.arena, "%s/%s", place->path, name).data;
}

void place_folder(struct place *place, const char *name)
{
    assert_int_equal(mkdir(place_at(place, name), 0755), 0);
}

void place_write(struct place *place, const char *name, const char *content)
{
    int fd = open(place_at(place, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

void place_link(struct place *place, const char *name, const char *target)
{
    assert_int_equal(symlink(target, place_at(place, name)), 0);
}

void place_age(struct place *place, const char *name, int64_t seconds, int64_t ns)
{
    struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = ns}, {.tv_sec = seconds, .tv_nsec = ns}};
    assert_int_equal(utimensat(AT_FDCWD, place_at(place, name), times, 0), 0);
}

bool place_serve(struct place *place, const char *options)
{
    struct fixture *fixture = &place->fixture;
    end_request(place);
    end_service(place);
    arena_init(&place->x.arena, ARENA_UNLIMITED);
    const char *yaml = arena_printf(&fixture->arena, "root: %s/root\n%s\n", place->path, options).data;
    struct service *service = &place->service;
    service->type = service_find(S("files"));
    assert_non_null(service->type);
    service->name = S("site@test");
    service->options = bind_new(service->type->choice.table, fixture_yaml(fixture, yaml), NULL, &fixture->arena, &fixture->diag);
    if (fixture->diag.errors != 0)
        return false;
    service->state = arena_zalloc(&fixture->arena, service->type->state_size);
    return service->type->compile(service, &place->compile);
}

void place_ask(struct place *place, const char *path)
{
    struct exchange *x = &place->x;
    end_request(place);
    memset(x, 0, sizeof(*x));
    arena_init(&x->arena, ARENA_UNLIMITED);
    x->worker = &place->worker;
    x->entry = blank_entry();
    place->router.extras = &router_no_extras;
    x->router = &place->router;
    struct request *request = &x->stream.request;
    fields_init(&request->fields, &x->arena, 4);
    request->method = METHOD_GET;
    struct str rest = str_from(path), part;
    str_split(&rest, '?', &part);
    request->path = x->original_path = part;
    request->query = rest;
}

void place_field(struct place *place, enum field_id id, const char *value)
{
    fields_add_id(&place->x.stream.request.fields, id, str_from(value));
}

int place_pick(struct place *place)
{
    struct exchange *x = &place->x;
    assert_int_equal(place->service.type->pick(x, &place->service), PICK_ANSWER);
    assert_true(x->answered_here);
    assert_non_null(x->response_source);
    return x->response.status;
}

int place_get(struct place *place, const char *path)
{
    place_ask(place, path);
    return place_pick(place);
}

struct str place_body(struct place *place, size_t step)
{
    struct text text;
    struct chunkq queue;
    enum status status;
    text_init(&text, SIZE_MAX);
    chunkq_init(&queue);
    struct body_source *source = place->x.response_source;
    while ((status = source->ops->read(source, &queue, step)) == STATUS_OK) {
        assert_in_range(queue.bytes, 1, step);
        while (queue.bytes != 0) {
            struct str front = chunkq_front(&queue);
            text_add(&text, front);
            chunkq_drop(&queue, front.len);
        }
    }
    assert_int_equal(status, STATUS_END);
    struct str body = arena_str(&place->fixture.arena, text_str(&text));
    chunkq_release(&queue);
    text_release(&text);
    return body;
}

struct str place_value(struct place *place, enum field_id id)
{
    return fields_value(&place->x.response.fields, id);
}

unsigned place_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}
