// Loads a SIP proxy over UDP from one thread that is client and servers at once, and tells what the proxy's CPU time was.
//
// usage: edge-load KIND COUNT RATE PROXY-PORT PID...
//   KIND   options, invite, bye (one way, counted at the servers) or call (INVITE 180 200 ACK BYE 200)
//   RATE   messages (calls) per second; 0: as many as `WINDOW` in flight allow
// prints: sent lost seconds proxy-CPU-microseconds-per-item
// or:    edge-load idle COUNT 0 PROXY-PORT PID   holds COUNT TCP flows, prints: held 0 0 bytes-of-proxy-memory-per-flow
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SIZE = 4096, WINDOW = 256, SERVERS = 2, FIRST_SERVER = 6000, CLIENT = 7001 };

static struct { struct mmsghdr headers[BATCH]; struct iovec parts[BATCH]; struct sockaddr_in peers[BATCH]; char bytes[BATCH][SIZE]; int count; }
    in, out[SERVERS + 1];
static int sockets[SERVERS + 1];
static struct sockaddr_in proxy;
static unsigned char *seen;
static long total, finished;
static char routes[1024], contact[128];
static int is_call, is_learning;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "edge-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in local(uint32_t address, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    return a;
}

// Time that all threads of the processes have run, in nanoseconds: user and system.
static double cpu(int count, char **pids) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/task", pids[i]);
        DIR *tasks = opendir(path);
        if (!tasks) die(path);
        for (struct dirent *e; (e = readdir(tasks));) {
            if (e->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pids[i], e->d_name);
            FILE *f = fopen(path, "r");
            double ns = 0;
            if (f && fscanf(f, "%lf", &ns) == 1) sum += ns;
            if (f) fclose(f);
        }
        closedir(tasks);
    }
    return sum;
}

static void flush(int s) {
    for (int sent = 0; sent < out[s].count;) {
        int n = sendmmsg(sockets[s], out[s].headers + sent, out[s].count - sent, 0);
        if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) die("sendmmsg");
        if (n > 0) sent += n;
    }
    out[s].count = 0;
}

// Room for one more datagram from that socket.
static char *room(int s, const struct sockaddr_in *to) {
    if (out[s].count == BATCH) flush(s);
    out[s].peers[out[s].count] = *to;
    return out[s].bytes[out[s].count];
}

static void put(int s, int length) { out[s].parts[out[s].count++].iov_len = length; }

static const char *body =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

static void request(const char *method, long number, const char *uri, const char *route, int in_dialog) {
    int has_body = !strcmp(method, "INVITE");
    char *text = room(SERVERS, &proxy);
    put(SERVERS, snprintf(text, SIZE,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%08lx;rport\r\n%sMax-Forwards: 70\r\n"
        "From: \"Alice\" <sip:alice@example.com>;tag=a%08lx\r\nTo: <sip:bob@example.com>%s\r\nCall-ID: n%08lx@load.example.com\r\n"
        "CSeq: %d %s\r\nContact: <sip:alice@127.0.0.1:%d>\r\nUser-Agent: edge-load\r\n"
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\nSupported: replaces, timer\r\n%sContent-Length: %zu\r\n\r\n%s",
        method, uri, CLIENT, method, number, route, number, in_dialog ? ";tag=b" : "", number,
        !strcmp(method, "BYE") ? 2 : 1, method, CLIENT, has_body ? "Content-Type: application/sdp\r\n" : "",
        has_body ? strlen(body) : 0, has_body ? body : ""));
}

