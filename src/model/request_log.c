#include "model/request_log.h"

#include "base/diag.h"
#include "net/syslog.h"

static const char *check_tag(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    if (text.len == 0 || text.len > 32)
        return "is not 1 to 32 characters long";
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_alpha(text.data[i]) && !ascii_digit(text.data[i]) && text.data[i] != '_')
            return "has other characters than letters, digits and '_'";
    return NULL;
}

static const char *check_server(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct addr addr;
    return syslog_address(text, &addr) ? NULL : "is no address: 10.0.0.1, 10.0.0.1:514, [::1]:514, localhost or unix:/dev/log";
}

static const struct option_name severity_names[] = {
    {"emerg", SYSLOG_EMERG}, {"alert", SYSLOG_ALERT},   {"crit", SYSLOG_CRIT}, {"error", SYSLOG_ERROR}, {"err", SYSLOG_ERROR},
    {"warn", SYSLOG_WARN},   {"notice", SYSLOG_NOTICE}, {"info", SYSLOG_INFO}, {"debug", SYSLOG_DEBUG}, {"own", -1},
    {NULL, 0}};

static const struct option syslog_options[] = {
    OPTION(STR, struct syslog_config, server, .required = true, .check = check_server, .help = "Address and port, or unix:/path."),
    OPTION(ENUM, struct syslog_config, facility, .names = syslog_facility_names, .fallback = "local7", .help = "The facility."),
    OPTION(ENUM, struct syslog_config, severity, .names = severity_names, .fallback = "own",
           .help = "The severity; own: that of the message, info for lines of an access log."),
    OPTION(STR, struct syslog_config, tag, .fallback = "portico", .check = check_tag, .help = "Who speaks."),
    OPTION_NAMED(BOOL, struct syslog_config, no_hostname, "noHostname", .help = "Leave the host's name out."),
};
static const struct option_table syslog_table =
    OPTION_TABLE(struct syslog_config, syslog_options, .summary = "A syslog server (RFC 3164, UDP or a Unix socket).");

static const struct option cache_options[] = {
    OPTION(INT, struct log_file_cache, max, .min = 0, .max = 100000, .help = "Files that are kept open per worker; 0: none."),
    OPTION_NAMED(DURATION, struct log_file_cache, inactive, "inactive", .fallback = "10s", .help = "Time without a line after which one is closed."),
    OPTION_NAMED(DURATION, struct log_file_cache, valid, "valid", .fallback = "60s",
                 .help = "Time after which it is looked whether the file is still there."),
    OPTION_NAMED(INT, struct log_file_cache, min_uses, "minUses", .fallback = "1", .min = 1, .max = 1000000,
                 .help = "Lines within that time that one needs to stay open."),
};
static const struct option_table cache_table =
    OPTION_TABLE(struct log_file_cache, cache_options, .summary = "Open files of a log whose name has variables.");

static void validate_place(struct str file_path, const struct syslog_config *syslog, const struct node *node, struct diag *diag)
{
    if (str_empty(file_path) == (syslog == NULL))
        diag_error(diag, node_span(node), "a log takes either 'filePath' or 'syslog'");
}

static void validate_access(void *value, const struct node *node, struct diag *diag)
{
    const struct access_log_output *log = value;
    validate_place(log->file_path, log->syslog, node, diag);
    if (log->gzip != 0 && log->buffer == 0)
        diag_error(diag, node_span(node_get(node, S("gzip"))), "'gzip' needs a 'buffer': each is compressed as a whole");
}

static void validate_error(void *value, const struct node *node, struct diag *diag)
{
    const struct error_log_output *log = value;
    validate_place(log->file_path, log->syslog, node, diag);
}

static const struct option_name escape_names[] = {
    {"default", LOG_ESCAPE_DEFAULT}, {"json", LOG_ESCAPE_JSON}, {"none", LOG_ESCAPE_NONE}, {NULL, 0}};

static const struct option access_options[] = {
    OPTION_NAMED(STR, struct access_log_output, file_path, "filePath",
                 .help = "The file to write to (opened again on SIGUSR1), stderr or /dev/stdout; it may have variables."),
    OPTION(OBJECT, struct access_log_output, syslog, .table = &syslog_table, .help = "A syslog server instead of a file."),
    OPTION(STR, struct access_log_output, format, .fallback = LOG_FORMAT_COMBINED, .help = "A line, with variables; the default is combined."),
    OPTION(ENUM, struct access_log_output, escape, .names = escape_names, .fallback = "default",
           .help = "How values are escaped: default (\\x22, '-' for none), json (for the inside of JSON strings), or none."),
    OPTION_NAMED(STR, struct access_log_output, condition, "if",
                 .help = "Log requests for which this text, with variables, is neither empty nor 0."),
    OPTION(SIZE, struct access_log_output, buffer, .min = 0, .max = 1 << 28, .help = "Bytes that each worker holds back to write them together."),
    OPTION(DURATION, struct access_log_output, flush, .help = "With a buffer: the longest time that a line is held back; 0: until it is full."),
    OPTION(INT, struct access_log_output, gzip, .min = 0, .max = 9, .help = "Compress what is written, at this level; needs a buffer."),
    OPTION_NAMED(STRUCT, struct access_log_output, file_cache, "fileCache", .table = &cache_table,
                 .help = "Which files stay open where the name has variables."),
};
const struct option_table access_log_output_table =
    OPTION_TABLE(struct access_log_output, access_options, .validate = validate_access, .summary = "A line of your own form for each request.");

static const struct option error_options[] = {
    OPTION_NAMED(STR, struct error_log_output, file_path, "filePath", .help = "The file to write to (opened again on SIGUSR1), or stderr."),
    OPTION(OBJECT, struct error_log_output, syslog, .table = &syslog_table, .help = "A syslog server instead of a file."),
    OPTION(ENUM, struct error_log_output, level, .names = syslog_severity_names, .fallback = "error",
           .help = "The least grave messages that are written: emerg, alert, crit, error, warn, notice, info, debug."),
};
const struct option_table error_log_output_table =
    OPTION_TABLE(struct error_log_output, error_options, .validate = validate_error, .summary = "Messages about requests that went wrong.");
