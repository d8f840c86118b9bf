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
    "  --also S            another status that is no error\n"
    "  --any-size          the size is not looked at; bodies may be chunked\n"
    "  --encoding NAME     ask for it, and a right answer has it; implies --any-size\n"
    "  --accept LIST       what to ask for instead, as Accept-Encoding has it\n"
    "  --close             a new connection for each request\n"
    "  --websocket BYTES   upgrade, then echo frames of so many bytes\n"
    "  --hold              one request on each connection, then keep all open until standard input "
    "ends\n"
    "  --in-flight N       requests under way at a time (with --hold 64, else one on each "
    "connection)\n"
    "  --tls               TLS 1.3, certificates unverified;  --sni NAME: ask for NAME (as "
    "--host)\n"
    "  --handshake KIND    a new TLS connection for each request: full, or resumed by a ticket\n"
    "  --h2 STREAMS        HTTP/2, so many streams at a time on each connection; without --tls by "
    "prior knowledge\n";

struct plan plan = {.connections = 16,
                    .status = 200,
                    .size = 2,
                    .path = "/0",
                    .host = "bench.test"};

// An option and the member of the plan that it sets.
enum kind { ADDRESS, COUNT, SIZE, WIDE, DECIMAL, TEXT, FLAG, HANDSHAKE };

static const struct setting {
    const char *name;
    enum kind kind;
    void *member;
} settings[] = {{"address", ADDRESS, &plan.address},
                {"connections", COUNT, &plan.connections},
                {"seconds", DECIMAL, &plan.seconds},
                {"requests", WIDE, &plan.requests},
                {"rate", DECIMAL, &plan.rate},
                {"path", TEXT, &plan.path},
                {"host", TEXT, &plan.host},
                {"hosts", COUNT, &plan.hosts},
                {"post", SIZE, &plan.post},
                {"status", COUNT, &plan.status},
                {"size", WIDE, &plan.size},
                {"also", COUNT, &plan.also},
                {"any-size", FLAG, &plan.any_size},
                {"encoding", TEXT, &plan.encoding},
                {"accept", TEXT, &plan.accept},
                {"close", FLAG, &plan.close_each},
                {"websocket", SIZE, &plan.websocket},
                {"hold", FLAG, &plan.hold},
                {"in-flight", COUNT, &plan.in_flight},
                {"tls", FLAG, &plan.tls},
                {"sni", TEXT, &plan.sni},
                {"h2", COUNT, &plan.streams},
                {"handshake", HANDSHAKE, &plan.handshake}};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

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

static void parse_address(struct sockaddr_in *address, const char *text)
{
    char ip[32];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof(ip))
        refuse("--address: '%s' is not IP:PORT", text);
    memcpy(ip, text, (size_t)(colon - text));
    ip[colon - text] = '\0';
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)number("address", colon + 1));
    if (inet_pton(AF_INET, ip, &address->sin_addr) != 1)
        refuse("--address: '%s' is not IP:PORT", text);
}

static enum handshake parse_handshake(const char *text)
{
    if (strcmp(text, "full") == 0)
        return HANDSHAKE_FULL;
    if (strcmp(text, "resumed") == 0)
        return HANDSHAKE_RESUMED;
    refuse("--handshake: '%s' is neither full nor resumed", text);
}

static void make_request(struct request_bytes *request, const char *host)
{
    size_t accept = plan.accept ? strlen(plan.accept) : 0;
    request->bytes = allocate(1024 + strlen(plan.path) + strlen(host) + accept + plan.post);
    char *out = request->bytes;
    out +=
        sprintf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", plan.post ? "POST" : "GET", plan.path, host);
    if (plan.websocket)
        out += sprintf(out,
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    out += sprintf(out, "User-Agent: bench\r\nAccept: */*\r\n");
    if (plan.accept)
        out += sprintf(out, "Accept-Encoding: %s\r\n", plan.accept);
    if (plan.close_each)
        out += sprintf(out, "Connection: close\r\n");
    if (plan.post)
        out += sprintf(out, "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n",
                       plan.post);
    out += sprintf(out, "\r\n");
    memset(out, 'x', plan.post);
    request->length = (size_t)(out - request->bytes) + plan.post;
}

// Frames as RFC 6455, section 5.2 has them: ours masked, the echo not.
static void make_frames(void)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t size = plan.websocket, prefix = size < 126 ? 2 : 4;
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
    plan.frame = (struct request_bytes){(char *)frame, prefix + 4 + size};
    plan.echo = (struct request_bytes){(char *)echo, prefix + size};
}

