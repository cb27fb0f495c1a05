/* smtp smtp|lmtp PORT CONNECTIONS COUNT BOXES BYTES
   Speaks SMTP or LMTP to 127.0.0.1: COUNT messages of BYTES over CONNECTIONS that stay open, one transaction per message, commands
   pipelined as every mail server does, to u0@bench.test … in turn. Prints "NANOSECONDS NANOSECONDS": CLOCK_MONOTONIC before the first
   MAIL and after the last reply to a body. Any reply that isn't the expected one ends it with 74. */
#include "clock.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256, LINE = 2048, HEAD = 1024 };

typedef struct { int socket; FILE *replies; } Connection;

static long count, boxes, bytes;
static bool lmtp;
static atomic_long next_message;
static char *body;

/* Reads one reply, continuation lines included, and ends the program unless it begins with the wanted digit. */
static void expect(const Connection *peer, char digit, const char *after) {
  char line[LINE];
  do {
    if (fgets(line, sizeof line, peer->replies) == NULL) die(after);
  } while (line[3] == '-');
  if (line[0] == digit) return;
  fprintf(stderr, "after %s: %s", after, line);
  exit(74);
}

static void say(const Connection *peer, const char *text, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t got = send(peer->socket, text + sent, length - sent, MSG_NOSIGNAL);
    if (got < 0) die("send");
    sent += (size_t)got;
  }
}

static Connection open_connection(long port) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
  /* a head and a body are two sends: without this the body waits for the other side's delayed acknowledgement */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  Connection peer = { fd, fdopen(fd, "r") };
  if (peer.replies == NULL) die("fdopen");
  const char *hello = lmtp ? "LHLO bench.test\r\n" : "EHLO bench.test\r\n";
  expect(&peer, '2', "connect");
  say(&peer, hello, strlen(hello));
  expect(&peer, '2', hello);
  return peer;
}

static void transact(const Connection *peer, long n) {
  char head[HEAD];
  int length = snprintf(head, sizeof head, "MAIL FROM:<sender@bench.test>\r\nRCPT TO:<u%ld@bench.test>\r\nDATA\r\n", n % boxes);
  say(peer, head, (size_t)length);
  expect(peer, '2', "MAIL");
  expect(peer, '2', "RCPT");
  expect(peer, '3', "DATA");
  length = snprintf(head, sizeof head, "From: sender@bench.test\r\nTo: u%ld@bench.test\r\nSubject: bench-%ld\r\nMessage-ID: <%ld@bench.test>\r\n\r\n",
                    n % boxes, n, n);
  say(peer, head, (size_t)length);
  say(peer, body, strlen(body));
  expect(peer, '2', "the body");
}

static void *work(void *argument) {
  const Connection *peer = argument;
  for (long n; (n = atomic_fetch_add(&next_message, 1)) < count;) transact(peer, n);
  return NULL;
}

/* Lines of 78 letters up to the size, headers counted in roughly, ended as a body ends. */
static char *compose(void) {
  char *text = malloc((size_t)bytes + 128);
  if (text == NULL) die("memory");
  long used = 0;
  while (used < bytes - 200) used += sprintf(text + used, "%.78s\r\n", "Please look at this item and say what you think of it, before the end of today");
  sprintf(text + used, ".\r\n");
  return text;
}

int main(int argc, char **argv) {
  if (argc != 7) return fprintf(stderr, "usage: smtp smtp|lmtp PORT CONNECTIONS COUNT BOXES BYTES\n"), 64;
  lmtp = strcmp(argv[1], "lmtp") == 0;
  long port = number(argv[2]), connections = number(argv[3]);
  count = number(argv[4]);
  boxes = number(argv[5]);
  bytes = number(argv[6]);
  if (connections < 1 || connections > MAX_CONNECTIONS || boxes < 1) return fprintf(stderr, "smtp: 1 to %d connections\n", MAX_CONNECTIONS), 64;
  body = compose();

  static Connection peers[MAX_CONNECTIONS];
  static pthread_t running[MAX_CONNECTIONS];
  for (long i = 0; i < connections; i++) peers[i] = open_connection(port);
  int64_t begin = now_ns();
  for (long i = 0; i < connections; i++)
    if (pthread_create(&running[i], NULL, work, &peers[i]) != 0) die("thread");
  for (long i = 0; i < connections; i++) pthread_join(running[i], NULL);
  int64_t end = now_ns();
  for (long i = 0; i < connections; i++) say(&peers[i], "QUIT\r\n", 6);
  printf("%lld %lld\n", (long long)begin, (long long)end);
  return 0;
}