// Answers with the headers that a response repeats (RFC 3261 section 8.2.6).
static void respond(int s, const char *status, const char *text, const struct sockaddr_in *to) {
    char *answer = room(s, to);
    int length = snprintf(answer, SIZE, "SIP/2.0 %s\r\n", status);
    for (const char *line = strstr(text, "\r\n") + 2; *line && *line != '\r';) {
        const char *end = strstr(line, "\r\n");
        if (!end) break;
        int is_to = !strncasecmp(line, "To:", 3), n = end - line;
        if (is_to || !strncasecmp(line, "Via:", 4) || !strncasecmp(line, "From:", 5) || !strncasecmp(line, "Call-ID:", 8) ||
            !strncasecmp(line, "CSeq:", 5) || !strncasecmp(line, "Record-Route:", 13)) {
            int has_tag = is_to && memmem(line, n, ";tag=", 5);
            length += snprintf(answer + length, SIZE - length, "%.*s%s\r\n", n, line, is_to && !has_tag ? ";tag=b" : "");
        }
        line = end + 2;
    }
    length += snprintf(answer + length, SIZE - length, "Contact: <sip:bob@127.0.0.1:%d>\r\nContent-Length: 0\r\n\r\n", FIRST_SERVER + s);
    put(s, length);
}

// The route set of the caller: Record-Route from the last to the first (section 12.1.2).
static void learn(const char *text) {
    char *found[16];
    int count = 0;
    static char copy[SIZE];
    snprintf(copy, SIZE, "%s", text);
    for (char *line = copy; (line = strcasestr(line, "\r\nRecord-Route:"));) {
        line += 15;
        char *end = strstr(line, "\r\n");
        char saved = *end;
        *end = 0;
        for (char *p = line; count < 16 && (p = strchr(p, '<'));) {
            char *close = strchr(p, '>');
            found[count++] = strndup(p, close - p + 1);
            p = close;
        }
        *end = saved;
        line = end;
    }
    routes[0] = 0;
    for (int used = 0; count--; free(found[count])) used += snprintf(routes + used, sizeof routes - used, "Route: %s\r\n", found[count]);
    const char *c = strcasestr(text, "\r\nContact: <");
    if (c) snprintf(contact, sizeof contact, "%.*s", (int)strcspn(c + 12, ">"), c + 12);
}

static void finish(long number) {
    if (number < 0 || number >= total || seen[number]) return;
    seen[number] = 1;
    finished++;
}

static void take(int s, const char *text, const struct sockaddr_in *from) {
    const char *id = strstr(text, "\r\nCall-ID: n");
    long number = id ? strtol(id + 12, NULL, 16) : -1;
    if (s < SERVERS) {
        if (!id) {
            if (!strncmp(text, "OPTIONS", 7)) respond(s, "200 OK", text, from);  // the proxy asks whether we are there
        } else if (is_call || is_learning) {
            if (!strncmp(text, "INVITE", 6)) {
                respond(s, "180 Ringing", text, from);
                respond(s, "200 OK", text, from);
            } else if (!strncmp(text, "BYE", 3)) respond(s, "200 OK", text, from);
        } else finish(number);
    } else if (!strncmp(text, "SIP/2.0 200", 11)) {
        if (is_learning) {
            learn(text);
            is_learning = 0;
        } else if (strstr(text, " INVITE\r\n")) {
            learn(text);
            request("ACK", number, contact, routes, 1);
            request("BYE", number, contact, routes, 1);
        } else if (strstr(text, " BYE\r\n")) finish(number);
    } else if (!strncmp(text, "SIP/2.0 4", 9) || !strncmp(text, "SIP/2.0 5", 9)) {
        fprintf(stderr, "edge-load: the proxy refuses: %.*s\n", (int)strcspn(text, "\r"), text);
        exit(1);
    }
}

static int pump(void) {
    int any = 0;
    for (int s = 0; s <= SERVERS; s++) {
        for (int i = 0; i < BATCH; i++) in.parts[i].iov_len = SIZE - 1;
        int n = recvmmsg(sockets[s], in.headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            in.bytes[i][in.headers[i].msg_len] = 0;
            take(s, in.bytes[i], &in.peers[i]);
        }
        any |= n > 0;
    }
    for (int s = 0; s <= SERVERS; s++) flush(s);
    return any;
}

static void attach(struct mmsghdr *h, struct iovec *v, struct sockaddr_in *a, char *bytes) {
    v->iov_base = bytes;
    v->iov_len = SIZE;
    h->msg_hdr = (struct msghdr){.msg_name = a, .msg_namelen = sizeof *a, .msg_iov = v, .msg_iovlen = 1};
}

