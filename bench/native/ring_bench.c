/* What the ring costs, two processes over one mapping, beside what the machine allows
 * in the same run: a bare cache line to and fro, and memcpy.
 *
 *   gcc -O2 -I dll/src bench/native/ring_bench.c dll/src/channel/ring_*.c -o ring_bench
 *   ./ring_bench [REPETITIONS]
 *
 * Every message carries its number in its first and last 8 bytes; the reader checks
 * both and copies it out (one copy in, one copy out). Spin only; "+wake" asks after
 * each message whether somebody has to be woken, which is what a sleeping peer costs a
 * busy one. Best and median of the repetitions. */
#define _GNU_SOURCE
#include "channel/ring.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                               \
  do {                                                                                 \
    if (!(condition)) fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort(); \
  } while (0)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pause_a_little(unsigned *spins) {
#if defined __x86_64__
  __builtin_ia32_pause();
#endif
  if (++*spins % 4096 == 0) sched_yield(); /* a busy machine */
}

static void *shared(size_t size) {
  void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  CHECK(p != MAP_FAILED);
  return p;
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static pid_t in_child(void (*body)(void *), void *argument) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child) {
    pin(0);
    return child;
  }
  pin(1);
  body(argument);
  _exit(0);
}

static void join(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Times of the windows of one run; their median. */
enum { WINDOWS = 1 << 16 };
static double windows[WINDOWS];
static int window_count;
static double window_start;

static void windows_begin(void) {
  window_count = 0;
  window_start = now();
}

static void window_end(void) {
  double end = now();
  if (window_count < WINDOWS) windows[window_count++] = end - window_start;
  window_start = end;
}

static double windows_median(void) {
  qsort(windows, (size_t)window_count, sizeof *windows, by_size);
  return windows[window_count / 2];
}

/* ------------------------------ the machine's limits ------------------------------ */

enum { TRIPS = 100000, TRIPS_A_WINDOW = 32 };

typedef struct lines {
  ring_word there;
  char gap[120];
  ring_word back;
} lines;

static void echo_line(void *argument) {
  lines *l = argument;
  for (uint64_t i = 1; i <= TRIPS; i++) {
    unsigned spins = 0;
    while (ring_load(&l->there) != i) pause_a_little(&spins);
    ring_store(&l->back, i);
  }
}

static double line_round_trip(void) {
  lines *l = shared(sizeof *l);
  pid_t child = in_child(echo_line, l);
  windows_begin();
  for (uint64_t i = 1; i <= TRIPS; i++) {
    unsigned spins = 0;
    ring_store(&l->there, i);
    while (ring_load(&l->back) != i) pause_a_little(&spins);
    if (i % TRIPS_A_WINDOW == 0) window_end();
  }
  join(child);
  munmap(l, sizeof *l);
  return windows_median() / TRIPS_A_WINDOW * 1e6;
}

static double copy_rate(void) {
  enum { SIZE = 1 << 20, SLOTS = 4, ROUNDS = 2000 };
  char *to = shared(SIZE * SLOTS), *from = shared(SIZE);
  memset(from, 1, SIZE);
  memset(to, 2, SIZE * SLOTS);
  windows_begin();
  for (int i = 0; i < ROUNDS; i++) {
    memcpy(to + i % SLOTS * SIZE, from, SIZE);
    window_end();
  }
  munmap(to, SIZE * SLOTS);
  munmap(from, SIZE);
  return (double)SIZE / windows_median() / 1e9;
}

/* ----------------------------------- the ring ----------------------------------- */

typedef struct channel {
  void *data;
  uint64_t size;
  ring_control *control;
  ring_writer writer;
  ring_reader reader;
  ring_peer peer;
} channel;

static void open_channel(channel *c, uint64_t capacity) {
  uint32_t index;
  uint64_t start;
  c->size = RING_HEADER_SIZE + capacity;
  c->data = shared(c->size);
  c->control = shared(4096);
  CHECK(!ring_writer_init(&c->writer, c->data, c->size, 0, &c->peer, 1));
  CHECK(!ring_writer_admit(&c->writer, c->control, &index, &start));
  CHECK(!ring_reader_attach(&c->reader, c->data, c->size, c->control, start));
}

static void close_channel(channel *c) {
  munmap(c->data, c->size);
  munmap(c->control, 4096);
}

static void number(char *message, uint64_t size, uint64_t i) {
  memcpy(message, &i, 8);
  memcpy(message + size - 8, &i, 8);
}

static void put(channel *c, const void *data, uint64_t size, bool wake) {
  ring_part part = {data, size};
  uint32_t index;
  uint64_t taken = 0;
  unsigned spins = 0;
  ring_status status = ring_writer_try_send(&c->writer, &part, 1);
  while (status == RING_WOULD_BLOCK) {
    pause_a_little(&spins);
    status = ring_writer_try_send(&c->writer, &part, 1);
  }
  if (status == RING_TOO_LARGE) {
    CHECK(!ring_writer_begin(&c->writer, size));
    while ((status = ring_writer_append(&c->writer, (const char *)data, size,
                                        &taken)) == RING_WOULD_BLOCK) {
      data = (const char *)data + taken;
      size -= taken;
      pause_a_little(&spins);
    }
  }
  CHECK(!status);
  if (wake) CHECK(!ring_writer_sleepers(&c->writer, &index, 1));
}

static void get(channel *c, char *buffer, uint64_t size, uint64_t i, bool wake) {
  ring_message message;
  ring_status status;
  unsigned spins = 0;
  uint64_t head, tail;
  while ((status = ring_reader_receive(&c->reader, buffer, size, &message)) !=
         RING_OK) {
    CHECK(status == RING_EMPTY || status == RING_AGAIN);
    pause_a_little(&spins);
  }
  memcpy(&head, buffer, 8);
  memcpy(&tail, buffer + size - 8, 8);
  CHECK(message.total == size && head == i && tail == i);
  if (wake) CHECK(!ring_reader_wakes_writer(&c->reader));
}

typedef struct job {
  channel there, back;
  uint64_t size, count;
  bool wake;
} job;

static void echo(void *argument) {
  job *j = argument;
  char *buffer = malloc(j->size);
  for (uint64_t i = 0; i < j->count; i++) {
    get(&j->there, buffer, j->size, i, j->wake);
    put(&j->back, buffer, j->size, j->wake);
  }
}

static double round_trip(uint64_t size, bool wake) {
  job j = {.size = size, .count = TRIPS, .wake = wake};
  char *buffer = calloc(1, size);
  open_channel(&j.there, 1 << 16);
  open_channel(&j.back, 1 << 16);
  pid_t child = in_child(echo, &j);
  windows_begin();
  for (uint64_t i = 0; i < j.count; i++) {
    number(buffer, size, i);
    put(&j.there, buffer, size, wake);
    get(&j.back, buffer, size, i, wake);
    if (i % TRIPS_A_WINDOW == TRIPS_A_WINDOW - 1) window_end();
  }
  join(child);
  close_channel(&j.there);
  close_channel(&j.back);
  free(buffer);
  return windows_median() / TRIPS_A_WINDOW * 1e6;
}

static void feed(void *argument) {
  job *j = argument;
  char *buffer = malloc(j->size);
  memset(buffer, 3, j->size); /* pages of its own, not the one page of zeros */
  for (uint64_t i = 0; i < j->count; i++) {
    number(buffer, j->size, i);
    put(&j->there, buffer, j->size, j->wake);
  }
}

/* Messages a second. */
static double stream(uint64_t size, uint64_t capacity, uint64_t count, bool wake) {
  job j = {.size = size, .count = count, .wake = wake};
  char *buffer = malloc(size);
  memset(buffer, 0, size);
  open_channel(&j.there, capacity);
  pid_t child = in_child(feed, &j);
  uint64_t window = 8 * capacity; /* so that what is in the ring counts little */
  window = (window < 1 << 24 ? window : 1 << 24) / size;
  for (uint64_t i = 0; i < count; i++) {
    get(&j.there, buffer, size, i, wake);
    if (!i)
      windows_begin();
    else if (i % window == 0)
      window_end();
  }
  join(child);
  close_channel(&j.there);
  free(buffer);
  return (double)window / windows_median();
}

static double fence_cost(void) {
  enum { COUNT = 10000000 };
  double start = now();
  for (int i = 0; i < COUNT; i++) ring_fence_full();
  return (now() - start) / COUNT * 1e9;
}

/* ---------------------------------- the report ---------------------------------- */

static int repetitions = 5;
static double figures[100];

static void report(const char *what, const char *unit, bool least_is_best) {
  qsort(figures, (size_t)repetitions, sizeof *figures, by_size);
  printf("%-44s %9.3f (best %9.3f) %s\n", what, figures[repetitions / 2],
         figures[least_is_best ? 0 : repetitions - 1], unit);
  fflush(stdout);
}

#define MEASURE(what, unit, least_is_best, expression)             \
  for (int i = 0; i < repetitions; i++) figures[i] = (expression); \
  report(what, unit, least_is_best)

int main(int argc, char **argv) {
  if (argc > 1) repetitions = atoi(argv[1]);
  CHECK(repetitions > 0 && repetitions <= 100);
  MEASURE("limit: line to and fro", "us", true, line_round_trip());
  MEASURE("limit: memcpy 1 MiB, 4 slots", "GB/s", false, copy_rate());
  MEASURE("a full fence with nothing to drain", "ns", true, fence_cost());
  MEASURE("64 B round trip", "us", true, round_trip(64, false));
  MEASURE("64 B round trip, +wake", "us", true, round_trip(64, true));
  MEASURE("4 KiB round trip", "us", true, round_trip(4096, false));
  MEASURE("64 B stream, 256 KiB ring", "M/s", false,
          stream(64, 1 << 18, 4000000, false) / 1e6);
  MEASURE("64 B stream, 256 KiB ring, +wake", "M/s", false,
          stream(64, 1 << 18, 4000000, true) / 1e6);
  MEASURE("64 B stream, 64 KiB ring", "M/s", false,
          stream(64, 1 << 16, 4000000, false) / 1e6);
  MEASURE("4 KiB stream, 1 MiB ring", "M/s", false,
          stream(4096, 1 << 20, 400000, false) / 1e6);
  MEASURE("4 KiB stream, 1 MiB ring, +wake", "M/s", false,
          stream(4096, 1 << 20, 400000, true) / 1e6);
  MEASURE("1 MiB stream, 1 MiB ring, fragments", "GB/s", false,
          stream(1 << 20, 1 << 20, 3000, true) * (1 << 20) / 1e9);
  MEASURE("1 MiB stream, 2 MiB ring, fragments", "GB/s", false,
          stream(1 << 20, 1 << 21, 3000, true) * (1 << 20) / 1e9);
  MEASURE("1 MiB stream, 4 MiB ring, fragments", "GB/s", false,
          stream(1 << 20, 1 << 22, 3000, true) * (1 << 20) / 1e9);
  MEASURE("1 MiB stream, 8 MiB ring, one piece", "GB/s", false,
          stream(1 << 20, 1 << 23, 3000, true) * (1 << 20) / 1e9);
  return 0;
}
