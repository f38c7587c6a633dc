#define _GNU_SOURCE
#include "Sockets.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

// Headers of before Linux 6.6 do not know it.
enum { ATTACH_TO_INGRESS = 46 };

static long bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : result;
}

static uint64_t pointer(const void *address) { return (uint64_t)(uintptr_t)address; }

static void set_name(char *field, const char *name) { snprintf(field, BPF_OBJ_NAME_LEN, "%s", name); }

static int create_map(const char *name, enum bpf_map_type type, size_t key, size_t value, int entries, uint32_t flags) {
    union bpf_attr attributes = {0};
    attributes.map_type = type;
    attributes.key_size = (uint32_t)key;
    attributes.value_size = (uint32_t)value;
    attributes.max_entries = (uint32_t)entries;
    attributes.map_flags = flags;
    set_name(attributes.map_name, name);
    return (int)bpf(BPF_MAP_CREATE, &attributes);
}

int tandem_hash_create(const char *name, size_t key, size_t value, int entries) {
    return create_map(name, BPF_MAP_TYPE_HASH, key, value, entries, BPF_F_NO_PREALLOC);
}

int tandem_array_create(const char *name, size_t value, int entries) {
    return create_map(name, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), value, entries, 0);
}

int tandem_map_write(int map, const void *key, const void *value) {
    union bpf_attr attributes = {0};
    attributes.map_fd = (uint32_t)map;
    attributes.key = pointer(key);
    attributes.value = pointer(value);
    return (int)bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int read_element(int command, int map, const void *key, void *value) {
    union bpf_attr attributes = {0};
    attributes.map_fd = (uint32_t)map;
    attributes.key = pointer(key);
    attributes.value = pointer(value);
    return (int)bpf(command, &attributes);
}

int tandem_map_read(int map, const void *key, void *value) { return read_element(BPF_MAP_LOOKUP_ELEM, map, key, value); }

int tandem_map_take(int map, const void *key, void *value) {
    return read_element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, key, value);
}

int tandem_program_load(const char *name, const uint64_t *instructions, int count, char *log, size_t capacity) {
    union bpf_attr attributes = {0};
    attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attributes.insns = pointer(instructions);
    attributes.insn_cnt = (uint32_t)count;
    attributes.license = pointer("GPL");
    attributes.expected_attach_type = ATTACH_TO_INGRESS;
    if (log) {
        log[0] = 0;
        attributes.log_buf = pointer(log);
        attributes.log_size = (uint32_t)capacity;
        attributes.log_level = 1;
    }
    set_name(attributes.prog_name, name);
    return (int)bpf(BPF_PROG_LOAD, &attributes);
}

int tandem_program_run(int program, const uint8_t *frame, size_t length, uint8_t *after, size_t *room, uint32_t *verdict) {
    union bpf_attr attributes = {0};
    attributes.test.prog_fd = (uint32_t)program;
    attributes.test.data_in = pointer(frame);
    attributes.test.data_size_in = (uint32_t)length;
    attributes.test.data_out = pointer(after);
    attributes.test.data_size_out = (uint32_t)*room;
    attributes.test.repeat = 1;
    int result = (int)bpf(BPF_PROG_TEST_RUN, &attributes);
    *room = attributes.test.data_size_out;
    *verdict = attributes.test.retval;
    return result;
}

int tandem_program_attach(int program, int interface) {
    union bpf_attr attributes = {0};
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_ifindex = (uint32_t)interface;
    attributes.link_create.attach_type = ATTACH_TO_INGRESS;
    return (int)bpf(BPF_LINK_CREATE, &attributes);
}

static int has_frames(int socket, const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(socket, SIOCGIFHWADDR, &request) != 0) return 0;
    return request.ifr_hwaddr.sa_family == ARPHRD_ETHER || request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
}

int tandem_ip_interfaces(int *interfaces, int capacity) {
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) return -errno;
    int socket = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int count = 0;
    for (struct ifaddrs *one = all; one && socket >= 0; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || !(one->ifa_flags & IFF_UP)) continue;
        int index = (int)if_nametoindex(one->ifa_name);
        int is_known = index == 0 || !has_frames(socket, one->ifa_name);
        for (int i = 0; i < count; i++) is_known |= interfaces[i] == index;
        if (!is_known && count < capacity) interfaces[count++] = index;
    }
    if (socket >= 0) close(socket);
    freeifaddrs(all);
    return count;
}