static long resident(const char *pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/statm", pid);
    FILE *f = fopen(path, "r");
    long pages = 0;
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) die(path);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static int idle(const char *pid) {
    long before = resident(pid), held = 0;
    int *flows = calloc(total, sizeof *flows);
    for (long i = 0; i < total; i++) {
        struct sockaddr_in source = local(0x7f000101 + i / 5000, 0);
        flows[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (flows[i] < 0 || bind(flows[i], (struct sockaddr *)&source, sizeof source) ||
            connect(flows[i], (struct sockaddr *)&proxy, sizeof proxy)) die("connect");
    }
    sleep(2);
    for (long i = 0; i < total; i++) {
        struct pollfd p = {.fd = flows[i], .events = POLLIN | POLLRDHUP};
        held += poll(&p, 1, 0) == 0;
    }
    printf("%ld 0 0 %.0f\n", held, (double)(resident(pid) - before) / total);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 6) return fprintf(stderr, "usage: edge-load KIND COUNT RATE PROXY-PORT PID...\n"), 2;
    const char *kind = argv[1];
    total = atol(argv[2]);
    double rate = atof(argv[3]);
    proxy = local(INADDR_LOOPBACK, atoi(argv[4]));
    if (!strcmp(kind, "idle")) return idle(argv[5]);
    seen = calloc(total, 1);
    for (int s = 0; s <= SERVERS; s++) {
        struct sockaddr_in a = local(INADDR_LOOPBACK, s < SERVERS ? FIRST_SERVER + s : CLIENT);
        int space = 16 << 20;
        sockets[s] = socket(AF_INET, SOCK_DGRAM, 0);
        if (setsockopt(sockets[s], SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) ||
            setsockopt(sockets[s], SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof space)) die("socket buffer");
        if (bind(sockets[s], (struct sockaddr *)&a, sizeof a)) die("bind");
        for (int i = 0; i < BATCH; i++) attach(&out[s].headers[i], &out[s].parts[i], &out[s].peers[i], out[s].bytes[i]);
    }
    for (int i = 0; i < BATCH; i++) attach(&in.headers[i], &in.parts[i], &in.peers[i], in.bytes[i]);

    // Every proxy is asked first: a route set for BYE, and time to find the servers alive.
    is_learning = 1;
    double began = now();
    for (double asked = 0; is_learning; pump()) {
        if (now() - began > 5) return fprintf(stderr, "edge-load: no answer through the proxy\n"), 1;
        if (now() - asked > 0.5) {
            request("INVITE", 0x7fffffff, "sip:bob@example.com", "", 0);
            asked = now();
        }
    }
    for (double t = now(); now() - t < 0.3;) pump();
    is_call = !strcmp(kind, "call");
    int is_bye = !strcmp(kind, "bye");
    const char *method = is_bye ? "BYE" : strcmp(kind, "options") ? "INVITE" : "OPTIONS";
    char route[1024] = "", uri[128] = "sip:bob@example.com";
    if (is_bye) {
        strcpy(route, routes);
        strcpy(uri, contact);
    }

    double cpu0 = cpu(argc - 5, argv + 5), start = now(), last = start;
    long sent = 0;
    for (long done = 0; sent < total || finished < sent;) {
        long due = rate > 0 ? (long)((now() - start) * rate) + 1 : finished + WINDOW;
        if (due > total) due = total;
        // A generator that fell behind must not make up for it in one burst.
        for (int burst = 0; sent < due && burst < BATCH; burst++) request(method, sent++, uri, route, is_bye);
        pump();
        if (finished != done || sent < total) {
            if (finished != done || (rate > 0 && sent < total)) last = now();
            done = finished;
        }
        if (now() - last > 0.5) break;
    }
    printf("%ld %ld %.3f %.3f\n", sent, sent - finished, last - start, (cpu(argc - 5, argv + 5) - cpu0) / 1e3 / (finished ? finished : 1));
    return 0;
}
