#define _GNU_SOURCE
#include "Sockets.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { DESCRIPTORS = 16 };  // more than anybody sends with one message

/// A name in the abstract namespace: it goes with its socket, and nothing lies about in a folder.
static socklen_t abstract(const char *name, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strnlen(name, sizeof address->sun_path - 1);
    memcpy(address->sun_path + 1, name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

/// As much as the system allows: a message is written as a whole or not at all.
static void enlarge(int descriptor) {
    int size = 4 << 20;
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static int open_messages(void) {
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    enlarge(descriptor);
    return descriptor;
}

int tandem_message_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) return -errno;
    enlarge(pair[0]);
    enlarge(pair[1]);
    return 0;
}

int tandem_message_listen(const char *name) {
    int descriptor = open_messages();
    if (descriptor < 0) return descriptor;
    struct sockaddr_un address;
    socklen_t length = abstract(name, &address);
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0 || listen(descriptor, 4) < 0) return tandem_fail_closing(descriptor);
    return descriptor;
}

int tandem_message_connect(const char *name) {
    int descriptor = open_messages();
    if (descriptor < 0) return descriptor;
    struct sockaddr_un address;
    socklen_t length = abstract(name, &address);
    if (connect(descriptor, (struct sockaddr *)&address, length) < 0) return tandem_fail_closing(descriptor);
    return descriptor;
}

int tandem_message_accept(int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) return -errno;
    enlarge(descriptor);
    return descriptor;
}

int tandem_peer_process(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    return peer.uid == geteuid() ? peer.pid : -EPERM;
}

int tandem_message_send(int descriptor, const uint8_t *bytes, size_t length, const int *descriptors, int count) {
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
    } control;
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > DESCRIPTORS) return -E2BIG;
    if (count > 0) {
        size_t size = sizeof(int) * (size_t)count;
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(part), descriptors, size);
    }
    ssize_t sent;
    do sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

long tandem_message_receive(int descriptor, uint8_t *bytes, size_t capacity, int *descriptors, int *count) {
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
    } control;
    struct iovec piece = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *count = 0;
    ssize_t length;
    do length = recvmsg(descriptor, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        int got = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors, CMSG_DATA(part), sizeof(int) * (size_t)got);
        *count = got;
    }
    return (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? -EMSGSIZE : length;
}

int tandem_memory_create(const char *name, size_t size) {
    int descriptor = memfd_create(name, MFD_CLOEXEC);
    if (descriptor < 0) return -errno;
    if (ftruncate(descriptor, (off_t)size) < 0) return tandem_fail_closing(descriptor);
    return descriptor;
}

void *tandem_memory_map(int descriptor, size_t size) {
    // Memory beyond the end of the file would be a SIGBUS when it is touched.
    off_t end = lseek(descriptor, 0, SEEK_END);
    if (end < 0 || (size_t)end < size) return NULL;
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return start == MAP_FAILED ? NULL : start;
}

void tandem_memory_unmap(void *start, size_t size) { munmap(start, size); }

// Two copies and a counter: odd counters name the second copy. Whoever dies while it writes one leaves the other whole.
void tandem_twin_write(void *twin, const void *bytes, size_t length) {
    uint64_t *generation = twin;
    uint64_t next = __atomic_load_n(generation, __ATOMIC_RELAXED) + 1;
    memcpy((char *)twin + TANDEM_TWIN_HEAD + (next & 1) * length, bytes, length);
    __atomic_store_n(generation, next, __ATOMIC_RELEASE);
}

int tandem_twin_read(const void *twin, void *bytes, size_t length) {
    uint64_t generation = __atomic_load_n((const uint64_t *)twin, __ATOMIC_ACQUIRE);
    if (generation == 0) return 0;
    memcpy(bytes, (const char *)twin + TANDEM_TWIN_HEAD + (generation & 1) * length, length);
    return 1;
}

void tandem_twin_clear(void *twin) { __atomic_store_n((uint64_t *)twin, 0, __ATOMIC_RELEASE); }

int tandem_spawn(const char *const arguments[], const char *const environment[], int inherited, int as) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // The copy is inherited, the original closes itself; were the two the same number, only this takes the mark away.
    posix_spawn_file_actions_adddup2(&actions, inherited, as);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    int code = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, (char *const *)arguments, (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code ? -code : child;
}

int tandem_process_watch(int process) {
    int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    return descriptor < 0 ? -errno : descriptor;
}

// A pipe and not a signalfd: that hears only what all threads block, and there may be some already.
static int signal_pipe[2] = {-1, -1};

static void note_signal(int number) {
    int code = errno;
    uint8_t byte = (uint8_t)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = code;
}

int tandem_signals_open(void) {
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    for (size_t index = 0; index < sizeof wanted / sizeof *wanted; index++) {
        if (sigaction(wanted[index], &action, NULL) < 0) return -errno;
    }
    return signal_pipe[0];
}

int tandem_signals_next(int descriptor) {
    uint8_t number;
    return read(descriptor, &number, 1) == 1 ? number : 0;
}

int tandem_reap(int *status) {
    int result;
    pid_t child = waitpid(-1, &result, WNOHANG);
    if (child <= 0) return 0;
    *status = WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result);
    return child;
}

void tandem_name_process(const char *name) {
    // Of the first thread, whoever calls: prctl would name the caller.
    int descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    ssize_t written = write(descriptor, name, strlen(name));
    (void)written;
    close(descriptor);
}
