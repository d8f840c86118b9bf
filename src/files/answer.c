/* A file as a response: validators, conditions, ranges (RFC 9110 13, 14). Owns the descriptor until the source has it. */
#include "files/site.h"

#include <unistd.h>

#include "base/hex.h"
#include "base/rand.h"
#include "exchange/error_log.h"
#include "exchange/graph.h"
#include "exchange/media_types.h"
#include "exchange/visit.h"
#include "files/content.h"
#include "http/date.h"
#include "http/range.h"

#define ETAG_MAX 64      /* quotes, dashes and three numbers */

/* What is told of a file, whichever part of it is sent. */
struct about {
    struct str type, etag, last_modified;
    const struct coding *coding;
    int64_t modified, size;
    bool fresh;
};

static char *put_hex(char *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    unsigned shift = value != 0 ? (63 - (unsigned)__builtin_clzll(value)) / 4 * 4 : 0;
    for (;; shift -= 4) {
        *out++ = digits[(value >> shift) & 15];
        if (shift == 0)
            return out;
    }
}

/* Strong: another content has another time, size or inode; a rename over the file changes the inode. The short form is nginx's, so
 * that clients' copies stay good when this server takes over from one. */
static struct str make_etag(struct arena *arena, const struct stat *stat, enum etag_form form)
{
    char *text = form != ETAG_OFF ? arena_alloc(arena, ETAG_MAX) : NULL, *out = text;
    if (text == NULL)
        return STR_NONE;
    uint64_t seconds = (uint64_t)stat->st_mtim.tv_sec;
    *out++ = '"';
    out = put_hex(out, form == ETAG_SHORT ? seconds : seconds * (uint64_t)TIME_S + (uint64_t)stat->st_mtim.tv_nsec);
    *out++ = '-';
    out = put_hex(out, (uint64_t)stat->st_size);
    if (form == ETAG_PRECISE) {
        *out++ = '-';
        out = put_hex(out, (uint64_t)stat->st_ino);
    }
    *out++ = '"';
    return str_of(text, (size_t)(out - text));
}

/* A time to come is no validator yet (RFC 9110 8.8.2.1); one before 1970 is an archive's way to say that it knows none. */
static void add_times(struct exchange *x, const struct stat *stat, struct about *about)
{
    int64_t now = x->worker->loop.wall / TIME_S;
    about->modified = stat->st_mtim.tv_sec < now ? stat->st_mtim.tv_sec : now;
    char *text = about->modified >= 0 ? arena_alloc(&x->arena, HTTP_DATE_LEN) : NULL;
    if (text == NULL)
        return;
    http_date_format(about->modified, text);
    about->last_modified = str_of(text, HTTP_DATE_LEN);
}

void answer_add_fields(struct exchange *x, const struct file_site *site, bool fresh)
{
    struct fields *fields = &x->response.fields;
    if (fresh)
        fields_add_id(fields, FIELD_CACHE_CONTROL, S("no-cache"));
    else if (site->cache_control.len != 0)
        fields_add_id(fields, FIELD_CACHE_CONTROL, site->cache_control);
    const struct strmap *headers = &site->options->headers;
    for (size_t i = 0; i < headers->count; i++)
        fields_set_name(fields, headers->items[i].name, headers->items[i].value);
}

/* The head of a response about the file; its body is empty so far. 304 tells nothing of a body. */
static void begin(struct exchange *x, const struct file_site *site, int status, struct str type, const struct about *about)
{
    bool body = status != 304;
    exchange_answer(x, status, STATUS_OK, body ? type : STR_NONE, STR_NONE);
    struct fields *fields = &x->response.fields;
    if (about->last_modified.len != 0)
        fields_add_id(fields, FIELD_LAST_MODIFIED, about->last_modified);
    if (about->etag.len != 0)
        fields_add_id(fields, FIELD_ETAG, about->etag);
    if (about->coding != NULL && body)
        fields_add_id(fields, FIELD_CONTENT_ENCODING, about->coding->name);
    if (body)
        fields_add_id(fields, FIELD_ACCEPT_RANGES, S("bytes"));
    if (site->coding_count != 0 && site->options->precompressed_vary && !site->options->precompressed_always)
        fields_add_id(fields, FIELD_VARY, S("Accept-Encoding"));
    answer_add_fields(x, site, about->fresh);
}

