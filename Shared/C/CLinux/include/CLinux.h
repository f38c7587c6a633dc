#pragma once
// Linux calls that the Swift importer cannot see: what glibc hides behind _GNU_SOURCE. That macro is defined only
// in the .c files: defining it in a header Swift imports breaks Swift's own view of glibc.
#include <stddef.h>
#include <stdint.h>

// --- Threads ---------------------------------------------------------------------------------------------------

/// One ready descriptor; `token` is what was given to tandem_epoll_add.
struct tandem_event {
    uint64_t token;
    uint32_t events;
};

enum {
    TANDEM_READABLE = 1,
    TANDEM_WRITABLE = 4,
    TANDEM_ERROR = 8,
    TANDEM_HANGUP = 16,
};

int tandem_epoll_create(void);
int tandem_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int tandem_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t token);
int tandem_epoll_remove(int epoll, int descriptor);
/// Waits at most `nanoseconds` (negative: for ever). The number of events, 0 after the time or a signal, or -1.
int tandem_epoll_wait(int epoll, struct tandem_event *events, int capacity, int64_t nanoseconds);

/// Asks for the cache lines at these distances from an address, to be written. Whatever lies there, nothing happens to it.
static inline void tandem_prefetch(uintptr_t address, const uint16_t *distances, size_t count) {
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch((const void *)(address + distances[i]), 1, 3);
}

/// A non-blocking eventfd: adding to it wakes whoever polls it, reading takes it back to zero.
int tandem_eventfd(void);
void tandem_eventfd_add(int descriptor);
void tandem_eventfd_clear(int descriptor);

/// Runs the calling thread on one processor only; -1 where that is not allowed.
int tandem_pin_thread(int processor);
/// Lets the calling thread run before all that is not real-time (SCHED_RR, 1 to 99); -1 when the process may not have such threads.
int tandem_run_realtime(int priority);
/// Names the calling thread as debuggers and /proc show it (15 bytes are kept).
void tandem_name_thread(const char *name);
uint64_t tandem_monotonic_nanoseconds(void);
/// Sleeps until that monotonic time, or until a signal.
void tandem_sleep_until(uint64_t nanoseconds);

// --- Sockets ---------------------------------------------------------------------------------------------------
// Every call that can fail answers the negated errno.

/// An address in host order; IPv4 is the low half of `low`. sockaddr stays inside this library.
struct tandem_address {
    uint64_t high;
    uint64_t low;
    uint16_t port;
    uint8_t is_ipv4;
};

/// A non-blocking UDP socket. A `receive_buffer` of 0 keeps the system's.
int tandem_udp_open(const struct tandem_address *local, int reuse_port, int receive_buffer);
/// Sets the only peer; datagrams of others are then refused by the kernel.
int tandem_udp_set_dscp(int socket, int is_ipv4, int dscp);
int tandem_udp_connect(int socket, const struct tandem_address *peer);
/// Takes datagrams of everybody again.
int tandem_udp_disconnect(int socket);
/// The only peer, if there is one.
int tandem_udp_peer(int socket, struct tandem_address *peer);
/// `peer` is null for a connected socket.
int tandem_udp_send(int socket, const uint8_t *bytes, size_t length, const struct tandem_address *peer);
int tandem_local_address(int socket, struct tandem_address *local);
/// Keeps, for tandem_udp_next_refusal, where datagrams went that came back because nobody listens there (ICMP).
int tandem_udp_report_refusals(int socket, int is_ipv4);
/// The destination of the next of them: 1, or 0 when there is none.
int tandem_udp_next_refusal(int socket, struct tandem_address *destination);