static int ask_socket(int family) {
    int asked = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
    if (asked < 0) return -errno;
    struct timeval patience = {.tv_usec = 100000};
    if (setsockopt(asked, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) return tandem_fail_closing(asked);
    return asked;
}

int tandem_route_socket(void) { return ask_socket(NETLINK_ROUTE); }

int tandem_route_changes_socket(void) {
    int changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (changes < 0) return -errno;
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_LINK};
    if (bind(changes, (struct sockaddr *)&groups, sizeof groups) != 0) return tandem_fail_closing(changes);
    return changes;
}

int tandem_route_changes_take(int socket) {
    char change[8192];
    int count = 0;
    // Too many for the socket (ENOBUFS) are some, too.
    while (recv(socket, change, sizeof change, 0) > 0 || errno == ENOBUFS) count++;
    return count;
}

int tandem_output_policies(void) {
    int socket = ask_socket(NETLINK_XFRM);
    // A kernel without IPsec has none.
    if (socket < 0) return socket == -EPROTONOSUPPORT ? 0 : socket;
    struct {
        struct nlmsghdr head;
        uint32_t flags;
    } request = {.head = {.nlmsg_len = sizeof request, .nlmsg_type = XFRM_MSG_GETSPDINFO, .nlmsg_flags = NLM_F_REQUEST}, .flags = ~0u};
    char reply[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
    if (send(socket, &request, sizeof request, 0) < 0) return tandem_fail_closing(socket);
    ssize_t length = recv(socket, reply, sizeof reply, 0);
    if (length < 0) return tandem_fail_closing(socket);
    close(socket);
    struct nlmsghdr *head = (struct nlmsghdr *)reply;
    if (!NLMSG_OK(head, (size_t)length) || head->nlmsg_type != XFRM_MSG_NEWSPDINFO) return -EBADMSG;
    struct rtattr *one = (struct rtattr *)((char *)NLMSG_DATA(head) + NLMSG_ALIGN(sizeof(uint32_t)));
    long left = (long)head->nlmsg_len - NLMSG_LENGTH(sizeof(uint32_t));
    for (; RTA_OK(one, left); one = RTA_NEXT(one, left)) {
        if (one->rta_type != XFRMA_SPD_INFO) continue;
        struct xfrmu_spdinfo numbers;
        memcpy(&numbers, RTA_DATA(one), sizeof numbers);
        return (int)(numbers.outcnt + numbers.fwdcnt);
    }
    return -EBADMSG;
}

int tandem_route(int socket, uint32_t destination, uint32_t source, int *interface, int *is_local) {
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
        struct rtattr destination_head;
        uint32_t destination;
        struct rtattr source_head;
        uint32_t source;
    } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32},
        .destination_head = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_DST},
        .destination = htonl(destination),
        .source_head = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_SRC},
        .source = htonl(source),
    };
    if (send(socket, &request, sizeof request, 0) < 0) return -errno;
    char reply[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
    ssize_t length = recv(socket, reply, sizeof reply, 0);
    if (length < 0) return -errno;
    struct nlmsghdr *head = (struct nlmsghdr *)reply;
    if (!NLMSG_OK(head, (size_t)length)) return -EBADMSG;
    if (head->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(head))->error ?: -EBADMSG;
    if (head->nlmsg_type != RTM_NEWROUTE) return -EBADMSG;
    struct rtmsg *route = NLMSG_DATA(head);
    if (route->rtm_type != RTN_UNICAST && route->rtm_type != RTN_LOCAL) return -EHOSTUNREACH;
    *is_local = route->rtm_type == RTN_LOCAL;
    long left = RTM_PAYLOAD(head);
    for (struct rtattr *one = RTM_RTA(route); RTA_OK(one, left); one = RTA_NEXT(one, left)) {
        if (one->rta_type != RTA_OIF) continue;
        memcpy(interface, RTA_DATA(one), sizeof *interface);
        return 0;
    }
    return -EHOSTUNREACH;
}
