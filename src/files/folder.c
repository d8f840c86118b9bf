/* A folder that is asked for: its index, a list of what is in it, or neither. */
#include "files/site.h"

#include <unistd.h>

#include "exchange/error_log.h"
#include "exchange/text_template.h"
#include "exchange/visit.h"

static struct str index_name(struct exchange *x, const struct file_site *site, size_t index)
{
    return text_template_text(site->index[index], x);
}

static bool is_file(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, enum status *ret_status)
{
    struct stat stat;
    *ret_status = name.data != NULL ? finder_look(&site->finder, x, spot, name, &stat) : STATUS_OUT_OF_MEMORY;
    return *ret_status == STATUS_OK;
}

static bool is_there(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name)
{
    struct stat stat;
    enum status status = finder_look(&site->finder, x, spot, name, &stat);
    return status == STATUS_FILE_FORBIDDEN || (status == STATUS_OK && S_ISDIR(stat.st_mode));
}

/* To the location of the index, which may be another. False: there is none; *ret_status says what was in the way. Where the folder
 * itself is not there, no index that lies elsewhere answers for it. */
static bool go_to_index(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name, enum status *ret_status)
{
    struct str query = exchange_request(x)->query;
    *ret_status = STATUS_FILE_NOT_FOUND;
    for (size_t i = 0; i < site->options->index.count; i++) {
        struct str index = index_name(x, site, i);
        if (str_starts(index, S("/"))) {
            exchange_go_to(x, index, query);
            return true;
        }
        if (is_file(x, site, spot, arena_concat(&x->arena, name, index), ret_status)) {
            exchange_go_to(x, arena_concat(&x->arena, x->visit->uri, index), query);
            return true;
        }
        bool more = i + 1 < site->options->index.count;
        if (*ret_status != STATUS_FILE_NOT_FOUND || (i == 0 && more && !is_there(x, site, spot, name)))
            return false;
    }
    return false;
}

/* The first index that is there. */
static bool answer_index(struct exchange *x, struct file_site *site, const struct spot *spot, struct str folder)
{
    for (size_t i = 0; i < site->options->index.count; i++) {
        struct str name = arena_concat(&x->arena, folder, index_name(x, site, i));
        struct tree_file file;
        if (name.data == NULL || finder_open(&site->finder, x, spot, name, &file) != STATUS_OK)
            continue;
        if (S_ISREG(file.stat.st_mode))
            return answer_file(x, site, spot, name, &file, answer_is_fresh(site, name));
        close(file.fd);
    }
    return false;
}

static void forbid(struct exchange *x, const struct spot *spot, struct str name)
{
    struct str path = error_log_wants(x, SYSLOG_ERROR) ? finder_path(x, spot, name) : STR_NONE;
    if (path.data != NULL)
        error_log_add(x, SYSLOG_ERROR, "directory index of \"%.*s\" is forbidden", STR_ARGS(path));
    exchange_answer_status(x, 403, STATUS_FILE_FORBIDDEN);
}

static void answer_without_index(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name)
{
    struct tree_file file;
    bool reads = exchange_request(x)->method != METHOD_POST;
    enum status status = finder_open(&site->finder, x, spot, name, &file);
    if (status == STATUS_OK && S_ISDIR(file.stat.st_mode) && site->options->browse && reads) {
        listing_answer(x, site, spot, name, file.fd);
        return;
    }
    bool folder = status == STATUS_OK && S_ISDIR(file.stat.st_mode);
    if (status == STATUS_OK)
        close(file.fd);
    if (spot->visiting && (folder || (status == STATUS_FILE_FORBIDDEN && !site->options->browse)))
        forbid(x, spot, name);
    else if (spot->visiting)
        answer_missing(x, site, spot, name, status == STATUS_OK ? STATUS_FILE_NOT_FOUND : status);
    else if (status != STATUS_OK && status != STATUS_FILE_NOT_FOUND)
        answer_refusal(x, status);
    else
        answer_unknown(x, site, spot, name);
}

enum pick_result folder_answer(struct exchange *x, struct file_site *site, const struct spot *spot, struct str name)
{
    enum status status;
    if (!spot->visiting) {
        if (!answer_index(x, site, spot, name))
            answer_without_index(x, site, spot, name);
        return PICK_ANSWER;
    }
    if (go_to_index(x, site, spot, name, &status))
        return PICK_REROUTE;
    if (status != STATUS_FILE_NOT_FOUND)
        answer_missing(x, site, spot, name, status);
    else
        answer_without_index(x, site, spot, name);
    return PICK_ANSWER;
}
