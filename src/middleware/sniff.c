#include "middleware/sniff.h"

#define HTML "text/html; charset=utf-8"

/* A pattern at the beginning; with a mask only the bits of it are compared. */
struct signature {
    struct str pattern;
    struct str mask; /* empty: all bits */
    const char *type;
};

/* Tags, any case, behind white space, ended by a space or ">". */
static const struct str tags[] = {
    STR("<!DOCTYPE HTML"),
    STR("<HTML"),
    STR("<HEAD"),
    STR("<SCRIPT"),
    STR("<IFRAME"),
    STR("<H1"),
    STR("<DIV"),
    STR("<FONT"),
    STR("<TABLE"),
    STR("<A"),
    STR("<STYLE"),
    STR("<TITLE"),
    STR("<B"),
    STR("<BODY"),
    STR("<BR"),
    STR("<P"),
    STR("<!--"),
};

#define RIFF_MASK STR("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff")
static const struct signature signatures[] = {
    {STR("%PDF-"), STR(""), "application/pdf"},
    {STR("%!PS-Adobe-"), STR(""), "application/postscript"},
    {STR("\xfe\xff\0\0"), STR("\xff\xff\0\0"), "text/plain; charset=utf-16be"},
    {STR("\xff\xfe\0\0"), STR("\xff\xff\0\0"), "text/plain; charset=utf-16le"},
    {STR("\xef\xbb\xbf\0"), STR("\xff\xff\xff\0"), "text/plain; charset=utf-8"},
    {STR("\0\0\x01\0"), STR(""), "image/x-icon"},
    {STR("\0\0\x02\0"), STR(""), "image/x-icon"},
    {STR("BM"), STR(""), "image/bmp"},
    {STR("GIF87a"), STR(""), "image/gif"},
    {STR("GIF89a"), STR(""), "image/gif"},
    {STR("RIFF\0\0\0\0WEBPVP"), RIFF_MASK, "image/webp"},
    {STR("\x89PNG\r\n\x1a\n"), STR(""), "image/png"},
    {STR("\xff\xd8\xff"), STR(""), "image/jpeg"},
    {STR("FORM\0\0\0\0AIFF"), STR("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff"), "audio/aiff"},
    {STR("ID3"), STR(""), "audio/mpeg"},
    {STR("OggS\0"), STR(""), "application/ogg"},
    {STR("MThd\0\0\0\x06"), STR(""), "audio/midi"},
    {STR("RIFF\0\0\0\0AVI "), STR("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff"), "video/avi"},
    {STR("RIFF\0\0\0\0WAVE"), STR("\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff"), "audio/wave"},
};

/* Looked at after MP4, whose pattern is no signature. */
static const struct signature late_signatures[] = {
    {STR("\x1a\x45\xdf\xa3"), STR(""), "video/webm"},
    {STR("\0\x01\0\0"), STR(""), "font/ttf"},
    {STR("OTTO"), STR(""), "font/otf"},
    {STR("ttcf"), STR(""), "font/collection"},
    {STR("wOFF"), STR(""), "font/woff"},
    {STR("wOF2"), STR(""), "font/woff2"},
    {STR("\x1f\x8b\x08"), STR(""), "application/x-gzip"},
    {STR("PK\x03\x04"), STR(""), "application/zip"},
    {STR("Rar!\x1a\x07\0"), STR(""), "application/x-rar-compressed"},
    {STR("Rar!\x1a\x07\x01\0"), STR(""), "application/x-rar-compressed"},
    {STR("\0asm"), STR(""), "application/wasm"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool has_signature(struct str bytes, const struct signature *signature)
{
    if (signature->mask.len == 0)
        return str_starts(bytes, signature->pattern);
    if (bytes.len < signature->pattern.len)
        return false;
    for (size_t i = 0; i < signature->pattern.len; i++) {
        if ((bytes.data[i] & signature->mask.data[i]) != signature->pattern.data[i])
            return false;
    }
    return true;
}

static const char *find_signature(struct str bytes, const struct signature *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_signature(bytes, &list[i]))
            return list[i].type;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static const char *find_markup(struct str bytes)
{
    size_t spaces = 0;
    while (spaces < bytes.len && is_space(bytes.data[spaces]))
        spaces++;
    struct str text = str_from_index(bytes, spaces);
    for (size_t i = 0; i < COUNT(tags); i++) {
        if (text.len > tags[i].len && str_starts_nocase(text, tags[i]) &&
            (text.data[tags[i].len] == ' ' || text.data[tags[i].len] == '>'))
            return HTML;
    }
    return str_starts(text, S("<?xml")) ? "text/xml; charset=utf-8" : NULL;
}

/* A first box "ftyp" that names a brand beginning with "mp4" (6.2.1). */
static bool is_mp4(struct str bytes)
{
    if (bytes.len < 12)
        return false;
    const unsigned char *size = (const unsigned char *)bytes.data;
    uint32_t box =
        (uint32_t)size[0] << 24 | (uint32_t)size[1] << 16 | (uint32_t)size[2] << 8 | size[3];
    if (box % 4 != 0 || bytes.len < box || memcmp(bytes.data + 4, "ftyp", 4) != 0)
        return false;
    for (size_t at = 8; at < box; at += 4) {
        /* Behind the major brand stands a version, which is none. */
        if (at != 12 && memcmp(bytes.data + at, "mp4", 3) == 0)
            return true;
    }
    return false;
}

static bool is_text(struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c <= 0x08 || c == 0x0b || (c >= 0x0e && c <= 0x1a) || (c >= 0x1c && c <= 0x1f))
            return false;
    }
    return true;
}

struct str sniff_type(struct str bytes)
{
    bytes = str_first(bytes, SNIFF_BYTES);
    const char *type = find_markup(bytes);
    if (type == NULL)
        type = find_signature(bytes, signatures, COUNT(signatures));
    if (type == NULL && is_mp4(bytes))
        type = "video/mp4";
    if (type == NULL)
        type = find_signature(bytes, late_signatures, COUNT(late_signatures));
    if (type == NULL)
        type = is_text(bytes) ? "text/plain; charset=utf-8" : "application/octet-stream";
    return str_from(type);
}
