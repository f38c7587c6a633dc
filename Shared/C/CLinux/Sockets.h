#pragma once
#include "CLinux.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

socklen_t tandem_encode_address(const struct tandem_address *address, struct sockaddr_storage *encoded);
void tandem_decode_address(const struct sockaddr_storage *encoded, struct tandem_address *address);

/// The negated errno of the call that has just failed, after closing its socket.
static inline int tandem_fail_closing(int socket) {
    int code = errno;
    close(socket);
    return -code;
}

/// An ICMP error of an earlier datagram is reported instead of a call's own result, and only once.
static inline int tandem_is_echo(int code) {
    return code == EINTR || code == ECONNREFUSED || code == EHOSTUNREACH || code == ENETUNREACH;
}
