/* drop rate|burst|slow COUNT FIRST VALUE BYTES FOLDER:RECIPIENT…
   Drops messages into outboxes as a program of an agent would. Message number N (from FIRST) has the subject `bench-N` and is BYTES long.
     rate   one after the other, VALUE a second, into each folder in turn: written as .tmp, renamed to .md
     burst  one thread per folder, as fast as it can; written as .tmp, renamed to .md, never fsynced: durability is the daemon's work
     slow   one thread per message: half of it under its final name, VALUE milliseconds of silence, the other half, close
   Started as root it writes as the owner of each folder (setfsuid), so that a message really is its agent's.
   Prints "NANOSECONDS N": CLOCK_MONOTONIC right before the rename, in `slow` right before the close. */
#include "clock.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FOLDERS = 4096, MAX_SLOW = 64, MAX_BYTES = 262144 };

typedef struct { int fd; uid_t uid; gid_t gid; const char *to; } Outbox;
typedef struct { long lane; } Lane;

static Outbox outboxes[MAX_FOLDERS];
static long outbox_count, count, first, value, bytes;
static int64_t *dropped;

static void become_owner(const Outbox *box) {
  if (geteuid() != 0) return;
  setfsgid(box->gid);
  setfsuid(box->uid);
}

static void compose(char *text, long n, const char *to) {
  int head = snprintf(text, MAX_BYTES, "---\nto: %s\nsubject: bench-%ld\n---\nPlease look at item %ld.\n", to, n, n);
  for (long i = head; i < bytes; i++) text[i] = i % 80 == 79 ? '\n' : (char)('a' + i % 23);
}

static int create(const Outbox *box, const char *name) {
  int fd = openat(box->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) die(name);
  return fd;
}

static void put(int fd, const char *text, long length) {
  if (write(fd, text, (size_t)length) != length) die("write");
}

static void drop(const Outbox *box, long n, char *text) {
  char draft[64], name[64];
  snprintf(draft, sizeof draft, "bench-%ld.tmp", n);
  snprintf(name, sizeof name, "bench-%ld.md", n);
  compose(text, n, box->to);
  int fd = create(box, draft);
  put(fd, text, bytes);
  close(fd);
  dropped[n - first] = now_ns();
  if (renameat(box->fd, draft, box->fd, name) != 0) die("rename");
}

static void at_a_rate(void) {
  static char text[MAX_BYTES];
  int64_t start = now_ns();
  for (long i = 0; i < count; i++) {
    const Outbox *box = &outboxes[i % outbox_count];
    sleep_until_ns(start + i * 1000000000 / value);
    become_owner(box);
    drop(box, first + i, text);
  }
}

static void *burst(void *argument) {
  const Lane *lane = argument;
  const Outbox *box = &outboxes[lane->lane];
  char *text = malloc(MAX_BYTES);
  if (text == NULL) die("memory");
  become_owner(box);
  for (long i = lane->lane; i < count; i += outbox_count) drop(box, first + i, text);
  free(text);
  return NULL;
}

static void *slow(void *argument) {
  const Lane *lane = argument;
  const Outbox *box = &outboxes[lane->lane % outbox_count];
  long n = first + lane->lane;
  char name[64], *text = malloc(MAX_BYTES);
  if (text == NULL) die("memory");
  /* spread over a second, so that the closes don't arrive as one burst */
  sleep_until_ns(now_ns() + lane->lane * 1000000000 / count);
  become_owner(box);
  snprintf(name, sizeof name, "bench-%ld.md", n);
  compose(text, n, box->to);
  int fd = create(box, name);
  put(fd, text, bytes / 2);
  sleep_until_ns(now_ns() + value * 1000000);
  put(fd, text + bytes / 2, bytes - bytes / 2);
  dropped[lane->lane] = now_ns();
  close(fd);
  free(text);
  return NULL;
}

static void in_threads(void *(*work)(void *), long threads) {
  static pthread_t running[MAX_FOLDERS];
  static Lane lanes[MAX_FOLDERS];
  for (long i = 0; i < threads; i++) {
    lanes[i] = (Lane){ i };
    if (pthread_create(&running[i], NULL, work, &lanes[i]) != 0) die("thread");
  }
  for (long i = 0; i < threads; i++) pthread_join(running[i], NULL);
}

static Outbox outbox(char *argument) {
  char *colon = strrchr(argument, ':');
  struct stat about;
  if (colon == NULL) {
    fprintf(stderr, "not FOLDER:RECIPIENT: %s\n", argument);
    exit(64);
  }
  *colon = 0;
  int fd = open(argument, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &about) != 0) die(argument);
  return (Outbox){ fd, about.st_uid, about.st_gid, colon + 1 };
}

int main(int argc, char **argv) {
  if (argc < 7 || argc - 6 > MAX_FOLDERS) return fprintf(stderr, "usage: drop rate|burst|slow COUNT FIRST VALUE BYTES FOLDER:RECIPIENT…\n"), 64;
  count = number(argv[2]);
  first = number(argv[3]);
  value = number(argv[4]);
  bytes = number(argv[5]);
  if (bytes < 256 || bytes > MAX_BYTES) return fprintf(stderr, "bytes: 256 to %d\n", MAX_BYTES), 64;
  dropped = calloc((size_t)count + 1, sizeof *dropped);
  if (dropped == NULL) die("memory");
  for (int i = 6; i < argc; i++) outboxes[outbox_count++] = outbox(argv[i]);

  if (strcmp(argv[1], "rate") == 0 && value > 0) at_a_rate();
  else if (strcmp(argv[1], "burst") == 0) in_threads(burst, outbox_count);
  else if (strcmp(argv[1], "slow") == 0 && count <= MAX_SLOW) in_threads(slow, count);
  else return fprintf(stderr, "drop: %s: no such way, a rate of 0, or more than %d slow writers\n", argv[1], MAX_SLOW), 64;
  for (long i = 0; i < count; i++) printf("%lld %ld\n", (long long)dropped[i], first + i);
  return 0;
}
