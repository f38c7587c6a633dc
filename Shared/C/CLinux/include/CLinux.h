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

/// A non-blocking eventfd: adding to it wakes whoever polls it, reading takes it back to zero.
int tandem_eventfd(void);
void tandem_eventfd_add(int descriptor);
void tandem_eventfd_clear(int descriptor);

/// Runs the calling thread on one processor only; -1 where that is not allowed.
int tandem_pin_thread(int processor);
/// Names the calling thread as debuggers and /proc show it (15 bytes are kept).
void tandem_name_thread(const char *name);
uint64_t tandem_monotonic_nanoseconds(void);
