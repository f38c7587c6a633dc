// Loads a media relay with paced calls over rtpengine's ng protocol, and tells what a forwarded packet cost it and how late it came.
//
// usage: media-load KIND STREAMS SECONDS NG-PORT SOUND-DIRECTORY PID...
//   KIND     plain (PCMU both sides), srtp (PCMU to SDES, AES_CM_128_HMAC_SHA1_80), dtls (the same by DTLS-SRTP), g722, opus (PCMU to one of them)
//   NG-PORT  or a file with the relay's port (and SDES key) for each end, in turn the calling and the called one, of calls that are there already
//   STREAMS  directions: half as many calls; each sends 50 packets a second, all spread evenly over the 20 ms
//   SOUND    speech.ulaw (8 kHz), speech.g722 and speech.s16 (48 kHz), at least a second of each
//   with COUNT_ALLOCATIONS set, the processes get SIGUSR2 when what is measured begins and when it ends (count-allocations.c)
//   with BLOWS set, it is a command that befalls the relay again and again, and what is printed is what was heard of it (blows.h)
// prints: sent lost relay-CPU-microseconds-per-forwarded-packet p50 p99 (delay in microseconds; 0 where the relay transcodes)
//
// Delay is from before our send to the kernel's time of arrival at the other end, so that our own reading adds nothing to it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <opus/opus.h>
#include <signal.h>
#include <srtp2/srtp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 250, LARGEST = 400, SIZE = 2048, READ = 8, FIRST_PORT = 20000, FRAME_NS = 20000000, GRAIN_NS = 40000, WARM_UP = 200, RISE = 150, HEADER = 12, MARK = 12, KEY = 30 };

static struct sound { int count, length[FRAMES], step; uint8_t type, bytes[FRAMES][LARGEST]; } narrow, coded;
static struct end { int fd; uint16_t sequence; uint32_t timestamp, ssrc; int place; long number; struct sound *sound; srtp_t out, in; } *ends;
static enum { PLAIN, SRTP, DTLS, G722, OPUS } kind;
static uint32_t histogram[1000001];
static long sent, arrived, broken, calls;
static double energy, samples;
static uint64_t window_begin, window_end;
static int ng;
static FILE *there; // the calls that are there already

static void die(const char *what) {
    fprintf(stderr, "media-load: %s: %s\n", what, errno ? strerror(errno) : "that cannot be");
    exit(1);
}

static uint64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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

static void mark(int count, char **pids) {
    if (!getenv("COUNT_ALLOCATIONS")) return;
    for (int i = 0; i < count; i++) kill(atoi(pids[i]), SIGUSR2);
}

#include "blows.h"

// --- Sound -------------------------------------------------------------------------------------------------------

static FILE *open_sound(const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    return file;
}

static void load_bytes(struct sound *s, const char *directory, const char *name) {
    FILE *file = open_sound(directory, name);
    while (s->count < FRAMES && fread(s->bytes[s->count], 1, 160, file) == 160) s->length[s->count++] = 160;
    fclose(file);
    s->step = 160;
    if (s->count < 50) die(name);
}

static void load_opus(struct sound *s, const char *directory) {
    FILE *file = open_sound(directory, "speech.s16");
    OpusEncoder *encoder = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, NULL);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(24000));
    opus_int16 pcm[960];
    while (s->count < FRAMES && fread(pcm, 2, 960, file) == 960) {
        int length = opus_encode(encoder, pcm, 960, s->bytes[s->count], LARGEST);
        if (length <= 0) die("opus_encode");
        s->length[s->count++] = length;
    }
    opus_encoder_destroy(encoder);
    fclose(file);
    s->step = 960;
    if (s->count < 50) die("speech.s16");
}

static int linear(uint8_t code) { // ITU-T G.711, mu-law
    code = ~code;
    int magnitude = (((code & 15) << 3) + 132) << (code >> 4 & 7);
    return code & 0x80 ? 132 - magnitude : magnitude - 132;
}

// --- Calls -------------------------------------------------------------------------------------------------------

static char reply[65536];