/* The body; without memory for it the answer is another. */
static void give(struct exchange *x, int fd, struct body_stretch *pieces, unsigned count)
{
    struct content *content = arena_alloc(&x->arena, sizeof(*content));
    if (content == NULL || pieces == NULL) {
        close(fd);
        exchange_answer_status(x, 500, STATUS_OUT_OF_MEMORY);
        return;
    }
    content_init(content, fd, pieces, count, &x->worker->chunks);
    x->response.body_length = content_length(content);
    exchange_answer_source(x, &content->source, STATUS_OK);
}

static void give_whole(struct exchange *x, const struct file_site *site, int fd, const struct about *about)
{
    begin(x, site, 200, about->type, about);
    if (exchange_request(x)->method == METHOD_HEAD || about->size == 0) {
        x->response.body_length = about->size;
        close(fd);
        return;
    }
    struct body_stretch *piece = arena_new(&x->arena, struct body_stretch);
    if (piece != NULL)
        piece->left = about->size;
    give(x, fd, piece, 1);
}

static struct str content_range(struct exchange *x, const struct byte_range *range, int64_t size)
{
    return arena_printf(&x->arena, "bytes %lld-%lld/%lld", (long long)range->first, (long long)range->last, (long long)size);
}

static void give_range(struct exchange *x, const struct file_site *site, int fd, const struct about *about,
                       const struct byte_range *range)
{
    begin(x, site, 206, about->type, about);
    fields_add_id(&x->response.fields, FIELD_CONTENT_RANGE, content_range(x, range, about->size));
    struct body_stretch *piece = arena_new(&x->arena, struct body_stretch);
    if (piece != NULL)
        *piece = (struct body_stretch){.offset = range->first, .left = range->last - range->first + 1};
    give(x, fd, piece, 1);
}

/* multipart/byteranges (RFC 9110 14.6). The boundary is random, so no file holds it. */
static void give_ranges(struct exchange *x, const struct file_site *site, int fd, const struct about *about,
                        const struct byte_range *ranges, size_t count)
{
    uint64_t random[2] = {rand_u64(), rand_u64()};
    char boundary[2 * sizeof(random) + 1] = {0};
    hex_encode(str_of((const char *)random, sizeof(random)), boundary);
    begin(x, site, 206, arena_printf(&x->arena, "multipart/byteranges; boundary=%s", boundary), about);
    struct body_stretch *pieces = arena_array(&x->arena, struct body_stretch, count + 1);
    if (pieces != NULL) {
        for (size_t i = 0; i < count; i++)
            pieces[i] = (struct body_stretch){
                .text = arena_printf(&x->arena, "%s--%s\r\nContent-Type: %.*s\r\nContent-Range: %.*s\r\n\r\n",
                                     i != 0 ? "\r\n" : "", boundary, STR_ARGS(about->type),
                                     STR_ARGS(content_range(x, &ranges[i], about->size))),
                .offset = ranges[i].first,
                .left = ranges[i].last - ranges[i].first + 1};
        pieces[count].text = arena_printf(&x->arena, "\r\n--%s--\r\n", boundary);
    }
    give(x, fd, pieces, (unsigned)count + 1);
}

static void refuse_range(struct exchange *x, int64_t size)
{
    exchange_answer_status(x, 416, STATUS_FILE_RANGE);
    fields_add_id(&x->response.fields, FIELD_CONTENT_RANGE, arena_printf(&x->arena, "bytes */%lld", (long long)size));
}

/* Ranges are defined for GET alone (RFC 9110 14.2). */
static void give_what_is_asked(struct exchange *x, const struct file_site *site, int fd, const struct about *about)
{
    const struct request *request = exchange_request(x);
    struct byte_range ranges[RANGES_MAX];
    size_t count = 0;
    enum range_result result = RANGE_NONE;
    struct str asked = request->method == METHOD_GET && !x->detour ? fields_value(&request->fields, FIELD_RANGE) : STR_NONE;
    if (asked.len != 0 && condition_range_applies(request, about->etag, about->modified))
        result = range_parse(asked, about->size, ranges, &count);
    if (result == RANGE_NONE) {
        give_whole(x, site, fd, about);
    } else if (result == RANGE_UNSATISFIABLE) {
        close(fd);
        refuse_range(x, about->size);
    } else if (count == 1) {
        give_range(x, site, fd, about, &ranges[0]);
    } else {
        give_ranges(x, site, fd, about, ranges, count);
    }
}

