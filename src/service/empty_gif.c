/* emptyGif: one transparent pixel, for pages that count by images. It is the same for ever. */
#include "exchange/service.h"

struct empty_gif {
    const struct node *origin;
};

static const struct option_table table = {.summary = "Answers with a transparent image of one pixel.",
                                          .size = sizeof(struct empty_gif),
                                          .origin_offset = offsetof(struct empty_gif, origin)};

/* GIF89a: a screen of 1 x 1, two colours, the second transparent, one pixel of that. */
static const char pixel[] = "GIF89a"
                            "\x01\x00\x01\x00\x80\x01\x00"
                            "\x00\x00\x00\xff\xff\xff"
                            "\x21\xf9\x04\x01\x00\x00\x01\x00"
                            "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00"
                            "\x02\x02\x4c\x01\x00"
                            "\x3b";

static enum pick_result pick(struct exchange *x, struct service *service)
{
    enum method method = exchange_request(x)->method;
    if (method != METHOD_GET && method != METHOD_HEAD) {
        exchange_answer_status(x, 405, STATUS_FILE_METHOD);
        fields_add(&x->response.fields, S("Allow"), S("GET, HEAD"));
        return PICK_ANSWER;
    }
    exchange_answer(x, 200, STATUS_OK, S("image/gif"), str_of(pixel, sizeof(pixel) - 1));
    fields_add_id(&x->response.fields, FIELD_LAST_MODIFIED, S("Mon, 28 Sep 1970 06:00:00 GMT"));
    return PICK_ANSWER;
}

static const struct service_type empty_gif = {
    .choice = {.name = "emptyGif", .summary = "Answers with a transparent image of one pixel.", .table = &table},
    .pick = pick,
};
REGISTER(service_type, empty_gif);