// Asks until there is an answer: a datagram may be lost.
static void ask(const char *body) {
    static long cookie;
    char text[8192], wanted[40];
    int length = snprintf(text, sizeof text, "load%d_%ld %s", getpid(), ++cookie, body), mark = snprintf(wanted, sizeof wanted, "load%d_%ld ", getpid(), cookie);
    for (int attempt = 0; attempt < 5; attempt++) {
        if (send(ng, text, length, 0) < 0 && errno != ECONNREFUSED) die("ng");
        ssize_t got;
        while ((got = recv(ng, reply, sizeof reply - 1, 0)) > 0) {
            reply[got] = 0;
            if (strncmp(reply, wanted, mark)) continue;
            if (!strstr(reply, "6:result2:ok")) fprintf(stderr, "media-load: the relay refuses %s: %s\n", body, reply), exit(1);
            return;
        }
    }
    errno = ETIMEDOUT;
    die("ng");
}

static const char *answered_sdp(void) {
    char *found = strstr(reply, "3:sdp");
    if (!found) die("no sdp in an answer");
    char *start;
    long length = strtol(found + 5, &start, 10);
    if (*start != ':') die("no sdp in an answer");
    start[1 + length] = 0;
    return start + 1;
}

static void string(char *to, const char *text) { sprintf(to + strlen(to), "%zu:%s", strlen(text), text); }

static void command(char *to, const char *name, long call) {
    char id[40];
    snprintf(id, sizeof id, "load-%d-%ld", getpid(), call);
    strcpy(to, "d");
    string(to, "command"), string(to, name), string(to, "call-id"), string(to, id), string(to, "from-tag"), string(to, "a");
}

// Phones are 127.0.0.2 and 3, or those that begin with PHONES: two of these programs at once need different ones.
static int phone(int side) {
    const char *first = getenv("PHONES");
    return (first ? atoi(first) : 2) + side;
}

static void describe(char *sdp, int host, int port, const char *profile, const char *formats) {
    sprintf(sdp, "v=0\r\no=- 1 1 IN IP4 127.0.0.%d\r\ns=-\r\nc=IN IP4 127.0.0.%d\r\nt=0 0\r\nm=audio %d %s %s\r\na=ptime:20\r\na=sendrecv\r\n",
        host, host, port, profile, formats);
}

static struct sockaddr_in local(int host, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000000 + host)};
    return a;
}

static void open_end(struct end *e, int host, int port) {
    struct sockaddr_in a = local(host, port);
    int on = 1, space = 1 << 20;
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&a, sizeof a)) die("bind");
    setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
    setsockopt(e->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    e->number = e - ends;
    e->ssrc = random(), e->sequence = random(), e->timestamp = random();
    e->place = random() % 50;
}

static void aim_at(struct end *e, int port) {
    struct sockaddr_in a = local(1, port);
    if (!port || connect(e->fd, (struct sockaddr *)&a, sizeof a)) die("connect");
}

static void aim(struct end *e, const char *sdp) {
    const char *m = strstr(sdp, "m=audio ");
    if (!m) die("no audio in an answer");
    aim_at(e, atoi(m + 8));
}

static int base64(const char *text, uint8_t *to, int count) {
    static const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    int have = 0, made = 0;
    for (const char *c; made < count && *text && (c = strchr(alphabet, *text)); text++) {
        bits = bits << 6 | (uint32_t)(c - alphabet);
        have += 6;
        if (have >= 8) to[made++] = bits >> (have -= 8);
    }
    return made == count;
}

static srtp_t context(uint8_t *key, srtp_ssrc_type_t direction) {
    srtp_policy_t policy = {.ssrc.type = direction, .key = key};
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    srtp_t made;
    if (srtp_create(&made, &policy)) die("srtp_create");
    return made;
}

// Our key is bytes of which Base64 is plain.
static const char *ours = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";

#include "dtls.h"

