#include "Sockets.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

socklen_t tandem_encode_address(const struct tandem_address *address, struct sockaddr_storage *encoded) {
    if (address->is_ipv4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)encoded;
        memset(v4, 0, sizeof *v4);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        v4->sin_addr.s_addr = htonl((uint32_t)address->low);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)encoded;
    memset(v6, 0, sizeof *v6);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address->port);
    uint64_t halves[2] = {htobe64(address->high), htobe64(address->low)};
    memcpy(&v6->sin6_addr, halves, sizeof halves);
    return sizeof *v6;
}

void tandem_decode_address(const struct sockaddr_storage *encoded, struct tandem_address *address) {
    if (encoded->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)encoded;
        uint64_t halves[2];
        memcpy(halves, &v6->sin6_addr, sizeof halves);
        *address = (struct tandem_address){be64toh(halves[0]), be64toh(halves[1]), ntohs(v6->sin6_port), 0};
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)encoded;
        *address = (struct tandem_address){0, ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port), 1};
    }
}
