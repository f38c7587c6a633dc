#define _GNU_SOURCE
#include "Sockets.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    COMMON_SIZE = 2048,        // what a datagram is expected to take at most; there may be longer ones
    ALIGNMENT = 64,            // a cache line
    SEGMENTS = 64,             // the kernel's limit for one run (UDP_MAX_SEGMENTS)
    SEGMENT_SIZE = 1452,       // longer ones would be cut into IP fragments on an Ethernet, which a run cannot be
    RUN_SIZE = 65535 - 48,     // a run is one UDP datagram until the kernel takes it apart
    SEQUENCES = 1 << 10,       // sequences that share their highest ten bits stay in order among each other, too
    OPEN_RUNS = 512,
};

struct datagram {
    size_t offset;
    size_t length;
    int next;  // the one behind it in its run; -1 at the end
};

// Datagrams of one length to one peer that the kernel gets as one and takes apart again.
struct run {
    int peer;
    int first;
    int last;
    int count;
    size_t length;
    size_t total;
};

struct peer {
    uint32_t turn;  // in which the rest was written; of another turn it is nothing
    int last_run;
    int barrier;  // what comes now joins no run before this one
    socklen_t encoded_length;
    struct tandem_address address;
    struct sockaddr_in6 encoded;  // or the shorter one of IPv4
};

struct sequence {
    uint32_t turn;
    int last_run;
};

struct tandem_outbox {
    int capacity;
    int count;
    int run_count;
    uint32_t turn;
    size_t size;
    size_t room;
    size_t used;
    int cannot_segment;
    uint8_t *bytes;
    struct datagram *datagrams;
    struct run *runs;
    size_t peer_places;  // a power of two, twice the capacity at least; behind them that of a connected socket
    struct peer *peers;
    struct sequence sequences[SEQUENCES];
    uint16_t open[OPEN_RUNS];  // by peer and length, where to look for a run that another datagram may join
    struct mmsghdr *headers;
    struct iovec *pieces;
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } *controls;
};

struct tandem_outbox *tandem_outbox_create(int capacity, size_t size) {
    struct tandem_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) return NULL;
    size_t count = (size_t)capacity;
    size_t common = size < COMMON_SIZE ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : COMMON_SIZE;
    outbox->capacity = capacity;
    outbox->size = size;
    outbox->room = count * common + size;
    outbox->bytes = malloc(outbox->room);
    outbox->datagrams = calloc(count, sizeof *outbox->datagrams);
    outbox->runs = calloc(count, sizeof *outbox->runs);
    outbox->peer_places = 2;
    while (outbox->peer_places < count * 2) outbox->peer_places *= 2;
    outbox->peers = calloc(outbox->peer_places + 1, sizeof *outbox->peers);
    outbox->turn = 1;
    outbox->headers = calloc(count, sizeof *outbox->headers);
    outbox->pieces = calloc(count, sizeof *outbox->pieces);
    outbox->controls = calloc(count, sizeof *outbox->controls);
    if (!outbox->bytes || !outbox->datagrams || !outbox->runs || !outbox->peers ||
        !outbox->headers || !outbox->pieces || !outbox->controls) {
        tandem_outbox_destroy(outbox);
        return NULL;
    }
    return outbox;
}

void tandem_outbox_destroy(struct tandem_outbox *outbox) {
    free(outbox->bytes);
    free(outbox->datagrams);
    free(outbox->runs);
    free(outbox->peers);
    free(outbox->headers);
    free(outbox->pieces);
    free(outbox->controls);
    free(outbox);
}

uint8_t *tandem_outbox_place(struct tandem_outbox *outbox) {
    if (outbox->count == outbox->capacity || outbox->room - outbox->used < outbox->size) return NULL;
    return outbox->bytes + outbox->used;
}

const uint8_t *tandem_outbox_last(const struct tandem_outbox *outbox, size_t *length) {
    *length = 0;
    if (outbox->count == 0) return NULL;
    const struct datagram *last = &outbox->datagrams[outbox->count - 1];
    *length = last->length;
    return outbox->bytes + last->offset;
}

// The place of a peer: there is always a free one.
static int find_peer(struct tandem_outbox *outbox, const struct tandem_address *address) {
    size_t mask = outbox->peer_places - 1;
    uint64_t mixed = (address->low ^ (uint64_t)address->port << 40 ^ address->high * 31) * 0x9e3779b97f4a7c15u;
    for (size_t place = (mixed >> 32) & mask;; place = (place + 1) & mask) {
        struct peer *peer = &outbox->peers[place];
        if (peer->turn != outbox->turn) {
            *peer = (struct peer){.turn = outbox->turn, .last_run = -1, .address = *address};
            struct sockaddr_storage encoded;
            peer->encoded_length = tandem_encode_address(address, &encoded);
            memcpy(&peer->encoded, &encoded, peer->encoded_length);
            return (int)place;
        }
        if (peer->address.low == address->low && peer->address.high == address->high && peer->address.port == address->port &&
            peer->address.is_ipv4 == address->is_ipv4) return (int)place;
    }
}

// Where a connected socket's datagrams stand.
static int connected_peer(struct tandem_outbox *outbox) {
    struct peer *peer = &outbox->peers[outbox->peer_places];
    if (peer->turn != outbox->turn) *peer = (struct peer){.turn = outbox->turn, .last_run = -1};
    return (int)outbox->peer_places;
}