/// Memory for datagrams read in one system call, with all that the kernel wants to know prepared.
struct tandem_batch;
/// What was received at one place of a batch.
struct tandem_received {
    struct tandem_address source;
    uint32_t length;
    uint8_t is_truncated;
};
struct tandem_batch *tandem_batch_create(int capacity, size_t size);
void tandem_batch_destroy(struct tandem_batch *batch);
uint8_t *tandem_batch_bytes(struct tandem_batch *batch, int index);
/// Receives at most `limit` datagrams; the number, 0 when none waits.
int tandem_batch_receive(int socket, struct tandem_batch *batch, int limit, struct tandem_received *received);
/// The same for one datagram of a connected socket, without its source.
int tandem_batch_receive_one(int socket, struct tandem_batch *batch, struct tandem_received *received);

/// Datagrams collected to be sent with one system call, one behind the other in one piece of memory.
struct tandem_outbox;
/// At most `capacity` datagrams of at most `size` bytes each.
struct tandem_outbox *tandem_outbox_create(int capacity, size_t size);
void tandem_outbox_destroy(struct tandem_outbox *outbox);
/// Where the next datagram may be written, `size` bytes long; null when what is there has to be sent first.
uint8_t *tandem_outbox_place(struct tandem_outbox *outbox);
/// Keeps what was written at that place; `peer` is null for a connected socket. It may overtake what goes to the same peer under another
/// `sequence`; under 0 it overtakes nothing, and nothing overtakes it.
void tandem_outbox_keep(struct tandem_outbox *outbox, size_t length, const struct tandem_address *peer, uint64_t sequence);
/// The datagram that was kept last; null, and no length, when there is none.
const uint8_t *tandem_outbox_last(const struct tandem_outbox *outbox, size_t *length);
/// Sends and forgets all datagrams; the number that the kernel took. One that is refused does not hold up the next.
int tandem_outbox_send(int socket, struct tandem_outbox *outbox);

/// A non-blocking TCP listener.
int tandem_tcp_listen(const struct tandem_address *local, int reuse_port, int backlog);
/// The next connection, non-blocking, without delaying small writes.
int tandem_tcp_accept(int listener, struct tandem_address *peer);
/// A connection being made: writable when it is there or has failed (tandem_socket_error tells). `local` may be null.
int tandem_tcp_connect(const struct tandem_address *peer, const struct tandem_address *local);
/// Raises the soft limit of open descriptors to the hard one; what it is now, 0 when that cannot be read.
long long tandem_raise_open_files(void);
/// The errno of a connection attempt, 0 when it succeeded.
int tandem_socket_error(int socket);

// --- Programs in the kernel (bpf(2)) ---------------------------------------------------------------------------
// Every call that can fail answers the negated errno.

/// Tables that programs in the kernel read and write, too. Of an array the key is an index of 32 bits, and its values stay where they are;
/// what is removed from a hash table may be another's at once.
int tandem_hash_create(const char *name, size_t key, size_t value, int entries);
int tandem_array_create(const char *name, size_t value, int entries);
int tandem_map_write(int map, const void *key, const void *value);
int tandem_map_read(int map, const void *key, void *value);
/// Reads and removes.
int tandem_map_take(int map, const void *key, void *value);
/// For packets that arrive (BPF_PROG_TYPE_SCHED_CLS). Where it is refused, `log`, if it is there, tells why.
int tandem_program_load(const char *name, const uint64_t *instructions, int count, char *log, size_t capacity);
/// Runs it with a frame that did not come from anywhere and goes nowhere: what it makes of it, and its verdict. `room`: that of `after`,
/// and how much of it was needed.
int tandem_program_run(int program, const uint8_t *frame, size_t length, uint8_t *after, size_t *room, uint32_t *verdict);
/// Lets the program see what arrives at an interface (Linux 6.6: tcx), beside those of others, as long as the answered descriptor is open.
int tandem_program_attach(int program, int interface);

/// The interfaces that are up, have an IPv4 address, and put Ethernet's header in front of packets.
int tandem_ip_interfaces(int *interfaces, int capacity);
/// To ask for routes.
int tandem_route_socket(void);
/// Readable when a route, an address or a link has changed.
int tandem_route_changes_socket(void);
/// How many messages there were.
int tandem_route_changes_take(int socket);
/// How many rules say that what leaves, or passes, has to be encrypted first (IPsec).
int tandem_output_policies(void);
/// By which interface packets leave for an address, both in host order, and whether that is this machine's own.
int tandem_route(int socket, uint32_t destination, uint32_t source, int *interface, int *is_local);

