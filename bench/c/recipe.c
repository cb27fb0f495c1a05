/* recipe DIR COUNT THREADS BYTES
   The bare recipe of a durable delivery, with nothing around it: create, write, fsync, rename, fsync the folder.
   COUNT files in all, THREADS at a time; DIR holds as many Maildirs (m0, m1 …) as there are threads, at most 30, like thirty mailboxes.
   Prints one line per file, the nanoseconds that it took, then "total NANOSECONDS". */
#include "clock.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 256, MAX_BOXES = 30 };

typedef struct { int tmp, inbox; } Box;

static Box boxes[MAX_BOXES];
static long count, threads, bytes;
static int64_t *took;
static char *text;
static atomic_long next_file;

static void deliver(const Box *box, long n) {
  char name[32];
  snprintf(name, sizeof name, "%ld.md", n);
  int fd = openat(box->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) die("create");
  if (write(fd, text, (size_t)bytes) != bytes) die("write");
  if (fsync(fd) != 0) die("fsync");
  close(fd);
  if (renameat(box->tmp, name, box->inbox, name) != 0) die("rename");
  if (fsync(box->inbox) != 0) die("fsync folder");
}

static void *work(void *argument) {
  const Box *box = argument;
  for (long n; (n = atomic_fetch_add(&next_file, 1)) < count;) {
    int64_t start = now_ns();
    deliver(box, n);
    took[n] = now_ns() - start;
  }
  return NULL;
}

static int folder(const char *root, int box, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/m%d", root, box);
  if (mkdir(path, 0755) != 0 && errno != EEXIST) die(path);
  snprintf(path, sizeof path, "%s/m%d/%s", root, box, name);
  if (mkdir(path, 0755) != 0 && errno != EEXIST) die(path);
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(path);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: recipe DIR COUNT THREADS BYTES\n"), 64;
  count = number(argv[2]);
  threads = number(argv[3]);
  bytes = number(argv[4]);
  if (threads < 1 || threads > MAX_THREADS) return fprintf(stderr, "threads: 1 to %d\n", MAX_THREADS), 64;
  took = calloc((size_t)count + 1, sizeof *took);
  text = malloc((size_t)bytes + 1);
  if (took == NULL || text == NULL) die("memory");
  memset(text, 'x', (size_t)bytes);
  int used = threads < MAX_BOXES ? (int)threads : MAX_BOXES;
  for (int i = 0; i < used; i++) boxes[i] = (Box){ folder(argv[1], i, "tmp"), folder(argv[1], i, "new") };

  pthread_t running[MAX_THREADS];
  int64_t start = now_ns();
  for (long i = 0; i < threads; i++)
    if (pthread_create(&running[i], NULL, work, &boxes[i % used]) != 0) die("thread");
  for (long i = 0; i < threads; i++) pthread_join(running[i], NULL);
  int64_t total = now_ns() - start;
  for (long n = 0; n < count; n++) printf("%lld\n", (long long)took[n]);
  printf("total %lld\n", (long long)total);
  return 0;
}
