#include "plan.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: load --address IP:PORT [options]\n"
    "  --connections N     kept open at a time (16)\n"
    "  --seconds S         begin requests for so long (fractions allowed)\n"
    "  --requests N        or: complete so many\n"
    "  --rate R            at R requests per second; latency counts from when a request was due\n"
    "  --path P            request target (/0)\n"
    "  --host H            Host field (bench.test);  --hosts N: h0.test ... in turn instead\n"
    "  --post BYTES        POST a body of so many bytes\n"
    "  --status S          status (200) and\n"
    "  --size BYTES        body size (2) of a right answer\n"
    "  --close             a new connection for each request\n"
    "  --websocket BYTES   upgrade, then echo frames of so many bytes\n"
    "  --hold              one request on each connection, then keep all open until standard input "
    "ends\n"
    "  --in-flight N       with --hold: requests under way at a time (64)\n";

__attribute__((noreturn, format(printf, 1, 2))) static void refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n%s", usage);
    va_end(arguments);
    exit(2);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        refuse("out of memory");
    return memory;
}

static double number(const char *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < 0)
        refuse("--%s: '%s' is not a number", option, text);
    return value;
}

static void parse_address(struct plan *plan, const char *text)
{
    char ip[32];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof(ip))
        refuse("--address: '%s' is not IP:PORT", text);
    memcpy(ip, text, (size_t)(colon - text));
    ip[colon - text] = '\0';
    plan->address.sin_family = AF_INET;
    plan->address.sin_port = htons((uint16_t)number("address", colon + 1));
    if (inet_pton(AF_INET, ip, &plan->address.sin_addr) != 1)
        refuse("--address: '%s' is not IP:PORT", text);
}

static void make_request(struct request_bytes *request, const struct plan *plan, const char *path,
                         const char *host, size_t post)
{
    request->bytes = allocate(1024 + strlen(path) + strlen(host) + post);
    char *out = request->bytes;
    out += sprintf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", post ? "POST" : "GET", path, host);
    if (plan->websocket)
        out += sprintf(out,
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    out += sprintf(out, "User-Agent: bench\r\nAccept: */*\r\n");
    if (plan->close_each)
        out += sprintf(out, "Connection: close\r\n");
    if (post)
        out +=
            sprintf(out, "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n", post);
    out += sprintf(out, "\r\n");
    memset(out, 'x', post);
    request->length = (size_t)(out - request->bytes) + post;
}

// Frames as RFC 6455, section 5.2 has them: ours masked, the echo not.
static void make_frames(struct plan *plan)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t size = plan->websocket, prefix = size < 126 ? 2 : 4;
    unsigned char *frame = allocate(size + 8), *echo = allocate(size + 8);
    frame[0] = 0x82;
    frame[1] = (unsigned char)(size < 126 ? size : 126);
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    memcpy(echo, frame, prefix);
    frame[1] |= 0x80;
    memcpy(frame + prefix, mask, 4);
    for (size_t i = 0; i < size; i++) {
        echo[prefix + i] = (unsigned char)('a' + i % 26);
        frame[prefix + 4 + i] = echo[prefix + i] ^ mask[i & 3];
    }
    plan->frame = (struct request_bytes){(char *)frame, prefix + 4 + size};
    plan->echo = (struct request_bytes){(char *)echo, prefix + size};
}

static void make_requests(struct plan *plan, const char *path, const char *host, size_t post)
{
    unsigned count = plan->hosts ? plan->hosts : 1;
    plan->variants = allocate(count * sizeof(*plan->variants));
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "h%u.test", i);
        make_request(&plan->variants[i], plan, path, plan->hosts ? name : host, post);
    }
    plan->hosts = count;
    if (plan->websocket)
        make_frames(plan);
}

static void check(const struct plan *plan)
{
    if (!plan->address.sin_port)
        refuse("--address is missing");
    if (plan->connections == 0 || plan->connections > 19000)
        refuse("--connections: between 1 and 19000");
    if (plan->seconds <= 0 && plan->requests == 0 && !plan->hold)
        refuse("one of --seconds, --requests, --hold is needed");
    if (plan->websocket > 4096)
        refuse("--websocket: at most 4096 bytes");
    if (plan->websocket && (plan->close_each || plan->hold || plan->rate > 0))
        refuse("--websocket goes with neither --close, --hold nor --rate");
    if (plan->hold && (plan->close_each || plan->rate > 0))
        refuse("--hold goes with neither --close nor --rate");
}

void plan_parse(struct plan *plan, int argc, char **argv)
{
    static const struct option options[] = {
        {"address", 1, NULL, 'a'},   {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'},
        {"requests", 1, NULL, 'n'},  {"rate", 1, NULL, 'r'},        {"path", 1, NULL, 'p'},
        {"host", 1, NULL, 'h'},      {"hosts", 1, NULL, 'H'},       {"post", 1, NULL, 'P'},
        {"status", 1, NULL, 'S'},    {"size", 1, NULL, 'z'},        {"close", 0, NULL, 'C'},
        {"websocket", 1, NULL, 'w'}, {"hold", 0, NULL, 'o'},        {"in-flight", 1, NULL, 'i'},
        {NULL, 0, NULL, 0}};
    const char *path = "/0", *host = "bench.test";
    size_t post = 0;
    int choice, index = 0;
    *plan = (struct plan){.connections = 16, .in_flight = 64, .status = 200, .size = 2};
    while ((choice = getopt_long(argc, argv, "", options, &index)) != -1) {
        const char *name = options[index].name;
        switch (choice) {
        case 'a':
            parse_address(plan, optarg);
            break;
        case 'c':
            plan->connections = (unsigned)number(name, optarg);
            break;
        case 's':
            plan->seconds = number(name, optarg);
            break;
        case 'n':
            plan->requests = (uint64_t)number(name, optarg);
            break;
        case 'r':
            plan->rate = number(name, optarg);
            break;
        case 'p':
            path = optarg;
            break;
        case 'h':
            host = optarg;
            break;
        case 'H':
            plan->hosts = (unsigned)number(name, optarg);
            break;
        case 'P':
            post = (size_t)number(name, optarg);
            break;
        case 'S':
            plan->status = (unsigned)number(name, optarg);
            break;
        case 'z':
            plan->size = (uint64_t)number(name, optarg);
            break;
        case 'C':
            plan->close_each = true;
            break;
        case 'w':
            plan->websocket = (size_t)number(name, optarg);
            break;
        case 'o':
            plan->hold = true;
            break;
        case 'i':
            plan->in_flight = (unsigned)number(name, optarg);
            break;
        default:
            refuse("unknown or incomplete option");
        }
    }
    if (optind < argc)
        refuse("'%s': what is that?", argv[optind]);
    check(plan);
    make_requests(plan, path, host, post);
}