/// Who sends to whom: addresses and ports in network order, as they stand in a packet.
struct tandem_flow_key {
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
};

/// What becomes of the packets of a stream, and what has come of it. Beside addresses, ports and SSRCs, which are in network order, all is
/// in host order.
struct tandem_flow {
    /// The new ones.
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
    /// Only these packets.
    uint32_t ssrc;
    uint32_t new_ssrc;
    /// By which they leave.
    uint32_t interface;
    /// Of the RTP clock, in nanoseconds.
    uint32_t tick;
    /// What is added to each.
    uint32_t timestamp_shift;
    uint16_t sequence_shift;
    /// Only the packet that follows upon the last one.
    uint16_t next_sequence;
    /// Of the last packet.
    uint32_t timestamp;
    uint8_t payload_type;
    uint8_t new_payload_type;
    /// The destination is this machine.
    uint8_t is_local;
    /// The upper six bits of the octet that once was the type of service.
    uint8_t service;
    /// What packets are long, with the header of RTP; 0: anything.
    uint16_t length;
    /// With how many packets `next_sequence` was reached, `packets` tells: the first one's number.
    uint16_t first_sequence;
    /// How far the timestamp may be from the last one's.
    uint32_t timestamp_gap;
    /// In queues of this machine.
    uint32_t priority;
    uint32_t reserved;
    /// When the last packet came: CLOCK_MONOTONIC.
    uint64_t arrived;
    /// Sixteen times the mean deviation, in nanoseconds (RFC 3550 A.8).
    uint64_t jitter;
    uint64_t packets;
    /// Of RTP, header and payload.
    uint64_t octets;
};

// --- Processes -------------------------------------------------------------------------------------------------
// Every call that can fail answers the negated errno.

/// Two ends of one connection that keeps messages apart and carries descriptors; both non-blocking.
int tandem_message_pair(int pair[2]);
/// The same between processes that know a name (abstract: it is gone with its socket).
int tandem_message_listen(const char *name);
int tandem_message_connect(const char *name);
int tandem_message_accept(int listener);
/// The process at the other end; -EPERM when it belongs to another user.
int tandem_peer_process(int descriptor);
int tandem_message_send(int descriptor, const uint8_t *bytes, size_t length, const int *descriptors, int count);
/// The message's length, 0 at the end of the connection; room for 16 descriptors.
long tandem_message_receive(int descriptor, uint8_t *bytes, size_t capacity, int *descriptors, int *count);

/// Memory that lives as long as a process has its descriptor; zeroes, taken when they are touched.
int tandem_memory_create(const char *name, size_t size);
/// Null when there is not so much of it.
void *tandem_memory_map(int descriptor, size_t size);
void tandem_memory_unmap(void *start, size_t size);

/// What a record that is written twice in turn has in front of its two copies.
enum { TANDEM_TWIN_HEAD = 8 };
void tandem_twin_write(void *twin, const void *bytes, size_t length);
/// What was written last and as a whole: 1; 0 when nothing was.
int tandem_twin_read(const void *twin, void *bytes, size_t length);
void tandem_twin_clear(void *twin);

/// Starts this very program anew; of all descriptors it gets 0, 1, 2 and, as number `as`, `inherited`. The process.
int tandem_spawn(const char *const arguments[], const char *const environment[], int inherited, int as);
/// A descriptor that is readable when the process has ended.
int tandem_process_watch(int process);
/// TERM, INT, HUP and CHLD reach the calling thread, and those it starts from here on, through this descriptor only.
int tandem_signals_open(void);
/// The next signal, 0 when none waits.
int tandem_signals_next(int descriptor);
/// A child that has ended, with its exit status or its signal, negated; 0 when none has.
int tandem_reap(int *status);
/// Names the process as `ps` shows it (15 bytes).
void tandem_name_process(const char *name);
