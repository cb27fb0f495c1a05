/* watch COUNT SECONDS MARK FOLDER…
   Says when files appear in folders: an inotify watch on each, a CLOCK_MONOTONIC time taken as soon as the kernel hands the event over.
   Prints "ready" once it watches, then, at the end, one line per name: "NANOSECONDS NAME". A name counts when it appears under its final
   name (renamed, linked or created; dot files don't). With a MARK, names count once per number that follows the mark in them
   (subject `bench-17` gives a name with `bench-17`), so a file that is taken out and put back isn't counted twice; MARK - counts every name.
   Ends after COUNT names (exit 0), after SECONDS, or when the kernel lost events (exit 1, with what was seen so far). */
#include "clock.h"
#include <ctype.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { MAX_NUMBER = 2000000 };

typedef struct { int64_t when; char *name; } Seen;

static Seen *seen;
static size_t seen_count, seen_room;
static long counted;
static const char *mark;
static unsigned char known[MAX_NUMBER / 8];

/* True when this name's number, or the name where numbers don't matter, has not been counted before. */
static bool counts(const char *name) {
  if (strcmp(mark, "-") == 0) return true;
  const char *at = strstr(name, mark);
  if (at == NULL || !isdigit((unsigned char)at[strlen(mark)])) return false;
  long n = strtol(at + strlen(mark), NULL, 10);
  if (n >= MAX_NUMBER || (known[n / 8] >> (n % 8) & 1)) return false;
  known[n / 8] |= (unsigned char)(1 << (n % 8));
  return true;
}

static void note(int64_t when, const char *name) {
  if (name[0] == '.') return;
  if (seen_count == seen_room) {
    seen_room = seen_room * 2 + 1024;
    seen = realloc(seen, seen_room * sizeof *seen);
    if (seen == NULL) die("memory");
  }
  seen[seen_count++] = (Seen){ when, strdup(name) };
  if (counts(name)) counted++;
}

/* Reads what is there; false when the kernel's queue overflowed. */
static bool take(int queue) {
  static char events[1 << 20] __attribute__((aligned(__alignof__(struct inotify_event))));
  ssize_t got = read(queue, events, sizeof events);
  int64_t when = now_ns();
  if (got < 0) return errno == EINTR;
  for (char *p = events; p < events + got;) {
    const struct inotify_event *event = (const struct inotify_event *)p;
    if (event->mask & IN_Q_OVERFLOW) return false;
    if (event->len > 0) note(when, event->name);
    p += sizeof *event + event->len;
  }
  return true;
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "usage: watch COUNT SECONDS MARK FOLDER…\n"), 64;
  long wanted = number(argv[1]);
  int64_t end = now_ns() + (int64_t)number(argv[2]) * 1000000000;
  mark = argv[3];
  int queue = inotify_init1(IN_CLOEXEC);
  if (queue < 0) die("inotify");
  for (int i = 4; i < argc; i++)
    if (inotify_add_watch(queue, argv[i], IN_MOVED_TO | IN_CREATE) < 0) die(argv[i]);
  printf("ready\n");
  fflush(stdout);

  bool whole = true;
  while (whole && counted < wanted) {
    int64_t left = end - now_ns();
    struct pollfd ready = { .fd = queue, .events = POLLIN };
    if (left <= 0) break;
    if (poll(&ready, 1, (int)(left / 1000000 + 1)) > 0) whole = take(queue);
  }
  for (size_t i = 0; i < seen_count; i++) printf("%lld %s\n", (long long)seen[i].when, seen[i].name);
  if (!whole) fprintf(stderr, "the kernel lost events\n");
  return whole && counted >= wanted ? 0 : 1;
}