static const char *host_name(unsigned index)
{
    char *name = allocate(32);
    snprintf(name, 32, "h%u.test", index);
    return name;
}

static void make_requests(void)
{
    bool numbered = plan.hosts > 0;
    if (!numbered)
        plan.hosts = 1;
    plan.names = allocate(plan.hosts * sizeof(*plan.names));
    plan.variants = allocate(plan.hosts * sizeof(*plan.variants));
    for (unsigned i = 0; i < plan.hosts; i++) {
        plan.names[i] = numbered ? host_name(i) : plan.host;
        make_request(&plan.variants[i], plan.names[i]);
    }
    if (plan.websocket)
        make_frames();
}

static void check(void)
{
    if (!plan.address.sin_port)
        refuse("--address is missing");
    if (plan.connections == 0 || plan.connections > 19000)
        refuse("--connections: between 1 and 19000");
    if (plan.seconds <= 0 && plan.requests == 0 && !plan.hold)
        refuse("one of --seconds, --requests, --hold is needed");
    if (plan.websocket > 4096)
        refuse("--websocket: at most 4096 bytes");
    if (plan.websocket && (plan.close_each || plan.hold || plan.rate > 0))
        refuse("--websocket goes with neither --close, --handshake, --hold nor --rate");
    if (plan.hold && (plan.close_each || plan.rate > 0))
        refuse("--hold goes with neither --close, --handshake nor --rate");
    if ((plan.handshake != HANDSHAKE_ONCE || plan.sni) && !plan.tls)
        refuse("--handshake and --sni go with --tls only");
    if (plan.streams > 1000)
        refuse("--h2: at most 1000 streams");
    if (plan.streams && (plan.any_size || plan.accept || plan.also || plan.in_flight))
        refuse("--h2 goes with neither --any-size, --encoding, --accept, --also nor --in-flight");
    if (plan.streams && (plan.websocket || plan.hold || plan.close_each || plan.post))
        refuse("--h2 goes with neither --websocket, --hold, --close, --handshake nor --post");
}

static void set(const struct setting *setting, const char *text)
{
    const char *name = setting->name;
    switch (setting->kind) {
    case ADDRESS:
        parse_address(setting->member, text);
        break;
    case COUNT:
        *(unsigned *)setting->member = (unsigned)number(name, text);
        break;
    case SIZE:
        *(size_t *)setting->member = (size_t)number(name, text);
        break;
    case WIDE:
        *(uint64_t *)setting->member = (uint64_t)number(name, text);
        break;
    case DECIMAL:
        *(double *)setting->member = number(name, text);
        break;
    case TEXT:
        *(const char **)setting->member = text;
        break;
    case FLAG:
        *(bool *)setting->member = true;
        break;
    case HANDSHAKE:
        plan.handshake = parse_handshake(text);
        plan.close_each = true;
        break;
    }
}

void plan_parse(int argc, char **argv)
{
    struct option options[SETTINGS + 1] = {0};
    for (int i = 0; i < SETTINGS; i++)
        options[i] = (struct option){
            .name = settings[i].name, .has_arg = settings[i].kind != FLAG, .val = 256 + i};
    int choice;
    while ((choice = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (choice < 256)
            refuse("unknown or incomplete option");
        set(&settings[choice - 256], optarg);
    }
    if (optind < argc)
        refuse("'%s': what is that?", argv[optind]);
    if (plan.encoding)
        plan.any_size = true;
    if (!plan.accept)
        plan.accept = plan.encoding;
    if (plan.hold && plan.in_flight == 0)
        plan.in_flight = 64;
    check();
    make_requests();
    if (!plan.sni)
        plan.sni = plan.host;
}
