#define _GNU_SOURCE
#include "Sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

static int open_stream(int is_ipv4) {
    int descriptor = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!is_ipv4) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return descriptor;
}

/// Signalling is small messages that must leave at once, and peers that vanish must be noticed.
static void prepare(int descriptor) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int tandem_tcp_listen(const struct tandem_address *local, int reuse_port, int backlog) {
    int descriptor = open_stream(local->is_ipv4);
    if (descriptor < 0) return descriptor;
    int on = 1;
    if (reuse_port && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return tandem_fail_closing(descriptor);
    struct sockaddr_storage address;
    socklen_t length = tandem_encode_address(local, &address);
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0) return tandem_fail_closing(descriptor);
    if (listen(descriptor, backlog) < 0) return tandem_fail_closing(descriptor);
    return descriptor;
}

int tandem_tcp_accept(int listener, struct tandem_address *peer) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int descriptor;
    do descriptor = accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (descriptor < 0) return -errno;
    prepare(descriptor);
    tandem_decode_address(&address, peer);
    return descriptor;
}

int tandem_tcp_connect(const struct tandem_address *peer, const struct tandem_address *local) {
    int descriptor = open_stream(peer->is_ipv4);
    if (descriptor < 0) return descriptor;
    prepare(descriptor);
    struct sockaddr_storage address;
    if (local) {
        socklen_t length = tandem_encode_address(local, &address);
        if (bind(descriptor, (struct sockaddr *)&address, length) < 0) return tandem_fail_closing(descriptor);
    }
    socklen_t length = tandem_encode_address(peer, &address);
    if (connect(descriptor, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS) return tandem_fail_closing(descriptor);
    return descriptor;
}

int tandem_socket_error(int socket) {
    int code = 0;
    socklen_t length = sizeof code;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) < 0) return errno;
    return code;
}

long long tandem_raise_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return (long long)(setrlimit(RLIMIT_NOFILE, &limit) < 0 ? before : limit.rlim_cur);
}