/* By the path that was asked for: an alias may name a file that is called otherwise. */
static struct str type_of(const struct exchange *x, const struct file_site *site, const struct spot *spot, struct str name)
{
    const struct media_types *types = site->types != NULL ? site->types : x->router->extras->media_types;
    struct str asked = spot->visiting ? x->visit->uri : name;
    return types != NULL ? media_types_of(types, asked) : mime_of(site->system_types, asked);
}

static void give_under_conditions(struct exchange *x, const struct file_site *site, int fd, const struct about *about)
{
    enum precondition condition = condition_check(exchange_request(x), about->etag, about->modified);
    if (condition == CONDITION_PASS) {
        give_what_is_asked(x, site, fd, about);
        return;
    }
    close(fd);
    if (condition == CONDITION_NOT_MODIFIED)
        begin(x, site, 304, STR_NONE, about);
    else
        exchange_answer_status(x, 412, STATUS_OK);
}

/* Conditions and ranges hold for what the client asked for, not for what is shown in its place (`detour`). */
bool answer_file(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, struct tree_file *file,
                 bool fresh)
{
    struct about about = {.type = type_of(x, site, spot, name), .fresh = fresh};
    about.coding = coding_choose(x, site, spot, name, file);
    if (file->fd < 0)
        return false;
    if (spot->visiting && exchange_request(x)->method == METHOD_POST) {
        close(file->fd);
        answer_refusal(x, STATUS_FILE_METHOD);
        return true;
    }
    about.size = file->stat.st_size;
    about.etag = make_etag(&x->arena, &file->stat, (enum etag_form)site->options->etag);
    add_times(x, &file->stat, &about);
    if (x->detour || !site->options->conditions)
        give_whole(x, site, file->fd, &about);
    else
        give_under_conditions(x, site, file->fd, &about);
    return true;
}

/* ---- what is not served ---- */

void answer_refusal(struct exchange *x, enum status status)
{
    exchange_answer_status(x, status_http(status), status);
    if (status == STATUS_FILE_METHOD)
        fields_add(&x->response.fields, S("Allow"), S("GET, HEAD"));
}

/* What the router's error log says of it. */
static void tell(struct exchange *x, struct str path, enum status status)
{
    if (path.data == NULL || !error_log_wants(x, SYSLOG_ERROR))
        return;
    if (status == STATUS_FILE_NOT_FOUND)
        error_log_add(x, SYSLOG_ERROR, "open() \"%.*s\" failed (2: No such file or directory)", STR_ARGS(path));
    else if (status == STATUS_FILE_FORBIDDEN)
        error_log_add(x, SYSLOG_ERROR, "open() \"%.*s\" failed (13: Permission denied)", STR_ARGS(path));
}

void answer_missing(struct exchange *x, const struct file_site *site, const struct spot *spot, struct str name, enum status status)
{
    if (status == STATUS_FILE_NOT_FOUND && !site->options->log_missing)
        x->error_told = true;
    else if (spot->visiting)
        tell(x, finder_path(x, spot, name), status);
    answer_refusal(x, status);
}

void answer_unknown(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name)
{
    struct tree_file file;
    if (site->spa_name.len == 0 || finder_open(&site->finder, x, spot, site->spa_name, &file) != STATUS_OK) {
        answer_missing(x, site, spot, name, STATUS_FILE_NOT_FOUND);
    } else if (S_ISREG(file.stat.st_mode)) {
        answer_file(x, site, spot, site->spa_name, &file, true);
    } else {
        close(file.fd);
        answer_refusal(x, STATUS_FILE_NOT_FOUND);
    }
}

bool answer_is_fresh(const struct file_site *site, struct str name)
{
    return site->spa_name.len != 0 && str_equal(name, site->spa_name);
}
