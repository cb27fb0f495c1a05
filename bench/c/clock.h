/* One clock for every program of the bench: CLOCK_MONOTONIC in nanoseconds, the same one that Node's process.hrtime.bigint() reads,
   so that a time taken in one process may be subtracted from a time taken in another. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void sleep_until_ns(int64_t when) {
  struct timespec t = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 };
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

/* A measurement with a failed step in it is worth nothing: say which step, and end. */
static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(74);
}

/* A number in the argument list; anything else is a usage error (exit 64). */
static inline long number(const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*text == 0 || *end != 0 || value < 0) {
    fprintf(stderr, "not a number: %s\n", text);
    exit(64);
  }
  return value;
}
#endif