// Puts the datagram into a run of its peer's, or into one of its own. A run leaves when its first datagram would have: to join one is
// to overtake all that came for that peer behind it, which must not be of the same sequence. Sequence 0: it overtakes nothing, and
// nothing overtakes it.
static void join(struct tandem_outbox *outbox, int index, int place, uint64_t sequence) {
    struct datagram *datagram = &outbox->datagrams[index];
    struct peer *peer = &outbox->peers[place];
    struct sequence *own = &outbox->sequences[sequence >> 54];
    int earliest = sequence ? peer->barrier : peer->last_run;
    if (sequence && own->turn == outbox->turn && own->last_run > earliest) earliest = own->last_run;

    uint16_t *open = &outbox->open[((size_t)place * 61 + datagram->length) % OPEN_RUNS];
    int number = *open;
    struct run *run = &outbox->runs[number];
    int joins = number < outbox->run_count && number >= earliest && run->peer == place && run->length == datagram->length &&
                run->count < SEGMENTS && run->total + datagram->length <= RUN_SIZE && datagram->length <= SEGMENT_SIZE &&
                !outbox->cannot_segment;
    if (joins) {
        outbox->datagrams[run->last].next = index;
        run->last = index;
        run->count++;
        run->total += datagram->length;
    } else {
        number = outbox->run_count++;
        outbox->runs[number] = (struct run){place, index, index, 1, datagram->length, datagram->length};
        *open = (uint16_t)number;
        peer->last_run = number;
    }
    if (sequence) {
        *own = (struct sequence){outbox->turn, number};
    } else {
        peer->barrier = number;
    }
}

void tandem_outbox_keep(struct tandem_outbox *outbox, size_t length, const struct tandem_address *peer, uint64_t sequence) {
    int index = outbox->count++;
    struct datagram *datagram = &outbox->datagrams[index];
    *datagram = (struct datagram){outbox->used, length, -1};
    join(outbox, index, peer ? find_peer(outbox, peer) : connected_peer(outbox), sequence);
    size_t end = (outbox->used + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    outbox->used = end < outbox->room ? end : outbox->room;
}

// One header for each run.
static void prepare(struct tandem_outbox *outbox) {
    int used = 0;
    for (int number = 0; number < outbox->run_count; number++) {
        const struct run *run = &outbox->runs[number];
        struct msghdr *header = &outbox->headers[number].msg_hdr;
        *header = (struct msghdr){.msg_iov = &outbox->pieces[used], .msg_iovlen = (size_t)run->count};
        struct peer *peer = &outbox->peers[run->peer];
        if (peer->encoded_length > 0) {
            header->msg_name = &peer->encoded;
            header->msg_namelen = peer->encoded_length;
        }
        for (int index = run->first; index >= 0; index = outbox->datagrams[index].next) {
            const struct datagram *datagram = &outbox->datagrams[index];
            outbox->pieces[used++] = (struct iovec){.iov_base = outbox->bytes + datagram->offset, .iov_len = datagram->length};
        }
        if (run->count > 1) {
            header->msg_control = &outbox->controls[number];
            header->msg_controllen = sizeof outbox->controls[number].bytes;
            struct cmsghdr *control = CMSG_FIRSTHDR(header);
            control->cmsg_level = IPPROTO_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            uint16_t size = (uint16_t)run->length;
            memcpy(CMSG_DATA(control), &size, sizeof size);
        }
    }
}

// The datagrams of a run that the kernel did not take as one, each by itself; the number it took.
static int send_apart(int socket, const struct msghdr *run) {
    int sent = 0;
    for (size_t piece = 0; piece < run->msg_iovlen; piece++) {
        struct msghdr header = {.msg_name = run->msg_name, .msg_namelen = run->msg_namelen, .msg_iov = &run->msg_iov[piece], .msg_iovlen = 1};
        ssize_t taken = sendmsg(socket, &header, MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN) taken = sendmsg(socket, &header, MSG_NOSIGNAL);
        if (taken >= 0) sent++;
    }
    return sent;
}

int tandem_outbox_send(int socket, struct tandem_outbox *outbox) {
    prepare(outbox);
    int runs = outbox->run_count, sent = 0, attempt = 0;
    for (int next = 0; next < runs;) {
        int accepted = sendmmsg(socket, outbox->headers + next, (unsigned)(runs - next), MSG_NOSIGNAL);
        if (accepted > 0) {
            for (; accepted > 0; accepted--) sent += (int)outbox->headers[next++].msg_hdr.msg_iovlen;
            attempt = 0;
            continue;
        }
        if (errno == EAGAIN || errno == EBADF) break;  // the send buffer is full: what is late anyway is better lost
        if (attempt++ == 0) continue;                  // it may be the ICMP error of an earlier datagram; our own comes again
        const struct msghdr *refused = &outbox->headers[next++].msg_hdr;
        attempt = 0;
        if (refused->msg_iovlen > 1) {
            // A device without checksums cannot do it at all; a narrow path only not for this run.
            if (errno == EIO || errno == EOPNOTSUPP) outbox->cannot_segment = 1;
            sent += send_apart(socket, refused);
        }
    }
    outbox->count = 0;
    outbox->run_count = 0;
    outbox->used = 0;
    outbox->turn++;
    return sent;
}