// Takes the line of the suite from the offer.
static void agree_on_keys(struct end *e, const char *offer, char *line) {
    static const char *suite = " AES_CM_128_HMAC_SHA1_80 inline:";
    uint8_t key[KEY];
    const char *found = strstr(offer, suite);
    if (!found || !base64(found + strlen(suite), key, KEY)) die("no key in an offer");
    const char *tag = found;
    while (tag > offer && tag[-1] != ':') tag--;
    e->in = context(key, ssrc_any_inbound);
    base64(ours, key, KEY);
    e->out = context(key, ssrc_any_outbound);
    sprintf(line, "a=crypto:%d%s%s\r\n", atoi(tag), suite, ours);
}

// The payload type under which the offer names the codec.
static int type_of(const char *offer, const char *codec) {
    for (const char *line = offer; (line = strstr(line, "a=rtpmap:")); line++) {
        char *end;
        long type = strtol(line + 9, &end, 10);
        if (!strncasecmp(end + 1, codec, strlen(codec))) return type;
    }
    die("the relay does not offer the codec");
    return 0;
}

// A call that somebody else has begun, for these ports of ours: RTP/AVP with PCMU first, then what the kind says.
static void join(struct end *a, struct end *b) {
    char key[100];
    int first, second;
    if (fscanf(there, "%d %*s %d %99s", &first, &second, key) != 3) die("a line of calls");
    aim_at(a, first), aim_at(b, second);
    coded.type = 9;
    if (kind == OPUS) die("Opus is for calls of ours");
    if (kind == SRTP) {
        uint8_t bytes[KEY];
        if (!base64(key, bytes, KEY)) die("a key");
        b->in = context(bytes, ssrc_any_inbound);
        base64(ours, bytes, KEY);
        b->out = context(bytes, ssrc_any_outbound);
    }
    if (kind == DTLS) shake_hands(b);
}

static void begin(long call) {
    struct end *a = &ends[2 * call], *b = a + 1;
    char body[8192], sdp[4096], offer[8192], line[300] = "", formats[300] = "0\r\na=rtpmap:0 PCMU/8000";
    int port = FIRST_PORT + 2 * call;
    open_end(a, phone(0), port), open_end(b, phone(1), port);
    a->sound = &narrow, b->sound = kind >= G722 ? &coded : &narrow;
    if (there) return join(a, b);

    command(body, "offer", call);
    describe(sdp, phone(0), port, "RTP/AVP", formats);
    string(body, "sdp"), string(body, sdp), string(body, "ICE"), string(body, "remove");
    strcat(body, "7:replacel6:origin18:session-connectione");
    const char *profile = kind == SRTP ? "RTP/SAVP" : kind == DTLS ? "UDP/TLS/RTP/SAVP" : "RTP/AVP";
    string(body, "transport-protocol"), string(body, profile);
    if (kind == SRTP) string(body, "DTLS"), string(body, "off");
    if (kind == G722) strcat(body, "5:codecd9:transcodel4:G722ee");
    if (kind == OPUS) strcat(body, "5:codecd9:transcodel4:opusee");
    strcat(body, "e");
    ask(body);
    snprintf(offer, sizeof offer, "%s", answered_sdp());
    aim(b, offer);

    if (kind == G722) coded.type = 9, strcpy(formats, "9\r\na=rtpmap:9 G722/8000");
    if (kind == OPUS) {
        coded.type = type_of(offer, "opus/48000");
        sprintf(formats, "%d\r\na=rtpmap:%d opus/48000/2", coded.type, coded.type);
    }
    describe(sdp, phone(1), port, profile, formats);
    if (kind == SRTP) agree_on_keys(b, offer, line), strcat(sdp, line);
    if (kind == DTLS) strcat(sdp, "a=setup:active\r\na=fingerprint:sha-256 "), strcat(sdp, fingerprint()), strcat(sdp, "\r\n");
    command(body, "answer", call);
    string(body, "to-tag"), string(body, "b"), string(body, "sdp"), string(body, sdp);
    string(body, "ICE"), string(body, "remove");
    strcat(body, "7:replacel6:origin18:session-connectionee");
    ask(body);
    aim(a, answered_sdp());
    if (kind == DTLS) shake_hands(b);
}

static void end_call(long call) {
    char body[300];
    command(body, "delete", call);
    strcat(body, "12:delete-delayi0ee");
    ask(body);
}

