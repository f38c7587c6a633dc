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
};

struct datagram {
    size_t offset;
    size_t length;
    uint64_t sequence;  // a bit for the sequence it belongs to: nothing of one sequence overtakes another of it; all: nothing at all
    socklen_t address_length;
};

struct tandem_outbox {
    int capacity;
    int count;
    size_t size;
    size_t room;
    size_t used;
    int cannot_segment;
    uint8_t *bytes;
    struct datagram *datagrams;
    uint64_t *keys;  // of the addresses: equal for equal ones
    struct sockaddr_storage *addresses;
    int *next;  // the datagram behind this one in its run; -1 at the end
    uint8_t *is_taken;
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
    outbox->keys = calloc(count, sizeof *outbox->keys);
    outbox->addresses = calloc(count, sizeof *outbox->addresses);
    outbox->next = calloc(count, sizeof *outbox->next);
    outbox->is_taken = calloc(count, sizeof *outbox->is_taken);
    outbox->headers = calloc(count, sizeof *outbox->headers);
    outbox->pieces = calloc(count, sizeof *outbox->pieces);
    outbox->controls = calloc(count, sizeof *outbox->controls);
    if (!outbox->bytes || !outbox->datagrams || !outbox->keys || !outbox->addresses || !outbox->next || !outbox->is_taken ||
        !outbox->headers || !outbox->pieces || !outbox->controls) {
        tandem_outbox_destroy(outbox);
        return NULL;
    }
    return outbox;
}

void tandem_outbox_destroy(struct tandem_outbox *outbox) {
    free(outbox->bytes);
    free(outbox->datagrams);
    free(outbox->keys);
    free(outbox->addresses);
    free(outbox->next);
    free(outbox->is_taken);
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

void tandem_outbox_keep(struct tandem_outbox *outbox, size_t length, const struct tandem_address *peer, uint64_t sequence) {
    int index = outbox->count++;
    struct datagram *datagram = &outbox->datagrams[index];
    *datagram = (struct datagram){outbox->used, length, sequence, 0};
    outbox->keys[index] = 0;
    if (peer) {
        datagram->address_length = tandem_encode_address(peer, &outbox->addresses[index]);
        outbox->keys[index] = (peer->low * 0x9e3779b97f4a7c15u ^ peer->high) * 0x9e3779b97f4a7c15u ^ peer->port;
    }
    size_t end = (outbox->used + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    outbox->used = end < outbox->room ? end : outbox->room;
}

static int same_peer(const struct tandem_outbox *outbox, int left, int right) {
    socklen_t length = outbox->datagrams[left].address_length;
    return outbox->keys[left] == outbox->keys[right] && length == outbox->datagrams[right].address_length &&
           memcmp(&outbox->addresses[left], &outbox->addresses[right], length) == 0;
}

// Links what may go with `first` to the same peer as one run: datagrams of one length. What else that peer gets comes in runs of its
// own, later, and with it all that is of the same sequence. The number of datagrams.
static int link_run(struct tandem_outbox *outbox, int first) {
    size_t length = outbox->datagrams[first].length, total = length;
    uint64_t passed = 0;
    int count = 1, last = first;
    outbox->next[first] = -1;
    if (outbox->cannot_segment || length > SEGMENT_SIZE) return 1;
    for (int index = first + 1; index < outbox->count && count < SEGMENTS && total + length <= RUN_SIZE && ~passed; index++) {
        if (outbox->keys[index] != outbox->keys[first] || outbox->is_taken[index] || !same_peer(outbox, first, index)) continue;
        const struct datagram *datagram = &outbox->datagrams[index];
        if (datagram->length != length || datagram->sequence & passed) {
            passed |= datagram->sequence;
            continue;
        }
        outbox->next[last] = index;
        outbox->next[index] = -1;
        outbox->is_taken[index] = 1;
        last = index;
        total += length;
        count++;
    }
    return count;
}

// Prepares one header for each run; the number of runs.
static int prepare(struct tandem_outbox *outbox) {
    int runs = 0, used = 0;
    memset(outbox->is_taken, 0, (size_t)outbox->count);
    for (int first = 0; first < outbox->count; first++) {
        if (outbox->is_taken[first]) continue;
        int count = link_run(outbox, first);
        struct msghdr *header = &outbox->headers[runs].msg_hdr;
        *header = (struct msghdr){.msg_iov = &outbox->pieces[used], .msg_iovlen = (size_t)count};
        if (outbox->datagrams[first].address_length > 0) {
            header->msg_name = &outbox->addresses[first];
            header->msg_namelen = outbox->datagrams[first].address_length;
        }
        for (int index = first; index >= 0; index = outbox->next[index]) {
            const struct datagram *datagram = &outbox->datagrams[index];
            outbox->pieces[used++] = (struct iovec){.iov_base = outbox->bytes + datagram->offset, .iov_len = datagram->length};
        }
        if (count > 1) {
            header->msg_control = &outbox->controls[runs];
            header->msg_controllen = sizeof outbox->controls[runs].bytes;
            struct cmsghdr *control = CMSG_FIRSTHDR(header);
            control->cmsg_level = IPPROTO_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            uint16_t size = (uint16_t)outbox->datagrams[first].length;
            memcpy(CMSG_DATA(control), &size, sizeof size);
        }
        runs++;
    }
    return runs;
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
    int runs = prepare(outbox), sent = 0, attempt = 0;
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
    outbox->used = 0;
    return sent;
}
