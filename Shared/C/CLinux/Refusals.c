#define _GNU_SOURCE
#include "Sockets.h"

#include <netinet/in.h>
#include <string.h>
#include <linux/errqueue.h>

int tandem_udp_report_refusals(int socket, int is_ipv4) {
    int on = 1;
    int done = is_ipv4 ? setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on)
                       : setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    return done < 0 ? -errno : 0;
}

/// Whether this piece of news is that nobody listens at the port, or the machine does not take such datagrams.
static int is_refusal(struct msghdr *message) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (!(part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR)
            && !(part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR)) continue;
        struct sock_extended_err news;
        memcpy(&news, CMSG_DATA(part), sizeof news);
        return news.ee_errno == ECONNREFUSED
            && (news.ee_origin == SO_EE_ORIGIN_ICMP || news.ee_origin == SO_EE_ORIGIN_ICMP6);
    }
    return 0;
}

int tandem_udp_next_refusal(int socket, struct tandem_address *destination) {
    for (;;) {
        struct sockaddr_storage address;
        // The news itself, and the address of whoever sent the ICMP message behind it.
        union {
            struct cmsghdr head;
            char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
        } control;
        // Of the datagram that came back only the destination matters.
        struct msghdr message = {
            .msg_name = &address, .msg_namelen = sizeof address, .msg_control = &control, .msg_controllen = sizeof control,
        };
        if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
        if (!is_refusal(&message)) continue;
        tandem_decode_address(&address, destination);
        return 1;
    }
}