// --- Packets -----------------------------------------------------------------------------------------------------

static void put32(uint8_t *to, uint32_t value) {
    value = htonl(value);
    memcpy(to, &value, 4);
}

static void transmit(struct end *e, uint64_t at) {
    uint8_t packet[SIZE];
    int length = e->sound->length[e->place];
    packet[0] = 0x80, packet[1] = e->sound->type;
    packet[2] = ++e->sequence >> 8, packet[3] = e->sequence;
    put32(packet + 4, e->timestamp += e->sound->step);
    put32(packet + 8, e->ssrc);
    memcpy(packet + HEADER, e->sound->bytes[e->place], length);
    if (kind < G722) { // when it left and what else is in it, where only the ear would be hurt
        uint32_t place = e->place;
        memcpy(packet + HEADER, &at, 8);
        memcpy(packet + HEADER + 8, &place, 4);
    }
    e->place = (e->place + 1) % e->sound->count;
    length += HEADER;
    if (e->out && srtp_protect(e->out, packet, &length)) die("srtp_protect");
    sent += at >= window_begin && at < window_end;
    if (blows) count_sent(at);
    // What is reported is that an earlier one met nobody; this one has not been sent then.
    int result = send(e->fd, packet, length, MSG_NOSIGNAL);
    if (result < 0 && errno == ECONNREFUSED) result = send(e->fd, packet, length, MSG_NOSIGNAL);
    if (result < 0 && errno != EAGAIN && errno != ECONNREFUSED) die("send");
}

static void take(struct end *e, uint8_t *packet, int length, uint64_t at) {
    if (length < HEADER || (packet[1] >= 192 && packet[1] < 224)) return; // reports
    if (e->in && srtp_unprotect(e->in, packet, &length)) {
        broken++;
        return;
    }
    if (blows) hear(e->number, at);
    if (kind >= G722) {
        if (at < window_begin || at >= window_end) return;
        arrived++;
        if (blows) count_arrived(at);
        if (e->sound != &narrow) return;
        for (int i = HEADER; i < length; i++) energy += pow(linear(packet[i]), 2);
        samples += length - HEADER;
        return;
    }
    uint64_t left;
    uint32_t place;
    if (length != HEADER + 160) {
        broken++;
        return;
    }
    memcpy(&left, packet + HEADER, 8);
    memcpy(&place, packet + HEADER + 8, 4);
    if (place >= (uint32_t)narrow.count || memcmp(packet + HEADER + MARK, narrow.bytes[place] + MARK, 160 - MARK)) broken++;
    if (left < window_begin || left >= window_end) return;
    arrived++;
    if (blows) count_arrived(left);
    uint64_t delay = at > left ? (at - left) / 1000 : 0;
    histogram[delay < 1000000 ? delay : 1000000]++;
}

