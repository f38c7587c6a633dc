// Something befalls the relay again and again: how long is each end without a packet, and what is lost?
// The first of the equal times is without it: what is heard there is the generator's and the machine's.
#include <spawn.h>

enum { BLOWS = 5, BLOW_FRAMES = 200, AFTER_FRAMES = 50 };
static const char *blows; // the command

static struct time {
    uint64_t begin;
    long sent, arrived, blow;
    uint64_t *longest; // of each end, the time between two packets
    char *heard;       // of each end, whether there was one in the last second
} times[BLOWS + 1];
static uint64_t *last;
static int begun;
static uint64_t latest; // the generator's own packet

static void expect_blows(long ends) {
    for (int i = 0; i <= BLOWS; i++) {
        times[i].longest = calloc(ends, sizeof(uint64_t)), times[i].heard = calloc(ends, 1);
        times[i].blow = i ? AFTER_FRAMES + random() % AFTER_FRAMES : -1;
    }
    last = calloc(ends, sizeof *last);
    signal(SIGCHLD, SIG_IGN);
}

static void befall(long frame) {
    if (frame % BLOW_FRAMES == 0) times[begun++].begin = now(CLOCK_REALTIME);
    if (frame % BLOW_FRAMES != times[begun - 1].blow) return;
    extern char **environ;
    char *words[] = {"sh", "-c", (char *)blows, NULL};
    pid_t child;
    if (posix_spawn(&child, "/bin/sh", NULL, NULL, words, environ)) die("sh");
}

static struct time *time_of(uint64_t at) {
    for (int i = begun; i-- > 0;)
        if (at >= times[i].begin) return &times[i];
    return NULL;
}

static void be_late(uint64_t at, uint64_t due) {
    if (begun && at > due && at - due > latest) latest = at - due;
}

static void count_sent(uint64_t at) {
    struct time *t = time_of(at);
    if (t) t->sent++;
}

static void count_arrived(uint64_t at) {
    struct time *t = time_of(at);
    if (t) t->arrived++;
}

static void hear(long end, uint64_t at) {
    struct time *t = time_of(at);
    if (t && last[end] && at > last[end] && at - last[end] > t->longest[end]) t->longest[end] = at - last[end];
    if (t && at >= t->begin + (uint64_t)(BLOW_FRAMES - AFTER_FRAMES) * FRAME_NS) t->heard[end] = 1;
    last[end] = at;
}

static int rising(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// The silence of a share of all ends, less the 20 ms that there always are, in ms.
static double silence(const uint64_t *sorted, long count, double share) {
    return count ? (sorted[(long)((count - 1) * share)] - (double)FRAME_NS) / 1e6 : 0;
}

// prints: median and worst without it; median, 95 of 100 and worst of all blows; packets lost without and with it; ends that heard nothing afterwards;
// how late our own packets left at most
static void tell_blows(long ends) {
    uint64_t *all = calloc(BLOWS * ends, sizeof *all);
    long lost = 0, deaf = 0;
    for (int i = 0; i <= BLOWS; i++) {
        struct time *t = &times[i];
        long silent = 0;
        for (long e = 0; e < ends; e++) {
            // Who hears nothing more has the longest silence.
            if (!t->heard[e]) silent++, t->longest[e] = (uint64_t)BLOW_FRAMES * FRAME_NS;
            if (i) all[(i - 1) * ends + e] = t->longest[e];
        }
        qsort(t->longest, ends, sizeof *t->longest, rising);
        fprintf(stderr, "  %s: gap median %.1f, worst %.1f ms, %ld of %ld packets lost, %ld of %ld ends heard nothing afterwards\n", i ? "killed" : "before",
            silence(t->longest, ends, 0.5), silence(t->longest, ends, 1), t->sent - t->arrived, t->sent, silent, ends);
        if (i) lost += t->sent - t->arrived, deaf += silent;
    }
    qsort(all, BLOWS * ends, sizeof *all, rising);
    long count = BLOWS * ends;
    printf("%.1f %.1f %.1f %.1f %.1f %ld %ld %ld %.1f\n", silence(times[0].longest, ends, 0.5), silence(times[0].longest, ends, 1), silence(all, count, 0.5),
        silence(all, count, 0.95), silence(all, count, 1), times[0].sent - times[0].arrived, lost, deaf, latest / 1e6);
}
