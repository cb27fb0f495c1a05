/* spawn COUNT AT_A_TIME BOXES MESSAGE COMMAND ARGUMENT…
   One process per message, the way a mail server starts maildrop: MESSAGE on standard input, `%` in an argument stands for the number of
   the mailbox (0 to BOXES - 1, in turn). Prints the nanoseconds from the first start to the last end. Ends with 74 if any process failed. */
#include "clock.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_ARGUMENTS = 32, MAX_ARGUMENT = 4096 };

static void fill_in(const char *template, long box, char *out) {
  size_t used = 0;
  for (; *template != 0 && used < MAX_ARGUMENT - 24; template++) {
    if (*template == '%') used += (size_t)sprintf(out + used, "%ld", box);
    else out[used++] = *template;
  }
  out[used] = 0;
}

static void start(char **command, int words, long box, const char *message) {
  static char filled[MAX_ARGUMENTS][MAX_ARGUMENT];
  char *arguments[MAX_ARGUMENTS + 1];
  posix_spawn_file_actions_t files;
  pid_t child;
  for (int i = 0; i < words; i++) {
    fill_in(command[i], box, filled[i]);
    arguments[i] = filled[i];
  }
  arguments[words] = NULL;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, message, O_RDONLY, 0);
  errno = posix_spawnp(&child, arguments[0], &files, NULL, arguments, environ);
  if (errno != 0) die(arguments[0]);
  posix_spawn_file_actions_destroy(&files);
}

static void wait_for_one(void) {
  int status;
  if (wait(&status) < 0) die("wait");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  fprintf(stderr, "a delivery failed: status %d\n", status);
  exit(74);
}

int main(int argc, char **argv) {
  if (argc < 6 || argc - 5 > MAX_ARGUMENTS) return fprintf(stderr, "usage: spawn COUNT AT_A_TIME BOXES MESSAGE COMMAND ARGUMENT…\n"), 64;
  long count = number(argv[1]), at_a_time = number(argv[2]), boxes = number(argv[3]), running = 0;
  if (at_a_time < 1 || boxes < 1) return fprintf(stderr, "spawn: at least one process and one mailbox\n"), 64;
  int64_t begin = now_ns();
  for (long n = 0; n < count; n++) {
    if (running == at_a_time) {
      wait_for_one();
      running--;
    }
    start(argv + 5, argc - 5, n % boxes, argv[4]);
    running++;
  }
  for (; running > 0; running--) wait_for_one();
  printf("%lld\n", (long long)(now_ns() - begin));
  return 0;
}
