#include "base/tar.h"

#include <assert.h>
#include <stdio.h>

#define BLOCK 512

/* Numbers are octal digits, closed by NUL. */
struct header {
    char name[100], mode[8], owner[8], group[8], size[12], time[12], checksum[8], type, link[100], magic[6], version[2],
        owner_name[32], group_name[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void octal(char *field, size_t size, uint64_t value)
{
    snprintf(field, size, "%0*llo", (int)size - 1, (unsigned long long)value);
}

static void add_zeros(struct text *archive, size_t count)
{
    static const char zeros[BLOCK];
    text_add(archive, str_of(zeros, count));
}

void tar_add(struct text *archive, struct str name, struct str content, int64_t seconds)
{
    struct header header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
    assert(name.len < sizeof(header.name) && content.len < (size_t)1 << 33);
    memcpy(header.name, name.data, name.len);
    octal(header.mode, sizeof(header.mode), 0600);
    octal(header.owner, sizeof(header.owner), 0);
    octal(header.group, sizeof(header.group), 0);
    octal(header.size, sizeof(header.size), content.len);
    octal(header.time, sizeof(header.time), seconds > 0 ? (uint64_t)seconds : 0);
    /* The sum is made with blanks in its own place. */
    memset(header.checksum, ' ', sizeof(header.checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    octal(header.checksum, sizeof(header.checksum) - 1, sum);
    text_add(archive, str_of((const char *)&header, sizeof(header)));
    text_add(archive, content);
    add_zeros(archive, (BLOCK - content.len % BLOCK) % BLOCK);
}

void tar_end(struct text *archive)
{
    add_zeros(archive, BLOCK);
    add_zeros(archive, BLOCK);
}
