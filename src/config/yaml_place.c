#include "config/yaml_place.h"

#define SPAN_MAX 1000             /* bytes; a file may be one line (JSON without line breaks), and nobody reads it whole */

void yaml_place_init(struct yaml_place *place, const struct source *source)
{
    *place = (struct yaml_place){.source = source, .line = 1};
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static void step_forward(struct yaml_place *place, struct str text)
{
    if (text.data[place->offset] == '\n') {
        place->line++;
        place->line_start = place->offset + 1;
    }
    do
        place->offset++;
    while (place->offset < text.len && continues_character(text.data[place->offset]));
    place->index++;
}

static void step_back(struct yaml_place *place, struct str text)
{
    do
        place->offset--;
    while (place->offset > 0 && continues_character(text.data[place->offset]));
    place->index--;
    if (text.data[place->offset] != '\n')
        return;
    place->line--;
    place->line_start = place->offset;
    while (place->line_start > 0 && text.data[place->line_start - 1] != '\n')
        place->line_start--;
}

static void seek(struct yaml_place *place, size_t index)
{
    struct str text = place->source->content;
    while (place->index > index && place->offset > 0)
        step_back(place, text);
    while (place->index < index && place->offset < text.len)
        step_forward(place, text);
}

static struct span span_here(const struct yaml_place *place, size_t length)
{
    return span_make(place->source, place->line, place->offset - place->line_start + 1, length > 0 ? length : 1);
}

/* Of the line, as far as it may be shown. */
static size_t line_rest(const struct yaml_place *place)
{
    struct str rest = str_first(str_from_index(place->source->content, place->offset), SPAN_MAX);
    ptrdiff_t end = str_find_char(rest, '\n', 0);
    return end < 0 ? rest.len : (size_t)end;
}

struct span yaml_place_span(struct yaml_place *place, size_t from_index, size_t to_index)
{
    seek(place, from_index);
    struct span span = span_here(place, 0);
    size_t start = place->offset, rest = line_rest(place);
    if (to_index <= from_index)
        return span;
    seek(place, to_index);
    size_t length = place->offset - start;
    span.length = (uint32_t)(length < rest ? length : rest);
    return span;
}

struct span yaml_place_line(struct yaml_place *place, size_t from_index)
{
    seek(place, from_index);
    struct str rest = str_of(place->source->content.data + place->offset, line_rest(place));
    ptrdiff_t comment = str_find(rest, S(" #"));
    if (comment >= 0)
        rest = str_first(rest, (size_t)comment);
    return span_here(place, str_trim_space(rest).len);
}

struct span yaml_place_byte(struct yaml_place *place, size_t offset)
{
    struct str text = place->source->content;
    yaml_place_init(place, place->source);
    while (place->offset < offset && place->offset < text.len)
        step_forward(place, text);
    return span_here(place, 1);
}
