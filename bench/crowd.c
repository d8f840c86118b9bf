// Those who are served beside the others: slow readers, slow senders, requests to a slow backend,
// and one long download at a fixed pace. Goes on until SIGTERM or SIGINT, then prints one line of
// JSON with what they got.
//
//   build/bench/crowd --address IP:PORT [--readers N] [--senders N] [--slow N] [--download BYTES]
//
//   readers     GET /10m through a small receive buffer, 1 KiB each quarter of a second
//   senders     every other one sends the head of a GET a byte each 50 ms, the rest a body
//   slow        GET /slow, again and again
//   download    GET /10g, BYTES per second of it
//
// All is slow, so nobody waits for events: each client is looked at when its time has come.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 5, READ_MS = 250, SEND_MS = 50, PORTION = 1024, SMALL_BUFFER = 4096, MOST = 5000 };

enum kind { READER, HEAD_SENDER, BODY_SENDER, SLOW, DOWNLOAD, KINDS };

struct client {
    enum kind kind;
    int fd; // -1: not connected
    uint64_t due; // ms
    size_t sent; // of the request
};

static const char *const requests[KINDS] = {
    [READER] = "GET /10m HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: reader\r\n\r\n",
    [HEAD_SENDER] = "GET /0 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: sender\r\n\r\n",
    [BODY_SENDER] = "POST /0 HTTP/1.1\r\nHost: bench.test\r\nContent-Length: 40\r\n\r\n"
                    "0123456789012345678901234567890123456789",
    [SLOW] = "GET /slow HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: slow\r\n\r\n",
    [DOWNLOAD] = "GET /10g HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: download\r\n\r\n",
};

static struct sockaddr_in address;
static unsigned wanted[KINDS];
static uint64_t download_rate, bytes[KINDS], answers[KINDS], broken;
static volatile sig_atomic_t over;

__attribute__((noreturn)) static void refuse(const char *what)
{
    fprintf(stderr,
            "crowd: %s\nusage: crowd --address IP:PORT [--readers N] [--senders N] [--slow N] "
            "[--download BYTES]\n",
            what);
    exit(2);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void shut(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    c->sent = 0;
}

static bool open_client(struct client *c)
{
    int on = 1, small = SMALL_BUFFER;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (c->kind == READER)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        broken++;
        shut(c);
        return false;
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    return true;
}

// How much of the request goes now: of slow senders a byte of the part that they are slow with.
static size_t portion(const struct client *c, size_t length)
{
    size_t left = length - c->sent;
    if (c->kind == HEAD_SENDER)
        return 1;
    if (c->kind != BODY_SENDER)
        return left;
    size_t head = (size_t)(strstr(requests[BODY_SENDER], "\r\n\r\n") + 4 - requests[BODY_SENDER]);
    return c->sent < head ? head : 1;
}

static void send_some(struct client *c)
{
    const char *request = requests[c->kind];
    size_t length = strlen(request);
    ssize_t n = send(c->fd, request + c->sent, portion(c, length), MSG_NOSIGNAL);
    if (n > 0)
        c->sent += (size_t)n;
    else if (errno != EAGAIN) {
        broken++;
        shut(c);
    }
    c->due = now_ms() + (c->kind == HEAD_SENDER || c->kind == BODY_SENDER ? SEND_MS : TICK_MS);
}

// Reads at most `most` bytes. Returns those that came; the connection may be gone after it.
static size_t read_some(struct client *c, char *buffer, size_t most, int flags)
{
    ssize_t n = recv(c->fd, buffer, most, flags);
    if (n > 0) {
        bytes[c->kind] += (uint64_t)n;
        return (size_t)n;
    }
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (c->kind != DOWNLOAD || n < 0)
        broken++;
    shut(c);
    return 0;
}

static void read_download(struct client *c)
{
    static uint64_t allowed, last;
    static char nowhere[1];
    uint64_t time = now_ms();
    allowed += last ? (time - last) * download_rate / 1000 : 0;
    last = time;
    while (c->fd >= 0 && allowed > 0) {
        size_t got = read_some(c, nowhere, allowed < (1 << 20) ? (size_t)allowed : 1 << 20, MSG_TRUNC);
        if (got == 0)
            break;
        allowed -= got;
    }
    if (allowed > download_rate / 10)
        allowed = download_rate / 10; // what did not come in time is not made up for at once
    c->due = time + TICK_MS;
}

static void read_answer(struct client *c)
{
    char buffer[PORTION + 1];
    size_t got = read_some(c, buffer, PORTION, 0);
    c->due = now_ms() + (c->kind == READER ? READ_MS : TICK_MS);
    if (got == 0 || c->kind == READER)
        return;
    answers[c->kind]++;
    c->sent = 0;
    if (got < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0) {
        broken++;
        shut(c);
        c->due = now_ms() + READ_MS;
    }
}

static void serve(struct client *c)
{
    if (c->fd < 0 && !open_client(c)) {
        c->due = now_ms() + READ_MS;
        return;
    }
    if (c->sent < strlen(requests[c->kind]))
        send_some(c);
    else if (c->kind == DOWNLOAD)
        read_download(c);
    else
        read_answer(c);
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {{"address", 1, NULL, 'a'}, {"readers", 1, NULL, 'r'},
                                            {"senders", 1, NULL, 's'}, {"slow", 1, NULL, 'l'},
                                            {"download", 1, NULL, 'd'}, {0}};
    int choice;
    while ((choice = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long long number = choice == 'a' || !optarg ? 0 : strtoull(optarg, NULL, 10);
        char ip[32];
        unsigned port;
        switch (choice) {
        case 'a':
            if (sscanf(optarg, "%31[0-9.]:%u", ip, &port) != 2 ||
                inet_pton(AF_INET, ip, &address.sin_addr) != 1)
                refuse("--address: not IP:PORT");
            address.sin_family = AF_INET;
            address.sin_port = htons((uint16_t)port);
            break;
        case 'r':
            wanted[READER] = (unsigned)number;
            break;
        case 's':
            wanted[HEAD_SENDER] = (unsigned)number / 2;
            wanted[BODY_SENDER] = (unsigned)number - (unsigned)number / 2;
            break;
        case 'l':
            wanted[SLOW] = (unsigned)number;
            break;
        case 'd':
            download_rate = number;
            wanted[DOWNLOAD] = number > 0;
            break;
        default:
            refuse("unknown or incomplete option");
        }
    }
    if (optind < argc || !address.sin_port)
        refuse(optind < argc ? "what is that?" : "--address is missing");
}

static void on_signal(int number)
{
    over = 1;
}

static void report(void)
{
    printf("{\"read\": %llu, \"sent\": %llu, \"slow\": %llu, \"downloaded\": %llu, \"broken\": %llu}\n",
           (unsigned long long)bytes[READER],
           (unsigned long long)(answers[HEAD_SENDER] + answers[BODY_SENDER]),
           (unsigned long long)answers[SLOW], (unsigned long long)bytes[DOWNLOAD],
           (unsigned long long)broken);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct client clients[MOST];
    unsigned count = 0;
    parse(argc, argv);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < wanted[kind] && count < MOST; i++, count++)
            clients[count] = (struct client){.kind = kind, .fd = -1, .due = now_ms() + count % READ_MS};
    while (!over) {
        uint64_t time = now_ms();
        for (unsigned i = 0; i < count; i++)
            if (clients[i].due <= time)
                serve(&clients[i]);
        nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    report();
    return 0;
}