static void receive(struct end *e) {
    static uint8_t bytes[READ][SIZE], control[READ][64];
    static struct iovec parts[READ];
    static struct mmsghdr messages[READ];
    for (int i = 0; i < READ; i++) {
        parts[i] = (struct iovec){bytes[i], SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
    }
    int count = recvmmsg(e->fd, messages, READ, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&messages[i].msg_hdr);
        if (!c || c->cmsg_type != SCM_TIMESTAMPNS) die("no time of arrival");
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        take(e, bytes[i], messages[i].msg_len, (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
    }
}

static long percentile(double share) {
    long wanted = (long)(arrived * share), seen = 0;
    for (long i = 0; i <= 1000000; i++)
        if ((seen += histogram[i]) > wanted) return i;
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 7) return fprintf(stderr, "usage: media-load KIND STREAMS SECONDS NG-PORT SOUND-DIRECTORY PID...\n"), 2;
    kind = !strcmp(argv[1], "plain") ? PLAIN : !strcmp(argv[1], "srtp") ? SRTP : !strcmp(argv[1], "dtls") ? DTLS : !strcmp(argv[1], "g722") ? G722 : OPUS;
    calls = atol(argv[2]) / 2;
    blows = getenv("BLOWS");
    long streams = 2 * calls, frames = blows ? (BLOWS + 1) * BLOW_FRAMES : atol(argv[3]) * 50;
    struct rlimit files; // what the blows start has them, too
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < (rlim_t)streams + 100) {
        files.rlim_cur = streams + 100;
        if (files.rlim_max < files.rlim_cur) files.rlim_max = files.rlim_cur;
        if (setrlimit(RLIMIT_NOFILE, &files)) die("files");
    }
    struct sockaddr_in relay = local(1, atoi(argv[4]));
    struct timeval patience = {.tv_sec = 1};
    ng = socket(AF_INET, SOCK_DGRAM, 0);
    if (strchr(argv[4], '/') && !(there = fopen(argv[4], "r"))) die(argv[4]);
    if (!there && (connect(ng, (struct sockaddr *)&relay, sizeof relay) || setsockopt(ng, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))) die("ng");
    srandom(1);
    srtp_init();
    load_bytes(&narrow, argv[5], "speech.ulaw");
    if (kind == G722) load_bytes(&coded, argv[5], "speech.g722");
    if (kind == OPUS) load_opus(&coded, argv[5]);
    ends = calloc(streams, sizeof *ends);
    if (blows) expect_blows(streams);
    for (long call = 0; call < calls; call++) begin(call);

    prctl(PR_SET_TIMERSLACK, 1);
    char **pids = argv + 6;
    int count = argc - 6;
    char *self[] = {"self"};
    double before = 0, used = 0, own_before = 0, own = 0;
    uint64_t start = now(CLOCK_MONOTONIC) + 10000000;
    window_begin = window_end = UINT64_MAX;
    for (long frame = 0; frame < WARM_UP + frames; frame++) {
        if (blows && frame >= WARM_UP) befall(frame - WARM_UP);
        if (frame == WARM_UP) mark(count, pids), window_begin = now(CLOCK_REALTIME), before = cpu(count, pids), own_before = cpu(1, self);
        for (long i = 0; i < streams; i++) {
            if (!blows && frame < i * RISE / streams) break; // not all calls of a relay begin at once
            uint64_t due = start + frame * (uint64_t)FRAME_NS + i * (uint64_t)FRAME_NS / streams;
            if (now(CLOCK_MONOTONIC) < due) { // what is due within so short a time leaves together: sleeping for each would cost more than sending it
                uint64_t until = due + GRAIN_NS;
                struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
                clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
            }
            if (blows) be_late(now(CLOCK_MONOTONIC), due);
            transmit(&ends[i], now(CLOCK_REALTIME));
            receive(&ends[i]);
        }
    }
    window_end = now(CLOCK_REALTIME);
    used = cpu(count, pids) - before, own = cpu(1, self) - own_before;
    mark(count, pids);
    uint64_t late = now(CLOCK_MONOTONIC) - start - (WARM_UP + frames) * (uint64_t)FRAME_NS;
    for (int i = 0; i < 10; i++, usleep(50000))
        for (long e = 0; e < streams; e++) receive(&ends[e]);
    for (long call = 0; call < calls && !there; call++) end_call(call);
    if (blows) return tell_blows(streams), broken != 0;

    if ((int64_t)late > 5000000) fprintf(stderr, "media-load: could not keep up: %.1f ms late at the end\n", late / 1e6);
    if (broken) fprintf(stderr, "media-load: %ld packets were not what had been sent\n", broken);
    if (kind >= G722) {
        double level = samples > 0 ? sqrt(energy / samples) : 0;
        if (level < 200) fprintf(stderr, "media-load: what is heard is no speech: level %.0f\n", level), broken++;
        // The place of a packet in the stream is the relay's: what is missing at the end of the window came before it.
        if (arrived > sent) arrived = sent;
    }
    double packets = arrived ? arrived : 1;
    printf("%ld %ld %.2f %ld %ld %.2f\n", sent, sent - arrived, used / 1e3 / packets, kind < G722 ? percentile(0.5) : 0, kind < G722 ? percentile(0.99) : 0, own / 1e3 / packets);
    return broken != 0;
}
