#define _GNU_SOURCE
#include "Sockets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/syscall.h>

int tandem_udp_open(const struct tandem_address *local, int reuse_port, int receive_buffer) {
    int descriptor = socket(local->is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    // IPv6 only: IPv4 has a socket of its own, so that an address never changes its family on the way.
    if (!local->is_ipv4 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return tandem_fail_closing(descriptor);
    if (reuse_port && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return tandem_fail_closing(descriptor);
    // The kernel grants what net.core.rmem_max allows; less is no failure.
    if (receive_buffer > 0) setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct sockaddr_storage address;
    socklen_t length = tandem_encode_address(local, &address);
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0) return tandem_fail_closing(descriptor);
    return descriptor;
}

int tandem_udp_set_dscp(int socket, int is_ipv4, int dscp) {
    int octet = dscp << 2;
    int result = is_ipv4 ? setsockopt(socket, IPPROTO_IP, IP_TOS, &octet, sizeof octet)
                         : setsockopt(socket, IPPROTO_IPV6, IPV6_TCLASS, &octet, sizeof octet);
    return result < 0 ? -errno : 0;
}

int tandem_udp_connect(int socket, const struct tandem_address *peer) {
    struct sockaddr_storage address;
    socklen_t length = tandem_encode_address(peer, &address);
    return connect(socket, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
}

int tandem_udp_disconnect(int socket) {
    // The port stays: it was bound by hand (connect(2): AF_UNSPEC dissolves the association).
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return connect(socket, &nobody, sizeof nobody) < 0 ? -errno : 0;
}

int tandem_udp_peer(int socket, struct tandem_address *peer) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(socket, (struct sockaddr *)&address, &length) < 0) return -errno;
    tandem_decode_address(&address, peer);
    return 0;
}

int tandem_udp_send(int socket, const uint8_t *bytes, size_t length, const struct tandem_address *peer) {
    struct sockaddr_storage address;
    socklen_t address_length = peer ? tandem_encode_address(peer, &address) : 0;
    for (int attempt = 0;; attempt++) {
        // Not by sendto(), which the C library makes a point of thread cancellation, at some cost to each packet.
        ssize_t sent = syscall(
            SYS_sendto, socket, bytes, length, MSG_NOSIGNAL, peer ? (struct sockaddr *)&address : NULL, address_length);
        if (sent >= 0) return 0;
        // What is not our own does not come again.
        if (attempt > 0 || errno == EAGAIN || errno == EBADF) return -errno;
    }
}

int tandem_local_address(int socket, struct tandem_address *local) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &length) < 0) return -errno;
    tandem_decode_address(&address, local);
    return 0;
}

struct tandem_batch {
    int capacity;
    size_t size;
    struct mmsghdr *headers;
    struct iovec *pieces;
    struct sockaddr_storage *addresses;
    uint8_t *bytes;
};

struct tandem_batch *tandem_batch_create(int capacity, size_t size) {
    struct tandem_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->capacity = capacity;
    batch->size = size;
    batch->headers = calloc((size_t)capacity, sizeof *batch->headers);
    batch->pieces = calloc((size_t)capacity, sizeof *batch->pieces);
    batch->addresses = calloc((size_t)capacity, sizeof *batch->addresses);
    batch->bytes = calloc((size_t)capacity, size);
    if (!batch->headers || !batch->pieces || !batch->addresses || !batch->bytes) {
        tandem_batch_destroy(batch);
        return NULL;
    }
    for (int index = 0; index < capacity; index++) {
        batch->pieces[index] = (struct iovec){.iov_base = tandem_batch_bytes(batch, index), .iov_len = size};
        batch->headers[index].msg_hdr.msg_iov = &batch->pieces[index];
        batch->headers[index].msg_hdr.msg_iovlen = 1;
        batch->headers[index].msg_hdr.msg_name = &batch->addresses[index];
        batch->headers[index].msg_hdr.msg_namelen = sizeof batch->addresses[index];
    }
    return batch;
}

void tandem_batch_destroy(struct tandem_batch *batch) {
    free(batch->headers);
    free(batch->pieces);
    free(batch->addresses);
    free(batch->bytes);
    free(batch);
}

uint8_t *tandem_batch_bytes(struct tandem_batch *batch, int index) { return batch->bytes + (size_t)index * batch->size; }

// One datagram is read faster without lists: the kernel need not fetch them, nor write them back.
static int receive_from(int socket, struct tandem_batch *batch, struct tandem_received *received, struct sockaddr_storage *source) {
    ssize_t length;
    socklen_t address_length;
    int attempt = 0;
    do {
        address_length = sizeof *source;
        length = syscall(SYS_recvfrom, socket, batch->bytes, batch->size, MSG_TRUNC, source, source ? &address_length : NULL);
    } while (length < 0 && tandem_is_echo(errno) && attempt++ < 8);
    if (length < 0) return 0;
    received->is_truncated = (size_t)length > batch->size;  // with MSG_TRUNC it is what was sent
    received->length = received->is_truncated ? (uint32_t)batch->size : (uint32_t)length;
    return 1;
}

static int receive_one(int socket, struct tandem_batch *batch, struct tandem_received *received) {
    int count = receive_from(socket, batch, received, &batch->addresses[0]);
    if (count) tandem_decode_address(&batch->addresses[0], &received->source);
    return count;
}

int tandem_batch_receive_one(int socket, struct tandem_batch *batch, struct tandem_received *received) {
    return receive_from(socket, batch, received, NULL);
}

int tandem_batch_receive(int socket, struct tandem_batch *batch, int limit, struct tandem_received *received) {
    if (limit > batch->capacity) limit = batch->capacity;
    if (limit == 1) return receive_one(socket, batch, received);
    int count;
    int attempt = 0;
    do count = recvmmsg(socket, batch->headers, (unsigned)limit, 0, NULL);
    while (count < 0 && tandem_is_echo(errno) && attempt++ < 8);
    for (int index = 0; index < count; index++) {
        struct msghdr *header = &batch->headers[index].msg_hdr;
        received[index].length = batch->headers[index].msg_len;
        received[index].is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
        tandem_decode_address(&batch->addresses[index], &received[index].source);
        header->msg_namelen = sizeof batch->addresses[index];
        header->msg_flags = 0;
    }
    return count < 0 ? 0 : count;
}
