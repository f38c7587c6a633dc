#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(TANDEM_READABLE == EPOLLIN && TANDEM_WRITABLE == EPOLLOUT, "events are passed on as they are");
_Static_assert(TANDEM_ERROR == EPOLLERR && TANDEM_HANGUP == EPOLLHUP, "events are passed on as they are");

int tandem_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int tandem_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int tandem_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int tandem_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); }

int tandem_epoll_wait(int epoll, struct tandem_event *events, int capacity, int64_t nanoseconds) {
    enum { MOST = 256 };
    struct epoll_event ready[MOST];
    if (capacity > MOST) capacity = MOST;
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, ready, capacity, nanoseconds < 0 ? NULL : &limit, NULL);
    if (count < 0 && errno == ENOSYS) {  // before Linux 5.11: whole milliseconds, rounded up so that timers are never early
        int64_t milliseconds = (nanoseconds + 999999) / 1000000;
        int rounded = milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds;
        count = epoll_wait(epoll, ready, capacity, nanoseconds < 0 ? -1 : rounded);
    }
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int index = 0; index < count; index++) {  // epoll_event is packed on x86-64, which Swift cannot express
        events[index].token = ready[index].data.u64;
        events[index].events = ready[index].events;
    }
    return count;
}

int tandem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void tandem_eventfd_add(int descriptor) {
    uint64_t one = 1;
    ssize_t written;
    do written = write(descriptor, &one, sizeof one);
    while (written < 0 && errno == EINTR);  // EAGAIN: the counter is full, so the reader is awake already
}

void tandem_eventfd_clear(int descriptor) {
    uint64_t count;
    ssize_t got;
    do got = read(descriptor, &count, sizeof count);
    while (got < 0 && errno == EINTR);
}

int tandem_pin_thread(int processor) {
    if (processor < 0 || processor >= CPU_SETSIZE) return -1;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0 ? 0 : -1;
}

int tandem_run_realtime(int priority) {
    struct sched_param wanted = {.sched_priority = priority};
    // Threads that this one starts are not meant.
    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &wanted) == 0 ? 0 : -1;
}

void tandem_name_thread(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof kept - 1);
    pthread_setname_np(pthread_self(), kept);
}

uint64_t tandem_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void tandem_sleep_until(uint64_t nanoseconds) {
    struct timespec end = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}
